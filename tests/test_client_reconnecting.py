"""
Connecting again: what a client does by itself, what its program sees of it, and what it gives up
for.
"""

from __future__ import annotations

from traceback import walk_tb
from typing import Any

from twisted.internet.defer import Deferred

from chatservice.client import (
    Client,
    Connected,
    ConnectionGone,
    Disconnected,
    Killed,
    Refused,
    RoomLost,
    TimedOut,
)
from chatservice.controller.desk import Flow
from chatservice.controller.policy import Policy
from tests.client_case import PAUSE, ClientCase, Reader, Wire

PAGE = 20
"""Messages in a page of the history, where it matters."""


class RejoiningTests(ClientCase):
    def test_what_was_missed_is_read(self) -> None:
        _, bob, here, there = self.pair()
        reader = Reader(aiter(there))
        self.do(here.say("one"))
        self.world.cut(1)
        self.do(here.say("two"))
        self.assertEqual(reader.texts, ["one"])

        self.world.wait()
        self.do(here.say("three"))

        self.assertEqual(reader.texts, ["one", "two", "three"])
        self.assertTrue(bob.connected)

    def test_so_it_is_across_a_restart_of_the_server(self) -> None:
        *_, here, there = self.pair()
        readers = [Reader(aiter(here)), Reader(aiter(there))]
        self.do(here.say("one"))

        self.world.kill()
        saying = self.start(there.say("two"))
        self.world.wait()
        self.successResultOf(saying)
        self.do(here.say("three"))

        for reader in readers:
            self.assertEqual(reader.texts, ["one", "two", "three"])

    def test_what_somebody_said_to_one_is_read_too(self) -> None:
        alice, bob, *_ = self.pair()
        reader = Reader(aiter(bob.directs))
        self.do(alice.tell("bob", "one"))
        # The server does not know yet that he is gone.
        self.world.cut(1, both=False)
        self.do(alice.tell("bob", "two"))
        self.do(alice.tell("bob", "three", notice=True))

        self.world.wait()
        self.do(alice.tell("bob", "four"))

        self.assertEqual(reader.texts, ["one", "two", "three", "four"])
        self.assertEqual([m.notice for m in reader.messages], [False, False, True, False])

    def test_what_irc_clients_ask_one_another_is_passed_over(self) -> None:
        _, bob, here, there = self.pair()
        reader, directs = Reader(aiter(there)), Reader(aiter(bob.directs))
        irc = self.world.house.client("irc")
        irc.send("NICK carol", "USER carol 0 * :Carol", "JOIN #den")
        for _ in range(2):
            irc.send("PRIVMSG #den :\x01VERSION\x01", "PRIVMSG bob :\x01TIME\x01")
            irc.send("PRIVMSG #den :\x01ACTION waves\x01", "PRIVMSG bob :psst")
            self.world.cut(1)
            self.do(here.say("between"))
            self.world.wait()

        self.assertEqual(reader.texts, ["waves", "between"] * 2)
        self.assertEqual([m.action for m in reader.messages], [True, False] * 2)
        self.assertEqual(directs.texts, ["psst"] * 2)

    def test_more_is_missed_than_fits_into_a_page(self) -> None:
        *_, here, there = self.pair()
        reader = Reader(aiter(there))
        self.world.cut(1)
        for number in range(2500):
            Deferred.fromCoroutine(here.say(str(number)))
        self.world.settle()

        self.world.wait()

        self.assertEqual(reader.texts, [str(number) for number in range(2500)])

    def test_a_room_that_is_gone_is_lost(self) -> None:
        alice, bob, _, there = self.pair()
        other = self.do(bob.join("hall", create=True))
        reader = Reader(aiter(there))
        self.world.cut(1)
        self.do(alice.delete_room("den"))
        self.told(bob)

        self.world.wait()

        lost = next(told for told in self.told(bob) if isinstance(told, RoomLost))
        self.assertEqual((lost.room, lost.code), ("den", "NO_SUCH_ROOM"))
        self.assertEqual((there.ended, reader.over), (lost.words, True))
        self.assertEqual(bob.joined, {"hall": other})

    def test_a_room_is_not_lost_because_it_cannot_be_entered_now(self) -> None:
        _, bob, here, there = self.pair()
        self.world.cut(1)
        # One is logged in again, but no more can be stored after that.
        self.world.clock.advance(PAUSE)
        wire = self.world.wire(1)
        while wire is None:
            self.world.clock.advance(0)
            wire = self.world.wire(1)
        while self.world.house.controller.state.users.get("bob") is None:
            wire.carry_up()
            wire.carry_down()
        self.world.journal.full = True
        self.world.settle()
        self.flushLoggedErrors()
        self.assertEqual(there.ended, "")
        self.assertFalse(bob.connected)

        self.world.journal.full = False
        for _ in range(5):
            self.world.wait()

        self.assertTrue(bob.connected)
        reader = Reader(aiter(there))
        self.do(here.say("hello"))
        self.assertEqual(reader.texts, ["hello"])

    def test_a_guest_whose_nick_is_still_taken_waits_for_it(self) -> None:
        guest = self.program("carol")
        self.world.cut(both=False)
        self.world.wait()
        self.assertFalse(guest.connected)
        [*_, told] = self.told(guest)
        self.assertIsInstance(told, Disconnected)

        for connection in list(self.world.house.book.live):
            connection.close("it is dead")
        self.world.wait()

        self.assertTrue(guest.connected)
        self.assertEqual(guest.nick, "carol")

    def test_one_who_has_registered_logs_in_with_the_password(self) -> None:
        guest = self.program("carol")
        self.do(guest.register("pepper"))
        self.assertEqual(guest.account, "carol")
        self.world.cut()

        self.world.wait()

        self.assertEqual((guest.nick, guest.account), ("carol", "carol"))
        self.assertTrue(guest.connected)

    def test_one_who_has_logged_out_is_nobody(self) -> None:
        alice, _, here, _ = self.pair()
        reader = Reader(aiter(here))
        self.do(alice.logout())
        self.assertEqual((alice.nick, alice.account, alice.joined), ("", "", {}))
        self.assertEqual((here.ended, reader.over), ("logged out", True))
        self.world.cut()

        self.world.wait()

        self.assertTrue(alice.connected)
        self.refused(Refused, alice.list_users())
        self.assertEqual(self.do(alice.login("carol")).nick, "carol")

    def test_a_logout_that_is_refused_changes_nothing(self) -> None:
        client = self.connecting()
        self.assertEqual(self.refused(Refused, client.logout()).code, "NOT_LOGGED_IN")
        self.do(client.login("alice"))
        room = self.do(client.join("den", create=True))
        self.world.journal.full = True
        self.assertEqual(self.refused(Refused, client.logout()).code, "UNAVAILABLE")
        self.world.journal.full = False
        self.flushLoggedErrors()

        self.assertEqual((client.nick, client.joined), ("alice", {"den": room}))


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


