"""
What the controller asks of whatever stores its events, and what it offers in return. The journal's
group commit is one such log; these are the words that both sides share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from twisted.internet.defer import Deferred

from .errors import ChatError
from .events import Event
from .records import Record
from .state import RecordKey

Point = str | int
"""
A point in the order of events: an event's id, a moment (milliseconds since 1970), or the empty
string for no bound.
"""


class Origin(Protocol):
    """Whoever waits to hear what became of an event."""

    def applied(self, event: Event, error: ChatError | None) -> None:
        """The event is stored and true, or (with an error) it is not and never will be."""


@dataclass(slots=True)
class Batch:
    """Events that are stored together, and who waits for each."""

    events: list[Event] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    _waiting: list[Deferred[None]] = field(default_factory=list)

    def over(self) -> Deferred[None]:
        """Fires when the batch is stored and delivered, or refused."""
        self._waiting.append(Deferred())
        return self._waiting[-1]

    def finish(self) -> None:
        """The batch is over."""
        waiting, self._waiting = self._waiting, []
        for deferred in waiting:
            deferred.callback(None)


@dataclass(frozen=True, slots=True)
class Recovery:
    """
    What a restart begins with.

    @ivar records: the state as it was at some event (the mark).
    @ivar events: what was stored after that, in order.
    """

    records: Sequence[tuple[RecordKey, Record]]
    events: Sequence[Event]


class Sink(Protocol):
    """What is fed with stored batches: the controller."""

    def checkpoint(self) -> tuple[dict[RecordKey, Record | None], str]:
        """Takes the records that changed, and the id of the last event that they hold."""

    def checkpoint_failed(self, keys: Sequence[RecordKey]) -> None:
        """The records taken last were not stored; they are due again."""

    def apply(self, batch: Batch) -> None:
        """The batch is stored: makes it true."""

    def deliver(self) -> None:
        """Tells what was applied."""

    def refuse(self, batch: Batch, error: ChatError) -> None:
        """The batch is not stored."""

    def lost(self, reason: str) -> None:
        """The log is another one now, and is to be recovered from; the reason is in words."""


class Log(Protocol):
    """An ordered, durable log of events."""

    def append(self, event: Event, origin: Origin) -> None:
        """
        Puts an event into the next batch.

        @raise Unavailable: too many wait already.
        """

    def append_all(self, events: Sequence[Event], origin: Origin) -> None:
        """
        Puts events into the next batch: all of them, or none.

        @raise Unavailable: too many wait already.
        """

    def attach(self, sink: Sink) -> None:
        """Feeds a sink from now on."""

    def detach(self) -> Deferred[None]:
        """Feeds nobody: fires when no batch is under way any more. What is appended waits."""

    def recover(self) -> Deferred[Recovery]:
        """What is stored; to be asked while detached."""

    def drain(self) -> Deferred[None]:
        """Fires when everything that was appended until now is stored and delivered, or refused."""

    async def history(
        self,
        target: str,
        kinds: Sequence[str],
        limit: int,
        before: Point = "",
        after: Point = "",
        oldest: bool = False,
    ) -> list[Event]:
        """
        Events of one target between two points, neither of them included; oldest first. An id that
        can't be one of the log's finds nothing.

        @param kinds: which kinds of event.
        @param limit: how many at most: the newest of them, or with `oldest` the oldest.
        @raise Unavailable: they cannot be read now.
        """

    async def latest(
        self, targets: Sequence[str], identity: str, after: int, before: int, limit: int
    ) -> list[tuple[str, int]]:
        """
        When something was said last in each of these targets, and in each direct conversation of an
        identity: targets and moments (milliseconds since 1970), oldest first. Where nothing was
        said, or not last between `after` and `before` (neither included), is left out.

        @param limit: how many at most: the oldest of them.
        @raise Unavailable: they cannot be read now.
        """
