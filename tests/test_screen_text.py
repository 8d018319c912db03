"""
Texts of others on a terminal: what is let through, how it is broken into lines, and how entries
look.
"""

from __future__ import annotations

import unicodedata
from datetime import timezone

import urwid
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chatservice.terminal.screen.clean import clean
from chatservice.terminal.screen.entries import CAME, Note, Pending, Said
from chatservice.terminal.screen.layout import Line, fit, left, right, rule, width, wrap
from chatservice.terminal.screen.palette import PALETTE, colours, nick_attribute
from chatservice.terminal.screen.rendering import Style, entry_lines, pending_lines
from tests.screen_case import AT, said

_HARMFUL = {"Cc", "Cs", "Zl", "Zp"}


class _Utf8Case(SynchronousTestCase):
    def setUp(self) -> None:
        urwid.set_encoding("utf-8")


class CleanTests(_Utf8Case):
    def test_escape_sequences_are_taken_out_as_a_whole(self) -> None:
        for text in (
            "a\x1b[31mb\x1b[0m",
            "a\x1b]0;title\x07b",
            "a\x1b]8;;http://x\x1b\\b",
            "a\x9b2Jb",
            "a\x9dtitle\x9cb",
            "a\x1bP1$r\x1b\\b",
            "a\x1b(0b",
            "a\x0304,12b\x0f",
            "a\x02b\x1d",
        ):
            self.assertEqual(clean(text), "ab", ascii(text))

    def test_one_that_does_not_end_takes_nothing_else_with_it(self) -> None:
        self.assertEqual(clean("a\x1b]0;b"), "a0;b")

    def test_nothing_turns_the_text_around(self) -> None:
        self.assertEqual(clean("exe\u202egpj.\u2066x\u200f"), "exegpj.x")

    def test_what_terminals_disagree_about_is_left_out(self) -> None:
        self.assertEqual(clean("❤\ufe0f 👨\u200d👩 👍🏽"), "❤ 👨👩 👍")

    def test_languages_are_left_alone(self) -> None:
        for text in ("naïve", "日本語", "ไทย", "\u0645\u06cc\u200c\u062e", "한국어", "Ελλάδα"):
            self.assertEqual(clean(text), text)

    def test_marks_do_not_climb_out_of_the_line(self) -> None:
        self.assertEqual(clean("z" + "\u0301" * 50 + "a"), "z" + "\u0301" * 3 + "a")

    def test_it_is_one_line(self) -> None:
        self.assertEqual(clean("a\tb\u2028c"), "a b c")

    @given(st.text())
    def test_nothing_harmful_is_left(self, text: str) -> None:
        cleaned = clean(text)
        self.assertFalse({unicodedata.category(each) for each in cleaned} & _HARMFUL)
        self.assertEqual(clean(cleaned), cleaned)


class LayoutTests(_Utf8Case):
    def test_lines_are_broken_between_words(self) -> None:
        self.assertEqual(wrap("one two three", 8), ["one two", "three"])

    def test_the_first_line_may_have_less_room(self) -> None:
        self.assertEqual(wrap("one two three", 8, 4), ["one", "two", "three"])
        self.assertEqual(wrap("wonderful", 10, 4), ["", "wonderful"])

    def test_a_word_that_fits_nowhere_is_broken_where_it_stands(self) -> None:
        self.assertEqual(wrap("see abcdefghijkl", 8), ["see abcd", "efghijkl"])

    def test_wide_characters_take_two_columns(self) -> None:
        self.assertEqual(wrap("日本語", 5), ["日本", "語"])
        self.assertEqual((width("日本"), left("日本", 5), right("日本", 5)), (4, "日本 ", " 日本"))
        self.assertEqual(fit("日本語", 5), "日本…")

    @given(st.text().map(clean), st.integers(2, 30), st.integers(1, 30))
    def test_no_line_is_too_wide_and_nothing_is_lost(
        self, text: str, all_: int, first: int
    ) -> None:
        lines = wrap(text, all_, first)
        self.assertLessEqual(max(map(width, lines)), all_)
        self.assertEqual("".join("".join(lines).split(" ")), "".join(text.split(" ")))

    def test_a_rule_is_as_wide_as_it_should_be(self) -> None:
        for columns in range(60):
            self.assertEqual(width(rule("Monday, 1 January 2024", columns)), columns)


def plain(lines: list[Line]) -> list[str]:
    """Lines without their colours."""
    return ["".join(text for _, text in line) for line in lines]


WIDE, NARROW = Style(60, timezone.utc), Style(34, timezone.utc)


class RenderingTests(_Utf8Case):
    def test_nicks_have_a_column_of_their_own(self) -> None:
        self.assertEqual(
            plain(entry_lines(Said(said(0, "hello " * 8)), WIDE)),
            [
                "12:00          bob │ hello hello hello hello hello hello",
                "                   │ hello hello ",
            ],
        )

    def test_if_it_is_narrow_they_stand_before_the_words(self) -> None:
        self.assertEqual(
            plain(entry_lines(Said(said(0, "hello " * 8)), NARROW)),
            ["12:00 bob: hello hello hello hello", "  hello hello hello hello "],
        )

    def test_actions_notices_and_notes_look_different(self) -> None:
        entries = (
            Said(said(0, "waves", action=True)),
            Said(said(0, "beep", notice=True)),
            Note(AT, "bob joined", CAME),
        )
        self.assertEqual(
            [plain(entry_lines(entry, NARROW))[0] for entry in entries],
            ["12:00 * bob waves", "12:00 -bob-: beep", "12:00 → bob joined"],
        )

    def test_nothing_of_it_is_raw(self) -> None:
        message = said(0, "\x1b[2Jtext", nick="b\x1b[1mob")
        self.assertEqual(plain(entry_lines(Said(message), NARROW)), ["12:00 bob: text"])
        note = Note(AT, "topic: \x9b1mx")
        self.assertEqual(plain(entry_lines(note, NARROW)), ["12:00 · topic: x"])
        pending = Pending("\x1b[2Jhm", "\x1b[2Jhm")
        self.assertEqual(plain(pending_lines(pending, "alice", NARROW)), [" ...  alice: hm"])

    def test_a_nick_has_one_colour_wherever_it_is(self) -> None:
        names = {entry[0] for entry in PALETTE}
        for nick in ("alice", "bob", "Zoë", "日本", "\ud800"):
            self.assertIn(nick_attribute(nick), names)
        self.assertEqual(nick_attribute("Bob"), nick_attribute("bob"))
        [spoken] = entry_lines(Said(said(0, "hi")), NARROW)
        [done] = entry_lines(Said(said(0, "waves", action=True)), NARROW)
        for line in (spoken, done):
            self.assertIn(nick_attribute("bob"), [attribute for attribute, _ in line])

    def test_colours_are_as_many_as_the_terminal_has_and_may_have(self) -> None:
        for environment, expected in (
            ({"TERM": "xterm-256color"}, 256),
            ({"TERM": "xterm"}, 16),
            ({"TERM": "xterm", "COLORTERM": "truecolor"}, 256),
            ({"TERM": "vt100"}, 1),
            ({"TERM": "dumb"}, 1),
            ({"TERM": "xterm-256color", "NO_COLOR": "1"}, 1),
        ):
            self.assertEqual(colours(environment), expected, environment)
