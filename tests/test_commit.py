"""Group commit: what is said in one turn is stored together, delivered only then, and the next
batch fills meanwhile. The journal here stores when the test says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from chatservice.controller.errors import ChatError, Unavailable
from chatservice.controller.events import SAID, Event
from chatservice.controller.log import Batch, Point, Recovery
from chatservice.controller.records import Record
from chatservice.controller.state import RecordKey
from chatservice.journal.commit import GroupCommit
from chatservice.journal.interface import IJournal, NotStored, Reader, Retention
from chatservice.supervision import Supervised, Supervisor
from tests.facts import say

Records = Mapping[RecordKey, "Record | None"]
NO_RECORDS: dict[RecordKey, Record | None] = {}


@implementer(IJournal)
class SlowJournal:
    """
    A journal that waits for the test.

    @ivar told: what happened, in order; shared with the sink.
    @ivar opened: how often it was opened.
    @ivar stored: the texts that it holds.
    @ivar asked: what was asked of its histories.
    @ivar noted: the records that came without a batch, each time with their mark.
    @ivar readers: who wants to hear what others store.
    """

    def __init__(self, told: list[str]) -> None:
        self.told = told
        self.opened = 0
        self.stored: list[str] = []
        self.asked: list[tuple[object, ...]] = []
        self.noted: list[tuple[dict[RecordKey, Record | None], str]] = []
        self.readers: list[Reader] = []
        self.commits: list[tuple[list[str], dict[RecordKey, Record | None], str]] = []
        self.unreadable = False
        self._last = 0
        self._under_way: tuple[Sequence[Event], Deferred[None]] | None = None

    # What the test does.

    def store(self) -> None:
        """The batch under way is stored."""
        self.keep()
        self._end().callback(None)

    def fail(self, error: Exception) -> None:
        """The batch under way breaks off."""
        self._end().errback(Failure(error))

    def keep(self) -> None:
        """The batch under way reaches the disk, and nobody has been told yet."""
        events, _ = self.under_way
        self._stamp(events)

    def _stamp(self, events: Sequence[Event]) -> None:
        for event in events:
            self._last += 1
            event.id = str(self._last)
            self.stored.append(text(event))

    @property
    def under_way(self) -> tuple[Sequence[Event], Deferred[None]]:
        assert self._under_way is not None, "nothing is being stored"
        return self._under_way

    @property
    def busy(self) -> bool:
        """Is a batch under way?"""
        return self._under_way is not None

    def _end(self) -> Deferred[None]:
        _, over = self.under_way
        self._under_way = None
        return over

    def store_of_others(self, *texts: str) -> None:
        """Somebody else has stored a batch."""
        events = [say("r", "bob", each) for each in texts]
        self._stamp(events)
        for reader in self.readers:
            reader.heard(events)

    # The interface.

    def follow(self, reader: Reader) -> None:
        self.readers.append(reader)

    def open(self) -> Deferred[None]:
        self.opened += 1
        return succeed(None)

    def close(self) -> Deferred[None]:
        closed: Deferred[None] = Deferred()
        if self._under_way is None:
            closed.callback(None)
        else:
            self._under_way[1].addBoth(_fire, closed)
        return closed

    def recover(self) -> Deferred[Recovery]:
        return succeed(Recovery([], []))

    def commit(self, events: Sequence[Event], records: Records, mark: str) -> Deferred[None]:
        if not events:
            self.noted.append((dict(records), mark))
            return succeed(None)
        assert self._under_way is None, "one batch at a time"
        texts = [text(event) for event in events]
        self.told.append("store " + " ".join(texts))
        self.commits.append((texts, dict(records), mark))
        self._under_way = (events, Deferred())
        return self._under_way[1]

    def holds(self, event: Event) -> Deferred[bool]:
        return succeed(text(event) in self.stored)

    def history(
        self,
        target: str,
        kinds: Sequence[str],
        limit: int,
        before: Point = "",
        after: Point = "",
        oldest: bool = False,
    ) -> Deferred[list[Event]]:
        self.asked.append((target, kinds, limit, before, after, oldest))
        if self.unreadable:
            return cast("Deferred[list[Event]]", failed(NotStored("the disk is on fire")))
        found: list[Event] = [say(target, "ann", each) for each in self.stored]
        return succeed(found[-limit:])

    def latest(
        self, targets: Sequence[str], identity: str, after: int, before: int, limit: int
    ) -> Deferred[list[tuple[str, int]]]:
        if self.unreadable:
            return cast("Deferred[list[tuple[str, int]]]", failed(NotStored("no disk")))
        self.asked.append((targets, identity, after, before, limit))
        return succeed([(target, len(self.stored)) for target in targets])

    def prune(self, retention: Retention, most: int) -> Deferred[int]:
        if self.unreadable:
            return cast("Deferred[int]", failed(NotStored("the disk is on fire")))
        return succeed(most)


def _fire(result: Any, waiting: Deferred[None]) -> Any:
    waiting.callback(None)
    return result


def failed(error: Exception) -> Deferred[Any]:
    """A Deferred that has failed."""
    result: Deferred[Any] = Deferred()
    result.errback(error)
    return result


def text(event: Event) -> str:
    """What an event says."""
    return cast(str, cast(Any, event).text)


class Everybody:
    """
    A sink, and the origin of every event.

    @ivar dirty: the records that change with the next event that is applied.
    """

    def __init__(self, told: list[str]) -> None:
        self.told = told
        self.dirty: dict[RecordKey, Record | None] = {}
        self.mark = ""
        self.broken: Exception | None = None
        self._applied: list[str] = []

    def checkpoint(self) -> tuple[dict[RecordKey, Record | None], str]:
        if self.broken is not None:
            raise self.broken
        taken, self.dirty = self.dirty, {}
        return taken, self.mark

    def checkpoint_failed(self, keys: Sequence[RecordKey]) -> None:
        self.dirty.update({key: {} for key in keys})

    def apply(self, batch: Batch) -> None:
        self.mark = batch.events[-1].id
        texts = [text(event) for event in batch.events]
        self._applied.extend(texts)
        self.told.append("apply " + " ".join(texts))

    def deliver(self) -> None:
        self.told.append("deliver " + " ".join(self._applied))
        self._applied.clear()

    def lost(self, reason: str) -> None:
        self.told.append(f"lost: {reason}")

    def refuse(self, batch: Batch, error: ChatError) -> None:
        for event, origin in zip(batch.events, batch.origins, strict=True):
            origin.applied(event, error)

    def applied(self, event: Event, error: ChatError | None) -> None:
        self.told.append(f"{text(event)}: {error.code if error else 'OK'}")


class CommitCase(SynchronousTestCase):
    """
    @ivar told: what happened, in order.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.told: list[str] = []
        self.gave_up: list[Failure] = []
        self.journal = SlowJournal(self.told)
        self.sink = Everybody(self.told)
        self.commit = self.make()
        self.root = Supervisor(self.clock, intensity=1, on_give_up=self.gave_up.append)
        self.root.supervise(self.commit, name="journal")
        self.successResultOf(self.root.startService())
        self.commit.attach(self.sink)
        self.turn()

    def make(self, **settings: Any) -> GroupCommit:
        return GroupCommit(self.clock, cast(IJournal, self.journal), **settings)

    def turn(self) -> None:
        """One turn of the reactor."""
        self.clock.advance(0)

    def say(self, *texts: str) -> None:
        """Somebody says things."""
        for each in texts:
            self.commit.append(say("r", "ann", each), self.sink)

    def tell(self) -> list[str]:
        """What happened since the last call."""
        told, self.told[:] = list(self.told), []
        return told


