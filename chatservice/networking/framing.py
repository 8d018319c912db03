"""
Lines, frames or reads out of bytes (`translation.interface.IDialect.framing`), and nothing of
what they mean. What is too long is dropped as it comes, so that a stranger who never ends a line
costs no memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from chatservice.translation.interface import BY_FRAMES, BY_LINES, BY_READS
from chatservice.varint import read_varint, varint

_BEGINNING = 64
"""Bytes that are kept of a line that is too long."""


class Overlong(bytes):
    """
    Stands for a line or a frame that was too long: its beginning.

    @ivar whole: all that was read of it at once, for it may turn out to be no line at all: what
        comes after the one that asks for another framing is cut into lines before that is known.
    """

    whole: bytes

    def __new__(cls, whole: bytes) -> Overlong:
        beginning = super().__new__(cls, whole[:_BEGINNING])
        beginning.whole = whole
        return beginning


class Framing(Protocol):
    """Bytes as they come, cut into the units that a dialect is handed one by one."""

    def __len__(self) -> int:
        """How many bytes are kept of a unit that has not ended."""

    def feed(self, data: bytes) -> list[bytes]:
        """
        The units that these bytes complete; an `Overlong` in the place of one that is too long.
        """

    def hold_to(self, limit: int, units: Sequence[bytes]) -> list[bytes]:
        """
        Has another limit from now on.

        @param limit: the longest unit, in bytes.
        @param units: what was read already, and is held to it too. What was too long stays so.
        @return: the same units, each too long or not.
        """

    def drain(self, units: Sequence[bytes]) -> bytes:
        """
        What was read but not understood yet, `units` and the rest, for another framing to take up.
        """


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
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        lines = data.split(b"\n")
        if self._rest:
            lines[0] = self._rest + lines[0]
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
                lines[index] = Overlong(line)
        if len(rest) > longest:
            lines.append(Overlong(rest))
            self._dropping, rest = True, b""
        self._rest = rest
        return lines

    def hold_to(self, limit: int, units: Sequence[bytes]) -> list[bytes]:
        self._limit = limit
        return [
            line
            if type(line) is Overlong or len(line.removesuffix(b"\r")) <= limit
            else Overlong(line)
            for line in units
        ]

    def drain(self, units: Sequence[bytes]) -> bytes:
        rest, self._rest = self._rest, b""
        read = b"".join(_whole(line) + b"\n" for line in units) + rest
        # The end of the line that is being dropped has not come.
        return read[:-1] if units and self._dropping else read


def _whole(unit: bytes) -> bytes:
    return unit.whole if isinstance(unit, Overlong) else unit


class FrameBuffer:
    """
    Splits bytes into frames, each preceded by its length in bytes as a varint (Protocol Buffers,
    "Encoding", "Base 128 Varints"). After a frame that is too long, or a length that is no number,
    nothing is understood any more.

    @param limit: the longest frame, bytes without its length.
    """

    __slots__ = ("_limit", "_lost", "_rest")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""
        self._lost = False

    def __len__(self) -> int:
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        if self._lost:
            return []
        data = self._rest + data if self._rest else data
        frames: list[bytes] = []
        start, end = 0, len(data)
        while start < end:
            size, at = data[start], start + 1
            if size >= 0x80:  # longer than most
                size, at = read_varint(data, start)
                if not at:
                    break  # half of it
            if size > self._limit:
                frames.append(Overlong(data[start:]))
                self._lost, self._rest = True, b""
                return frames
            if at + size > end:
                break
            frames.append(data[at : at + size])
            start = at + size
        self._rest = data[start:]
        return frames

    def hold_to(self, limit: int, units: Sequence[bytes]) -> list[bytes]:
        unread = self.drain(units)
        self._limit, self._lost = limit, False
        return self.feed(unread)

    def drain(self, units: Sequence[bytes]) -> bytes:
        rest, self._rest = self._rest, b""
        return b"".join(map(_delimited, units)) + rest


def _delimited(frame: bytes) -> bytes:
    return frame.whole if isinstance(frame, Overlong) else varint(len(frame)) + frame


class ReadBuffer:
    """Whatever one read brought is a unit. How long it may be is the dialect's to see to."""

    __slots__ = ()

    def __init__(self, limit: int) -> None:
        pass

    def __len__(self) -> int:
        return 0

    def feed(self, data: bytes) -> list[bytes]:
        return [data] if data else []

    def hold_to(self, limit: int, units: Sequence[bytes]) -> list[bytes]:
        return list(units)

    def drain(self, units: Sequence[bytes]) -> bytes:
        return b"".join(units)


FRAMINGS: Mapping[str, Callable[[int], Framing]] = {
    BY_LINES: LineBuffer,
    BY_FRAMES: FrameBuffer,
    BY_READS: ReadBuffer,
}
"""What makes a framing, by its name, of the longest unit in bytes."""
