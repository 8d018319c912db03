"""
What a command is: a row of the tables in this folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatservice.translation.interface import Running
from chatservice.translation.irc.message import ClientMessage

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect


@dataclass(frozen=True, slots=True)
class Command:
    """
    @ivar name: in capitals.
    @ivar run: does it; gets the dialect and the message, and gives what has to be waited for. What
        the domain refuses is answered there, as each command has its own way.
    @ivar usage: its parameters, for people.
    @ivar help: what it does, for people.
    @ivar least: how many parameters it needs.
    @ivar registered: does the client have to be?
    @ivar says: it says something, and what was said before is not waited for; whatever it gives to
        be waited for has to do so itself.
    @ivar too_few: answers that there are too few parameters, if not by 461.
    """

    name: str
    run: Callable[[IrcDialect, ClientMessage], Running | None]
    usage: str
    help: str
    least: int = 0
    registered: bool = True
    says: bool = False
    too_few: Callable[[IrcDialect, ClientMessage], None] | None = None
