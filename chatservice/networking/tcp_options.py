"""
What is asked of TCP itself, for every connection: to send at once what was joined already, and to
find out that the other machine is gone. A peer that lost its power or its network sends no FIN; the
kernel's probes spare people who only read from typing to be believed alive.
"""

from __future__ import annotations

import socket
from typing import Any

_IDLE_SECONDS = 60
_PROBE_SECONDS = 15
_PROBES = 4
_UNACKNOWLEDGED_MS = 120_000

_OPTIONS = (
    # RFC 9293 section 3.7.4 (Nagle): a turn's writes are one write already, so to wait for the
    # acknowledgement of the last one would only add the peer's delay to the next.
    ("TCP_NODELAY", 1),
    # RFC 9293 section 3.8.4: the first probe after so long a silence, then so many so far apart.
    ("TCP_KEEPIDLE", _IDLE_SECONDS),
    ("TCP_KEEPINTVL", _PROBE_SECONDS),
    ("TCP_KEEPCNT", _PROBES),
    # RFC 5482: data that was sent and not acknowledged for so long ends the connection too.
    ("TCP_USER_TIMEOUT", _UNACKNOWLEDGED_MS),
)


def set_tcp_options(transport: object) -> None:
    """
    Has the kernel send small writes at once, and give the connection up within two minutes if the
    peer does not answer any more.

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
