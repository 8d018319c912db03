"""The journal in Redis: what every journal does (see `journal_suite` and `history_suite`)."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from chatservice.journal.redis.entries import Position, position
from tests import history_suite, journal_suite
from tests.facts import join, say, tell
from tests.journal_case import NOW_MS, said
from tests.redis_nodes import NodesCase


class RedisJournalTests(NodesCase, journal_suite.JournalSuite, history_suite.HistorySuite):
    """The contract, on a real Redis."""

    async def test_ids_of_other_drivers_find_nothing(self) -> None:
        await self.store(say("r", "ann", "1"))

        for id in ("0", "1", "123", str(NOW_MS)):
            self.assertEqual(await self.texts("r", before=id), [])
            self.assertEqual(await self.texts("r", after=id), [])

    async def test_ids_before_and_after_everything(self) -> None:
        await self.store(say("r", "ann", "1"))

        for early in ("0-0", "0-1", "1-0"):
            self.assertEqual(await self.texts("r", before=early), [])
            self.assertEqual(await self.texts("r", after=early), ["1"])
        late = "9" * 15 + "-" + "9" * 15
        self.assertEqual(await self.texts("r", before=late), ["1"])
        self.assertEqual(await self.texts("r", after=late), [])

    async def test_ids_are_the_time_and_a_number_within_it(self) -> None:
        events = [say("r", "ann", "1"), tell("ann", "bob", "2")]
        await self.store(*events)
        more = say("r", "ann", "3")
        await self.store(more)

        ids = [position(event.id) for event in (*events, more)]
        self.assertEqual(ids, [Position(NOW_MS, number) for number in range(3)])

    async def test_a_question_is_one_round_trip_whatever_it_asks_for(self) -> None:
        await self.store_each_second(
            say("r", "ann", "1"), join("r", "bob"), tell("ann", "bob", "2")
        )
        link = self.odd_link()
        journal = self.make_redis(link)
        self.addCleanup(journal.close)
        await journal.open()
        await journal.latest(["r"], "ann", -1, 1 << 62, 10)  # now Redis knows the script
        link.gate, asked = Deferred(), link.asked

        history = journal.history("r", ("message", "join", "topic"), 10)
        lasts = journal.latest(["r", "s"], "ann", -1, 1 << 62, 10)

        self.assertEqual(link.asked, asked + 4)
        link.gate.callback(None)
        self.assertEqual(said(await history), ["1", "join"])
        self.assertEqual(await lasts, [("r", NOW_MS + 1000), ("@ann,bob", NOW_MS + 3000)])
        self.assertEqual(link.asked, asked + 4)

    async def test_of_one_moment_the_oldest_conversations_are_found_in_their_order(self) -> None:
        await self.store(*(tell("ann", nick, "hello") for nick in ("dan", "bob", "eve", "cid")))

        found = await self.latest(identity="ann", limit=2)

        self.assertEqual(found, [("@ann,dan", 0), ("@ann,bob", 0)])
