"""
The client library on Twisted's reactors, asyncio's among them: each bot here is a process of its
own, on a reactor of its own, which talks to a server until it is told to go.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.utils import getProcessOutputAndValue

import chatservice
from tests.service import ServiceCase

BEGINNING = """
import signal, sys
from pathlib import Path
signal.alarm(100)  # nothing is left behind of a test that fails
{installs}
from twisted.internet import reactor, task
from twisted.internet.defer import Deferred
from chatservice.client import Client, Pins, PinStore

async def echo(server, pins):
    async with Client(server, trust=Pins(PinStore(Path(pins)))) as client:
        await client.login("bot")
        room = await client.join("den")
        async for message in room:
            if message.nick != client.nick:
                await room.say("echo: " + message.text)
            if message.text == "go":
                break
    print(type(reactor).__name__)
"""

TWISTED = """
task.react(lambda _, *arguments: Deferred.fromCoroutine(echo(*arguments)), sys.argv[1:])
"""

ASYNCIO = """
import asyncio

async def main():
    deferred = Deferred.fromCoroutine(echo(*sys.argv[1:]))
    try:
        await deferred.asFuture(asyncio.get_running_loop())
    finally:
        reactor.stop()

tasks = []
reactor.callWhenRunning(lambda: tasks.append(asyncio.ensure_future(main())))
reactor.run()
"""


def installs(name: str) -> str:
    """What chooses a reactor."""
    return f"from twisted.internet import {name}; {name}.install()"


class ReactorTests(ServiceCase):
    async def talk_to_a_bot(self, program: str) -> str:
        """Run a program that echoes what is said, and talk to it; what it printed at its end."""
        service = await self.serve()
        [person] = await service.in_room("den", "person")
        running = self.run_program(program, service.ports[0])
        await person.until("JOINED:den:bot")

        for text in ("hello", "go"):
            person.send(f"ROOM:den:{text}")
            await person.until(f"ROOM:den:bot:echo: {text}")
        await person.until("LEFT:den:bot")

        out, err, status = await running
        self.assertEqual((err, status), (b"", 0))
        return out.decode().strip()

    def run_program(self, program: str, port: int) -> Deferred[tuple[bytes, bytes, int]]:
        """Run a program in a process of its own."""
        root = str(Path(chatservice.__file__).parent.parent)
        pins = str(Path(self.mktemp()).absolute() / "pins")
        arguments = ["-W", "ignore::DeprecationWarning", "-c", program, f"tls:localhost:{port}"]
        environment = {**os.environ, "PYTHONPATH": root}
        running: Deferred[tuple[bytes, bytes, int]] = getProcessOutputAndValue(
            sys.executable, [*arguments, pins], env=environment, reactor=reactor
        )
        return running

    async def test_epoll_or_what_there_is(self) -> None:
        name = await self.talk_to_a_bot(BEGINNING.format(installs="") + TWISTED)

        self.assertTrue(name.endswith("Reactor"), name)

    async def test_select(self) -> None:
        program = BEGINNING.format(installs=installs("selectreactor")) + TWISTED

        self.assertEqual(await self.talk_to_a_bot(program), "SelectReactor")

    async def test_asyncio(self) -> None:
        program = BEGINNING.format(installs=installs("asyncioreactor")) + TWISTED

        self.assertEqual(await self.talk_to_a_bot(program), "AsyncioSelectorReactor")

    async def test_a_program_of_asyncio(self) -> None:
        program = BEGINNING.format(installs=installs("asyncioreactor")) + ASYNCIO

        self.assertEqual(await self.talk_to_a_bot(program), "AsyncioSelectorReactor")
