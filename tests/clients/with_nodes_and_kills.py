"""
Three servers that are one service, sixty people who talk, and nothing that stays up: servers are
killed, servers stand still for longer than anybody waits for them, Redis is killed. Real processes,
real sockets, TLS. Nothing that was acknowledged is lost, nothing is doubled, everybody sees one
order, and everybody sees all of it.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Coroutine
from math import inf
from random import Random, randrange
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectionLost
from twisted.internet.task import deferLater

from chatservice.client import Client, Message, Refused, Room
from tests.clients.nodes import Front, Node, Nodes
from tests.process import ProcessCase, reactor
from tests.redis_server import RedisServer, start_redis
from tests.service import HOST, Closed, Trusting
from tests.service import Client as Lines

ROOMS = ("den", "hall", "attic", "yard")
OWNERS = 30
"""Users of the client library with an account, who take their nick back when they come again."""

GUESTS = 22
"""Others without one, who wait until it is free."""

LINES = 4
IRCS = 4
SPEAK = (0.2, 1.0)
"""Seconds from what somebody has said to what they say next."""

AGAIN = (0.1, 0.6)
"""Seconds from a lost connection to the next attempt."""

MARK = "words-of"
"""Stands in every message, and in no log."""

_PASSWORD = "the password of"
_LOOK = 0.2
_DEFECT = re.compile("Traceback|Unhandled|internal error")
_TRUSTING = Trusting()


def coming(doing: list[Coroutine[Any, Any, Any]]) -> Deferred[Any]:
    """All of it at once; it ends with the first that fails."""
    return gatherResults([Deferred.fromCoroutine(each) for each in doing], consumeErrors=True)


class Talk:
    """
    What all share who talk.

    @ivar over: is nobody to say any more?
    @ivar acknowledged: what was, in the order of the answers: rooms, ids and texts.
    @ivar unavailable: how often somebody was told that it can't be stored now.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.over = False
        self.acknowledged: list[tuple[str, str, str]] = []
        self.unavailable = 0

    async def pause(self, between: tuple[float, float]) -> None:
        """A moment, of random length."""
        await deferLater(reactor, self.random.uniform(*between))

    async def more(self, messages: int) -> None:
        """Over when so many more were acknowledged."""
        wanted = len(self.acknowledged) + messages
        while len(self.acknowledged) < wanted:
            await deferLater(reactor, 0.01)


class Person:
    """
    Somebody in a room, who says numbered words; those that were refused are not said again, so that
    every text is there at most once.
    """

    def __init__(self, talk: Talk, nick: str, room: str) -> None:
        self.talk = talk
        self.nick = nick
        self.room = room
        self._number = 0

    def words(self) -> str:
        """The next words."""
        self._number += 1
        return f"{MARK} {self.nick} {self._number}"

    def heard(self, id: str, text: str) -> None:
        """It was acknowledged."""
        self.talk.acknowledged.append((self.room, id, text))

    async def be_there(self) -> None:
        """Over when they are in the room."""
        raise NotImplementedError

    async def speak(self) -> None:
        """Speaks until nobody is to any more, and then hears the rest."""
        raise NotImplementedError

    @property
    def present(self) -> str:
        """What they are called now."""
        return self.nick


class Program(Person):
    """Somebody by the client library: it connects again, and reads what it has missed."""

    def __init__(
        self, talk: Talk, nick: str, room: str, client: Client, *, account: bool = False
    ) -> None:
        super().__init__(talk, nick, room)
        self.client = client
        self.read: list[Message] = []
        self._account = account
        self.inside: Room | None = None
        self.reading: Deferred[None] | None = None

    async def be_there(self) -> None:
        self.client.startService()
        await self.client.login(self.nick)
        if self._account:
            await self.client.register(f"{_PASSWORD} {self.nick}")
        self.inside = await self.client.join(self.room)
        self.reading = Deferred.fromCoroutine(self._read(self.inside))

    async def _read(self, room: Room) -> None:
        # It is looked at while it grows.
        async for message in room:
            self.read.append(message)  # noqa: PERF401

    async def speak(self) -> None:
        assert self.inside is not None
        while not self.talk.over:
            text = self.words()
            try:
                stored = await self.inside.say(text, timeout=inf)
            except Refused as refused:
                if refused.code != "UNAVAILABLE":
                    raise AssertionError(f"{self.nick}: {refused.code} {refused}") from refused
                self.talk.unavailable += 1
            else:
                self.heard(stored.id, text)
            await self.talk.pause(SPEAK)


