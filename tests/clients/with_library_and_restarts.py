"""
Programs that talk while the server is killed and started again, and while their connections are
cut at any byte: real processes, real sockets, TLS. Nothing that was acknowledged is lost, nothing
is doubled, and everybody reads every line once, in the order of the history.
"""

from __future__ import annotations

import signal
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from chatservice.client import (
    Client,
    Connected,
    Disconnected,
    Joined,
    Message,
    Pins,
    PinStore,
    Refused,
    Room,
)
from tests.process import PATIENCE, ProcessCase, Server, new_folder, start_server
from tests.service import HOST, TLS, SteppedReactor, turn, until

reactor: Any = _reactor

NICKS = ("alice", "bob", "carol")
SEED = 20260
LINES = 80
"""What each program says in the room, and half as much to each other program."""

CUTS = 5
"""How often each connection is cut, at least."""

SETTINGS = """
listen = ["{listen}"]
[limits]
messages_per_second = 1_000_000
message_burst = 1_000_000
history_messages = 40
"""


class Leg(Protocol):
    """One side of a connection through the relay."""

    transport: Any

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self.other: Leg | None = None
        self.waiting = b""

    def connectionMade(self) -> None:
        self._pair.made(self)

    def dataReceived(self, data: bytes) -> None:
        self._pair.carry(self, data)

    def send(self, data: bytes) -> None:
        """Hand bytes on, when there is somebody to hand them to."""
        if self.connected:
            self.transport.write(data)
        else:
            self.waiting += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._pair.cut()


class Pair:
    """A connection through the relay, which ends after so many bytes, wherever that is."""

    def __init__(self, relay: Relay, most: int | None) -> None:
        self._relay = relay
        self._left = most
        self.near, self.far = Leg(self), Leg(self)
        self.near.other, self.far.other = self.far, self.near
        self._over = False

    def made(self, leg: Leg) -> None:
        if self._over:
            leg.transport.abortConnection()
        elif leg is self.near:
            server = TCP4ClientEndpoint(reactor, HOST, self._relay.to)
            connecting = connectProtocol(server, self.far)
            connecting.addErrback(lambda _: self.cut())
        else:
            leg.transport.write(leg.waiting)

    def carry(self, leg: Leg, data: bytes) -> None:
        """Bytes have come: hand them on, or as many of them as are still to go."""
        if self._left is not None:
            data, self._left = data[: self._left], max(0, self._left - len(data))
        if leg.other is not None and not self._over:
            leg.other.send(data)
        if self._left == 0:
            self._relay.cuts += 1
            self.cut()

    def cut(self) -> None:
        """Both sides lose the connection; what was handed on before arrives."""
        if not self._over:
            self._over = True
            self._relay.pairs.remove(self)
            for leg in (self.near, self.far):
                if leg.connected:
                    leg.transport.loseConnection()


class Relay(Factory):
    """
    Stands between a program and the server, whose port may change.

    Attributes:
        to: where the server is.
        cuts: how many connections were cut.
        careful: whether no connection is cut any more.
    """

    noisy = False

    def __init__(self, to: int, seed: int) -> None:
        self.to = to
        self.cuts = 0
        self.careful = False
        self.pairs: list[Pair] = []
        self._random = Random(seed)

    def buildProtocol(self, addr: object) -> Leg:
        most = None if self.careful else self._random.randrange(1, 40_000)
        pair = Pair(self, most)
        self.pairs.append(pair)
        return pair.near

    def be_careful(self) -> None:
        """Cut nothing any more; what was to be cut is cut now."""
        self.careful = True
        for pair in list(self.pairs):
            pair.cut()


class Person:
    """A program that says numbered lines, and reads what everybody says."""

    def __init__(self, client: Client, room: Room) -> None:
        self.client = client
        self.nick = client.nick
        self.room = room
        self.read: list[Message] = []
        self.directs: list[Message] = []
        self.stored: list[tuple[str, str]] = []
        self.reading = [
            Deferred.fromCoroutine(self._read(room, self.read)),
            Deferred.fromCoroutine(self._read(client.directs, self.directs)),
        ]

    async def _read(self, stream: Any, into: list[Message]) -> None:
        # It is looked at while it grows.
        async for message in stream:
            into.append(message)  # noqa: PERF401

    async def talk(self, first: int, last: int) -> None:
        """Say one line after another, each when the one before is stored."""
        for number in range(first, last):
            text = f"{self.nick} {number}"
            stored = await self.room.say(text, timeout=PATIENCE)
            self.stored.append((stored.id, text))

    async def tell(self, nick: str, first: int, last: int) -> None:
        """Tell somebody one line after another, each when they are here."""
        for number in range(first, last):
            while not await self._told(nick, f"{self.nick} to {nick} {number}"):
                await turn()

    async def _told(self, nick: str, text: str) -> bool:
        try:
            await self.client.tell(nick, text, timeout=PATIENCE)
        except Refused as refused:
            if refused.code != "NO_SUCH_USER":
                raise
            return False
        return True

    async def begin(self) -> None:
        """Say one line, so that everybody is there."""
        await self.talk(0, 1)

    def told_by(self, nick: str) -> list[str]:
        """What somebody has told this one."""
        return [m.text for m in self.directs if m.nick == nick]


