"""
The protobuf dialect, for programs (docs/protobuf.md). `chat.proto` says what is sent, `chat_pb2` is
generated from it; `delimited` puts messages on the wire, `rendering` writes events, `commands`
answers requests, and `dialect` is one client.
"""

from __future__ import annotations

from .dialect import Protobuf, ProtobufDialect

__all__ = ["Protobuf", "ProtobufDialect"]
