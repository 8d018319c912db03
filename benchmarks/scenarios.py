"""What is measured: each scenario drives one running server and returns its figures by name.

The scenarios mean what the same-named runs of other chat benchmarks mean: `saturated` is the most
that a server delivers, `paced` leaves no room for batching and so shows what one delivery costs.
"""

from __future__ import annotations

import sqlite3
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from load import LoadError, client_context
from servers import OWN, OWN_IRC, OWN_PROTOBUF, Server
from swarm import Swarm
from traffic import Conversation, Tally

COUNT_MESSAGES = "SELECT count(*) FROM events WHERE kind = 'message'"
"""How many messages the SQLite store holds."""

DATABASE_PATTERNS = ("*.sqlite3", "*.sqlite", "*.db")
"""Where in the data folder the store may be."""

Figures = Mapping[str, "float | None"]
"""A scenario's results by the names in `MEASURES`; None where the system doesn't tell."""


@dataclass(frozen=True, slots=True)
class Size:
    """How large the scenarios are. Times in seconds, rates a second."""

    seconds: float = 8.0
    members: int = 500
    senders: int = 10
    window: int = 32
    rate: int = 40
    text: int = 80
    idle_connections: int = 4000
    idle_room: int = 10
    idle_seconds: float = 5.0
    connects: int = 1000
    at_once: int = 50
    stored_rooms: int = 25
    stored_window: int = 128


FULL = Size()
QUICK = Size(
    seconds=2.0, members=50, idle_connections=200, idle_seconds=2.0, connects=100, at_once=20
)


def _swarm(server: Server, tls: bool) -> Swarm:
    context: ssl.SSLContext | None = client_context(server.dialect.alpn) if tls else None
    return Swarm(server.tls if tls else server.plain, server.dialect, context)


def _places(count: int, rooms: int) -> list[tuple[str, str]]:
    return [(f"u{number}", f"bench{number % rooms}") for number in range(count)]


def _each(amount: float | None, count: int, factor: float) -> float | None:
    return None if amount is None else amount * factor / max(1, count)


def _latencies(tally: Tally) -> dict[str, float | None]:
    return {
        "p50_ms": tally.latency_ms(0.5),
        "p99_ms": tally.latency_ms(0.99),
        "p999_ms": tally.latency_ms(0.999),
    }


def _share(seconds: float | None, of: float) -> float | None:
    return None if seconds is None else seconds * 100 / of


def saturated(server: Server, size: Size, tls: bool) -> Figures:
    """The most that a server delivers in one large room, its senders never waiting for long."""
    with _swarm(server, tls) as swarm:
        swarm.open(_places(size.members, 1), at_once=size.at_once)
        swarm.settle()
        talk = Conversation(swarm, swarm.members[: size.senders], size.text)
        tally = talk.closed_loop(size.window, size.seconds, server.cpu)
    return {
        "deliveries_per_s": tally.deliveries / tally.seconds,
        "cpu_us_per_delivery": _each(tally.cpu, tally.deliveries, 1e6),
        **_latencies(tally),
        "server_cpu_pct": _share(tally.cpu, tally.seconds),
        "load_cpu_pct": _share(tally.own_cpu, tally.seconds),
    }


def paced(server: Server, size: Size, tls: bool) -> Figures:
    """What one delivery costs, and how long it takes, in a large room that nobody hurries."""
    with _swarm(server, tls) as swarm:
        swarm.open(_places(size.members, 1), at_once=size.at_once)
        swarm.settle()
        talk = Conversation(swarm, swarm.members[: size.senders], size.text)
        tally = talk.paced(size.rate, size.seconds, server.cpu)
    return {
        "cpu_us_per_delivery": _each(tally.cpu, tally.deliveries, 1e6),
        **_latencies(tally),
    }


