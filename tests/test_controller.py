"""The controller with its journal, its delivery and its sessions, without sockets: what is asked at
once, what comes too late, and what a crash leaves as it was. A turn of the clock is one batch.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller import requests
from chatservice.controller.controller import Controller
from chatservice.controller.desk import Desk
from chatservice.controller.errors import (
    AlreadyLoggedIn,
    ChatError,
    NickInUse,
    NoSuchRoom,
    NotInRoom,
    NotLoggedIn,
    RoomExists,
    Unavailable,
)
from chatservice.controller.events import DirectMessage, Event, LoggedOut, Message
from chatservice.controller.policy import Policy
from chatservice.controller.rate import Allowance
from chatservice.controller.records import Record
from chatservice.controller.session import Session
from chatservice.controller.state import RecordKey, State
from chatservice.delivery import Delivery
from chatservice.journal.commit import GroupCommit
from chatservice.journal.interface import IJournal, NotStored
from chatservice.journal.memory import MemoryJournal
from chatservice.supervision import Supervisor
from tests.test_state import all_records


class Doors:
    """Everybody's password is `sesame`, whether they are registered or not."""

    async def authenticate(self, nick: str, password: str, address: str) -> object:
        assert password == "sesame"
        return None

    def hash(self, password: str) -> Deferred[str]:
        return succeed(f"hash of {password}")


class Plain:
    """The variant of all clients here."""

    echo = True

    def encode(self, event: Event) -> bytes:
        if isinstance(event, (Message, DirectMessage)):
            return f"{event.nick}: {event.text}\n".encode()
        who = getattr(event, "victim_nick", "") or event.nick
        return f"{who} {event.kind}\n".encode()


PLAIN = Plain()


class Client:
    """
    A connection, reduced to what it is told.

    @ivar session: what it may ask.
    """

    def __init__(self, desk: Desk) -> None:
        self.heard_bytes = bytearray()
        self.answers: list[str] = []
        self.closed = ""
        self.session = Session(desk, "127.0.0.1", self, PLAIN)

    def write(self, payload: bytes) -> None:
        self.heard_bytes += payload

    def acknowledge(self, event: Event, error: ChatError | None) -> None:
        self.answers.append(f"{cast(Message, event).text}: {error.code if error else 'OK'}")

    def close(self, reason: str) -> None:
        self.closed = reason

    def crashed(self, reason: Failure) -> None:
        self.closed = "crashed"

    def heard(self) -> list[str]:
        """What it was told since the last call."""
        lines = self.heard_bytes.decode().splitlines()
        self.heard_bytes.clear()
        return lines


class Shelf(MemoryJournal):
    """
    A journal whose disk can be full, or slow.

    @ivar full: nothing can be stored.
    @ivar slow: what is stored takes until `store`.
    """

    full = slow = False
    _under_way: Deferred[None] | None = None

    def commit(
        self, events: Sequence[Event], records: Mapping[RecordKey, Record | None], mark: str
    ) -> Deferred[None]:
        if self.full:
            refused: Deferred[None] = Deferred()
            refused.errback(NotStored("the shelf is full"))
            return refused
        stored = super().commit(events, records, mark)
        if not self.slow:
            return stored
        assert self._under_way is None, "one batch at a time"
        self._under_way = Deferred()
        return self._under_way

    def store(self) -> None:
        """What is under way is stored."""
        assert self._under_way is not None, "nothing is being stored"
        over, self._under_way = self._under_way, None
        over.callback(None)


class ControllerCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.rightNow = 1_800_000_000.0
        self.shelf = Shelf(self.clock)
        self.gave_up: list[Failure] = []
        self.start(waiting=1000)

    def start(self, waiting: int) -> None:
        """Starts a service on whatever the shelf holds."""
        self.delivery = Delivery(lambda: None)
        self.journal = GroupCommit(self.clock, cast(IJournal, self.shelf), waiting)
        self.controller = Controller(self.journal, self.delivery, Policy())
        self.root = Supervisor(self.clock, intensity=1, on_give_up=self.gave_up.append)
        self.root.supervise(self.journal, name="journal")
        self.root.supervise(self.controller, name="controller")
        self.desk = Desk(
            clock=self.clock,
            controller=self.controller,
            presence=self.delivery,
            authenticator=Doors(),
            hasher=Doors(),
            registrations=Allowance(0, 0),
        )
        started = self.root.startService()
        self.turn()
        self.successResultOf(started)

    def turn(self) -> None:
        """What was asked for until now is stored, made true, told and answered."""
        self.clock.advance(0)

    def asked(self, request: Coroutine[Any, Any, Any]) -> Deferred[Any]:
        """A request that is under way."""
        return Deferred.fromCoroutine(request)

    def ask(self, request: Coroutine[Any, Any, Any]) -> Any:
        """A request, and its result."""
        asked = self.asked(request)
        self.turn()
        return self.successResultOf(asked)

    def connect(self) -> Client:
        return Client(self.desk)

    def log_in(self, nick: str, *rooms: str, password: str | None = None) -> Client:
        """Somebody who is logged in, and in rooms."""
        client = self.connect()
        self.ask(client.session.log_in(nick, password))
        for room in rooms:
            self.ask(client.session.join(room))
        client.heard()
        return client

    @property
    def state(self) -> State:
        return self.controller.state


class SubmittingTests(ControllerCase):
    def test_a_nick_that_two_ask_for_at_once_is_the_firsts(self) -> None:
        first, second = self.connect(), self.connect()
        one = self.asked(first.session.log_in("ann"))
        other = self.asked(second.session.log_in("Ann"))

        self.turn()

        self.assertEqual(self.successResultOf(one).nick, "ann")
        self.failureResultOf(other, NickInUse)
        self.assertRaises(NotLoggedIn, lambda: second.session.user)

    def test_a_room_that_two_make_at_once_is_the_firsts(self) -> None:
        ann, bob = self.log_in("ann"), self.log_in("bob")
        one = self.asked(ann.session.create_room("den"))
        other = self.asked(bob.session.create_room("den"))

        self.turn()

        self.successResultOf(one)
        self.failureResultOf(other, RoomExists)
        self.assertEqual(self.state.rooms["den"].owner, ann.session.user.identity)

    def test_one_logs_in_once(self) -> None:
        ann = self.log_in("ann")

        self.failureResultOf(self.asked(ann.session.log_in("bob")), AlreadyLoggedIn)

    def test_events_that_belong_together_are_taken_all_or_none(self) -> None:
        self.successResultOf(self.root.stopService())
        self.start(waiting=1)
        ann = self.connect()

        # A stranger with a password is an outside checker's: the login and the account are two.
        refused = self.asked(ann.session.log_in("ann", "sesame"))
        self.turn()

        self.failureResultOf(refused, Unavailable)
        self.assertEqual((self.state.users, self.state.accounts), ({}, {}))
        self.assertRaises(NotLoggedIn, lambda: ann.session.user)

    def test_a_full_disk_is_told_to_who_asked_and_nothing_has_changed(self) -> None:
        ann = self.log_in("ann")
        self.ask(ann.session.create_room("den"))
        self.ask(ann.session.join("den"))
        before = all_records(self.state)
        ann.heard()
        self.shelf.full = True

        made = self.asked(ann.session.create_room("hall"))
        ann.session.say("den", "hello")
        self.turn()

        self.failureResultOf(made, Unavailable)
        self.assertEqual((ann.answers, ann.heard()), (["hello: UNAVAILABLE"], []))
        self.assertEqual(all_records(self.state), before)

    def test_what_is_said_is_acknowledged_after_it_is_told(self) -> None:
        ann = self.log_in("ann")
        self.ask(ann.session.create_room("den"))
        self.ask(ann.session.join("den"))
        told: list[str] = []
        self.patch(ann, "acknowledge", lambda event, error: told.extend(ann.heard()))
        ann.heard()

        ann.session.say("den", "hello")
        self.turn()

        self.assertEqual(told, ["ann: hello"])

    def test_a_client_that_breaks_at_its_acknowledgement_harms_nobody(self) -> None:
        ann = self.log_in("ann")
        self.ask(ann.session.create_room("den"))
        self.ask(ann.session.join("den"))
        bob = self.log_in("bob", "den")
        self.patch(ann, "acknowledge", lambda event, error: 1 / 0)

        ann.session.say("den", "1")
        bob.session.say("den", "2")
        self.turn()

        self.assertEqual((ann.closed, bob.closed), ("crashed", ""))
        self.assertEqual((bob.heard(), bob.answers), (["ann: 1", "bob: 2"], ["2: OK"]))
        self.assertEqual(self.root.restarts["controller"], 0)


