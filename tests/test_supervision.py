"""The supervisor: strategies, restart types, intensity, escalation and membership."""

from __future__ import annotations

from twisted.application.service import Service
from twisted.internet.defer import Deferred

from chatservice.supervision import (
    ChildEnded,
    Restart,
    Strategy,
    Supervisor,
)
from tests.supervision_case import Child, Crash, SupervisionTestCase


class StrategyTests(SupervisionTestCase):
    def after_a_crash_of_b(self, strategy: Strategy) -> list[str]:
        supervisor = self.supervisor(strategy)
        _, b, _ = self.family(supervisor)
        supervisor.startService()
        self.news()
        b.crash()
        self.turn()
        self.assertEqual(self.crashes(), ["b"])
        self.assertEqual(supervisor.restarts, {"a": 0, "b": 1, "c": 0})
        return self.news()

    def test_one_for_one_restarts_the_one_that_failed(self) -> None:
        self.assertEqual(self.after_a_crash_of_b(Strategy.ONE_FOR_ONE), ["stop b", "start b"])

    def test_one_for_all_restarts_all_in_order(self) -> None:
        self.assertEqual(
            self.after_a_crash_of_b(Strategy.ONE_FOR_ALL),
            ["stop c", "stop b", "stop a", "start a", "start b", "start c"],
        )

    def test_rest_for_one_restarts_it_and_those_started_after_it(self) -> None:
        self.assertEqual(
            self.after_a_crash_of_b(Strategy.REST_FOR_ONE),
            ["stop c", "stop b", "start b", "start c"],
        )

    def test_the_child_is_not_stopped_under_its_own_feet(self) -> None:
        supervisor = self.supervisor()
        a = self.child(supervisor, "a")
        supervisor.startService()
        self.news()

        a.crash()

        self.assertEqual(self.news(), [])
        self.turn()
        self.assertEqual(self.news(), ["stop a", "start a"])
        self.crashes()

    def test_siblings_restarted_along_start_one_after_another(self) -> None:
        supervisor = self.supervisor(Strategy.ONE_FOR_ALL)
        a, b, _ = self.family(supervisor)
        supervisor.startService()
        loading: Deferred[None] = Deferred()
        a.starts = [loading]
        self.news()

        b.crash()
        self.turn()
        self.assertEqual(self.news(), ["stop c", "stop b", "stop a", "start a"])
        loading.callback(None)
        self.assertEqual(self.news(), ["start b", "start c"])
        self.crashes()

    def test_a_temporary_sibling_is_stopped_along_and_stays_so(self) -> None:
        supervisor = self.supervisor(Strategy.ONE_FOR_ALL)
        a = self.child(supervisor, "a")
        self.child(supervisor, "passing", Restart.TEMPORARY)
        supervisor.startService()
        self.news()

        a.crash()
        self.turn()

        self.assertEqual(self.news(), ["stop passing", "stop a", "start a"])
        self.crashes()

    def test_a_transient_sibling_that_had_ended_is_started_along(self) -> None:
        supervisor = self.supervisor(Strategy.ONE_FOR_ALL)
        a = self.child(supervisor, "a")
        once = self.child(supervisor, "once", Restart.TRANSIENT)
        supervisor.startService()
        once.finish()
        self.turn()
        self.news()

        a.crash()
        self.turn()

        self.assertEqual(self.news(), ["stop a", "start a", "start once"])
        self.crashes()


