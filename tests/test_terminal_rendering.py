"""
A message as a line: for people, and as JSON; and nothing in either that a terminal obeys.
"""

from __future__ import annotations

import json
from datetime import timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chatservice.client import Message
from chatservice.terminal.rendering import as_json, as_text, printable

NOON = 1_800_000_000_123
"""2027-01-15 08:00:00.123 UTC, which is noon somewhere."""

SOMEWHERE = timezone(timedelta(hours=4))


def message(text: str, **more: Any) -> Message:
    return Message("m1", NOON, "alice", text, **{"room": "ops", **more})


def line(said: Message, me: str = "alice") -> str:
    return as_text(me, SOMEWHERE)(said)


class TextTests(SynchronousTestCase):
    def test_it_is_when_where_who_and_what(self) -> None:
        self.assertEqual(line(message("hello")), "2027-01-15T12:00:00+04:00 ops <alice> hello")

    def test_notices_and_what_somebody_does_can_be_told_apart(self) -> None:
        self.assertTrue(line(message("up", notice=True)).endswith(" ops -alice- up"))
        self.assertTrue(line(message("waves", action=True)).endswith(" ops * alice waves"))

    def test_a_conversation_is_called_by_the_other_one(self) -> None:
        direct = message("hello", room="", to="bob")
        self.assertTrue(line(direct, me="alice").endswith(" @bob <alice> hello"))
        self.assertTrue(line(direct, me="bob").endswith(" @alice <alice> hello"))


class PrintableTests(SynchronousTestCase):
    def test_text_of_any_script_stays_as_it_is(self) -> None:
        for text in ("hello", "zażółć", "日本語", "می‌خواهم", "👩‍👩‍👧", "ê"):
            self.assertEqual(printable(text), text)

    def test_what_a_terminal_would_obey_is_replaced(self) -> None:
        for text, shown in (
            ("\x1b]0;title\x07", "\ufffd]0;title\ufffd"),
            ("a\x9b31mb", "a\ufffd31mb"),
            ("a\rb\x00c\x7fd", "a\ufffdb\ufffdc\ufffdd"),
            ("a\u2028b\u202ec", "a\ufffdb\ufffdc"),
            ("a\tb", "a b"),
        ):
            self.assertEqual(printable(text), shown)

    def test_colours_of_irc_clients_are_left_out(self) -> None:
        self.assertEqual(printable("\x02bold\x0f \x0304,12red\x03 \x04ff0000too"), "bold red too")

    @given(st.text(st.characters(codec="utf-8")))
    def test_nothing_of_the_kind_is_left(self, text: str) -> None:
        shown = printable(text)
        self.assertEqual(printable(shown), shown)
        self.assertEqual(len(shown.splitlines() or [""]), 1)


class JSONTests(SynchronousTestCase):
    def test_it_has_the_same_keys_for_every_message(self) -> None:
        self.assertEqual(
            json.loads(as_json(message("hello", account="Alice"))),
            {
                "id": "m1",
                "time": "2027-01-15T08:00:00.123Z",
                "ms": NOON,
                "room": "ops",
                "to": "",
                "nick": "alice",
                "account": "Alice",
                "text": "hello",
                "notice": False,
                "action": False,
            },
        )
        direct = json.loads(as_json(message("waves", room="", to="bob", action=True)))
        self.assertEqual((direct["room"], direct["to"], direct["action"]), ("", "bob", True))

    @given(st.text(st.characters(codec="utf-8")))
    def test_programs_read_every_text_as_it_was_and_terminals_obey_none(self, text: str) -> None:
        shown = as_json(message(text))
        self.assertEqual(json.loads(shown)["text"], text)
        self.assertTrue(shown.isprintable())

    def test_text_of_any_script_can_be_read_by_people(self) -> None:
        self.assertIn('"text": "日本語 zażółć"', as_json(message("日本語 zażółć")))
