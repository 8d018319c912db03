"""
Requests of a user about themselves: coming, going, and what they are called.
"""

from __future__ import annotations

from chatservice.controller.entities import User
from chatservice.controller.errors import NickInUse
from chatservice.controller.events import (
    AwayChanged,
    Event,
    Left,
    LoggedIn,
    LoggedOut,
    NickChanged,
    RealnameChanged,
)
from chatservice.controller.names import Name
from chatservice.controller.policy import Policy, check_not_reserved, check_phrase
from chatservice.controller.state import State

from .accounts import check_may_reserve
from .author import about, by, present


def log_in(
    state: State,
    policy: Policy,
    name: Name,
    account: Name | None,
    *,
    host: str = "",
    realname: str = "",
    node: str = "",
    secure: bool = False,
) -> LoggedIn:
    """
    Takes a nick, as a guest or as somebody whom an account was found to belong to. That account is
    made if it is not there: an outside checker vouches for it, and no guest may take its name.

    @param host: how the user's address is shown.
    @param node: which server they are connected to.
    @param secure: can nobody on the way there read along?
    @raise NickInUse: somebody has it, or one that looks like it; or it is another account's. The
        same of the name of an account that is not there.
    @raise TooMany: it would be one account more than there may be.
    """
    check_nick_is_free(state, name)
    account_key = account.key if account is not None else ""
    _check_not_reserved(state, policy, name, account_key)
    account_skeleton = ""
    if account is not None and account_key not in state.accounts:
        check_may_reserve(state, policy, name.key, account)
        if name.skeleton == account.skeleton and name.key != account_key:
            raise NickInUse("this nick looks like your account's")
        account_skeleton = account.skeleton
    return LoggedIn(
        actor=name.key,
        nick=name.text,
        account=account.text if account is not None else "",
        host=host,
        account_key=account_key,
        account_skeleton=account_skeleton,
        skeleton=name.skeleton,
        realname=check_phrase(realname, policy) or name.text,
        node=node,
        secure=secure,
    )


def check_nick_is_free(state: State, name: Name) -> None:
    """
    @raise NickInUse: somebody is here by that nick, or by one that looks like it.
    """
    if name.key in state.users:
        raise NickInUse()
    if state.looks_like_another(name.key, name.skeleton):
        raise NickInUse("this nick looks like another one")


def _check_not_reserved(state: State, policy: Policy, name: Name, account_key: str) -> None:
    check_not_reserved(name, policy)
    _check_not_registered(state, name.key, account_key)


def _check_not_registered(state: State, key: str, account_key: str) -> None:
    if key in state.accounts and account_key != key:
        raise NickInUse("this nick is registered: it needs its password")


def log_out(user: User, reason: str, lost: bool = False) -> list[Event]:
    """
    Gives the nick up, and leaves every room before.

    @param lost: see `LoggedOut`.
    """
    events: list[Event] = [
        Left(**present(room, user), quit=True, reason=reason, lost=lost)
        for room in user.rooms.values()
    ]
    events.append(LoggedOut(**about(user), reason=reason, lost=lost))
    return events


def come_back(state: State, user: User, visit: str, node: str) -> LoggedIn:
    """
    Takes the nick again that a user was logged out of because the others had lost touch with its
    server, which was there all the time.

    @param user: as they were.
    @param visit: which visit goes on, by the id of its `LoggedIn`.
    @raise NickInUse: somebody has it meanwhile, or one that looks like it; or it is another
        account's.
    """
    check_nick_is_free(state, Name(user.nick, user.key, user.skeleton))
    _check_not_registered(state, user.key, user.account)
    return LoggedIn(
        **by(user),
        account_key=user.account,
        skeleton=user.skeleton,
        realname=user.realname,
        node=node,
        secure=user.secure,
        resumes=visit,
        identity=user.identity,
        away=user.away,
        flags=sorted(user.flags),
    )


def change_nick(state: State, policy: Policy, user: User, nick: str) -> NickChanged:
    """
    Is called something else from now on.

    @raise BadNick: it cannot be a nick.
    @raise NickInUse: somebody has it, or one that looks like it; or it is another account's.
    """
    name = policy.names.nick(nick)
    if name.key != user.key:
        if name.key in state.users:
            raise NickInUse()
        if state.looks_like_another(name.key, name.skeleton, mine=user.key):
            raise NickInUse("this nick looks like another one")
        _check_not_reserved(state, policy, name, user.account)
    return NickChanged(
        **about(user), new_nick=name.text, new_key=name.key, new_skeleton=name.skeleton
    )


def set_away(state: State, policy: Policy, user: User, text: str) -> AwayChanged:
    """Is away, for the reason given; an empty one says that the user is back."""
    return AwayChanged(**about(user), text=check_phrase(text, policy))


def set_realname(state: State, policy: Policy, user: User, realname: str) -> RealnameChanged:
    """Goes by another real name."""
    return RealnameChanged(**about(user), realname=check_phrase(realname, policy))
