"""Whose word is taken for where a client comes from: gateways by WEBIRC, and proxies."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.threads import deferToThread
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from chatservice.config import IrcConfig
from chatservice.networking.gateways import Gateways, Networks
from tests.loopback import socket_path
from tests.service import PLAIN, TLS, RunningService, ServiceCase, until

GATEWAY = "127.0.0.2"
PASSWORD = "open-sesame"
IRC = IrcConfig(webirc_addresses=(f"{GATEWAY}/32",), webirc_password=PASSWORD)


class NetworksTests(SynchronousTestCase):
    def test_what_they_hold(self) -> None:
        networks = Networks(("192.0.2.0/24", "2001:db8::/32"))

        for host in ("192.0.2.7", "::ffff:192.0.2.7", "2001:db8:1::9", "local"):
            self.assertTrue(networks.hold(host), host)
        for host in ("192.0.3.7", "2001:db9::1", "chat.example", ""):
            self.assertFalse(networks.hold(host), host)


class GatewaysTests(SynchronousTestCase):
    def test_address_and_password_are_both_needed(self) -> None:
        gateways = Gateways(("192.0.2.0/24",), PASSWORD)

        self.assertTrue(gateways.trust("192.0.2.1", PASSWORD))
        self.assertTrue(gateways.trust("local", PASSWORD))
        self.assertFalse(gateways.trust("192.0.3.1", PASSWORD))
        self.assertFalse(gateways.trust("192.0.2.1", PASSWORD + "x"))
        self.assertFalse(gateways.trust("192.0.2.1", "\udcff"))

    def test_without_a_password_nobody_is_trusted(self) -> None:
        self.assertFalse(Gateways(("192.0.2.0/24",)).trust("192.0.2.1", ""))


class VouchTests(ServiceCase):
    async def gateway(self, service: RunningService, **how: Any) -> Any:
        """The service's side of a connection from a gateway's address that has said something."""
        client = await service.connect(**{"source": GATEWAY, **how})
        await client.ask("PING:")
        return service.side_of(client)

    async def test_a_gateways_client_counts_at_its_own_address(self) -> None:
        service = await self.serve(also={"irc": IRC}, connections_per_address=1)
        side = await self.gateway(service)

        self.assertTrue(side.vouch(PASSWORD, "2001:db8:1:2:0::9", True))

        self.assertEqual((side.host, side.address), ("2001:db8:1:2::9", "2001:db8:1:2::/64"))
        self.assertEqual(side.session.address, "2001:db8:1:2::/64")
        self.assertTrue(side.secure)
        # The gateway's own place is free again.
        self.assertTrue((await self.gateway(service)).vouch(PASSWORD, "192.0.2.2", True))

    async def test_it_is_as_secure_as_the_gateway_says(self) -> None:
        side = await self.gateway(await self.serve(also={"irc": IRC}))

        self.assertTrue(side.vouch(PASSWORD, "192.0.2.1", False))
        self.assertFalse(side.secure)

    async def test_a_gateway_without_tls_is_believed_on_this_machine(self) -> None:
        service = await self.serve(listen=(TLS, PLAIN), also={"irc": IRC})
        side = await self.gateway(service, listener=1, tls=None)
        self.assertFalse(side.secure)

        self.assertTrue(side.vouch(PASSWORD, "192.0.2.1", True))

        self.assertTrue(side.secure)

    async def test_others_are_not_believed_and_nothing_changes(self) -> None:
        service = await self.serve(also={"irc": IRC})
        side = await self.gateway(service)
        stranger = await self.gateway(service, source="127.0.0.3")

        with capturedLogs() as events:
            self.assertFalse(side.vouch("wrong", "192.0.2.1", True))
            self.assertFalse(side.vouch(PASSWORD, "chat.example", True))
            self.assertFalse(stranger.vouch(PASSWORD, "192.0.2.1", True))

        self.assertEqual((side.host, stranger.host), (GATEWAY, "127.0.0.3"))
        log = "\n".join(map(formatEvent, events))
        self.assertIn("127.0.0.3 is not believed to be a gateway", log)
        self.assertNotIn(PASSWORD, log)
        self.assertNotIn("wrong", log)

    async def test_who_is_logged_in_is_no_gateway(self) -> None:
        service = await self.serve(also={"irc": IRC})
        side = service.side_of(await service.log_in("alice", source=GATEWAY))

        self.assertFalse(side.vouch(PASSWORD, "192.0.2.1", True))

    async def test_a_gateway_vouches_once(self) -> None:
        side = await self.gateway(await self.serve(also={"irc": IRC}))

        self.assertTrue(side.vouch(PASSWORD, GATEWAY, True))
        self.assertFalse(side.vouch(PASSWORD, "192.0.2.1", True))

        self.assertEqual(side.host, GATEWAY)

    async def test_too_many_of_one_address_are_closed(self) -> None:
        service = await self.serve(also={"irc": IRC}, connections_per_address=1)
        first = await self.gateway(service)
        self.assertTrue(first.vouch(PASSWORD, "192.0.2.1", True))

        client = await service.connect(source=GATEWAY)
        await client.ask("PING:")
        second = service.side_of(client)
        self.assertFalse(second.vouch(PASSWORD, "192.0.2.1", True))

        await client.closed
        await service.has(connections=1)
        self.assertEqual(first.host, "192.0.2.1")


class PlaceTests(ServiceCase):
    async def test_a_unix_socket_is_local_and_secure(self) -> None:
        path = socket_path(self)
        service = await self.serve(listen=(f"unix:{path}",))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            await service.has(connections=1)
            (side,) = service
            self.assertEqual((side.host, side.address, side.secure), ("local", "local", True))
        await service.has(connections=0)

    async def test_behind_a_proxy_on_a_unix_socket_nobody_knows(self) -> None:
        path = socket_path(self)
        service = await self.serve(listen=(f"haproxy:unix:{path}",))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            client.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nPING:\r\n")
            await deferToThread(client.recv, 1)
            (side,) = service
            self.assertEqual((side.host, side.secure), ("192.0.2.1", False))
        await service.has(connections=0)

    async def test_a_proxy_is_refused_unless_it_is_trusted(self) -> None:
        service = await self.serve(
            listen=("haproxy:tcp:0:interface=127.0.0.1",),
            also={"trusted_proxies": (f"{GATEWAY}/32",)},
        )
        stranger = await service.connect(tls=None)
        await stranger.closed
        self.assertEqual(stranger.received, 0)

        proxy = await service.connect(tls=None, source=GATEWAY)
        proxy.send("PROXY TCP4 192.0.2.1 192.0.2.2 1 2", "LOGIN:alice")

        self.assertEqual(await proxy.until("OK:"), "OK:LOGIN:alice")
        await until(lambda: [side.host for side in service] == ["192.0.2.1"])
