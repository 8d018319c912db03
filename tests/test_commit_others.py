"""Group commit on a journal that others share: what they store, and a journal that is lost."""

from __future__ import annotations

from tests.commit_case import CommitCase
from tests.facts import say


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
