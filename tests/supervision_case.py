"""What tests of the supervisor have in common: children that do as they are told, and a clock."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from chatservice.supervision import (
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
