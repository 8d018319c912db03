"""A test bench: the whole service but for sockets, threads and time. Clients hand bytes to real
connections and read bytes back; the clock stands still until a test moves it.

Passwords are compared in the open, and the journal is in memory, can be held up, and can be full.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from chatservice.controller.controller import Controller
from chatservice.controller.desk import Desk, Flow
from chatservice.controller.events import Event, ModeChange, ModesChanged
from chatservice.controller.log import Point
from chatservice.controller.policy import Policy
from chatservice.controller.rate import Allowance
from chatservice.controller.records import Record
from chatservice.controller.session import Session
from chatservice.controller.state import RecordKey
from chatservice.delivery import Delivery
from chatservice.journal.commit import GroupCommit
from chatservice.journal.interface import NotStored
from chatservice.journal.memory import MemoryJournal
from chatservice.networking.admission import Refusal
from chatservice.networking.connection import Connection
from chatservice.networking.hall import Hall, Patience
from chatservice.networking.outbox import Outboxes
from chatservice.translation.registry import Dialects
from tests.doorman import Doorman

SERVER = "chat.example"
VERSION = "1.2.3"
GREETING = f"HELLO:{SERVER}:{VERSION}"
NOW = 1_800_000_000.0
"""The time at which every house opens, seconds since 1970."""


class Shelf(MemoryJournal):
    """A journal that a test can hold up, or fill.

    Attributes:
        full: whether batches are refused.
        readable: whether the history can be read.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.full = False
        self.readable = True
        self._held: list[Callable[[], object]] | None = None

    def hold(self) -> None:
        """Commit nothing until `release`."""
        self._held = []

    def release(self) -> None:
        """Commit what was held, and go on."""
        held, self._held = self._held or [], None
        for commit in held:
            commit()

    def commit(
        self, events: Sequence[Event], records: Mapping[RecordKey, Record | None], mark: str
    ) -> Deferred[None]:
        if self._held is None:
            return self._commit(events, records, mark)
        done: Deferred[None] = Deferred()
        self._held.append(lambda: self._commit(events, records, mark).chainDeferred(done))
        return done

    def _commit(
        self, events: Sequence[Event], records: Mapping[RecordKey, Record | None], mark: str
    ) -> Deferred[None]:
        if self.full:
            failed: Deferred[None] = Deferred()
            failed.errback(NotStored("the disk is full"))
            return failed
        return super().commit(events, records, mark)

    def history(
        self,
        target: str,
        kinds: Sequence[str],
        limit: int,
        before: Point = "",
        after: Point = "",
        oldest: bool = False,
    ) -> Deferred[list[Event]]:
        if self.readable:
            return super().history(target, kinds, limit, before, after, oldest)
        failed: Deferred[list[Event]] = Deferred()
        failed.errback(NotStored("the disk is gone"))
        return failed


class Book:
    """The registry of connections.

    Attributes:
        live: those that are there.
        left_behind: the sessions of those that were closed because the service stopped.
        by_dialect: how many connections speak each.
        overflowed: how many were closed because they did not read.
    """

    def __init__(self) -> None:
        self.live: list[Connection] = []
        self.left_behind: list[Session] = []
        self.by_dialect: Counter[str] = Counter()
        self.overflowed = 0

    def add(self, connection: Connection) -> None:
        self.live.append(connection)

    def discard(self, connection: Connection) -> None:
        self.live.remove(connection)

    def departed(self, session: Session) -> None:
        self.left_behind.append(session)

    def moves(self, connection: Connection, host: str) -> Refusal | None:
        return None

    def speaks(self, connection: Connection, before: str) -> None:
        self.by_dialect[before] -= 1
        self.by_dialect[connection.dialect_name] += 1

    def sendq_exceeded(self) -> None:
        self.overflowed += 1


class Pipe:
    """A transport whose other end is a test.

    Attributes:
        writes: what the connection has written, a piece a write.
        reading: whether it would be handed bytes.
        disconnecting: whether the server has begun to close.
        aborted: whether it did so without waiting.
        lingers: whether the other end leaves it open when the server closes.
    """

    def __init__(self, clock: Clock, alpn: bytes | None) -> None:
        self._clock = clock
        self.negotiatedProtocol = alpn
        self.protocol: Connection | None = None
        self.writes: list[bytes] = []
        self.reading = True
        self.disconnecting = False
        self.aborted = False
        self.lingers = False
        self._unread: list[bytes] = []

    def carry(self, data: bytes) -> None:
        """Hand bytes to the connection, when it reads."""
        self._unread.append(data)
        self._feed()

    def _feed(self) -> None:
        while self._unread and self.reading and self.protocol is not None:
            self.protocol.dataReceived(self._unread.pop(0))

    def write(self, data: bytes) -> None:
        if not self.disconnecting:
            self.writes.append(data)

    def getPeer(self) -> UNIXAddress:
        return UNIXAddress(None)

    def getPeerCertificate(self) -> None:
        """The client has shown none."""

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        self.reading = True
        # As a reactor does, in a later turn.
        self._clock.callLater(0, self._feed)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """It takes all at once."""

    def unregisterProducer(self) -> None:
        """See `registerProducer`."""

    def loseConnection(self) -> None:
        self.disconnecting = True
        if not self.lingers:
            self._clock.callLater(0, self.lose)

    def abortConnection(self) -> None:
        self.disconnecting = self.aborted = True
        self._clock.callLater(0, self.lose)

    def lose(self) -> None:
        """The connection is gone."""
        protocol, self.protocol = self.protocol, None
        if protocol is not None:
            protocol.connectionLost(Failure(ConnectionDone()))


