"""
Users come, go, and are called something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatservice.controller.entities import Account, User
from chatservice.controller.errors import AlreadyInRoom, NickInUse, NoSuchUser
from chatservice.controller.events import (
    AwayChanged,
    HostChanged,
    Killed,
    LoggedIn,
    LoggedOut,
    NickChanged,
    PersonalEvent,
    RealnameChanged,
    ServiceStarted,
    UserFlagsChanged,
)

from .accounts import check_may_be_account
from .subject import somebody, visitor

if TYPE_CHECKING:
    from chatservice.controller.state import State


def started(state: State, event: ServiceStarted) -> None:
    for user in list(state.users.values()):
        state.remove_user(user)


def logged_in(state: State, event: LoggedIn) -> None:
    _check_nick(state, event.actor, event.skeleton, event.account_key)
    if event.account_skeleton and event.account_key not in state.accounts:
        _make_account(state, event)
    user = User(
        event.actor,
        event.nick,
        event.skeleton,
        event.id,
        account=event.account_key,
        account_nick=event.account,
    )
    user.host, user.realname, user.ms = event.host, event.realname, event.ms
    user.spoke, user.node, user.secure = event.ms, event.node, event.secure
    if event.resumes:
        user.identity, user.away = event.identity, event.away
        user.flags = frozenset(event.flags)
    state.add_user(user)


def _make_account(state: State, event: LoggedIn) -> None:
    key, skeleton = event.account_key, event.account_skeleton
    check_may_be_account(state, key, skeleton, event.actor)
    state.add_account(Account(key, event.account, skeleton, "", event.ms))


def _check_nick(state: State, key: str, skeleton: str, account: str, mine: str = "") -> None:
    if key in state.users or state.looks_like_another(key, skeleton, mine):
        raise NickInUse()
    if key in state.accounts and account != key:
        raise NickInUse()


def logged_out(state: State, event: LoggedOut) -> None:
    user = visitor(state, event)
    if user.rooms:
        # Somebody was brought into a room meanwhile, and its members are to see them leave.
        raise AlreadyInRoom("not every room was left")
    state.note_departure(user, event.ms)
    state.remove_user(user)


def killed(state: State, event: Killed) -> None:
    somebody(state, event.victim, event.victim_visit, NoSuchUser)


def nick_changed(state: State, event: NickChanged) -> None:
    user = visitor(state, event)
    if event.new_key == user.key:
        user.nick = event.new_nick
        state.dirty.add(("user", user.key, ""))
        return
    _check_nick(state, event.new_key, event.new_skeleton, user.account, mine=user.key)
    state.note_departure(user, event.ms)
    state.rename(user, event.new_key, event.new_nick, event.new_skeleton)


def away_changed(state: State, event: AwayChanged) -> None:
    _changed(state, event).away = event.text


def realname_changed(state: State, event: RealnameChanged) -> None:
    _changed(state, event).realname = event.realname


def host_changed(state: State, event: HostChanged) -> None:
    _changed(state, event).host = event.new_host


def user_flags_changed(state: State, event: UserFlagsChanged) -> None:
    user = _changed(state, event)
    state.flags.subtract(user.flags)
    for on, flag in event.changes:
        user.flags = user.flags | {flag} if on else user.flags - {flag}
    state.flags.update(user.flags)


def _changed(state: State, event: PersonalEvent) -> User:
    user = visitor(state, event)
    state.dirty.add(("user", user.key, ""))
    return user
