"""Who checks passwords in tests: in the open, at once. SCRAM is the real one, at its least cost."""

from __future__ import annotations

from collections.abc import Callable

from scramp import ScramMechanism  # type: ignore[import-untyped]
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime

from chatservice.authentication.portal import Account
from chatservice.authentication.scram import ScramAccounts, ScramExchange
from chatservice.authentication.throttle import Throttle
from chatservice.authentication.verifiers import (
    LEAST_ITERATIONS,
    LEAST_SALT_BYTES,
    MECHANISM,
    ScramKeys,
)
from chatservice.controller.errors import BadPassword, ChatError
from chatservice.controller.names import NameRules
from chatservice.controller.state import State
from chatservice.secret import Secret

_OPEN = "plain:"
_SALT = bytes(LEAST_SALT_BYTES)


class Doorman:
    """Authenticator and hasher: compares passwords in the open.

    Attributes:
        outside: passwords that are kept elsewhere, by nick; they make no account by themselves.
        refusal: what every password is refused with, if anything.

    Args:
        clock: tells SCRAM's throttle the time.
        state: gives what is true in the chat now.
    """

    def __init__(self, clock: IReactorTime, state: Callable[[], State]) -> None:
        self._state = state
        self._throttle = Throttle(clock)
        self._rules = NameRules()
        self.outside: dict[str, str] = {}
        self.refusal: ChatError | None = None

    def hash(self, password: str) -> Deferred[str]:
        if self.refusal is not None or not password:
            return fail(self.refusal or BadPassword())
        return succeed(_OPEN + password)

    async def authenticate(self, nick: str, password: str, address: str) -> Account:
        if self.refusal is not None:
            raise self.refusal
        name = self._rules.nick(nick)
        account = self._state().accounts.get(name.key)
        known = account is not None and account.verifier == _OPEN + password
        if not known and self.outside.get(nick) != password:
            raise BadPassword()
        return Account(name.text, name.key)

    def scram(self, address: str) -> ScramExchange:
        return ScramExchange(_OpenAccounts(self._state), self._throttle, self._rules, address)

    def external(self, fingerprint: str, authzid: str) -> Account:
        key = self._state().certificates.get(fingerprint)
        if key is None or (authzid and self._rules.nick(authzid).key != key):
            raise BadPassword()
        return Account(authzid or key, key)


class _OpenAccounts(ScramAccounts):
    """The SCRAM keys of passwords that are kept in the open."""

    def __init__(self, state: Callable[[], State]) -> None:
        super().__init__(lambda _: None, Secret().digest)
        self._state = state

    def real(self, key: str) -> ScramKeys | None:
        account = self._state().accounts.get(key)
        if account is None or not account.verifier.startswith(_OPEN):
            return None
        password = account.verifier.removeprefix(_OPEN)
        made = ScramMechanism(MECHANISM).make_auth_info(password, LEAST_ITERATIONS, _SALT)
        salt, stored_key, server_key, iterations = made
        return ScramKeys(iterations, salt, stored_key, server_key)
