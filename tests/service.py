"""The whole service in this process, for tests from outside: real sockets and TLS 1.3 on loopback,
a journal of its own, and a time that goes on only when the test says so; and clients to talk to it.
What is right or wrong is not decided here.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from OpenSSL import SSL
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.interfaces import (
    IDelayedCall,
    IOpenSSLClientConnectionCreator,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock, deferLater
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from chatservice.config import Config, Limits
from chatservice.controller.controller import Controller
from chatservice.networking.connection import Connection
from chatservice.networking.connections import Connections
from chatservice.networking.eager import sendq_of
from chatservice.networking.listening import Listening
from chatservice.service import make_chat_service
from chatservice.supervision import Supervisor

HOST = "127.0.0.1"
TLS = f"ssl:0:interface={HOST}"
PLAIN = f"tcp:0:interface={HOST}"
GREETING = "HELLO:"
_KERNEL_BUFFER = 65_536

reactor: Any = _reactor


class SteppedReactor:
    """The real reactor, but for its clock: time stands still until `advance`.

    Sockets and threads work as ever. What is asked for without a delay is done in the next turn;
    what is to be done later is done by `advance`.
    """

    def __init__(self) -> None:
        self._clock = Clock()
        self._clock.rightNow = 1_800_000_000.0

    def seconds(self) -> float:
        return self._clock.seconds()

    def callLater(self, delay: float, call: Callable[..., Any], *a: Any, **kw: Any) -> IDelayedCall:
        clock: Any = self._clock if delay > 0 else reactor
        return cast(IDelayedCall, clock.callLater(delay, call, *a, **kw))

    def advance(self, seconds: float) -> None:
        """Let time pass, a second at a time, and do what is due."""
        while seconds > 0:
            step = min(seconds, 1.0)
            self._clock.advance(step)
            seconds -= step

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)


async def turn() -> None:
    """Let the reactor do what it has to do now."""
    await deferLater(reactor, 0)


async def until(holds: Callable[[], object]) -> None:
    """Wait, turn by turn of the reactor, until something holds. A test that fails times out."""
    while not holds():
        await turn()


class Closed(Exception):
    """The server has closed the connection, and the line that was waited for will not come."""


class Client(Protocol):
    """Somebody who talks to the service, line by line.

    Attributes:
        closed: fires with the lines not read yet when the connection is gone.
        reason: why it is gone.
        seen: every line received so far, without its ending.
        received: every byte received so far.
    """

    transport: Any

    def __init__(self) -> None:
        self.closed: Deferred[list[str]] = Deferred()
        self.reason: Failure | None = None
        self.seen: list[str] = []
        self.received = 0
        self._rest = b""
        self._unread: list[str] = []
        self._reader: Deferred[str] | None = None

    # What the server does.

    def dataReceived(self, data: bytes) -> None:
        self.received += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self.seen.append(line.decode().removesuffix("\r"))
            self._unread.append(self.seen[-1])
        self._hand_out()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reason = reason
        self._hand_out()
        self.closed.callback(self._unread)

    def _hand_out(self) -> None:
        reader = self._reader
        if reader is None:
            return
        if self._unread:
            self._reader = None
            reader.callback(self._unread.pop(0))
        elif self.reason is not None:
            self._reader = None
            reader.errback(Closed(self.reason.getErrorMessage()))

    # What the client does.

    def send(self, *lines: str) -> None:
        """Send lines, all in one write."""
        self.send_raw("".join(line + "\r\n" for line in lines).encode())

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.transport.write(data)

    def line(self) -> Deferred[str]:
        """The next line, the greeting left out; `Closed` if there will be none."""
        reader = self._reader = Deferred()
        self._hand_out()
        return reader.addCallback(lambda line: self.line() if line.startswith(GREETING) else line)

    async def until(self, *beginnings: str) -> str:
        """Read on to a line that begins as one of these, and return it."""
        while not (line := await self.line()).startswith(beginnings):
            pass
        return line

    async def ask(self, request: str) -> str:
        """Send a request, and read on to its answer."""
        self.send(request)
        return await self.until("OK:", "ERR:")

    async def items(self, request: str) -> list[str]:
        """Send a request, and return the items before its answer, without their `ITEM:NAME:`."""
        self.send(request)
        found = []
        while (line := await self.until("ITEM:", "OK:", "ERR:")).startswith("ITEM:"):
            found.append(line.split(":", 2)[2])
        return found

    def read_on(self) -> None:
        """Read again, after `RunningService.stall`."""
        self.transport.resumeProducing()

    def hang_up(self) -> Deferred[list[str]]:
        """Close in good order."""
        self.transport.loseConnection()
        return self.closed

    def vanish(self) -> Deferred[list[str]]:
        """Reset the connection."""
        self.transport.abortConnection()
        return self.closed


@implementer(IOpenSSLClientConnectionCreator)
class Trusting:
    """A TLS client that believes every certificate: what these are is tested elsewhere.

    Args:
        newest: the newest version of TLS that it speaks.
    """

    def __init__(self, newest: int = SSL.TLS1_3_VERSION) -> None:
        self._context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        self._context.set_max_proto_version(newest)

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        return SSL.Connection(self._context, None)


_TRUSTING = Trusting()


class RunningService:
    """The service, started.

    Attributes:
        time: its clock.
        root: its service tree.
        connections: the child that keeps the connections.
        controller: the child that keeps the state.
    """

    def __init__(self, config: Config) -> None:
        self.time = SteppedReactor()
        self.root = make_chat_service(self.time, config)
        self._networking = cast(Supervisor, self.root.getServiceNamed("networking"))
        self.connections = cast(Connections, self._networking.getServiceNamed("connections"))
        self.controller = cast(Controller, self.root.getServiceNamed("controller"))
        self._clients: list[Client] = []

    async def start(self) -> None:
        """Start it, and wait until it listens."""
        await self.root.startService()

    async def stop(self) -> None:
        """Drop every client, and stop it."""
        for client in self._clients:
            if client.reason is None:
                await client.vanish()
        await self.root.stopService()

    @property
    def ports(self) -> list[int]:
        """The port numbers of its listeners, in the order of the settings."""
        listenings = [child for child in self._networking if isinstance(child, Listening)]
        addresses: list[Any] = [child.port.getHost() for child in listenings if child.port]
        return [address.port for address in addresses]

    async def connect(
        self,
        *,
        source: str = HOST,
        listener: int = 0,
        tls: Trusting | None = _TRUSTING,
    ) -> Client:
        """Connect a client. With TLS, the handshake is still to come.

        Args:
            source: the address to come from, of 127.0.0.0/8.
            listener: which one to connect to.
            tls: how TLS is spoken; None for plain text.
        """
        endpoint: IStreamClientEndpoint = TCP4ClientEndpoint(
            reactor, HOST, self.ports[listener], bindAddress=(source, 0)
        )
        if tls is not None:
            endpoint = wrapClientTLS(tls, endpoint)
        client: Client = await connectProtocol(endpoint, Client())
        self._clients.append(client)
        return client

    async def log_in(self, nick: str, **how: Any) -> Client:
        """Connect a client (see `connect`) that is logged in as a guest."""
        client = await self.connect(**how)
        answer = await client.ask(f"LOGIN:{nick}")
        assert answer == f"OK:LOGIN:{nick}", answer
        return client

    async def in_room(self, room: str, *nicks: str) -> list[Client]:
        """Guests who are all in one room, which the first of them owns."""
        clients = [await self.log_in(nick) for nick in nicks]
        await clients[0].ask(f"NEWROOM:{room}")
        for client in clients:
            assert (await client.ask(f"JOINROOM:{room}")).startswith("OK:")
        for client in clients:
            # What the others' coming has made is read.
            await client.ask("PING:")
        return clients

    async def has(self, connections: int) -> None:
        """Wait until the service has so many connections, TLS or not."""
        await until(lambda: len(self.connections) == connections)

    def __iter__(self) -> Iterator[Connection]:
        """The service's side of each connection."""
        return iter(list(self.connections._live))

    def side_of(self, client: Client) -> Connection:
        """The service's side of a client's connection."""
        port = client.transport.getHost().port
        return next(each for each in self if each.transport.getPeer().port == port)

    def stall(self, client: Client) -> None:
        """Have a client read no more, with little room where the kernels would go on for it."""
        for transport, buffer in (
            (client.transport, socket.SO_RCVBUF),
            (self.side_of(client).transport, socket.SO_SNDBUF),
        ):
            raw = getattr(transport, "transport", transport)
            raw.getHandle().setsockopt(socket.SOL_SOCKET, buffer, _KERNEL_BUFFER)
        client.transport.pauseProducing()

    @property
    def queued_bytes(self) -> list[int]:
        """How many bytes wait for each client to read."""
        sendqs = [sendq_of(connection.transport) for connection in self]
        return [sendq.queued_bytes for sendq in sendqs if sendq is not None]


