"""
The whole screen as one widget: how much room each part has, and the parts put together. It draws
the model and changes nothing but how far one has scrolled; keys are handed on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

import urwid

from . import panes
from .backlog import Backlog
from .buffer import ROOM, STATUS
from .layout import Line, cut
from .model import Model
from .rendering import Style

_FEW_COLUMNS = 60
"""Below, there is no list of buffers."""

_MANY_COLUMNS = 80
"""From here on members are shown."""

_MEMBERS_COLUMNS = 16


@dataclass(frozen=True, slots=True)
class Shape:
    """
    How the screen is divided, for a size and a model: columns of the three parts beside each other
    (0 for one that is not shown), and rows of those above each other.
    """

    buffers: int
    messages: int
    members: int
    topic: int
    body: int
    status: int
    typed: int


def shape(model: Model, columns: int, rows: int) -> Shape:
    """Divides the screen. What one types is always there, and the messages come next."""
    wanted = len(panes.Typed(model.active.line.text, 0, columns, 10_000).lines)
    typed = min(wanted, max(rows // 3, 1))
    status = 1 if rows > typed + 1 else 0
    topic = 1 if rows > typed + status + 2 else 0
    listed = members = 0
    if columns >= _FEW_COLUMNS:
        longest = max(len(buffer.title) for buffer in model.buffers)
        listed = min(max(longest + 9, 14), 24)
    if columns >= _MANY_COLUMNS and model.active.kind == ROOM:
        members = _MEMBERS_COLUMNS
    # A line between two parts takes a column.
    messages = columns - listed - members - bool(listed) - bool(members)
    return Shape(listed, messages, members, topic, rows - typed - status - topic, status, typed)


class Window(urwid.Widget):
    """
    @param seconds: tells the time, seconds since 1970-01-01 UTC.
    @param pressed: is given keys.
    @param zone: the time's; None for the system's.
    @ivar has_room: there was more room than there is to see, when it was drawn last.
    """

    _sizing = frozenset([urwid.BOX])
    _selectable = True
    no_cache = ["render"]

    def __init__(
        self,
        model: Model,
        seconds: Callable[[], float],
        pressed: Callable[[str], None],
        zone: tzinfo | None = None,
    ) -> None:
        super().__init__()
        self._model = model
        self._seconds = seconds
        self._pressed = pressed
        self._zone = zone
        self._backlog = Backlog()
        self._size = (80, 24)
        self.has_room = False

    # Drawing.

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        self._size = size
        columns, rows = size
        model = self._model
        form = shape(model, columns, rows)
        parts: list[urwid.Canvas] = []
        if form.topic:
            parts.append(_canvas([panes.topic(model.active, columns)], columns, 1))
        if form.body > 0:
            parts.append(self._body(form))
        if form.status:
            below = self._backlog.hidden_below(model.active)
            line = panes.status(model, columns, self._seconds(), below, not form.buffers)
            parts.append(_canvas([line], columns, 1))
        parts.append(self._typed(columns, form.typed))
        return urwid.CanvasCombine([(part, None, part.cursor is not None) for part in parts])

    def _body(self, form: Shape) -> urwid.Canvas:
        model, rows = self._model, form.body
        lines = self._backlog.visible(model.active, model.nick, self._style(form), rows)
        empty: list[Line] = [()] * (rows - len(lines))
        self.has_room = bool(empty) and model.active.cleared is None
        parts: list[tuple[urwid.Canvas, int]] = []
        if form.buffers:
            parts.append(_beside(panes.buffers(model, form.buffers, rows), form.buffers, rows))
            parts.append(_beside([(("dim", "│"),)] * rows, 1, rows))
        margin: Line = (("text", " "),) if form.buffers else ()
        parts.append(_beside(empty + [(*margin, *line) for line in lines], form.messages, rows))
        if form.members:
            parts.append(_beside([(("dim", "│"),)] * rows, 1, rows))
            listed = panes.members(model.active, form.members - 1, rows)
            parts.append(_beside([(("text", " "), *line) for line in listed], form.members, rows))
        return urwid.CanvasJoin([(canvas, None, False, columns) for canvas, columns in parts])

    def _typed(self, columns: int, rows: int) -> urwid.Canvas:
        line = self._model.active.line
        typed = panes.Typed(line.text, line.cursor, columns, rows)
        canvas = urwid.CompositeCanvas(_canvas(typed.lines, columns, rows))
        canvas.cursor = typed.cursor
        return canvas

    def _style(self, form: Shape) -> Style:
        margins = 2 if form.buffers else 0
        notes = self._model.active.kind == STATUS
        return Style(max(form.messages - margins, 1), self._zone, notes)

    def redraw(self) -> None:
        """There is something else to see."""
        self._invalidate()

    # Keys and the mouse.

    def keypress(self, size: tuple[int, int], key: str) -> str | None:  # type: ignore[override]
        self._size = size
        self._pressed(key)
        self.redraw()
        return None

    def mouse_event(  # type: ignore[override]
        self,
        size: tuple[int, int],
        event: str,
        button: int,
        col: int,
        row: int,
        focus: bool,
    ) -> bool | None:
        self._size = size
        if not event.endswith("mouse press"):
            return False
        if button in _WHEEL:
            self._pressed(_WHEEL[button])
        elif button == 1:
            self._point(col, row)
        self.redraw()
        return True

    def _point(self, column: int, row: int) -> None:
        model = self._model
        form = shape(model, *self._size)
        row -= form.topic
        if column < form.buffers and 0 <= row < form.body:
            model.look_at_number(panes.first_listed(model, form.body) + row + 1)

    # Scrolling.

    def scroll_up(self, lines: int | None = None) -> bool:
        """
        Scrolls back, by a screen if nothing else is said.

        @return: whether the beginning of what there is is near.
        """
        form = shape(self._model, *self._size)
        rows = max(form.body, 1)
        by = max(rows - 2, 1) if lines is None else lines
        active, nick = self._model.active, self._model.nick
        return self._backlog.up(active, nick, self._style(form), rows, by)

    def scroll_down(self, lines: int | None = None) -> None:
        """Scrolls forward."""
        form = shape(self._model, *self._size)
        by = max(form.body - 2, 1) if lines is None else lines
        self._backlog.down(self._model.active, self._style(form), by)

    def scroll_to_end(self) -> None:
        """Shows the latest there is, and what comes."""
        self._model.active.anchor = None


_WHEEL = {4: "wheel up", 5: "wheel down"}
"""Buttons of the mouse, as keys."""


def _beside(lines: Sequence[Line], columns: int, rows: int) -> tuple[urwid.Canvas, int]:
    return _canvas(lines, columns, rows), columns


def _canvas(lines: Sequence[Line], columns: int, rows: int) -> urwid.Canvas:
    """Lines as urwid draws them: cut to the columns, and filled up to the rows."""
    shown = [*lines[:rows], *([()] * (rows - len(lines)))]
    markup: list[str | tuple[str, str]] = []
    for number, line in enumerate(shown):
        if number:
            markup.append("\n")
        markup.extend(cut(line, columns))
    return urwid.Text(markup or "", wrap="clip").render((columns,))
