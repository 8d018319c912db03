"""
What a dialect is: the interface that a third party's package implements to add its own, and what a
dialect may ask of its connection. See docs/dialects.md. A dialect owns no socket: bytes are handed
to it, and it writes bytes.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Protocol

from zope.interface import Attribute, Interface

from chatservice.controller.desk import Variant
from chatservice.controller.errors import ChatError
from chatservice.controller.events import (
    DirectMessage,
    DirectTag,
    Event,
    Left,
    Message,
    RankedMessage,
    RankedTag,
    TagMessage,
)
from chatservice.controller.session import Session

from .about import About

BY_LINES = "lines"
"""The framing of dialects that are handed one line at a time."""

BY_FRAMES = "frames"
"""
The framing of dialects that are handed one frame at a time, each preceded on the wire by its length
in bytes as a varint (Protocol Buffers, "Encoding", "Base 128 Varints").
"""

BY_READS = "reads"
"""The framing of dialects that are handed whatever one read brought."""

Running = Coroutine[Any, Any, None]
"""A request that is not finished yet. Until it is, the connection's next line waits."""


class Wire(Protocol):
    """
    A connection, as its dialect sees it.

    @ivar session: what the client may ask of the chat.
    @ivar server_name: the service's name, as clients are told.
    @ivar version: the service's version.
    @ivar greeted: has the line protocol's greeting been sent, before the client chose a dialect?
    @ivar line_bytes: the longest line of the dialect spoken, in bytes without its ending. The
        connection drops longer lines by itself; a dialect whose framing is `reads` holds its
        clients to it.
    """

    session: Session
    server_name: str
    version: str
    greeted: bool
    line_bytes: int

    @property
    def about(self) -> About:
        """What the service tells of itself."""

    @property
    def host(self) -> str:
        """
        The client's address as text, for operators' eyes alone: IPv4, or IPv6 in its short form
        (which may begin with a colon); "local" for a UNIX socket.
        """

    @property
    def address(self) -> str:
        """The same, as limits count it: an IPv4 address, an IPv6 /64, or "local"."""

    @property
    def secure(self) -> bool:
        """
        Can nobody on the way to the client read along? There is TLS, or a UNIX socket, or a trusted
        gateway says so.
        """

    @property
    def certfp(self) -> str:
        """
        The fingerprint of the client's TLS certificate: SHA-256 of its DER, lower-case hexadecimal;
        empty if it has shown none. Who vouches for the certificate is nobody's concern: the client
        has its private key, and that is all that this says.
        """

    def write(self, payload: bytes) -> None:
        """Sends bytes, with whatever else is written in this turn of the reactor."""

    async def pour(self, payloads: Iterable[bytes]) -> None:
        """
        Sends a long answer piece by piece, no faster than the client takes it. One at a time, so
        only from within what `Dialect.receive` returned. Events may come between the pieces.
        """

    def close(self, reason: str) -> None:
        """Has the dialect say farewell, and closes. What is written after that is not sent."""

    def start(self, dialect: IDialect) -> Dialect:
        """Goes over to another dialect, from the next byte on."""

    def can_speak(self, name: str) -> bool:
        """Is a dialect of that name installed? What is said before `speak` is said in this one."""

    def speak(self, name: str) -> bool:
        """Goes over to the dialect of a name; False if there is none."""

    def vouch(self, password: str, host: str, secure: bool) -> bool:
        """
        The client says that it is a gateway, and where its own client comes from (WEBIRC). If it is
        one that is trusted, the connection counts at that address from now on. Once a connection,
        and before anybody has logged in.

        @param password: the one that gateways share with this service.
        @param host: the address of the gateway's client.
        @param secure: has the gateway's client TLS, or the like?
        @return: False if it is not believed, and nothing has changed; or if too many come from that
            address, and the connection is closed by now.
        """


class Silence:
    """The variant of those who are told of no events."""

    echo = True

    def encode(self, event: Event) -> bytes:
        return b""

    def encode_all(self, events: Sequence[Event]) -> bytes:
        return b"".join([self.encode(event) for event in events])

    def overheard(self, event: Event) -> bytes:
        return b""


