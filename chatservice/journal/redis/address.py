"""
Where a Redis is, as an operator writes it: `redis://` and `rediss://` addresses, taken apart.
Nothing is connected here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

SCHEMES = ("redis", "rediss")
_PORT = 6379
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+(%[a-z0-9._-]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """
    One Redis. Its words (`str`) hold no password.

    @ivar tls: by TLS, with a certificate that is verified for `host`.
    @ivar user: the name to authenticate by; empty for Redis's default user.
    @ivar database: the number of the logical database.
    """

    host: str
    port: int = _PORT
    tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    database: int = 0

    def __str__(self) -> str:
        scheme = "rediss" if self.tls else "redis"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}/{self.database}"


def read_address(text: str) -> RedisAddress:
    """
    Takes `redis://[user:password@]host[:port][/database]` apart.

    @raise ValueError: it is none; the words say what is wrong, and hold nothing of the text.
    """
    try:
        parts = urlsplit(text)
        port = _PORT if parts.port is None else parts.port
    except ValueError:
        raise ValueError("expected redis://host:port/database") from None
    host = parts.hostname or ""
    fit = parts.scheme in SCHEMES and _HOST.fullmatch(host) and port
    if not fit or parts.query or parts.fragment:
        raise ValueError("expected redis://host:port/database, or rediss:// for TLS")
    database = parts.path.strip("/") or "0"
    if not (database.isascii() and database.isdigit()):
        raise ValueError("expected a number for the database, after the last slash")
    return RedisAddress(
        host,
        port,
        parts.scheme == "rediss",
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        int(database),
    )
