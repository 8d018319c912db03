"""How many of each thing there may be, seen from outside: connections, rooms, members, invitations,
accounts, characters. Time, speed and memory have modules of their own (`test_limits_of_time`,
`test_limits_of_flow`).
"""

from __future__ import annotations

from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory
from twisted.protocols.policies import WrappingFactory
from twisted.protocols.tls import TLSMemoryBIOFactory

from chatservice.networking.admission import Admission, Refusal, address_group
from tests.service import (
    HOST,
    PLAIN,
    Client,
    RunningService,
    ServiceCase,
    SteppedReactor,
    Trusting,
    reactor,
    until,
)


async def refused(client: Client) -> bool:
    """Was a connection closed without a byte?"""
    await client.closed
    return client.received == 0


class ProxyTests(ServiceCase):
    """Clients that a proxy speaks for (the PROXY protocol, version 1)."""

    PROXIED = f"haproxy:{PLAIN}"

    async def connect(self, service: RunningService, source: str, listener: int) -> Client:
        """A client of that address, whose proxy is on loopback."""
        header = f"PROXY TCP4 {source} 192.0.2.80 40000 6667\r\n".encode()
        client = Client()
        factory: Any = Factory.forProtocol(lambda: client)
        if listener == 1:
            factory = TLSMemoryBIOFactory(Trusting(), True, factory)
        endpoint = TCP4ClientEndpoint(reactor, HOST, service.ports[listener])
        await endpoint.connect(_Proxied(factory, header))
        return client

    async def serve_both(self, **limits: Any) -> RunningService:
        """Listens for a proxy in plain text, and with TLS."""
        return await self.serve(listen=(self.PROXIED, f"tls:{self.PROXIED}"), **limits)

    async def test_clients_are_counted_at_their_own_addresses(self) -> None:
        service = await self.serve_both(
            connections_per_address=1, exempt_addresses=("127.0.0.0/8",)
        )
        for listener, source in enumerate(("203.0.113.7", "203.0.113.17")):
            first = await self.connect(service, source, listener)
            self.assertEqual(await first.ask("LOGIN:alice"), "OK:LOGIN:alice")
            second = await self.connect(service, source, listener)
            second.send("LOGIN:bob")
            await second.closed
            self.assertIn("too many connections from your address", second.seen[-1])
            self.assertNotIn("OK:LOGIN:bob", second.seen)
            other = await self.connect(service, "203.0.113.8", listener)
            self.assertEqual(await other.ask("LOGIN:carol"), "OK:LOGIN:carol")

            await first.hang_up()
            await service.has(connections=1)
            again = await self.connect(service, source, listener)
            self.assertEqual(await again.ask("LOGIN:dave"), "OK:LOGIN:dave")
            for client in (again, other):
                await client.hang_up()
            await service.has(connections=0)
        self.assertEqual(service.connections.admission.refused[Refusal.TOO_MANY], 2)

    async def test_what_counts_by_address_counts_by_the_clients(self) -> None:
        service = await self.serve_both(registrations_per_hour=1)
        for listener, source in enumerate(("203.0.113.7", "203.0.113.17")):
            client = await self.connect(service, source, listener)
            await client.ask(f"LOGIN:user{listener}")
            answer = await client.ask("REGISTER:a long password")
            self.assertStarts(answer, "OK:REGISTER")
            self.assertIn(source, [side.address for side in service])
            self.assertIn(source, [side.session.address for side in service])

    async def test_with_tls_a_client_counts_before_it_says_anything(self) -> None:
        service = await self.serve_both(connections_per_address=1)
        await self.connect(service, "203.0.113.7", 1)
        await until(lambda: [side.host for side in service] == ["203.0.113.7"])
        quiet = await self.connect(service, "203.0.113.7", 1)
        await quiet.closed
        self.assertIn("too many connections from your address", quiet.seen[-1])

    async def test_who_keeps_quiet_is_greeted_and_then_counted(self) -> None:
        service = await self.serve_both(connections_per_address=1)
        client = await self.connect(service, "203.0.113.7", 0)
        await service.has(connections=1)
        service.time.advance(2)
        await until(lambda: client.seen)
        await client.ask("HELP")
        self.assertEqual([side.host for side in service], ["203.0.113.7"])


class _Proxied(WrappingFactory):
    """Sends a header before the wrapped protocol begins."""

    def __init__(self, factory: Any, header: bytes) -> None:
        super().__init__(factory)
        self._header = header

    def buildProtocol(self, addr: Any) -> Any:
        protocol: Any = self.wrappedFactory.buildProtocol(addr)
        make_connection = protocol.makeConnection

        def with_header(transport: Any) -> None:
            transport.write(self._header)
            make_connection(transport)

        protocol.makeConnection = with_header
        return protocol


