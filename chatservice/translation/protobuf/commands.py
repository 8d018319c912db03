"""
The requests of chat.proto: one small function each, and the table of them. What somebody may do is
the controller's to say; here is only which request asks for it, and which answer says that it is
done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.message import Message as ProtobufMessage

from chatservice.controller.entities import Room, User
from chatservice.controller.errors import BadArguments, BadPassword, NickInUse, NoSuchUser
from chatservice.controller.events import DirectMessage, Event, Message
from chatservice.controller.log import Point
from chatservice.controller.policy import check_text
from chatservice.controller.session import Session
from chatservice.translation.worded import action

from . import chat_pb2 as pb
from .rendering import NONCE, message_of

if TYPE_CHECKING:
    from .dialect import ProtobufDialect

M = TypeVar("M", bound=ProtobufMessage)

_ITEMS_A_FRAME = 100
"""How many items of a list go into one frame at most."""

_BYTES_A_FRAME = 16_384
"""After so many bytes a list goes on in another frame."""

_NONCE_BYTES = 64

_CTCP = "\x01"


# Who one is.


async def _login(d: ProtobufDialect, r: pb.Login) -> None:
    session = d.wire.session
    try:
        user = await session.log_in(r.nick, r.password or None, r.realname)
    except NickInUse:
        if not (r.reclaim and r.password):
            raise
        user = await _take_back(session, r)
    _identity(d, user)


async def _take_back(session: Session, r: pb.Login) -> User:
    await session.authenticate(r.nick, r.password)
    try:
        # Whoever has the nick may be gone by now, or not be the account's, of which log_in will
        # complain.
        with suppress(NoSuchUser, BadPassword):
            await session.reclaim(r.nick)
        return await session.log_in(r.nick, None, r.realname)
    finally:
        if not session.key:
            session.proof = None  # it was shown for this nick alone


async def _register(d: ProtobufDialect, r: pb.Register) -> None:
    _identity(d, await d.wire.session.register(r.password))


async def _logout(d: ProtobufDialect, r: pb.Logout) -> None:
    await d.wire.session.log_out()
    d.answer(done=pb.Done())


async def _who_am_i(d: ProtobufDialect, r: pb.WhoAmI) -> None:
    _identity(d, d.wire.session.user)


def _identity(d: ProtobufDialect, user: User) -> None:
    ms = int(d.wire.session.now * 1000)
    d.answer(identity=pb.Identity(nick=user.nick, account=user.account_nick, ms=ms))


# Who and what there is.


async def _where_am_i(d: ProtobufDialect, r: pb.WhereAmI) -> None:
    await _answer_with_rooms(d, d.wire.session.user.rooms.values())


async def _list_rooms(d: ProtobufDialect, r: pb.ListRooms) -> None:
    await _answer_with_rooms(d, d.wire.session.rooms())


async def _answer_with_rooms(d: ProtobufDialect, rooms: Iterable[Room]) -> None:
    items = map(_room, list(rooms))
    await d.answer_with(pb.ServerFrame(room_list=pb.RoomList(rooms=some)) for some in _some(items))


def _room(room: Room) -> pb.Room:
    return pb.Room(
        name=room.name,
        private=room.private,
        members=len(room.members),
        topic=room.topic.text if room.topic else "",
    )


async def _list_users(d: ProtobufDialect, r: pb.ListUsers) -> None:
    session = d.wire.session
    users = session.members(session.room(r.room)) if r.room else session.users()
    items = (pb.User(nick=user.nick, account=user.account_nick, away=user.away) for user in users)
    await d.answer_with(pb.ServerFrame(user_list=pb.UserList(users=some)) for some in _some(items))


# Rooms.


async def _create_room(d: ProtobufDialect, r: pb.CreateRoom) -> None:
    event = await d.wire.session.create_room(r.room, private=r.private)
    _done(d, event, event.room)


async def _delete_room(d: ProtobufDialect, r: pb.DeleteRoom) -> None:
    event = await d.wire.session.delete_room(r.room)
    _done(d, event, event.room)


async def _join_room(d: ProtobufDialect, r: pb.JoinRoom) -> None:
    session = d.wire.session
    event = await (session.enter if r.create else session.join)(r.room, r.key)
    room = session.user.rooms.get(event.target)  # one may be put out by now
    private = room is not None and room.private
    d.answer(done=pb.Done(room=event.room, id=event.id, ms=event.ms, private=private))


async def _leave_room(d: ProtobufDialect, r: pb.LeaveRoom) -> None:
    event = await d.wire.session.leave(r.room)
    _done(d, event, event.room)


async def _set_visibility(d: ProtobufDialect, r: pb.SetVisibility) -> None:
    event = await d.wire.session.set_visibility(r.room, private=r.private)
    _done(d, event, event.room)


async def _invite(d: ProtobufDialect, r: pb.Invite) -> None:
    event = await d.wire.session.invite(r.room, r.nick)
    _done(d, event, event.room, event.guest_nick)


async def _kick(d: ProtobufDialect, r: pb.Kick) -> None:
    event = await d.wire.session.kick(r.room, r.nick, r.reason)
    _done(d, event, event.room, event.victim_nick)


async def _get_topic(d: ProtobufDialect, r: pb.GetTopic) -> None:
    room = d.wire.session.room(r.room)
    topic = room.topic
    if topic is None:
        d.answer(topic=pb.Topic(room=room.name))
    else:
        d.answer(topic=pb.Topic(room=room.name, text=topic.text, nick=topic.nick, ms=topic.ms))


async def _set_topic(d: ProtobufDialect, r: pb.SetTopic) -> None:
    event = await d.wire.session.set_topic(r.room, r.text)
    _done(d, event, event.room)


def _done(d: ProtobufDialect, event: Event, room: str, nick: str = "") -> None:
    d.answer(done=pb.Done(room=room, nick=nick, id=event.id, ms=event.ms))


# Talk.


def _say(d: ProtobufDialect, r: pb.Say) -> None:
    d.wire.session.say(r.room, _text(r), r.notice, _tags(d, r))


def _tell(d: ProtobufDialect, r: pb.Tell) -> None:
    d.wire.session.tell(r.nick, _text(r), r.notice, _tags(d, r))


def _text(r: pb.Say | pb.Tell) -> str:
    """
    The text, as it is kept: what IRC clients would take for a request of theirs to one another
    (CTCP) would not be told to anybody else.
    """
    if not r.action and not r.text.startswith(_CTCP):
        return r.text
    if _CTCP in r.text:
        raise BadArguments("an action holds no U+0001, and a text does not begin with it")
    if not r.text:
        raise BadArguments("there is nothing to say")
    return action(r.text)


def _tags(d: ProtobufDialect, r: pb.Say | pb.Tell) -> dict[str, str] | None:
    if not r.nonce:
        return None
    if len(r.nonce.encode()) > _NONCE_BYTES:
        raise BadArguments(f"a nonce is at most {_NONCE_BYTES} bytes long")
    return {NONCE: check_text(r.nonce, d.wire.session.policy)}


async def _history(d: ProtobufDialect, r: pb.History) -> None:
    session = d.wire.session
    limit = r.limit or session.policy.history_messages
    before, after = _point(r.before), _point(r.after)
    page = pb.HistoryPage()
    if r.WhichOneof("target") == "nick":
        page.nick, events = await session.conversation(
            r.nick, limit, before=before, after=after, oldest=r.oldest
        )
    else:
        room, events = await session.history(
            r.room, limit, before=before, after=after, oldest=r.oldest
        )
        page.room = room.name
    await d.answer_with(_pages(page, events))


def _pages(page: pb.HistoryPage, events: Sequence[Event]) -> Iterator[pb.ServerFrame]:
    if events:
        page.first_id, page.last_id = events[0].id, events[-1].id
    for some in _some(_messages(events, page.room)):
        frame = pb.ServerFrame(history_page=page)
        frame.history_page.messages.extend(some)
        yield frame


def _messages(events: Iterable[Event], room: str) -> Iterator[pb.Message]:
    for event in events:
        assert isinstance(event, (Message, DirectMessage))
        message = message_of(event)
        if message is not None:
            # A journal need not keep it: whoever reads a room's history knows it.
            message.room = room
            yield message


def _point(point: pb.Point) -> Point:
    return point.ms if point.WhichOneof("at") == "ms" else point.id


_END_OF_TIME = 2**62


async def _list_conversations(d: ProtobufDialect, r: pb.ListConversations) -> None:
    session = d.wire.session
    limit = r.limit or session.policy.history_messages
    found = await session.latest(r.after_ms, r.before_ms or _END_OF_TIME, limit)
    items = (_conversation(name, ms) for name, ms in found)
    await d.answer_with(
        pb.ServerFrame(conversation_list=pb.ConversationList(conversations=some))
        for some in _some(items)
    )


def _conversation(name: str, ms: int) -> pb.Conversation:
    if name.startswith("@"):
        return pb.Conversation(nick=name[1:], ms=ms)
    return pb.Conversation(room=name, ms=ms)


def _some(items: Iterable[M]) -> Iterator[list[M]]:
    """Frames' worths of items: at least one, which may be empty."""
    some: list[M] = []
    size = 0
    for item in items:
        if len(some) == _ITEMS_A_FRAME or size >= _BYTES_A_FRAME:
            yield some
            some, size = [], 0
        some.append(item)
        size += item.ByteSize()
    yield some