class ServiceCase(TestCase):
    """A test of the whole service."""

    timeout = 120

    def assertStarts(self, text: str, beginning: str) -> None:
        """Fail unless `text` begins so."""
        self.assertEqual(text[: len(beginning)], beginning, text)

    async def serve(
        self,
        *,
        listen: tuple[str, ...] = (TLS,),
        store: str = "memory",
        also: Mapping[str, Any] | None = None,
        **limits: Any,
    ) -> RunningService:
        """Start the service, and stop it after the test.

        Args:
            listen: its endpoints.
            store: `memory`, or `sqlite` in a new folder.
            also: settings of `Config` that have no argument of their own here.
            limits: settings of `Limits`. Unless said, no address is exempt and no rate of messages
                is too fast.
        """
        if store not in ("memory", "sqlite"):
            raise ValueError(store)
        settings: dict[str, Any] = {"messages_per_second": 0, "exempt_addresses": ()} | limits
        config = Config(
            name="chat.example",
            data=Path(self.mktemp()),
            listen=listen,
            store="sqlite" if store == "sqlite" else "memory",
            limits=replace(Limits(stop_seconds=0), **settings),
        )
        service = RunningService(replace(config, **(also or {})))
        await service.start()
        self.addCleanup(lambda: Deferred.fromCoroutine(service.stop()))
        return service
