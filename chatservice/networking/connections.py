"""
All connections together: the factory that makes them, the clock that watches them, and their end
when the service stops.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from chatservice.controller.session import Session
from chatservice.supervision import Supervised
from chatservice.translation.interface import IDialect

from .admission import LOCAL, Admission, Refusal, address_group, plain_address
from .connection import Connection
from .hall import Hall
from .listening import Watched

_SWEEP_SECONDS = 1.0

_DRAIN_SECONDS = 0.5
"""How much longer than for a client a stop waits for the journal, which may be what broke."""


class Connections(Supervised):
    """
    The live connections, a supervised child. It stops by taking leave: nothing more is read, what
    was said is stored and answered, everybody is told, and the connections are closed.

    @param drain: fires when everything that was said is stored and delivered.
    @param patience: seconds that clients have, at the end, to read what was sent and to close.
    @ivar by_dialect: how many connections speak each dialect.
    @ivar most: how many there were at once, at most.
    @ivar overflowed: how many were closed because they did not read.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        admission: Admission,
        drain: Callable[[], Deferred[None]],
        patience: float = 2.0,
    ) -> None:
        self._clock = clock
        self.admission = admission
        self._drain = drain
        self._patience = patience
        self._live: set[Connection] = set()
        self._departed: list[Session] = []
        self._empty: Deferred[None] | None = None
        self._sweeping = LoopingCall(self._sweep)
        self._sweeping.clock = clock
        self.by_dialect: Counter[str] = Counter()
        self.most = 0
        self.overflowed = 0

    def __len__(self) -> int:
        return len(self._live)

    # What connections tell (`hall.Registry`).

    def add(self, connection: Connection) -> None:
        self._live.add(connection)
        if len(self._live) > self.most:
            self.most = len(self._live)

    def discard(self, connection: Connection) -> None:
        self._live.discard(connection)
        self.admission.release(connection.host)
        if connection.dialect_name:
            self.by_dialect[connection.dialect_name] -= 1
        if not self._live and self._empty is not None:
            empty, self._empty = self._empty, None
            empty.callback(None)

    def moves(self, connection: Connection, host: str) -> Refusal | None:
        return self.admission.move(connection.host, host)

    def departed(self, session: Session) -> None:
        if self.running:
            # Its end took longer than the stop.
            session.close("connection closed")
        else:
            self._departed.append(session)

    def speaks(self, connection: Connection, before: str) -> None:
        if before:
            self.by_dialect[before] -= 1
        self.by_dialect[connection.dialect_name] += 1

    def sendq_exceeded(self) -> None:
        self.overflowed += 1

    # Time.

    def _sweep(self) -> None:
        now = self._clock.seconds()
        for connection in list(self._live):
            connection.check(now)

    # Being supervised.

    def startService(self) -> None:
        super().startService()
        self._sweeping.start(_SWEEP_SECONDS, now=False).addErrback(self.fail)
        # The process did not end with the last stop, so nobody else has logged these out.
        departed, self._departed = self._departed, []
        for session in departed:
            session.close("connection closed")

    def stopService(self) -> Deferred[None]:
        super().stopService()
        if self._sweeping.running:
            self._sweeping.stop()
        return Deferred.fromCoroutine(self._take_leave())

    async def _take_leave(self) -> None:
        for connection in list(self._live):
            connection.stop_reading()
        await self._drain().addTimeout(
            self._patience + _DRAIN_SECONDS, self._clock, lambda *_: None
        )
        for connection in list(self._live):
            connection.close("the server stops")
        if self._live:
            late = self._clock.callLater(self._patience, self._abort)
            self._empty = Deferred()
            await self._empty
            if late.active():
                late.cancel()

    def _abort(self) -> None:
        for connection in list(self._live):
            connection.transport.abortConnection()


class ConnectionFactory(Watched):
    """
    Makes the connections of one listener.

    @param fixed: the dialect that all of them speak, or None to find out.
    @param encrypted: is there TLS below?
    """

    log = Logger()
    noisy = False

    def __init__(
        self, hall: Hall, admission: Admission, fixed: IDialect | None, encrypted: bool
    ) -> None:
        self._hall = hall
        self._admission = admission
        self._fixed = fixed
        self._encrypted = encrypted

    def buildProtocol(self, addr: IAddress | None) -> Connection | None:
        host = plain_address(getattr(addr, "host", "")) or LOCAL
        refusal = self._admission.admit(host)
        if refusal is not None:
            self.log.info("{host} is refused: {refusal}", host=host, refusal=refusal.value)
            return None
        return Connection(self._hall, host, address_group(host), self._fixed, self._encrypted)
