"""
What a dialect is: the interface that a third party's package implements to add its own, and what a
dialect may ask of its connection. See docs/dialects.md. A dialect owns no socket: bytes are handed
to it, and it writes bytes.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import Any, Protocol

from zope.interface import Attribute, Interface

from chatservice.controller.errors import ChatError
from chatservice.controller.events import Event
from chatservice.controller.session import Session
from chatservice.delivery import Variant

Running = Coroutine[Any, Any, None]
"""A request that is not finished yet. Until it is, the connection's next line waits."""


class Wire(Protocol):
    """
    A connection, as its dialect sees it.

    @ivar session: what the client may ask of the chat.
    @ivar server_name: the service's name, as clients are told.
    @ivar version: the service's version.
    @ivar greeted: has the line protocol's greeting been sent, before the client chose a dialect?
    """

    session: Session
    server_name: str
    version: str
    greeted: bool

    def write(self, payload: bytes) -> None:
        """Sends bytes, with whatever else is written in this turn of the reactor."""

    async def pour(self, payloads: Iterable[bytes]) -> None:
        """Sends a long answer piece by piece, no faster than the client takes it."""

    def close(self, reason: str) -> None:
        """Has the dialect say farewell, and closes."""

    def start(self, dialect: IDialect) -> Dialect:
        """Goes over to another dialect, from the next byte on."""

    def speak(self, name: str) -> bool:
        """Goes over to the dialect of a name; False if there is none."""


class Silence:
    """The variant of those who are told of no events."""

    echo = True

    def encode(self, event: Event) -> bytes:
        return b""


SILENCE = Silence()


class Dialect:
    """
    One connection's translator: what a dialect's package subclasses. Methods but `receive` need not
    be overridden.

    @ivar variant: how events are written for this client. Connections with the same bytes share one
        object.
    """

    __slots__ = ("wire",)

    variant: Variant = SILENCE

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def begin(self) -> None:
        """The connection speaks this dialect from now on."""

    def receive(self, data: bytes) -> Running | None:
        """
        A line without its LF (or, with the framing `reads`, whatever one read brought).

        @return: None, or a request for which the next line has to wait.
        """
        raise TypeError(f"{type(self).__name__} receives nothing")

    def overlong(self, beginning: bytes) -> None:
        """A line was too long, and was dropped."""

    def silent(self) -> None:
        """The client has said nothing for a second since it connected."""

    def ping(self, token: str) -> None:
        """The client has been silent for long: asks for a sign of life."""

    def acknowledge(self, event: Event, error: ChatError | None) -> None:
        """What the client said is stored; or, with an error, it is not."""

    def farewell(self, reason: str) -> None:
        """Says the last words before the connection is closed."""


class IDialect(Interface):
    """
    A dialect, as a Twisted plugin: a module in `twisted/plugins/` holds an object that provides
    this and `twisted.plugin.IPlugin`.
    """

    name = Attribute(
        "What listeners, `Wire.speak` and metrics call it: lower-case letters and digits (str)."
    )
    framing = Attribute("`lines`, or `reads`: what is handed to `Dialect.receive` (str).")
    alpn = Attribute(
        "The names by which a TLS client asks for it, RFC 7301 section 3.1 (tuple of bytes)."
    )

    def opens(line: bytes) -> bool:
        """
        Is this a first line of the dialect's? Only asked on listeners that no dialect is fixed for.
        """

    def make(wire: Wire) -> Dialect:
        """The translator for one connection."""
