"""
The part of a buffer that is to be seen: which lines of which entries, and how one scrolls through
them. Only what is seen is rendered, however much there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from .buffer import STATUS, Buffer
from .layout import Line
from .rendering import (
    Style,
    day_line,
    entry_lines,
    head_line,
    mark_line,
    pending_lines,
    unsent_lines,
)

_RENDERED = 2000
"""Entries whose lines are kept."""


class Backlog:
    """
    Places are those of `Buffer.anchor`: an entry's number, and a line of it. What belongs to an
    entry are also the lines above it: the day, and where the unread ones begin.
    """

    def __init__(self) -> None:
        self._entry_lines = lru_cache(_RENDERED)(entry_lines)

    # Lines.

    def _lines(self, buffer: Buffer, number: int, style: Style) -> list[Line]:
        entry = buffer.entry(number)
        lines: list[Line] = []
        if self._begins_day(buffer, number, style):
            lines.append(day_line(entry.ms, style))
        if number == buffer.mark:
            lines.append(mark_line(style))
        return lines + self._entry_lines(entry, style)

    def _begins_day(self, buffer: Buffer, number: int, style: Style) -> bool:
        if number == buffer.first:
            return buffer.kind != STATUS
        before = buffer.entry(number - 1)
        return style.day(buffer.entry(number).ms) > style.day(before.ms)

    def _head(self, buffer: Buffer, style: Style) -> list[Line]:
        """What is above the first entry."""
        if buffer.loading:
            return [head_line("loading older messages ...", style)]
        if buffer.before or buffer.kind == STATUS or buffer.entering:
            return []
        return [head_line("this is the beginning", style)]

    def _tail(self, buffer: Buffer, nick: str, style: Style) -> list[Line]:
        """What is below the last entry."""
        lines: list[Line] = []
        for typed in buffer.unsent:
            lines.extend(unsent_lines(typed, style))
        for pending in buffer.shown_pending():
            lines.extend(pending_lines(pending, nick, style))
        return lines

    def visible(self, buffer: Buffer, nick: str, style: Style, rows: int) -> list[Line]:
        """
        The lines to be seen, at most so many.

        @param nick: one's own.
        """
        if rows <= 0:
            return []
        if buffer.anchor is None:
            found = self._tail(buffer, nick, style)[-rows:]
            lowest = buffer.first if buffer.cleared is None else max(buffer.cleared, buffer.first)
            last = buffer.end - 1
        else:
            found, lowest = [], buffer.first
            last, line = self._clamped(buffer, buffer.anchor, style)
            found = self._lines(buffer, last, style)[: line + 1][-rows:]
            last -= 1
        for number in range(last, lowest - 1, -1):
            if len(found) >= rows:
                return found
            found = (self._lines(buffer, number, style) + found)[-rows:]
        if lowest == buffer.first:
            found = (self._head(buffer, style) + found)[-rows:]
        return found

    def _clamped(self, buffer: Buffer, place: tuple[int, int], style: Style) -> tuple[int, int]:
        """A place that there is: entries are dropped, and lines are broken elsewhere."""
        number = min(max(place[0], buffer.first), buffer.end - 1)
        return number, min(place[1], len(self._lines(buffer, number, style)) - 1)

    # Scrolling.

    def up(self, buffer: Buffer, nick: str, style: Style, rows: int, by: int) -> bool:
        """
        Goes back by some lines.

        @return: whether the beginning of what there is is near, or reached.
        """
        if not buffer.entries:
            return True
        tail = len(self._tail(buffer, nick, style)) if buffer.anchor is None else 0
        last = (buffer.end - 1, len(self._lines(buffer, buffer.end - 1, style)) - 1)
        place = self._clamped(buffer, buffer.anchor or last, style)
        wanted = max(by - tail, 0)
        for above in self._above(buffer, place, style):
            if not wanted:
                break
            place = above
            wanted -= 1
        place, near = self._not_above(buffer, place, style, rows)
        # What fits is seen as a whole, and what comes as well.
        buffer.anchor = None if place == last and not tail else place
        return near

    def _above(
        self, buffer: Buffer, place: tuple[int, int], style: Style
    ) -> Iterator[tuple[int, int]]:
        """The places above one, the nearest first."""
        number, line = place
        while True:
            if line:
                line -= 1
            elif number > buffer.first:
                number -= 1
                line = len(self._lines(buffer, number, style)) - 1
            else:
                return
            yield number, line

    def _below(
        self, buffer: Buffer, place: tuple[int, int], style: Style
    ) -> Iterator[tuple[int, int]]:
        """The places below one, the nearest first."""
        number, line = place
        count = len(self._lines(buffer, number, style))
        while True:
            if line + 1 < count:
                line += 1
            elif number + 1 < buffer.end:
                number, line = number + 1, 0
                count = len(self._lines(buffer, number, style))
            else:
                return
            yield number, line

    def _not_above(
        self, buffer: Buffer, place: tuple[int, int], style: Style, rows: int
    ) -> tuple[tuple[int, int], bool]:
        """
        The last line of a screen that ends at a place or, if there is not enough above that, begins
        with the first line there is; and whether that is less than a screen away.
        """
        above = 1 + len(self._head(buffer, style))
        for _ in self._above(buffer, place, style):
            above += 1
            if above >= 2 * rows:
                return place, False
        for below in self._below(buffer, place, style):
            if above >= rows:
                break
            place = below
            above += 1
        return place, True

    def down(self, buffer: Buffer, style: Style, by: int) -> None:
        """Goes forward by some lines; at the end it follows what comes."""
        if buffer.anchor is None:
            return
        place = self._clamped(buffer, buffer.anchor, style)
        for below in self._below(buffer, place, style):
            if not by:
                buffer.anchor = place
                return
            place = below
            by -= 1
        buffer.anchor = None

    def hidden_below(self, buffer: Buffer) -> int:
        """How many entries come after what is seen."""
        return 0 if buffer.anchor is None else max(buffer.end - 1 - buffer.anchor[0], 0)
