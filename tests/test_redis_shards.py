"""
Histories in shards: what every journal does, and what becomes of histories when nodes and shards
come and go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import provider

from chatservice.controller.events import SAID, Event
from chatservice.journal.interface import IJournal, NotStored
from chatservice.journal.redis import filing, scripts
from chatservice.journal.redis.address import RedisAddress
from chatservice.journal.redis.entries import Entry, Position
from chatservice.journal.redis.journal import RedisJournal
from chatservice.journal.redis.link import Link
from chatservice.journal.redis.settings import RedisSettings
from chatservice.journal.redis.shards import Shards
from tests import history_suite, journal_suite
from tests.facts import join, say, tell
from tests.flaky_proxy import FlakyProxy
from tests.journal_case import DAY, EVERYTHING, reactor, said
from tests.redis_case import PATIENCE, RedisCase
from tests.redis_server import HOST, start_redis

TURN = 0.001

ROOMS = [f"room{number}" for number in range(20)]


class ShardsCase(RedisCase):
    """Nodes without a memory of their own: what they are asked, they ask the shards."""

    settings = RedisSettings(patience=PATIENCE, checkpoint=0, recent_targets=0)

    def shard(self, number: int, port: int = 0) -> Link:
        """A link to a shard, which is another database of the same Redis, or one elsewhere."""
        return self.link_to(number + 1, port)

    def link_to(self, database: int, port: int = 0) -> Link:
        address = RedisAddress(HOST, port or self.port, database=database)
        endpoint = TCP4ClientEndpoint(reactor, HOST, address.port)
        link = Link(reactor, endpoint, address, PATIENCE)
        self.addCleanup(lambda: Deferred.fromCoroutine(link.close()))
        return link

    def make(self) -> IJournal:
        return cast(IJournal, self.make_sharded([self.shard(0), self.shard(1)]))

    def make_sharded(self, shards: Sequence[Link], store: int = 0, **changes: Any) -> RedisJournal:
        settings = replace(self.settings, prefix=self.prefix, **changes)
        links = self.link_to(store), self.link_to(store)
        return RedisJournal(reactor, *links, settings, self.clock, shards=shards)

    async def node(self, *shards: Link, store: int = 0, **changes: Any) -> RedisJournal:
        """One more node."""
        node = self.make_sharded(shards or [self.shard(0), self.shard(1)], store, **changes)
        await node.open()
        self.addCleanup(node.close)
        return node

    async def ask(self, link: Link, *command: str | int) -> Any:
        link.open()
        await link.up(PATIENCE)
        return await link.ask(*command)

    async def keys(self, link: Link) -> list[str]:
        """The histories in a Redis."""
        found = await self.ask(link, "KEYS", self.prefix + "h:*")
        return sorted(key.decode().removeprefix(self.prefix + "h:") for key in found)

    async def said_in(self, node: RedisJournal) -> dict[str, list[str]]:
        """What was said in each of the rooms, as a node sees it."""
        histories = [node.history(room, SAID, EVERYTHING) for room in ROOMS]
        return dict(zip(ROOMS, map(said, await gatherResults(histories)), strict=True))

    def told(self) -> list[str]:
        """What operators are told from now on that cannot wait."""
        lines: list[str] = []

        @provider(ILogObserver)
        def observe(event: LogEvent) -> None:
            if event["log_level"] is LogLevel.critical:
                lines.append(event["log_format"].format(**event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        return lines


class ShardedJournalTests(ShardsCase, journal_suite.JournalSuite, history_suite.HistorySuite):
    """The contract, with two shards."""


class ChoiceTests(SynchronousTestCase):
    def choices(self, count: int, targets: Sequence[str]) -> list[int]:
        links: list[Any] = [object() for _ in range(count)]
        shards = Shards(reactor, links[0], links)
        return [shards.number(target) for target in targets]

    def test_it_is_the_same_in_every_process_of_every_version(self) -> None:
        found = self.choices(3, ["1784-0", "1784-1", "@ann,bob", "@ann!3,bob", "\u00e9"])

        self.assertEqual(found, [0, 1, 0, 2, 1])

    def test_all_have_about_as_much(self) -> None:
        found = self.choices(4, [f"178400000{number}-0" for number in range(4000)])

        for number in range(4):
            self.assertTrue(850 < found.count(number) < 1150, found.count(number))


class ScriptTests(ShardsCase):
    """What `file.lua` takes, and from whom."""

    async def file(self, run: str, after: str, upto: str, *ids: str, service: str = "s") -> Any:
        """Gives up to where all is filed, and whether it is that node's turn."""
        link = self.shard(8)
        link.open()
        await link.up(PATIENCE)
        lines = [part for id in ids for part in (id, "r", "message", f"line {id}")]
        who = (self.prefix, service, 0, run, 60_000)
        *_, place, ours = await scripts.run(link, scripts.FILE, *who, after, upto, *lines)
        return place.decode(), ours

    async def filed(self) -> list[str]:
        found = await self.ask(self.shard(8), "XRANGE", self.prefix + "h:message:r", "-", "+")
        return [id.decode() for id, _ in found]

    async def test_what_is_there_is_skipped(self) -> None:
        await self.file("a", "0-0", "5-1", "5-0", "5-1")

        self.assertEqual(await self.file("a", "0-0", "5-1", "5-0", "5-1"), ("5-1", 1))
        self.assertEqual(await self.file("a", "5-0", "6-0", "5-1", "5-2", "6-0"), ("6-0", 1))

        self.assertEqual(await self.filed(), ["5-0", "5-1", "5-2", "6-0"])

    async def test_what_does_not_follow_is_not_taken(self) -> None:
        await self.file("a", "0-0", "5-0", "5-0")

        self.assertEqual(await self.file("a", "5-1", "6-0", "6-0"), ("5-0", 1))

        self.assertEqual(await self.filed(), ["5-0"])

    async def test_it_is_one_nodes_turn_until_that_gives_it_back(self) -> None:
        await self.file("a", "0-0", "5-0", "5-0")
        refused = await self.file("b", "5-0", "6-0", "6-0")
        ttl = await self.ask(self.shard(8), "PTTL", self.prefix + "filer")
        await self.ask(self.shard(8), "DEL", self.prefix + "filer")
        taken = await self.file("b", "5-0", "7-0", "7-0")

        self.assertEqual((refused, taken), (("5-0", 0), ("7-0", 1)))
        self.assertTrue(0 < ttl <= 60_000)
        self.assertEqual(await self.filed(), ["5-0", "7-0"])

    async def test_nothing_is_taken_for_another_journal(self) -> None:
        await self.file("a", "0-0", "5-0", "5-0")

        refused = await self.file("a", "5-0", "6-0", "6-0", service="t")

        self.assertEqual((refused, await self.filed()), (("5-0", 0), ["5-0"]))


