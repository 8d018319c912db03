"""
Events as lines of JSON, and entries of the log as batches of them. A line holds all of an event but
its id and its time, which Redis gives. Nothing here asks Redis anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from chatservice.controller.events import EVENTS, OWN_FIELDS, Event, Message, own_values
from chatservice.controller.records import Record
from chatservice.controller.state import RecordKey
from chatservice.journal.interface import NotStored

_LINE_END = "\n"
_quote = json.encoder.encode_basestring
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class NewerEvent(NotStored):
    """An event was stored by a server of a newer version, and cannot be understood here."""


class Position(NamedTuple):
    """A place in the log: milliseconds since 1970, and a number within that millisecond."""

    ms: int
    n: int

    def __str__(self) -> str:
        return f"{self.ms}-{self.n}"


START = Position(0, 0)

_DIGITS = 15


def position(text: str) -> Position | None:
    """The place that an id names, or None if this text is no id that a journal gives."""
    ms, dash, n = text.partition("-")
    return Position(int(ms), int(n)) if dash and _is_number(ms) and _is_number(n) else None


def place(id: bytes) -> Position:
    """The place of an id that comes from Redis."""
    found = position(id.decode())
    assert found is not None
    return found


def _is_number(text: str) -> bool:
    canonical = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    return canonical and (text == "0" or text[0] != "0")


def to_line(event: Event) -> str:
    """An event as it is kept: the fields that all have, then what only its kind has."""
    if type(event) is Message and not event.notice and event.tags is None:  # the hot kind
        return (
            f'["message",{_quote(event.target)},{_quote(event.actor)},{_quote(event.nick)},'
            f"{_quote(event.account)},{_quote(event.host)},{_quote(event.text)},"
            f"{_quote(event.room)}]"
        )
    common = (event.kind, event.target, event.actor, event.nick, event.account, event.host)
    return _encode((*common, own_values(event)))


def from_line(line: bytes | str, id: str, ms: int) -> Event:
    """
    The event of a line.

    @param id: its id; C{ms} its time, milliseconds since 1970.
    @raise NewerEvent: it is of a kind, or says something, that is not known here.
    """
    return _event(json.loads(line), id, ms)


def _event(values: Sequence[Any], id: str, ms: int) -> Event:
    if len(values) == _HOT:
        _, target, actor, nick, account, host, text, room = values
        return Message(
            id=id,
            ms=ms,
            target=target,
            actor=actor,
            nick=nick,
            account=account,
            host=host,
            text=text,
            room=room,
        )
    kind, target, actor, nick, account, host, own = values
    known = EVENTS.get(kind)
    if known is None or not own.keys() <= _OWN[known]:
        raise NewerEvent(
            f"a server of a newer version has stored an event ({kind}) that this one does not"
            " understand: bring it up to date"
        )
    return known(
        id=id,
        ms=ms,
        target=target,
        actor=actor,
        nick=nick,
        account=account,
        host=host,
        **own,
    )


_OWN = {kind: frozenset(names) for kind, names in OWN_FIELDS.items()}

_HOT = 8
"""Values that a line of the hot kind has; those of others are in a dictionary."""


@dataclass(frozen=True, slots=True)
class Entry:
    """
    A batch as the log has it.

    @ivar last: the place of its last event, which is its own.
    @ivar previous: the place of the entry before it.
    @ivar run: whose batch it is; C{batch} which of theirs.
    @ivar count: how many events it has.
    @ivar mark: the mark of the records that were stored with it, if any were.
    """

    last: Position
    previous: Position
    run: str
    batch: int
    count: int
    mark: Position | None
    _lines: bytes

    def stamp(self, events: Sequence[Event]) -> None:
        """Gives one's own events the ids and the time that they were stored with."""
        ms, first = self.last.ms, self.last.n - self.count + 1
        for n, event in enumerate(events, first):
            event.id, event.ms = f"{ms}-{n}", ms

    def events(self, after: Position = START) -> list[Event]:
        """
        Its events, or those of them that follow a place.

        @raise NewerEvent: one of them is of a kind, or says something, that is not known here.
        """
        ms, first = self.last.ms, self.last.n - self.count + 1
        # Read as one: lines have no line ends in them, and nothing else is outside of JSON.
        values = json.loads(f"[{self._lines.decode().replace(_LINE_END, ',')}]")
        return [
            _event(each, f"{ms}-{n}", ms) for n, each in enumerate(values, first) if (ms, n) > after
        ]

    def lines(self) -> list[tuple[Position, bytes]]:
        """Its events as they are kept, and the place of each."""
        ms, first = self.last.ms, self.last.n - self.count + 1
        return [(Position(ms, n), line) for n, line in enumerate(self._lines.split(b"\n"), first)]


def read_entry(reply: Sequence[Any]) -> Entry:
    """An entry, as Redis answers with it."""
    id, fields = reply
    named: dict[bytes, bytes] = dict(zip(fields[::2], fields[1::2], strict=True))
    mark = named.get(b"m")
    return Entry(
        place(id),
        place(named[b"p"]),
        named[b"r"].decode(),
        int(named[b"b"]),
        int(named[b"n"]),
        place(mark) if mark is not None else None,
        named[b"e"],
    )


def name_of(key: RecordKey) -> str:
    """The name that a record has in the hash of them."""
    return _encode(key)


def read_records(reply: Sequence[bytes]) -> list[tuple[RecordKey, Record]]:
    """The records, as Redis answers with them."""
    pairs = zip(reply[::2], reply[1::2], strict=True)
    return [(tuple(json.loads(name)), json.loads(value)) for name, value in pairs]


def record_arguments(records: Mapping[RecordKey, Record | None]) -> list[str]:
    """Names and values; an empty value says that a record is no more."""
    arguments: list[str] = []
    for key, record in records.items():
        arguments += (name_of(key), _encode(record) if record is not None else "")
    return arguments
