"""Real server processes for tests: `twistd chat`, started in a folder of its own on a free port of
loopback, with its log, its exit status and clients. Nothing here blocks or sleeps: what is waited
for are the process's own bytes and its end. What is right or wrong is not decided here.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.error import ProcessExitedAlready, ProcessTerminated
from twisted.internet.interfaces import IProcessTransport, IStreamClientEndpoint
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

import chatservice
from tests.service import HOST, TLS, Client, Trusting

PATIENCE = 60.0
"""Seconds that anything may take before the test fails."""

# A daemon lets go of its standard output; this pipe stays open as long as the process lives.
_LIFELINE = 3
_TWISTD = "from twisted.scripts.twistd import run; run()"
_LISTENING = r"listening on ssl:.* localhost:(\d+)"
_TRUSTING = Trusting()

T = TypeVar("T")

reactor: Any = _reactor


class ProcessCase(TestCase):
    """A test of real processes."""

    timeout = 3 * PATIENCE


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended.

    Attributes:
        status: its exit status; negative for the signal that it ended by.
        out: its standard output.
        err: its standard error.
    """

    status: int
    out: str
    err: str


class EndedEarly(Exception):
    """The process ended before what was waited for; the argument is all that it said."""


class Process(ProcessProtocol):
    """One `twistd`, from its start.

    Attributes:
        folder: where it was started.
        exited: fires with its exit status when the process that was started ends; a daemon goes on.
        ended: fires when nothing of it runs any more.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.exited: Deferred[int] = Deferred()
        self.ended: Deferred[Ended] = Deferred()
        self._status = 0
        self._output = {1: bytearray(), 2: bytearray()}
        self._waiting: list[tuple[re.Pattern[str], Deferred[re.Match[str]]]] = []

    # What the process does.

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self._output[childFD] += data
        self._look()

    def processExited(self, reason: Failure) -> None:
        value = reason.value
        if isinstance(value, ProcessTerminated):
            self._status = -value.signal if value.signal else cast(int, value.exitCode)
        self.exited.callback(self._status)

    def processEnded(self, reason: Failure) -> None:
        waiting, self._waiting = self._waiting, []
        for _, waiter in waiting:
            waiter.errback(EndedEarly(self._text(1) + self._text(2)))
        self.ended.callback(Ended(self._status, self._text(1), self._text(2)))

    def _look(self) -> None:
        text = self._text(1)
        for entry in list(self._waiting):
            match = entry[0].search(text)
            if match is not None:
                self._waiting.remove(entry)
                entry[1].callback(match)

    def _text(self, descriptor: int) -> str:
        return self._output[descriptor].decode("utf-8", "replace")

    # What the test asks for.

    def log(self) -> str:
        """All that it has logged: to its standard output, or to the default file of a daemon."""
        file = self.folder / "twistd.log"
        return self._text(1) + (file.read_text(encoding="utf-8") if file.exists() else "")

    def logged(self, pattern: str) -> Deferred[re.Match[str]]:
        """Fire with the match once a regular expression matches what it wrote to its output."""
        waiter: Deferred[re.Match[str]] = Deferred()
        self._waiting.append((re.compile(pattern), waiter))
        self._look()
        return waiter.addTimeout(PATIENCE, reactor)

    def send_signal(self, number: int) -> None:
        """Send a signal to the process, or to the daemon that it started; nothing if it ended."""
        try:
            if self.exited.called:
                os.kill(self._daemon(), number)
            else:
                cast(IProcessTransport, self.transport).signalProcess(number)
        except (ProcessExitedAlready, ProcessLookupError, FileNotFoundError):
            pass

    def _daemon(self) -> int:
        return int((self.folder / "twistd.pid").read_text(encoding="ascii"))

    async def end(self, number: int) -> Ended:
        """Send a signal, and wait for the end."""
        self.send_signal(number)
        return await _copy(self.ended)


class Server(Process):
    """A server that listens.

    Attributes:
        port: where its first TLS listener is.
    """

    port = 0

    async def connect(self, tls: Trusting | None = _TRUSTING, port: int | None = None) -> Client:
        """Connect a client.

        Args:
            tls: how TLS is spoken; None for plain text.
            port: where to, if not to `port`.
        """
        endpoint: IStreamClientEndpoint = TCP4ClientEndpoint(reactor, HOST, port or self.port)
        if tls is not None:
            endpoint = wrapClientTLS(tls, endpoint)
        client: Client = await connectProtocol(endpoint, Client())
        return client

    async def log_in(self, nick: str, password: str = "") -> Client:
        """Connect a client that is logged in."""
        client = await self.connect()
        answer = await client.ask(f"LOGIN:{nick}:{password}" if password else f"LOGIN:{nick}")
        assert answer == f"OK:LOGIN:{nick}", answer
        return client

    async def terminate(self) -> Ended:
        """Stop it as systemd does, and wait for its end."""
        return await self.end(signal.SIGTERM)

    async def kill(self) -> Ended:
        """Stop it as a power cut does, and wait for its end."""
        return await self.end(signal.SIGKILL)


async def start_server(
    case: TestCase, *options: str, folder: Path | None = None, twistd: tuple[str, ...] = ("-n",)
) -> Server:
    """Start a server, and wait until it listens. It is killed after the test if it still runs.

    Args:
        case: the test.
        options: what follows `twistd chat`. Unless they say otherwise it listens with TLS on a free
            port; they should leave one such listener.
        folder: where it is started, and keeps its data; a new one unless said.
        twistd: what stands before `chat`. Without -n it is a daemon; its start is then over when
            its log says where it listens.
    """
    if not {"--endpoint", "-e", "--config", "-c"}.intersection(options):
        options = ("--endpoint", TLS, *options)
    server = Server(folder or new_folder(case))
    _spawn(case, server, (*twistd, "chat", *options))
    if "-n" in twistd:
        match: re.Match[str] | None = await server.logged(_LISTENING)
    else:
        await _copy(server.exited)
        match = re.search(_LISTENING, server.log())
    assert match is not None, server.log()
    server.port = int(match[1])
    return server


async def run_twistd(case: TestCase, *arguments: str, folder: Path | None = None) -> Ended:
    """Run `twistd` to its end, with all of its arguments as they are."""
    process = Process(folder or new_folder(case))
    _spawn(case, process, arguments)
    return await _copy(process.ended)


def new_folder(case: TestCase) -> Path:
    """Make an empty folder."""
    folder = Path(case.mktemp()).absolute()
    folder.mkdir(parents=True)
    return folder


def _spawn(case: TestCase, process: Process, arguments: tuple[str, ...]) -> None:
    root = str(Path(chatservice.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": root, "PYTHONUNBUFFERED": "1", "COLUMNS": "80"}
    reactor.spawnProcess(
        process,
        sys.executable,
        [sys.executable, "-c", _TWISTD, *arguments],
        env=environment,
        path=str(process.folder),
        childFDs={0: "w", 1: "r", 2: "r", _LIFELINE: "r"},
    )

    def clean_up() -> Deferred[Any]:
        process.send_signal(signal.SIGKILL)
        return _copy(process.ended)

    case.addCleanup(clean_up)


def _copy(deferred: Deferred[T]) -> Deferred[T]:
    """A Deferred of one's own to wait for; it fails if that takes too long."""
    own: Deferred[T] = Deferred()

    def hand_on(result: T) -> T:
        if not own.called:
            own.callback(result)
        return result

    deferred.addCallback(hand_on)
    return own.addTimeout(PATIENCE, reactor)
