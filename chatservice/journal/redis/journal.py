"""
The journal in Redis, which any number of nodes share: one log that gives all events one order, read
by every node, and beside it the histories of rooms and conversations, and the records. What Redis
does in one step is in `scripts`.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from chatservice.controller.events import Event
from chatservice.controller.log import Point, Recovery
from chatservice.controller.records import Record
from chatservice.controller.state import RecordKey
from chatservice.journal.interface import IJournal, NotStored, Reader, Retention

from . import scripts
from .batch import FOR_GOOD, Batch
from .copies import Copies
from .entries import (
    START,
    Entry,
    place,
    position,
    read_entry,
    read_records,
    record_arguments,
    to_line,
)
from .filing import Filing
from .following import Follower, FollowingObserver, Lost
from .histories import Histories
from .link import Argument, Away, Link, Refused
from .pruning import Pruning
from .recent import Question, Recent
from .records import DueRecords
from .settings import RedisSettings
from .shards import Shards

T = TypeVar("T")

LAYOUT = "1"
"""The version of what the keys hold."""

_RETRY_SECONDS = 0.1


@implementer(IJournal)
class RedisJournal:
    """
    @param clock: what delays and intervals are counted by.
    @param link: the connection for what is asked.
    @param reading: the connection that waits for what happens.
    @param shards: connections to the Redises that keep the histories in the place of the one that
        has the log, if there are any; see `Shards`.
    @param node: tells what this node is called.
    @param time: tells the time of events, seconds since 1970; None: Redis does, which is the same
        for all nodes.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        link: Link,
        reading: Link,
        settings: RedisSettings = RedisSettings(),  # noqa: B008 - it is immutable
        time: IReactorTime | None = None,
        observer: FollowingObserver | None = None,
        shards: Sequence[Link] = (),
        node: Callable[[], str] = lambda: "",
    ) -> None:
        self._node = node
        self._clock = clock
        self._link = link
        self._reading = reading
        self._settings = settings
        self._time = time
        self._reader: Reader | None = None
        self._copies = Copies(
            clock, reading, [link], settings.prefix, settings.replicas, settings.patience
        )
        self._follower = Follower(
            clock, reading, settings.prefix, self._entry, self._lost, self._copies, observer
        )
        self._shards = Shards(clock, link, shards, settings.prefix, settings.patience)
        self._filing = Filing(clock, link, self._shards, settings.prefix)
        self._histories = Histories(self._shards, settings.prefix)
        self._recent = Recent(self._look_up, settings.recent_targets)
        self._pruning = Pruning(link, self._shards, settings.prefix, time)
        self._due = DueRecords()
        self._checkpointed = 0.0
        self._service = b""
        self._run = ""
        self._batches = 0
        self._away_since: float | None = None
        self._opened = False
        self._expected: dict[int, Batch] = {}
        self._under_way: set[Deferred[None]] = set()

    # Opening, and what was stored before.

    def open(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._open())

    async def _open(self) -> None:
        self._opened = True
        self._link.open()
        self._reading.open()
        self._shards.open()
        try:
            await self._link.up(self._settings.patience)
            await self._begin()
            await self._shards.check()
            self.log.info("what is said is kept in {link}", link=str(self._link))
        except (Away, Refused, NotStored) as error:
            await self._close()
            raise NotStored(str(error)) from None

    async def _begin(self) -> None:
        """Goes on where the journal ends now."""
        fresh = secrets.token_hex(8)
        service, head, layout = await self._ask(scripts.OPEN, fresh, LAYOUT)
        if layout.decode() != LAYOUT:
            raise NotStored(f"{self._link} has a journal of another version")
        self._service = service
        # A new name for each life: a batch that an earlier one gave up cannot come after these.
        self._run, self._batches = secrets.token_hex(8), 0
        await self._filing.begin(service, self._run, place(head))
        self._recent.begin(place(head))
        self._follower.begin(service, place(head)).addErrback(self._broke)

    def close(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        for batch in list(self._expected.values()):
            await batch.over()
        self._opened = False
        self._follower.end()
        await self._filing.close()
        await self._shards.close()
        await self._reading.close()
        await self._link.close()
        for doing in list(self._under_way):
            await doing

    def _do(self, what: Coroutine[Any, Any, T]) -> Deferred[T]:
        """Does something that a closing waits for."""
        done: Deferred[T] = Deferred()
        over: Deferred[None] = Deferred()
        self._under_way.add(over)

        def end(_: None) -> None:
            self._under_way.discard(over)
            over.callback(None)

        Deferred.fromCoroutine(what).chainDeferred(done).addCallback(end)
        return done

    def follow(self, reader: Reader) -> None:
        self._reader = reader

    def recover(self) -> Deferred[Recovery]:
        return self._do(self._recover())

    async def _recover(self) -> Recovery:
        while True:
            try:
                return await self._recover_now()
            except Refused as error:
                raise NotStored(str(error)) from None
            except Away as error:
                # There is nothing else that a node could do.
                if not self._opened:
                    raise NotStored(str(error)) from None
            await self._rest()

    async def _recover_now(self) -> Recovery:
        self._follower.hold()
        at, missed, later = START, [], []
        try:
            reached = str(self._follower.position)
            _, head, mark, records, entries = await self._ask(scripts.RECOVER, reached)
            at, missed = place(head), [read_entry(entry) for entry in entries]
        finally:
            later = self._follower.go_on(missed, at)
        since = place(mark)
        self._due.clear()
        young = [entry for entry in (*missed, *later) if entry.last > since]
        return Recovery(
            read_records(records), [event for entry in young for event in entry.events(since)]
        )

    def _ask(self, script: scripts.Script, *arguments: Argument) -> Coroutine[Any, Any, Any]:
        return scripts.run(self._link, script, self._settings.prefix, *arguments)

    async def _read(self, answer: Awaitable[T]) -> T:
        try:
            return await answer
        except (Away, Refused) as error:
            raise NotStored(str(error)) from None

    async def _rest(self) -> None:
        """Waits a little for Redis, or for as long as it is down."""
        await deferLater(self._clock, _RETRY_SECONDS)
        with suppress(Away):  # it is closed
            await self._link.up()

    # Storing.

    def commit(
        self,
        events: Sequence[Event],
        records: Mapping[RecordKey, Record | None],
        mark: str,
    ) -> Deferred[None]:
        self._due.note(records, position(mark) if mark else None)
        if not events:
            return succeed(None)
        self._look_for_redis()
        self._batches += 1
        batch = Batch(self._batches, events)
        self._expected[batch.number] = batch
        # It is true once it was read in the log, after everything that precedes it there. What is
        # read later was stored by somebody else, for all that its sender knows.
        batch.stored.addTimeout(
            self._settings.patience, self._clock, lambda *_: Failure(NotStored(batch.reason))
        )
        batch.stored.addBoth(self._forget, batch)
        self._do(self._send(batch)).addErrback(self._not_sent, batch)
        return batch.stored

    def _look_for_redis(self) -> None:
        if self._link.connected:
            self._away_since = None
        elif self._away_since is None:
            self._away_since = self._clock.seconds()

    def _forget(self, result: T, batch: Batch) -> T:
        if self._expected.get(batch.number) is batch:
            del self._expected[batch.number]
        return result

    def _not_sent(self, failure: Failure, batch: Batch) -> Failure | None:
        if not batch.stored.called:
            batch.stored.errback(failure)
            return None
        return None if failure.check(NotStored) else failure

    async def _send(self, batch: Batch) -> None:
        """
        Sends a batch until Redis has it, or it is given up; Redis takes none twice.

        @raise NotStored: it did not for as long as may be waited; or it did, and nobody could tell.
        """
        arguments = self._arguments(batch)
        while not batch.stored.called:
            if self._copies.missing:
                raise NotStored(self._copies.missing)
            try:
                # What could not be heard would be refused although it is stored.
                await self._reading.up(self._settings.patience)
                await self._ask(scripts.COMMIT, *arguments)
            except Refused as error:
                for word, words in FOR_GOOD.items():
                    if word in str(error):
                        raise NotStored(words) from None
                batch.reason = str(error)
            except Away as error:
                batch.reason = str(error)
            else:
                return
            await self._wait(batch.reason)

    async def _wait(self, reason: str) -> None:
        """
        Waits for Redis; whoever asks when it has been away for longer than may be waited does not.

        @raise NotStored: it does not come.
        """
        now = self._clock.seconds()
        if self._away_since is None:
            self._away_since = now
        left = self._away_since + self._settings.patience - now
        if left <= 0 or not self._opened:
            raise NotStored(reason)
        try:
            await deferLater(self._clock, min(left, _RETRY_SECONDS))
            await self._link.up(left)
        except Away:
            raise NotStored(reason) from None

    def _arguments(self, batch: Batch) -> list[str | int]:
        settings = self._settings
        due = self._clock.seconds() - self._checkpointed >= settings.checkpoint
        mark = self._due.mark if due else None
        arguments: list[str | int] = [
            self._service.decode(),
            self._run,
            batch.number,
            "" if self._time is None else int(self._time.seconds() * 1000),
            int(settings.keep_seconds * 1000),
            "" if mark is None else str(mark),
            "" if self._shards.others else "1",
            len(batch.events),
            self._node(),
            str(self._follower.position),
        ]
        for event in batch.events:
            arguments += (event.target, event.kind, to_line(event))
        if mark is not None:
            arguments += record_arguments(self._due.records())
        return arguments

    def holds(self, event: Event) -> Deferred[bool]:
        stamped = position(event.id) if event.id else None
        return succeed(stamped is not None and stamped <= self._follower.position)

    # What the log says.

    def _entry(self, entry: Entry) -> None:
        if entry.mark is not None:
            self._checkpointed = self._clock.seconds()
            self._due.stored(entry.mark)
        mine = self._expected.get(entry.batch) if entry.run == self._run else None
        if mine is not None:
            entry.stamp(mine.events)
        events = mine.events if mine is not None else entry.events()
        self._recent.heard(events, entry.last)
        if mine is not None:
            mine.stored.callback(None)
        elif self._reader is not None:
            self._reader.heard(events)
        self._filing.heard(entry, events)

    def _lost(self, lost: Lost) -> None:
        self.log.critical("{reason}", reason=str(lost))
        self._filing.end()
        self._recent.forget()
        for batch in list(self._expected.values()):
            batch.stored.errback(NotStored(str(lost)))
        beginning = self._do(self._begin_anew(str(lost)))
        beginning.addErrback(lambda failure: self.log.failure("a defect", failure))

    async def _begin_anew(self, reason: str) -> None:
        begun, told = False, ""
        while self._opened and not begun:
            try:
                await self._begin()
                begun = True
            except (Away, Refused):
                await self._rest()
            except NotStored as error:
                if str(error) != told:  # somebody has to change something
                    told = str(error)
                    self.log.critical("{reason}", reason=told)
                await self._rest()
        if begun and self._reader is not None:
            self._reader.lost(reason)

    def _broke(self, failure: Failure) -> None:
        self.log.failure("what was read in the log could not be taken in", failure)
        self._follower.end()
        self._lost(Lost("the log could not be read on"))

    # Reading, and forgetting.

    def history(
        self,
        target: str,
        kinds: Sequence[str],
        limit: int,
        before: Point = "",
        after: Point = "",
        oldest: bool = False,
    ) -> Deferred[list[Event]]:
        question = Question(target, tuple(kinds), limit, before, after, oldest)
        return Deferred.fromCoroutine(self._recent.history(question))

    async def _look_up(self, question: Question) -> list[Event]:
        return await self._read(
            self._shards.read(
                [self._shards.of(question.target)],
                self._follower.position,
                lambda: self._histories.history(*question),
            )
        )

    def latest(
        self, targets: Sequence[str], identity: str, after: int, before: int, limit: int
    ) -> Deferred[list[tuple[str, int]]]:
        return Deferred.fromCoroutine(
            self._read(
                self._shards.read(
                    self._shards.links,
                    self._follower.position,
                    lambda: self._histories.latest(targets, identity, after, before, limit),
                )
            )
        )

    def prune(self, retention: Retention, most: int) -> Deferred[int]:
        return Deferred.fromCoroutine(self._prune(retention, most))

    async def _prune(self, retention: Retention, most: int) -> int:
        forgotten = await self._pruning.prune(retention, most)
        self._recent.forget()  # also if it is another node's turn: that one forgets
        return forgotten
