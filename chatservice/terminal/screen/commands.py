"""
What can be typed after a slash: a table of small functions. Each is given the session, the buffer
it was typed in and what follows its name; what it raises is told there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatservice.client import ClientError, Room

from .buffer import ROOM, STATUS, Buffer
from .entries import ERROR
from .outgoing import as_typed

if TYPE_CHECKING:
    from .session import Session

NICK, NAME, COMMAND = "nick", "room", "command"
"""What an argument may be completed to."""


class Usage(ClientError):
    """That is not how a command is used; the words say how it is."""


@dataclass(frozen=True, slots=True)
class Command:
    """
    @ivar arguments: as `/help` shows them; `help` what it does.
    @ivar completes: what each argument may be completed to.
    @ivar secret: what is typed is to be seen and kept nowhere.
    """

    function: Callable[[Session, Buffer, str], Awaitable[None]]
    arguments: str
    help: str
    completes: tuple[str, ...] = ()
    secret: bool = False


def do(session: Session, buffer: Buffer, line: str) -> None:
    """
    Does what a line says: what begins with a slash is a command, all else is said; two slashes say
    one.
    """
    text = line.lstrip()
    if text.startswith("//"):
        session.say(buffer, text[1:], typed=line)
    elif text.startswith("/"):
        _command(session, buffer, text)
    else:
        session.say(buffer, line, typed=line)


def is_secret(line: str) -> bool:
    """Does a line hold a password?"""
    name = line.lstrip().partition(" ")[0]
    command = COMMANDS.get(name[1:].lower()) if name.startswith("/") else None
    return command is not None and command.secret


def _command(session: Session, buffer: Buffer, text: str) -> None:
    word, _, rest = text[1:].partition(" ")
    name = word.lower()
    command = COMMANDS.get(name)
    if command is None:
        words = f"there is no command /{word}: /help lists them, and // begins a text with a slash"
        session.note(buffer, words, ERROR)
        buffer.give_back(text)
        return
    if not command.secret:
        buffer.line.remember(text)
    session.run(_done(name, session, buffer, rest.strip()), buffer)


async def _done(name: str, session: Session, buffer: Buffer, rest: str) -> None:
    command = COMMANDS[name]
    try:
        await command.function(session, buffer, rest)
    except Usage:
        raise
    except ClientError as error:
        about = [f"/{name}", *rest.split()[: len(command.completes)]]
        session.note(buffer, f"{' '.join(about)}: {error}", ERROR)


# What the functions need.


def _usage(name: str) -> Usage:
    return Usage(f"usage: /{name} {COMMANDS[name].arguments}")


def _one(name: str, rest: str) -> tuple[str, str]:
    """The first word, which must be there, and the rest."""
    first, _, more = rest.partition(" ")
    if not first:
        raise _usage(name)
    return first, more.strip()


def _room(buffer: Buffer) -> Room:
    if buffer.room is None:
        if buffer.kind == ROOM:
            raise Usage(f"you are not in {buffer.name}: /join {buffer.name} enters it")
        raise Usage("this is no room: /join ROOM enters one")
    return buffer.room


def _room_named(session: Session, buffer: Buffer, name: str) -> Room:
    if not name:
        return _room(buffer)
    for other in session.model.buffers:
        if other.room is not None and other.name.casefold() == name.casefold():
            return other.room
    raise Usage(f"you are not in {name}")


# Rooms.


async def _join(session: Session, buffer: Buffer, rest: str) -> None:
    name, key = _one("join", rest)
    await session.join(name, key, buffer)


async def _part(session: Session, buffer: Buffer, rest: str) -> None:
    if buffer.kind == STATUS:
        raise Usage("this is no room; /quit leaves the program")
    if buffer.pending or buffer.unsent:
        raise Usage("something typed here is not sent yet; /clear shows it no more")
    if buffer.room is not None:
        await buffer.room.leave()
    if not buffer.line.text:  # typed since
        session.model.close(buffer)
    session.changed()


async def _rooms(session: Session, buffer: Buffer, rest: str) -> None:
    await session.list_rooms(buffer)


async def _names(session: Session, buffer: Buffer, rest: str) -> None:
    room = _room(buffer)
    await session.refresh(buffer)
    listed = [
        f"{user.nick} (away: {user.away})" if user.away else user.nick
        for user in buffer.members.listed()
    ]
    session.note(buffer, f"in {room.name}: {', '.join(listed)}")


async def _who(session: Session, buffer: Buffer, rest: str) -> None:
    users = sorted(user.nick for user in await session.client.list_users())
    session.model.nicks.update(users)
    session.note(buffer, f"here: {', '.join(users)}")


async def _topic(session: Session, buffer: Buffer, rest: str) -> None:
    room = _room(buffer)
    if rest:
        await room.set_topic("" if rest == "-" else rest)
        return
    topic = await room.topic()
    buffer.topic = topic.text
    by = f" (set by {topic.nick})" if topic.nick else ""
    session.note(buffer, f"the topic: {topic.text}{by}" if topic.text else "there is no topic")


async def _invite(session: Session, buffer: Buffer, rest: str) -> None:
    nick, name = _one("invite", rest)
    room = _room_named(session, buffer, name)
    await room.invite(nick)
    session.note(buffer, f"{nick} may join {room.name} now")


async def _kick(session: Session, buffer: Buffer, rest: str) -> None:
    nick, reason = _one("kick", rest)
    await _room(buffer).kick(nick, reason)


async def _private(session: Session, buffer: Buffer, rest: str) -> None:
    await _room_named(session, buffer, rest).set_private(True)


async def _public(session: Session, buffer: Buffer, rest: str) -> None:
    await _room_named(session, buffer, rest).set_private(False)


async def _delete(session: Session, buffer: Buffer, rest: str) -> None:
    name, _ = _one("delete", rest)
    await session.client.delete_room(name)
    session.note(buffer, f"{name} is removed")


# Talk.


async def _msg(session: Session, buffer: Buffer, rest: str) -> None:
    nick, text = _one("msg", rest)
    conversation = session.open_direct(nick)
    if text:
        session.say(conversation, text, typed=as_typed(text))


async def _query(session: Session, buffer: Buffer, rest: str) -> None:
    nick, _ = _one("query", rest)
    session.open_direct(nick)


async def _me(session: Session, buffer: Buffer, rest: str) -> None:
    if not rest:
        raise _usage("me")
    session.say(buffer, rest, typed=f"/me {rest}", action=True)


# The program.


async def _register(session: Session, buffer: Buffer, rest: str) -> None:
    if not rest:
        raise _usage("register")
    identity = await session.client.register(rest)
    session.model.account = identity.account
    session.note(buffer, f"{identity.account} is your account now, with that password")


async def _clear(session: Session, buffer: Buffer, rest: str) -> None:
    buffer.cleared, buffer.anchor, buffer.mark = buffer.end, None, None
    buffer.unsent.clear()
    session.changed()


async def _help(session: Session, buffer: Buffer, rest: str) -> None:
    wanted = rest.lstrip("/").lower()
    if wanted in COMMANDS:
        session.note(buffer, _described(wanted))
    elif wanted in ("", "keys"):
        # There is more room, and nobody talks.
        status = session.model.status
        for line in KEYS_HELP if wanted else map(_described, COMMANDS):
            session.note(status, line)
        if buffer is not status:
            session.model.look_at(status)
            session.model.hint = f"Alt-{session.model.number(buffer)} goes back to {buffer.title}"
    else:
        raise Usage(f"there is no command /{wanted}: /help lists them")


def _described(name: str) -> str:
    command = COMMANDS[name]
    return f"{f'/{name} {command.arguments}':<{HELP_COLUMN}}{command.help}"


async def _quit(session: Session, buffer: Buffer, rest: str) -> None:
    session.quit()


COMMANDS: dict[str, Command] = {
    "join": Command(_join, "ROOM [KEY]", "enter a room, or make it", (NAME,)),
    "part": Command(_part, "", "leave this room or conversation"),
    "msg": Command(_msg, "NICK TEXT", "say something to one person", (NICK,)),
    "query": Command(_query, "NICK", "open a conversation", (NICK,)),
    "me": Command(_me, "TEXT", "say what you do: /me waves"),
    "topic": Command(_topic, "[TEXT]", "show or set it; - clears it"),
    "invite": Command(_invite, "NICK [ROOM]", "let somebody into a room", (NICK, NAME)),
    "kick": Command(_kick, "NICK [REASON]", "put somebody out of this room", (NICK,)),
    "names": Command(_names, "", "list who is in this room"),
    "who": Command(_who, "", "list who is on the server"),
    "rooms": Command(_rooms, "", "list the rooms"),
    "private": Command(_private, "[ROOM]", "only who is invited may enter", (NAME,)),
    "public": Command(_public, "[ROOM]", "everybody may enter", (NAME,)),
    "delete": Command(_delete, "ROOM", "remove a room that you own", (NAME,)),
    "register": Command(_register, "PASSWORD", "make your nick an account", secret=True),
    "clear": Command(_clear, "", "empty the screen; PgUp undoes it"),
    "help": Command(_help, "[COMMAND]", "list this; /help keys for keys", (COMMAND,)),
    "quit": Command(_quit, "", "leave the program"),
}
"""By name, in the order in which they are listed."""

HELP_COLUMN = 21
"""Where in a line of help the words begin that explain the rest."""

KEYS_HELP = tuple(
    f"{keys:<{HELP_COLUMN}}{help}"
    for keys, help in (
        ("Tab, Shift-Tab", "complete nicks, rooms, commands"),
        ("Up, Down", "what you typed before"),
        ("PgUp, PgDn, wheel", "scroll back and forth"),
        ("Esc", "back to the end"),
        ("Alt-1 ... Alt-9", "go to a room by its number"),
        ("Ctrl-N, Ctrl-P", "next room, previous room"),
        ("Alt-A", "next room with something unread"),
        ("Ctrl-A, Ctrl-E", "begin and end of the line"),
        ("Ctrl-W, -U, -K", "cut a word, the begin, the end"),
        ("Ctrl-Y", "put back what was cut"),
        ("Ctrl-L", "draw the screen anew"),
        ("Shift and the mouse", "mark text, as elsewhere"),
        ("Ctrl-C twice", "leave"),
    )
)