class TooFastTests(ClientCase):
    def test_what_comes_too_fast_is_said_later_and_once(self) -> None:
        self.open_world(flow=Flow(rate=2, burst=6))
        client = self.program("alice")
        room = self.do(client.join("den", create=True))

        async def talk() -> None:
            for number in range(10):
                await room.say(str(number))

        talking = self.start(talk())
        self.assertNoResult(talking)
        for _ in range(20):
            self.world.wait()

        self.successResultOf(talking)
        page = self.start(room.history(0))
        self.world.wait()
        self.assertEqual(
            [m.text for m in self.successResultOf(page).messages], [str(n) for n in range(10)]
        )

    def test_entering_many_rooms_again_takes_its_time(self) -> None:
        self.open_world(flow=Flow(rate=2, burst=6))
        client = self.program("alice", "sesame")
        for number in range(10):
            joining = self.start(client.join(f"room{number}", create=True))
            while not joining.called:
                self.world.wait()
        self.world.cut()

        for _ in range(20):
            self.world.wait()

        self.assertTrue(client.connected)
        self.assertEqual(len(client.joined), 10)


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
            for does in (alice.list_users, aiter(alice.directs).__anext__) * 10:
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


class SlowTests(ClientCase):
    """Programs that read slowly, or not at all."""

    def test_one_that_does_not_read_needs_little_memory(self) -> None:
        alice = self.program("alice", "sesame")
        bob = self.program("bob", "mustard", queued=50)
        here = self.do(alice.join("den", create=True))
        there = self.do(bob.join("den"))
        for number in range(300):
            Deferred.fromCoroutine(here.say(str(number)))
            Deferred.fromCoroutine(alice.tell("bob", str(number)))
        self.world.settle()

        for stream in (there.stream, bob.directs.stream):
            self.assertLessEqual(len(stream._queue), 50)
            self.assertEqual(stream._meanwhile, None)
        for reader in (Reader(aiter(there)), Reader(aiter(bob.directs))):
            self.world.settle()
            self.assertEqual(reader.texts, [str(number) for number in range(300)])

    def test_one_that_begins_late_reads_everything(self) -> None:
        *_, here, there = self.pair()
        for number in range(1500):
            Deferred.fromCoroutine(here.say(str(number)))
        self.world.settle()

        reader = Reader(aiter(there))
        self.world.settle()

        self.assertEqual(reader.texts, [str(number) for number in range(1500)])

    def test_a_slow_one_reads_everything_and_holds_up_nobody(self) -> None:
        self.open_world(policy=Policy(history_messages=PAGE))
        fast = self.program("alice", "sesame")
        here = self.do(fast.join("den", create=True))
        slow = self.program("bob", "mustard", queued=10)
        there = self.do(slow.join("den"))
        reader, directs = Reader(aiter(there), greedy=False), Reader(aiter(slow.directs), False)
        for number in range(200):
            self.do(here.say(str(number)))
            self.do(fast.tell("bob", str(number)))
            if not number % 3:
                reader.read(1)
                directs.read(1)
                self.world.settle()
            self.assertLessEqual(len(there.stream._queue), PAGE + 10)

        for _ in range(200):
            reader.read(1)
            directs.read(1)
            self.world.settle()

        for each in (reader, directs):
            self.assertEqual(each.texts, [str(number) for number in range(200)])


