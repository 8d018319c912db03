"""
The requests of the line protocol (docs/protocol.md, "Requests"): one small function each, and the
table of them. What somebody may do is the controller's to say; here is only which words ask for it,
and which words answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatservice.controller.errors import BadArguments, Unavailable, UnknownCommand
from chatservice.controller.events import DirectMessage, Event, Message
from chatservice.translation.interface import Running
from chatservice.translation.worded import spoken

from .rendering import visibility

if TYPE_CHECKING:
    from .dialect import LineDialect

_HISTORY_COUNT = 50

_COUNT = re.compile("[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Command:
    """
    A request.

    @ivar run: gets the dialect and the arguments.
    @ivar usage: how it is written.
    @ivar help: what it does, for people.
    @ivar least: how many arguments it needs.
    @ivar most: how many it takes; the last may hold colons.
    @ivar says: it says something, and is answered by `Dialect.acknowledge`.
    """

    name: str
    run: Callable[..., Running | None]
    usage: str
    help: str
    least: int = 0
    most: int = 0
    says: bool = False


# Who one is.


async def _login(d: LineDialect, nick: str, password: str | None = None) -> None:
    user = await d.wire.session.log_in(nick, password)
    d.answer("OK", "LOGIN", user.nick)


async def _register(d: LineDialect, password: str) -> None:
    user = await d.wire.session.register(password)
    d.answer("OK", "REGISTER", user.nick)


async def _logout(d: LineDialect, nick: str | None = None) -> None:
    session = d.wire.session
    user = session.user
    if nick and not session.is_me(nick):
        raise BadArguments(f"you are {user.nick}")
    await session.log_out()
    d.answer("OK", "LOGOUT", user.nick)


def _whoami(d: LineDialect) -> None:
    d.answer("OK", "WHOAMI", d.wire.session.user.nick)


def _whereami(d: LineDialect) -> None:
    d.answer("OK", "WHEREAMI", *(room.name for room in d.wire.session.user.rooms.values()))


# Who and what there is.


async def _listroom(d: LineDialect) -> None:
    rooms = d.wire.session.rooms()
    items = (("LISTROOM", room.name, visibility(room.private), len(room.members)) for room in rooms)
    await d.answer_with(items, "OK", "LISTROOM")


async def _listusers(d: LineDialect, room_name: str | None = None) -> None:
    session = d.wire.session
    if room_name is None:
        items = (("LISTUSERS", user.nick) for user in session.users())
        await d.answer_with(items, "OK", "LISTUSERS")
        return
    room = session.room(room_name)
    items = (("LISTUSERS", user.nick) for user in session.members(room))
    await d.answer_with(items, "OK", "LISTUSERS", room.name)


# Rooms.


async def _newroom(d: LineDialect, room_name: str, kind: str = "public") -> None:
    if kind.lower() not in ("public", "private"):
        raise BadArguments("a room is public or private")
    room = await d.wire.session.create_room(room_name, private=kind.lower() == "private")
    d.answer("OK", "NEWROOM", room.room)


async def _delroom(d: LineDialect, room_name: str) -> None:
    room = await d.wire.session.delete_room(room_name)
    d.answer("OK", "DELROOM", room.room)


async def _joinroom(d: LineDialect, room_name: str, key: str = "") -> None:
    room = await d.wire.session.join(room_name, key)
    d.answer("OK", "JOINROOM", room.room)


async def _exitroom(d: LineDialect, room_name: str) -> None:
    room = await d.wire.session.leave(room_name)
    d.answer("OK", "EXITROOM", room.room)


async def _setpublic(d: LineDialect, room_name: str) -> None:
    room = await d.wire.session.set_visibility(room_name, private=False)
    d.answer("OK", "SETPUBLIC", room.room)


async def _setprivate(d: LineDialect, room_name: str) -> None:
    room = await d.wire.session.set_visibility(room_name, private=True)
    d.answer("OK", "SETPRIVATE", room.room)


async def _inviteroom(d: LineDialect, room_name: str, nick: str) -> None:
    invited = await d.wire.session.invite(room_name, nick)
    d.answer("OK", "INVITEROOM", invited.room, invited.guest_nick)


async def _kickroom(d: LineDialect, room_name: str, nick: str) -> None:
    kicked = await d.wire.session.kick(room_name, nick)
    d.answer("OK", "KICKROOM", kicked.room, kicked.victim_nick)


async def _topic(d: LineDialect, room_name: str, text: str | None = None) -> None:
    if text is None:
        room = d.wire.session.room(room_name)
        d.answer("OK", "TOPIC", room.name, room.topic.text if room.topic else "")
        return
    changed = await d.wire.session.set_topic(room_name, text)
    d.answer("OK", "TOPIC", changed.room, changed.text)


# Talk.


def _room(d: LineDialect, room_name: str, text: str) -> None:
    d.wire.session.say(room_name, text)


def _say(d: LineDialect, nick: str, text: str) -> None:
    d.wire.session.tell(nick, text)


async def _history(d: LineDialect, whose: str, count: str = str(_HISTORY_COUNT)) -> None:
    if not _COUNT.fullmatch(count):
        raise BadArguments("the count is a whole number from 1 to 999999999")
    if whose.startswith("@"):
        nick, events = await d.wire.session.conversation(whose[1:], int(count))
        where = f"@{nick}"
    else:
        room, events = await d.wire.session.history(whose, int(count))
        where = room.name
    await d.answer_with(_history_items(where, events), "OK", "HISTORY", where)


def _history_items(where: str, events: list[Event]) -> Iterator[tuple[object, ...]]:
    for event in events:
        assert isinstance(event, (Message, DirectMessage))
        if text := spoken(event):
            yield "HISTORY", event.ms, event.id, where, event.nick, text


# The connection.


def _protobuf(d: LineDialect, version: str) -> None:
    if version != "1":
        raise BadArguments("the version is 1")
    if not d.wire.can_speak("protobuf"):
        raise Unavailable("protobuf is not installed on this server")
    # The answer comes first: the new dialect may write as it begins.
    d.answer("OK", "PROTOBUF", version)
    d.wire.speak("protobuf")


def _ping(d: LineDialect, token: str = "") -> None:
    d.answer("OK", "PING", token)


def _pong(d: LineDialect, token: str = "") -> None:
    d.answer("OK", "PONG", token)


async def _help(d: LineDialect, name: str | None = None) -> None:
    if name is None:
        shown = list(TABLE)
    else:
        command = COMMANDS.get(name.encode().upper())
        if command is None:
            raise UnknownCommand()
        shown = [command]
    items = (("HELP", command.usage, command.help) for command in shown)
    await d.answer_with(items, "OK", "HELP")


def _quit(d: LineDialect) -> None:
    d.answer("OK", "QUIT")
    d.wire.close("goodbye")


TABLE = (
    Command("LOGIN", _login, "LOGIN:nick[:password]", "take a nick", 1, 2),
    Command("REGISTER", _register, "REGISTER:password", "make your nick an account", 1, 1),
    Command("LOGOUT", _logout, "LOGOUT:[nick]", "give the nick up and leave every room", 0, 1),
    Command("WHOAMI", _whoami, "WHOAMI:", "your nick"),
    Command("WHEREAMI", _whereami, "WHEREAMI:", "the rooms you are in"),
    Command("LISTROOM", _listroom, "LISTROOM:", "the rooms you may see"),
    Command("LISTUSERS", _listusers, "LISTUSERS:[room]", "who is here, or in a room", 0, 1),
    Command("NEWROOM", _newroom, "NEWROOM:room[:public|private]", "make a room", 1, 2),
    Command("DELROOM", _delroom, "DELROOM:room", "remove a room of yours", 1, 1),
    Command("JOINROOM", _joinroom, "JOINROOM:room[:key]", "enter a room", 1, 2),
    Command("EXITROOM", _exitroom, "EXITROOM:room", "leave a room", 1, 1),
    Command("SETPUBLIC", _setpublic, "SETPUBLIC:room", "let everybody into a room of yours", 1, 1),
    Command("SETPRIVATE", _setprivate, "SETPRIVATE:room", "let only the invited in", 1, 1),
    Command("INVITEROOM", _inviteroom, "INVITEROOM:room:nick", "invite somebody", 2, 2),
    Command("KICKROOM", _kickroom, "KICKROOM:room:nick", "put somebody out of a room", 2, 2),
    Command("TOPIC", _topic, "TOPIC:room[:text]", "read or set a room's topic", 1, 2),
    Command("ROOM", _room, "ROOM:room:message", "say something to a room", 2, 2, says=True),
    Command("SAY", _say, "SAY:nick:message", "say something to one user", 2, 2, says=True),
    Command("HISTORY", _history, "HISTORY:room|@nick[:count]", "what was said last", 1, 2),
    Command("PROTOBUF", _protobuf, "PROTOBUF:1", "speak protobuf from here on", 1, 1),
    Command("PING", _ping, "PING:[token]", "is the server there", 0, 1),
    Command("PONG", _pong, "PONG:[token]", "answers the server's PING, as any line does", 0, 1),
    Command("HELP", _help, "HELP:[command]", "this list", 0, 1),
    Command("QUIT", _quit, "QUIT:", "end the connection (also !exit)"),
)

COMMANDS: dict[bytes, Command] = {command.name.encode(): command for command in TABLE}
COMMANDS[b"!EXIT"] = COMMANDS[b"QUIT"]
