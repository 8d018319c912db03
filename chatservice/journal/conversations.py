"""
Who has talked with whom: the table that finds an identity's direct conversations, kept beside the
events in the same transactions. A conversation is in it as long as anything that was said is.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from chatservice.controller.events import DirectMessage

from .ids import identities


def remember(connection: sqlite3.Connection, targets: Iterable[str]) -> None:
    """Something was said in these conversations."""
    rows = [(identity, target) for target in targets for identity in identities(target)]
    if rows:
        connection.execute(
            "INSERT OR IGNORE INTO conversations"
            " SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)",
            (json.dumps(rows),),
        )


def forget_empty(connection: sqlite3.Connection, targets: Iterable[str]) -> None:
    """Forgets those of these conversations of which nothing is left."""
    said = "SELECT 1 FROM events WHERE target = ? AND kind = ? LIMIT 1"
    for target in targets:
        if connection.execute(said, (target, DirectMessage.kind)).fetchone() is None:
            connection.executemany(
                "DELETE FROM conversations WHERE identity = ? AND target = ?",
                [(identity, target) for identity in identities(target)],
            )