class RestartTests(ProcessCase):
    async def set_up(self, relayed: bool) -> None:
        """A server, and three programs in a room of it."""
        self.folder = new_folder(self)
        self.relays: list[Relay] = []
        self.server = await self.start(TLS)
        self.people = [
            await self.person(nick, number, relayed) for number, nick in enumerate(NICKS)
        ]

    async def start(self, listen: str) -> Server:
        """A server on the same data."""
        config = self.folder / "chat.toml"
        config.write_text(SETTINGS.format(listen=listen), encoding="utf-8")
        return await start_server(self, "--config", "chat.toml", folder=self.folder)

    async def restart(self) -> None:
        """Kill it in the middle of everything, and start another in its place."""
        await self.server.kill()
        # There is nobody, for a while.
        await until(lambda: not any(person.client.connected for person in self.people))
        self.server = await self.start(TLS.replace(":0:", f":{self.server.port}:"))

    async def relay(self, number: int) -> int:
        """The port of a relay of one's own."""
        relay = Relay(self.server.port, SEED + number)
        relay.careful = True
        self.relays.append(relay)
        port: IListeningPort = await TCP4ServerEndpoint(reactor, 0, interface=HOST).listen(relay)
        self.addCleanup(port.stopListening)
        host: Any = port.getHost()
        number_: int = host.port
        return number_

    async def person(self, nick: str, number: int, relayed: bool) -> Person:
        """A program that has an account, in the room."""
        port = await self.relay(number) if relayed else self.server.port
        pins = Pins(PinStore(Path(self.mktemp()) / "pins"))
        client = Client(f"tls:localhost:{port}", trust=pins, retry=lambda _: 0.05, timeout=PATIENCE)
        client.startService()
        self.addCleanup(lambda: Deferred.fromCoroutine(client.close()))
        await client.login(nick)
        await client.register(f"the password of {nick}")
        room = await client.join("den", create=True)
        return Person(client, room)

    def talking(self, first: int, last: int) -> Deferred[Any]:
        """Everybody says so many lines, and tells the others half as many."""
        doing = [person.talk(first, last) for person in self.people]
        doing += [
            person.tell(nick, first // 2, last // 2)
            for person in self.people
            for nick in NICKS
            if nick != person.nick
        ]
        return gatherResults([Deferred.fromCoroutine(each) for each in doing], consumeErrors=True)

    async def everybody_has_read_everything(self, lines: int) -> None:
        """Wait for it, and compare it with the history."""
        await until(lambda: all(len(p.read) >= lines * len(NICKS) for p in self.people))
        told = (lines // 2) * (len(NICKS) - 1)
        await until(lambda: all(len(p.directs) >= told for p in self.people))
        history = await self.history()
        for person in self.people:
            self.assertEqual([(m.id, m.text) for m in person.read], history)
            own = [said for said in history if said[1].startswith(f"{person.nick} ")]
            self.assertEqual(own, person.stored)
            self.assertEqual(
                [text for _, text in own], [f"{person.nick} {n}" for n in range(lines)]
            )
            for nick in NICKS:
                wanted = [f"{nick} to {person.nick} {n}" for n in range(lines // 2)]
                self.assertEqual(person.told_by(nick), wanted if nick != person.nick else [])

    async def history(self) -> list[tuple[str, str]]:
        """The ids and texts of the room, page by page."""
        found: list[Message] = []
        room = self.people[0].room
        page = await room.history(0, oldest=True)
        while page.last_id:
            found += page.messages
            page = await room.history(0, after=page.last_id, oldest=True)
        return [(message.id, message.text) for message in found]

    async def test_the_server_is_killed(self) -> None:
        await self.set_up(relayed=False)
        talking = self.talking(0, LINES)
        for part in (1, 2):
            await until(lambda part=part: self._stored() > part * LINES)  # type: ignore[misc]
            self.assertFalse(talking.called)
            await self.restart()

        await talking
        await self.everybody_has_read_everything(LINES)

    def _stored(self) -> int:
        return sum(len(person.stored) for person in self.people)

    async def test_connections_are_cut(self) -> None:
        await self.set_up(relayed=True)
        for relay in self.relays:
            relay.careful = False
            for pair in list(relay.pairs):
                pair.cut()

        lines = 0
        while any(relay.cuts < CUTS for relay in self.relays):
            await self.talking(lines, lines + 20)
            lines += 20
        for relay in self.relays:
            relay.be_careful()

        await self.everybody_has_read_everything(lines)

    async def test_both(self) -> None:
        await self.set_up(relayed=True)
        for relay in self.relays:
            relay.careful = False
            for pair in list(relay.pairs):
                pair.cut()
        talking = self.talking(0, LINES)
        await until(lambda: self._stored() > LINES)
        await self.restart()
        await talking
        for relay in self.relays:
            relay.be_careful()

        await self.everybody_has_read_everything(LINES)


class SilenceTests(ProcessCase):
    async def test_a_server_that_stands_still_is_left_and_met_again(self) -> None:
        server = await start_server(self)
        time = SteppedReactor()
        pins = Pins(PinStore(Path(self.mktemp()) / "pins"))
        place = f"tls:{HOST}:{server.port}"
        client = Client(place, trust=pins, retry=lambda _: 0.0, reactor=time, keepalive=60.0)
        told: list[Any] = []
        client.listen(told.append)
        self.addCleanup(lambda: Deferred.fromCoroutine(client.close()))
        client.startService()
        await client.login("alice")
        await client.register("the password of alice")
        room = await client.join("den", create=True)
        told.clear()

        server.send_signal(signal.SIGSTOP)
        time.advance(180)
        self.assertFalse(client.connected)
        saying = Deferred.fromCoroutine(room.say("is anybody there?"))
        server.send_signal(signal.SIGCONT)
        await saying
        await until(lambda: client.connected)

        lost, *_, found = [each for each in told if not isinstance(each, Joined)]
        self.assertEqual(lost, Disconnected("the server does not answer", 0.0))
        self.assertIsInstance(found, Connected)
        page = await room.history()
        self.assertEqual([m.text for m in page.messages], ["is anybody there?"])
