"""How long a client may take, seen from outside: over the TLS handshake, over logging in, and
between two lines. The service's clock is the test's: nobody waits here.
"""

from __future__ import annotations

import contextlib

from OpenSSL import SSL

from tests.service import PLAIN, TLS, Closed, ServiceCase, turn, until


def client_hello() -> bytes:
    """What a TLS client says first."""
    connection = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), None)
    connection.set_connect_state()
    with contextlib.suppress(SSL.WantReadError):
        connection.do_handshake()
    return connection.bio_read(65536)


class HandshakeTests(ServiceCase):
    async def test_who_never_speaks_tls_is_closed(self) -> None:
        service = await self.serve(handshake_seconds=10)
        silent = await service.connect(tls=None)
        await service.has(connections=1)

        service.time.advance(9)
        self.assertEqual(len(service.connections), 1)
        service.time.advance(2)

        self.assertEqual(await silent.closed, [])
        await service.has(connections=0)

    async def test_who_drips_half_a_client_hello_is_closed(self) -> None:
        service = await self.serve(handshake_seconds=10)
        dripping = await service.connect(tls=None)
        hello = client_hello()

        for second in range(11):
            dripping.send_raw(hello[second : second + 1])
            await turn()
            service.time.advance(1)

        self.assertEqual(await dripping.closed, [])
        self.assertEqual(dripping.received, 0)

    async def test_the_handshake_does_not_shorten_the_time_to_log_in(self) -> None:
        service = await self.serve(handshake_seconds=10, login_seconds=120)
        client = await service.connect()
        await client.ask("PING:")

        service.time.advance(100)

        self.assertEqual(await client.ask("LOGIN:alice"), "OK:LOGIN:alice")


class LoginTests(ServiceCase):
    async def test_who_does_not_log_in_is_closed(self) -> None:
        service = await self.serve(login_seconds=30)
        client = await service.connect()
        await client.ask("PING:")

        for _ in range(5):
            service.time.advance(5)
            self.assertEqual(await client.ask("PING:"), "OK:PING:")
        service.time.advance(6)

        self.assertEqual(await client.line(), "BYE:too slow to log in")
        self.assertEqual(await client.closed, [])

    async def test_it_counts_on_a_listener_for_plain_text_too(self) -> None:
        service = await self.serve(listen=(PLAIN,), handshake_seconds=10, login_seconds=30)
        client = await service.connect(tls=None)
        await service.has(connections=1)

        service.time.advance(29)
        self.assertEqual(len(service.connections), 1)
        service.time.advance(2)

        self.assertEqual(await client.line(), "BYE:too slow to log in")

    async def test_who_has_logged_in_stays(self) -> None:
        service = await self.serve(login_seconds=30)
        client = await service.log_in("alice")

        service.time.advance(300)

        self.assertEqual(await client.ask("WHOAMI:"), "OK:WHOAMI:alice")


