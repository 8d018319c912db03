"""A link to a real Redis: what is asked on it, and what becomes of it when Redis goes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, DeferredList, gatherResults, succeed
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.task import Clock, deferLater
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer, provider

from chatservice.journal.redis.address import read_address
from chatservice.journal.redis.link import Away, Link, Refused
from chatservice.journal.redis.wire import Wire
from tests.flaky_proxy import FlakyProxy
from tests.process import PATIENCE, ProcessCase
from tests.redis_server import HOST, RedisServer, start_redis

reactor: Any = _reactor

DOCS = Path(__file__).parent.parent / "docs"
TURN = 0.001

SOON = 0.3
"""A patience for what never answers; nothing else depends on it."""


class LinkCase(ProcessCase):
    def link(
        self, server: RedisServer, port: int = 0, patience: float = PATIENCE, address: str = ""
    ) -> Link:
        """A link that is closed after the test."""
        self.answers: list[float] = []
        endpoint = TCP4ClientEndpoint(reactor, HOST, port or server.port)
        there = read_address(address or server.address_at(port or server.port))
        link = Link(reactor, endpoint, there, patience, self.answers.append)
        self.addCleanup(lambda: Deferred.fromCoroutine(link.close()))
        return link

    async def linked(self, server: RedisServer, port: int = 0, patience: float = PATIENCE) -> Link:
        link = self.link(server, port, patience)
        link.open()
        await link.up(PATIENCE)
        return link

    async def away(self, waited: Deferred[Any]) -> str:
        """The words of what has to fail, without the address."""
        with self.assertRaises(Away) as caught:
            await waited
        return str(caught.exception).partition(": ")[2]

    def asked(self, link: Link, *command: str | bytes | int) -> Deferred[Any]:
        return Deferred.fromCoroutine(link.ask(*command))

    async def down(self, link: Link) -> None:
        """Over when the link has noticed that it is down."""
        while link.connected:
            await deferLater(reactor, TURN)

    async def told(self, lines: list[str]) -> None:
        """Over when something has been logged."""
        while not lines:
            await deferLater(reactor, TURN)

    async def answered(self, link: Link) -> None:
        """Over when Redis answers: on a slow machine a short patience may fail now and then."""
        while True:
            await link.up()
            try:
                self.assertEqual(await link.ask("PING"), b"PONG")
                return
            except Away:
                continue

    def lines(self) -> list[str]:
        """What links have logged, from now on."""
        lines: list[str] = []

        @provider(ILogObserver)
        def observe(event: LogEvent) -> None:
            if isinstance(event.get("log_source"), Link):
                lines.append(event["log_format"].format(**event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        return lines


class AskingTests(LinkCase):
    async def test_answers_come_in_order_and_are_bytes_numbers_lists_and_none(self) -> None:
        link = await self.linked(await start_redis(self))

        answers = await gatherResults(
            [
                self.asked(link, "SET", "a", b"\xff5"),
                self.asked(link, "GET", "a"),
                self.asked(link, "INCRBY", "n", 7),
                self.asked(link, "GET", "n"),
                self.asked(link, "GET", "nothing"),
                self.asked(link, "MGET", "a", "n", "nothing"),
                self.asked(link, "ECHO", "\u00e4"),
            ]
        )

        self.assertEqual(
            answers,
            [b"OK", b"\xff5", 7, b"7", None, [b"\xff5", b"7", None], "\u00e4".encode()],
        )
        self.assertEqual(len(self.answers), 7)

    async def test_what_redis_cannot_do_is_refused_and_the_next_is_answered(self) -> None:
        link = await self.linked(await start_redis(self))
        await link.ask("SET", "a", "x")

        with self.assertRaises(Refused) as caught:
            await link.ask("INCR", "a")

        self.assertIn("not an integer", str(caught.exception))
        self.assertEqual(await link.ask("GET", "a"), b"x")

    async def test_large_questions_and_answers_are_whole(self) -> None:
        link = await self.linked(await start_redis(self))
        large = bytes(range(256)) * 20_000

        await link.ask("SET", "a", large)

        self.assertEqual(await link.ask("GET", "a"), large)

    async def test_who_gives_up_asking_disturbs_nobody(self) -> None:
        link = await self.linked(await start_redis(self))
        await link.ask("SET", "a", "1")

        first, second = self.asked(link, "GET", "nothing"), self.asked(link, "GET", "a")
        first.addErrback(lambda _: None)
        first.cancel()

        self.assertEqual(await second, b"1")

    async def test_a_question_that_waits_longer_than_its_answer_needs_is_answered(self) -> None:
        link = await self.linked(await start_redis(self))

        self.assertIsNone(await link.ask("XREAD", "BLOCK", 50, "STREAMS", "log", "0"))

    async def test_the_database_and_the_user_are_those_of_the_address(self) -> None:
        server = await start_redis(self, user="ann", password="sesame")
        address = server.address.replace("/0", "/3")
        link = self.link(server, address=address)
        link.open()
        await link.up(PATIENCE)

        self.assertEqual(await link.ask("ACL", "WHOAMI"), b"ann")
        self.assertIn(b"db=3", await link.ask("CLIENT", "INFO"))


class RightsTests(LinkCase):
    """Users of Redis who may not do everything."""

    async def as_user(self, rights: str) -> Link:
        """A link of a user with some rights, which is up."""
        server = await start_redis(self, settings=(f"user chat on >sesame {rights}",))
        link = self.link(server, address="redis://chat:sesame@h:1/1")
        link.open()
        await link.up(PATIENCE)
        return link

    async def test_the_rights_that_the_document_names_are_enough(self) -> None:
        text = (DOCS / "operation.md").read_text(encoding="utf-8")
        line = re.search(r"^    user chat on >PASSWORD (.*)$", text, re.MULTILINE)
        assert line is not None

        link = await self.as_user(line[1])

        script = "return redis.call('XADD', KEYS[1], '*', 'a', redis.call('TIME')[1])"
        entry = await link.ask("EVAL", script, 1, "chat:log")
        self.assertEqual((await link.ask("XRANGE", "chat:log", "-", "+"))[0][0], entry)
        self.assertEqual(await link.ask("WAIT", 0, 1), 0)
        with self.assertRaises(Refused):
            await link.ask("GET", "others")

    async def test_who_may_not_ask_for_the_role_is_believed_to_have_found_it(self) -> None:
        link = await self.as_user("~* +@all -role")

        self.assertEqual(await link.ask("PING"), b"PONG")


class AwayTests(LinkCase):
    async def test_what_is_asked_before_it_is_up_fails_at_once(self) -> None:
        server = await start_redis(self)
        link = self.link(server)

        self.assertEqual(await self.away(self.asked(link, "PING")), "closed")
        link.open()
        self.assertIn("no connection within", await self.away(self.asked(link, "PING")))

    async def test_what_is_asked_as_redis_dies_is_away(self) -> None:
        server = await start_redis(self)
        link = await self.linked(server)
        asked = self.asked(link, "XREAD", "BLOCK", 0, "STREAMS", "log", "0")

        await server.kill()

        self.assertEqual(await self.away(asked), "the connection was lost")
        await self.down(link)
        with self.assertRaises(Away):
            await link.ask("PING")

    async def test_it_is_up_again_after_a_restart(self) -> None:
        server = await start_redis(self)
        link = await self.linked(server)
        await link.ask("SET", "a", "1")
        await server.kill()
        await self.down(link)
        up = link.up()

        await server.start()

        await up
        self.assertEqual(await link.ask("GET", "a"), b"1")

    async def test_a_redis_that_falls_silent_is_given_up(self) -> None:
        server = await start_redis(self)
        link = await self.linked(server, patience=SOON)

        server.pause()
        asked = [self.asked(link, "PING"), self.asked(link, "GET", "a")]

        for each in asked:
            self.assertEqual(await self.away(each), f"no answer for {SOON} s")
        server.go_on()
        await self.answered(link)

    async def test_a_redis_that_takes_connections_and_is_silent_is_not_up(self) -> None:
        server = await start_redis(self)
        server.pause()
        lines = self.lines()
        link = self.link(server, patience=SOON)
        link.open()

        await self.told(lines)

        self.assertFalse(link.connected)
        server.go_on()
        await self.answered(link)

    async def test_a_cut_is_noticed_and_its_end_is(self) -> None:
        server = await start_redis(self)
        proxy = FlakyProxy(self, server.port)
        link = await self.linked(server, proxy.port, SOON)

        proxy.cut()

        self.assertEqual(await self.away(self.asked(link, "PING")), f"no answer for {SOON} s")
        proxy.heal()
        await self.answered(link)

    async def test_nobody_listening_is_told_in_the_words_of_who_waits(self) -> None:
        server = await start_redis(self)
        await server.kill()
        lines = self.lines()
        link = self.link(server)
        link.open()

        await self.told(lines)
        self.assertEqual(await self.away(link.up(0.001)), "connection refused")

    async def test_a_replica_is_not_what_we_want(self) -> None:
        master = await start_redis(self)
        replica = await start_redis(self, replica_of=master)
        lines = self.lines()
        link = self.link(replica)
        link.open()

        await self.told(lines)
        self.assertEqual(await self.away(link.up(0.001)), "it is not the master")
        up = link.up()
        await replica.ask("REPLICAOF", "NO", "ONE")
        await up

    async def test_a_master_that_becomes_a_replica_is_left(self) -> None:
        master = await start_redis(self)
        other = await start_redis(self)
        # A server's own administrators are not thrown out as normal clients are.
        link = await self.linked(other)
        script = "return redis.call('SET', KEYS[1], 'x')"
        await link.ask("EVAL", script, 1, "a")

        await other.ask("REPLICAOF", HOST, master.port)

        with self.assertRaises(Away):
            await link.ask("EVAL", script, 1, "a")
        self.assertFalse(link.connected)


class UnwelcomeTests(LinkCase):
    async def refusal(self, server: RedisServer, address: str) -> tuple[str, list[str]]:
        """What who waits hears, and what is logged until some attempts have failed."""
        lines = self.lines()
        proxy = FlakyProxy(self, server.port)
        link = self.link(server, proxy.port, address=address)
        link.open()
        reason = await self.away(link.up(PATIENCE))
        while proxy.accepted < 4:
            await self.away(link.up(PATIENCE))
        return reason, lines

    async def test_a_wrong_password_is_told_at_once_and_logged_once(self) -> None:
        server = await start_redis(self, password="sesame")

        reason, lines = await self.refusal(server, "redis://:wrong-one@h:1/0")

        self.assertTrue(reason.startswith("WRONGPASS"), reason)
        self.assertEqual(lines, [f"redis://h:1/0 is away: {reason}"])
        self.assertNotIn("wrong-one", str(lines))

    async def test_no_password_where_one_is_wanted_is_told(self) -> None:
        server = await start_redis(self, password="sesame")

        reason, _ = await self.refusal(server, "redis://h:1/0")

        self.assertTrue(reason.startswith("NOAUTH"), reason)

    async def test_a_database_that_is_not_there_is_told(self) -> None:
        reason, _ = await self.refusal(await start_redis(self), "redis://h:1/99")

        self.assertIn("out of range", reason)

    async def test_who_waits_for_ever_hears_of_it_when_the_password_is_right(self) -> None:
        server = await start_redis(self, password="sesame")
        lines = self.lines()
        link = self.link(server, address="redis://:other@h:1/0")
        link.open()
        up = link.up()
        await self.away(link.up(PATIENCE))
        self.assertFalse(up.called)

        await server.ask("CONFIG", "SET", "requirepass", "other")

        await up
        self.assertEqual(lines[1:], ["redis://h:1/0: it is there again"])


class ClosingTests(LinkCase):
    async def test_who_asks_and_who_waits_hear_of_it(self) -> None:
        server = await start_redis(self)
        link = await self.linked(server)
        asked = self.asked(link, "XREAD", "BLOCK", 0, "STREAMS", "log", "0")

        await link.close()

        self.assertEqual(await self.away(asked), "closed")
        self.assertEqual(await self.away(self.asked(link, "PING")), "closed")
        self.assertEqual(await self.away(link.up()), "closed")

    async def test_it_may_be_closed_at_any_moment(self) -> None:
        server = await start_redis(self)
        link = self.link(server)
        await link.close()

        for turns in range(12):
            link.open()
            waiting = DeferredList([link.up(), link.up(PATIENCE)], consumeErrors=True)
            for _ in range(turns):
                await deferLater(reactor, 0)
            await link.close()
            await waiting
            self.assertFalse(link.connected)

    async def test_it_is_closed_though_redis_is_silent_and_much_is_under_way(self) -> None:
        server = await start_redis(self)
        link = await self.linked(server)
        server.pause()
        asked = self.asked(link, "SET", "a", b"x" * 20_000_000)

        await link.close()

        await self.away(asked)

    async def test_it_may_be_opened_again(self) -> None:
        server = await start_redis(self)
        link = await self.linked(server)
        await link.close()

        link.open()

        await link.up(PATIENCE)
        self.assertEqual(await link.ask("PING"), b"PONG")

    async def test_it_is_closed_while_it_waits_for_the_next_attempt(self) -> None:
        server = await start_redis(self)
        await server.kill()
        link = self.link(server)
        lines = self.lines()
        link.open()
        await self.told(lines)

        await link.close()


@implementer(IStreamClientEndpoint)
class Fleeting:
    """A Redis that greets whoever connects, and may be lost."""

    def __init__(self) -> None:
        self.connections: list[Wire] = []

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        wire: Any = protocolFactory.buildProtocol(IPv4Address("TCP", HOST, 1))
        wire.makeConnection(StringTransport())
        self.connections.append(wire)
        return succeed(wire)

    def answer(self) -> None:
        self.connections[-1].dataReceived(b"*1\r\n$6\r\nmaster\r\n+PONG\r\n")

    def lose(self) -> None:
        self.connections[-1].connectionLost(Failure(ConnectionDone()))


class DelayTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.redis = Fleeting()
        self.link = Link(self.clock, self.redis, read_address("redis://h"), 3)
        self.link.open()

    def seconds_until_the_next(self) -> float:
        began, count = self.clock.seconds(), len(self.redis.connections)
        while len(self.redis.connections) == count:
            self.clock.advance(0.01)
        return self.clock.seconds() - began

    def test_one_that_was_up_is_tried_again_at_once(self) -> None:
        for _ in range(5):
            self.redis.answer()
            self.assertTrue(self.link.connected)
            self.clock.advance(5)
            self.redis.lose()

            self.assertLess(self.seconds_until_the_next(), 0.1)

    def test_one_that_never_is_up_is_tried_less_and_less_often(self) -> None:
        self.redis.lose()
        first = self.seconds_until_the_next()
        for _ in range(20):
            self.redis.lose()
            last = self.seconds_until_the_next()

        self.assertLess(first, 0.2)
        self.assertTrue(0.7 < last < 1.3, last)

    def test_nor_is_one_that_is_lost_as_soon_as_it_is_up(self) -> None:
        for _ in range(20):
            self.redis.answer()
            self.redis.lose()
            last = self.seconds_until_the_next()

        self.assertTrue(0.7 < last < 1.3, last)
