"""Redis that goes, hangs, and comes back with all that it had, or a part of it, or nothing. Nodes
go on by themselves, or say in plain words what was lost and begin anew.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import Factory, Protocol

from chatservice.journal.interface import NotStored
from chatservice.journal.redis.entries import read_entry
from tests.flaky_proxy import FlakyProxy
from tests.journal_case import reactor, rooms, said
from tests.redis_case import PATIENCE
from tests.redis_nodes import Node, NodesCase, short
from tests.redis_server import HOST, free_port, start_redis

SHORT = 0.2
"""Seconds that what never comes is waited for."""

# Each entry of the log can be trimmed by itself.
FINE = ("stream-node-max-entries 1",)


class TroubleCase(NodesCase):
    """
    @ivar server: a Redis of the test's own.
    """

    keeps = True
    more: tuple[str, ...] = ()

    async def setUp(self) -> None:  # type: ignore[override]
        self.server = await start_redis(self, keeps=self.keeps, settings=self.more)
        self.port = self.server.port
        await super().setUp()

    async def log_texts(self) -> list[str]:
        """What the log still has."""
        entries = await self.server.ask("XRANGE", f"{self.prefix}log", "-", "+")
        return said([event for entry in entries for event in read_entry(entry).events()])


class InterruptionTests(TroubleCase):
    """Redis goes and comes back with all that it had."""

    async def test_nothing_is_lost_or_doubled_while_it_is_killed_and_restarted(self) -> None:
        nodes = [await self.node() for _ in range(3)]

        async def talk(name: int) -> None:
            for number in range(30):
                await nodes[name].commit(f"{name}.{number}")

        talking = [Deferred.fromCoroutine(talk(name)) for name in range(3)]
        for round in range(2):
            await nodes[0].has(f"0.{5 + 10 * round}")
            await self.server.restart()
        await gatherResults(talking)
        for node in nodes:
            await node.has(*(f"{name}.29" for name in range(3)))

        self.assertEqual(len({text for _, _, text in nodes[0].seen}), 90)
        self.assertEqual([node.seen for node in nodes], [nodes[0].seen] * 3)
        history = await nodes[0].journal.history("r", ("message",), 1000)
        self.assertEqual(short(history), nodes[0].seen)
        self.assertEqual([node.reasons for node in nodes], [[], [], []])
        late = await self.node()
        self.assertEqual(short((await late.journal.recover()).events), nodes[0].seen)

    async def test_a_node_that_was_cut_off_catches_up_by_itself(self) -> None:
        proxy = FlakyProxy(self, self.port)
        one = await self.node()
        cut_off = await self.node(self.link(proxy.port), self.link(proxy.port))
        await one.commit("before")
        await cut_off.has("before")
        await proxy.refuse()
        for number in range(300):
            await one.commit(str(number))

        proxy.heal()
        await cut_off.has("299")

        self.assertEqual(cut_off.seen, one.seen)
        self.assertEqual(cut_off.reasons, [])

    async def test_what_is_said_while_it_hangs_is_stored_when_it_goes_on(self) -> None:
        one, other = await self.node(), await self.node()
        self.server.pause()
        storing = one.commit("1")
        self.assertNoResult(storing)

        self.server.go_on()

        await storing
        await other.has("1")
        self.assertEqual(one.seen, other.seen)

    async def test_who_recovers_waits_until_it_is_there(self) -> None:
        one = await self.node()
        await one.commit("1", records=rooms("r"))
        await self.server.stop()
        recovering = one.journal.recover()
        self.assertNoResult(recovering)

        await self.server.start()

        recovery = await recovering
        self.assertEqual(dict(recovery.records), rooms("r"))
        self.assertEqual(said(recovery.events), ["1"])

    async def test_one_that_is_no_master_any_more_is_waited_out(self) -> None:
        link = self.odd_link()
        one = await self.node(link)
        await self.server.ask("REPLICAOF", HOST, free_port())
        storing = one.commit("1")
        await self.turns_until(lambda: link.failed > 0)
        self.assertNoResult(storing)

        await self.server.ask("REPLICAOF", "NO", "ONE")

        await storing
        self.assertEqual(await self.texts("r"), ["1"])
        self.assertEqual(one.reasons, [])

    async def test_a_full_one_is_waited_out_and_then_nothing_is_kept_of_the_batch(self) -> None:
        link = self.odd_link()
        one = await self.node(link)
        one.wait_for_redis(SHORT)
        await self.server.ask("CONFIG", "SET", "maxmemory", 1)
        with self.assertRaises(NotStored) as refused:
            await one.commit("1")
        await self.turns_until(lambda: link.asked == link.answers + link.failed)

        await self.server.ask("CONFIG", "SET", "maxmemory", 0)
        one.wait_for_redis(PATIENCE)
        await one.commit("2")

        self.assertIn("OOM", str(refused.exception))
        self.assertEqual(await self.texts("r"), ["2"])
        self.assertEqual([text for _, _, text in one.seen], ["2"])


class Loading(Protocol):
    """A Redis that has not read its data yet."""

    def dataReceived(self, data: bytes) -> None:
        cast(ITransport, self.transport).write(
            b"-LOADING Redis is loading the dataset in memory\r\n" * data.count(b"*")
        )


class LoadingTests(NodesCase):
    async def test_one_that_is_loading_its_data_is_waited_out(self) -> None:
        loading = reactor.listenTCP(0, Factory.forProtocol(Loading), interface=HOST)
        self.addCleanup(loading.stopListening)
        proxy = FlakyProxy(self, self.port)
        link = self.link(proxy.port)
        one = await self.node(link, self.link(proxy.port))
        await one.commit("before")
        proxy.upstream = loading.getHost().port
        await proxy.abort()
        storing = one.commit("after")
        await self.turns_until(lambda: any(words.startswith("LOADING") for words in self.warnings))
        self.assertNoResult(storing)

        proxy.upstream = self.port

        await storing
        self.assertEqual(await self.texts("r"), ["before", "after"])
        self.assertEqual(one.reasons, [])


class ForgetfulTests(TroubleCase):
    """Redis comes back with nothing."""

    keeps = False

    async def check_that_it_goes_on(self, *nodes: Node) -> None:
        """All begin anew, with nothing."""
        for node in nodes:
            await node.is_lost()
            recovery = await node.journal.recover()
            self.assertEqual(([*recovery.records], [*recovery.events]), ([], []))
        await nodes[0].commit("after", records=rooms("r"))
        for node in nodes:
            await node.has("after")
            found = await node.journal.history("r", ("message",), 10)
            self.assertEqual(said(found), ["after"])
        self.assertEqual([len(node.reasons) for node in nodes], [1] * len(nodes))

    async def test_one_that_keeps_nothing_is_noticed_when_it_restarts(self) -> None:
        nodes = [await self.node(), await self.node()]
        await nodes[0].commit("before", records=rooms("old"))
        await nodes[1].has("before")

        await self.server.restart()

        await self.check_that_it_goes_on(*nodes)
        for node in nodes:
            self.assertIn("Redis has lost its data", node.reasons[0])
        self.assertIn(nodes[0].reasons[0], self.critical)

    async def test_one_that_was_emptied_is_noticed_although_it_never_went(self) -> None:
        nodes = [await self.node(), await self.node()]
        await nodes[0].commit("before", records=rooms("old"))
        await nodes[1].has("before")

        await self.server.ask("FLUSHALL")

        await self.check_that_it_goes_on(*nodes)
        self.assertIn("Redis has lost its data", nodes[0].reasons[0])

    async def test_what_is_said_to_another_journal_is_refused(self) -> None:
        reading = self.odd_link()
        one = await self.node(reading=reading)
        reading.gate = Deferred()  # so that it is not noticed before
        await self.server.ask("FLUSHALL")

        with self.assertRaises(NotStored) as refused:
            await one.commit("1")

        self.assertIn("another journal", str(refused.exception))
        reading.gate.callback(None)
        await one.is_lost()
        self.assertEqual(await self.texts("r"), [])

    async def test_nothing_of_another_journal_is_taken_for_more_of_this_one(self) -> None:
        one = await self.node()
        await one.commit("before")
        await self.server.ask("FLUSHALL")
        other = await self.node()
        self.clock.advance(1)
        for number in range(3):
            await other.commit(str(number))

        await one.is_lost()

        self.assertEqual([text for _, _, text in one.seen], ["before"])
        recovery = await one.journal.recover()
        self.assertEqual(short(recovery.events), other.seen)

    async def test_one_that_lost_the_last_of_its_data_is_noticed(self) -> None:
        one = await self.node()
        await one.commit("1")
        await self.server.ask("SAVE")
        await one.commit("2")

        await self.server.restart()
        await one.is_lost()

        self.assertIn("Redis has lost the last of its data", one.reasons[0])
        self.assertIn(one.reasons[0], self.critical)
        recovery = await one.journal.recover()
        self.assertEqual(said(recovery.events), ["1"])
        await one.commit("3")
        found = await one.journal.history("r", ("message",), 10)
        self.assertEqual(said(found), ["1", "3"])

    async def test_records_of_what_is_lost_are_not_written_into_the_new_journal(self) -> None:
        one = await self.node()
        (first,) = await one.commit("1")
        one.journal.commit((), rooms("old"), first.id)
        await self.server.ask("FLUSHALL")
        await one.is_lost()
        await one.journal.recover()

        await one.commit("2")

        recovery = await one.journal.recover()
        self.assertEqual(([*recovery.records], said(recovery.events)), ([], ["2"]))

    async def test_it_is_noticed_also_if_others_have_gone_on_meanwhile(self) -> None:
        proxy = FlakyProxy(self, self.port)
        cut_off = await self.node(self.link(proxy.port), self.link(proxy.port))
        await cut_off.commit("1")
        await self.server.ask("SAVE")
        await cut_off.commit("2")
        await proxy.refuse()
        await self.server.restart()
        one = await self.node()
        self.clock.advance(1)
        await one.commit("3")

        proxy.heal()
        await cut_off.is_lost()

        self.assertIn("Redis has lost the last of its data", cut_off.reasons[0])
        self.assertEqual([text for _, _, text in cut_off.seen], ["1", "2"])
        recovery = await cut_off.journal.recover()
        self.assertEqual(said(recovery.events), ["1", "3"])


class TrimmingTests(TroubleCase):
    more = FINE
    settings = replace(NodesCase.settings, keep_seconds=0)

    async def test_the_log_is_trimmed_behind_the_mark_only(self) -> None:
        one = await self.node()
        events: list[Any] = []
        for number in range(8):
            self.clock.advance(1)
            events += await one.commit(str(number))
        self.assertEqual(len(await self.log_texts()), 8)

        self.clock.advance(1)
        await one.commit("8", records=rooms("r"), mark=events[4].id)

        self.assertEqual(await self.log_texts(), ["4", "5", "6", "7", "8"])
        recovery = await (await self.node()).journal.recover()
        self.assertEqual(said(recovery.events), ["5", "6", "7", "8"])
        self.assertEqual(dict(recovery.records), rooms("r"))

    async def test_the_log_is_kept_for_those_who_are_cut_off(self) -> None:
        self.settings = replace(self.settings, keep_seconds=3)
        one = await self.node()
        events: list[Any] = []
        for number in range(8):
            self.clock.advance(1)
            events += await one.commit(str(number))

        await one.commit("8", mark=events[-1].id)

        self.assertEqual(await self.log_texts(), ["4", "5", "6", "7", "8"])

    async def test_one_who_was_away_for_too_long_begins_anew(self) -> None:
        proxy = FlakyProxy(self, self.port)
        one = await self.node()
        cut_off = await self.node(self.link(proxy.port), self.link(proxy.port))
        (first,) = await one.commit("0")
        await cut_off.has("0")
        await proxy.refuse()
        mark = first
        for number in range(1, 5):
            self.clock.advance(1)
            (mark,) = await one.commit(str(number), records=rooms("r"), mark=mark.id)

        proxy.heal()
        await cut_off.is_lost()

        self.assertIn("away for longer", cut_off.reasons[0])
        self.assertEqual([text for _, _, text in cut_off.seen], ["0"])
        recovery = await cut_off.journal.recover()
        self.assertEqual(dict(recovery.records), rooms("r"))
        self.assertEqual(said(recovery.events), ["4"])
        await cut_off.commit("5")
        await one.has("5")
        self.assertEqual(one.reasons, [])

    async def test_one_who_was_quiet_for_long_has_missed_nothing(self) -> None:
        one, quiet = await self.node(), await self.node()
        (first,) = await one.commit("0")
        await quiet.has("0")
        self.clock.advance(100_000)

        await one.commit("1", records=rooms("r"), mark=first.id)
        self.clock.advance(100_000)
        await quiet.commit("2")

        self.assertEqual([text for _, _, text in quiet.seen], ["0", "1", "2"])
        self.assertEqual((one.reasons, quiet.reasons), ([], []))


class DefectTests(NodesCase):
    async def test_what_cannot_be_taken_in_is_not_skipped(self) -> None:
        one, other = await self.node(), await self.node()

        def heard(_: object) -> None:
            raise ZeroDivisionError("a defect")

        self.patch(other, "heard", heard)

        await one.commit("1")
        await other.is_lost()

        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        recovery = await other.journal.recover()
        self.assertEqual(said(recovery.events), ["1"])
        await other.commit("2")
        await one.has("2")