class PlacesTests(ShardsCase):
    async def test_a_history_is_in_its_shard_and_not_in_the_store(self) -> None:
        await self.store(*(say(room, "ann", "hello") for room in ROOMS))
        await self.store(join(ROOMS[0], "bob"), tell("ann", "bob", "psst"))
        await self.latest(*ROOMS, identity="ann")

        self.assertEqual(await self.keys(self.link()), [])
        one, other = [await self.keys(self.shard(number)) for number in (0, 1)]
        self.assertEqual(
            sorted(one + other),
            sorted([f"message:{each}" for each in ROOMS] + [f"join:{ROOMS[0]}", "direct:@ann,bob"]),
        )
        self.assertTrue(one and other)

    async def test_shards_of_another_journal_are_refused(self) -> None:
        with self.assertRaises(NotStored) as refused:
            await self.node(store=3)

        self.assertIn("keeps the histories of another journal", str(refused.exception))

    async def test_shards_in_another_order_are_refused(self) -> None:
        with self.assertRaises(NotStored) as refused:
            await self.node(self.shard(1), self.shard(0))

        self.assertIn("their order can't be changed", str(refused.exception))

    async def test_more_or_less_shards_are_refused(self) -> None:
        for shards in ([self.shard(0)], [self.shard(each) for each in range(3)]):
            with self.assertRaises(NotStored) as refused:
                await self.node(*shards)
            self.assertIn("histories in 2 shards, and", str(refused.exception))

    async def test_none_at_all_are_refused_too(self) -> None:
        node = self.make_sharded([])
        with self.assertRaises(NotStored) as refused:
            await node.open()

        self.assertIn("and none are given", str(refused.exception))

    async def test_one_of_another_journal_that_comes_later_is_not_touched(self) -> None:
        server = await start_redis(self)
        prefix, self.prefix = self.prefix, "elsewhere:"
        theirs = await self.node(self.shard(0, server.port), store=3)
        await theirs.commit([say("r", "ann", "theirs")], {}, "")
        await theirs.history("r", SAID, 1)
        await theirs.close()
        await server.stop()
        told = self.told()
        ours = await self.node(self.shard(0, server.port), store=4, patience=0.1)

        await server.start()
        await until(lambda: bool(told))

        self.assertIn("keeps the histories of another journal", told[0])
        with self.assertRaises(NotStored):
            await ours.history("r", SAID, 1)
        self.prefix = prefix


