"""
Numbers as Protocol Buffers writes them ("Encoding", "Base 128 Varints"): seven bits a byte, the
lowest first, the eighth bit set on all but the last. They say how long a frame is.
"""

from __future__ import annotations

LONGEST = 5
"""Bytes: what is written in more of them is no length that anybody would allow."""

TOO_LARGE = 1 << 7 * LONGEST
"""What `read_varint` makes of such a number."""


_SHORT = tuple(bytes((number,)) for number in range(0x80))


def varint(number: int) -> bytes:
    """A number, 0 or more, as a varint."""
    if number < 0x80:
        return _SHORT[number]
    if number < 0x4000:  # with the former, almost all
        return bytes((number & 0x7F | 0x80, number >> 7))
    return bytes((number & 0x7F | 0x80,)) + varint(number >> 7)


def read_varint(data: bytes, start: int) -> tuple[int, int]:
    """
    The number that begins at a place, and the place where it ends; the end is 0 if it has not come
    as a whole yet.
    """
    number = 0
    for index, byte in enumerate(data[start : start + LONGEST]):
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return number, start + index + 1
    return (TOO_LARGE, start + LONGEST) if len(data) - start >= LONGEST else (0, 0)
