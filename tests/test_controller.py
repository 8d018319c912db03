"""The controller and its sessions: submitting, leaving, strangers."""

from __future__ import annotations

from chatservice.controller import requests
from chatservice.controller.errors import (
    AlreadyLoggedIn,
    NickInUse,
    NoSuchRoom,
    NotLoggedIn,
    RoomExists,
    Unavailable,
)
from tests.controller_case import ControllerCase
from tests.test_state import all_records


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
        ann = self.log_in("ann")
        self.log_in("bob")
        self.ask(ann.session.create_room("den", True))

        # To be brought in is to be invited and to enter.
        refused = self.asked(ann.session.bring_in("den", "bob"))
        self.turn()

        self.failureResultOf(refused, Unavailable)
        den = self.state.rooms["den"]
        self.assertEqual((den.invited, den.members), ({}, {}))

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
