"""What tests of group commit begin with: a journal that stores when the test says so, and somebody
who hears of everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from chatservice.controller.errors import ChatError
from chatservice.controller.events import Event
from chatservice.controller.log import Batch, Point, Recovery
from chatservice.controller.records import Record
from chatservice.controller.state import RecordKey
from chatservice.journal.commit import GroupCommit
from chatservice.journal.interface import IJournal, NotStored, Reader, Retention
from chatservice.supervision import Supervisor
from tests.facts import say

Records = Mapping[RecordKey, "Record | None"]
NO_RECORDS: dict[RecordKey, Record | None] = {}


@implementer(IJournal)
class SlowJournal:
    """
    A journal that waits for the test.

    @ivar told: what happened, in order; shared with the sink.
    @ivar opened: how often it was opened.
    @ivar stored: the texts that it holds.
    @ivar asked: what was asked of its histories.
    @ivar noted: the records that came without a batch, each time with their mark.
    @ivar readers: who wants to hear what others store.
    """

    def __init__(self, told: list[str]) -> None:
        self.told = told
        self.opened = 0
        self.stored: list[str] = []
        self.asked: list[tuple[object, ...]] = []
        self.noted: list[tuple[dict[RecordKey, Record | None], str]] = []
        self.readers: list[Reader] = []
        self.commits: list[tuple[list[str], dict[RecordKey, Record | None], str]] = []
        self.unreadable = False
        self._last = 0
        self._under_way: tuple[Sequence[Event], Deferred[None]] | None = None

    # What the test does.

    def store(self) -> None:
        """The batch under way is stored."""
        self.keep()
        self._end().callback(None)

    def fail(self, error: Exception) -> None:
        """The batch under way breaks off."""
        self._end().errback(Failure(error))

    def keep(self) -> None:
        """The batch under way reaches the disk, and nobody has been told yet."""
        events, _ = self.under_way
        self._stamp(events)

    def _stamp(self, events: Sequence[Event]) -> None:
        for event in events:
            self._last += 1
            event.id = str(self._last)
            self.stored.append(text(event))

    @property
    def under_way(self) -> tuple[Sequence[Event], Deferred[None]]:
        assert self._under_way is not None, "nothing is being stored"
        return self._under_way

    @property
    def busy(self) -> bool:
        """Is a batch under way?"""
        return self._under_way is not None

    def _end(self) -> Deferred[None]:
        _, over = self.under_way
        self._under_way = None
        return over

    def store_of_others(self, *texts: str) -> None:
        """Somebody else has stored a batch."""
        events = [say("r", "bob", each) for each in texts]
        self._stamp(events)
        for reader in self.readers:
            reader.heard(events)

    # The interface.

    def follow(self, reader: Reader) -> None:
        self.readers.append(reader)

    def open(self) -> Deferred[None]:
        self.opened += 1
        return succeed(None)

    def close(self) -> Deferred[None]:
        closed: Deferred[None] = Deferred()
        if self._under_way is None:
            closed.callback(None)
        else:
            self._under_way[1].addBoth(_fire, closed)
        return closed

    def recover(self) -> Deferred[Recovery]:
        return succeed(Recovery([], []))

    def commit(self, events: Sequence[Event], records: Records, mark: str) -> Deferred[None]:
        if not events:
            self.noted.append((dict(records), mark))
            return succeed(None)
        assert self._under_way is None, "one batch at a time"
        texts = [text(event) for event in events]
        self.told.append("store " + " ".join(texts))
        self.commits.append((texts, dict(records), mark))
        self._under_way = (events, Deferred())
        return self._under_way[1]

    def holds(self, event: Event) -> Deferred[bool]:
        return succeed(text(event) in self.stored)

    def history(
        self,
        target: str,
        kinds: Sequence[str],
        limit: int,
        before: Point = "",
        after: Point = "",
        oldest: bool = False,
    ) -> Deferred[list[Event]]:
        self.asked.append((target, kinds, limit, before, after, oldest))
        if self.unreadable:
            return cast("Deferred[list[Event]]", failed(NotStored("the disk is on fire")))
        found: list[Event] = [say(target, "ann", each) for each in self.stored]
        return succeed(found[-limit:])

    def latest(
        self, targets: Sequence[str], identity: str, after: int, before: int, limit: int
    ) -> Deferred[list[tuple[str, int]]]:
        if self.unreadable:
            return cast("Deferred[list[tuple[str, int]]]", failed(NotStored("no disk")))
        self.asked.append((targets, identity, after, before, limit))
        return succeed([(target, len(self.stored)) for target in targets])

    def prune(self, retention: Retention, most: int) -> Deferred[int]:
        if self.unreadable:
            return cast("Deferred[int]", failed(NotStored("the disk is on fire")))
        return succeed(most)


def _fire(result: Any, waiting: Deferred[None]) -> Any:
    waiting.callback(None)
    return result


def failed(error: Exception) -> Deferred[Any]:
    """A Deferred that has failed."""
    result: Deferred[Any] = Deferred()
    result.errback(error)
    return result


def text(event: Event) -> str:
    """What an event says."""
    return cast(str, cast(Any, event).text)


class Everybody:
    """
    A sink, and the origin of every event.

    @ivar dirty: the records that change with the next event that is applied.
    """

    def __init__(self, told: list[str]) -> None:
        self.told = told
        self.dirty: dict[RecordKey, Record | None] = {}
        self.mark = ""
        self.broken: Exception | None = None
        self._applied: list[str] = []

    def checkpoint(self) -> tuple[dict[RecordKey, Record | None], str]:
        if self.broken is not None:
            raise self.broken
        taken, self.dirty = self.dirty, {}
        return taken, self.mark

    def checkpoint_failed(self, keys: Sequence[RecordKey]) -> None:
        self.dirty.update({key: {} for key in keys})

    def apply(self, batch: Batch) -> None:
        self.mark = batch.events[-1].id
        texts = [text(event) for event in batch.events]
        self._applied.extend(texts)
        self.told.append("apply " + " ".join(texts))

    def deliver(self) -> None:
        self.told.append("deliver " + " ".join(self._applied))
        self._applied.clear()

    def lost(self, reason: str) -> None:
        self.told.append(f"lost: {reason}")

    def refuse(self, batch: Batch, error: ChatError) -> None:
        for event, origin in zip(batch.events, batch.origins, strict=True):
            origin.applied(event, error)

    def applied(self, event: Event, error: ChatError | None) -> None:
        self.told.append(f"{text(event)}: {error.code if error else 'OK'}")


class CommitCase(SynchronousTestCase):
    """
    @ivar told: what happened, in order.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.told: list[str] = []
        self.gave_up: list[Failure] = []
        self.journal = SlowJournal(self.told)
        self.sink = Everybody(self.told)
        self.commit = self.make()
        self.root = Supervisor(self.clock, intensity=1, on_give_up=self.gave_up.append)
        self.root.supervise(self.commit, name="journal")
        self.successResultOf(self.root.startService())
        self.commit.attach(self.sink)
        self.turn()

    def make(self, **settings: Any) -> GroupCommit:
        return GroupCommit(self.clock, cast(IJournal, self.journal), **settings)

    def turn(self) -> None:
        """One turn of the reactor."""
        self.clock.advance(0)

    def say(self, *texts: str) -> None:
        """Somebody says things."""
        for each in texts:
            self.commit.append(say("r", "ann", each), self.sink)

    def tell(self) -> list[str]:
        """What happened since the last call."""
        told, self.told[:] = list(self.told), []
        return told
