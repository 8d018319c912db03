"""
What was said last, kept in the node: most of what is asked of histories is answered from here, also
while Redis is away. Of each target everything is here from some place in the log on; what lies
before that is asked of Redis, and remembered if it joins. Nothing here outlives a round of
forgetting, in which whichever node may have taken something out of Redis.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from sys import getsizeof
from typing import NamedTuple

from twisted.internet.defer import Deferred

from chatservice.controller.events import SAID, Event
from chatservice.controller.log import Point

from .entries import START, Position, position

_SAID = frozenset(SAID)

_EVER = Position(1 << 80, 0)

_COMMON_BYTES = 700
"""About what an event takes in memory beside its text."""


class Question(NamedTuple):
    """What is asked of a history: see `IJournal.history`."""

    target: str
    kinds: tuple[str, ...]
    limit: int
    before: Point = ""
    after: Point = ""
    oldest: bool = False


Source = Callable[[Question], Awaitable[list[Event]]]
"""Who knows all histories. Of what was heard when it is asked, nothing is missing in its answer."""


class Recent:
    """
    @param source: is asked what is not known here.
    @param targets: of how many targets something is kept.
    @param events: how many events of each; a quarter more for a while.
    @param most: about how many bytes all of it may take.
    """

    def __init__(
        self, source: Source, targets: int = 2000, events: int = 200, most: int = 64 << 20
    ) -> None:
        self._source = source
        self._events = events
        self._grown = events + events // 4  # so that not each event is cut for
        self._most_targets = targets
        self._most = most
        self._size = 0
        self._targets: OrderedDict[str, _Said] = OrderedDict()
        self._asked: dict[Question, list[Deferred[None]]] = {}
        self._reached = START

    def begin(self, at: Position) -> None:
        """Forgets everything; what is heard from now on follows a place in the log."""
        self._reached = at
        self.forget()

    def forget(self) -> None:
        """Forgets everything."""
        self._targets.clear()
        self._size = 0

    def heard(self, events: Sequence[Event], last: Position) -> None:
        """
        These events follow in the log, whoever stored them.

        @param last: the place of the last of them.
        """
        ms, n = last.ms, last.n - len(events)
        for event in events:
            n += 1
            if event.kind in _SAID:
                at = Position(ms, n)
                said = self._of(event.target, at)
                self._size += said.add(at, event)
                if said.count > self._grown:
                    self._size -= said.cut(self._events)
        self._reached = last
        self._let_go()

    async def history(self, question: Question) -> list[Event]:
        """What is asked for. Several who ask the same at once are one question to Redis."""
        found = self._known(question)
        if found is not None:
            return found
        if _SAID.symmetric_difference(question.kinds):
            return await self._source(question)
        waiting = self._asked.get(question)
        if waiting is not None:
            answered: Deferred[None] = Deferred()
            waiting.append(answered)
            await answered
            found = self._known(question)
            return await self._ask(question) if found is None else found
        self._asked[question] = []
        try:
            return await self._ask(question)
        finally:
            for answered in self._asked.pop(question):
                answered.callback(None)

    def _known(self, question: Question) -> list[Event] | None:
        """The answer, or None if it is not here."""
        target, kinds, limit, before, after, oldest = question
        if not _SAID.issuperset(kinds):
            return None
        start, end = _start(after), _end(before)
        if start is None or end is None or start >= end or limit <= 0:
            return []
        said = self._targets.get(target)
        if said is None:
            return None
        self._targets.move_to_end(target)
        found = [event for event in said.between(start, end) if event.kind in kinds]
        if start >= said.since:
            return found[:limit] if oldest else found[-limit:]
        return found[-limit:] if len(found) >= limit and not oldest else None

    async def _ask(self, question: Question) -> list[Event]:
        # From here on nothing is missed, so that what Redis has of before joins.
        said = self._of(question.target, _after(self._reached))
        self._let_go()
        events = await self._source(question)
        if self._targets.get(question.target) is said:
            self._learn(question, said, events)
        return events

    def _learn(self, question: Question, said: _Said, events: Sequence[Event]) -> None:
        """
        Puts an answer before what was heard, if nothing lies between. (If something was cut off
        while Redis was asked, there is no room for the answer either.)
        """
        start, end = _start(question.after), _end(question.before)
        if start is None or end is None:
            return
        places = [_place(event) for event in events]
        if len(events) >= question.limit:
            if question.oldest:
                end = _after(places[-1])
            else:
                start = places[0]
        if start < said.since <= end:
            self._size += said.put_before(start, places, events)
            self._size -= said.cut(self._events)
            self._let_go()

    def _of(self, target: str, since: Position) -> _Said:
        said = self._targets.get(target)
        if said is None:
            said = self._targets[target] = _Said(since)
        else:
            self._targets.move_to_end(target)
        return said

    def _let_go(self) -> None:
        """Forgets the targets that were not of interest for longest, if there is too much."""
        while self._size > self._most or len(self._targets) > self._most_targets:
            _, said = self._targets.popitem(last=False)
            self._size -= said.size


class _Said:
    """
    What was said to one target.

    @ivar since: everything from this place on is here.
    @ivar size: about how many bytes it takes.
    """

    __slots__ = ("_events", "_places", "since", "size")

    def __init__(self, since: Position) -> None:
        self.since = since
        self.size = 0
        self._places: list[Position] = []
        self._events: list[Event] = []

    @property
    def count(self) -> int:
        """How many events there are."""
        return len(self._events)

    def between(self, start: Position, end: Position) -> list[Event]:
        """From one place on, until before another."""
        places = self._places
        return self._events[bisect_left(places, start) : bisect_left(places, end)]

    def add(self, at: Position, event: Event) -> int:
        """It was said last. Gives its size."""
        self._places.append(at)
        self._events.append(event)
        size = _size(event)
        self.size += size
        return size

    def put_before(
        self, start: Position, places: Sequence[Position], events: Sequence[Event]
    ) -> int:
        """
        All that was said from a place on, of which what precedes `since` is new. Gives its size.
        """
        count = bisect_left(places, self.since)
        self._places[:0] = places[:count]
        self._events[:0] = events[:count]
        self.since = start
        size = sum(map(_size, events[:count]))
        self.size += size
        return size

    def cut(self, most: int) -> int:
        """Keeps so many events, the last ones. Gives the size of the others."""
        count = len(self._events) - most
        if count <= 0:
            return 0
        self.since = self._places[count]
        size = sum(map(_size, self._events[:count]))
        del self._places[:count], self._events[:count]
        self.size -= size
        return size


def _size(event: Event) -> int:
    text, tags = getattr(event, "text", ""), getattr(event, "tags", None)
    size = _COMMON_BYTES + getsizeof(text)
    return size + sum(getsizeof(name) + getsizeof(tags[name]) for name in tags) if tags else size


def _place(event: Event) -> Position:
    place = position(event.id)
    assert place is not None
    return place


def _after(place: Position) -> Position:
    return Position(place.ms, place.n + 1)


def _start(after: Point) -> Position | None:
    """The first place that may be given; None if there is no such point."""
    if isinstance(after, int):
        return Position(after + 1, 0)
    if not after:
        return START
    place = position(after)
    return None if place is None else _after(place)


def _end(before: Point) -> Position | None:
    """The first place that may not be given any more; None if there is no such point."""
    if isinstance(before, int):
        return Position(before, 0)
    return position(before) if before else _EVER
