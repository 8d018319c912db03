"""
A connection that is kept up: made, made again when it is lost after longer and longer pauses, and
handed out to whoever has something to ask. What is said on it is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from random import uniform
from typing import Any

from twisted.application.internet import ClientService
from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from chatservice.translation.protobuf import chat_pb2 as pb

from .endpoints import Place
from .errors import ClientError, ConnectionGone, Refused, TimedOut
from .events import Connected, Disconnected, Told
from .pins import BadPins
from .protocol import ChatClientFactory, ChatClientProtocol, Listener
from .trust import BadTrust, Untrusted

RetryPolicy = Callable[[int], float]
"""The seconds to wait before the next attempt to connect, after so many that failed."""

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_GROWTH = 1.5

_AGAIN_SECONDS = 1.0
"""How soon a request that came too fast, or could not be answered, is tried again."""


def longer_and_longer(failures: int) -> float:
    """
    The `RetryPolicy` of whoever has none: up to 30 seconds, and of random length, so that not all
    clients of a server that was restarted come at once.
    """
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * _GROWTH ** min(failures, 100))
    return longest * uniform(0.5, 1.0)  # noqa: S311 - nothing to guess


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
    @ivar longest_list: the most items that a list of the server has (`Hello.max_history`).
    @ivar max_text_bytes: the longest text that the server takes; 0 before it was ever connected to.
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
        self._retry = retry or longer_and_longer
        self._connecting = ClientService(
            _Noted(place.endpoint, self._could_not_connect),
            ChatClientFactory(place, self, reactor, keepalive),
            retryPolicy=lambda _: self._retry_in,
            clock=reactor,
        )
        self._connecting.setServiceParent(self)
        self._protocol: ChatClientProtocol | None = None
        # The same, once anybody may use it.
        self._connection: ChatClientProtocol | None = None
        self._waiting: dict[Deferred[None], None] = {}
        self._listeners: list[Callable[[Told], object]] = []
        self._reason = "no connection yet"
        self._failures = 0
        self._retry_in = 0.0
        self._was_connected = False
        self.longest_list = 1
        self.max_text_bytes = 0
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
        return isinstance(error, (Untrusted, BadPins, BadTrust))

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

        def hear_no_more() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return hear_no_more

    def _tell(self, told: Told) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(told)
            except Exception:  # noqa: BLE001 - a listener's defect is its own
                self.log.failure("a listener broke")

    # Connecting, and giving up.

    def stopService(self) -> Deferred[None]:
        if not self.running:
            return succeed(None)
        Service.stopService(self)  # whoever is told of it finds it so
        self._end(ConnectionGone("the client is closed"), closed=True)
        return maybeDeferred(super().stopService)

    def give_up(self, error: ClientError) -> None:
        """It is no use to go on: whoever waits is told why."""
        if self.failure is None:
            self._end(error, closed=False)
            self._tell(Disconnected(str(error), None))
            maybeDeferred(self._connecting.stopService)

    def _end(self, error: ClientError, closed: bool) -> None:
        self.failure = self.failure or error
        if self._protocol is not None:
            self._protocol.leave(self.failure)
        self.given_up(self.failure, closed)
        self._wake()

    def _could_not_connect(self, failure: Failure) -> Failure:
        error = failure.value
        if not isinstance(error, ClientError):
            error = ConnectionGone(failure.getErrorMessage())
        self._interrupted_by(error)
        return failure

    def made(self, protocol: ChatClientProtocol) -> None:
        self._protocol = protocol

    def greeted(self, protocol: ChatClientProtocol, hello: pb.Hello) -> None:
        resuming = Deferred.fromCoroutine(self._begin(protocol, hello))
        resuming.addErrback(self._could_not_resume, protocol)

    async def _begin(self, protocol: ChatClientProtocol, hello: pb.Hello) -> None:
        await self.resume(protocol)
        if self._protocol is not protocol:
            return
        again, self._was_connected = self._was_connected, True
        self.longest_list = max(hello.max_history, 1)
        self.max_text_bytes = hello.max_text_bytes
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
        self._protocol = self._connection = None
        self.interrupted()
        self._interrupted_by(reason)

    def _interrupted_by(self, reason: ClientError) -> None:
        self._reason = str(reason)
        if self.failure is not None:
            return
        if self.hopeless(reason):
            self.give_up(reason)
            return
        # Told here and not when `ClientService` asks for it, in whose midst nobody could stop it.
        # It also counts connections as made that were not even greeted.
        self._failures += 1
        self._retry_in = self._retry(self._failures)
        self._tell(Disconnected(self._reason, self._retry_in))

    # Asking.

    def _wake(self) -> None:
        for waiting in tuple(self._waiting):
            # Whoever was woken before may have given this one up.
            if waiting in self._waiting:
                del self._waiting[waiting]
                waiting.callback(None)

    def _wait(self, seconds: float) -> Deferred[None]:
        """Fires after so long, or when there is a connection, or never will be."""
        waiting: Deferred[None] = Deferred(self._waits_no_more)
        self._waiting[waiting] = None
        if seconds < inf:
            waiting.addTimeout(seconds, self._clock, onTimeoutCancel=lambda *_: None)
        return waiting

    def _waits_no_more(self, waiting: Deferred[None]) -> None:
        self._waiting.pop(waiting, None)

    def _gone(self) -> ClientError | None:
        """Why there will be no connection any more, to be raised; None while there may be."""
        # It is raised again and again, and would drag the tracebacks of all of them along.
        return self.failure and self.failure.with_traceback(None)

    async def _ready(self, deadline: float) -> ChatClientProtocol:
        """
        The connection, once there is one.

        @param deadline: seconds on the clock.
        """
        while self._connection is None:
            if gone := self._gone():
                raise gone
            left = deadline - self._clock.seconds()
            if left <= 0:
                raise TimedOut(f"there is no connection: {self._reason}")
            await self._wait(left)
        return self._connection

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
            left = max(deadline - self._clock.seconds(), 0.0)
            try:
                return await connection.request(left if left < inf else None, **content)
            except ConnectionGone:
                if gone := self._gone():
                    raise gone from None
                if not again:
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
        return self._wait(_AGAIN_SECONDS)

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
