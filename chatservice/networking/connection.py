"""
One client's connection: bytes to its dialect and back, one line at a time, with the limits of a
stranger. A defect in the handling of one connection ends here: it closes that connection, is logged
with its name, and touches nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import connectionDone
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from chatservice.controller.errors import ChatError
from chatservice.controller.events import Event, Killed
from chatservice.controller.session import Session
from chatservice.translation.about import About
from chatservice.translation.interface import BY_LINES, Dialect, IDialect
from chatservice.translation.opening import Opening
from chatservice.translation.registry import line_bytes_of

from .admission import LOCAL, address_group, plain_address
from .deadlines import Deadlines
from .eager import sendq_of
from .endpoint_strings import is_loopback
from .framing import FRAMINGS, Framing, Overlong
from .hall import Hall
from .outbox import Outbox
from .pacing import Pace, next_piece
from .tcp_options import set_tcp_options
from .tls import certfp_of

_CLIENT_HELLO = b"\x16\x03"
"""How a TLS client begins: a handshake record (RFC 8446 section 5.1)."""

_HANDSHAKE_FAILURE = b"\x15\x03\x03\x00\x02\x02\x28"
"""The fatal alert handshake_failure (RFC 8446 section 6.2)."""


@implementer(IHandshakeListener)
class Connection(LineReceiver):
    """
    @param hall: what it shares with all others.
    @param host: where the client comes from, or of whom it is a proxy.
    @param address: the same, as limits count it: an address, or an IPv6 network.
    @param fixed: the dialect of the listener, or None to find out.
    @param encrypted: will there be a TLS handshake first?
    """

    log = Logger()

    transport: Any
    """TLS, TCP or UNIX: an `ITransport` and `IConsumer` that can pause, abort, and queue."""

    greeted = False
    _vouched = False

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
        self.secure = encrypted or host == LOCAL
        # A first line may be as long as any dialect has them.
        self.line_bytes = max(hall.patience.line, hall.dialects.longest_line)
        self.dialect_name = ""
        self._framed_by = BY_LINES
        self._framing: Framing = FRAMINGS[BY_LINES](self.line_bytes)
        self._waiting: list[bytes] = []
        self._unframed: list[bytes] = []
        self._running: Deferred[None] | None = None
        self._reframed_by = ""
        self._begun = self._placed = False
        self._leaving = False
        self._closing = False
        self._lost = False
        self._departed = False
        self._reason = "connection closed"
        self._pace: Pace | None = None

    # The life of a connection.

    def connectionMade(self) -> None:
        hall = self._hall
        self._outbox = Outbox(hall.outboxes, self.transport.write, self.crashed)
        self.session = Session(hall.desk, self.address, self, Dialect.variant)
        self._dialect: Dialect = Opening(self, hall.dialects)
        self._deadlines = Deadlines(hall.clock, hall.patience, self)
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
        self._deadlines.begun()
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
        host = plain_address(getattr(self.transport.getPeer(), "host", self.host)) or self.host
        if host != self.host and self._move(host):
            self.secure = self._encrypted

    def _move(self, host: str) -> bool:
        """Counts it at another address from now on, or closes it if there are too many."""
        refusal = self._hall.registry.moves(self, host)
        if refusal is not None:
            self.log.info("{host} is refused: {refusal}", host=host, refusal=refusal.value)
            self.close(refusal.value)
            return False
        self.host = host
        self.address = self.session.address = address_group(host)
        return True

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._closing = self._lost = True
        self._waiting.clear()
        self._unframed.clear()
        self._outbox.close()
        self._deadlines.broke_silence()
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
        first = self._deadlines.broke_silence()
        if first and not self._encrypted and data.startswith(_CLIENT_HELLO):
            self._refuse_tls()
        if not self._placed:
            self._place()
        if self._closing or self._leaving:
            return
        if self._running is not None:
            # What runs may go over to another dialect, which frames it otherwise.
            self._unframed.append(data)
        else:
            self._take(data)

    def _take(self, data: bytes) -> None:
        units = self._reframe(self._framing.feed(data))
        if units:  # half a line is no sign of life
            self._deadlines.heard()
            self._receive(units)

    def _reframe(self, units: Sequence[bytes]) -> Sequence[bytes]:
        """
        What was read but not handed on yet: `units`, or if the dialect has changed to one that
        frames otherwise, the same bytes as that one gets them.
        """
        wanted, self._reframed_by = self._reframed_by, ""
        if not wanted:
            return units
        if wanted == self._framed_by:
            return self._framing.hold_to(self.line_bytes, units)
        unread = self._framing.drain(units)
        self._framed_by, self._framing = wanted, FRAMINGS[wanted](self.line_bytes)
        return self._framing.feed(unread)

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
                if self._reframed_by:
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
            self._catch_up()

    def _catch_up(self) -> None:
        """What came while a request ran is looked at, until another one runs."""
        while self._running is None and not self._closing:
            if not self._unframed:
                self.transport.resumeProducing()
                return
            self._take(self._unframed.pop(0))

    def stop_reading(self) -> None:
        """The service stops: what is being answered is, to its end, and nothing more."""
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
        self.write(next_piece(rest))
        piece = next_piece(rest)
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
                piece = next_piece(rest)
        finally:
            self._pace = None
            self.transport.unregisterProducer()

    def start(self, dialect: IDialect) -> Dialect:
        self._reframed_by = dialect.framing
        self.line_bytes = line_bytes_of(dialect) or self._hall.patience.line
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

    @property
    def about(self) -> About:
        return self._hall.about

    @property
    def certfp(self) -> str:
        # A gateway's certificate is not its client's.
        return certfp_of(self.transport) if self._encrypted and not self._vouched else ""

    def vouch(self, password: str, host: str, secure: bool) -> bool:
        address = plain_address(host)
        if (
            address is None
            or self._vouched
            or self.session.key
            or not self._hall.gateways.trust(self.host, password)
        ):
            self.log.info("{host} is not believed to be a gateway", host=self.host)
            return False
        self._vouched = True
        secure = secure and (self._encrypted or self.host == LOCAL or is_loopback(self.host))
        if not self._move(address):
            return False
        self.secure = secure
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
        self._deadlines.closing(self.transport.abortConnection)
        # It is not read any more while a request runs or the service stops, but that the client
        # closes too is only seen by reading.
        self.transport.resumeProducing()
        self.transport.loseConnection()
        self._depart()

    # What the controller asks for (`controller.desk.Outlet`).

    def acknowledge(self, event: Event, error: ChatError | None) -> None:
        if not self._closing:
            self._dialect.acknowledge(event, error)

    def echo(self, event: Event, payload: bytes) -> bytes:
        return b"" if self._closing else self._dialect.echo(event, payload)

    def noticed(self, event: Event) -> None:
        if not self._closing:
            self._dialect.noticed(event)

    def expelled(self, event: Killed) -> None:
        self.close(_verdict(event))

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

    # What its deadlines ask for (`deadlines.Held`).

    def check(self, now: float) -> None:
        """Called every second or so: is anything of this connection's overdue?"""
        self._deadlines.check(now, self._closing)

    @property
    def has_user(self) -> bool:
        return bool(self.session.key)

    def greet(self) -> None:
        self._guard(self._dialect.silent)

    def ask_for_life(self) -> None:
        self._guard(self._dialect.ping, self.server_name)

    def _sendq_exceeded(self) -> None:
        self._hall.registry.sendq_exceeded()
        self.log.info("{connection} does not read: closed", connection=self._name)
        self._closing = True
        self._outbox.close()
        self.transport.abortConnection()


def _verdict(event: Killed) -> str:
    """Why a client is put out, in words for it."""
    if event.reclaimed:
        return "your nick was taken back by its owner"
    by = f"killed by {event.nick}"
    return f"{by}: {event.reason}" if event.reason else by