class DirectsTests(ClientCase):
    def test_one_may_read_before_one_is_logged_in(self) -> None:
        alice = self.program("alice", "sesame")
        bob = self.connecting()
        reader = Reader(aiter(bob.directs))
        self.world.settle()
        self.assertEqual((reader.over, reader.error), (False, None))

        self.do(bob.login("bob"))
        self.do(alice.tell("bob", "one"))
        self.world.cut(1)
        self.world.wait()
        self.do(alice.tell("bob", "two"))

        self.assertEqual(reader.texts, ["one", "two"])

    def test_or_before_there_is_a_connection(self) -> None:
        alice = self.program("alice", "sesame")
        self.world.reachable = False
        bob = self.connecting()
        reader = Reader(aiter(bob.directs))
        self.world.wait()
        self.world.reachable = True
        self.world.wait()

        self.do(bob.login("bob"))
        self.do(alice.tell("bob", "one"))

        self.assertEqual(reader.texts, ["one"])

    def test_who_reads_late_reads_those_too_who_are_gone(self) -> None:
        alice, bob, *_ = self.pair()
        guest = self.program("carol")
        self.do(guest.tell("bob", "one"))
        self.do(alice.tell("bob", "two"))
        self.do(guest.close())

        reader = Reader(aiter(bob.directs))
        self.world.settle()

        self.assertEqual(reader.texts, ["one", "two"])

    def test_what_was_said_before_one_logged_in_is_not_missed(self) -> None:
        alice, bob, *_ = self.pair()
        self.do(bob.logout())
        reader = Reader(aiter(bob.directs))
        other = self.connecting()
        self.do(other.login("bob", "mustard"))
        self.do(alice.tell("bob", "for the other"))
        self.do(other.close())
        self.world.wait()

        self.do(bob.login("bob", "mustard"))
        self.do(alice.tell("bob", "one"))
        self.world.cut(1)
        self.world.wait()
        self.do(alice.tell("bob", "two"))

        self.assertEqual(reader.texts, ["one", "two"])

    def test_what_was_missed_of_many_is_read_in_order(self) -> None:
        _, bob, *_ = self.pair()
        others = [self.program(f"friend{number}", "secret") for number in range(12)]
        reader = Reader(aiter(bob.directs))
        self.world.settle()
        self.world.cut(1, both=False)
        wanted = []
        for number in range(60):
            wanted.append(str(number))
            self.do(others[number * 7 % 12].tell("bob", str(number)))

        self.world.wait()

        self.assertEqual(reader.texts, wanted)

    def test_what_one_says_oneself_is_not_read(self) -> None:
        alice, bob, *_ = self.pair()
        reader = Reader(aiter(bob.directs))
        for _ in range(2):
            self.do(bob.tell("alice", "not this"))
            self.do(alice.tell("bob", "this"))
            self.do(bob.tell("bob", "a note"))
            self.world.cut(1)
            self.world.wait()

        self.assertEqual(reader.texts, ["this", "a note"] * 2)

    def test_all_of_them_are_read_however_short_the_lists_are(self) -> None:
        self.open_world(policy=Policy(history_messages=2))
        _, bob, *_ = self.pair()
        others = [self.program(f"friend{number}", "secret") for number in range(9)]
        reader = Reader(aiter(bob.directs))
        self.world.settle()
        self.world.cut(1, both=False)
        for number in range(27):
            self.do(others[number * 4 % 9].tell("bob", str(number)))

        self.world.wait()

        self.assertEqual(reader.texts, [str(number) for number in range(27)])


