"""
What tests of the client library begin with: programs that use it, a house (`tests.bench`) that they
talk to, and a wire between the two on which bytes go when a test says so. No sockets, no threads,
no time but the test's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from itertools import chain
from typing import Any, TypeVar

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import (
    ConnectionDone,
    ConnectionLost,
    ConnectionRefusedError,
    UserError,
)
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from chatservice.client import Client, Message, Room
from tests import bench
from tests.bench import NOW, House, Shelf

T = TypeVar("T")

PAUSE = 1.0
"""Seconds between two attempts to connect."""


class Later(Shelf):
    """
    A journal in which what is stored can be read before anybody is told that it is stored. No two
    batches are stored in the same millisecond.
    """

    def commit(self, events: Any, records: Any, mark: str) -> Deferred[None]:
        self._clock.rightNow += 0.001  # type: ignore[attr-defined]
        done = self._commit(events, records, mark)
        if self._held is None:
            return done
        told: Deferred[None] = Deferred()
        self._held.append(lambda: done.chainDeferred(told))
        return told


class Wire:
    """
    One connection; the transport of the program's side. What either side writes goes nowhere until
    it is carried.

    Attributes:
        up: what the program has written and the house has not got; `down`: the other way round.
        open: whether it is there, for the program.
        held: whether `World.settle` leaves it alone.
    """

    def __init__(self, world: World, protocol: Any) -> None:
        self._world = world
        self._protocol = protocol
        self._server = world.house.client()
        self.up = bytearray()
        self.down = bytearray()
        self.open = True
        self.held = False
        self._leaving = False
        protocol.makeConnection(self)

    # What a transport does.

    def write(self, data: bytes) -> None:
        if not self._leaving:
            self.up += data

    def loseConnection(self) -> None:
        self._leaving = True

    def abortConnection(self) -> None:
        self._leaving = True
        self._world.clock.callLater(0, self.cut)

    # What a test does.

    def carry_up(self, most: int | None = None) -> bool:
        """Hand bytes to the house; whether there were any."""
        if not self.open:
            return False
        data, self.up = bytes(self.up[:most]), self.up[len(self.up[:most]) :]
        if data:
            self._server.send_bytes(data)
        elif self._leaving:
            self.cut()
            return True
        return bool(data)

    def carry_down(self, most: int | None = None) -> bool:
        """Hand bytes to the program; whether there were any."""
        if not self.open:
            return False
        self.down += self._server.received()
        data, self.down = bytes(self.down[:most]), self.down[len(self.down[:most]) :]
        if data:
            self._protocol.dataReceived(data)
        elif self._server.closed:
            self._lose(ConnectionDone())
            return True
        return bool(data)

    def cut(self, both: bool = True) -> None:
        """
        The connection is gone, and what was under way is lost.

        Args:
            both: whether the house knows already.
        """
        if both:
            self._server.hang_up()
        self._lose(ConnectionLost())

    def _lose(self, reason: Exception) -> None:
        if self.open:
            self.open = False
            self._protocol.connectionLost(Failure(reason))


class World:
    """
    A house, the programs outside, and the reactor of the programs.

    Attributes:
        clock: the time of the programs.
        house: where they connect to.
        reachable: whether they can.
        wires: the connections that were made, by the program's number.
        attempts: how often it was tried to make one.
    """

    def __init__(self, case: SynchronousTestCase, **how: Any) -> None:
        self._how = how
        self.journal = Later(Clock())
        case.patch(bench, "Shelf", self._the_journal)
        self.clock = Clock()
        self.house = House(**how)
        self.reachable = True
        self.wires: list[list[Wire]] = []
        self.attempts = 0

    def _the_journal(self, clock: Clock) -> Later:
        self.journal._clock = clock
        return self.journal

    def reactor(self) -> Any:
        """The reactor of one more program."""
        self.wires.append([])
        return _Reactor(self, self.wires[-1])

    def wire(self, number: int = 0) -> Wire | None:
        """The connection that a program has now."""
        return next((wire for wire in reversed(self.wires[number]) if wire.open), None)

    def settle(self) -> None:
        """Carry all that is written, and let everybody do what is due now."""
        moved = True
        while moved:
            self.house.settle()
            moved = self._due()
            for wire in chain(*self.wires):
                if not wire.held:
                    moved |= wire.carry_up()
                    moved |= wire.carry_down()

    def _due(self) -> bool:
        now = self.clock.seconds()
        due = any(call.getTime() <= now for call in self.clock.getDelayedCalls())
        self.clock.advance(0)
        return due

    def wait(self, seconds: float = PAUSE) -> None:
        """Let time pass for everybody."""
        self.clock.advance(seconds)
        self.house.clock.advance(seconds)
        self.settle()

    def cut(self, number: int = 0, both: bool = True) -> None:
        """A program loses its connection, if it has one."""
        wire = self.wire(number)
        if wire is not None:
            wire.cut(both)

    def kill(self) -> None:
        """The house falls down with all that is not stored, and another stands in its place."""
        now = self.house.clock.seconds()
        self.journal._held = None
        old, self.house = self.house, House(**self._how)
        self.house.clock.advance(now - NOW)
        for number in range(len(self.wires)):
            self.cut(number, both=False)
        del old


class _Reactor:
    """A program's: time, and UNIX sockets."""

    def __init__(self, world: World, wires: list[Wire]) -> None:
        self._world = world
        self._wires = wires
        self.seconds = world.clock.seconds

    def callLater(self, delay: float, does: Callable[..., Any], *arguments: Any) -> IDelayedCall:
        """As `IReactorTime`; as strict as a real one."""
        if delay < 0:
            raise ValueError(delay)
        return self._world.clock.callLater(delay, does, *arguments)

    def connectUNIX(
        self, address: str, factory: Any, timeout: float = 30, checkPID: Any = 0
    ) -> None:
        """As `IReactorUNIX`, but for the connector."""
        self._world.attempts += 1
        connecting = self.callLater(0, self._connect, factory, address)
        factory.startedConnecting(_Connector(address, connecting, factory))

    def _connect(self, factory: Any, address: str) -> None:
        if self._world.reachable:
            protocol = factory.buildProtocol(UNIXAddress(address))
            self._wires.append(Wire(self._world, protocol))
        else:
            factory.clientConnectionFailed(None, Failure(ConnectionRefusedError()))