class ConnectionTests(ServiceCase):
    async def test_there_are_no_more_connections_than_allowed(self) -> None:
        service = await self.serve(connections=2)
        alice = await service.log_in("alice")
        await service.log_in("bob", source="127.0.0.2")

        self.assertTrue(await refused(await service.connect(source="127.0.0.3")))

        await alice.hang_up()
        await service.has(connections=1)
        await service.log_in("carol", source="127.0.0.3")

    async def test_exempt_addresses_count_among_all_connections(self) -> None:
        service = await self.serve(connections=1, exempt_addresses=("127.0.0.0/8",))
        await service.log_in("alice")

        self.assertTrue(await refused(await service.connect()))

    async def test_one_address_has_no_more_connections_than_allowed(self) -> None:
        service = await self.serve(connections_per_address=2)
        alice, bob = await service.log_in("alice"), await service.log_in("bob")

        self.assertTrue(await refused(await service.connect()))
        await service.log_in("carol", source="127.0.0.2")

        await alice.vanish()
        await service.has(connections=2)
        await service.log_in("dave")
        self.assertEqual(await bob.ask("WHOAMI:"), "OK:WHOAMI:bob")

    async def test_one_address_opens_no_more_connections_a_minute_than_allowed(self) -> None:
        service = await self.serve(new_connections_per_minute=3)
        for _ in range(3):
            await (await service.log_in("alice")).hang_up()
            await service.has(connections=0)

        self.assertTrue(await refused(await service.connect()))
        await service.log_in("bob", source="127.0.0.2")

        service.time.advance(20)
        await service.log_in("alice")
        self.assertTrue(await refused(await service.connect()))

    async def test_limits_of_one_address_leave_exempt_ones_alone(self) -> None:
        service = await self.serve(
            connections_per_address=1,
            new_connections_per_minute=1,
            exempt_addresses=("127.0.0.2/32",),
        )

        for nick in ("alice", "bob", "carol"):
            await service.log_in(nick, source="127.0.0.2")

        await service.log_in("dave")
        self.assertTrue(await refused(await service.connect()))

    async def test_a_connection_without_tls_counts_as_well(self) -> None:
        service = await self.serve(connections=1)
        silent = await service.connect(tls=None)
        await service.has(connections=1)

        self.assertTrue(await refused(await service.connect()))

        await silent.vanish()
        await service.has(connections=0)
        await service.log_in("alice")

    async def test_zero_connections_means_no_limit(self) -> None:
        service = await self.serve(
            connections=0, connections_per_address=0, new_connections_per_minute=0
        )

        for number in range(130):
            await service.connect(tls=None)
            await service.has(connections=number + 1)


class AddressGroupTests(ServiceCase):
    """Loopback has one address of IPv6, and not everywhere: the /64 is tested without a socket."""

    def test_a_64_of_ipv6_counts_as_one_address(self) -> None:
        self.assertEqual(address_group("2001:db8:1:2::a"), address_group("2001:db8:1:2:ffff::b"))
        self.assertNotEqual(address_group("2001:db8:1:2::a"), address_group("2001:db8:1:3::a"))
        self.assertEqual(address_group("::ffff:192.0.2.1"), address_group("192.0.2.1"))

    def test_a_64_of_ipv6_has_the_connections_of_one_address(self) -> None:
        admission = Admission(SteppedReactor(), connections_per_address=2)  # type: ignore[arg-type]

        self.assertIsNone(admission.admit("2001:db8::1"))
        self.assertIsNone(admission.admit("2001:db8::2"))
        self.assertIs(admission.admit("2001:db8::3"), Refusal.TOO_MANY)
        self.assertIsNone(admission.admit("2001:db8:0:1::1"))


