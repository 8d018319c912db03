"""Supervision, seen from outside: what is started, stopped and restarted, in which order, and when.

Every test drives a `Clock`; `turn` lets one reactor turn pass, which a report of failure waits for.
"""

from __future__ import annotations

import math

from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, eventAsText, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from chatservice.supervision import (
    CannotStart,
    ChildEnded,
    Restart,
    Strategy,
    Supervised,
    Supervisor,
)


class Crash(Exception):
    """What the children of these tests fail with."""


class Child(Supervised):
    """Writes down what happens to it.

    `starts` and `stops` say how each ends, first to last: None (well), an exception, or a Deferred.
    When a list is used up, all goes well at once.
    """

    def __init__(self, diary: list[str]) -> None:
        self.diary = diary
        self.starts: list[Exception | Deferred[None] | None] = []
        self.stops: list[Exception | Deferred[None] | None] = []

    def privilegedStartService(self) -> None:
        self.diary.append(f"privileged {self.name}")

    def startService(self) -> Deferred[None] | None:
        super().startService()
        self.diary.append(f"start {self.name}")
        return self._next(self.starts)

    def stopService(self) -> Deferred[None] | None:
        super().stopService()
        self.diary.append(f"stop {self.name}")
        return self._next(self.stops)

    def _next(self, script: list[Exception | Deferred[None] | None]) -> Deferred[None] | None:
        step = script.pop(0) if script else None
        if isinstance(step, Exception):
            raise step
        return step

    def crash(self) -> None:
        self.fail(Failure(Crash(self.name)))


