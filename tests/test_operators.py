"""Those who run the server, and those who take back what is theirs."""

from __future__ import annotations

from chatservice.controller import modes, requests
from chatservice.controller.errors import (
    BadArguments,
    BadPassword,
    NoSuchUser,
    NotLoggedIn,
    NotOperator,
)
from chatservice.controller.events import Killed, Left, LoggedOut
from tests.test_requests import RequestCase


class OperatorCase(RequestCase):
    """Ann runs the server; Bob is in her room."""

    def setUp(self) -> None:
        super().setUp()
        self.limit(operators=frozenset({"ann"}))
        self.ann, self.bob = self.account("ann"), self.guest("bob")
        account = self.state.accounts["ann"]
        self.apply(requests.become_operator(self.policy, self.ann, account))
        self.den = self.room(self.ann, "den")
        self.do(requests.join, self.bob, "den")


class OperatorTests(OperatorCase):
    def test_who_owns_an_account_that_may_runs_the_server(self) -> None:
        self.assertEqual(self.ann.flags, {"server_operator"})

    def test_nobody_else_does(self) -> None:
        cid = self.account("cid")

        self.assertRaises(
            NotOperator,
            requests.become_operator,
            self.policy,
            cid,
            self.state.accounts["cid"],
        )

    def test_only_who_does_may(self) -> None:
        self.refused(NotOperator, requests.kill, self.bob, "ann", "why not")
        self.refused(NotOperator, requests.wallops, self.bob, "hello")
        self.refused(NotOperator, requests.change_host, self.bob, "ann", "a.b")

    def test_one_who_stops_does_not_either(self) -> None:
        event = requests.change_user_flag(self.ann, [(False, modes.SERVER_OPERATOR)])
        assert event is not None
        self.apply(event)

        self.refused(NotOperator, requests.wallops, self.ann, "hello")

    def test_something_is_said_to_all(self) -> None:
        event = self.ask(requests.wallops, self.ann, "restart at nine")

        self.assertEqual((event.nick, event.text, event.target), ("Ann", "restart at nine", ""))
        self.refused(BadArguments, requests.wallops, self.ann, "")
        self.refused(BadArguments, requests.wallops, self.ann, "two\nlines")

    def test_an_address_is_shown_as_something_else(self) -> None:
        self.bob.host = "old.ip"
        event = self.ask(requests.change_host, self.ann, "BOB", "staff/bob")

        self.apply(event)

        self.assertEqual((event.actor, event.host, event.by), ("bob", "old.ip", "Ann"))
        self.assertEqual(self.bob.host, "staff/bob")

    def test_which_must_be_a_host(self) -> None:
        for host in ("", "a b", "a@b", ".a", "a.", "é", "a!b", "x" * 64):
            self.refused(BadArguments, requests.change_host, self.ann, "bob", host)
        self.refused(NoSuchUser, requests.change_host, self.ann, "cid", "a.b")


class KillTests(OperatorCase):
    def test_the_victim_leaves_every_room_and_is_gone(self) -> None:
        events = self.ask(requests.kill, self.ann, "bob", "enough")

        self.assertEqual([type(event) for event in events], [Killed, Left, LoggedOut])
        killed, left, out = events
        self.assertEqual((killed.nick, killed.victim, killed.reason), ("Ann", "bob", "enough"))
        self.assertEqual((left.actor, left.quit, out.actor), ("bob", True, "bob"))
        self.assertEqual(out.reason, "Killed (Ann (enough))")
        for event in events:
            self.apply(event)
        self.assertEqual((list(self.state.users), self.den.members), (["ann"], {}))

    def test_there_must_be_a_victim(self) -> None:
        self.refused(NoSuchUser, requests.kill, self.ann, "cid", "enough")

    def test_one_who_is_gone_is_not_made_to_go(self) -> None:
        _, left, out = self.ask(requests.kill, self.ann, "bob", "enough")
        self.leave("bob")

        self.too_late(NotLoggedIn, left)
        self.too_late(NotLoggedIn, out)


class ReclaimTests(RequestCase):
    """Ann's account is used by `away`; `ann` herself shows that it is hers."""

    def setUp(self) -> None:
        super().setUp()
        self.ann = self.account("ann")
        self.apply(requests.log_in(self.state, self.policy, self.name("away"), self.name("ann")))
        self.mine = self.state.accounts["ann"]

    def test_another_connection_of_ones_account_is_closed(self) -> None:
        killed, out = self.ask(requests.reclaim, self.ann, "AWAY", self.mine)

        self.assertEqual((killed.victim, killed.reclaimed), ("away", True))
        self.assertEqual((out.actor, out.reason), ("away", "taken back by its owner"))

    def test_so_is_whoever_has_its_name(self) -> None:
        away = self.state.users["away"]
        killed, _ = self.ask(requests.reclaim, away, "ann", self.mine)

        self.assertEqual(killed.victim, "ann")

    def test_nobody_elses_is(self) -> None:
        self.guest("bob")

        self.refused(BadPassword, requests.reclaim, self.ann, "bob", self.mine)
        self.refused(NoSuchUser, requests.reclaim, self.ann, "cid", self.mine)
        self.refused(BadArguments, requests.reclaim, self.ann, "ann", self.mine)