class NodesTests(ShardsCase):
    async def say_all(self, node: RedisJournal, text: str) -> None:
        await node.commit([say(room, "ann", text) for room in ROOMS], {}, "")

    async def test_what_one_node_stores_another_reads_at_once(self) -> None:
        other = await self.node()
        for number in range(20):
            await self.store(say("r", "ann", str(number)))
            await other.commit([say("s", "ann", "in between")], {}, "")

            found = await other.history("r", SAID, 1)

            self.assertEqual(said(found), [str(number)])

    async def test_another_node_files_when_the_one_that_did_falls_silent(self) -> None:
        proxy = FlakyProxy(self, self.port)
        self.addCleanup(self.journal.close)
        await self.journal.close()  # and gives its turn away
        silent = await self.node(*(self.shard(number, proxy.port) for number in (0, 1)))
        other = await self.node()
        await self.say_all(silent, "1")
        await self.said_in(other)

        proxy.cut()
        await self.say_all(silent, "2")
        await self.say_all(other, "3")
        found = await self.said_in(other)
        proxy.heal()
        await self.say_all(silent, "4")

        self.assertEqual(found, {room: ["1", "2", "3"] for room in ROOMS})
        for node in (silent, other):
            self.assertEqual(
                await self.said_in(node), {room: ["1", "2", "3", "4"] for room in ROOMS}
            )

    async def test_nothing_is_missing_or_twice_whoever_files(self) -> None:
        nodes = [await self.node(), await self.node(), await self.node()]
        shards = [self.shard(0), self.shard(1)]
        told = self.told()
        for number in range(40):
            # Nobody has a turn: all may take it, and some think that they still have it.
            losing = [self.ask(shard, "DEL", self.prefix + "filer") for shard in shards]
            await gatherResults(
                [
                    *(
                        node.commit([say(each, "ann", str(number)) for each in ROOMS], {}, "")
                        for node in nodes
                    ),
                    *map(Deferred.fromCoroutine, losing),
                ]
            )

        expected = [str(number // 3) for number in range(120)]
        for node in nodes:
            await self.say_all(node, "99")  # and has heard all that precedes it
            found = await self.said_in(node)
            expected.append("99")
            self.assertEqual(
                {room: sorted(texts, key=int) for room, texts in found.items()},
                dict.fromkeys(ROOMS, expected),
            )
            ids = [each.id for each in await node.history(ROOMS[0], SAID, EVERYTHING)]
            self.assertEqual(sorted(set(ids), key=self.rank), ids)
        self.assertEqual(told, [])

    async def test_a_node_that_comes_to_file_reads_what_it_has_not_heard(self) -> None:
        self.patch(filing, "_KEPT_EVENTS", 10)
        shards = [self.shard(0), self.shard(1)]
        for shard in shards:
            await self.ask(shard, "SET", self.prefix + "filer", "somebody who sleeps")
        texts = [str(number) for number in range(600)]
        for start in range(0, 600, 20):
            await self.store(*(say("r", "ann", text) for text in texts[start : start + 20]))
        other = await self.node()

        for shard in shards:
            await self.ask(shard, "DEL", self.prefix + "filer")

        self.assertEqual(said(await other.history("r", SAID, EVERYTHING)), texts)

    async def test_a_history_that_is_not_filed_yet_is_not_shown(self) -> None:
        node = await self.node(patience=0.05)
        for number in (0, 1):
            await self.ask(self.shard(number), "SET", self.prefix + "filer", "somebody who sleeps")
        await node.commit([say("r", "ann", "1")], {}, "")

        with self.assertRaises(NotStored) as unreadable:
            await node.history("r", SAID, 1)

        self.assertIn("does not have all yet", str(unreadable.exception))


class AwayTests(ShardsCase):
    """One of two shards has a Redis of its own, which comes and goes."""

    async def setUp(self) -> None:  # type: ignore[override]
        self.server = await start_redis(self)
        await super().setUp()
        shards = self.journal._shards  # type: ignore[attr-defined]
        self.here = next(each for each in ROOMS if shards.number(each) == 0)
        self.there = next(each for each in ROOMS if shards.number(each) == 1)

    def make(self) -> IJournal:
        shards = [self.shard(0), self.shard(1, self.server.port)]
        return cast(IJournal, self.make_sharded(shards, keep_seconds=0))

    async def say(self, *texts: str) -> None:
        """Says something here and there each second, of which the records know at once."""
        for text in texts:
            self.clock.advance(1)
            events = [say(self.here, "ann", text), say(self.there, "ann", text)]
            await self.store(*events, mark=self.last)
            self.last = events[-1].id

    last = ""

    async def kept(self) -> int:
        """How many entries the log has."""
        return cast(int, await self.ask(self.link(), "XLEN", self.prefix + "log"))

    async def test_while_a_shard_is_away_all_goes_on_but_its_histories(self) -> None:
        await self.say("1")
        await self.texts(self.there)
        await self.server.stop()

        await self.say("2")

        self.assertEqual(await self.texts(self.here), ["1", "2"])
        with self.assertRaises(NotStored):
            await self.texts(self.there)
        with self.assertRaises(NotStored):
            await self.latest(self.there)

    async def test_a_shard_that_comes_back_has_everything_however_much_it_is(self) -> None:
        texts = [str(number) for number in range(700)]
        await self.say(texts[0])
        await self.texts(self.there)
        await self.server.stop()
        await self.say(*texts[1:])

        await self.server.start()
        await self.back()

        self.assertEqual(await self.texts(self.there), texts)

    async def test_to_catch_up_nothing_of_the_log_is_taken_apart_twice(self) -> None:
        self.patch(filing, "_KEPT_EVENTS", 1)
        self.patch(filing, "_EVENTS", 1)
        taken_apart: list[Position] = []
        events = Entry.events

        def take_apart(entry: Entry, *after: Position) -> list[Event]:
            taken_apart.append(entry.last)
            return events(entry, *after)

        self.patch(Entry, "events", take_apart)
        texts = [str(number) for number in range(40)]
        await self.say(texts[0])
        await self.texts(self.there)
        await self.server.stop()
        await self.say(*texts[1:])
        taken_apart.clear()

        await self.server.start()
        await self.back()

        self.assertEqual(await self.texts(self.there), texts)
        # By the filer of the other shard as well, for all that this test can tell.
        self.assertLessEqual(max(map(taken_apart.count, taken_apart)), 2)

    async def test_what_all_shards_have_goes_out_of_the_log(self) -> None:
        await self.say(*map(str, range(300)))

        await self.say_until(lambda kept: kept < 300)

    async def test_a_shard_that_has_lost_its_data_gets_what_the_log_still_has(self) -> None:
        await self.say("1", "2")
        self.assertEqual(await self.texts(self.there), ["1", "2"])

        await self.server.ask("FLUSHALL")
        await self.say("3")

        self.assertEqual(await self.texts(self.there), ["1", "2", "3"])

    async def test_operators_are_told_what_the_log_has_no_more(self) -> None:
        self.patch(filing, "_KEPT_EVENTS", 10)
        told = self.told()
        await self.say("0")
        await self.texts(self.there)
        await self.server.stop()
        await self.say(*map(str, range(1, 300)))
        self.clock.advance(2 * DAY)

        await self.say(*map(str, range(300, 310)))
        await self.server.start()
        await self.back()

        texts = await self.texts(self.there)
        self.assertEqual((texts[0], texts[-10:]), ("0", [str(each) for each in range(300, 310)]))
        self.assertLess(len(texts), 310)
        self.assertIn("misses what was said after", told[0])
        self.assertEqual(len(told), 1)

    async def back(self) -> None:
        """Over when the shard can be read again."""
        while True:
            try:
                await self.texts(self.there)
                return
            except NotStored:
                await deferLater(reactor, TURN)

    async def say_until(self, enough: Callable[[int], bool]) -> None:
        while not enough(await self.kept()):
            await self.say("more")


async def until(true: Callable[[], bool]) -> None:
    """Over when something is true."""
    while not true():
        await deferLater(reactor, TURN)
