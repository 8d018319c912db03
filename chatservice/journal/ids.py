"""
Ids, moments and targets as the drivers that number their events take them apart. To everybody else
an id is an opaque string; a client may send any text for one.
"""

from __future__ import annotations

MOST = 1 << 62
"""Above every id and every moment, and within what SQLite can count."""

_DIGITS = 18


def number(id: str) -> int | None:
    """The number that is an id, or None if this text is none that a journal gives."""
    canonical = id.isascii() and id.isdigit() and len(id) <= _DIGITS and id[0] != "0"
    return int(id) if canonical else None


def identities(conversation: str) -> list[str]:
    """The two who talk in a conversation (see `entities.conversation`)."""
    return conversation[1:].split(",")


def moment(ms: int) -> int:
    """A moment (milliseconds since 1970) that lies among those of events as this one does."""
    return min(max(ms, -1), MOST)
