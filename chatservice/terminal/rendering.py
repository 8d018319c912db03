"""
A message as a line, for people or as JSON; and what others have written, made safe to show: a
terminal obeys control characters, whoever they come from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING
from unicodedata import category

if TYPE_CHECKING:  # it takes its time, and --help needs none of it
    from chatservice.client import Message

Renderer = Callable[["Message"], str]
"""A message as a line, its end left out."""

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# Colours and the like of IRC clients (modern.ircdocs.horse/formatting).
_FORMATTING = re.compile(
    "\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?"
    "|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)

# Those that turn the text around which follows (UAX 9 section 2); it could say something else then.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

# Controls, halves of characters, and line ends of Unicode's own.
_UNSAFE = frozenset(("Cc", "Cs", "Zl", "Zp"))


def printable(text: str) -> str:
    """It, on one line, without what a terminal would obey, or would show in another order."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, _FORMATTING.sub("", text)))


def _shown(character: str) -> str:
    if character == "\t":
        return " "
    if character in _TURNING or category(character) in _UNSAFE:
        return _REPLACEMENT
    return character


def as_text(me: str, zone: tzinfo | None = None) -> Renderer:
    """
    For people: `2026-01-31T12:03:00+01:00 ops <alice> hello`. A notice is from `-alice-`, what
    somebody does is `* alice waves`, and a direct conversation is called by the other's nick:
    `@bob`.

    @param me: one's own nick.
    @param zone: the time's; None for the system's.
    """

    def line(m: Message) -> str:
        time = _moment(m, zone).isoformat(timespec="seconds")
        where = m.room or f"@{m.to if m.nick == me else m.nick}"
        return printable(f"{time} {where} {_author(m)} {m.text}")

    return line


def _author(m: Message) -> str:
    if m.action:
        return f"* {m.nick}"
    return f"-{m.nick}-" if m.notice else f"<{m.nick}>"


def _moment(m: Message, zone: tzinfo | None) -> datetime:
    return m.time.astimezone(zone)


def as_json(m: Message) -> str:
    """
    For programs: an object (RFC 8259) with the same keys for every message. What a terminal would
    obey is escaped, which makes no difference to programs.
    """
    encoded = json.dumps(
        {
            "id": m.id,
            "time": m.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "ms": m.ms,
            "room": m.room,
            "to": m.to,
            "nick": m.nick,
            "account": m.account,
            "text": m.text,
            "notice": m.notice,
            "action": m.action,
        },
        ensure_ascii=False,
    )
    if encoded.isprintable():
        return encoded
    # Whatever isn't printable is inside of a string, where it may be escaped.
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in encoded)
