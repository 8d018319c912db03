"""
One listener, as a supervised child: it listens when it is started, says how to connect, and notices
when its socket is lost without anybody having asked for it.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError, ConnectionLost
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatservice.supervision import CannotStart, Supervised

from .listeners import BadListener, Listener, listen


class Watched(ServerFactory):
    """
    A factory that somebody watches.

    @ivar stopped: called when nothing listens for it any more, whoever saw to that.
    """

    stopped: Callable[[], None] | None = None

    def stopFactory(self) -> None:
        super().stopFactory()
        if self.stopped is not None:
            self.stopped()


class Listening(Supervised):
    """
    @ivar listener: where it listens.
    @param factory: makes the connections.
    @param clock: the reactor's.
    @param origin: where the listener's string was given, in words for whoever wrote it.
    """

    log = Logger()

    def __init__(
        self, listener: Listener, factory: Watched, clock: IReactorTime, origin: str = ""
    ) -> None:
        self.listener = listener
        self._factory = factory
        factory.stopped = self._lost
        self._clock = clock
        self._origin = origin
        self.port: IListeningPort | None = None

    def __str__(self) -> str:
        return f"listener {self.listener.spec}"

    def startService(self) -> Deferred[None]:
        super().startService()
        return Deferred.fromCoroutine(self._start())

    async def _start(self) -> None:
        try:
            self.port = await listen(self.listener, self._factory, self._clock)
        except BadListener as bad:
            raise CannotStart(f"{self._origin}: {bad}" if self._origin else str(bad)) from None
        except CannotListenError as error:
            raise CannotStart(str(error)) from None
        self._announce(self.port.getHost())

    def _announce(self, host: IAddress) -> None:
        """Says how to connect."""
        tls = self.listener.tls
        spec = str(self.listener.spec)
        port = getattr(host, "port", None)
        if port is None:
            self.log.info("listening on {listener}", listener=spec)
        elif tls is None:
            where = f"{getattr(host, 'host', '')}:{port}"
            self.log.info("listening on {listener} ({address})", listener=spec, address=where)
        elif self.listener.is_for_proxies:
            self.log.info(
                "listening on {listener} (certificate SHA-256 {fingerprint})",
                listener=spec,
                fingerprint=tls.fingerprint,
            )
        else:
            self.log.info(
                "listening on {listener} - connect with: "
                "openssl s_client -tls1_3 -quiet -crlf -connect localhost:{port} "
                "(certificate SHA-256 {fingerprint})",
                listener=spec,
                port=port,
                fingerprint=tls.fingerprint,
            )

    def stopService(self) -> Deferred[None] | None:
        super().stopService()
        port, self.port = self.port, None
        return None if port is None else port.stopListening()

    def _lost(self) -> None:
        if self.port is not None:
            self.port = None
            self.fail(Failure(ConnectionLost("the listening socket is lost")))
