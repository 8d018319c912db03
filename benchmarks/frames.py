"""The few protobuf frames that the load needs (chat.proto), made by hand, and how answers look.

Bytes only, and nothing of Google's library or of the server's own code: so a mistake there cannot
hide here, and a frame costs the load no more than a line does.
"""

from __future__ import annotations

_REQUEST_ID = b"\xff\xff\x01"
"""
The id of every request, 32,767 as a varint: that of a program that has asked for a while. Answers
repeat it, and it is in nothing else: texts and names are ASCII here, lengths are shorter, and the
time of an event ends in another byte for decades.
"""

STORED = _REQUEST_ID + b"\x92\x01"
"""What is in the answer to every message that was stored, and in nothing else."""

IDENTITY = _REQUEST_ID + b"\xaa\x01"
"""The same of a log-in."""

DONE = _REQUEST_ID + b"\x9a\x01"
"""The same of the joining of a room."""

REFUSED = _REQUEST_ID + b"\xa2\x01"
"""The same of a request that was refused, whichever it was."""

_LOGIN, _JOIN_ROOM, _SAY = 4, 13, 2
_CREATE = b"\x18\x01"


def login(nick: str) -> bytes:
    """Logs a guest in."""
    return _frame(_field(_LOGIN, _field(1, nick.encode("ascii"))))


def join_room(room: str) -> bytes:
    """Joins a room, and makes it if there is none."""
    return _frame(_field(_JOIN_ROOM, _field(1, room.encode("ascii")) + _CREATE))


def say_head(room: str, size: int) -> bytes:
    """A message to a room, all but its text, which ends the frame and is `size` bytes long."""
    text = bytes(size)
    whole = _frame(_field(_SAY, _field(1, room.encode("ascii")) + _field(2, text)))
    return whole.removesuffix(text)


def _frame(request: bytes) -> bytes:
    body = b"\x08" + _REQUEST_ID + request
    return _varint(len(body)) + body


def _field(number: int, value: bytes) -> bytes:
    """A field with a length (Protocol Buffers, "Encoding", "Length-Delimited Records")."""
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)
