"""
Messages on the wire: each preceded by its length in bytes, as a varint. What they mean is said
elsewhere.

Specification: Protocol Buffers, "Encoding", "Base 128 Varints"; the format of the libraries'
`parseDelimitedFrom`.
"""

from __future__ import annotations

from google.protobuf.message import Message

from chatservice.varint import varint


def delimited(body: bytes) -> bytes:
    """A frame: the body, with its length before it."""
    size = len(body)
    if size < 0x80:  # most are
        return b"%c%b" % (size, body)
    return varint(size) + body


def frame_of(message: Message) -> bytes:
    """A message as it goes over the wire."""
    return delimited(message.SerializeToString())
