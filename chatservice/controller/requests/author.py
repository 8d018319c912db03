"""
Who an event is by, and where: the fields that all events of one user, or in one room, share.
"""

from __future__ import annotations

from typing import TypedDict

from chatservice.controller.entities import Room, User


class Author(TypedDict):
    """The fields of an event that say whose it is."""

    actor: str
    nick: str
    account: str
    host: str


class Place(Author):
    """The fields of an event in a room."""

    target: str
    room: str


def by(user: User) -> Author:
    """Whose it is."""
    return {
        "actor": user.key,
        "nick": user.nick,
        "account": user.account_nick,
        "host": user.host,
    }


def within(room: Room, user: User) -> Place:
    """Whose it is, and in which room."""
    return {**by(user), "target": room.id, "room": room.name}