class IdleTests(ServiceCase):
    async def test_who_is_silent_is_pinged_and_then_closed(self) -> None:
        service = await self.serve(idle_seconds=900, ping_seconds=60)
        client = await service.log_in("alice")

        service.time.advance(839)
        await client.ask("PING:sync")
        self.assertNotIn("PING:chat.example", client.seen)

        service.time.advance(841)
        self.assertEqual(await client.line(), "PING:chat.example")
        service.time.advance(61)
        self.assertEqual(await client.line(), "BYE:idle for too long")
        self.assertEqual(await client.closed, [])

    async def test_others_see_the_idle_one_leave(self) -> None:
        service = await self.serve(idle_seconds=900, ping_seconds=60)
        _, bob = await service.in_room("lobby", "alice", "bob")

        for _ in range(10):
            service.time.advance(100)
            await bob.ask("PING:")

        self.assertIn("LEFT:lobby:alice", bob.seen)
        self.assertEqual(await bob.items("LISTUSERS:lobby"), ["bob"])

    async def test_the_answer_to_a_ping_keeps_a_client(self) -> None:
        service = await self.serve(idle_seconds=900, ping_seconds=60)
        client = await service.log_in("alice")

        for _ in range(3):
            service.time.advance(841)
            self.assertEqual(await client.line(), "PING:chat.example")
            self.assertEqual(await client.ask("PONG:chat.example"), "OK:PONG:chat.example")

    async def test_any_line_keeps_a_client(self) -> None:
        service = await self.serve(idle_seconds=900, ping_seconds=60)
        client = await service.log_in("alice")

        for line in ("WHOAMI:", "NOSUCHCOMMAND:", "LISTROOM:", "x" * 5000, "\xff", "LOGIN:bob"):
            service.time.advance(800)
            await client.ask(line)
        service.time.advance(800)
        client.send("")
        await client.ask("PING:")

        self.assertNotIn("PING:chat.example", client.seen)

    async def test_half_a_line_does_not_keep_a_client(self) -> None:
        service = await self.serve(idle_seconds=900, ping_seconds=60)
        client = await service.log_in("alice")

        line = service.side_of(client)._framing

        for length in range(1, 9):
            client.send_raw(b"x")
            while len(line) < length:
                await turn()
            service.time.advance(100)
        service.time.advance(41)

        self.assertEqual(await client.line(), "PING:chat.example")

    async def test_a_message_to_a_silent_client_does_not_keep_it(self) -> None:
        service = await self.serve(idle_seconds=900, ping_seconds=60)
        alice, bob = await service.in_room("lobby", "alice", "bob")

        for _ in range(10):
            service.time.advance(100)
            await bob.ask("ROOM:lobby:are you there?")

        self.assertEqual((await alice.closed)[-1], "BYE:idle for too long")

    async def test_who_logs_out_has_the_time_to_log_in_again(self) -> None:
        service = await self.serve(idle_seconds=900, ping_seconds=60, login_seconds=120)
        client = await service.log_in("alice")
        service.time.advance(10)
        await client.ask("LOGOUT:")

        service.time.advance(119)
        await client.ask("PING:")
        service.time.advance(2)

        self.assertEqual(await client.line(), "BYE:too slow to log in")


class ClosingTests(ServiceCase):
    async def test_who_does_not_read_the_last_words_is_dropped(self) -> None:
        service = await self.serve(idle_seconds=900, ping_seconds=60)
        client = await service.log_in("alice")
        service.stall(client)

        service.time.advance(841)
        service.time.advance(61)
        # The last words wait to be read, and the connection with them; then it is dropped.
        await service.has(connections=1)
        service.time.advance(6)

        await service.has(connections=0)

    async def test_a_stop_waits_for_a_client_that_does_not_read_no_longer_than_said(self) -> None:
        service = await self.serve(stop_seconds=2)
        client = await service.log_in("alice")
        service.stall(client)

        began = service.time.seconds()

        stopped = service.root.stopService()
        while not stopped.called:
            service.time.advance(0.1)
            await turn()

        self.assertEqual(len(service.connections), 0)
        self.assertApproximates(service.time.seconds() - began, 2.5, 0.5)

    async def test_a_stop_waits_for_nobody_who_closes(self) -> None:
        service = await self.serve(listen=(TLS, PLAIN), stop_seconds=2)
        clients = [await service.log_in("alice"), await service.connect(tls=None, listener=1)]
        clients[1].send("LOGIN:bob")
        await clients[1].until("OK:LOGIN")

        await service.root.stopService()

        for client in clients:
            self.assertEqual((await client.closed)[-1], "BYE:the server stops")


class SilenceTests(ServiceCase):
    async def test_a_silent_client_is_greeted_after_a_second(self) -> None:
        service = await self.serve()
        client = await service.connect()
        await service.has(connections=1)
        await until(lambda: service.side_of(client)._begun)

        service.time.advance(1)

        await until(lambda: client.seen)
        self.assertStarts(client.seen[0], "HELLO:chat.example:")

    async def test_no_line_comes_after_the_end(self) -> None:
        client = await (await self.serve()).log_in("alice")
        client.send("QUIT:")

        self.assertEqual(await client.line(), "OK:QUIT")
        self.assertEqual(await client.line(), "BYE:goodbye")
        await self.assertFailure(client.line(), Closed)
