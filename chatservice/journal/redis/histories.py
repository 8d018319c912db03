"""
What was said: a target's history between two points, and when something was said last in each of
many targets. A history is a stream for each kind of event, so that each is read along its ids and
no further than is asked. Each question is one round trip, whatever it asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from chatservice.controller.events import Event
from chatservice.controller.log import Point
from chatservice.journal.interface import NotStored

from . import scripts
from .entries import START, Position, from_line, place, position
from .link import Away, Link, Refused
from .shards import Shards, together

_LATEST_MOMENT = 10**15
"""Later than every moment: milliseconds since 1970."""


class Histories:
    """
    @param shards: who has them.
    @param prefix: what all keys begin with.
    """

    def __init__(self, shards: Shards, prefix: str) -> None:
        self._shards = shards
        self._prefix = prefix

    async def history(
        self,
        target: str,
        kinds: Sequence[str],
        limit: int,
        before: Point = "",
        after: Point = "",
        oldest: bool = False,
    ) -> list[Event]:
        """See `IJournal.history`."""
        start, end = _start(after), _end(before)
        if start is None or end is None or limit <= 0:
            return []
        link = self._shards.of(target)
        command, *bounds = ("XRANGE", start, end) if oldest else ("XREVRANGE", end, start)
        replies = await _all(
            link.ask(command, f"{self._prefix}h:{kind}:{target}", *bounds, "COUNT", limit)
            for kind in kinds
        )
        found = [_event(entry) for entry in chain.from_iterable(replies)]
        if len(kinds) > 1:
            found.sort(key=_place, reverse=not oldest)
            del found[limit:]
        return found if oldest else found[::-1]

    async def latest(
        self, targets: Sequence[str], identity: str, after: int, before: int, limit: int
    ) -> list[tuple[str, int]]:
        """See `IJournal.latest`."""
        by_link: dict[Link, list[str]] = {link: [] for link in self._shards.links}
        for target in targets:
            by_link[self._shards.of(target)].append(target)
        after, before = _moment(after), _moment(before)
        asked = (self._prefix, identity, after, before, max(limit, 0))
        replies = await _all(
            scripts.run(link, scripts.LATEST, *asked, *theirs) for link, theirs in by_link.items()
        )
        found = sorted(chain.from_iterable(map(_lasts, replies)))
        return [(target, last.ms) for last, target in found if after < last.ms < before][:limit]


async def _all(questions: Iterable[Any]) -> list[Any]:
    """The answers to questions that are asked at once."""
    try:
        return await together(list(questions))
    except (Away, Refused) as error:
        raise NotStored(str(error)) from None


def _event(entry: Sequence[Any]) -> Event:
    id, (_, line) = entry
    text = id.decode()
    return from_line(line, text, int(text.partition("-")[0]))


def _lasts(reply: Sequence[bytes]) -> Iterable[tuple[Position, str]]:
    for target, id in zip(reply[::2], reply[1::2], strict=True):
        yield place(id), target.decode()


def _place(event: Event) -> Position:
    return place(event.id.encode())


def _start(after: Point) -> str | None:
    """The first id that Redis is to look at, as it is written there; None if there is none."""
    if isinstance(after, int):
        return str(max(_moment(after + 1), 0))
    if not after:
        return "-"
    return f"({after}" if position(after) is not None else None


def _end(before: Point) -> str | None:
    """The last one; None if there is none."""
    if isinstance(before, int):
        return str(_moment(before - 1)) if before > 0 else None
    if not before:
        return "+"
    # To Redis nothing precedes its first id, not even nothing.
    return f"({before}" if position(before) not in (None, START) else None


def _moment(ms: int) -> int:
    """A moment that lies among those of events as this one does."""
    return min(max(ms, -1), _LATEST_MOMENT)
