"""Who may connect, by address and by clock."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from chatservice.networking.admission import Admission, Refusal, address_group

ALICE, BOB = "192.0.2.1", "192.0.2.2"


class AddressGroupTests(SynchronousTestCase):
    def test_who_shares_a_group(self) -> None:
        for host, group in (
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("/run/chat.sock", "local"),
            ("", "local"),
            ("chat.example", "local"),
        ):
            self.assertEqual(address_group(host), group)


class TotalTests(SynchronousTestCase):
    def test_no_limits_admit_everybody(self) -> None:
        admission = Admission(Clock())
        self.assertEqual({admission.admit(ALICE) for _ in range(1000)}, {None})
        self.assertEqual(admission.open_connections, 1000)

    def test_a_full_server_refuses_until_somebody_leaves(self) -> None:
        admission = Admission(Clock(), connections=2)
        self.assertIsNone(admission.admit(ALICE))
        self.assertIsNone(admission.admit(BOB))
        self.assertIs(admission.admit("192.0.2.3"), Refusal.FULL)
        admission.release(ALICE)
        self.assertIsNone(admission.admit("192.0.2.3"))

    def test_nobody_is_exempt_from_the_total(self) -> None:
        admission = Admission(Clock(), connections=1, exempt=["127.0.0.0/8"])
        self.assertIsNone(admission.admit("127.0.0.1"))
        self.assertIs(admission.admit("127.0.0.1"), Refusal.FULL)
        self.assertIs(admission.admit("/run/chat.sock"), Refusal.FULL)


class PerAddressTests(SynchronousTestCase):
    def test_one_address_has_so_many_and_others_have_theirs(self) -> None:
        admission = Admission(Clock(), connections_per_address=2)
        self.assertIsNone(admission.admit(ALICE))
        self.assertIsNone(admission.admit(ALICE))
        self.assertIs(admission.admit(ALICE), Refusal.TOO_MANY)
        self.assertIsNone(admission.admit(BOB))
        admission.release(ALICE)
        self.assertIsNone(admission.admit(ALICE))

    def test_an_ipv6_network_counts_as_one(self) -> None:
        admission = Admission(Clock(), connections_per_address=1)
        self.assertIsNone(admission.admit("2001:db8::1"))
        self.assertIs(admission.admit("2001:db8::2"), Refusal.TOO_MANY)
        self.assertIsNone(admission.admit("2001:db8:0:1::2"))

    def test_a_refused_connection_counts_for_nothing(self) -> None:
        admission = Admission(Clock(), connections_per_address=1, new_connections_per_minute=2)
        admission.admit(ALICE)
        for _ in range(10):
            self.assertIs(admission.admit(ALICE), Refusal.TOO_MANY)
        self.assertEqual(admission.open_connections, 1)
        admission.release(ALICE)
        self.assertIsNone(admission.admit(ALICE))

    def test_exempt_networks_and_local_sockets_are_not_bound(self) -> None:
        admission = Admission(
            Clock(),
            connections_per_address=1,
            new_connections_per_minute=1,
            exempt=["10.0.0.0/8", "::1", "10.1.2.3/16"],
        )
        for host in ("10.9.9.9", "::ffff:10.9.9.9", "::1", "/run/chat.sock"):
            self.assertEqual([admission.admit(host) for _ in range(3)], [None] * 3)
            for _ in range(3):
                admission.release(host)
        self.assertEqual(admission.open_connections, 0)

    def test_an_exemption_that_is_no_network_is_an_error(self) -> None:
        self.assertRaises(ValueError, Admission, Clock(), exempt=["10.0.0.0/99"])


class RateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.admission = Admission(self.clock, new_connections_per_minute=6)

    def come_and_go(self) -> Refusal | None:
        refusal = self.admission.admit(ALICE)
        if refusal is None:
            self.admission.release(ALICE)
        return refusal

    def test_a_minutes_worth_may_come_at_once_and_no_more(self) -> None:
        self.assertEqual([self.come_and_go() for _ in range(6)], [None] * 6)
        self.assertIs(self.come_and_go(), Refusal.TOO_FAST)

    def test_the_allowance_refills_evenly(self) -> None:
        for _ in range(6):
            self.come_and_go()
        self.clock.advance(9.5)
        self.assertIs(self.come_and_go(), Refusal.TOO_FAST)
        self.clock.advance(0.5)
        self.assertIsNone(self.come_and_go())
        self.assertIs(self.come_and_go(), Refusal.TOO_FAST)

    def test_a_long_rest_saves_no_more_than_a_minutes_worth(self) -> None:
        # It stays connected, so that it is remembered.
        self.admission.admit(ALICE)
        self.clock.advance(3600)
        self.assertEqual([self.come_and_go() for _ in range(6)], [None] * 6)
        self.assertIs(self.come_and_go(), Refusal.TOO_FAST)

    def test_other_addresses_have_allowances_of_their_own(self) -> None:
        for _ in range(7):
            self.come_and_go()
        self.assertIsNone(self.admission.admit(BOB))


class MoveTests(SynchronousTestCase):
    """Connections through a proxy, whose clients' addresses are known after its own."""

    PROXY = "10.0.0.1"

    def admission(self, exempt: str = "10.0.0.0/8", **limits: int) -> Admission:
        return Admission(Clock(), exempt=[exempt], **limits)

    def test_a_moved_connection_counts_where_it_has_moved_to(self) -> None:
        admission = self.admission(connections=2, connections_per_address=1)
        for client in (ALICE, BOB):
            self.assertIsNone(admission.admit(self.PROXY))
            self.assertIsNone(admission.move(self.PROXY, client))
        self.assertEqual(admission.open_connections, 2)
        admission.release(ALICE)
        self.assertIsNone(admission.admit(ALICE))

    def test_a_move_that_is_refused_leaves_it_where_it_is(self) -> None:
        admission = self.admission("198.51.100.0/24", connections_per_address=1)
        admission.admit(ALICE)
        admission.admit(self.PROXY)
        self.assertIs(admission.move(self.PROXY, ALICE), Refusal.TOO_MANY)
        self.assertEqual(admission.refused[Refusal.TOO_MANY], 1)
        self.assertIs(admission.admit(self.PROXY), Refusal.TOO_MANY)
        admission.release(self.PROXY)
        self.assertIsNone(admission.admit(self.PROXY))
        self.assertEqual(admission.open_connections, 2)

    def test_a_proxy_that_is_not_exempt_has_its_place_back(self) -> None:
        admission = self.admission("198.51.100.0/24", connections_per_address=1)
        for client in (ALICE, BOB):
            self.assertIsNone(admission.admit(self.PROXY))
            self.assertIsNone(admission.move(self.PROXY, client))

    def test_a_move_within_one_network_is_none(self) -> None:
        admission = self.admission(connections_per_address=1)
        admission.admit("2001:db8::1")
        self.assertIsNone(admission.move("2001:db8::1", "2001:db8::2"))


class MemoryTests(SynchronousTestCase):
    def test_without_a_rate_an_address_is_forgotten_when_its_last_connection_ends(self) -> None:
        admission = Admission(Clock(), connections_per_address=5)
        admission.admit(ALICE)
        admission.admit(ALICE)
        admission.release(ALICE)
        self.assertEqual(admission.groups_remembered, 1)
        admission.release(ALICE)
        self.assertEqual(admission.groups_remembered, 0)

    def test_addresses_that_came_and_went_are_forgotten_in_time(self) -> None:
        clock = Clock()
        admission = Admission(clock, new_connections_per_minute=2)
        for number in range(200):
            admission.admit(f"198.51.100.{number}")
            admission.release(f"198.51.100.{number}")
        admission.admit(ALICE)
        self.assertEqual(admission.groups_remembered, 201)

        clock.advance(61)
        admission.admit(BOB)

        self.assertEqual(admission.groups_remembered, 2)

    def test_refusals_have_words_for_people(self) -> None:
        for refusal in Refusal:
            self.assertIn(" ", refusal.value)
