"""
The line that one types: its text, the cursor, what was cut out of it, and the lines typed before.
The keys are those of readline in its emacs mode. Nothing here knows what a line means, or how it is
drawn.
"""

from __future__ import annotations

from collections.abc import Callable

import urwid

REMEMBERED = 200
"""How many lines can be fetched again."""


class Line:
    """
    @ivar text: what is typed; it may hold line ends, from what was pasted.
    @ivar cursor: before which character of it the cursor is.
    @ivar past: the lines before, oldest first.
    """

    def __init__(self) -> None:
        self.text = ""
        self.cursor = 0
        self.past: list[str] = []
        self._cut = ""
        # Which line of the past this is; behind the last of them: a new one.
        self._at = 0
        # What was made of the others before one went on to this one.
        self._edited: dict[int, str] = {}

    def set(self, text: str) -> None:
        """Another text; the cursor is at its end."""
        self.text, self.cursor = text, len(text)

    def replace(self, start: int, end: int, text: str) -> None:
        """Puts something in the place of a part; the cursor is behind it."""
        self.text = self.text[:start] + text + self.text[end:]
        self.cursor = start + len(text)

    def insert(self, text: str) -> None:
        """Types something."""
        self.replace(self.cursor, self.cursor, text)

    def take(self) -> str:
        """What was typed; the line is empty then."""
        text = self.text
        self.set("")
        self._at = len(self.past)
        self._edited.clear()
        return text

    def remember(self, text: str) -> None:
        """A line that can be fetched again."""
        new = self._at == len(self.past)
        if text and self.past[-1:] != [text]:
            self._edited[len(self.past) + 1] = self._edited.pop(len(self.past), "")
            self.past.append(text)
        if new:
            self._at = len(self.past)
            self._forget()

    def _forget(self) -> None:
        if len(self.past) > REMEMBERED and not any(self._edited.values()):
            del self.past[:-REMEMBERED]
            self._at = len(self.past)

    def draft(self) -> str:
        """What is typed and not sent; also if one is looking at an earlier line meanwhile."""
        return self._edited.get(len(self.past)) or self.text

    def key(self, key: str) -> bool:
        """A key is pressed; returns whether it means anything here."""
        action = KEYS.get(key)
        if action is None:
            return False
        action(self)
        return True

    # Moving.

    def _step(self, by: int) -> int:
        """The next place for the cursor, not between a character and the marks on it."""
        place = self.cursor + by
        while 0 < place < len(self.text) and not _is_wide(self.text[place]):
            place += by
        return min(max(place, 0), len(self.text))

    def _word_left(self) -> int:
        place = self.cursor
        while place and not self.text[place - 1].isalnum():
            place -= 1
        while place and self.text[place - 1].isalnum():
            place -= 1
        return place

    def _word_right(self) -> int:
        place, end = self.cursor, len(self.text)
        while place < end and not self.text[place].isalnum():
            place += 1
        while place < end and self.text[place].isalnum():
            place += 1
        return place

    def _space_left(self) -> int:
        place = self.cursor
        while place and self.text[place - 1].isspace():
            place -= 1
        while place and not self.text[place - 1].isspace():
            place -= 1
        return place

    def to_begin(self) -> None:
        self.cursor = 0

    def to_end(self) -> None:
        self.cursor = len(self.text)

    def to_left(self) -> None:
        self.cursor = self._step(-1)

    def to_right(self) -> None:
        self.cursor = self._step(1)

    def to_word_left(self) -> None:
        self.cursor = self._word_left()

    def to_word_right(self) -> None:
        self.cursor = self._word_right()

    # Cutting.

    def _cut_out(self, start: int, end: int) -> None:
        if start < end:
            self._cut = self.text[start:end]
            self.replace(start, end, "")

    def cut_to_end(self) -> None:
        self._cut_out(self.cursor, len(self.text))

    def cut_to_begin(self) -> None:
        self._cut_out(0, self.cursor)

    def cut_word(self) -> None:
        """Back to the last space."""
        self._cut_out(self._space_left(), self.cursor)

    def cut_word_left(self) -> None:
        self._cut_out(self._word_left(), self.cursor)

    def cut_word_right(self) -> None:
        self._cut_out(self.cursor, self._word_right())

    def paste_cut(self) -> None:
        self.insert(self._cut)

    def delete_left(self) -> None:
        if self.cursor:
            self.replace(self.cursor - 1, self.cursor, "")

    def delete_right(self) -> None:
        place = self.cursor
        self.replace(place, self._step(1), "")

    def swap(self) -> None:
        """The two characters around the cursor change places."""
        place = min(self.cursor, len(self.text) - 1)
        if place > 0:
            swapped = self.text[place] + self.text[place - 1]
            self.replace(place - 1, place + 1, swapped)

    # The past.

    def older(self) -> None:
        """The line before."""
        self._go(self._at - 1)

    def newer(self) -> None:
        """The line after, and at last what was being typed."""
        self._go(self._at + 1)

    def _go(self, at: int) -> None:
        if 0 <= at <= len(self.past):
            self._edited[self._at] = self.text
            self._at = at
            past = self.past[at] if at < len(self.past) else ""
            self.set(self._edited.pop(at, past))


def _is_wide(character: str) -> bool:
    """Does it take a column of its own?"""
    return character == "\n" or urwid.calc_width(character, 0, 1) > 0


KEYS: dict[str, Callable[[Line], None]] = {
    "home": Line.to_begin,
    "ctrl a": Line.to_begin,
    "end": Line.to_end,
    "ctrl e": Line.to_end,
    "left": Line.to_left,
    "ctrl b": Line.to_left,
    "right": Line.to_right,
    "ctrl f": Line.to_right,
    "meta b": Line.to_word_left,
    "ctrl left": Line.to_word_left,
    "meta left": Line.to_word_left,
    "meta f": Line.to_word_right,
    "ctrl right": Line.to_word_right,
    "meta right": Line.to_word_right,
    "ctrl k": Line.cut_to_end,
    "ctrl u": Line.cut_to_begin,
    "ctrl w": Line.cut_word,
    "meta backspace": Line.cut_word_left,
    "meta d": Line.cut_word_right,
    "ctrl y": Line.paste_cut,
    "backspace": Line.delete_left,
    "ctrl h": Line.delete_left,
    "delete": Line.delete_right,
    "ctrl d": Line.delete_right,
    "ctrl t": Line.swap,
    "up": Line.older,
    "down": Line.newer,
}
"""What each key does, by urwid's names of keys."""
