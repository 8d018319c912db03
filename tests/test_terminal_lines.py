"""
The line tool on a connection: what it says, what it shows and in which order, and how long it
stays.
"""

from __future__ import annotations

import os
import select
from typing import Any

from twisted.internet.defer import Deferred

from chatservice.client import Client, Connected, Disconnected
from chatservice.terminal.lines import LineTool, NotDone, Outages, all_of, first_of
from chatservice.terminal.options import parse
from chatservice.terminal.plan import plan
from chatservice.terminal.standard import Input, Output
from tests.service import HOST, PLAIN, RunningService, ServiceCase, reactor, turn, until
from tests.service import Client as Other


class LineToolCase(ServiceCase):
    async def given(self, *arguments: str) -> LineTool:
        """Alice's tool, and bob, who has made the room "ops"."""
        self.service: RunningService = await self.serve(listen=(PLAIN,))
        self.bob: Other = await self.service.log_in("bob", tls=None)
        for request in ("NEWROOM:ops", "JOINROOM:ops"):
            await self.bob.ask(request)
        address = f"tcp:{HOST}:{self.service.ports[0]}"
        client = Client(address, reactor=reactor)
        client.startService()
        self.addCleanup(lambda: Deferred.fromCoroutine(client.close()))
        await client.login("alice")
        options = parse([f"alice@{address}", *arguments])
        self.typing, self.reading = self.pipe(), self.pipe()
        self.output = Output(reactor, self.reading[1])
        self.told: list[str] = []
        return LineTool(
            client,
            options,
            plan(options, typed=False, seen=False),
            Input(reactor, self.typing[0]),
            self.output,
            lambda message: f"{message.nick} {message.text}",
            "latin-1",
            self.told.append,
        )

    def pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        for end in ends:
            self.addCleanup(os.close, end)
        return ends

    def shown(self) -> list[bytes]:
        """What it has shown, if it has shown anything."""
        return os.read(self.reading[0], 2**20).splitlines()


class LineToolTests(LineToolCase):
    async def test_what_the_history_has_shown_is_not_shown_again(self) -> None:
        tool = await self.given("--to", "Bob", "--tail", "--history", "9", "--count", "1")
        # The stream of direct messages has begun with the log-in.
        await self.bob.ask("SAY:alice:one")
        running = Deferred.fromCoroutine(tool.run())
        await until(lambda: self.output._tempDataLen or self.output.dataBuffer)
        await self.bob.ask("SAY:alice:two")
        await running
        self.assertEqual(self.shown(), [b"bob one", b"bob two"])

    async def test_others_are_not_shown_to_who_listens_to_one(self) -> None:
        tool = await self.given("--to", "bob", "--tail", "--count", "1")
        carol = await self.service.log_in("carol", tls=None)
        await carol.ask("SAY:alice:hello")
        await self.bob.ask("SAY:alice:ahoy")
        await tool.run()
        self.assertEqual(self.shown(), [b"bob ahoy"])

    async def test_it_stays_until_all_is_shown(self) -> None:
        tool = await self.given("--room", "ops", "--history", "1000")
        text = "x" * 1000
        for _ in range(100):
            await self.bob.ask(f"ROOM:ops:{text}")
        running = Deferred.fromCoroutine(tool.run())
        await until(lambda: 0 < self.output._unwritten < 60_000)
        for _ in range(100):
            await turn()
        self.assertNoResult(running)
        lines = 0
        while lines < 100:
            await until(lambda: select.select([self.reading[0]], [], [], 0)[0])
            lines += os.read(self.reading[0], 65_536).count(b"\n")
        await running

    async def test_what_the_output_cannot_show_is_replaced(self) -> None:
        tool = await self.given("--room", "ops", "--say", "żé", "--tail", "--count", "1")
        await tool.run()
        self.assertEqual(self.shown(), ["alice ?é".encode("latin-1")])

    async def test_a_room_that_is_written_in_two_ways_is_one(self) -> None:
        tool = await self.given("--room", "ops", "--room", "OPS", "--say", "hello")
        await tool.run()
        await self.bob.ask("PING:")
        self.assertEqual(self.bob.seen.count("ROOM:ops:alice:hello"), 1)

    async def test_a_room_that_is_left_to_others_ends_it_only_if_it_was_the_last(self) -> None:
        tool = await self.given("--room", "ops", "--room", "tea", "--create", "--tail")
        running = Deferred.fromCoroutine(tool.run())
        await self.bob.until("JOINED:ops:alice")
        await until(lambda: len(tool._rooms) == 2)
        await self.bob.ask("KICKROOM:ops:alice")
        await until(lambda: self.told)
        self.assertEqual(self.told, ["ops: bob has put you out"])
        self.assertNoResult(running)
        await tool._rooms[1].leave()
        await self.assertFailure(running, NotDone)

    async def test_when_it_has_shown_enough_it_waits_for_no_more_input(self) -> None:
        tool = await self.given("--room", "ops", "--say", "-", "--tail", "--count", "1")
        os.write(self.typing[1], b"one\n")
        await tool.run()
        self.assertEqual(self.shown(), [b"alice one"])


class OutageTests(ServiceCase):
    def test_an_outage_is_told_once_and_its_end(self) -> None:
        told: list[str] = []
        outages = Outages(told.append)
        for each in (
            Connected("chat.example", "1", again=False),
            Disconnected("it is gone", 1.0),
            Disconnected("nobody listens there", 2.0),
            Connected("chat.example", "1", again=True),
            Disconnected("gone for ever", None),
        ):
            outages(each)
        self.assertEqual(told, ["it is gone; connecting again", "connected again"])


class TogetherTests(ServiceCase):
    def setUp(self) -> None:
        self.jobs: list[Deferred[None]] = [Deferred(), Deferred()]

    def waiting(self, how: Any) -> Deferred[None]:
        return Deferred.fromCoroutine(how(*self.jobs))

    def test_all_of_them_are_waited_for(self) -> None:
        waiting = self.waiting(all_of)
        self.jobs[1].callback(None)
        self.assertNoResult(waiting)
        self.jobs[0].callback(None)
        self.successResultOf(waiting)

    def test_or_the_first(self) -> None:
        waiting = self.waiting(first_of)
        self.jobs[1].callback(None)
        self.successResultOf(waiting)
        self.assertTrue(self.jobs[0].called)

    def test_one_that_fails_ends_the_others(self) -> None:
        for how in (all_of, first_of):
            self.setUp()
            waiting = self.waiting(how)
            self.jobs[1].errback(NotDone("no"))
            self.assertIsInstance(self.failureResultOf(waiting).value, NotDone)
            self.assertTrue(self.jobs[0].called)

    def test_who_is_cancelled_cancels_them(self) -> None:
        waiting = self.waiting(all_of)
        waiting.cancel()
        self.failureResultOf(waiting)
        self.assertTrue(all(job.called for job in self.jobs))
