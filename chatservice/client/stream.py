"""
What was said, as a program reads it: every message once, in the order of the history, whatever
happens to the connection, and however slowly the program reads.

A stream is a place in the history, and what came live after that place. While it is *live*, nothing
is missing between the two, and messages are queued as they come. It stops being live when the
connection is lost, or when more is queued than a program wants to hold: then what comes is let go,
and once the queue is empty the history is asked what followed its end, one page whenever the
program wants more. So a slow program holds up nobody, and needs little memory.

It is live again when a page holds something that has come live meanwhile, or when there is no
further page. What the history has said may still come live, but not after another page was asked
for and answered: the server tells what is stored before it reads the next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import Protocol

from twisted.internet.defer import Deferred

from .errors import ClientError
from .events import Message

QUEUED = 10_000
"""How many messages wait for a program before they are let go."""


class Source(Protocol):
    """The history behind a stream."""

    def passed(self, message: Message) -> None:
        """The place moves: this was queued."""

    async def read(self) -> list[Message] | None:
        """
        What follows the place, oldest first, and moves it behind that; None if nothing does.

        @raise ConnectionGone: there is no connection now.
        """


class Stream(AsyncIterator[Message]):
    """
    To be read by one `async for` at a time. It ends when `end` is called and all that was said
    before is read; or it raises what `end` was given.

    @param source: the history.
    @param queued: how many messages may wait.
    """

    def __init__(self, source: Source, queued: int = QUEUED) -> None:
        self._source = source
        self._most = queued
        self._queue: deque[Message] = deque()
        self._live = False
        # What comes live while it is not: all of it, without a gap, or None.
        self._meanwhile: deque[Message] | None = deque()
        # What the history has said last, and what may still come live too: two pages of it.
        self._known: set[str] = set()
        self._page: set[str] = set()
        self._reading = self._catching_up = False
        self._waiting: Deferred[None] | None = None
        self._ended = False
        self._error: ClientError | None = None

    def arrived(self, message: Message) -> None:
        """Somebody said something: it comes live."""
        if not self._live:
            self._came_meanwhile(message)
            return
        if self._known:
            if message.id in self._known:
                return
            self._known.clear()
        queue = self._queue
        if len(queue) >= self._most:
            self._live, self._meanwhile = False, deque((message,))
            return
        queue.append(message)
        self._source.passed(message)
        if self._waiting is not None:
            self._wake()

    def _came_meanwhile(self, message: Message) -> None:
        if self._meanwhile is None or message.id in self._known:
            return
        self._meanwhile.append(message)
        if len(self._meanwhile) > self._most:
            self._meanwhile = None

    def interrupted(self) -> None:
        """The connection is lost: something may be missed from here on."""
        self._live = False
        # What is being asked for may be answered by both connections, the old one and the new.
        self._meanwhile = None if self._catching_up else deque()

    def nothing_missed(self) -> None:
        """All that follows the place will come live."""
        self._live = not self._catching_up

    def resumed(self) -> None:
        """The connection is there again."""
        self._wake()

    def end(self, error: ClientError | None = None) -> None:
        """
        Nothing will come any more. What has come is still to be read; what was to be asked for is
        lost.
        """
        if not self._ended:
            self._ended, self._error = True, error
            if not self._catching_up:
                self._go_live()
            self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def _forget(self, _: Deferred[None]) -> None:
        self._waiting = None

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> Message:
        queue = self._queue
        while not queue:
            if self._ended:
                if self._error is not None:
                    # It may be raised again, and would drag this traceback along.
                    raise self._error.with_traceback(None)
                raise StopAsyncIteration
            await self._more()
        return queue.popleft()

    async def _more(self) -> None:
        if self._reading:
            raise RuntimeError("this is being read by another `async for` already")
        self._reading = True
        try:
            if self._live:
                self._waiting = Deferred(self._forget)
                await self._waiting
            else:
                await self._catch_up()
        finally:
            self._reading = False

    async def _catch_up(self) -> None:
        """Takes one page up, and is live if it reaches what has come live meanwhile."""
        if self._meanwhile is None:
            self._meanwhile = deque()
        self._catching_up = True
        try:
            page = await self._source.read()
        except ClientError:
            if not self._ended:
                raise
            page = None
        finally:
            self._catching_up = False
        ids = {message.id for message in page or ()}
        self._known, self._page = self._page | ids, ids
        self._queue.extend(page or ())
        # What cannot be asked for any more is better than nothing.
        if self._ended or self._reaches(page):
            self._go_live()

    def _reaches(self, page: list[Message] | None) -> bool:
        """Is nothing missing between a page and what has come live?"""
        meanwhile = self._meanwhile
        if meanwhile is None:
            return False
        return page is None or any(message.id in self._page for message in meanwhile)

    def _go_live(self) -> None:
        self._live = True
        meanwhile, self._meanwhile = self._meanwhile, None
        for message in meanwhile or ():
            if message.id not in self._known:
                self._queue.append(message)
                self._source.passed(message)