class BatchTests(CommitCase):
    def test_what_is_said_in_one_turn_is_one_batch(self) -> None:
        self.say("1", "2", "3")
        self.assertFalse(self.journal.busy)

        self.turn()

        self.assertEqual(self.tell(), ["store 1 2 3"])

    def test_nothing_is_applied_or_delivered_before_it_is_stored(self) -> None:
        self.say("1")
        self.turn()
        self.tell()
        self.clock.advance(1000)
        self.assertEqual(self.tell(), [])

        self.journal.store()

        self.assertEqual(self.tell(), ["apply 1", "deliver 1"])

    def test_the_next_batch_fills_while_one_is_stored(self) -> None:
        self.say("1")
        self.turn()
        self.say("2")
        self.turn()
        self.say("3")
        self.turn()
        self.assertEqual(self.tell(), ["store 1"])

        self.journal.store()

        self.assertEqual(self.tell(), ["apply 1", "store 2 3", "deliver 1"])

    def test_the_next_batch_goes_to_the_disk_before_the_last_one_is_delivered(self) -> None:
        self.say("1")
        self.turn()
        self.say("2")
        self.journal.store()
        self.journal.store()

        self.assertEqual(
            self.tell(),
            ["store 1", "apply 1", "store 2", "deliver 1", "apply 2", "deliver 2"],
        )

    def test_what_is_said_after_a_quiet_time_is_stored_at_once(self) -> None:
        self.say("1")
        self.turn()
        self.journal.store()
        self.clock.advance(3600)
        self.tell()

        self.say("2")
        self.turn()

        self.assertEqual(self.tell(), ["store 2"])

    def test_an_idle_service_stores_nothing_and_keeps_no_timer(self) -> None:
        self.say("1")
        self.turn()
        self.journal.store()
        self.turn()

        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.journal.commits), 1)

    def test_records_go_with_the_batch_after_the_one_that_changed_them(self) -> None:
        self.say("1")
        self.turn()
        self.journal.store()
        self.sink.dirty = {("room", "r", ""): {}}
        self.say("2")
        self.turn()

        self.assertEqual(
            self.journal.commits,
            [(["1"], {}, ""), (["2"], {("room", "r", ""): {}}, "1")],
        )

    def test_too_many_waiting_are_refused_and_those_that_wait_are_stored(self) -> None:
        self.commit = self.make(waiting=2)
        self.commit.startService()
        self.commit.attach(self.sink)
        self.say("1")
        self.turn()
        self.say("2", "3")

        self.assertRaises(Unavailable, self.say, "4")

        self.journal.store()
        self.say("5")
        self.assertEqual(self.journal.commits[-1][0], ["2", "3"])


