"""Listener strings: what they mean, what is refused, and listening by them."""

from __future__ import annotations

import os
import socket
from functools import partial
from typing import Any, cast

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, DeferredQueue
from twisted.internet.endpoints import AdoptedStreamServerEndpoint, TCP4ServerEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs, formatEvent
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase, TestCase

from chatservice.networking import listeners
from chatservice.networking.certificates import CertificateFiles, ensure_self_signed
from chatservice.networking.contexts import ContextPool
from chatservice.networking.eager import EagerServer, sendq_of
from chatservice.networking.endpoint_strings import is_loopback, read_endpoint_string
from chatservice.networking.gateways import Networks
from chatservice.networking.listeners import (
    BadListener,
    Listener,
    ListenerSpec,
    listen,
    make_listener,
    parse_listener,
)
from chatservice.networking.listening import Listening, Watched
from tests.loopback import (
    Recorder,
    Recorders,
    Refusing,
    client_of,
    clock,
    in_thread,
    read_all,
    socket_path,
)
from tests.test_tls import client_context, secure

reactor: Any = _reactor


def read_closed(client: socket.socket) -> bytes:
    """Read until the server closes, in good order or with bytes of ours that it has not read."""
    try:
        return read_all(client)
    except ConnectionResetError:
        return b""


class ParseTests(SynchronousTestCase):
    def test_a_dialect_stands_before_the_first_at_sign(self) -> None:
        for text, dialect, endpoint in (
            ("ssl:6667", None, "ssl:6667"),
            ("irc@ssl:6697", "irc", "ssl:6697"),
            ("line_2@tcp:1:interface=::1", "line_2", "tcp:1:interface=::1"),
            ("irc@unix:/run/a@b", "irc", "unix:/run/a@b"),
            ("unix:/run/a@b", None, "unix:/run/a@b"),
        ):
            spec = parse_listener(text)
            self.assertEqual((spec.dialect, spec.endpoint), (dialect, endpoint))
            self.assertEqual(str(spec), text)

    def test_what_can_not_be_a_listener_is_quoted(self) -> None:
        for text in ("", "irc@", "IRC@ssl:1", "2irc@ssl:1", "@ssl:1", "i-rc@ssl:1"):
            error = self.assertRaises(BadListener, parse_listener, text)
            self.assertIn(repr(text), str(error))


class EndpointStringTests(SynchronousTestCase):
    def test_arguments_are_split_and_unescaped_as_twisted_does(self) -> None:
        read = read_endpoint_string(r"SSL:6697:privateKey=/a\:b\\c=d:interface=\:\:1")
        self.assertEqual(read.kind, "ssl")
        self.assertEqual(read.arguments, ("6697",))
        self.assertEqual(read.named, {"privateKey": r"/a:b\c=d", "interface": "::1"})

    def test_an_argument_is_left_out_and_the_others_stay_what_they_are(self) -> None:
        for text, left in (
            ("tcp:1:reusePort=yes", "tcp:1"),
            ("TCP:1:reusePort=yes:backlog=5", "tcp:1:backlog=5"),
            (r"tcp6:1:5:\:\:1:reusePort=no", r"tcp6:1:5:\:\:1"),
            (r"unix:a\=b\\c:reusePort=yes:mode=6\:6\=6", r"unix:a\=b\\c:mode=6\:6\=6"),
        ):
            without = read_endpoint_string(text).without("reusePort")
            self.assertEqual(without, left)
            read = read_endpoint_string(text)
            read.named.pop("reusePort")
            self.assertEqual(read_endpoint_string(without), read)

    def test_a_backslash_at_the_end_is_an_error(self) -> None:
        self.assertRaises(ValueError, read_endpoint_string, "tcp:1\\")

    def test_what_is_loopback(self) -> None:
        for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost", "::ffff:127.0.0.1", "::1%lo"):
            self.assertTrue(is_loopback(host), host)
        for host in ("0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1", "chat.example", ""):
            self.assertFalse(is_loopback(host), host)


class MakeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.folder: FilePath[str] = FilePath(self.mktemp())
        self.files = ensure_self_signed(self.folder, ["chat.example"])
        self.asked = 0
        self.contexts = ContextPool(self.default)

    def default(self) -> CertificateFiles:
        self.asked += 1
        return self.files

    def make(self, text: str, allow_plain_text: bool = False) -> Listener:
        return make_listener(
            self.reactor, parse_listener(text), self.contexts, allow_plain_text=allow_plain_text
        )

    def refused(self, text: str) -> str:
        error = self.assertRaises(BadListener, self.make, text)
        self.assertIn(repr(text), str(error))
        return str(error)

    def listened(self, text: str) -> tuple[int, str, int]:
        listener = self.make(text)
        listener.endpoint.listen(cast(IProtocolFactory, Recorders()))
        port, _, backlog, interface = self.reactor.tcpServers[-1]
        return port, interface, backlog

    def test_ssl_without_a_key_has_the_default_certificate(self) -> None:
        listener = self.make("ssl:6697")
        assert listener.tls is not None
        self.assertEqual(listener.tls.files, self.files)

    def test_ssl_keeps_the_meaning_of_interface_and_backlog(self) -> None:
        self.assertEqual(self.listened("ssl:6697"), (6697, "", 50))
        self.assertEqual(self.listened("ssl:port=6697:backlog=9"), (6697, "", 9))
        self.assertEqual(self.listened(r"ssl:6697:interface=\:\:1"), (6697, "::1", 50))

    def test_ssl_takes_the_files_that_it_names(self) -> None:
        other = ensure_self_signed(self.folder.child("o:t=her"), [])
        key, certificate = (
            file.path.replace(":", r"\:") for file in (other.private_key, other.certificate)
        )
        listener = self.make(f"ssl:1:privateKey={key}:certKey={certificate}")
        assert listener.tls is not None
        self.assertEqual(listener.tls.files, other)
        chained = self.make(
            f"ssl:1:privateKey={key}:certKey={certificate}:extraCertChain={certificate}"
        )
        assert chained.tls is not None
        self.assertEqual(chained.tls.files.chain, other.certificate)
        self.assertEqual(self.asked, 0)

    def test_the_certificate_may_be_in_the_keys_file(self) -> None:
        both = self.folder.child("both.pem")
        pem = self.files.private_key.getContent() + self.files.certificate.getContent()
        both.setContent(pem)
        listener = self.make(f"ssl:1:privateKey={both.path}")
        assert listener.tls is not None
        self.assertEqual(listener.tls.files, CertificateFiles(both, both))

    def test_listeners_with_the_same_files_share_their_renewal(self) -> None:
        self.assertIs(self.make("ssl:1").tls, self.make("tls:unix:/run/chat").tls)

    def test_a_bad_ssl_string_is_told_what_it_may_be(self) -> None:
        for text, words in (
            ("ssl:1:colour=red", "colour is not an argument of ssl: (privateKey, certKey, "),
            ("ssl:1:sslmethod=TLSv1_METHOD", "this server speaks TLS 1.3 only"),
            ("ssl:1:dhParameters=/dh.pem", "this server speaks TLS 1.3 only"),
            ("ssl:", "the port is a number"),
            ("ssl", "expected one port"),
            ("ssl:1:2", "expected one port"),
            ("ssl:1:port=2", "expected one port"),
            ("ssl:http", "the port is a number"),
            ("ssl:65536", "the port is a number from 0 to 65535"),
            ("ssl:1:backlog=many", "backlog is a number"),
            ("ssl:1:certKey=/cert.pem", "certKey needs its privateKey"),
            ("ssl:1:extraCertChain=/chain.pem", "extraCertChain needs its privateKey"),
            ("ssl:1:privateKey=/nowhere/key.pem", "can't read /nowhere/key.pem"),
        ):
            self.assertIn(words, self.refused(text))

    def test_tls_goes_before_any_other_endpoint(self) -> None:
        for text in (
            "tls:tcp:6697",
            "tls:tcp6:6697",
            "tls:unix:/run/chat",
            "tls:haproxy:tcp:6697",
        ):
            self.assertIsNotNone(self.make(text).tls)

    def test_the_port_is_known_if_clients_connect_to_it_themselves(self) -> None:
        for text, port in (
            ("ssl:6697", 6697),
            ("ssl:port=6697:interface=192.0.2.1", 6697),
            ("tls:tcp:6697", 6697),
            ("tls:tcp6:6697", 6697),
            ("ssl:0", None),
            ("tls:haproxy:tcp:6697", None),
            ("tls:unix:/run/chat", None),
        ):
            self.assertEqual(self.make(text).tcp_port, port, text)

    def test_tls_inside_of_anything_is_refused(self) -> None:
        for text in ("haproxy:ssl:6697", "haproxy:tls:tcp:1", "tls:ssl:1", "tls:tls:tcp:1"):
            self.assertIn("TLS goes outermost", self.refused(text))

    def test_plain_text_for_strangers_is_refused_by_name(self) -> None:
        exposed = (
            "tcp:6667",
            "tcp:6667:interface=",
            "tcp:6667:interface=0.0.0.0",
            "tcp:6667:192.0.2.1",
            r"tcp:6667:interface=\:\:",
            "tcp6:6667",
            r"tcp6:6667:interface=2001\:db8\:\:1",
            "haproxy:tcp:6667",
            "haproxy:tcp6:6667",
        )
        for text in exposed:
            self.assertIn("--allow-plain-text", self.refused(text))
            self.assertIsNone(self.make(text, allow_plain_text=True).tls)

    def test_a_port_may_be_shared_over_tcp_whatever_goes_before(self) -> None:
        for text in (
            "ssl:6697:reusePort=yes",
            "ssl:6697:reusePort=no",
            r"tls:tcp6:6697:interface=\:\::reusePort=yes",
            "tls:haproxy:tcp:6697:reusePort=yes:backlog=9",
            "tcp:6667:interface=127.0.0.1:reusePort=yes",
            "haproxy:tcp:6667:reusePort=no:interface=127.0.0.1",
        ):
            self.make(text)
        self.assertIn("--allow-plain-text", self.refused("tcp:6667:reusePort=yes"))

    def test_what_can_not_be_shared_is_refused_in_words(self) -> None:
        for text in (
            "unix:/run/chat:reusePort=yes",
            "tls:haproxy:unix:/run/chat:reusePort=yes",
            "tls:systemd:domain=INET6:index=0:reusePort=no",
        ):
            self.assertIn("reusePort is an argument of ssl:, tcp: and tcp6:", self.refused(text))
        for text in (
            "ssl:6697:reusePort=",
            "ssl:6697:reusePort=1",
            "tls:tcp:6697:reusePort=true",
            "haproxy:tcp6:6697:interface=\\:\\:1:reusePort=Yes",
        ):
            self.assertIn("reusePort is yes or no, not ", self.refused(text))

    def test_a_system_without_shared_ports_says_so(self) -> None:
        self.patch(listeners, "can_share_ports", lambda: False)
        for text in ("ssl:6697:reusePort=yes", "tls:haproxy:tcp:6697:reusePort=yes"):
            self.assertIn("no port can be shared on this system", self.refused(text))
        self.make("ssl:6697:reusePort=no")

    def test_plain_text_on_this_machine_is_served(self) -> None:
        for text in (
            "tcp:6667:interface=127.0.0.1",
            "tcp:6667:interface=localhost",
            "tcp:6667:127.0.0.1",
            r"tcp:6667:interface=\:\:1",
            r"tcp6:6667:interface=\:\:1",
            "haproxy:tcp:6667:interface=127.0.0.1",
            "unix:/run/chat",
            "haproxy:unix:/run/chat",
        ):
            self.assertIsNone(self.make(text).tls)

    def test_an_unknown_endpoint_is_told_what_it_may_be(self) -> None:
        for text in (
            "pigeon:1",
            r"tcp:interface=\:\:1",
            r"tcp:http:interface=\:\:1",
            "unix",
            "tls:",
            "tcp:1\\",
        ):
            self.assertIn("ssl:PORT, tls:ENDPOINT", self.refused(text))


