"""
Modes of rooms are set and cleared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatservice.controller import modes
from chatservice.controller.entities import Listed, Room
from chatservice.controller.events import ModeChange, ModesChanged
from chatservice.controller.permission import guards

from .subject import place

if TYPE_CHECKING:
    from chatservice.controller.state import State


def modes_changed(state: State, event: ModesChanged) -> None:
    room = place(state, event)
    for change in (ModeChange(*values) for values in event.changes):
        if change.mode not in modes.RANKS or _may_have_role(state, room, change.subject):
            set_mode(room, change, Listed(event.nick, event.ms))
    room.guarded = guards(room)
    state.dirty.add(("room", room.id, ""))


def _may_have_role(state: State, room: Room, identity: str) -> bool:
    """An account may wherever it is; a guest only inside, as leaving is the end of it."""
    inside = (key in room.members for key in state.identities.get(identity, ()))
    return identity in state.accounts or any(inside)


def set_mode(room: Room, change: ModeChange, listed: Listed) -> None:
    """
    Sets or clears one mode of a room.

    @param listed: what is noted of a mask that comes on a list.
    """
    if change.mode in modes.FLAGS:
        flag = {change.mode}
        room.flags = room.flags | flag if change.on else room.flags - flag
    elif change.mode in modes.VALUES:
        _set_value(room, change)
    elif change.mode in modes.LISTS:
        _list(room, change, listed)
    else:
        _give_role(room, change)


def _set_value(room: Room, change: ModeChange) -> None:
    if change.on:
        room.values[change.mode] = change.value
    else:
        room.values.pop(change.mode, None)


def _list(room: Room, change: ModeChange, listed: Listed) -> None:
    masks = room.lists.setdefault(change.mode, {})
    if change.on:
        masks.setdefault(change.value, listed)
    else:
        masks.pop(change.value, None)
    if not masks:
        del room.lists[change.mode]


def _give_role(room: Room, change: ModeChange) -> None:
    held = room.roles.setdefault(change.subject, set())
    if change.on:
        held.add(change.mode)
    else:
        held.discard(change.mode)
    if not held:
        del room.roles[change.subject]
