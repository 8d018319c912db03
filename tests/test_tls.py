"""EagerTLS: real TLS 1.3 over loopback, and the records of a client without a socket."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, cast

from twisted.internet import reactor as _reactor
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHandshakeListener, IListeningPort, IProtocolFactory
from twisted.internet.testing import StringTransport
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import directlyProvides

from chatservice.networking.certificates import CertificateFiles, ensure_self_signed
from chatservice.networking.contexts import ServerContext
from chatservice.networking.eager import make_eager, sendq_of
from chatservice.networking.tls import EagerTLS, EagerTLSFactory
from tests.loopback import (
    Recorder,
    Recorders,
    Refusing,
    client_of,
    clock,
    in_thread,
    read_all,
    read_exactly,
    reset,
)

reactor: Any = _reactor

LARGE = bytes(range(251)) * 20_000
SIZES = (1, 100, 2**14 - 1, 2**14, 2**14 + 1, 2**15, 2**15 + 1, 2**16, 3 * 2**15 + 7)


def client_context(
    files: CertificateFiles, alpn: Sequence[str] = (), newest: ssl.TLSVersion | None = None
) -> ssl.SSLContext:
    """A client that trusts the server's own certificate."""
    context = ssl.create_default_context(cafile=files.certificate.path)
    if newest is not None:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = newest
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def secure(context: ssl.SSLContext, client: socket.socket) -> ssl.SSLSocket:
    """Shake hands; blocks, so it belongs into a thread."""
    return context.wrap_socket(client, server_hostname="localhost")


class TLSCase(TestCase):
    """A TLS server on loopback with a certificate of its own."""

    def setUp(self) -> None:
        self.files = ensure_self_signed(FilePath(self.mktemp()), ["chat.example"])
        self.context = ServerContext(self.files, (b"irc", b"chat"))
        self.factory = Recorders()

    async def listen(self, factory: object | None = None) -> IListeningPort:
        """Listen with `factory`, or with one that records."""
        tls = EagerTLSFactory(
            self.context, False, cast(IProtocolFactory, factory or self.factory), clock
        )
        port: IListeningPort = await serverFromString(reactor, "tcp:0:interface=127.0.0.1").listen(
            tls
        )
        self.addCleanup(port.stopListening)
        make_eager(port)
        return port

    def client(self, port: IListeningPort) -> socket.socket:
        """Connect without TLS yet."""
        client = client_of(port)
        self.addCleanup(client.close)
        return client

    async def connect(
        self, port: IListeningPort, context: ssl.SSLContext | None = None
    ) -> tuple[Recorder, ssl.SSLSocket]:
        """Connect, shake hands, and return both ends; the server has seen the client's hello."""
        plain = self.client(port)
        secured: list[ssl.SSLSocket] = []

        def handshake() -> bytes:
            client = secure(context or client_context(self.files), plain)
            secured.append(client)
            client.sendall(b"hello")
            return b""

        await in_thread(handshake)
        self.addCleanup(secured[0].close)
        server = await self.factory.next()
        self.addCleanup(self._end, server)
        await server.bytes_received(5)
        return server, secured[0]

    async def _end(self, server: Recorder) -> None:
        if not server.is_lost:
            cast(Any, server.transport).abortConnection()
            await server.lost


