"""
What a service is: a name that people send commands to as messages. What it is told is stored
nowhere and shown to nobody, as it may hold a password; what it can do, a session can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatservice.controller.errors import ChatError
from chatservice.translation.interface import Running

if TYPE_CHECKING:
    from chatservice.controller.session import Session
    from chatservice.translation.irc.dialect import IrcDialect

NO_SPACES = "A password that is sent this way has no spaces. Nothing was done."
"""What is told to those who seem to have sent one that has."""

_CTCP = "\x01"


class Question:
    """
    What somebody asks of a service.

    @ivar d: the client.
    @ivar words: what followed the command.
    """

    __slots__ = ("_source", "d", "words")

    def __init__(self, d: IrcDialect, service: str, words: Sequence[str]) -> None:
        self._source = f"{service}!{service}@services.{d.wire.server_name}"
        self.d = d
        self.words = words

    @property
    def session(self) -> Session:
        """What the client may ask of the chat."""
        return self.d.session

    def say(self, *lines: str) -> None:
        """Answers."""
        for line in lines:
            self.d.notice(line, self._source)


@dataclass(frozen=True, slots=True)
class ServiceCommand:
    """
    @ivar name: in capitals.
    @ivar run: does it. What the domain refuses is told in its own words.
    @ivar usage: its parameters, for people.
    @ivar help: what it does, for people.
    @ivar least: how many parameters it needs.
    @ivar most: how many it takes, where more of them would be a mistake: a password cut in words.
    """

    name: str
    run: Callable[[Question], Running]
    usage: str
    help: str
    least: int = 0
    most: int | None = None


class Service:
    """
    @param nick: what it is called.
    @param short: what people type instead, as a command.
    @param purpose: what it is for, for people.
    @param commands: what it can do, but for C{HELP}.
    """

    def __init__(
        self, nick: str, short: str, purpose: str, commands: Sequence[ServiceCommand]
    ) -> None:
        self.nick = nick
        self.short = short
        self.purpose = purpose
        helping = ServiceCommand("HELP", self._help, "[<command>]", "how to use it")
        self.commands = {command.name: command for command in (*commands, helping)}

    async def hear(self, d: IrcDialect, text: str) -> None:
        """A client has sent it a message. Clients' questions to one another are not answered."""
        if not text.startswith(_CTCP):
            await self.ask(d, text)

    async def ask(self, d: IrcDialect, text: str) -> None:
        """A client asks for a command, in words that spaces are between."""
        name, *words = [word for word in text.split(" ") if word] or ["HELP"]
        question = Question(d, self.nick, words)
        command = self.commands.get(name.upper())
        if command is None:
            question.say(f"There is no such command. Try: /msg {self.nick} HELP")
        elif len(words) < command.least:
            question.say(f"Usage: {command.name} {command.usage}")
        elif command.most is not None and len(words) > command.most:
            question.say(f"Usage: {command.name} {command.usage}", NO_SPACES)
        else:
            await self._run(command, question)

    async def _run(self, command: ServiceCommand, question: Question) -> None:
        try:
            await command.run(question)
        except ChatError as error:
            words = str(error)
            question.say(f"{words[:1].upper()}{words[1:]}.")

    async def _help(self, question: Question) -> None:
        if question.words:
            command = self.commands.get(question.words[0].upper())
            if command is None:
                question.say(f"There is no such command. Try: /msg {self.nick} HELP")
            else:
                question.say(_usage(command), f"{command.help[:1].upper()}{command.help[1:]}.")
            return
        question.say(f"{self.nick}: {self.purpose}")
        for command in sorted(self.commands.values(), key=lambda command: command.name):
            question.say(f"{_usage(command)} - {command.help}")
        question.say(f"To use one of them: /msg {self.nick} <command>")


def _usage(command: ServiceCommand) -> str:
    return f"{command.name} {command.usage}".rstrip()
