"""
Several servers that are one service, as real processes that share a real Redis: each has a folder,
a port and a name of its own, which it keeps whatever becomes of it. And the door in front of them,
which leads to any that is there. What is right or wrong is not decided here.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.protocols.portforward import ProxyFactory
from twisted.trial.unittest import TestCase

from chatservice.client import Authorities
from tests.clients.authority import Authority
from tests.process import EndedEarly, Server, new_folder, reactor, start_server
from tests.redis_server import free_port
from tests.service import HOST, Client

LEASE = 5
"""Seconds: the shortest that there is."""

_ATTEMPTS = 10
_TAKEN = "in use"

_SETTINGS = """
name = "localhost"
data = "data"
listen = ["ssl:{port}:interface={host}"]
store = "{store}"

[tls]
private_key = "{certificate}"

[redis]
lease_seconds = {lease}
{redis}

[limits]
messages_per_second = 0
registrations_per_hour = 0
history_messages = 100_000
sendq_bytes = 16_777_216
"""


class Node:
    """
    One server in all its lives.

    @ivar lives: each of its processes.
    @ivar up: can anybody be sent to it?
    @param store: the address of Redis, by its own way there.
    @param redis: further lines of the table C{[redis]}.
    """

    def __init__(self, case: TestCase, certificate: Path, store: str, redis: str = "") -> None:
        self._case = case
        self._values = {"certificate": certificate, "store": store, "redis": redis}
        self.folder = new_folder(case)
        self.port = 0
        self.lives: list[Server] = []
        self.up = False

    @property
    def server(self) -> Server:
        """Its present life."""
        return self.lives[-1]

    @property
    def name(self) -> str:
        """What the other nodes call it."""
        return (self.folder / "data" / "node").read_text(encoding="ascii")

    def log(self) -> str:
        """What it has logged in all its lives."""
        return "".join(life.log() for life in self.lives)

    async def start(self) -> None:
        """Starts it; over when it listens."""
        for attempt in range(_ATTEMPTS):
            if not self.lives:
                self.port = free_port()
            try:
                self.lives.append(await self._start())
            except EndedEarly as error:
                # Somebody else was faster.
                if self.lives or _TAKEN not in str(error) or attempt == _ATTEMPTS - 1:
                    raise
            else:
                self.up = True
                return

    async def _start(self) -> Server:
        settings = _SETTINGS.format(port=self.port, host=HOST, lease=LEASE, **self._values)
        (self.folder / "chat.toml").write_text(settings, encoding="utf-8")
        return await start_server(self._case, "--config", "chat.toml", folder=self.folder)

    async def kill(self) -> None:
        """Ends it as a power cut does."""
        self.up = False
        await self.server.kill()

    async def stop(self) -> None:
        """Ends it as systemd does."""
        self.up = False
        await self.server.terminate()

    def pause(self) -> None:
        """Lets it stand still."""
        self.up = False
        self.server.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Ends a pause."""
        self.server.send_signal(signal.SIGCONT)
        self.up = True

    async def log_in(self, nick: str, password: str = "") -> Client:
        """Connects a client of the line protocol that is logged in."""
        return await self.server.log_in(nick, password)

    def misses(self, other: Node) -> Deferred[re.Match[str]]:
        """Fires when it sees, from now on and in this life, that another node is gone."""
        words = f"node {other.name} is gone"
        before = self.server.log().count(words)
        return self.server.logged(f"(?s)(?:{words}.*){{{before + 1}}}")


class Nodes:
    """
    @ivar nodes: all of them; none is started yet.
    @ivar trust: how programs know them.
    @param stores: the address of Redis for each.
    @param redis: further lines of the table C{[redis]}.
    """

    def __init__(self, case: TestCase, stores: Sequence[str], redis: str = "") -> None:
        authority = Authority(new_folder(case))
        certificate = authority.issue("localhost")
        self.trust = Authorities(authority.certificate)
        self.nodes = [Node(case, certificate, store, redis) for store in stores]

    async def start(self) -> list[Node]:
        """Starts all of them at once."""
        await gatherResults([Deferred.fromCoroutine(node.start()) for node in self.nodes])
        return self.nodes


class Front(ProxyFactory):
    """
    The door: it hands each connection on to the next node that is there.

    @ivar at: the port where it is.
    """

    noisy = False

    def __init__(self, nodes: Sequence[Node]) -> None:
        super().__init__(HOST, 0)
        self._nodes = nodes
        self._turns = cycle(nodes)
        self.at = 0

    async def open(self, case: TestCase) -> None:
        """Opens it; it is closed after the test."""
        port = await TCP4ServerEndpoint(reactor, 0, interface=HOST).listen(self)
        case.addCleanup(port.stopListening)
        self.at = port.getHost().port

    @property
    def port(self) -> int:
        """Where the next connection is handed on to."""
        # If none is there, whoever comes is turned away.
        return next(
            (node.port for node, _ in zip(self._turns, self._nodes, strict=False) if node.up),
            self._nodes[0].port,
        )

    @port.setter
    def port(self, _: int) -> None:
        """The nodes say it."""
