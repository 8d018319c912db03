"""
Standard input and output on the reactor. What is read is read when it is wanted, and what is shown
is written as fast as somebody reads it; meanwhile the connection lives on. The descriptors stay
blocking, because they may belong to other programs too (the shell that comes after this one).
"""

from __future__ import annotations

import fcntl
import os
import select
import stat
from collections.abc import Callable
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.defer import Deferred
from twisted.internet.main import CONNECTION_LOST
from twisted.python.failure import Failure

_READ_BYTES = 65_536
# Bytes that wait to be written before nobody may write more.
_WAITING_BYTES = 65_536


class OutputClosed(Exception):
    """Nobody reads any more what is written."""


class Input(FileDescriptor):
    """
    The lines of a descriptor that is read only while somebody waits for one.

    @param reactor: an `IReactorFDSet`.
    @param descriptor: its number.
    """

    def __init__(self, reactor: Any, descriptor: int) -> None:
        super().__init__(reactor)
        self._descriptor = descriptor
        self._lines: list[str] = []
        self._rest = b""
        self._ended = False
        self._waiting: Deferred[None] | None = None

    def fileno(self) -> int:
        """See `IFileDescriptor`."""
        return self._descriptor

    async def line(self) -> str | None:
        """The next line, without its end; None after the last."""
        while not self._lines:
            if self._ended:
                return None
            self._waiting = Deferred()
            self.startReading()
            try:
                await self._waiting
            finally:
                self._waiting = None
                self.stopReading()
        return self._lines.pop(0)

    def end(self) -> None:
        """Takes no more: there is no line after those that are read."""
        self._ended = True
        self._wake()

    def doRead(self) -> None:
        """See `IReadDescriptor`."""
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if not data:
            lines, self._rest = [self._rest] if self._rest else [], b""
            self._ended = True
        self._lines += [line.decode("utf-8", "replace").removesuffix("\r") for line in lines]
        if lines or self._ended:
            self._wake()

    def connectionLost(self, reason: Failure) -> None:
        """Nobody writes to the pipe any more, and everything in it is read."""
        self.doRead()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.called:
            self._waiting.callback(None)


class Output(FileDescriptor):
    """
    A descriptor that is written to as fast as it is read from.

    @param reactor: an `IReactorFDSet`.
    @param descriptor: its number.
    """

    def __init__(self, reactor: Any, descriptor: int) -> None:
        super().__init__(reactor)
        self._descriptor = descriptor
        self._waiting: list[tuple[int, Deferred[None]]] = []
        self.connected = 1

    def fileno(self) -> int:
        """See `IFileDescriptor`."""
        return self._descriptor

    async def show(self, data: bytes) -> None:
        """
        Writes, and returns when there is room for more.

        @raise OutputClosed: it will never be read.
        """
        self.write(data)
        await self._until(_WAITING_BYTES)

    async def flush(self) -> None:
        """
        Returns when all is written.

        @raise OutputClosed: it will never be read.
        """
        await self._until(0)

    def watch(self) -> Deferred[None]:
        """
        Fails with `OutputClosed` as soon as nobody reads any more, if that can be known before
        something is written: if it is a pipe. To be cancelled.
        """
        self._start_watching()
        # Less than nothing never waits to be written.
        return self._wait(-1)

    async def _until(self, most: int) -> None:
        if self.disconnected:
            raise OutputClosed
        if self._unwritten > most:
            await self._wait(most)

    def _wait(self, most: int) -> Deferred[None]:
        def forget(_: Deferred[None]) -> None:
            self._waiting.remove(entry)
            self.stopReading()

        entry: tuple[int, Deferred[None]] = most, Deferred(forget)
        self._waiting.append(entry)
        return entry[1]

    @property
    def _unwritten(self) -> int:
        return len(self.dataBuffer) - self.offset + self._tempDataLen

    def writeSomeData(self, data: bytes) -> int | BaseException:
        """So little at a time that a pipe that is ready takes it without blocking (pipe(7))."""
        try:
            return os.write(self._descriptor, data[: select.PIPE_BUF])
        except BlockingIOError:
            return 0
        except OSError:
            return CONNECTION_LOST

    def doWrite(self) -> BaseException | int | None:
        """See `IWriteDescriptor`."""
        result: BaseException | int | None = super().doWrite()
        unwritten = self._unwritten
        self._settle(lambda most: unwritten <= most, lambda waiting: waiting.callback(None))
        return result

    def _start_watching(self) -> None:
        """A pipe that is written to becomes "readable" when nobody reads from it any more."""
        is_pipe = stat.S_ISFIFO(os.fstat(self._descriptor).st_mode)
        mode = fcntl.fcntl(self._descriptor, fcntl.F_GETFL) & os.O_ACCMODE
        if is_pipe and mode == os.O_WRONLY:
            self.startReading()

    def doRead(self) -> BaseException:
        """See `_start_watching`."""
        return CONNECTION_LOST

    def connectionLost(self, reason: Failure) -> None:
        """See `IFileDescriptor`."""
        super().connectionLost(reason)
        self._settle(lambda _: True, lambda waiting: waiting.errback(OutputClosed()))

    def _settle(
        self, is_due: Callable[[int], bool], settle: Callable[[Deferred[None]], None]
    ) -> None:
        due = [entry for entry in self._waiting if is_due(entry[0])]
        self._waiting = [entry for entry in self._waiting if entry not in due]
        for _, waiting in due:
            settle(waiting)
