"""
What the client library takes care of for a program that does not: texts that are too long, rooms
that are gone, ending twice.
"""

from __future__ import annotations

from chatservice.client import Refused, RoomLost
from tests.client_case import ClientCase


class LengthTests(ClientCase):
    def test_a_text_that_is_too_long_is_refused_and_the_connection_stays(self) -> None:
        alice, _, here, _there = self.pair()
        self.told(alice)

        refused = self.refused(Refused, here.say("x" * 5000))

        self.assertEqual(refused.code, "LINE_TOO_LONG")
        self.assertEqual(self.told(alice), [])
        self.do(here.say("x" * alice.max_text_bytes))

    def test_nor_does_it_hold_up_what_is_said_without_a_connection(self) -> None:
        alice, _, here, _ = self.pair()
        self.world.reachable = False
        self.world.cut()
        long, short = self.start(here.say("x" * 5000)), self.start(here.say("short"))

        self.world.reachable = True
        self.world.wait()

        self.assertEqual(self.failureResultOf(long, Refused).value.code, "LINE_TOO_LONG")
        self.successResultOf(short)
        self.assertTrue(alice.connected)


class GoneTests(ClientCase):
    def test_a_room_that_was_to_be_made_is_made_again(self) -> None:
        guest = self.program("guest")
        room = self.do(guest.join("den", create=True))
        self.do(room.say("before"))

        self.world.kill()
        self.world.wait()

        self.assertIs(guest.joined["den"], room)
        self.do(room.say("after"))
        self.assertEqual([m.text for m in self.do(room.history()).messages], ["after"])

    def test_a_private_one_is_not_made_again_in_public(self) -> None:
        guest, other = self.program("guest"), self.program("other")
        room = self.do(guest.join("den", create=True))
        self.do(room.set_private(True))
        self.do(room.invite("other"))
        theirs = self.do(other.join("den", create=True))

        self.world.kill()
        self.world.wait()

        self.assertEqual((dict(guest.joined), dict(other.joined)), ({}, {}))
        self.assertTrue(room.ended and theirs.ended)

    def test_another_is_lost(self) -> None:
        owner, guest = self.program("owner"), self.program("guest")
        self.do(owner.join("den", create=True))
        room = self.do(guest.join("den"))
        self.do(owner.close())
        self.told(guest)

        self.world.kill()
        self.world.wait()

        [lost] = [each for each in self.told(guest) if isinstance(each, RoomLost)]
        self.assertEqual((lost.room, lost.code), ("den", "NO_SUCH_ROOM"))
        self.assertEqual((dict(guest.joined), bool(room.ended)), ({}, True))


class EndTests(ClientCase):
    def test_one_may_close_twice(self) -> None:
        alice = self.program("alice")

        both = [self.start(alice.close()), self.start(alice.close())]
        self.world.wait()

        for each in both:
            self.successResultOf(each)
        self.assertFalse(alice.running)
        self.do(alice.close())
