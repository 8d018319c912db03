"""
One SQLite connection in a thread of its own, so that no query ever runs on the reactor's. What the
queries are, and what their errors mean, is their callers' business.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

T = TypeVar("T")


class ConnectionThread:
    """
    Runs functions of a connection one after another.

    @param connect: makes the connection, in the thread.
    """

    def __init__(
        self, reactor: IReactorFromThreads, name: str, connect: Callable[[], sqlite3.Connection]
    ) -> None:
        self._reactor = reactor
        self._name = name
        self._connect = connect
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Starts the thread and connects."""
        self._pool = ThreadPool(minthreads=1, maxthreads=1, name=self._name)
        self._pool.start()
        try:
            self._connection = await self._defer(self._connect)
        except BaseException:
            self._pool.stop()
            raise

    def run(self, function: Callable[..., T], *args: Any) -> Deferred[T]:
        """Calls a function in the thread, with the connection first."""
        return self._defer(function, self._connection, *args)

    async def close(self) -> None:
        """Waits for what is under way, disconnects, and ends the thread."""
        if self._connection is not None:
            await self.run(sqlite3.Connection.close)
            self._connection = None
            self._pool.stop()

    def _defer(self, function: Callable[..., T], *args: Any) -> Deferred[T]:
        return deferToThreadPool(self._reactor, self._pool, function, *args)