class LeavingTests(ControllerCase):
    """Logging out and closing, whatever happens to one's rooms meanwhile."""

    def setUp(self) -> None:
        super().setUp()
        self.owner = self.log_in("owner")
        for room in ("den", "hall"):
            self.ask(self.owner.session.create_room(room))
        self.ann = self.log_in("ann", "den", "hall")
        self.bob = self.log_in("bob", "den", "hall")

    def test_who_closes_leaves_every_room_and_the_nick_is_free(self) -> None:
        self.ann.session.close("gone")
        self.turn()

        self.assertEqual(self.bob.heard(), ["ann leave", "ann leave"])
        self.assertNotIn("ann", self.state.users)
        self.log_in("ann")

    def test_who_logs_out_can_log_in_again(self) -> None:
        self.ask(self.ann.session.log_out())

        self.ask(self.ann.session.log_in("anna"))

        self.assertEqual(self.ann.session.user.nick, "anna")

    def test_a_room_that_is_deleted_meanwhile_does_not_hold_anybody(self) -> None:
        deleted = self.asked(self.owner.session.delete_room("den"))
        out = self.asked(self.ann.session.log_out())
        self.turn()

        self.successResultOf(deleted)
        self.successResultOf(out)
        self.assertNotIn("ann", self.state.users)
        self.ask(self.ann.session.log_in("ann"))

    def test_nor_does_one_that_one_is_put_out_of(self) -> None:
        self.asked(self.owner.session.kick("den", "ann"))
        out = self.asked(self.ann.session.log_out())
        self.turn()

        self.successResultOf(out)
        self.assertEqual(self.bob.heard(), ["ann kick", "ann leave"])

    def test_who_is_brought_into_a_room_meanwhile_is_seen_to_leave_it_too(self) -> None:
        self.ask(self.ann.session.leave("hall"))
        self.bob.heard()
        brought = self.asked(self.owner.session.bring_in("hall", "ann"))
        out = self.asked(self.ann.session.log_out())
        self.turn()
        self.turn()

        self.successResultOf(brought)
        self.successResultOf(out)
        self.assertEqual(self.bob.heard(), ["ann join", "ann leave", "ann leave"])
        self.assertEqual(list(self.state.rooms["hall"].members), ["bob"])
        self.ann.heard()
        self.bob.session.say("hall", "who is there")
        self.turn()
        self.assertEqual(self.ann.heard(), [])

    def test_whose_connection_closes_is_seen_to_leave_it_too(self) -> None:
        self.ask(self.ann.session.leave("hall"))
        self.bob.heard()
        self.asked(self.owner.session.bring_in("hall", "ann"))
        self.ann.session.close("gone")
        self.turn()
        self.turn()

        self.assertEqual(self.bob.heard(), ["ann join", "ann leave", "ann leave"])
        self.assertNotIn("ann", self.state.users)

    def test_a_full_disk_leaves_no_ghost(self) -> None:
        self.shelf.full = True
        self.ann.session.close("gone")
        self.turn()
        self.assertIn("ann", self.state.users)
        self.assertEqual(self.bob.heard(), [])

        self.clock.advance(10)
        self.shelf.full = False
        self.clock.advance(1)
        self.turn()

        self.assertEqual(self.bob.heard(), ["ann leave", "ann leave"])
        self.assertNotIn("ann", self.state.users)

    def test_who_closes_twice_does_not_log_out_the_next_of_that_nick(self) -> None:
        self.ann.session.close("gone")
        self.turn()
        next_ann = self.log_in("ann", "den")

        self.ann.session.close("gone")
        self.turn()

        self.assertEqual(next_ann.session.user.nick, "ann")
        self.assertIn("ann", self.state.rooms["den"].members)

    def test_who_is_not_known_any_more_does_not_act_as_the_next_of_that_nick(self) -> None:
        # As after a defect: nobody has told the session.
        left, last = requests.log_out(self.ann.session.user, "gone")[::2]
        self.asked(self.owner.session.kick("hall", "ann"))
        self.controller.submit(left, last)
        self.turn()
        next_ann = self.log_in("ann", "den")

        self.assertRaises(NotLoggedIn, lambda: self.ann.session.user)
        self.ann.session.close("gone")
        self.turn()

        self.assertIn("ann", self.state.rooms["den"].members)
        self.assertEqual(next_ann.session.user.nick, "ann")

    def test_a_full_disk_refuses_to_log_out_and_one_is_still_there(self) -> None:
        self.shelf.full = True
        out = self.asked(self.ann.session.log_out())
        self.turn()

        self.failureResultOf(out, Unavailable)
        self.assertEqual(self.ann.session.user.nick, "ann")
        self.shelf.full = False
        self.ask(self.ann.session.log_out())
        self.assertNotIn("ann", self.state.users)


