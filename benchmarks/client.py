"""Measures the client library: how many messages a second one `chatservice.client.Client` receives.

A real server (TLS, SQLite), a few raw connections that keep one room busy, and the client in a
process and on a core of its own (`client_library`). The senders stay a bounded number of messages
ahead of what it has received: it never waits for them, and is never buried. See README.md.
"""

from __future__ import annotations

import argparse
import json
import mmap
import selectors
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from client_ledger import PROGRESS, last, numbered
from load import BUFFER, Connection, LoadError, client_context
from machine import Neighbours, cores, facts, pinned
from servers import OWN, Server, Settings, environment, running
from swarm import Swarm

_ROOM = "bench"
_TEXT = 80
_SENDERS = 2
_WINDOW = 32768
"""How far the senders may be ahead of the client, in messages."""
_LEAST = 128
"""Fewer messages than this are not worth a write of their own."""
_LIMIT = 30.0
"""How long the client may take to get in, and to receive what is still on its way, in seconds."""

Figures = Mapping[str, float]

_MEASURES = {
    "messages_per_s": ("messages received a second", ",.0f"),
    "cpu_us_per_message": ("the client's CPU, µs a message", ".2f"),
    "client_cpu_pct": ("the client's CPU, %", ".0f"),
    "server_cpu_pct": ("the server's CPU, %", ".0f"),
    "senders_cpu_pct": ("the senders' own CPU, %", ".0f"),
    "others_cpu_pct": ("CPU that others took, % (0 is best)", ".0f"),
    "messages": ("messages, each of them once and in order", ",.0f"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for; returns the exit status (1: something failed)."""
    parser = argparse.ArgumentParser(prog="client.py", description="Measures the client library.")
    parser.add_argument("--quick", action="store_true", help="one second, to see that it runs")
    parser.add_argument("--seconds", type=float, default=8.0, metavar="N", help="(default: 8)")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="shows medians")
    parser.add_argument(
        "--bare",
        action="store_true",
        help="a bare socket that only counts, in the client's place: what the rest can do",
    )
    options = parser.parse_args(arguments)
    pair = cores()
    runs: list[Figures] = []
    for _ in range(options.repeat):
        try:
            runs.append(_run(1.0 if options.quick else options.seconds, options.bare, pair))
        except LoadError as error:
            print(f"FAILED: {error}", file=sys.stderr)
            return 1
    print(
        "; ".join(f"{name} {value}" for name, value in facts(None, "sqlite", {}).items() if value)
    )
    print(f"{_SENDERS} senders, {_TEXT} bytes, {_WINDOW:,} messages ahead at most")
    print(f"\n| measure | {'bare socket' if options.bare else 'client'} |\n| --- | ---: |")
    for measure, (words, form) in _MEASURES.items():
        values = [run[measure] for run in runs if measure in run]
        if values:
            print(f"| {words} | {_cell(values, form)} |")
    return 0


def _cell(values: Sequence[float], form: str) -> str:
    middle = format(statistics.median(values), form)
    if len(values) == 1:
        return middle
    return f"{middle} ({format(min(values), form)}-{format(max(values), form)})"


def _run(seconds: float, bare: bool, pair: tuple[int, int] | None) -> Figures:
    """One server, and one client in a busy room for so many seconds."""
    # The senders, who do little, go wherever there is time.
    core, client = pair or (None, None)
    with running(OWN, Settings(core=core)) as server, _Receiver(server, bare, client) as receiver:
        with Swarm(server.tls, server.dialect, client_context(server.dialect.alpn)) as swarm:
            swarm.open([(f"s{number}", _ROOM) for number in range(_SENDERS)])
            receiver.await_ready()
            swarm.settle()
            neighbours, before = Neighbours(pair), server.cpu()
            own, began = time.process_time(), time.perf_counter()
            crowd = _Crowd(swarm, receiver)
            crowd.talk(seconds)
            crowd.end()
            figures = dict(receiver.result())
            lasted = time.perf_counter() - began
            spent, after = time.process_time() - own, server.cpu()
        if figures["messages"] != crowd.said:
            raise LoadError(f"{crowd.said:,} were said, {figures['messages']:,.0f} came")
        figures["senders_cpu_pct"] = spent * 100 / lasted
        if before is not None and after is not None:
            figures["server_cpu_pct"] = (after - before) * 100 / lasted
            others = neighbours.percent(after - before + spent + figures["cpu_seconds"])
            if others is not None:
                figures["others_cpu_pct"] = others
        return figures


class _Receiver:
    """The process that the client is in. What it has received so far stands in shared memory."""

    def __init__(self, server: Server, bare: bool, core: int | None) -> None:
        self._file = tempfile.NamedTemporaryFile(prefix="bench-client-")  # noqa: SIM115
        self._file.truncate(PROGRESS.size)
        self._progress = mmap.mmap(self._file.fileno(), PROGRESS.size)
        program = Path(__file__).with_name("client_bare.py" if bare else "client_library.py")
        command = [sys.executable, str(program)]
        command += ["--port", str(server.tls), "--room", _ROOM, "--senders", str(_SENDERS)]
        command += ["--progress", self._file.name, "--folder", str(server.folder)]
        with pinned(core):
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment())

    def __enter__(self) -> _Receiver:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._progress.close()
        self._file.close()

    @property
    def received(self) -> int:
        """How many messages it has received, or nearly so.

        Raises:
            LoadError: it has ended.
        """
        if self._process.poll() is not None:
            raise LoadError("the client has ended")
        return int(PROGRESS.unpack_from(self._progress)[0])

    def await_ready(self) -> None:
        """Returns once it is in the room."""
        if self._line() != b"ready\n":
            raise LoadError("the client did not get in")

    def result(self) -> dict[str, float]:
        """What it has measured, once it has received the last message."""
        line = self._line()
        if not line:
            raise LoadError("the client has ended without a result")
        return {name: float(value) for name, value in json.loads(line).items()}

    def _line(self) -> bytes:
        """The next line that it says; nothing if it says none."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(_LIMIT):
                return b""
        return self._process.stdout.readline()


class _Crowd:
    """Those who keep the room busy."""

    def __init__(self, swarm: Swarm, receiver: _Receiver) -> None:
        self.said = 0
        self._swarm = swarm
        self._receiver = receiver
        self._numbers = dict.fromkeys(swarm.members, 0)

    def talk(self, seconds: float) -> None:
        """Keeps the client busy for so long.

        Raises:
            LoadError: a message was refused, or the client has ended.
        """
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            share = (_WINDOW - (self.said - self._receiver.received)) // len(self._numbers)
            for sender in self._numbers:
                # What the socket does not take would only pile up here.
                if share >= _LEAST and not sender.unsent:
                    self._say(sender, share)
            self._listen(0.001)

    def end(self) -> None:
        """Says that this was all, and reads until the client has it.

        Raises:
            LoadError: it does not come.
        """
        for sender, number in self._numbers.items():
            self._send(sender, [last(number, _TEXT)])
        limit = time.perf_counter() + _LIMIT
        while self._receiver.received < self.said:
            if time.perf_counter() > limit:
                raise LoadError(f"{self.said:,} were said, {self._receiver.received:,} came")
            self._listen(0.01)

    def _say(self, sender: Connection, count: int) -> None:
        first = self._numbers[sender]
        self._numbers[sender] = first + count
        self._send(sender, [numbered(number, _TEXT) for number in range(first, first + count)])

    def _send(self, sender: Connection, texts: Sequence[bytes]) -> None:
        dialect = self._swarm.dialect
        head, end = dialect.head(sender.room, _TEXT), dialect.end
        self._swarm.send(sender, b"".join([head + text + end for text in texts]))
        self.said += len(texts)

    def _listen(self, timeout: float) -> None:
        for connection, events in self._swarm.ready(timeout):
            if events & selectors.EVENT_WRITE:
                self._swarm.flush(connection)
            if events & selectors.EVENT_READ:
                size = connection.receive()
                if BUFFER.find(self._swarm.dialect.refusal, 0, size) >= 0:
                    raise LoadError(f"{connection.nick} was refused")


if __name__ == "__main__":
    # Ended from outside, it still ends its server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
