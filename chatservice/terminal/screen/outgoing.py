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
        if buffer not in self._sending:
            self._sending.add(buffer)
            session.run(self._send(buffer), buffer)
        session.edited()

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
            self._session.failed(buffer, error)
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
            raise Refused("NOT_IN_ROOM", f"you are not in {buffer.name}; /join {buffer.name}")
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
