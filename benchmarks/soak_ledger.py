"""What the soak's people said and heard, and its comparison with the server's journal: who was in a
room throughout has to have heard exactly what the journal keeps of it, in its order.

Nothing is sent or started here.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

_SHOWN = 20


@dataclass(slots=True)
class Stay:
    """One visit of somebody to a room.

    Attributes:
        heard: the texts that came, in their order.
        whole: whether it ended in good order, everything read; else what was heard is the
            beginning of what was said.
    """

    heard: list[str] = field(default_factory=list)
    whole: bool = False


@dataclass(slots=True)
class Said:
    """What the journal holds of one visit: the room's stream, and the events around it."""

    target: str
    begin: int
    end: int


@dataclass(slots=True)
class Ledger:
    """What everybody has noted.

    Attributes:
        stays: the visits by nick and room, in their order.
        stored: the id of each text that the server has acknowledged.
        direct: to whom each acknowledged direct message went; None if that reader may be gone.
        heard_direct: how often each direct message was heard.
        pages: what HISTORY answered, by room.
        faults: what was wrong, in words.
        counts: how often what was done.
    """

    stays: dict[tuple[str, str], list[Stay]] = field(default_factory=lambda: defaultdict(list))
    stored: dict[str, int] = field(default_factory=dict)
    direct: dict[str, str] = field(default_factory=dict)
    heard_direct: Counter[str] = field(default_factory=Counter)
    pages: list[tuple[str, list[str]]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def fault(self, words: str) -> None:
        """Note what was wrong; only the first ones are kept in words."""
        self.counts["faults"] += 1
        if len(self.faults) < _SHOWN:
            self.faults.append(words)


@dataclass(slots=True)
class Journal:
    """The journal's contents, as far as they are compared."""

    messages: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    stays: dict[tuple[str, str], list[Said]] = field(default_factory=lambda: defaultdict(list))
    ids: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    names: dict[str, str] = field(default_factory=dict)

    def said_in(self, said: Said) -> list[str]:
        """What was said in a room during a visit."""
        texts = self.messages[said.target]
        return [text for id, text in texts if said.begin < id < said.end]


def read_journal(path: Path) -> Journal:
    """Everything that was said, and who was where meanwhile.

    Args:
        path: the SQLite file of a server that has stopped.
    """
    journal = Journal()
    inside: dict[tuple[str, str], Said] = {}
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT id, kind, target, actor, text, rest FROM events ORDER BY id")
    for id, kind, target, actor, text, rest in rows:
        own = json.loads(rest) if rest else {}
        if kind == "room":
            journal.names[str(id)] = own["room"]
        elif kind in ("message", "direct"):
            journal.messages[target].append((id, text))
            journal.ids[text].append(id)
        elif kind == "join":
            said = inside[actor, target] = Said(target, id, 1 << 62)
            journal.stays[actor, journal.names[target]].append(said)
        elif kind in ("leave", "kick"):
            who = own["victim"] if kind == "kick" else actor
            inside.pop((who, target)).end = id
        elif kind == "delete":
            for key in [key for key in inside if key[1] == target]:
                inside.pop(key).end = id
    connection.close()
    return journal


def compare(ledger: Ledger, journal: Journal) -> None:
    """Note every difference as a fault, and count what was compared."""
    _compare_stored(ledger, journal)
    for key in ledger.stays.keys() | journal.stays.keys():
        _compare_stays(ledger, journal, key)
    for text, nick in ledger.direct.items():
        ledger.counts["direct messages"] += 1
        if ledger.heard_direct[text] != 1:
            ledger.fault(f"{nick} heard a direct message {ledger.heard_direct[text]} times")
    for room, page in ledger.pages:
        _compare_page(ledger, journal, room, page)


def _compare_stored(ledger: Ledger, journal: Journal) -> None:
    for text, id in ledger.stored.items():
        if journal.ids[text] != [id]:
            where = ", ".join(map(str, journal.ids[text])) or "nowhere"
            ledger.fault(f"{_short(text)}: acknowledged as {id}, and stored as {where}")
    for text, ids in journal.ids.items():
        if len(ids) > 1:
            ledger.fault(f"{_short(text)} is stored {len(ids)} times")
    ledger.counts["messages acknowledged"] = len(ledger.stored)


def _compare_stays(ledger: Ledger, journal: Journal, key: tuple[str, str]) -> None:
    noted, stored = ledger.stays.get(key, []), journal.stays.get(key, [])
    who = f"{key[0]} in {key[1]}"
    if len(noted) != len(stored):
        ledger.fault(f"{who}: {len(noted)} visits noted, {len(stored)} stored")
        return
    for stay, said in zip(noted, stored, strict=True):
        expected = journal.said_in(said)
        ledger.counts["visits"] += 1
        ledger.counts["deliveries"] += len(stay.heard)
        if stay.whole:
            ledger.counts["whole visits"] += 1
        elif len(stay.heard) < len(expected):
            expected = expected[: len(stay.heard)]
        if stay.heard != expected:
            ledger.fault(f"{who}: {_difference(stay.heard, expected)}")


def _compare_page(ledger: Ledger, journal: Journal, room: str, page: list[str]) -> None:
    ledger.counts["pages of history"] += 1
    if not page:
        return
    for target, name in journal.names.items():
        texts = [text for _, text in journal.messages[target]] if name == room else []
        if page[0] in texts:
            begin = texts.index(page[0])
            if texts[begin : begin + len(page)] == page:
                return
    ledger.fault(f"a page of the history of {room} is not what was stored")


def _difference(heard: list[str], expected: list[str]) -> str:
    lost, doubled = Counter(expected) - Counter(heard), Counter(heard) - Counter(expected)
    if lost or doubled:
        return f"{sum(lost.values())} lost, {sum(doubled.values())} too many"
    return "in another order than stored"


def _short(text: str) -> str:
    return text.partition(" ")[0]
