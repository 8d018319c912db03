"""
CAP: which capabilities there are, and which the client has. The table of them is in
`irc.capabilities`.

Specification: IRCv3 capability-negotiation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from chatservice.translation.interface import Running
from chatservice.translation.irc import capabilities, numerics
from chatservice.translation.irc.message import LONGEST_BODY, ClientMessage

from .registration import try_to_register
from .table import Command

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect

_VALUES = 302
"""From this version on clients are told values, and in several lines."""

_NOTIFY = "cap-notify"


def _cap(d: IrcDialect, m: ClientMessage) -> Running | None:
    run = _SUBCOMMANDS.get(m.params[0].upper())
    if run is None:
        d.numeric(numerics.ERR_INVALIDCAPCMD, m.params[0][:32])
        return None
    return run(d, m)


def _ls(d: IrcDialect, m: ClientMessage) -> None:
    _hold_up(d)
    word = m.param(1)
    version = int(word[:9]) if word.isascii() and word.isdigit() else 0
    d.version = max(d.version, version)
    modern = version >= _VALUES
    if modern:
        # Whoever knows values hears of new capabilities without asking.
        d.set_capabilities(d.capabilities | {_NOTIFY})
    words = []
    for capability in capabilities.offered(d):
        if modern:
            value = capability.value(d)
            words.append(f"{capability.name}={value}" if value else capability.name)
        elif capability.requestable:
            words.append(capability.name)
    _list(d, "LS", words, modern)


def _list_mine(d: IrcDialect, m: ClientMessage) -> None:
    _list(d, "LIST", sorted(d.capabilities), several=d.version >= _VALUES)


def _list(d: IrcDialect, subcommand: str, words: list[str], several: bool) -> None:
    longest = d.line("CAP", d.nick, subcommand, "*", text="")
    most = LONGEST_BODY + len("\r\n") - len(longest.encode())
    lines = list(_lines(words, most)) if several else [" ".join(words)]
    for line in lines[:-1]:
        d.answer("CAP", d.nick, subcommand, "*", text=line)
    d.answer("CAP", d.nick, subcommand, text=lines[-1])


def _lines(words: list[str], most: int) -> Iterator[str]:
    """As many words as fit into that many bytes, line by line."""
    line = ""
    for word in words:
        if line and len(line) + len(word) >= most:
            yield line
            line = ""
        line += " " + word if line else word
    yield line


def _request(d: IrcDialect, m: ClientMessage) -> None:
    _hold_up(d)
    asked = m.param(1)
    wanted = _changed(d, asked.split())
    if wanted is None:
        d.answer("CAP", d.nick, "NAK", text=asked)
        return
    # The answer is in the old way yet, whatever was asked for.
    d.answer("CAP", d.nick, "ACK", text=asked)
    d.set_capabilities(wanted)


def _changed(d: IrcDialect, words: list[str]) -> frozenset[str] | None:
    """What the client would have; None if it cannot: all that it asks for, or nothing."""
    wanted = set(d.capabilities)
    may_have = {c.name for c in capabilities.offered(d) if c.requestable}
    for word in words:
        name = word.removeprefix("-")
        if name not in may_have:
            return None
        if word.startswith("-"):
            if name == _NOTIFY and d.version >= _VALUES:
                return None  # that version has it (capability-negotiation, "cap-notify")
            wanted.discard(name)
        else:
            wanted.add(name)
    return frozenset(wanted)


def _end(d: IrcDialect, m: ClientMessage) -> Running | None:
    if d.registration is None:
        return None
    d.registration.negotiating = False
    return try_to_register(d)


def _hold_up(d: IrcDialect) -> None:
    """While it negotiates, it is not registered (capability-negotiation, "CAP LS")."""
    if d.registration is not None:
        d.registration.negotiating = True


_SUBCOMMANDS: dict[str, Callable[[IrcDialect, ClientMessage], Running | None]] = {
    "LS": _ls,
    "LIST": _list_mine,
    "REQ": _request,
    "END": _end,
}

COMMANDS = (
    Command("CAP", _cap, "LS|LIST|REQ|END [<capabilities>]", "negotiate capabilities", 1, False),
)
