"""Group commit when something of it breaks: it is restarted, and what became of the batch under way
is found out.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred, succeed

from chatservice.controller.events import Event
from chatservice.journal.commit import GroupCommit
from chatservice.supervision import Supervised
from tests.commit_case import CommitCase, failed


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
