"""
One client's connection: bytes to its dialect and back, one line at a time, with the limits of a
stranger. A defect in the handling of one connection ends here: it closes that connection, is logged
with its name, and touches nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IDelayedCall,
    IHandshakeListener,
)
from twisted.internet.protocol import connectionDone
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from chatservice.controller.errors import ChatError
from chatservice.controller.events import Event
from chatservice.controller.session import Session
from chatservice.translation.interface import BY_READS, Dialect, IDialect
from chatservice.translation.opening import Opening

from .admission import address_group
from .eager import sendq_of
from .framing import LineBuffer, Overlong
from .hall import Hall
from .outbox import Outbox
from .pacing import Pace
from .tcp_options import set_tcp_options

_CLOSING_SECONDS = 5.0
"""How long a client may take to read the last words."""

_POURED = 16_384
"""Bytes of a long answer that are written before the client's reading is waited for."""

_CLIENT_HELLO = b"\x16\x03"
"""How a TLS client begins: a handshake record (RFC 8446 section 5.1)."""

_HANDSHAKE_FAILURE = b"\x15\x03\x03\x00\x02\x02\x28"
"""The fatal alert handshake_failure (RFC 8446 section 6.2)."""


@implementer(IHandshakeListener)
class Connection(LineReceiver):
    """
    @param hall: what it shares with all others.
    @param host: where the client comes from.
    @param address: the same, as limits count it: an address, or an IPv6 network.
    @param fixed: the dialect of the listener, or None to find out.
    @param encrypted: will there be a TLS handshake first?
    """

    log = Logger()

    transport: Any
    """TLS, TCP or UNIX: an `ITransport` and `IConsumer` that can pause, abort, and queue."""

    greeted = False

    def __init__(
        self, hall: Hall, host: str, address: str, fixed: IDialect | None, encrypted: bool
    ) -> None:
        self._hall = hall
        self._fixed = fixed
        self._encrypted = encrypted
        self.host = host
        self.address = address
        self.server_name = hall.server_name
        self.version = hall.version
        self.line_bytes = hall.patience.line
        self.dialect_name = ""
        self._lines = LineBuffer(hall.patience.line)
        self._waiting: list[bytes] = []
        self._running: Deferred[None] | None = None
        self._reads = self._wants_reads = False
        self._begun = self._placed = False
        self._heard = False
        self._resting = False
        self._leaving = False
        self._closing = False
        self._lost = False
        self._departed = False
        self._reason = "connection closed"
        self._silence: IDelayedCall | None = None
        self._pace: Pace | None = None

    # The life of a connection.

    def connectionMade(self) -> None:
        hall = self._hall
        self._outbox = Outbox(hall.outboxes, self.transport.write, self.crashed)
        self.session = Session(hall.desk, self.address, self, Dialect.variant)
        self._dialect: Dialect = Opening(self, hall.dialects)
        self._expire(hall.patience.handshake, self._late)
        hall.registry.add(self)
        sendq = sendq_of(self.transport)
        if sendq is not None:
            sendq.limit_sendq(hall.patience.sendq, self._sendq_exceeded)
        set_tcp_options(self.transport)
        if not self._encrypted:
            self._begin(None)

    def handshakeCompleted(self) -> None:
        """TLS is there (`IHandshakeListener`)."""
        self._begin(self.transport.negotiatedProtocol)

    def _begin(self, alpn: bytes | None) -> None:
        self._begun = True
        patience = self._hall.patience
        self._expire(patience.login, self._late)
        self._silence = self._hall.clock.callLater(patience.greeting, self._silent)
        chosen = self._fixed or self._hall.dialects.negotiated(alpn)
        if chosen is not None:
            self._guard(self.start, chosen)
            self._reframe(())
        if self._encrypted:
            self._place()

    def _place(self) -> None:
        """
        What a proxy said of where the client comes from (the PROXY protocol) is known when the
        client's own first bytes are: from here on it counts at its own address.
        """
        self._placed = True
        host = getattr(self.transport.getPeer(), "host", self.host)
        if host == self.host:
            return
        refusal = self._hall.registry.moves(self, host)
        if refusal is not None:
            self.log.info("{host} is refused: {refusal}", host=host, refusal=refusal.value)
            self.close(refusal.value)
            return
        self.host = host
        self.address = self.session.address = address_group(host)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._closing = self._lost = True
        self._waiting.clear()
        self._outbox.close()
        self._hush()
        self._hall.registry.discard(self)
        self.session.hang_up()
        self._depart()

    def _depart(self) -> None:
        """
        Once nothing more is read and no request is under way, the user is gone: a client that takes
        its time to close is not waited for. If it is the service that stops, its user is left in
        the state: the next process finds everybody gone.
        """
        if self._departed or self._running is not None:
            return
        if not self._leaving:
            self.session.close(self._reason)
        elif self._lost:
            self._hall.registry.departed(self.session)
        else:
            return
        self._departed = True

    # What is read.

    def dataReceived(self, data: bytes) -> None:
        if self._silence is not None:
            self._hush()
            if not self._encrypted and data.startswith(_CLIENT_HELLO):
                self._refuse_tls()
        if not self._placed:
            self._place()
        if self._closing or self._leaving:
            return
        units: Sequence[bytes] = [data] if self._reads else self._lines.feed(data)
        if self._running is None:
            units = self._reframe(units)
        if not units:
            return  # half a line is no sign of life
        self._heard = True
        if self._running is not None:
            self._waiting.extend(units)
        else:
            self._receive(units)

    def _reframe(self, units: Sequence[bytes]) -> Sequence[bytes]:
        """
        What was read but not handed on yet: `units`, or if the dialect has changed to one that
        frames otherwise, the same bytes as that one gets them.
        """
        if self._reads is self._wants_reads:
            return units
        self._reads = self._wants_reads
        if not self._reads:
            return self._lines.feed(b"".join(units))
        rest = self._lines.drain(list(units))
        return [rest] if rest else []

    def _receive(self, units: Sequence[bytes]) -> None:
        """Hands lines (or reads) to the dialect, until one of them has to be waited for."""
        remaining = iter(units)
        try:
            for unit in remaining:
                if type(unit) is Overlong:
                    running = self._dialect.overlong(unit)
                else:
                    running = self._dialect.receive(unit)
                if running is not None:
                    self._running = Deferred.fromCoroutine(running)
                    self._running.addErrback(self.crashed)
                    if not self._running.called:
                        self._waiting = list(remaining)
                        if not self._closing:
                            self.transport.pauseProducing()
                        self._running.addCallback(self._finished)
                        return
                    self._running = None
                if self._closing:
                    return
                if self._reads is not self._wants_reads:
                    self._receive(self._reframe(list(remaining)))
                    return
        except Exception:  # noqa: BLE001 - supervised here
            self.crashed(Failure())

    def _finished(self, _: None) -> None:
        self._running = None
        if self._closing:
            self._depart()
        elif not self._leaving:
            waiting, self._waiting = self._waiting, []
            self._receive(self._reframe(waiting))
            if self._running is None:
                self.transport.resumeProducing()

    def stop_reading(self) -> None:
        """The service stops: what was read already is answered, and nothing more is."""
        self._leaving = True
        self.transport.pauseProducing()

    def _refuse_tls(self) -> None:
        """A TLS client came to a listener for plain text: it gets the alert that it understands."""
        self.transport.write(_HANDSHAKE_FAILURE)
        self._closing = True
        self.transport.loseConnection()

    # What the dialect asks for (`translation.interface.Wire`).

    def write(self, payload: bytes) -> None:
        self._outbox.write(payload)

    async def pour(self, payloads: Iterable[bytes]) -> None:
        rest = iter(payloads)
        self.write(_piece(rest))
        piece = _piece(rest)
        if not piece:
            return
        pace = self._pace = Pace()
        self.transport.registerProducer(pace, True)
        try:
            while piece and not self._closing:
                self._outbox.flush()
                await pace.ready()
                # Others get their turn, even if this client takes all at once.
                await deferLater(self._hall.clock, 0)
                self.write(piece)
                piece = _piece(rest)
        finally:
            self._pace = None
            self.transport.unregisterProducer()

    def start(self, dialect: IDialect) -> Dialect:
        self._wants_reads = dialect.framing == BY_READS
        self._dialect = dialect.make(self)
        before, self.dialect_name = self.dialect_name, dialect.name
        self.session.set_variant(self._dialect.variant)
        self._hall.registry.speaks(self, before)
        self._dialect.begin()
        return self._dialect

    def can_speak(self, name: str) -> bool:
        return self._hall.dialects.named(name) is not None

    def speak(self, name: str) -> bool:
        dialect = self._hall.dialects.named(name)
        if dialect is None:
            return False
        self.start(dialect)
        return True

    def close(self, reason: str) -> None:
        if self._closing:
            return
        self._closing, self._reason = True, reason
        if self._begun:
            self._guard(self._dialect.farewell, reason)
        self._outbox.flush()
        self._outbox.close()
        if self._pace is not None:
            self._pace.stopProducing()
        self._expire(_CLOSING_SECONDS, self.transport.abortConnection)
        # It is not read any more while a request runs or the service stops, but that the client
        # closes too is only seen by reading.
        self.transport.resumeProducing()
        self.transport.loseConnection()
        self._depart()

    # What the controller asks for (`controller.desk.Outlet`).

    def acknowledge(self, event: Event, error: ChatError | None) -> None:
        if not self._closing:
            self._dialect.acknowledge(event, error)

    def crashed(self, reason: Failure) -> None:
        """Something of this connection's broke: logs it and closes, with nobody else concerned."""
        self.log.failure("{connection} broke", reason, connection=self._name)
        self.close("internal error")

    def _guard(self, call: Callable[..., object], *arguments: object) -> None:
        """Calls the dialect when nobody else would notice that it broke."""
        try:
            call(*arguments)
        except Exception:  # noqa: BLE001 - supervised here
            self.crashed(Failure())

    @property
    def _name(self) -> str:
        return f"{self.address} ({self.session.key or 'not logged in'}, {self.dialect_name})"

    # Time.

    def _expire(self, seconds: float, late: Callable[[], None]) -> None:
        self._deadline = self._hall.clock.seconds() + seconds
        self._on_deadline = late

    def check(self, now: float) -> None:
        """Called every second or so: is anything of this connection's overdue?"""
        if not self._closing:
            self._look_for_life()
        if now >= self._deadline:
            self._on_deadline()

    def _look_for_life(self) -> None:
        heard, self._heard = self._heard, False
        if self.session.key:
            if heard:
                self._rest()
        elif self._resting:
            # Logged out: the time to log in begins anew.
            self._resting = False
            self._expire(self._hall.patience.login, self._late)

    def _rest(self) -> None:
        self._resting = True
        patience = self._hall.patience
        self._expire(patience.idle - patience.ping, self._ask_for_life)

    def _late(self) -> None:
        if self.session.key:
            self._rest()
        else:
            self.close("too slow to log in")

    def _ask_for_life(self) -> None:
        self._expire(self._hall.patience.ping, self._idle)
        self._guard(self._dialect.ping, self.server_name)

    def _idle(self) -> None:
        self.close("idle for too long")

    def _silent(self) -> None:
        self._silence = None
        self._guard(self._dialect.silent)

    def _hush(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def _sendq_exceeded(self) -> None:
        self._hall.registry.sendq_exceeded()
        self.log.info("{connection} does not read: closed", connection=self._name)
        self._closing = True
        self._outbox.close()
        self.transport.abortConnection()


def _piece(payloads: Iterator[bytes]) -> bytes:
    """The next of them, a piece's worth; nothing if there are no more."""
    taken, size = [], 0
    for payload in payloads:
        taken.append(payload)
        size += len(payload)
        if size >= _POURED:
            break
    return b"".join(taken)
