"""Real connections on this machine for tests of transports: a server whose protocols can be waited
for, and a client socket outside the reactor, which reads only when it is told to.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from shutil import rmtree
from tempfile import mkdtemp
from typing import cast

from twisted.internet import reactor as _reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorTime
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

PATIENCE = 30.0
clock: IReactorTime = _reactor


class Recorder(Protocol):
    """Keeps what it gets, and can be waited for."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.made: Deferred[Recorder] = Deferred()
        self.lost: Deferred[BaseException | None] = Deferred()
        self.is_lost = False
        self._waiting: list[tuple[int, Deferred[bytes]]] = []

    def connectionMade(self) -> None:
        self.made.callback(self)

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        due = [entry for entry in self._waiting if entry[0] <= len(self.received)]
        self._waiting = [entry for entry in self._waiting if entry not in due]
        for _, waiter in due:
            waiter.callback(bytes(self.received))

    def connectionLost(self, reason: Failure = Failure(Exception())) -> None:  # noqa: B008
        self.is_lost = True
        self.lost.callback(reason.value)

    def bytes_received(self, count: int) -> Deferred[bytes]:
        """Fire with everything received once that is `count` bytes or more."""
        waiter: Deferred[bytes] = Deferred()
        if len(self.received) >= count:
            waiter.callback(bytes(self.received))
        else:
            self._waiting.append((count, waiter))
        return waiter


class Recorders(Factory):
    """Builds recorders, and gives them in the order of their connections."""

    noisy = False

    def __init__(self, make: Callable[[], Recorder] = Recorder) -> None:
        self._make = make
        self._built: list[Recorder] = []
        self._wanted: list[Deferred[Recorder]] = []

    def buildProtocol(self, addr: IAddress | None) -> Recorder | None:
        recorder = self._make()
        recorder.factory = self
        self._built.append(recorder)
        self._hand_out()
        return recorder

    def next(self) -> Deferred[Recorder]:
        """Fire with the next recorder that nobody has asked for, once it is connected."""
        wanted: Deferred[Recorder] = Deferred()
        self._wanted.append(wanted)
        self._hand_out()
        return wanted

    def _hand_out(self) -> None:
        while self._built and self._wanted:
            self._built.pop(0).made.chainDeferred(self._wanted.pop(0))


class Refusing(Factory[Recorder]):
    """Refuses every connection."""

    noisy = False

    def buildProtocol(self, addr: IAddress | None) -> Recorder | None:
        return None


def client_of(port: IListeningPort) -> socket.socket:
    """Connect a blocking socket; the listen queue takes it without the reactor's help."""
    address = cast(IPv4Address, port.getHost())
    client = socket.create_connection(("127.0.0.1", address.port), timeout=PATIENCE)
    # Small, so that a reader that does not read is slow at once.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
    return client


def socket_path(test: TestCase) -> str:
    """A path for a UNIX socket, in a folder that goes with the test: trial's own are too long."""
    folder = mkdtemp()
    test.addCleanup(rmtree, folder, ignore_errors=True)
    return f"{folder}/socket"


def read_all(client: socket.socket) -> bytes:
    """Read until the server closes."""
    chunks = []
    while chunk := client.recv(2**16):
        chunks.append(chunk)
    return b"".join(chunks)


def read_exactly(client: socket.socket, count: int) -> bytes:
    """Read `count` bytes, or less if the server closes before."""
    data = bytearray()
    while len(data) < count and (chunk := client.recv(count - len(data))):
        data += chunk
    return bytes(data)


def in_thread(call: Callable[[], bytes]) -> Deferred[bytes]:
    """Run a blocking call while the reactor goes on."""
    return deferToThread(call)


def reset(client: socket.socket) -> None:
    """Close so that the server gets RST, not FIN."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
