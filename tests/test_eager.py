"""Eager writes over real sockets."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from typing import Any, cast

from twisted.internet import reactor as _reactor
from twisted.internet.endpoints import AdoptedStreamServerEndpoint, serverFromString
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IPullProducer
from twisted.internet.task import deferLater
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

from chatservice.networking.eager import (
    EagerServer,
    EagerUNIXServer,
    Sharing,
    can_share_ports,
    make_eager,
    sendq_of,
)
from tests.loopback import (
    PATIENCE,
    Recorder,
    Recorders,
    client_of,
    in_thread,
    read_all,
    read_exactly,
    reset,
)

reactor: Any = _reactor

CHUNK = bytes(range(256)) * 256
LARGE = CHUNK * 64


class EagerCase(TestCase):
    """One eager server on loopback."""

    async def connect(self) -> tuple[Recorder, EagerServer, socket.socket]:
        """Listen, connect a blocking client, and return both ends."""
        factory = Recorders()
        port = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(factory)
        self.addCleanup(port.stopListening)
        self.assertTrue(make_eager(port))
        client = client_of(port)
        self.addCleanup(client.close)
        server = await factory.next()
        transport = cast(EagerServer, server.transport)
        self.addCleanup(self._abort, server)
        return server, transport, client

    async def _abort(self, server: Recorder) -> None:
        if not server.is_lost:
            cast(EagerServer, server.transport).abortConnection()
            await server.lost

    def fill(self, transport: EagerServer) -> bytes:
        """Write until the socket takes no more; return what was written."""
        written = []
        while not transport.queued_bytes:
            transport.write(CHUNK)
            written.append(CHUNK)
        return b"".join(written)


class WriteTests(EagerCase):
    async def test_a_write_is_sent_before_the_reactor_turns(self) -> None:
        _, transport, client = await self.connect()

        transport.write(b"at once")

        self.assertEqual(client.recv(100), b"at once")
        self.assertEqual(transport.queued_bytes, 0)
        self.assertNotIn(transport, reactor.getWriters())

    async def test_a_slow_reader_gets_every_byte_in_order_before_the_close(self) -> None:
        _, transport, client = await self.connect()

        written = [self.fill(transport)]
        for number in range(300):
            piece = b"%d;" % number * (number * 7 % 400)
            transport.write(piece)
            written.append(piece)
        transport.loseConnection()

        self.assertEqual(await in_thread(lambda: read_all(client)), b"".join(written))

    def drain(self, client: socket.socket) -> bytes:
        """Read what has arrived, without a turn of the reactor."""
        client.setblocking(False)
        data = b""
        with contextlib.suppress(BlockingIOError):
            while True:
                data += client.recv(2**20)
        client.settimeout(PATIENCE)
        return data

    async def test_a_write_waits_behind_the_queue_though_the_socket_has_room(self) -> None:
        _, transport, client = await self.connect()
        written = self.fill(transport)

        received = self.drain(client)
        transport.write(b"behind")
        transport.loseConnection()

        received += await in_thread(lambda: read_all(client))
        self.assertEqual(received, written + b"behind")

    async def test_a_write_waits_behind_a_queue_that_is_half_sent(self) -> None:
        _, transport, client = await self.connect()
        written = self.fill(transport) + LARGE
        transport.write(LARGE)
        received = b""
        # The reactor sends a part of the queue at a time.
        while transport.queued_bytes > len(LARGE) // 2:
            received += self.drain(client)
            await deferLater(reactor, 0)
        self.assertGreater(transport.queued_bytes, 0)

        received += self.drain(client)
        transport.write(b"behind")
        transport.loseConnection()

        received += await in_thread(lambda: read_all(client))
        self.assertEqual(received, written + b"behind")

    async def test_writes_are_eager_again_once_the_queue_is_drained(self) -> None:
        server, transport, client = await self.connect()
        written = self.fill(transport)
        await in_thread(lambda: read_exactly(client, len(written)))
        client.sendall(b"drained")
        await server.bytes_received(7)
        self.assertEqual(transport.queued_bytes, 0)

        transport.write(b"at once")

        self.assertEqual(client.recv(100), b"at once")

    async def test_nothing_is_written_for_no_bytes(self) -> None:
        _, transport, client = await self.connect()

        transport.write(b"")
        transport.writeSequence([])

        self.assertNotIn(transport, reactor.getWriters())
        transport.loseConnection()
        self.assertEqual(await in_thread(lambda: read_all(client)), b"")

    async def test_a_sequence_is_one_string(self) -> None:
        _, transport, client = await self.connect()

        transport.writeSequence([b"one ", b"", b"two"])

        self.assertEqual(client.recv(100), b"one two")

    async def test_anything_but_bytes_is_refused(self) -> None:
        _, transport, _ = await self.connect()

        for wrong in ("text", bytearray(b"mutable"), None):
            self.assertRaises(TypeError, transport.write, wrong)

    async def test_a_write_while_closing_is_still_sent(self) -> None:
        _, transport, client = await self.connect()

        transport.loseConnection()
        transport.write(b"goodbye")

        self.assertEqual(await in_thread(lambda: read_all(client)), b"goodbye")

    async def test_a_write_after_an_abort_is_dropped(self) -> None:
        server, transport, client = await self.connect()

        transport.abortConnection()
        transport.write(b"too late")
        await server.lost
        transport.write(b"later still")

        self.assertRaises(ConnectionResetError, client.recv, 100)


class LostConnectionTests(EagerCase):
    async def test_a_reset_is_never_told_inside_a_write(self) -> None:
        server, transport, client = await self.connect()
        reset(client)

        for _ in range(50):
            transport.write(CHUNK)
            self.assertFalse(server.is_lost)
        reason = await server.lost

        self.assertIsInstance(reason, ConnectionLost)
        self.assertEqual(transport.queued_bytes, 0)

    async def test_a_lost_connection_may_be_closed_and_aborted_before_it_is_told(self) -> None:
        server, transport, client = await self.connect()
        reset(client)

        transport.write(b"into the void")
        transport.loseConnection()
        transport.abortConnection()

        self.assertIsInstance(await server.lost, ConnectionLost)

    async def test_a_reset_with_bytes_in_the_queue_is_told_once(self) -> None:
        server, transport, client = await self.connect()
        exceeded: list[int] = []
        self.fill(transport)
        transport.limit_sendq(2**24, lambda: exceeded.append(1))

        reset(client)
        reason = await server.lost
        transport.write(CHUNK)

        self.assertIsInstance(reason, ConnectionLost)
        self.assertEqual(exceeded, [])

    async def test_a_client_that_leaves_ends_the_connection_as_usual(self) -> None:
        server, transport, client = await self.connect()
        transport.write(b"seen")
        self.assertEqual(client.recv(100), b"seen")

        client.close()

        self.assertIsInstance(await server.lost, ConnectionDone)


class SendqTests(EagerCase):
    async def test_the_limit_is_told_exactly_once(self) -> None:
        _, transport, _ = await self.connect()
        queued: list[int] = []
        transport.limit_sendq(300_000, lambda: queued.append(transport.queued_bytes))

        self.fill(transport)
        for _ in range(20):
            transport.write(CHUNK)

        self.assertEqual(len(queued), 1)
        self.assertGreater(queued[0], 300_000)
        self.assertLessEqual(queued[0], 300_000 + len(CHUNK))

    async def test_a_queue_up_to_the_limit_is_allowed(self) -> None:
        _, transport, _ = await self.connect()
        exceeded: list[int] = []
        self.fill(transport)
        transport.limit_sendq(transport.queued_bytes + 10, lambda: exceeded.append(1))

        transport.write(b"0123456789")
        self.assertEqual(exceeded, [])
        transport.write(b"!")

        self.assertEqual(exceeded, [1])

    async def test_the_connection_may_be_aborted_when_it_is_exceeded(self) -> None:
        server, transport, _ = await self.connect()
        transport.limit_sendq(1000, transport.abortConnection)

        self.fill(transport)

        self.assertFalse(server.is_lost)
        await server.lost

    async def test_a_reader_that_keeps_up_never_exceeds_any_limit(self) -> None:
        _, transport, client = await self.connect()
        exceeded: list[int] = []
        transport.limit_sendq(0, lambda: exceeded.append(1))

        for _ in range(100):
            transport.write(b"x" * 1000)
            read_exactly(client, 1000)

        self.assertEqual(exceeded, [])


class PushProducer:
    """Remembers what it was told, and fires what waits for it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.on_resume: Callable[[], None] = lambda: None

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")
        self.on_resume()

    def stopProducing(self) -> None:
        self.told.append("stop")


