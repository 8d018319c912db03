"""What tests of several nodes on one Redis begin with: nodes that tell what they see, and ways to
Redis that go wrong when the test says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from zope.interface import provider

from chatservice.controller.events import Event
from chatservice.controller.records import Record
from chatservice.controller.state import RecordKey
from chatservice.journal.redis.journal import RedisJournal
from chatservice.journal.redis.link import Argument, Away, Link, Refused
from tests.facts import say
from tests.journal_case import reactor
from tests.redis_case import PATIENCE, RedisCase

Seen = list[tuple[str, int, str]]


class Node:
    """
    A journal, and what is seen there.

    @ivar events: all that was stored, in the order in which this node learned of it.
    @ivar heard_events: what of this was heard, rather than stored by this node.
    @ivar reasons: why the journal was lost, each time.
    """

    def __init__(self, journal: RedisJournal) -> None:
        self.journal = journal
        self.events: list[Event] = []
        self.heard_events: list[Event] = []
        self.reasons: list[str] = []
        self._waiting: list[tuple[Callable[[], bool], Deferred[None]]] = []
        journal.follow(self)

    def heard(self, events: Sequence[Event]) -> None:
        self.heard_events += events
        self._saw(events)

    def lost(self, reason: str) -> None:
        self.reasons.append(reason)
        self._look()

    def _saw(self, events: Sequence[Event]) -> None:
        self.events += events
        self._look()

    def _look(self) -> None:
        for waiting in list(self._waiting):
            condition, over = waiting
            if condition():
                self._waiting.remove(waiting)
                over.callback(None)

    def until(self, condition: Callable[[], bool]) -> Deferred[None]:
        """Fires when something is so; it is looked at whenever this node sees something."""
        over: Deferred[None] = Deferred()
        self._waiting.append((condition, over))
        self._look()
        return over.addTimeout(PATIENCE, reactor)

    def has(self, *texts: str) -> Deferred[None]:
        """Fires when this node has seen all of these."""
        return self.until(lambda: {*texts} <= {text for _, _, text in self.seen})

    def is_lost(self) -> Deferred[None]:
        """Fires when its journal is another one."""
        return self.until(lambda: bool(self.reasons))

    @property
    def seen(self) -> Seen:
        """What it has seen, in short."""
        return short(self.events)

    def wait_for_redis(self, seconds: float) -> None:
        """Changes for how long a batch may wait."""
        self.journal._settings = replace(self.journal._settings, patience=seconds)

    def commit(
        self,
        *texts: str,
        records: Mapping[RecordKey, Record | None] | None = None,
        mark: str = "",
    ) -> Deferred[list[Event]]:
        """Says things in room r, as one batch; fires with the events when they are stored."""
        events: list[Event] = [say("r", "ann", text) for text in texts]

        def stored(_: None) -> list[Event]:
            self._saw(events)
            return events

        return self.journal.commit(events, records or {}, mark).addCallback(stored)


def short(events: Sequence[Event]) -> Seen:
    """What tells an event from others."""
    return [(event.id, event.ms, getattr(event, "text", event.kind)) for event in events]


class OddLink(Link):
    """
    A link that does as it is told.

    @ivar forgetful: of how many answers to scripts it will say that none came.
    @ivar gate: what answers wait for before anybody gets them.
    @ivar asked: how often anything was asked.
    @ivar answers: how often there was an answer, whatever became of it.
    @ivar failed: how often there was none, or an error.
    """

    forgetful = 0
    gate: Deferred[None] | None = None
    asked = 0
    answers = 0
    failed = 0

    async def ask(self, *command: Argument) -> Any:
        self.asked += 1
        try:
            answer = await super().ask(*command)
        except (Away, Refused):
            self.failed += 1
            raise
        self.answers += 1
        if self.forgetful and command[0] == "EVALSHA":
            self.forgetful -= 1
            raise Away("the answer was lost")
        if self.gate is not None:
            await self.gate
        return answer


class NodesCase(RedisCase):
    """
    @ivar critical: what was logged that operators have to know, and C{warnings} what they may want
        to.
    """

    async def setUp(self) -> None:  # type: ignore[override]
        self.critical: list[str] = []
        self.warnings: list[str] = []
        by_level = {LogLevel.critical: self.critical, LogLevel.warn: self.warnings}

        @provider(ILogObserver)
        def observe(event: LogEvent) -> None:
            if "reason" in event and event["log_level"] in by_level:
                by_level[event["log_level"]].append(event["reason"])

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        await super().setUp()

    async def node(self, link: Link | None = None, reading: Link | None = None) -> Node:
        """Another node, which has begun."""
        node = Node(self.make_redis(link, reading))
        await node.journal.open()
        self.addCleanup(node.journal.close)
        return node

    def odd_link(self, port: int = 0) -> OddLink:
        """A link that does as it is told, and is closed after the test."""
        link = self.link(port)
        link.__class__ = OddLink
        assert isinstance(link, OddLink)
        return link

    async def asking(self) -> Link:
        """A link that is up, to ask Redis what no journal tells."""
        link = self.link()
        link.open()
        await link.up()
        return link

    async def turn(self) -> None:
        """One turn of the reactor."""
        over: Deferred[None] = Deferred()
        reactor.callLater(0, over.callback, None)
        await over

    async def turns_until(self, condition: Callable[[], bool]) -> None:
        """Over when something is so that nobody tells of."""
        while not condition():
            over: Deferred[None] = Deferred()
            reactor.callLater(0.001, over.callback, None)
            await over
