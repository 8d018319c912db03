"""One attempt at a password from beginning to end: wait for its turn, ask the portal, tell the
throttle.

What the line protocol calls it is in the errors raised. Logging in, as users and rooms see it, is
the controller's.
"""

from __future__ import annotations

from typing import Any, Final

from argon2.exceptions import InvalidHashError, VerificationError
from twisted.cred.credentials import UsernamePassword
from twisted.cred.error import LoginFailed
from twisted.cred.portal import Portal
from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from chatservice.authentication.passwords import prepare_password
from chatservice.authentication.portal import Account, IAccount, OutsideCheckerFailed
from chatservice.authentication.throttle import Throttle
from chatservice.controller.errors import BadPassword, Unavailable
from chatservice.controller.names import Name, NameRules

ANSWER_SECONDS: Final = 15.0
"""How long a checker may take; whoever else waits for that account or address waits as long."""


class Authenticator:
    """Finds out whether a password is the right one, no faster than `Throttle` allows.

    Args:
        portal: as `make_portal` makes it.
        throttle: the turns of all connections.
        clock: calls later.
        rules: what nicks are; the usual ones unless given.
    """

    log = Logger()

    def __init__(
        self,
        portal: Portal,
        throttle: Throttle,
        clock: IReactorTime,
        rules: NameRules | None = None,
    ) -> None:
        self._portal = portal
        self._throttle = throttle
        self._clock = clock
        self._rules = rules or NameRules()

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
