"""
Forgetting, in slices: what is too old, beyond a target's count, or out of everybody's reach. Only
what the records already hold (up to the mark) is ever forgotten. One node at a time does it; each
script that it runs is a short one.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from twisted.internet.interfaces import IReactorTime

from chatservice.controller.events import EVENTS
from chatservice.controller.reach import Reach
from chatservice.controller.records import Record
from chatservice.controller.state import RecordKey
from chatservice.journal.interface import NotStored, Retention

from . import scripts
from .entries import read_records
from .link import Away, Link, Refused
from .shards import Shards

_TURN_MS = 60_000
"""For how long a node has its turn without a word."""

_LOOKED_AT = 500
"""Targets, or records, that Redis looks at in one step."""

_TARGETS = 20
"""Targets of which something is forgotten in one step, and how many events of them all."""
_EVENTS = 200

_Found = tuple[str, int]
"""A target, and the moment of the oldest event that is kept of it."""


@dataclass(slots=True)
class _Round:
    """
    Every target is looked at once, in as many slices as it takes.

    @ivar mark: nothing is forgotten after this event. The reach is as it was then, or later; what
        was out of it at the mark is so for ever, so that neither has to be read again.
    @ivar ms: when it began.
    @ivar waiting: whose targets are still to be looked at, and C{cursor} which of the first one's.
    """

    mark: str
    ms: int
    reach: Reach
    waiting: list[Link]
    cursor: bytes = b"0"


class Pruning:
    """
    @param link: the Redis that has the records.
    @param shards: who has the histories.
    @param prefix: what all keys begin with.
    @param time: tells the time, seconds since 1970; None: Redis does.
    """

    def __init__(
        self, link: Link, shards: Shards, prefix: str, time: IReactorTime | None = None
    ) -> None:
        self._link = link
        self._shards = shards
        self._prefix = prefix
        self._time = time
        self._name = secrets.token_hex(8)
        self._round: _Round | None = None

    async def prune(self, retention: Retention, most: int) -> int:
        """See `IJournal.prune`. While it is another node's turn nothing is forgotten here."""
        try:
            return await self._prune(retention, most)
        except (Away, Refused) as error:
            self._round = None
            raise NotStored(str(error)) from None

    async def _prune(self, retention: Retention, most: int) -> int:
        turn = await self._take_turn(_TURN_MS)
        if not turn:
            self._round = None
            return 0
        mine, mark, ms = turn
        if self._round is None or mine == b"0":
            reach = await self._reach(mark)
            self._round = _Round(mark.decode(), int(ms), reach, list(self._shards.links))
        forgotten = await self._go_on(self._round, retention, most)
        if not self._round.waiting:
            self._round = None
            await self._take_turn(0)
        return forgotten

    async def _take_turn(self, ms: int) -> Any:
        time = "" if self._time is None else int(self._time.seconds() * 1000)
        return await scripts.run(self._link, scripts.TURN, self._prefix, self._name, ms, time)

    async def _go_on(self, round: _Round, retention: Retention, most: int) -> int:
        forgotten = 0
        while round.waiting:
            link = round.waiting[0]
            cursor, reply = await link.ask(
                "ZSCAN", f"{self._prefix}oldest", round.cursor, "COUNT", _LOOKED_AT
            )
            for arguments in _stale(round, retention, _found(reply)):
                forgotten += await self._forget(link, arguments, most - forgotten)
                if forgotten >= most:
                    return forgotten  # the next slice begins here
            round.cursor = cursor
            if cursor == b"0":
                del round.waiting[0]
        return forgotten

    async def _forget(self, link: Link, arguments: Sequence[str | int], most: int) -> int:
        """
        Forgets what need not be kept of a few targets.

        @param arguments: what `prune.lua` wants to know, without the keys' prefix, and without how
            many events may go, and the kinds.
        """
        bounds, targets = arguments[:3], arguments[3:]
        forgotten = 0
        while forgotten < most:
            slice = min(most - forgotten, _EVENTS)
            limits = (*bounds, slice, len(EVENTS), *EVENTS)
            gone = await scripts.run(link, scripts.PRUNE, self._prefix, *limits, *targets)
            forgotten += gone
            if gone < slice:
                break
        return forgotten

    # Who can still read what.

    async def _reach(self, mark: bytes) -> Reach:
        records = await self._records("room")
        records.update(await self._records("user"))
        # A guest who takes another nick while we look may be missed under both.
        if await self._link.ask("HGET", f"{self._prefix}head", "mark") != mark:
            records.update(await self._records("user"))
        return Reach.of(records)

    async def _records(self, kind: str) -> dict[RecordKey, Record]:
        found: dict[RecordKey, Record] = {}
        cursor = b"0"
        while True:
            cursor, reply = await self._link.ask(
                *("HSCAN", f"{self._prefix}records", cursor),
                *("MATCH", f'\\["{kind}",*', "COUNT", _LOOKED_AT),
            )
            found.update(read_records(reply))
            if cursor == b"0":
                return found


def _found(reply: Sequence[bytes]) -> Iterator[_Found]:
    for target, ms in zip(reply[::2], reply[1::2], strict=True):
        yield target.decode(), int(float(ms))


def _stale(
    round: _Round, retention: Retention, found: Iterator[_Found]
) -> Iterator[list[str | int]]:
    """Of these targets those of which something may have to be forgotten, a few at a time."""
    horizon = ceil(round.ms - retention.seconds * 1000) if retention.seconds else 0
    bounds: list[str | int] = [round.mark, max(horizon, 0), retention.messages]
    targets: list[str | int] = []
    for target, ms in found:
        reachable = round.reach.includes(target)
        if not reachable or ms < horizon or retention.messages:
            targets += (target, int(reachable))
        if len(targets) == 2 * _TARGETS:
            yield [*bounds, *targets]
            targets = []
    if targets:
        yield [*bounds, *targets]
