"""
What all connections share, and what each of them is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from twisted.internet.interfaces import IReactorTime

from chatservice.controller.desk import Desk
from chatservice.controller.session import Session
from chatservice.translation.about import About
from chatservice.translation.registry import Dialects

from .admission import Refusal
from .gateways import Gateways
from .outbox import Outboxes

if TYPE_CHECKING:
    from .connection import Connection


@dataclass(frozen=True, slots=True)
class Patience:
    """
    What one connection is allowed.

    @ivar handshake: seconds to finish the TLS handshake.
    @ivar login: seconds to log in.
    @ivar idle: seconds without a line.
    @ivar ping: seconds before `idle` is reached at which the client is asked for a sign of life.
    @ivar greeting: seconds of silence before the greeting.
    @ivar line: bytes of a line.
    @ivar sendq: bytes that may wait for the client to read them.
    """

    handshake: float = 10
    login: float = 120
    idle: float = 900
    ping: float = 60
    greeting: float = 1
    line: int = 4096
    sendq: int = 1 << 20


class Registry(Protocol):
    """Who keeps all connections."""

    def add(self, connection: Connection) -> None:
        """It is there."""

    def discard(self, connection: Connection) -> None:
        """It is gone."""

    def moves(self, connection: Connection, host: str) -> Refusal | None:
        """It comes from `host`, it turns out: why it cannot, or None if it is counted there."""

    def departed(self, session: Session) -> None:
        """It is gone because the service stopped; its user is still in the state."""

    def speaks(self, connection: Connection, before: str) -> None:
        """It has gone over to another dialect, from one of that name (or none)."""

    def sendq_exceeded(self) -> None:
        """One is closed because it does not read."""


@dataclass(frozen=True, slots=True)
class Hall:
    """What all connections share."""

    clock: IReactorTime
    desk: Desk
    registry: Registry
    outboxes: Outboxes
    dialects: Dialects
    patience: Patience
    server_name: str
    version: str
    about: About = field(default_factory=About)
    gateways: Gateways = field(default_factory=Gateways)