class Guest(Person):
    """
    Somebody who knows nothing of all this: when the connection is lost, somebody else comes.

    @ivar lives: what each of them has seen in the room, in this order.
    """

    def __init__(self, talk: Talk, nick: str, room: str, port: int) -> None:
        super().__init__(talk, nick, room)
        self.lives: list[list[str]] = []
        self._port = port
        self._lines: Lines | None = None

    @property
    def present(self) -> str:
        return f"{self.nick}_{len(self.lives)}"

    @property
    def closed(self) -> Deferred[list[str]]:
        """Fires when the connection is lost."""
        assert self._lines is not None
        return self._lines.closed

    async def connect(self) -> Lines:
        """A connection to whichever server."""
        endpoint = wrapClientTLS(_TRUSTING, TCP4ClientEndpoint(reactor, HOST, self._port))
        lines: Lines = await connectProtocol(endpoint, Life(self))
        return lines

    async def be_there(self) -> None:
        while True:
            try:
                self._lines = await self.connect()
                self.lives.append([])
                if await self.enter(self._lines):
                    return
                await self._lines.vanish()
            except (Closed, ConnectError, ConnectionLost):
                pass
            await self.talk.pause(AGAIN)

    async def speak(self) -> None:
        while not self.talk.over:
            assert self._lines is not None
            text = self.words()
            try:
                id = await self.say(self._lines, text)
            except Closed:
                await self.be_there()
            else:
                if id:
                    self.heard(id, text)
                else:
                    self.talk.unavailable += 1
                await self.talk.pause(SPEAK)

    async def enter(self, lines: Lines) -> bool:
        """Logs in and enters the room; False if that can't be now."""
        raise NotImplementedError

    async def say(self, lines: Lines, text: str) -> str:
        """Says something; returns its id, or the empty string if it can't be stored now."""
        raise NotImplementedError

    def shown(self, line: str) -> str | None:
        """The text, if this line shows what somebody says in the room."""
        raise NotImplementedError


class Life(Lines):
    """The lines of one connection."""

    def __init__(self, guest: Guest) -> None:
        super().__init__()
        self._guest = guest
        self._seen = 0

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        for line in self.seen[self._seen :]:
            text = self._guest.shown(line)
            if text is not None:
                self._guest.lives[-1].append(text)
        self._seen = len(self.seen)


class LineGuest(Guest):
    """One of the line protocol."""

    async def enter(self, lines: Lines) -> bool:
        for request in (f"LOGIN:{self.present}", f"JOINROOM:{self.room}"):
            answer = await lines.ask(request)
            if answer.startswith("ERR:"):
                _check("UNAVAILABLE" in answer, answer)
                return False
        return True

    async def say(self, lines: Lines, text: str) -> str:
        answer = await lines.ask(f"ROOM:{self.room}:{text}")
        if answer.startswith("ERR:"):
            _check(answer.startswith("ERR:ROOM:UNAVAILABLE:"), answer)
            return ""
        return answer.rpartition(":")[2]

    def shown(self, line: str) -> str | None:
        kind, _, rest = line.partition(":")
        return rest.split(":", 2)[2] if kind == "ROOM" else None


