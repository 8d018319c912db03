"""
What a node keeps of what was said last: it answers as Redis would, or not at all; it costs Redis
nothing, and is there while Redis is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller.events import SAID, Event, Joined, Message
from chatservice.controller.log import Point
from chatservice.journal.interface import IJournal, NotStored, Retention
from chatservice.journal.redis.address import RedisAddress
from chatservice.journal.redis.entries import Position, position
from chatservice.journal.redis.link import Argument, Link
from chatservice.journal.redis.recent import Question, Recent
from chatservice.journal.redis.settings import RedisSettings
from tests import history_suite
from tests.facts import join, say, tell
from tests.generated import steady
from tests.journal_case import EVERYTHING, reactor, said
from tests.redis_case import PATIENCE, RedisCase
from tests.redis_server import HOST, start_redis


class Redis:
    """
    A Redis that is a list.

    @ivar log: batches, of which a node may have heard only the first ones.
    @ivar asked: what it was asked and has not answered yet.
    """

    def __init__(self) -> None:
        self.log: list[tuple[Position, list[Event]]] = []
        self.asked: list[tuple[Question, int, Deferred[list[Event]]]] = []

    async def answer_later(self, question: Question) -> list[Event]:
        answer: Deferred[list[Event]] = Deferred()
        self.asked.append((question, len(self.log), answer))
        return await answer

    def answer(self, number: int, fresh: bool) -> None:
        """Answers with what it had when it was asked, or with all that it has now."""
        question, had, answer = self.asked.pop(number)
        answer.callback(self.history(question, len(self.log) if fresh else had))

    def history(self, question: Question, batches: int) -> list[Event]:
        """What it says, as if there were only so many batches."""
        found = [
            event
            for _, events in self.log[:batches]
            for event in events
            if event.target == question.target
            and event.kind in question.kinds
            and _follows(event, question.after)
            and _precedes(event, question.before)
        ]
        if question.oldest:
            return found[: question.limit]
        return found[max(len(found) - question.limit, 0) :]


def _follows(event: Event, point: Point) -> bool:
    if isinstance(point, int):
        return event.ms > point
    place = position(point)
    return not point or (place is not None and _place(event) > place)


def _precedes(event: Event, point: Point) -> bool:
    if isinstance(point, int):
        return event.ms < point
    place = position(point)
    return not point or (place is not None and _place(event) < place)


def _place(event: Event) -> Position:
    place = position(event.id)
    assert place is not None
    return place


TARGETS = st.sampled_from(["r", "r", "r", "s", "@ann,bob"])

POINTS: st.SearchStrategy[Point | tuple[int]] = st.one_of(
    st.just(""),
    st.just(""),
    st.tuples(st.integers(0, 60)),  # the id of some event that there is
    st.tuples(st.integers(0, 60)),
    st.integers(-1, 20),
    st.sampled_from(["7", "x", "-1", "1-", "01-0", "3-99", "0-0", "99-0"]),
)

KINDS = st.sampled_from([*[SAID] * 7, SAID[::-1], (Message.kind,), (*SAID, Joined.kind)])


@dataclass
class Store:
    """Somebody stores a batch, so many milliseconds after the one before."""

    later: int
    targets: list[str]


@dataclass
class Ask:
    target: str
    kinds: tuple[str, ...]
    limit: int
    before: Point | tuple[int] = ""
    after: Point | tuple[int] = ""
    oldest: bool = False


ASK = st.builds(Ask, TARGETS, KINDS, st.integers(0, 9), POINTS, POINTS, st.booleans())


@dataclass
class Hear:
    """The node hears of some batches more."""

    batches: int


@dataclass
class Answer:
    """Redis answers one of the questions."""

    number: int
    fresh: bool


@dataclass
class Forget:
    """All that was kept may be wrong now."""


STEPS = st.lists(
    st.one_of(
        st.builds(Store, st.integers(0, 2), st.lists(TARGETS, min_size=1, max_size=4)),
        st.builds(Hear, st.integers(1, 3)),
        ASK,
        ASK,
        st.builds(Answer, st.integers(0, 9), st.booleans()),
        st.builds(Answer, st.just(0), st.booleans()),
        st.sampled_from([Hear(1), Hear(9), Answer(0, True), Forget()]),
    ),
    min_size=5,
    max_size=60,
)


class Node:
    """A node whose memory is compared with what it has heard of."""

    def __init__(self, case: SynchronousTestCase, began: int, **bounds: int) -> None:
        self.case = case
        self.redis = Redis()
        self.recent = Recent(self.redis.answer_later, **bounds)
        self.heard = 0
        self.hits = 0
        self.wrong: list[Any] = []
        for _ in range(began):
            self.store(Store(1, ["r", "s", "r"]))
        self.heard = began
        self.recent.begin(self.redis.log[-1][0] if began else Position(0, 0))

    def store(self, step: Store) -> None:
        last = self.redis.log[-1][0] if self.redis.log else Position(0, -1)
        ms = last.ms + step.later
        n = 0 if step.later else last.n + 1
        events: list[Event] = []
        for target in step.targets:
            event: Event = tell("ann", "bob", "x") if target[0] == "@" else say(target, "ann", "x")
            event = join("r", "ann") if target == "s" and n % 3 == 1 else event
            event.id, event.ms = f"{ms}-{n}", ms
            events.append(event)
            n += 1
        self.redis.log.append((Position(ms, n - 1), events))

    def hear(self, step: Hear) -> None:
        for last, events in self.redis.log[self.heard : self.heard + step.batches]:
            self.recent.heard(events, last)
            self.heard += 1

    def ask(self, step: Ask) -> None:
        before, after = self.point(step.before), self.point(step.after)
        question = Question(step.target, step.kinds, step.limit, before, after, step.oldest)
        heard = self.heard
        answer = Deferred.fromCoroutine(self.recent.history(question))
        if answer.called:
            self.hits += 1
            expected = self.redis.history(question, self.heard)
            self.case.assertEqual(self.case.successResultOf(answer), expected)
        else:
            answer.addCallback(self.answered, question, heard).addErrback(self.wrong.append)

    def point(self, point: Point | tuple[int]) -> Point:
        """A point, or the id of some event."""
        if not isinstance(point, tuple):
            return point
        ids = [event.id for _, events in self.redis.log for event in events]
        return ids[point[0] % len(ids)] if ids else ""

    def answered(self, found: list[Event], question: Question, heard: int) -> None:
        """What comes later holds what was heard when it was asked for, and maybe more."""
        batches = range(heard, len(self.redis.log) + 1)
        self.case.assertIn(found, [self.redis.history(question, each) for each in batches])

    def answer(self, step: Answer) -> None:
        if self.redis.asked:
            self.redis.answer(step.number % len(self.redis.asked), step.fresh)

    def forget(self, _: Forget) -> None:
        self.recent.forget()

    def do(self, step: Any) -> None:
        getattr(self, type(step).__name__.lower())(step)
        sizes = [each.size for each in self.recent._targets.values()]
        self.case.assertEqual(self.recent._size, sum(sizes))
        for failure in self.wrong:
            failure.raiseException()


class ModelTests(SynchronousTestCase):
    @given(st.integers(0, 9), st.integers(1, 8), st.integers(1, 4), STEPS)
    @steady(1500)
    def test_it_knows_what_redis_knows_or_asks(
        self, began: int, events: int, targets: int, steps: list[Any]
    ) -> None:
        node = Node(self, began, events=events, targets=targets)

        for step in steps:
            node.do(step)

    def test_the_model_hits_and_misses(self) -> None:
        """The comparison above would be worth nothing if nothing were ever known."""
        node = Node(self, 3)
        last = Ask("r", SAID, 2)

        node.ask(last)
        node.answer(Answer(0, False))
        for _ in range(3):
            node.ask(last)

        self.assertEqual(node.hits, 3)

    def test_several_who_ask_the_same_are_one_question(self) -> None:
        node = Node(self, 3)
        question = Question("r", SAID, 2)
        answers = [Deferred.fromCoroutine(node.recent.history(question)) for _ in range(3)]

        self.assertEqual(len(node.redis.asked), 1)
        node.answer(Answer(0, False))

        expected = node.redis.history(question, 3)
        self.assertEqual([self.successResultOf(each) for each in answers], 3 * [expected])

    def test_those_who_ask_the_same_ask_themselves_if_one_cannot_be_answered(self) -> None:
        node = Node(self, 3)
        question = Question("r", SAID, 2)
        first, second = [Deferred.fromCoroutine(node.recent.history(question)) for _ in range(2)]

        _, _, answer = node.redis.asked.pop()
        answer.errback(NotStored("away"))
        self.failureResultOf(first, NotStored)
        node.answer(Answer(0, False))

        self.assertEqual(self.successResultOf(second), node.redis.history(question, 3))

    def test_it_takes_no_more_room_than_it_may(self) -> None:
        node = Node(self, 0, targets=1000, events=40, most=100_000)
        events = [say(f"r{number % 7}", "ann", 1000 * "x") for number in range(500)]
        for number, event in enumerate(events):
            event.id, event.ms = f"1-{number}", 1
        node.redis.log.append((Position(1, 499), list(events)))

        node.hear(Hear(1))

        kept = node.recent._targets
        self.assertTrue(node.recent._size <= 100_000 and kept)
        self.assertEqual(node.recent._size, sum(each.size for each in kept.values()))
        node.ask(Ask("r2", SAID, 3))
        self.assertEqual(node.hits, 1)  # r2 was spoken in last


class CountingLink(Link):
    """
    @ivar trips: how often something was asked while nothing else was under way.
    """

    trips = 0
    _under_way = 0

    async def ask(self, *command: Argument) -> Any:
        self.trips += not self._under_way
        self._under_way += 1
        try:
            return await super().ask(*command)
        finally:
            self._under_way -= 1


class ColdTests(RedisCase, history_suite.HistorySuite):
    """The contract, where a node keeps nothing, and all is asked of Redis."""

    settings = RedisSettings(patience=PATIENCE, checkpoint=0, recent_targets=0)


class WarmTests(RedisCase):
    settings = RedisSettings(patience=PATIENCE, checkpoint=0)

    def make(self) -> IJournal:
        endpoint = TCP4ClientEndpoint(reactor, HOST, self.port)
        self.counted = CountingLink(reactor, endpoint, RedisAddress(HOST, self.port), PATIENCE)
        return cast(IJournal, self.make_redis(self.counted))

    async def trips(self, target: str, limit: int, **points: Any) -> tuple[int, list[str]]:
        """How many round trips it took to read a history, and what it says."""
        before = self.counted.trips
        found = await self.texts(target, limit, **points)
        return self.counted.trips - before, found

    async def test_what_was_said_since_the_node_began_costs_no_round_trip(self) -> None:
        events = [say("r", "ann", str(number)) for number in range(9)]
        await self.store(*events)

        self.assertEqual(await self.trips("r", 2), (0, ["7", "8"]))
        self.assertEqual(await self.trips("r", 2, before=events[7].id), (0, ["5", "6"]))
        after = {"after": events[2].id, "oldest": True}
        self.assertEqual(await self.trips("r", 2, **after), (0, ["3", "4"]))

    async def test_what_was_said_before_costs_one_and_then_no_more(self) -> None:
        await self.store(*(say("r", "ann", str(number)) for number in range(9)))
        await self.reopen()

        cold = await self.trips("r", 5)
        await self.store(say("r", "bob", "9"))
        warm = await self.trips("r", 6)

        self.assertEqual(cold, (1, ["4", "5", "6", "7", "8"]))
        self.assertEqual(warm, (0, ["4", "5", "6", "7", "8", "9"]))

    async def test_all_that_there_is_is_known_to_be_all(self) -> None:
        await self.store(say("r", "ann", "1"), tell("ann", "bob", "2"))
        await self.reopen()

        for target in ("r", "@ann,bob", "nowhere"):
            self.assertEqual((await self.trips(target, EVERYTHING))[0], 1)
            self.assertEqual((await self.trips(target, EVERYTHING, oldest=True))[0], 0)

    async def test_what_another_node_stores_is_known_as_well(self) -> None:
        other = self.make_redis()
        await other.open()
        self.addCleanup(other.close)
        await other.commit([say("r", "ann", "1")], {}, "")

        await self.store(say("s", "bob", "and this node has heard it"))

        self.assertEqual(await self.trips("r", 1), (0, ["1"]))

    async def test_events_of_other_kinds_are_asked_for(self) -> None:
        await self.store(say("r", "ann", "1"), join("r", "bob"))

        found = await self.journal.history("r", (*SAID, Joined.kind), 5)

        self.assertEqual(said(found), ["1", "join"])

    async def test_a_round_of_forgetting_makes_it_ask_again(self) -> None:
        await self.store(say("gone", "ann", "1"))
        await self.apply_all()

        await self.journal.prune(Retention(), EVERYTHING)

        self.assertEqual(await self.trips("gone", 1), (1, []))


class AwayTests(RedisCase):
    async def setUp(self) -> None:  # type: ignore[override]
        self.server = await start_redis(self, keeps=False)
        self.port = self.server.port
        await super().setUp()

    settings = RedisSettings(patience=0.2, checkpoint=0)

    async def test_what_is_kept_is_there_while_redis_is_away(self) -> None:
        await self.store(say("r", "ann", "1"))
        await self.texts("s")

        await self.server.stop()

        self.assertEqual(await self.texts("r", 1), ["1"])
        self.assertEqual(await self.texts("s"), [])
        for cold in ("r", "t"):
            with self.assertRaises(NotStored):
                await self.texts(cold)

    async def test_what_redis_has_lost_is_not_shown_any_more(self) -> None:
        lost: Deferred[str] = Deferred()

        class Reader:
            def heard(self, events: object) -> None:
                """Nobody else is there."""

            def lost(self, reason: str) -> None:
                lost.callback(reason)

        self.journal.follow(Reader())
        await self.store(say("r", "ann", "1"))
        self.assertEqual(await self.texts("r", 1), ["1"])

        await self.server.restart()
        await lost

        self.assertEqual(await self.texts("r", 1), [])
