"""One attempt to log in from beginning to end: a password (wait for its turn, ask the portal, tell
the throttle), a SCRAM exchange, or a certificate.

What the line protocol calls it is in the errors raised. Logging in, as users and rooms see it, is
the controller's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from argon2.exceptions import InvalidHashError, VerificationError
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import LoginFailed
from twisted.cred.portal import Portal
from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from chatservice.authentication.passwords import prepare_password
from chatservice.authentication.portal import (
    Account,
    IAccount,
    OutsideCheckerFailed,
    VerifierOf,
)
from chatservice.authentication.scram import Digest, ScramAccounts, ScramExchange
from chatservice.authentication.throttle import Throttle
from chatservice.controller.errors import BadNick, BadPassword, Unavailable
from chatservice.controller.names import Name, NameRules

ANSWER_SECONDS: Final = 15.0
"""How long a checker may take; whoever else waits for that account or address waits as long."""

AccountOfCertificate: TypeAlias = Callable[[str], "str | None"]
"""SHA-256 of a certificate's DER, in lower-case hex -> the key of the account that it was added to,
or None."""


class Authenticator:
    """Finds out whether somebody is who they say, no faster than `Throttle` allows.

    Args:
        portal: as `make_portal` makes it.
        throttle: the turns of all connections.
        clock: calls later.
        rules: what nicks are; the usual ones unless given.
        verifier_of: the controller's accounts.
        account_of_certificate: the certificates of the controller's accounts.
        digest: a keyed hash of a purpose and a text, on which what SCRAM makes up for names without
            account depends; the same over restarts, or a restart tells which accounts there are.
    """

    log = Logger()

    def __init__(
        self,
        portal: Portal,
        throttle: Throttle,
        clock: IReactorTime,
        rules: NameRules | None = None,
        *,
        verifier_of: VerifierOf,
        account_of_certificate: AccountOfCertificate,
        digest: Digest,
    ) -> None:
        self._portal = portal
        self._throttle = throttle
        self._clock = clock
        self._rules = rules or NameRules()
        self._scram_accounts = ScramAccounts(verifier_of, digest)
        self._account_of_certificate = account_of_certificate

    async def authenticate(self, nick: str, password: str, address: str) -> Account:
        """The account of `nick`, if `password` is its password.

        Whoever is no longer interested cancels the Deferred that this coroutine was made into.

        Args:
            nick: as typed.
            password: as typed.
            address: where the attempt comes from, grouped as far as one person's addresses go.

        Raises:
            BadNick: `nick` can't be one.
            BadPassword: the password is wrong, or there is no such account.
            TooFast: too many wrong ones of late.
            Unavailable: nobody can say at present.
        """
        name = self._rules.nick(nick)
        # What can't be a password tells its sender nothing, so it needs no turn.
        prepare_password(password)
        turn = await self._throttle.turn(address, name.key)
        try:
            account = await self._ask(name, password)
            turn.right()
        except (BadPassword, CancelledError):
            # An attempt whose connection goes away has cost as much, and must not be free.
            turn.wrong()
            raise
        finally:
            turn.undecided()
        return account

    def scram(self, address: str) -> ScramExchange:
        """A SCRAM-SHA-256 exchange, about to begin. Accounts of outside checkers can't have one.

        Args:
            address: as `authenticate` takes it.
        """
        return ScramExchange(self._scram_accounts, self._throttle, self._rules, address)

    def external(self, fingerprint: str, authzid: str) -> Account:
        """The account of whoever holds the private key of a certificate (SASL's EXTERNAL, RFC 4422
        appendix A). Nobody guesses a fingerprint, so it needs no turn.

        Args:
            fingerprint: SHA-256 of the certificate's DER in lower-case hex, as the TLS handshake
                has proved it; empty if the client showed none.
            authzid: the account asked for, as typed, or empty. The account returned is called what
                it says, or else by its key.

        Raises:
            BadPassword: the certificate was added to no account, or to another one.
        """
        key = self._account_of_certificate(fingerprint) if fingerprint else None
        try:
            name = self._rules.nick(authzid) if authzid else None
        except BadNick:
            key = name = None
        if key is None or (name is not None and name.key != key):
            raise BadPassword("there is no such account with that certificate")
        return Account(key if name is None else name.text, key)

    async def _ask(self, name: Name, password: str) -> Account:
        credentials = UsernamePassword(name.text.encode(), password.encode())
        try:
            login = self._portal.login(credentials, None, IAccount)
            _, avatar, _ = await _abandonable(login).addTimeout(ANSWER_SECONDS, self._clock)
        except LoginFailed:
            raise BadPassword from None
        except OutsideCheckerFailed:
            raise Unavailable from None
        except TimeoutError:
            self.log.error(
                "no answer about {nick} within {seconds} seconds: is a checker stuck?",
                nick=name.text,
                seconds=ANSWER_SECONDS,
            )
            raise Unavailable from None
        except (InvalidHashError, VerificationError) as error:
            self.log.error(
                "the verifier of {nick} is unusable: {error}",
                nick=name.text,
                error=type(error).__qualname__,
            )
            raise Unavailable from None
        if not isinstance(avatar, Account) or avatar.key != name.key:
            self.log.error("a checker vouched for another name than {nick}", nick=name.text)
            raise BadPassword
        return avatar


def _abandonable(login: Deferred[Any]) -> Deferred[Any]:
    """The same, but done when it is cancelled, even if somebody else's checker goes on."""
    answer: Deferred[Any] = Deferred(lambda _: login.cancel())

    def tell(result: Any) -> None:
        if not answer.called:
            answer.callback(result)

    login.addBoth(tell)
    return answer
