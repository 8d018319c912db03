"""
IRC, as a dialect of the service: how its clients are known.
"""

from __future__ import annotations

from twisted.plugin import IPlugin
from zope.interface import implementer

from chatservice.translation.interface import BY_LINES, IDialect, Wire

from .dialect import IrcDialect
from .message import LONGEST_LINE


@implementer(IDialect, IPlugin)
class Irc:
    """IRC, as a dialect of the service."""

    name = "irc"
    framing = BY_LINES
    alpn = (b"irc",)
    line_bytes = LONGEST_LINE

    def opens(self, line: bytes) -> bool:
        word, space, _ = line.partition(b" ")
        return line.startswith(b"@") or bool(space and word.upper() in _OPENING)

    def make(self, wire: Wire) -> IrcDialect:
        return IrcDialect(wire)


_OPENING = frozenset((b"CAP", b"NICK", b"PASS", b"USER", b"WEBIRC"))