# The connection.


async def _ping(d: ProtobufDialect, r: pb.Ping) -> None:
    d.answer(pong=pb.Pong(token=r.token))


async def _pong(d: ProtobufDialect, r: pb.Pong) -> None:
    """It was a sign of life, whatever it says."""


async def _quit(d: ProtobufDialect, r: pb.Quit) -> None:
    d.answer(done=pb.Done())
    d.wire.close("goodbye")


SAYING: Mapping[str, Callable[[ProtobufDialect, Any], None]] = {"say": _say, "tell": _tell}
"""Requests that are answered when `Dialect.acknowledge` says what became of them."""

COMMANDS: Mapping[str, Callable[[ProtobufDialect, Any], Awaitable[None]]] = {
    "login": _login,
    "register": _register,
    "logout": _logout,
    "who_am_i": _who_am_i,
    "where_am_i": _where_am_i,
    "list_rooms": _list_rooms,
    "list_users": _list_users,
    "create_room": _create_room,
    "delete_room": _delete_room,
    "join_room": _join_room,
    "leave_room": _leave_room,
    "set_visibility": _set_visibility,
    "invite": _invite,
    "kick": _kick,
    "get_topic": _get_topic,
    "set_topic": _set_topic,
    "history": _history,
    "list_conversations": _list_conversations,
    "ping": _ping,
    "pong": _pong,
    "quit": _quit,
}
"""Every other request, by its field in `ClientFrame`."""
