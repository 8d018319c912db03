"""Whom the client library trusts: real TLS, and the words for what is wrong with it."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from unittest.mock import patch

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from chatservice.client.errors import BadServer, ClientError, ConnectionGone
from chatservice.client.pins import BadPins, PinStore, Server
from chatservice.client.trust import (
    Authorities,
    BadTrust,
    Fingerprint,
    FirstUse,
    PinChanged,
    Pins,
    Untrusted,
)
from chatservice.networking.certificates import CertificateFiles, fingerprint_of
from tests.client_trust_case import Issuer, TrustCase


def fingerprint_in(files: CertificateFiles) -> str:
    """The fingerprint that the server's log shows."""
    return fingerprint_of(x509.load_pem_x509_certificate(files.certificate.getContent()))


class AuthoritiesTests(TrustCase):
    def setUp(self) -> None:
        super().setUp()
        self.trust = Authorities(self.issuer.file)

    async def words(self, files: CertificateFiles, host: str = "localhost") -> str:
        port = await self.serve(files)
        error = await self.refused(port, self.trust, host)
        assert isinstance(error, Untrusted)
        self.assertEqual(
            (error.host, error.port, error.fingerprint), (host, port, fingerprint_in(files))
        )
        self.assertIn(f"{host}:{port} is not trusted: ", str(error))
        self.assertIn(fingerprint_in(files), str(error))
        return error.reason

    async def test_a_certificate_of_a_named_authority_is_trusted(self) -> None:
        port = await self.serve(self.issuer.issue("localhost"))

        caller = await self.accepted(port, self.trust)

        self.assertEqual(caller.transport.negotiatedProtocol, b"chatservice.v1")

    async def test_an_address_is_trusted_if_the_certificate_has_it(self) -> None:
        port = await self.serve(self.issuer.issue("chat.example", "127.0.0.1"))
        await self.accepted(port, self.trust, "127.0.0.1")

    async def test_a_self_signed_certificate_may_be_named_itself(self) -> None:
        files = self.issuer.issue("localhost", self_signed=True)
        await self.accepted(await self.serve(files), Authorities(files.certificate.path))

    async def test_another_name_is_named(self) -> None:
        self.assertEqual(
            await self.words(self.issuer.issue("chat.example")),
            "its certificate is for chat.example, not for localhost",
        )

    async def test_of_many_names_some_are_named(self) -> None:
        self.assertEqual(
            await self.words(
                self.issuer.issue("a.example", "192.0.2.1", "b.example", "c.example"), "127.0.0.1"
            ),
            "its certificate is for a.example, b.example, c.example and 1 more, not for 127.0.0.1",
        )

    async def test_a_certificate_without_names_is_of_no_server(self) -> None:
        self.assertEqual(
            await self.words(self.issuer.issue()),
            "its certificate names no server, so not localhost",
        )

    async def test_a_name_is_no_command_to_a_terminal(self) -> None:
        reason = await self.words(self.issuer.issue("\x1b[2Jchat.example"))
        self.assertEqual(reason, "its certificate is for ?[2Jchat.example, not for localhost")

    async def test_an_expired_certificate(self) -> None:
        expired = self.issuer.issue(
            "localhost",
            begin=datetime(2020, 1, 2, tzinfo=timezone.utc),
            end=datetime(2020, 3, 4, 5, 6, tzinfo=timezone.utc),
        )
        self.assertEqual(
            await self.words(expired), "its certificate expired on 2020-03-04 05:06 UTC"
        )

    async def test_an_expired_authority_is_named(self) -> None:
        yesterday = datetime.now(timezone.utc) - timedelta(days=1)
        old = Issuer(self.folder / "old", "an old one", end=yesterday)
        self.trust = Authorities(old.file)
        self.assertIn(
            "the certificate of its authority an old one expired on ",
            await self.words(old.issue("localhost")),
        )

    async def test_a_certificate_of_tomorrow(self) -> None:
        early = self.issuer.issue(
            "localhost",
            begin=datetime(2998, 1, 2, tzinfo=timezone.utc),
            end=datetime(2999, 1, 2, tzinfo=timezone.utc),
        )
        self.assertEqual(
            await self.words(early),
            "its certificate is not valid before 2998-01-02 00:00 UTC (is the clock right?)",
        )

    async def test_a_certificate_of_a_client(self) -> None:
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH
        self.assertEqual(
            await self.words(self.issuer.issue("localhost", purpose=purpose)),
            "its certificate is not meant for servers",
        )

    async def test_a_self_signed_certificate(self) -> None:
        self.assertEqual(
            await self.words(self.issuer.issue("localhost", self_signed=True)),
            "its certificate is self-signed, and no authority that is known here vouches for it",
        )

    async def test_an_unknown_authority_is_named(self) -> None:
        other = Issuer(self.folder / "other", "somebody else")
        self.assertEqual(
            await self.words(other.issue("localhost")),
            "no authority that is known here vouches for its certificate, only somebody else",
        )

    async def test_the_systems_authorities_know_no_authority_for_tests(self) -> None:
        self.trust = Authorities()
        self.assertIn(
            "only an authority for tests", await self.words(self.issuer.issue("localhost"))
        )

    async def test_the_systems_authorities_may_be_named_by_the_environment(self) -> None:
        with patch.dict(os.environ, {"SSL_CERT_FILE": str(self.issuer.file)}):
            trust = Authorities()
        await self.accepted(await self.serve(self.issuer.issue("localhost")), trust)

    def test_a_missing_file_is_named(self) -> None:
        missing = self.folder / "missing.pem"
        error = self.assertRaises(BadTrust, Authorities, missing)
        self.assertEqual(
            str(error), f"can't read the authorities in {missing}: No such file or directory"
        )

    def test_a_file_without_certificates_is_named(self) -> None:
        empty = self.issuer.write(b"nothing of the kind\n")
        error = self.assertRaises(BadTrust, Authorities, empty)
        self.assertEqual(str(error), f"{empty} holds no authority's certificate (PEM)")


