"""What every journal must do, whichever driver keeps it: the contract of `IJournal` as a suite. A
driver joins by subclassing `JournalSuite` and `HistorySuite` in a test module of its own and saying
how it is made.
"""

from __future__ import annotations

from zope.interface.verify import verifyObject

from chatservice.controller.records import Record
from chatservice.controller.state import RecordKey
from chatservice.journal.interface import IJournal
from tests.facts import join, login, say, tell
from tests.journal_case import DAY, NOW, JournalCase, guest, rooms, said


class JournalSuite(JournalCase):
    """The contract."""

    # Order and time.

    def test_it_is_a_journal(self) -> None:
        verifyObject(IJournal, self.journal)

    async def test_ids_rise_within_a_batch_and_from_batch_to_batch(self) -> None:
        events = [say("r", "ann", str(number)) for number in range(200)]

        for start in range(0, 200, 70):
            await self.store(*events[start : start + 70])

        ranks = [self.rank(event.id) for event in events]
        self.assertEqual(ranks, sorted(set(ranks)))
        self.assertFalse([event.id for event in events if not event.id or " " in event.id])

    async def test_ids_are_not_used_again_although_everything_is_forgotten_and_it_reopens(
        self,
    ) -> None:
        first = [say("gone", "ann", "1"), say("gone", "ann", "2")]
        await self.store(*first)
        await self.apply_all()
        while await self.prune(seconds=0.001):
            self.clock.advance(DAY)
        await self.reopen()
        later = say("r", "ann", "3")

        await self.store(later)

        self.assertGreater(self.rank(later.id), max(self.rank(event.id) for event in first))

    async def test_the_time_of_a_batch_is_the_clocks(self) -> None:
        self.clock.advance(0.25)
        event = say("r", "ann", "now")

        await self.store(event)

        self.assertEqual(event.ms, int(NOW * 1000) + 250)

    async def test_time_does_not_go_back_although_the_clock_does(self) -> None:
        before, after = say("r", "ann", "before"), say("r", "ann", "after")
        await self.store(before)
        self.clock.rightNow -= 3600

        await self.store(after)

        self.assertEqual(after.ms, before.ms)

    async def test_time_does_not_go_back_over_a_restart_either(self) -> None:
        before, after = say("r", "ann", "before"), say("r", "ann", "after")
        await self.store(before)
        await self.reopen()
        self.clock.rightNow -= 3600

        await self.store(after)

        self.assertEqual(after.ms, before.ms)

    # All or nothing, and the records beside it.

    async def test_a_new_journal_recovers_nothing(self) -> None:
        recovery = await self.journal.recover()

        self.assertEqual(([*recovery.records], [*recovery.events]), ([], []))

    async def test_recovery_gives_the_events_that_are_younger_than_the_mark(self) -> None:
        first, second, third = (say("r", "ann", text) for text in "123")
        await self.store(first, second)

        await self.store(third, records=rooms("r"), mark=first.id)

        recovery = await self.journal.recover()
        self.assertEqual(said(recovery.events), ["2", "3"])
        self.assertEqual(dict(recovery.records), rooms("r"))

    async def test_the_mark_stays_where_it_is_if_nothing_was_applied(self) -> None:
        first, second = say("r", "ann", "1"), say("r", "ann", "2")
        await self.store(first)
        await self.store(second, mark=first.id)

        await self.store(say("r", "ann", "3"))

        recovery = await self.journal.recover()
        self.assertEqual(said(recovery.events), ["2", "3"])

    async def test_records_are_replaced_and_deleted(self) -> None:
        await self.store(login("ann"), records=rooms("a", "b", "c"))

        await self.store(
            login("bob"),
            records={("room", "a", ""): None, ("room", "b", ""): {"name": "B", "topic": None}},
        )

        recovery = await self.journal.recover()
        self.assertEqual(
            dict(recovery.records),
            {("room", "b", ""): {"name": "B", "topic": None}, ("room", "c", ""): {"name": "c"}},
        )

    async def test_a_record_is_known_by_its_whole_key(self) -> None:
        records: dict[RecordKey, Record | None] = {
            ("member", "1", "ann"): {},
            ("member", "1", "bob"): {},
            ("invitation", "1", "ann"): {},
        }
        await self.store(login("ann"), records=records)

        await self.store(login("bob"), records={("member", "1", "ann"): None})

        recovery = await self.journal.recover()
        self.assertEqual(
            {key for key, _ in recovery.records},
            {("member", "1", "bob"), ("invitation", "1", "ann")},
        )

    async def test_it_holds_what_was_stored_and_nothing_else(self) -> None:
        stored, never = say("r", "ann", "1"), say("r", "ann", "2")
        await self.store(stored)

        self.assertTrue(await self.journal.holds(stored))
        self.assertFalse(await self.journal.holds(never))

    async def test_it_can_be_closed_and_opened_again(self) -> None:
        await self.store(say("r", "ann", "before"), records=rooms("r"))

        await self.journal.close()
        await self.journal.open()
        await self.store(say("r", "ann", "after"))

        self.assertEqual(await self.texts("r"), ["before", "after"])

    # Forgetting.

    async def test_nothing_is_forgotten_unless_it_is_asked_for(self) -> None:
        await self.store(*(say("r", "ann", str(number)) for number in range(5)))
        await self.apply_all(rooms("r", "elsewhere"))
        self.clock.advance(1000 * DAY)
        await self.prune()

        self.assertEqual(await self.prune(), 0)
        self.assertEqual(await self.texts("r"), ["0", "1", "2", "3", "4"])

    async def test_what_is_too_old_is_forgotten(self) -> None:
        await self.store(say("r", "ann", "old"))
        self.clock.advance(DAY)
        await self.store(say("r", "ann", "young"))
        await self.apply_all(rooms("r", "elsewhere"))
        self.clock.advance(1)

        await self.prune(seconds=DAY)

        self.assertEqual(await self.texts("r"), ["young"])

    async def test_the_last_messages_of_each_room_and_conversation_are_kept(self) -> None:
        for number in range(5):
            await self.store(
                say("r", "ann", f"r{number}"),
                join("r", "bob"),
                say("s", "ann", f"s{number}"),
                tell("ann", "bob", f"t{number}"),
            )
        await self.store(say("quiet", "ann", "alone"))
        await self.apply_all(rooms("r", "s", "quiet", "elsewhere"))

        await self.prune(messages=2)

        self.assertEqual(await self.texts("r"), ["r3", "r4"])
        self.assertEqual(await self.texts("s"), ["s3", "s4"])
        self.assertEqual(await self.texts("quiet"), ["alone"])
        self.assertEqual(await self.texts("@ann,bob"), ["t3", "t4"])

    async def test_a_deleted_rooms_history_is_forgotten(self) -> None:
        await self.store(say("kept", "ann", "kept"), say("gone", "ann", "gone"))
        await self.apply_all(rooms("kept", "gone", "elsewhere"))
        await self.prune()
        self.assertEqual(await self.texts("gone"), ["gone"])

        await self.apply_all({("room", "gone", ""): None})
        await self.prune()

        self.assertEqual(await self.texts("gone"), [])
        self.assertEqual(await self.texts("kept"), ["kept"])

    async def test_a_conversation_is_forgotten_when_its_guest_is_gone(self) -> None:
        await self.store(
            tell("ann", "bob!7", "to the guest who is here"),
            tell("ann", "bob!3", "to the one before"),
            tell("ann", "cid", "between accounts"),
        )
        await self.apply_all(guest("bob", "7"))

        await self.prune()

        self.assertEqual(await self.texts("@ann,bob!7"), ["to the guest who is here"])
        self.assertEqual(await self.texts("@ann,bob!3"), [])
        self.assertEqual(await self.texts("@ann,cid"), ["between accounts"])

    async def test_an_accounts_visit_does_not_keep_a_guests_conversation(self) -> None:
        await self.store(tell("ann", "bob!7", "to the guest"))

        await self.apply_all(
            {("user", "bob", ""): {"nick": "bob", "account": "bob", "identity": "bob"}}
        )
        await self.prune()

        self.assertEqual(await self.texts("@ann,bob!7"), [])

    async def test_it_is_forgotten_in_slices_the_oldest_first(self) -> None:
        await self.store(*(say("r", "ann", str(number)) for number in range(7)))
        await self.apply_all(rooms("r", "elsewhere"))
        while await self.prune():
            pass  # what has no target is of no interest here
        kept = 1

        first = await self.prune(messages=kept, most=4)
        between = await self.texts("r")
        second = await self.prune(messages=kept, most=4)

        self.assertEqual((first, between), (4, ["4", "5", "6"]))
        self.assertEqual((second, await self.texts("r")), (2, ["6"]))

    async def test_a_slice_is_no_larger_whatever_it_is_made_of(self) -> None:
        await self.store(*(say("old", "ann", "old") for _ in range(3)))
        self.clock.advance(DAY)
        for target in ("gone", "gone too"):
            await self.store(*(say(target, "ann", "gone") for _ in range(3)))
        await self.apply_all(rooms("old", "elsewhere"))

        forgotten = [await self.prune(seconds=DAY / 2, most=4) for _ in range(3)]

        self.assertEqual(forgotten[:2], [4, 4])
        self.assertLess(forgotten[2], 4)
        texts = [await self.texts(target) for target in ("old", "gone", "gone too")]
        self.assertEqual(texts, [[], [], []])

    async def test_what_no_record_holds_yet_is_not_forgotten(self) -> None:
        applied, younger = say("gone", "ann", "applied"), say("gone", "ann", "younger")
        await self.store(applied, younger)
        await self.store(login("ann"), mark=applied.id)
        self.clock.advance(DAY)

        while await self.prune(seconds=1, messages=1):
            pass

        recovery = await self.journal.recover()
        self.assertEqual(said(recovery.events), ["younger", "login"])

    async def test_what_was_forgotten_stays_forgotten_and_the_rest_can_be_recovered(self) -> None:
        await self.store(say("gone", "ann", "gone"), say("r", "ann", "kept"))
        await self.apply_all(rooms("r", "elsewhere"))
        await self.prune()

        await self.reopen()

        self.assertEqual((await self.texts("gone"), await self.texts("r")), ([], ["kept"]))
        recovery = await self.journal.recover()
        self.assertEqual(dict(recovery.records), rooms("r", "elsewhere"))
