"""
Requests to change modes: a room's flags, values, lists and roles, and a user's own flags. What
would change nothing becomes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

from chatservice.controller import masks, modes
from chatservice.controller.applying.modes import set_mode
from chatservice.controller.entities import Listed, Room, User
from chatservice.controller.errors import (
    BadArguments,
    ChatError,
    NotInRoom,
    NotOperator,
    NotRoomOperator,
    TooMany,
)
from chatservice.controller.events import ModeChange, ModesChanged, UserFlagsChanged
from chatservice.controller.lookup import find_room
from chatservice.controller.permission import rank, rank_of
from chatservice.controller.policy import Policy, full
from chatservice.controller.state import State

from .author import about, within
from .membership import whoever

_NEEDED = {
    modes.OWNER: modes.OWNER,
    modes.ADMIN: modes.OWNER,
    modes.OPERATOR: modes.OPERATOR,
    modes.HALFOP: modes.OPERATOR,
    modes.VOICE: modes.HALFOP,
}
"""Which role it takes to give, or to take, each; the other modes take an operator's."""

_KEY_BYTES = 32
_HIGHEST_LIMIT = 1_000_000

Wanted = tuple[bool, str, str]
"""Whether to set it, which mode, and its value: for a role a nick, for a list a mask."""


def change_modes(
    state: State, policy: Policy, user: User, room_name: str, wanted: Sequence[Wanted]
) -> tuple[ModesChanged | None, list[tuple[int, ChatError]]]:
    """
    Changes a room's modes one after another, each with what the ones before have done.

    @return: what changes, if anything does; and by their place those that were refused, with
        C{NotRoomOperator} if the user's own role is too low, C{NoSuchUser} if nobody of that nick
        is here, C{NotInRoom} if they are not inside, C{BadArguments} if the value cannot be one, or
        C{TooMany} if the list is full.
    @raise NoSuchRoom: there is no such room.
    """
    room = find_room(state, policy, room_name)
    draft, listed = _draft(room), Listed(user.nick, 0)
    changes: list[ModeChange] = []
    refused: list[tuple[int, ChatError]] = []
    for place, (on, mode, value) in enumerate(wanted):
        try:
            change = _change_mode(state, policy, user, draft, on, mode, value)
        except ChatError as error:
            refused.append((place, error))
            continue
        if change is not None:
            set_mode(draft, change, listed)
            changes.append(change)
    event = ModesChanged(**within(room, user), changes=changes) if changes else None
    return event, refused


def _draft(room: Room) -> Room:
    """A room whose modes can be changed without changing the room's."""
    draft = copy(room)
    draft.values = dict(room.values)
    draft.lists = {mode: dict(masks) for mode, masks in room.lists.items()}
    draft.roles = {identity: set(held) for identity, held in room.roles.items()}
    return draft


def _change_mode(
    state: State, policy: Policy, user: User, room: Room, on: bool, mode: str, value: str
) -> ModeChange | None:
    """One change, with its value as it will be kept; None if all is so already."""
    if mode in modes.RANKS:
        return _change_role(state, policy, user, room, on, mode, value)
    if rank(room, user) < modes.RANKS[modes.HALFOP if mode == modes.BAN else modes.OPERATOR]:
        raise NotRoomOperator()
    if mode in modes.FLAGS:
        return ModeChange(on, mode) if on != (mode in room.flags) else None
    if mode in modes.LISTS:
        return _change_list(policy, room, on, mode, value)
    return _change_value(state, policy, user, room, on, mode, value)


def _change_role(
    state: State, policy: Policy, user: User, room: Room, on: bool, role: str, nick: str
) -> ModeChange | None:
    identity, key, shown = whoever(state, policy, nick)
    held = room.roles.get(identity, ())
    # Who is not inside can only lose a role: an account that is away has its own still.
    if key not in room.members and (on or role not in held):
        raise NotInRoom("that user is not in the room")
    own = rank(room, user)
    gives_up = not on and identity == user.identity
    if not gives_up and (own < modes.RANKS[_NEEDED[role]] or own < rank_of(room, identity)):
        raise NotRoomOperator()
    if on == (role in held) or (role == modes.OWNER and identity == room.owner):
        # Whose the room is, is changed by giving it away alone.
        return None
    if on and not held and full(len(room.roles), policy.roles_per_room):
        raise TooMany("as many have a role in this room as may")
    return ModeChange(on, role, shown, identity)


def _change_list(policy: Policy, room: Room, on: bool, mode: str, value: str) -> ModeChange | None:
    mask = masks.canonical(value)
    if on == (mask in room.lists.get(mode, ())):
        return None
    if on and full(sum(map(len, room.lists.values())), policy.masks_per_room):
        raise TooMany("the room's lists are full")
    return ModeChange(on, mode, mask)


def _change_value(
    state: State, policy: Policy, user: User, room: Room, on: bool, mode: str, value: str
) -> ModeChange | None:
    kept = room.values.get(mode)
    if not on:
        return ModeChange(False, mode, kept) if kept is not None else None
    if mode == modes.KEY:
        value = _key(value)
    elif mode == modes.LIMIT:
        value = _limit(value)
    else:
        value = _forward(state, policy, user, room, value)
    return ModeChange(True, mode, value) if value != kept else None


def _key(value: str) -> str:
    if not value or len(value.encode()) > _KEY_BYTES or not value.isprintable():
        raise BadArguments(f"a key has 1 to {_KEY_BYTES} bytes")
    if not {" ", ",", ":"}.isdisjoint(value):
        raise BadArguments("a key cannot hold a space, a comma or a colon")
    return value


def _limit(value: str) -> str:
    if not (value.isascii() and value.isdigit()) or not 0 < int(value[:9]) <= _HIGHEST_LIMIT:
        raise BadArguments(f"a limit is a number from 1 to {_HIGHEST_LIMIT}")
    return str(int(value[:9]))


def _forward(state: State, policy: Policy, user: User, room: Room, value: str) -> str:
    other = find_room(state, policy, value)
    if other.id == room.id:
        raise BadArguments("a room cannot forward to itself")
    if rank(other, user) < modes.RANKS[modes.OPERATOR]:
        raise NotRoomOperator("you do not run the room that is forwarded to")
    return other.name


def change_user_flag(user: User, changes: Sequence[tuple[bool, str]]) -> UserFlagsChanged | None:
    """
    Changes a user's own flags; None if all is so already.

    @raise NotOperator: one does not become a server operator so.
    """
    kept = list(dict.fromkeys((on, flag) for on, flag in changes if on != (flag in user.flags)))
    if (True, modes.SERVER_OPERATOR) in kept:
        raise NotOperator()
    return UserFlagsChanged(**about(user), changes=kept) if kept else None
