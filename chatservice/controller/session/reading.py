"""
Reading what was said: the history of a room, or of one's conversation with somebody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chatservice.controller import lookup, requests
from chatservice.controller.entities import Room
from chatservice.controller.errors import NotInRoom
from chatservice.controller.events import SAID, Event

from .base import SessionBase

if TYPE_CHECKING:
    from chatservice.controller.log import Point


class Reading(SessionBase):
    """
    The history. Points in it are ids of events, or moments in milliseconds since 1970; the empty
    string is its end. All answers are oldest first, and no longer than the policy allows.
    """

    __slots__ = ()

    async def history(
        self,
        room_name: str,
        count: int,
        *,
        kinds: Sequence[str] = SAID,
        before: Point = "",
        after: Point = "",
        oldest: bool = False,
    ) -> tuple[Room, list[Event]]:
        """
        What happened in a room that one is in: the last of it, or with C{oldest} the first.

        @param count: how many events; no more than the policy allows are given.
        @param kinds: which kinds of event.
        @raise NotInRoom: one is not, or not any more.
        @raise Unavailable: it cannot be read now.
        """
        room = lookup.joined_room(self.state, self.policy, self.user, room_name)
        events = await self._read(room.id, count, kinds, before, after, oldest)
        if room.id not in self.user.rooms:
            raise NotInRoom()  # put out while it was being read
        return room, events

    async def conversation(
        self,
        nick: str,
        count: int,
        *,
        kinds: Sequence[str] = SAID,
        before: Point = "",
        after: Point = "",
        oldest: bool = False,
    ) -> tuple[str, list[Event]]:
        """
        What this user and another said to each other, and the other's nick as it is shown.

        @raise NoSuchUser: there is neither a user nor an account of that name.
        @raise Unavailable: it cannot be read now.
        """
        shown, target = requests.conversation_with(self.state, self.policy, self.user, nick)
        return shown, await self._read(target, count, kinds, before, after, oldest)

    async def _read(
        self,
        target: str,
        count: int,
        kinds: Sequence[str],
        before: Point,
        after: Point,
        oldest: bool,
    ) -> list[Event]:
        policy = self.policy
        most = min(count, policy.history_messages)
        journal = self._desk.controller.journal
        events = await journal.history(target, kinds, most, before, after, oldest)
        self.charge(len(events))
        return _within(events, policy.history_bytes, oldest)

    async def latest(self, after: int, before: int, limit: int) -> list[tuple[str, int]]:
        """
        The rooms that one is in, and the people that one has spoken with, in which something was
        said between two moments (milliseconds since 1970): a room's name, or C{@} and a nick; and
        the moment of the last that was said. The earliest come first.

        @raise Unavailable: it cannot be read now.
        """
        user = self.user
        most = min(limit, self.policy.history_messages)
        journal = self._desk.controller.journal
        rooms = list(user.rooms)
        found = await journal.latest(rooms, user.identity, after, before, most)
        self.charge(len(found))
        named = ((self._stream_name(target), ms) for target, ms in found)
        return [(name, ms) for name, ms in named if name]

    def _stream_name(self, target: str) -> str:
        """What a stream is called to this user: C{@nick}, or a room's name; empty if it is gone."""
        if not target.startswith("@"):
            room = self.user.rooms.get(target)
            return room.name if room is not None else ""
        mine = self.user.identity
        one, _, other = target[1:].partition(",")
        theirs = other if one == mine else one
        for key in sorted(self.state.identities.get(theirs, ())):
            return "@" + self.state.users[key].nick
        account = self.state.accounts.get(theirs)
        return "@" + account.nick if account is not None else ""


def _size(event: Event) -> int:
    """The bytes of what an event has of its author's own words: the text, and the client's tags."""
    text, tags = getattr(event, "text", ""), getattr(event, "tags", None)
    return len(text.encode()) + (len("".join((*tags, *tags.values())).encode()) if tags else 0)


def _within(events: list[Any], most: int, oldest: bool) -> list[Event]:
    """
    The newest (or the oldest) of some events that are no longer than so many bytes together; one at
    least, or whoever reads on would come to no end.
    """
    if not most:
        return events
    left = most
    order = range(len(events)) if oldest else range(len(events) - 1, -1, -1)
    for index in order:
        left -= _size(events[index])
        if left < 0:
            return events[: max(index, 1)] if oldest else events[min(index + 1, len(events) - 1) :]
    return events
