"""
Users enter rooms, leave them, are let in and put out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatservice.controller.errors import AlreadyInRoom, NotInRoom, RoomFull
from chatservice.controller.events import Invited, Joined, Kicked, Left
from chatservice.controller.permission import check_may_enter
from chatservice.controller.policy import full

from .subject import check_is_somebody, check_visit, place, visitor

if TYPE_CHECKING:
    from chatservice.controller.state import State


def joined(state: State, event: Joined) -> None:
    room, user = place(state, event), visitor(state, event)
    if user.key in room.members:
        raise AlreadyInRoom()
    check_may_enter(room, user, None)
    if full(len(room.members), event.most):
        raise RoomFull()
    state.enter(room, user)


def left(state: State, event: Left) -> None:
    room, user = place(state, event), visitor(state, event)
    if user.key not in room.members:
        raise NotInRoom()
    state.remove_member(room, user)


def kicked(state: State, event: Kicked) -> None:
    room = place(state, event)
    victim = room.members.get(event.victim)
    if victim is None:
        raise NotInRoom()
    check_visit(victim, event.victim_visit, NotInRoom)
    state.uninvite(room, victim.identity)
    state.take_roles(room, victim.identity)
    state.remove_member(room, victim)


def invited(state: State, event: Invited) -> None:
    room = place(state, event)
    if event.guest:
        check_is_somebody(state, event.guest)
        state.invite(room, event.guest, event.ms)
