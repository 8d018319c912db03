"""
The history behind the direct messages that one gets: the conversations in which something was said
since the last of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from math import inf
from typing import TYPE_CHECKING

from chatservice.translation.protobuf import chat_pb2 as pb

from .events import Message
from .stream import Stream

if TYPE_CHECKING:
    from .client import Client

_REMEMBERED = 1000
"""How many ids are kept, to know those of the last millisecond again."""


class Directs:
    """
    `async for message in client.directs` gives what is said to one, by whomever: every message
    once, in order.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._since = 0
        self._recent: deque[str] = deque(maxlen=_REMEMBERED)
        self.stream = Stream(self)

    def __aiter__(self) -> AsyncIterator[Message]:
        return self.stream

    def begin(self, ms: int) -> None:
        """One is logged in for the first time, at that moment (milliseconds since 1970)."""
        self._since = self._since or ms

    # What the stream asks of the history behind it (`stream.Source`).

    def passed(self, message: Message) -> None:
        self._since = max(self._since, message.ms)
        self._recent.append(message.id)

    async def read(self) -> list[Message] | None:
        since = self._since - 1
        missed: list[Message] = []
        for conversation in await self._client.conversations(since, timeout=inf):
            if conversation.nick:
                missed += await self._missed(conversation.nick, since)
        known = set(self._recent)
        found = [m for m in missed if m.id not in known]
        found.sort(key=lambda message: message.ms)
        for message in found:
            self.passed(message)
        return found or None

    async def _missed(self, nick: str, since: int) -> list[Message]:
        found: list[Message] = []
        after = pb.Point(ms=since)
        while True:
            asked = pb.History(nick=nick, after=after, oldest=True)
            page = await self._client.page(asked)
            if not page.last_id:
                return found
            found += [m for m in page.messages if m.nick != self._client.nick or m.to == m.nick]
            after = pb.Point(id=page.last_id)
