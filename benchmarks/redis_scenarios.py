"""What is measured of a chat whose store is in Redis: each scenario starts the chats it needs, and
returns figures by column (which chat it was) and measure.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from dialects import LINE, text
from load import BUFFER, Connection, LoadError
from redis_nodes import Chat, Machine, Meter, Spent, Spread, chat_running
from scenarios import FULL as SERVER
from scenarios import Size
from traffic import Conversation, Tally

Figures = Mapping[str, Mapping[str, float]]
"""By column, and then by the names in `MEASURES`."""

SQLITE, REDIS = "SQLite", "Redis"

_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class RedisSize:
    """How large the scenarios are; what they share with `run.py` is in `chat`.

    `turns` messages one after another, `pause` seconds between two; `rooms` of `members` each, in
    which `rate` messages a second are said; `unread` messages a second that a node hears of and
    none of its users reads.
    """

    chat: Size = SERVER
    turns: int = 1000
    pause: float = 0.003
    nodes: tuple[int, ...] = (1, 2, 4)
    rooms: int = 200
    members: int = 10
    rate: int = 500
    unread: tuple[int, ...] = (250, 1000, 4000)


FULL = RedisSize()
QUICK = RedisSize(
    chat=Size(seconds=2.0, members=50, at_once=20, stored_rooms=5),
    turns=100,
    rooms=20,
    nodes=(1, 2),
    rate=200,
    unread=(500,),
)


def saturated(size: RedisSize, machine: Machine) -> Figures:
    """The most that one server delivers in one large room, on SQLite and on Redis in turns."""
    found = {}
    for column, nodes in ((SQLITE, 0), (REDIS, 1)):
        with chat_running(nodes, machine) as chat:
            tally, spent = _saturated(size.chat, chat)
        found[column] = {
            "deliveries_per_s": tally.deliveries / tally.seconds,
            "node_us_per_delivery": spent.nodes[0] * 1e6 / tally.deliveries,
            "nodes_cpu_pct": spent.nodes[0] * 100 / tally.seconds,
            "load_cpu_pct": tally.own_cpu * 100 / tally.seconds,
            "p50_ms": tally.latency_ms(0.5) or 0.0,
            "p99_ms": tally.latency_ms(0.99) or 0.0,
        }
        if nodes:
            found[column] |= {
                "redis_cpu_pct": spent.redis * 100 / tally.seconds,
                "messages_per_batch": tally.sent / max(1, spent.batches),
            }
    return found


def _saturated(size: Size, chat: Chat) -> tuple[Tally, Spent]:
    meter = Meter(chat)
    with Spread(chat, {}) as swarm:
        swarm.open(((f"u{n}", "bench") for n in range(size.members)), at_once=size.at_once)
        swarm.settle()
        talk = Conversation(swarm, swarm.members[: size.senders], size.text)
        tally = talk.closed_loop(size.window, size.seconds, meter)
    return tally, meter.spent()


def stored(size: RedisSize, machine: Machine) -> Figures:
    """How many messages are stored a second, where each goes to only two; then they are counted.

    Raises:
        LoadError: Redis holds another number of messages than were acknowledged.
    """
    found = {}
    for column, nodes in ((SQLITE, 0), (REDIS, 1)):
        with chat_running(nodes, machine) as chat:
            tally, spent = _stored(size.chat, chat)
        found[column] = {
            "messages_per_s": tally.answered / tally.seconds,
            "node_us_per_message": spent.nodes[0] * 1e6 / tally.answered,
            "load_cpu_pct": tally.own_cpu * 100 / tally.seconds,
        }
        if nodes:
            found[column] |= {
                "redis_us_per_message": spent.redis * 1e6 / tally.answered,
                "messages_per_batch": tally.answered / max(1, spent.batches),
            }
    return found


def _stored(size: Size, chat: Chat) -> tuple[Tally, Spent]:
    meter = Meter(chat)
    with Spread(chat, {}) as swarm:
        rooms = size.stored_rooms
        swarm.open(((f"u{n}", f"bench{n % rooms}") for n in range(2 * rooms)), at_once=size.at_once)
        swarm.settle()
        talk = Conversation(swarm, swarm.members, size.text, joined=True)
        tally = talk.closed_loop(size.stored_window, size.seconds, meter)
    kept = chat.redis.messages() if chat.redis else tally.answers
    if kept != tally.answers:
        raise LoadError(f"{tally.answers:,} messages were acknowledged, {kept:,} are in Redis")
    return tally, meter.spent()


def idle(size: RedisSize, machine: Machine) -> Figures:
    """From sending to the own acknowledgement while nothing else happens: SQLite and Redis by
    turns, message by message.
    """
    with ExitStack() as stack:
        alone = []
        for column, nodes in ((SQLITE, 0), (REDIS, 1)):
            chat = stack.enter_context(chat_running(nodes, machine))
            swarm = stack.enter_context(Spread(chat, {}))
            swarm.open([("alice", "tea")])
            swarm.settle()
            alone.append((column, swarm, swarm.members[0]))
        gc.collect()
        took: dict[str, list[float]] = {SQLITE: [], REDIS: []}
        for _ in range(size.turns):
            for column, swarm, alice in alone:
                took[column].append(_turn(swarm, alice, alice, LINE.answer, size))
    return {column: _latency(values) for column, values in took.items()}


def across(size: RedisSize, machine: Machine) -> Figures:
    """From one user's sending to another's reading, on one node and between two, by turns."""
    with chat_running(2, machine) as chat, Spread(chat, {"bob": 1}) as swarm:
        swarm.open([("alice", "tea"), ("bob", "tea"), ("carol", "tea")])
        swarm.settle()
        alice = swarm.member("alice")
        readers = {"one node": swarm.member("carol"), "two nodes": swarm.member("bob")}
        gc.collect()
        took: dict[str, list[float]] = {column: [] for column in readers}
        for _ in range(size.turns):
            for column, reader in readers.items():
                took[column].append(_turn(swarm, alice, reader, b"", size))
    return {column: _latency(values) for column, values in took.items()}


def _turn(
    swarm: Spread, author: Connection, reader: Connection, mark: bytes, size: RedisSize
) -> float:
    """Says one thing; the seconds until its reader has what it waits for (the text unless said)."""
    said = text(time.perf_counter_ns(), size.chat.text)
    began = time.perf_counter()
    swarm.send(author, LINE.head(author.room, len(said)) + said + LINE.end)
    took = _wait(swarm, reader, mark or said, began)
    # What the others, and the author, still get of it must not be taken for the next one's.
    swarm.settle(size.pause, _PATIENCE)
    return took


def _wait(swarm: Spread, reader: Connection, mark: bytes, began: float) -> float:
    while time.perf_counter() - began < _PATIENCE:
        for connection, _ in swarm.ready(1.0):
            size = connection.receive()
            if connection is reader and BUFFER.find(mark, 0, size) >= 0:
                return time.perf_counter() - began
    raise LoadError(f"nothing came to {reader.nick} for {_PATIENCE:g} s")


def _latency(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "p50_ms": statistics.median(ordered) * 1e3,
        "p99_ms": ordered[int((len(ordered) - 1) * 0.99)] * 1e3,
    }


def cost(size: RedisSize, machine: Machine) -> Figures:
    """What the same talk costs on several nodes: rooms whose members are on all of them."""
    found = {}
    for nodes in (0, *size.nodes):
        with chat_running(nodes, machine) as chat:
            tally, spent = _paced(size, chat)
        column = f"{nodes} {'node' if nodes == 1 else 'nodes'}" if nodes else SQLITE
        cpu = sum(spent.nodes)
        found[column] = {
            "node_us_per_delivery": cpu * 1e6 / tally.deliveries,
            "busiest_cpu_pct": max(spent.nodes) * 100 / tally.seconds,
            "nodes_cpu_pct": cpu * 100 / tally.seconds,
            "p50_ms": tally.latency_ms(0.5) or 0.0,
        }
        if nodes:
            found[column] |= {
                "redis_cpu_pct": spent.redis * 100 / tally.seconds,
                "redis_us_per_message": spent.redis * 1e6 / tally.sent,
                "redis_us_per_batch": spent.redis * 1e6 / max(1, spent.batches),
                "redis_out_per_message": spent.redis_out / tally.sent,
                "messages_per_batch": tally.sent / max(1, spent.batches),
            }
    return found


def _paced(size: RedisSize, chat: Chat) -> tuple[Tally, Spent]:
    meter = Meter(chat)
    people = range(size.rooms * size.members)
    places = [(f"u{n}", f"bench{n % size.rooms}") for n in people]
    where = {f"u{n}": n // size.rooms % len(chat.nodes) for n in people}
    with Spread(chat, where) as swarm:
        swarm.open(places, at_once=size.chat.at_once)
        swarm.settle()
        # So that no node says more than another.
        authors = sorted(swarm.members, key=lambda member: int(member.nick[1:]))
        tally = Conversation(swarm, authors, size.chat.text).paced(
            size.rate, size.chat.seconds, meter
        )
    return tally, meter.spent()


def unread(size: RedisSize, machine: Machine) -> Figures:
    """What a node spends on messages that none of its users reads: all is said on another one."""
    found = {}
    chatting = size.chat
    with chat_running(2, machine) as chat, Spread(chat, {"bob": 1}) as swarm:
        rooms = chatting.stored_rooms
        swarm.open([("bob", "quiet"), *((f"u{n}", f"bench{n % rooms}") for n in range(2 * rooms))])
        swarm.settle()
        authors = [member for member in swarm.members if member.nick != "bob"]
        for rate in (*size.unread, 0):
            meter = Meter(chat)
            talk = Conversation(swarm, authors, chatting.text, joined=not rate)
            if rate:
                tally = talk.paced(rate, chatting.seconds, meter)
            else:
                tally = talk.closed_loop(chatting.stored_window, chatting.seconds, meter)
            column = f"{rate:,} a second" if rate else "flat out"
            found[column] = _unread(tally, meter.spent())
            if not rate:
                found[column]["messages_per_s"] = tally.answered / tally.seconds
    return found


def _unread(tally: Tally, spent: Spent) -> dict[str, float]:
    own, other = spent.nodes
    return {
        "node_us_per_message": own * 1e6 / tally.sent,
        "unread_us_per_message": other * 1e6 / tally.sent,
        "unread_us_per_batch": other * 1e6 / max(1, spent.batches),
        "redis_us_per_message": spent.redis * 1e6 / tally.sent,
        "messages_per_batch": tally.sent / max(1, spent.batches),
    }


SCENARIOS: dict[str, Callable[[RedisSize, Machine], Figures]] = {
    "saturated": saturated,
    "stored": stored,
    "idle": idle,
    "across": across,
    "cost": cost,
    "unread": unread,
}

MEASURES: dict[str, tuple[str, str]] = {
    "deliveries_per_s": ("deliveries a second", ",.0f"),
    "messages_per_s": ("messages stored a second", ",.0f"),
    "node_us_per_message": ("node's CPU, µs a message", ".1f"),
    "unread_us_per_message": ("CPU of a node where nobody reads it, µs a message", ".1f"),
    "unread_us_per_batch": ("the same, µs a batch", ".0f"),
    "node_us_per_delivery": ("nodes' CPU together, µs a delivery", ".2f"),
    "busiest_cpu_pct": ("the busiest node's CPU, %", ".1f"),
    "nodes_cpu_pct": ("nodes' CPU together, %", ".1f"),
    "redis_us_per_message": ("Redis's CPU, µs a message", ".1f"),
    "redis_us_per_batch": ("the same, µs a batch", ".0f"),
    "redis_cpu_pct": ("Redis's CPU, %", ".1f"),
    "redis_out_per_message": ("bytes that Redis sends a message", ",.0f"),
    "messages_per_batch": ("messages a batch", ".1f"),
    "p50_ms": ("latency p50, ms", ".2f"),
    "p99_ms": ("latency p99, ms", ".2f"),
    "load_cpu_pct": ("the load's own CPU, %", ".0f"),
}
"""Words and number format of each figure."""
