"""What is said while somebody's going is being stored. What is said is true as soon as it is
stored; so it is refused when it would follow the end of its author, of its hearer or of its room.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred

from chatservice.controller import modes
from chatservice.controller.errors import (
    ChatError,
    NickInUse,
    NoSuchRoom,
    NoSuchUser,
    NotInRoom,
    NotLoggedIn,
    Unavailable,
)
from chatservice.controller.events import Event
from tests.controller_case import ControllerCase


class EndingCase(ControllerCase):
    """Ann runs the server and owns the den; she, Bob and Cid are in it."""

    def setUp(self) -> None:
        super().setUp()
        self.ann = self.log_in("ann")
        self.ask(self.ann.session.register("sesame"))
        self.allow("ann")
        self.ask(self.ann.session.become_operator("ann", "sesame"))
        self.ask(self.ann.session.create_room("den"))
        self.ask(self.ann.session.join("den"))
        self.bob, self.cid = self.log_in("bob", "den"), self.log_in("cid", "den")
        for client in (self.ann, self.bob, self.cid):
            client.heard()

    def allow(self, *keys: str) -> None:
        """Lets accounts become operators of the server."""
        self.controller.policy = replace(self.controller.policy, operators=frozenset(keys))

    def begin(self, request: Coroutine[Any, Any, Any]) -> Deferred[Any]:
        """A request whose event is being stored."""
        self.shelf.slow = True
        asked = self.asked(request)
        self.turn()
        return asked

    def end(self) -> None:
        """It is stored now, and so is all that came after."""
        self.shelf.slow = False
        self.shelf.store()
        self.turn()

    def refuses(self, error: type[ChatError], *said: Callable[[], Event]) -> None:
        for say in said:
            self.assertRaises(error, say)


class EndingTests(EndingCase):
    def test_who_is_being_killed_says_nothing_any_more(self) -> None:
        killing = self.begin(self.ann.session.kill("bob", "enough"))
        bob = self.bob.session

        self.refuses(
            NotInRoom,
            lambda: bob.say("den", "last words"),
            lambda: bob.tag_room("den", {"+typing": "active"}),
            lambda: bob.say_to_ranks("den", modes.VOICE, "last words"),
        )
        self.refuses(
            NotLoggedIn, lambda: bob.tell("cid", "psst"), lambda: bob.tag_user("cid", {"+a": ""})
        )
        self.end()

        self.successResultOf(killing)
        self.assertEqual(self.cid.heard(), ["bob leave"])
        self.assertEqual((self.bob.closed, self.bob.answers), ("killed", []))

    def test_who_is_just_going_is_told_nothing_any_more(self) -> None:
        self.begin(self.bob.session.log_out())

        self.refuses(NoSuchUser, lambda: self.ann.session.tell("bob", "psst"))
        self.end()

        self.refuses(NoSuchUser, lambda: self.ann.session.tell("bob", "psst"))
        self.assertEqual(self.ann.answers, [])

    def test_nor_is_who_will_be_called_something_else_by_the_old_nick(self) -> None:
        self.begin(self.bob.session.change_nick("rob"))

        self.refuses(NoSuchUser, lambda: self.ann.session.tell("bob", "psst"))
        self.end()

        self.ann.session.tell("rob", "psst")
        self.turn()
        self.assertEqual(self.bob.heard()[-1], "ann: psst")

    def test_others_go_on(self) -> None:
        self.begin(self.ann.session.kill("bob", "enough"))
        self.cid.session.say("den", "hello")
        self.cid.session.tell("ann", "psst")

        self.end()

        self.assertEqual(self.cid.answers, ["hello: OK", "psst: OK"])

    def test_who_leaves_one_room_speaks_in_others(self) -> None:
        self.ask(self.ann.session.create_room("hall"))
        self.ask(self.bob.session.join("hall"))
        self.begin(self.bob.session.leave("den"))

        self.refuses(NotInRoom, lambda: self.bob.session.say("den", "hello"))
        self.bob.session.say("hall", "hello")
        self.end()

        self.assertEqual(self.bob.answers, ["hello: OK"])

    def test_a_room_that_is_being_removed_hears_nothing(self) -> None:
        self.begin(self.ann.session.delete_room("den"))

        self.refuses(NoSuchRoom, lambda: self.bob.session.say("den", "hello"))
        self.end()

    def test_what_could_not_be_stored_ends_nothing(self) -> None:
        self.shelf.full = True
        kicking = self.asked(self.ann.session.kick("den", "bob"))
        self.turn()
        self.failureResultOf(kicking, Unavailable)
        self.shelf.full = False

        self.bob.session.say("den", "still here")
        self.turn()

        self.assertEqual(self.bob.answers, ["still here: OK"])

    def test_nobody_who_is_gone_is_heard_whatever_the_order(self) -> None:
        self.bob.session.say("den", "first")
        self.begin(self.ann.session.kick("den", "bob"))

        self.end()

        self.assertEqual(self.cid.heard(), ["bob: first", "bob kick"])


class ExpellingTests(EndingCase):
    def test_one_who_goes_into_another_room_meanwhile_is_killed_all_the_same(self) -> None:
        self.ask(self.ann.session.create_room("hall"))
        joining = self.begin(self.bob.session.join("hall"))
        killing = self.asked(self.ann.session.kill("bob", "enough"))

        self.end()

        self.successResultOf(joining)
        self.assertEqual(self.successResultOf(killing).victim, "bob")
        self.assertNotIn("bob", self.state.users)
        self.assertEqual(self.bob.closed, "killed")

    def test_so_is_one_who_is_called_something_else_meanwhile(self) -> None:
        self.begin(self.bob.session.change_nick("rob"))
        killing = self.asked(self.ann.session.kill("bob", "enough"))

        self.end()

        self.assertEqual(self.successResultOf(killing).victim, "rob")
        self.assertEqual(list(self.state.users), ["ann", "cid"])
        self.assertEqual(self.bob.closed, "killed")

    def test_one_who_goes_meanwhile_is_gone(self) -> None:
        self.begin(self.bob.session.log_out())
        killing = self.asked(self.ann.session.kill("bob", "enough"))

        self.end()

        self.successResultOf(killing)
        self.assertNotIn("bob", self.state.users)

    def test_a_full_disk_kills_nobody(self) -> None:
        self.shelf.full = True
        killing = self.asked(self.ann.session.kill("bob", "enough"))
        self.turn()

        self.failureResultOf(killing, ChatError)
        self.assertEqual((self.bob.closed, "bob" in self.state.users), ("", True))

    def test_ones_nick_is_free_when_it_was_taken_back(self) -> None:
        other = self.connect()
        self.ask(other.session.authenticate("ann", "sesame"))
        self.ask(other.session.log_in("away"))

        freed = self.ask(other.session.reclaim("ann"))
        self.ask(other.session.change_nick(freed))

        self.assertEqual((freed, other.session.user.nick), ("ann", "ann"))
        self.assertEqual(self.ann.closed, "killed")

    def test_who_has_shown_nothing_takes_nothing_back(self) -> None:
        self.failureResultOf(self.asked(self.bob.session.reclaim("ann")), ChatError)


class RacingTests(EndingCase):
    """Two want one nick."""

    def test_the_first_has_it(self) -> None:
        self.begin(self.bob.session.change_nick("zoe"))
        second = self.asked(self.cid.session.change_nick("Zoe"))

        self.end()

        self.failureResultOf(second, NickInUse)
        self.assertEqual(self.cid.session.user.nick, "cid")

    def test_one_who_comes_while_it_is_being_taken_does_not_get_it(self) -> None:
        self.begin(self.bob.session.change_nick("zoe"))
        stranger = self.connect()
        second = self.asked(stranger.session.log_in("zoe"))

        self.end()

        self.failureResultOf(second, NickInUse)

    def test_what_was_said_before_is_told_under_the_nick_of_then(self) -> None:
        self.bob.session.say("den", "hello")
        self.begin(self.bob.session.change_nick("zoe"))
        self.end()

        self.bob.session.say("den", "again")
        self.turn()

        self.assertEqual(self.cid.heard(), ["bob: hello", "bob nick", "zoe: again"])
