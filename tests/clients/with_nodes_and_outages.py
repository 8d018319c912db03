"""
Two or three servers that are one service, and one thing at a time that goes wrong: a server dies,
stops or is cut off, Redis stops, forgets or fails over. Real processes, real sockets, TLS; Redis is
a real one too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from chatservice.client import Client as Library
from chatservice.client import Refused, Room
from tests.clients.nodes import LEASE, Node, Nodes
from tests.flaky_proxy import FlakyProxy
from tests.process import Ended, ProcessCase, reactor, run_twistd
from tests.redis_server import RedisServer, Sentinel, free_port, start_redis
from tests.service import HOST, TLS, Client

_DEFECT = re.compile("Traceback|Unhandled|internal error")
_AGAIN = 0.1


class NodesCase(ProcessCase):
    """Servers, each with its Redis, and nobody there yet."""

    nodes: tuple[Node, ...] = ()
    servers: Nodes

    async def start(self, *stores: str, redis: str = "") -> list[Node]:
        """Start a server for each of these addresses."""
        self.servers = Nodes(self, stores, redis)
        self.nodes = tuple(await self.servers.start())
        return list(self.nodes)

    def tearDown(self) -> None:
        for node in self.nodes:
            log = node.log()
            self.assertIsNone(_DEFECT.search(log), log)

    async def in_den(self, node: Node, nick: str) -> Client:
        """Somebody in the room."""
        client = await node.log_in(nick)
        await client.ask("NEWROOM:den")
        self.assertEqual(await client.ask("JOINROOM:den"), "OK:JOINROOM:den")
        return client

    async def said(self, client: Client) -> list[str]:
        """What the history of the room says, once it can be read."""
        while True:
            items = await client.items("HISTORY:den:1000")
            answer = next(line for line in reversed(client.seen) if line[:3] in ("OK:", "ERR"))
            if answer == "OK:HISTORY:den":
                return [item.split(":", 4)[4] for item in items]
            self.assertStarts(answer, "ERR:HISTORY:UNAVAILABLE:")
            await deferLater(reactor, _AGAIN)

    async def says(self, client: Client, text: str) -> str:
        """Say something; returns its id."""
        answer = await client.ask(f"ROOM:den:{text}")
        self.assertStarts(answer, "OK:ROOM:den:")
        return answer.rpartition(":")[2]

    async def says_at_last(self, client: Client, text: str) -> None:
        """Say something, once it can be stored again."""
        while (answer := await client.ask(f"ROOM:den:{text}")).startswith("ERR:ROOM:UNAVAILABLE:"):
            await deferLater(reactor, _AGAIN)
        self.assertStarts(answer, "OK:ROOM:den:")

    def assertStarts(self, text: str, beginning: str) -> None:
        """Fail unless C{text} begins so."""
        self.assertEqual(text[: len(beginning)], beginning, text)

    def assertHasSeen(self, client: Client, *texts: str) -> None:
        """Fail unless somebody was shown this in the room, each once and in this order."""
        lines = [line.split(":", 3) for line in client.seen if line.startswith("ROOM:den:")]
        self.assertEqual([line[3] for line in lines], list(texts))


class NodeTests(NodesCase):
    """What becomes of a server's users when it goes."""

    async def set_up(self) -> tuple[Node, Node, Client]:
        redis = await start_redis(self)
        one, other = await self.start(redis.address, redis.address)
        await self.in_den(one, "alice")
        bob = await self.in_den(other, "bob")
        return one, other, bob

    async def test_it_is_killed(self) -> None:
        one, other, bob = await self.set_up()

        await one.kill()

        await bob.until("LEFT:den:alice")
        self.assertIn("is gone; users of it that are logged out: 1", other.log())
        self.assertEqual(await bob.items("LISTUSERS:"), ["bob"])
        await self.in_den(other, "alice")
        await bob.until("JOINED:den:alice")

    async def test_it_is_killed_and_comes_back_at_once(self) -> None:
        one, other, bob = await self.set_up()

        await one.kill()
        await one.start()

        # Nobody had to wait for the lease: it cleaned up itself before it listened.
        await self.in_den(one, "alice")
        await bob.until("LEFT:den:alice")
        await bob.until("JOINED:den:alice")
        self.assertNotIn("is gone", other.log())

    async def test_it_is_stopped(self) -> None:
        one, other, bob = await self.set_up()

        await one.stop()

        await bob.until("LEFT:den:alice")
        await self.in_den(other, "alice")
        self.assertNotIn("is gone", other.log())

    async def test_it_is_cut_off_for_longer_than_its_lease(self) -> None:
        redis = await start_redis(self)
        proxy = FlakyProxy(self, redis.port)
        one, other = await self.start(redis.address_at(proxy.port), redis.address)
        alice = await self.in_den(one, "alice")
        bob = await self.in_den(other, "bob")
        carol = await self.in_den(one, "carol")
        await self.says(bob, "before")

        proxy.cut()
        await bob.until("LEFT:den:alice")
        self.assertStarts(await alice.ask("ROOM:den:is anybody there?"), "ERR:ROOM:UNAVAILABLE:")
        await self.says(bob, "meanwhile")
        bob_again = await other.log_in("bob_again")
        self.assertStarts(await bob_again.ask("LOGOUT:"), "OK:")
        self.assertStarts(await bob_again.ask("LOGIN:carol"), "OK:")
        proxy.heal()

        # Whose nick is free has it again, and has noticed nothing; whose is taken has to go.
        await bob.until("JOINED:den:alice")
        await self.says_at_last(alice, "I am here")
        await self.says(bob, "so you are")
        await alice.until("ROOM:den:bob:so you are")
        self.assertIn("BYE:", "\n".join([*carol.seen, *await carol.closed]))
        self.assertIsNone(alice.reason)
        history = await self.said(bob)
        self.assertHasSeen(alice, *history)
        self.assertHasSeen(bob, *history)
        self.assertEqual(
            [text for text in history if text != "is anybody there?"],
            ["before", "meanwhile", "I am here", "so you are"],
        )

    async def test_it_stands_still_for_longer_than_its_lease(self) -> None:
        redis = await start_redis(self)
        one, other = await self.start(redis.address, redis.address)
        alice = await self.in_den(one, "alice")
        bob = await self.in_den(other, "bob")

        one.pause()
        await bob.until("LEFT:den:alice")
        await self.says(bob, "meanwhile")
        one.go_on()

        await bob.until("JOINED:den:alice")
        await self.says_at_last(alice, "I am here")
        await bob.until("ROOM:den:alice:I am here")
        self.assertHasSeen(alice, "meanwhile", "I am here")
        self.assertHasSeen(bob, "meanwhile", "I am here")