class IrcGuest(Guest):
    """One of IRC."""

    _SAID = re.compile(r"(?:@(?P<tags>\S+) )?:\S+ PRIVMSG #\S+ :(?P<text>.*)")

    async def enter(self, lines: Lines) -> bool:
        wanted = "message-tags echo-message standard-replies"
        lines.send(f"CAP REQ :{wanted}", f"NICK {self.present}", f"USER {self.present} 0 * :x")
        lines.send("CAP END", f"JOIN #{self.room}")
        while True:
            line = await lines.line()
            if " 366 " in line:
                return True
            if "FAIL" in line or " 451 " in line:
                _check("UNAVAILABLE" in line or " 451 " in line, line)
                return False

    async def say(self, lines: Lines, text: str) -> str:
        lines.send(f"PRIVMSG #{self.room} :{text}")
        while True:
            line = await lines.line()
            said = self._SAID.fullmatch(line)
            if said and said["text"] == text:
                tags = dict(tag.partition("=")[::2] for tag in (said["tags"] or "").split(";"))
                return tags["msgid"]
            if not said and "PRIVMSG" in line:
                _check(" FAIL PRIVMSG UNAVAILABLE " in f" {line}", line)
                return ""

    def shown(self, line: str) -> str | None:
        said = self._SAID.fullmatch(line)
        return said["text"] if said else None


def _check(holds: bool, words: str) -> None:
    if not holds:
        raise AssertionError(words)


class Havoc:
    """
    What happens to them all.

    @ivar told: what has happened so far.
    """

    def __init__(self, random: Random, talk: Talk, nodes: list[Node], redis: RedisServer) -> None:
        self._random = random
        self._talk = talk
        self._nodes = nodes
        self._redis = redis
        self.told: list[str] = []

    def plan(self) -> list[tuple[str, Callable[[], Coroutine[Any, Any, None]]]]:
        """What is to happen, in random order."""
        doing = [
            ("a node is killed, and is back at once", self._restart_node),
            ("a node is killed, and stays away for a while", self._lose_node),
            ("Redis is killed", self._restart_redis),
            ("Redis is killed, and stays away for a while", self._lose_redis),
            ("Redis and a node are killed", self._lose_both),
            ("Redis stands still, and a node is killed", self._stop_redis),
            ("a node stands still", self._stop_clock),
        ]
        self._random.shuffle(doing)
        return doing

    async def happen(self) -> None:
        """All of it, with some talk between."""
        for words, do in self.plan():
            await self._talk.more(self._random.randrange(20, 80))
            self.told.append(words)
            print(reactor.seconds() % 1000, words, len(self._talk.acknowledged))
            await do()
            print(reactor.seconds() % 1000, "done", len(self._talk.acknowledged))
        await self._talk.more(80)

    def _node(self) -> Node:
        return self._random.choice(self._nodes)

    async def _restart_node(self) -> None:
        node = self._node()
        await node.kill()
        await node.start()

    async def _lose_node(self) -> None:
        node = self._node()
        await node.kill()
        await self._talk.more(self._random.randrange(20, 100))
        await node.start()

    async def _restart_redis(self) -> None:
        await self._redis.restart()

    async def _lose_redis(self) -> None:
        await self._redis.kill()
        await self._refused(3)
        await self._redis.start()

    async def _lose_both(self) -> None:
        node = self._node()
        await self._redis.kill()
        await node.kill()
        await self._redis.start()
        await node.start()

    async def _stop_redis(self) -> None:
        node = self._node()
        self._redis.pause()
        await self._refused(3)
        await node.kill()
        self._redis.go_on()
        await node.start()

    async def _refused(self, messages: int) -> None:
        """Over when so many could not be stored."""
        wanted = self._talk.unavailable + messages
        while self._talk.unavailable < wanted:
            await deferLater(reactor, 0.01)

    async def _stop_clock(self) -> None:
        node = self._node()
        sitter = await node.log_in("sitter")
        gone = DeferredList(
            [other.misses(node) for other in self._nodes if other is not node],
            fireOnOneCallback=True,
            consumeErrors=True,
        )
        node.pause()
        await gone
        node.go_on()
        # Whose connection never closed is back.
        while await sitter.ask("WHOAMI:") != "OK:WHOAMI:sitter":
            await deferLater(reactor, _LOOK)
        await sitter.hang_up()


