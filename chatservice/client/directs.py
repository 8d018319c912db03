"""
The history behind the direct messages that one gets: the conversations in which something was said
since the last of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
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

    def __init__(self, client: Client, queued: int) -> None:
        self._client = client
        self._since = 0
        self._recent: deque[str] = deque(maxlen=_REMEMBERED)
        self.stream = Stream(self, queued)

    def __aiter__(self) -> AsyncIterator[Message]:
        return self.stream

    def begin(self, ms: int) -> None:
        """One is logged in, at that moment (milliseconds since 1970): nothing was missed before."""
        self._since = max(self._since, ms)
        self.stream.nothing_missed()

    # What the stream asks of the history behind it (`stream.Source`).

    def passed(self, message: Message) -> None:
        self._since = max(self._since, message.ms)
        self._recent.append(message.id)

    async def read(self) -> list[Message] | None:
        """
        All that was said up to the moment at which the last conversation was when they were listed.
        What is said later may be in some of them when they are read, and missing in others.
        """
        since = self._since
        spoken = await self._conversations(since - 1) if since else {}
        if not spoken:
            return None
        until = max(spoken.values())
        known = set(self._recent)
        found: list[Message] = []
        for nick in spoken:
            found += [m for m in await self._said(nick, since - 1, until + 1) if m.id not in known]
        if not found and until <= since:
            return None
        found.sort(key=lambda message: message.ms)
        for message in found:
            self.passed(message)
        self._since = max(self._since, until)
        return found

    async def _conversations(self, after: int) -> dict[str, int]:
        """With whom something was said after a moment, and when for the last time."""
        found: dict[str, int] = {}
        while True:
            asked = pb.ListConversations(after_ms=max(after, 0))
            answer = await self._client.insist(list_conversations=asked)
            if answer is None:
                return found
            some = answer.conversation_list.conversations
            found |= {c.nick: c.ms for c in some if c.nick}
            whole = len(some) < self._client.longest_list
            if whole or some[-1].ms - 1 <= after:
                return found
            after = some[-1].ms - 1

    async def _said(self, nick: str, after: int, before: int) -> list[Message]:
        """What was said to one by somebody between two moments."""
        found: list[Message] = []
        begin, end = pb.Point(ms=after), pb.Point(ms=before)
        while True:
            asked = pb.History(nick=nick, after=begin, before=end, oldest=True)
            page = await self._client.page(asked)
            if not page.last_id:
                return found
            found += [m for m in page.messages if m.nick != self._client.nick or m.to == m.nick]
            begin = pb.Point(id=page.last_id)
