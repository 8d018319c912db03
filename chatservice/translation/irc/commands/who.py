"""
WHO, and its extended form, WHOX: users in a channel, or those whom a mask fits, a line each.

Specifications: Modern IRC, "WHO message"; IRCv3 WHOX; IRCv3 bot-mode (the flag C{B}); RFC 2812
section 3.6.1 (C{WHO <mask> o}).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatservice.controller import masks, modes
from chatservice.controller.entities import Room, User
from chatservice.controller.errors import BadArguments, ChatError
from chatservice.controller.lookup import is_operator
from chatservice.controller.permission import roles, subject
from chatservice.translation.irc import letters, numerics
from chatservice.translation.irc.message import ClientMessage

from .table import Command
from .targets import as_parameter, channel_of, is_channel, room_name

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect

_EVERYBODY = ("0", "*")

_HIDDEN_ADDRESS = "255.255.255.255"
"""In place of an address that is not told (WHOX)."""

_NO_ACCOUNT = "0"
_LONGEST_TOKEN = 3


@dataclass(frozen=True, slots=True)
class Query:
    """
    What was asked.

    @ivar extended: is it WHOX?
    @ivar fields: then the letters of what is wanted.
    @ivar token: and a number that the answer is known by.
    @ivar operators: only server operators are meant.
    """

    extended: bool
    fields: str
    token: str
    operators: bool


def _query(m: ClientMessage) -> Query:
    flags, extended, rest = m.param(1).partition("%")
    fields, _, token = rest.partition(",")
    is_token = token.isascii() and token.isdigit() and len(token) <= _LONGEST_TOKEN
    return Query(bool(extended), fields.lower(), token if is_token else "0", "o" in flags)


async def _who(d: IrcDialect, m: ClientMessage) -> None:
    mask = m.params[0] if m.params and m.params[0] else "*"
    query = _query(m)
    room, users = _in_channel(d, mask) if is_channel(mask) else (None, _fitting(d, mask))
    found = [
        Found(
            d, user, room, query.token, await _address(d, user) if _ADDRESS in query.fields else ""
        )
        for user in users
        if not query.operators or is_operator(user)
    ]
    await d.pour(_answer(found, query, d.numeric_line(numerics.RPL_ENDOFWHO, mask)))


def _answer(found: Iterable[Found], query: Query, end: str) -> Iterator[str]:
    for each in found:
        yield _line(each, query)
    yield end


async def _address(d: IrcDialect, user: User) -> str:
    for card in await d.session.inspect(user):
        if ":" in card.host or "." in card.host:
            return as_parameter(card.host)
    return _HIDDEN_ADDRESS


def _in_channel(d: IrcDialect, channel: str) -> tuple[Room | None, list[User]]:
    try:
        room = d.session.room(room_name(channel))
    except ChatError:
        return None, []
    return room, d.session.members(room)


def _fitting(d: IrcDialect, mask: str) -> list[User]:
    """Everybody whom a mask fits; a nick is one, too."""
    if mask in _EVERYBODY:
        return d.session.users()
    try:
        canonical = masks.canonical(mask)
    except BadArguments:
        return []
    return [user for user in d.session.users() if masks.matches(canonical, subject(user))]


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody, and who asked, and by way of which channel; and, if that was asked, from where."""

    d: IrcDialect
    user: User
    room: Room | None
    token: str
    address: str

    @property
    def channel(self) -> str:
        return channel_of(self.room.name) if self.room is not None else "*"

    @property
    def flags(self) -> str:
        user, room = self.user, self.room
        held = roles(room, user) if room is not None else ()
        return "".join(
            (
                "G" if user.away else "H",
                "*" if is_operator(user) else "",
                letters.prefixes(held, self.d.has("multi-prefix")),
                letters.USER_LETTERS[modes.BOT] if modes.BOT in user.flags else "",
            )
        )


_ADDRESS = "i"

_FIELDS: dict[str, Callable[[Found], str]] = {
    "t": lambda found: found.token,
    "c": lambda found: found.channel,
    "u": lambda found: masks.USERNAME,
    _ADDRESS: lambda found: found.address,
    "h": lambda found: found.user.host,
    "s": lambda found: found.d.wire.server_name,
    "n": lambda found: found.user.nick,
    "f": lambda found: found.flags,
    "d": lambda found: "0",
    "l": lambda found: str(found.d.session.idle_seconds(found.user)),
    "a": lambda found: found.user.account_nick or _NO_ACCOUNT,
    "o": lambda found: "0",
}
"""
What is told of somebody, in the order in which it is, whatever the order of the letters (WHOX). The
hops, C{d}, and an operator's level, C{o}, are not in the specification: they are 0, as in Ergo. The
real name, C{r}, comes last.
"""

_PLAIN = "cuhsnf"


def _line(found: Found, query: Query) -> str:
    wanted = query.fields if query.extended else _PLAIN
    told = [tell(found) for letter, tell in _FIELDS.items() if letter in wanted]
    realname = found.user.realname
    if not query.extended:
        return found.d.numeric_line(numerics.RPL_WHOREPLY, *told, words=f"0 {realname}")
    words = realname if "r" in wanted else None
    return found.d.numeric_line(numerics.RPL_WHOSPCRPL, *told, words=words)


COMMANDS = (Command("WHO", _who, "[<channel>|<mask>] [o][%<fields>[,<token>]]", "who is there"),)
