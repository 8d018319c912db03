"""
Protocols that are not spoken here, but whose clients come by: each is told so in its own words, so
that people see why, and is closed. No request of theirs gets further than this.
"""

from __future__ import annotations

import re

from twisted.plugin import IPlugin
from zope.interface import implementer

from .interface import BY_LINES, Dialect, IDialect, Wire

_WHAT_THIS_IS = "This is a chat server with a line protocol of its own"


class HttpRefusal(Dialect):
    """Answers an HTTP/1.x request with 400 (RFC 9110 section 15.5.1)."""

    __slots__ = ()

    def receive(self, data: bytes) -> None:
        body = f"{_WHAT_THIS_IS}, not a web server.\n".encode()
        head = (
            "HTTP/1.1 400 Bad Request\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\n"
            "Connection: close\r\n"
            "\r\n"
        )
        # The answer to HEAD has no body (RFC 9110 section 9.3.2).
        self.wire.write(head.encode() + (b"" if data.startswith(b"HEAD ") else body))
        self.wire.close("HTTP is not spoken here")


@implementer(IDialect, IPlugin)
class HttpRefused:
    """The refusal of HTTP/1.x, as a dialect of the service."""

    name = "http"
    framing = BY_LINES
    alpn = ()

    def opens(self, line: bytes) -> bool:
        return _REQUEST_LINE.fullmatch(line) is not None

    def make(self, wire: Wire) -> HttpRefusal:
        return HttpRefusal(wire)


_REQUEST_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+ [^\s]+ HTTP/1\.[0-9]")
"""A method, a target and a version: RFC 9112 section 3."""