class ListenTests(TestCase):
    def setUp(self) -> None:
        self.files = ensure_self_signed(FilePath(self.mktemp()), [])
        self.contexts = ContextPool(lambda: self.files, (b"irc",))
        self.factory = Recorders()

    def make(self, text: str, allow_plain_text: bool = False) -> Listener:
        return make_listener(
            reactor, parse_listener(text), self.contexts, allow_plain_text=allow_plain_text
        )

    async def listen(self, listener: Listener, factory: object | None = None) -> IListeningPort:
        port = await listen(listener, cast(IProtocolFactory, factory or self.factory), clock)
        self.addCleanup(port.stopListening)
        return port

    async def test_a_plain_listener_serves_eagerly(self) -> None:
        port = await self.listen(self.make("tcp:0:interface=127.0.0.1"))
        client = client_of(port)
        server = await self.factory.next()
        self.assertIsInstance(server.transport, EagerServer)
        client.close()
        await server.lost

    async def test_a_listener_can_be_had_again_while_its_last_clients_linger(self) -> None:
        first = await listen(
            self.make("tcp:0:interface=127.0.0.1"), cast(IProtocolFactory, self.factory), clock
        )
        number = cast(Any, first.getHost()).port
        client = client_of(first)
        server = await self.factory.next()
        await cast("Deferred[None]", first.stopListening())
        # The server closes first, so that its side is the one that waits (RFC 9293, TIME-WAIT).
        cast(Any, server.transport).loseConnection()
        await server.lost
        client.close()

        again = await self.listen(self.make(f"tcp:{number}:interface=127.0.0.1"))

        self.assertEqual(cast(Any, again.getHost()).port, number)

    async def serve_tls(self, text: str, preamble: bytes = b"") -> None:
        port = await self.listen(self.make(text))
        plain = client_of(port)
        self.addCleanup(plain.close)
        plain.sendall(preamble)

        def exchange() -> bytes:
            client = secure(client_context(self.files), plain)
            client.sendall(b"hello")
            data = client.recv(100)
            client.close()
            return data

        exchanged = in_thread(exchange)
        server = await self.factory.next()
        self.assertEqual(await server.bytes_received(5), b"hello")
        self.assertIsInstance(sendq_of(server.transport), EagerServer)
        cast(Any, server.transport).write(b"welcome")
        self.assertEqual(await exchanged, b"welcome")
        await server.lost

    async def test_ssl_serves_tls(self) -> None:
        await self.serve_tls("ssl:0:interface=127.0.0.1")

    async def test_tls_serves_tls_on_any_endpoint(self) -> None:
        await self.serve_tls("tls:tcp:0:interface=127.0.0.1")

    async def test_tls_behind_a_proxy_comes_after_the_proxys_line(self) -> None:
        await self.serve_tls(
            "tls:haproxy:tcp:0:interface=127.0.0.1", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"
        )

    def make_for_proxies(self, text: str, *networks: str) -> Listener:
        spec = parse_listener(text)
        return make_listener(reactor, spec, self.contexts, proxies=Networks(networks))

    async def test_a_proxy_that_is_not_trusted_is_closed_before_its_header_is_read(self) -> None:
        for text in ("haproxy:tcp:0:interface=127.0.0.1", "tls:haproxy:tcp:0:interface=127.0.0.1"):
            factory = Recorders(lambda: self.fail("a connection was made"))
            listener = self.make_for_proxies(text, "127.0.0.2/32", "2001:db8::/32")
            port = await self.listen(listener, factory)
            client = client_of(port)
            client.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n")
            with capturedLogs() as events:
                self.assertEqual(await in_thread(partial(read_closed, client)), b"")
            client.close()
            self.assertIn(
                "127.0.0.1 is refused: it is not one of trusted_proxies",
                [formatEvent(event) for event in events],
            )

    async def test_a_trusted_proxy_says_where_its_client_comes_from(self) -> None:
        text = "haproxy:tcp:0:interface=127.0.0.1"
        port = await self.listen(self.make_for_proxies(text, "127.0.0.1/32"))
        client = client_of(port)
        self.addCleanup(client.close)
        client.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nhello")
        server = await self.factory.next()
        await server.bytes_received(5)
        self.assertEqual(cast(Any, server.transport).getPeer().host, "192.0.2.1")
        client.close()
        await server.lost

    async def test_this_machine_is_trusted_unless_said_and_so_is_a_unix_socket(self) -> None:
        path = socket_path(self)
        for listener, family, address in (
            (self.make("haproxy:tcp:0:interface=127.0.0.1"), socket.AF_INET, None),
            (self.make_for_proxies(f"haproxy:unix:{path}"), socket.AF_UNIX, path),
        ):
            port = await self.listen(listener)
            host: Any = port.getHost()
            with socket.socket(family) as client:
                client.connect(address or ("127.0.0.1", host.port))
                client.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nhello")
                server = await self.factory.next()
                await server.bytes_received(5)
            await server.lost

    async def test_a_refused_connection_is_closed_whatever_the_endpoint(self) -> None:
        for text in (
            "tcp:0:interface=127.0.0.1",
            "haproxy:tcp:0:interface=127.0.0.1",
            "tls:haproxy:tcp:0:interface=127.0.0.1",
            "ssl:0:interface=127.0.0.1",
        ):
            port = await self.listen(self.make(text), Refusing())
            client = client_of(port)
            self.assertEqual(await in_thread(lambda client=client: read_all(client)), b"")  # type: ignore[misc]
            client.close()

    def handed_down(self, host: str, allow_plain_text: bool = False) -> Listener:
        listening = socket.create_server((host, 0))
        endpoint = AdoptedStreamServerEndpoint(
            reactor, os.dup(listening.fileno()), listening.family
        )
        listening.close()
        spec = ListenerSpec(None, "systemd:domain=INET:index=0")
        return Listener(spec, endpoint, None, allow_plain_text)

    async def test_an_address_only_seen_after_binding_is_refused_then(self) -> None:
        listener = self.handed_down("0.0.0.0")

        with self.assertRaises(BadListener) as caught:
            await listen(listener, cast(IProtocolFactory, self.factory), clock)

        self.assertIn("--allow-plain-text", str(caught.exception))
        self.assertEqual([r for r in reactor.getReaders() if hasattr(r, "factory")], [])

    async def test_an_address_only_seen_after_binding_may_be_allowed(self) -> None:
        await self.listen(self.handed_down("0.0.0.0", allow_plain_text=True))
        await self.listen(self.handed_down("127.0.0.1"))

    async def test_an_address_that_is_taken_is_not_the_strings_fault(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            listener = self.make(f"tcp:{taken.getsockname()[1]}:interface=127.0.0.1")
            with self.assertRaises(CannotListenError):
                await listen(listener, cast(IProtocolFactory, self.factory), clock)

    async def test_a_shared_port_is_served_by_all_who_listen_on_it(self) -> None:
        served: DeferredQueue[tuple[int, Recorder]] = DeferredQueue()

        def serve(listener: int) -> Recorder:
            recorder = Recorder()
            served.put((listener, recorder))
            return recorder

        first = await self.listen(
            self.make("tcp:0:interface=127.0.0.1:reusePort=yes"), Recorders(partial(serve, 1))
        )
        number = cast(Any, first.getHost()).port
        await self.listen(
            self.make(f"tcp:{number}:reusePort=yes:interface=127.0.0.1"),
            Recorders(partial(serve, 2)),
        )

        # The kernel goes by both addresses: each connection is as good as the toss of a coin.
        seen = set()
        for _ in range(1000):
            with client_of(first):
                listener, recorder = await served.get()
                await recorder.made
                self.assertIsInstance(recorder.transport, EagerServer)
            await recorder.lost
            seen.add(listener)
            if len(seen) == 2:
                break
        self.assertEqual(seen, {1, 2})

    async def test_a_port_is_shared_with_tls_and_behind_a_proxy_too(self) -> None:
        for text in ("ssl:{}", "tls:tcp:{}", "haproxy:tcp:{}", "tls:haproxy:tcp:{}"):
            shared = f"{text}:interface=127.0.0.1:reusePort=yes"
            first = await self.listen(self.make(shared.format(0)))
            number = cast(Any, first.getHost()).port
            again = await self.listen(self.make(shared.format(number)))
            self.assertEqual(cast(Any, again.getHost()).port, number)

    async def test_a_port_is_shared_only_by_those_who_all_say_so(self) -> None:
        for one, other in (
            ("", ""),
            (":reusePort=yes", ""),
            ("", ":reusePort=yes"),
            (":reusePort=yes", ":reusePort=no"),
        ):
            first = await self.listen(self.make(f"ssl:0:interface=127.0.0.1{one}"))
            number = cast(Any, first.getHost()).port
            with self.assertRaises(CannotListenError):
                await self.listen(self.make(f"ssl:{number}:interface=127.0.0.1{other}"))

    async def test_a_shared_port_serves_tls(self) -> None:
        await self.serve_tls("ssl:0:interface=127.0.0.1:reusePort=yes")

    async def test_a_port_that_can_not_be_is_a_bad_listener(self) -> None:
        for more in ("", ":reusePort=yes"):
            with self.assertRaises(BadListener):
                await self.listen(self.make(f"tcp:70000:interface=127.0.0.1{more}"))

    async def test_only_where_clients_connect_themselves_are_they_told_how(self) -> None:
        for text, told in (
            ("ssl:0:interface=127.0.0.1", True),
            ("tls:tcp:0:interface=127.0.0.1:reusePort=yes", True),
            ("tls:haproxy:tcp:0:interface=127.0.0.1", False),
            ("tcp:0:interface=127.0.0.1", False),
        ):
            listener = self.make(text)
            listening = Listening(listener, Watched(), clock)
            with capturedLogs() as events:
                await listening.startService()
            await cast("Deferred[None]", listening.stopService())
            [line] = (
                formatted
                for event in events
                if (formatted := formatEvent(event)).startswith(f"listening on {text}")
            )
            self.assertEqual("openssl s_client" in line, told)
            self.assertEqual("(certificate SHA-256 " in line, listener.tls is not None)

    def test_endpoints_are_twisteds_own(self) -> None:
        self.assertIsInstance(self.make("ssl:0").endpoint, TCP4ServerEndpoint)
