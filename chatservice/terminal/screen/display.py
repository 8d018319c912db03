"""
urwid's terminal and its loop, as this program needs them: on a reactor that somebody else runs,
with Ctrl-C a key like others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import urwid
from twisted.python.failure import Failure

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
