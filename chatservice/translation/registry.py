"""
Which dialects there are: those that Twisted's plugin system finds, the house's own among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

from twisted.plugin import getPlugins
from zope.interface.exceptions import Invalid
from zope.interface.verify import verifyObject

from .interface import BY_FRAMES, BY_LINES, BY_READS, IDialect

_N = TypeVar("_N", str, bytes)

_NAME = re.compile(r"[a-z][a-z0-9_]*")


class BadDialect(Exception):
    """An installed dialect cannot be used; the words name it and say why."""


class Dialects:
    """
    The dialects of this process, by name and by ALPN name. Everything here goes by the order of
    their names, so that it does not depend on the order in which plugins are found.

    @ivar fallback: the one that answers what none knows: the line protocol.
    @ivar longest_line: the longest line of those that have a length of their own, in bytes without
        its ending; 0 if none has.
    @raise BadDialect: one of them is not as `IDialect` says, two claim one name, or there is no
        fallback.
    """

    def __init__(self, dialects: Iterable[IDialect], fallback: str = "line") -> None:
        self._by_name: dict[str, IDialect] = {}
        self._by_alpn: dict[bytes, IDialect] = {}
        for dialect in sorted(map(_checked, dialects), key=lambda dialect: str(dialect.name)):
            _claim(self._by_name, dialect.name, dialect)
            for alpn in dialect.alpn:
                _claim(self._by_alpn, alpn, dialect)
        if fallback not in self._by_name:
            raise BadDialect(
                f"the dialect {fallback!r} is not installed: expected a plugin that provides it "
                "(twisted/plugins/chat_dialects.py has the house's own)"
            )
        self.fallback = self._by_name[fallback]
        self.longest_line = max(map(line_bytes_of, self))

    @classmethod
    def installed(cls) -> Dialects:
        """All that are installed; see `IDialect`."""
        return cls(getPlugins(IDialect))

    def __iter__(self) -> Iterator[IDialect]:
        return iter(self._by_name.values())

    @property
    def alpn(self) -> tuple[bytes, ...]:
        """Every ALPN name that some dialect answers to."""
        return tuple(self._by_alpn)

    def named(self, name: str) -> IDialect | None:
        """The dialect of a name, if there is one."""
        return self._by_name.get(name)

    def negotiated(self, alpn: bytes | None) -> IDialect | None:
        """The dialect that a TLS client asked for, if it did."""
        return self._by_alpn.get(alpn) if alpn else None

    def opened_by(self, line: bytes) -> IDialect:
        """The dialect whose first line this is; the fallback, if it is nobody's."""
        others = (
            dialect
            for dialect in self
            if dialect is not self.fallback and dialect.framing != BY_FRAMES
        )
        return next((dialect for dialect in others if dialect.opens(line)), self.fallback)


def _checked(dialect: IDialect) -> IDialect:
    try:
        verifyObject(IDialect, dialect)
    except Invalid as error:
        words = " ".join(str(error).split())
        raise BadDialect(f"a dialect is not as IDialect says: {words}") from None
    if not _NAME.fullmatch(dialect.name):
        raise BadDialect(f"the dialect {dialect!r} cannot be called {dialect.name!r}")
    if dialect.framing not in (BY_LINES, BY_FRAMES, BY_READS):
        raise BadDialect(f"the dialect {dialect.name} has an unknown framing {dialect.framing!r}")
    if not isinstance(line_bytes_of(dialect), int) or line_bytes_of(dialect) < 0:
        raise BadDialect(f"the dialect {dialect.name} has unfit line_bytes")
    return dialect


def line_bytes_of(dialect: IDialect) -> int:
    """
    The longest line of a dialect that has a length of its own (see `IDialect`), in bytes without
    its ending; 0 if it has none.
    """
    return getattr(dialect, "line_bytes", None) or 0


def _claim(names: dict[_N, IDialect], name: _N, dialect: IDialect) -> None:
    holder = names.setdefault(name, dialect)
    if holder is not dialect:
        raise BadDialect(f"two dialects are called {name!r}: {holder!r} and {dialect!r}")
