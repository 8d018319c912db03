"""
Connecting again: what a client does by itself, and what its program sees of it.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from chatservice.client import Connected, Disconnected, Refused, RoomLost
from chatservice.controller.desk import Flow
from chatservice.controller.policy import Policy
from tests.client_case import PAUSE, ClientCase, Reader, Wire


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
