"""What a setting may hold: how a value is checked and read, and the words for what was expected.

A `Kind` hangs on a field's type (``Annotated[int, whole(1)]``), so that the field itself says its
range. Which settings there are stands in `chatservice.config.settings`, never here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from chatservice.journal.redis.address import read_address


class UnfitValue(ValueError):
    """A value that its `Kind` doesn't accept."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of setting.

    Attributes:
        expected: what it accepts, in words that follow "expected".
        read: turns a value from TOML or the command line into the setting's own type; raises
            `UnfitValue`.
    """

    expected: str
    read: Callable[[object], object]


def _read_flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise UnfitValue
    return value


def _read_text(value: object) -> str:
    if not isinstance(value, str):
        raise UnfitValue
    return value


def _read_path(value: object) -> Path:
    if not isinstance(value, (str, Path)) or not str(value):
        raise UnfitValue
    return Path(value)


def _or_none(read: Callable[[object], object]) -> Callable[[object], object]:
    return lambda value: None if value == "" else read(value)


FLAG = Kind("true or false", _read_flag)
PATH = Kind("a path", _read_path)
PATH_OR_NONE = Kind('a path, or "" for none', _or_none(_read_path))
TEXT_OR_NONE = Kind('a string, or "" for none', _or_none(_read_text))


def whole(least: int, most: int | None = None) -> Kind:
    """Whole numbers of at least ``least`` and, where it is given, at most ``most``."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise UnfitValue
        if most is not None and value > most:
            raise UnfitValue
        return value

    return Kind(f"a whole number {_range(least, most)}", read)


def number(least: float, most: float | None = None) -> Kind:
    """Numbers, whole or not, of at least ``least`` and, where it is given, at most ``most``."""

    def read(value: object) -> float:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise UnfitValue
        if not math.isfinite(value) or value < least or (most is not None and value > most):
            raise UnfitValue
        return float(value)

    return Kind(f"a number {_range(least, most)}", read)


def _range(least: float, most: float | None) -> str:
    return f"of at least {least}" if most is None else f"from {least} to {most}"


def one_of(*choices: str) -> Kind:
    """One of a few words."""

    def read(value: object) -> str:
        if value not in choices:
            raise UnfitValue
        return str(value)

    words = [f'"{choice}"' for choice in choices]
    return Kind(" or ".join((", ".join(words[:-1]), words[-1])), read)


def matching(pattern: str, expected: str) -> Kind:
    """Strings that ``pattern`` matches as a whole; ``expected`` puts the pattern into words."""
    compiled = re.compile(pattern, re.ASCII)

    def read(value: object) -> str:
        text = _read_text(value)
        if compiled.fullmatch(text) is None:
            raise UnfitValue
        return text

    return Kind(expected, read)


def strings(what: str, *, required: bool = False) -> Kind:
    """A list of strings, none of them blank, at least one if ``required``; ``what`` names them."""

    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, (list, tuple)) or (required and not value):
            raise UnfitValue
        if not all(isinstance(item, str) and item.strip() for item in value):
            raise UnfitValue
        return tuple(value)

    return Kind(f"a list of {what}{', at least one' if required else ''}", read)


def _read_line(value: object) -> str:
    text = _read_text(value)
    if not (text.isprintable() and len(text.encode()) <= _LINE_BYTES):
        raise UnfitValue
    return text


def _read_lines(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > _LINES:
        raise UnfitValue
    return tuple(map(_read_line, value))


_LINES = 3
# So that they fit into one line of every dialect.
_LINE_BYTES = 200
LINE = Kind(f"a line of text, at most {_LINE_BYTES} bytes", _read_line)
LINES = Kind(
    f"a list of at most {_LINES} lines of text, each at most {_LINE_BYTES} bytes", _read_lines
)


def networks() -> Kind:
    """A list of IP networks as CIDR strings (RFC 4632 section 3.1, RFC 4291 section 2.3)."""
    listed = strings('networks such as "192.0.2.0/24" or "2001:db8::/32"')

    def read(value: object) -> object:
        items = listed.read(value)
        assert isinstance(items, tuple)
        try:
            return tuple(str(ip_network(item)) for item in items)
        except ValueError:
            raise UnfitValue from None

    return Kind(listed.expected, read)


def _read_redis(value: object) -> str:
    text = _read_text(value)
    try:
        read_address(text)
    except ValueError:
        raise UnfitValue from None
    return text


def _read_store(value: object) -> str:
    return str(value) if value in _STORES else _read_redis(value)


def _read_shards(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise UnfitValue
    return tuple(map(_read_redis, value))


_STORES = ("sqlite", "memory")
_REDIS = "redis://HOST:PORT/DATABASE (rediss:// for TLS)"
STORE = Kind(f'"sqlite", "memory" or {_REDIS}', _read_store)
SHARDS = Kind(f"a list of {_REDIS}", _read_shards)


def host_and_port(text: str) -> tuple[str, int]:
    """
    Takes C{HOST:PORT} apart; an IPv6 address stands in brackets.

    @raise UnfitValue: it is none.
    """
    match = _HOST_AND_PORT.fullmatch(text)
    if match is None or not 0 < int(match["port"]) < 65_536:
        raise UnfitValue
    return match["address"] or match["host"], int(match["port"])


def _read_places(value: object) -> tuple[str, ...]:
    listed = _HOSTS.read(value)
    assert isinstance(listed, tuple)
    for each in listed:
        host_and_port(each)
    return listed


_HOST_AND_PORT = re.compile(
    r"(?:\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})", re.ASCII
)
_HOSTS = strings('"HOST:PORT"')
PLACES = Kind(_HOSTS.expected, _read_places)