class KillTests(ProcessCase):
    timeout = 240

    async def test_three_servers_are_one_whatever_dies(self) -> None:
        seed = int(os.environ.get("CHAT_SEED", randrange(2**32)))
        random = Random(seed)
        self.talk = Talk(random)
        self.havoc: Havoc | None = None
        try:
            print(reactor.seconds() % 1000, "begin")
            await self._set_up(random)
            print(reactor.seconds() % 1000, "set up")
            await self._live()
            print(reactor.seconds() % 1000, "lived", len(self.talk.acknowledged))
            await self._compare()
            print(reactor.seconds() % 1000, "compared")
        except BaseException:
            told = self.havoc.told if self.havoc is not None else []
            print(f"\nCHAT_SEED={seed}: {'; '.join(told)}")
            print("missing", getattr(self, "missing", None))
            for n, node in enumerate(self.nodes): open(f"/tmp/w/chaos/log{n}","w").write(node.log())
            for program in self.programs:
                print(program.nick, program.client.connected, program.client._reason, program.client.failure, len(program.read), program.read[-1:] )
            for g in self.guests: print(g.nick, g.present, [len(x) for x in g.lives], g.lives[-1][-1:], g._lines.connected, g._lines.seen[-3:])
            raise

    async def _set_up(self, random: Random) -> None:
        redis = await start_redis(self)
        servers = Nodes(self, [redis.address] * 3, "timeout_seconds = 1.0")
        self.nodes = await servers.start()
        front = Front(self.nodes)
        await front.open(self)
        self.havoc = Havoc(random, self.talk, self.nodes, redis)
        host = await self.nodes[0].log_in("host")
        for request in (f"REGISTER:{_PASSWORD} host", *(f"NEWROOM:{room}" for room in ROOMS)):
            self.assertIn("OK:", await host.ask(request))
        await host.hang_up()
        self.programs: list[Program] = []
        self.guests: list[Guest] = []
        for number in range(OWNERS + GUESTS):
            client = Client(
                f"tls:localhost:{front.at}",
                trust=servers.trust,
                retry=lambda _: random.uniform(*AGAIN),
                timeout=20.0,
            )
            self.addCleanup(lambda client=client: Deferred.fromCoroutine(client.close()))
            room, account = ROOMS[number % len(ROOMS)], number < OWNERS
            nick = f"{'owner' if account else 'guest'}{number}"
            self.programs.append(Program(self.talk, nick, room, client, account=account))
        for kind, name, count in ((LineGuest, "line", LINES), (IrcGuest, "irc", IRCS)):
            for number in range(count):
                room = ROOMS[number % len(ROOMS)]
                self.guests.append(kind(self.talk, f"{name}{number}", room, front.at))
        self.people: list[Person] = [*self.programs, *self.guests]
        await coming([person.be_there() for person in self.people])

    async def _live(self) -> None:
        """Everybody talks while it happens."""
        assert self.havoc is not None
        talking = coming([person.speak() for person in self.people])
        happening = Deferred.fromCoroutine(self.havoc.happen())
        try:
            # What breaks first is what counts.
            await _first_failure(talking, happening)
        finally:
            self.talk.over = True
        await talking

    # What has become of it.

    async def _compare(self) -> None:
        self.history = await self._settled_history()
        texts = {room: [text for _, text in self.history[room]] for room in ROOMS}
        await self._everybody_has_heard(texts)
        self._nothing_acknowledged_is_lost()
        for room in ROOMS:
            twice = [text for text, count in Counter(texts[room]).items() if count > 1]
            self.assertEqual(twice, [], "said once, and stored twice")
        for program in self.programs:
            self._has_seen_all_since_joining(program)
        for guest in self.guests:
            for seen in guest.lives[:-1]:
                self._is_a_piece(seen, texts[guest.room], guest.nick)
        for node in self.nodes:
            self._is_clean(node.log())

    async def _settled_history(self) -> dict[str, list[tuple[str, str]]]:
        """
        The history, ids and texts, once everybody is here again, and nobody else: the same on all
        nodes.
        """
        looking = [await self._probe(n) for n in range(len(self.nodes))]
        probes = [f"look{n}" for n in range(len(self.nodes))]
        wanted = sorted([*probes, *(person.present for person in self.people)])
        while True:
            here = [sorted(await probe.items("LISTUSERS:")) for probe in looking]
            if all(each == wanted for each in here):
                break
            self.missing = [sorted(set(each) ^ set(wanted)) for each in here]
            await deferLater(reactor, _LOOK)
        history = {}
        for room in ROOMS:
            members = sorted([*probes, *(p.present for p in self.people if p.room == room)])
            told = []
            for probe in looking:
                while sorted(await probe.items(f"LISTUSERS:{room}")) != members:
                    await deferLater(reactor, _LOOK)
                told.append(await probe.items(f"HISTORY:{room}:100000"))
            self.assertTrue(told[0])
            for each in told[1:]:
                self.assertEqual(each, told[0])
            history[room] = [_id_and_text(item) for item in told[0]]
        return history

    async def _probe(self, number: int) -> Lines:
        """Somebody on one node, in all rooms."""
        probe = await self.nodes[number].server.connect()
        for request in (f"LOGIN:look{number}", *(f"JOINROOM:{room}" for room in ROOMS)):
            while (answer := await probe.ask(request)).startswith("ERR:"):
                self.assertIn("UNAVAILABLE", answer)
                await deferLater(reactor, _LOOK)
        return probe

    async def _everybody_has_heard(self, texts: dict[str, list[str]]) -> None:
        """Waits for the last of it to come to everybody."""
        last = {room: texts[room][-1] for room in ROOMS}
        for program in self.programs:
            while not program.read or program.read[-1].text != last[program.room]:
                await deferLater(reactor, 0.02)
        for guest in self.guests:
            # These are there still, or have just come, and hear no more.
            while guest.lives[-1] and guest.lives[-1][-1] != last[guest.room]:
                await deferLater(reactor, 0.02)
            self._is_a_piece(guest.lives[-1], texts[guest.room], guest.present)

    def _nothing_acknowledged_is_lost(self) -> None:
        stored = Counter(
            (room, id, text) for room, messages in self.history.items() for id, text in messages
        )
        for each in self.talk.acknowledged:
            self.assertEqual(stored[each], 1, each)

    def _has_seen_all_since_joining(self, program: Program) -> None:
        assert program.inside is not None
        joined = _place(program.inside.joined)
        wanted = [said for said in self.history[program.room] if _place(said[0]) > joined]
        self.assertEqual([(m.id, m.text) for m in program.read], wanted, program.nick)

    def _is_a_piece(self, seen: list[str], texts: list[str], who: str) -> None:
        """Everything from some point on, to some point, in order."""
        if seen:
            self.assertIn(seen[0], texts)
            begin = texts.index(seen[0])
            self.assertEqual(seen, texts[begin : begin + len(seen)], who)

    def _is_clean(self, log: str) -> None:
        found = _DEFECT.search(log)
        self.assertIsNone(found, log)
        for secret in (MARK, _PASSWORD):
            self.assertNotIn(secret, log)


async def _first_failure(talking: Deferred[Any], happening: Deferred[None]) -> None:
    """Over when all has happened; fails as soon as either does."""
    over: Deferred[None] = Deferred()

    def settle(result: Any) -> Any:
        if not over.called:
            over.callback(result)

    happening.addBoth(settle)
    talking.addErrback(settle)
    await over


def _id_and_text(item: str) -> tuple[str, str]:
    _, id, _, _, text = item.split(":", 4)
    return id, text


def _place(id: str) -> tuple[int, int]:
    ms, _, n = id.partition("-")
    return int(ms), int(n)
