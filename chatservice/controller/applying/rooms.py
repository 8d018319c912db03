"""
Rooms are made and removed, change hands, and are changed as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatservice.controller import modes
from chatservice.controller.entities import Room, Topic
from chatservice.controller.errors import RoomExists, TooMany
from chatservice.controller.events import (
    RoomCreated,
    RoomDeleted,
    TopicChanged,
    Transferred,
    VisibilityChanged,
)
from chatservice.controller.policy import full

from .subject import check_is_somebody, place

if TYPE_CHECKING:
    from chatservice.controller.state import State


def room_created(state: State, event: RoomCreated) -> None:
    looks_free = state.room_skeletons.get(event.skeleton, event.key) == event.key
    if event.key in state.rooms or not looks_free:
        raise RoomExists()
    if full(len(state.rooms), event.most):
        raise TooMany()
    room = Room(event.id, event.room, event.key, event.skeleton, event.owner)
    if event.private:
        room.flags |= modes.PRIVATE
    room.kept = event.kept
    room.ms = event.ms
    state.add_room(room)
    state.drop_if_abandoned(room)


def room_deleted(state: State, event: RoomDeleted) -> None:
    state.remove_room(place(state, event))


def visibility_changed(state: State, event: VisibilityChanged) -> None:
    room = place(state, event)
    room.flags = room.flags | modes.PRIVATE if event.private else room.flags - modes.PRIVATE
    state.dirty.add(("room", room.id, ""))


def transferred(state: State, event: Transferred) -> None:
    room = place(state, event)
    check_is_somebody(state, event.heir)
    state.give(room, event.heir, event.kept)


def topic_changed(state: State, event: TopicChanged) -> None:
    room = place(state, event)
    room.topic = Topic(event.text, event.nick, event.ms) if event.text else None
    state.dirty.add(("room", room.id, ""))