SILENCE = Silence()

_KNOWN_TO_THEIR_AUTHOR = frozenset(
    (Message, TagMessage, RankedMessage, RankedTag, DirectMessage, DirectTag, Left)
)


class Dialect:
    """
    One connection's translator: what a dialect's package subclasses. Methods but `receive` need not
    be overridden. What one of them raises is logged and closes the connection. That holds for a
    `ChatError` too: a dialect catches these, and words them.

    @ivar variant: how events are written for this client, to begin with; `Session.set_variant`
        changes it. Connections with the same bytes share one object, which tells what they have in
        common: a new one for each connection would cost all that variants save.
    """

    __slots__ = ("wire",)

    variant: Variant = SILENCE

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def begin(self) -> None:
        """The connection speaks this dialect from now on."""

    def receive(self, data: bytes) -> Running | None:
        """
        A line without its LF, but perhaps with the CR before it (or, with the framing `frames`, a
        frame without its length; with `reads`, whatever one read brought).

        @return: None, or a request for which the next line has to wait.
        """
        raise TypeError(f"{type(self).__name__} receives nothing")

    def overlong(self, beginning: bytes) -> Running | None:
        """
        A line was too long, and was dropped but for its beginning. A frame that was is the last
        that is handed over: where the next one begins is not known, so the connection is to be
        closed. Never called with the framing `reads`.

        @return: as `receive`.
        """
        return None

    def silent(self) -> None:
        """The client has said nothing for a second since it connected."""

    def ping(self, token: str) -> None:
        """The client has been silent for long: asks for a sign of life."""

    def acknowledge(self, event: Event, error: ChatError | None) -> None:
        """
        What the client said (`Session.say`, `Session.tell`) is stored and told to everybody; or,
        with an error, it is not and never will be. In the order in which it was said.
        """

    def echo(self, event: Event, payload: bytes) -> bytes:
        """
        What this client is told of what it has done itself. Only asked if the variant does not
        echo; then for every event of this client's, in the order of all that it is told.

        @param payload: what the others are told.
        @return: nothing for what was said, and for the leaving of a room; else what the others are
            told.
        """
        return b"" if type(event) in _KNOWN_TO_THEIR_AUTHOR else payload

    def noticed(self, event: Event) -> None:
        """
        Something happened that no variant tells of, because it is told one by one: a user whom this
        client watches (`Session.watch`) came, went, or changed; a server operator said something to
        everybody (`Wallops`); a room that this client was in is gone (`RoomDeleted`; the variant
        has told it by then). Once an event, though it may concern two users that are watched.
        """

    def farewell(self, reason: str) -> None:
        """Says the last words before the connection is closed, whoever closes it."""


class IDialect(Interface):
    """
    A dialect, as a Twisted plugin: a module in `twisted/plugins/` holds an object that provides
    this and `twisted.plugin.IPlugin`.

    It may have one attribute more, `line_bytes` (int): the longest line, in bytes without its
    ending, of a dialect whose specification says what that is. Others get what `limits.line_bytes`
    says.
    """

    name = Attribute(
        "What listeners, `Wire.speak` and metrics call it: a lower-case letter, and then "
        "lower-case letters, digits and underscores (str). No two dialects have the same."
    )
    framing = Attribute("`lines`, `frames` or `reads`: what `Dialect.receive` is handed (str).")
    alpn = Attribute(
        "The names by which a TLS client asks for it, RFC 7301 section 3.1 (tuple of bytes). No "
        "two dialects have the same."
    )

    def opens(line: bytes) -> bool:
        """
        Is this (a line without its ending) a first line of the dialect's? Only asked on listeners
        that no dialect is fixed for, and never with the framing `frames`. If several say yes, the
        one whose name sorts first gets the connection; the line protocol gets it if none does.
        """

    def make(wire: Wire) -> Dialect:
        """The translator for one connection."""