class PiledUpTests(CommitCase):
    """More than is stored together has piled up while a batch was stored."""

    def setUp(self) -> None:
        super().setUp()
        self.say("first")
        self.turn()

    def pile_up(self, count: int) -> None:
        """Each of so many people says something."""
        for number in range(count):
            self.commit.append(say("r", "ann", str(number)), Everybody([]))

    def test_it_is_stored_in_several_batches_in_order(self) -> None:
        self.pile_up(4500)

        for _ in range(4):
            self.journal.store()

        batches = [texts for texts, *_ in self.journal.commits[1:]]
        self.assertEqual([len(texts) for texts in batches], [2000, 2000, 500])
        self.assertEqual([each for texts in batches for each in texts], [*map(str, range(4500))])

    def test_what_has_one_origin_stays_together(self) -> None:
        self.pile_up(1999)
        self.say("a", "b", "c")
        self.pile_up(5)

        self.journal.store()
        self.journal.store()

        self.assertEqual(self.journal.commits[1][0][-3:], ["a", "b", "c"])
        self.assertEqual(len(self.journal.commits[2][0]), 5)

    def test_who_waits_for_all_of_it_waits_for_the_last_batch(self) -> None:
        self.pile_up(2500)
        drained = self.commit.drain()

        self.journal.store()
        self.journal.store()
        self.assertNoResult(drained)
        self.journal.store()

        self.successResultOf(drained)


class RefusalTests(CommitCase):
    """A batch that could not be stored."""

    def refuse(self) -> None:
        """The disk is full."""
        self.journal.fail(NotStored("disk full"))
        self.assertEqual(len(self.flushLoggedErrors()), 0)

    def test_everybody_in_the_batch_is_told_and_nothing_is_applied(self) -> None:
        self.say("1", "2")
        self.turn()

        self.refuse()

        self.assertEqual(self.tell(), ["store 1 2", "1: UNAVAILABLE", "2: UNAVAILABLE"])

    def test_later_batches_are_stored(self) -> None:
        self.say("1")
        self.turn()
        self.say("2")
        self.refuse()
        self.turn()
        self.tell()

        self.journal.store()

        self.assertEqual(self.tell(), ["apply 2", "deliver 2"])
        self.assertEqual(self.journal.stored, ["2"])

    def test_one_who_says_it_again_at_once_does_not_make_two_batches_run_together(self) -> None:
        class Insisting:
            def applied(_, event: Event, error: ChatError | None) -> None:
                self.say("again")

        self.commit.append(say("r", "ann", "1"), Insisting())
        self.turn()
        self.say("2")

        self.refuse()
        self.say("3")
        self.turn()
        self.journal.store()

        self.assertEqual(self.journal.stored, ["2", "again", "3"])

    def test_it_goes_on_also_if_nothing_has_filled_meanwhile(self) -> None:
        self.say("1")
        self.turn()
        self.refuse()

        self.say("2")
        self.turn()
        self.journal.store()

        self.assertEqual(self.journal.stored, ["2"])

    def test_the_records_of_a_refused_batch_come_again(self) -> None:
        self.sink.dirty = {("room", "r", ""): {}}
        self.say("1")
        self.turn()
        self.refuse()

        self.say("2")
        self.turn()

        self.assertEqual(
            [records for _, records, _ in self.journal.commits], [{("room", "r", ""): {}}] * 2
        )

    def test_a_refusal_restarts_nothing(self) -> None:
        self.say("1")
        self.turn()
        self.refuse()
        self.turn()

        self.assertEqual((self.journal.opened, self.root.restarts["journal"]), (1, 0))


