"""
MONITOR, and what else is told to one client by itself: the coming, going and changing of those whom
it monitors, what server operators say to all, and that a channel is gone.

Specifications: IRCv3 monitor and extended-monitor; Modern IRC, "WALLOPS message".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from chatservice.controller import modes
from chatservice.controller.entities import User
from chatservice.controller.errors import BadNick
from chatservice.controller.events import (
    AccountChanged,
    AwayChanged,
    Event,
    HostChanged,
    LoggedIn,
    LoggedOut,
    NickChanged,
    RealnameChanged,
    Registered,
    RoomDeleted,
    Wallops,
)
from chatservice.translation.interface import Running
from chatservice.translation.irc import numerics
from chatservice.translation.irc.isupport import MONITORED
from chatservice.translation.irc.message import ClientMessage, format
from chatservice.translation.irc.numerics import Numeric
from chatservice.translation.irc.rendering import IrcVariant, source

from .packing import packed
from .table import Command
from .targets import channel_of, split

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect


def _monitor(d: IrcDialect, m: ClientMessage) -> Running | None:
    word = m.params[0].upper()
    run, least = _MONITOR.get(word, (None, 0))
    if run is None:
        words = "Unknown subcommand"
        d.numeric(numerics.ERR_UNKNOWNERROR, "MONITOR", m.params[0], words=words)
    elif len(m.params) <= least:
        d.numeric(numerics.ERR_NEEDMOREPARAMS, "MONITOR")
    else:
        run(d, split(m.params[1]) if least else [])
    return None


def _add(d: IrcDialect, targets: list[str]) -> None:
    """What cannot be a nick is left out, as in Ergo; what is watched already is told again."""
    asked, refused = {}, []
    for target in targets:
        key = _key(d, target)
        if key and key not in d.monitored:
            if len(d.monitored) >= MONITORED:
                refused.append(target)
                continue
            d.monitored[key] = target
            d.session.watch(key)
        if key:
            asked[key] = target
    _tell_status(d, asked)
    for list_ in _in_parts(d, refused):
        d.numeric(numerics.ERR_MONLISTFULL, MONITORED, list_)


def _in_parts(d: IrcDialect, refused: list[str]) -> Iterable[str]:
    """Lists that leave room for the words after them."""
    held = ""
    for target in refused:
        if held and len(f"{held},{target}".encode()) > _REFUSED_BYTES:
            yield held
            held = ""
        held = f"{held},{target}" if held else target
    if held:
        yield held


_REFUSED_BYTES = 300


def _remove(d: IrcDialect, targets: list[str]) -> None:
    for target in targets:
        key = _key(d, target)
        if d.monitored.pop(key, None) is not None:
            d.session.unwatch(key)


def _clear(d: IrcDialect, _: list[str]) -> None:
    d.monitored.clear()
    d.session.unwatch_all()


def _list(d: IrcDialect, _: list[str]) -> None:
    _write(d, numerics.RPL_MONLIST, d.monitored.values())
    d.numeric(numerics.RPL_ENDOFMONLIST)


def _status(d: IrcDialect, _: list[str]) -> None:
    _tell_status(d, d.monitored)


def _key(d: IrcDialect, nick: str) -> str:
    """The key of a nick; empty if it cannot be one."""
    try:
        return d.session.policy.names.nick(nick).key
    except BadNick:
        return ""


def _tell_status(d: IrcDialect, nicks: dict[str, str]) -> None:
    """Which of these are here (by key, as the client wrote them), and which are not."""
    users = d.session.state.users
    here = (_mask(users[key]) for key in nicks if key in users)
    _write(d, numerics.RPL_MONONLINE, here)
    _write(d, numerics.RPL_MONOFFLINE, (nick for key, nick in nicks.items() if key not in users))


def _mask(user: User) -> str:
    return source(user.nick, user.host)


def _write(d: IrcDialect, numeric: Numeric, nicks: Iterable[str]) -> None:
    for line in packed(d, numeric, items=nicks, separator=","):
        d.write(line)


_MONITOR: dict[str, tuple[Callable[[IrcDialect, list[str]], None], int]] = {
    "+": (_add, 1),
    "-": (_remove, 1),
    "C": (_clear, 0),
    "L": (_list, 0),
    "S": (_status, 0),
}
"""What MONITOR can do, and how many parameters that needs."""


# What happens.


def noticed(d: IrcDialect, event: Event) -> None:
    """Something happened that is told to this client by itself (see `Dialect.noticed`)."""
    tell = _NOTICED.get(type(event))
    if tell is not None:
        tell(d, event)


def _tell(d: IrcDialect, line: str) -> None:
    """Not by C{write}: it is no part of the answer to a labelled command that may be running."""
    d.wire.write(IrcVariant.cut(line).encode())


def _came(d: IrcDialect, event: LoggedIn) -> None:
    _tell(d, d.numeric_line(numerics.RPL_MONONLINE, words=source(event.nick, event.host)))


def _went(d: IrcDialect, event: LoggedOut) -> None:
    _tell(d, d.numeric_line(numerics.RPL_MONOFFLINE, words=event.nick))


def _renamed(d: IrcDialect, event: NickChanged) -> None:
    if event.actor == event.new_key:
        return
    if event.actor in d.monitored:
        _tell(d, d.numeric_line(numerics.RPL_MONOFFLINE, words=event.nick))
    if event.new_key in d.monitored:
        words = source(event.new_nick, event.host)
        _tell(d, d.numeric_line(numerics.RPL_MONONLINE, words=words))


def _changed(d: IrcDialect, event: Event) -> None:
    if d.has("extended-monitor"):
        d.wire.write(d.render.encode(event))


def _wallops(d: IrcDialect, event: Wallops) -> None:
    if not d.session.flags.isdisjoint((modes.HEARS_WALLOPS, modes.SERVER_OPERATOR)):
        d.wire.write(d.render.encode(event))


def _gone(d: IrcDialect, event: RoomDeleted) -> None:
    """Clients leave a channel when they see that they are kicked; each sees only itself."""
    by = source(event.nick, event.host) if event.nick else d.wire.server_name
    line = format("KICK", channel_of(event.room), d.nick, text="Channel deleted", source=by)
    _tell(d, d.render.tags(event) + line)


_NOTICED: dict[type[Event], Callable[[IrcDialect, Any], None]] = {
    LoggedIn: _came,
    LoggedOut: _went,
    NickChanged: _renamed,
    AwayChanged: _changed,
    AccountChanged: _changed,
    Registered: _changed,
    HostChanged: _changed,
    RealnameChanged: _changed,
    Wallops: _wallops,
    RoomDeleted: _gone,
}

COMMANDS = (
    Command("MONITOR", _monitor, "+|-|C|L|S [<nick>{,<nick>}]", "hear of coming and going", 1),
)
