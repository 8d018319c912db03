"""
Replicas: waiting until enough of them have what was read in the log, before anybody is told of it.
Which they are, and who becomes the master, is Redis's and Sentinel's own affair.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from .link import Link
from .shards import together

_WAIT_SECONDS = 0.5
"""How long Redis waits at a time; half of the link's patience if that is less."""

_LOOK_MS = 1
"""The same, while there are not enough of them."""

_TELL_SECONDS = 60.0
"""How often it is said that there are not enough."""


class Copies:
    """
    When enough replicas do not have it within C{patience}, all goes on without them, and the log
    says so, until they are back.

    @param link: the connection that reads the log.
    @param prefix: what all keys begin with.
    @param replicas: how many have to have everything; 0 for none.
    @param patience: seconds.
    """

    log = Logger()

    def __init__(
        self, clock: IReactorTime, link: Link, prefix: str, replicas: int, patience: float
    ) -> None:
        self._clock = clock
        self._link = link
        self._key = prefix + "copied"
        self._replicas = replicas
        self._patience = patience
        # None at all would mean for ever.
        self._wait_ms = max(int(min(_WAIT_SECONDS, link.patience / 2) * 1000), 1)
        self._told: float | None = None

    async def made(self) -> None:
        """
        Over when replicas have all that was read until now, or it took too long.

        @raise Away: see C{Link.ask}; so C{Refused}.
        """
        if not self._replicas:
            return
        until = self._clock.seconds() + self._patience
        while (there := await self._ask()) < self._replicas:
            if self._told is not None or self._clock.seconds() >= until:
                self._tell_missing(there)
                return
        if self._told is not None:
            self._told = None
            self.log.info("{link}: its replicas are there again", link=str(self._link))

    async def _ask(self) -> int:
        """How many replicas have a write of our own, and so all that precedes it."""
        ms = self._wait_ms if self._told is None else _LOOK_MS
        _, there = await together(
            [
                self._link.ask("SET", self._key, "1"),
                self._link.ask("WAIT", self._replicas, ms),
            ]
        )
        return int(there)

    def _tell_missing(self, there: int) -> None:
        now = self._clock.seconds()
        if self._told is None or now - self._told >= _TELL_SECONDS:
            self._told = now
            self.log.warn(
                "{link} has {there} replicas that keep up, and {wanted} are to have every message:"
                " what is said now is lost if it breaks",
                link=str(self._link),
                there=there,
                wanted=self._replicas,
            )
