"""
Texts that are too long for one message.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chatservice.terminal.screen.outgoing import cut


class CutTests(SynchronousTestCase):
    def test_what_fits_is_left_alone(self) -> None:
        for text in ("", "one two", " one "):
            self.assertEqual(cut(text, 7), [text])

    def test_it_is_cut_between_words(self) -> None:
        self.assertEqual(cut("one two three four", 9), ["one two", "three", "four"])

    def test_a_word_that_is_too_long_is_cut_where_it_is_full(self) -> None:
        self.assertEqual(cut("a bcdefghijkl", 6), ["a bcde", "fghijk", "l"])

    def test_no_character_is_cut(self) -> None:
        self.assertEqual(cut("\u00e4\u00f6\u00fc", 5), ["\u00e4\u00f6", "\u00fc"])

    def test_without_a_limit_nothing_is(self) -> None:
        self.assertEqual(cut("word " * 2000, 0), ["word " * 2000])

    @given(st.text(), st.integers(4, 30))
    def test_nothing_is_lost_and_nothing_too_long(self, text: str, most: int) -> None:
        parts = cut(text, most)
        self.assertTrue(all(len(part.encode(errors="replace")) <= most for part in parts))
        self.assertEqual("".join(parts).replace(" ", ""), text.replace(" ", ""))