class RoomTests(ServiceCase):
    async def test_there_are_no_more_rooms_than_allowed(self) -> None:
        service = await self.serve(rooms=2)
        alice, bob = await service.log_in("alice"), await service.log_in("bob")
        await alice.ask("NEWROOM:one")
        await bob.ask("NEWROOM:two")

        self.assertStarts(await bob.ask("NEWROOM:three"), "ERR:NEWROOM:TOO_MANY:")
        self.assertEqual(await bob.items("LISTROOM:"), ["one:public:0", "two:public:0"])

        await alice.ask("DELROOM:one")
        self.assertEqual(await bob.ask("NEWROOM:three"), "OK:NEWROOM:three")

    async def test_rooms_made_at_the_same_moment_are_no_more_than_allowed(self) -> None:
        service = await self.serve(rooms=3)
        clients = [await service.log_in(f"user{number}") for number in range(8)]

        answers = [client.until("OK:NEWROOM", "ERR:NEWROOM") for client in clients]
        for number, client in enumerate(clients):
            client.send(f"NEWROOM:room{number}")
        made = [(await answer).startswith("OK:") for answer in answers]

        self.assertEqual(made.count(True), 3)
        self.assertEqual(len(await clients[0].items("LISTROOM:")), 3)

    async def test_a_user_is_in_no_more_rooms_than_allowed(self) -> None:
        service = await self.serve(rooms_per_user=2)
        alice = await service.log_in("alice")
        for room in ("one", "two", "three"):
            await alice.ask(f"NEWROOM:{room}")
        await alice.ask("JOINROOM:one")
        await alice.ask("JOINROOM:two")

        self.assertStarts(await alice.ask("JOINROOM:three"), "ERR:JOINROOM:TOO_MANY:")
        self.assertEqual(await alice.ask("WHEREAMI:"), "OK:WHEREAMI:one:two")

        await alice.ask("EXITROOM:one")
        self.assertEqual(await alice.ask("JOINROOM:three"), "OK:JOINROOM:three")

    async def test_a_user_owns_no_more_rooms_than_allowed(self) -> None:
        service = await self.serve(rooms_owned_per_user=2)
        alice, bob = await service.log_in("alice"), await service.log_in("bob")
        await alice.ask("NEWROOM:one")
        await alice.ask("NEWROOM:two")

        self.assertStarts(await alice.ask("NEWROOM:three"), "ERR:NEWROOM:TOO_MANY:")
        self.assertEqual(await bob.ask("NEWROOM:three"), "OK:NEWROOM:three")

        await alice.ask("DELROOM:one")
        self.assertEqual(await alice.ask("NEWROOM:four"), "OK:NEWROOM:four")

    async def test_a_room_has_no_more_members_than_allowed(self) -> None:
        service = await self.serve(members_per_room=2)
        _, bob = await service.in_room("lobby", "alice", "bob")
        carol = await service.log_in("carol")

        self.assertStarts(await carol.ask("JOINROOM:lobby"), "ERR:JOINROOM:TOO_MANY:")
        self.assertEqual(await carol.items("LISTUSERS:lobby"), ["alice", "bob"])

        await bob.hang_up()
        await service.has(connections=2)
        await carol.ask("PING:")
        self.assertEqual(await carol.ask("JOINROOM:lobby"), "OK:JOINROOM:lobby")

    async def test_those_who_come_at_the_same_moment_are_no_more_than_allowed(self) -> None:
        service = await self.serve(members_per_room=3)
        clients = [await service.log_in(f"user{number}") for number in range(8)]
        await clients[0].ask("NEWROOM:lobby")

        answers = [client.until("OK:JOINROOM", "ERR:JOINROOM") for client in clients]
        for client in clients:
            client.send("JOINROOM:lobby")
        inside = [(await answer).startswith("OK:") for answer in answers]

        self.assertEqual(inside.count(True), 3)
        self.assertEqual(len(await clients[0].items("LISTUSERS:lobby")), 3)

    async def test_a_room_has_no_more_invitations_than_allowed(self) -> None:
        service = await self.serve(invitations_per_room=1)
        alice, bob, carol = [await service.log_in(nick) for nick in ("alice", "bob", "carol")]
        await alice.ask("NEWROOM:secret:private")
        await alice.ask("INVITEROOM:secret:bob")

        self.assertStarts(await alice.ask("INVITEROOM:secret:carol"), "ERR:INVITEROOM:TOO_MANY:")
        self.assertEqual(await alice.ask("INVITEROOM:secret:bob"), "OK:INVITEROOM:secret:bob")
        self.assertStarts(await carol.ask("JOINROOM:secret"), "ERR:JOINROOM:PRIVATE_ROOM:")

        await bob.ask("LOGOUT:")
        answer = await alice.ask("INVITEROOM:secret:carol")
        self.assertEqual(answer, "OK:INVITEROOM:secret:carol")

    async def test_zero_means_no_limit(self) -> None:
        service = await self.serve(
            rooms=0,
            rooms_per_user=0,
            rooms_owned_per_user=0,
            members_per_room=0,
            invitations_per_room=0,
        )
        alice, bob = await service.log_in("alice"), await service.log_in("bob")

        for number in range(60):
            for request in ("NEWROOM:room{0}", "JOINROOM:room{0}", "INVITEROOM:room{0}:bob"):
                self.assertStarts(await alice.ask(request.format(number)), "OK:")
            self.assertStarts(await bob.ask(f"JOINROOM:room{number}"), "OK:")

    async def test_a_history_is_no_longer_than_allowed(self) -> None:
        service = await self.serve(history_messages=3, store="sqlite")
        (alice,) = await service.in_room("lobby", "alice")
        for number in range(5):
            await alice.ask(f"ROOM:lobby:{number}")

        items = await alice.items("HISTORY:lobby:100")

        self.assertEqual([item.rpartition(":")[2] for item in items], ["2", "3", "4"])


