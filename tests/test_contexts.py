"""Renewing certificates while connections are open, and watching the files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from chatservice.networking.certificates import (
    BadCertificate,
    CertificateFiles,
    ensure_self_signed,
    fingerprint_of,
)
from chatservice.networking.contexts import CertificateWatch, ContextPool, ServerContext
from chatservice.supervision import Supervisor
from tests.loopback import in_thread
from tests.test_tls import TLSCase, client_context


def fingerprint_in(pem: bytes) -> str:
    """The fingerprint of the certificate in a PEM file's content."""
    return fingerprint_of(x509.load_pem_x509_certificate(pem))


def renew(files: CertificateFiles, *names: str) -> str:
    """Put a new key and certificate in the place of the old ones; return the fingerprint."""
    fresh = ensure_self_signed(files.certificate.sibling("fresh" + os.urandom(4).hex()), names)
    content = fresh.certificate.getContent()
    fresh.private_key.moveTo(files.private_key)
    fresh.certificate.moveTo(files.certificate)
    return fingerprint_in(content)


class ReloadTests(TLSCase):
    async def test_new_connections_get_the_new_certificate_and_old_ones_stay(self) -> None:
        port = await self.listen()
        old_server, old_client = await self.connect(port)
        before = self.context.fingerprint

        after = renew(self.files)
        self.assertTrue(self.context.reload())

        self.assertNotEqual(before, after)
        self.assertEqual(self.context.fingerprint, after)
        # The client trusts the renewed certificate only, so that it connects is the proof.
        new_server, new_client = await self.connect(port, client_context(self.files))
        for server, client in ((old_server, old_client), (new_server, new_client)):
            cast(Any, server.transport).write(b"still here")
            self.assertEqual(client.recv(100), b"still here")
            await in_thread(lambda client=client: client.sendall(b"!") or b"")  # type: ignore[misc]
            await server.bytes_received(6)

    async def test_a_bad_file_changes_nothing_but_the_log(self) -> None:
        port = await self.listen()
        before = self.context.fingerprint
        whole = self.files.certificate.getContent()

        self.files.certificate.setContent(whole[: len(whole) // 2])
        with capturedLogs() as events:
            self.assertFalse(self.context.reload())

        errors = [event for event in events if event["log_level"] is LogLevel.error]
        self.assertEqual(len(errors), 1)
        self.assertIn("holds no complete PEM certificate", formatEvent(errors[0]))
        self.assertEqual(self.context.fingerprint, before)
        self.files.certificate.setContent(whole)
        await self.connect(port)


class ServerContextTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder: FilePath[str] = FilePath(self.mktemp())
        self.files = ensure_self_signed(self.folder, ["chat.example"])

    def test_the_fingerprint_is_the_certificates(self) -> None:
        context = ServerContext(self.files)
        self.assertEqual(context.fingerprint, fingerprint_in(self.files.certificate.getContent()))

    def test_key_and_certificate_may_share_a_file(self) -> None:
        both = self.folder.child("both.pem")
        pem = self.files.private_key.getContent() + self.files.certificate.getContent()
        both.setContent(pem)
        ServerContext(CertificateFiles(both, both))

    def test_a_chain_may_be_in_a_file_of_its_own(self) -> None:
        other = ensure_self_signed(self.folder.child("other"), [])
        files = CertificateFiles(self.files.private_key, self.files.certificate, other.certificate)
        self.assertEqual(ServerContext(files).fingerprint, ServerContext(self.files).fingerprint)

    def test_a_key_of_another_certificate_is_refused(self) -> None:
        other = ensure_self_signed(self.folder.child("other"), [])
        files = CertificateFiles(other.private_key, self.files.certificate)
        error = self.assertRaises(BadCertificate, ServerContext, files)
        self.assertIn("can't be used together", str(error))

    def test_a_key_of_another_kind_is_refused(self) -> None:
        key = Ed25519PrivateKey.generate()
        self.files.private_key.setContent(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        error = self.assertRaises(BadCertificate, ServerContext, self.files)
        self.assertIn("can't be used together", str(error))

    def test_a_missing_file_is_named(self) -> None:
        self.files.private_key.remove()
        error = self.assertRaises(BadCertificate, ServerContext, self.files)
        self.assertIn(self.files.private_key.path, str(error))
        self.assertIn("No such file", str(error))

    def test_a_key_with_a_password_is_refused_without_asking_for_it(self) -> None:
        key = load_pem_private_key(self.files.private_key.getContent(), None)
        locked = BestAvailableEncryption(b"secret")
        self.files.private_key.setContent(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
        )
        error = self.assertRaises(BadCertificate, ServerContext, self.files)
        self.assertIn("needs a password", str(error))

    def test_a_certificate_in_the_place_of_a_key_is_refused(self) -> None:
        files = CertificateFiles(self.files.certificate, self.files.certificate)
        error = self.assertRaises(BadCertificate, ServerContext, files)
        self.assertIn("holds no complete PEM private key", str(error))


class ContextPoolTests(SynchronousTestCase):
    def test_the_same_files_share_a_context(self) -> None:
        files = ensure_self_signed(FilePath(self.mktemp()), [])
        pool = ContextPool()
        same = CertificateFiles(FilePath(files.private_key.path), FilePath(files.certificate.path))
        self.assertIs(pool.context_for(files), pool.context_for(same))
        self.assertEqual(list(pool), [pool.context_for(files)])

    def test_the_default_is_asked_for_once_and_only_when_needed(self) -> None:
        asked: list[CertificateFiles] = []

        def default() -> CertificateFiles:
            asked.append(ensure_self_signed(FilePath(self.mktemp()), []))
            return asked[-1]

        pool = ContextPool(default)
        self.assertEqual(asked, [])
        self.assertIs(pool.context_for(None), pool.context_for(None))
        self.assertEqual(len(asked), 1)

    def test_without_a_default_files_must_be_named(self) -> None:
        self.assertRaises(BadCertificate, ContextPool().context_for, None)


class WatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.files = ensure_self_signed(FilePath(self.mktemp()), [])
        self.context = ServerContext(self.files)
        self.watch = CertificateWatch(self.clock, [self.context], period=30)
        self.watch.startService()

    def test_a_renewed_file_is_read_at_the_next_look(self) -> None:
        after = renew(self.files)
        self.clock.advance(29)
        self.assertNotEqual(self.context.fingerprint, after)
        self.clock.advance(1)
        self.assertEqual(self.context.fingerprint, after)

    def test_an_unchanged_file_is_not_read_again(self) -> None:
        current = self.context.current
        self.clock.pump([30] * 5)
        self.assertIs(self.context.current, current)

    def test_files_that_change_one_after_the_other_are_used_when_both_have(self) -> None:
        before = self.context.fingerprint
        fresh = ensure_self_signed(self.files.certificate.sibling("fresh"), [])
        after = fingerprint_in(fresh.certificate.getContent())

        fresh.private_key.moveTo(self.files.private_key)
        self.clock.advance(30)
        self.assertEqual(self.context.fingerprint, before)
        fresh.certificate.moveTo(self.files.certificate)
        self.clock.advance(30)

        self.assertEqual(self.context.fingerprint, after)

    def test_a_bad_file_is_complained_about_once(self) -> None:
        self.files.certificate.remove()
        with capturedLogs() as events:
            self.clock.pump([30] * 3)
        self.assertEqual([e["log_level"] for e in events], [LogLevel.error])

    def test_reload_reads_at_once(self) -> None:
        after = renew(self.files)
        self.assertTrue(self.watch.reload())
        self.assertEqual(self.context.fingerprint, after)
        current = self.context.current
        self.clock.advance(30)
        self.assertIs(self.context.current, current)

    def test_reload_tells_of_a_bad_file_and_still_reads_the_others(self) -> None:
        other = ServerContext(ensure_self_signed(FilePath(self.mktemp()), []))
        watch = CertificateWatch(self.clock, [self.context, other])
        self.files.certificate.remove()
        after = renew(other.files)
        self.assertFalse(watch.reload())
        self.assertEqual(other.fingerprint, after)

    def test_nothing_is_looked_at_once_it_is_stopped(self) -> None:
        self.watch.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_no_period_leaves_it_to_reload(self) -> None:
        clock = Clock()
        watch = CertificateWatch(clock, [self.context], period=0)
        watch.startService()
        self.assertEqual(clock.getDelayedCalls(), [])
        watch.stopService()

    def test_a_look_that_breaks_is_told_to_the_supervisor_and_looking_begins_anew(self) -> None:
        clock = Clock()
        contexts = _BreakingOnce([self.context])
        supervisor = Supervisor(clock, intensity=1, period=5.0)
        supervisor.supervise(CertificateWatch(clock, contexts, period=30), name="certificates")
        supervisor.startService()
        clock.pump([0] * 3)

        contexts.broken = True
        clock.advance(30)
        clock.pump([0] * 3)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(supervisor.restarts["certificates"], 1)

        after = renew(self.files)
        clock.advance(30)
        self.assertEqual(self.context.fingerprint, after)
        supervisor.stopService()
        clock.pump([0] * 3)
        self.assertEqual(clock.getDelayedCalls(), [])


class _BreakingOnce(list[ServerContext]):
    """Contexts that can't be looked at when they are `broken`, once."""

    broken = False

    def __iter__(self) -> Iterator[ServerContext]:
        if self.broken:
            self.broken = False
            raise ZeroDivisionError
        return super().__iter__()
