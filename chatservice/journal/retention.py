"""
Forgetting, as a supervised child: every so often, slice by slice, what need not be kept is taken
out of the journal.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger

from chatservice.supervision import Supervised

from .commit import GroupCommit
from .interface import Retention

_SLICE = 500
"""Events forgotten at a time: a commit waits no longer than for that."""


class Forgetting(Supervised):
    """
    @param period: seconds between two rounds.
    """

    log = Logger()

    def __init__(
        self, clock: IReactorTime, journal: GroupCommit, retention: Retention, period: float
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._retention = retention
        self._period = period
        self._rounds = LoopingCall(self._round)
        self._rounds.clock = clock

    def startService(self) -> None:
        super().startService()
        self._rounds.start(self._period, now=False).addErrback(self.fail)

    def stopService(self) -> None:
        super().stopService()
        if self._rounds.running:
            self._rounds.stop()

    def _round(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._forget())

    async def _forget(self) -> None:
        total = forgotten = await self._journal.prune(self._retention, _SLICE)
        while forgotten == _SLICE and self.running:
            await deferLater(self._clock, 0)  # others have their turn
            forgotten = await self._journal.prune(self._retention, _SLICE)
            total += forgotten
        if total:
            self.log.info(
                "{total} events are forgotten: past retention, or with nobody left to read them",
                total=total,
            )