class ConnectionTests(TLSCase):
    async def test_it_speaks_tls_1_3(self) -> None:
        server, client = await self.connect(await self.listen())

        assert server.transport is not None
        server.transport.write(b"welcome")

        self.assertEqual(await in_thread(lambda: client.recv(100)), b"welcome")
        self.assertEqual(client.version(), "TLSv1.3")
        self.assertEqual(client.compression(), None)

    async def test_a_write_is_sent_before_the_reactor_turns(self) -> None:
        server, client = await self.connect(await self.listen())

        cast(Any, server.transport).write(b"at once")

        self.assertEqual(client.recv(100), b"at once")

    async def test_a_sequence_is_one_string(self) -> None:
        server, client = await self.connect(await self.listen())

        cast(Any, server.transport).writeSequence([b"one ", b"two"])

        self.assertEqual(client.recv(100), b"one two")

    async def test_what_is_written_before_the_handshake_comes_first(self) -> None:
        port = await self.listen()
        plain = self.client(port)
        server = await self.factory.next()
        transport = cast(Any, server.transport)
        transport.write(b"first ")
        transport.write(b"second ")
        secured: list[ssl.SSLSocket] = []

        def handshake() -> bytes:
            secured.append(secure(client_context(self.files), plain))
            return read_exactly(secured[0], 13)

        self.assertEqual(await in_thread(handshake), b"first second ")
        transport.write(b"third")
        self.assertEqual(secured[0].recv(100), b"third")
        secured[0].close()
        await server.lost

    async def test_large_writes_arrive_whole_in_both_directions(self) -> None:
        server, client = await self.connect(await self.listen())
        transport = cast(Any, server.transport)
        written = b"".join(LARGE[size : 2 * size] for size in SIZES)

        def exchange() -> bytes:
            client.sendall(LARGE)
            return read_exactly(client, len(written))

        for size in SIZES:
            transport.write(LARGE[size : 2 * size])

        self.assertEqual(await in_thread(exchange), written)
        self.assertEqual(await server.bytes_received(5 + len(LARGE)), b"hello" + LARGE)

    async def test_a_slow_reader_gets_everything_before_the_close(self) -> None:
        server, client = await self.connect(await self.listen())
        transport = cast(Any, server.transport)
        sendq = sendq_of(transport)
        assert sendq is not None
        exceeded: list[int] = []
        sendq.limit_sendq(2**20, lambda: exceeded.append(1))
        written: list[bytes] = []
        while sendq.queued_bytes < 2**22:
            written.append(b"%d;" % len(written) * 5000)
            transport.write(written[-1])
        transport.loseConnection()
        transport.write(b"too late")

        self.assertEqual(exceeded, [1])
        everything = b"".join(written)

        def read() -> bytes:
            data = read_all(client)
            # Only now may the server's close end: it waits for ours.
            client.unwrap()
            return data

        self.assertEqual(await in_thread(read), everything)
        self.assertIsInstance(await server.lost, ConnectionDone)

    async def test_a_client_that_takes_leave_ends_it_cleanly(self) -> None:
        server, client = await self.connect(await self.listen())

        await in_thread(lambda: client.unwrap().recv(1))

        self.assertIsInstance(await server.lost, ConnectionDone)

    async def test_a_client_that_is_reset_loses_it(self) -> None:
        server, client = await self.connect(await self.listen())
        transport = cast(Any, server.transport)
        reset(client)

        for _ in range(20):
            transport.write(LARGE)
            self.assertFalse(server.is_lost)

        self.assertIsInstance(await server.lost, ConnectionLost)
        transport.write(b"nobody is there")
        transport.loseConnection()
        transport.abortConnection()

    async def test_a_refused_connection_is_closed(self) -> None:
        client = self.client(await self.listen(Refusing()))

        self.assertEqual(await in_thread(lambda: read_all(client)), b"")

    async def test_nothing_is_resumed(self) -> None:
        port = await self.listen()
        context = client_context(self.files)
        first, client = await self.connect(port, context)
        cast(Any, first.transport).write(b"a session, if any, is here by now")
        client.recv(100)
        session = client.session
        plain = self.client(port)

        def reconnect() -> bytes:
            again = context.wrap_socket(plain, server_hostname="localhost", session=session)
            try:
                return b"resumed" if again.session_reused else b"new"
            finally:
                again.close()

        self.assertEqual(await in_thread(reconnect), b"new")
        second = await self.factory.next()
        await second.lost

    async def test_a_push_producer_rests_for_a_slow_reader(self) -> None:
        server, client = await self.connect(await self.listen())
        transport = cast(Any, server.transport)
        told: list[str] = []

        class Producer:
            def pauseProducing(self) -> None:
                told.append("pause")

            def resumeProducing(self) -> None:
                told.append("resume")
                transport.unregisterProducer()
                transport.loseConnection()

        transport.registerProducer(Producer(), True)
        written = b""
        while not told:
            transport.write(LARGE)
            written += LARGE

        def read() -> bytes:
            data = read_all(client)
            client.unwrap()
            return data

        self.assertEqual(await in_thread(read), written)
        self.assertEqual(told, ["pause", "resume"])
        await server.lost


class AlpnTests(TLSCase):
    async def selected(self, *offers: str) -> tuple[str | None, bytes | None]:
        server, client = await self.connect(
            await self.listen(), client_context(self.files, alpn=offers)
        )
        return client.selected_alpn_protocol(), cast(Any, server.transport).negotiatedProtocol

    async def test_an_offer_that_is_known_is_taken(self) -> None:
        self.assertEqual(await self.selected("h2", "irc"), ("irc", b"irc"))

    async def test_the_server_prefers_its_own_order(self) -> None:
        self.assertEqual(await self.selected("chat", "irc"), ("irc", b"irc"))

    async def test_unknown_offers_are_served_without_one(self) -> None:
        self.assertEqual(await self.selected("h2", "http/1.1"), (None, None))

    async def test_no_offer_is_served_too(self) -> None:
        self.assertEqual(await self.selected(), (None, None))


