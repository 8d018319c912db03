"""
Finding out that the other machine is gone: a peer that lost its power or its network sends no
FIN. TCP itself asks, so that people who only read need not type to be believed alive.
"""

from __future__ import annotations

import socket
from typing import Any

_IDLE_SECONDS = 60
_PROBE_SECONDS = 15
_PROBES = 4
_UNACKNOWLEDGED_MS = 120_000

_OPTIONS = (
    # RFC 9293 section 3.8.4: the first probe after so long a silence, then so many so far apart.
    ("TCP_KEEPIDLE", _IDLE_SECONDS),
    ("TCP_KEEPINTVL", _PROBE_SECONDS),
    ("TCP_KEEPCNT", _PROBES),
    # RFC 5482: data that was sent and not acknowledged for so long ends the connection too.
    ("TCP_USER_TIMEOUT", _UNACKNOWLEDGED_MS),
)


def keep_alive(transport: object) -> None:
    """
    Has the kernel give a connection up within two minutes if the peer does not answer any more.

    @param transport: what a protocol has, under any number of wrappers; anything but TCP is left as
        it is. Options that the platform does not have are left out.
    """
    handle = _socket_of(transport)
    if handle is None or handle.family not in (socket.AF_INET, socket.AF_INET6):
        return
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _OPTIONS:
        option = getattr(socket, name, None)
        if option is not None:
            handle.setsockopt(socket.IPPROTO_TCP, option, value)


def _socket_of(transport: Any) -> socket.socket | None:
    while transport is not None:
        handle = getattr(transport, "socket", None)
        if isinstance(handle, socket.socket):
            return handle
        transport = getattr(transport, "transport", None)
    return None