@implementer(IPullProducer)
class PullProducer:
    """Writes one line each time that it is asked, then closes."""

    def __init__(self, transport: EagerServer, lines: int) -> None:
        self.transport = transport
        self.lines = lines

    def resumeProducing(self) -> None:
        if self.lines:
            self.transport.write(b"line %d\n" % self.lines)
            self.lines -= 1
        else:
            self.transport.unregisterProducer()
            self.transport.loseConnection()

    def stopProducing(self) -> None:
        raise AssertionError("stopped before its end")


class ProducerTests(EagerCase):
    async def test_a_push_producer_rests_while_the_queue_is_long(self) -> None:
        _, transport, client = await self.connect()
        producer = PushProducer()
        transport.registerProducer(cast(Any, producer), True)
        producer.on_resume = transport.loseConnection

        written = self.fill(transport)
        while transport.queued_bytes <= transport.bufferSize:
            self.assertEqual(producer.told, [])
            transport.write(b"x" * 1000)
            written += b"x" * 1000
        self.assertEqual(producer.told, ["pause"])
        producer.on_resume = lambda: (transport.unregisterProducer(), transport.loseConnection())[1]

        self.assertEqual(await in_thread(lambda: read_all(client)), written)
        self.assertEqual(producer.told, ["pause", "resume"])

    async def test_a_pull_producer_is_asked_until_it_is_done(self) -> None:
        _, transport, client = await self.connect()

        transport.registerProducer(cast(Any, PullProducer(transport, 5)), False)

        text = await in_thread(lambda: read_all(client))
        self.assertEqual(text, b"line 5\nline 4\nline 3\nline 2\nline 1\n")


