"""
The line protocol (docs/protocol.md): `dialect` reads requests and writes answers, `commands` is the
table of requests, `rendering` writes events.
"""

from __future__ import annotations

from .dialect import LineDialect, LineProtocol

__all__ = ["LineDialect", "LineProtocol"]