class NameTests(ServiceCase):
    async def test_a_nick_is_no_longer_than_allowed(self) -> None:
        service = await self.serve(nick_characters=5)
        client = await service.connect()

        self.assertStarts(await client.ask("LOGIN:abcdef"), "ERR:LOGIN:BAD_NICK:")
        # Characters, not bytes.
        self.assertEqual(await client.ask("LOGIN:ébcdé"), "OK:LOGIN:ébcdé")

    async def test_a_room_name_is_no_longer_than_allowed(self) -> None:
        service = await self.serve(room_characters=5)
        client = await service.log_in("alice")

        self.assertStarts(await client.ask("NEWROOM:abcdef"), "ERR:NEWROOM:BAD_ROOM_NAME:")
        self.assertEqual(await client.ask("NEWROOM:ébcdé"), "OK:NEWROOM:ébcdé")

    async def test_a_nick_has_only_characters_that_a_nick_may_have(self) -> None:
        client = await (await self.serve()).connect()

        for nick in (
            "",
            " ",
            "a b",
            "al\tce",
            "al\x1bce",
            "#alice",
            "@alice",
            "1alice",
            "al\u200dice",
        ):
            self.assertStarts(await client.ask(f"LOGIN:{nick}"), "ERR:LOGIN:B")
        self.assertEqual(await client.ask("LOGIN:alice"), "OK:LOGIN:alice")

    async def test_a_room_name_has_only_characters_that_it_may_have(self) -> None:
        client = await (await self.serve()).log_in("alice")

        for room in ("", " ", "a b", "#lobby", "@lobby", "lob\u202eby", "lobby.", "a,b"):
            self.assertStarts(await client.ask(f"NEWROOM:{room}"), "ERR:NEWROOM:B")
        self.assertEqual(await client.ask("NEWROOM:lobby"), "OK:NEWROOM:lobby")

    async def test_names_that_are_or_look_the_same_are_taken_once(self) -> None:
        service = await self.serve()
        alice, other = await service.log_in("alice"), await service.connect()
        await alice.ask("NEWROOM:coop")

        # Another case; full-width letters; a Cyrillic double; a Cyrillic letter among Latin ones.
        for nick in ("ALICE", "\uff41lice"):
            self.assertStarts(await other.ask(f"LOGIN:{nick}"), "ERR:LOGIN:NICK_IN_USE:")
        self.assertStarts(await other.ask("LOGIN:\u0430lice"), "ERR:LOGIN:BAD_NICK:")
        for room in ("COOP", "\u0441\u043e\u043e\u0440"):
            self.assertStarts(await alice.ask(f"NEWROOM:{room}"), "ERR:NEWROOM:ROOM_EXISTS:")


class AccountTests(ServiceCase):
    async def register(self, service: Any, nick: str, source: str = "127.0.0.1") -> str:
        client: Client = await service.log_in(nick, source=source)
        return await client.ask("REGISTER:a long secret")

    async def test_one_address_makes_no_more_accounts_an_hour_than_allowed(self) -> None:
        service = await self.serve(registrations_per_hour=2)

        self.assertStarts(await self.register(service, "alice"), "OK:")
        self.assertStarts(await self.register(service, "bob"), "OK:")
        self.assertStarts(await self.register(service, "carol"), "ERR:REGISTER:TOO_FAST:")
        self.assertStarts(await self.register(service, "dave", "127.0.0.2"), "OK:")

        service.time.advance(1800)
        self.assertStarts(await self.register(service, "erin"), "OK:")
        self.assertStarts(await self.register(service, "frank"), "ERR:REGISTER:TOO_FAST:")

    async def test_there_are_no_more_accounts_than_allowed(self) -> None:
        service = await self.serve(accounts=1, registrations_per_hour=0)

        self.assertStarts(await self.register(service, "alice"), "OK:")
        self.assertStarts(await self.register(service, "bob"), "ERR:REGISTER:TOO_MANY:")
        carol = await service.log_in("carol")
        self.assertStarts(await carol.ask("SAY:bob:we are guests"), "OK:SAY:bob:")

    async def test_zero_accounts_means_no_limit(self) -> None:
        service = await self.serve(registrations_per_hour=0, accounts=0)

        for nick in ("alice", "bob", "carol"):
            self.assertStarts(await self.register(service, nick), "OK:")
