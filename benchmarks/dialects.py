"""What the load says to a server: one table entry a protocol, from log-in to message.

Bytes only: nothing here opens a socket, and nothing here is taken from the server that is measured,
so that a mistake in the server cannot hide in its own benchmark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MARK = b"|"
"""Begins every text that the load sends and occurs nowhere else: counting it counts messages."""

STAMP_END = b";"
"""Ends the time stamp that follows the mark."""


@dataclass(frozen=True, slots=True)
class Step:
    """One exchange: what is sent, and what shows that it was done, or refused."""

    request: str
    done: re.Pattern[bytes]
    refused: re.Pattern[bytes]

    def render(self, nick: str, room: str) -> bytes:
        """The request's bytes for this nick and room."""
        return self.request.format(nick=nick, room=room).encode("ascii")


@dataclass(frozen=True, slots=True)
class Dialect:
    """One protocol as the load speaks it.

    `answers` says whether a sender gets a line of its own for each message; `echoes` whether it
    gets the message itself, as every other member does.
    """

    name: str
    login: tuple[Step, ...]
    join: tuple[Step, ...]
    message_head: str
    answers: bool
    echoes: bool

    def head(self, room: str) -> bytes:
        """What stands before the text in a message to this room."""
        return self.message_head.format(room=room).encode("ascii")


LINE = Dialect(
    name="line",
    login=(
        Step(
            "LOGIN:{nick}\r\n",
            re.compile(rb"^OK:LOGIN:.*\n", re.M),
            re.compile(rb"^(?:ERR:|BYE:).*\n", re.M),
        ),
    ),
    join=(
        # Whoever comes second is told ROOM_EXISTS, which is no refusal.
        Step(
            "NEWROOM:{room}\r\nJOINROOM:{room}\r\n",
            re.compile(rb"^OK:JOINROOM:.*\n", re.M),
            re.compile(rb"^(?:ERR:JOINROOM:|BYE:).*\n", re.M),
        ),
    ),
    message_head="ROOM:{room}:",
    answers=True,
    echoes=True,
)

IRC = Dialect(
    name="irc",
    login=(
        Step(
            "NICK {nick}\r\nUSER {nick} 0 * :load\r\n",
            re.compile(rb"^:\S+ (?:376|422) .*\n", re.M),
            re.compile(rb"^(?:ERROR|:\S+ 43\d) .*\n", re.M),
        ),
    ),
    join=(
        Step(
            "JOIN #{room}\r\n",
            re.compile(rb"^:\S+ 366 .*\n", re.M),
            re.compile(rb"^(?:ERROR|:\S+ 4\d\d) .*\n", re.M),
        ),
    ),
    message_head="PRIVMSG #{room} :",
    answers=False,
    echoes=False,
)


def text(stamp: int, size: int) -> bytes:
    """A message text.

    Args:
        stamp: when it is sent, in nanoseconds of the load's own clock.
        size: its length in bytes (a text is never shorter than its stamp).
    """
    return (MARK + b"%d" % stamp + STAMP_END).ljust(size, b"x")


def message(head: bytes, stamp: int, size: int) -> bytes:
    """One whole message line: `head` (see `Dialect.head`) and a text of `size` bytes."""
    return head + text(stamp, size) + b"\r\n"