class RedisTests(NodesCase):
    """What becomes of everybody when Redis goes."""

    async def test_it_is_stopped_for_a_while(self) -> None:
        redis = await start_redis(self)
        one, other = await self.start(redis.address, redis.address)
        alice = await self.in_den(one, "alice")
        ivy = await one.server.connect()
        ivy.send("CAP REQ :standard-replies echo-message", "NICK ivy", "USER ivy 0 * :Ivy")
        ivy.send("CAP END", "JOIN #den")
        await _line(ivy, " 366 ")
        program, room = await self.library(other, "bob")
        stored = await room.say("before")
        # Who has read it once can read it again.
        await self.said(alice)
        await room.history()

        await redis.stop()

        self.assertStarts(await alice.ask("ROOM:den:lost"), "ERR:ROOM:UNAVAILABLE:")
        ivy.send("PRIVMSG #den :lost")
        self.assertRegex(await _line(ivy, "lost", " FAIL "), "FAIL PRIVMSG UNAVAILABLE #den :")
        self.assertEqual(await self.refusal(room.say("lost")), "UNAVAILABLE")
        # Whether there is such a room is known.
        self.assertEqual(await self.refusal(program.join("hall")), "NO_SUCH_ROOM")
        # What was said last is known without Redis.
        self.assertEqual(await self.said(alice), ["before"])
        page = await room.history()
        self.assertEqual([message.id for message in page.messages], [stored.id])

        await redis.start()

        await self.says_at_last(alice, "after")
        ivy.send("PRIVMSG #den :after that")
        await _line(ivy, "PRIVMSG #den :after that")
        read = [await anext(aiter(room)) for _ in range(3)]
        texts = ["before", "after", "after that"]
        self.assertEqual([message.text for message in read], texts)
        self.assertEqual(await self.said(alice), texts)
        self.assertHasSeen(alice, *texts)
        for client in (alice, ivy):
            self.assertIsNone(client.reason)

    async def refusal(self, request: Coroutine[Any, Any, object]) -> str:
        """The code with which a request is refused."""
        try:
            await request
        except Refused as refused:
            return refused.code
        return "it was not refused"

    async def library(self, node: Node, nick: str) -> tuple[Library, Room]:
        """A program in the room."""
        place = f"tls:localhost:{node.port}"
        client = Library(place, trust=self.servers.trust)
        self.addCleanup(lambda: Deferred.fromCoroutine(client.close()))
        client.startService()
        await client.login(nick)
        return client, await client.join("den")

    async def test_it_is_away_for_longer_than_a_lease(self) -> None:
        redis = await start_redis(self)
        one, other = await self.start(redis.address, redis.address)
        alice = await self.in_den(one, "alice")
        bob = await self.in_den(other, "bob")

        await redis.kill()
        await deferLater(reactor, LEASE * 1.2)
        await redis.start()

        await self.says_at_last(alice, "after")
        await bob.until("ROOM:den:alice:after")
        await self.says_at_last(bob, "yes")
        await alice.until("ROOM:den:bob:yes")
        # All were out of touch, and nobody was to blame.
        for node in (one, other):
            self.assertNotIn("is gone", node.log())

    async def test_it_loses_its_data(self) -> None:
        redis = await start_redis(self)
        one, other = await self.start(redis.address, redis.address)
        clients = [await self.in_den(one, "alice"), await self.in_den(other, "bob")]

        await redis.ask("FLUSHALL")

        for client in clients:
            lines = await client.closed
            self.assertRegex("\n".join(lines), "BYE:.*connect again")
        for node in (one, other):
            await node.server.logged("Redis has lost its data: there is (no|another) journal in it")
        alice, bob = await self.in_den(one, "alice"), await self.in_den(other, "bob")
        await self.says(alice, "what has happened?")
        await bob.until("ROOM:den:alice:what has happened?")
        self.assertEqual(await self.said(bob), ["what has happened?"])
        for node in (one, other):
            self.assertFalse(node.server.ended.called)

    async def test_it_is_not_there_at_the_start(self) -> None:
        ended = await self._twistd(f"redis://{HOST}:{free_port()}/0")

        self.assertIn("connection refused", self._one_line(ended))

    async def test_it_wants_another_password(self) -> None:
        redis = await start_redis(self, password="the-right-word")

        ended = await self._twistd(f"redis://:a-wrong-word@{HOST}:{redis.port}/0")

        self.assertIn("WRONGPASS", self._one_line(ended))
        for word in ("the-right-word", "a-wrong-word"):
            self.assertNotIn(word, ended.out + ended.err)

    async def _twistd(self, store: str) -> Ended:
        return await run_twistd(self, "-n", "chat", "--store", store, "--endpoint", TLS)

    def _one_line(self, ended: Ended) -> str:
        """The line that says why it has ended."""
        self.assertEqual(ended.status, 1)
        self.assertIsNone(_DEFECT.search(ended.out + ended.err), ended)
        (line,) = [line for line in ended.out.splitlines() if "cannot go on" in line]
        return line


