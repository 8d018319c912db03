"""
Requests about a room as a whole: making and removing it, its owner, its topic.
"""

from __future__ import annotations

from chatservice.controller import modes
from chatservice.controller.entities import User
from chatservice.controller.errors import NeedsAccount, NotRoomOperator, RoomExists, TooMany
from chatservice.controller.events import (
    RoomCreated,
    RoomDeleted,
    TopicChanged,
    Transferred,
    VisibilityChanged,
)
from chatservice.controller.lookup import find_room, find_user, owned_room, ruled_room
from chatservice.controller.permission import rank
from chatservice.controller.policy import Policy, check_text, full
from chatservice.controller.state import State

from .author import by, within


def create_room(
    state: State, policy: Policy, user: User, room_name: str, private: bool
) -> RoomCreated:
    """
    Makes a room and its owner, and does not join it.

    @raise RoomExists: there is one of that name, or of one that looks like it.
    @raise TooMany: the user owns as many as one may, or there are as many as there may be.
    """
    name = policy.names.room(room_name)
    if name.key in state.rooms:
        raise RoomExists()
    if state.room_skeletons.get(name.skeleton, name.key) != name.key:
        raise RoomExists("a room's name looks like this one")
    _check_may_own_one_more(state, policy, user)
    if full(len(state.rooms), policy.rooms):
        raise TooMany("there are as many rooms as there may be")
    return RoomCreated(
        **by(user),
        room=name.text,
        key=name.key,
        skeleton=name.skeleton,
        owner=user.identity,
        private=private,
        kept=bool(user.account),
        most=policy.rooms,
    )


def _check_may_own_one_more(state: State, policy: Policy, user: User) -> None:
    if full(len(state.owned.get(user.identity, ())), policy.rooms_owned_per_user):
        raise TooMany(f"one may own {policy.rooms_owned_per_user} rooms")


def delete_room(state: State, policy: Policy, user: User, room_name: str) -> RoomDeleted:
    """The owner removes a room."""
    return RoomDeleted(**within(owned_room(state, policy, user, room_name), user))


def transfer(state: State, policy: Policy, user: User, room_name: str, nick: str) -> Transferred:
    """
    The owner gives a room to somebody who is here.

    @raise NeedsAccount: a room that is kept needs an account to own it.
    @raise TooMany: the heir owns as many as one may.
    """
    room = owned_room(state, policy, user, room_name)
    heir = find_user(state, policy, nick)
    if room.kept and not heir.account:
        raise NeedsAccount("only somebody with an account can be given that room")
    if heir.identity != user.identity:
        _check_may_own_one_more(state, policy, heir)
    return Transferred(
        **within(room, user), heir=heir.identity, heir_nick=heir.nick, kept=bool(heir.account)
    )


def set_visibility(
    state: State, policy: Policy, user: User, room_name: str, private: bool
) -> VisibilityChanged:
    """Makes a room public or private; who is inside stays inside."""
    room = ruled_room(state, policy, user, room_name, modes.OPERATOR)
    return VisibilityChanged(**within(room, user), private=private)


def set_topic(state: State, policy: Policy, user: User, room_name: str, text: str) -> TopicChanged:
    """
    Sets the topic; an empty one clears it.

    @raise NotRoomOperator: it is locked, or one is not even inside.
    """
    room = find_room(state, policy, room_name)
    locked = modes.TOPIC_LOCKED in room.flags or user.key not in room.members
    if locked and rank(room, user) < modes.RANKS[modes.HALFOP]:
        raise NotRoomOperator()
    check_text(text, policy)
    return TopicChanged(**within(room, user), text=text)
