"""
Requests about who is in a room: entering, leaving, being let in and put out.
"""

from __future__ import annotations

from chatservice.controller import modes
from chatservice.controller.entities import Room, User
from chatservice.controller.errors import (
    AlreadyInRoom,
    ChatError,
    NoSuchRoom,
    NoSuchUser,
    NotInRoom,
    NotRoomOperator,
    RoomFull,
    TooMany,
)
from chatservice.controller.events import Invited, Joined, Kicked, Left
from chatservice.controller.lookup import find_room, find_user, joined_room, ruled_room
from chatservice.controller.permission import check_may_enter, outranks, rank, roles
from chatservice.controller.policy import Policy, check_phrase, full
from chatservice.controller.state import State

from .author import present, within


def join(state: State, policy: Policy, user: User, room_name: str, key: str = "") -> Joined:
    """
    Enters a room.

    @param key: the word that the room may ask for.
    @raise AlreadyInRoom: the user is inside.
    @raise TooMany: the user is in as many rooms, or the room holds as many users, as may be.
    @raise PrivateRoom: see `permission.check_may_enter`; so C{BadKey}, C{Banned}, C{NeedsAccount}.
    """
    room = find_room(state, policy, room_name)
    if user.key in room.members:
        raise AlreadyInRoom()
    check_may_enter(room, user, key)
    return _enter(policy, room, user)


def bring_in(state: State, policy: Policy, invited: Invited) -> Joined:
    """
    Enters a room in somebody's place, who has just been invited.

    @raise NotRoomOperator: who invites them cannot open the room to them.
    @raise NoSuchUser: they are not here.
    """
    if not invited.guest:
        raise NotRoomOperator()
    user = state.users.get(invited.guest_key)
    if user is None:
        raise NoSuchUser()
    return _enter(policy, state.rooms_by_id[invited.target], user)


def come_back_to(state: State, policy: Policy, user: User, room_id: str) -> Joined:
    """
    Enters a room again, after C{come_back}.

    @raise NoSuchRoom: it is gone.
    @raise TooMany: it holds as many users as may be.
    @raise PrivateRoom: see `permission.check_may_enter`; so C{Banned}, C{NeedsAccount}.
    """
    room = state.rooms_by_id.get(room_id)
    if room is None:
        raise NoSuchRoom()
    check_may_enter(room, user, None)
    return _enter(policy, room, user)


def check_may_be_in_one_more(policy: Policy, user: User) -> None:
    """
    @raise TooMany: the user is in as many rooms as one may be in.
    """
    if full(len(user.rooms), policy.rooms_per_user):
        raise TooMany(f"one may be in {policy.rooms_per_user} rooms")


def _enter(policy: Policy, room: Room, user: User) -> Joined:
    check_may_be_in_one_more(policy, user)
    if full(len(room.members), policy.members_per_room):
        raise RoomFull()
    return Joined(
        **present(room, user),
        most=policy.members_per_room,
        realname=user.realname,
        away=user.away,
        roles=roles(room, user),
    )


def leave(state: State, policy: Policy, user: User, room_name: str, reason: str = "") -> Left:
    """Leaves a room that one is in."""
    room = joined_room(state, policy, user, room_name)
    return Left(**present(room, user), reason=check_phrase(reason, policy))


def invite(state: State, policy: Policy, user: User, room_name: str, nick: str) -> Invited:
    """
    Lets somebody in: a user who is here, or an account that is not. Any member may ask them into a
    room that is not private; whoever runs the room opens it to them, whatever its modes.

    @raise NoSuchUser: there is neither.
    @raise TooMany: as many are invited as may be.
    """
    room = find_room(state, policy, room_name)
    runs = rank(room, user) >= modes.RANKS[modes.HALFOP]
    if not runs and (room.private or user.key not in room.members):
        raise NotRoomOperator()
    identity, key, shown = whoever(state, policy, nick)
    if key in room.members:
        raise AlreadyInRoom("that user is in the room")
    is_new = runs and identity not in room.invited
    if is_new and full(len(room.invited), policy.invitations_per_room):
        raise TooMany("as many are invited to this room as may be")
    return Invited(
        **within(room, user), guest=identity if runs else "", guest_key=key, guest_nick=shown
    )


def whoever(state: State, policy: Policy, nick: str) -> tuple[str, str, str]:
    """
    Identity, key and nick of a user who is here or of an account that is away.

    @raise NoSuchUser: there is neither.
    """
    try:
        key = policy.names.nick(nick).key
    except ChatError:
        raise NoSuchUser() from None
    user, account = state.users.get(key), state.accounts.get(key)
    if user is not None:
        return user.identity, user.key, user.nick
    if account is not None:
        return account.key, account.key, account.nick
    raise NoSuchUser()


def kick(
    state: State, policy: Policy, user: User, room_name: str, nick: str, reason: str = ""
) -> Kicked:
    """
    Puts a member out, and takes the invitation back, and what roles there were.

    @raise NotInRoom: nobody of that name is inside.
    @raise NotRoomOperator: the member stands as high, or higher.
    """
    room = ruled_room(state, policy, user, room_name)
    victim = find_user(state, policy, nick)
    if victim.key not in room.members:
        raise NotInRoom("that user is not in the room")
    if not outranks(room, user, victim):
        raise NotRoomOperator("that user stands higher in the room than you")
    return Kicked(
        **within(room, user),
        victim=victim.key,
        victim_nick=victim.nick,
        victim_visit=victim.login,
        reason=check_phrase(reason, policy),
    )
