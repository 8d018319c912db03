"""
What is read of the events in the SQLite journal: a target's history between two points, and when
something was said last in each of many targets. Each question is one statement, however long the
histories are: a statement waits for the interpreter's lock once.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from chatservice.controller.events import SAID, Event
from chatservice.controller.log import Point

from .codec import COLUMNS, from_row
from .ids import MOST, moment, number

_COLUMNS = ", ".join(COLUMNS)

_LAST_BEFORE = f"""(
    WITH RECURSIVE search (id, step) AS (
        VALUES (0, {MOST})
        UNION ALL
        SELECT
            CASE
                WHEN (SELECT ms FROM events WHERE events.id >= search.id + step ORDER BY id LIMIT 1)
                    < ?
                THEN search.id + step
                ELSE search.id
            END,
            step / 2
        FROM search WHERE step > 0
    )
    SELECT id FROM search WHERE step = 0
)"""
"""
The id of the last event before a moment, or 0. Time never falls where ids rise, so this is a binary
search: some sixty looks at the table, and no index that every commit would have to keep.
"""


def history(
    connection: sqlite3.Connection,
    target: str,
    kinds: Sequence[str],
    limit: int,
    before: Point,
    after: Point,
    oldest: bool,
) -> list[Event]:
    """See `IJournal.history`."""
    end, start = _end(before), _start(after)
    if end is None or start is None:
        return []
    order = "ASC" if oldest else "DESC"
    # A kind at a time: each runs along the index.
    one_kind = (
        f"SELECT * FROM (SELECT {_COLUMNS} FROM events"
        f" WHERE target = ? AND kind = ? AND id > {start[0]} AND id < {end[0]}"
        f" ORDER BY id {order} LIMIT ?)"
    )
    query = " UNION ALL ".join([one_kind] * len(kinds))
    parameters: list[object] = []
    for kind in kinds:
        parameters += (target, kind, start[1], end[1], limit)
    if len(kinds) > 1:
        query += f" ORDER BY id {order} LIMIT ?"
        parameters.append(limit)
    rows = connection.execute(query, parameters).fetchall()
    return [from_row(row) for row in (rows if oldest else reversed(rows))]


_Bound = tuple[str, int]
"""An expression that is an id, and the value of its parameter."""


def _end(before: Point) -> _Bound | None:
    """The id that all are below; None if there is no such point."""
    if isinstance(before, int):
        return f"{_LAST_BEFORE} + 1", moment(before)
    return _id(before, MOST)


def _start(after: Point) -> _Bound | None:
    """The id that all are above; None if there is no such point."""
    if isinstance(after, int):
        return _LAST_BEFORE, moment(after + 1)
    return _id(after, 0)


def _id(id: str, unbounded: int) -> _Bound | None:
    found = number(id) if id else unbounded
    return None if found is None else ("?", found)


_LAST_SAID = "(SELECT max(id) FROM events WHERE target = asked.target AND kind = '{}')"

_LATEST = f"""
    WITH asked (target) AS (
        SELECT value FROM json_each(?)
        UNION
        SELECT target FROM conversations WHERE identity = ?
    ), found (target, id) AS (
        SELECT target, max({", ".join(f"ifnull({_LAST_SAID.format(kind)}, 0)" for kind in SAID)})
        FROM asked
    )
    SELECT found.target, ms FROM found CROSS JOIN events USING (id)
    WHERE ms > ? AND ms < ? ORDER BY id LIMIT ?
"""


def latest(
    connection: sqlite3.Connection,
    targets: Sequence[str],
    identity: str,
    after: int,
    before: int,
    limit: int,
) -> list[tuple[str, int]]:
    """See `IJournal.latest`."""
    bounds = (moment(after), moment(before))
    return connection.execute(
        _LATEST, (json.dumps(list(targets)), identity, *bounds, limit)
    ).fetchall()