class _Connector:
    """An attempt that may be given up."""

    def __init__(self, address: str, connecting: IDelayedCall, factory: Any) -> None:
        self._address = address
        self._connecting = connecting
        self._factory = factory

    def getDestination(self) -> UNIXAddress:
        return UNIXAddress(self._address)

    def stopConnecting(self) -> None:
        self._connecting.cancel()
        self._factory.clientConnectionFailed(self, Failure(UserError()))


class Reader:
    """
    Somebody who reads a stream.

    Attributes:
        messages: what came.
        over: whether the stream has ended; `error`: what it raised.
    """

    def __init__(self, stream: AsyncIterator[Message], greedy: bool = True) -> None:
        self._stream = stream
        self.messages: list[Message] = []
        self.over = False
        self.error: BaseException | None = None
        self._reading: Deferred[None] | None = None
        if greedy:
            self.read(1_000_000)

    def read(self, number: int = 1) -> None:
        """Read so many messages, as they come; nothing if that is being done already."""
        if self._reading is None and not self.over:
            reading = Deferred.fromCoroutine(self._read(number))
            self._reading = None if reading.called else reading
            reading.addErrback(self._broke)

    async def _read(self, number: int) -> None:
        try:
            for _ in range(number):
                self.messages.append(await self._stream.__anext__())
        except StopAsyncIteration:
            self.over = True
        finally:
            self._reading = None

    def _broke(self, failure: Failure) -> None:
        self.error = failure.value
        self.over = True

    @property
    def texts(self) -> list[str]:
        """What came, in words."""
        return [message.text for message in self.messages]

    def cancel(self) -> None:
        """Give up what is waited for, and go on reading another time."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
            self.over, self.error = False, None


class ClientCase(SynchronousTestCase):
    """A house, and programs that use the client library."""

    def setUp(self) -> None:
        self.open_world()

    def open_world(self, **how: Any) -> None:
        """A world with a house of another kind; see `House`."""
        self.world = World(self, **how)
        self._told: dict[Client, list[Any]] = {}

    def connecting(self, **how: Any) -> Client:
        """A client that tries to connect."""
        reactor = self.world.reactor()
        client = Client("unix:/run/chat", reactor=reactor, **{"retry": lambda _: PAUSE, **how})
        self._told[client] = []
        client.listen(self._told[client].append)
        client.startService()
        return client

    def program(self, nick: str, password: str = "", **how: Any) -> Client:
        """A client that is logged in: as a guest, or to an account that is made for it."""
        client = self.connecting(**how)
        self.do(client.login(nick))
        if password:
            self.do(client.register(password))
        return client

    def pair(self) -> tuple[Client, Client, Room, Room]:
        """Alice and bob, who have accounts, and the room that both are in."""
        alice = self.program("alice", "sesame")
        bob = self.program("bob", "mustard")
        here = self.do(alice.join("den", create=True))
        there = self.do(bob.join("den"))
        return alice, bob, here, there

    def start(self, coroutine: Coroutine[Any, Any, T]) -> Deferred[T]:
        """Begin something, and do all that can be done now."""
        doing = Deferred.fromCoroutine(coroutine)
        self.world.settle()
        return doing

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Do something that takes no time."""
        return self.successResultOf(self.start(coroutine))

    def refused(self, kind: type[Exception], coroutine: Coroutine[Any, Any, object]) -> Any:
        """Do something that fails at once; how."""
        return self.failureResultOf(self.start(coroutine), kind).value

    def told(self, client: Client) -> list[Any]:
        """What a client's listeners were told since the last look."""
        told, self._told[client][:] = list(self._told[client]), []
        return told
