"""The Redis servers that tests run, and the ways to them: they do what they say."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectionRefusedError

from tests.flaky_proxy import FlakyProxy
from tests.loopback import Recorder
from tests.process import ProcessCase
from tests.redis_server import HOST, Sentinel, start_redis

reactor: Any = _reactor


class ServerTests(ProcessCase):
    async def test_it_answers_once_it_has_started(self) -> None:
        server = await start_redis(self)

        self.assertEqual(await server.ask("PING"), b"PONG")

    async def test_what_was_answered_outlives_a_kill(self) -> None:
        server = await start_redis(self)
        await server.ask("SET", "a", b"\xff1")

        await server.restart()

        self.assertEqual(await server.ask("GET", "a"), b"\xff1")

    async def test_one_that_forgets_starts_empty(self) -> None:
        server = await start_redis(self, keeps=False)
        await server.ask("SET", "a", "1")

        await server.restart()

        self.assertIsNone(await server.ask("GET", "a"))

    async def test_a_stopped_one_is_gone_and_may_come_back_at_its_port(self) -> None:
        server = await start_redis(self)
        port = server.port

        await server.stop()

        with self.assertRaises(ConnectionRefusedError):
            await server.ask("PING")
        await server.start()
        self.assertEqual((await server.ask("PING"), server.port), (b"PONG", port))

    async def test_a_paused_one_answers_when_it_goes_on(self) -> None:
        server = await start_redis(self)

        server.pause()
        answer = Deferred.fromCoroutine(server.ask("PING"))
        server.go_on()

        self.assertEqual(await answer, b"PONG")

    async def test_it_knows_its_user(self) -> None:
        server = await start_redis(self, user="ann", password="pw")

        self.assertEqual(await server.ask("ACL", "WHOAMI"), b"ann")
        self.assertIn("ann:pw@", server.address)

    async def test_a_sentinel_makes_the_replica_the_master(self) -> None:
        master = await start_redis(self, password="pw")
        replica = await start_redis(self, password="pw", replica_of=master)
        await replica.synchronised()
        sentinel = Sentinel(self, master, password="sp")
        await sentinel.start()

        await sentinel.fail_over()

        self.assertEqual((await replica.ask("ROLE"))[0], b"master")
        self.assertEqual(
            await sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "chat"),
            [HOST.encode(), str(replica.port).encode()],
        )


class ProxyTests(ProcessCase):
    async def connect(self, proxy: FlakyProxy) -> Recorder:
        endpoint = TCP4ClientEndpoint(reactor, HOST, proxy.port)
        client: Recorder = await connectProtocol(endpoint, Recorder())
        self.addCleanup(lambda: client.lost)
        self.addCleanup(cast(Any, client.transport).abortConnection)
        return client

    async def test_what_is_said_goes_through_and_comes_back(self) -> None:
        proxy = FlakyProxy(self, (await start_redis(self)).port)
        client = await self.connect(proxy)

        client.transport.write(b"PING\r\n")  # type: ignore[union-attr]

        self.assertEqual(await client.bytes_received(7), b"+PONG\r\n")

    async def test_a_cut_holds_all_back_until_it_is_healed(self) -> None:
        proxy = FlakyProxy(self, (await start_redis(self)).port)
        old = await self.connect(proxy)
        proxy.cut()
        new = await self.connect(proxy)
        old.transport.write(b"PING\r\n")  # type: ignore[union-attr]
        new.transport.write(b"PING\r\n")  # type: ignore[union-attr]
        other_way = await start_redis(self)
        await other_way.ask("PING")
        self.assertEqual((bytes(old.received), bytes(new.received)), (b"", b""))

        proxy.heal()

        self.assertEqual(await old.bytes_received(7), b"+PONG\r\n")
        self.assertEqual(await new.bytes_received(7), b"+PONG\r\n")

    async def test_refusing_ends_connections_and_takes_none(self) -> None:
        proxy = FlakyProxy(self, (await start_redis(self)).port)
        old = await self.connect(proxy)

        await proxy.refuse()

        await old.lost
        with self.assertRaises(ConnectionRefusedError):
            await self.connect(proxy)
        proxy.heal()
        await self.connect(proxy)

    async def test_a_delay_keeps_the_order(self) -> None:
        proxy = FlakyProxy(self, (await start_redis(self)).port)
        client = await self.connect(proxy)
        proxy.delay(0.01)

        client.transport.write(b"ECHO 1\r\n")  # type: ignore[union-attr]
        client.transport.write(b"ECHO 2\r\n")  # type: ignore[union-attr]

        self.assertEqual(await client.bytes_received(14), b"$1\r\n1\r\n$1\r\n2\r\n")

    async def test_who_leaves_is_seen_to_leave_behind_it(self) -> None:
        server = await start_redis(self)
        proxy = FlakyProxy(self, server.port)
        client = await self.connect(proxy)
        client.transport.write(b"PING\r\n")  # type: ignore[union-attr]
        await client.bytes_received(7)

        client.transport.write(b"QUIT\r\n")  # type: ignore[union-attr]

        await client.lost
        self.assertEqual(proxy.accepted, 1)
