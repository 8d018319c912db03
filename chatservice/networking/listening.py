"""
One listener, as a supervised child: it listens when it is started, says how to connect, and notices
when its socket is lost without anybody having asked for it.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatservice.supervision import Supervised

from .connections import ConnectionFactory
from .listeners import Listener, listen


class Listening(Supervised):
    """
    @param factory: makes the connections.
    @param clock: the reactor's.
    """

    log = Logger()

    def __init__(self, listener: Listener, factory: ConnectionFactory, clock: IReactorTime) -> None:
        self._listener = listener
        self._factory = factory
        factory.stopped = self._lost
        self._clock = clock
        self.port: IListeningPort | None = None

    def __str__(self) -> str:
        return f"listener {self._listener.spec}"

    def startService(self) -> Deferred[None]:
        super().startService()
        return Deferred.fromCoroutine(self._start())

    async def _start(self) -> None:
        self.port = await listen(self._listener, self._factory, self._clock)
        self.log.info("{words}", words=self._words(self.port.getHost()))

    def _words(self, host: IAddress) -> str:
        """How to connect, for the log."""
        tls = self._listener.tls
        number = getattr(host, "port", None)
        if tls is None or number is None:
            return f"listening on {self._listener.spec}"
        return (
            f"listening on {self._listener.spec} - connect with: "
            f"openssl s_client -tls1_3 -quiet -crlf -connect localhost:{number} "
            f"(certificate SHA-256 {tls.fingerprint})"
        )

    def stopService(self) -> Deferred[None] | None:
        super().stopService()
        port, self.port = self.port, None
        return None if port is None else port.stopListening()

    def _lost(self) -> None:
        if self.port is not None:
            self.port = None
            self.fail(Failure(ConnectionLost("the listening socket is lost")))
