"""
Three servers that are one service, sixty people who talk, and nothing that stays up: servers are
killed, servers stand still for longer than anybody waits for them, Redis is killed. Real processes,
real sockets, TLS. Nothing that was acknowledged is lost, nothing is doubled, everybody sees one
order, and everybody sees all of it.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from random import Random, randrange
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, gatherResults
from twisted.internet.task import deferLater

from chatservice.client import Client
from tests.clients.nodes import Front, Node, Nodes
from tests.clients.talkers import (
    AGAIN,
    MARK,
    PASSWORD,
    Guest,
    IrcGuest,
    LineGuest,
    Person,
    Program,
    Talk,
)
from tests.process import ProcessCase, reactor
from tests.redis_server import RedisServer, start_redis
from tests.service import Client as Lines

ROOMS = ("den", "hall", "attic", "yard")
OWNERS = 30
"""Users of the client library with an account, who take their nick back when they come again."""

GUESTS = 22
"""Others without one, who wait until it is free."""

LINES = 4
IRCS = 4
_LOOK = 0.2
_DEFECT = re.compile("Traceback|Unhandled|internal error")


def coming(doing: list[Coroutine[Any, Any, Any]]) -> Deferred[Any]:
    """All of it at once; it ends with the first that fails."""
    return gatherResults([Deferred.fromCoroutine(each) for each in doing], consumeErrors=True)


class Havoc:
    """
    What happens to them all.

    @param told: gets what has happened so far, in words.
    """

    def __init__(
        self,
        random: Random,
        talk: Talk,
        nodes: list[Node],
        redis: RedisServer,
        told: list[str],
    ) -> None:
        self._random = random
        self._talk = talk
        self._nodes = nodes
        self._redis = redis
        self._told = told

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
            self._told.append(words)
            await do()
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
        sitter = await node.server.connect()
        while await sitter.ask("LOGIN:sitter") != "OK:LOGIN:sitter":
            await deferLater(reactor, _LOOK)
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
        self.told: list[str] = []
        self.waits_for = ""
        try:
            await self._set_up(random)
            await self._live()
            await self._compare()
        except BaseException:
            sys.stderr.write(f"\nCHAT_SEED={seed}: {'; '.join(self.told)}\n{self.waits_for}\n")
            raise

    async def _set_up(self, random: Random) -> None:
        redis = await start_redis(self)
        servers = Nodes(self, [redis.address] * 3, "timeout_seconds = 1.0")
        self.nodes = await servers.start()
        front = Front(self.nodes)
        await front.open(self)
        self.havoc = Havoc(random, self.talk, self.nodes, redis, self.told)
        host = await self.nodes[0].log_in("host")
        for request in (f"REGISTER:{PASSWORD} host", *(f"NEWROOM:{room}" for room in ROOMS)):
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
            self.addCleanup(_close, client)
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
            differences = [sorted(set(each) ^ set(wanted)) for each in here]
            self.waits_for = f"here, and not to be here, or the other way round: {differences}"
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
        for secret in (MARK, PASSWORD):
            self.assertNotIn(secret, log)


def _close(client: Client) -> Deferred[None]:
    return Deferred.fromCoroutine(client.close())


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
