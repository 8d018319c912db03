"""Token buckets: what a rest gives back, and what dear requests cost."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller.desk import Flow
from chatservice.controller.rate import Allowance, TokenBucket
from chatservice.controller.session import base
from tests.bench import House


class TokenBucketTests(SynchronousTestCase):
    def test_a_burst_is_allowed_and_then_the_rate(self) -> None:
        bucket = TokenBucket(rate=2, burst=3, now=0)

        self.assertEqual([bucket.take(0) for _ in range(4)], [True, True, True, False])
        self.assertEqual([bucket.take(0.5), bucket.take(0.5)], [True, False])

    def test_a_long_rest_gives_no_more_than_a_burst(self) -> None:
        bucket = TokenBucket(rate=2, burst=3, now=0)

        self.assertEqual([bucket.take(1000) for _ in range(4)], [True, True, True, False])

    def test_what_is_owed_is_paid_back_before_anything_else(self) -> None:
        bucket = TokenBucket(rate=1, burst=2, now=0)

        bucket.charge(4)

        self.assertEqual([bucket.take(2), bucket.take(3)], [False, True])

    def test_it_says_how_long_to_wait_for_the_next_one(self) -> None:
        bucket = TokenBucket(rate=4, burst=1, now=0)

        self.assertEqual([bucket.wait(0), bucket.wait(0), bucket.wait(0.125)], [0, 0.25, 0.125])
        self.assertEqual(bucket.wait(0.25), 0)


class AllowanceTests(SynchronousTestCase):
    def test_each_name_has_its_own(self) -> None:
        allowance = Allowance(rate=1, burst=1)

        self.assertEqual([allowance.take(name, 0) for name in "aab"], [True, False, True])

    def test_a_rate_of_zero_allows_everything(self) -> None:
        allowance = Allowance(rate=0, burst=0)

        self.assertTrue(all(allowance.take("a", 0) for _ in range(100)))

    def test_it_remembers_no_more_names_than_it_may(self) -> None:
        allowance = Allowance(rate=1, burst=1, most=2)

        taken = [allowance.take(name, 0) for name in "abca"]

        self.assertEqual(taken, [True, True, True, True])


class ListTests(SynchronousTestCase):
    def test_a_long_list_costs_more_than_a_short_answer(self) -> None:
        self.patch(base, "_ITEMS_A_TOKEN", 1)
        house = House(flow=Flow(rate=1, burst=6))
        house.user("bob")
        alice = house.user("alice")  # who has spent one of six

        answers = alice.ask(*["LISTUSERS:"] * 3)  # one, and two for its items, each

        self.assertTrue(answers[-1].startswith("ERR:LISTUSERS:TOO_FAST:"), answers)
        self.assertIn("OK:LISTUSERS", answers)
        house.wait(2)
        self.assertEqual(alice.ask("WHOAMI:"), ["OK:WHOAMI:alice"])
