"""What every journal must do when it is asked what was said: the part of the contract of `IJournal`
that is about histories, as a suite. A driver joins as it does `journal_suite`.
"""

from __future__ import annotations

from typing import Any

from chatservice.controller.events import (
    SAID,
    DirectMessage,
    DirectTag,
    Event,
    Joined,
    Message,
    TagMessage,
)
from tests.facts import join, login, register, say, tell, topic
from tests.journal_case import DAY, NOW_MS, JournalCase, rooms, said

STRANGE_IDS = (
    *("abc", "-1", "007", " 1", "1 ", "1\n", "+2", "1_0", "1.0", "0x1", "\u0663", "\u00b2"),
    *("1-", "1-1-1", "01-0", "1-00", "9" * 19 + "-0", "0-" + "9" * 19, "-", "+", "$", "(1-1"),
    *("9" * 30, str(1 << 63), str(1 << 64), "x" * 9999, "\x00", "\U0001f600", "' OR 1 --"),
)


class HistorySuite(JournalCase):
    """The contract."""

    # The last messages.

    async def test_history_gives_the_last_messages_oldest_first(self) -> None:
        await self.store(*(say("r", "ann", str(number)) for number in range(10)))

        self.assertEqual(await self.texts("r", limit=3), ["7", "8", "9"])

    async def test_history_gives_all_there_is_if_more_is_asked_for(self) -> None:
        await self.store(say("r", "ann", "1"), say("r", "ann", "2"))

        self.assertEqual(await self.texts("r", limit=50), ["1", "2"])

    async def test_history_of_an_unknown_target_is_empty(self) -> None:
        self.assertEqual(await self.texts("nowhere"), [])

    async def test_history_reads_backwards_from_a_message_page_by_page(self) -> None:
        events = [say("r", "ann", str(number)) for number in range(7)]
        await self.store(*events[:4])
        await self.store(*events[4:])

        newest = await self.journal.history("r", SAID, 3, "")
        older = await self.journal.history("r", SAID, 3, newest[0].id)
        oldest = await self.journal.history("r", SAID, 3, older[0].id)

        self.assertEqual(said([*oldest, *older, *newest]), ["0", "1", "2", "3", "4", "5", "6"])

    async def test_history_shows_the_kinds_that_are_asked_for_in_one_order(self) -> None:
        await self.store(
            say("r", "ann", "1"), join("r", "bob"), say("r", "bob", "2"), join("r", "cid")
        )

        both = await self.journal.history("r", (Message.kind, Joined.kind), 3)
        joins = await self.journal.history("r", (Joined.kind,), 10)

        self.assertEqual(said(both), ["join", "2", "join"])
        self.assertEqual([event.actor for event in joins], ["bob", "cid"])

    async def test_history_of_one_target_does_not_show_anothers(self) -> None:
        await self.store(
            say("1", "ann", "one"),
            say("11", "ann", "eleven"),
            tell("ann", "bob", "to bob"),
            tell("ann", "bobby", "to bobby"),
        )

        self.assertEqual(await self.texts("1"), ["one"])
        self.assertEqual(await self.texts("@ann,bob"), ["to bob"])

    async def test_an_event_comes_back_as_it_was(self) -> None:
        event = tell("ann", "bob!4", "héllo: wörld")
        await self.store(event)

        (found,) = await self.journal.history(event.target, SAID, 1)

        self.assertEqual(found, event)

    async def test_text_of_every_unicode_plane_comes_back_as_it_was(self) -> None:
        planes = "".join(chr(plane * 0x10000 + 0x1234) for plane in range(17))
        edges = "\x01\t\x7f\x85\u2028\ufffe\uffff\U0010ffff e\u0301 \u202e'\"\\;--"
        await self.store(say("r", "ann", planes), say("r", "ann", edges))

        self.assertEqual(await self.texts("r"), [planes, edges])

    async def test_who_did_it_comes_back_with_it(self) -> None:
        events = [login("ann", account=True), register("ann"), say("r", "ann", "hello")]
        for event in events:
            event.account, event.host = "Ann", "k3ykda.ip"

        await self.store(*events)

        self.assertEqual([*(await self.journal.recover()).events][:2], events[:2])
        (found,) = await self.journal.history("r", SAID, 1)
        self.assertEqual((found.account, found.host), ("Ann", "k3ykda.ip"))

    async def test_notices_and_tags_come_back_as_they_were(self) -> None:
        spoken = [say("r", "ann", str(number)) for number in range(4)]
        spoken[1].notice = True
        spoken[2].tags = {"+draft/reply": "7", "+x": "a;b=c é"}
        spoken[3].notice, spoken[3].tags = True, {}
        told = tell("ann", "bob", "psst")
        told.notice, told.tags = True, {"+typing": "done"}
        tag = TagMessage(target="r", room="Room", actor="ann", tags={"+typing": "active"})
        await self.store(*spoken, told, tag)

        found = await self.journal.history("r", (Message.kind,), 4)
        direct = await self.journal.history(told.target, (DirectMessage.kind,), 1)
        tags = await self.journal.history("r", (TagMessage.kind,), 1)

        self.assertEqual([_aside(event) for event in found], [_aside(event) for event in spoken])
        self.assertEqual((direct, tags), ([told], [tag]))

    # History between points.

    async def test_history_reads_forwards_from_a_message_page_by_page(self) -> None:
        events = [say("r", "ann", str(number)) for number in range(7)]
        await self.store(*events[:4])
        await self.store(*events[4:])

        first = await self.journal.history("r", SAID, 3, oldest=True)
        second = await self.journal.history("r", SAID, 3, after=first[-1].id, oldest=True)
        third = await self.journal.history("r", SAID, 3, after=second[-1].id, oldest=True)

        self.assertEqual(
            [said(page) for page in (first, second, third)],
            [["0", "1", "2"], ["3", "4", "5"], ["6"]],
        )

    async def test_history_between_two_messages_includes_neither(self) -> None:
        events = [say("r", "ann", str(number)) for number in range(7)]
        await self.store(*events)
        bounds: dict[str, Any] = {"after": events[1].id, "before": events[5].id}

        self.assertEqual(await self.texts("r", **bounds), ["2", "3", "4"])
        self.assertEqual(await self.texts("r", 2, **bounds), ["3", "4"])
        self.assertEqual(await self.texts("r", 2, **bounds, oldest=True), ["2", "3"])

    async def test_there_is_nothing_between_points_in_the_wrong_order(self) -> None:
        events = [say("r", "ann", str(number)) for number in range(3)]
        await self.store_each_second(*events)

        self.assertEqual(await self.texts("r", before=events[0].id, after=events[2].id), [])
        self.assertEqual(await self.texts("r", before=NOW_MS + 1500, after=NOW_MS + 2500), [])
        self.assertEqual(await self.texts("r", before=events[1].id, after=events[1].id), [])

    async def test_a_message_elsewhere_is_a_point_too(self) -> None:
        elsewhere = say("s", "ann", "elsewhere")
        await self.store(say("r", "ann", "1"), elsewhere, say("r", "ann", "2"))

        self.assertEqual(await self.texts("r", before=elsewhere.id), ["1"])
        self.assertEqual(await self.texts("r", after=elsewhere.id), ["2"])

    async def test_a_forgotten_message_is_a_point_still(self) -> None:
        gone = say("gone", "ann", "gone")
        await self.store(say("r", "ann", "1"), gone, say("r", "ann", "2"))
        await self.apply_all(rooms("r"))
        while await self.prune():
            pass

        self.assertEqual(await self.texts("r", before=gone.id), ["1"])
        self.assertEqual(await self.texts("r", after=gone.id), ["2"])

    async def test_history_before_a_moment_and_after_one(self) -> None:
        await self.store_each_second(*(say("r", "ann", str(number)) for number in range(1, 6)))

        self.assertEqual(await self.texts("r", before=NOW_MS + 3000), ["1", "2"])
        self.assertEqual(await self.texts("r", before=NOW_MS + 3001), ["1", "2", "3"])
        self.assertEqual(await self.texts("r", after=NOW_MS + 3000), ["4", "5"])
        self.assertEqual(await self.texts("r", after=NOW_MS + 2999), ["3", "4", "5"])
        self.assertEqual(await self.texts("r", 1, after=NOW_MS + 1000, oldest=True), ["2"])
        self.assertEqual(
            await self.texts("r", before=NOW_MS + 5000, after=NOW_MS + 1000), ["2", "3", "4"]
        )

    async def test_a_moment_and_a_message_bound_a_history_together(self) -> None:
        events = [say("r", "ann", str(number)) for number in range(1, 6)]
        await self.store_each_second(*events)

        earlier = await self.texts("r", before=events[3].id, after=NOW_MS + 1500)
        later = await self.texts("r", before=NOW_MS + 4500, after=events[1].id)

        self.assertEqual((earlier, later), (["2", "3"], ["3", "4"]))

    async def test_all_of_one_moment_is_on_one_side_of_it(self) -> None:
        await self.store_each_second(say("r", "ann", "before"))
        self.clock.advance(1)
        await self.store(*(say("r", "ann", str(number)) for number in range(100)))
        await self.store(*(say("r", "ann", str(number)) for number in range(100)))
        await self.store_each_second(say("r", "ann", "after"))

        self.assertEqual(await self.texts("r", before=NOW_MS + 2000), ["before"])
        self.assertEqual(await self.texts("r", after=NOW_MS + 2000), ["after"])
        between = await self.texts("r", after=NOW_MS + 1999, before=NOW_MS + 2001)
        self.assertEqual(len(between), 200)

    async def test_every_moment_splits_a_history_where_it_should_whatever_is_forgotten(
        self,
    ) -> None:
        for number in range(1, 30):
            target = "gone" if number % 3 else "r"
            await self.store_each_second(say(target, "ann", str(number)))
        await self.apply_all(rooms("r"))
        while await self.prune():
            pass
        numbers = list(range(3, 30, 3))

        for second in range(33):
            moment = NOW_MS + second * 1000
            earlier = await self.texts("r", before=moment)
            later = await self.texts("r", after=moment)
            self.assertEqual(earlier, [str(each) for each in numbers if each < second])
            self.assertEqual(later, [str(each) for each in numbers if each > second])

    async def test_moments_before_and_after_everything(self) -> None:
        await self.store(say("r", "ann", "1"))

        for early in (0, -1, -(1 << 70), 1):
            self.assertEqual(await self.texts("r", before=early), [])
            self.assertEqual(await self.texts("r", after=early), ["1"])
        for late in (1 << 61, 1 << 62, 1 << 63, 1 << 70):
            self.assertEqual(await self.texts("r", before=late), ["1"])
            self.assertEqual(await self.texts("r", after=late), [])

    async def test_moments_of_an_empty_journal(self) -> None:
        self.assertEqual(await self.texts("r", before=NOW_MS, after=0), [])

    async def test_history_between_points_of_several_kinds_is_in_one_order(self) -> None:
        events = [say("r", "ann", "1"), join("r", "bob"), say("r", "bob", "2"), join("r", "cid")]
        await self.store(*events, say("r", "cid", "3"))
        kinds = (Message.kind, Joined.kind)

        after = await self.journal.history("r", kinds, 3, after=events[0].id, oldest=True)
        before = await self.journal.history("r", kinds, 2, before=events[3].id)

        self.assertEqual(said(after), ["join", "2", "join"])
        self.assertEqual(said(before), ["join", "2"])

    async def test_an_id_that_cannot_be_one_of_this_journals_finds_nothing(self) -> None:
        await self.store(say("r", "ann", "1"), say("r", "ann", "2"))

        for id in STRANGE_IDS:
            for oldest in (False, True):
                self.assertEqual(await self.texts("r", before=id, oldest=oldest), [], id)
                self.assertEqual(await self.texts("r", after=id, oldest=oldest), [], id)
        self.assertEqual(await self.texts("r", before="abc", after=0), [])

    async def test_no_more_is_given_than_was_asked_for(self) -> None:
        await self.store(say("r", "ann", "1"), say("r", "ann", "2"))

        self.assertEqual(await self.texts("r", 0), [])
        self.assertEqual(await self.texts("r", 1, oldest=True), ["1"])

    # What was said last.

    async def test_when_something_was_said_last_the_oldest_first(self) -> None:
        await self.store_each_second(
            say("r", "ann", "1"), say("s", "ann", "2"), say("r", "ann", "3"), say("t", "ann", "4")
        )

        self.assertEqual(await self.latest("r", "s", "t"), [("s", 2), ("r", 3), ("t", 4)])
        self.assertEqual(await self.latest("t", "t"), [("t", 4)])

    async def test_nothing_was_said_last_where_nothing_was_said(self) -> None:
        tag = TagMessage(target="t", actor="ann", tags={"+typing": "active"})
        await self.store_each_second(join("r", "ann"), topic("r", "ann", "tea"), tag)

        self.assertEqual(await self.latest("r", "t", "nowhere"), [])
        self.assertEqual(await self.latest(), [])

    async def test_what_was_done_later_does_not_count_as_said(self) -> None:
        direct = DirectTag(target="@ann,bob", actor="ann", tags={"+typing": "active"})
        await self.store_each_second(
            say("r", "ann", "1"), tell("ann", "bob", "2"), join("r", "bob"), direct
        )

        self.assertEqual(await self.latest("r", identity="bob"), [("r", 1), ("@ann,bob", 2)])

    async def test_only_what_was_said_last_between_two_moments(self) -> None:
        await self.store_each_second(
            *(say(target, "ann", "hello") for target in ("a", "b", "c", "d", "a"))
        )
        targets = ("a", "b", "c", "d")

        # `a` was spoken in within the bounds, and then again after them.
        self.assertEqual(
            await self.latest(*targets, after=NOW_MS, before=NOW_MS + 4001),
            [("b", 2), ("c", 3), ("d", 4)],
        )
        self.assertEqual(
            await self.latest(*targets, after=NOW_MS + 2000, before=NOW_MS + 4000), [("c", 3)]
        )
        self.assertEqual(await self.latest(*targets, after=NOW_MS + 5000), [])

    async def test_bounds_may_be_any_numbers(self) -> None:
        await self.store(say("r", "ann", "1"))

        self.assertEqual(await self.latest("r", after=-(1 << 70), before=1 << 70), [("r", 0)])
        self.assertEqual(await self.latest("r", after=1 << 70, before=-(1 << 70)), [])

    async def test_the_oldest_few_of_what_was_said_last(self) -> None:
        targets = [str(number) for number in range(9)]
        await self.store_each_second(*(say(target, "ann", "hello") for target in targets))

        found = await self.latest(*targets, after=NOW_MS + 3000, limit=2)

        self.assertEqual(found, [("3", 4), ("4", 5)])

    async def test_conversations_are_found_by_whom_they_are_with(self) -> None:
        await self.store_each_second(
            tell("ann", "bob", "1"),
            tell("cid", "ann", "2"),
            tell("bob", "cid", "3"),
            tell("bob", "ann", "4"),
            tell("ann!7", "bob", "5"),
            tell("dan", "dan", "6"),
        )

        self.assertEqual(await self.latest(identity="ann"), [("@ann,cid", 2), ("@ann,bob", 4)])
        self.assertEqual(await self.latest(identity="ann!7"), [("@ann!7,bob", 5)])
        self.assertEqual(await self.latest(identity="dan"), [("@dan,dan", 6)])
        self.assertEqual(
            await self.latest(identity="bob"), [("@bob,cid", 3), ("@ann,bob", 4), ("@ann!7,bob", 5)]
        )
        for nobody in ("", "an", "ann!", "ann,bob", "@ann"):
            self.assertEqual(await self.latest(identity=nobody), [])

    async def test_rooms_and_conversations_are_in_one_order(self) -> None:
        await self.store_each_second(say("r", "ann", "1"), tell("ann", "bob", "2"))
        await self.store_each_second(say("s", "ann", "3"))

        found = await self.latest("r", "s", "@ann,bob", identity="ann")

        self.assertEqual(found, [("r", 1), ("@ann,bob", 2), ("s", 3)])

    async def test_conversations_are_found_after_a_restart(self) -> None:
        await self.store_each_second(tell("ann", "bob", "1"))

        await self.reopen()

        self.assertEqual(await self.latest(identity="bob"), [("@ann,bob", 1)])

    async def test_a_forgotten_conversation_is_not_found_until_it_goes_on(self) -> None:
        await self.store_each_second(tell("ann", "bob!7", "1"), tell("ann", "cid", "2"))
        await self.apply_all()
        self.clock.advance(DAY)
        while await self.prune(seconds=1):
            pass
        self.assertEqual(await self.latest(identity="ann"), [])

        await self.store(tell("ann", "cid", "again"))

        self.assertEqual(await self.latest(identity="ann"), [("@ann,cid", 2 + int(DAY))])


def _aside(event: Event) -> tuple[object, ...]:
    """What is kept of a message."""
    assert isinstance(event, Message)
    return event.id, event.text, event.notice, event.tags
