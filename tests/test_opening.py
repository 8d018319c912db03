"""Telling dialects apart: what the first line, ALPN or the listener makes of a connection, how
strangers' protocols are refused, and which dialects may be installed together.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.plugin import IPlugin, getPlugins
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import alsoProvides, implementer

from chatservice.translation.interface import BY_READS, Dialect, IDialect, Wire
from chatservice.translation.line import LineProtocol
from chatservice.translation.registry import BadDialect, Dialects
from tests.bench import GREETING, Client, House


class OpeningCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = House()

    def opened(self, line: str) -> Client:
        """Somebody whose first line is this."""
        client = self.house.client()
        client.send(line)
        return client


class FirstLineTests(OpeningCase):
    def test_a_word_and_a_colon_or_a_bare_command_is_the_line_protocol(self) -> None:
        for line in ("LOGIN:alice", "ping:", "whoami", "!exit", "FLY:away"):
            client = self.opened(line)

            self.assertEqual(client.speaks, "line")
            self.assertEqual(client.lines()[0], GREETING)

    def test_connect_is_the_lobby(self) -> None:
        for number, word in enumerate(("CONNECT", "connect", "Connect")):
            client = self.opened(f"{word}:alice{number}")

            self.assertEqual(client.speaks, "lobby")
            self.assertTrue(client.lines()[0].startswith("CONNECT:OK:"))

    def test_irc_begins_with_what_its_clients_say_first(self) -> None:
        for line in (
            "CAP LS 302",
            "cap ls",
            "NICK alice",
            "pass secret",
            "USER a 0 * :A",
            "WEBIRC a b c d",
            "@a=b :x PING y",
            "@label=1 CAP LS",
        ):
            client = self.opened(line)

            self.assertEqual(client.speaks, "irc")
            self.assertFalse([got for got in client.lines() if "HELLO" in got])

    def test_all_that_an_irc_client_says_at_once_is_heard(self) -> None:
        client = self.house.client()

        client.send("CAP LS 302", "NICK alice", "USER alice 0 * :Alice", "CAP END")

        self.assertIn(" 001 alice :", client.lines()[1])

    def test_a_first_line_of_irc_may_be_as_long_as_irc_has_them(self) -> None:
        for length, numeric in ((4094, "PONG"), (4095, "417")):
            client = self.opened(f"@{length * 'a'} PING x")

            self.assertEqual(client.speaks, "irc")
            self.assertEqual(client.lines()[0].split(" ")[1], numeric)

    def test_http_is_refused_with_a_400_that_says_what_this_is(self) -> None:
        for line in ("GET / HTTP/1.1", "POST /a?b HTTP/1.0", "M-SEARCH * HTTP/1.1"):
            client = self.house.client()
            client.send(line, "Host: chat.example", "Accept: */*", "", "NICK alice")

            head, _, body = client.received().partition(b"\r\n\r\n")
            status, *fields = head.decode().split("\r\n")
            self.assertEqual(status, "HTTP/1.1 400 Bad Request")
            self.assertIn(f"Content-Length: {len(body)}", fields)
            self.assertIn("Connection: close", fields)
            self.assertIn(b"This is a chat server", body)
            self.assertTrue(client.closed)
            self.assertEqual(client.speaks, "http")

    def test_the_answer_to_head_has_no_body(self) -> None:
        self.assertTrue(self.opened("HEAD / HTTP/1.1").received().endswith(b"close\r\n\r\n"))

    def test_anything_else_gets_the_error_of_the_line_protocol(self) -> None:
        for line, name in (
            ("hello", "HELLO"),
            ("hello there", ""),
            ("NICK", "NICK"),
            ("CAPS LS", ""),
            ("GET /", ""),
            ("GET / HTTP/2.0", ""),
            ("CONNECTION", "CONNECTION"),
            (":prefix NICK alice", ""),
        ):
            answers = self.opened(line).lines()

            self.assertEqual(answers[0], GREETING)
            self.assertTrue(answers[1].startswith(f"ERR:{name}:UNKNOWN_COMMAND:"), answers)
            self.assertEqual(len(answers), 2)

    def test_bytes_that_mean_nothing_get_an_error_too(self) -> None:
        for data, code in ((b"\0\xff\xfe\n", "UNKNOWN_COMMAND"), (5000 * b"x", "LINE_TOO_LONG")):
            client = self.house.client()
            client.send_bytes(data)

            self.assertEqual(client.lines()[1].split(":")[:3], ["ERR", "", code])
            self.assertEqual(client.speaks, "line")

    def test_empty_lines_decide_nothing(self) -> None:
        client = self.house.client()

        client.send("", "  ", "CONNECT:alice")

        self.assertEqual(client.lines(), ["CONNECT:OK:alice"])

    def test_only_the_first_line_decides(self) -> None:
        client = self.opened("PING:")
        client.lines()

        self.assertTrue(client.ask("CONNECT:a")[0].startswith("ERR:CONNECT:UNKNOWN_COMMAND:"))
        self.assertTrue(client.ask("NICK a")[0].startswith("ERR::UNKNOWN_COMMAND:"))

    def test_half_a_line_decides_nothing(self) -> None:
        client = self.house.client()
        client.send_bytes(b"CONN")
        self.assertEqual((client.received(), client.speaks), (b"", ""))

        client.send_bytes(b"ECT:alice\n")

        self.assertEqual(client.lines(), ["CONNECT:OK:alice"])

    def test_who_is_silent_is_greeted_and_may_still_choose(self) -> None:
        client = self.house.client()
        self.house.wait(1)

        self.assertEqual(client.lines(), [GREETING])
        self.assertEqual(client.ask("CONNECT:alice"), ["CONNECT:OK:alice"])


class SettledTests(OpeningCase):
    """Connections whose dialect is known before their first line."""

    def test_alpn_settles_it(self) -> None:
        self.assertEqual(self.house.client(alpn=b"chatservice.line").speaks, "line")
        self.assertEqual(self.house.client(alpn=b"chatservice.lobby").speaks, "lobby")
        self.assertEqual(self.house.client(alpn=b"h2").speaks, "")

    def test_alpn_irc_is_irc_whatever_is_said_first(self) -> None:
        client = self.house.client(alpn=b"irc")

        self.assertEqual((client.received(), client.speaks), (b"", "irc"))
        self.assertIn(" 451 * :", client.ask("LIST")[0])

    def test_a_listener_settles_it(self) -> None:
        client = self.house.client("line")

        self.assertEqual(client.ask("CONNECT:alice")[1].split(":")[2], "UNKNOWN_COMMAND")

    def test_a_listener_goes_before_alpn(self) -> None:
        self.assertEqual(self.house.client("lobby", alpn=b"chatservice.line").speaks, "lobby")

    def test_connections_are_counted_by_dialect(self) -> None:
        self.house.client("original")
        self.opened("PING:")
        self.opened("PING:")

        counts = self.house.book.by_dialect
        self.assertEqual((counts["original"], counts["line"], counts["lobby"]), (1, 2, 0))


class InstalledTests(SynchronousTestCase):
    def test_the_houses_own_are_plugins_like_anybodys(self) -> None:
        names = {dialect.name for dialect in getPlugins(IDialect)}

        self.assertLessEqual({"line", "lobby", "original", "irc", "http"}, names)

    def test_they_are_asked_in_the_order_of_their_names_and_the_line_protocol_last(self) -> None:
        a, b = Opened("a"), Opened("b")

        for order in ([LineProtocol(), b, a], [a, b, LineProtocol()]):
            self.assertIs(Dialects(order).opened_by(b"LOGIN:alice"), a)

    def test_the_fallback_answers_what_nobody_opens(self) -> None:
        line = LineProtocol()

        self.assertIs(Dialects([line, Opened("a", opens=False)]).opened_by(b"x"), line)

    def test_without_the_fallback_nobody_could_be_answered(self) -> None:
        error = self.assertRaises(BadDialect, Dialects, [Opened("a")])

        self.assertIn("'line' is not installed", str(error))

    def test_no_two_have_one_name(self) -> None:
        for others in (
            [Opened("a"), Opened("a")],
            [Opened("a", alpn=(b"x",)), Opened("b", alpn=(b"x",))],
        ):
            error = self.assertRaises(BadDialect, Dialects, [LineProtocol(), *others])
            self.assertIn("two dialects are called", str(error))

    def test_what_is_no_dialect_is_named(self) -> None:
        nothing: Any = SimpleNamespace(name="nothing")
        alsoProvides(nothing, IDialect)
        for broken, words in (
            (Opened("Upper"), "cannot be called 'Upper'"),
            (Opened("a", framing="words"), "unknown framing 'words'"),
            (nothing, "namespace(name='nothing'"),
        ):
            error = self.assertRaises(BadDialect, Dialects, [LineProtocol(), broken])
            self.assertIn(words, str(error))

    def test_a_dialect_that_frames_by_itself_gets_its_first_line_as_it_was_read(self) -> None:
        house = House(dialects=Dialects([LineProtocol(), Opened("a")]))
        client = house.client()

        client.send_bytes(b"one\r\ntw")
        client.send_bytes(b"o\nthree")

        self.assertEqual(client.received(), b"[one\r\n][tw][o\nthree]")


@implementer(IDialect, IPlugin)
class Opened:
    """A dialect that shows what it is handed."""

    def __init__(
        self, name: str, opens: bool = True, alpn: tuple[bytes, ...] = (), framing: str = BY_READS
    ) -> None:
        self.name = name
        self.alpn = alpn
        self.framing = framing
        self._opens = opens

    def opens(self, line: bytes) -> bool:
        return self._opens

    def make(self, wire: Wire) -> Dialect:
        return OpenedDialect(wire)


class OpenedDialect(Dialect):
    def receive(self, data: bytes) -> None:
        self.wire.write(b"[" + data + b"]")
