"""
What stands in a buffer, as lines of the screen: the time, who, and the words beside it. A line is
made of attributes and clean text (`clean`); how many of them there is room for is known elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from .clean import clean
from .entries import CAME, ERROR, INFO, WENT, Entry, Note, Pending, Said
from .layout import Line, Span, fit, left, right, rule, width, wrap
from .palette import nick_attribute

_WIDE = 50
"""Columns from which nicks have a column of their own."""

_NICK_COLUMNS = 12

_UNSENT_LINES = 3

_SIGNS = {INFO: "·", CAME: "→", WENT: "←", ERROR: "!"}


@dataclass(frozen=True, slots=True)
class Style:
    """
    @ivar columns: how wide lines are.
    @ivar zone: that times are shown in; None for the system's.
    @ivar notes: there is nobody who says something, so nicks need no column.
    """

    columns: int
    zone: tzinfo | None = None
    notes: bool = False

    @property
    def has_nick_column(self) -> bool:
        """Do nicks have a column of their own, or do they stand before what is said?"""
        return self.columns >= _WIDE and not self.notes

    def moment(self, ms: int) -> datetime:
        """A moment, milliseconds since 1970-01-01 UTC, in the zone."""
        return datetime.fromtimestamp(ms / 1000, self.zone)

    def day(self, ms: int) -> date:
        """The day of a moment."""
        return self.moment(ms).date()


def entry_lines(entry: Entry, style: Style) -> list[Line]:
    """An entry."""
    time = f"{style.moment(entry.ms):%H:%M}"
    if isinstance(entry, Note):
        attribute = "error" if entry.kind == ERROR else "dim"
        return _beside(time, (attribute, _SIGNS[entry.kind]), "", attribute, entry.text, style)
    return _said_lines(time, entry, style)


def _said_lines(time: str, said: Said, style: Style) -> list[Line]:
    message = said.message
    nick = clean(message.nick)
    attribute = "own" if said.own else nick_attribute(message.nick)
    text = clean(message.text)
    words = "mention" if said.mention and message.room else "text"
    if message.action:
        lines = _beside(time, (attribute, "*"), "", words, f"{nick} {text}", style)
        return [_coloured(lines[0], nick, attribute), *lines[1:]]
    who = f"-{nick}-" if message.notice else nick
    return _beside(time, (attribute, who), ":", words, text, style)


def _coloured(line: Line, nick: str, attribute: str) -> Line:
    """The nick at the beginning of a line's words has its colour."""
    *before, (words, text) = line
    if not text.startswith(nick):
        return line
    return (*before, (attribute, nick), (words, text[len(nick) :]))


def pending_lines(pending: Pending, nick: str, style: Style) -> list[Line]:
    """Something on its way."""
    text = clean(pending.text)
    if pending.action:
        return _beside(" ... ", ("dim", "*"), "", "dim", f"{clean(nick)} {text}", style)
    return _beside(" ... ", ("dim", clean(nick)), ":", "dim", text, style)


def unsent_lines(typed: str, style: Style) -> list[Line]:
    """Something that could not be said, or the beginning of it."""
    lines = _beside("     ", ("error", "not sent"), ":", "error", clean(typed), style)
    if len(lines) <= _UNSENT_LINES:
        return lines
    return [*lines[: _UNSENT_LINES - 1], (("error", left("", style.columns - 3) + "..."),)]


def _beside(
    time: str, who: Span, after: str, attribute: str, text: str, style: Style
) -> list[Line]:
    """
    Words beside a time and who says them.

    @param after: what is between who and the words, if both are in one column.
    """
    if style.has_nick_column:
        name = right(who[1], _NICK_COLUMNS)
        first: Line = (("dim", f"{time} "), (who[0], name), ("dim", " │ "))
        rest: Line = (("dim", f"{'':{len(time) + 1 + _NICK_COLUMNS}} │ "),)
        indent = len(time) + _NICK_COLUMNS + 4
        words = wrap(clean(text), style.columns - indent)
    else:
        name = fit(who[1], max(style.columns // 2 - 6, 4)) + after
        first = (("dim", f"{time} "), (who[0], name), ("dim", " "))
        rest = (("dim", "  "),)
        # The other lines begin further to the left.
        taken = len(time) + 1 + width(name) + 1
        words = wrap(clean(text), style.columns - 2, style.columns - taken)
    lines = [(*first, (attribute, words[0]))]
    lines.extend((*rest, (attribute, more)) for more in words[1:])
    return lines


def day_line(ms: int, style: Style) -> Line:
    """The day of what follows."""
    day = style.moment(ms)
    return (("dim", rule(f"{day:%A}, {day.day} {day:%B %Y}", style.columns)),)


def mark_line(style: Style) -> Line:
    """What follows is new."""
    return (("mark", rule("new", style.columns)),)


def head_line(text: str, style: Style) -> Line:
    """What is said of what was before the first entry."""
    return (("dim", fit(text, style.columns)),)
