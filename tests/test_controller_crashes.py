"""Crashes of the controller: nothing is lost, doubled or left unanswered."""

from __future__ import annotations

from collections.abc import Sequence

from chatservice.controller.errors import (
    NotInRoom,
    RoomExists,
)
from chatservice.controller.events import Event, LoggedOut, Message
from chatservice.controller.state import State
from tests.controller_case import CrashCase
from tests.test_state import all_records


class ControllerCrashTests(CrashCase):
    def test_everything_is_as_it_was(self) -> None:
        before = all_records(self.state)
        old = self.state
        self.break_apply()

        self.ann.session.say("den", "hello")
        self.turn()

        self.restarted()
        self.assertIsNot(self.state, old)
        self.assertEqual(all_records(self.state), before)

    def test_what_was_stored_is_told_once_and_its_author_hears_so(self) -> None:
        self.break_apply(text="2")

        self.ann.session.say("den", "1")
        self.bob.session.say("den", "2")
        self.cid.session.say("hall", "3")
        self.turn()

        self.restarted()
        self.assertEqual(self.ann.heard(), ["ann: 1", "bob: 2"])
        self.assertEqual(self.bob.heard(), ["ann: 1", "bob: 2", "cid: 3"])
        answers = [client.answers for client in (self.ann, self.bob, self.cid)]
        self.assertEqual(answers, [["1: OK"], ["2: OK"], ["3: OK"]])

    def test_clients_go_on(self) -> None:
        self.break_apply()
        self.ann.session.say("den", "crash")
        self.turn()
        self.hush()

        self.cid.session.say("hall", "hello")
        self.ask(self.cid.session.join("den"))
        self.ask(self.ann.session.set_topic("den", "coffee"))
        self.ask(self.bob.session.delete_room("hall"))

        self.restarted()
        self.assertEqual(self.bob.heard(), ["cid: hello", "cid join", "ann topic", "bob delete"])

    def test_what_was_asked_in_the_crashed_batch_is_answered(self) -> None:
        self.break_apply()
        self.ann.session.say("den", "crash")
        made = self.asked(self.cid.session.create_room("attic"))
        late = self.asked(self.bob.session.create_room("attic"))
        joined = self.asked(self.cid.session.join("den"))
        newcomer = self.connect()
        logged_in = self.asked(newcomer.session.log_in("dan"))
        self.turn()

        self.restarted()
        self.successResultOf(made)
        self.failureResultOf(late, RoomExists)
        self.successResultOf(joined)
        self.successResultOf(logged_in)
        self.assertEqual(self.state.rooms["attic"].owner, self.cid.session.user.identity)
        self.assertEqual(newcomer.session.user.nick, "dan")

    def test_who_came_in_the_crashed_batch_hears_what_is_said_then(self) -> None:
        self.break_apply()
        self.ann.session.say("den", "crash")
        joined = self.asked(self.cid.session.join("den"))
        self.turn()
        self.successResultOf(joined)
        self.hush()

        self.ann.session.say("den", "welcome")
        self.turn()

        self.restarted()
        self.assertEqual(self.cid.heard(), ["ann: welcome"])

    def test_the_crashed_batch_is_told_to_those_who_were_there(self) -> None:
        self.break_apply()
        self.ann.session.say("den", "before")
        self.asked(self.ann.session.kick("den", "bob"))
        self.asked(self.bob.session.delete_room("hall"))
        self.turn()

        self.restarted()
        self.assertEqual(self.bob.heard(), ["ann: before", "bob kick", "bob delete"])
        self.assertEqual(self.cid.heard(), ["bob delete"])
        self.ann.session.say("den", "after")
        self.turn()
        self.assertEqual(self.bob.heard(), [])

    def test_what_is_said_while_it_is_down_is_stored_after_that(self) -> None:
        self.break_apply()
        self.ann.session.say("den", "crash")
        self.clock.callLater(0, self.bob.session.say, "den", "meanwhile")
        self.turn()
        self.turn()

        self.restarted()
        self.assertEqual(self.ann.heard(), ["ann: crash", "bob: meanwhile"])
        self.assertEqual(self.bob.answers, ["meanwhile: OK"])

    def test_who_closes_while_it_is_down_is_gone_after_that(self) -> None:
        self.break_apply()
        self.ann.session.say("den", "crash")
        self.clock.callLater(0, self.bob.session.close, "gone")
        self.turn()
        self.turn()

        self.restarted()
        self.assertNotIn("bob", self.state.users)
        self.assertEqual(self.ann.heard(), ["ann: crash", "bob leave"])

    def test_an_event_that_came_too_late_is_not_told_by_the_restart(self) -> None:
        self.break_apply()
        self.ann.session.say("den", "crash")
        self.asked(self.ann.session.kick("den", "bob"))
        left = self.asked(self.bob.session.leave("den"))
        self.turn()

        self.restarted()
        self.failureResultOf(left, NotInRoom)
        self.assertEqual(self.ann.heard(), ["ann: crash", "bob kick"])

    def test_the_history_is_whole(self) -> None:
        self.break_apply()
        for text in ("1", "2"):
            self.ann.session.say("den", text)
        self.turn()
        self.ann.session.say("den", "3")
        self.turn()

        _, events = self.ask(self.bob.session.history("den", 10))

        self.restarted()
        self.assertEqual([event.text for event in events], ["1", "2", "3"])

    def test_another_process_finds_the_same(self) -> None:
        self.break_apply(on=Message)
        self.ann.session.say("den", "crash")
        self.asked(self.ann.session.set_topic("den", "coffee"))
        self.turn()
        self.restarted()
        self.successResultOf(self.root.stopService())

        self.start(waiting=1000)

        self.assertEqual(list(self.state.rooms), ["den"])
        assert self.state.rooms["den"].topic is not None
        self.assertEqual(self.state.rooms["den"].topic.text, "coffee")
        self.assertEqual((list(self.state.accounts), self.state.users), (["ann"], {}))

    def test_a_crash_between_a_login_and_its_answer_loses_nobody(self) -> None:
        self.break_apply()
        newcomer = self.connect()
        logged_in = self.asked(newcomer.session.log_in("dan"))
        self.ann.session.say("den", "crash")
        self.turn()

        self.restarted()
        self.successResultOf(logged_in)
        self.ask(newcomer.session.join("hall"))
        self.bob.session.say("hall", "welcome")
        self.turn()
        self.assertEqual(newcomer.heard(), ["dan join", "bob: welcome"])

    def test_a_crash_while_somebody_leaves_frees_the_nick(self) -> None:
        self.break_apply(on=LoggedOut)
        self.bob.session.close("gone")
        self.turn()

        self.restarted()
        self.assertNotIn("bob", self.state.users)
        self.log_in("bob")

    def test_nothing_is_kept_of_a_state_that_is_half_changed(self) -> None:
        whole = State.apply
        broken = [False]

        def apply(state: State, event: Event) -> None:
            if isinstance(event, Message) and not broken[0]:
                broken[0] = True
                self.bob.session.say("den", "meanwhile")
                den = state.rooms["den"]
                den.topic = None
                state.dirty.add(("room", den.id, ""))
                raise ZeroDivisionError("a defect")
            whole(state, event)

        self.patch(State, "apply", apply)
        before = all_records(self.state)

        self.ann.session.say("den", "crash")
        self.turn()
        self.ann.session.say("den", "after")
        self.turn()

        self.restarted()
        self.assertEqual(all_records(self.state), before)
        self.assertEqual(self.bob.heard(), ["ann: crash", "bob: meanwhile", "ann: after"])

    def test_two_crashes_in_a_short_time_are_too_much(self) -> None:
        for text in ("1", "2"):
            self.break_apply()
            self.ann.session.say("den", text)
            self.turn()

        self.assertEqual(len(self.gave_up), 1)
        self.assertTrue(self.gave_up[0].check(ZeroDivisionError))
        self.flushLoggedErrors(ZeroDivisionError)

    def test_two_in_a_long_time_are_not(self) -> None:
        for text in ("1", "2"):
            self.break_apply()
            self.ann.session.say("den", text)
            self.turn()
            self.clock.advance(6)

        self.restarted(times=2)
        self.assertEqual(self.bob.heard(), ["ann: 1", "ann: 2"])


