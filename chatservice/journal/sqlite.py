"""
The journal on disk: one SQLite file in WAL mode, so that a machine needs nothing beside this
process. Commits run in one thread and reads in another, never on the reactor's.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Literal, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath
from zope.interface import implementer

from chatservice.controller.events import DirectMessage, Event
from chatservice.controller.log import Point, Recovery
from chatservice.controller.records import Record
from chatservice.controller.state import RecordKey

from . import conversations, histories, pruning
from .codec import COLUMNS, Row, from_row, to_row
from .connection_thread import ConnectionThread
from .interface import IJournal, NotStored, Reader, Retention
from .migrations import migrate

Durability = Literal["process", "power"]
"""
What a stored message survives: the death of the process, or that of the machine's power too
(fsync).
"""

_SYNCHRONOUS: dict[Durability, str] = {"process": "NORMAL", "power": "FULL"}

_CHECKPOINT_PAGES = 4000
"""How far the write-ahead log grows before it is copied back: 16 MB."""

_ROWS = 64
"""
Rows a statement. A statement lets go of the interpreter's lock once, and must wait for the
reactor's thread to get it back: so a batch is few statements of many rows.
"""

_COLUMNS = ", ".join(COLUMNS)

# A None takes the sqlite3 module several times as long to hand over as an empty string.
_PLACES = "(" + ",".join("nullif(?,'')" if name == "rest" else "?" for name in COLUMNS) + ")"

T = TypeVar("T")


@implementer(IJournal)
class SqliteJournal:
    """
    One SQLite file.

    @param reactor: takes the threads' results.
    @param clock: tells the time, seconds since 1970.
    @param path: the database file; its folder must exist.
    @param durability: see `Durability`.
    """

    def __init__(
        self,
        reactor: IReactorFromThreads,
        clock: IReactorTime,
        path: FilePath[str],
        durability: Durability = "process",
    ) -> None:
        self._clock = clock
        self._path = path
        self._synchronous = _SYNCHRONOUS[durability]
        self._writer = ConnectionThread(
            reactor, "journal-writer", partial(self._connect, self._prepare_writer)
        )
        self._reader = ConnectionThread(
            reactor, "journal-reader", partial(self._connect, self._prepare_reader)
        )
        self._last = 0
        self._ms = 0

    def open(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._open())

    async def _open(self) -> None:
        try:
            await self._writer.open()
            await self._reader.open()
        except (sqlite3.Error, OSError) as error:
            await self._writer.close()
            raise NotStored(f"{self._path.path}: {error}") from error

    def close(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        await self._reader.close()
        await self._writer.close()

    def follow(self, reader: Reader) -> None:
        """There are no others."""

    def recover(self) -> Deferred[Recovery]:
        return self._read(_recover)

    def commit(
        self,
        events: Sequence[Event],
        records: Mapping[RecordKey, Record | None],
        mark: str,
    ) -> Deferred[None]:
        return self._writer.run(self._commit, events, records, mark)

    def holds(self, event: Event) -> Deferred[bool]:
        return self._read(_holds, event.id)

    def history(
        self,
        target: str,
        kinds: Sequence[str],
        limit: int,
        before: Point = "",
        after: Point = "",
        oldest: bool = False,
    ) -> Deferred[list[Event]]:
        return self._read(histories.history, target, kinds, limit, before, after, oldest)

    def latest(
        self, targets: Sequence[str], identity: str, after: int, before: int, limit: int
    ) -> Deferred[list[tuple[str, int]]]:
        return self._read(histories.latest, targets, identity, after, before, limit)

    def prune(self, retention: Retention, most: int) -> Deferred[int]:
        return Deferred.fromCoroutine(self._prune(retention, most))

    async def _prune(self, retention: Retention, most: int) -> int:
        # Found by the reader, so that commits only wait for the deletion of a slice.
        stale = await self._read(pruning.find, retention, self._clock.seconds(), most)
        if stale:
            await self._writer.run(pruning.delete, stale).addErrback(_say_what_troubles)
        return len(stale)

    def _read(self, query: Callable[..., T], *arguments: object) -> Deferred[T]:
        return self._reader.run(query, *arguments).addErrback(_say_what_troubles)

    # In the threads.

    def _connect(self, prepare: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
        # What people say is nobody else's on this machine, whatever the umask; SQLite gives the
        # files beside it the same mode.
        os.close(os.open(self._path.path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(self._path.path, isolation_level=None, check_same_thread=False)
        try:
            prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare_reader(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")

    def _prepare_writer(self, connection: sqlite3.Connection) -> None:
        self._prepare_reader(connection)
        migrate(connection)
        last = "SELECT max(coalesce((SELECT max(id) FROM events), 0), (SELECT id FROM applied))"
        (self._last,) = connection.execute(last).fetchone()
        (self._ms,) = connection.execute(
            "SELECT coalesce((SELECT ms FROM events ORDER BY id DESC LIMIT 1), 0)"
        ).fetchone()

    def _commit(
        self,
        connection: sqlite3.Connection,
        events: Sequence[Event],
        records: Mapping[RecordKey, Record | None],
        mark: str,
    ) -> None:
        last, ms = self._last, max(self._ms, int(self._clock.seconds() * 1000))
        rows = []
        for event in events:
            last += 1
            event.id, event.ms = str(last), ms
            rows.append(to_row(event))
        try:
            connection.execute("BEGIN IMMEDIATE")
            _insert_events(connection, rows)
            conversations.remember(connection, _conversations(rows))
            _write_records(connection, records, mark)
            connection.execute("COMMIT")
        except Exception as error:
            _roll_back(connection)
            if _is_trouble(error):
                raise NotStored(str(error)) from error
            raise
        self._last, self._ms = last, ms


@lru_cache(maxsize=_ROWS)
def _insert(rows: int) -> str:
    return f"INSERT INTO events ({_COLUMNS}) VALUES {','.join([_PLACES] * rows)}"


def _insert_events(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    for start in range(0, len(rows), _ROWS):
        chunk = rows[start : start + _ROWS]
        connection.execute(_insert(len(chunk)), [value for row in chunk for value in row])


def _conversations(rows: Sequence[Row]) -> set[str]:
    return {row[3] for row in rows if row[2] == DirectMessage.kind}


def _write_records(
    connection: sqlite3.Connection, records: Mapping[RecordKey, Record | None], mark: str
) -> None:
    for key, record in records.items():
        if record is None:
            connection.execute("DELETE FROM records WHERE kind = ? AND one = ? AND other = ?", key)
        else:
            value = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
            connection.execute("REPLACE INTO records VALUES (?, ?, ?, ?)", (*key, value))
    if mark:
        connection.execute("UPDATE applied SET id = ?", (int(mark),))


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _recover(connection: sqlite3.Connection) -> Recovery:
    connection.execute("BEGIN")
    try:
        records = connection.execute("SELECT kind, one, other, value FROM records").fetchall()
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM events WHERE id > (SELECT id FROM applied) ORDER BY id"
        ).fetchall()
    finally:
        connection.execute("COMMIT")
    return Recovery(
        [((kind, one, other), json.loads(value)) for kind, one, other, value in records],
        [from_row(row) for row in rows],
    )


def _holds(connection: sqlite3.Connection, id: str) -> bool:
    found = connection.execute("SELECT 1 FROM events WHERE id = ?", (int(id or 0),)).fetchone()
    return found is not None


def _is_trouble(error: BaseException | None) -> bool:
    """Is it the disk's, or the file's? Its subclasses but one tell of a query that is wrong."""
    return isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError


def _say_what_troubles(failure: Failure) -> Failure:
    if _is_trouble(failure.value):
        raise NotStored(failure.getErrorMessage())
    return failure
