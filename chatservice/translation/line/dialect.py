"""
The line protocol's requests and answers (docs/protocol.md). Which requests there are stands in
`commands`; here is what all of them share: taking a line apart, and wording what came of it.

Answers come in the order of their requests. What is said is answered when it is stored, and does
not hold up what is said next; any other answer waits until what was said before has its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from twisted.plugin import IPlugin
from zope.interface import implementer

from chatservice.controller.errors import (
    BadArguments,
    ChatError,
    LineTooLong,
    NotUtf8,
    UnknownCommand,
)
from chatservice.controller.events import DirectMessage, Event, Message
from chatservice.translation.interface import BY_LINES, Dialect, IDialect, Running, Wire

from .commands import COMMANDS, Command
from .rendering import LINES

_WORD = re.compile(rb"[!-9;-~]{1,32}")
"""What may be repeated of a command that nobody knows: printable ASCII, and not much of it."""


class LineDialect(Dialect):
    """One client that speaks the line protocol."""

    __slots__ = ()

    variant = LINES

    # Answers.

    def answer(self, *fields: object) -> None:
        """Sends one line of fields. The first answer is preceded by the greeting."""
        self._greet()
        self.wire.write((":".join(map(str, fields)) + "\r\n").encode())

    async def answer_with(self, items: Iterable[Iterable[object]], *fields: object) -> None:
        """Sends a line for each item, as fast as the client takes them, and then the answer."""
        self._greet()
        lines = (("ITEM:" + ":".join(map(str, item)) + "\r\n").encode() for item in items)
        await self.wire.pour(lines)
        self.answer(*fields)

    def _greet(self) -> None:
        wire = self.wire
        if not wire.greeted:
            wire.greeted = True
            wire.write(f"HELLO:{wire.server_name}:{wire.version}\r\n".encode())

    def _refuse(self, name: str, error: ChatError) -> None:
        self.answer("ERR", name, error.code, error)

    # Requests.

    def receive(self, data: bytes) -> Running | None:
        line = data[:-1] if data.endswith(b"\r") else data
        head, _, rest = line.partition(b":")
        command = COMMANDS.get(head) or COMMANDS.get(head.upper())
        try:
            self.wire.session.spend()
            if not line:
                return None
            if command is None:
                raise UnknownCommand("there is no such command; HELP lists them")
            arguments = _arguments(command, rest)
            if command.says:
                command.run(self, *arguments)
                return None
        except ChatError as error:
            return self._refuse_in_turn(_name(command, head), error)
        return self._run_in_turn(command, arguments)

    async def _run_in_turn(self, command: Command, arguments: list[str]) -> None:
        await self.wire.session.settled()
        try:
            running = command.run(self, *arguments)
            if running is not None:
                await running
        except ChatError as error:
            self._refuse(command.name, error)

    async def _refuse_in_turn(self, name: str, error: ChatError) -> None:
        await self.wire.session.settled()
        self._refuse(name, error)

    def overlong(self, beginning: bytes) -> Running:
        head = beginning.partition(b":")[0]
        name = _name(COMMANDS.get(head.upper()), head)
        try:
            self.wire.session.spend()
        except ChatError as error:
            return self._refuse_in_turn(name, error)
        return self._refuse_in_turn(name, LineTooLong())

    def acknowledge(self, event: Event, error: ChatError | None) -> None:
        if type(event) is Message:
            name, where = "ROOM", event.room
        else:
            assert isinstance(event, DirectMessage)
            name, where = "SAY", event.to_nick
        if error is None:
            self.wire.write(f"OK:{name}:{where}:{event.id}\r\n".encode())
        else:
            self._refuse(name, error)

    # What comes from the service.

    def silent(self) -> None:
        self._greet()

    def ping(self, token: str) -> None:
        self.answer("PING", token)

    def farewell(self, reason: str) -> None:
        self.answer("BYE", reason)


def _arguments(command: Command, rest: bytes) -> list[str]:
    """
    A line's arguments: only the last may hold a colon.

    @raise BadArguments: there are too few or too many, or one holds NUL or CR.
    @raise NotUtf8: they are not UTF-8.
    """
    if b"\0" in rest or b"\r" in rest:
        raise BadArguments("a line cannot hold NUL, or CR before its end")
    try:
        text = rest.decode()
    except UnicodeDecodeError:
        raise NotUtf8() from None
    arguments = text.split(":", command.most - 1) if text and command.most else []
    if len(arguments) < command.least or (text and not command.most):
        raise BadArguments(f"write it as {command.usage}")
    return arguments


def _name(command: Command | None, head: bytes) -> str:
    """What the answer calls the command."""
    if command is not None:
        return command.name
    return head.decode().upper() if _WORD.fullmatch(head) else ""


@implementer(IDialect, IPlugin)
class LineProtocol:
    """The line protocol, as a dialect of the service."""

    name = "line"
    framing = BY_LINES
    alpn = (b"chatservice.line",)

    def opens(self, line: bytes) -> bool:
        """Whatever nobody else's first line is: this is the one that answers people who type."""
        return True

    def make(self, wire: Wire) -> LineDialect:
        return LineDialect(wire)
