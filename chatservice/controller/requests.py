"""
What somebody may do. One function a request: it checks the request against today's state and
returns the event that it becomes, or raises the error that says why not. All permission lives here,
once, for every dialect; nothing here changes the state, stores or tells anything.
"""

from __future__ import annotations

from .entities import Room, User, conversation, may_enter
from .errors import (
    AlreadyInRoom,
    BadArguments,
    ChatError,
    NickInUse,
    NoSuchUser,
    NotInRoom,
    PrivateRoom,
    RoomExists,
    TooMany,
)
from .events import (
    DirectMessage,
    Event,
    Invited,
    Joined,
    Kicked,
    Left,
    LoggedIn,
    LoggedOut,
    Message,
    Registered,
    RoomCreated,
    RoomDeleted,
    TopicChanged,
    VisibilityChanged,
)
from .lookup import find_room, find_user, joined_room, owned_room
from .names import Name
from .policy import Policy, check_text, full
from .state import State

# Who is here.


def log_in(state: State, name: Name, account: bool) -> LoggedIn:
    """
    Takes a nick, as a guest or (`account`) with a password that was found right.

    @raise NickInUse: somebody has it, or one that looks like it; or it is an account's and this is
        a guest.
    """
    check_nick_is_free(state, name)
    if name.key in state.accounts and not account:
        raise NickInUse("this nick is registered: it needs its password")
    return LoggedIn(actor=name.key, nick=name.text, account=account, skeleton=name.skeleton)


def check_nick_is_free(state: State, name: Name) -> None:
    """
    @raise NickInUse: somebody is here by that nick, or by one that looks like it.
    """
    if name.key in state.users:
        raise NickInUse()
    if state.nick_skeletons.get(name.skeleton, name.key) != name.key:
        raise NickInUse("this nick looks like another one")


def log_out(user: User, reason: str) -> list[Event]:
    """Gives the nick up, and leaves every room before."""
    events: list[Event] = [
        Left(
            target=room.id,
            room=room.name,
            actor=user.key,
            nick=user.nick,
            quit=True,
            reason=reason,
        )
        for room in user.rooms.values()
    ]
    events.append(LoggedOut(actor=user.key, nick=user.nick, reason=reason))
    return events


def register(state: State, policy: Policy, user: User, verifier: str) -> Registered:
    """
    Makes the logged-in guest's nick an account.

    @raise NickInUse: it is one.
    @raise TooMany: there are as many as there may be.
    """
    check_may_register(state, policy, user)
    return Registered(actor=user.key, nick=user.nick, skeleton=user.skeleton, verifier=verifier)


def check_may_register(state: State, policy: Policy, user: User) -> None:
    """
    @raise NickInUse: that nick is an account.
    @raise TooMany: there are as many as there may be.
    """
    if user.key in state.accounts:
        raise NickInUse("this nick is registered already")
    _check_accounts(state, policy)


def _check_accounts(state: State, policy: Policy) -> None:
    if full(len(state.accounts), policy.accounts):
        raise TooMany("there are as many accounts as there may be")


def reserve(state: State, policy: Policy, name: Name) -> Registered:
    """
    Keeps a nick that an outside checker vouches for from guests.

    @raise TooMany: there are as many accounts as there may be.
    """
    _check_accounts(state, policy)
    return Registered(actor=name.key, nick=name.text, skeleton=name.skeleton)


# Rooms.


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
    if full(len(state.owned.get(user.identity, ())), policy.rooms_owned_per_user):
        raise TooMany(f"one may own {policy.rooms_owned_per_user} rooms")
    if full(len(state.rooms), policy.rooms):
        raise TooMany("there are as many rooms as there may be")
    return RoomCreated(
        actor=user.key,
        nick=user.nick,
        room=name.text,
        key=name.key,
        skeleton=name.skeleton,
        owner=user.identity,
        private=private,
        kept=user.account,
        most=policy.rooms,
    )


def delete_room(state: State, policy: Policy, user: User, room_name: str) -> RoomDeleted:
    """The owner removes a room."""
    room = owned_room(state, policy, user, room_name)
    return RoomDeleted(target=room.id, room=room.name, actor=user.key, nick=user.nick)


def join(state: State, policy: Policy, user: User, room_name: str) -> Joined:
    """
    Enters a room.

    @raise PrivateRoom: it is private, and the user neither owns it nor is invited.
    @raise TooMany: the user is in as many rooms, or the room holds as many users, as may be.
    """
    room = find_room(state, policy, room_name)
    if user.key in room.members:
        raise AlreadyInRoom()
    if not may_enter(room, user):
        raise PrivateRoom()
    return _enter(policy, room, user)


