"""Group commit: what is said in one turn is stored together, delivered only then, and the next
batch fills meanwhile.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from chatservice.controller.errors import ChatError, Unavailable
from chatservice.controller.events import SAID, Event
from chatservice.journal.interface import NotStored, Retention
from tests.commit_case import CommitCase, Everybody, text
from tests.facts import say


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
