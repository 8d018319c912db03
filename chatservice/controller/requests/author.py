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


class Visitor(Author):
    """The fields of an event that is about its author."""

    visit: str


class Place(Author):
    """The fields of an event in a room."""

    target: str
    room: str


class Presence(Place):
    """The fields of an event about who is in a room."""

    visit: str


def by(user: User) -> Author:
    """Whose it is."""
    return {
        "actor": user.key,
        "nick": user.nick,
        "account": user.account_nick,
        "host": user.host,
    }


def about(user: User) -> Visitor:
    """Whom it is about."""
    return {**by(user), "visit": user.login}


def within(room: Room, user: User) -> Place:
    """Whose it is, and in which room."""
    return {**by(user), "target": room.id, "room": room.name}


def present(room: Room, user: User) -> Presence:
    """Who is, or is not, in which room."""
    return {**within(room, user), "visit": user.login}
