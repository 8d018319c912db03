"""
What sessions share, and what they are handed: the controller, and the parts of the house that it
knows by interface alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from .controller import Controller
from .errors import ChatError
from .events import Event
from .rate import Allowance

if TYPE_CHECKING:
    from .session import Session


class Authenticator(Protocol):
    """Who says whether a nick and a password belong together."""

    async def authenticate(self, nick: str, password: str, address: str) -> object:
        """
        @raise BadPassword: they do not.
        @raise TooFast: too many wrong ones came from that address, or for that nick.
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

    @ivar echo: does the author of a message get it too?
    """

    echo: bool

    def encode(self, event: Event) -> bytes:
        """The bytes of an event; empty if this variant has none for it."""


class Presence(Protocol):
    """Who keeps track of which connections are whose: delivery."""

    def attach(self, recipient: Session) -> None:
        """The session's user has logged in."""

    def regroup(self, recipient: Session, variant: Variant) -> None:
        """The session is written in another variant from now on."""


class Outlet(Protocol):
    """The connection, as the controller sees it."""

    def write(self, payload: bytes) -> None:
        """Takes bytes for the client."""

    def acknowledge(self, event: Event, error: ChatError | None) -> None:
        """What the client said is stored; or, with an error, it is not."""

    def close(self, reason: str) -> None:
        """Says goodbye and closes."""

    def crashed(self, reason: Failure) -> None:
        """Something of this connection's broke: logs it and closes, with nobody else concerned."""


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
    """What all sessions share: whom they turn to."""

    clock: IReactorTime
    controller: Controller
    presence: Presence
    authenticator: Authenticator
    hasher: Hasher
    registrations: Allowance
    flow: Flow = Flow()
