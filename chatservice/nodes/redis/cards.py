"""
Where users' connections come from, for the operators of other nodes to see: beside the log, and no
longer there than the connections are.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from chatservice.controller.desk import Card
from chatservice.journal.redis.link import Away, Link, Refused
from chatservice.journal.redis.wire import Argument


class RedisCards:
    """
    @param prefix: what all keys begin with.
    @param node: tells what this node is called.
    """

    log = Logger()

    def __init__(self, link: Link, prefix: str, node: Callable[[], str]) -> None:
        self._link = link
        self._prefix = prefix
        self._node = node

    def keep(self, visit: str, card: Card) -> None:
        """See `desk.Cards`."""
        self._tell("HSET", self._mine, visit, json.dumps([card.host, card.certfp]))

    def drop(self, visit: str) -> None:
        """See `desk.Cards`."""
        self._tell("HDEL", self._mine, visit)

    async def show(self, node: str, visit: str) -> Card | None:
        """See `desk.Cards`."""
        try:
            found = await self._link.ask("HGET", cards_of(self._prefix, node), visit)
        except (Away, Refused):
            return None
        return Card(*json.loads(found)) if found is not None else None

    @property
    def _mine(self) -> str:
        return cards_of(self._prefix, self._node())

    def _tell(self, *command: Argument) -> None:
        Deferred.fromCoroutine(self._link.ask(*command)).addErrback(
            # Operators elsewhere will not see it, or what is left is dropped with the node's.
            lambda failure: failure.trap(Away, Refused) and None
        )


def cards_of(prefix: str, node: str) -> str:
    """The key of a node's cards."""
    return f"{prefix}cards:{node}"
