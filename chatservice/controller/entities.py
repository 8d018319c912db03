"""
Whom and what there is: accounts, users, rooms. They hold what is true of each, for `state` to
change and for everybody else to read; what follows from it for what somebody may do is in
`permission`.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import modes


class Account:
    """
    A name that a password, a certificate, or an outside checker (then `verifier` is empty) vouches
    for.

    @ivar certificates: SHA-256 fingerprints of client certificates.
    @ivar ms: when it was registered, milliseconds since 1970.
    """

    __slots__ = ("certificates", "key", "ms", "nick", "skeleton", "verifier")

    def __init__(self, key: str, nick: str, skeleton: str, verifier: str, ms: int = 0) -> None:
        self.key = key
        self.nick = nick
        self.skeleton = skeleton
        self.verifier = verifier
        self.ms = ms
        self.certificates: list[str] = []


class User:
    """
    Somebody logged in. A user is not a connection: sessions point here by `key`.

    @ivar login: the id of the `LoggedIn` event: which visit this is.
    @ivar account: the key of the account that vouches for them; empty for a guest.
    @ivar account_nick: that account's name, as shown.
    @ivar identity: whom things belong to: an account's key, or for a guest key and visit, so that
        the next guest of that nick inherits no room, no invitation and no direct conversation.
    @ivar host: how their address is shown to others.
    @ivar away: why they are away; empty if they are not.
    @ivar flags: see `modes.USER_FLAGS`.
    @ivar ms: when they logged in, milliseconds since 1970.
    @ivar spoke: when they last said something, or else logged in; the same.
    @ivar node: which server they are connected to; empty if there is only one.
    @ivar secure: can nobody on the way there read along?
    """

    __slots__ = (
        "account",
        "account_nick",
        "away",
        "flags",
        "host",
        "identity",
        "key",
        "login",
        "ms",
        "nick",
        "node",
        "realname",
        "rooms",
        "secure",
        "skeleton",
        "spoke",
    )

    def __init__(
        self,
        key: str,
        nick: str,
        skeleton: str,
        login: str,
        *,
        account: str = "",
        account_nick: str = "",
    ) -> None:
        self.key = key
        self.nick = nick
        self.skeleton = skeleton
        self.login = login
        self.account = account
        self.account_nick = account_nick
        self.identity = account or guest_identity(key, login)
        self.host = ""
        self.realname = ""
        self.away = ""
        self.flags: frozenset[str] = frozenset()
        self.ms = 0
        self.spoke = 0
        self.node = ""
        self.secure = False
        self.rooms: dict[str, Room] = {}


@dataclass(slots=True)
class Topic:
    """A room's topic, who set it, and when (milliseconds since 1970)."""

    text: str
    nick: str
    ms: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A mask's place on one of a room's lists: who put it there, and when (ms since 1970)."""

    nick: str
    ms: int


@dataclass(frozen=True, slots=True)
class Departure:
    """Somebody who was here: as they were known, and when they went (milliseconds since 1970)."""

    key: str
    nick: str
    host: str
    realname: str
    account_nick: str
    ms: int


class Room:
    """
    A room. Its `id` names its history; its `name` can be taken again once it is deleted.

    @ivar owner: the identity of its owner.
    @ivar kept: it was made by an account, and stays until it is deleted.
    @ivar ms: when it was made, milliseconds since 1970.
    @ivar members: who is inside, by key.
    @ivar invited: identities that may join although it is private, and since when (milliseconds
        since 1970).
    @ivar flags: see `modes.FLAGS`; `values` and `lists` hold the modes of those kinds.
    @ivar roles: the roles of identities. An account keeps its own while it is away.
    @ivar guarded: not every member may speak, or not only members: permission has to be looked at.
    """

    __slots__ = (
        "flags",
        "guarded",
        "id",
        "invited",
        "kept",
        "key",
        "lists",
        "members",
        "ms",
        "name",
        "owner",
        "roles",
        "skeleton",
        "topic",
        "values",
    )

    def __init__(self, id: str, name: str, key: str, skeleton: str, owner: str) -> None:
        self.id = id
        self.name = name
        self.key = key
        self.skeleton = skeleton
        self.owner = owner
        self.kept = False
        self.ms = 0
        self.topic: Topic | None = None
        self.members: dict[str, User] = {}
        self.invited: dict[str, int] = {}
        self.flags: frozenset[str] = modes.NEW_ROOM
        self.values: dict[str, str] = {}
        self.lists: dict[str, dict[str, Listed]] = {}
        self.roles: dict[str, set[str]] = {}
        self.guarded = False

    @property
    def private(self) -> bool:
        """Is it for its owner and the invited?"""
        return modes.INVITE_ONLY in self.flags


def guest_identity(key: str, login: str) -> str:
    """The identity of a guest: a nick's key, and the id of the `LoggedIn` event of this visit."""
    return f"{key}!{login}"


def conversation(one: str, other: str) -> str:
    """The stream that keeps what two identities say to each other, whichever of them asks."""
    return "@" + ",".join(sorted((one, other)))
