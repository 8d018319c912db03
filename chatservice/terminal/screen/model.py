"""
What there is to see: the buffers and their order, which of them one looks at, and how it is with
the connection. Pure: no terminal, no connection, no clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from chatservice.client import Message

from .buffer import DIRECT, ROOM, STATUS, Buffer
from .entries import Said

_ORDER = {STATUS: 0, ROOM: 1, DIRECT: 2}


class Model:
    """
    @ivar buffers: in the order in which they are listed: the status first, then rooms, then
        conversations, each in the order in which they were opened.
    @ivar active: the one that is looked at.
    @ivar nick: who one is; `account` is empty for a guest; `server` where, for people.
    @ivar lost: why there is no connection, for people; empty while there is one.
    @ivar retry_at: when the next attempt is made, seconds on the clock; None if none will be.
    @ivar rooms: names of rooms that are known; `nicks` those of people.
    @ivar hint: what is said in the status line until the next key.
    """

    def __init__(self, nick: str, account: str, server: str) -> None:
        self.status = Buffer(STATUS, "status")
        self.buffers = [self.status]
        self.active = self.status
        self.nick = nick
        self.account = account
        self.server = server
        self.lost = ""
        self.retry_at: float | None = None
        self.rooms: set[str] = set()
        self.nicks: set[str] = set()
        self.hint = ""

    # Buffers.

    def find(self, kind: str, name: str) -> Buffer | None:
        """The buffer of a room, or of a conversation with somebody, in whatever case."""
        wanted = name.casefold()
        return next(
            (b for b in self.buffers if b.kind == kind and b.name.casefold() == wanted), None
        )

    def open(self, kind: str, name: str) -> Buffer:
        """The buffer of a name; a new one if there is none."""
        found = self.find(kind, name)
        if found is None:
            found = Buffer(kind, name)
            self.buffers.append(found)
            self.buffers.sort(key=lambda buffer: _ORDER[buffer.kind])
        return found

    def close(self, buffer: Buffer) -> None:
        """It is not listed any more; the status always is."""
        if buffer is self.status or buffer not in self.buffers:
            return
        at = self.buffers.index(buffer)
        self.buffers.remove(buffer)
        if self.active is buffer:
            self.active = self.buffers[min(at, len(self.buffers) - 1)]
            self.active.enter()

    def look_at(self, buffer: Buffer) -> None:
        """Another one is looked at."""
        if buffer is not self.active:
            self.active.leave()
            self.active = buffer
            buffer.enter()

    def number(self, buffer: Buffer) -> int:
        """Under which number it is listed, from 1."""
        return self.buffers.index(buffer) + 1

    def look_at_number(self, number: int) -> None:
        """The one that is listed under a number, from 1; none if there is none."""
        if 0 < number <= len(self.buffers):
            self.look_at(self.buffers[number - 1])

    def look_further(self, by: int) -> None:
        """The one so many places further."""
        at = self.buffers.index(self.active)
        self.look_at(self.buffers[(at + by) % len(self.buffers)])

    def look_at_unread(self) -> None:
        """The next one with something unread; first those with what is meant for one."""
        at = self.buffers.index(self.active)
        following = self.buffers[at + 1 :] + self.buffers[:at]
        unread = [each for each in following if each.unread]
        unread.sort(key=lambda buffer: not buffer.mentions)
        if unread:
            self.look_at(unread[0])

    def waiting(self) -> int:
        """How many messages are not known to be stored."""
        return sum(len(buffer.waiting()) for buffer in self.buffers)

    def known(self, nick: str) -> str:
        """A nick as its owner writes it, as far as that is known."""
        wanted = nick.casefold()
        return next((known for known in self.nicks if known.casefold() == wanted), nick)

    # What is said.

    def said(self, message: Message) -> Said:
        """A message, as it stands in a buffer."""
        own = message.nick.casefold() == self.nick.casefold()
        return Said(message, own, not own and self._is_meant(message))

    def _is_meant(self, message: Message) -> bool:
        if not message.room:
            return True
        nick = re.escape(self.nick)
        return re.search(rf"(?<!\w){nick}(?!\w)", message.text, re.IGNORECASE) is not None

    def arrived(self, buffer: Buffer, message: Message) -> bool:
        """Something was said just now, or while there was no connection; is it new?"""
        entry = self.said(message)
        if not buffer.add(entry):
            return False
        self.nicks.add(message.nick)
        if buffer is not self.active and not entry.own:
            buffer.unread += 1
            buffer.mentions += entry.mention
        buffer.trim()
        return True

    def add_page(self, buffer: Buffer, messages: Iterable[Message], before: str) -> None:
        """A page of the history of a buffer."""
        buffer.add_page([self.said(each) for each in messages], before)

    def renamed(self, nick: str, new_nick: str) -> list[Buffer]:
        """Somebody is called something else; returns the buffers that it concerns."""
        concerned = []
        if nick == self.nick:
            self.nick = new_nick
        self.nicks.discard(nick)
        self.nicks.add(new_nick)
        for buffer in self.buffers:
            if buffer.members.rename(nick, new_nick):
                concerned.append(buffer)
            elif buffer.kind == DIRECT and buffer.name == nick:
                concerned.append(buffer)
                if self.find(DIRECT, new_nick) is None:
                    buffer.name = new_nick
        return concerned
