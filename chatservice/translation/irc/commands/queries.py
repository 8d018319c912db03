"""
Short questions about many at once: USERHOST and ISON.

Specification: Modern IRC, "Optional Messages".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from chatservice.controller.entities import User
from chatservice.controller.errors import NoSuchUser
from chatservice.controller.lookup import is_operator
from chatservice.controller.masks import USERNAME
from chatservice.translation.irc import numerics
from chatservice.translation.irc.message import ClientMessage
from chatservice.translation.irc.numerics import Numeric

from .packing import packed
from .table import Command

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect

_MOST_HOSTS = 5
"""How many nicks USERHOST takes (Modern IRC); the others are not looked at."""


def _userhost(d: IrcDialect, m: ClientMessage) -> None:
    users = _present(d, m.params[:_MOST_HOSTS])
    _answer(d, numerics.RPL_USERHOST, map(_host, dict.fromkeys(users)))


def _host(user: User) -> str:
    operator = "*" if is_operator(user) else ""
    return f"{user.nick}{operator}={'-' if user.away else '+'}{USERNAME}@{user.host}"


def _ison(d: IrcDialect, m: ClientMessage) -> None:
    nicks = " ".join(m.params).split()
    _answer(d, numerics.RPL_ISON, (user.nick for user in _present(d, nicks)))


def _present(d: IrcDialect, nicks: Iterable[str]) -> Iterator[User]:
    """Those of them who are here."""
    for nick in nicks:
        try:
            yield d.session.find(nick)
        except NoSuchUser:
            continue


def _answer(d: IrcDialect, numeric: Numeric, items: Iterable[str]) -> None:
    """A list that is answered even if it is empty."""
    lines = list(packed(d, numeric, items=items)) or [d.numeric_line(numeric, words="")]
    for line in lines:
        d.write(line)


COMMANDS = (
    Command("USERHOST", _userhost, "<nick>{ <nick>}", "where people come from", 1),
    Command("ISON", _ison, "<nick>{ <nick>}", "which of these are here", 1),
)
