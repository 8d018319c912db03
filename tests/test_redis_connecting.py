"""The ways to a real Redis: TLS, Sentinels and a failover, shards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography.x509.oid import ExtendedKeyUsageOID
from twisted.internet import reactor as _reactor
from twisted.internet import ssl
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from chatservice.journal.redis.address import RedisAddress, read_address
from chatservice.journal.redis.connecting import BadFile, Connecting, Places
from chatservice.journal.redis.link import Away, Link
from chatservice.networking.certificates import CertificateFiles
from tests.client_trust_case import Issuer
from tests.flaky_proxy import FlakyProxy
from tests.process import PATIENCE, ProcessCase
from tests.redis_server import HOST, Sentinel, free_port, start_redis

reactor: Any = _reactor

TURN = 0.01
SOME = 10.0


class ConnectingCase(ProcessCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.issuer = Issuer(self.folder / "issued")

    def opened(self, link: Link) -> Link:
        """An open link, which is closed after the test."""
        link.open()
        self.addCleanup(lambda: Deferred.fromCoroutine(link.close()))
        return link

    async def store(self, places: Places, patience: float = SOME) -> Link:
        """A link to the store that is up."""
        link = self.opened(Connecting(reactor, places, patience).store())
        await link.up(PATIENCE)
        return link

    async def reason(self, places: Places, words: str, patience: float = SOME) -> None:
        """Over when some words say why the store is away."""
        link = self.opened(Connecting(reactor, places, patience).store())
        while True:
            try:
                await link.up(TURN)
                self.fail("it is up")
            except Away as away:
                if words in str(away):
                    return


class PlainTests(ConnectingCase):
    async def test_the_store_and_the_shards_are_reached(self) -> None:
        servers = [await start_redis(self) for _ in range(3)]
        for number, server in enumerate(servers):
            await server.ask("SET", "number", number)
        store, *shards = (read_address(server.address) for server in servers)
        heard: list[float] = []
        connecting = Connecting(reactor, Places(store, tuple(shards)), SOME)

        links = [connecting.store(heard.append), *connecting.shards(heard.append)]

        for number, link in enumerate(links):
            await self.opened(link).up(PATIENCE)
            self.assertEqual(await link.ask("GET", "number"), str(number).encode())
        self.assertEqual(len(heard), 3)
        self.assertEqual(str(links[0]), str(store))

    async def test_a_host_that_does_not_exist_is_told(self) -> None:
        await self.reason(Places(RedisAddress("host.invalid")), "host.invalid")


class TlsTests(ConnectingCase):
    def contexts(self, files: CertificateFiles, **options: Any) -> ssl.CertificateOptions:
        pem = ssl.PrivateCertificate.loadPEM(files.private_key.getContent())
        return ssl.CertificateOptions(pem.privateKey.original, pem.original, **options)

    async def tls(self, *names: str, **options: Any) -> FlakyProxy:
        """TLS in front of a Redis, whose certificate is for these names."""
        server = await start_redis(self)
        return FlakyProxy(self, server.port, self.contexts(self.issuer.issue(*names), **options))

    async def test_a_certificate_for_the_host_is_trusted(self) -> None:
        proxy = await self.tls("localhost", HOST)

        for host in ("localhost", HOST):
            places = Places(RedisAddress(host, proxy.port, tls=True), ca=self.issuer.file)
            self.assertEqual(await (await self.store(places)).ask("PING"), b"PONG")

    async def test_a_certificate_for_another_host_is_not(self) -> None:
        proxy = await self.tls("other.example")
        address = RedisAddress("localhost", proxy.port, tls=True)

        await self.reason(Places(address, ca=self.issuer.file), "for somebody else")

    async def test_an_authority_that_nobody_named_is_not(self) -> None:
        proxy = await self.tls("localhost")
        address = RedisAddress("localhost", proxy.port, tls=True)
        other = Issuer(self.folder / "other")

        await self.reason(Places(address), "certificate verify failed")
        await self.reason(Places(address, ca=other.file), "certificate verify failed")

    async def test_a_redis_without_tls_is_not_talked_to(self) -> None:
        server = await start_redis(self)
        address = RedisAddress("localhost", server.port, password="sesame", tls=True)

        await self.reason(Places(address, ca=self.issuer.file), "no answer", patience=0.3)

    async def test_a_certificate_is_shown_to_those_that_want_one(self) -> None:
        proxy = await self.tls(
            "localhost",
            trustRoot=ssl.trustRootFromCertificates(
                [ssl.Certificate.loadPEM(self.issuer.file.read_bytes())]
            ),
        )
        address = RedisAddress("localhost", proxy.port, tls=True)
        files = self.issuer.issue("node", purpose=ExtendedKeyUsageOID.CLIENT_AUTH)
        mine = Path(files.private_key.path)

        places = Places(address, ca=self.issuer.file, certificate=mine)

        self.assertEqual(await (await self.store(places)).ask("PING"), b"PONG")
        await self.reason(Places(address, ca=self.issuer.file), "TLS")

    async def test_a_key_may_be_in_a_file_of_its_own(self) -> None:
        pem = self.issuer.issue("node").private_key.getContent()
        begin = pem.index(b"-----BEGIN CERTIFICATE")
        key, certificate = self.issuer.write(pem[:begin]), self.issuer.write(pem[begin:])
        address = RedisAddress("a", tls=True)

        Connecting(reactor, Places(address, certificate=certificate, private_key=key), SOME)

    def test_files_that_are_of_no_use_are_told(self) -> None:
        address = RedisAddress("a", tls=True)
        nothing = self.folder / "nothing.pem"
        text = self.issuer.write(b"sesame")
        key = Path(self.issuer.issue("other").private_key.path)
        cases = [
            (Places(address, ca=nothing), "ca", "can't be read: No such file"),
            (Places(address, ca=text), "ca", "has no certificates in it"),
            (Places(address, certificate=nothing), "certificate", "can't be read"),
            (Places(address, certificate=text), "certificate", "is no certificate with its key"),
            (Places(address, certificate=self.issuer.file), "certificate", "with its key"),
            (
                Places(address, certificate=self.issuer.file, private_key=key),
                "certificate",
                f"is no certificate of {key}",
            ),
            (
                Places(address, certificate=self.issuer.file, private_key=nothing),
                "private_key",
                "can't be read",
            ),
        ]
        for places, which, words in cases:
            with self.assertRaises(BadFile) as caught:
                Connecting(reactor, places, SOME)
            self.assertEqual(caught.exception.which, which)
            self.assertIn(words, str(caught.exception))


class SentinelTests(ConnectingCase):
    async def start(self, password: str = "") -> None:
        """A master, a replica that has what it has, and a Sentinel that knows both."""
        self.master = await start_redis(self, password=password)
        self.replica = await start_redis(self, password=password, replica_of=self.master)
        await self.replica.synchronised()
        self.sentinel = Sentinel(self, self.master, password=password)
        await self.sentinel.start()

    def places(self, *ports: int, password: str = "", name: str = "chat") -> Places:
        return Places(
            RedisAddress("nowhere.invalid", 1, password=password),
            sentinels=tuple((HOST, port) for port in ports or (self.sentinel.port,)),
            master=name,
            sentinel_password=password,
        )

    async def port_of(self, link: Link) -> int:
        """The port of the Redis that answers, once one does."""
        while True:
            try:
                return int((await link.ask("CONFIG", "GET", "port"))[1])
            except Away:
                await link.up()

    async def test_it_leads_to_the_master(self) -> None:
        await self.start()

        link = await self.store(self.places())

        self.assertEqual(await self.port_of(link), self.master.port)
        self.assertEqual(str(link), "Redis chat (by Sentinel)")

    async def test_after_a_failover_it_leads_to_the_new_master(self) -> None:
        await self.start(password="sesame")
        link = await self.store(self.places(password="sesame"))
        await link.ask("SET", "a", "1")
        await link.ask("WAIT", 1, 0)

        await self.sentinel.fail_over()

        # Until it has been told, the old master goes on.
        while await self.port_of(link) != self.replica.port:
            await deferLater(reactor, TURN)
        self.assertEqual(await link.ask("GET", "a"), b"1")
        await link.ask("SET", "a", "2")

    async def test_a_master_that_dies_is_replaced(self) -> None:
        await self.start()
        link = await self.store(self.places())
        await link.ask("SET", "a", "1")
        await link.ask("WAIT", 1, 0)

        await self.master.kill()

        self.assertEqual(await self.port_of(link), self.replica.port)
        self.assertEqual(await link.ask("GET", "a"), b"1")

    async def test_sentinels_that_are_away_or_silent_are_passed_over(self) -> None:
        await self.start()
        silent = Sentinel(self, self.master)
        await silent.start()
        silent.pause()

        places = self.places(free_port(), silent.port, self.sentinel.port)
        link = await self.store(places, patience=1.5)

        self.assertEqual(await self.port_of(link), self.master.port)

    async def test_one_that_is_wrong_is_not_the_only_one_that_is_asked(self) -> None:
        await self.start()
        wrong = Sentinel(self, self.replica)
        await wrong.start()

        link = await self.store(self.places(wrong.port, self.sentinel.port))

        self.assertEqual(await self.port_of(link), self.master.port)

    async def test_what_is_wrong_is_told(self) -> None:
        await self.start(password="sesame")
        here = f"{HOST}:{self.sentinel.port}"
        start = "no Sentinel names a master"

        await self.reason(
            self.places(password="sesame", name="other"), f"{start} ({here}: it knows no other)"
        )
        await self.reason(self.places(password="wrong"), f"{start} ({here}: WRONGPASS")
        nobody = free_port()
        await self.reason(self.places(nobody), f"{start} ({HOST}:{nobody}: connection refused)")
