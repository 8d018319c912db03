"""Erlang/OTP's restart strategies on Twisted services: `Supervisor`, and `Supervised` for children.

Nothing about chat or networks lives here, and no failure is judged by what it means. Starts, stops
and restarts are jobs that run one after another, so two never overlap and what fails meanwhile
waits. Each start or stop of a supervisor begins an epoch; a job of an older epoch starts nothing.
"""

from __future__ import annotations

import enum
import math
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

from twisted.application.service import IService, MultiService, Service
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure


class Strategy(enum.Enum):
    """Which children are restarted when one fails (OTP: supervisor, restart strategy)."""

    ONE_FOR_ONE = "one_for_one"
    ONE_FOR_ALL = "one_for_all"
    REST_FOR_ONE = "rest_for_one"


class Restart(enum.Enum):
    """When a child that ended is restarted: always, after a failure, never (OTP: child_spec).

    As in OTP, a temporary child stopped for a sibling's sake is not started again, a transient one
    that had ended is started with its siblings, and a supervisor that starts again starts them all.
    """

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    TEMPORARY = "temporary"


class ChildEnded(Exception):
    """A permanent child ended normally once too often; the argument is its name."""


class CannotGoOn(Exception):
    """A child can't go on for a reason that lies outside the program: the argument says it to the
    operator, and is logged as one line, without a traceback."""


class CannotStart(CannotGoOn):
    """The same of a child that can't start."""


class Supervised(Service):
    """A child that can tell its supervisor how it ended.

    Make everything fresh in startService, which may return a Deferred or be `async`. stopService
    must cope with a start that failed, or is unfinished; that one's Deferred is cancelled first.
    """

    def fail(self, reason: Failure) -> None:
        """Report a failure, if running. The supervisor acts on it in a later reactor turn."""
        parent: object = self.parent
        if self.running and isinstance(parent, Supervisor):
            parent.child_failed(self, reason)
        elif self.running:
            Supervisor.log.failure("{child} failed, unsupervised", reason, child=self.name)

    def finish(self) -> None:
        """Report a normal end, if running. The supervisor acts on it in a later reactor turn."""
        parent: object = self.parent
        if self.running and isinstance(parent, Supervisor):
            parent.child_failed(self, None)


class _State(enum.Enum):
    STOPPED = enum.auto()
    UP = enum.auto()  # or on its way up: until `settled` fires
    ENDED = enum.auto()  # by its own report, which is not dealt with yet
    STOPPING = enum.auto()


def _fire(waiting: Deferred[None]) -> None:
    if not waiting.called:
        waiting.callback(None)


@dataclass(eq=False, slots=True)
class _Child:
    """A child's specification, and what is known of its present life."""

    service: IService
    name: str
    restart: Restart
    shutdown: float
    state: _State = _State.STOPPED
    removed: bool = False
    reason: Failure | None = None
    started: Deferred[Any] | None = None  # the service's own; may outlive our interest in it
    settled: Deferred[None] = field(default_factory=Deferred)  # we wait for the start no longer
    timer: IDelayedCall | None = None

    def start(self) -> Deferred[None]:
        self.state, self.reason = _State.UP, None
        settled = self.settled = Deferred()
        self.started = maybeDeferred(self.service.startService)
        self.started.addErrback(self._start_failed, settled)
        self.started.addCallback(lambda _: _fire(settled))
        return settled

    def _start_failed(self, failure: Failure, settled: Deferred[None]) -> None:
        if not settled.called:
            self.reason = self.reason or failure
        elif not isinstance(failure.value, CancelledError):
            Supervisor.log.failure("{child}: abandoned start failed", failure, child=self.name)

    def stop(self) -> Any:
        if self.started is not None:
            self.started.cancel()
        return self.service.stopService()

    def wants_restart(self) -> bool:
        failed = self.reason is not None
        return self.restart is Restart.PERMANENT or (self.restart is Restart.TRANSIENT and failed)


