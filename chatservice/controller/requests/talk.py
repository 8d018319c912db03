"""
Requests to say something: to a room, to those in it who have a role, to one user.
"""

from __future__ import annotations

from chatservice.controller import modes
from chatservice.controller.entities import Room, User, conversation
from chatservice.controller.errors import BadArguments, NeedsAccount, NotInRoom
from chatservice.controller.events import (
    DirectMessage,
    DirectTag,
    Message,
    RankedMessage,
    RankedTag,
    TagMessage,
)
from chatservice.controller.lookup import find_room, find_user
from chatservice.controller.permission import check_may_speak, rank
from chatservice.controller.policy import Policy, check_text
from chatservice.controller.state import State

from .author import by, within
from .membership import whoever

Tags = dict[str, str]


def say_to_room(
    state: State,
    policy: Policy,
    user: User,
    room_name: str,
    text: str,
    notice: bool = False,
    tags: Tags | None = None,
) -> Message:
    """
    Says something to all members of a room.

    @raise BadArguments: there is no text, or no dialect could carry it.
    @raise NotInRoom: see `permission.check_may_speak`; so C{Muted}, C{NeedsAccount}.
    """
    room = _room_to_speak_in(state, policy, user, room_name, text)
    _check_said(policy, text)
    # The hot path: written out, rather than by `within`.
    return Message(
        target=room.id,
        room=room.name,
        actor=user.key,
        nick=user.nick,
        account=user.account_nick,
        host=user.host,
        text=text,
        notice=notice,
        tags=_marked(user, tags),
    )


def tag_room(state: State, policy: Policy, user: User, room_name: str, tags: Tags) -> TagMessage:
    """Tells the clients in a room something, without words. Raises as C{say_to_room}."""
    room = _room_to_speak_in(state, policy, user, room_name, "")
    return TagMessage(**within(room, user), tags=_marked(user, tags) or {})


def say_to_ranks(
    state: State,
    policy: Policy,
    user: User,
    room_name: str,
    least: str,
    text: str,
    notice: bool = False,
    tags: Tags | None = None,
) -> RankedMessage:
    """
    Says something to those in a room who have a role of some height.

    @param least: the lowest role that hears it.
    """
    room = _room_to_speak_in(state, policy, user, room_name, text)
    to = _ranked(room, user, least)
    _check_said(policy, text)
    return RankedMessage(
        **within(room, user),
        least=least,
        to=to,
        text=text,
        notice=notice,
        tags=_marked(user, tags),
    )


def tag_ranks(
    state: State, policy: Policy, user: User, room_name: str, least: str, tags: Tags
) -> RankedTag:
    """
    Tells the clients of those in a room whose role is C{least} or higher something, without words.
    Raises as C{say_to_ranks}.
    """
    room = _room_to_speak_in(state, policy, user, room_name, "")
    to = _ranked(room, user, least)
    return RankedTag(**within(room, user), least=least, to=to, tags=_marked(user, tags) or {})


def _ranked(room: Room, user: User, least: str) -> list[str]:
    """The keys of those in a room who have a role of some height, for one of its members."""
    if user.key not in room.members:
        raise NotInRoom()
    height = modes.RANKS[least]
    return [key for key, member in room.members.items() if rank(room, member) >= height]


def _marked(user: User, tags: Tags | None) -> Tags | None:
    """What a client says about a message, and whether its user is a program."""
    return {modes.BOT: "", **(tags or {})} if modes.BOT in user.flags else tags


def _room_to_speak_in(state: State, policy: Policy, user: User, room_name: str, text: str) -> Room:
    room = find_room(state, policy, room_name)
    if room.guarded or user.key not in room.members:
        check_may_speak(room, user, text)
    return room


def _check_said(policy: Policy, text: str) -> None:
    if not text:
        raise BadArguments("there is nothing to say")
    check_text(text, policy)


def say_to_user(
    state: State,
    policy: Policy,
    user: User,
    nick: str,
    text: str,
    notice: bool = False,
    tags: Tags | None = None,
) -> DirectMessage:
    """
    Says something to one user who is here.

    @raise NoSuchUser: nobody of that name is.
    @raise NeedsAccount: that user only hears those with an account.
    @raise BadArguments: there is no text, or no dialect could carry it.
    """
    other = _user_to_speak_to(state, policy, user, nick)
    _check_said(policy, text)
    return DirectMessage(
        **by(user),
        target=conversation(user.identity, other.identity),
        to=other.key,
        to_nick=other.nick,
        to_visit=other.login,
        text=text,
        notice=notice,
        tags=_marked(user, tags),
    )


def tag_user(state: State, policy: Policy, user: User, nick: str, tags: Tags) -> DirectTag:
    """Tells one user's clients something, without words. Raises as C{say_to_user}."""
    other = _user_to_speak_to(state, policy, user, nick)
    return DirectTag(
        **by(user),
        target=conversation(user.identity, other.identity),
        to=other.key,
        to_nick=other.nick,
        to_visit=other.login,
        tags=_marked(user, tags) or {},
    )


def _user_to_speak_to(state: State, policy: Policy, user: User, nick: str) -> User:
    other = find_user(state, policy, nick)
    if modes.ACCOUNTS_TELL in other.flags and not user.account and user is not other:
        raise NeedsAccount("that user only hears those with an account")
    return other


def conversation_with(state: State, policy: Policy, user: User, nick: str) -> tuple[str, str]:
    """
    Nick, and stream of one's direct conversation, with somebody who is here or with an account that
    is not.

    @raise NoSuchUser: there is neither.
    """
    identity, _, shown = whoever(state, policy, nick)
    return shown, conversation(user.identity, identity)
