"""
Accounts are made, users are logged in to them, and something else vouches for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatservice.controller.entities import Account, User, guest_identity
from chatservice.controller.errors import BadArguments, NickInUse
from chatservice.controller.events import (
    AccountChanged,
    CertificateChanged,
    PasswordChanged,
    Registered,
)

from .subject import account, visitor

if TYPE_CHECKING:
    from chatservice.controller.state import State


def check_may_be_account(state: State, key: str, skeleton: str, actor: str) -> None:
    """
    May a name be made an account for somebody?

    @param actor: the key of whoever it is for.
    @raise NickInUse: somebody else is here by it, or by one that looks like it.
    """
    if (key in state.users and key != actor) or state.looks_like_another(key, skeleton):
        raise NickInUse("somebody is here by that account's name, or by one that looks like it")


def registered(state: State, event: Registered) -> None:
    user = visitor(state, event)
    key = event.account_key
    known = state.accounts.get(key)
    if known is None:
        check_may_be_account(state, key, event.skeleton, user.key)
        state.add_account(Account(key, event.account, event.skeleton, event.verifier, event.ms))
    elif known.verifier or event.verifier:
        # What an outside checker vouches for may be made by two at once, and is theirs alike.
        raise NickInUse()
    if not user.account:
        _log_in_to(state, user, key, event.account)


def account_changed(state: State, event: AccountChanged) -> None:
    user = visitor(state, event)
    if event.account_key == user.account:
        return
    if event.account_key:
        account(state, event.account_key)
    if user.key in state.accounts and user.key != event.account_key:
        raise NickInUse("that nick is another account's")
    _log_in_to(state, user, event.account_key, event.account_nick)


def _log_in_to(state: State, user: User, key: str, nick: str) -> None:
    was, guest = user.identity, not user.account
    state.forget_identity(user)
    user.account, user.account_nick = key, nick
    user.identity = key or guest_identity(user.key, user.login)
    state.identify(user)
    state.dirty.add(("user", user.key, ""))
    if guest:
        _hand_over(state, user, was)


def _hand_over(state: State, user: User, was: str) -> None:
    """The guest's rooms, roles and invitations become the account's."""
    for room_id in list(state.invitations.get(was, ())):
        room = state.rooms_by_id[room_id]
        ms = max(room.invited[was], room.invited.get(user.identity, 0))
        state.uninvite(room, was)
        state.invite(room, user.identity, ms)
    for room_id in list(state.owned.get(was, ())):
        state.give(state.rooms_by_id[room_id], user.identity, kept=True)
    for room in user.rooms.values():
        roles = state.take_roles(room, was)
        if roles:
            room.roles.setdefault(user.identity, set()).update(roles)


def password_changed(state: State, event: PasswordChanged) -> None:
    account(state, event.account_key).verifier = event.verifier
    state.dirty.add(("account", event.account_key, ""))


def certificate_changed(state: State, event: CertificateChanged) -> None:
    changed = account(state, event.account_key)
    holder = state.certificates.get(event.fingerprint)
    if event.added:
        if holder is not None:
            raise BadArguments("that certificate is on an account already")
        changed.certificates.append(event.fingerprint)
        state.certificates[event.fingerprint] = changed.key
    else:
        if holder != changed.key:
            raise BadArguments("that certificate is not on your account")
        changed.certificates.remove(event.fingerprint)
        del state.certificates[event.fingerprint]
    state.dirty.add(("account", changed.key, ""))
