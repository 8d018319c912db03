"""
The history of a channel or a conversation as one client sees it again: what of it is shown, under
which names, and in a batch. Which part of it is asked for is `commands.history`'s.

Specifications: IRCv3 chathistory, with draft/event-playback; IRCv3 batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from chatservice.controller.entities import User
from chatservice.controller.events import (
    SAID,
    DirectEvent,
    DirectTag,
    Event,
    Joined,
    Kicked,
    Left,
    ModesChanged,
    RoomEvent,
    TagMessage,
    TopicChanged,
    Transferred,
    VisibilityChanged,
)

from .commands.targets import channel_of, is_channel, room_name
from .isupport import history_items
from .labels import tagged

if TYPE_CHECKING:
    from chatservice.controller.log import Point
    from chatservice.controller.session import Session

    from .dialect import IrcDialect
    from .rendering import IrcVariant

_DONE = tuple(
    event.kind
    for event in (
        Joined,
        Left,
        Kicked,
        ModesChanged,
        TopicChanged,
        Transferred,
        VisibilityChanged,
    )
)
"""What else a client with draft/event-playback sees."""

_TAGGED = (TagMessage.kind, DirectTag.kind)
"""And what such a client sees if it has message-tags too."""

LASTING_TAGS = frozenset(("+draft/persist", "+draft/react", "+draft/unreact", "+react", "+unreact"))
"""
A TAGMSG with one of these is worth remembering; any other, as that somebody is typing, is not.
"""

_PAGES = 10
"""How often is looked for more, where much is not worth remembering."""


def kinds_for(d: IrcDialect) -> tuple[str, ...]:
    """The kinds of event that a client sees in a history."""
    if not d.has("draft/event-playback"):
        return SAID
    return SAID + _DONE + (_TAGGED if d.has("message-tags") else ())


class Playback:
    """
    @param target: a channel, or a nick.
    @param kinds: the kinds of event that are shown.
    @ivar shown: what the target is called, once it was read.
    """

    __slots__ = ("_kinds", "_session", "_target", "shown")

    def __init__(self, session: Session, target: str, kinds: tuple[str, ...]) -> None:
        self._session = session
        self._target = target
        self._kinds = kinds
        self.shown = target

    async def read(
        self, limit: int, *, before: Point = "", after: Point = "", oldest: bool = False
    ) -> list[Event]:
        """
        The last C{limit} events between two points, or with C{oldest} the first; oldest first.
        Raises as C{Session.history} and C{Session.conversation}.
        """
        found: list[Event] = []
        count = limit
        for _ in range(_PAGES):
            page = await self._page(count, before, after, oldest)
            lasting = [event for event in page if _lasts(event)]
            found = found + lasting if oldest else lasting + found
            if len(page) < count or len(found) >= limit:
                break
            count = history_items(self._session.policy)
            if oldest:
                after = page[-1].id
            else:
                before = page[0].id
        return found[:limit] if oldest else found[-limit:]

    async def _page(self, limit: int, before: Point, after: Point, oldest: bool) -> list[Event]:
        session, kinds = self._session, self._kinds
        if is_channel(self._target):
            room, events = await session.history(
                room_name(self._target),
                limit,
                kinds=kinds,
                before=before,
                after=after,
                oldest=oldest,
            )
            self.shown = channel_of(room.name)
            return [_in_room(event, room.name) for event in events]
        self.shown, events = await session.conversation(
            self._target, limit, kinds=kinds, before=before, after=after, oldest=oldest
        )
        return [_in_conversation(event, session.user, self.shown) for event in events]


def _lasts(event: Event) -> bool:
    if isinstance(event, TagMessage | DirectTag):
        return not LASTING_TAGS.isdisjoint(event.tags)
    return True


def _in_room(event: Event, name: str) -> Event:
    """An event of a room, under the name that the room has now."""
    if isinstance(event, Joined):
        # Who was away then need not be now.
        return replace(event, room=name, away="")
    return replace(event, room=name) if isinstance(event, RoomEvent) else event


def _in_conversation(event: Event, user: User, other: str) -> Event:
    """
    Something that a user was told, or has told somebody, under the nicks that both have now: a
    client knows no others (chathistory, "Implementation Considerations"). A guest's conversations
    end with the visit, and are left as they were.
    """
    if not isinstance(event, DirectEvent) or not user.account:
        return event
    if event.account == user.account_nick or event.actor == user.account:
        return replace(event, nick=user.nick, host=user.host, to_nick=other)
    return replace(event, to_nick=user.nick)


def lines_of(events: Iterable[Event], render: IrcVariant) -> Iterator[str]:
    """The lines of a history."""
    for event in events:
        # Of bytes: texts may hold what only a string is split at.
        for line in render.replay(event).splitlines(keepends=True):
            yield line.decode()


def in_batch(d: IrcDialect, kind: str, *params: str, lines: Iterable[str]) -> Iterator[str]:
    """Lines that belong together, marked so for a client that knows batches."""
    if not d.has("batch"):
        yield from lines
        return
    name = d.batch_name()
    yield d.line("BATCH", "+" + name, kind, *params)
    for line in lines:
        yield tagged("batch=" + name, line)
    yield d.line("BATCH", "-" + name)
