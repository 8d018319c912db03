"""
What the server tells of itself: MOTD, VERSION, ADMIN, LUSERS, TIME, STATS, INFO, LINKS.

Specification: Modern IRC, "Server Queries and Commands".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from time import gmtime, strftime
from typing import TYPE_CHECKING

from chatservice.controller import modes
from chatservice.controller.errors import NotOperator
from chatservice.translation.interface import Running
from chatservice.translation.irc import isupport, numerics
from chatservice.translation.irc.message import LONGEST_BODY, ClientMessage

from .table import Command

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def version_of(d: IrcDialect) -> str:
    """What the server runs."""
    return f"chatservice-{d.wire.version}"


def moment(seconds: float) -> str:
    """A moment (seconds since 1970) for people, in UTC."""
    return strftime("%a, %d %b %Y %H:%M:%S UTC", gmtime(seconds))


def supported(d: IrcDialect) -> None:
    """What the server supports (RPL_ISUPPORT)."""
    most = LONGEST_BODY + len("\r\n") - len(d.numeric_line(numerics.RPL_ISUPPORT).encode())
    for tokens in isupport.lines(d.session.policy, d.wire.about.network, most):
        d.numeric(numerics.RPL_ISUPPORT, *tokens)


async def motd(d: IrcDialect) -> None:
    """The message of the day."""
    if d.wire.about.motd:
        await d.pour(_motd_lines(d, d.wire.about.motd))
    else:
        d.numeric(numerics.ERR_NOMOTD)


def _motd_lines(d: IrcDialect, lines: tuple[str, ...]) -> Iterator[str]:
    title = f"- {d.wire.server_name} Message of the day - "
    yield d.numeric_line(numerics.RPL_MOTDSTART, words=title)
    for line in lines:
        yield d.numeric_line(numerics.RPL_MOTD, words=f"- {line}")
    yield d.numeric_line(numerics.RPL_ENDOFMOTD)


def lusers(d: IrcDialect) -> None:
    """How many there are."""
    state, counts = d.session.state, d.wire.about.counts()
    users, invisible = len(state.users), state.flags[modes.INVISIBLE]
    visible, most = users - invisible, max(users, counts.most)
    d.numeric(
        numerics.RPL_LUSERCLIENT,
        words=f"There are {visible} users and {invisible} invisible on 1 server(s)",
    )
    d.numeric(numerics.RPL_LUSEROP, state.flags[modes.SERVER_OPERATOR])
    d.numeric(numerics.RPL_LUSERUNKNOWN, max(0, counts.now - users))
    d.numeric(numerics.RPL_LUSERCHANNELS, len(state.rooms))
    d.numeric(numerics.RPL_LUSERME, words=f"I have {users} clients and 0 servers")
    for numeric, kind in _USERS:
        d.numeric(numeric, users, most, words=f"Current {kind} users {users}, max {most}")


_USERS = ((numerics.RPL_LOCALUSERS, "local"), (numerics.RPL_GLOBALUSERS, "global"))


def _is_here(d: IrcDialect, m: ClientMessage, place: int = 0) -> bool:
    """
    Is this server asked, and no other? If not, the client is told that there is none.

    @param place: where the parameter is that may say which server; without it, it is this one.
    """
    server = m.param(place)
    if not server or _is_named(d, server):
        return True
    d.numeric(numerics.ERR_NOSUCHSERVER, server)
    return False


def _is_named(d: IrcDialect, mask: str) -> bool:
    """Does a name, which may have wildcards, mean this server?"""
    # Without the brackets that fnmatch knows and IRC does not.
    return fnmatchcase(d.wire.server_name.lower(), mask.lower().replace("[", "[[]"))


def _motd(d: IrcDialect, m: ClientMessage) -> Running | None:
    return motd(d) if _is_here(d, m) else None


def _version(d: IrcDialect, m: ClientMessage) -> None:
    if _is_here(d, m):
        words = d.wire.about.description
        d.numeric(numerics.RPL_VERSION, version_of(d), d.wire.server_name, words=words)
        supported(d)


def _admin(d: IrcDialect, m: ClientMessage) -> None:
    if not _is_here(d, m):
        return
    lines = d.wire.about.admin
    if not lines:
        d.numeric(numerics.ERR_NOADMININFO, d.wire.server_name)
        return
    d.numeric(numerics.RPL_ADMINME, d.wire.server_name)
    for numeric, line in zip(_ADMIN, lines, strict=False):
        d.numeric(numeric, words=line)


_ADMIN = (numerics.RPL_ADMINLOC1, numerics.RPL_ADMINLOC2, numerics.RPL_ADMINEMAIL)


def _lusers(d: IrcDialect, m: ClientMessage) -> None:
    # A mask, of which nothing is known any more, may stand before the server (RFC 2812, 3.4.2).
    if _is_here(d, m, place=1):
        lusers(d)


def _time(d: IrcDialect, m: ClientMessage) -> None:
    if _is_here(d, m):
        d.numeric(numerics.RPL_TIME, d.wire.server_name, words=moment(d.session.now))


def _info(d: IrcDialect, m: ClientMessage) -> None:
    if not _is_here(d, m):
        return
    about = d.wire.about
    for words in (
        f"{d.wire.server_name} runs {version_of(d)}",
        about.description,
        f"It is the {about.network} network, and runs since {moment(about.started)}",
    ):
        d.numeric(numerics.RPL_INFO, words=words)
    d.numeric(numerics.RPL_ENDOFINFO)


def _links(d: IrcDialect, m: ClientMessage) -> None:
    if len(m.params) > 1 and not _is_here(d, m):
        return
    mask, name = m.params[-1] if m.params else "*", d.wire.server_name
    if _is_named(d, mask):
        d.numeric(numerics.RPL_LINKS, name, name, words=f"0 {d.wire.about.description}")
    d.numeric(numerics.RPL_ENDOFLINKS, mask)


def _stats(d: IrcDialect, m: ClientMessage) -> None:
    if not _is_here(d, m, place=1):
        return
    letter = m.params[0][:1]
    tell = _STATS.get(letter)
    try:
        if tell is not None:
            tell(d)
    except NotOperator:
        d.numeric(numerics.ERR_NOPRIVILEGES)
    d.numeric(numerics.RPL_ENDOFSTATS, letter)


def _uptime(d: IrcDialect) -> None:
    up = int(d.session.now - d.wire.about.started)
    hours, minutes, seconds = up % _DAY // _HOUR, up % _HOUR // _MINUTE, up % _MINUTE
    words = f"Server Up {up // _DAY} days {hours}:{minutes:02}:{seconds:02}"
    d.numeric(numerics.RPL_STATSUPTIME, words=words)


def _operators(d: IrcDialect) -> None:
    d.session.check_operator()
    for account in sorted(d.session.policy.operators):
        d.numeric(numerics.RPL_STATSOLINE, "O", "*", "*", account)


_STATS: dict[str, Callable[[IrcDialect], None]] = {"o": _operators, "u": _uptime}


COMMANDS = (
    Command("MOTD", _motd, "[<server>]", "the message of the day"),
    Command("VERSION", _version, "[<server>]", "what the server runs, and what it supports"),
    Command("ADMIN", _admin, "[<server>]", "who runs the server"),
    Command("LUSERS", _lusers, "[<mask> [<server>]]", "how many users and channels there are"),
    Command("TIME", _time, "[<server>]", "what time it is at the server"),
    Command("STATS", _stats, "u|o [<server>]", "since when it runs; who may be an operator", 1),
    Command("INFO", _info, "[<server>]", "what the server is"),
    Command("LINKS", _links, "[[<server>] <mask>]", "which servers there are"),
)
