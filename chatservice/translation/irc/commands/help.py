"""
HELP: what commands there are, and how each is written; all that is told stands in their tables.

Specification: Modern IRC, "HELP message".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chatservice.translation.interface import Running
from chatservice.translation.irc import commands, numerics
from chatservice.translation.irc.message import ClientMessage

from .table import Command

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect


def _help(d: IrcDialect, m: ClientMessage) -> Running | None:
    subject = m.params[0] if m.params else ""
    if not subject:
        return d.pour(_lines(d, "*", "The commands of this server:", _index()))
    command = commands.COMMANDS.get(subject.upper())
    if command is None:
        d.numeric(numerics.ERR_HELPNOTFOUND, subject)
        return None
    return d.pour(_lines(d, command.name, _usage(command), [command.help]))


def _usage(command: Command) -> str:
    return f"{command.name} {command.usage}".rstrip()


def _index() -> list[str]:
    every = sorted(commands.COMMANDS.values(), key=lambda command: command.name)
    return [f"{_usage(command)} - {command.help}" for command in every]


def _lines(d: IrcDialect, subject: str, title: str, lines: list[str]) -> Iterator[str]:
    yield d.numeric_line(numerics.RPL_HELPSTART, subject, words=title)
    for line in lines:
        yield d.numeric_line(numerics.RPL_HELPTXT, subject, words=line)
    yield d.numeric_line(numerics.RPL_ENDOFHELP, subject)


_WHAT = "how to use a command, or which there are"

COMMANDS = (
    Command("HELP", _help, "[<command>]", _WHAT),
    Command("HELPOP", _help, "[<command>]", _WHAT),
)
