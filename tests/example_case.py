"""The programs of `examples/`, run as anybody would run them, against real servers that are killed
and come back at the same place. What is right or wrong is not decided here.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IProcessTransport
from twisted.trial.unittest import TestCase

from tests.process import Ended, Process, ProcessCase, Server, new_folder, reactor, start_server
from tests.service import HOST, Client

ROOT = Path(__file__).parent.parent
PASSWORD = "a long password"

# Below those that the system gives away by itself: nobody is at the place of a killed server.
_PORTS = range(12_000, 30_000)

T = TypeVar("T")


class Example(Process):
    """A program of `examples/` that runs."""

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessExitedAlready):
            cast(IProcessTransport, self.transport).signalProcess(number)

    async def end(self, number: int) -> Ended:
        """Sends it a signal, and waits for its end."""
        self.send_signal(number)
        return await self.ended


class Town:
    """
    A server that is killed and comes back.

    @ivar server: as it runs now.
    @ivar folder: with its data and its certificate.
    """

    def __init__(self, case: TestCase) -> None:
        self._case = case
        self.folder = new_folder(case)
        self._port = free_port()
        self.server: Server

    @property
    def place(self) -> str:
        """Where clients find it."""
        return f"tls:localhost:{self._port}"

    async def start(self) -> None:
        """Starts it, or starts it again."""
        endpoint = f"ssl:{self._port}:interface={HOST}"
        self.server = await start_server(self._case, "--endpoint", endpoint, folder=self.folder)

    async def resident(self, nick: str, *rooms: str) -> Client:
        """Somebody with an account, in rooms of theirs: for the first time, or again."""
        client = await self.server.connect()
        if (await client.ask(f"LOGIN:{nick}:{PASSWORD}")).startswith("ERR:"):
            await client.ask(f"LOGIN:{nick}")
            await client.ask(f"REGISTER:{PASSWORD}")
            for room in rooms:
                await client.ask(f"NEWROOM:{room}")
        for room in rooms:
            answer = await client.ask(f"JOINROOM:{room}")
            assert answer == f"OK:JOINROOM:{room}", answer
        return client


class ExampleCase(ProcessCase):
    """
    A test of an example.

    @ivar example: as it runs.
    """

    example: Example

    async def town(self) -> Town:
        """A new server."""
        town = Town(self)
        await town.start()
        return town

    def run_example(self, name: str, *arguments: str) -> Example:
        """Starts an example in a folder of its own; it is killed after the test."""
        return self.run_python(new_folder(self), str(ROOT / "examples" / name), *arguments)

    def run_python(self, folder: Path, *arguments: str) -> Example:
        """Starts Python; it is killed after the test."""
        example = self.example = Example(folder)
        reactor.spawnProcess(
            example,
            sys.executable,
            [sys.executable, *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            path=str(folder),
        )

        def clean_up() -> Deferred[Ended]:
            example.send_signal(signal.SIGKILL)
            return example.ended

        self.addCleanup(clean_up)
        return example

    async def while_it_runs(self, waiting: Coroutine[Deferred[Any], Any, T]) -> T:
        """Waits for something that comes only if the example goes on."""
        waits = Deferred.fromCoroutine(waiting)

        def give_up(ended: Ended) -> Ended:
            waits.cancel()
            return ended

        self.example.ended.addCallback(give_up)
        try:
            return await waits
        except CancelledError:
            return cast(T, self.fail(f"it has ended: {await self.example.ended}"))

    async def heard(self, client: Client, *lines: str) -> None:
        """Waits until somebody has been sent each of these."""

        async def read_on() -> None:
            while not set(lines).issubset(client.seen):
                await client.line()

        await self.while_it_runs(read_on())


def free_port() -> int:
    """One that nobody listens on, and that the system gives to nobody."""
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as trial:
            try:
                trial.bind((HOST, port))
            except OSError:
                continue
            return port
    raise AssertionError("every port is taken")


async def said_in(client: Client, room: str) -> list[tuple[str, str]]:
    """All that was said in a room: who, and what."""
    items = [item.split(":", 4) for item in await client.items(f"HISTORY:{room}:1000")]
    return [(nick, text) for _, _, _, nick, text in items]
