"""
The journal that forgets: events and records in memory, for tests and for services that want no
history on disk. It survives a crash of the controller, and nothing else.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice, takewhile

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from chatservice.controller.events import SAID, Event
from chatservice.controller.log import Point, Recovery
from chatservice.controller.reach import Reach
from chatservice.controller.records import Record
from chatservice.controller.state import RecordKey

from .ids import identities, number
from .interface import IJournal, Reader, Retention


@implementer(IJournal)
class MemoryJournal:
    """Events by target, and the few that are younger than the records."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._last = 0
        self._ms = 0
        self._by_target: dict[str, list[Event]] = {}
        self._conversations: dict[str, set[str]] = defaultdict(set)
        self._tail: list[Event] = []
        self._records: dict[RecordKey, Record] = {}

    def open(self) -> Deferred[None]:
        return succeed(None)

    def close(self) -> Deferred[None]:
        return succeed(None)

    def follow(self, reader: Reader) -> None:
        """There are no others."""

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
                self._of_target(event.target).append(event)
        for key, record in records.items():
            if record is None:
                self._records.pop(key, None)
            else:
                self._records[key] = record
        if mark:
            self._tail = [event for event in self._tail if int(event.id) > int(mark)]
        self._tail.extend(events)
        return succeed(None)

    def _of_target(self, target: str) -> list[Event]:
        """The events of a target, which may be a new one."""
        events = self._by_target.get(target)
        if events is None:
            events = self._by_target[target] = []
            for identity in _talkers(target):
                self._conversations[identity].add(target)
        return events

    def _forget(self, target: str) -> None:
        del self._by_target[target]
        for identity in _talkers(target):
            conversations = self._conversations[identity]
            conversations.discard(target)
            if not conversations:
                del self._conversations[identity]

    def holds(self, event: Event) -> Deferred[bool]:
        return succeed(bool(event.id) and int(event.id) <= self._last)

    def history(
        self,
        target: str,
        kinds: Sequence[str],
        limit: int,
        before: Point = "",
        after: Point = "",
        oldest: bool = False,
    ) -> Deferred[list[Event]]:
        events = self._by_target.get(target, [])
        between = range(_start(events, after), _end(events, before))
        wanted = (
            events[i] for i in (between if oldest else reversed(between)) if events[i].kind in kinds
        )
        found = list(islice(wanted, limit))
        return succeed(found if oldest else found[::-1])

    def latest(
        self, targets: Sequence[str], identity: str, after: int, before: int, limit: int
    ) -> Deferred[list[tuple[str, int]]]:
        asked = {*targets, *self._conversations.get(identity, ())}
        lasts = [(_last_said(self._by_target.get(target, [])), target) for target in asked]
        found = sorted(
            (int(last.id), last.ms, target)
            for last, target in lasts
            if last is not None and after < last.ms < before
        )
        return succeed([(target, ms) for _, ms, target in found[:limit]])

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
                self._forget(target)
        return succeed(forgotten)


def _talkers(target: str) -> list[str]:
    return identities(target) if target.startswith("@") else []


def _id(event: Event) -> int:
    return int(event.id)


def _ms(event: Event) -> int:
    return event.ms


def _start(events: Sequence[Event], after: Point) -> int:
    """How many of the events do not follow a point."""
    if isinstance(after, int):
        return bisect_right(events, after, key=_ms)
    if not after:
        return 0
    id = number(after)
    return len(events) if id is None else bisect_right(events, id, key=_id)


def _end(events: Sequence[Event], before: Point) -> int:
    """How many of the events precede a point."""
    if isinstance(before, int):
        return bisect_left(events, before, key=_ms)
    if not before:
        return len(events)
    id = number(before)
    return 0 if id is None else bisect_left(events, id, key=_id)


def _last_said(events: Sequence[Event]) -> Event | None:
    return next((event for event in reversed(events) if event.kind in SAID), None)


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
