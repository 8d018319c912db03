"""
What a client gives up for, and what becomes of answers that come too late.
"""

from __future__ import annotations

from traceback import walk_tb
from typing import Any

from twisted.internet.defer import Deferred

from chatservice.client import Client, Killed, Refused, TimedOut
from tests.client_case import ClientCase, Reader


class FatalTests(ClientCase):
    """What a client gives up for."""

    def given_up(self, client: Client, code: str, asking: list[Deferred[Any]]) -> None:
        """It does not connect any more, and whoever waited was told why."""
        attempts = self.world.attempts
        self.world.wait(100)
        self.assertEqual(self.world.attempts, attempts)
        self.assertFalse(client.connected)
        [*_, told] = self.told(client)
        self.assertEqual(told.retry_in, None)
        assert isinstance(client.failure, Refused)
        self.assertEqual(client.failure.code, code)
        for each in asking:
            self.assertIs(self.failureResultOf(each).value, client.failure)
        self.assertIs(self.refused(Refused, client.list_users()), client.failure)
        self.assertIs(self.refused(Refused, client.tell("bob", "hello")), client.failure)
        self.do(client.close())
        self.assertEqual(self.world.clock.getDelayedCalls(), [])

    def test_somebody_has_logged_in_with_ones_password(self) -> None:
        alice = self.program("alice", "sesame")
        room = self.do(alice.join("den", create=True))
        readers = [Reader(aiter(room)), Reader(aiter(alice.directs))]
        self.world.settle()
        asking: list[Deferred[Any]] = [
            Deferred.fromCoroutine(each) for each in (alice.list_users(), room.say("hello"))
        ]
        # Nobody will answer.
        wire = self.world.wire()
        assert wire is not None
        wire.up.clear()

        second = self.connecting()
        self.do(second.login("alice", "sesame", reclaim=True))

        self.assertIn(True, [t.reclaimed for t in self._told[alice] if isinstance(t, Killed)])
        self.assertTrue(second.connected)
        self.do(second.close())
        self.given_up(alice, "NICK_IN_USE", asking)
        for reader in readers:
            self.assertIs(reader.error, alice.failure)
        self.assertTrue(room.ended)

    def test_the_password_is_wrong_now(self) -> None:
        alice = self.program("alice", "sesame")
        self.world.cut()
        asking = [self.start(alice.list_users())]
        assert alice._credentials is not None
        alice._credentials.password = "another"

        self.world.wait()

        self.given_up(alice, "BAD_PASSWORD", list(asking))

    def test_a_program_may_try_another_password(self) -> None:
        self.do(self.program("alice", "sesame").close())
        client = self.connecting()

        refused = self.refused(Refused, client.login("alice", "guess"))

        self.assertEqual(refused.code, "BAD_PASSWORD")
        self.assertEqual(client.failure, None)
        self.assertEqual(self.do(client.login("alice", "sesame")).account, "alice")

    def test_an_error_that_is_raised_again_and_again_stays_small(self) -> None:
        alice = self.program("alice")
        alice.give_up(Refused("BAD_PASSWORD", "no"))
        self.world.settle()
        depths: list[int] = []

        async def insist() -> None:
            for does in (alice.list_users, aiter(alice.directs).__anext__):
                for _ in range(10):
                    try:
                        await does()
                    except Refused as refused:
                        depths.append(len(list(walk_tb(refused.__traceback__))))

        self.do(insist())
        self.assertEqual(len(depths), 20)
        self.assertLess(max(depths), 10)
        self.do(alice.close())


class LateTests(ClientCase):
    """Answers that do not come in time."""

    def late(self, asking: Deferred[Any], number: int = 0) -> None:
        """The house does what is asked, and its answer comes too late."""
        wire = self.world.wire(number)
        assert wire is not None
        wire.carry_up()
        self.world.clock.advance(5)
        self.failureResultOf(asking, TimedOut)
        self.world.settle()

    def test_a_log_in_that_was_granted_too_late_is_none(self) -> None:
        client = self.connecting()
        self.world.settle()

        self.late(Deferred.fromCoroutine(client.login("alice", timeout=5)))
        self.assertEqual(client.nick, "")
        self.world.wait()

        self.assertEqual(self.do(client.login("alice")).nick, "alice")

    def test_a_room_that_was_entered_too_late_is_entered_anew(self) -> None:
        client = self.program("alice")
        self.late(Deferred.fromCoroutine(client.join("den", create=True, timeout=5)))
        self.assertEqual(client.joined, {})

        room = self.do(client.join("DEN"))

        self.assertEqual(client.joined, {"den": room})
        reader = Reader(aiter(room))
        self.do(room.say("hello"))
        self.assertEqual(reader.texts, ["hello"])

    def test_a_room_that_was_left_too_late_is_left(self) -> None:
        client = self.program("alice", "sesame")
        room = self.do(client.join("den", create=True))
        reader = Reader(aiter(room))

        self.late(Deferred.fromCoroutine(room.leave(timeout=5)))

        self.refused(Refused, room.say("hello"))
        self.do(room.leave())
        self.assertEqual((room.ended, reader.over, client.joined), ("left", True, {}))
