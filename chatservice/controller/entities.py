"""
Whom and what there is: accounts, users, rooms. They hold what is true of each, for `state` to
change and for everybody else to read; no rule but what follows from one of them alone is here.
"""

from __future__ import annotations

from dataclasses import dataclass


class Account:
    """A nick that a password, or an outside checker (then `verifier` is empty), vouches for."""

    __slots__ = ("key", "nick", "skeleton", "verifier")

    def __init__(self, key: str, nick: str, skeleton: str, verifier: str) -> None:
        self.key = key
        self.nick = nick
        self.skeleton = skeleton
        self.verifier = verifier


class User:
    """
    Somebody logged in. A user is not a connection: sessions point here by `key`.

    @ivar login: the id of the `LoggedIn` event: which visit this is.
    @ivar identity: whom things belong to: an account's key, or for a guest key and visit, so that
        the next guest of that nick inherits no room, no invitation and no direct conversation.
    """

    __slots__ = ("account", "identity", "invitations", "key", "login", "nick", "rooms", "skeleton")

    def __init__(self, key: str, nick: str, skeleton: str, account: bool, login: str) -> None:
        self.key = key
        self.nick = nick
        self.skeleton = skeleton
        self.account = account
        self.login = login
        self.identity = key if account else f"{key}!{login}"
        self.rooms: dict[str, Room] = {}
        self.invitations: set[str] = set()


@dataclass(slots=True)
class Topic:
    """A room's topic, who set it, and when (milliseconds since 1970)."""

    text: str
    nick: str
    ms: int


class Room:
    """
    A room. Its `id` names its history; its `name` can be taken again once it is deleted.

    @ivar owner: the identity of its owner.
    @ivar kept: it was made by an account, and stays until it is deleted.
    @ivar members: who is inside, by key.
    @ivar invited: identities that may join although it is private.
    """

    __slots__ = (
        "id",
        "invited",
        "kept",
        "key",
        "members",
        "name",
        "owner",
        "private",
        "skeleton",
        "topic",
    )

    def __init__(self, id: str, name: str, key: str, skeleton: str, owner: str) -> None:
        self.id = id
        self.name = name
        self.key = key
        self.skeleton = skeleton
        self.owner = owner
        self.private = False
        self.kept = False
        self.topic: Topic | None = None
        self.members: dict[str, User] = {}
        self.invited: set[str] = set()


def may_enter(room: Room, user: User) -> bool:
    """A private room is joined by its owner and the invited."""
    return not room.private or room.owner == user.identity or user.identity in room.invited


def conversation(one: str, other: str) -> str:
    """The stream that keeps what two identities say to each other, whichever of them asks."""
    return "@" + ",".join(sorted((one, other)))
