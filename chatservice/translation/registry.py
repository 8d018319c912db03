"""
Which dialects there are: those that Twisted's plugin system finds, the house's own among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from twisted.plugin import getPlugins

from .interface import IDialect


class Dialects:
    """
    The dialects of this process, by name and by ALPN name.

    @ivar fallback: the one that answers what none knows: the line protocol.
    """

    def __init__(self, dialects: Iterable[IDialect], fallback: str = "line") -> None:
        self._by_name = {dialect.name: dialect for dialect in dialects}
        self.fallback = self._by_name[fallback]
        self._by_alpn = {name: d for d in self._by_name.values() for name in d.alpn}

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

    def opened_by(self, line: bytes) -> IDialect | None:
        """The dialect whose first line this is."""
        return next((dialect for dialect in self if dialect.opens(line)), None)
