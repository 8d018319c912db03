"""
One user of a chat server, for as long as a program wants to be that user: it connects, connects
again when the connection is lost, logs in and enters its rooms again, and says what was left
unsaid. What is missed meanwhile, the streams fetch (`stream`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import inf
from types import MappingProxyType, TracebackType
from typing import Any, TypeVar

from twisted.internet.defer import maybeDeferred
from twisted.python.failure import Failure

from chatservice.translation.protobuf import chat_pb2 as pb

from . import decoding
from .directs import Directs
from .endpoints import parse
from .errors import ClientError, ConnectionGone, Refused, TimedOut
from .events import (
    Conversation,
    Event,
    Identity,
    Kicked,
    Killed,
    Message,
    NickChanged,
    Page,
    RoomDeleted,
    RoomInfo,
    RoomLost,
    Stored,
    User,
    VisibilityChanged,
)
from .link import Link, RetryPolicy
from .outbox import Outbox
from .protocol import ChatClientProtocol
from .room import Point, Room, point
from .stream import QUEUED, Stream
from .trust import Authorities, Trust

C = TypeVar("C", bound="Client")

_HOPELESS = frozenset(("BAD_PASSWORD", "BAD_NICK", "NEEDS_ACCOUNT"))
"""Codes of a log-in that will not do better next time."""


class Client(Link):
    """
    A `MultiService`: `startService` connects, `stopService` (or `close`) ends it. Or:

        async with Client("tls:chat.example:6667") as client:
            await client.login("alice", "password")

    Every request waits until there is a connection, and raises `errors.Refused`,
    `errors.TimedOut` or `errors.ConnectionGone`; or, when the client has given up, what made it do
    so: `trust.Untrusted`, or that somebody else has logged in with one's password. Each takes the
    seconds that it may last, `timeout`: None for as many as the client says, `math.inf` for ever.

    @param server: an endpoint: `tls:host:port`, `tcp:host:port` or `unix:path` (`endpoints.parse`).
    @param trust: which certificates are trusted; None for those that the system's authorities
        vouch for.
    @param timeout: seconds that a request may last.
    @param retry: when to connect again; None for longer and longer pauses, 30 seconds at most, of
        random length.
    @param insecure: allow a connection to another machine that is not encrypted.
    @param keepalive: seconds of silence after which the server is asked for a sign of life.
    @param queued: how many messages of a room (or direct ones) wait for a program that is slow to
        read them; what comes then is let go, and is fetched when it is wanted.
    @param reactor: None for the one that runs.

    @ivar nick: who one is; empty before one is logged in.
    @ivar account: the account that one is logged in to; empty for a guest.
    @ivar joined: the rooms that one is in, by name.
    @ivar directs: what is said to one; see `directs.Directs`.
    @ivar failure: why the client has given up; None while it has not.
    """

    def __init__(
        self,
        server: str,
        *,
        trust: Trust | None = None,
        timeout: float = 30.0,
        retry: RetryPolicy | None = None,
        insecure: bool = False,
        keepalive: float = 60.0,
        queued: int = QUEUED,
        reactor: Any = None,
    ) -> None:
        if reactor is None:
            # Importing it installs one: not before a program has had its choice.
            from twisted.internet import reactor as running  # noqa: PLC0415

            reactor = running
        place = parse(reactor, server, trust or Authorities(), timeout, insecure)
        super().__init__(place, reactor, timeout, retry, keepalive)
        self._outbox = Outbox()
        self._rooms: dict[str, Room] = {}
        self._credentials: pb.Login | None = None
        self._latest = 0
        self._queued = queued
        self.nick = ""
        self.account = ""
        self.joined: Mapping[str, Room] = MappingProxyType(self._rooms)
        self.directs = Directs(self, queued)

    async def __aenter__(self: C) -> C:
        self.startService()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Takes leave of the server, and ends the client."""
        await maybeDeferred(self.stopService)

    # What becomes of the connection (`link.Link`).

    async def resume(self, protocol: ChatClientProtocol) -> None:
        """A connection: makes everything as it was on the last one."""
        if self._credentials is None:
            return
        self._is(await self.ask(protocol, login=self._credentials))
        for room in list(self._rooms.values()):
            await self._enter_again(protocol, room)
        await self._outbox.resume(partial(self.ask, protocol), not self.account)

    async def _enter_again(self, protocol: ChatClientProtocol, room: Room) -> None:
        try:
            asked = pb.JoinRoom(room=room.name, key=room.key, create=room.create)
            await self.ask(protocol, join_room=asked)
        except Refused as refused:
            if refused.code == "UNAVAILABLE":
                raise
            if refused.code != "ALREADY_IN_ROOM":
                self.forget(room, str(refused))
                self._tell(RoomLost(room.name, refused.code, str(refused)))

    def resumed(self) -> None:
        for stream in self._streams():
            stream.resumed()

    def interrupted(self) -> None:
        for stream in self._streams():
            stream.interrupted()

    def hopeless(self, error: ClientError) -> bool:
        refused = isinstance(error, Refused) and error.code in _HOPELESS
        return refused or super().hopeless(error)

    def given_up(self, error: ClientError, closed: bool) -> None:
        for_streams = None if closed else error
        self._outbox.fail(error)
        for room in list(self._rooms.values()):
            room.end(str(error), for_streams)
        self._rooms.clear()
        self.directs.stream.end(for_streams)

    def _streams(self) -> list[Stream]:
        return [self.directs.stream, *(room.stream for room in self._rooms.values())]

    # What comes from the connection (`protocol.Listener`).

    def said(self, message: Message) -> None:
        self._latest = message.ms
        if not message.room:
            self.directs.stream.arrived(message)
            return
        room = self._rooms.get(message.room)
        if room is not None:
            room.stream.arrived(message)

    def happened(self, event: Event) -> None:
        self._latest = event.ms
        if isinstance(event, NickChanged) and event.nick == self.nick:
            self._renamed(event.new_nick)
        elif isinstance(event, VisibilityChanged):
            self._shown(event)
        elif isinstance(event, RoomDeleted):
            self._put_out(event.room, f"{event.by} has removed the room")
        elif isinstance(event, Kicked) and event.nick == self.nick:
            self._put_out(event.room, _put_out_by(event))
        self._tell(event)
        if isinstance(event, Killed) and event.reclaimed:
            self.give_up(Refused("NICK_IN_USE", "somebody has logged in with your password"))

    def _shown(self, event: VisibilityChanged) -> None:
        room = self._rooms.get(event.room)
        if room is not None and event.private:
            room.create = False

    def _renamed(self, nick: str) -> None:
        self.nick = nick
        if self._credentials is not None:
            self._credentials.nick = nick

    def _put_out(self, room_name: str, why: str) -> None:
        room = self._rooms.get(room_name)
        if room is not None:
            self.forget(room, why)

    # Requests.

    async def insist(self, **content: Any) -> pb.ServerFrame | None:
        """As `call`, however long it takes; None if it is refused for good: for streams."""
        while True:
            try:
                return await self.call(inf, **content)
            except Refused as refused:
                if refused is self.failure:
                    raise
                if refused.code != "UNAVAILABLE":
                    return None  # one is put out, and will be told so
                await self.pause()

    async def page(self, asked: pb.History) -> Page:
        """A page of a history, as `insist` gets it; an empty one if it is refused."""
        answer = await self.insist(history=asked)
        return Page([], "", "") if answer is None else decoding.page(answer.history_page)

    async def post(self, said: pb.Say | pb.Tell, timeout: float | None) -> Stored:
        """Says something; see `Room.say`."""
        deadline = self._deadline(timeout)
        while True:
            if gone := self._gone():
                raise gone
            saying = self._outbox.put(said, self._latest)
            left = max(deadline - self._clock.seconds(), 0.0)
            if left < inf:
                saying.stored.addTimeout(left, self._clock, onTimeoutCancel=_not_stored)
            if self._connection is not None:
                self._outbox.send(self._connection, saying)
            try:
                stored = await saying.stored
            except Refused as refused:
                if refused.code != "TOO_FAST" or self.too_late(deadline):
                    raise
                await self.pause()
            else:
                self._latest = max(self._latest, stored.ms)
                return stored

    async def login(
        self,
        nick: str,
        password: str = "",
        *,
        realname: str = "",
        reclaim: bool = False,
        timeout: float | None = None,
    ) -> Identity:
        """
        Takes a nick, now and on every later connection.

        @param password: the account's; empty for a guest.
        @param realname: who one is in other words; may be empty.
        @param reclaim: with a password: close the connection that has the nick, if there is one. (A
            connection of this client's own that was lost is always closed so.)
        """
        asked = pb.Login(nick=nick, password=password, realname=realname, reclaim=reclaim)
        try:
            identity = self._is(await self.call(timeout, login=asked))
        except TimedOut as late:
            # It may be granted yet, and then nobody could log in on this connection.
            if self._connection is not None:
                self._connection.leave(ConnectionGone(str(late)))
            raise
        self.directs.begin(self._latest)
        asked.nick, asked.reclaim = identity.nick, True
        self._credentials = asked
        return identity

    def _is(self, answer: pb.ServerFrame) -> Identity:
        """One is logged in."""
        identity = answer.identity
        self.nick, self.account = identity.nick, identity.account
        self._latest = max(self._latest, identity.ms)
        return Identity(identity.nick, identity.account)

    async def register(self, password: str, *, timeout: float | None = None) -> Identity:
        """Makes the nick of a guest an account."""
        answer = await self.call(timeout, again=False, register=pb.Register(password=password))
        if self._credentials is not None:
            self._credentials.password = password
        self.account = answer.identity.account
        return Identity(answer.identity.nick, answer.identity.account)

    async def logout(self, *, timeout: float | None = None) -> None:
        """Gives the nick up, and leaves every room."""
        await self.call(timeout, logout=pb.Logout())
        self._credentials = None
        self.nick = self.account = ""
        for room in list(self._rooms.values()):
            self.forget(room, "logged out")

    async def join(
        self, name: str, key: str = "", *, create: bool = False, timeout: float | None = None
    ) -> Room:
        """
        Enters a room, now and on every later connection. A room that one is in already is given as
        it is.

        @param key: the word that some rooms ask for.
        @param create: make it, public, if there is none of that name; later, too, if it is gone
            when one comes back (and it was not private).
        """
        asked = pb.JoinRoom(room=name, key=key, create=create)
        try:
            answer = await self.call(timeout, join_room=asked)
        except Refused as refused:
            if refused.code != "ALREADY_IN_ROOM":
                raise
            topic = await self.call(timeout, get_topic=pb.GetTopic(room=name))
            if inside := self._rooms.get(topic.topic.room):
                return inside
            # An answer did not come in time: nobody knows since when one is inside.
            await self.call(timeout, leave_room=pb.LeaveRoom(room=name))
            answer = await self.call(timeout, join_room=asked)
        done = answer.done
        room = self._rooms.get(done.room)
        if room is None:
            # Made again, a private room would be a public one.
            create = create and not done.private
            room = Room(self, done.room, key, create, done.id, self._queued)
            self._rooms[done.room] = room
        return room

    def forget(self, room: Room, why: str) -> None:
        """One is not in a room any more."""
        if self._rooms.get(room.name) is room:
            del self._rooms[room.name]
            room.end(why)

    async def create_room(
        self, name: str, *, private: bool = False, timeout: float | None = None
    ) -> str:
        """Makes a room, and does not join it; returns its name."""
        asked = pb.CreateRoom(room=name, private=private)
        answer = await self.call(timeout, again=False, create_room=asked)
        return answer.done.room

    async def delete_room(self, name: str, *, timeout: float | None = None) -> None:
        """Removes a room that one owns."""
        asked = pb.DeleteRoom(room=name)
        await self.call(timeout, again=False, delete_room=asked)

    async def list_rooms(self, *, timeout: float | None = None) -> list[RoomInfo]:
        """The rooms that one may see."""
        answer = await self.call(timeout, list_rooms=pb.ListRooms())
        return [decoding.room_info(each) for each in answer.room_list.rooms]

    async def list_users(self, *, timeout: float | None = None) -> list[User]:
        """Everybody who is logged in."""
        answer = await self.call(timeout, list_users=pb.ListUsers())
        return [decoding.user(each) for each in answer.user_list.users]

    async def tell(
        self,
        nick: str,
        text: str,
        *,
        notice: bool = False,
        action: bool = False,
        timeout: float | None = None,
    ) -> Stored:
        """
        Says something to one user; as `Room.say`. But a guest's conversations end with the
        connection: what a guest was just telling when it was lost may be stored or not.

        @raise errors.ConnectionGone: one is a guest, and that has happened.
        """
        return await self.post(pb.Tell(nick=nick, text=text, notice=notice, action=action), timeout)

    async def conversations(
        self, after_ms: int = 0, *, timeout: float | None = None
    ) -> list[Conversation]:
        """
        The rooms that one is in and the users one has written with, in which something was said
        after a moment (milliseconds since 1970-01-01 UTC); the earliest first.
        """
        asked = pb.ListConversations(after_ms=max(after_ms, 0))
        answer = await self.call(timeout, list_conversations=asked)
        return [decoding.conversation(each) for each in answer.conversation_list.conversations]

    async def conversation_with(
        self,
        nick: str,
        limit: int = 50,
        *,
        before: Point | None = None,
        after: Point | None = None,
        oldest: bool = False,
        timeout: float | None = None,
    ) -> Page:
        """What one and another user said to each other; as `Room.history`."""
        asked = pb.History(
            nick=nick, limit=limit, before=point(before), after=point(after), oldest=oldest
        )
        answer = await self.call(timeout, history=asked)
        return decoding.page(answer.history_page)


def _put_out_by(event: Kicked) -> str:
    why = f": {event.reason}" if event.reason else ""
    return f"{event.by} has put you out{why}"


def _not_stored(_: object, seconds: float) -> Failure:
    return Failure(TimedOut(f"it is not known to be stored after {seconds:.3g} seconds"))