class PinsTests(TrustCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = PinStore(self.folder / "kept" / "pins")
        self.met: list[FirstUse] = []
        self.trust = Pins(self.store, Authorities(self.issuer.file), self.met.append)
        self.files = self.issuer.issue("chat.example", self_signed=True)

    async def test_a_server_is_believed_once_and_known_ever_after(self) -> None:
        port = await self.serve(self.files)

        await self.accepted(port, self.trust)
        await self.accepted(port, self.trust)

        self.assertEqual(
            self.met,
            [
                FirstUse(
                    "localhost",
                    port,
                    fingerprint_in(self.files),
                    "its certificate is self-signed, "
                    "and no authority that is known here vouches for it",
                )
            ],
        )
        pin = self.store.find(Server("localhost", port))
        assert pin is not None
        self.assertEqual(pin.fingerprint, fingerprint_in(self.files))

    async def test_a_changed_certificate_is_refused_until_its_line_is_removed(self) -> None:
        port = await self.serve(self.issuer.issue("localhost", self_signed=True))
        self.store.remember(Server("elsewhere.example", 6667), "AB" * 32)
        known = self.store.remember(Server("localhost", port), fingerprint_in(self.files))

        error = await self.refused(port, self.trust)

        assert isinstance(error, PinChanged)
        self.assertEqual(error.known, fingerprint_in(self.files))
        self.assertEqual((error.host, error.port), ("localhost", port))
        self.assertEqual((error.path, error.line), (self.store.path, known.line))
        for words in (
            f"localhost:{port} is not trusted: its certificate has changed",
            f"known: {error.known}\n",
            f"shown: {error.fingerprint}\n",
            f"remove line {error.line} of {error.path}",
        ):
            self.assertIn(words, str(error))
        self.assertEqual(self.met, [])

        lines = self.store.path.read_text().splitlines(keepends=True)
        self.assertIn(f"localhost:{port} SHA256:{error.known}\n", lines.pop(error.line - 1))
        self.store.path.write_text("".join(lines))
        await self.accepted(port, self.trust)

    async def test_another_port_is_another_server(self) -> None:
        first = await self.serve(self.files)
        second = await self.serve(self.issuer.issue("localhost", self_signed=True))
        await self.accepted(first, self.trust)
        await self.accepted(second, self.trust)
        self.assertEqual([use.port for use in self.met], [first, second])

    async def test_a_server_can_be_refused_at_its_first_use(self) -> None:
        def refuse(use: FirstUse) -> None:
            raise ClientError("not today")

        port = await self.serve(self.files)

        error = await self.refused(port, Pins(self.store, self.trust_of_files(), refuse))

        self.assertEqual(str(error), "not today")
        self.assertIsNone(self.store.find(Server("localhost", port)))

    async def test_whom_authorities_vouch_for_needs_no_pin(self) -> None:
        port = await self.serve(self.issuer.issue("localhost"))
        self.store.remember(Server("localhost", port), "AB" * 32)
        await self.accepted(port, self.trust)
        self.assertEqual(self.met, [])

    async def test_whom_authorities_vouched_for_can_not_do_without_them(self) -> None:
        vouched = await self.serve(self.issuer.issue("localhost"))
        await self.accepted(vouched, self.trust)
        without = Pins(self.store, self.trust_of_files(), self.met.append)

        error = await self.refused(vouched, without)

        assert isinstance(error, Untrusted)
        self.assertNotIsInstance(error, PinChanged)
        self.assertIn("only an authority for tests", str(error))
        self.assertIn("authorities did vouch for this server before (line 2 of", str(error))
        self.assertEqual(self.met, [])

    async def test_whom_authorities_vouch_for_is_trusted_even_if_that_can_not_be_kept(self) -> None:
        blocked = self.folder / "blocked"
        blocked.write_text("a file, no folder")
        trust = Pins(PinStore(blocked / "pins"), Authorities(self.issuer.file))
        await self.accepted(await self.serve(self.issuer.issue("localhost")), trust)

    async def test_nobody_else_is_trusted_if_the_pin_can_not_be_kept(self) -> None:
        blocked = self.folder / "blocked"
        blocked.write_text("a file, no folder")
        error = await self.refused(await self.serve(self.files), Pins(PinStore(blocked / "pins")))
        self.assertIsInstance(error, BadPins)

    def trust_of_files(self) -> Authorities:
        """Authorities who vouch for nobody here."""
        return Authorities(Issuer(self.folder / "nobody", "nobody").file)


class FingerprintTests(TrustCase):
    async def test_the_right_certificate_is_trusted_whatever_it_says(self) -> None:
        files = self.issuer.issue(
            "chat.example",
            begin=datetime(2020, 1, 2, tzinfo=timezone.utc),
            end=datetime(2020, 3, 4, tzinfo=timezone.utc),
            self_signed=True,
        )
        port = await self.serve(files)
        shown = fingerprint_in(files)
        for text in (shown, f"SHA256:{shown}", f"sha256:{shown.replace(':', '').lower()}"):
            await self.accepted(port, Fingerprint(text))

    async def test_another_certificate_is_not(self) -> None:
        files = self.issuer.issue("localhost")
        expected = ":".join(["AB"] * 32)

        error = await self.refused(await self.serve(files), Fingerprint(expected))

        assert isinstance(error, Untrusted)
        self.assertEqual(error.fingerprint, fingerprint_in(files))
        self.assertEqual(
            error.reason, f"its certificate is not the one with the fingerprint {expected}"
        )

    def test_what_is_no_fingerprint_is_told(self) -> None:
        for text in ("", "SHA256:", "AB" * 20, "AB" * 31 + "A:B", "G" * 64, "MD5:" + "AB" * 32):
            error = self.assertRaises(BadTrust, Fingerprint, text)
            self.assertEqual(str(error), "a fingerprint is SHA256: and 64 hexadecimal digits")


class HandshakeTests(TrustCase):
    async def test_an_older_tls_is_refused_in_words(self) -> None:
        port = await self.serve(self.issuer.issue("localhost"), OldTLS(self.issuer))

        error = await self.refused(port, Authorities(self.issuer.file))

        self.assertIsInstance(error, BadServer)
        self.assertEqual(
            str(error),
            f"localhost:{port}: it speaks an older TLS, and nothing less than TLS 1.3 will do",
        )

    async def test_plain_text_is_told_from_tls(self) -> None:
        for greeting in (
            b"220 mail.example\r\n",
            b"ERR::UNKNOWN:what is that\r\n",
            b"HTTP/1.1 400\r\n",
        ):
            port = await self.listen(Factory.forProtocol(greets_with(greeting)))
            with self.assertRaises(BadServer) as caught:
                await self.call(port, Authorities(self.issuer.file))
            self.assertEqual(
                str(caught.exception),
                f"localhost:{port}: "
                "what answers there does not speak TLS; is it a plain text port?",
            )

    async def test_a_server_that_just_closes_is_told_as_that(self) -> None:
        port = await self.listen(Factory.forProtocol(greets_with(b"")))
        with self.assertRaises(ConnectionGone) as caught:
            await self.call(port, Authorities(self.issuer.file))
        self.assertEqual(str(caught.exception), f"localhost:{port}: the connection was lost")

    async def test_a_name_is_sent_to_the_server_and_an_address_is_not(self) -> None:
        for host, sent in (("localhost", b"localhost"), ("127.0.0.1", None)):
            creator = Curious(self.issuer)
            port = await self.serve(self.issuer.issue("localhost"), creator)
            await self.accepted(port, Authorities(self.issuer.file), host)
            self.assertEqual(creator.asked_for, [sent])


def greets_with(greeting: bytes) -> type[Protocol]:
    """A protocol that says something once it is talked to, and goes."""

    class Greeting(Protocol):
        def dataReceived(self, data: bytes) -> None:
            assert self.transport is not None
            self.transport.write(greeting)
            self.transport.loseConnection()

    return Greeting


@implementer(IOpenSSLServerConnectionCreator)
class OldTLS:
    """TLS 1.2 and no newer one."""

    def __init__(self, issuer: Issuer) -> None:
        self.context = SSL.Context(SSL.TLS_SERVER_METHOD)
        file = issuer.issue("localhost", "127.0.0.1").certificate.path
        self.context.use_certificate_file(file)
        self.context.use_privatekey_file(file)
        self.restrict()

    def restrict(self) -> None:
        self.context.set_max_proto_version(SSL.TLS1_2_VERSION)

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        return SSL.Connection(self.context, None)


class Curious(OldTLS):
    """TLS 1.3 that keeps the names it was asked for."""

    def restrict(self) -> None:
        self.asked_for: list[bytes | None] = []
        self.context.set_tlsext_servername_callback(
            lambda connection: self.asked_for.append(connection.get_servername())
        )
