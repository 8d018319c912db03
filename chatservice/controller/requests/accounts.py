"""
Requests about accounts: making one, being logged in to one, and what vouches for it.
"""

from __future__ import annotations

import re

from chatservice.controller.applying.accounts import check_may_be_account
from chatservice.controller.entities import Account, User
from chatservice.controller.errors import BadArguments, NeedsAccount, NickInUse, TooMany
from chatservice.controller.events import (
    AccountChanged,
    CertificateChanged,
    Event,
    PasswordChanged,
    Registered,
)
from chatservice.controller.names import Name
from chatservice.controller.policy import Policy, check_not_reserved, full
from chatservice.controller.state import State

from .author import about, by

_FINGERPRINT = re.compile("[0-9a-f]{64}")


def register(state: State, policy: Policy, user: User, verifier: str) -> Registered:
    """
    Makes the logged-in guest's nick an account.

    @raise NickInUse: it is one, or the user has one.
    @raise TooMany: there are as many as there may be.
    """
    check_may_register(state, policy, user)
    return _registered(user, Name(user.nick, user.key, user.skeleton), verifier)


def _registered(user: User, name: Name, verifier: str = "") -> Registered:
    """The account of a name is made; by whom is told by the nick that they have now."""
    return Registered(
        actor=user.key,
        nick=user.nick,
        account=name.text,
        host=user.host,
        visit=user.login,
        account_key=name.key,
        skeleton=name.skeleton,
        verifier=verifier,
    )


def check_may_register(state: State, policy: Policy, user: User) -> None:
    """
    @raise NickInUse: that nick is an account, or the user has one.
    @raise TooMany: there are as many as there may be.
    """
    if user.key in state.accounts:
        raise NickInUse("this nick is registered already")
    if user.account:
        raise NickInUse("you have an account already")
    _check_accounts(state, policy)


def _check_accounts(state: State, policy: Policy) -> None:
    if full(len(state.accounts), policy.accounts):
        raise TooMany("there are as many accounts as there may be")


def identify(state: State, policy: Policy, user: User, name: Name) -> list[Event]:
    """
    Is logged in to an account that was found to belong to them; it is made if it is not there.

    @raise NickInUse: the user's nick is another account's; see C{check_may_reserve}, too.
    @raise TooMany: the account would own more rooms than one may, now that the guest's are its; or
        see C{check_may_reserve}.
    """
    account = state.accounts.get(name.key)
    if account is not None:
        _check_may_own_both(state, policy, user, account)
        return [change_account(state, user, account)]
    check_may_reserve(state, policy, user.key, name)
    made = _registered(user, name)
    if not user.account:
        return [made]  # a guest is logged in to what is made for them
    account = Account(name.key, name.text, name.skeleton, "")
    return [made, change_account(state, user, account)]


def _check_may_own_both(state: State, policy: Policy, user: User, account: Account) -> None:
    """Nobody collects rooms by making them as a guest, again and again."""
    mine, its = (len(state.owned.get(who, ())) for who in (user.identity, account.key))
    most = policy.rooms_owned_per_user
    if not user.account and mine and most and mine + its > most:
        raise TooMany(f"with your rooms the account would own more than {most}")


def check_may_reserve(state: State, policy: Policy, actor: str, name: Name) -> None:
    """
    @raise NickInUse: somebody else is here by that name, or by one that looks like it; or nobody
        may have it.
    @raise TooMany: there are as many accounts as there may be.
    """
    check_not_reserved(name, policy)
    check_may_be_account(state, name.key, name.skeleton, actor)
    _check_accounts(state, policy)


def change_account(state: State, user: User, account: Account | None) -> AccountChanged:
    """
    Is logged in to an account that was found to belong to them, or to none.

    @raise NeedsAccount: there is none to be logged out of.
    @raise NickInUse: the user's nick is another account's.
    """
    if account is None and not user.account:
        raise NeedsAccount("you are not logged in to an account")
    account_key = account.key if account is not None else ""
    if user.key in state.accounts and user.key != account_key:
        words = "another account's" if account is not None else "the account's"
        raise NickInUse(f"your nick is {words}; change it first")
    return AccountChanged(
        **about(user),
        account_key=account_key,
        account_nick=account.nick if account is not None else "",
    )


def change_password(state: State, user: User, verifier: str) -> PasswordChanged:
    """
    Has another password from now on.

    @raise NeedsAccount: there is none, or an outside checker vouches for it.
    """
    account = own_account(state, user)
    if not account.verifier:
        raise NeedsAccount("your password is not kept here")
    return PasswordChanged(**by(user), account_key=account.key, verifier=verifier)


def add_certificate(
    state: State, policy: Policy, user: User, fingerprint: str
) -> CertificateChanged:
    """
    Has a client certificate vouch for the account.

    @param fingerprint: SHA-256 of its DER, in lower-case hexadecimal.
    @raise BadArguments: it is no fingerprint, or vouches for one already.
    @raise TooMany: as many do as may.
    """
    account = own_account(state, user)
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise BadArguments("a fingerprint is SHA-256 in hexadecimal: 64 digits")
    if fingerprint in state.certificates:
        raise BadArguments("that certificate is on an account already")
    if full(len(account.certificates), policy.certificates_per_account):
        raise TooMany("your account has as many certificates as it may have")
    return CertificateChanged(**by(user), account_key=account.key, fingerprint=fingerprint)


def remove_certificate(state: State, user: User, fingerprint: str) -> CertificateChanged:
    """
    Has a client certificate vouch for the account no longer.

    @raise BadArguments: it does not.
    """
    account = own_account(state, user)
    if fingerprint not in account.certificates:
        raise BadArguments("that certificate is not on your account")
    return CertificateChanged(
        **by(user), account_key=account.key, fingerprint=fingerprint, added=False
    )


def own_account(state: State, user: User) -> Account:
    """
    The account that a user is logged in to.

    @raise NeedsAccount: there is none.
    """
    account = state.accounts.get(user.account)
    if account is None:
        raise NeedsAccount("you are not logged in to an account")
    return account