class CrashCase(ControllerCase):
    """An account's room with a topic and an invitation, a guest's room, and people in both."""

    def setUp(self) -> None:
        super().setUp()
        self.ann = self.log_in("ann")
        self.ask(self.ann.session.register("sesame"))
        self.ask(self.ann.session.create_room("den", True))
        self.ask(self.ann.session.set_topic("den", "tea"))
        self.bob = self.log_in("bob")
        self.cid = self.log_in("cid")
        for nick in ("bob", "cid"):
            self.ask(self.ann.session.invite("den", nick))
        for client in (self.ann, self.bob):
            self.ask(client.session.join("den"))
        self.ask(self.bob.session.create_room("hall"))
        for client in (self.bob, self.cid):
            self.ask(client.session.join("hall"))
        self.hush()

    def hush(self) -> None:
        for client in (self.ann, self.bob, self.cid):
            client.heard()

    def break_apply(self, on: type[Event] = Message, text: str = "") -> None:
        """The next event of a kind breaks the controller, once."""
        whole = State.apply
        broken = [False]

        def apply(state: State, event: Event) -> None:
            fits = isinstance(event, on) and text in getattr(event, "text", "")
            if fits and not broken[0]:
                broken[0] = True
                raise ZeroDivisionError("a defect")
            whole(state, event)

        self.patch(State, "apply", apply)

    def break_deliver(self) -> None:
        """The next telling breaks the controller, once."""
        whole = self.delivery.deliver
        broken = [False]

        def deliver(events: Sequence[Event]) -> None:
            if not broken[0]:
                broken[0] = True
                raise ZeroDivisionError("a defect")
            whole(events)

        self.patch(self.delivery, "deliver", deliver)

    def restarted(self, times: int = 1) -> None:
        """Checks that the controller was restarted, and nothing was given up."""
        self.assertEqual(self.root.restarts["controller"], times)
        self.assertEqual(self.root.restarts["journal"], 0)
        self.assertEqual(self.gave_up, [])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), times)


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


class StrangerTests(ControllerCase):
    def test_nobody_does_anything_before_the_login(self) -> None:
        stranger = self.connect()

        self.failureResultOf(self.asked(stranger.session.create_room("den")), NotLoggedIn)
        self.assertRaises(NotLoggedIn, stranger.session.say, "den", "hello")
        self.assertRaises(NotLoggedIn, stranger.session.users)
        stranger.session.close("gone")

    def test_a_room_that_is_not_there_is_not_entered(self) -> None:
        ann = self.log_in("ann")

        self.failureResultOf(self.asked(ann.session.join("den")), NoSuchRoom)