def bring_in(state: State, policy: Policy, invited: Invited) -> Joined:
    """
    Enters a room in somebody's place, who has just been invited.

    @raise NoSuchUser: they are not here.
    """
    user = state.users.get(invited.guest_key)
    if user is None:
        raise NoSuchUser()
    return _enter(policy, state.rooms_by_id[invited.target], user)


def _enter(policy: Policy, room: Room, user: User) -> Joined:
    if full(len(user.rooms), policy.rooms_per_user):
        raise TooMany(f"one may be in {policy.rooms_per_user} rooms")
    if full(len(room.members), policy.members_per_room):
        raise TooMany("the room is full")
    return Joined(
        target=room.id,
        room=room.name,
        actor=user.key,
        nick=user.nick,
        most=policy.members_per_room,
    )


def leave(state: State, policy: Policy, user: User, room_name: str, reason: str = "") -> Left:
    """Leaves a room that one is in."""
    room = joined_room(state, policy, user, room_name)
    return Left(target=room.id, room=room.name, actor=user.key, nick=user.nick, reason=reason)


def set_visibility(
    state: State, policy: Policy, user: User, room_name: str, private: bool
) -> VisibilityChanged:
    """The owner makes a room public or private; who is inside stays inside."""
    room = owned_room(state, policy, user, room_name)
    return VisibilityChanged(
        target=room.id, room=room.name, actor=user.key, nick=user.nick, private=private
    )


def invite(state: State, policy: Policy, user: User, room_name: str, nick: str) -> Invited:
    """
    The owner lets somebody in: a user who is here, or an account that is not.

    @raise NoSuchUser: there is neither.
    @raise TooMany: as many are invited as may be.
    """
    room = owned_room(state, policy, user, room_name)
    guest_identity, guest_key, guest_nick = _invitee(state, policy, nick)
    if guest_key in room.members:
        raise AlreadyInRoom("that user is in the room")
    if guest_identity not in room.invited and full(len(room.invited), policy.invitations_per_room):
        raise TooMany("as many are invited to this room as may be")
    return Invited(
        target=room.id,
        room=room.name,
        actor=user.key,
        nick=user.nick,
        guest=guest_identity,
        guest_key=guest_key,
        guest_nick=guest_nick,
    )


def _invitee(state: State, policy: Policy, nick: str) -> tuple[str, str, str]:
    """Identity, key and nick of a user who is here or of an account that is away."""
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
    The owner puts a member out, and takes the invitation back.

    @raise NotInRoom: nobody of that name is inside.
    """
    room = owned_room(state, policy, user, room_name)
    victim = find_user(state, policy, nick)
    if victim.key not in room.members:
        raise NotInRoom("that user is not in the room")
    return Kicked(
        target=room.id,
        room=room.name,
        actor=user.key,
        nick=user.nick,
        victim=victim.key,
        victim_nick=victim.nick,
        reason=reason,
    )


def set_topic(state: State, policy: Policy, user: User, room_name: str, text: str) -> TopicChanged:
    """The owner sets the topic; an empty one clears it."""
    room = owned_room(state, policy, user, room_name)
    check_text(text, policy)
    return TopicChanged(target=room.id, room=room.name, actor=user.key, nick=user.nick, text=text)


# Talk.


def say_to_room(state: State, policy: Policy, user: User, room_name: str, text: str) -> Message:
    """
    Says something to all members of a room that one is in.

    @raise BadArguments: there is no text, or no dialect could carry it.
    """
    room = joined_room(state, policy, user, room_name)
    if not text:
        raise BadArguments("there is nothing to say")
    check_text(text, policy)
    return Message(target=room.id, room=room.name, actor=user.key, nick=user.nick, text=text)


def say_to_user(state: State, policy: Policy, user: User, nick: str, text: str) -> DirectMessage:
    """
    Says something to one user who is here.

    @raise NoSuchUser: nobody of that name is.
    @raise BadArguments: there is no text, or no dialect could carry it.
    """
    other = find_user(state, policy, nick)
    if not text:
        raise BadArguments("there is nothing to say")
    check_text(text, policy)
    return DirectMessage(
        target=conversation(user.identity, other.identity),
        actor=user.key,
        nick=user.nick,
        to=other.key,
        to_nick=other.nick,
        text=text,
    )


def conversation_with(state: State, policy: Policy, user: User, nick: str) -> tuple[str, str]:
    """
    Nick, and stream of one's direct conversation, with somebody who is here or with an account that
    is not.

    @raise NoSuchUser: there is neither.
    """
    identity, _, shown = _invitee(state, policy, nick)
    return shown, conversation(user.identity, identity)
