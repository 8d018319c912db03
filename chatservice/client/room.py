"""
A room that one is in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from chatservice.translation.protobuf import chat_pb2 as pb

from . import decoding
from .errors import ClientError, Refused
from .events import Message, Page, Stored, Topic, User
from .stream import Stream

if TYPE_CHECKING:
    from .client import Client

Point = str | int
"""A place in a history: an id, or a moment in milliseconds since 1970-01-01 UTC."""


def point(at: Point | None) -> pb.Point | None:
    """It, as a request has it."""
    if at is None:
        return None
    return pb.Point(ms=at) if isinstance(at, int) else pb.Point(id=at)


class Room:
    """
    Made by `Client.join`. `async for message in room` gives what is said in it from then on, one's
    own words too: every message once, in order, whatever happens to the connection. It ends when
    one is not in the room any more. To be read by one `async for` at a time.

    Each request raises `errors.Refused`, `errors.TimedOut` or `errors.ConnectionGone`; each takes
    the seconds that it may last (None: as many as the client says).

    @ivar name: as its owner writes it.
    @ivar key: the word that it was entered with.
    @ivar create: it is made again, if it is gone when one comes back after a lost connection: it
        was to be made, and is public.
    @ivar joined: the id of one's own joining: a place in the history, where the stream begins.
    @ivar ended: why one is not in it any more, for people; empty while one is.
    """

    def __init__(
        self, client: Client, name: str, key: str, create: bool, joined: str, queued: int
    ) -> None:
        self.client = client
        self.name = name
        self.key = key
        self.create = create
        self.joined = self._place = joined
        self.ended = ""
        self.stream = Stream(self, queued)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.name}>"

    def __aiter__(self) -> AsyncIterator[Message]:
        return self.stream

    # What the stream asks of the history behind it (`stream.Source`).

    def passed(self, message: Message) -> None:
        self._place = message.id

    async def read(self) -> list[Message] | None:
        if self.ended:
            return None
        asked = pb.History(room=self.name, after=pb.Point(id=self._place), oldest=True)
        page = await self.client.page(asked)
        if not page.last_id:
            return None
        self._place = page.last_id
        return page.messages

    def end(self, why: str, error: ClientError | None = None) -> None:
        """One is not in the room any more."""
        self.ended = why
        self.stream.end(error)

    # Requests.

    async def say(
        self,
        text: str,
        *,
        notice: bool = False,
        action: bool = False,
        timeout: float | None = None,
    ) -> Stored:
        """
        Says something; returns once it is stored. If the connection is lost meanwhile, it is said
        on the next one, unless it is found to be stored. The order is kept for those who wait for
        one before they say the next.

        @param notice: it expects no answer; programs do not react to it.
        @param action: it is what one does ("waves").
        @raise errors.TimedOut: it is not known to be stored in time; it may be, all the same.
        """
        said = pb.Say(room=self.name, text=text, notice=notice, action=action)
        return await self.client.post(said, timeout)

    async def leave(self, *, timeout: float | None = None) -> None:
        """Leaves the room."""
        try:
            await self.client.call(timeout, leave_room=pb.LeaveRoom(room=self.name))
        except Refused as refused:
            if refused.code != "NOT_IN_ROOM":
                raise
        self.client.forget(self, "left")

    async def members(self, *, timeout: float | None = None) -> list[User]:
        """Who is in it."""
        answer = await self.client.call(timeout, list_users=pb.ListUsers(room=self.name))
        return [decoding.user(each) for each in answer.user_list.users]

    async def topic(self, *, timeout: float | None = None) -> Topic:
        """Its topic."""
        answer = await self.client.call(timeout, get_topic=pb.GetTopic(room=self.name))
        return Topic(answer.topic.text, answer.topic.nick, answer.topic.ms)

    async def set_topic(self, text: str, *, timeout: float | None = None) -> None:
        """Sets its topic; an empty one clears it."""
        await self.client.call(timeout, set_topic=pb.SetTopic(room=self.name, text=text))

    async def invite(self, nick: str, *, timeout: float | None = None) -> None:
        """Lets somebody in."""
        asked = pb.Invite(room=self.name, nick=nick)
        await self.client.call(timeout, again=False, invite=asked)

    async def kick(self, nick: str, reason: str = "", *, timeout: float | None = None) -> None:
        """Puts a member out."""
        asked = pb.Kick(room=self.name, nick=nick, reason=reason)
        await self.client.call(timeout, again=False, kick=asked)

    async def set_private(self, private: bool, *, timeout: float | None = None) -> None:
        """Makes it private, or public."""
        asked = pb.SetVisibility(room=self.name, private=private)
        await self.client.call(timeout, set_visibility=asked)

    async def history(
        self,
        limit: int = 50,
        *,
        before: Point | None = None,
        after: Point | None = None,
        oldest: bool = False,
        timeout: float | None = None,
    ) -> Page:
        """
        What was said in it between two points, neither included: the last of it, or with `oldest`
        the first.

        @param limit: how many messages at most; 0 for as many as the server gives.
        """
        asked = pb.History(
            room=self.name, limit=limit, before=point(before), after=point(after), oldest=oldest
        )
        answer = await self.client.call(timeout, history=asked)
        return decoding.page(answer.history_page)
