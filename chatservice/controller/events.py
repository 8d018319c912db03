"""
The facts of the chat: who did what, where. A fact is decided by a request, stored by the journal,
and only then applied to the state and told to clients. No rule and no rendering lives here.

Every event has a *target*, the identity of the stream that it belongs to (a room's, a direct
conversation's, or none), and a *nick*, the name of its author as others see it. Names are kept as
they were on the day; the keys beside them (case-folded, see `names`) are what the state is looked
up with, so that replaying a journal never depends on today's Unicode tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, NamedTuple


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
    @ivar account: the shown name of the account that the user was logged in to; empty for a guest.
    @ivar host: how the user's address is shown to others (a cloak, never the address itself), or
        the empty string.
    """

    kind: ClassVar[str]

    id: str = ""
    ms: int = 0
    target: str = ""
    actor: str = ""
    nick: str = ""
    account: str = ""
    host: str = ""


@dataclass(slots=True, kw_only=True)
class ServiceStarted(Event):
    """The process began: whoever was logged in before it is not any more."""

    kind: ClassVar[str] = "started"


@dataclass(slots=True, kw_only=True)
class LoggedIn(Event):
    """
    A nick was taken. With an `account_key`, a password, a certificate or an outside checker vouched
    for that account. With an `account_skeleton` the account may be new here, and is then made.

    @ivar node: which server the user is connected to, if there are several.
    @ivar secure: can nobody on the way to that server read along?
    @ivar resumes: which visit goes on (its `LoggedIn`'s id) that had ended only because of the
        user's server (see `LoggedOut`), as whom it was (`identity`), and with what was said of
        oneself in it (`away`, `flags`); all of these are empty if the user is new.
    """

    kind: ClassVar[str] = "login"
    account_key: str = ""
    account_skeleton: str = ""
    skeleton: str = ""
    realname: str = ""
    node: str = ""
    secure: bool = False
    resumes: str = ""
    identity: str = ""
    away: str = ""
    flags: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class PersonalEvent(Event):
    """
    A fact about one user, the actor.

    @ivar visit: which visit of somebody of that key it is about, by the id of its `LoggedIn`: of
        several servers, one may not have heard yet that somebody else has the key now. Empty in
        older journals.
    """

    visit: str = ""


@dataclass(slots=True, kw_only=True)
class LoggedOut(PersonalEvent):
    """
    A nick was given up, or its connection is gone; it follows a `Left` for each room. `lost` says
    that the others have lost touch with the user's server, which may come back.
    """

    kind: ClassVar[str] = "logout"
    reason: str = ""
    lost: bool = False


@dataclass(slots=True, kw_only=True)
class NickChanged(PersonalEvent):
    """A user is called something else now; `nick` and `actor` are the name and key until now."""

    kind: ClassVar[str] = "nick"
    new_nick: str = ""
    new_key: str = ""
    new_skeleton: str = ""


@dataclass(slots=True, kw_only=True)
class AwayChanged(PersonalEvent):
    """A user is away, and says why; an empty text says that they are back."""

    kind: ClassVar[str] = "away"
    text: str = ""


@dataclass(slots=True, kw_only=True)
class RealnameChanged(PersonalEvent):
    """A user goes by another real name."""

    kind: ClassVar[str] = "realname"
    realname: str = ""


@dataclass(slots=True, kw_only=True)
class HostChanged(PersonalEvent):
    """A server operator has a user's address shown in another way; `actor` is that user."""

    kind: ClassVar[str] = "host"
    new_host: str = ""
    by: str = ""


