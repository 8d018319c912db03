"""
Requests of those who run the server, and of those who take back what is theirs.
"""

from __future__ import annotations

import re

from chatservice.controller import modes
from chatservice.controller.entities import Account, User
from chatservice.controller.errors import BadArguments, BadPassword, NotOperator
from chatservice.controller.events import (
    Event,
    HostChanged,
    Killed,
    UserFlagsChanged,
    Wallops,
)
from chatservice.controller.lookup import check_operator, find_user
from chatservice.controller.policy import Policy, check_phrase, check_text
from chatservice.controller.state import State

from .author import about, by
from .users import log_out

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:/-]{0,61}[A-Za-z0-9])?")


def become_operator(policy: Policy, user: User, account: Account) -> UserFlagsChanged:
    """
    Runs the server from now on: who has shown to own an account that may.

    @raise NotOperator: that account may not.
    """
    if account.key not in policy.operators:
        raise NotOperator("that account does not run this server")
    return UserFlagsChanged(**about(user), changes=[(True, modes.SERVER_OPERATOR)])


def kill(state: State, policy: Policy, user: User, nick: str, reason: str) -> list[Event]:
    """
    A server operator has a user's connections closed.

    @raise NotOperator: the user is none.
    @raise NoSuchUser: there is nobody of that nick.
    """
    check_operator(user)
    victim = find_user(state, policy, nick)
    return _end(user, victim, check_phrase(reason, policy), reclaimed=False)


def reclaim(
    state: State, policy: Policy, user: User | None, nick: str, account: Account
) -> list[Event]:
    """
    Somebody who has shown to own an account has another connection that uses it, or its name,
    closed.

    @param user: who that is, if they are logged in.
    @raise NoSuchUser: there is nobody of that nick.
    @raise BadPassword: it is neither the account's name nor logged in to it.
    @raise BadArguments: it is oneself.
    """
    victim = find_user(state, policy, nick)
    if victim is user:
        raise BadArguments("that is you")
    # Nobody has an account's name without being logged in to it.
    if victim.account != account.key:
        raise BadPassword("that nick does not belong to the account")
    return _end(user or victim, victim, "taken back by its owner", reclaimed=True)


def _end(user: User, victim: User, reason: str, reclaimed: bool) -> list[Event]:
    killed = Killed(
        **by(user),
        victim=victim.key,
        victim_nick=victim.nick,
        victim_visit=victim.login,
        reclaimed=reclaimed,
        reason=reason,
    )
    words = reason if reclaimed else f"Killed ({user.nick} ({reason}))"
    return [killed, *log_out(victim, words)]


def wallops(state: State, policy: Policy, user: User, text: str) -> Wallops:
    """
    A server operator says something to all who want to hear it.

    @raise NotOperator: the user is none.
    """
    check_operator(user)
    if not text:
        raise BadArguments("there is nothing to say")
    return Wallops(**by(user), text=check_text(text, policy))


def change_host(state: State, policy: Policy, user: User, nick: str, host: str) -> HostChanged:
    """
    A server operator has a user's address shown as something else.

    @raise NotOperator: the user is none.
    @raise BadArguments: it cannot be a host.
    """
    check_operator(user)
    other = find_user(state, policy, nick)
    if not _HOST.fullmatch(host):
        raise BadArguments("a host is letters, digits, and .:/- between them")
    return HostChanged(**about(other), new_host=host, by=user.nick)
