"""
The line tool: says texts or the lines of its input, and shows what is said, a line a message. Whom
it is connected to, and what its exit status becomes, is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredList, FirstError

from chatservice.client import (
    Client,
    Connected,
    Disconnected,
    Joined,
    Message,
    Page,
    Refused,
    Room,
    Told,
)

from .options import LINES, Options
from .plan import Plan
from .rendering import Renderer
from .standard import Input, Output

_LONGEST_PAGE = 1000

_T = TypeVar("_T")

Reader = Callable[[int, str | None], Coroutine[Any, Any, Page]]
"""Reads so many messages of a history, or fewer, before a place in it."""


class NotDone(Exception):
    """The server has refused something; the words say what and why."""


class _Enough(Exception):
    """As many messages are shown as were asked for."""


class LineTool:
    """
    @param client: is logged in.
    @param options: what was asked for.
    @param plan: what is to be done.
    @param source: where lines to say come from.
    @param output: where messages are shown.
    @param render: how.
    @param encoding: in which characters.
    @param tell: told what people should know beside.
    """

    def __init__(
        self,
        client: Client,
        options: Options,
        plan: Plan,
        source: Input,
        output: Output,
        render: Renderer,
        encoding: str,
        tell: Callable[[str], None],
    ) -> None:
        self._client = client
        self._options = options
        self._plan = plan
        self._source = source
        self._output = output
        self._render = render
        self._encoding = encoding
        self._tell = tell
        self._rooms: list[Room] = []
        # Where each room's stream begins, by its name; and what the history has shown beyond that.
        self._begins: dict[str, str] = {}
        self._known: set[str] = set()
        self._left = options.count

    async def run(self) -> None:
        """
        Does all of it.

        @raise NotDone: some of it the server does not want.
        @raise OutputClosed: nobody wants to see it.
        @raise ClientError: it came to nothing.
        """
        listening = [self._client.listen(self._hear), self._client.listen(Outages(self._tell))]
        try:
            await self._enter()
            await self._show_history()
            await self._say_and_show()
            await self._output.flush()
        finally:
            for stop in listening:
                stop()

    def _hear(self, told: Told) -> None:
        if isinstance(told, Joined) and told.nick == self._client.nick:
            self._begins.setdefault(told.room, told.id)

    async def _enter(self) -> None:
        for name in self._options.rooms:
            with_key = self._client.join(name, self._options.key, create=self._options.create)
            room = await self._doing(name, with_key)
            if room not in self._rooms:
                self._rooms.append(room)

    async def _doing(self, what: str, request: Coroutine[Any, Any, _T]) -> _T:
        """A request, and what it was about if it is refused."""
        try:
            return await request
        except Refused as refused:
            if refused is self._client.failure:
                raise
            raise NotDone(f"{what}: {refused}") from None

    # What was said before.

    async def _show_history(self) -> None:
        if not self._plan.history:
            return
        for room in self._rooms:
            # What was said since the join, the stream will give.
            begins = self._begins.get(room.name)
            await self._show_last(room.name, _history_of(room), begins)
        if self._options.to:
            await self._show_last(self._options.to, self._conversation, None)

    async def _conversation(self, limit: int, before: str | None) -> Page:
        return await self._client.conversation_with(self._options.to, limit, before=before)

    async def _show_last(self, name: str, read: Reader, before: str | None) -> None:
        """Collects the pages from the end, and shows them from the beginning."""
        pages: list[list[Message]] = []
        missing = self._plan.history
        while missing > 0:
            page = await self._doing(name, read(min(missing, _LONGEST_PAGE), before))
            if not page.first_id:
                break
            pages.append(page.messages)
            missing -= len(page.messages)
            before = page.first_id
        for messages in reversed(pages):
            self._known.update(message.id for message in messages)
            await self._show(messages)

    async def _show(self, messages: Iterable[Message]) -> None:
        lines = "".join(f"{self._render(message)}\n" for message in messages)
        await self._output.show(lines.encode(self._encoding, "replace"))

    # What is said from now on.

    async def _say_and_show(self) -> None:
        saying = Deferred.fromCoroutine(self._say_all())
        if not self._plan.tail:
            await saying
            return
        showing = Deferred.fromCoroutine(self._show_all())
        if self._plan.until_input_ends:
            await first_of(saying, showing)
        else:
            await all_of(saying, showing)

    async def _show_all(self) -> None:
        streams = [self._follow_room(room) for room in self._rooms]
        if self._options.to or not streams:
            streams.append(self._follow_directs())
        following = all_of(*map(Deferred.fromCoroutine, streams))
        try:
            await first_of(Deferred.fromCoroutine(following), self._output.watch())
        except _Enough:
            self._source.end()
        else:
            raise NotDone("there is no room left to show")

    async def _follow_room(self, room: Room) -> None:
        await self._follow(room, lambda _: True)
        self._tell(f"{room.name}: {room.ended}")

    async def _follow_directs(self) -> None:
        author = self._options.to.casefold()
        await self._follow(
            self._client.directs, lambda message: author in ("", message.nick.casefold())
        )

    async def _follow(
        self, stream: AsyncIterable[Message], is_wanted: Callable[[Message], bool]
    ) -> None:
        async for message in stream:
            if message.id in self._known or not is_wanted(message):
                continue
            await self._show((message,))
            if self._left:
                self._left -= 1
                if not self._left:
                    raise _Enough

    async def _say_all(self) -> None:
        for text in self._plan.say:
            if text == LINES:
                await self._say_lines()
            else:
                await self._say(text)

    async def _say_lines(self) -> None:
        number = 0
        while (line := await self._source.line()) is not None:
            number += 1
            if line:
                await self._say(line, f"line {number} of the input: ")

    async def _say(self, text: str, which: str = "") -> None:
        notice = self._options.notice
        for room in self._rooms:
            await self._doing(f"{which}{room.name}", room.say(text, notice=notice))
        to = self._options.to
        if to:
            await self._doing(f"{which}{to}", self._client.tell(to, text, notice=notice))


class Outages:
    """
    Says when the connection is lost, once, and when it is there again.

    @param tell: whom to tell.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._is_lost = False

    def __call__(self, told: Told) -> None:
        if isinstance(told, Disconnected):
            # What ends it for good is told as an error.
            if not self._is_lost and told.retry_in is not None:
                self._is_lost = True
                self._tell(f"{told.reason}; connecting again")
        elif isinstance(told, Connected) and self._is_lost:
            self._is_lost = False
            self._tell("connected again")


def _history_of(room: Room) -> Reader:
    async def read(limit: int, before: str | None) -> Page:
        return await room.history(limit, before=before)

    return read


async def first_of(*jobs: Deferred[None]) -> None:
    """Waits until the first one is done or fails, and cancels the others."""
    await _ended(
        jobs, DeferredList(jobs, fireOnOneCallback=True, fireOnOneErrback=True, consumeErrors=True)
    )


async def all_of(*jobs: Deferred[None]) -> None:
    """Waits until all are done; when the first one fails, the others are cancelled."""
    await _ended(jobs, DeferredList(jobs, fireOnOneErrback=True, consumeErrors=True))


async def _ended(jobs: Iterable[Deferred[None]], together: Awaitable[object]) -> None:
    try:
        await together
    except FirstError as error:
        error.subFailure.raiseException()
    finally:
        for job in jobs:
            job.cancel()