@dataclass(slots=True, kw_only=True)
class UserFlagsChanged(PersonalEvent):
    """A user set or cleared flags of theirs (`modes.USER_FLAGS`), in this order."""

    kind: ClassVar[str] = "flags"
    changes: list[tuple[bool, str]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Registered(PersonalEvent):
    """
    A nick became an account, whose key is `account_key`. `verifier` is what its password is checked
    with; empty if an outside checker vouches for it. A guest of that nick is logged in to it.
    """

    kind: ClassVar[str] = "register"
    account_key: str = ""
    skeleton: str = ""
    verifier: str = ""


@dataclass(slots=True, kw_only=True)
class AccountChanged(PersonalEvent):
    """A user is logged in to another account from now on; with an empty key, to none."""

    kind: ClassVar[str] = "account"
    account_key: str = ""
    account_nick: str = ""


@dataclass(slots=True, kw_only=True)
class PasswordChanged(Event):
    """An account has another password."""

    kind: ClassVar[str] = "password"
    account_key: str = ""
    verifier: str = ""


@dataclass(slots=True, kw_only=True)
class CertificateChanged(Event):
    """A client certificate vouches for an account from now on, or (not `added`) no longer."""

    kind: ClassVar[str] = "certificate"
    account_key: str = ""
    fingerprint: str = ""
    added: bool = True


@dataclass(slots=True, kw_only=True)
class Killed(Event):
    """
    A user's connections are to be closed: by a server operator, or (`reclaimed`) by whoever owns
    the nick. The `Left` and `LoggedOut` of the victim follow it. `victim_visit` is as a
    `PersonalEvent` has it.
    """

    kind: ClassVar[str] = "kill"
    victim: str = ""
    victim_nick: str = ""
    victim_visit: str = ""
    reclaimed: bool = False
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class Wallops(Event):
    """A server operator says something to everybody who wants to hear it."""

    kind: ClassVar[str] = "wallops"
    text: str = ""


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
    """
    Something said to a room.

    @ivar notice: it expects no answer, least of all by a program.
    @ivar tags: what the author's client says about it, by name (`+` included), or None; and the
        service, by names without one: `bot` (`modes.BOT`), that the author is a program, and
        `nonce`, what the author's program calls the message.
    """

    kind: ClassVar[str] = "message"
    text: str = ""
    notice: bool = False
    tags: dict[str, str] | None = None


@dataclass(slots=True, kw_only=True)
class TagMessage(RoomEvent):
    """What somebody's client tells those in a room, without words (somebody is typing)."""

    kind: ClassVar[str] = "tagmsg"
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class RankedEvent(RoomEvent):
    """
    A fact for those in a room who have a role: `least` or a higher one. `to` are the keys of those
    who had one when it was said.
    """

    least: str = ""
    to: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class RankedMessage(RankedEvent):
    """Something said to those with a role; `notice` and `tags` as a `Message` has them."""

    kind: ClassVar[str] = "ranked"
    text: str = ""
    notice: bool = False
    tags: dict[str, str] | None = None


@dataclass(slots=True, kw_only=True)
class RankedTag(RankedEvent):
    """What somebody's client tells those with a role, without words."""

    kind: ClassVar[str] = "rankedtag"
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class RoomDeleted(RoomEvent):
    """A room was removed by its owner."""

    kind: ClassVar[str] = "delete"


@dataclass(slots=True, kw_only=True)
class Joined(RoomEvent):
    """
    A user entered a room, which may hold `most` members then; 0 sets no limit. `realname` is the
    user's; `away` what they say of being so; `visit` as a `PersonalEvent` has it.
    """

    kind: ClassVar[str] = "join"
    visit: str = ""
    most: int = 0
    realname: str = ""
    away: str = ""
    roles: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Left(RoomEvent):
    """
    A user left a room; `quit` says that it is because the user is gone altogether, and `lost` that
    it is because of the user's server (see `LoggedOut`). `visit` is as a `PersonalEvent` has it.
    """

    kind: ClassVar[str] = "leave"
    visit: str = ""
    quit: bool = False
    reason: str = ""
    lost: bool = False


@dataclass(slots=True, kw_only=True)
class Kicked(RoomEvent):
    """
    The owner (`nick`), or somebody with a role, put a member out. `victim_visit` is as a
    `PersonalEvent` has it.
    """

    kind: ClassVar[str] = "kick"
    victim: str = ""
    victim_nick: str = ""
    victim_visit: str = ""
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class Invited(RoomEvent):
    """
    Somebody (`nick`) asks a user into the room. `guest` is the identity that may join from now on,
    whatever the room's modes; empty if who asks cannot give that.
    """

    kind: ClassVar[str] = "invite"
    guest: str = ""
    guest_key: str = ""
    guest_nick: str = ""


@dataclass(slots=True, kw_only=True)
class VisibilityChanged(RoomEvent):
    """The owner made the room public or private."""

    kind: ClassVar[str] = "visibility"
    private: bool = False


class ModeChange(NamedTuple):
    """
    One change of a room's modes.

    @ivar on: set or cleared.
    @ivar mode: which (`modes`): a flag, a value, a list or a role.
    @ivar value: of a value its new text, of a list the mask, of a role the nick it was given to.
    @ivar subject: of a role, the identity that it was given to.
    """

    on: bool
    mode: str
    value: str = ""
    subject: str = ""


@dataclass(slots=True, kw_only=True)
class ModesChanged(RoomEvent):
    """Modes of a room were set or cleared, in this order. A journal gives them back as lists."""

    kind: ClassVar[str] = "modes"
    changes: list[ModeChange] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Transferred(RoomEvent):
    """The owner gave the room to somebody else, `heir`, who has that identity and key."""

    kind: ClassVar[str] = "transfer"
    heir: str = ""
    heir_nick: str = ""
    kept: bool = False


@dataclass(slots=True, kw_only=True)
class TopicChanged(RoomEvent):
    """The topic was set; an empty text clears it."""

    kind: ClassVar[str] = "topic"
    text: str = ""


@dataclass(slots=True, kw_only=True)
class DirectEvent(Event):
    """
    A fact between two users. The target is the conversation of the two (`entities.conversation`).
    `to_visit` is as a `PersonalEvent` has it: whoever has the key next does not hear it.
    """

    to: str = ""
    to_nick: str = ""
    to_visit: str = ""


@dataclass(slots=True, kw_only=True)
class DirectMessage(DirectEvent):
    """Something said to one user; `notice` and `tags` as a `Message` has them."""

    kind: ClassVar[str] = "direct"
    text: str = ""
    notice: bool = False
    tags: dict[str, str] | None = None


@dataclass(slots=True, kw_only=True)
class DirectTag(DirectEvent):
    """What somebody's client tells another user's, without words."""

    kind: ClassVar[str] = "directtag"
    tags: dict[str, str] = field(default_factory=dict)


EVENTS: dict[str, type[Event]] = {
    event.kind: event
    for event in (
        ServiceStarted,
        LoggedIn,
        LoggedOut,
        NickChanged,
        AwayChanged,
        RealnameChanged,
        HostChanged,
        UserFlagsChanged,
        Registered,
        AccountChanged,
        PasswordChanged,
        CertificateChanged,
        Killed,
        Wallops,
        RoomCreated,
        Message,
        TagMessage,
        RankedMessage,
        RankedTag,
        RoomDeleted,
        Joined,
        Left,
        Kicked,
        Invited,
        VisibilityChanged,
        ModesChanged,
        Transferred,
        TopicChanged,
        DirectMessage,
        DirectTag,
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
