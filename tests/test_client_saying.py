"""
What is said is stored once, wherever the connection is cut, and however slow the server is.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from chatservice.client import ConnectionGone, Refused, TimedOut
from tests.client_case import ClientCase, Reader


class SayingTests(ClientCase):
    """What is said is stored once, wherever the connection is cut."""

    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob, self.here, self.there = self.pair()
        self.reader = Reader(aiter(self.there))
        self.world.settle()

    def test_before_it_is_sent(self) -> None:
        saying = Deferred.fromCoroutine(self.here.say("hello"))

        self.world.cut()
        self.world.wait()

        self.assertEqual([self.successResultOf(saying).id], [m.id for m in self.reader.messages])

    def test_at_any_byte_of_it(self) -> None:
        for sent in range(1, 50):
            saying = Deferred.fromCoroutine(self.here.say(f"{sent}"))
            wire = self.world.wire()
            assert wire is not None
            wire.carry_up(sent)
            self.world.cut()
            self.world.wait()
            self.successResultOf(saying)

        self.assertEqual(self.reader.texts, [str(sent) for sent in range(1, 50)])

    def test_after_it_was_stored(self) -> None:
        saying = Deferred.fromCoroutine(self.here.say("hello"))
        wire = self.world.wire()
        assert wire is not None
        wire.carry_up()
        self.assertNoResult(saying)

        self.world.cut()
        self.world.wait()

        self.assertEqual([self.successResultOf(saying).id], [m.id for m in self.reader.messages])

    def test_while_it_is_being_stored(self) -> None:
        self.world.journal.hold()
        saying = self.start(self.here.say("hello"))
        self.world.cut()
        self.world.wait()

        self.world.journal.release()
        self.world.wait()

        self.assertEqual([self.successResultOf(saying).id], [m.id for m in self.reader.messages])

    def test_to_somebody(self) -> None:
        directs = Reader(aiter(self.bob.directs))
        for carried in (False, True):
            telling = Deferred.fromCoroutine(self.alice.tell("bob", f"{carried}"))
            wire = self.world.wire()
            assert wire is not None
            if carried:
                wire.carry_up()
            self.world.cut()
            self.world.wait()
            self.successResultOf(telling)

        self.assertEqual(directs.texts, ["False", "True"])

    def test_a_guest_is_told_that_nobody_knows(self) -> None:
        guest = self.program("carol")
        directs = Reader(aiter(self.bob.directs))
        telling = Deferred.fromCoroutine(guest.tell("bob", "hello"))
        wire = self.world.wire(2)
        assert wire is not None
        wire.carry_up()

        self.world.cut(2)
        self.world.wait()

        self.failureResultOf(telling, ConnectionGone)
        self.assertEqual(directs.texts, ["hello"])

    def test_who_waits_no_longer_is_told_so(self) -> None:
        self.world.cut()
        self.world.reachable = False
        saying = self.start(self.here.say("hello", timeout=3))

        for _ in range(3):
            self.world.wait()
        self.failureResultOf(saying, TimedOut)

        self.world.reachable = True
        self.world.wait()
        self.assertTrue(self.alice.connected)
        self.assertEqual(self.reader.texts, [])

    def test_who_has_no_time_leaves_nothing_behind(self) -> None:
        saying = Deferred.fromCoroutine(self.here.say("hello", timeout=-1))
        self.world.clock.advance(0)

        self.failureResultOf(saying, TimedOut)
        self.assertEqual(self.alice._outbox._saying, {})

    def test_who_gives_up_leaves_nothing_behind(self) -> None:
        saying = Deferred.fromCoroutine(self.here.say("hello"))
        saying.addErrback(lambda _: "given up")

        saying.cancel()

        self.assertEqual(self.successResultOf(saying), "given up")
        self.assertEqual(self.alice._outbox._saying, {})

    def test_what_cannot_be_stored_is_refused(self) -> None:
        self.world.journal.full = True

        refused = self.refused(Refused, self.here.say("hello"))

        self.assertEqual(refused.code, "UNAVAILABLE")
        self.flushLoggedErrors()

    def test_it_waits_until_the_history_can_be_read(self) -> None:
        saying = Deferred.fromCoroutine(self.here.say("hello"))
        wire = self.world.wire()
        assert wire is not None
        wire.carry_up()
        self.world.cut()
        self.world.journal.readable = False
        self.world.wait()
        self.assertFalse(self.alice.connected)
        self.assertNoResult(saying)

        self.world.journal.readable = True
        self.world.wait()

        self.successResultOf(saying)
        self.assertEqual(self.reader.texts, ["hello"])
