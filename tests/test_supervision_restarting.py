"""The supervisor: failures while it is restarting, or being stopped."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from chatservice.supervision import (
    Strategy,
    Supervisor,
)
from tests.supervision_case import Crash, SupervisionTestCase


class WhileRestartingTests(SupervisionTestCase):
    def test_a_start_that_fails_in_a_restart_is_another_failure(self) -> None:
        supervisor = self.supervisor(intensity=3)
        a = self.child(supervisor, "a")
        supervisor.startService()
        later: Deferred[None] = Deferred()
        a.starts = [Crash("first"), later]
        a.crash()
        self.turn()
        later.errback(Crash("second"))

        self.assertEqual(supervisor.restarts, {"a": 3})
        self.assertTrue(a.running)
        self.assertEqual(self.crashes(), ["a", "first", "second"])

    def test_starts_that_go_on_failing_exhaust_the_intensity(self) -> None:
        supervisor = self.supervisor(intensity=3)
        a = self.child(supervisor, "a")
        supervisor.startService()
        a.starts = [Crash(str(number)) for number in range(10)]
        a.crash()
        self.turn()

        self.assertEqual(supervisor.restarts, {"a": 3})
        self.assertEqual([str(failure.value) for failure in self.given_up], ["2"])
        self.assertEqual(self.crashes(), ["a", "0", "1", "2"])

    def test_a_sibling_that_fails_to_start_along_is_the_next_to_be_restarted(self) -> None:
        supervisor = self.supervisor(Strategy.REST_FOR_ONE)
        a, b, _ = self.family(supervisor)
        supervisor.startService()
        b.starts = [Crash("b")]
        self.news()

        a.crash()
        self.turn()

        self.assertEqual(
            self.news(),
            ["stop c", "stop b", "stop a", "start a", "start b", "stop b", "start b", "start c"],
        )
        self.assertEqual(supervisor.restarts, {"a": 1, "b": 1, "c": 0})
        self.assertEqual(self.crashes(), ["a", "b"])

    def test_a_failure_elsewhere_waits_for_the_restart_under_way(self) -> None:
        supervisor = self.supervisor()
        a, b, _ = self.family(supervisor)
        supervisor.startService()
        loading: Deferred[None] = Deferred()
        a.starts = [loading]
        self.news()

        a.crash()
        self.turn()
        b.crash()
        self.turn()
        self.assertEqual(self.news(), ["stop a", "start a"])
        loading.callback(None)

        self.assertEqual(self.news(), ["stop b", "start b"])
        self.assertEqual(supervisor.restarts, {"a": 1, "b": 1, "c": 0})
        self.assertEqual(self.crashes(), ["a", "b"])

    def test_failures_that_one_restart_mends_are_coalesced(self) -> None:
        supervisor = self.supervisor(Strategy.ONE_FOR_ALL)
        a, b, _ = self.family(supervisor)
        supervisor.startService()
        self.news()

        a.crash()
        b.crash()
        self.turn()

        self.assertEqual(
            self.news(), ["stop c", "stop b", "stop a", "start a", "start b", "start c"]
        )
        self.assertEqual(supervisor.restarts, {"a": 1, "b": 0, "c": 0})
        self.assertEqual(self.crashes(), ["a", "b"])

    def test_a_sibling_already_started_anew_that_fails_meanwhile_is_not_lost(self) -> None:
        supervisor = self.supervisor(Strategy.ONE_FOR_ALL)
        a, b, _ = self.family(supervisor)
        supervisor.startService()
        loading: Deferred[None] = Deferred()
        b.starts = [loading]
        a.crash()
        self.turn()
        self.news()

        a.crash()
        self.turn()
        self.assertEqual(self.news(), [])
        loading.callback(None)

        self.assertEqual(
            self.news(),
            ["start c", "stop c", "stop b", "stop a", "start a", "start b", "start c"],
        )
        self.assertEqual(supervisor.restarts["a"], 2)
        self.assertEqual(self.crashes(), ["a", "a"])

    def test_a_child_that_hangs_in_its_stop_is_started_after_its_shutdown_time(self) -> None:
        supervisor = self.supervisor()
        a = self.child(supervisor, "a")
        supervisor.startService()
        a.stops = [Deferred()]
        a.crash()
        self.turn()
        self.assertEqual(self.news(), ["start a", "stop a"])
        self.clock.advance(2.0)
        self.assertEqual(self.news(), ["start a"])
        self.crashes()

    def test_a_stop_during_the_stopping_half_is_the_end_of_the_restart(self) -> None:
        supervisor = self.supervisor(Strategy.ONE_FOR_ALL)
        a, b, _ = self.family(supervisor)
        supervisor.startService()
        closing: Deferred[None] = Deferred()
        b.stops = [closing]
        self.news()
        a.crash()
        self.turn()

        stopped = supervisor.stopService()
        self.assertNoResult(stopped)
        closing.callback(None)

        self.successResultOf(stopped)
        self.assertEqual(self.news(), ["stop c", "stop b", "stop a"])
        self.crashes()

    def test_a_stop_during_the_starting_half_is_the_end_of_the_restart(self) -> None:
        supervisor = self.supervisor(Strategy.ONE_FOR_ALL)
        a, b, _ = self.family(supervisor)
        supervisor.startService()
        b.starts = [Deferred()]
        a.crash()
        self.turn()
        self.news()

        self.successResultOf(supervisor.stopService())

        self.assertEqual(self.news(), ["stop b", "stop a"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.crashes()

    def test_a_stop_while_a_failed_start_is_cleaned_up_is_the_end_of_the_restart(self) -> None:
        supervisor = self.supervisor(intensity=1)
        a = self.child(supervisor, "a")
        supervisor.startService()
        closing: Deferred[None] = Deferred()
        a.starts, a.stops = [Crash("again")], [None, closing]
        a.crash()
        self.turn()
        self.news()

        stopped = supervisor.stopService()
        closing.callback(None)

        self.successResultOf(stopped)
        self.assertEqual((self.news(), self.given_up), ([], []))
        self.assertEqual(self.crashes(), ["a", "again"])

    def test_a_waiting_failure_that_the_restart_under_way_mends_is_coalesced(self) -> None:
        supervisor = self.supervisor(Strategy.ONE_FOR_ALL)
        a, b, c = self.family(supervisor)
        supervisor.startService()
        closing: Deferred[None] = Deferred()
        c.stops = [closing]
        a.crash()
        self.turn()
        b.crash()
        self.turn()
        self.news()

        closing.callback(None)

        self.assertEqual(self.news(), ["stop b", "stop a", "start a", "start b", "start c"])
        self.assertEqual(supervisor.restarts, {"a": 1, "b": 0, "c": 0})
        self.assertEqual(self.crashes(), ["a", "b"])

    def test_however_many_failures_wait_none_is_lost(self) -> None:
        supervisor = self.supervisor(intensity=2000)
        a = self.child(supervisor, "a")
        crowd = [self.child(supervisor, str(number)) for number in range(1000)]
        supervisor.startService()
        loading: Deferred[None] = Deferred()
        a.starts = [loading]
        a.crash()
        self.turn()
        for child in crowd:
            child.crash()
        self.turn()

        loading.callback(None)

        self.assertEqual(set(supervisor.restarts.values()), {1})
        self.assertEqual(len(self.crashes()), 1001)

    def test_failures_that_wait_when_the_stop_comes_are_dropped(self) -> None:
        supervisor = self.supervisor()
        a, b, _ = self.family(supervisor)
        supervisor.startService()
        a.starts = [Deferred()]
        a.crash()
        self.turn()
        b.crash()
        self.turn()
        self.news()

        self.successResultOf(supervisor.stopService())

        self.assertEqual(self.news(), ["stop c", "stop b", "stop a"])
        self.assertEqual(self.crashes(), ["a", "b"])

    def test_the_hook_hears_of_each_restart(self) -> None:
        heard: list[str] = []
        supervisor = Supervisor(self.clock, intensity=5, on_restart=heard.append)
        a, b, _ = self.family(supervisor)
        supervisor.startService()
        for child in (b, a, b):
            child.crash()
            self.turn()
        self.assertEqual(heard, ["b", "a", "b"])
        self.crashes()

    def test_a_hook_that_raises_prevents_no_restart(self) -> None:
        def raising(name: str) -> None:
            raise Crash(f"hook {name}")

        supervisor = Supervisor(self.clock, on_restart=raising)
        a = self.child(supervisor, "a")
        supervisor.startService()
        a.crash()
        self.turn()
        self.assertEqual(self.news(), ["start a", "stop a", "start a"])
        self.assertEqual(self.crashes(), ["a", "hook a"])
