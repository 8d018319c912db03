"""Certificate files: the self-signed one, its modes, names and fingerprint."""

from __future__ import annotations

import hashlib
import os
import stat
from datetime import datetime, timezone
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from chatservice.networking.certificates import (
    BadCertificate,
    CertificateFiles,
    ensure_self_signed,
    fingerprint_of,
)

NOON = datetime(2030, 1, 2, 12, tzinfo=timezone.utc)


def mode(file: FilePath[str]) -> int:
    return stat.S_IMODE(os.stat(file.path).st_mode)  # noqa: PTH116


class SelfSignedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder: FilePath[str] = FilePath(self.mktemp()).child("tls")

    def make(self, *names: str) -> CertificateFiles:
        return ensure_self_signed(self.folder, names, NOON)

    def certificate(self, *names: str) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.make(*names).certificate.getContent())

    def test_it_names_its_hosts_and_this_machine(self) -> None:
        certificate = self.certificate("chat.example", "192.0.2.7", "bücher.example")
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(
            names.get_values_for_type(x509.DNSName),
            ["chat.example", "xn--bcher-kva.example", "localhost"],
        )
        self.assertEqual(
            names.get_values_for_type(x509.IPAddress),
            [ip_address("192.0.2.7"), ip_address("127.0.0.1"), ip_address("::1")],
        )

    def test_a_name_given_twice_stands_once(self) -> None:
        certificate = self.certificate("localhost", "chat.example", "chat.example")
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), ["localhost", "chat.example"])

    def test_a_long_name_does_not_break_the_subject(self) -> None:
        self.certificate("a" * 60 + ".chat.example")

    def test_it_is_valid_from_just_before_now_for_ten_years(self) -> None:
        certificate = self.certificate()
        self.assertLess(certificate.not_valid_before_utc, NOON)
        self.assertEqual(certificate.not_valid_after_utc.year, 2040)

    def test_the_key_is_on_p_256_and_signs_it(self) -> None:
        files = self.make()
        key = load_pem_private_key(files.private_key.getContent(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self.assertIsInstance(key.curve, ec.SECP256R1)
        certificate = x509.load_pem_x509_certificate(files.certificate.getContent())
        certificate.verify_directly_issued_by(certificate)
        self.assertEqual(certificate.public_key(), key.public_key())

    def test_serial_numbers_differ(self) -> None:
        other = ensure_self_signed(FilePath(self.mktemp()), [], NOON)
        second = x509.load_pem_x509_certificate(other.certificate.getContent())
        self.assertNotEqual(self.certificate().serial_number, second.serial_number)

    def test_only_the_owner_reads_the_key(self) -> None:
        self.addCleanup(os.umask, os.umask(0))
        files = self.make()
        self.assertEqual(mode(files.private_key), 0o600)
        self.assertEqual(mode(files.certificate), 0o644)
        self.assertEqual(mode(self.folder), 0o700)

    def test_everybody_reads_the_certificate_whatever_the_umask(self) -> None:
        self.addCleanup(os.umask, os.umask(0o077))
        self.assertEqual(mode(self.make().certificate), 0o644)

    def test_the_key_is_private_from_the_moment_it_exists(self) -> None:
        self.addCleanup(os.umask, os.umask(0))
        modes: list[int] = []
        actual = os.open

        def open_and_look(path: str, flags: int, mode: int = 0o777) -> int:
            descriptor = actual(path, flags, mode)
            modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
            return descriptor

        self.patch(os, "open", open_and_look)
        self.make()
        self.assertEqual(modes, [0o600, 0o644])

    def test_files_that_are_there_are_kept(self) -> None:
        files = self.make("first.example")
        key, certificate = files.private_key.getContent(), files.certificate.getContent()
        self.assertEqual(self.make("second.example"), files)
        self.assertEqual(files.private_key.getContent(), key)
        self.assertEqual(files.certificate.getContent(), certificate)

    def test_a_folder_that_is_there_keeps_its_mode(self) -> None:
        self.folder.makedirs()
        self.folder.chmod(0o750)
        self.make()
        self.assertEqual(mode(self.folder), 0o750)

    def test_nothing_unfinished_is_left_behind(self) -> None:
        files = self.make()
        self.assertEqual(
            sorted(child.path for child in self.folder.children()),
            sorted([files.private_key.path, files.certificate.path]),
        )

    def test_a_failed_write_leaves_nothing(self) -> None:
        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        self.patch(os, "fsync", full)
        self.assertRaises(OSError, self.make)
        self.assertEqual(self.folder.children(), [])

    def test_a_key_without_its_certificate_gets_one(self) -> None:
        files = self.make()
        key = files.private_key.getContent()
        files.certificate.remove()
        self.make()
        self.assertEqual(files.private_key.getContent(), key)
        self.assertTrue(files.certificate.exists())

    def test_a_certificate_without_its_key_is_an_error(self) -> None:
        self.make().private_key.remove()
        error = self.assertRaises(BadCertificate, self.make)
        self.assertIn("put the key back", str(error))


class FingerprintTests(SynchronousTestCase):
    def test_it_is_the_hash_of_the_der_form_in_pairs(self) -> None:
        pem = ensure_self_signed(FilePath(self.mktemp()), [], NOON).certificate.getContent()
        certificate = x509.load_pem_x509_certificate(pem)
        digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest().upper()
        expected = ":".join(digest[i : i + 2] for i in range(0, 64, 2))
        self.assertEqual(fingerprint_of(certificate), expected)