class Supervisor(MultiService):
    """A service that keeps its children running, as OTP's `supervisor` behaviour does.

    It gives up when restarts are too many, or when a child's first start fails: it stops all
    children, then fails to its parent Supervisor or, having none, hands the child's failure to
    `on_give_up`. `restarts` counts by child the restarts that its end caused, not those that it was
    drawn into, and `on_restart` hears the name of the child before each.
    """

    log: ClassVar[Logger] = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        *,
        strategy: Strategy = Strategy.ONE_FOR_ONE,
        intensity: int = 1,
        period: float = 5.0,
        on_give_up: Callable[[Failure], None] | None = None,
        on_restart: Callable[[str], None] | None = None,
    ) -> None:
        """Allow `intensity` restarts in `period` seconds; raises ValueError for absurd figures."""
        if intensity < 0 or period <= 0:
            raise ValueError("intensity must not be negative, and period must be positive")
        super().__init__()
        self._clock = clock
        self._strategy = strategy
        self._intensity, self._period = intensity, period
        self._on_give_up = on_give_up
        self._on_restart = on_restart or (lambda _name: None)
        self.restarts: dict[str, int] = {}
        self._children: dict[str, _Child] = {}  # in the order of their start
        self._recent: list[float] = []  # when the restarts within the period were
        self._epoch = 0
        self._jobs: deque[tuple[Callable[[], Any], Deferred[None]]] = deque()  # under way: [0]

    def supervise(
        self,
        child: IService,
        *,
        name: str,
        restart: Restart = Restart.PERMANENT,
        shutdown: float | None = None,
    ) -> None:
        """Add a child, and start it if the supervisor runs; if it fails then, it fails like any.

        `shutdown`: seconds that its stop may take, `math.inf` for no limit; unless said 2.0, or no
        limit for a Supervisor, which limits its own children. Raises RuntimeError if the name is
        taken or the child has a parent, and what a late child's privilegedStartService raises.
        """
        if name in self._children or child.parent is not None:
            raise RuntimeError(f"there is a child {name!r} already, or it has a parent")
        if shutdown is None:
            shutdown = math.inf if isinstance(child, Supervisor) else 2.0
        if self.running:
            child.privilegedStartService()
        child.setName(name)
        record = self._children[name] = _Child(child, name, restart, shutdown)
        self.restarts.setdefault(name, 0)
        child.setServiceParent(self)
        if self.running:
            self._submit(self._start_late, record, self._epoch)

    def addService(self, service: IService) -> None:
        """For setServiceParent alone. Raises RuntimeError if `supervise` did not call that."""
        if self._record(service) is None:
            raise RuntimeError("a supervisor's children are added with supervise()")
        self.namedServices[service.name] = service
        self.services.append(service)

    def removeService(self, service: IService) -> Deferred[None]:
        """Forget a child, and stop it unless it has ended. Raises ValueError if it is no child."""
        child = self._record(service)
        if child is None:
            raise ValueError("not a child of this supervisor")
        child.removed = True
        del self._children[child.name], self.namedServices[child.name]
        self.services.remove(service)
        _fire(child.settled)
        return self._submit(self._stop_child, child)

    def startService(self) -> Deferred[None]:
        """Start the children in order; fires when that is over, with None even if it gave up."""
        self.running = 1
        self._epoch += 1
        self._recent.clear()
        return self._submit(self._start_all, self._epoch)

    def stopService(self) -> Deferred[None]:
        """Stop the children in reverse order; fires when each has stopped or used up its time."""
        self.running = 0
        self._epoch += 1
        for child in self._children.values():
            _fire(child.settled)
        return self._submit(self._stop_each, list(self._children.values()))

    def child_failed(self, service: IService, reason: Failure | None) -> None:
        """A child failed or (None) ended normally. Ignored if being stopped, or told before."""
        child = self._record(service)
        if child is None or child.state is not _State.UP:
            self.log.debug("{name}: ignored: {how}", name=service.name, how=reason and reason.type)
            return
        child.state, child.reason = _State.ENDED, reason
        if not child.settled.called:
            # Not at once, here and below: the child that reports is still on the stack.
            child.timer = self._clock.callLater(0, _fire, child.settled)
            return
        if reason is not None:
            self._log_failure(reason, "failed", child)
        self._queue_end(child)

    def _queue_end(self, child: _Child) -> None:
        child.timer = self._clock.callLater(0, self._submit, self._after_end, child, self._epoch)

    async def _after_end(self, child: _Child, epoch: int) -> None:
        if child.removed or child.state is not _State.ENDED:
            return  # stopped, or restarted along with a sibling
        if child.wants_restart():
            await self._restart(child, epoch)
        else:
            self._log(LogLevel.info, "has ended and is not restarted", child)
            await self._stop_child(child)

    async def _restart(self, culprit: _Child | None, epoch: int) -> None:
        while culprit is not None and epoch == self._epoch:
            now = self._clock.seconds()
            self._recent = [time for time in self._recent if time >= now - self._period] + [now]
            if len(self._recent) > self._intensity:
                await self._give_up(culprit)
                return
            group = self._group(culprit)
            self._log(LogLevel.warn, "is restarted", culprit)
            self.restarts[culprit.name] += 1
            hook = maybeDeferred(self._on_restart, culprit.name)
            hook.addErrback(self._log_failure, "is restarted, but its on_restart failed", culprit)
            await self._stop_each(group)
            lasting = [child for child in group if child.restart is not Restart.TEMPORARY]
            culprit = await self._start_each(lasting, epoch)

    def _group(self, culprit: _Child) -> list[_Child]:
        children = list(self._children.values())
        if self._strategy is Strategy.REST_FOR_ONE:
            return children[children.index(culprit) :]
        return children if self._strategy is Strategy.ONE_FOR_ALL else [culprit]

    async def _give_up(self, culprit: _Child) -> None:
        self._log(LogLevel.critical, "is given up, and all its siblings", culprit)
        reason = culprit.reason or Failure(ChildEnded(culprit.name))
        self.running = 0
        self._epoch = epoch = self._epoch + 1
        await self._stop_each(list(self._children.values()))
        parent: object = self.parent
        if epoch != self._epoch:
            return  # stopService came meanwhile
        if isinstance(parent, Supervisor):
            parent.child_failed(self, reason)
        elif self._on_give_up is not None:
            self._on_give_up(reason)

    async def _start_all(self, epoch: int) -> None:
        culprit = await self._start_each(list(self._children.values()), epoch)
        if culprit is not None and epoch == self._epoch:
            await self._give_up(culprit)

    async def _start_late(self, child: _Child, epoch: int) -> None:
        culprit = await self._start_each([child], epoch)
        if culprit is not None and culprit.wants_restart():
            await self._restart(culprit, epoch)

    async def _start_each(self, children: list[_Child], epoch: int) -> _Child | None:
        """Start them in order, and stop the first that fails and return it."""
        for child in children:
            idle = not child.removed and child.state is _State.STOPPED
            if epoch != self._epoch or not idle:
                continue
            await child.start()
            if child.reason is not None:
                self._log_failure(child.reason, "failed to start", child)
                await self._stop_child(child)
                if not child.removed:
                    return child
            elif child.state is _State.ENDED:
                self._queue_end(child)
        return None

    async def _stop_each(self, children: list[_Child]) -> None:
        for child in reversed(children):
            await self._stop_child(child)

    async def _stop_child(self, child: _Child) -> None:
        if child.timer is not None and child.timer.active():
            child.timer.cancel()
        if child.state is _State.STOPPED:
            return
        child.state = _State.STOPPING
        over: Deferred[None] = Deferred()
        if child.shutdown != math.inf:
            slow = partial(self._log, LogLevel.warn, "is slow to stop and is left behind", child)
            over.addTimeout(child.shutdown, self._clock, lambda *_: slow())
        stopped = maybeDeferred(child.stop).addErrback(self._log_failure, "failed to stop", child)
        stopped.addCallback(lambda _: over.callback(None))
        await over
        child.state = _State.STOPPED

    def _record(self, service: IService) -> _Child | None:
        child = self._children.get(service.name)
        return child if child is not None and child.service is service else None

    def _submit(self, job: Callable[..., Coroutine[Any, Any, None]], *args: Any) -> Deferred[None]:
        done: Deferred[None] = Deferred()
        self._jobs.append((partial(job, *args), done))
        if len(self._jobs) == 1:
            Deferred.fromCoroutine(self._work())
        return done

    async def _work(self) -> None:
        while self._jobs:
            job, done = self._jobs[0]
            await maybeDeferred(job).addErrback(partial(self.log.failure, "supervision failed"))
            done.callback(None)
            self._jobs.popleft()  # only now: what `done` sets off must not start a second worker

    def _log(self, level: Any, words: str, child: _Child, **event: object) -> None:
        names = {"supervisor": self.name or "root", "child": child.name}
        self.log.emit(level, "{supervisor}: {child} " + words, **names, **event)

    def _log_failure(self, reason: Failure, words: str, child: _Child) -> None:
        if reason.check(CannotGoOn):
            self._log(LogLevel.error, words + ": {reason}", child, reason=str(reason.value))
        else:
            self._log(LogLevel.error, words, child, log_failure=reason)
