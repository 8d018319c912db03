"""SCRAM-SHA-256 (RFC 5802, RFC 7677): a client proves that it knows a password, and the server that
it knows the account, and neither tells the other the password.

The library `scramp` does the protocol; what it leaves open is decided here: whose keys, whether
they still hold, and how often somebody may try. No channel binding: of TLS nothing is known. How a
dialect wraps the messages (base64, lines) is the dialect's.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final

from scramp import ScramException, ScramMechanism  # type: ignore[import-untyped]
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from chatservice.authentication.portal import Account, VerifierOf
from chatservice.authentication.throttle import Throttle, Turn
from chatservice.authentication.verifiers import (
    MECHANISM,
    SALT_BYTES,
    SCRAM_ITERATIONS,
    ScramKeys,
    scram_half,
)
from chatservice.controller.errors import BadNick, BadPassword, Unavailable
from chatservice.controller.names import Name, NameRules

Digest = Callable[[str, str], bytes]
"""A keyed hash of a purpose and a text (`secret.Secret.digest`)."""

LONGEST_MESSAGE: Final = 2048
"""Bytes of one message of a client's; ten times what they send."""

# "p=" would bind a channel, and what stands between the commas would be somebody to act for.
_GS2_HEADER = re.compile(r"[ny],,")


class ScramAccounts:
    """The SCRAM keys of every name there may be: of one that has none they are made up, always the
    same, so that nobody learns by asking who has an account (RFC 5802 section 9 leaves it open).

    Args:
        verifier_of: the controller's accounts.
        digest: a keyed hash of a purpose and a text; its key should outlast a restart, as what is
            made up depends on it.
    """

    def __init__(self, verifier_of: VerifierOf, digest: Digest) -> None:
        self._verifier_of = verifier_of
        self._digest = digest

    def real(self, key: str) -> ScramKeys | None:
        """The keys of an account, or None if there are none.

        Raises:
            ValueError: they are unreadable.
        """
        verifier = self._verifier_of(key)
        return None if verifier is None else scram_half(verifier)

    def shown(self, key: str) -> ScramKeys:
        """The keys of an account, or made up ones."""
        made_up = ScramKeys(
            SCRAM_ITERATIONS,
            self._made_up("salt", key)[:SALT_BYTES],
            self._made_up("stored key", key),
            self._made_up("server key", key),
        )
        try:
            return self.real(key) or made_up
        except ValueError:
            return made_up

    def _made_up(self, what: str, key: str) -> bytes:
        return self._digest("scram", f"{what}:{key}")


class ScramExchange:
    """One attempt to log in: `first`, then `final`; or `abandon`, at any time.

    It waits for its turn in `final`, where the proof is checked, so that a client that never sends
    one keeps nobody waiting.

    Args:
        accounts: the keys.
        throttle: the turns of all connections.
        rules: what nicks are.
        address: where the attempt comes from, grouped as far as one person's addresses go.
    """

    log = Logger()

    def __init__(
        self, accounts: ScramAccounts, throttle: Throttle, rules: NameRules, address: str
    ) -> None:
        self._accounts = accounts
        self._throttle = throttle
        self._rules = rules
        self._address = address
        self._server: Any = ScramMechanism(MECHANISM).make_server(self._look_up)
        self._header = ""
        self._name: Name | None = None
        self._shown: ScramKeys | None = None
        self._waiting: Deferred[Turn] | None = None

    async def first(self, message: bytes) -> bytes:
        """Answers client-first-message with server-first-message (RFC 5802 section 5).

        The same whether there is such an account or not. An authzid is refused even if it is the
        account's own name, as the library knows none.

        Args:
            message: as the client sent it, base64 undone.

        Raises:
            BadPassword: it is malformed, asks for channel binding or to act for somebody, or names
                what can't be a nick.
        """
        if self._header or self._server is None:
            raise self._refused()
        text = self._text(message)
        header = _GS2_HEADER.match(text)
        if header is None:
            raise self._refused()
        self._header = header[0]
        try:
            self._server.set_client_first(text)
            answer: str = self._server.get_server_first()
        except (ScramException, ValueError):
            raise self._refused() from None
        return answer.encode()

    async def final(self, message: bytes) -> tuple[bytes, Account]:
        """Answers client-final-message with server-final-message, and says whose account it is.

        Whoever is no longer interested cancels the Deferred that this coroutine was made into, or
        calls `abandon`: the first that comes is raised here as `CancelledError`.

        Args:
            message: as the client sent it, base64 undone.

        Raises:
            BadPassword: it proves nothing: the password is wrong or was changed meanwhile, there is
                no such account or none with SCRAM keys, or the message is malformed.
            TooFast: too many wrong ones of late.
            Unavailable: what is stored of the account is unusable.
        """
        server, name, self._server = self._server, self._name, None
        if server is None or name is None:
            raise BadPassword
        text = self._text(message)
        self._waiting = self._throttle.turn(self._address, name.key)
        try:
            turn = await self._waiting
        finally:
            self._waiting = None
        try:
            answer = self._check(server, name, text)
            turn.right()
        except BadPassword:
            turn.wrong()
            raise
        finally:
            turn.undecided()
        return answer, Account(name.text, name.key)

    def abandon(self) -> None:
        """Gives up: the place in the queue is free, and no further message is answered."""
        self._server = None
        if self._waiting is not None:
            self._waiting.cancel()

    def _check(self, server: Any, name: Name, text: str) -> bytes:
        try:
            # Once more, as the password may be another one by now.
            real = self._accounts.real(name.key)
        except ValueError as error:
            self.log.error(
                "the verifier of {nick} is unusable: its SCRAM keys are {error}",
                nick=name.text,
                error=str(error),
            )
            raise Unavailable from None
        # RFC 5802 section 7: "c" is the GS2 header again. Not every version of the library looks.
        binding = f"c={b64encode(self._header.encode()).decode()}"
        bound = text.partition(",")[0] == binding
        try:
            server.set_client_final(text)
            answer: str = server.get_server_final()
        except (ScramException, ValueError):
            raise BadPassword from None
        if not bound or real != self._shown:
            raise BadPassword
        return answer.encode()

    def _look_up(self, username: str) -> tuple[bytes, bytes, bytes, int]:
        try:
            self._name = self._rules.nick(username)
        except BadNick:
            raise ScramException("not a nick") from None
        keys = self._shown = self._accounts.shown(self._name.key)
        return keys.salt, keys.stored_key, keys.server_key, keys.iterations

    def _text(self, message: bytes) -> str:
        if len(message) > LONGEST_MESSAGE:
            raise self._refused()
        try:
            return message.decode()
        except UnicodeDecodeError:
            raise self._refused() from None

    def _refused(self) -> BadPassword:
        self._server = None
        return BadPassword(f"that is no message of {MECHANISM} that can be answered here")
