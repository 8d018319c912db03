"""
One connection to one Redis, from its beginning to its end: txredisapi's, with hiredis. It notices
when Redis falls silent, and knows afterwards why it ended, in words that operators understand.
"""

from __future__ import annotations

from typing import Any

import hiredis
import txredisapi
from OpenSSL import SSL
from service_identity import CertificateError, VerificationError
from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost, ConnectionRefusedError
from twisted.internet.interfaces import IDelayedCall, IProtocolFactory, IReactorTime
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

Argument = str | bytes | int

_DONE = Failure(ConnectionDone())


class Wire(txredisapi.HiredisProtocol):  # type: ignore[misc]
    """
    @ivar reason: why it ended.
    @param patience: seconds of silence, while something is asked, after which it is given up.
    """

    def __init__(self, clock: IReactorTime, patience: float) -> None:
        super().__init__(charset=None, convertNumbers=False)
        self._clock = clock
        self._patience = patience
        self._heard = 0.0
        self._watch: IDelayedCall | None = None
        self.reason = ""

    def ask(self, *command: Argument) -> Deferred[Any]:
        """
        Asks something; answers come in the order of the questions.

        @return: fires with bytes, whole numbers, None, and lists of these; fails with
            L{txredisapi.RedisError}.
        """
        if not self.replyQueue.waiting:
            self._heard = self._clock.seconds()
            if self._watch is None:
                self._watch = self._clock.callLater(self._patience, self._look)
        answer: Deferred[Any] = self.execute_command(*command)
        return answer

    def ask_all(self, *commands: tuple[Argument, ...]) -> Deferred[list[Any]]:
        """
        Asks several things at once.

        @return: fires with the answers, L{txredisapi.RedisError}s among them.
        """
        answers = [self.ask(*each).addErrback(lambda failure: failure.value) for each in commands]
        return gatherResults(answers)

    def give_up(self, reason: str) -> None:
        """Ends it at once."""
        self.reason = self.reason or reason
        if self.connected:
            self.transport.abortConnection()

    def ended(self) -> Deferred[Any]:
        """Fires when it has ended, or never began."""
        ended: Deferred[Any] = self.whenDisconnected() if self.connected else succeed(None)
        return ended

    async def end(self, reason: str) -> None:
        """Ends it if it has begun, and waits for that."""
        self.give_up(reason)
        await self.ended()

    def _look(self) -> None:
        """One timer serves all questions: it counts from what was heard last."""
        self._watch = None
        if not self.replyQueue.waiting:
            return
        left = self._heard + self._patience - self._clock.seconds()
        if left > 0:
            self._watch = self._clock.callLater(left, self._look)
        else:
            self.give_up(f"no answer for {self._patience:g} s")

    def dataReceived(self, data: bytes, unpause: bool = False) -> None:
        self._heard = self._clock.seconds()
        try:
            super().dataReceived(data)
        except txredisapi.InvalidData:
            self.give_up("what answers there is no Redis")

    def connectionLost(self, reason: Failure = _DONE) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
        self.reason = self.reason or words_for(reason.value)
        super().connectionLost(reason)

    # What txredisapi does here is for programs that want text and numbers, and takes its time.

    def tryConvertData(self, data: Any) -> Any:
        return data

    def _build_command(self, *command: Argument, **_: object) -> bytes:
        packed: bytes = hiredis.pack_command(command)  # type: ignore[arg-type]
        return packed


def one_wire(wire: Wire) -> IProtocolFactory:
    """What connects this one, and says nothing of it in the log."""
    factory = Factory.forProtocol(lambda: wire)
    factory.noisy = False
    return factory


def words_for(error: BaseException | None) -> str:
    """Why there is no connection any more, or none at all."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, (ConnectionDone, ConnectionLost)):
        return "the connection was lost"
    if isinstance(error, (VerificationError, CertificateError)):
        return "its certificate is for somebody else"
    if isinstance(error, SSL.Error):
        return f"TLS: {'; '.join(each[-1] for each in error.args[0]) if error.args else 'ended'}"
    return str(error).rstrip(".") or type(error).__name__
