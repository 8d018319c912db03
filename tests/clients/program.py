"""A chat client as a process: started in a folder and a home of its own, told what to do as a
person would, and watched by the logs that it writes. How each client is told is not known here, and
what is right or wrong is not decided here.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import FailTest, SkipTest, TestCase

from tests.process import PATIENCE, reactor

T = TypeVar("T")

HOSTNAME = "localhost"
"""Where clients find the server, and whom its certificate has to be for."""

_LOOK = 0.02
"""Seconds from one look at a log to the next: files can't be waited for as sockets can."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a client is set up.

    Attributes:
        port: the server's.
        nick: what it is to be called.
        password: of its account, which has the nick's name; empty to log in to none.
        mechanism: the SASL mechanism.
        authority: the PEM file that it trusts, alone.
        pin: the SHA-256 fingerprint of the only certificate that it takes, in hexadecimal pairs
            joined by colons; empty for whatever the authority has signed.
        own: PEM file with its own key and certificate, if it has one.
        channel: what it joins whenever it connects; empty for none.
    """

    port: int
    nick: str
    authority: Path
    password: str = ""
    mechanism: str = "PLAIN"
    pin: str = ""
    own: Path | None = None
    channel: str = ""


class NotSeen(FailTest):
    """The client did not show what was waited for; the argument is what it did show."""


class Program(ProcessProtocol, ABC):
    """One client.

    Attributes:
        name: of the program to run.
        settings: how it is set up.
        folder: where it keeps everything.
        ended: fires when it has ended.
    """

    name: str
    terminal = False
    """Does it need one?"""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self.ended: Deferred[None] = Deferred()
        self._printed = bytearray()
        self._read: dict[Path, int] = {}

    # How it is run.

    @abstractmethod
    def prepare(self) -> list[str]:
        """Write its settings; returns the arguments that it is run with."""

    @abstractmethod
    def log_of(self, channel: str) -> Path:
        """Where it writes what it shows of a channel, or (empty) of the server."""

    @abstractmethod
    async def command(self, line: str) -> None:
        """Have its user type a command, which begins with `/`, where the server is talked to."""

    @abstractmethod
    def said(self, nick: str, text: str) -> str:
        """A regular expression: how it shows that somebody said something."""

    def outReceived(self, data: bytes) -> None:
        if not self.terminal:
            self._printed += data

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        self.ended.callback(None)

    # What the test asks for.

    async def say(self, channel: str, text: str) -> None:
        """Have its user say something."""
        await self.command(f"/msg {channel} {text}")

    async def sees(self, pattern: str, channel: str = "") -> re.Match[str]:
        """Wait until it shows something that matches, after what was seen there before.

        Args:
            pattern: a regular expression; `^` and `$` are those of a line.
            channel: where it is shown; by the server unless said.

        Raises:
            NotSeen: it has ended, or has not shown it in time.
        """
        log, expression = self.log_of(channel), re.compile(pattern, re.MULTILINE)
        match = await self.wait_for(
            lambda: expression.search(_text(log), self._read.get(log, 0)),
            f"{pattern!r} in {log.name}",
        )
        self._read[log] = match.end()
        return match

    async def wait_for(self, look: Callable[[], T | None], what: str) -> T:
        """Wait for something that there is no event for.

        Args:
            look: finds it, or None.
            what: it is, for people.

        Raises:
            NotSeen: the client has ended without it, or it takes too long.
        """
        deadline = reactor.seconds() + PATIENCE
        while True:
            # Before the look: what it did last counts.
            over = self.ended.called or reactor.seconds() > deadline
            found = look()
            if found is not None:
                return found
            if over:
                raise NotSeen(f"{self.name}: no {what}\n{self._all()}")
            await deferLater(reactor, _LOOK)

    def end(self) -> Deferred[None]:
        """Kill it, and wait for its end."""
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess(signal.SIGKILL)  # type: ignore[union-attr]
        return self.ended

    def _all(self) -> str:
        logs = [f"== {file.name}\n{_text(file)}" for file in sorted(self.folder.rglob("*log"))]
        return "\n".join([*logs, "== printed", self._printed.decode("utf-8", "replace")])


def installed(name: str) -> str:
    """Find a program.

    Raises:
        SkipTest: it is not there, and need not be.
        FailTest: it is not there, and this is CI.
    """
    path = shutil.which(name)
    if path is not None:
        return path
    if os.environ.get("CI"):
        raise FailTest(f"{name} is not installed, and this is CI")
    raise SkipTest(f"{name} is not installed")


def run(case: TestCase, program: Program) -> None:
    """Start a client; it is killed after the test if it still runs."""
    path = installed(program.name)
    environment = {
        "HOME": str(program.folder),
        "LANG": "C.UTF-8",
        "PATH": os.environ["PATH"],
        "TERM": "vt100",
    }
    arguments = [path, *program.prepare()]
    how: dict[str, Any] = {"usePTY": True} if program.terminal else {}
    reactor.spawnProcess(program, path, arguments, env=environment, path=str(program.folder), **how)
    case.addCleanup(program.end)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
