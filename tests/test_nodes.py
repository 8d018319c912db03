"""The nodes look after one another: who has no lease any more, and who of one's own is nobody's."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatservice.controller.events import Joined, Left, LoggedIn, RoomCreated
from chatservice.nodes.leases import OutOfTouch
from chatservice.nodes.nodes import Nodes
from chatservice.supervision import CannotStart, Supervisor
from tests.controller_case import ControllerCase

LEASE = 15.0
ROUND = LEASE / 6


class FakeLeases:
    """
    Leases that the test gives and takes.

    @ivar there: the nodes that have one.
    @ivar away: nobody can be asked.
    @ivar taken: nodes that others see to.
    @ivar answer: what a renewal waits for, if it is to wait.
    """

    def __init__(self) -> None:
        self.there: set[str] = set()
        self.away = False
        self.taken: set[str] = set()
        self.answer: Deferred[None] | None = None
        self.ended: list[str] = []
        self.over: list[str] = []
        self.renewed: list[tuple[str, float]] = []

    async def renew(self, node: str, seconds: float) -> Collection[str]:
        self._check()
        self.renewed.append((node, seconds))
        if self.answer is not None:
            await self.answer
        return {*self.there, node}

    async def claim(self, node: str) -> bool:
        self._check()
        return node not in self.taken

    async def seen_to(self, node: str) -> None:
        self._check()
        self.over.append(node)

    async def end(self, node: str) -> None:
        self._check()
        self.ended.append(node)

    def _check(self) -> None:
        if self.away:
            raise OutOfTouch("nobody answers")


class NodesCase(ControllerCase):
    def setUp(self) -> None:
        super().setUp()
        self.leases = FakeLeases()
        self.nodes = Nodes(
            self.clock, self.controller, self.delivery, lambda: "mine", self.leases, LEASE
        )

    def begin(self) -> None:
        """This node starts."""
        started = self.nodes.startService()
        self.turn()
        self.successResultOf(started)
        self.addCleanup(self.nodes.stopService)
        self.leases.ended.clear()

    def wait(self, seconds: float) -> None:
        """Round after round, and whatever follows from each."""
        rounds = round(seconds / ROUND)
        for _ in range(rounds):
            self.clock.advance(ROUND)
            for _ in range(4):
                self.turn()

    def elsewhere(self, nick: str, node: str, *rooms: str) -> None:
        """Somebody is connected to another node."""
        self.submit(LoggedIn(actor=nick, nick=nick, skeleton=nick, node=node, realname=nick))
        for room in rooms:
            there = self.state.rooms[room]
            self.submit(Joined(actor=nick, nick=nick, target=there.id, room=room))

    def submit(self, event: Any) -> None:
        submitted: Deferred[None] = self.controller.submit(event)
        self.turn()
        self.successResultOf(submitted)

    def room(self, name: str) -> None:
        """A room that stays."""
        self.submit(RoomCreated(room=name, key=name, skeleton=name, owner="an account", kept=True))


class LeaseTests(NodesCase):
    def test_it_knows_its_name_once_it_is_started(self) -> None:
        self.assertEqual(self.controller.node, "")

        self.begin()

        self.assertEqual(self.controller.node, "mine")

    def test_its_lease_is_renewed_several_times_within_its_term(self) -> None:
        self.begin()

        self.wait(LEASE)

        self.assertEqual(len(self.leases.renewed), 1 + 6)
        node, seconds = self.leases.renewed[-1]
        self.assertEqual(node, "mine")
        self.assertLess(2 * ROUND, seconds)
        self.assertLess(seconds + ROUND, LEASE)

    def test_it_gives_its_lease_up_when_it_stops(self) -> None:
        self.begin()

        self.successResultOf(self.nodes.stopService())

        self.assertEqual(self.leases.ended, ["mine"])

    def test_its_users_are_logged_out_when_the_server_stops(self) -> None:
        root = Supervisor(self.clock, intensity=1, period=5.0)
        root.supervise(self.nodes, name="nodes")
        started = root.startService()
        self.turn()
        self.successResultOf(started)
        self.elsewhere("alice", "mine")
        self.elsewhere("bob", "theirs")
        self.leases.ended.clear()

        stopped = root.stopService()
        self.turn()

        self.successResultOf(stopped)
        self.assertEqual(set(self.state.users), {"bob"})
        self.assertEqual(self.leases.ended, ["mine"])

    def test_its_users_stay_when_it_alone_is_restarted(self) -> None:
        root = Supervisor(self.clock, intensity=1, period=5.0)
        root.supervise(self.nodes, name="nodes")
        started = root.startService()
        self.turn()
        self.successResultOf(started)
        self.addCleanup(root.stopService)
        self.log_in("alice")

        self.nodes.fail(Failure(ValueError("a defect")))
        self.turn()

        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(set(self.state.users), {"alice"})

    def test_it_stops_although_nobody_can_be_told(self) -> None:
        self.begin()
        self.leases.away = True

        self.successResultOf(self.nodes.stopService())

        self.assertEqual(self.leases.ended, [])

    def test_it_does_not_start_out_of_touch(self) -> None:
        self.leases.away = True

        started = self.nodes.startService()
        self.turn()

        self.failureResultOf(started, CannotStart)


class OwnUsersTests(NodesCase):
    def test_whom_its_last_life_left_behind_it_logs_out_at_its_start(self) -> None:
        self.room("den")
        self.elsewhere("old", "mine", "den")
        self.elsewhere("other", "theirs", "den")

        self.begin()

        self.assertEqual(set(self.state.users), {"other"})
        self.assertEqual(set(self.state.rooms["den"].members), {"other"})

    def test_more_of_them_than_are_logged_out_at_once(self) -> None:
        for number in range(120):
            self.elsewhere(f"old{number}", "mine")

        started = self.nodes.startService()
        for _ in range(5):
            self.turn()
        self.successResultOf(started)
        self.addCleanup(self.nodes.stopService)

        self.assertEqual(self.state.users, {})

    def test_a_user_without_a_connection_is_logged_out(self) -> None:
        self.begin()
        ann = self.log_in("ann")
        self.elsewhere("stray", "mine")

        self.wait(ROUND)

        self.assertEqual(set(self.state.users), {"ann"})
        self.assertFalse(ann.closed)


class MissingNodeTests(NodesCase):
    def setUp(self) -> None:
        super().setUp()
        self.room("den")
        self.leases.there = {"theirs", "third"}
        self.begin()
        self.ann = self.log_in("ann", "den")
        self.elsewhere("bob", "theirs", "den")
        self.elsewhere("cid", "third", "den")
        self.ann.heard()

    def test_users_of_nodes_with_a_lease_stay(self) -> None:
        self.wait(4 * LEASE)

        self.assertEqual(set(self.state.users), {"ann", "bob", "cid"})

    def test_users_of_a_node_without_one_are_seen_to_leave_and_their_nicks_are_free(self) -> None:
        self.wait(LEASE)
        self.leases.there.remove("theirs")

        self.wait(ROUND)

        self.assertEqual(set(self.state.users), {"ann", "cid"})
        self.assertEqual(self.ann.heard(), ["bob leave"])
        self.assertEqual(self.leases.over, ["theirs"])
        (left,) = self.successResultOf(
            self.shelf.history(self.state.rooms["den"].id, (Left.kind,), 10)
        )
        assert isinstance(left, Left)
        self.assertTrue(left.lost)
        self.log_in("bob")

    def test_what_others_see_to_is_left_to_them(self) -> None:
        self.wait(LEASE)
        self.leases.there.remove("theirs")
        self.leases.taken.add("theirs")

        self.wait(LEASE)

        self.assertIn("bob", self.state.users)

    def test_what_others_did_not_finish_is_done_later(self) -> None:
        self.wait(LEASE)
        self.leases.there.remove("theirs")
        self.leases.taken.add("theirs")
        self.wait(ROUND)
        self.leases.taken.clear()

        self.wait(ROUND)

        self.assertNotIn("bob", self.state.users)

    def test_nobody_is_missed_before_all_had_time_to_come_back(self) -> None:
        self.wait(LEASE)
        self.leases.away = True
        self.wait(60)
        self.leases.away = False
        self.leases.there.clear()  # they ran out meanwhile

        self.wait(LEASE)
        self.assertEqual(set(self.state.users), {"ann", "bob", "cid"})

        self.leases.there = {"theirs"}
        self.wait(ROUND)
        self.assertEqual(set(self.state.users), {"ann", "bob"})

    def test_after_this_node_stood_still_all_have_time_to_come_back(self) -> None:
        """So did the others, if it was their machine too, or Redis that all waited for."""
        self.wait(2 * LEASE)
        self.leases.there.clear()  # they ran out meanwhile

        self.clock.advance(20.0)
        self.wait(LEASE - ROUND)
        self.assertEqual(set(self.state.users), {"ann", "bob", "cid"})

        self.leases.there = {"theirs"}
        self.wait(2 * ROUND)
        self.assertEqual(set(self.state.users), {"ann", "bob"})

    def test_while_redis_stood_still_nobody_is_missed(self) -> None:
        self.wait(2 * LEASE)
        self.leases.answer = Deferred()
        self.wait(LEASE)
        self.leases.there.clear()
        self.leases.answer.callback(None)

        self.wait(ROUND)

        self.assertEqual(set(self.state.users), {"ann", "bob", "cid"})

    def test_what_cannot_be_stored_now_is_done_when_it_can(self) -> None:
        self.wait(LEASE)
        self.leases.there.remove("theirs")
        self.shelf.full = True
        self.wait(ROUND)
        self.assertIn("bob", self.state.users)

        self.shelf.full = False
        self.wait(LEASE + ROUND)

        self.assertNotIn("bob", self.state.users)
