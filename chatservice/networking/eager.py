"""Transports that send at once: a write goes to the socket in the same call when nothing is
queued before it, and only what the socket would not take waits for the reactor. What waits is
the connection's sendq, which can be limited. And ports of such transports that several processes
listen on together. No protocol, no TLS and no policy lives here.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from errno import ENOBUFS, EWOULDBLOCK
from typing import Any, Protocol, cast

from twisted.internet import tcp, unix
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IReactorTime
from twisted.internet.main import CONNECTION_LOST
from twisted.python.failure import Failure

# What a socket without room says, as tcp.Connection.writeSomeData knows it.
_FULL = frozenset({EWOULDBLOCK, ENOBUFS})


class Sendq(Protocol):
    """Bytes that wait for a slow reader, and the limit on them."""

    @property
    def queued_bytes(self) -> int:
        """Bytes that the socket has not taken yet."""

    def limit_sendq(self, limit_bytes: int, exceeded: Callable[[], None]) -> None:
        """Have `exceeded` called once when more than `limit_bytes` bytes wait."""


class EagerWrites(tcp.Server):
    """A server transport whose `write` tries the socket before it queues anything.

    Connection loss is never delivered inside `write`, but in a later turn of the reactor.
    """

    # A producer waits while more than this waits for the socket: long answers are written with it,
    # and must stay well below any limit of the sendq.
    bufferSize = 2**14
    # Class attributes are the defaults, so that an unlimited connection pays no memory.
    _sendq_limit = 0
    _sendq_exceeded: Callable[[], None] | None = None

    @property
    def queued_bytes(self) -> int:
        """Bytes accepted by `write` that the socket has not taken yet."""
        return len(self.dataBuffer) - self.offset + self._tempDataLen

    def limit_sendq(self, limit_bytes: int, exceeded: Callable[[], None]) -> None:
        """Watch the queue of a slow reader.

        The limit is looked at only when something has to be queued, so a reader that keeps up
        costs nothing. `exceeded` runs inside that `write`; it may call `abortConnection`, whose
        `connectionLost` comes later from the reactor.

        Args:
            limit_bytes: the most bytes that may wait.
            exceeded: called once, the first time that more wait; never again afterwards.
        """
        self._sendq_limit = limit_bytes
        self._sendq_exceeded = exceeded

    def write(self, data: bytes) -> None:
        """Send `data` now if nothing waits before it, and queue what the socket does not take.

        Args:
            data: the bytes; `b""` does nothing.

        Raises:
            TypeError: if `data` is not bytes.
        """
        if (
            self._tempDataLen
            or self.dataBuffer
            or not self.connected
            or type(data) is not bytes
            # A pull producer is asked for more by doWrite alone, which only runs after queueing.
            or (self.producer is not None and not self.streamingProducer)
            or self._aborting
            or self._writeDisconnected
            or self.TLS
        ):
            self._queue(data)
            return
        if not data:
            return
        try:
            sent = self.socket.send(data)
        except OSError as error:
            if error.errno not in _FULL:
                self._lose_later()
                return
            sent = 0
        if sent != len(data):
            self._queue(data[sent:] if sent else data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write all of `iovec` as one string: one system call for all of it."""
        self.write(b"".join(iovec))

    def connectionLost(self, reason: Failure) -> None:
        """Forget the callback, which usually holds the connection that holds this transport."""
        self._sendq_exceeded = None
        super().connectionLost(reason)

    def _queue(self, data: bytes) -> None:
        if self._aborting:
            return
        super().write(data)
        exceeded = self._sendq_exceeded
        if exceeded is not None and self.queued_bytes > self._sendq_limit:
            self._sendq_exceeded = None
            exceeded()

    def _lose_later(self) -> None:
        # A socket tells an error once: left to the reactor, it would look like an orderly end.
        self._aborting = True
        self.stopReading()
        self.stopWriting()
        clock = cast(IReactorTime, self.reactor)
        clock.callLater(0, self.connectionLost, Failure(CONNECTION_LOST))


class EagerServer(EagerWrites):
    """`tcp.Server` with eager writes."""


class EagerUNIXServer(EagerWrites, unix.Server):
    """`unix.Server` with eager writes; a descriptor that waits to be sent keeps its place."""

    def write(self, data: bytes) -> None:
        """As `EagerWrites.write`, but behind any file descriptor still to be sent."""
        if self._sendmsgQueue:
            self._queue(data)
        else:
            super().write(data)


class SharedPort(tcp.Port):
    """A TCP port that others may listen on too: the kernel deals the connections out.

    Every one of them has to ask for it, and to be of the same user (socket(7), SO_REUSEPORT).
    """

    transport = EagerServer

    def createInternetSocket(self) -> socket.socket:
        """Make the socket; the option counts only if it is set before the socket is bound."""
        made: socket.socket = super().createInternetSocket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return made


class Sharing:
    """What an endpoint is given for a reactor, to listen on a port that it shares.

    Args:
        reactor: the reactor itself.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor

    def listenTCP(
        self, port: int, factory: IProtocolFactory, backlog: int = 50, interface: str = ""
    ) -> SharedPort:
        """As `IReactorTCP.listenTCP`."""
        shared = SharedPort(port, factory, backlog, interface, self._reactor)
        shared.startListening()
        return shared


def can_share_ports() -> bool:
    """Return whether this system knows of ports that are shared."""
    return hasattr(socket, "SO_REUSEPORT")


_EAGER: dict[type[tcp.Server], type[EagerWrites]] = {
    tcp.Server: EagerServer,
    unix.Server: EagerUNIXServer,
}


def make_eager(port: IListeningPort) -> bool:
    """Give the connections that `port` accepts from now on eager writes.

    Args:
        port: what `IStreamServerEndpoint.listen` gave. Whichever endpoint string made it (tcp,
            unix, systemd, haproxy), a stream port of Twisted's own is a `tcp.Port`.

    Returns:
        Whether it could: False for a port of another kind, or with a transport of its own.
    """
    if not isinstance(port, tcp.Port):
        return False
    eager = _EAGER.get(port.transport)
    if eager is None:
        return issubclass(port.transport, EagerWrites)
    # accept() looks the class up on the instance; no subclass of Port is needed.
    port.transport = eager
    return True


def sendq_of(transport: object) -> Sendq | None:
    """Find the sendq under any number of wrappers (TLS, PROXY protocol).

    Args:
        transport: what a protocol has as its `transport`.

    Returns:
        The innermost transport if it has a sendq, else None (a test's `StringTransport`).
    """
    current: object | None = transport
    while current is not None:
        # Asked of the class: wrappers hand every unknown attribute on to what they wrap.
        if hasattr(type(current), "limit_sendq"):
            return cast(Sendq, current)
        current = getattr(current, "transport", None)
    return None
