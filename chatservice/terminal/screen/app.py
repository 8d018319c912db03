"""
The screen on a terminal: urwid's main loop on Twisted's reactor, what keys do, and when to draw.
What there is to see is the model's, what is done the session's.
"""

from __future__ import annotations

import termios
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import tzinfo
from typing import Any

import urwid
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatservice.client import Client
from chatservice.terminal.exits import Exit

from .completion import Cycle
from .display import Loop
from .drafts import Drafts
from .palette import PALETTE
from .session import Session
from .view import Window

_DRAW_SECONDS = 0.03
"""What comes from the server is drawn as often as that, at most."""

_WHEEL_LINES = 3

_FAILURES = 3
"""How often drawing, or a key, may break before there is no use in going on."""


class App:
    """
    @param client: logged in.
    @param drafts: what is kept of what is not sent.
    @param screen: the terminal.
    @param zone: the time's; None for the system's.
    """

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        client: Client,
        drafts: Drafts,
        screen: Any,
        zone: tzinfo | None = None,
    ) -> None:
        self._clock = reactor
        self._client = client
        self._done: Deferred[int] = Deferred()
        self._drawing: IDelayedCall | None = None
        self._ticking: IDelayedCall | None = None
        self._pasting = False
        self._cycle = Cycle()
        self._interrupted = False
        self._started = False
        self._failures = 0
        self.session = Session(client, reactor, drafts, self.changed, self.leave)
        self.model = self.session.model
        self.window = Window(self.model, reactor.seconds, self.pressed, zone)
        self._screen = screen
        self._loop = urwid.MainLoop(
            self.window,
            PALETTE,
            screen=screen,
            event_loop=Loop(reactor, self.broke),
        )

    async def run(
        self,
        rooms: Sequence[str],
        notices: Sequence[str],
        *,
        key: str = "",
        to: str = "",
        typed: str = "",
    ) -> int:
        """
        Shows the screen until one has enough; see `screen.chat`.

        @param typed: what was typed before it was there.
        @return: the exit status.
        @raise ClientError: the client has given up, and why.
        """
        self._loop.start()
        self._started = True
        try:
            self.session.start(rooms, notices, key=key, to=to)
            self.model.active.type_before(typed)
            code = await self._done
        finally:
            self._stop()
        if self._client.failure is not None:
            raise self._client.failure
        return code

    def leave(self, code: int) -> None:
        """One has enough."""
        if not self._done.called:
            self._done.callback(code)

    def _stop(self) -> None:
        self._started = False
        self.session.stop()
        for call in (self._drawing, self._ticking):
            if call is not None and call.active():
                call.cancel()
        with suppress(OSError, termios.error):  # the terminal is gone
            self._loop.stop()

    def broke(self, failure: Failure) -> None:
        """Something in the handling of a key, or in drawing, broke."""
        self._failures += 1
        if failure.check(OSError, "urwid.display.common.InputClosedError"):
            self.leave(Exit.HANGUP)  # the terminal is gone
        elif self._failures < _FAILURES:
            self.log.failure("the screen broke", failure)
            self.session.failed(self.model.status, failure.value)
        elif not self._done.called:
            self._done.errback(failure)

    # Drawing.

    def changed(self) -> None:
        """There is something else to see: it is drawn soon."""
        if self._started and self._drawing is None:
            self._drawing = self._clock.callLater(_DRAW_SECONDS, self._draw)

    def _draw(self) -> None:
        self._drawing = None
        self.window.redraw()
        try:
            self._loop.draw_screen()
        except Exception:  # noqa: BLE001 - supervised here
            self.broke(Failure())
        if self.window.has_room:
            self.session.fill()
        if self.model.lost and self._ticking is None:
            self._ticking = self._clock.callLater(1.0, self._tick)

    def _tick(self) -> None:
        """The seconds until the next attempt are counted down."""
        self._ticking = None
        if self.model.lost:
            self.changed()

    # Keys.

    def pressed(self, key: str) -> None:
        """A key is pressed, or the mouse's wheel turned."""
        if key in ("begin paste", "end paste"):
            self._pasting = key == "begin paste"
        elif self._pasting:
            self._insert(_PASTED.get(key, key))
        else:
            self._key(key)
        self.session.edited()
        self.changed()

    def _key(self, key: str) -> None:
        self.model.hint = ""
        interrupted, self._interrupted = self._interrupted, False
        if key not in ("tab", "shift tab"):
            self._cycle.end()
        line = self.model.active.line
        if key in KEYS:
            KEYS[key](self)
        elif key == "ctrl c":
            self._interrupt(interrupted)
        elif not line.key(key):
            self._insert(key)

    def _insert(self, text: str) -> None:
        if len(text) == 1 and (text.isprintable() or text == "\n" or not text.isascii()):
            self.model.active.line.insert(text)

    def _interrupt(self, again: bool) -> None:
        if again:
            self.leave(Exit.DONE)
            return
        self._interrupted = True
        waiting = self.model.waiting()
        unstored = f"{waiting} not stored yet; " if waiting else ""
        self.model.hint = f"{unstored}Ctrl-C again leaves"

    def enter(self) -> None:
        line = self.model.active.line
        if line.text.strip():
            self.session.typed(line.take())

    def complete(self, by: int = 1) -> None:
        words = self._cycle.next(self.model.active.line, self.model, by)
        if len(words) > 1:
            self.model.hint = " ".join(word.rstrip(": ") for word in words[:8])

    def complete_back(self) -> None:
        self.complete(-1)

    def page_up(self) -> None:
        if self.window.scroll_up():
            self.session.load_older()

    def wheel_up(self) -> None:
        if self.window.scroll_up(_WHEEL_LINES):
            self.session.load_older()

    def page_down(self) -> None:
        self.window.scroll_down()

    def wheel_down(self) -> None:
        self.window.scroll_down(_WHEEL_LINES)

    def to_end(self) -> None:
        self.window.scroll_to_end()

    def next_buffer(self) -> None:
        self.model.look_further(1)

    def previous_buffer(self) -> None:
        self.model.look_further(-1)

    def unread_buffer(self) -> None:
        self.model.look_at_unread()

    def help(self) -> None:
        self.session.typed("/help")

    def repaint(self) -> None:
        self._screen.clear()


def _look_at(number: int) -> Callable[[App], None]:
    return lambda app: app.model.look_at_number(number)


_PASTED = {"enter": "\n", "tab": " ", "ctrl j": "\n"}
"""What keys mean in what is pasted: it is sent by nobody but the one who has pasted it."""

KEYS: dict[str, Callable[[App], None]] = {
    "enter": App.enter,
    "tab": App.complete,
    "shift tab": App.complete_back,
    "page up": App.page_up,
    "page down": App.page_down,
    "wheel up": App.wheel_up,
    "wheel down": App.wheel_down,
    "esc": App.to_end,
    "ctrl n": App.next_buffer,
    "meta down": App.next_buffer,
    "ctrl p": App.previous_buffer,
    "meta up": App.previous_buffer,
    "meta a": App.unread_buffer,
    "ctrl l": App.repaint,
    "f1": App.help,
    **{f"meta {number}": _look_at(number) for number in range(1, 10)},
}
"""What each key does that is none of the line's (`editing.KEYS`)."""