class RestartTypeTests(SupervisionTestCase):
    def is_restarted(self, restart: Restart, *, after_failure: bool) -> bool:
        supervisor = self.supervisor()
        child = self.child(supervisor, "x", restart)
        supervisor.startService()
        self.news()
        if after_failure:
            child.crash()
        else:
            child.finish()
        self.turn()
        self.assertEqual(self.crashes(), ["x"] if after_failure else [])
        news = self.news()
        self.assertEqual(news[0], "stop x")
        self.assertEqual(supervisor.restarts["x"], len(news[1:]))
        self.assertEqual(self.given_up, [])
        return news[1:] == ["start x"]

    def test_a_permanent_child_is_restarted_whatever_its_end(self) -> None:
        self.assertTrue(self.is_restarted(Restart.PERMANENT, after_failure=True))
        self.assertTrue(self.is_restarted(Restart.PERMANENT, after_failure=False))

    def test_a_transient_child_is_restarted_after_a_failure_only(self) -> None:
        self.assertTrue(self.is_restarted(Restart.TRANSIENT, after_failure=True))
        self.assertFalse(self.is_restarted(Restart.TRANSIENT, after_failure=False))

    def test_a_temporary_child_is_never_restarted(self) -> None:
        self.assertFalse(self.is_restarted(Restart.TEMPORARY, after_failure=True))
        self.assertFalse(self.is_restarted(Restart.TEMPORARY, after_failure=False))

    def test_a_child_that_ended_is_not_stopped_again(self) -> None:
        supervisor = self.supervisor()
        self.child(supervisor, "a")
        child = self.child(supervisor, "once", Restart.TRANSIENT)
        supervisor.startService()
        child.finish()
        self.turn()
        self.news()

        supervisor.stopService()

        self.assertEqual(self.news(), ["stop a"])

    def test_only_the_first_report_of_an_end_counts(self) -> None:
        supervisor = self.supervisor()
        child = self.child(supervisor, "once", Restart.TRANSIENT)
        supervisor.startService()
        self.news()

        child.finish()
        child.crash()
        self.turn()

        self.assertEqual(self.news(), ["stop once"])

    def test_a_child_may_end_within_its_start(self) -> None:
        class Brief(Child):
            def startService(self) -> Deferred[None] | None:
                starting = super().startService()
                self.finish()
                return starting

        supervisor = self.supervisor()
        supervisor.supervise(Brief(self.diary), name="brief", restart=Restart.TRANSIENT)
        self.child(supervisor, "b")

        self.successResultOf(supervisor.startService())
        self.turn()

        self.assertEqual(self.news(), ["start brief", "start b", "stop brief"])
        self.assertEqual(self.given_up, [])

    def test_a_child_that_is_not_running_reports_nothing(self) -> None:
        supervisor = self.supervisor()
        child = self.child(supervisor, "a")
        child.crash()
        child.finish()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_failure_without_a_supervisor_is_logged(self) -> None:
        child = Child(self.diary)
        child.name = "alone"
        child.startService()
        child.crash()
        self.assertEqual(self.crashes(), ["alone"])


class IntensityTests(SupervisionTestCase):
    def crash_after(self, child: Child, seconds: float) -> None:
        self.clock.advance(seconds)
        child.crash()
        self.turn()

    def test_restarts_within_the_intensity_are_made(self) -> None:
        supervisor = self.supervisor(intensity=2, period=10)
        a = self.child(supervisor, "a")
        supervisor.startService()
        self.crash_after(a, 1)
        self.crash_after(a, 1)
        self.assertEqual((supervisor.restarts, self.given_up), ({"a": 2}, []))
        self.assertEqual(self.crashes(), ["a", "a"])

    def test_one_more_stops_all_in_reverse_and_gives_up(self) -> None:
        supervisor = self.supervisor(intensity=1, period=10)
        _, b, _ = self.family(supervisor)
        supervisor.startService()
        self.crash_after(b, 1)
        self.news()

        self.crash_after(b, 8)

        self.assertEqual(self.news(), ["stop c", "stop b", "stop a"])
        self.assertEqual([str(failure.value) for failure in self.given_up], ["b"])
        self.assertFalse(supervisor.running)
        self.assertEqual(supervisor.restarts["b"], 1)
        self.assertEqual(self.crashes(), ["b", "b"])

    def test_restarts_longer_ago_than_the_period_are_forgotten(self) -> None:
        supervisor = self.supervisor(intensity=1, period=10)
        a = self.child(supervisor, "a")
        supervisor.startService()
        for _ in range(5):
            self.crash_after(a, 10.1)
        self.assertEqual((supervisor.restarts, self.given_up), ({"a": 5}, []))
        self.crashes()

    def test_the_period_includes_its_end(self) -> None:
        supervisor = self.supervisor(intensity=1, period=10)
        a = self.child(supervisor, "a")
        supervisor.startService()
        self.crash_after(a, 0)
        self.crash_after(a, 10)
        self.assertEqual(len(self.given_up), 1)
        self.crashes()

    def test_the_failures_of_all_children_count_together(self) -> None:
        supervisor = self.supervisor(intensity=1)
        a, b, _ = self.family(supervisor)
        supervisor.startService()
        self.crash_after(a, 1)
        self.crash_after(b, 1)
        self.assertEqual(len(self.given_up), 1)
        self.assertEqual(self.crashes(), ["a", "b"])

    def test_each_child_has_its_shutdown_time_when_the_supervisor_gives_up(self) -> None:
        supervisor = self.supervisor(intensity=0)
        a, b, _ = self.family(supervisor)
        supervisor.startService()
        a.stops, b.stops = [Deferred()], [Deferred()]

        a.crash()
        self.clock.pump([0, 2.0])
        self.assertEqual(self.given_up, [])
        self.clock.advance(2.0)

        self.assertEqual(len(self.given_up), 1)
        self.crashes()

    def test_a_permanent_child_that_ends_normally_too_often_is_named(self) -> None:
        supervisor = self.supervisor(intensity=0)
        a = self.child(supervisor, "a")
        supervisor.startService()
        a.finish()
        self.turn()
        self.assertEqual([failure.type for failure in self.given_up], [ChildEnded])

    def test_a_stop_while_it_gives_up_leaves_nobody_to_tell(self) -> None:
        supervisor = self.supervisor(intensity=0)
        a = self.child(supervisor, "a")
        supervisor.startService()
        closing: Deferred[None] = Deferred()
        a.stops = [closing]
        a.crash()
        self.turn()

        stopped = supervisor.stopService()
        closing.callback(None)

        self.successResultOf(stopped)
        self.assertEqual(self.given_up, [])
        self.assertEqual(self.news(), ["start a", "stop a"])
        self.crashes()

    def test_a_start_after_giving_up_begins_anew(self) -> None:
        supervisor = self.supervisor(intensity=1)
        a = self.child(supervisor, "a")
        supervisor.startService()
        self.crash_after(a, 0)
        self.crash_after(a, 0)
        self.assertEqual(len(self.given_up), 1)

        supervisor.startService()
        self.crash_after(a, 0)

        self.assertEqual(len(self.given_up), 1)
        self.assertTrue(a.running)
        self.crashes()

    def test_absurd_figures_are_refused(self) -> None:
        self.assertRaises(ValueError, Supervisor, self.clock, intensity=-1)
        self.assertRaises(ValueError, Supervisor, self.clock, period=0)


