"""
Group commit, pipelined: while one batch is being stored, the next one fills. No timer decides: an
idle service commits at once, a busy one commits large batches, and what was committed together is
delivered together.

The batch that a reactor turn fills is closed at the end of that turn, so that all that was read
from all sockets goes together. Nothing here knows what an event means, or who waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from chatservice.controller.errors import ChatError, Unavailable
from chatservice.controller.events import Event
from chatservice.controller.log import Batch, Origin, Point, Recovery, Sink
from chatservice.supervision import CannotStart, Supervised

from .interface import IJournal, NotStored, Retention

T = TypeVar("T")


_EVENTS = 2000
"""
How many are stored together, when more have piled up: a store that others share serves nobody else
meanwhile.
"""


class Observer(Protocol):
    """Whoever measures batches."""

    def committed(self, events: Sequence[Event], seconds: float) -> None:
        """A batch was stored, in so many seconds."""

    def delivered(self, seconds: float) -> None:
        """A batch was handed to its readers' connections, so many seconds after it was closed."""


class _Nobody:
    """Whoever waits for what somebody else stored does so elsewhere."""

    def applied(self, event: Event, error: ChatError | None) -> None:
        """What became of it is told there."""


_NOBODY = _Nobody()


class GroupCommit(Supervised):
    """
    The journal's writer, a supervised child: an error that is not `NotStored` fails it. What became
    of the batch under way is asked of the journal at once, and if it cannot tell, again when the
    restart has opened it anew.

    @param waiting: how many events may wait for the batch under way, before further ones are
        refused.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        journal: IJournal,
        waiting: int = 20_000,
        observer: Observer | None = None,
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._waiting = waiting
        self._observer = observer
        self._filling = Batch()
        self._storing: Batch | None = None
        self._storing_for: Sink | None = None
        self._closing: IDelayedCall | None = None
        self._sink: Sink | None = None
        self._listener: Sink | None = None
        self._open = False
        journal.follow(self)

    # Being fed.

    def append(self, event: Event, origin: Origin) -> None:
        """
        Puts an event into the batch that fills.

        @raise Unavailable: too many wait already.
        """
        filling = self._filling
        if len(filling.events) >= self._waiting:
            raise Unavailable("the journal does not keep up")
        filling.events.append(event)
        filling.origins.append(origin)
        if self._storing is None and self._closing is None:
            self._close_batch_later()

    def append_all(self, events: Sequence[Event], origin: Origin) -> None:
        """
        Puts events into the batch that fills: all of them, or none.

        @raise Unavailable: too many wait already.
        """
        if len(self._filling.events) + len(events) > self._waiting:
            raise Unavailable("the journal does not keep up")
        for event in events:
            self.append(event, origin)

    def attach(self, sink: Sink) -> None:
        """Feeds a sink from now on."""
        self._sink = self._listener = sink
        self._close_batch_later()

    def detach(self) -> Deferred[None]:
        """Feeds nobody: fires when no batch is under way any more. What is appended waits."""
        self._sink = None
        return succeed(None) if self._storing is None else self._storing.over()

    def recover(self) -> Deferred[Recovery]:
        """What the journal holds; to be asked while detached."""
        return self._journal.recover()

    async def history(
        self,
        target: str,
        kinds: Sequence[str],
        limit: int,
        before: Point = "",
        after: Point = "",
        oldest: bool = False,
    ) -> list[Event]:
        """See `Log.history`. Whoever has just said something finds it there."""
        return await self._read(
            lambda: self._journal.history(target, kinds, limit, before, after, oldest)
        )

    async def latest(
        self, targets: Sequence[str], identity: str, after: int, before: int, limit: int
    ) -> list[tuple[str, int]]:
        """See `Log.latest`. Whoever has just said something finds it there."""
        return await self._read(
            lambda: self._journal.latest(targets, identity, after, before, limit)
        )

    async def _read(self, ask: Callable[[], Deferred[T]]) -> T:
        await self.drain()
        try:
            return await ask()
        except NotStored:
            raise Unavailable("the history cannot be read now") from None

    async def prune(self, retention: Retention, most: int) -> int:
        """
        See `IJournal.prune`; nothing is forgotten while the journal is closed, or cannot be
        written.
        """
        if not self._open:
            return 0
        try:
            return await self._journal.prune(retention, most)
        except NotStored as error:
            self.log.error("the journal could not forget: {reason}", reason=str(error))
            return 0

    def drain(self) -> Deferred[None]:
        """Fires when everything that was appended until now is stored and delivered, or refused."""
        batch = self._filling if self._filling.events else self._storing
        return succeed(None) if batch is None else batch.over()

    # The life of a batch.

    def _close_batch_later(self) -> None:
        if self._closing is None and self._storing is None:
            self._closing = self._clock.callLater(0, self._close_batch)

    def _close_batch(self) -> None:
        self._closing = None
        if self._filling.events and self._open and self._sink is not None:
            batch = self._take_batch()
            self._storing, self._storing_for = batch, self._sink
            Deferred.fromCoroutine(self._store(batch, self._sink)).addErrback(self.fail)

    def _take_batch(self) -> Batch:
        """What is stored next. What has one origin may belong together, and is not parted."""
        filling, cut = self._filling, _EVENTS
        origins = filling.origins
        while cut < len(origins) and origins[cut] is origins[cut - 1]:
            cut += 1
        if cut >= len(origins):
            self._filling = Batch()
            return filling
        first = Batch(filling.events[:cut], origins[:cut])
        del filling.events[:cut], origins[:cut]
        return first

    async def _store(self, batch: Batch, sink: Sink) -> None:
        began = self._clock.seconds()
        try:
            await self._commit(batch, sink)
            self._stored(batch, sink, began)
        except NotStored as error:
            self._not_stored(error, batch, sink)
        except Exception:
            await self._settle_broken(batch, sink)
            raise

    async def _commit(self, batch: Batch, sink: Sink) -> None:
        records, mark = sink.checkpoint()
        try:
            await self._journal.commit(batch.events, records, mark)
        except Exception:
            sink.checkpoint_failed(list(records))
            raise

    def _stored(self, batch: Batch, sink: Sink, began: float) -> None:
        if self._observer is not None:
            self._observer.committed(batch.events, self._clock.seconds() - began)
        sink.apply(batch)
        self._storing = None
        # The next batch goes to the disk first, and is stored while this one is delivered.
        self._close_batch()
        sink.deliver()
        batch.finish()
        if self._observer is not None:
            self._observer.delivered(self._clock.seconds() - began)

    def _not_stored(self, error: NotStored, batch: Batch, sink: Sink) -> None:
        self.log.error("the journal could not store: {reason}", reason=str(error))
        self._storing = None
        sink.refuse(batch, Unavailable())
        batch.finish()
        self._close_batch_later()

    # What others stored.

    def heard(self, events: Sequence[Event]) -> None:
        """See `interface.Reader`. A sink that is detached hears of it too: it recovers later."""
        sink = self._listener
        if sink is None:
            return
        sink.apply(Batch(list(events), [_NOBODY] * len(events)))
        sink.deliver()
        if self._storing is None and self._sink is not None:
            records, mark = sink.checkpoint()
            self._journal.commit((), records, mark)

    def lost(self, reason: str) -> None:
        """See `interface.Reader`."""
        if self._listener is not None:
            self._listener.lost(reason)

    # Being supervised.

    async def _settle_broken(self, batch: Batch, sink: Sink) -> None:
        """
        Something broke, and nobody knows what became of the batch: asks the journal at once, for
        others may wait for it before they can be restarted; or else leaves it under way until the
        restart has asked.
        """
        if self._storing is not batch:
            return
        try:
            await self._settle(batch, sink)
        except Exception:  # noqa: BLE001 - supervised here
            self.log.failure("the journal cannot tell yet what became of a batch")

    async def _settle(self, batch: Batch, sink: Sink) -> None:
        stored = [await self._journal.holds(event) for event in batch.events[-1:]]
        self._storing = None
        if all(stored):
            sink.apply(batch)
            sink.deliver()
        else:
            sink.refuse(batch, Unavailable())
        batch.finish()

    def startService(self) -> Deferred[None]:
        super().startService()
        return Deferred.fromCoroutine(self._start())

    async def _start(self) -> None:
        try:
            await self._journal.open()
        except NotStored as error:
            raise CannotStart(str(error)) from error
        self._open = True
        if self._storing is not None and self._storing_for is not None:
            await self._settle(self._storing, self._storing_for)
        self._close_batch_later()

    def stopService(self) -> Deferred[None]:
        super().stopService()
        self._open = False
        return self._journal.close()
