"""
Messages on the wire: each preceded by its length in bytes, as a varint. What they mean is said
elsewhere.

Specification: Protocol Buffers, "Encoding", "Base 128 Varints"; the format of the libraries'
`parseDelimitedFrom`.
"""

from __future__ import annotations

from google.protobuf.message import Message

from chatservice.varint import varint


def delimited(tag: int, body: bytes) -> bytes:
    """A frame that holds one field alone: its tag, of one byte, and the body, with both lengths."""
    size = len(body)
    if size < 0x7E:  # both lengths have one byte
        return bytes((size + 2, tag, size)) + body
    if 0x80 <= size < 0x3FFD:  # both have two
        whole = size + 3
        head = (whole & 0x7F | 0x80, whole >> 7, tag, size & 0x7F | 0x80, size >> 7)
        return bytes(head) + body
    inner = varint(size)
    return b"".join((varint(1 + len(inner) + size), bytes((tag,)), inner, body))


def frame_of(message: Message) -> bytes:
    """A message as it goes over the wire."""
    body = message.SerializeToString()
    return varint(len(body)) + body
