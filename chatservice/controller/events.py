"""
The facts of the chat: who did what, where. A fact is decided by a request, stored by the journal,
and only then applied to the state and told to clients. No rule and no rendering lives here.

Every event has a *target*, the identity of the stream that it belongs to (a room's, a direct
conversation's, or none), and a *nick*, the name of its author as others see it. Names are kept as
they were on the day; the keys beside them (case-folded, see `names`) are what the state is looked
up with, so that replaying a journal never depends on today's Unicode tables.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar


@dataclass(slots=True, kw_only=True)
class Event:
    """
    A fact. `id` and `ms` are stamped once, by the journal that stores it, and never change after.

    @ivar id: the event's identity: opaque, unique in the service, without spaces; empty before it
        is stored.
    @ivar ms: when it was stored, milliseconds since 1970-01-01 UTC.
    @ivar target: the room id or conversation that it is kept under, or the empty string.
    @ivar actor: the key of the user whose doing it is, or the empty string for the service's own.
    @ivar nick: the name of that user, as shown.
    """

    kind: ClassVar[str]

    id: str = ""
    ms: int = 0
    target: str = ""
    actor: str = ""
    nick: str = ""


@dataclass(slots=True, kw_only=True)
class ServiceStarted(Event):
    """The process began: whoever was logged in before it is not any more."""

    kind: ClassVar[str] = "started"


@dataclass(slots=True, kw_only=True)
class LoggedIn(Event):
    """A nick was taken. `account` says that a password (or an outside checker) vouched for it."""

    kind: ClassVar[str] = "login"
    account: bool = False
    skeleton: str = ""


@dataclass(slots=True, kw_only=True)
class LoggedOut(Event):
    """A nick was given up, or its connection is gone; it follows a `Left` for each room."""

    kind: ClassVar[str] = "logout"
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class Registered(Event):
    """
    A nick became an account. `verifier` is its argon2id hash; empty if an outside checker vouches
    for it.
    """

    kind: ClassVar[str] = "register"
    skeleton: str = ""
    verifier: str = ""


@dataclass(slots=True, kw_only=True)
class RoomCreated(Event):
    """
    A room was made; its id is this event's. `kept` says that it outlives its owner's visit. `most`
    is how many rooms there may be with it; 0 sets no limit.
    """

    kind: ClassVar[str] = "room"
    room: str = ""
    key: str = ""
    skeleton: str = ""
    owner: str = ""
    private: bool = False
    kept: bool = False
    most: int = 0


@dataclass(slots=True, kw_only=True)
class RoomEvent(Event):
    """A fact about one room, whose id is `target`."""

    room: str = ""


@dataclass(slots=True, kw_only=True)
class Message(RoomEvent):
    """Something said to a room."""

    kind: ClassVar[str] = "message"
    text: str = ""


@dataclass(slots=True, kw_only=True)
class RoomDeleted(RoomEvent):
    """A room was removed by its owner."""

    kind: ClassVar[str] = "delete"


@dataclass(slots=True, kw_only=True)
class Joined(RoomEvent):
    """A user entered a room, which may hold `most` members then; 0 sets no limit."""

    kind: ClassVar[str] = "join"
    most: int = 0


@dataclass(slots=True, kw_only=True)
class Left(RoomEvent):
    """A user left a room; `quit` says that it is because the user is gone altogether."""

    kind: ClassVar[str] = "leave"
    quit: bool = False
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class Kicked(RoomEvent):
    """The owner (`nick`) put a member out."""

    kind: ClassVar[str] = "kick"
    victim: str = ""
    victim_nick: str = ""
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class Invited(RoomEvent):
    """The owner (`nick`) lets a user into the room. `guest` is the identity that may join."""

    kind: ClassVar[str] = "invite"
    guest: str = ""
    guest_key: str = ""
    guest_nick: str = ""


@dataclass(slots=True, kw_only=True)
class VisibilityChanged(RoomEvent):
    """The owner made the room public or private."""

    kind: ClassVar[str] = "visibility"
    private: bool = False


@dataclass(slots=True, kw_only=True)
class TopicChanged(RoomEvent):
    """The owner set the topic; an empty text clears it."""

    kind: ClassVar[str] = "topic"
    text: str = ""


@dataclass(slots=True, kw_only=True)
class DirectMessage(Event):
    """
    Something said to one user. The target is the conversation of the two (`entities.conversation`).
    """

    kind: ClassVar[str] = "direct"
    to: str = ""
    to_nick: str = ""
    text: str = ""


EVENTS: dict[str, type[Event]] = {
    event.kind: event
    for event in (
        ServiceStarted,
        LoggedIn,
        LoggedOut,
        Registered,
        RoomCreated,
        Message,
        RoomDeleted,
        Joined,
        Left,
        Kicked,
        Invited,
        VisibilityChanged,
        TopicChanged,
        DirectMessage,
    )
}
"""
Every kind of event by its stored name. A name, once released, keeps its meaning: journals hold it.
"""


SAID = (Message.kind, DirectMessage.kind)
"""The kinds that hold what somebody said; the others hold what somebody did."""


OWN_FIELDS: dict[type[Event], tuple[str, ...]] = {
    event: tuple(f.name for f in fields(event) if f.name not in {b.name for b in fields(Event)})
    for event in EVENTS.values()
}
"""What each kind carries beyond the common fields; a journal keeps these together."""


def own_values(event: Event) -> dict[str, Any]:
    """The fields of an event that only its kind has."""
    return {name: getattr(event, name) for name in OWN_FIELDS[type(event)]}
