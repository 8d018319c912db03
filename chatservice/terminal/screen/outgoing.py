"""
What one says, on its way: seen as pending at once, said one after the other in each buffer, and
given back if it can't be said. A lost connection is waited for, however long it takes.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from chatservice.client import ClientError, Message, Refused, Stored

from .buffer import DIRECT, STATUS, Buffer
from .entries import ERROR, Pending

if TYPE_CHECKING:
    from .session import Session


def as_typed(text: str) -> str:
    """What one types to say a text."""
    return f"/{text}" if text.startswith("/") else text


def cut(text: str, most: int) -> list[str]:
    """
    A text in parts that can be said, cut between words where it can be.

    @param most: bytes of one; 0 for any number.
    """
    parts = []
    while most and len(encoded := text.encode(errors="replace")) > most:
        fits = len(encoded[:most].decode(errors="ignore")) or 1
        end = text.rfind(" ", 1, fits + 1)
        end = end if end > fits // 2 else fits
        parts.append(text[:end])
        text = text[end:].removeprefix(" ")
    return [*parts, text] if text or not parts else parts


class Outgoing:
    """What is on its way in one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._client = session.client
        self._sending: set[Buffer] = set()

    def say(self, buffer: Buffer, text: str, *, typed: str, action: bool = False) -> None:
        """
        Says something in a buffer.

        @param typed: what is given back if it can't be said.
        """
        parts = cut(text, self._client.max_text_bytes)
        if len(parts) > 1:
            for part in parts:
                self._say(buffer, part, f"/me {part}" if action else as_typed(part), action)
        else:
            self._say(buffer, text, typed, action)

    def _say(self, buffer: Buffer, text: str, typed: str, action: bool) -> None:
        session = self._session
        if buffer.kind == STATUS:
            session.note(buffer, "nobody is here: /join ROOM or /msg NICK TEXT", ERROR)
            buffer.give_back(typed)
            return
        buffer.line.remember(typed)
        if typed in buffer.unsent:
            buffer.unsent.remove(typed)
        buffer.anchor = None
        buffer.pending.append(Pending(typed, text, action))
        self.go_on(buffer)
        session.edited()

    def go_on(self, buffer: Buffer) -> None:
        """Says what waits, unless it waits until one is in the room."""
        if buffer not in self._sending and not buffer.entering:
            self._sending.add(buffer)
            self._session.run(self._send(buffer), buffer)

    async def _send(self, buffer: Buffer) -> None:
        """One after the other, which keeps the order."""
        try:
            while waiting := buffer.waiting():
                await self._send_one(buffer, waiting[0])
                self._session.changed()
                self._session.edited()
        finally:
            self._sending.discard(buffer)

    async def _send_one(self, buffer: Buffer, pending: Pending) -> None:
        try:
            stored = await self._post(buffer, pending)
        except ClientError as error:
            self._session.note(buffer, f"not sent: {error}", ERROR)
            buffer.not_said(pending)
            return
        if buffer.kind == DIRECT:
            # Rooms tell one what one has said oneself; others don't.
            self._session.model.arrived(buffer, self._own(buffer, pending, stored))
        buffer.stored(pending, stored.id)

    async def _post(self, buffer: Buffer, pending: Pending) -> Stored:
        text, action = pending.text, pending.action
        if buffer.kind == DIRECT:
            return await self._client.tell(buffer.name, text, action=action, timeout=inf)
        if buffer.room is None:
            words = f"you are not in {buffer.name}; /join {buffer.name} enters it"
            raise Refused("NOT_IN_ROOM", words)
        return await buffer.room.say(text, action=action, timeout=inf)

    def _own(self, buffer: Buffer, pending: Pending, stored: Stored) -> Message:
        return Message(
            stored.id,
            stored.ms,
            self._client.nick,
            pending.text,
            to=buffer.name,
            account=self._client.account,
            action=pending.action,
        )
