"""
One user's sitting at the screen: what is typed becomes requests, what comes becomes entries of the
model. It knows the client library and the model, and neither terminal nor keys, so tests drive it
without one.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from math import inf
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatservice.client import (
    Client,
    ClientError,
    Page,
    Room,
    RoomInfo,
    Told,
)

from . import commands, happenings
from .buffer import DIRECT, ROOM, STATUS, Buffer
from .drafts import Drafts
from .entries import ERROR, INFO, Note
from .keeping import Keeping
from .model import Model
from .outgoing import Outgoing

PAGE = 50
"""Messages that are read from a history at once."""


class Session:
    """
    @param client: logged in.
    @param clock: tells the time, seconds since 1970-01-01 UTC.
    @param drafts: what is kept of what is not sent.
    @param changed: called when there is something else to see.
    @param leave: called with an exit code when one has enough.
    @ivar model: what there is to see.
    """

    log = Logger()

    def __init__(
        self,
        client: Client,
        clock: IReactorTime,
        drafts: Drafts,
        changed: Callable[[], None],
        leave: Callable[[int], None],
    ) -> None:
        self.client = client
        self.clock = clock
        self.changed = changed
        self.leave = leave
        self.model = Model(client.nick, client.account, client.server)
        self.entered: dict[str, str] = {}
        self._outgoing = Outgoing(self)
        self._keeping = Keeping(self, drafts)
        self._tasks: set[Deferred[None]] = set()
        self._asked_to_wait = False
        self._stop_listening: Callable[[], None] = lambda: None

    # The beginning and the end.

    def start(
        self, rooms: Sequence[str], notices: Sequence[str], *, key: str = "", to: str = ""
    ) -> None:
        """
        Begins: see `screen.chat`.
        """
        for notice in notices:
            for line in notice.splitlines():
                self.note(self.model.status, line)
        self._stop_listening = self.client.listen(self._told)
        self.run(self._follow_directs())
        self.run(self._begin(rooms, key, to))

    async def _begin(self, rooms: Sequence[str], key: str, to: str) -> None:
        self._keeping.begin(rooms)
        # They are there before one is in them, so whoever types already types in the right place.
        entering = [self._open_room(name) for name in rooms]
        if to:
            self.open_direct(to)
        for buffer in entering[:1]:
            self.model.look_at(buffer)
        for buffer in entering:
            await self._enter(buffer, key)
        await self.list_rooms(self.model.status)
        await self._list_conversations()

    async def _list_conversations(self) -> None:
        self.model.nicks.update(user.nick for user in await self.client.list_users())
        partners = [each.nick for each in await self.client.conversations() if each.nick]
        if partners:
            self.model.nicks.update(partners)
            latest = ", ".join(reversed(partners[-10:]))
            self.note(self.model.status, f"you have talked with {latest}; /query NICK shows it")

    def stop(self) -> None:
        """Ends: what is not sent is written down; the client is left as it is."""
        self._stop_listening()
        self._keeping.end()
        for task in list(self._tasks):
            task.cancel()

    def quit(self, code: int = 0) -> None:
        """One has enough; but what is on its way is waited for, unless one says so twice."""
        waiting = self.model.waiting()
        if waiting and not self._asked_to_wait:
            self._asked_to_wait = True
            self.note(
                self.model.active,
                f"{_messages(waiting)} not stored yet: /quit again leaves now, and keeps them for "
                "the next time",
                ERROR,
            )
        else:
            self.leave(code)

    # What is supervised.

    def run(self, doing: Coroutine[Any, Any, None], buffer: Buffer | None = None) -> None:
        """Does something that takes time; what goes wrong is told in a buffer."""
        task = Deferred.fromCoroutine(doing)
        self._tasks.add(task)
        task.addErrback(self._broke, buffer or self.model.status)
        task.addBoth(lambda _: self._tasks.discard(task))

    def _broke(self, failure: Failure, buffer: Buffer) -> None:
        if failure.check(ClientError):
            self.failed(buffer, failure.value)
        elif not failure.check(CancelledError):
            self.log.failure("the screen broke", failure)
            self.note(buffer, f"this is a defect of the program: {failure.value!r}", ERROR)

    def note(self, buffer: Buffer, text: str, kind: str = INFO) -> None:
        """Says something in a buffer."""
        buffer.add(Note(int(self.clock.seconds() * 1000), text, kind))
        buffer.trim()
        self.changed()

    def failed(self, buffer: Buffer, error: BaseException | None) -> None:
        """Says in a buffer what went wrong."""
        self.note(buffer, str(error), ERROR)

    # What is typed.

    def typed(self, line: str) -> None:
        """A line (or several, from what was pasted) is to be done or said where one is looking."""
        buffer = self.model.active
        parts = [part for part in line.splitlines() if part.strip()]
        if len(parts) == 1:
            self._asked_to_wait = self._asked_to_wait and parts[0].strip() == "/quit"
            commands.do(self, buffer, parts[0])
        else:
            for part in parts:
                self.say(buffer, part, typed=part)
        self.changed()

    def say(self, buffer: Buffer, text: str, *, typed: str, action: bool = False) -> None:
        """See `Outgoing.say`."""
        self._outgoing.say(buffer, text, typed=typed, action=action)

    def edited(self) -> None:
        """Something else is typed, or on its way: it is written down soon."""
        self._keeping.edited()

    # Rooms.

    def _open_room(self, name: str) -> Buffer:
        """The buffer of a room that is about to be entered."""
        buffer = self.model.open(ROOM, name)
        buffer.entering = True
        self._keeping.give(buffer)
        return buffer

    async def _enter(self, buffer: Buffer, key: str) -> None:
        """Enters the room of a buffer, however long it takes."""
        try:
            joining = self.client.join(buffer.name, key, create=True, timeout=inf)
            self._entered(await joining, buffer)
        except ClientError as error:
            self.failed(buffer, error)
        finally:
            buffer.entering = False
            self._outgoing.go_on(buffer)

    async def join(self, name: str, key: str, typed_in: Buffer) -> None:
        """
        Enters a room, which is made if there is none, and follows what is said in it. It is shown,
        unless one has gone elsewhere, or types something, by then.

        @param typed_in: the buffer where it was asked for.
        """
        buffer = self._entered(await self.client.join(name, key, create=True))
        if self.model.active is typed_in and not typed_in.line.text:
            self.model.look_at(buffer)
        elif self.model.active is not buffer:
            self.note(typed_in, f"you are in {buffer.name} now")

    def _entered(self, room: Room, opened: Buffer | None = None) -> Buffer:
        """
        One is in a room.

        @param opened: the buffer that waits for it.
        """
        self.model.rooms.add(room.name)
        buffer = self.model.find(ROOM, room.name) or opened or self.model.open(ROOM, room.name)
        buffer.name = room.name
        if buffer.room is not room:
            buffer.begin_again()
            buffer.room = room
            self._keeping.give(buffer)
            self.run(self._follow(buffer, room), buffer)
        self.changed()
        return buffer

    async def _follow(self, buffer: Buffer, room: Room) -> None:
        # What was said before one came is there before what is said from then on.
        buffer.before = self.entered.get(room.name, "")
        await self.load(buffer)
        self.run(self.refresh(buffer), buffer)
        try:
            async for message in room:
                if self.model.arrived(buffer, message):
                    self.changed()
        except ClientError:
            return  # the client has given up, which is told by itself
        if buffer.room is room:
            buffer.room = None
            buffer.members.all_are(())
            self.note(buffer, f"you are not in {room.name} any more: {room.ended}", ERROR)

    async def refresh(self, buffer: Buffer) -> None:
        """Asks who is in a room, and what its topic is."""
        room = buffer.room
        if room is not None:
            members, topic = await room.members(), await room.topic()
            if buffer.room is room:
                buffer.members.all_are(members)
                buffer.topic = topic.text
            self.model.nicks.update(user.nick for user in members)
            self.changed()

    async def list_rooms(self, buffer: Buffer) -> None:
        """Says which rooms there are."""
        rooms = await self.client.list_rooms()
        self.model.rooms.update(room.name for room in rooms)
        if not rooms:
            self.note(buffer, "there are no rooms yet: /join NAME makes one")
            return
        self.note(buffer, f"{_counted(len(rooms), 'room')}; /join NAME enters one:")
        for room in sorted(rooms, key=lambda each: (-each.members, each.name.casefold())):
            self.note(buffer, _listed(room))

    # Conversations.

    def open_direct(self, nick: str, *, look: bool = True) -> Buffer:
        """The conversation with somebody, and what was said in it."""
        buffer = self.model.find(DIRECT, nick)
        if buffer is None:
            buffer = self.model.open(DIRECT, self.model.known(nick))
            self._keeping.give(buffer)
            self.run(self.load(buffer), buffer)
        if look:
            self.model.look_at(buffer)
        self.changed()
        return buffer

    async def _follow_directs(self) -> None:
        async for message in self.client.directs:
            partner = message.nick if message.nick != self.client.nick else message.to
            self.model.arrived(self.open_direct(partner, look=False), message)
            self.changed()

    # Histories.

    async def load(self, buffer: Buffer) -> None:
        """Reads a page of the history before what there is, however long it takes."""
        if buffer.loading or buffer.kind == STATUS:
            return
        buffer.loading, visit = True, buffer.visit
        self.changed()
        try:
            page = await self._page(buffer, buffer.before or None)
            if buffer.visit == visit:
                self.model.add_page(buffer, page.messages, page.first_id)
        except ClientError as error:
            self.failed(buffer, error)
        finally:
            if buffer.visit == visit:
                buffer.loading = False
            self.changed()

    async def _page(self, buffer: Buffer, before: str | None) -> Page:
        if buffer.kind == DIRECT:
            return await self.client.conversation_with(
                buffer.name, PAGE, before=before, timeout=inf
            )
        if buffer.room is None:
            return Page([], buffer.before, "")
        return await buffer.room.history(PAGE, before=before, timeout=inf)

    def fill(self) -> None:
        """There is room for more than there is: reads what was before, if anything, and once."""
        buffer = self.model.active
        if not buffer.loading and buffer.before != buffer.filled_before:
            buffer.filled_before = buffer.before
            self.load_older()

    def load_older(self) -> None:
        """Somebody looks at the beginning of what there is: reads what was before, if anything."""
        buffer = self.model.active
        if buffer.before and not buffer.loading:
            self.run(self.load(buffer), buffer)

    # What comes.

    def _told(self, told: Told) -> None:
        happenings.happen(self, told)
        self.changed()


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _messages(count: int) -> str:
    return "a message is" if count == 1 else f"{count} messages are"


def _listed(room: RoomInfo) -> str:
    private = ", private" if room.private else ""
    topic = f": {room.topic}" if room.topic else ""
    return f"  {room.name} ({room.members}{private}){topic}"