class SupervisionTestCase(SynchronousTestCase):
    """A clock, a diary, and a supervisor of a, b and c."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.diary: list[str] = []
        self.given_up: list[Failure] = []

    def supervisor(
        self, strategy: Strategy = Strategy.ONE_FOR_ONE, intensity: int = 3, period: float = 10.0
    ) -> Supervisor:
        return Supervisor(
            self.clock,
            strategy=strategy,
            intensity=intensity,
            period=period,
            on_give_up=self.given_up.append,
        )

    def child(
        self,
        supervisor: Supervisor,
        name: str,
        restart: Restart = Restart.PERMANENT,
        shutdown: float | None = None,
    ) -> Child:
        child = Child(self.diary)
        supervisor.supervise(child, name=name, restart=restart, shutdown=shutdown)
        return child

    def family(self, supervisor: Supervisor) -> tuple[Child, Child, Child]:
        return (
            self.child(supervisor, "a"),
            self.child(supervisor, "b"),
            self.child(supervisor, "c"),
        )

    def turn(self) -> None:
        self.clock.advance(0)

    def news(self) -> list[str]:
        """What was written down since this was last asked."""
        news = self.diary[:]
        self.diary.clear()
        return news

    def crashes(self) -> list[str]:
        """The names of the children whose failures were logged."""
        return [str(failure.value) for failure in self.flushLoggedErrors(Crash)]


class StartAndStopTests(SupervisionTestCase):
    def test_children_start_in_order_and_stop_in_reverse(self) -> None:
        supervisor = self.supervisor()
        self.family(supervisor)

        self.successResultOf(supervisor.startService())
        self.assertEqual(self.news(), ["start a", "start b", "start c"])

        self.successResultOf(supervisor.stopService())
        self.assertEqual(self.news(), ["stop c", "stop b", "stop a"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_child_starts_only_when_the_one_before_has_started(self) -> None:
        supervisor = self.supervisor()
        a, _, _ = self.family(supervisor)
        loading: Deferred[None] = Deferred()
        a.starts = [loading]

        started = supervisor.startService()
        self.assertEqual(self.news(), ["start a"])
        self.assertNoResult(started)

        loading.callback(None)
        self.assertEqual(self.news(), ["start b", "start c"])
        self.successResultOf(started)

    def test_a_coroutine_serves_as_start(self) -> None:
        waiting: Deferred[None] = Deferred()
        diary = self.diary

        class Loading(Supervised):
            async def startService(self) -> None:
                super().startService()
                await waiting
                diary.append("loaded")

        supervisor = self.supervisor()
        supervisor.supervise(Loading(), name="loading")
        self.child(supervisor, "next")

        started = supervisor.startService()
        self.assertEqual(self.news(), [])
        waiting.callback(None)
        self.assertEqual(self.news(), ["loaded", "start next"])
        self.successResultOf(started)

    def test_the_privileged_start_reaches_all_children_before_any_start(self) -> None:
        root = self.supervisor()
        branch = self.supervisor()
        self.child(root, "a")
        root.supervise(branch, name="branch")
        self.child(branch, "b")

        root.privilegedStartService()
        root.startService()

        self.assertEqual(self.news(), ["privileged a", "privileged b", "start a", "start b"])

    def test_a_restart_is_not_privileged(self) -> None:
        supervisor = self.supervisor()
        a = self.child(supervisor, "a")
        supervisor.privilegedStartService()
        supervisor.startService()
        self.news()

        a.crash()
        self.turn()

        self.assertEqual(self.news(), ["stop a", "start a"])
        self.assertEqual(self.crashes(), ["a"])

    def test_a_plain_multi_service_may_hold_the_root(self) -> None:
        application = MultiService()
        supervisor = self.supervisor()
        self.child(supervisor, "a")
        supervisor.setServiceParent(application)

        application.startService()
        stopped = application.stopService()

        self.successResultOf(stopped)
        self.assertEqual(self.news(), ["start a", "stop a"])

    def test_a_supervisor_starts_again_after_a_stop(self) -> None:
        supervisor = self.supervisor()
        self.child(supervisor, "a")
        for _ in range(2):
            self.successResultOf(supervisor.startService())
            self.successResultOf(supervisor.stopService())
        self.assertEqual(self.news(), ["start a", "stop a"] * 2)

    def test_a_start_asked_for_during_a_stop_waits_for_it(self) -> None:
        supervisor = self.supervisor()
        a = self.child(supervisor, "a")
        supervisor.startService()
        closing: Deferred[None] = Deferred()
        a.stops = [closing]
        supervisor.stopService()
        self.news()

        started = supervisor.startService()
        self.assertEqual(self.news(), [])
        closing.callback(None)

        self.successResultOf(started)
        self.assertEqual(self.news(), ["start a"])

    def test_a_start_set_off_by_the_end_of_a_stop_is_made_once(self) -> None:
        supervisor = self.supervisor()
        a, _, _ = self.family(supervisor)
        supervisor.startService()
        loading: Deferred[None] = Deferred()
        closing: Deferred[None] = Deferred()
        a.starts, a.stops = [loading], [closing]

        stopped = supervisor.stopService()
        stopped.addCallback(lambda _: supervisor.startService())
        self.news()
        closing.callback(None)

        self.assertEqual(self.news(), ["start a"])
        loading.callback(None)
        self.successResultOf(stopped)
        self.assertEqual(self.news(), ["start b", "start c"])


class StopTests(SupervisionTestCase):
    def test_each_child_stops_only_when_the_one_after_has_stopped(self) -> None:
        supervisor = self.supervisor()
        _, _, c = self.family(supervisor)
        supervisor.startService()
        closing: Deferred[None] = Deferred()
        c.stops = [closing]
        self.news()

        stopped = supervisor.stopService()
        self.assertEqual(self.news(), ["stop c"])
        closing.callback(None)

        self.assertEqual(self.news(), ["stop b", "stop a"])
        self.successResultOf(stopped)

    def test_a_child_that_hangs_is_left_behind_after_its_shutdown_time(self) -> None:
        supervisor = self.supervisor()
        self.child(supervisor, "a")
        b = self.child(supervisor, "b", shutdown=5.0)
        supervisor.startService()
        hanging: Deferred[None] = Deferred()
        b.stops = [hanging]
        self.news()

        stopped = supervisor.stopService()
        self.clock.advance(4.9)
        self.assertNoResult(stopped)
        self.clock.advance(0.1)

        self.successResultOf(stopped)
        self.assertEqual(self.news(), ["stop b", "stop a"])
        hanging.callback(None)  # too late, and harmless

    def test_two_seconds_are_given_unless_said_otherwise(self) -> None:
        supervisor = self.supervisor()
        a = self.child(supervisor, "a")
        supervisor.startService()
        a.stops = [Deferred()]

        stopped = supervisor.stopService()
        self.clock.advance(1.9)
        self.assertNoResult(stopped)
        self.clock.advance(0.1)
        self.successResultOf(stopped)

    def test_a_child_may_have_all_the_time_there_is(self) -> None:
        supervisor = self.supervisor()
        a = self.child(supervisor, "a", shutdown=math.inf)
        supervisor.startService()
        slow: Deferred[None] = Deferred()
        a.stops = [slow]

        stopped = supervisor.stopService()
        self.clock.advance(1_000_000)
        self.assertNoResult(stopped)
        slow.callback(None)
        self.successResultOf(stopped)

    def test_a_supervisor_below_has_the_time_that_its_children_need(self) -> None:
        root = self.supervisor()
        branch = self.supervisor()
        root.supervise(branch, name="branch")
        for hanging in self.family(branch):
            hanging.stops = [Deferred()]
        root.startService()

        stopped = root.stopService()
        self.clock.pump([2.0, 2.0])
        self.assertNoResult(stopped)
        self.clock.advance(2.0)
        self.successResultOf(stopped)

    def test_a_stop_that_fails_is_logged_and_the_rest_are_stopped(self) -> None:
        supervisor = self.supervisor()
        _, b, c = self.family(supervisor)
        supervisor.startService()
        closing: Deferred[None] = Deferred()
        b.stops, c.stops = [closing], [Crash("c")]
        self.news()

        stopped = supervisor.stopService()
        closing.errback(Crash("b"))

        self.successResultOf(stopped)
        self.assertEqual(self.news(), ["stop c", "stop b", "stop a"])
        self.assertEqual(self.crashes(), ["c", "b"])

    def test_a_failure_of_a_child_that_is_being_stopped_is_ignored(self) -> None:
        supervisor = self.supervisor()
        a = self.child(supervisor, "a")
        supervisor.startService()
        closing: Deferred[None] = Deferred()
        a.stops = [closing]
        self.news()

        supervisor.stopService()
        a.running = True  # as with a child that is still at work while it stops
        a.crash()
        closing.callback(None)
        self.turn()

        self.assertEqual(self.news(), ["stop a"])
        self.assertEqual(self.crashes(), [])
        self.assertEqual(supervisor.restarts, {"a": 0})

    def test_a_stop_while_a_child_starts_abandons_the_start(self) -> None:
        supervisor = self.supervisor()
        a, b, _ = self.family(supervisor)
        cancelled: list[str] = []
        b.starts = [Deferred(lambda _: cancelled.append("b"))]
        started = supervisor.startService()

        stopped = supervisor.stopService()

        self.successResultOf(started)
        self.successResultOf(stopped)
        self.assertEqual(cancelled, ["b"])
        self.assertEqual(self.news(), ["start a", "start b", "stop b", "stop a"])
        self.assertEqual((a.running, self.given_up), (0, []))

    def test_a_stop_right_after_a_failure_leaves_nothing_to_do(self) -> None:
        supervisor = self.supervisor()
        a = self.child(supervisor, "a")
        supervisor.startService()

        a.crash()
        self.successResultOf(supervisor.stopService())

        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.news(), ["start a", "stop a"])
        self.assertEqual(self.crashes(), ["a"])


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


class FirstStartTests(SupervisionTestCase):
    def test_a_start_that_raises_gives_up_without_a_restart(self) -> None:
        supervisor = self.supervisor()
        _, b, _ = self.family(supervisor)
        b.starts = [Crash("b")]

        self.successResultOf(supervisor.startService())

        self.assertEqual(self.news(), ["start a", "start b", "stop b", "stop a"])
        self.assertEqual([str(failure.value) for failure in self.given_up], ["b"])
        self.assertEqual(supervisor.restarts, {"a": 0, "b": 0, "c": 0})
        self.assertEqual(self.crashes(), ["b"])

    def test_a_start_that_fails_later_gives_up_then(self) -> None:
        supervisor = self.supervisor()
        a, _, _ = self.family(supervisor)
        loading: Deferred[None] = Deferred()
        a.starts = [loading]
        supervisor.startService()
        self.assertEqual(self.given_up, [])

        loading.errback(Crash("a"))

        self.assertEqual(self.news(), ["start a", "stop a"])
        self.assertEqual([str(failure.value) for failure in self.given_up], ["a"])
        self.assertEqual(self.crashes(), ["a"])

    def test_a_stop_while_a_failed_start_is_cleaned_up_leaves_nobody_to_tell(self) -> None:
        supervisor = self.supervisor()
        a = self.child(supervisor, "a")
        closing: Deferred[None] = Deferred()
        a.starts, a.stops = [Crash("a")], [closing]
        supervisor.startService()

        stopped = supervisor.stopService()
        closing.callback(None)

        self.successResultOf(stopped)
        self.assertEqual((self.news(), self.given_up), (["start a", "stop a"], []))
        self.assertEqual(self.crashes(), ["a"])

    def test_a_failure_before_the_start_is_over_is_logged_though_a_stop_comes(self) -> None:
        supervisor = self.supervisor()
        a = self.child(supervisor, "a")
        a.starts = [Deferred()]
        supervisor.startService()

        a.crash()
        self.successResultOf(supervisor.stopService())

        self.assertEqual((self.news(), self.given_up), (["start a", "stop a"], []))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.crashes(), ["a"])

    def test_a_child_that_fails_before_it_has_started_is_waited_for_no_longer(self) -> None:
        supervisor = self.supervisor()
        a = self.child(supervisor, "a")
        a.starts = [Deferred()]
        started = supervisor.startService()

        a.crash()
        self.turn()

        self.successResultOf(started)
        self.assertEqual([str(failure.value) for failure in self.given_up], ["a"])
        self.assertEqual(self.crashes(), ["a"])

    def test_a_coroutine_may_fail_and_return(self) -> None:
        waiting: Deferred[None] = Deferred()

        class Failing(Supervised):
            async def startService(self) -> None:
                super().startService()
                await waiting
                self.fail(Failure(Crash("async")))

        supervisor = self.supervisor()
        supervisor.supervise(Failing(), name="failing")
        supervisor.startService()

        waiting.callback(None)

        self.assertEqual([str(failure.value) for failure in self.given_up], ["async"])
        self.assertEqual(self.crashes(), ["async"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_below_gives_up_the_whole_tree_without_a_restart(self) -> None:
        root = self.supervisor()
        branch = Supervisor(self.clock)
        self.child(root, "a")
        root.supervise(branch, name="branch")
        self.child(branch, "b").starts = [Crash("b")]
        self.child(root, "c")

        self.successResultOf(root.startService())

        self.assertEqual(self.news(), ["start a", "start b", "stop b", "stop a"])
        self.assertEqual([str(failure.value) for failure in self.given_up], ["b"])
        self.assertEqual(root.restarts, {"a": 0, "branch": 0, "c": 0})
        self.assertEqual(set(self.crashes()), {"b"})

    def test_a_hook_for_giving_up_that_raises_is_logged(self) -> None:
        def raising(_reason: Failure) -> None:
            raise Crash("hook")

        supervisor = Supervisor(self.clock, on_give_up=raising)
        self.child(supervisor, "a").starts = [Crash("a")]
        self.successResultOf(supervisor.startService())
        self.assertEqual(self.crashes(), ["a", "hook"])

    def test_a_reason_outside_the_program_is_logged_in_one_line_without_a_traceback(self) -> None:
        lines: list[str] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            lines.append(eventAsText(event, includeTimestamp=False, includeSystem=False))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        supervisor = self.supervisor()
        self.child(supervisor, "a").starts = [CannotStart("the {port} is in use")]
        supervisor.startService()
        self.assertEqual(
            [str(failure.value) for failure in self.given_up], ["the {port} is in use"]
        )
        self.assertEqual(
            lines,
            [
                "root: a failed to start: the {port} is in use",
                "root: a is given up, and all its siblings",
            ],
        )
        self.assertEqual(self.flushLoggedErrors(CannotStart), [])


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
