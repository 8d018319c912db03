"""
Replicas: waiting until enough of them have what was read in the log, before anybody is told of it.
Which they are, and who becomes the master, is Redis's and Sentinel's own affair.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from .link import Link
from .shards import together

_WAIT_SECONDS = 0.5
"""How long Redis waits at a time; half of the link's patience if that is less."""

_TELL_SECONDS = 60.0
"""How often it is said that there are not enough."""


class Copies:
    """
    @param reading: the connection that reads the log.
    @param others: those that are used beside it.
    @param prefix: what all keys begin with.
    @param replicas: how many have to have everything; 0 for none.
    @param patience: seconds after which they are missing.
    @ivar missing: why nothing can be stored, while there are not enough of them; else empty.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        reading: Link,
        others: Sequence[Link],
        prefix: str,
        replicas: int,
        patience: float,
    ) -> None:
        self._clock = clock
        self._reading = reading
        self._links = [reading, *others]
        self._key = prefix + "copied"
        self._replicas = replicas
        self._patience = patience
        # None at all would mean for ever.
        self._wait_ms = max(int(min(_WAIT_SECONDS, reading.patience / 2) * 1000), 1)
        self._told = 0.0
        self.missing = ""

    async def made(self) -> None:
        """
        Over when enough replicas have all that was read until now, however long that takes.

        @raise Away: see C{Link.ask}; so C{Refused}.
        """
        since = self._clock.seconds()
        while self._replicas:
            there = await self._ask()
            if there >= self._replicas:
                break
            if self._clock.seconds() - since >= self._patience:
                self._miss(there)
        if self.missing:
            self.missing = ""
            self.log.info("{link}: its replicas are there again", link=str(self._reading))

    async def _ask(self) -> int:
        """How many replicas have a write of our own, and so all that precedes it."""
        _, there = await together(
            [
                self._reading.ask("SET", self._key, "1"),
                self._reading.ask("WAIT", self._replicas, self._wait_ms),
            ]
        )
        return int(there)

    def _miss(self, there: int) -> None:
        now = self._clock.seconds()
        if self.missing and now - self._told < _TELL_SECONDS:
            return
        self._told = now
        self.missing = f"{there} of {self._replicas} replicas are there"
        self.log.error(
            "{link}: nothing can be stored: {reason}",
            link=str(self._reading),
            reason=self.missing,
        )
        # A master that has lost its replicas may be none any more.
        for link in self._links:
            link.leave(self.missing)
