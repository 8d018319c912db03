"""
What is around the messages, as lines of the screen: the list of buffers, the members, the topic,
the status, the line one types into. Functions of the model and of how much room there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from .buffer import DIRECT, ROOM, STATUS, Buffer
from .clean import clean
from .commands import is_secret
from .layout import Line, Span, fit, left, width
from .model import Model
from .palette import nick_attribute

PROMPT = "> "


def buffers(model: Model, columns: int, rows: int) -> list[Line]:
    """The list of buffers, the one that is looked at among them."""
    first = first_listed(model, rows)
    return [
        _buffer(model, number, buffer, columns)
        for number, buffer in enumerate(model.buffers[first : first + rows], first + 1)
    ]


def first_listed(model: Model, rows: int) -> int:
    """Which buffer is the first of those that are listed, if there is no room for all; from 0."""
    at = model.buffers.index(model.active)
    return max(0, min(at - rows // 2, len(model.buffers) - rows))


def _buffer(model: Model, number: int, buffer: Buffer, columns: int) -> Line:
    count = f" {buffer.unread}" if buffer.unread else ""
    name = left(clean(buffer.title), max(columns - 4 - len(count), 0))
    text = left(f"{number:>2} {name}{count} ", columns)
    if buffer is model.active:
        return (("active", text),)
    if buffer.mentions:
        return (("called", text),)
    if buffer.unread:
        return (("unread", text),)
    outside = buffer.kind == ROOM and buffer.room is None and not buffer.entering
    return (("dim" if outside else "text", text),)


def members(buffer: Buffer, columns: int, rows: int) -> list[Line]:
    """Who is in a room."""
    listed = buffer.members.listed()
    shown = listed if len(listed) <= rows else listed[: max(rows - 1, 0)]
    lines: list[Line] = [
        (("dim" if user.away else nick_attribute(user.nick), fit(clean(user.nick), columns)),)
        for user in shown
    ]
    if len(shown) < len(listed):
        lines.append((("dim", fit(f"... {len(listed) - len(shown)} more", columns)),))
    return lines


def topic(buffer: Buffer, columns: int) -> Line:
    """Where one is, and what it is about."""
    count = ""
    if buffer.kind == ROOM:
        count = f" {_inside(buffer)} "
    title = fit(f" {clean(buffer.title)} ", columns)
    room = columns - width(title)
    if room < len(count) + 8:
        count = ""
    about = left(f" {_about(buffer)}", max(room - len(count), 0))
    return (("bar_strong", title), ("bar", about + count))


def _inside(buffer: Buffer) -> str:
    if buffer.room is not None:
        return f"{len(buffer.members)} here"
    return "entering ..." if buffer.entering else "not inside"


def _about(buffer: Buffer) -> str:
    if buffer.kind == STATUS:
        return "what the server says; /help lists the commands"
    if buffer.kind == DIRECT:
        return f"what you and {clean(buffer.name)} say to each other"
    return clean(buffer.topic)


def status(model: Model, columns: int, seconds: float, below: int, narrow: bool) -> Line:
    """
    Who one is, how it is with the connection, and what is new elsewhere.

    @param seconds: what the clock shows.
    @param below: entries below what is seen.
    @param narrow: the list of buffers is not shown.
    """
    connection = _connection(model, seconds)
    more = []
    if model.hint:
        more.append(clean(model.hint))
    if below:
        more.append(f"{below} more below")
    if narrow:
        more.extend(_active_elsewhere(model))
    news = f" {'  '.join(more)} " if more else ""
    # What changes is worth more than what does not.
    who = _who(model, columns - width(connection[1]) - width(news))
    return _filled([("bar", who), connection], ("bar_strong", news), columns)


def _who(model: Model, columns: int) -> str:
    """Who one is, and where, in as many words as there is room for."""
    nick, server = clean(model.nick), clean(model.server)
    guest = "" if model.account else " (guest)"
    choices = (f" {nick}{guest} @ {server} ", f" {nick} @ {server} ", f" {nick} ", " ")
    return next((each for each in choices if width(each) <= columns), "")


def _filled(begin: Sequence[Span], end: Span, columns: int) -> Line:
    """Something at the left, something at the right, and the bar between them."""
    line: list[Span] = []
    room = columns
    for attribute, text in begin:
        shown = fit(text, room)
        line.append((attribute, shown))
        room -= width(shown)
    shown = fit(end[1], room)
    line.append(("bar", " " * (room - width(shown))))
    line.append((end[0], shown))
    return tuple(line)


def _connection(model: Model, seconds: float) -> Span:
    if not model.lost:
        return ("bar", "· connected ")
    if model.retry_at is None:
        return ("bar_warning", "· not connected ")
    left_over = ceil(model.retry_at - seconds)
    if left_over <= 0:
        return ("bar_warning", "· reconnecting ... ")
    return ("bar_warning", f"· reconnecting in {left_over} s ... ")


def _active_elsewhere(model: Model) -> list[str]:
    numbered = enumerate(model.buffers, 1)
    return [f"{number}:{clean(b.title)}({b.unread})" for number, b in numbered if b.unread]


class Typed:
    """
    The line that one types, broken into lines of the screen, and where the cursor is in them.

    @ivar lines: what is shown; `cursor` its column and row in them.
    """

    def __init__(self, text: str, cursor: int, columns: int, rows: int) -> None:
        shown = [_shown(character) for character in _masked(text)]
        columns = max(columns, 3)
        lines, line, used = [], PROMPT, len(PROMPT)
        place = (used, 0)
        for index, character in enumerate([*shown, " "]):
            size = width(character)
            if used + size > columns:
                lines.append(line)
                line, used = "", 0
            if index == cursor:
                place = (used, len(lines))
            line += character
            used += size
        lines.append(line[:-1])
        first = max(0, min(place[1] - rows // 2, len(lines) - rows))
        self.cursor = (place[0], place[1] - first)
        self.lines: list[Line] = [
            _with_prompt(each) if number == 0 else (("text", each),)
            for number, each in enumerate(lines)
        ][first : first + rows]


def _with_prompt(line: str) -> Line:
    return (("prompt", PROMPT), ("text", line[len(PROMPT) :]))


def _masked(text: str) -> str:
    """Passwords are not for everybody who looks at the screen."""
    if not is_secret(text):
        return text
    begin = len(text) - len(text.lstrip())
    word = text.find(" ", begin) + 1 or len(text)
    return text[:word] + "*" * len(text[word:])


def _shown(character: str) -> str:
    """A character of one's own: it keeps its place, whatever it is."""
    if character == "\n":
        return "↵"
    if character.isprintable() or clean(character) == character:
        return character
    return "\N{REPLACEMENT CHARACTER}"
