"""
A connection that is kept up: made, made again when it is lost after longer and longer pauses, and
handed out to whoever has something to ask. What is said on it is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from twisted.application.internet import ClientService, backoffPolicy
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from chatservice.translation.protobuf import chat_pb2 as pb

from .endpoints import Place
from .errors import ClientError, ConnectionGone, Refused, TimedOut
from .events import Connected, Disconnected, Told
from .protocol import ChatClientFactory, ChatClientProtocol, Listener
from .trust import Untrusted

RetryPolicy = Callable[[int], float]
"""The seconds to wait before the next attempt to connect, after so many that failed."""

_AGAIN_SECONDS = 1.0
"""How soon a request that came too fast, or could not be answered, is tried again."""


class Link(MultiService, Listener):
    """
    What a client is made of: a `MultiService` over a `ClientService`. Whoever inherits says what is
    to be done with a new connection (`resume`), when one is lost (`interrupted`), and when there
    will be none any more (`given_up`).

    @param place: where the server is.
    @param reactor: the clock, and what connects.
    @param timeout: seconds that a request may last.
    @param retry: when to connect again; None for pauses of up to 30 seconds, of random length.
    @param keepalive: seconds of silence after which the server is asked for a sign of life.
    @ivar failure: why there will be no connection any more; None while there may be.
    """

    log = Logger()

    def __init__(
        self,
        place: Place,
        reactor: Any,
        timeout: float,
        retry: RetryPolicy | None,
        keepalive: float,
    ) -> None:
        super().__init__()
        self._place = place
        self._clock: IReactorTime = reactor
        self._timeout = timeout
        self._retry = retry or backoffPolicy(initialDelay=0.5, maxDelay=30.0)
        self._connecting = ClientService(
            _Noted(place.endpoint, self._could_not_connect),
            ChatClientFactory(place, self, reactor, keepalive),
            retryPolicy=self._wait_before,
            clock=reactor,
        )
        self._connecting.setServiceParent(self)
        self._connection: ChatClientProtocol | None = None
        self._waiting: list[Deferred[None]] = []
        self._listeners: list[Callable[[Told], object]] = []
        self._reason = "no connection yet"
        self._failures = 0
        self._was_connected = False
        self.failure: ClientError | None = None

    # For whoever inherits.

    async def resume(self, protocol: ChatClientProtocol) -> None:
        """A new connection, before anybody else may use it."""

    def resumed(self) -> None:
        """Anybody may use it now."""

    def interrupted(self) -> None:
        """The connection is lost."""

    def given_up(self, error: ClientError, closed: bool) -> None:
        """There will be none any more: it is `closed`, or it is no use to go on."""

    def hopeless(self, error: ClientError) -> bool:
        """Is it no use to connect again after that?"""
        return isinstance(error, Untrusted)

    # What is told.

    @property
    def connected(self) -> bool:
        """Is there a connection, with one logged in and in one's rooms?"""
        return self._connection is not None

    @property
    def server(self) -> str:
        """Where the server is, for people."""
        return self._place.shown

    def listen(self, listener: Callable[[Told], object]) -> Callable[[], None]:
        """
        Has a function called with everything that happens but messages (`events.Told`), at once and
        in order.

        @return: call it to hear no more.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _tell(self, told: Told) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(told)
            except Exception:  # noqa: BLE001 - a listener's defect is its own
                self.log.failure("a listener broke")

    # Connecting, and giving up.

    def stopService(self) -> Deferred[None]:
        if self.failure is None:
            self.failure = ConnectionGone("the client is closed")
        if self._connection is not None:
            self._connection.leave()
        self._end(self.failure, closed=True)
        return maybeDeferred(super().stopService)

    def give_up(self, error: ClientError) -> None:
        """It is no use to go on: whoever waits is told why."""
        if self.failure is None:
            self.failure = error
            if self._connection is not None:
                self._connection.leave(error)
            self._tell(Disconnected(str(error), None))
            self._end(error, closed=False)
            maybeDeferred(self._connecting.stopService)

    def _end(self, error: ClientError, closed: bool) -> None:
        self._connection = None
        self._wake()
        self.given_up(error, closed)

    def _could_not_connect(self, failure: Failure) -> Failure:
        if isinstance(failure.value, ClientError):
            self._reason = str(failure.value)
        return failure

    def _wait_before(self, _: int) -> float:
        # `ClientService` counts a connection as made that was not even greeted.
        self._failures += 1
        seconds = self._retry(self._failures)
        if self.failure is None:
            self._tell(Disconnected(self._reason, seconds))
        return seconds

    def greeted(self, protocol: ChatClientProtocol, hello: pb.Hello) -> None:
        resuming = Deferred.fromCoroutine(self._begin(protocol, hello))
        resuming.addErrback(self._could_not_resume, protocol)

    async def _begin(self, protocol: ChatClientProtocol, hello: pb.Hello) -> None:
        await self.resume(protocol)
        again, self._was_connected = self._was_connected, True
        self._connection, self._failures = protocol, 0
        self._tell(Connected(hello.server, hello.version, again))
        self._wake()
        self.resumed()

    def _could_not_resume(self, failure: Failure, protocol: ChatClientProtocol) -> None:
        error = failure.value
        if not isinstance(error, ClientError):
            self.log.failure("the connection could not be resumed", failure)
            error = ConnectionGone("the connection could not be resumed")
        protocol.leave(error)

    def lost(self, protocol: ChatClientProtocol, reason: ClientError) -> None:
        self._reason = str(reason)
        if self._connection is protocol:
            self._connection = None
            self.interrupted()
        if self.hopeless(reason):
            self.give_up(reason)

    # Asking.

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.callback(None)

    async def _ready(self, deadline: float) -> ChatClientProtocol:
        """
        The connection, once there is one.

        @param deadline: seconds on the clock.
        """
        while self._connection is None:
            if self.failure is not None:
                raise self.failure
            left = deadline - self._clock.seconds()
            if left <= 0:
                raise TimedOut(f"there is no connection: {self._reason}")
            waiting: Deferred[None] = Deferred(self._waits_no_more)
            self._waiting.append(waiting)
            if left < inf:
                waiting.addTimeout(left, self._clock, onTimeoutCancel=lambda *_: None)
            await waiting
        return self._connection

    def _waits_no_more(self, waiting: Deferred[None]) -> None:
        self._waiting.remove(waiting)

    def _deadline(self, timeout: float | None) -> float:
        return self._clock.seconds() + (self._timeout if timeout is None else timeout)

    async def call(
        self, timeout: float | None = None, *, again: bool = True, **content: Any
    ) -> pb.ServerFrame:
        """
        Asks the server anything.

        @param again: ask again on the next connection, if this one is lost before the answer comes.
        @param content: names the one field of `ClientFrame` (chat.proto).
        @return: the answer.
        """
        deadline = self._deadline(timeout)
        while True:
            connection = await self._ready(deadline)
            left = deadline - self._clock.seconds()
            try:
                return await connection.request(left if left < inf else None, **content)
            except ConnectionGone:
                if not again or self.failure is not None:
                    raise
            except Refused as refused:
                if refused.code != "TOO_FAST" or self.too_late(deadline):
                    raise
                await self.pause()

    async def ask(self, protocol: ChatClientProtocol, **content: Any) -> pb.ServerFrame:
        """A request while a connection is being resumed: it is patient."""
        while True:
            try:
                return await protocol.request(self._timeout, **content)
            except Refused as refused:
                if refused.code != "TOO_FAST":
                    raise
                await self.pause()

    def pause(self) -> Deferred[None]:
        """Waits until something that came too fast may be tried again."""
        return deferLater(self._clock, _AGAIN_SECONDS)

    def too_late(self, deadline: float) -> bool:
        """Is there no time for another attempt?"""
        return self._clock.seconds() + _AGAIN_SECONDS > deadline


@implementer(IStreamClientEndpoint)
class _Noted:
    """An endpoint whose failures somebody wants to know."""

    def __init__(self, endpoint: IStreamClientEndpoint, note: Callable[[Failure], Failure]) -> None:
        self._endpoint = endpoint
        self._note = note

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """See `IStreamClientEndpoint`."""
        connecting: Deferred[IProtocol] = self._endpoint.connect(protocolFactory)
        return connecting.addErrback(self._note)
