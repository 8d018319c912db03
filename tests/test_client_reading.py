"""
Programs that read slowly, late or not at all; and what is said to one by many.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from chatservice.controller.policy import Policy
from tests.client_case import ClientCase, Reader

PAGE = 20
"""Messages in a page of the history, where it matters."""


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
