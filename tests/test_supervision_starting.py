"""The supervisor: starting and stopping, in order and within their time."""

from __future__ import annotations

import math

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, eventAsText, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from chatservice.supervision import (
    CannotStart,
    Supervised,
    Supervisor,
)
from tests.supervision_case import Crash, SupervisionTestCase


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
