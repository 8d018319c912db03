"""
Reading the log: what any node stored, in the one order that there is. Reading on after an
interruption is the same reading, from the place that was reached; nothing is skipped or read twice.
What an event means is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from .copies import Copies
from .entries import START, Entry, Position, place, read_entry
from .link import Away, Link, Refused

_ENTRIES = 64
"""Entries that are read at once: others have their turn while much is caught up with."""

_BLOCK_SECONDS = 1.0
"""How long Redis waits for something to happen; half of the link's patience if that is less."""

_RETRY_SECONDS = 0.1


class Lost(Exception):
    """The log does not go on where we were: the words say why, to operators."""


class FollowingObserver(Protocol):
    """Whoever measures the reading."""

    def caught_up(self) -> None:
        """The reading was interrupted, and there is something to catch up with."""

    def read(self, lag: float) -> None:
        """An entry was read, so many seconds after it was stored, if all clocks are right."""


class Follower:
    """
    @param link: a connection of its own: reading waits for what happens.
    @param prefix: what all keys begin with.
    @param take: is handed each entry, once and in order.
    @param lost: hears that the log does not go on where we were; nothing is read after that, until
        C{begin}.
    @param copies: waits for replicas, before anything is handed over.
    @ivar position: the place that was reached.
    """

    def __init__(
        self,
        clock: IReactorTime,
        link: Link,
        prefix: str,
        take: Callable[[Entry], None],
        lost: Callable[[Lost], None],
        copies: Copies,
        observer: FollowingObserver | None = None,
    ) -> None:
        self._clock = clock
        self._link = link
        self._head = prefix + "head"
        self._log = prefix + "log"
        self._entry = take
        self._lost = lost
        self._observer = observer
        self._copies = copies
        # None at all would mean for ever.
        self._block_ms = max(int(min(_BLOCK_SECONDS, link.patience / 2) * 1000), 1)
        self._life = 0
        self._resting: Deferred[None] | None = None
        self._held: list[Entry] | None = None
        self.service = b""
        self.position = START

    def begin(self, service: bytes, at: Position) -> Deferred[None]:
        """
        Reads on from a place, until C{end} or for as long as the log goes on.

        @param service: the id of the journal.
        @return: fires with an error only: something is wrong with this program.
        """
        self._life += 1
        self.service, self.position, self._held = service, at, None
        return Deferred.fromCoroutine(self._read(self._life))

    def end(self) -> None:
        """Reads no more."""
        self._life += 1
        if self._resting is not None:
            self._resting.cancel()

    def hold(self) -> None:
        """Hands over nothing, until C{go_on}."""
        self._held = []

    def go_on(self, missed: Sequence[Entry], at: Position) -> list[Entry]:
        """
        Hands over what was held back.

        @param missed: entries up to C{at}, of which those that were not handed over yet now are.
        @return: those that were held back and follow C{at}.
        """
        held, self._held = self._held or [], None
        self._take(missed)
        self.position = max(self.position, at)
        self._take(held)
        return [entry for entry in held if entry.last > at]

    def _take(self, entries: Sequence[Entry]) -> None:
        life = self._life
        for entry in entries:
            if life != self._life:
                break
            if self._held is not None:
                self._held.append(entry)
            elif entry.last > self.position:
                if entry.previous != self.position:
                    self._end_lost(_gap(entry, self.position))
                    break
                self.position = entry.last
                if self._observer is not None:
                    self._observer.read(self._clock.seconds() - entry.last.ms / 1000)
                self._entry(entry)

    def _end_lost(self, lost: Lost) -> None:
        self.end()
        self._lost(lost)

    async def _read(self, life: int) -> None:
        reached, interrupted = self.position, False
        while life == self._life:
            try:
                await self._link.up()
                missed = await self._check() > reached
                if interrupted and missed and self._observer is not None:
                    self._observer.caught_up()
                interrupted = True
                while life == self._life:
                    reached = await self._read_on(life, reached)
            except (Away, Refused):
                if life == self._life:
                    await self._rest()
            except Lost as lost:
                if life == self._life:
                    self._end_lost(lost)

    async def _rest(self) -> None:
        self._resting = deferLater(self._clock, _RETRY_SECONDS)
        try:
            await self._resting
        except CancelledError:
            pass
        finally:
            self._resting = None

    async def _read_on(self, life: int, reached: Position) -> Position:
        if self._copies.missing:
            await self._copies.made()
        reply = await self._link.ask(
            *("XREAD", "COUNT", _ENTRIES, "BLOCK", self._block_ms, "STREAMS"),
            *(self._log, str(reached)),
        )
        if reply:
            await self._copies.made()
        if life != self._life:
            return reached
        if not reply:
            await self._check()  # nothing for a while: is it still there at all?
            return reached
        entries = [read_entry(entry) for entry in reply[0][1]]
        self._take(entries)
        return entries[-1].last

    async def _check(self) -> Position:
        """
        Is this the log that we have read? Whether all of it is there, its next entry tells.

        @return: where it ends.
        @raise Lost: it is not.
        """
        service, ms, n = await self._link.ask("HMGET", self._head, "service", "ms", "n")
        if service is None:
            raise Lost("Redis has lost its data: there is no journal in it any more")
        if service != self.service:
            raise Lost("Redis has lost its data: there is another journal in it now")
        head = place(b"%s-%s" % (ms or b"0", n or b"0"))
        if head < self.position:
            raise Lost(
                "Redis has lost the last of its data: its journal ends at"
                f" {head}, and we have read as far as {self.position}"
            )
        return head


def _gap(entry: Entry, reached: Position) -> Lost:
    """What it means that an entry does not follow the one that was read last."""
    if entry.previous > reached:
        return Lost("we were away for longer than the journal can be caught up with")
    return Lost(
        "Redis has lost the last of its data: its journal goes on after"
        f" {entry.previous}, and we have read as far as {reached}"
    )