class SentinelTests(NodesCase):
    """What becomes of everybody when another Redis takes over."""

    async def test_another_is_made_the_master(self) -> None:
        master, sentinel, talk = await self._set_up(replicas=1)

        await sentinel.fail_over()

        # The old one does not know it for a while, takes what it is sent, and forgets it then.
        while (await master.ask("ROLE"))[0] != b"slave":
            await deferLater(reactor, _AGAIN)
        await talk.more(20)
        await self._nothing_is_lost(talk)

    async def test_the_master_dies(self) -> None:
        master, sentinel, talk = await self._set_up(replicas=2)

        await master.kill()

        await sentinel.logged(r"\+switch-master")
        await talk.more(20)
        await self._nothing_is_lost(talk)

    async def _set_up(self, replicas: int) -> tuple[RedisServer, Sentinel, Talk]:
        """A master, replicas, three servers, and somebody on each, of whom the first talks."""
        master = await start_redis(self)
        for _ in range(replicas):
            replica = await start_redis(self, replica_of=master)
            await replica.synchronised()
        sentinel = Sentinel(self, master)
        await sentinel.start()
        nodes = await self.start(
            *[master.address] * 3,
            redis=f'sentinels = ["{sentinel.address}"]\nsentinel_master = "chat"\nreplicas = 1',
        )
        names = ("alice", "bob", "carol")
        self.clients = [await self.in_den(*each) for each in zip(nodes, names, strict=True)]
        talk = Talk(self.clients[0])
        await talk.more(20)
        return master, sentinel, talk

    async def _nothing_is_lost(self, talk: Talk) -> None:
        alice, *others = self.clients
        await talk.end()
        await self.says_at_last(alice, "the end")
        for client in others:
            await client.until("ROOM:den:alice:the end")
        history = await self.said(others[0])
        counted = Counter(history)
        for text in talk.texts:
            self.assertEqual(counted[text], 1, text)
        for client in self.clients:
            self.assertIsNone(client.reason)
            self.assertHasSeen(client, *history)
        for node in self.nodes:
            self.assertNotIn("is gone", node.log())


class Talk:
    """
    Somebody says one thing after another, for as long as they are let.

    @ivar texts: what was acknowledged.
    """

    def __init__(self, client: Client) -> None:
        self.texts: list[str] = []
        self._over = False
        self._talking = Deferred.fromCoroutine(self._talk(client))

    async def _talk(self, client: Client) -> None:
        number = 0
        while not self._over:
            number += 1
            answer = await client.ask(f"ROOM:den:number {number}")
            if answer.startswith("OK:"):
                self.texts.append(f"number {number}")
            else:
                assert answer.startswith("ERR:ROOM:UNAVAILABLE:"), answer
            await deferLater(reactor, 0.01)

    async def more(self, messages: int) -> None:
        """Over when so many more were acknowledged."""
        wanted = len(self.texts) + messages
        while len(self.texts) < wanted:
            assert not self._talking.called, self._talking.result
            await deferLater(reactor, 0.01)

    async def end(self) -> None:
        """No more of it."""
        self._over = True
        await self._talking


async def _line(client: Client, *parts: str) -> str:
    """Read on to a line that has one of these in it, and return it."""
    while True:
        line = await client.line()
        if any(part in line for part in parts):
            return line
