"""
Bringing to the shards what was stored: from the log, in its order, and each event once. One node
does it for a shard while the others look whether it still does. A shard that was away is brought
all that it missed, for the log is kept that long. What an event means is not known here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatservice.controller.events import Event
from chatservice.journal.interface import NotStored

from . import scripts
from .entries import START, Entry, Position, read_entry
from .link import Argument, Away, Link, Refused
from .shards import Shards, read_filed, together

_EVENTS = 500
"""How many are filed at once: no script may keep others waiting for long."""

_ENTRIES = 16
"""Entries of the log that are read at once, to catch up."""

_KEPT_EVENTS = 5_000

_TURN_SECONDS = 2.0
"""After which a node that does not go on with it loses its turn."""

_LOOK_SECONDS = 0.5
_RETRY_SECONDS = 0.1

_TELL_SECONDS = 1.0


class _Line(NamedTuple):
    """An event on its way to a shard."""

    place: Position
    target: str
    kind: str
    line: bytes


class Filing:
    """
    @param log: the Redis that has the log.
    @param shards: they too; if there are none, nothing is to be done.
    @param prefix: what all keys begin with.
    """

    def __init__(self, clock: IReactorTime, log: Link, shards: Shards, prefix: str) -> None:
        self._log = log
        self._head = prefix + "head"
        self._shards = shards
        self._heard = _Heard()
        self._filers = [
            _Filer(clock, log, shards, number, self._heard, prefix)
            for number in range(len(shards.others))
        ]

    async def begin(self, service: bytes, run: str, at: Position) -> None:
        """
        Begins to file, until C{end}.

        @param service: the id of the journal.
        @param run: what this node is called in its present life.
        @param at: a place in the log; what is heard from now on follows it.
        @raise NotStored: the journal has another number of shards.
        @raise Away: the log cannot be reached; so C{Refused}.
        """
        count = len(self._filers)
        await self._log.ask("HSETNX", self._head, "shards", count)
        found = int(await self._log.ask("HGET", self._head, "shards") or 0)
        if found != count:
            raise NotStored(
                f"{self._log} has a journal with histories in {found or 'no'} shards, and"
                f" {count or 'none'} are given: their number can't be changed"
            )
        self._shards.service = service
        self._heard.begin(at)
        for filer in self._filers:
            await filer.begin(service, run)

    def end(self) -> None:
        """Files no more."""
        for filer in self._filers:
            filer.end()

    async def close(self) -> None:
        """Files no more, and lets others do it at once."""
        self.end()
        await together([filer.give_back() for filer in self._filers])

    def heard(self, entry: Entry, events: Sequence[Event]) -> None:
        """
        This follows in the log.

        @param events: those of the entry.
        """
        if self._filers:
            self._heard.add(entry, events)
            for filer in self._filers:
                filer.heard()


class _Heard:
    """
    The last of the log, as this node has heard it, so that it need not be read once more.

    @ivar last: where it ends.
    """

    def __init__(self) -> None:
        self._batches: deque[tuple[Entry, Sequence[Event]]] = deque()
        self._count = 0
        self._since = START
        self.last = START

    def begin(self, at: Position) -> None:
        """What is heard from now on follows this place."""
        self._batches.clear()
        self._count = 0
        self._since = self.last = at

    def add(self, entry: Entry, events: Sequence[Event]) -> None:
        """This follows."""
        self._batches.append((entry, events))
        self._count += entry.count
        self.last = entry.last
        while self._count > _KEPT_EVENTS:
            oldest, _ = self._batches.popleft()
            self._count -= oldest.count
            self._since = oldest.last

    def after(self, place: Position) -> list[tuple[Entry, Sequence[Event]]] | None:
        """What follows a place; None if that is not known here any more."""
        if place < self._since:
            return None
        found = []
        for batch in reversed(self._batches):
            if batch[0].last <= place:
                break
            found.append(batch)
        return found[::-1]


class _Filer:
    """Brings to one shard what is for it."""

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        store: Link,
        shards: Shards,
        number: int,
        heard: _Heard,
        prefix: str,
    ) -> None:
        self._clock = clock
        self._store = store
        self._shards = shards
        self._number = number
        self._link = shards.others[number]
        self._heard = heard
        self._prefix = prefix
        self._life = 0
        self._service: bytes = b""
        self._run = ""
        self._ours = False
        self._resting: Deferred[None] | None = None
        self._until_heard = False
        self._caught_up: list[tuple[Entry, Sequence[Event]]] = []
        self._objection = ""
        self._told = -1
        self._told_at = 0.0

    async def begin(self, service: bytes, run: str) -> None:
        """Files from now on."""
        # From now on nothing goes out of the log that this shard does not have.
        await self._store.ask("HSETNX", self._prefix + "shards", self._number, 0)
        self.end()
        self._service, self._run = service, run
        self._caught_up, self._objection, self._told = [], "", -1
        Deferred.fromCoroutine(self._keep_filing(self._life)).addErrback(self._broke)

    def end(self) -> None:
        """Files no more."""
        self._life += 1
        self._wake()

    async def give_back(self) -> None:
        """Lets another node file at once."""
        if self._ours:
            self._ours = False
            with suppress(Away, Refused):  # else it is so a little later
                await self._run_script(0, START, START)

    def heard(self) -> None:
        """There is more."""
        if self._until_heard:
            self._wake()

    def _broke(self, failure: Failure) -> None:
        self.log.failure("nothing is filed any more in {shard}", failure, shard=str(self._link))

    async def _keep_filing(self, life: int) -> None:
        while life == self._life:
            try:
                await self._link.up()
                await self._store.up()
                await self._file_on(life)
            except Away:
                pass  # the link says so itself
            except Refused as error:
                self._object(f"{self._link} or {self._store} cannot be filed into: {error}")
            await self._rest(life, _RETRY_SECONDS)

    async def _file_on(self, life: int) -> None:
        place = await self._ask()
        while life == self._life:
            if place is not None and place < self._heard.last:
                place = await self._file(life, place)
            else:
                await self._rest(life, _LOOK_SECONDS, until_heard=place is not None)
                if place is None or place >= self._heard.last:
                    place = await self._ask()
            if place is not None:
                await self._tell(place)

    async def _file(self, life: int, place: Position) -> Position | None:
        batches = self._heard.after(place)
        if batches is None:
            batches = await self._read_after(place)
        else:
            self._caught_up = []
        lines, upto = self._lines(batches, place)
        if upto == place:  # the log ends before what was heard of it: that will be noticed
            await self._rest(life, _RETRY_SECONDS)
        return await self._ask(place, upto, lines)

    def _lines(
        self, batches: Iterable[tuple[Entry, Sequence[Event]]], place: Position
    ) -> tuple[list[_Line], Position]:
        """Some of what follows a place and is for this shard; and up to where that is all."""
        lines: list[_Line] = []
        upto = place
        for entry, events in batches:
            for (at, line), event in zip(entry.lines(), events, strict=True):
                if at <= place:
                    continue
                if len(lines) == _EVENTS:
                    return lines, upto
                if event.target and self._shards.number(event.target) == self._number:
                    lines.append(_Line(at, event.target, event.kind, line))
                upto = at
        return lines, upto

    async def _read_after(self, place: Position) -> list[tuple[Entry, Sequence[Event]]]:
        """Some of what follows a place: what was read last is filed before there is more of it."""
        known = self._caught_up
        begun = bool(known) and known[0][0].previous <= place
        left = [batch for batch in known if batch[0].last > place] if begun else []
        self._caught_up = left or await self._read(place)
        return self._caught_up

    async def _read(self, place: Position) -> list[tuple[Entry, Sequence[Event]]]:
        """Some of what follows a place in the log."""
        log = self._prefix + "log"
        reply = await self._store.ask("XRANGE", log, f"({place}", "+", "COUNT", _ENTRIES)
        entries = [read_entry(entry) for entry in reply]
        if entries and entries[0].previous > place:
            self.log.critical(
                "{shard} misses what was said {since}: it was away for too long, or has lost its"
                " data",
                shard=str(self._link),
                since="at first" if place == START else f"after {place}",
            )
        return [(entry, entry.events()) for entry in entries]

    async def _ask(
        self, after: Position = START, upto: Position = START, lines: Sequence[_Line] = ()
    ) -> Position | None:
        """
        Has the shard file something, or nothing.

        @return: up to where it has everything; None if it is not for us to file.
        """
        arguments: list[Argument] = []
        for line in lines:
            arguments += (str(line.place), *line[1:])
        turn = int(_TURN_SECONDS * 1000)
        *reply, ours = await self._run_script(turn, after, upto, *arguments)
        self._ours = bool(ours)
        filed = read_filed(reply)
        self._object(self._shards.objection(self._link, filed))
        return filed.place if ours else None

    def _run_script(
        self, turn_ms: int, after: Position, upto: Position, *lines: Argument
    ) -> Coroutine[Any, Any, Any]:
        who = (self._prefix, self._service, self._number, self._run)
        return scripts.run(self._link, scripts.FILE, *who, turn_ms, str(after), str(upto), *lines)

    def _object(self, words: str) -> None:
        """Something is wrong with the shard: operators are told, once."""
        if words and words != self._objection:
            self.log.critical("{words}", words=words)
        self._objection = words

    async def _tell(self, place: Position) -> None:
        """Lets the log know every so often what it need not keep for this shard."""
        now = self._clock.seconds()
        if place.ms != self._told and now - self._told_at >= _TELL_SECONDS:
            self._told, self._told_at = place.ms, now
            await self._store.ask("HSET", self._prefix + "shards", self._number, place.ms)

    # Waiting.

    async def _rest(self, life: int, seconds: float, until_heard: bool = False) -> None:
        if life != self._life:
            return
        self._resting, self._until_heard = Deferred(), until_heard
        resting = self._resting
        timer = self._clock.callLater(seconds, self._wake)
        await resting
        if timer.active():
            timer.cancel()

    def _wake(self) -> None:
        resting, self._resting = self._resting, None
        self._until_heard = False
        if resting is not None:
            resting.callback(None)