class Client:
    """Somebody who is connected to a house.

    Attributes:
        pipe: the transport.
    """

    def __init__(self, house: House, connection: Connection, pipe: Pipe) -> None:
        self._house = house
        self._connection = connection
        self.pipe = pipe
        self._read = 0

    # What the client does.

    def send(self, *lines: str) -> None:
        """Send lines in one packet, and wait until all that comes of it has happened."""
        self.send_bytes("".join(line + "\r\n" for line in lines).encode())

    def send_bytes(self, data: bytes) -> None:
        """Send bytes in one packet, and wait until all that comes of it has happened."""
        self.pipe.carry(data)
        self._house.settle()

    def hang_up(self) -> None:
        """Close the connection."""
        self.pipe.lose()
        self._house.settle()

    # What the client got.

    def received(self) -> bytes:
        """What came since the last look."""
        data = b"".join(self.pipe.writes[self._read :])
        self._read = len(self.pipe.writes)
        return data

    def writes(self) -> list[bytes]:
        """What came since the last look, a piece a write of the server's."""
        writes = self.pipe.writes[self._read :]
        self._read = len(self.pipe.writes)
        return writes

    def lines(self) -> list[str]:
        """The lines that came since the last look, without their endings."""
        text = self.received().decode()
        assert not text or text.endswith("\n"), f"half a line: {text!r}"
        return [line.removesuffix("\r") for line in text.split("\n")[:-1]]

    def ask(self, *lines: str) -> list[str]:
        """Send lines, and give the lines that came of it."""
        self.lines()
        self.send(*lines)
        return self.lines()

    @property
    def closed(self) -> bool:
        """Has the server closed the connection?"""
        return self.pipe.disconnecting

    @property
    def speaks(self) -> str:
        """The name of the dialect that the server speaks to it."""
        return self._connection.dialect_name


class House:
    """The service.

    Args:
        policy: the limits of the domain.
        flow: the limits of one connection's requests; none unless given.
        patience: the limits of one connection.
        dialects: those that it speaks; those that are installed unless given.
        registrations: accounts that one address may make, one after another.
    """

    def __init__(
        self,
        *,
        policy: Policy | None = None,
        flow: Flow | None = None,
        patience: Patience | None = None,
        dialects: Dialects | None = None,
        registrations: int = 1000,
    ) -> None:
        self.clock = Clock()
        self.clock.rightNow = NOW
        self.journal = Shelf(self.clock)
        self._commit = GroupCommit(self.clock, self.journal)
        self._outboxes = Outboxes(self.clock)
        self.delivery = Delivery(self._outboxes.flush)
        self.controller = Controller(self._commit, self.delivery, policy or Policy())
        self.doorman = Doorman(self.clock, lambda: self.controller.state)
        self.book = Book()
        desk = Desk(
            clock=self.clock,
            controller=self.controller,
            presence=self.delivery,
            authenticator=self.doorman,
            hasher=self.doorman,
            registrations=Allowance(1e-9, registrations),
            flow=flow or Flow(),
        )
        self._hall = Hall(
            clock=self.clock,
            desk=desk,
            registry=self.book,
            outboxes=self._outboxes,
            dialects=dialects or Dialects.installed(),
            patience=patience or Patience(),
            server_name=SERVER,
            version=VERSION,
        )
        self.about = self._hall.about
        self._commit.startService()
        self.controller.startService()
        self.settle()

    def settle(self) -> None:
        """Do all that is due now, and what comes of it."""
        while any(call.getTime() <= self.clock.seconds() for call in self.clock.getDelayedCalls()):
            self.clock.advance(0)

    def wait(self, seconds: float) -> None:
        """Let time pass, a second at a time, looking at the connections after each."""
        while seconds > 0:
            self.clock.advance(min(1.0, seconds))
            self.settle()
            for connection in list(self.book.live):
                connection.check(self.clock.seconds())
            self.settle()
            seconds -= 1

    def change_modes(self, room_name: str, *changes: ModeChange) -> None:
        """Set and clear a room's modes, as another dialect can."""
        room = self.controller.state.rooms[room_name]
        self.controller.submit(ModesChanged(target=room.id, room=room.name, changes=list(changes)))
        self.settle()

    def restart_controller(self) -> None:
        """Let the controller stop and start, as its supervisor does after a crash."""
        self.controller.stopService()
        self.settle()
        self.controller.startService()
        self.settle()

    def client(
        self, dialect: str = "", alpn: bytes | None = None, address: str = "192.0.2.1"
    ) -> Client:
        """Somebody who connects.

        Args:
            dialect: the one that the listener is fixed to, if any.
            alpn: what the TLS handshake settles on; without it there is no TLS.
            address: where the client comes from.
        """
        fixed = self._hall.dialects.named(dialect) if dialect else None
        assert fixed is not None or not dialect, f"there is no dialect {dialect}"
        connection = Connection(self._hall, address, address, fixed, encrypted=alpn is not None)
        pipe = Pipe(self.clock, alpn)
        pipe.protocol = connection
        transport: Any = pipe
        connection.makeConnection(transport)
        if alpn is not None:
            connection.handshakeCompleted()
        self.settle()
        return Client(self, connection, pipe)

    def user(self, nick: str, *lines: str) -> Client:
        """A client of the line protocol that is logged in, and has sent these lines."""
        client = self.client()
        client.send(f"LOGIN:{nick}", *lines)
        answers = client.lines()
        refused = [answer for answer in answers if answer.startswith("ERR:")]
        assert not refused, refused
        return client