class MakeEagerTests(TestCase):
    """Whatever made the port, what it accepts is eager."""

    async def check(self, endpoint: Any, connect: Callable[[IListeningPort], socket.socket]) -> Any:
        factory = Recorders()
        port = await endpoint.listen(cast(IProtocolFactory, factory))
        self.addCleanup(port.stopListening)
        self.assertTrue(make_eager(port))
        self.assertTrue(make_eager(port))
        client = connect(port)
        self.addCleanup(client.close)
        server = await factory.next()
        sendq = sendq_of(server.transport)
        assert server.transport is not None
        server.transport.write(b"at once")
        self.assertEqual(client.recv(100), b"at once")
        client.close()
        await server.lost
        return sendq

    def connect_unix(self, path: str) -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.connect(path)
        return client

    async def test_tcp(self) -> None:
        endpoint = serverFromString(reactor, "tcp:0:interface=127.0.0.1")
        self.assertIsInstance(await self.check(endpoint, client_of), EagerServer)

    async def test_tcp_on_a_port_that_is_shared(self) -> None:
        endpoint = serverFromString(Sharing(reactor), "tcp:0:interface=127.0.0.1")
        self.assertIsInstance(await self.check(endpoint, client_of), EagerServer)

    async def test_a_unix_socket(self) -> None:
        path = os.path.relpath(self.mktemp())
        endpoint = serverFromString(reactor, f"unix:{path}")
        sendq = await self.check(endpoint, lambda _: self.connect_unix(path))
        self.assertIsInstance(sendq, EagerUNIXServer)

    async def test_a_socket_that_was_handed_down(self) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        endpoint = AdoptedStreamServerEndpoint(
            reactor, os.dup(listening.fileno()), listening.family
        )
        listening.close()
        self.assertIsInstance(await self.check(endpoint, client_of), EagerServer)

    async def test_behind_a_proxy(self) -> None:
        def connect(port: IListeningPort) -> socket.socket:
            client = client_of(port)
            client.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")
            return client

        endpoint = serverFromString(reactor, "haproxy:tcp:0:interface=127.0.0.1")
        self.assertIsInstance(await self.check(endpoint, connect), EagerServer)

    def test_another_kind_of_port_is_left_alone(self) -> None:
        port = MemoryReactorClock().listenTCP(0, Recorders())
        self.assertFalse(make_eager(port))


class DescriptorTests(TestCase):
    async def test_bytes_stay_behind_a_descriptor_that_waits(self) -> None:
        path = os.path.relpath(self.mktemp())
        factory = Recorders()
        port = await serverFromString(reactor, f"unix:{path}").listen(factory)
        self.addCleanup(port.stopListening)
        make_eager(port)
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(30)
        client.connect(path)
        self.addCleanup(client.close)
        server = await factory.next()
        transport = cast(Any, server.transport)

        transport.sendFileDescriptor(client.fileno())
        transport.write(b"x")

        self.assertEqual(transport.queued_bytes, 1)

        def receive() -> bytes:
            data, descriptors, _, _ = socket.recv_fds(client, 10, 1)
            for descriptor in descriptors:
                os.close(descriptor)
            return data * len(descriptors)

        self.assertEqual(await in_thread(receive), b"x")
        client.close()
        await server.lost


class SharingTests(SynchronousTestCase):
    def test_a_system_may_know_of_no_shared_ports(self) -> None:
        self.assertTrue(can_share_ports())
        self.addCleanup(setattr, socket, "SO_REUSEPORT", socket.SO_REUSEPORT)
        del socket.SO_REUSEPORT
        self.assertFalse(can_share_ports())


class SendqOfTests(SynchronousTestCase):
    def test_a_wrapper_is_looked_through(self) -> None:
        wrapper = ProtocolWrapper(WrappingFactory(Recorders()), Recorder())
        wrapper.transport = server = EagerServer.__new__(EagerServer)
        self.assertIs(sendq_of(wrapper), server)

    def test_a_transport_without_a_queue_has_none(self) -> None:
        self.assertIsNone(sendq_of(StringTransport()))
        self.assertIsNone(sendq_of(None))
