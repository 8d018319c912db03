"""
What a program is told: typed, immutable, and free of protobuf. Messages come from a room's own
stream, or that of direct messages (`room.Room`, `client.Client.directs`); everything else goes to
listeners (`client.Client.listen`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import NamedTuple


def _when(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, timezone.utc)


class Message(NamedTuple):
    """
    Something that somebody said. (A tuple, because it is made fifty thousand times a second.)

    @ivar id: its identity in the service, for ever.
    @ivar ms: when it was stored, milliseconds since 1970-01-01 UTC.
    @ivar nick: the author.
    @ivar text: what was said: no line ends.
    @ivar room: the room that it was said to; empty for a direct message.
    @ivar to: whom it was said to; empty for a room's message.
    @ivar account: the account of the author; empty for a guest.
    @ivar notice: it expects no answer: a program does not react to it.
    @ivar action: it is what the author does ("waves").
    @ivar nonce: what the author's program calls it; may be empty.
    """

    id: str
    ms: int
    nick: str
    text: str
    room: str = ""
    to: str = ""
    account: str = ""
    notice: bool = False
    action: bool = False
    nonce: str = ""

    @property
    def time(self) -> datetime:
        """When it was stored."""
        return _when(self.ms)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, `ms` milliseconds after 1970-01-01 UTC."""

    id: str
    ms: int

    @property
    def time(self) -> datetime:
        """When it happened."""
        return _when(self.ms)


@dataclass(frozen=True, slots=True)
class RoomEvent(Event):
    """Something that happened to a room that one is in."""

    room: str


@dataclass(frozen=True, slots=True)
class Joined(RoomEvent):
    """Somebody entered, perhaps oneself."""

    nick: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class Left(RoomEvent):
    """Somebody left; `quit` says that they are gone from the service."""

    nick: str
    quit: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Kicked(RoomEvent):
    """Somebody (`nick`), perhaps oneself, was put out by `by`."""

    nick: str
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RoomDeleted(RoomEvent):
    """The room is gone."""

    by: str


@dataclass(frozen=True, slots=True)
class VisibilityChanged(RoomEvent):
    """The room became private, or public."""

    private: bool
    by: str = ""


@dataclass(frozen=True, slots=True)
class OwnerChanged(RoomEvent):
    """The room is `nick`'s now."""

    nick: str
    by: str


@dataclass(frozen=True, slots=True)
class TopicChanged(RoomEvent):
    """The topic was set; an empty text clears it."""

    nick: str
    text: str


@dataclass(frozen=True, slots=True)
class Invited(RoomEvent):
    """One may join a room now (that one is not in)."""

    by: str


@dataclass(frozen=True, slots=True)
class NickChanged(Event):
    """Somebody, perhaps oneself, is called something else now."""

    nick: str
    new_nick: str


@dataclass(frozen=True, slots=True)
class Killed(Event):
    """
    One is put out of the service. With `reclaimed`, somebody logged in elsewhere with one's
    password: then the client does not connect again by itself.
    """

    by: str
    reclaimed: bool = False
    reason: str = ""


# What happens to the connection: these come from the client itself.


@dataclass(frozen=True, slots=True)
class Connected:
    """
    There is a connection, and (if one was before) one is logged in and in one's rooms again.

    @ivar server: the service's name; `version` that of its software.
    @ivar again: there was a connection before.
    """

    server: str
    version: str
    again: bool


@dataclass(frozen=True, slots=True)
class Disconnected:
    """
    The connection is lost, or could not be made.

    @ivar reason: in words, for people.
    @ivar retry_in: the seconds until the next attempt; None if there will be none.
    """

    reason: str
    retry_in: float | None


@dataclass(frozen=True, slots=True)
class RoomLost:
    """
    A room that one was in could not be entered again; its stream ends.

    @ivar code: as of `errors.Refused`.
    """

    room: str
    code: str
    words: str


Told = Event | Connected | Disconnected | RoomLost
"""What listeners hear of."""


# What requests are answered with.


class Stored(NamedTuple):
    """A message is stored: its id, and when (milliseconds since 1970-01-01 UTC)."""

    id: str
    ms: int


class Identity(NamedTuple):
    """Who one is; `account` is empty for a guest."""

    nick: str
    account: str


class RoomInfo(NamedTuple):
    """A room that one may see; `members` is how many are inside."""

    name: str
    private: bool
    members: int
    topic: str


class User(NamedTuple):
    """Somebody who is here; `away` says why they are away, or is empty."""

    nick: str
    account: str
    away: str


class Topic(NamedTuple):
    """A room's topic, who set it and when; all empty if there is none."""

    text: str
    nick: str
    ms: int


class Conversation(NamedTuple):
    """A room, or somebody (`nick`) one has written with, and when something was said there last."""

    room: str
    nick: str
    ms: int


class Page(NamedTuple):
    """
    A part of a history.

    @ivar messages: oldest first.
    @ivar first_id: what was said before this page ends before it; empty if there was nothing.
    @ivar last_id: what was said after this page begins after it; empty if there was nothing.
    """

    messages: list[Message]
    first_id: str
    last_id: str
