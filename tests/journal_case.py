"""What tests of journals begin with: a journal of one driver's or another's, open and empty, and
short words for what is asked of it. What it must answer is not known here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.filepath import FilePath
from twisted.trial.unittest import TestCase

from chatservice.controller.events import SAID, Event
from chatservice.controller.log import Point
from chatservice.controller.records import Record
from chatservice.controller.state import RecordKey
from chatservice.journal.interface import IJournal, NotStored, Retention
from chatservice.journal.sqlite import Durability, SqliteJournal
from tests.facts import login, say

T = TypeVar("T")

reactor: Any = _reactor

DAY = 86_400.0
NOW = 1_800_000_000.0
NOW_MS = int(NOW) * 1000
EVERYTHING = 1000


def said(events: Sequence[Event]) -> list[str]:
    """What the messages among some events say, in their order."""
    return [getattr(event, "text", event.kind) for event in events]


def rooms(*ids: str) -> dict[RecordKey, Record | None]:
    """The records of a few rooms."""
    return {("room", id, ""): {"name": id} for id in ids}


def guest(key: str, login: str) -> dict[RecordKey, Record | None]:
    """The record of a guest who is here."""
    return {("user", key, ""): {"nick": key, "account": "", "identity": f"{key}!{login}"}}


class JournalCase(TestCase):
    """
    A test of a journal.

    @ivar clock: what the journal tells the time by.
    @ivar journal: it, open and empty.
    """

    timeout = 60

    def make(self) -> IJournal:
        """A new journal, or later in the same test the same one as another process sees it."""
        raise self.failureException("a driver's suite says how it is made")

    def rank(self, id: str) -> Any:
        """What the ids of events are compared by."""
        return int(id)

    async def setUp(self) -> None:  # type: ignore[override]
        self.clock = Clock()
        self.clock.rightNow = NOW
        self.journal = self.make()
        await self.journal.open()
        self.addCleanup(self.close)

    def close(self) -> Deferred[None]:
        """Closes the journal, whatever `reopen` has made of it."""
        return self.journal.close()

    async def reopen(self) -> None:
        """Closes the journal, and opens it as a restart would."""
        await self.journal.close()
        self.journal = self.make()
        await self.journal.open()

    async def store(
        self,
        *events: Event,
        records: Mapping[RecordKey, Record | None] | None = None,
        mark: str = "",
    ) -> None:
        """Commits one batch."""
        await self.journal.commit(events, records or {}, mark)

    async def apply_all(self, records: Mapping[RecordKey, Record | None] | None = None) -> None:
        """Moves the mark behind all that there is, as a running controller does."""
        last = say("elsewhere", "ann", "the mark")
        await self.store(last)
        await self.store(login("zoe"), records=records, mark=last.id)

    async def texts(
        self,
        target: str,
        limit: int = EVERYTHING,
        before: Point = "",
        after: Point = "",
        oldest: bool = False,
    ) -> list[str]:
        """What was said to a target."""
        return said(await self.journal.history(target, SAID, limit, before, after, oldest))

    async def latest(
        self,
        *targets: str,
        identity: str = "nobody",
        after: int = -1,
        before: int = 1 << 62,
        limit: int = EVERYTHING,
    ) -> list[tuple[str, int]]:
        """Where something was said last, and how many seconds after the test began."""
        found = await self.journal.latest(targets, identity, after, before, limit)
        return [(target, ms // 1000 - int(NOW)) for target, ms in found]

    async def store_each_second(self, *events: Event) -> None:
        """Commits events one by one: the first a second from now, and so on."""
        for event in events:
            self.clock.advance(1)
            await self.store(event)

    async def prune(self, seconds: float = 0, messages: int = 0, most: int = EVERYTHING) -> int:
        """Forgets a slice."""
        return await self.journal.prune(Retention(seconds, messages), most)


class SqliteCase(JournalCase):
    durability: Durability = "process"
    _path: Path | None = None

    @property
    def path(self) -> Path:
        """The database's file."""
        if self._path is None:
            folder = Path(self.mktemp())
            folder.mkdir()
            self._path = folder / "journal.sqlite"
        return self._path

    def make(self) -> IJournal:
        path = FilePath(str(self.path))
        return cast(IJournal, SqliteJournal(reactor, self.clock, path, self.durability))

    async def write(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Does something with the connection that writes, in its thread."""
        return await cast(SqliteJournal, self.journal)._writer.run(function)

    async def read(self, function: Callable[[sqlite3.Connection], T]) -> T:
        """Does something with the connection that reads, in its thread."""
        return await cast(SqliteJournal, self.journal)._reader.run(function)

    def outside(self) -> sqlite3.Connection:
        """Another connection to the file, as another process has it."""
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=0)
        self.addCleanup(connection.close)
        return connection

    async def refusal(self, *events: Event) -> str:
        """The words with which a batch is refused."""
        with self.assertRaises(NotStored) as refused:
            await self.store(*events)
        return str(refused.exception)


def pragma(name: str) -> Callable[[sqlite3.Connection], Any]:
    """Reads a setting of SQLite's."""
    return lambda connection: connection.execute(f"PRAGMA {name}").fetchone()[0]
