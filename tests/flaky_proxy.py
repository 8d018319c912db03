"""
A way to a server of loopback that breaks when it is told to: cut cables, closed doors, slow lines.
It knows nothing of what is said on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import CannotListenError, ConnectError
from twisted.internet.interfaces import IDelayedCall, IListeningPort, ITCPTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from tests.redis_server import HOST, free_port

reactor: Any = _reactor


class FlakyProxy:
    """
    It listens as soon as it is made, and ends with the test.

    @ivar port: where it listens, also after it has refused.
    @ivar accepted: how many connections it has taken.
    @param upstream: the port of the server.
    @param contexts: makes it speak TLS to whoever connects (as a server's
        L{twisted.internet.ssl.CertificateOptions} does), and none to the server.
    """

    def __init__(self, case: TestCase, upstream: int, contexts: Any = None) -> None:
        self.upstream = upstream
        self.accepted = 0
        self.is_cut = False
        self.seconds = 0.0
        self.sides: list[_Side] = []
        factory: Any = _Nears(self)
        if contexts is not None:
            factory = TLSMemoryBIOFactory(contexts, False, factory)
            factory.noisy = False
        self._factory = factory
        self._listening: IListeningPort | None = None
        while True:
            self.port = free_port()
            try:
                self._listen()
                break
            except CannotListenError:
                continue
        case.addCleanup(lambda: Deferred.fromCoroutine(self.refuse()))

    def _listen(self) -> None:
        self._listening = reactor.listenTCP(self.port, self._factory, interface=HOST)

    def cut(self) -> None:
        """Nothing goes through any more, and nobody is told; whoever connects now hangs."""
        self.is_cut = True
        for side in self.sides:
            side.pause()

    async def refuse(self) -> None:
        """Aborts all connections, and takes none."""
        listening, self._listening = self._listening, None
        if listening is not None:
            await cast("Deferred[None]", listening.stopListening())
        await self.abort()

    async def abort(self) -> None:
        """Aborts all connections; the next ones are as welcome as they were."""
        for side in list(self.sides):
            await side.abort()
        self.sides.clear()

    def heal(self) -> None:
        """All is well again. What a cut has held back arrives now, as it does with TCP."""
        self.is_cut = False
        if self._listening is None:
            self._listen()
        for side in list(self.sides):
            side.go_on()

    def delay(self, seconds: float) -> None:
        """From now on all that is said takes so much longer, in each direction."""
        self.seconds = seconds


class _Side(Protocol):
    """One end of a connection through the proxy: what comes is written to the other."""

    other: _Side | None = None

    def __init__(self, proxy: FlakyProxy) -> None:
        self._proxy = proxy
        self._lost: Deferred[None] = Deferred()
        self._late: list[IDelayedCall] = []

    def connectionMade(self) -> None:
        self._proxy.sides.append(self)
        if self._proxy.is_cut:
            self.pause()

    def dataReceived(self, data: bytes) -> None:
        self._later(self._write, data)

    def connectionLost(self, reason: Failure = Failure(Exception())) -> None:  # noqa: B008
        self._later(self._close)
        self._lost.callback(None)

    def _write(self, data: bytes) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def _close(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.loseConnection()

    def _later(self, call: Callable[..., None], *arguments: object) -> None:
        """Calls as late as the proxy says, in order."""
        if not self._proxy.seconds and not self._late:
            call(*arguments)
            return

        def due() -> None:
            self._late.pop(0)
            call(*arguments)

        self._late.append(reactor.callLater(self._proxy.seconds, due))

    def pause(self) -> None:
        if not self._lost.called:
            cast(Any, self.transport).pauseProducing()

    def go_on(self) -> None:
        if not self._lost.called:
            cast(Any, self.transport).resumeProducing()

    async def abort(self) -> None:
        """Ends it, with all that is on its way."""
        if not self._lost.called:
            cast(ITCPTransport, self.transport).abortConnection()
            await self._lost
        for late in self._late:
            late.cancel()
        self._late.clear()


class _Near(_Side):
    """Whoever connects to the proxy."""

    def connectionMade(self) -> None:
        self._proxy.accepted += 1
        super().connectionMade()
        self.go_on()

    def go_on(self) -> None:
        """Hears nothing before there is somebody to tell."""
        if self.other is not None:
            super().go_on()
            return
        self.pause()
        if not self._proxy.is_cut:
            self.other = _Side(self._proxy)
            self.other.other = self
            self._connect(self.other)

    def _connect(self, far: _Side) -> None:
        endpoint = TCP4ClientEndpoint(reactor, HOST, self._proxy.upstream)
        connecting = connectProtocol(endpoint, far)

        def connected(_: object) -> None:
            if self._lost.called:
                far._later(far.transport.loseConnection)  # type: ignore[union-attr]
            elif not self._proxy.is_cut:
                super(_Near, self).go_on()

        def refused(failure: Failure) -> None:
            failure.trap(ConnectError)
            if not self._lost.called:
                cast(ITCPTransport, self.transport).abortConnection()

        connecting.addCallbacks(connected, refused)


class _Nears(Factory[_Near]):
    noisy = False

    def __init__(self, proxy: FlakyProxy) -> None:
        self._proxy = proxy

    def buildProtocol(self, addr: object) -> _Near | None:
        near = _Near(self._proxy)
        near.factory = self
        return near