class HalfReturnTests(ClientCase):
    """A connection that is lost while everything is made as it was."""

    def setUp(self) -> None:
        super().setUp()
        self.open_world(policy=Policy(history_messages=2))
        _, self.bob, self.here, self.there = self.pair()
        self.do(self.bob.join("hall", create=True))
        self.reader = Reader(aiter(self.there))
        self.world.settle()
        self.told(self.bob)

    def half_return(self) -> Wire:
        """He is in the first of his rooms again, and is told what is said there."""
        self.world.cut(1)
        self.do(self.here.say("one"))
        self.world.clock.advance(PAUSE)
        self.world.clock.advance(0)
        wire = self.world.wire(1)
        assert wire is not None
        wire.held = True
        while "bob" not in [user.nick for user in self.do(self.here.members())]:
            wire.carry_down()
            wire.carry_up()
        self.do(self.here.say("two"))
        return wire

    def test_what_one_was_told_then_is_not_taken_for_the_whole(self) -> None:
        wire = self.half_return()
        wire.carry_down()
        self.world.cut(1)
        for text in ("three", "four", "five"):
            self.do(self.here.say(text))

        self.world.wait()
        self.do(self.here.say("six"))

        self.assertEqual(self.reader.texts, ["one", "two", "three", "four", "five", "six"])

    def test_it_is_no_connection(self) -> None:
        self.half_return()
        self.world.cut(1)

        self.assertFalse(self.bob.connected)
        self.assertNotIn(Connected, [type(told) for told in self.told(self.bob)])
        self.world.wait()
        self.assertIsInstance(self.told(self.bob)[-1], Connected)


class ConnectedTests(ClientCase):
    def test_one_is_told_in_order(self) -> None:
        alice, bob, *_ = self.pair()
        self.told(bob)

        self.world.cut(1)
        self.world.wait()

        kinds = [type(told).__name__ for told in self.told(bob)]
        self.assertEqual(kinds, ["Disconnected", "Joined", "Connected"])
        self.assertTrue(alice.connected)
