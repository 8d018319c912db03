"""
The line that one types into, key by key.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chatservice.terminal.screen.editing import KEYS, REMEMBERED, Line


def line(text: str) -> Line:
    """A line; `|` is where the cursor is."""
    before, _, after = text.partition("|")
    made = Line()
    made.set(before + after)
    made.cursor = len(before)
    return made


def drawn(it: Line) -> str:
    """The other way round."""
    return f"{it.text[: it.cursor]}|{it.text[it.cursor :]}"


CASES = (
    ("ctrl a", "one two|", "|one two"),
    ("home", "one| two", "|one two"),
    ("ctrl e", "|one two", "one two|"),
    ("left", "on|e", "o|ne"),
    ("left", "|one", "|one"),
    ("left", "ne\u0301|", "n|e\u0301"),
    ("right", "n|e\u0301x", "ne\u0301|x"),
    ("right", "one|", "one|"),
    ("meta b", "one, two|", "one, |two"),
    ("meta b", "one, |two", "|one, two"),
    ("meta f", "|one, two", "one|, two"),
    ("meta f", "one|, two", "one, two|"),
    ("ctrl k", "one| two", "one|"),
    ("ctrl u", "one| two", "| two"),
    ("ctrl w", "see http://x/y|", "see |"),
    ("ctrl w", "one two  |", "one |"),
    ("meta backspace", "see http://x/y|", "see http://x/|"),
    ("meta d", "|one two", "| two"),
    ("backspace", "one|", "on|"),
    ("backspace", "|one", "|one"),
    ("ctrl d", "|one", "|ne"),
    ("delete", "e|", "e|"),
    ("ctrl t", "ab|", "ba|"),
    ("ctrl t", "|ab", "|ab"),
)


class KeysTests(SynchronousTestCase):
    def test_each_does_what_readline_does(self) -> None:
        for key, before, after in CASES:
            it = line(before)
            self.assertTrue(it.key(key))
            self.assertEqual(drawn(it), after, key)

    def test_other_keys_are_somebody_else_s(self) -> None:
        self.assertFalse(line("one|").key("f5"))

    def test_what_was_cut_can_be_put_elsewhere(self) -> None:
        it = line("one |two")
        it.key("ctrl k")
        it.key("ctrl a")
        it.key("ctrl y")
        self.assertEqual(drawn(it), "two|one ")

    @given(st.text(max_size=20), st.integers(0, 20), st.lists(st.sampled_from(sorted(KEYS))))
    def test_no_key_takes_the_cursor_out_of_the_line(
        self, text: str, cursor: int, keys: list[str]
    ) -> None:
        it = Line()
        it.set(text)
        it.cursor = min(cursor, len(text))
        it.remember("earlier")
        for key in keys:
            it.key(key)
            self.assertTrue(0 <= it.cursor <= len(it.text))


class PastTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.line = Line()
        for text in ("one", "two"):
            self.line.set(text)
            self.line.remember(self.line.take())

    def test_up_and_down_go_through_it(self) -> None:
        seen = []
        for key in ("up", "up", "up", "down", "down", "down"):
            self.line.key(key)
            seen.append(self.line.text)
        self.assertEqual(seen, ["two", "one", "one", "two", "", ""])

    def test_what_is_being_typed_is_not_lost(self) -> None:
        self.line.set("new")
        self.line.key("up")
        self.assertEqual(self.line.draft(), "new")
        self.line.key("down")
        self.assertEqual(self.line.text, "new")

    def test_what_was_made_of_an_earlier_line_is_not_lost(self) -> None:
        self.line.key("up")
        self.line.insert("!")
        self.line.key("up")
        self.line.key("down")
        self.assertEqual(self.line.text, "two!")

    def test_a_line_that_comes_back_meanwhile_is_the_latest_and_the_draft_stays(self) -> None:
        self.line.set("new")
        self.line.key("up")
        self.line.remember("failed")
        seen = []
        for _ in range(2):
            self.line.key("down")
            seen.append(self.line.text)
        self.assertEqual(seen, ["failed", "new"])

    def test_the_same_line_twice_is_remembered_once(self) -> None:
        self.line.remember("two")
        self.assertEqual(self.line.past, ["one", "two"])

    def test_it_is_not_endless(self) -> None:
        for number in range(REMEMBERED + 50):
            self.line.remember(str(number))
        self.assertEqual(len(self.line.past), REMEMBERED)
        self.line.key("up")
        self.assertEqual(self.line.text, str(REMEMBERED + 49))
