"""
Which rows of the SQLite journal need not be kept, and their deletion in slices. Only what the
records already hold (up to the mark) is ever forgotten: a restart needs the rest.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from chatservice.controller.events import DirectMessage
from chatservice.controller.reach import Reach

from . import conversations
from .interface import Retention

_TARGETS = """
    WITH RECURSIVE targets (target) AS (
        SELECT min(target) FROM events
        UNION ALL
        SELECT (SELECT min(target) FROM events WHERE target > targets.target)
        FROM targets WHERE target IS NOT NULL
    )
    SELECT target FROM targets WHERE target IS NOT NULL
"""
"""Each target once, by leaps along the index rather than a walk over every event."""


def find(connection: sqlite3.Connection, retention: Retention, now: float, most: int) -> list[int]:
    """
    The ids of events that may be forgotten.

    @param now: seconds since 1970.
    @param most: how many at the most.
    """
    (mark,) = connection.execute("SELECT id FROM applied").fetchone()
    stale = _too_old(connection, retention, now, mark, most)
    for target, end in _ends(connection, retention, mark):
        if len(stale) >= most:
            break
        found = connection.execute(
            "SELECT id FROM events WHERE target = ? AND id < ? LIMIT ?", (target, end, most)
        )
        stale.update(id for (id,) in found)
    return sorted(stale)[:most]


def delete(connection: sqlite3.Connection, ids: list[int]) -> None:
    """Forgets events, and the conversations of which nothing is left."""
    these = "FROM events WHERE id IN (SELECT value FROM json_each(?))"
    with connection:  # all of it or nothing
        connection.execute("BEGIN IMMEDIATE")
        found = connection.execute(
            f"SELECT DISTINCT target {these} AND kind = ?", (json.dumps(ids), DirectMessage.kind)
        ).fetchall()
        connection.execute(f"DELETE {these}", (json.dumps(ids),))
        conversations.forget_empty(connection, [target for (target,) in found])


def _too_old(
    connection: sqlite3.Connection, retention: Retention, now: float, mark: int, most: int
) -> set[int]:
    if not retention.seconds:
        return set()
    oldest = "SELECT id, ms FROM events WHERE id <= ? ORDER BY id LIMIT ?"
    horizon = (now - retention.seconds) * 1000
    return {id for id, ms in connection.execute(oldest, (mark, most)) if ms < horizon}


def _ends(
    connection: sqlite3.Connection, retention: Retention, mark: int
) -> Iterator[tuple[str, int]]:
    """Targets, and the id before which each may be forgotten."""
    reach = _reach(connection)
    for (target,) in connection.execute(_TARGETS).fetchall():
        if not reach.includes(target):
            yield target, mark + 1
        elif retention.messages:
            yield target, min(mark + 1, _first_kept(connection, target, retention.messages))


def _first_kept(connection: sqlite3.Connection, target: str, messages: int) -> int:
    kind = "direct" if target.startswith("@") else "message"
    row = connection.execute(
        "SELECT id FROM events WHERE target = ? AND kind = ? ORDER BY id DESC LIMIT 1 OFFSET ?",
        (target, kind, messages - 1),
    ).fetchone()
    return int(row[0]) if row else 0


def _reach(connection: sqlite3.Connection) -> Reach:
    rows = connection.execute(
        "SELECT kind, one, other, value FROM records WHERE kind IN ('room', 'user')"
    )
    return Reach.of({(kind, one, other): json.loads(value) for kind, one, other, value in rows})
