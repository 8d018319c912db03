"""
Finding the room or the user that a request names, as far as whoever asks may know of it. Each
function returns what it found, or raises the error that says why not.
"""

from __future__ import annotations

from .entities import Room, User, may_enter
from .errors import ChatError, NoSuchRoom, NoSuchUser, NotInRoom, NotOwner, PrivateRoom
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


def joined_room(state: State, policy: Policy, user: User, room_name: str) -> Room:
    """
    A room that the user is in.

    @raise NotInRoom: the user is not.
    """
    room = find_room(state, policy, room_name)
    if user.key not in room.members:
        raise NotInRoom()
    return room


def may_see(room: Room, user: User) -> bool:
    """Public rooms, and private ones that one owns, is in, or is invited to."""
    return not room.private or user.key in room.members or may_enter(room, user)


def visible_room(state: State, policy: Policy, user: User, room_name: str) -> Room:
    """
    A room that one may see.

    @raise PrivateRoom: one may not.
    """
    room = find_room(state, policy, room_name)
    if not may_see(room, user):
        raise PrivateRoom()
    return room
