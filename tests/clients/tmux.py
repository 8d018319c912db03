"""A real terminal, tmux's, with a program in it: typed into as a person would, and looked at."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from twisted.internet.task import deferLater
from twisted.internet.utils import getProcessOutputAndValue
from twisted.trial.unittest import FailTest, TestCase

from tests.process import PATIENCE, reactor

from .program import installed

_LOOK = 0.05
"""Seconds from one look at the screen to the next: a screen can't be waited for as a socket can."""


class Terminal:
    """
    One terminal. It goes, with whatever runs in it, when the test is over.

    @param columns: how wide it is, in characters.
    @param rows: how high.
    """

    def __init__(self, case: TestCase, columns: int = 100, rows: int = 50) -> None:
        self._tmux = installed("tmux")
        # The path of a UNIX socket may be a hundred bytes long, which trial's folders come to.
        self._folder = Path(tempfile.mkdtemp(prefix="chat-tmux-"))
        self._size = ("-x", str(columns), "-y", str(rows))
        case.addCleanup(self._end)

    async def run(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Starts the program."""
        await self._do("-f", "/dev/null", "new-session", "-d", *self._size, "cat")
        # So that what a program has said last can be read.
        await self._do("set-option", "-g", "remain-on-exit", "on")
        given = [f"{name}={value}" for name, value in environment.items()]
        # The terminal that the tests run in is not to be known to the program.
        words = ["env", "-i", *given, *command]
        # tmux itself forgets the exit status of a pane if it sees its end before its process's.
        keeping = '"$@"; echo $? > "$0"'
        status = str(self._folder / "status")
        await self._do("respawn-pane", "-k", "sh", "-c", keeping, status, *words)

    async def type(self, text: str, *keys: str) -> None:
        """Types a text, and then keys by tmux's names for them: `Enter`, `Tab`, `PageUp`."""
        if text:
            await self._do("send-keys", "-l", text)
        for key in keys:
            await self._do("send-keys", key)

    async def shown(self) -> str:
        """What stands on the screen."""
        return await self._do("capture-pane", "-p")

    async def sees(self, pattern: str) -> str:
        """
        Waits until a regular expression matches the screen; `^` and `$` are those of a line.

        @return: the screen.
        @raise FailTest: it takes too long.
        """
        expression = re.compile(pattern, re.MULTILINE)
        return await self._wait(self.shown, expression.search, f"{pattern!r} on the screen")

    async def ended(self) -> int:
        """
        Waits until the program has ended.

        @return: its exit status.
        @raise FailTest: it takes too long.
        """
        return int(await self._wait(self._status, str.strip, "end of the program"))

    async def _status(self) -> str:
        file = self._folder / "status"
        return file.read_text() if file.exists() else ""

    async def _wait(
        self, look: Callable[[], Awaitable[str]], found: Callable[[str], object], what: str
    ) -> str:
        deadline = reactor.seconds() + PATIENCE
        while True:
            over = reactor.seconds() > deadline
            text = await look()
            if found(text):
                return text
            if over:
                raise FailTest(f"no {what}:\n{await self.shown()}")
            await deferLater(reactor, _LOOK)

    async def _do(self, *words: str) -> str:
        out, err, status = await getProcessOutputAndValue(
            self._tmux,
            ("-S", str(self._folder / "s"), *words),
            env={
                "LANG": "C.UTF-8",
                "LC_ALL": "C.UTF-8",
                "TERM": "xterm-256color",
                "PATH": "/usr/bin:/bin",
            },
        )
        if status:
            raise FailTest(f"tmux {words[0]}: {err.decode()}")
        return str(out, "utf-8")

    async def _end(self) -> None:
        await getProcessOutputAndValue(self._tmux, ("-S", str(self._folder / "s"), "kill-server"))
        shutil.rmtree(self._folder)
