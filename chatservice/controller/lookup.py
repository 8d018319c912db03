"""
Finding the room or the user that a request names, as far as whoever asks may know of it. Each
function returns what it found, or raises the error that says why not.
"""

from __future__ import annotations

from . import modes
from .entities import Account, Room, User
from .errors import (
    ChatError,
    NoSuchRoom,
    NoSuchUser,
    NotInRoom,
    NotOperator,
    NotOwner,
    NotRoomOperator,
    PrivateRoom,
)
from .permission import may_see, rank
from .policy import Policy
from .state import State


def find_room(state: State, policy: Policy, room_name: str) -> Room:
    """
    The room of a name.

    @raise BadRoomName: it cannot be a room's name.
    @raise NoSuchRoom: there is none.
    """
    room = state.rooms.get(policy.names.room(room_name).key)
    if room is None:
        raise NoSuchRoom()
    return room


def find_user(state: State, policy: Policy, nick: str) -> User:
    """
    The logged-in user of a nick.

    @raise NoSuchUser: nobody of that name is here.
    """
    try:
        return state.users[policy.names.nick(nick).key]
    except (ChatError, KeyError):
        raise NoSuchUser() from None


def find_account(state: State, policy: Policy, name: str) -> Account:
    """
    The account of a name.

    @raise NoSuchUser: there is none.
    """
    try:
        return state.accounts[policy.names.nick(name).key]
    except (ChatError, KeyError):
        raise NoSuchUser("there is no account of that name") from None


def is_nick_of(policy: Policy, user: User, nick: str) -> bool:
    """Is that the nick of this user, in whatever case it is written?"""
    try:
        return policy.names.nick(nick).key == user.key
    except ChatError:
        return False


def owned_room(state: State, policy: Policy, user: User, room_name: str) -> Room:
    """
    A room that the user owns.

    @raise NotOwner: it is somebody else's.
    """
    room = find_room(state, policy, room_name)
    if room.owner != user.identity:
        raise NotOwner()
    return room


def ruled_room(
    state: State, policy: Policy, user: User, room_name: str, least: str = modes.HALFOP
) -> Room:
    """
    A room that the user has a role in, or owns.

    @param least: the lowest role that will do.
    @raise NotRoomOperator: there is no such role.
    """
    room = find_room(state, policy, room_name)
    if rank(room, user) < modes.RANKS[least]:
        raise NotRoomOperator()
    return room


def joined_room(state: State, policy: Policy, user: User, room_name: str) -> Room:
    """
    A room that the user is in.

    @raise NotInRoom: the user is not.
    """
    room = find_room(state, policy, room_name)
    if user.key not in room.members:
        raise NotInRoom()
    return room


def visible_room(state: State, policy: Policy, user: User, room_name: str) -> Room:
    """
    A room that one may see.

    @raise PrivateRoom: one may not.
    """
    room = find_room(state, policy, room_name)
    if not may_see(room, user):
        raise PrivateRoom()
    return room


def share_a_room(one: User, other: User) -> bool:
    """Are two users in one room?"""
    return not one.rooms.keys().isdisjoint(other.rooms.keys())


def may_find(user: User, other: User) -> bool:
    """Does a user come across another by looking around?"""
    return (
        modes.INVISIBLE not in other.flags
        or user is other
        or is_operator(user)
        or share_a_room(user, other)
    )


def shown_rooms(user: User, other: User) -> list[Room]:
    """The rooms of another that one may be told of."""
    if modes.INVISIBLE in other.flags and not (user is other or is_operator(user)):
        return [room for room in other.rooms.values() if user.key in room.members]
    return [room for room in other.rooms.values() if may_see(room, user) or is_operator(user)]


def may_inspect(user: User, other: User) -> bool:
    """May a user see where another really comes from?"""
    return user is other or is_operator(user)


def is_operator(user: User) -> bool:
    """Does a user run this server?"""
    return modes.SERVER_OPERATOR in user.flags


def check_operator(user: User) -> None:
    """
    @raise NotOperator: the user does not run this server.
    """
    if not is_operator(user):
        raise NotOperator()
