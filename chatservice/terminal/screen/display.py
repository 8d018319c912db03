"""
urwid's terminal and its loop, as this program needs them: on a reactor that somebody else runs,
with Ctrl-C a key like others.
"""

from __future__ import annotations

import os
import select
import termios
import tty
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import urwid
from twisted.python.failure import Failure

from .clean import clean
from .palette import colours

_T = TypeVar("_T")

_UNDEFINED: Literal["undefined"] = "undefined"


class Display(urwid.display.raw.Screen):
    """
    The terminal that standard input and output lead to.

    @param environment: of the process, for its colours.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__(bracketed_paste_mode=True)
        self.set_terminal_properties(colors=colours(environment))

    def start(self, *args: Any, **kwargs: Any) -> Any:
        """Also after a Ctrl-Z; urwid makes the keys signals again when it stops."""
        started = super().start(*args, **kwargs)
        self.tty_signal_keys(_UNDEFINED, _UNDEFINED, _UNDEFINED, _UNDEFINED)
        return started


def typed_ahead(descriptor: int) -> str:
    """
    What somebody has typed at a terminal and nobody has read; urwid would throw it away when it
    begins.
    """
    if not os.isatty(descriptor):
        return ""
    before = termios.tcgetattr(descriptor)
    # Otherwise a line is not to be had before its end is typed.
    tty.setcbreak(descriptor, termios.TCSANOW)
    typed = b""
    try:
        while select.select([descriptor], [], [], 0)[0]:
            data = os.read(descriptor, 4096)
            if not data:
                break
            typed += data
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)
    return "\n".join(map(clean, typed.decode(errors="replace").split("\n")))


class Loop(urwid.TwistedEventLoop):
    """
    @param broke: told of what breaks in the handling of a key, or in drawing.
    """

    def __init__(self, reactor: Any, broke: Callable[[Failure], None]) -> None:
        self._told = broke
        super().__init__(reactor, manage_reactor=False)

    def handle_exit(
        self, f: Callable[..., _T], enable_idle: bool = True
    ) -> Callable[..., _T | None]:
        """See `urwid.TwistedEventLoop`."""

        def supervised(*arguments: Any, **options: Any) -> _T | None:
            try:
                return f(*arguments, **options)
            except Exception:  # noqa: BLE001 - supervised here
                self._told(Failure())
                return None

        return super().handle_exit(supervised, enable_idle)
