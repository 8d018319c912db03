"""
What sessions share, and what they are handed: the controller, and the parts of the house that it
knows by interface alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from .controller import Controller
from .errors import ChatError
from .events import Event, Killed
from .rate import Allowance

if TYPE_CHECKING:
    from .session.base import SessionBase


class Proof(Protocol):
    """
    An account that somebody has shown to be theirs.

    @ivar name: its name, as shown.
    @ivar key: the same, case-folded.
    """

    @property
    def name(self) -> str: ...

    @property
    def key(self) -> str: ...


class Exchange(Protocol):
    """A SCRAM exchange under way (RFC 5802): messages in, messages out."""

    async def first(self, message: bytes) -> bytes:
        """
        The answer to the client's first message.

        @raise BadPassword: it is not as the RFC has it.
        """

    async def final(self, message: bytes) -> tuple[bytes, Proof]:
        """
        The answer to the client's last message, and whose account it is.

        @raise BadPassword: the proof is wrong.
        @raise TooFast: too many wrong ones came.
        """

    def abandon(self) -> None:
        """The client gives it up."""


class Authenticator(Protocol):
    """Who says whether a name and what is shown for it belong together."""

    async def authenticate(self, nick: str, password: str, address: str) -> Proof:
        """
        The account of a name, by its password.

        @raise BadNick: it cannot be a name.
        @raise BadPassword: they do not belong together.
        @raise TooFast: too many wrong ones came from that address, or for that nick.
        """

    def scram(self, address: str) -> Exchange:
        """An account by a SCRAM-SHA-256 exchange."""

    def external(self, fingerprint: str, authzid: str) -> Proof:
        """
        The account that a client certificate vouches for.

        @raise BadPassword: none, or another one than C{authzid}, if that is not empty.
        """


class Hasher(Protocol):
    """Who turns a password into a verifier that can be stored."""

    def hash(self, password: str) -> Deferred[str]:
        """
        @raise BadPassword: it cannot be one.
        @raise Unavailable: too many are being worked on.
        """


class Variant(Protocol):
    """
    A way to write events, shared by all connections that would get the same bytes.

    @ivar echo: do authors get the same bytes as everybody else? If not, `Outlet.echo` is asked what
        they get.
    """

    echo: bool

    def encode(self, event: Event) -> bytes:
        """The bytes of an event; empty if this variant has none for it."""

    def encode_all(self, events: Sequence[Event]) -> bytes:
        """
        The bytes of events that happened at once in one place, in their order: those of each,
        joined, unless there is a shorter way. Only asked if authors get the same.
        """
        return b"".join([self.encode(event) for event in events])

    def overheard(self, event: Event) -> bytes:
        """
        The bytes of an invitation for those who are in the room that somebody else is invited to;
        empty if they are not told.
        """
        return b""


@dataclass(frozen=True, slots=True)
class Card:
    """
    What is known of a connection that is for its user, and those who run the server, alone.

    @ivar host: where it comes from.
    @ivar certfp: the fingerprint of its client certificate, or the empty string.
    """

    host: str
    certfp: str = ""


class Cards(Protocol):
    """
    Where several servers keep the cards of their users' connections for one another: beside the
    journal, which holds nothing of the kind.
    """

    def keep(self, visit: str, card: Card) -> None:
        """Somebody has logged in (the id of that event) by way of this connection."""

    def drop(self, visit: str) -> None:
        """They are gone."""

    async def show(self, node: str, visit: str) -> Card | None:
        """The card of somebody who is connected to another server; None if nobody can tell now."""


class NoCards:
    """There is one server."""

    def keep(self, visit: str, card: Card) -> None:
        """Its own connections are asked themselves."""

    def drop(self, visit: str) -> None:
        """See C{keep}."""

    async def show(self, node: str, visit: str) -> Card | None:
        return None


class Presence(Protocol):
    """Who keeps track of which connections are whose: delivery."""

    def attach(self, recipient: SessionBase) -> None:
        """The session's user has logged in."""

    def regroup(self, recipient: SessionBase, variant: Variant) -> None:
        """The session is written in another variant from now on."""

    def connections(self, key: str) -> Sequence[SessionBase]:
        """The sessions of a user."""

    def detach(self, recipient: SessionBase) -> None:
        """The session has no user any more, and nobody is told."""

    def places(self, key: str) -> Sequence[str]:
        """The ids of the rooms that a user is told of."""

    def watch(self, recipient: SessionBase, key: str) -> None:
        """
        The session hears (`Outlet.noticed`) of the coming, going and changing of whoever has that
        key, until it logs out.
        """

    def unwatch(self, recipient: SessionBase, key: str) -> None:
        """It does not hear of that key any more."""

    def unwatch_all(self, recipient: SessionBase) -> None:
        """It hears of nobody that way any more."""


class Outlet(Protocol):
    """
    The connection, as the controller sees it.

    @ivar host: where it comes from; for those who run the server.
    @ivar secure: can nobody on the way read along?
    @ivar certfp: the fingerprint of its client certificate, or the empty string.
    """

    @property
    def host(self) -> str: ...

    @property
    def secure(self) -> bool: ...

    @property
    def certfp(self) -> str: ...

    def write(self, payload: bytes) -> None:
        """Takes bytes for the client."""

    def acknowledge(self, event: Event, error: ChatError | None) -> None:
        """What the client said is stored; or, with an error, it is not."""

    def echo(self, event: Event, payload: bytes) -> bytes:
        """
        What the author of an event gets, if the variant does not echo: the client has done it.

        @param payload: what everybody else of the variant gets.
        """

    def noticed(self, event: Event) -> None:
        """
        Something happened that is not told by variant: a user is watched, a server operator speaks
        to everybody, or a room went that the client was in.
        """

    def expelled(self, event: Killed) -> None:
        """Its user is put out of the service: says so and closes."""

    def close(self, reason: str) -> None:
        """Says goodbye and closes."""

    def crashed(self, reason: Failure) -> None:
        """Something of this connection's broke: logs it and closes, with nobody else concerned."""


def card_of(outlet: Outlet) -> Card:
    """What is told of a connection to those who may see it."""
    return Card(outlet.host, outlet.certfp)


@dataclass(frozen=True, slots=True)
class Flow:
    """
    How much one connection may ask for.

    @ivar rate: requests a second; 0 sets no limit.
    @ivar burst: requests at once, after a rest.
    @ivar refusals: how many in a row are refused as too fast, before the connection is closed.
    """

    rate: float = 0
    burst: int = 0
    refusals: int = 20


@dataclass(frozen=True, slots=True)
class Desk:
    """
    What all sessions share: whom they turn to.

    @ivar cloak: how an address is shown to others.
    @ivar cards: of those who are connected to other servers.
    """

    clock: IReactorTime
    controller: Controller
    presence: Presence
    authenticator: Authenticator
    hasher: Hasher
    registrations: Allowance
    flow: Flow = Flow()
    cloak: Callable[[str], str] = lambda _: "chat.ip"
    cards: Cards = NoCards()  # noqa: RUF009 - it holds nothing
