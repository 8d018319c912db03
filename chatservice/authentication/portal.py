"""Who somebody is: the service's own accounts and outside checkers behind one `twisted.cred`
portal.

How often one may try is `throttle`'s, what a right password entitles to the controller's; neither
is known here.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.logger import Logger
from zope.interface import Attribute, Interface, implementer

from chatservice.authentication.passwords import Passwords
from chatservice.controller.errors import BadNick
from chatservice.controller.names import Name, NameRules

VerifierOf: TypeAlias = Callable[[str], "str | None"]
"""Case-folded nick -> the account's verifier, or None if there is no account with a password."""

_REFUSED = object()
_NO_ANSWER = object()


class IAccount(Interface):
    """Somebody whose nick is an account, and who has proved to be its owner."""

    name = Attribute("The nick as its owner writes it: str.")
    key = Attribute("The nick case-folded, for comparing: str.")


@implementer(IAccount)
@dataclass(frozen=True, slots=True)
class Account:
    """The avatar of an account; holds nothing secret."""

    name: str
    key: str


@implementer(IRealm)
class AccountRealm:
    """Turns the name that a checker vouches for into an `Account`.

    Args:
        rules: what nicks are.
    """

    def __init__(self, rules: NameRules) -> None:
        self._rules = rules

    def requestAvatar(
        self, avatarId: bytes | tuple[()], mind: object, *interfaces: type[Interface]
    ) -> tuple[type[Interface], Account, Callable[[], None]]:
        """See `IRealm.requestAvatar`.

        Raises:
            UnauthorizedLogin: the checker vouches for nobody in particular, or for a name that is
                no nick. The same if no interface asked for is `IAccount`.
        """
        if IAccount not in interfaces:
            raise UnauthorizedLogin("an account has the interface IAccount only")
        name = _nick_in(self._rules, avatarId)
        return IAccount, Account(name.text, name.key), _nothing_to_undo


@implementer(ICredentialsChecker)
class AccountChecker:
    """Checks the passwords of the service's own accounts.

    Args:
        verifier_of: the controller's accounts.
        passwords: who computes.
        rules: what nicks are.
    """

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, verifier_of: VerifierOf, passwords: Passwords, rules: NameRules) -> None:
        self._verifier_of = verifier_of
        self._passwords = passwords
        self._rules = rules

    def knows(self, username: bytes) -> bool:
        """Whether `username` is an account with a password."""
        return self._verifier_of(_nick_in(self._rules, username).key) is not None

    def requestAvatarId(self, credentials: IUsernamePassword) -> Deferred[bytes | tuple[()]]:
        """See `ICredentialsChecker.requestAvatarId`. A name without account is refused as late as a
        wrong password."""
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, credentials: IUsernamePassword) -> bytes | tuple[()]:
        username: bytes = credentials.username
        verifier = self._verifier_of(_nick_in(self._rules, username).key)
        password = credentials.password.decode()
        if not await self._passwords.verify(verifier, password):
            raise UnauthorizedLogin
        return username


@implementer(ICredentialsChecker)
class FirstOf:
    """The service's own accounts first, then outside checkers in their order.

    Of a name that is an account with a password only that password decides: no outside checker can
    give it away. If nobody vouches for a name and an outside checker failed to answer, its failure
    is the answer.

    Args:
        own: the service's own accounts.
        outside: checkers of `IUsernamePassword`.
    """

    credentialInterfaces = (IUsernamePassword,)
    log = Logger()

    def __init__(self, own: AccountChecker, outside: Sequence[ICredentialsChecker]) -> None:
        self._own = own
        self._outside = tuple(outside)

    def requestAvatarId(self, credentials: IUsernamePassword) -> Deferred[bytes | tuple[()]]:
        """See `ICredentialsChecker.requestAvatarId`."""
        return Deferred.fromCoroutine(self._ask(credentials))

    async def _ask(self, credentials: IUsernamePassword) -> bytes | tuple[()]:
        if self._own.knows(credentials.username):
            return await self._own.requestAvatarId(credentials)
        broken = False
        for checker in self._outside:
            answer = await self._ask_outside(checker, credentials)
            if isinstance(answer, (bytes, tuple)):
                return answer
            broken = broken or answer is _NO_ANSWER
        if broken:
            raise OutsideCheckerFailed
        return await self._own.requestAvatarId(credentials)

    async def _ask_outside(
        self, checker: ICredentialsChecker, credentials: IUsernamePassword
    ) -> bytes | tuple[()] | object:
        """Whom the checker vouches for, `_REFUSED` or `_NO_ANSWER`."""
        try:
            answer: bytes | tuple[()] = await maybeDeferred(checker.requestAvatarId, credentials)
        except UnauthorizedLogin:
            return _REFUSED
        except CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 (somebody else's code is supervised here)
            # Neither its message nor its traceback: who knows what a checker puts in there.
            self.log.error(
                "{checker} failed with {error} at {place}",
                checker=type(checker).__qualname__,
                error=type(error).__qualname__,
                place=_innermost_place(error),
            )
            return _NO_ANSWER
        return answer


class OutsideCheckerFailed(Exception):
    """An outside checker did not answer; it has been logged."""


def make_portal(
    verifier_of: VerifierOf,
    passwords: Passwords,
    outside: Sequence[ICredentialsChecker] = (),
    rules: NameRules | None = None,
) -> Portal:
    """The portal that leads from `IUsernamePassword` to an `Account`.

    Args:
        verifier_of: the controller's accounts.
        passwords: who computes.
        outside: further checkers, as `--auth` names them, asked in this order.
        rules: what nicks are; the usual ones unless given.

    Raises:
        ValueError: an outside checker does not check passwords.
    """
    for checker in outside:
        if IUsernamePassword not in checker.credentialInterfaces:
            raise ValueError(f"{type(checker).__qualname__} does not check names and passwords")
    rules = rules or NameRules()
    own = AccountChecker(verifier_of, passwords, rules)
    return Portal(AccountRealm(rules), [FirstOf(own, outside)])


def _nick_in(rules: NameRules, username: bytes | tuple[()]) -> Name:
    if not isinstance(username, bytes):
        raise UnauthorizedLogin("nobody in particular")
    try:
        return rules.nick(username.decode())
    except (UnicodeDecodeError, BadNick):
        raise UnauthorizedLogin("not a nick") from None


def _innermost_place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"


def _nothing_to_undo() -> None:
    """An account's avatar holds nothing that a logout would have to let go."""
