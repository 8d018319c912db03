"""
The journal that forgets: events and records in memory, for tests and for services that want no
history on disk. It survives a crash of the controller, and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice, takewhile

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from chatservice.controller.events import SAID, Event
from chatservice.controller.log import Recovery
from chatservice.controller.reach import Reach
from chatservice.controller.records import Record
from chatservice.controller.state import RecordKey

from .interface import IJournal, Retention


@implementer(IJournal)
class MemoryJournal:
    """Events by target, and the few that are younger than the records."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._last = 0
        self._ms = 0
        self._by_target: dict[str, list[Event]] = defaultdict(list)
        self._tail: list[Event] = []
        self._records: dict[RecordKey, Record] = {}

    def open(self) -> Deferred[None]:
        return succeed(None)

    def close(self) -> Deferred[None]:
        return succeed(None)

    def recover(self) -> Deferred[Recovery]:
        return succeed(Recovery(list(self._records.items()), list(self._tail)))

    def commit(
        self,
        events: Sequence[Event],
        records: Mapping[RecordKey, Record | None],
        mark: str,
    ) -> Deferred[None]:
        self._ms = max(self._ms, int(self._clock.seconds() * 1000))
        for event in events:
            self._last += 1
            event.id, event.ms = str(self._last), self._ms
            if event.target:
                self._by_target[event.target].append(event)
        for key, record in records.items():
            if record is None:
                self._records.pop(key, None)
            else:
                self._records[key] = record
        if mark:
            self._tail = [event for event in self._tail if int(event.id) > int(mark)]
        self._tail.extend(events)
        return succeed(None)

    def holds(self, event: Event) -> Deferred[bool]:
        return succeed(bool(event.id) and int(event.id) <= self._last)

    def history(
        self, target: str, kinds: Sequence[str], limit: int, before: str = ""
    ) -> Deferred[list[Event]]:
        events = reversed(self._by_target.get(target, ()))
        wanted = (
            event
            for event in events
            if event.kind in kinds and (not before or int(event.id) < int(before))
        )
        return succeed(list(islice(wanted, limit))[::-1])

    def prune(self, retention: Retention, most: int) -> Deferred[int]:
        horizon = (self._clock.seconds() - retention.seconds) * 1000 if retention.seconds else 0
        reach = Reach.of(self._records)
        forgotten = 0
        for target, events in list(self._by_target.items()):
            stale = (
                _stale(events, horizon, retention.messages)
                if reach.includes(target)
                else len(events)
            )
            cut = min(stale, most - forgotten)
            del events[:cut]
            forgotten += cut
            if not events:
                del self._by_target[target]
        return succeed(forgotten)


def _stale(events: Sequence[Event], horizon: float, messages: int) -> int:
    """
    How many at the front of a target's events are too old, or before its last so many messages.
    """
    stale = sum(1 for _ in takewhile(lambda event: event.ms < horizon, events))
    if messages:
        said = [i for i, event in enumerate(events) if event.kind in SAID]
        if len(said) > messages:
            stale = max(stale, said[-messages])
    return stale
