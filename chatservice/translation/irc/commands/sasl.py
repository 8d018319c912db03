"""
AUTHENTICATE: logging in to an account while registering, or after it.

Specifications: IRCv3 sasl-3.1 and sasl-3.2; RFC 4616 (PLAIN), RFC 4422 appendix A (EXTERNAL), RFC
5802 and 7677 (SCRAM-SHA-256).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from chatservice.controller.errors import BadNick, BadPassword, ChatError
from chatservice.translation.interface import Running
from chatservice.translation.irc import numerics
from chatservice.translation.irc.capabilities import mechanisms
from chatservice.translation.irc.message import ClientMessage
from chatservice.translation.irc.rendering import source

from .table import Command

if TYPE_CHECKING:
    from chatservice.controller.desk import Exchange, Proof
    from chatservice.translation.irc.dialect import IrcDialect

CHUNK = 400
"""Bytes of base64 in one AUTHENTICATE; a shorter one is the last (sasl-3.1)."""

_LONGEST = 4 * CHUNK
"""Bytes of base64 of one message: a password of 1,024 bytes, and the rest."""


class Conversation:
    """
    One attempt to authenticate: gathers chunks to messages.

    @param answer: takes a whole message; it gives the answer to it, or None if that was all.
    @param before: what the client had shown before.
    @param give_up: the client aborts.
    """

    __slots__ = ("_answer", "_gathered", "before", "give_up")

    def __init__(
        self,
        answer: Callable[[bytes], Answer],
        before: Proof | None,
        give_up: Callable[[], None] = lambda: None,
    ) -> None:
        self._answer = answer
        self._gathered = ""
        self.before = before
        self.give_up = give_up

    def gather(self, chunk: str) -> bytes | None:
        """
        Takes one chunk.

        @return: the message, if it is whole.
        @raise BadPassword: it is no base64.
        @raise OverflowError: it is too long.
        """
        self._gathered += "" if chunk == "+" else chunk
        if len(self._gathered) > _LONGEST:
            raise OverflowError
        if len(chunk) == CHUNK:
            return None
        gathered, self._gathered = self._gathered, ""
        try:
            return b64decode(gathered, validate=True)
        except (NotBase64, ValueError):
            raise BadPassword() from None

    def answer(self, message: bytes) -> Answer:
        """The answer to a message."""
        return self._answer(message)


if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    Answer = Coroutine[Any, Any, bytes | None]


def _authenticate(d: IrcDialect, m: ClientMessage) -> Running | None:
    word = m.params[0]
    if not d.has("sasl"):
        d.numeric(numerics.ERR_SASLFAIL)
        return None
    if len(word) > CHUNK:
        abandon(d)
        d.numeric(numerics.ERR_SASLTOOLONG)
        return None
    if word == "*":
        abandon(d)
        d.numeric(numerics.ERR_SASLABORTED)
        return None
    if d.sasl is None:
        _begin(d, word.upper())
        return None
    return _go_on(d, d.sasl, word)


def abandon(d: IrcDialect) -> None:
    """Gives up an attempt that is under way. What it has shown already does not count."""
    if d.sasl is not None:
        d.sasl.give_up()
        d.session.proof = d.sasl.before
        d.sasl = None


def _begin(d: IrcDialect, mechanism: str) -> None:
    if mechanism not in mechanisms(d):
        d.numeric(numerics.RPL_SASLMECHS, ",".join(mechanisms(d)))
        d.numeric(numerics.ERR_SASLFAIL)
        return
    d.sasl = _MECHANISMS[mechanism](d)
    d.write("AUTHENTICATE +\r\n")


async def _go_on(d: IrcDialect, conversation: Conversation, chunk: str) -> None:
    try:
        message = conversation.gather(chunk)
        if message is None:
            return
        answer = await conversation.answer(message)
        if answer is not None:
            _send(d, answer)
            return
        if d.registration is None:
            await d.session.identify()
    except OverflowError:
        abandon(d)
        d.numeric(numerics.ERR_SASLTOOLONG)
    except ChatError as error:
        abandon(d)
        d.numeric(numerics.ERR_SASLFAIL, words=_words(error))
    else:
        d.sasl = None
        logged_in(d)
        d.numeric(numerics.RPL_SASLSUCCESS)


def _words(error: ChatError) -> str | None:
    """What is told of a failure: nothing in particular of a wrong password."""
    if isinstance(error, (BadPassword, BadNick)):
        return None
    return f"{numerics.ERR_SASLFAIL.words}: {error}"


def _send(d: IrcDialect, answer: bytes) -> None:
    data = b64encode(answer).decode()
    chunks = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
    if not chunks or len(chunks[-1]) == CHUNK:
        chunks.append("+")
    for chunk in chunks:
        d.write(f"AUTHENTICATE {chunk}\r\n")


def logged_in(d: IrcDialect) -> None:
    """Tells the client which account it is logged in to."""
    proof = d.session.proof
    assert proof is not None
    account = d.session.state.accounts.get(proof.key)
    name = account.nick if account is not None else proof.name
    user = d.session.state.users.get(d.session.key)
    me = source(user.nick, user.host) if user is not None else source(d.nick, "*")
    d.numeric(numerics.RPL_LOGGEDIN, me, name, words=f"You are now logged in as {name}")


# The mechanisms.


def _plain(d: IrcDialect) -> Conversation:
    async def answer(message: bytes) -> bytes | None:
        try:
            authzid, authcid, password = message.decode().split("\0")
        except ValueError:
            raise BadPassword() from None
        if authzid and authzid != authcid:
            raise BadPassword()
        await d.session.authenticate(authcid, password)
        return None

    return Conversation(answer, d.session.proof)


def _external(d: IrcDialect) -> Conversation:
    async def answer(message: bytes) -> bytes | None:
        try:
            name = message.decode()
        except ValueError:
            raise BadPassword() from None
        d.session.external(d.wire.certfp, name)
        return None

    return Conversation(answer, d.session.proof)


def _scram(d: IrcDialect) -> Conversation:
    exchange = d.session.scram()
    steps = _scram_steps(d, exchange)

    async def answer(message: bytes) -> bytes | None:
        return await next(steps)(message)

    return Conversation(answer, d.session.proof, exchange.abandon)


def _scram_steps(d: IrcDialect, exchange: Exchange) -> Iterator[Callable[[bytes], Answer]]:
    yield exchange.first
    yield lambda message: d.session.scram_final(exchange, message)
    yield _nothing_more


async def _nothing_more(message: bytes) -> None:
    """The client has seen the server's proof, and says so with an empty message."""
    if message:
        raise BadPassword()


_MECHANISMS: dict[str, Callable[[IrcDialect], Conversation]] = {
    "PLAIN": _plain,
    "EXTERNAL": _external,
    "SCRAM-SHA-256": _scram,
}

COMMANDS = (
    Command("AUTHENTICATE", _authenticate, "<mechanism>|<data>|*", "log in (SASL)", 1, False),
)
