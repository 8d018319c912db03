"""
Text in columns: how wide it is, and where it is broken. What is measured here is clean already
(`clean`); what a line looks like is `rendering`'s business.
"""

from __future__ import annotations

import urwid

Span = tuple[str, str]
"""An attribute of the palette, and text."""

Line = tuple[Span, ...]
"""One line of the screen."""


def width(text: str) -> int:
    """Columns that a text takes."""
    return len(text) if text.isascii() else urwid.calc_width(text, 0, len(text))


def fit(text: str, columns: int) -> str:
    """As much of the beginning of a text as fits, with an ellipsis if that is not all."""
    if width(text) <= columns:
        return text
    if columns <= 0:
        return ""
    end, _ = urwid.calc_text_pos(text, 0, len(text), columns - 1)
    return text[:end] + "…"


def left(text: str, columns: int) -> str:
    """A text at the left of that many columns."""
    text = fit(text, columns)
    return text + " " * (columns - width(text))


def right(text: str, columns: int) -> str:
    """A text at the right of that many columns."""
    text = fit(text, columns)
    return " " * (columns - width(text)) + text


def cut(line: Line, columns: int) -> Line:
    """As much of a line as fits."""
    spans: list[Span] = []
    for attribute, text in line:
        if width(text) > columns:
            end, _ = urwid.calc_text_pos(text, 0, len(text), columns)
            text = text[:end]  # noqa: PLW2901
        spans.append((attribute, text))
        columns -= width(text)
    return tuple(spans)


def wrap(text: str, columns: int, first: int | None = None) -> list[str]:
    """
    A text in lines, broken between words where it can be.

    @param first: columns of the first line, if it has fewer.
    """
    columns = max(columns, 2)  # the widest character
    room = columns if first is None else min(max(first, 2), columns)
    lines: list[str] = []
    start, end = 0, len(text)
    while True:
        fits, _ = urwid.calc_text_pos(text, start, end, room)
        if fits >= end:
            lines.append(text[start:])
            return lines
        cut = text.rfind(" ", start, fits + 1)
        word_end = text.find(" ", max(cut, start) + 1)
        word = text[max(cut + 1, start) : word_end if word_end >= 0 else end]
        if width(word) > columns or (cut <= start and room == columns):
            # No line has room for it.
            fits = max(fits, start + 1)
            lines.append(text[start:fits])
            start = fits
        elif cut <= start:
            lines.append("")
        else:
            lines.append(text[start:cut])
            start = cut + 1
        room = columns


def rule(text: str, columns: int) -> str:
    """A line across, with words in it."""
    words = fit(f" {text} ", max(columns - 4, 0))
    return left(f"──{words}" + "─" * max(columns - width(words) - 2, 0), columns)
