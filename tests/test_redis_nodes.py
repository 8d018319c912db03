"""Several nodes on one Redis: all of them see one order, and nothing is lost or seen twice."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, gatherResults

from chatservice.journal.interface import NotStored, Retention
from chatservice.journal.redis.entries import read_entry
from tests.facts import join, login, say, tell
from tests.flaky_proxy import FlakyProxy
from tests.journal_case import DAY, EVERYTHING, NOW_MS, guest, rooms, said
from tests.redis_case import PATIENCE
from tests.redis_nodes import Node, NodesCase, short

SHORT = 0.2
"""Seconds that what never comes is waited for."""


class OrderTests(NodesCase):
    async def test_what_one_node_stores_the_others_hear_with_the_same_ids_and_times(self) -> None:
        one, other = await self.node(), await self.node()

        events = await one.commit("1", "2")
        await other.has("1", "2")

        self.assertEqual(other.heard_events, events)
        self.assertEqual(short(other.heard_events), short(events))
        self.assertEqual(one.heard_events, [])

    async def test_all_nodes_see_one_order_and_everything_once(self) -> None:
        nodes = [await self.node() for _ in range(3)]

        async def talk(node: Node, name: int) -> None:
            for number in range(40):
                await node.commit(*(f"{name}.{number}.{each}" for each in range(number % 3 + 1)))

        await gatherResults(
            [Deferred.fromCoroutine(talk(node, name)) for name, node in enumerate(nodes)]
        )
        for node in nodes:
            await node.has(*(f"{name}.39.0" for name in range(3)))

        everything = nodes[0].seen
        self.assertEqual(len({id for id, _, _ in everything}), 3 * (40 * 2 - 1))
        self.assertEqual([node.seen for node in nodes], [everything] * 3)
        self.assertEqual(everything, sorted(everything, key=lambda each: self.rank(each[0])))
        history = await nodes[1].journal.history("r", ("message",), 1000)
        self.assertEqual(short(history), everything)

    async def test_a_batch_is_stored_when_all_that_precedes_it_was_heard(self) -> None:
        one, other = await self.node(), await self.node()
        await one.commit("before")

        await other.commit("after")

        self.assertEqual([text for _, _, text in other.seen], ["before", "after"])

    async def test_who_opens_later_hears_what_follows_alone(self) -> None:
        one = await self.node()
        await one.commit("before")

        late = await self.node()
        await one.commit("after")
        await late.has("after")

        self.assertEqual([text for _, _, text in late.seen], ["after"])

    async def test_a_node_finds_in_histories_what_another_has_stored(self) -> None:
        one, other = await self.node(), await self.node()
        await one.commit("1")
        await one.journal.commit([tell("ann", "bob", "2")], {}, "")

        found = await other.journal.history("r", ("message",), 10)
        lasts = await other.journal.latest(["r"], "bob", -1, 1 << 62, 10)

        self.assertEqual(said(found), ["1"])
        self.assertEqual([target for target, _ in lasts], ["r", "@ann,bob"])


class RecoveryTests(NodesCase):
    async def test_who_recovers_while_others_talk_misses_nothing_and_hears_nothing_twice(
        self,
    ) -> None:
        one = await self.node()
        talking = True
        count = 0

        async def talk() -> None:
            nonlocal count
            while talking:
                count += 1
                await one.commit(f"{count}")

        over = Deferred.fromCoroutine(talk())
        starts: list[tuple[Node, Any, int]] = []
        for _ in range(10):
            late = await self.node()
            recovery = await late.journal.recover()
            starts.append((late, recovery, len(late.heard_events)))
        talking = False
        await over

        for late, recovery, heard in starts:
            await late.has(str(count))
            told = short([*recovery.events, *late.heard_events[heard:]])
            self.assertEqual(told, one.seen)
            # Nothing was heard before that is not in what was recovered.
            self.assertLessEqual({*short(late.heard_events[:heard])}, {*short(recovery.events)})

    async def test_what_is_heard_while_the_answer_is_on_its_way_is_recovered_too(self) -> None:
        one = await self.node()
        link, reading = self.odd_link(), self.odd_link()
        late = await self.node(link, reading)
        await one.commit("before")
        await late.has("before")
        link.gate = Deferred()
        answers = link.answers
        recovering = late.journal.recover()
        await self.turns_until(lambda: link.answers > answers)

        answers = reading.answers
        await one.commit("meanwhile")
        await self.turns_until(lambda: reading.answers > answers)
        await self.turn()
        self.assertEqual([text for _, _, text in late.seen], ["before"])
        link.gate.callback(None)
        recovery = await recovering

        self.assertEqual(said(recovery.events), ["before", "meanwhile"])
        self.assertEqual([text for _, _, text in late.seen], ["before", "meanwhile"])

    async def test_one_node_writes_the_records_for_all(self) -> None:
        one, other = await self.node(), await self.node()
        (first,) = await one.commit("1")
        await other.has("1")
        # Both know what has changed; one of them says something.
        records = {**rooms("r"), **guest("bob", "7")}
        other.journal.commit((), records, first.id)
        await one.commit("2", records=records, mark=first.id)
        await other.has("2")

        await other.commit("3")

        self.assertEqual(await self.marks(), [None, first.id, None])
        for node in (one, other, await self.node()):
            recovery = await node.journal.recover()
            self.assertEqual(dict(recovery.records), records)
            self.assertEqual(said(recovery.events), ["2", "3"])

    async def test_what_changed_after_the_mark_of_another_is_still_written(self) -> None:
        one, other = await self.node(), await self.node()
        (first,) = await one.commit("1")
        (second,) = await one.commit("2")
        await other.has("2")
        other.journal.commit((), rooms("a"), first.id)
        other.journal.commit((), rooms("b"), second.id)
        await one.commit("3", records=rooms("a"), mark=first.id)

        await other.commit("4")

        recovery = await self.journal.recover()
        self.assertEqual(dict(recovery.records), rooms("a", "b"))
        self.assertEqual(said(recovery.events), ["3", "4"])

    async def test_a_node_that_lags_does_not_write_older_records_over_newer_ones(self) -> None:
        one, other = await self.node(), await self.node()
        (first,) = await one.commit("1")
        await other.has("1")
        newer = {("room", "r", ""): {"name": "newer"}}
        await one.commit("2", records=newer, mark=first.id)
        (third,) = await one.commit("3")
        await one.commit("4", records=newer, mark=third.id)

        older = {("room", "r", ""): {"name": "older"}}
        await other.commit("5", records=older, mark=first.id)

        recovery = await self.journal.recover()
        self.assertEqual(dict(recovery.records), newer)
        self.assertEqual(said(recovery.events), ["4", "5"])

    async def marks(self) -> list[str | None]:
        """The marks in the entries of the log."""
        link = await self.asking()
        entries = map(read_entry, await link.ask("XRANGE", f"{self.prefix}log", "-", "+"))
        return [None if entry.mark is None else str(entry.mark) for entry in entries]


class RetryTests(NodesCase):
    """Batches of which nobody knows for a while whether they were stored."""

    async def test_a_batch_whose_answer_was_lost_is_stored_once(self) -> None:
        proxy = FlakyProxy(self, self.port)
        link = self.odd_link()
        one, other = await self.node(link, self.link(proxy.port)), await self.node()
        proxy.cut()  # so that it is not found in the log before it is sent again
        link.forgetful = 3
        asked = link.asked

        storing = one.commit("1")
        await self.turns_until(lambda: link.asked >= asked + 4)
        self.assertEqual(one.seen, [])
        proxy.heal()
        await storing
        await other.commit("2")
        await one.has("2")

        self.assertEqual([text for _, _, text in other.seen], ["1", "2"])
        self.assertEqual(other.seen, one.seen)
        self.assertEqual(await self.texts("r"), ["1", "2"])

    async def test_a_batch_whose_answer_was_lost_is_known_by_the_log(self) -> None:
        link = self.odd_link()
        one = await self.node(link)
        link.forgetful = 1 << 30

        await one.commit("1")

        self.assertEqual(await self.texts("r"), ["1"])
        self.assertEqual(one.heard_events, [])

    async def test_a_batch_that_is_given_up_and_was_stored_all_the_same_is_heard(self) -> None:
        proxy = FlakyProxy(self, self.port)
        one = await self.node(reading=self.link(proxy.port))
        one.wait_for_redis(SHORT)
        proxy.cut()

        with self.assertRaises(NotStored):
            await one.commit("1")
        proxy.heal()
        await one.has("1")
        one.wait_for_redis(PATIENCE)
        await one.commit("2")

        self.assertEqual([text for _, _, text in one.seen], ["1", "2"])
        self.assertEqual(said(one.heard_events), ["1"])
        self.assertEqual(await self.texts("r"), ["1", "2"])

    async def test_a_batch_that_is_given_up_on_its_way_arrives_late_or_never(self) -> None:
        proxy = FlakyProxy(self, self.port)
        one = await self.node(self.link(proxy.port))
        one.wait_for_redis(SHORT)
        proxy.cut()
        with self.assertRaises(NotStored) as refused:
            await one.commit("late")

        proxy.heal()
        await one.has("late")
        one.wait_for_redis(PATIENCE)
        await one.commit("after")

        self.assertIn("no answer", str(refused.exception))
        self.assertEqual([text for _, _, text in one.seen], ["late", "after"])
        self.assertEqual(await self.texts("r"), ["late", "after"])

    async def test_a_batch_does_not_come_after_a_later_one(self) -> None:
        proxy = FlakyProxy(self, self.port)
        one = await self.node(self.link(proxy.port))
        one.wait_for_redis(SHORT)
        await proxy.refuse()
        with self.assertRaises(NotStored):
            await one.commit("never")
        proxy.heal()
        one.wait_for_redis(PATIENCE)
        await one.commit("after")

        self.assertEqual(await self.texts("r"), ["after"])
        self.assertFalse(await one.journal.holds(say("r", "ann", "never")))

    async def test_while_redis_is_away_nobody_waits_for_longer_than_once(self) -> None:
        proxy = FlakyProxy(self, self.port)
        link = self.link(proxy.port)
        one = await self.node(link)
        one.wait_for_redis(SHORT)
        await proxy.refuse()
        await self.turns_until(lambda: not link.connected)
        with self.assertRaises(NotStored):
            await one.commit("first")

        second = one.commit("second")

        self.failureResultOf(second, NotStored)

    async def test_a_batch_that_cannot_be_written_down_is_the_senders_defect(self) -> None:
        one = await self.node()
        event: Any = say("r", "ann", "")
        event.text = object()

        with self.assertRaises(TypeError):
            await one.journal.commit([event], {}, "")
        await one.commit("after")

        self.assertEqual(await self.texts("r"), ["after"])


class ClosingTests(NodesCase):
    async def test_closing_waits_for_what_is_under_way(self) -> None:
        one = await self.node()
        storing = one.commit("1")

        await one.journal.close()

        self.successResultOf(storing)
        self.assertEqual(await self.texts("r"), ["1"])

    async def test_nothing_is_stored_or_read_when_it_is_closed(self) -> None:
        one = await self.node()
        await one.journal.close()

        for asked in (one.commit("1"), one.journal.recover()):
            with self.assertRaises(NotStored):
                await asked

    async def test_closing_ends_who_waits_for_redis(self) -> None:
        proxy = FlakyProxy(self, self.port)
        one = await self.node(self.link(proxy.port), self.link(proxy.port))
        await proxy.refuse()
        recovering = one.journal.recover()
        self.assertNoResult(recovering)

        await one.journal.close()

        with self.assertRaises(NotStored):
            await recovering


class PruningTests(NodesCase):
    async def prune_by(self, node: Node, most: int = EVERYTHING) -> int:
        """A node forgets a slice of what nobody can read any more."""
        return await node.journal.prune(Retention(), most)

    async def test_one_node_at_a_time_forgets(self) -> None:
        one, other = await self.node(), await self.node()
        for number in range(10):
            await self.store(say("gone", "ann", str(number)))
        await self.apply_all(rooms("elsewhere"))
        self.assertEqual(await self.prune_by(one, 4), 4)

        self.assertEqual(await self.prune_by(other, 4), 0)
        self.assertEqual(await self.prune_by(one, 4), 4)
        self.assertEqual(await self.prune_by(one, 4), 2)
        await self.store(say("gone", "ann", "more"))
        await self.apply_all()

        self.assertEqual(await self.prune_by(other, 4), 1)

    async def test_a_node_that_goes_leaves_its_turn_to_others(self) -> None:
        one = await self.node()
        await self.store(*(say("gone", "ann", "gone") for _ in range(10)))
        await self.apply_all(rooms("elsewhere"))
        await self.prune_by(one, 1)
        self.assertEqual(await self.prune(), 0)
        link = await self.asking()
        left = await link.ask("PTTL", f"{self.prefix}forgetting")
        self.assertGreater(left, 0)

        await link.ask("DEL", f"{self.prefix}forgetting")

        self.assertEqual(await self.prune(), 9)

    async def test_nothing_is_left_of_what_is_forgotten_altogether(self) -> None:
        await self.store(
            *(say("gone", "ann", str(number)) for number in range(3)),
            login("ann"),
            tell("ann", "bob!7", "1"),
            tell("dan!8", "dan!8", "2"),
        )
        await self.apply_all(rooms("elsewhere"))

        while await self.prune():
            pass

        link = await self.asking()
        keys = {key.decode().removeprefix(self.prefix) for key in await link.ask("KEYS", "*")}
        ours = {key for key in keys if not key.startswith("t")}
        self.assertEqual(
            {key for key in ours if key.startswith(("h:", "with:"))}, {"h:message:elsewhere"}
        )
        self.assertEqual(await link.ask("ZRANGE", f"{self.prefix}oldest", 0, -1), [b"elsewhere"])

    async def test_what_no_record_holds_yet_is_kept_however_old_it_is(self) -> None:
        events = [say("r", "ann", str(number)) for number in range(5)]
        await self.store(*events)
        await self.store(login("ann"), records=rooms("r"), mark=events[1].id)
        self.clock.advance(DAY)

        by_count = await self.prune(messages=1)
        counted = await self.texts("r")
        self.assertEqual(await self.prune(seconds=1), 0)
        await self.store(login("bob"), mark=events[2].id)
        by_age = await self.prune(seconds=1)

        self.assertEqual((by_count, counted), (2, ["2", "3", "4"]))
        self.assertEqual((by_age, await self.texts("r")), (1, ["3", "4"]))

    async def test_it_is_known_of_each_target_since_when_something_is_kept(self) -> None:
        await self.store_each_second(
            say("r", "ann", "1"), say("r", "ann", "2"), join("r", "bob"), say("r", "ann", "3")
        )
        await self.apply_all(rooms("r", "elsewhere"))
        link = await self.asking()
        since = [await link.ask("ZSCORE", f"{self.prefix}oldest", "r")]

        for messages in (2, 1):
            await self.prune(messages=messages)
            since.append(await link.ask("ZSCORE", f"{self.prefix}oldest", "r"))

        self.assertEqual([int(ms) - NOW_MS for ms in since], [1000, 2000, 4000])

    async def test_many_targets_are_forgotten_whatever_the_slice(self) -> None:
        targets = [f"gone{number}" for number in range(700)]
        await self.store(*(say(target, "ann", "gone") for target in targets for _ in range(2)))
        await self.apply_all(rooms("elsewhere"))

        total, slices = 0, 0
        while forgotten := await self.prune(most=333):
            total, slices = total + forgotten, slices + 1

        self.assertEqual((total, slices), (1400, 5))

    async def test_more_than_one_script_forgets_is_forgotten_in_one_slice(self) -> None:
        await self.store(*(say("r", "ann", str(number)) for number in range(1300)))
        await self.apply_all(rooms("r", "elsewhere"))

        forgotten = await self.prune(messages=7, most=5000)

        self.assertEqual(forgotten, 1293)
        self.assertEqual(await self.texts("r"), [str(number) for number in range(1293, 1300)])

    async def test_what_is_said_while_others_forget_stays(self) -> None:
        one, other = await self.node(), await self.node()
        await self.apply_all(rooms("r", "elsewhere"))

        async def talk() -> None:
            for number in range(100):
                await one.journal.commit([say("gone", "ann", str(number))], {}, "")

        talking = Deferred.fromCoroutine(talk())
        forgotten = 0
        while not talking.called:
            last = say("elsewhere", "ann", "the mark")
            await other.journal.commit([last], {}, "")
            await other.journal.commit([login("zoe")], {}, last.id)
            self.clock.advance(0.001)
            forgotten += await self.prune_by(other)
        await talking

        left = await self.texts("gone")
        self.assertEqual(left, [str(number) for number in range(100 - len(left), 100)])
        self.assertEqual(len(await self.latest("gone")), 1 if left else 0)
        self.assertEqual(forgotten, 100 - len(left))
        await self.apply_all()
        await self.prune()
        self.assertEqual(await self.texts("gone"), [])
