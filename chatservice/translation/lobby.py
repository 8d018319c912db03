"""
The lobby dialect (docs/protocol.md, "The lobby dialect"): erl-chat-server's protocol, spoken in the
public room `lobby` and nowhere else. It has no answers but to CONNECT, so what is refused is told
in a line of its own, ERROR.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.plugin import IPlugin
from zope.interface import implementer

from chatservice.controller.errors import (
    AlreadyInRoom,
    AlreadyLoggedIn,
    BadArguments,
    ChatError,
    LineTooLong,
    NoSuchRoom,
    NotInRoom,
    NotUtf8,
    UnknownCommand,
)
from chatservice.controller.events import (
    DirectMessage,
    Event,
    Joined,
    Kicked,
    Left,
    Message,
    NickChanged,
    RankedMessage,
    RoomDeleted,
)

from .interface import BY_LINES, Dialect, IDialect, Running, Wire
from .worded import Worded, Words, spoken

_LOBBY = "lobby"


# What others do.


def _in_the_lobby(words: Callable[[Any], str]) -> Callable[[Any], str]:
    """Other dialects can put somebody into other rooms, which have no name here."""
    return lambda event: words(event) if event.room.lower() == _LOBBY else ""


def _said(event: Message | RankedMessage) -> str:
    text = spoken(event)
    return f"SAID:{event.nick}:{text}\n" if text else ""


def _pvt(event: DirectMessage) -> str:
    text = spoken(event)
    return f"PVT:{event.nick}:{text}\n" if text else ""


_TO_ONESELF: Words = {DirectMessage: _pvt}

_TO_ALL: Words = {
    NickChanged: lambda event: f"LEFT:{event.nick}\nJOIN:{event.new_nick}\n",
    Message: _in_the_lobby(_said),
    RankedMessage: _in_the_lobby(_said),
    Joined: _in_the_lobby(lambda event: f"JOIN:{event.nick}\n"),
    Left: _in_the_lobby(lambda event: f"LEFT:{event.nick}\n"),
    Kicked: _in_the_lobby(lambda event: f"LEFT:{event.victim_nick}\n"),
    RoomDeleted: _in_the_lobby(lambda event: f"ERROR:{event.nick} has closed the lobby\n"),
}

OUTSIDE = Worded("lobby, outside", _TO_ONESELF, echo=False)
"""Those who are not in the lobby, or just being let in: nobody is told of their own JOIN."""

INSIDE = Worded("lobby, inside", {**_TO_ONESELF, **_TO_ALL}, echo=False)
"""Those who are in the lobby."""


class LobbyDialect(Dialect):
    """One client that speaks the lobby dialect."""

    __slots__ = ("_quitting",)

    variant = OUTSIDE

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self._quitting = False

    def _tell(self, *fields: object) -> None:
        # Its clients cut lines at LF, and would take a CR for a part of the last nick.
        self.wire.write((":".join(map(str, fields)) + "\n").encode())

    # Requests.

    def receive(self, data: bytes) -> Running | None:
        line = data.removesuffix(b"\r")
        if not line:
            return None
        command, _, rest = line.partition(b":")
        try:
            self.wire.session.spend()
            request = _REQUESTS.get(command.upper())
            if request is None:
                raise UnknownCommand()
            return request(self, _text(rest))
        except ChatError as error:
            self._tell("ERROR", error)
            return None

    def overlong(self, beginning: bytes) -> None:
        try:
            self.wire.session.spend()
            raise LineTooLong()
        except ChatError as error:
            self._tell("ERROR", error)

    async def connect(self, nick: str) -> None:
        """CONNECT:nick"""
        session = self.wire.session
        try:
            if not session.key:
                await session.log_in(nick)
            elif not session.is_me(nick) or session.is_inside(_LOBBY):
                raise AlreadyLoggedIn()
            await self._enter()
            members = session.room(_LOBBY).members.values()
        except ChatError as error:
            self._tell("CONNECT:ERROR", error)
        else:
            self._tell("CONNECT:OK", *(member.nick for member in members))

    async def _enter(self) -> None:
        session = self.wire.session
        session.set_variant(OUTSIDE)
        try:
            # Somebody may have brought this user in.
            with suppress(AlreadyInRoom):
                await session.enter(_LOBBY)
        except ChatError:
            await session.log_out()
            raise
        session.set_variant(INSIDE)

    def say(self, text: str) -> None:
        """SAY:message"""
        try:
            self.wire.session.say(_LOBBY, text)
        except (NoSuchRoom, NotInRoom):
            raise NotInRoom("you are not in the lobby; CONNECT again") from None

    def pvt(self, rest: str) -> None:
        """PVT:nick:message"""
        nick, colon, text = rest.partition(":")
        if not colon:
            raise BadArguments("it is PVT:nick:message")
        self.wire.session.tell(nick, text)

    def quit(self, _: str) -> None:
        """QUIT:"""
        self._quitting = True
        self.wire.close("goodbye")

    # What comes from the service.

    def acknowledge(self, event: Event, error: ChatError | None) -> None:
        if error is not None:
            self._tell("ERROR", error)

    def farewell(self, reason: str) -> None:
        if self._quitting:
            self._tell("Bye.")
        else:
            self._tell("ERROR", reason)


_REQUESTS: dict[bytes, Callable[[LobbyDialect, str], Running | None]] = {
    b"CONNECT": LobbyDialect.connect,
    b"SAY": LobbyDialect.say,
    b"PVT": LobbyDialect.pvt,
    b"QUIT": LobbyDialect.quit,
}


def _text(rest: bytes) -> str:
    """
    What follows a command.

    @raise NotUtf8: it is not UTF-8.
    """
    try:
        return rest.decode()
    except UnicodeDecodeError:
        raise NotUtf8() from None


@implementer(IDialect, IPlugin)
class Lobby:
    """The lobby dialect, as a dialect of the service."""

    name = "lobby"
    framing = BY_LINES
    alpn = (b"chatservice.lobby",)

    def opens(self, line: bytes) -> bool:
        return line[:8].upper() == b"CONNECT:"

    def make(self, wire: Wire) -> LobbyDialect:
        return LobbyDialect(wire)
