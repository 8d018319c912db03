"""
What the service tells of itself to those who ask, whatever dialect they ask in. It is filled, and
kept up to date, by whoever puts the service together; nothing here reads a file or a clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Sts(NamedTuple):
    """
    Where clients that came without TLS find it, and for how long they are to remember that: IRCv3's
    Strict Transport Security.

    @ivar port: a TCP port with TLS.
    @ivar seconds: how long, from each connection on.
    """

    port: int
    seconds: int


class Counts(NamedTuple):
    """
    @ivar now: connections open.
    @ivar most: the most that were open at once since the start.
    """

    now: int
    most: int


def _nobody() -> Counts:
    return Counts(0, 0)


def _nothing() -> None:
    """There is nothing to read again."""


@dataclass(slots=True)
class About:
    """
    One for all connections; what changes is changed in it.

    @ivar network: the name of the network that the server is, or belongs to.
    @ivar description: what kind of server it is, in a line.
    @ivar admin: whom to turn to: three lines at most, or none.
    @ivar started: when it started, seconds since 1970.
    @ivar motd: the message of the day, line by line; empty if there is none.
    @ivar sts: what clients without TLS are told of it; None: nothing.
    @ivar counts: how many connections there are.
    @ivar rehash: reads again what SIGHUP has read again: certificates and the message of the day.
    """

    network: str = "chat"
    description: str = "A chat service"
    admin: tuple[str, ...] = ()
    started: float = 0.0
    motd: tuple[str, ...] = ()
    sts: Sts | None = None
    counts: Callable[[], Counts] = _nobody
    rehash: Callable[[], None] = _nothing