class DeliveryCrashTests(CrashCase):
    """What is being told when the telling breaks may be told to some and not to others; what comes
    after it is told."""

    def test_everybody_who_spoke_is_answered(self) -> None:
        self.break_deliver()
        self.ann.session.say("den", "1")
        self.bob.session.say("den", "2")
        made = self.asked(self.cid.session.create_room("attic"))
        self.turn()

        self.restarted()
        self.assertEqual((self.ann.answers, self.bob.answers), (["1: OK"], ["2: OK"]))
        self.successResultOf(made)

    def test_what_comes_after_it_in_the_batch_is_told_to_those_who_were_there(self) -> None:
        self.break_deliver()
        self.ann.session.say("den", "broken")
        self.asked(self.ann.session.set_topic("den", "coffee"))
        self.bob.session.say("den", "after")
        self.asked(self.bob.session.delete_room("hall"))
        self.turn()

        self.restarted()
        self.assertEqual(self.ann.heard(), ["ann topic", "bob: after"])
        self.assertEqual(self.cid.heard(), ["bob delete"])

    def test_nothing_that_was_told_is_told_again(self) -> None:
        whole = self.delivery.deliver

        def deliver(events: Sequence[Event]) -> None:
            whole(events)
            if getattr(events[-1], "text", "") == "1":
                raise ZeroDivisionError("a defect, after everybody was told")

        self.patch(self.delivery, "deliver", deliver)
        self.ann.session.say("den", "1")
        self.asked(self.ann.session.set_topic("den", "coffee"))
        self.turn()

        self.restarted()
        self.assertEqual(self.bob.heard(), ["ann: 1", "ann topic"])

    def test_clients_go_on(self) -> None:
        self.break_deliver()
        self.ann.session.say("den", "broken")
        self.turn()

        self.bob.session.say("hall", "hello")
        self.ask(self.cid.session.join("den"))
        self.ann.session.say("den", "welcome")
        self.turn()

        self.restarted()
        self.assertEqual(self.cid.heard(), ["bob: hello", "cid join", "ann: welcome"])

    def test_who_joined_when_it_broke_is_a_member(self) -> None:
        self.break_deliver()
        joined = self.asked(self.cid.session.join("den"))
        self.turn()
        self.successResultOf(joined)

        self.ann.session.say("den", "welcome")
        self.turn()

        self.restarted()
        self.assertEqual(self.cid.heard(), ["ann: welcome"])

    def test_the_batch_that_was_being_stored_then_is_told_and_answered_once(self) -> None:
        self.break_deliver()
        self.shelf.slow = True
        self.ann.session.say("den", "broken")
        self.turn()
        self.bob.session.say("den", "under way")
        self.shelf.store()
        self.cid.session.say("hall", "waiting")
        self.turn()
        self.assertEqual((self.bob.answers, self.cid.answers), ([], []))

        self.shelf.store()
        self.turn()
        self.shelf.store()

        self.restarted()
        self.assertEqual(self.ann.heard(), ["bob: under way"])
        self.assertEqual(self.bob.heard(), ["bob: under way", "cid: waiting"])
        answers = [client.answers for client in (self.ann, self.bob, self.cid)]
        self.assertEqual(answers, [["broken: OK"], ["under way: OK"], ["waiting: OK"]])

    def test_a_telling_that_breaks_again_while_it_catches_up_is_left_out(self) -> None:
        whole = self.delivery.deliver

        def deliver(events: Sequence[Event]) -> None:
            if getattr(events[0], "text", "") in ("broken", "broken too"):
                raise ZeroDivisionError("a defect")
            whole(events)

        self.patch(self.delivery, "deliver", deliver)
        self.ann.session.say("den", "broken")
        self.asked(self.ann.session.set_topic("den", "coffee"))
        self.ann.session.say("den", "broken too")
        self.asked(self.ann.session.delete_room("den"))
        self.turn()

        self.assertEqual(self.root.restarts["controller"], 1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
        self.assertEqual(self.bob.heard(), ["ann topic", "ann delete"])
        self.assertEqual(self.ann.answers, ["broken: OK", "broken too: OK"])
