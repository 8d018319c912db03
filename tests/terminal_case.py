"""
The command `chat` as a process of its own, with what is typed and what it shows, for tests from
outside. Nothing here blocks or sleeps; what is right or wrong is not decided here.
"""

from __future__ import annotations

import contextlib
import re
import signal
import sys
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

import chatservice
from tests.process import PATIENCE, Ended, EndedEarly, new_folder
from tests.service import ServiceCase

T = TypeVar("T")

reactor: Any = _reactor


class Chat(ProcessProtocol):
    """
    One `chat`, from its start.

    @ivar ended: fires when it has ended.
    """

    transport: Any

    def __init__(self) -> None:
        self.ended: Deferred[Ended] = Deferred()
        self._output = {1: bytearray(), 2: bytearray()}
        self._waiting: list[tuple[int, re.Pattern[str], Deferred[None]]] = []

    # What the process does.

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self._output[childFD] += data
        for entry in list(self._waiting):
            descriptor, pattern, waiter = entry
            if pattern.search(self._text(descriptor)):
                self._waiting.remove(entry)
                waiter.callback(None)

    def processEnded(self, reason: Failure) -> None:
        value = reason.value
        status = 0
        if isinstance(value, ProcessTerminated):
            status = -value.signal if value.signal else value.exitCode or 0
        waiting, self._waiting = self._waiting, []
        for _, _, waiter in waiting:
            waiter.errback(EndedEarly(self._text(1) + self._text(2)))
        self.ended.callback(Ended(status, self._text(1), self._text(2)))

    def _text(self, descriptor: int) -> str:
        return self._output[descriptor].decode()

    # What the test asks for.

    def shows(self, pattern: str) -> Deferred[None]:
        """Fires once a regular expression matches what it wrote to standard output."""
        return self._will(1, pattern)

    def complains(self, pattern: str) -> Deferred[None]:
        """The same of standard error."""
        return self._will(2, pattern)

    def _will(self, descriptor: int, pattern: str) -> Deferred[None]:
        waiter: Deferred[None] = Deferred()
        self._waiting.append((descriptor, re.compile(pattern), waiter))
        self.childDataReceived(descriptor, b"")
        return waiter.addTimeout(PATIENCE, reactor)

    def type(self, text: str) -> None:
        """Writes to its standard input."""
        self.transport.write(text.encode())

    def send_signal(self, number: int) -> None:
        """Nothing, if it has ended."""
        with contextlib.suppress(ProcessExitedAlready):
            self.transport.signalProcess(number)

    async def end(self) -> Ended:
        """Waits for its end."""
        return await copy(self.ended)


class TerminalCase(ServiceCase):
    """A test of `chat`."""

    timeout = round(3 * PATIENCE)

    def setUp(self) -> None:
        self.home = new_folder(self)

    def chat(
        self, *arguments: str, password: str = "", pty: bool = False, closed: bool = False
    ) -> Chat:
        """
        Starts it. It is killed after the test if it still runs.

        @param password: in its environment.
        @param pty: on a terminal; otherwise at three pipes.
        @param closed: its standard input has ended.
        """
        command = Chat()
        environment = {
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": str(Path(chatservice.__file__).parent.parent),
            "TERM": "xterm",
            "TZ": "UTC",
            **({"CHAT_PASSWORD": password} if password else {}),
        }
        reactor.spawnProcess(
            command,
            sys.executable,
            [sys.executable, "-m", "chatservice.terminal.main", *arguments],
            env=environment,
            path=str(self.home),
            usePTY=pty,
        )
        if closed:
            command.transport.closeStdin()
        self.addCleanup(_clean_up, command)
        return command

    async def ended(self, *arguments: str, **how: Any) -> Ended:
        """Runs it to its end, without input."""
        return await self.chat(*arguments, closed=True, **how).end()

    def assertQuiet(self, ended: Ended) -> None:
        """Fails if a traceback or a log was shown."""
        self.assertNotIn("Traceback", ended.out + ended.err)
        self.assertNotIn("[chatservice", ended.out + ended.err)


def _clean_up(command: Chat) -> Deferred[Ended]:
    command.send_signal(signal.SIGKILL)
    return copy(command.ended)


def copy(deferred: Deferred[T]) -> Deferred[T]:
    """A Deferred of one's own to wait for; it fails if that takes too long."""
    own: Deferred[T] = Deferred()

    def hand_on(result: T) -> T:
        if not own.called:
            own.callback(result)
        return result

    deferred.addCallback(hand_on)
    return own.addTimeout(PATIENCE, reactor)