def idle(server: Server, size: Size, tls: bool) -> Figures:
    """What a connection in a small room weighs while nobody says anything."""
    before = server.resident()
    count = size.idle_connections
    with _swarm(server, tls) as swarm:
        swarm.open(_places(count, max(1, count // size.idle_room)), at_once=size.at_once)
        swarm.settle(1.0)
        after = server.resident()
        cpu = server.cpu()
        swarm.settle(size.idle_seconds, size.idle_seconds)
        spent = None if cpu is None else (server.cpu() or 0.0) - cpu
    grown = None if before is None or after is None else float(after - before)
    return {
        "kb_per_connection": _each(grown, count, 1 / 1024),
        "idle_cpu_pct": _share(spent, size.idle_seconds),
    }


def connect(server: Server, size: Size, tls: bool) -> Figures:
    """How fast people get in: connection, TLS handshake and log-in, some dozens at a time."""
    cpu = server.cpu()
    with _swarm(server, tls) as swarm:
        seconds = swarm.open(_places(size.connects, 1), join=False, at_once=size.at_once)
        spent = None if cpu is None else (server.cpu() or 0.0) - cpu
    return {
        "connects_per_s": size.connects / seconds,
        "cpu_ms_per_connect": _each(spent, size.connects, 1e3),
    }


def stored(server: Server, size: Size, tls: bool) -> Figures:
    """How many messages are stored a second, where each goes to only two; then they are counted.

    Raises:
        LoadError: the store holds another number of messages than were acknowledged.
    """
    with _swarm(server, tls) as swarm:
        swarm.open(_places(2 * size.stored_rooms, size.stored_rooms), at_once=size.at_once)
        swarm.settle()
        talk = Conversation(swarm, swarm.members, size.text, joined=True)
        tally = talk.closed_loop(size.stored_window, size.seconds, server.cpu)
    rows = _stored_messages(server.folder / "data")
    if rows is not None and rows != tally.answers:
        raise LoadError(f"{tally.answers:,} messages were acknowledged, {rows:,} are stored")
    return {
        "messages_per_s": tally.answered / tally.seconds,
        "cpu_us_per_message": _each(tally.cpu, tally.answered, 1e6),
        "messages_stored": rows,
        "p50_ms": tally.latency_ms(0.5),
        "p99_ms": tally.latency_ms(0.99),
        "load_cpu_pct": _share(tally.own_cpu, tally.seconds),
    }


def _stored_messages(data: Path) -> int | None:
    """The rows in the store's file; None if the store keeps none (memory)."""
    for pattern in DATABASE_PATTERNS:
        for path in data.glob(pattern):
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                return int(database.execute(COUNT_MESSAGES).fetchone()[0])
    return None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row group of the table: how it is run, over what, in which of our dialects, and whether
    by peers too."""

    run: Callable[[Server, Size, bool], Figures]
    transports: tuple[str, ...]
    ours: tuple[str, ...]
    peers: bool


_ALL = (OWN, OWN_IRC, OWN_PROTOBUF)


SCENARIOS: dict[str, Scenario] = {
    "saturated": Scenario(saturated, ("tls",), _ALL, peers=True),
    "paced": Scenario(paced, ("tls", "tcp"), _ALL, peers=True),
    "idle": Scenario(idle, ("tls",), _ALL, peers=False),
    "connect": Scenario(connect, ("tls",), _ALL, peers=False),
    # It counts acknowledgements, which IRC has none of.
    "stored": Scenario(stored, ("tls",), (OWN, OWN_PROTOBUF), peers=False),
}

MEASURES: dict[str, tuple[str, str]] = {
    "deliveries_per_s": ("deliveries a second", ",.0f"),
    "messages_per_s": ("messages stored a second", ",.0f"),
    "connects_per_s": ("log-ins a second", ",.0f"),
    "cpu_us_per_delivery": ("server CPU, µs a delivery", ".2f"),
    "cpu_us_per_message": ("server CPU, µs a message", ".1f"),
    "cpu_ms_per_connect": ("server CPU, ms a log-in", ".2f"),
    "p50_ms": ("latency p50, ms", ".1f"),
    "p99_ms": ("latency p99, ms", ".1f"),
    "p999_ms": ("latency p99.9, ms", ".1f"),
    "kb_per_connection": ("memory, KB a connection", ".1f"),
    "idle_cpu_pct": ("server CPU while idle, %", ".1f"),
    "messages_stored": ("rows in the store (= acknowledged)", ",.0f"),
    "server_cpu_pct": ("server CPU, %", ".0f"),
    "load_cpu_pct": ("the load's own CPU, %", ".0f"),
    "others_cpu_pct": ("CPU that others took, % (0 is best)", ".0f"),
}
"""Words and number format of each figure."""

UNCOMPARED = frozenset({"server_cpu_pct", "load_cpu_pct", "others_cpu_pct"})
"""Figures that tell how good a run was, not how good a server is."""
