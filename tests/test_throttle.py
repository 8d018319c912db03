"""Attempts at passwords take turns, and wrong ones make the next wait."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from chatservice.authentication.throttle import Throttle, ThrottleLimits, Turn
from chatservice.controller.errors import TooFast


class ThrottleTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.throttle = Throttle(self.clock)
        self.pending: list[Deferred[Turn]] = []

    def turn(self, address: str = "192.0.2.1", account: str = "alice") -> Deferred[Turn]:
        return self.throttle.turn(address, account)

    def wrong(self, times: int, address: str = "192.0.2.1", account: str = "alice") -> None:
        """Tries wrong passwords, each as soon as it may."""
        for _ in range(times):
            waiting = self.turn(address, account)
            while not waiting.called:
                self.clock.advance(1)
            self.successResultOf(waiting).wrong()

    def wait_of(self, address: str = "192.0.2.1", account: str = "alice") -> float:
        """Seconds until an attempt has its turn; it comes to nothing."""
        waiting = self.turn(address, account)
        waited = 0.0
        while not waiting.called:
            self.clock.advance(0.5)
            waited += 0.5
        self.successResultOf(waiting).undecided()
        return waited

    def test_two_wrong_passwords_are_free_and_each_further_one_doubles_the_wait(self) -> None:
        waits = []
        for _ in range(10):
            waits.append(self.wait_of())
            self.wrong(1)

        self.assertEqual(waits, [0, 0, 0, 1, 2, 4, 8, 16, 30, 30])

    def test_the_right_password_clears_the_account(self) -> None:
        self.wrong(5)

        waiting = self.turn(address="198.51.100.1")
        self.clock.advance(4)
        self.successResultOf(waiting).right()

        self.wrong(2, address="198.51.100.1")
        self.assertEqual(self.wait_of(address="198.51.100.1"), 0)

    def test_an_account_is_slowed_wherever_the_attempts_come_from(self) -> None:
        for number in range(4):
            self.wrong(1, address=f"192.0.2.{number}")

        self.assertEqual(self.wait_of(address="198.51.100.1"), 2)

    def test_an_address_is_slowed_whichever_accounts_it_tries(self) -> None:
        for number in range(4):
            self.wrong(1, account=f"user{number}")

        self.assertEqual(self.wait_of(account="bob"), 2)

    def test_others_are_not_slowed(self) -> None:
        self.wrong(8)

        self.assertEqual(self.wait_of("198.51.100.1", "bob"), 0)

    def test_ones_own_mistakes_do_not_stay_with_the_address(self) -> None:
        self.wrong(3)
        waiting = self.turn()
        self.clock.advance(1)
        self.successResultOf(waiting).right()

        self.assertEqual(self.wait_of(account="bob"), 0)
        self.assertEqual(len(self.throttle), 0)

    def test_an_account_of_ones_own_does_not_pay_for_guesses_at_others(self) -> None:
        for _ in range(4):
            self.wrong(1, account="victim")
            waiting = self.turn(account="mallory")
            self.clock.advance(30)
            self.successResultOf(waiting).right()
        self.wrong(1, account="victim")

        self.assertEqual(self.wait_of(account="bob"), 4)

    def test_attempts_at_one_account_run_one_after_another(self) -> None:
        turns = [self.turn(address=f"192.0.2.{number}") for number in range(4)]
        self.assertEqual([turn.called for turn in turns], [True, False, False, False])

        self.successResultOf(turns[0]).wrong()
        self.assertEqual([turn.called for turn in turns], [True, True, False, False])
        self.successResultOf(turns[1]).wrong()
        self.successResultOf(turns[2]).wrong()
        self.assertFalse(turns[3].called)
        self.clock.advance(0.9)
        self.assertFalse(turns[3].called)
        self.clock.advance(0.1)
        self.assertTrue(turns[3].called)

    def test_however_many_try_at_once_the_rate_is_bounded(self) -> None:
        waiting = {self.turn(address=f"192.0.2.{number}") for number in range(60)}
        begun = refused = 0
        for _ in range(40):
            while ready := [turn for turn in waiting if turn.called]:
                for turn in ready:
                    waiting.discard(turn)
                    if isinstance(turn.result, Turn):
                        begun += 1
                        turn.result.wrong()
                    else:
                        self.failureResultOf(turn, TooFast)
                        refused += 1
            self.clock.advance(1)

        # At 0, 0, 0, 1, 3, 7, 15 and 25 seconds.
        self.assertEqual((begun, refused), (8, 52))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_free_attempt_does_not_wait_behind_one_that_is_held_up(self) -> None:
        self.wrong(6, address="198.51.100.1", account="victim")
        held_up = self.turn(account="victim")

        self.assertFalse(held_up.called)
        self.assertEqual(self.wait_of(account="bob"), 0)
        held_up.cancel()
        self.failureResultOf(held_up, CancelledError)

    def test_an_attempt_that_would_wait_too_long_is_refused_at_once(self) -> None:
        self.wrong(8)
        first = self.turn()

        self.failureResultOf(self.turn(), TooFast)
        self.assertFalse(first.called)
        self.clock.advance(30)
        self.successResultOf(first).undecided()

    def test_an_attempt_whose_turn_does_not_come_in_time_is_refused(self) -> None:
        endless = self.successResultOf(self.turn())
        late = self.turn()

        self.clock.advance(29.9)
        self.assertFalse(late.called)
        self.clock.advance(0.1)

        self.failureResultOf(late, TooFast)
        endless.undecided()
        self.assertEqual(len(self.throttle), 0)

    def test_no_more_than_so_many_wait(self) -> None:
        throttle = Throttle(self.clock, ThrottleLimits(max_waiting=2))
        begun, *waiting = (throttle.turn("a", "alice") for _ in range(3))

        self.failureResultOf(throttle.turn("a", "bob"), TooFast)
        for turn in (begun, *waiting):
            self.successResultOf(turn).right()

    def test_no_more_than_so_many_addresses_wait_for_an_account(self) -> None:
        throttle = Throttle(self.clock, ThrottleLimits(max_waiting=2))
        begun, *waiting = (throttle.turn(address, "alice") for address in "abc")

        self.failureResultOf(throttle.turn("d", "alice"), TooFast)
        for turn in (begun, *waiting):
            self.successResultOf(turn).right()

    def test_giving_up_frees_the_place_and_the_timers(self) -> None:
        self.wrong(4)
        waiting = self.turn()
        self.assertNotEqual(self.clock.getDelayedCalls(), [])

        waiting.cancel()

        self.failureResultOf(waiting, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.wait_of(), 2)

    def test_giving_up_lets_the_next_one_keep_its_place(self) -> None:
        self.wrong(4)
        given_up, next_one = self.turn(), self.turn()
        given_up.cancel()
        self.failureResultOf(given_up, CancelledError)

        self.clock.advance(2)

        self.successResultOf(next_one).right()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_an_attempt_is_over_once(self) -> None:
        turn = self.successResultOf(self.turn())
        turn.right()
        turn.wrong()
        turn.undecided()

        self.assertEqual(len(self.throttle), 0)

    def test_an_attempt_nobody_could_decide_counts_for_nothing(self) -> None:
        for _ in range(5):
            self.successResultOf(self.turn()).undecided()

        self.assertEqual(self.wait_of(), 0)
        self.assertEqual(len(self.throttle), 0)

    def test_wrong_passwords_are_forgotten_after_a_quarter_of_an_hour(self) -> None:
        self.wrong(8)
        self.clock.advance(899)
        self.assertEqual(self.wait_of(), 0)
        self.wrong(1)
        self.assertEqual(self.wait_of(), 30)

        self.clock.advance(900)
        self.wrong(1)

        self.assertEqual(self.wait_of(), 0)

    def test_attempts_without_a_wrong_password_do_not_keep_old_ones_remembered(self) -> None:
        self.wrong(3)
        self.clock.advance(800)
        self.wrong(1, "198.51.100.1", "bob")
        self.assertEqual(self.wait_of(), 0)
        self.clock.advance(150)

        self.wrong(1)

        self.assertEqual(self.wait_of(), 0)

    def test_what_is_forgotten_takes_no_room(self) -> None:
        for number in range(20):
            self.wrong(1, f"192.0.2.{number}", f"user{number}")
        self.assertEqual(len(self.throttle), 40)
        self.clock.advance(900)

        self.successResultOf(self.turn()).right()

        self.assertEqual(len(self.throttle), 0)

    def test_no_more_than_so_many_keys_are_remembered(self) -> None:
        self.throttle = Throttle(self.clock, ThrottleLimits(max_keys=10))
        for number in range(50):
            self.wrong(1, f"192.0.2.{number}", f"user{number}")

        self.assertEqual(len(self.throttle), 10)

    def test_the_longest_unused_key_is_forgotten_first(self) -> None:
        self.throttle = Throttle(self.clock, ThrottleLimits(max_keys=4))
        self.wrong(4, "192.0.2.1", "old")
        self.wrong(4, "192.0.2.2", "new")
        self.wrong(1, "192.0.2.3", "newest")

        self.assertEqual(self.wait_of("198.51.100.2", "old"), 0)

    def test_keys_in_use_are_not_forgotten_but_newcomers_refused(self) -> None:
        throttle = Throttle(self.clock, ThrottleLimits(max_keys=4))
        one, two = (self.successResultOf(throttle.turn(key, key)) for key in "ab")

        self.failureResultOf(throttle.turn("c", "c"), TooFast)

        one.right()
        two.right()
        self.successResultOf(throttle.turn("c", "c")).right()

    def test_an_attack_that_lasts_takes_no_more_room(self) -> None:
        for number in range(100):
            self.wrong(1, address=f"192.0.2.{number}")

        (account,) = (lane for key, lane in self.throttle._lanes.items() if key[1] == "alice")
        self.assertLess(len(account.wrong), 20)
        self.assertEqual(self.wait_of(address="198.51.100.1"), 10)

    def test_an_address_and_an_account_of_one_name_are_two(self) -> None:
        self.wrong(4, address="alice", account="bob")

        self.assertEqual(self.wait_of(address="198.51.100.1", account="alice"), 0)

    def attack(self, seconds: int, *addresses: str) -> None:
        """Keeps as many wrong attempts at alice pending as there may be."""
        for _ in range(seconds):
            for address in addresses:
                self.attack_now(address)
            self.clock.advance(1)

    def attack_now(self, address: str) -> None:
        while True:
            self.pending = [turn for turn in self.pending if not self.guessed(turn)]
            turn = self.turn(address)
            if turn.called and not isinstance(turn.result, Turn):
                self.failureResultOf(turn, TooFast)
                return
            self.pending.append(turn)

    def guessed(self, turn: Deferred[Turn]) -> bool:
        if not turn.called:
            return False
        if isinstance(turn.result, Turn):
            turn.result.wrong()
        else:
            self.failureResultOf(turn, TooFast)
        return True

    def test_strangers_at_it_all_the_time_do_not_keep_out_who_was_here_before(self) -> None:
        self.successResultOf(self.turn()).right()
        self.attack(300, *"abcdef")
        self.failureResultOf(self.turn("198.51.100.1"), TooFast)

        self.successResultOf(self.turn()).right()

    def test_a_stranger_at_it_all_the_time_does_not_keep_out_a_newcomer(self) -> None:
        self.attack(300, "a")

        newcomer = self.turn("198.51.100.1")
        self.attack(20, "a")

        self.successResultOf(newcomer).right()

    def test_the_addresses_take_turns_at_an_account(self) -> None:
        running = self.successResultOf(self.turn("a"))
        (a_next, a_last), (b_next, b_last) = (
            [self.turn(address) for _ in range(2)] for address in "ab"
        )

        running.undecided()

        for turn in (b_next, a_next, b_last, a_last):
            self.successResultOf(turn).undecided()

    def test_who_is_ready_at_the_same_moment_comes_after_who_waited_longer(self) -> None:
        self.wrong(3, "a")
        again = self.turn("a")
        first = self.turn("b")
        self.clock.advance(1)
        self.successResultOf(again).wrong()
        again = self.turn("a")

        self.clock.advance(2)

        self.assertEqual((first.called, again.called), (True, False))
        self.successResultOf(first).right()
        self.successResultOf(again).undecided()

    def test_who_comes_at_the_very_moment_comes_after_who_waited(self) -> None:
        self.wrong(3, "a")
        waiting = self.turn("b")
        self.clock.rightNow += 1

        newcomer = self.turn("c")

        self.assertEqual((waiting.called, newcomer.called), (True, False))
        self.successResultOf(waiting).right()
        self.successResultOf(newcomer).right()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_however_many_are_over_as_soon_as_they_begin_all_have_their_turn(self) -> None:
        running = self.successResultOf(self.turn())
        waiting = [self.turn(str(number % 60)) for number in range(1200)]
        for turn in waiting:
            turn.addCallback(Turn.undecided)

        running.undecided()

        self.assertTrue(all(turn.called for turn in waiting))
        self.assertEqual((len(self.throttle), self.clock.getDelayedCalls()), (0, []))

    def test_one_address_does_not_take_all_places_at_an_account(self) -> None:
        throttle = Throttle(self.clock, ThrottleLimits(max_waiting=2))
        running, *waiting = (throttle.turn("a", "alice") for _ in range(3))

        newcomer = throttle.turn("b", "alice")

        self.failureResultOf(throttle.turn("a", "alice"), TooFast)
        for turn in (running, newcomer, *waiting):
            self.successResultOf(turn).right()

    def test_who_is_trusted_is_slowed_by_their_own_mistakes(self) -> None:
        self.successResultOf(self.turn()).right()
        self.wrong(4)

        self.assertEqual(self.wait_of(), 2)
        self.assertEqual(self.wait_of("198.51.100.1"), 0)

    def test_mistakes_of_who_is_trusted_count_at_the_account(self) -> None:
        self.successResultOf(self.turn()).right()
        self.wrong(2)
        self.wrong(2, "198.51.100.1")

        self.assertEqual(self.wait_of("198.51.100.2"), 2)

    def test_who_is_trusted_does_not_wait_for_an_attempt_that_runs(self) -> None:
        self.successResultOf(self.turn()).right()
        stranger = self.successResultOf(self.turn("203.0.113.1"))

        trusted = self.successResultOf(self.turn())

        trusted.undecided()
        self.assertFalse(self.turn("203.0.113.2").called)
        stranger.undecided()

    def test_trust_is_for_one_address_and_one_account(self) -> None:
        self.successResultOf(self.turn()).right()
        self.wrong(5, "203.0.113.1")
        self.assertEqual(self.wait_of("203.0.113.3"), 4)

        self.wrong(5, "203.0.113.2", "bob")
        self.assertEqual(self.wait_of(account="bob"), 4)

    def test_trust_ends(self) -> None:
        self.throttle = Throttle(self.clock, ThrottleLimits(trust_for=60))
        self.successResultOf(self.turn()).right()
        self.clock.advance(60)
        self.wrong(5, "203.0.113.1")

        self.assertEqual(self.wait_of(), 4)

    def test_no_more_than_so_many_are_trusted_and_the_longest_unused_goes_first(self) -> None:
        self.throttle = Throttle(self.clock, ThrottleLimits(max_trusted=2))
        for address in ("a", "b", "a", "c"):
            self.successResultOf(self.turn(address)).right()
        self.wrong(5, "203.0.113.1")

        self.assertEqual([self.wait_of(address) for address in "acb"], [0, 0, 4])
        self.assertEqual(len(self.throttle._trusted), 2)

    def test_who_becomes_trusted_while_waiting_waits_no_longer_than_for_the_address(self) -> None:
        self.wrong(1, "203.0.113.1")
        running = self.successResultOf(self.turn())
        waiting = self.turn()
        running.right()

        self.successResultOf(waiting).right()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_however_long_an_account_is_attacked_the_rate_is_bounded(self) -> None:
        addresses = [f"203.0.113.{number}" for number in range(20)]
        begun = 0
        waiting: list[Deferred[Turn]] = []
        for _ in range(1000):
            waiting += [self.turn(address) for address in addresses]
            while ready := [turn for turn in waiting if turn.called]:
                begun += sum(isinstance(turn.result, Turn) for turn in ready)
                waiting = [turn for turn in waiting if not turn.called]
                for turn in ready:
                    self.guessed(turn)
            self.clock.advance(1)

        self.assertLess(begun, 110)
