"""What tests of the journal in Redis begin with: one Redis for all tests of this process, of which
each has a part of its own, and journals there.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import lru_cache
from itertools import count
from tempfile import mkdtemp
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint

from chatservice.journal.interface import IJournal
from chatservice.journal.redis.address import RedisAddress
from chatservice.journal.redis.entries import position
from chatservice.journal.redis.journal import RedisJournal
from chatservice.journal.redis.link import Link
from chatservice.journal.redis.settings import RedisSettings
from tests.journal_case import JournalCase, reactor
from tests.redis_server import _MORTAL as MORTAL
from tests.redis_server import HOST, free_port, redis_binary

PATIENCE = 30.0
_READY = b"Ready to accept connections"
_TAKEN = "redis-server did not start"

_prefixes = map("t{}:".format, count())


@lru_cache
def shared_redis() -> int:
    """The port of a Redis that lives as long as this process, and keeps nothing."""
    for _ in range(20):
        port = free_port()
        folder = mkdtemp()
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        settings = f'port {port}\nbind {HOST}\nsave ""\ndir {folder}\n'
        command = [redis_binary(), "-"]
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", MORTAL, str(os.getpid()), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(settings.encode())
        process.stdin.close()
        atexit.register(_end, process)
        if any(_READY in line for line in process.stdout):
            return port
    raise AssertionError(_TAKEN)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


class RedisCase(JournalCase):
    """
    @ivar port: where Redis is.
    @ivar prefix: what the keys of this test begin with.
    @ivar settings: of the journals that are made.
    """

    port = 0
    # Without what a node remembers, so that it is Redis that answers.
    settings = RedisSettings(patience=PATIENCE, checkpoint=0, recent_targets=0)

    async def setUp(self) -> None:  # type: ignore[override]
        self.prefix = next(_prefixes)
        if not self.port:
            self.port = shared_redis()
        await super().setUp()

    def rank(self, id: str) -> Any:
        return position(id)

    def link(self, port: int = 0, patience: float = PATIENCE) -> Link:
        """A link that is closed after the test."""
        port = port or self.port
        endpoint = TCP4ClientEndpoint(reactor, HOST, port)
        link = Link(reactor, endpoint, RedisAddress(HOST, port), patience)
        self.addCleanup(lambda: Deferred.fromCoroutine(link.close()))
        return link

    def make(self) -> IJournal:
        return cast(IJournal, self.make_redis())

    def make_redis(self, link: Link | None = None, reading: Link | None = None) -> RedisJournal:
        """A node's journal: of all that are made in one test the keys are the same."""
        settings = replace(self.settings, prefix=self.prefix)
        return RedisJournal(
            reactor, link or self.link(), reading or self.link(), settings, self.clock
        )