class Waiting(Supervised):
    """A service whose start waits for what is being stored, as the controller's does."""

    def __init__(self, commit: GroupCommit) -> None:
        self._commit = commit

    def startService(self) -> Deferred[None]:
        super().startService()
        return self._commit.drain()


class DefectTests(CommitCase):
    """A batch of which nobody knows whether it was stored."""

    def crash(self) -> None:
        """The writer breaks, and its supervisor does what it does."""
        self.journal.fail(ZeroDivisionError("a defect"))
        self.turn()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_the_writer_is_restarted(self) -> None:
        self.say("1")
        self.turn()

        self.crash()

        self.assertEqual((self.journal.opened, self.root.restarts["journal"]), (2, 1))
        self.assertEqual(self.gave_up, [])

    def test_what_was_not_stored_is_refused(self) -> None:
        self.say("1", "2")
        self.turn()

        self.crash()

        self.assertEqual(self.tell(), ["store 1 2", "1: UNAVAILABLE", "2: UNAVAILABLE"])

    def test_what_was_stored_is_applied_and_delivered_once(self) -> None:
        self.say("1", "2")
        self.turn()
        self.journal.keep()

        self.crash()

        self.assertEqual(self.tell(), ["store 1 2", "apply 1 2", "deliver 1 2"])

    def test_nobody_hears_anything_before_it_is_known(self) -> None:
        self.say("1")
        self.turn()
        self.tell()
        self.journal.keep()
        asked: Deferred[bool] = Deferred()
        self.patch(self.journal, "holds", lambda event: asked)

        self.journal.fail(ZeroDivisionError("a defect"))
        self.turn()
        self.assertEqual(self.tell(), [])
        asked.callback(True)
        self.turn()

        self.assertEqual(self.tell(), ["apply 1", "deliver 1"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_a_journal_that_cannot_tell_is_asked_again_after_its_restart(self) -> None:
        self.say("1")
        self.turn()
        self.tell()
        self.journal.keep()
        answers = [failed(RuntimeError("no answer")), succeed(True)]
        self.patch(self.journal, "holds", lambda event: answers.pop(0))

        self.crash()

        self.assertEqual(self.tell(), ["apply 1", "deliver 1"])
        self.assertEqual(self.root.restarts["journal"], 1)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_a_sibling_that_waits_for_the_batch_does_not_keep_the_writer_from_its_restart(
        self,
    ) -> None:
        self.say("1")
        self.turn()
        self.root.supervise(Waiting(self.commit), name="waiting")
        self.turn()

        self.crash()

        self.assertEqual((self.journal.opened, self.root.restarts["journal"]), (2, 1))

    def test_what_was_said_meanwhile_is_stored_after_it(self) -> None:
        self.say("1")
        self.turn()
        self.journal.keep()
        self.say("2")
        self.crash()
        self.journal.store()

        self.assertEqual(
            self.tell(),
            ["store 1", "apply 1", "deliver 1", "store 2", "apply 2", "deliver 2"],
        )

    def test_the_records_of_the_batch_come_again(self) -> None:
        self.sink.dirty = {("room", "r", ""): {}}
        self.say("1")
        self.turn()
        self.crash()
        self.say("2")
        self.turn()

        self.assertEqual(self.journal.commits[-1][1], {("room", "r", ""): {}})

    def test_who_waits_for_the_batch_waits_until_it_is_known(self) -> None:
        self.say("1")
        self.turn()
        over = self.commit.drain()
        self.journal.keep()
        asked: Deferred[bool] = Deferred()
        self.patch(self.journal, "holds", lambda event: asked)
        self.journal.fail(ZeroDivisionError("a defect"))
        self.turn()
        self.assertNoResult(over)

        asked.callback(True)

        self.successResultOf(over)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_a_sink_that_cannot_say_its_records_fails_the_writer_and_leaves_nobody_waiting(
        self,
    ) -> None:
        self.sink.broken = ZeroDivisionError("a defect")
        self.say("1")
        self.turn()
        self.sink.broken = None
        self.turn()
        self.flushLoggedErrors(ZeroDivisionError)

        self.assertEqual(self.tell(), ["1: UNAVAILABLE"])
        self.assertEqual(self.root.restarts["journal"], 1)

    def test_one_who_measures_and_breaks_leaves_nobody_waiting(self) -> None:
        class Broken:
            def committed(self, events: Sequence[Event], seconds: float) -> None:
                raise ZeroDivisionError("a defect")

            def delivered(self, seconds: float) -> None:
                raise AssertionError("not before it is")

        self.patch(self.commit, "_observer", Broken())
        self.say("1")
        self.turn()
        self.journal.store()
        self.turn()
        self.flushLoggedErrors(ZeroDivisionError)

        self.assertEqual(self.tell(), ["store 1", "apply 1", "deliver 1"])

    def test_a_second_defect_is_too_much(self) -> None:
        self.say("1")
        self.turn()
        self.crash()
        self.say("2")
        self.turn()

        self.crash()

        self.assertEqual(len(self.gave_up), 1)


class OthersTests(CommitCase):
    """What other processes store in the same journal."""

    def test_it_is_applied_and_delivered_when_it_is_heard(self) -> None:
        self.journal.store_of_others("1", "2")

        self.assertEqual(self.tell(), ["apply 1 2", "deliver 1 2"])

    def test_it_is_applied_before_a_batch_that_is_stored_after_it(self) -> None:
        self.say("mine")
        self.turn()

        self.journal.store_of_others("theirs")
        self.journal.store()

        self.assertEqual(
            self.tell(),
            ["store mine", "apply theirs", "deliver theirs", "apply mine", "deliver mine"],
        )

    def test_the_journal_is_told_the_records_that_it_changed(self) -> None:
        self.sink.dirty = {("room", "r", ""): {}}

        self.journal.store_of_others("1")

        self.assertEqual(self.journal.noted, [({("room", "r", ""): {}}, "1")])
        self.assertFalse(self.journal.busy)

    def test_records_go_with_the_next_batch_while_one_is_under_way(self) -> None:
        self.say("mine")
        self.turn()
        self.sink.dirty = {("room", "r", ""): {}}
        self.journal.store_of_others("theirs")
        self.say("more")
        self.assertEqual(self.journal.noted, [])

        self.journal.store()

        self.assertEqual(self.journal.commits[-1], (["more"], {("room", "r", ""): {}}, "2"))

    def test_a_sink_that_is_detached_hears_of_it_and_says_no_records(self) -> None:
        self.successResultOf(self.commit.detach())
        self.sink.broken = ZeroDivisionError("a state that is half changed")

        self.journal.store_of_others("1")

        self.assertEqual(self.tell(), ["apply 1", "deliver 1"])
        self.assertEqual(self.journal.noted, [])

    def test_nobody_hears_of_it_before_somebody_listens(self) -> None:
        self.commit = self.make()

        self.journal.readers[-1].heard([say("r", "bob", "1")])
        self.journal.readers[-1].lost("no data")

        self.assertEqual(self.tell(), [])

    def test_it_is_heard_after_a_restart_too(self) -> None:
        self.say("mine")
        self.turn()
        self.journal.fail(ZeroDivisionError("a defect"))
        self.turn()
        self.flushLoggedErrors(ZeroDivisionError)
        self.tell()

        self.journal.store_of_others("theirs")

        self.assertEqual(self.tell(), ["apply theirs", "deliver theirs"])
        self.assertEqual(len(self.journal.readers), 1)

    def test_the_sink_hears_that_the_journal_is_another_one(self) -> None:
        self.journal.readers[0].lost("no data")

        self.assertEqual(self.tell(), ["lost: no data"])

    def test_a_sink_that_is_detached_hears_that_too(self) -> None:
        self.successResultOf(self.commit.detach())

        self.journal.readers[0].lost("no data")

        self.assertEqual(self.tell(), ["lost: no data"])


class WaitingTests(CommitCase):
    def test_drained_at_once_if_nothing_waits(self) -> None:
        self.successResultOf(self.commit.drain())

    def test_drained_when_what_was_said_until_then_is_delivered(self) -> None:
        self.say("1")
        self.turn()
        self.say("2")
        drained = self.commit.drain()
        drained.addCallback(lambda _: self.told.append("drained"))

        self.journal.store()
        self.say("3")
        self.assertNoResult(drained)
        self.journal.store()

        self.assertEqual(self.tell()[-4:], ["apply 2", "store 3", "deliver 2", "drained"])

    def test_drained_also_when_it_was_refused(self) -> None:
        self.say("1")
        drained = self.commit.drain()
        self.turn()

        self.journal.fail(NotStored("disk full"))

        self.successResultOf(drained)

    def test_history_waits_for_what_has_just_been_said(self) -> None:
        self.say("1")
        found = Deferred.fromCoroutine(self.commit.history("r", SAID, 10))
        self.turn()
        self.assertNoResult(found)

        self.journal.store()

        self.assertEqual([text(event) for event in self.successResultOf(found)], ["1"])

    def test_history_is_asked_for_as_it_is_wanted(self) -> None:
        history = self.commit.history("r", SAID, 10, before="7", after=1000, oldest=True)
        self.successResultOf(Deferred.fromCoroutine(history))

        self.assertEqual(self.journal.asked, [("r", SAID, 10, "7", 1000, True)])

    def test_what_was_said_last_waits_for_what_has_just_been_said(self) -> None:
        self.say("1")
        found = Deferred.fromCoroutine(self.commit.latest(["r"], "ann", 0, 2000, 10))
        self.turn()
        self.assertNoResult(found)

        self.journal.store()

        self.assertEqual(self.successResultOf(found), [("r", 1)])
        self.assertEqual(self.journal.asked, [(["r"], "ann", 0, 2000, 10)])

    def test_history_that_cannot_be_read_is_unavailable(self) -> None:
        self.journal.unreadable = True

        found = Deferred.fromCoroutine(self.commit.history("r", SAID, 10))
        lasts = Deferred.fromCoroutine(self.commit.latest(["r"], "ann", 0, 2000, 10))

        self.failureResultOf(found, Unavailable)
        self.failureResultOf(lasts, Unavailable)

    def test_what_cannot_be_forgotten_is_forgotten_another_time(self) -> None:
        self.journal.unreadable = True

        forgotten = Deferred.fromCoroutine(self.commit.prune(Retention(1, 1), 10))

        self.assertEqual(self.successResultOf(forgotten), 0)

    def test_a_sink_is_let_go_of_when_its_batch_is_over(self) -> None:
        self.say("1")
        self.turn()
        self.say("2")
        detached = self.commit.detach()
        self.assertNoResult(detached)

        self.journal.store()

        self.successResultOf(detached)
        self.assertEqual(self.tell(), ["store 1", "apply 1", "deliver 1"])

    def test_what_is_said_while_there_is_no_sink_waits_for_one(self) -> None:
        self.successResultOf(self.commit.detach())
        self.say("1")
        self.turn()
        self.assertEqual(self.tell(), [])

        self.commit.attach(self.sink)
        self.turn()

        self.assertEqual(self.tell(), ["store 1"])

    def test_a_stop_waits_for_the_batch_under_way_and_delivers_it(self) -> None:
        self.say("1")
        self.turn()
        stopped = self.root.stopService()
        self.assertNoResult(stopped)

        self.journal.store()

        self.successResultOf(stopped)
        self.assertEqual(self.tell(), ["store 1", "apply 1", "deliver 1"])

    def test_nothing_is_stored_or_forgotten_after_a_stop(self) -> None:
        self.successResultOf(self.root.stopService())
        self.say("1")
        self.turn()
        forgotten = Deferred.fromCoroutine(self.commit.prune(Retention(1, 1), 10))

        self.assertEqual((self.tell(), self.successResultOf(forgotten)), ([], 0))

    def test_what_waited_through_a_stop_is_stored_by_the_next_start(self) -> None:
        self.successResultOf(self.root.stopService())
        self.say("1")

        self.successResultOf(self.root.startService())
        self.turn()

        self.assertEqual(self.tell(), ["store 1"])
