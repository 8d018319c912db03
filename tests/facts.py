"""Events made short, for tests that care for a few of their fields only. What becomes of an event
is not known here.
"""

from __future__ import annotations

from chatservice.controller.entities import User, conversation
from chatservice.controller.events import (
    DirectMessage,
    Invited,
    Joined,
    Kicked,
    Left,
    LoggedIn,
    LoggedOut,
    Message,
    Registered,
    RoomCreated,
    RoomDeleted,
    TopicChanged,
    VisibilityChanged,
)


def login(key: str, *, account: bool = False, skeleton: str = "") -> LoggedIn:
    """Somebody logs in: as a guest, or to the account of that nick."""
    return LoggedIn(
        actor=key,
        nick=key.title(),
        account=key.title() if account else "",
        account_key=key if account else "",
        skeleton=skeleton or key,
    )


def logout(key: str) -> LoggedOut:
    """Somebody logs out."""
    return LoggedOut(actor=key, nick=key.title())


def register(key: str, verifier: str = "argon") -> Registered:
    """Somebody becomes an account."""
    return Registered(
        actor=key,
        nick=key.title(),
        account=key.title(),
        account_key=key,
        skeleton=key,
        verifier=verifier,
    )


def room(owner: User, name: str, *, private: bool = False, skeleton: str = "") -> RoomCreated:
    """Somebody makes a room."""
    return RoomCreated(
        actor=owner.key,
        nick=owner.nick,
        room=name.title(),
        key=name,
        skeleton=skeleton or name,
        owner=owner.identity,
        private=private,
        kept=bool(owner.account),
    )


def delete(room_id: str, key: str) -> RoomDeleted:
    """The owner removes a room."""
    return RoomDeleted(target=room_id, room="Room", actor=key, nick=key.title())


def join(room_id: str, key: str) -> Joined:
    """Somebody enters a room."""
    return Joined(target=room_id, room="Room", actor=key, nick=key.title())


def leave(room_id: str, key: str) -> Left:
    """Somebody leaves a room."""
    return Left(target=room_id, room="Room", actor=key, nick=key.title())


def kick(room_id: str, key: str, victim: str) -> Kicked:
    """Somebody puts another out."""
    return Kicked(
        target=room_id,
        room="Room",
        actor=key,
        nick=key.title(),
        victim=victim,
        victim_nick=victim.title(),
    )


def invite(room_id: str, key: str, guest: User) -> Invited:
    """Somebody lets another in."""
    return Invited(
        target=room_id,
        room="Room",
        actor=key,
        nick=key.title(),
        guest=guest.identity,
        guest_key=guest.key,
        guest_nick=guest.nick,
    )


def visibility(room_id: str, key: str, private: bool) -> VisibilityChanged:
    """Somebody makes a room private, or public."""
    return VisibilityChanged(
        target=room_id, room="Room", actor=key, nick=key.title(), private=private
    )


def topic(room_id: str, key: str, text: str) -> TopicChanged:
    """Somebody sets a topic."""
    return TopicChanged(target=room_id, room="Room", actor=key, nick=key.title(), text=text)


def say(room_id: str, key: str, text: str) -> Message:
    """Somebody says something to a room."""
    return Message(target=room_id, room="Room", actor=key, nick=key.title(), text=text)


def tell(one: str, other: str, text: str) -> DirectMessage:
    """Somebody says something to another; both are named by identity."""
    to = other.partition("!")[0]
    return DirectMessage(
        target=conversation(one, other),
        actor=one.partition("!")[0],
        nick=one.title(),
        to=to,
        to_nick=to.title(),
        text=text,
    )
