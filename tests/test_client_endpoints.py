"""Where a server is: what strings mean, which are refused, and why nobody answers there."""

from __future__ import annotations

import socket
from typing import Any, cast

from OpenSSL import SSL
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXServerEndpoint
from twisted.internet.error import (
    ConnectError,
    ConnectingCancelledError,
    ConnectionDone,
    ConnectionLost,
    ConnectionRefusedError,
    DNSLookupError,
    TimeoutError,
)
from twisted.internet.interfaces import IListeningPort, IProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from chatservice.client import endpoints
from chatservice.client.endpoints import BadEndpoint, Place, parse
from chatservice.client.errors import BadServer, ClientError, ConnectionGone, TimedOut
from chatservice.client.trust import Fingerprint, Untrusted
from tests.client_trust_case import TrustCase
from tests.loopback import PATIENCE, Recorder, Recorders, socket_path

reactor: Any = _reactor

TRUST = Fingerprint("AB" * 32)


class ParseTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()

    def parse(self, description: str, insecure: bool = False) -> Place:
        return parse(self.reactor, description, TRUST, 10.0, insecure)

    def refused(self, description: str) -> str:
        error = self.assertRaises(BadEndpoint, self.parse, description)
        self.assertEqual(str(error), f"server {description!r}: {error.expected}")
        return cast(str, error.expected)

    def test_tls(self) -> None:
        for description, host, port, shown in (
            ("tls:chat.example:6697", "chat.example", 6697, "chat.example:6697"),
            ("tls:Chat.Example", "chat.example", 6667, "chat.example:6667"),
            ("tls:host=chat.example:port=1", "chat.example", 1, "chat.example:1"),
            ("TLS:localhost:", "localhost", 6667, "localhost:6667"),
            ("ssl:chat.example:6697", "chat.example", 6697, "chat.example:6697"),
            (r"tls:\:\:1:6697", "::1", 6697, "[::1]:6697"),
            ("tls:[::1]:6697", "::1", 6697, "[::1]:6697"),
            ("tls:[2001:DB8::1]", "2001:db8::1", 6667, "[2001:db8::1]:6667"),
            ("tls:host=[::1]:port=1", "::1", 1, "[::1]:1"),
            ("chat.example", "chat.example", 6667, "chat.example:6667"),
            ("chat.example:6697", "chat.example", 6697, "chat.example:6697"),
            ("[::1]", "::1", 6667, "[::1]:6667"),
            ("[::1]:6697", "::1", 6697, "[::1]:6697"),
            ("192.0.2.1:6697", "192.0.2.1", 6697, "192.0.2.1:6697"),
        ):
            place = self.parse(description)
            self.assertEqual((place.host, place.port, place.shown), (host, port, shown))
            self.assertTrue(place.encrypted, description)

    def test_plain_text_stays_on_this_machine(self) -> None:
        for description, shown in (
            ("tcp:localhost:1", "localhost:1"),
            ("tcp:127.0.0.1", "127.0.0.1:6667"),
            ("tcp:[::1]:1", "[::1]:1"),
        ):
            place = self.parse(description)
            self.assertEqual((place.shown, place.encrypted), (shown, False))
        for description in ("tcp:chat.example:1", "tcp:192.0.2.1", "tcp:[2001:db8::1]:1"):
            self.assertIn("passwords too; use tls:host:port", self.refused(description))
            self.assertFalse(self.parse(description, insecure=True).encrypted)

    def test_a_unix_socket(self) -> None:
        for description in ("unix:/run/chat", "unix:path=/run/chat"):
            place = self.parse(description)
            self.assertEqual((place.shown, place.host, place.port), ("unix:/run/chat", "", 0))
            self.assertFalse(place.encrypted)

    def test_what_twisted_has_plugins_for_may_be_read_by_anybody(self) -> None:
        class Wanted:
            def connect(self, factory: object) -> Deferred[None]:
                return Deferred()

        def from_string(reactor: object, description: str) -> Wanted:
            return Wanted()

        self.patch(endpoints, "clientFromString", from_string)
        self.assertIn("passwords too", self.refused("onion:abc.onion:80"))
        place = self.parse("onion:abc.onion:80", insecure=True)
        self.assertEqual((place.shown, place.encrypted), ("onion:abc.onion:80", False))

    def test_an_address_is_connected_to(self) -> None:
        self.parse("tls:127.0.0.1:6697").endpoint.connect(Factory.forProtocol(Protocol))
        self.assertEqual(self.reactor.tcpClients[0][:2], ("127.0.0.1", 6697))

    def test_a_local_address_may_be_named(self) -> None:
        place = self.parse("tcp:127.0.0.1:1:bindAddress=127.0.0.2")
        place.endpoint.connect(Factory.forProtocol(Protocol))
        self.assertEqual(self.reactor.tcpClients[0][4], ("127.0.0.2", 0))

    def test_what_can_not_be_used_is_told_in_words(self) -> None:
        forms = "expected tls:host:port, tcp:host:port or unix:path"
        for description, words in (
            ("", forms),
            ("tls", "expected a host, as tls:chat.example"),
            ("tls:", "expected a host, as tls:chat.example"),
            ("tls::6667", "expected a host, as tls:chat.example"),
            ("tcp", "expected a host, as tcp:chat.example"),
            ("tls:6667", "'6667' is no host name and no IP address"),
            ("tls:a b:6667", "'a b' is no host name and no IP address"),
            ("tls:chat.example:irc", "a port is a number from 1 to 65535"),
            ("tls:chat.example:0", "a port is a number from 1 to 65535"),
            ("chat.example:65536", "a port is a number from 1 to 65535"),
            ("tls:::1:6667", "an IPv6 address in brackets"),
            ("tls:chat.example:1:trustRoots=/etc", "trustRoots is not an argument of tls: (host,"),
            ("unix:", "expected the path of a socket"),
            ("unix:/run/chat:colour=red", forms),
            ("tls:chat.example\\", f"{forms} (a backslash at the end escapes nothing)"),
            ("carrier-pigeon:a:b", forms),
        ):
            self.assertIn(words, self.refused(description), description)

    def test_who_does_not_answer_in_time_is_told(self) -> None:
        connecting: Deferred[IProtocol] = self.parse("tls:192.0.2.1").endpoint.connect(
            Factory.forProtocol(Protocol)
        )
        self.reactor.advance(10.0)
        error = self.failureResultOf(connecting, TimedOut).value
        self.assertEqual(str(error), "192.0.2.1:6667 did not answer within 10 seconds")

    def test_who_gives_up_is_told_nothing_else(self) -> None:
        connecting: Deferred[IProtocol] = self.parse("tls:192.0.2.1").endpoint.connect(
            Factory.forProtocol(Protocol)
        )
        connecting.cancel()
        self.failureResultOf(connecting, ConnectingCancelledError)
        self.assertEqual(self.reactor.getDelayedCalls(), [])


class ExplainTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.place = parse(MemoryReactorClock(), "tls:chat.example", TRUST, 10.0)

    def explained(self, error: Exception, farewell: str = "") -> ClientError:
        return self.place.explain(Failure(error), farewell)

    def test_each_reason_has_its_words(self) -> None:
        for reason, kind, words in (
            (DNSLookupError("no"), ConnectionGone, "there is no such host"),
            (ConnectionRefusedError(), ConnectionGone, "nobody listens there"),
            (ConnectError(2), ConnectionGone, "No such file or directory"),
            (ConnectionLost(), ConnectionGone, "the connection was lost"),
            (ConnectionDone(), ConnectionGone, "the connection was lost"),
            (ValueError("what is this"), ConnectionGone, "what is this"),
            (
                SSL.Error([("", "", "something new")]),
                BadServer,
                "TLS came to nothing (something new)",
            ),
            (SSL.Error(), BadServer, "TLS came to nothing (unknown)"),
        ):
            error = self.explained(reason)
            self.assertIs(type(error), kind)
            self.assertEqual(str(error), f"chat.example:6667: {words}")

    def test_no_answer_is_a_time_out(self) -> None:
        error = self.explained(TimeoutError())
        self.assertIsInstance(error, TimedOut)
        self.assertEqual(str(error), "chat.example:6667 did not answer in time")

    def test_what_the_server_said_is_told(self) -> None:
        self.assertEqual(
            str(self.explained(ConnectionDone(), "going down")),
            "chat.example:6667 has closed the connection: going down",
        )

    def test_what_has_words_already_keeps_them(self) -> None:
        error = ClientError("in words")
        self.assertIs(self.explained(error, "going down"), error)


class ConnectTests(TestCase):
    async def test_a_unix_socket_is_connected_to(self) -> None:
        path = socket_path(self)
        servers = Recorders()
        listening: IListeningPort = await UNIXServerEndpoint(reactor, path).listen(
            cast(Any, servers)
        )
        self.addCleanup(listening.stopListening)
        place = parse(reactor, f"unix:{path}", TRUST, PATIENCE)

        client = cast(Recorder, await place.endpoint.connect(cast(Any, Recorders())))
        server = await servers.next()
        place.check(cast(Any, client.transport))
        cast(Any, client.transport).write(b"hello")
        self.assertEqual(await server.bytes_received(5), b"hello")

        cast(Any, client.transport).loseConnection()
        await server.lost
        await client.lost

    async def test_a_missing_socket_is_told(self) -> None:
        path = socket_path(self)
        with self.assertRaises(ConnectionGone) as caught:
            await parse(reactor, f"unix:{path}", TRUST, PATIENCE).endpoint.connect(
                cast(Any, Recorders())
            )
        self.assertEqual(str(caught.exception), f"unix:{path}: No such file or directory")

    async def test_a_port_without_a_server_is_told(self) -> None:
        # Bound, so that nobody else has it.
        bound = socket.socket()
        self.addCleanup(bound.close)
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with self.assertRaises(ConnectionGone) as caught:
            await parse(reactor, f"tls:127.0.0.1:{port}", TRUST, PATIENCE).endpoint.connect(
                cast(Any, Recorders())
            )
        self.assertEqual(str(caught.exception), f"127.0.0.1:{port}: nobody listens there")


class CheckTests(TrustCase):
    async def test_each_connection_is_checked_on_its_own(self) -> None:
        port = await self.serve(self.issuer.issue("localhost"))
        for _ in range(2):
            self.assertIsInstance(await self.refused(port, TRUST), Untrusted)
