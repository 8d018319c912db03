"""
Bringing to the shards what was stored: from the log, in its order, and each event once. One node does
it for a shard while the others look whether it still does; a shard that was away is brought
everything that it missed, for the log is kept that long. What is filed is not known here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

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
        self._kept = prefix + "shards"
        self._shards = shards
        self._heard = _Heard()
        self._filers = [
            _Filer(clock, log, shards, number, self._heard, prefix)
            for number in range(len(shards.others))
        ]

    async def begin(self, service: bytes, run: str, at: Position) -> Deferred[None]:
        """
        Files, until C{end}.

        @param service: the id of the journal.
        @param run: what this node is called in its present life.
        @param at: where in the log it is; what is heard from now on follows.
        @return: fires with an error only: something is wrong with this program.
        @raise NotStored: the journal has another number of shards.
        """
        count = len(self._filers)
        await self._log.ask("HSETNX", self._head, "shards", count)
        found = int(await self._log.ask("HGET", self._head, "shards") or 0)
        if found != count:
            raise NotStored(
                f"{self._log} has a journal with histories in {found or 'no'} shards, and"
                f" {count or 'none'} are given: their number can't be changed"
            )
        for number in range(count):
            # Nothing goes out of the log that this shard does not have.
            await self._log.ask("HSETNX", self._kept, number, 0)
        self._shards.service = service
        self._heard.begin(at)
        return self._together(run)
