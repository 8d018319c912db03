"""
What a journal is: the interface that its drivers (`memory`, `sqlite`) implement and that one suite
of tests holds them to. A driver knows events and records, and nothing of rooms, clients or
dialects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred
from zope.interface import Interface

from chatservice.controller.events import Event
from chatservice.controller.log import Point, Recovery
from chatservice.controller.records import Record
from chatservice.controller.state import RecordKey


class NotStored(Exception):
    """The batch could not be stored (a full disk, a store that is away); nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class Retention:
    """
    What may be forgotten. Zero keeps all.

    @ivar seconds: how long anything is kept.
    @ivar messages: how many messages are kept of one room, or of one direct conversation.
    """

    seconds: float = 0
    messages: int = 0


class Reader(Protocol):
    """Whoever hears what others store in a journal that several processes share."""

    def heard(self, events: Sequence[Event]) -> None:
        """Others have stored these, in this order, after all that was heard or committed before."""

    def lost(self, reason: str) -> None:
        """
        The journal is not the one any more that was heard of until now: it lost what it had, or a
        part of it. What it is now has to be recovered.
        """


class IJournal(Interface):
    """
    An ordered, durable record. All methods but `follow` and `close` need `open` to have finished; a
    driver may be opened again after `close`.
    """

    def follow(reader: Reader) -> None:
        """Has somebody hear what others store. A journal of one process alone has no others."""

    def open() -> Deferred[None]:
        """
        Makes the store ready, bringing its schema up to date.

        @raise NotStored: it cannot be reached, or its schema is a newer one.
        """

    def close() -> Deferred[None]:
        """Waits for what is under way and lets go of the store."""

    def recover() -> Deferred[Recovery]:
        """
        The records, and the events that are younger than they are. Of those that others stored, all
        were heard when it fires.

        @raise NotStored: it cannot be read now.
        """

    def commit(
        events: Sequence[Event], records: Mapping[RecordKey, Record | None], mark: str
    ) -> Deferred[None]:
        """
        Stores a batch, all of it or nothing, and stamps each event's `id` and `ms` in the order
        given. One batch at a time. It fires when all that others stored before it was heard. A
        batch without events holds records alone, which a shared journal may write later.

        @param records: the records that changed since the last batch (None: is no more), as they
            are after the event `mark` was applied.
        @param mark: that event's id; the empty string if none was applied.
        @raise NotStored: nothing of it was stored. Any other error leaves that unknown: see
            `holds`.
        """

    def holds(event: Event) -> Deferred[bool]:
        """Was this event stored? It settles what became of a batch whose commit broke off."""

    def history(
        target: str,
        kinds: Sequence[str],
        limit: int,
        before: Point = "",
        after: Point = "",
        oldest: bool = False,
    ) -> Deferred[list[Event]]:
        """
        Events of one target between two points, neither of them included; oldest first. The order
        is that in which they were stored, in which time never goes back. An id stays a point when
        its event is forgotten; any text may be asked for, and one that can't be an id of this
        journal's finds nothing.

        @param kinds: which kinds of event.
        @param limit: how many at most: the newest of them, or with `oldest` the oldest.
        @raise NotStored: they cannot be read now.
        """

    def latest(
        targets: Sequence[str], identity: str, after: int, before: int, limit: int
    ) -> Deferred[list[tuple[str, int]]]:
        """
        When something was said last (`SAID`) in each of these targets, and in each direct
        conversation of an identity: targets and moments (milliseconds since 1970), oldest first.
        Where nothing was said, or not last between `after` and `before` (neither included), is left
        out.

        @param identity: an account's key, or a guest's key and visit (`User.identity`).
        @param limit: how many at most: the oldest of them.
        @raise NotStored: they cannot be read now.
        """

    def prune(retention: Retention, most: int) -> Deferred[int]:
        """
        Forgets a slice of what need not be kept: what is too old, beyond a room's count, or of a
        room or a guest's conversation that nobody can reach any more.

        @param most: how many events at the most, so that no commit waits long.
        @return: how many were forgotten; less than `most` means that all is done.
        """
