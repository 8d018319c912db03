"""
The original dialect (docs/protocol.md, "The original dialect"): what the Erlang service spoke.
There are no line endings: what one read brings is one request, and all that the server says begins
with `<h>`. So an answer is one piece, and `<h>` stands nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from twisted.plugin import IPlugin
from zope.interface import implementer

from chatservice.controller.errors import (
    BadArguments,
    ChatError,
    LineTooLong,
    NotUtf8,
    UnknownCommand,
)
from chatservice.controller.events import (
    DirectMessage,
    Event,
    Invited,
    Joined,
    Kicked,
    Left,
    Message,
    ModesChanged,
    NickChanged,
    RankedMessage,
    RoomDeleted,
    RoomEvent,
    TopicChanged,
    Transferred,
    VisibilityChanged,
)

from .interface import BY_READS, Dialect, IDialect, Running, Wire
from .worded import Worded, Words, new_visibility, spoken

_MARK = "<h>"

_SHOWN = 200
"""Names in an answer: a longer one would have to be sent in pieces, and has no way to say so."""


def _mark(words: str) -> bytes:
    return (_MARK + words.replace(_MARK, "< h>")).encode()


def _kind(private: bool) -> str:
    return "private" if private else "public"


def _names(names: Iterable[str], count: int) -> str:
    shown = ", ".join(islice(names, _SHOWN))
    return f"{shown} and {count - _SHOWN} more" if count > _SHOWN else shown


# What others do.


def _said(event: Message | RankedMessage) -> str:
    text = spoken(event)
    return f"room:[{event.room}]@{event.nick}: {text}" if text else ""


def _direct(event: DirectMessage) -> str:
    text = spoken(event)
    return f"direct@{event.nick}: {text}" if text else ""


def _visibility(event: RoomEvent, private: bool) -> str:
    return f"{event.nick} has made room [{event.room}] {_kind(private)}."


def _modes_changed(event: ModesChanged) -> str:
    private = new_visibility(event)
    return "" if private is None else _visibility(event, private)


_WORDS: Words = {
    Message: _said,
    RankedMessage: _said,
    DirectMessage: _direct,
    NickChanged: lambda e: f"{e.nick} is called {e.new_nick} now.",
    Joined: lambda e: f"{e.nick} has joined room [{e.room}].",
    Left: lambda e: f"{e.nick} has left room [{e.room}].",
    Kicked: lambda e: f"{e.nick} has put {e.victim_nick} out of room [{e.room}].",
    Invited: lambda e: f"{e.nick} has invited you to room [{e.room}].",
    RoomDeleted: lambda e: f"{e.nick} has removed room [{e.room}].",
    VisibilityChanged: lambda e: _visibility(e, e.private),
    ModesChanged: _modes_changed,
    Transferred: lambda e: f"{e.nick} has given room [{e.room}] to {e.heir_nick}.",
    TopicChanged: lambda e: f"{e.nick} has set the topic of room [{e.room}]: {e.text}",
}

MARKED = Worded("original", _WORDS, frame=_mark)
"""The one variant of the original dialect."""


class OriginalDialect(Dialect):
    """One client that speaks the original dialect."""

    __slots__ = ()

    variant = MARKED

    def answer(self, words: str) -> None:
        """Sends an answer."""
        self.wire.write(_mark(words))

    def _refuse(self, error: ChatError) -> None:
        self.answer(f"Error: {error}.")

    def begin(self) -> None:
        self.answer("Server ready.")

    def receive(self, data: bytes) -> Running | None:
        # A person's terminal adds the ending that programs leave out.
        request = data.rstrip(b"\r\n")
        return self._run(request) if request else None

    async def _run(self, request: bytes) -> None:
        try:
            self.wire.session.spend()
            if len(request) > self.wire.line_bytes:
                raise LineTooLong()
            name, _, rest = _text(request).partition(":")
            command = COMMANDS.get(name.upper())
            if command is None:
                raise UnknownCommand(f"there is no such command; there are {', '.join(COMMANDS)}")
            await command.run(self, *_arguments(command, rest))
        except ChatError as error:
            self._refuse(error)

    def acknowledge(self, event: Event, error: ChatError | None) -> None:
        if error is not None:
            self._refuse(error)
        elif isinstance(event, DirectMessage):
            self.answer(f"Said to {event.to_nick}.")
        elif isinstance(event, Message) and not spoken(event):
            self.answer(f"Said in room [{event.room}].")
        # What else was said to a room has come back as everybody got it.

    def ping(self, token: str) -> None:
        self.answer("Are you still there? Say something.")

    def farewell(self, reason: str) -> None:
        self.answer(f"Goodbye: {reason}.")


def _text(request: bytes) -> str:
    """
    @raise NotUtf8: it is not UTF-8.
    """
    try:
        return request.decode()
    except UnicodeDecodeError:
        raise NotUtf8("that is not UTF-8") from None


# Requests.


@dataclass(frozen=True, slots=True)
class Command:
    """
    A request.

    @ivar usage: how it is written.
    @ivar least: how many arguments it needs.
    @ivar most: how many it takes; the last may hold colons.
    """

    run: Callable[..., Coroutine[Any, Any, None]]
    usage: str
    least: int = 0
    most: int = 0


def _arguments(command: Command, rest: str) -> list[str]:
    """
    @raise BadArguments: there are too few or too many.
    """
    arguments = rest.split(":", command.most - 1) if rest and command.most else []
    if len(arguments) < command.least or (rest and not command.most):
        raise BadArguments(f"it is {command.usage}")
    return arguments


async def _login(d: OriginalDialect, nick: str, password: str | None = None) -> None:
    user = await d.wire.session.log_in(nick, password)
    d.answer(f"You are {user.nick} now.")


async def _logout(d: OriginalDialect, nick: str | None = None) -> None:
    session = d.wire.session
    user = session.user
    if nick and not session.is_me(nick):
        raise BadArguments(f"you are {user.nick}")
    await session.log_out()
    d.answer(f"You are not {user.nick} any more.")


async def _whoami(d: OriginalDialect) -> None:
    d.answer(f"You are {d.wire.session.user.nick}.")


async def _whereami(d: OriginalDialect) -> None:
    rooms = d.wire.session.user.rooms
    names = _names((f"[{room.name}]" for room in rooms.values()), len(rooms))
    d.answer(f"You are in {names}." if rooms else "You are in no room.")


async def _listroom(d: OriginalDialect) -> None:
    rooms = d.wire.session.rooms()
    names = (f"[{r.name}] ({_kind(r.private)}, {len(r.members)} inside)" for r in rooms)
    d.answer(f"Rooms: {_names(names, len(rooms))}." if rooms else "There are no rooms.")


async def _listusers(d: OriginalDialect, room_name: str | None = None) -> None:
    session = d.wire.session
    if room_name is None:
        users = session.users()
        d.answer(f"Logged in: {_names((user.nick for user in users), len(users))}.")
    else:
        _show_members(d, room_name)


def _show_members(d: OriginalDialect, room_name: str) -> None:
    room = d.wire.session.room(room_name)
    members = d.wire.session.members(room)
    names = _names((user.nick for user in members), len(members))
    d.answer(f"In room [{room.name}]: {names or 'nobody'}.")


async def _newroom(d: OriginalDialect, room_name: str) -> None:
    made = await d.wire.session.create_room(room_name)
    d.answer(f"Room [{made.room}] is there now, and is yours.")


async def _delroom(d: OriginalDialect, room_name: str) -> None:
    gone = await d.wire.session.delete_room(room_name)
    d.answer(f"Room [{gone.room}] is gone.")


async def _joinroom(d: OriginalDialect, room_name: str) -> None:
    joined = await d.wire.session.join(room_name)
    _show_members(d, joined.room)


async def _exitroom(d: OriginalDialect, room_name: str) -> None:
    left = await d.wire.session.leave(room_name)
    d.answer(f"You are not in room [{left.room}] any more.")


async def _setpublic(d: OriginalDialect, room_name: str) -> None:
    changed = await d.wire.session.set_visibility(room_name, private=False)
    d.answer(f"Room [{changed.room}] is public now.")


async def _setprivate(d: OriginalDialect, room_name: str) -> None:
    changed = await d.wire.session.set_visibility(room_name, private=True)
    d.answer(f"Room [{changed.room}] is private now.")


async def _inviteroom(d: OriginalDialect, room_name: str, nick: str) -> None:
    invited = await d.wire.session.bring_in(room_name, nick)
    d.answer(f"{invited.guest_nick} is in room [{invited.room}] now.")


async def _room(d: OriginalDialect, room_name: str, text: str) -> None:
    d.wire.session.say(room_name, text)
    await d.wire.session.settled()


async def _say(d: OriginalDialect, nick: str, text: str) -> None:
    d.wire.session.tell(nick, text)
    await d.wire.session.settled()


async def _exit(d: OriginalDialect) -> None:
    d.wire.close("come again")


COMMANDS = {
    "LOGIN": Command(_login, "LOGIN:nick[:password]", 1, 2),
    "LOGOUT": Command(_logout, "LOGOUT:[nick]", 0, 1),
    "WHOAMI": Command(_whoami, "WHOAMI:"),
    "WHEREAMI": Command(_whereami, "WHEREAMI:"),
    "SAY": Command(_say, "SAY:nick:message", 2, 2),
    "LISTROOM": Command(_listroom, "LISTROOM:"),
    "LISTUSERS": Command(_listusers, "LISTUSERS:[room]", 0, 1),
    "NEWROOM": Command(_newroom, "NEWROOM:room", 1, 1),
    "DELROOM": Command(_delroom, "DELROOM:room", 1, 1),
    "JOINROOM": Command(_joinroom, "JOINROOM:room", 1, 1),
    "EXITROOM": Command(_exitroom, "EXITROOM:room", 1, 1),
    "SETPRIVATE": Command(_setprivate, "SETPRIVATE:room", 1, 1),
    "SETPUBLIC": Command(_setpublic, "SETPUBLIC:room", 1, 1),
    "INVITEROOM": Command(_inviteroom, "INVITEROOM:room:nick", 2, 2),
    "ROOM": Command(_room, "ROOM:room:message", 2, 2),
    "!EXIT": Command(_exit, "!exit"),
}


@implementer(IDialect, IPlugin)
class Original:
    """The original dialect, as a dialect of the service."""

    name = "original"
    framing = BY_READS
    alpn = ()

    def opens(self, line: bytes) -> bool:
        """Never: one read is no line. It is spoken on listeners that are fixed to it."""
        return False

    def make(self, wire: Wire) -> OriginalDialect:
        return OriginalDialect(wire)
