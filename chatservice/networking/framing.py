"""
Lines out of bytes, and nothing of what the lines mean. A line that is too long is dropped as it
comes, so that a stranger who never ends one costs no memory.
"""

from __future__ import annotations

from collections.abc import Sequence

_BEGINNING = 64
"""Bytes that are kept of a line that is too long."""


class Overlong(bytes):
    """Stands for a line that was too long: its beginning."""

    __slots__ = ()


class LineBuffer:
    """
    Splits bytes at LF. A CR before it is left on the line.

    `LineReceiver`'s own loop copies the rest of its buffer for every line; with hundreds of lines
    in a packet that is most of its time. This splits a packet once.

    @param limit: the longest line, bytes without its ending.
    """

    __slots__ = ("_dropping", "_limit", "_rest")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self._dropping = False

    def __len__(self) -> int:
        """How many bytes are kept of a line that has not ended."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """
        The lines that these bytes complete; an `Overlong` in the place of one that is too long.
        """
        lines = (self._rest + data).split(b"\n") if self._rest else data.split(b"\n")
        rest = lines.pop()
        if self._dropping and lines:
            del lines[0]
            self._dropping = False
        if self._dropping:
            rest = b""
        # A CR may belong to the ending.
        longest = self._limit + 1
        for index, line in enumerate(lines):
            if len(line) >= longest and len(line.removesuffix(b"\r")) > self._limit:
                lines[index] = Overlong(line[:_BEGINNING])
        if len(rest) > longest:
            lines.append(Overlong(rest[:_BEGINNING]))
            self._dropping, rest = True, b""
        self._rest = rest
        return lines

    def hold_to(self, limit: int, lines: Sequence[bytes]) -> list[bytes]:
        """
        Has another limit from now on.

        @param lines: what was read already, and is held to it too. What was too long stays so.
        @return: the same lines, each too long or not.
        """
        self._limit = limit
        return [
            line
            if type(line) is Overlong or len(line.removesuffix(b"\r")) <= limit
            else Overlong(line[:_BEGINNING])
            for line in lines
        ]

    def drain(self, lines: list[bytes]) -> bytes:
        """
        What was read but not understood as lines yet, `lines` and the rest, for another framing to
        take up.
        """
        rest, self._rest = self._rest, b""
        return b"".join(line + b"\n" for line in lines) + rest
