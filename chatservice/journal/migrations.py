"""
The schema of the SQLite journal, step by step: `schema/001.sql`, `002.sql`, ... in order, each run
once, in one transaction. `PRAGMA user_version` holds how far a file has come.
"""

from __future__ import annotations

import sqlite3
from importlib.resources import files

from .interface import NotStored


def steps() -> list[str]:
    """The SQL of every step, oldest first."""
    folder = files("chatservice.journal") / "schema"
    scripts = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [script.read_text(encoding="utf-8") for script in scripts]


def migrate(connection: sqlite3.Connection) -> None:
    """
    Brings a database up to date.

    @raise NotStored: a newer version of the service made it.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    scripts = steps()
    if version > len(scripts):
        raise NotStored(
            f"the journal's schema is version {version}, and this chatservice knows {len(scripts)}"
        )
    for number, script in enumerate(scripts[version:], start=version + 1):
        connection.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")
