"""Certificates of clients: asked for, never demanded, whoever has signed them."""

from __future__ import annotations

import hashlib
import ssl
from datetime import datetime, timezone
from functools import partial
from typing import Any, cast

from OpenSSL import SSL
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.filepath import FilePath

from chatservice.networking.certificates import CertificateFiles, ensure_self_signed
from chatservice.networking.tls import certfp_of
from tests.service import PLAIN, TLS, ServiceCase, Trusting
from tests.test_tls import TLSCase, client_context

LONG_AGO = datetime(2001, 1, 1, tzinfo=timezone.utc)


def fingerprint_in(files: CertificateFiles) -> str:
    """The SHA-256 of a certificate's DER, without any of the service's own code."""
    der = ssl.PEM_cert_to_DER_cert(files.certificate.getContent().decode())
    return hashlib.sha256(der).hexdigest()


class HandshakeTests(TLSCase):
    async def seen(self, files: CertificateFiles | None) -> str:
        """The fingerprint that the server sees of a client with these files."""
        context = client_context(self.files)
        if files is not None:
            context.load_cert_chain(files.certificate.path, files.private_key.path)
        server, _ = await self.connect(await self.listen(), context)
        return certfp_of(cast(Any, server.transport))

    async def test_a_client_without_one_is_served(self) -> None:
        self.assertEqual(await self.seen(None), "")

    async def test_a_self_signed_one_is_known_by_its_sha256(self) -> None:
        files = ensure_self_signed(FilePath(self.mktemp()), ["alice"])

        self.assertEqual(await self.seen(files), fingerprint_in(files))

    async def test_one_that_has_run_out_is_known_too(self) -> None:
        files = ensure_self_signed(FilePath(self.mktemp()), ["alice"], LONG_AGO)

        self.assertEqual(await self.seen(files), fingerprint_in(files))

    async def test_a_client_that_would_resume_its_session_shakes_hands_anew(self) -> None:
        files = ensure_self_signed(FilePath(self.mktemp()), ["alice"])
        context = client_context(self.files)
        context.load_cert_chain(files.certificate.path, files.private_key.path)
        port = await self.listen()
        server, client = await self.connect(port, context)
        cast(Any, server.transport).write(b"x")
        client.recv(1)
        session = client.session
        self.patch(context, "wrap_socket", partial(context.wrap_socket, session=session))
        again, _ = await self.connect(port, context)

        self.assertEqual(certfp_of(cast(Any, again.transport)), fingerprint_in(files))


class Certified(Trusting):
    """A client with a certificate."""

    def __init__(self, files: CertificateFiles) -> None:
        super().__init__()
        self._context.use_certificate_file(files.certificate.path)
        self._context.use_privatekey_file(files.private_key.path)

    def clientConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        return SSL.Connection(self._context, None)


class WireTests(ServiceCase):
    async def test_dialects_are_told(self) -> None:
        files = ensure_self_signed(FilePath(self.mktemp()), ["alice"])
        service = await self.serve(listen=(TLS, PLAIN))

        alice = service.side_of(await service.log_in("alice", tls=Certified(files)))
        bob = service.side_of(await service.log_in("bob"))
        carol = service.side_of(await service.log_in("carol", listener=1, tls=None))

        self.assertEqual(alice.certfp, fingerprint_in(files))
        self.assertEqual((bob.certfp, carol.certfp), ("", ""))
        self.assertEqual((alice.secure, bob.secure, carol.secure), (True, True, False))

    async def test_before_the_handshake_there_is_none(self) -> None:
        service = await self.serve()
        await service.connect(tls=None)
        await service.has(connections=1)

        self.assertEqual([each.certfp for each in service], [""])
