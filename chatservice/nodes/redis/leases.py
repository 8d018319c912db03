"""
The nodes' leases in Redis: a sorted set of them by the time at which they run out. That is Redis's
time, the same for all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Collection
from typing import TypeVar

from chatservice.journal.redis import scripts
from chatservice.journal.redis.link import Away, Link, Refused
from chatservice.nodes.leases import OutOfTouch

from .cards import cards_of

T = TypeVar("T")

_CLAIM_MS = 10_000
"""How long a node may take to log out the users of another before a third one may try it."""


class RedisLeases:
    """
    @param prefix: what all keys begin with.
    """

    def __init__(self, link: Link, prefix: str) -> None:
        self._link = link
        self._prefix = prefix
        self._connection = 0

    async def renew(self, node: str, seconds: float) -> Collection[str]:
        """See `nodes.leases.Leases`."""
        ms = int(seconds * 1000)
        there = await _asked(scripts.run(self._link, scripts.RENEW, self._prefix, node, ms))
        before, self._connection = self._connection, self._link.connections
        if before not in (0, self._connection):
            # A replica that has taken over may know old leases only, and the others may be on
            # their way to it.
            raise OutOfTouch(f"{self._link}: the connection is a new one")
        return [each.decode() for each in there]

    async def claim(self, node: str) -> bool:
        """See `nodes.leases.Leases`."""
        claimed = scripts.run(self._link, scripts.CLAIM, self._prefix, node, _CLAIM_MS)
        return bool(await _asked(claimed))

    async def seen_to(self, node: str) -> None:
        """See `nodes.leases.Leases`."""
        await _asked(scripts.run(self._link, scripts.SEEN_TO, self._prefix, node))

    async def end(self, node: str) -> None:
        """See `nodes.leases.Leases`."""
        await _asked(self._link.ask("ZREM", f"{self._prefix}nodes", node))
        claim, cards = f"{self._prefix}claim:{node}", cards_of(self._prefix, node)
        await _asked(self._link.ask("DEL", claim, cards))


async def _asked(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except (Away, Refused) as error:
        raise OutOfTouch(str(error)) from None
