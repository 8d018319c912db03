"""A certificate authority for tests, so that clients verify certificates as they do elsewhere."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_BEGIN = datetime.now(timezone.utc) - timedelta(days=1)
_END = _BEGIN + timedelta(days=30)


class Authority:
    """Signs certificates.

    Attributes:
        folder: where its files go.
        certificate: the PEM file by which it is trusted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = folder / "authority.pem"
        self._name = _name("an authority for tests")
        self._key = ec.generate_private_key(ec.SECP256R1())
        own = (
            self._new(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_signs_certificates(), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate.write_bytes(own.public_bytes(Encoding.PEM))

    def issue(self, hostname: str) -> Path:
        """Make a server's certificate.

        Args:
            hostname: whom it is for.

        Returns:
            A PEM file with the private key and the certificate.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._new(_name(hostname), key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(hostname)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self.folder / f"{hostname}.pem"
        file.write_bytes(pem_of(key) + certificate.public_bytes(Encoding.PEM))
        return file

    def _new(
        self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(_BEGIN)
            .not_valid_after(_END)
        )


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _signs_certificates() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