class RefusalTests(TLSCase):
    """What is not TLS 1.3 is answered, closed, and no defect of the server's."""

    async def answer(self, text: bytes) -> tuple[bytes, str]:
        """Send `text` without TLS; return what comes back and what was logged."""
        with capturedLogs() as events:
            client = self.client(await self.listen())
            client.sendall(text)
            answer = await in_thread(lambda: read_all(client))
            server = await self.factory.next()
            await server.lost
        self.assertEqual(bytes(server.received), b"")
        mine = [event for event in events if event["log_namespace"].startswith("chatservice.")]
        self.assertEqual({event["log_level"] for event in mine}, {LogLevel.info})
        return answer, "\n".join(formatEvent(event) for event in mine)

    async def test_plain_text_gets_one_plain_line(self) -> None:
        for text in (b"LOGIN:alice:secret\r\n", b"x", b"\x00\x01\x02", b"nickname\r\n"):
            answer, log = await self.answer(text)
            self.assertEqual(answer, b"ERR::TLS_REQUIRED:this port speaks TLS 1.3 only\r\n")
            self.assertIn("plain text from", log)
            self.assertNotIn("secret", log)

    async def test_irc_gets_an_error_of_its_own(self) -> None:
        for text in (b"NICK alice\r\n", b"nick alice\r\n", b"CAP LS 302\r\n", b"PASS secret\r\n"):
            answer, log = await self.answer(text)
            self.assertEqual(answer, b"ERROR :This port speaks TLS only\r\n")
            self.assertNotIn("secret", log)

    async def test_a_browser_gets_a_400(self) -> None:
        for method in (b"GET", b"POST", b"PUT", b"OPTIONS"):
            answer, _ = await self.answer(method + b" / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head, _, body = answer.partition(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            self.assertEqual(lines[0], b"HTTP/1.1 400 Bad Request")
            self.assertIn(b"Connection: close", lines)
            self.assertIn(b"Content-Length: %d" % len(body), lines)
            self.assertEqual(body, b"this port speaks TLS 1.3 only\n")

    async def test_head_gets_no_body(self) -> None:
        answer, _ = await self.answer(b"HEAD / HTTP/1.1\r\n\r\n")
        self.assertTrue(answer.endswith(b"\r\n\r\n"))

    async def test_garbage_like_tls_is_closed_with_an_alert(self) -> None:
        answer, log = await self.answer(b"\x16\x03\x01\x00\x04nope")
        self.assertEqual(answer[:1], b"\x15")
        self.assertIn("TLS handshake", log)

    async def test_a_client_of_tls_1_2_is_told_by_an_alert(self) -> None:
        plain = self.client(await self.listen())
        context = client_context(self.files, newest=ssl.TLSVersion.TLSv1_2)

        def handshake() -> bytes:
            try:
                secure(context, plain)
            except ssl.SSLError as error:
                return error.reason.encode()
            return b"accepted"

        with capturedLogs() as events:
            reason = await in_thread(handshake)
            server = await self.factory.next()
            await server.lost

        self.assertEqual(reason, b"TLSV1_ALERT_PROTOCOL_VERSION")
        text = "\n".join(formatEvent(event) for event in events)
        self.assertIn("unsupported protocol", text)
        self.assertNotIn("Traceback", text)

    async def test_a_client_that_leaves_during_the_handshake_is_not_worth_a_line(self) -> None:
        with capturedLogs() as events:
            client = self.client(await self.listen())
            client.sendall(b"\x16\x03\x01")
            server = await self.factory.next()
            client.close()
            await server.lost
        mine = [event for event in events if event["log_namespace"].startswith("chatservice.")]
        self.assertEqual(mine, [])


class RecordTests(SynchronousTestCase):
    """However records are cut or joined on their way, their text arrives, and at once."""

    def setUp(self) -> None:
        files = ensure_self_signed(FilePath(self.mktemp()), [])
        factory = EagerTLSFactory(
            ServerContext(files), False, cast(IProtocolFactory, Recorders()), clock
        )
        tls = factory.buildProtocol(None)
        assert tls is not None
        self.tls: EagerTLS = tls
        self.server = cast(Recorder, tls.wrappedProtocol)
        self.wire = StringTransport()
        self.to_client, self.to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client_context(files).wrap_bio(
            self.to_client, self.to_server, server_hostname="localhost"
        )
        self.tls.makeConnection(self.wire)

    def shake_hands(self, feed: Callable[[bytes], None]) -> None:
        for _ in range(2):
            with contextlib.suppress(ssl.SSLWantReadError):
                self.client.do_handshake()
            feed(self.to_server.read())
            self.to_client.write(self.wire.value())
            self.wire.clear()

    def records(self, *texts: bytes) -> bytes:
        for text in texts:
            self.client.write(text)
        return self.to_server.read()

    def feeder(self, size: int) -> Callable[[bytes], None]:
        def feed(data: bytes) -> None:
            for start in range(0, len(data), size):
                self.tls.dataReceived(data[start : start + size])

        return feed

    def test_records_cut_anywhere_are_opened(self) -> None:
        for size in (1, 2, 3, 4, 5, 6, 7, 21, 22, 23, 100, 16_406, 16_407):
            self.setUp()
            feed = self.feeder(size)
            self.shake_hands(feed)
            feed(self.records(b"a", b"bb" * 30, b"c" * 20_000, b"d"))
            self.assertEqual(bytes(self.server.received), b"a" + b"bb" * 30 + b"c" * 20_000 + b"d")
            self.server.received.clear()
            self.tls.dataReceived(self.records(b"one whole record"))
            self.assertEqual(bytes(self.server.received), b"one whole record")

    def test_several_records_in_one_read_are_all_opened(self) -> None:
        self.shake_hands(self.tls.dataReceived)
        self.tls.dataReceived(self.records(b"one ", b"two ", b"three "))
        self.assertEqual(bytes(self.server.received), b"one two three ")

    def test_a_record_and_a_half_are_opened_as_they_become_whole(self) -> None:
        self.shake_hands(self.tls.dataReceived)
        first = self.records(b"first ")
        second = self.records(b"second ")
        self.tls.dataReceived(first + second[:3])
        self.assertEqual(bytes(self.server.received), b"first ")
        self.tls.dataReceived(second[3:] + self.records(b"third "))
        self.assertEqual(bytes(self.server.received), b"first second third ")

    def test_a_record_that_was_tampered_with_ends_the_connection(self) -> None:
        self.shake_hands(self.tls.dataReceived)
        record = bytearray(self.records(b"pay alice"))
        record[-1] ^= 1
        self.tls.dataReceived(bytes(record))
        self.assertEqual(bytes(self.server.received), b"")
        self.assertTrue(self.wire.disconnecting)
        self.assertEqual(self.wire.value()[:1], b"\x17")

    def test_writes_of_every_size_are_sealed_at_once(self) -> None:
        self.shake_hands(self.tls.dataReceived)
        for size in (0, *SIZES):
            text = LARGE[:size]
            self.tls.write(text)
            self.to_client.write(self.wire.value())
            self.wire.clear()
            opened = b""
            while len(opened) < size:
                opened += self.client.read(2**17)
            self.assertEqual(opened, text)

    def test_a_protocol_may_abort_while_its_records_are_opened(self) -> None:
        self.shake_hands(self.tls.dataReceived)
        received: list[bytes] = []

        def abort(data: bytes) -> None:
            received.append(data)
            self.tls.abortConnection()

        self.patch(self.server, "dataReceived", abort)
        self.tls.dataReceived(self.records(b"one", b"two"))
        self.assertEqual(received, [b"one"])

    def test_a_connection_may_end_while_its_records_are_opened(self) -> None:
        self.shake_hands(self.tls.dataReceived)
        received: list[bytes] = []

        def end(data: bytes) -> None:
            received.append(data)
            if len(received) == 1:
                self.tls.connectionLost(Failure(ConnectionDone()))

        self.patch(self.server, "dataReceived", end)
        self.tls.dataReceived(self.records(b"one", b"two"))
        self.assertEqual(received, [b"one", b"two"])
        self.assertTrue(self.server.is_lost)

    def test_a_records_end_is_not_taken_for_a_record(self) -> None:
        looks_whole = b"\x17\x03\x03\x00\x03abc"
        self.assertTrue(self.tls._is_one_record(looks_whole))
        header = b"\x17\x03\x03\x00\x10"
        for cut in range(1, len(header)):
            self.assertFalse(self.tls._is_one_record(header[:cut]))
            self.assertFalse(self.tls._is_one_record(header[cut:] + b"x" * 8))
            self.assertFalse(self.tls._is_one_record(looks_whole))
            self.assertTrue(self.tls._is_one_record(looks_whole))

    def test_what_is_written_as_the_handshake_completes_waits_for_its_turn(self) -> None:
        directlyProvides(self.server, IHandshakeListener)
        self.server.handshakeCompleted = lambda: self.tls.write(b"second")  # type: ignore[attr-defined]
        self.tls.write(b"first ")
        self.shake_hands(self.tls.dataReceived)
        self.assertEqual(self.client.read(100) + self.client.read(100), b"first second")

    def test_a_connection_that_ended_is_forgotten_and_takes_no_more(self) -> None:
        self.shake_hands(self.tls.dataReceived)
        self.tls.dataReceived(self.records(b"hello"))

        self.tls.connectionLost(Failure(ConnectionDone()))

        self.assertTrue(self.server.is_lost)
        self.assertEqual(self.tls.factory.protocols, {})
        self.tls.write(b"nobody")
        self.tls.abortConnection()
        self.tls.loseConnection()