class EscalationTests(SupervisionTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.root = self.supervisor(intensity=1, period=5)
        self.branch = Supervisor(self.clock, intensity=1, period=60)
        self.child(self.root, "a")
        self.root.supervise(self.branch, name="branch")
        self.b = self.child(self.branch, "b")
        self.c = self.child(self.branch, "c")
        self.root.startService()
        self.news()

    def crash(self, times: int) -> None:
        for _ in range(times):
            self.b.crash()
            self.clock.pump([0, 0])

    def test_a_failure_within_the_intensity_stays_below(self) -> None:
        self.crash(1)
        self.assertEqual(self.news(), ["stop b", "start b"])
        self.assertEqual(self.root.restarts, {"a": 0, "branch": 0})
        self.crashes()

    def test_past_it_the_supervisor_is_restarted_by_its_parent(self) -> None:
        self.crash(1)
        self.news()
        self.crash(1)
        self.assertEqual(self.news(), ["stop c", "stop b", "start b", "start c"])
        self.assertEqual(self.root.restarts, {"a": 0, "branch": 1})
        self.assertEqual(self.branch.restarts, {"b": 1, "c": 0})
        self.crashes()

    def test_a_restarted_supervisor_has_a_fresh_intensity(self) -> None:
        self.crash(3)
        self.assertEqual(self.root.restarts["branch"], 1)
        self.assertEqual(self.branch.restarts["b"], 2)
        self.assertTrue(self.b.running)
        self.crashes()

    def test_past_the_parents_intensity_the_root_gives_up(self) -> None:
        self.crash(3)
        self.news()
        self.crash(1)
        self.assertEqual(self.news(), ["stop c", "stop b", "stop a"])
        self.assertEqual([str(failure.value) for failure in self.given_up], ["b"])
        self.crashes()

    def test_a_supervisor_that_fails_to_start_again_is_another_failure(self) -> None:
        self.c.starts = [Crash("c")]
        self.crash(2)
        self.assertEqual(
            self.news(),
            [
                *("stop b", "start b"),  # within the branch
                *("stop c", "stop b", "start b", "start c"),  # by the root
                *("stop c", "stop b", "stop a"),  # for good
            ],
        )
        self.assertEqual([str(failure.value) for failure in self.given_up], ["c"])
        self.crashes()

    def test_a_stop_reaches_a_supervisor_that_is_giving_up(self) -> None:
        self.crash(1)
        closing: Deferred[None] = Deferred()
        self.c.stops = [closing]
        self.crash(1)
        self.news()

        stopped = self.root.stopService()
        closing.callback(None)

        self.successResultOf(stopped)
        self.assertEqual(self.news(), ["stop b", "stop a"])
        self.assertEqual(self.given_up, [])
        self.crashes()

    def test_a_stop_reaches_a_supervisor_that_is_starting(self) -> None:
        self.successResultOf(self.root.stopService())
        self.c.starts = [Deferred()]
        started = self.root.startService()
        self.news()

        self.successResultOf(self.root.stopService())

        self.assertEqual(self.news(), ["stop c", "stop b", "stop a"])
        self.successResultOf(started)


class MembershipTests(SupervisionTestCase):
    def test_a_child_added_to_a_running_supervisor_starts_at_once(self) -> None:
        supervisor = self.supervisor()
        supervisor.startService()
        self.child(supervisor, "late")
        self.assertEqual(self.news(), ["privileged None", "start late"])

    def test_a_child_added_while_others_start_has_its_turn(self) -> None:
        supervisor = self.supervisor()
        loading: Deferred[None] = Deferred()
        self.child(supervisor, "a").starts = [loading]
        supervisor.startService()
        self.child(supervisor, "late")
        self.assertNotIn("start late", self.news())
        loading.callback(None)
        self.assertEqual(self.news(), ["start late"])

    def test_a_late_child_that_fails_to_start_is_restarted(self) -> None:
        supervisor = self.supervisor()
        supervisor.startService()
        late = Child(self.diary)
        late.starts = [Crash("late")]
        supervisor.supervise(late, name="late")
        self.assertEqual(supervisor.restarts, {"late": 1})
        self.assertTrue(late.running)
        self.assertEqual(self.crashes(), ["late"])

    def test_a_late_temporary_child_that_fails_to_start_is_not(self) -> None:
        supervisor = self.supervisor()
        supervisor.startService()
        late = Child(self.diary)
        late.starts = [Crash("late")]
        supervisor.supervise(late, name="late", restart=Restart.TEMPORARY)
        self.assertFalse(late.running)
        self.assertEqual((supervisor.restarts, self.given_up), ({"late": 0}, []))
        self.assertEqual(self.crashes(), ["late"])

    def test_a_name_is_given_once(self) -> None:
        supervisor = self.supervisor()
        self.child(supervisor, "a")
        self.assertRaises(RuntimeError, supervisor.supervise, Child([]), name="a")
        self.assertEqual(len(list(supervisor)), 1)

    def test_a_child_of_another_is_refused(self) -> None:
        child = self.child(self.supervisor(), "a")
        self.assertRaises(RuntimeError, self.supervisor().supervise, child, name="a")

    def test_children_come_in_through_supervise_alone(self) -> None:
        stray = Service()
        self.assertRaises(RuntimeError, stray.setServiceParent, self.supervisor())

    def test_a_child_is_found_by_name(self) -> None:
        supervisor = self.supervisor()
        child = self.child(supervisor, "a")
        self.assertIs(supervisor.getServiceNamed("a"), child)

    def test_a_removed_child_is_stopped_and_forgotten(self) -> None:
        supervisor = self.supervisor()
        _, b, _ = self.family(supervisor)
        supervisor.startService()
        self.news()

        self.successResultOf(b.disownServiceParent())

        self.assertEqual(self.news(), ["stop b"])
        self.assertNotIn(b, list(supervisor))
        supervisor.stopService()
        self.assertEqual(self.news(), ["stop c", "stop a"])
        self.child(supervisor, "b")  # the name is free again

    def test_a_temporary_child_that_ended_is_removed_without_another_stop(self) -> None:
        supervisor = self.supervisor()
        child = self.child(supervisor, "once", Restart.TEMPORARY)
        supervisor.startService()
        child.finish()
        self.turn()
        self.news()

        self.successResultOf(supervisor.removeService(child))

        self.assertEqual(self.news(), [])
        self.assertEqual(list(supervisor), [])

    def test_a_child_removed_after_its_failure_is_not_restarted(self) -> None:
        supervisor = self.supervisor(Strategy.ONE_FOR_ALL)
        _, b, _ = self.family(supervisor)
        supervisor.startService()
        self.news()

        b.crash()
        b.disownServiceParent()
        self.turn()

        self.assertEqual(self.news(), ["stop b"])
        self.crashes()

    def test_a_child_removed_while_its_failure_waits_is_not_restarted(self) -> None:
        supervisor = self.supervisor()
        a, b, _ = self.family(supervisor)
        supervisor.startService()
        loading: Deferred[None] = Deferred()
        a.starts = [loading]
        a.crash()
        self.turn()
        b.crash()
        self.turn()
        self.news()

        b.disownServiceParent()
        loading.callback(None)

        self.assertEqual(self.news(), ["stop b"])
        self.assertEqual(supervisor.restarts["b"], 0)
        self.crashes()

    def test_a_child_removed_while_it_starts_does_not_hold_the_rest_up(self) -> None:
        supervisor = self.supervisor()
        a, _, _ = self.family(supervisor)
        a.starts = [Deferred()]
        started = supervisor.startService()
        self.news()

        a.disownServiceParent()

        self.successResultOf(started)
        self.assertEqual(sorted(self.news()), ["start b", "start c", "stop a"])

    def test_what_is_no_child_can_not_be_removed(self) -> None:
        self.assertRaises(ValueError, self.supervisor().removeService, Child([]))
