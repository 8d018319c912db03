"""
A question at the terminal whose answer is not shown. The reactor runs on while somebody types.
"""

from __future__ import annotations

import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .standard import Input

_LOCAL_MODES = 3


class Prompt:
    """
    @param typed: a terminal.
    @param write: shows something on it.
    """

    def __init__(self, typed: Input, write: Callable[[str], None]) -> None:
        self._typed = typed
        self._write = write

    async def __call__(self, question: str) -> str:
        """Asks; empty for no answer (`passwords.Asking`)."""
        with _hidden(self._typed.fileno()):
            self._write(question)
            try:
                return await self._typed.line() or ""
            finally:
                self._write("\n")


@contextmanager
def _hidden(descriptor: int) -> Iterator[None]:
    """What is typed is not shown."""
    before = termios.tcgetattr(descriptor)
    hidden = list(before)
    hidden[_LOCAL_MODES] = before[_LOCAL_MODES] & ~termios.ECHO
    # What was typed before the question is thrown away: it would have been shown.
    termios.tcsetattr(descriptor, termios.TCSAFLUSH, hidden)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
