"""
Which Redis has the history of which target. Without shards it is the one that has the log, and what
is stored is filed with the commit. With shards, each has the histories of some targets, and
`filing` brings there what was stored. Only histories are kept in shards: the log, which gives all
events their one order, and the records are in one Redis always.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar, cast

from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from chatservice.journal.interface import NotStored

from .entries import START, Position, place
from .link import Away, Link, Refused

T = TypeVar("T")

_FIRST_WAIT, _LONGEST_WAIT = 0.005, 0.1
"""Seconds between two looks at a shard that does not have everything yet."""

_CHOICES = 10_000


class Filed(NamedTuple):
    """
    What a shard says of itself.

    @ivar service: the id of the journal that it belongs to; None if it is new.
    @ivar number: which of its shards it is.
    @ivar place: up to where it has everything that is for it.
    """

    service: bytes | None
    number: int
    place: Position


class Shards:
    """
    @param own: the Redis that has the log.
    @param others: the Redises that keep the histories in its place, in an order that never changes.
    @param prefix: what all keys begin with.
    @param patience: seconds that reading waits for a shard to have everything.
    @ivar service: the id of the journal.
    """

    def __init__(
        self,
        clock: IReactorTime,
        own: Link,
        others: Sequence[Link] = (),
        prefix: str = "",
        patience: float = 3.0,
    ) -> None:
        self._clock = clock
        self._links = list(others) or [own]
        self._others = list(others)
        self._key = prefix + "filed"
        self._patience = patience
        self._choose = lru_cache(_CHOICES)(self._choice)
        self.service = b""

    @property
    def links(self) -> Sequence[Link]:
        """All that keep histories."""
        return self._links

    @property
    def others(self) -> Sequence[Link]:
        """Those of them that do not have the log."""
        return self._others

    def of(self, target: str) -> Link:
        """The one that has the history of a target."""
        return self._links[self.number(target)]

    def number(self, target: str) -> int:
        """Which of them has the history of a target."""
        return self._choose(target)

    def _choice(self, target: str) -> int:
        """Rendezvous hashing: the same for all nodes, whatever they call the shards."""
        name = target.encode()
        return max(
            range(len(self._links)),
            key=lambda number: blake2b(name, digest_size=8, salt=b"%d" % number).digest(),
        )

    # Their connections.

    def open(self) -> None:
        """Begins to connect."""
        for link in self._others:
            link.open()

    async def close(self) -> None:
        """Lets go of them."""
        for link in self._others:
            await link.close()

    async def check(self) -> None:
        """
        Are these our shards? One that is away now is asked later, by `filing`.

        @raise NotStored: one of them is another's.
        """
        await together([self._check(link) for link in self._others])

    async def _check(self, link: Link) -> None:
        try:
            await link.up(self._patience)
            await self._filed(link)
        except Away:
            pass
        except Refused as error:
            raise NotStored(str(error)) from None

    # What they have.

    async def filed(self, links: Sequence[Link], reached: Position) -> None:
        """
        Waits until all that was stored up to a place is in shards, so far as it is for them.

        @raise Away: it takes too long, or one cannot be asked.
        @raise Refused: one is another's.
        """
        until = self._clock.seconds() + self._patience
        wait = _FIRST_WAIT
        while links := await self._late(links, reached):
            if self._clock.seconds() >= until:
                raise Away(f"{links[0]}: it does not have all yet that was said")
            await deferLater(self._clock, wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    async def read(
        self,
        links: Sequence[Link],
        reached: Position,
        question: Callable[[], Coroutine[Any, Any, T]],
    ) -> T:
        """
        Asks something of shards when they have all that was stored up to a place. If they do, as
        they nearly always do, it is one round trip.

        @param question: asks it, of these and at once.
        @raise Away: see C{filed}; so C{Refused}.
        """
        if not self._others:
            return await question()
        # A shard answers in this order: what it had before is in the answer.
        late, answer = await together([self._late(links, reached), question()])
        if late:
            await self.filed(late, reached)
            answer = await question()
        return cast(T, answer)

    async def _late(self, links: Sequence[Link], reached: Position) -> Sequence[Link]:
        """Those who do not have everything yet."""
        if not self._others:
            return []
        filed = await together([self._filed(link) for link in links])
        return [link for link, each in zip(links, filed, strict=True) if each.place < reached]

    async def _filed(self, link: Link) -> Filed:
        filed = read_filed(await link.ask("HMGET", self._key, "service", "number", "place"))
        words = self.objection(link, filed)
        if words:
            raise Refused(words)
        return filed

    def objection(self, link: Link, filed: Filed) -> str:
        """Why a shard that says this is none of ours, or the empty string."""
        if filed.service is None:
            return ""
        if filed.service != self.service:
            return (
                f"{link} keeps the histories of another journal than the one that is in the store"
            )
        number = self._others.index(link)
        if filed.number != number:
            return (
                f"{link} is shard {filed.number + 1} of this journal, and is given as shard"
                f" {number + 1}: their order can't be changed"
            )
        return ""


def read_filed(reply: Sequence[Any]) -> Filed:
    """What a shard says of itself, as Redis answers with it."""
    service, number, filed = reply
    return Filed(service or None, int(number or 0), place(filed) if filed else START)


async def together(asked: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """All the answers, asked for at once; or what the first of them that fails raises."""
    try:
        return await gatherResults(map(Deferred.fromCoroutine, asked), consumeErrors=True)
    except FirstError as error:
        error.subFailure.raiseException()
        raise
