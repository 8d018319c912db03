"""The longest line of each dialect, and of a first line that may be any dialect's."""

from __future__ import annotations

from typing import Any

from twisted.plugin import IPlugin, getPlugins
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from chatservice.networking.framing import LineBuffer, Overlong
from chatservice.translation.interface import BY_LINES, Dialect, IDialect, Running, Wire
from chatservice.translation.registry import BadDialect, Dialects
from tests.bench import Client, House

LINE = 4096
LONG = 4606


class LongDialect(Dialect):
    """Says how long its lines were."""

    def receive(self, data: bytes) -> Running | None:
        if data.startswith(b"line"):
            self.wire.speak("line")
        self.wire.write(b"%d\r\n" % len(data.removesuffix(b"\r")))
        return None

    def overlong(self, beginning: bytes) -> Running | None:
        self.wire.write(b"overlong %d\r\n" % len(beginning))
        return None


@implementer(IDialect, IPlugin)
class Long:
    """A dialect with a length of its own."""

    name = "long"
    framing = BY_LINES
    alpn = (b"long",)
    line_bytes: Any = LONG

    def opens(self, line: bytes) -> bool:
        return line.startswith(b"long")

    def make(self, wire: Wire) -> Dialect:
        return LongDialect(wire)


class LengthTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = House(dialects=Dialects([Long(), *getPlugins(IDialect)]))

    def answers(self, client: Client, *lines: str) -> list[str]:
        client.received()
        client.send(*lines)
        return client.lines()

    def test_a_dialect_has_its_own_whatever_the_setting(self) -> None:
        for client in (self.house.client("long"), self.house.client(alpn=b"long")):
            answers = self.answers(client, "x" * LONG, "x" * (LONG + 1), "x")
            self.assertEqual(answers, [str(LONG), "overlong 64", "1"])

    def test_a_first_line_may_be_as_long_as_any_dialects(self) -> None:
        long = "long".ljust(LONG, "x")

        self.assertEqual(self.answers(self.house.client(), long, long), [str(LONG)] * 2)

    def test_a_first_line_of_another_dialect_may_not(self) -> None:
        for length, code in ((LINE, "OK:PING:x"), (LINE + 1, "ERR:PING:LINE_TOO_LONG:")):
            answers = self.answers(self.house.client(), "PING:".ljust(length, "x"))
            self.assertTrue(answers[-1].startswith(code), answers[-1][:40])

    def test_what_came_with_the_first_line_is_held_to_its_dialects_length(self) -> None:
        answers = self.answers(
            self.house.client(), "PING:", "PING:".ljust(LINE + 1, "x"), "PING:".ljust(LINE, "x")
        )

        codes = [answer[:22] for answer in answers if not answer.startswith("HELLO")]
        self.assertEqual(codes[0], "OK:PING:")
        self.assertEqual(codes[1], "ERR:PING:LINE_TOO_LONG")
        self.assertTrue(codes[2].startswith("OK:PING:xxx"))

    def test_a_line_too_long_for_all_of_them_is_dropped_as_it_comes(self) -> None:
        client = self.house.client()
        client.send_bytes(b"long" + b"x" * LONG)

        self.assertIn("ERR::LINE_TOO_LONG:", client.lines()[-1])

    def test_who_changes_dialect_changes_length(self) -> None:
        client = self.house.client("long")

        answers = self.answers(client, "x" * LONG, "line", "PING:".ljust(LINE + 1, "x"))

        self.assertEqual(answers[0], str(LONG))
        self.assertIn("ERR:PING:LINE_TOO_LONG:", answers[-1])

    def test_the_wire_says_how_long(self) -> None:
        client = self.house.client()
        self.assertEqual(client._connection.line_bytes, LONG)
        client.send("PING:")
        self.assertEqual(client._connection.line_bytes, LINE)
        self.assertEqual(self.house.client("long")._connection.line_bytes, LONG)

    def test_a_length_that_is_none_is_refused(self) -> None:
        for unfit in ("4606", -1, 1.5):
            dialect = Long()
            dialect.line_bytes = unfit
            self.assertRaises(BadDialect, Dialects, [dialect, *getPlugins(IDialect)])


class HoldTests(SynchronousTestCase):
    def test_lines_read_already_are_held_to_a_new_length(self) -> None:
        buffer = LineBuffer(100)
        lines = buffer.feed(
            b"a" * 100 + b"\r\n" + b"b" * 50 + b"\n" + b"c" * 51 + b"\n" + b"d" * 60
        )

        held = buffer.hold_to(50, lines)

        self.assertEqual([type(line) for line in held], [Overlong, bytes, Overlong])
        self.assertEqual(held[2], b"c" * 51)
        # The line that has not ended is looked at with what comes next.
        (rest,) = buffer.feed(b"d")
        self.assertIs(type(rest), Overlong)
        self.assertEqual(buffer.feed(b"d\nok\n"), [b"ok"])
