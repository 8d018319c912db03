"""What the load says to a server: one table entry a protocol, from log-in to message.

Bytes only: nothing here opens a socket, and nothing here is taken from the server that is measured,
so that a mistake in the server cannot hide in its own benchmark.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import frames

MARK = b"|"
"""Begins every text that the load sends and occurs nowhere else: counting it counts messages."""

STAMP_END = b";"
"""Ends the time stamp that follows the mark."""


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange: what is sent for a nick and a room, and what shows that it is done, or refused.

    A refusal's words are the pattern's group, or all of it if it has none.
    """

    request: Callable[[str, str], bytes]
    done: re.Pattern[bytes]
    refused: re.Pattern[bytes]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One protocol as the load speaks it.

    `head` is what stands before the text in a message, of a room and the length of the text in
    bytes, and `end` what stands after it. `answer` is in every answer that a sender gets to a
    message of its own, once, and in nothing else (empty: there are none), and `refusal` in what it
    gets instead. `echoes` says whether it gets the message itself, as every other member does.
    `alpn` is asked for in the TLS handshake; without TLS `opening` is said first.
    """

    name: str
    login: tuple[Step, ...]
    join: tuple[Step, ...]
    head: Callable[[str, int], bytes]
    end: bytes
    answer: bytes
    refusal: bytes
    echoes: bool
    alpn: tuple[str, ...] = ()
    opening: bytes = b""


def _words(form: str) -> Callable[[str, str], bytes]:
    """A request of text: `form` with {nick} and {room} in it."""
    return lambda nick, room: form.format(nick=nick, room=room).encode("ascii")


def _head(form: str) -> Callable[[str, int], bytes]:
    """The same for what stands before a text, with {room} in it."""
    return lambda room, _: form.format(room=room).encode("ascii")


LINE = Dialect(
    name="line",
    login=(
        Step(
            _words("LOGIN:{nick}\r\n"),
            re.compile(rb"^OK:LOGIN:.*\n", re.M),
            re.compile(rb"^(?:ERR:|BYE:).*\n", re.M),
        ),
    ),
    join=(
        # Whoever comes second is told ROOM_EXISTS, which is no refusal.
        Step(
            _words("NEWROOM:{room}\r\nJOINROOM:{room}\r\n"),
            re.compile(rb"^OK:JOINROOM:.*\n", re.M),
            re.compile(rb"^(?:ERR:JOINROOM:|BYE:).*\n", re.M),
        ),
    ),
    head=_head("ROOM:{room}:"),
    end=b"\r\n",
    answer=b"OK:ROOM:",
    refusal=b"ERR:",
    echoes=True,
)

IRC = Dialect(
    name="irc",
    login=(
        Step(
            _words("NICK {nick}\r\nUSER {nick} 0 * :load\r\n"),
            re.compile(rb"^:\S+ (?:376|422) .*\n", re.M),
            re.compile(rb"^(?:ERROR|:\S+ 43\d) .*\n", re.M),
        ),
    ),
    join=(
        Step(
            _words("JOIN #{room}\r\n"),
            re.compile(rb"^:\S+ 366 .*\n", re.M),
            re.compile(rb"^(?:ERROR|:\S+ 4\d\d) .*\n", re.M),
        ),
    ),
    head=_head("PRIVMSG #{room} :"),
    end=b"\r\n",
    answer=b"",
    refusal=b"",
    echoes=False,
)

_REFUSED = re.compile(re.escape(frames.REFUSED) + rb".{0,8}?([ -~]{3,})", re.S)

PROTOBUF = Dialect(
    name="protobuf",
    login=(
        Step(
            lambda nick, _: frames.login(nick),
            re.compile(re.escape(frames.IDENTITY)),
            _REFUSED,
        ),
    ),
    join=(
        Step(
            lambda _, room: frames.join_room(room),
            re.compile(re.escape(frames.DONE)),
            _REFUSED,
        ),
    ),
    head=frames.say_head,
    end=b"",
    answer=frames.STORED,
    refusal=frames.REFUSED,
    echoes=True,
    alpn=("chatservice.v1",),
    opening=b"PROTOBUF:1\r\n",
)


def text(stamp: int, size: int) -> bytes:
    """A message text.

    Args:
        stamp: when it is sent, in nanoseconds of the load's own clock.
        size: its length in bytes (no less than a stamp takes, some twenty).
    """
    return (MARK + b"%d" % stamp + STAMP_END).ljust(size, b"x")
