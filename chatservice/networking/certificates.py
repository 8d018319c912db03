"""Certificate files: where they are, reading them whole, their fingerprint, and the self-signed one
that a new server starts with. No TLS connection is made here, and nobody's files are overwritten.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    PrivateKeyTypes,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from twisted.logger import Logger
from twisted.python.filepath import FilePath

from chatservice.networking.whole_files import write_whole

_log = Logger()

_LIFETIME = timedelta(days=3653)
# A client whose clock is a little behind must not find the certificate "not yet valid".
_CLOCK_SKEW = timedelta(days=1)
_LONGEST_COMMON_NAME = 64
_PRIVATE = 0o600
_PUBLIC = 0o644
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


class BadCertificate(ValueError):
    """A key or certificate file can't be used; the argument says which and why, for people."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where a server's private key, its certificate and the rest of the chain are (all PEM).

    One file may hold several of them: the key may be in the certificate's file, and the chain may
    follow the certificate.
    """

    private_key: FilePath[str]
    certificate: FilePath[str]
    chain: FilePath[str] | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """What `CertificateFiles` hold; `chain` vouches for `certificate`."""

    private_key: PrivateKeyTypes
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]


def load_credentials(files: CertificateFiles) -> Credentials:
    """Read key, certificate and chain.

    Args:
        files: the PEM files.

    Returns:
        All of them. Whether key and certificate belong together is not looked at.

    Raises:
        BadCertificate: if a file can't be read or does not hold what it should.
    """
    certificate, *rest = _load_certificates(files.certificate)
    chain = () if files.chain is None else _load_certificates(files.chain)
    return Credentials(_load_private_key(files.private_key), certificate, (*rest, *chain))


def fingerprint_of(certificate: x509.Certificate) -> str:
    """Return the SHA-256 fingerprint of a certificate, in hexadecimal pairs joined by colons."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def ensure_self_signed(
    folder: FilePath[str], hostnames: Sequence[str], now: datetime | None = None
) -> CertificateFiles:
    """Make a self-signed certificate in `folder`, unless one is there.

    An ECDSA key on P-256, valid for ten years, for `hostnames` and this machine's loopback names
    (RFC 5280 section 4.2.1.6). The key's file is readable by its owner only from the moment that it
    exists. A key whose certificate is missing, as after a crash between the two, gets a new one.

    Args:
        folder: where `server.key` and `server.crt` are or will be; made (mode 0700) if missing.
        hostnames: names and IP addresses that clients use for this server.
        now: when the certificate begins, with its time zone; the present if left out.

    Returns:
        The two files.

    Raises:
        BadCertificate: if only the certificate is there, or the key that is there is useless.
        OSError: if the folder or a file can't be written.
    """
    files = CertificateFiles(folder.child("server.key"), folder.child("server.crt"))
    if not files.private_key.exists():
        if files.certificate.exists():
            raise BadCertificate(
                f"{files.certificate.path} is there, but its key {files.private_key.path} is not: "
                "put the key back, or move the certificate away to have both made anew"
            )
        os.makedirs(folder.path, mode=0o700, exist_ok=True)  # noqa: PTH103 - no pathlib here
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_whole(files.private_key, pem, _PRIVATE)
    if not files.certificate.exists():
        signer = cast(CertificateIssuerPrivateKeyTypes, _load_private_key(files.private_key))
        begin = (now or datetime.now(timezone.utc)) - _CLOCK_SKEW
        certificate = _self_signed(signer, hostnames, begin)
        write_whole(files.certificate, certificate.public_bytes(Encoding.PEM), _PUBLIC)
        _log.info("made a self-signed certificate, {path}", path=files.certificate.path)
    return files


def _self_signed(
    key: CertificateIssuerPrivateKeyTypes, hostnames: Sequence[str], begin: datetime
) -> x509.Certificate:
    names = list(dict.fromkeys([*hostnames, *_LOCAL_NAMES]))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _common_name(names[0]))])
    public_key = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName([_general_name(n) for n in names]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .sign(key, hashes.SHA256())
    )


def _general_name(name: str) -> x509.GeneralName:
    address = _address(name)
    if address is not None:
        return x509.IPAddress(address)
    return x509.DNSName(_ascii_name(name))


def _common_name(name: str) -> str:
    return _ascii_name(name)[:_LONGEST_COMMON_NAME]


def _ascii_name(name: str) -> str:
    # RFC 5280 section 7.2: names of other scripts stand in a certificate in their ASCII form.
    return name if name.isascii() else name.encode("idna").decode("ascii")


def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def _load_certificates(file: FilePath[str]) -> tuple[x509.Certificate, ...]:
    content = _read(file)
    try:
        return tuple(x509.load_pem_x509_certificates(content))
    except ValueError:
        raise BadCertificate(f"{file.path} holds no complete PEM certificate") from None


def _load_private_key(file: FilePath[str]) -> PrivateKeyTypes:
    content = _read(file)
    try:
        return load_pem_private_key(content, password=None)
    except TypeError:
        raise BadCertificate(f"the private key in {file.path} needs a password") from None
    except (ValueError, UnsupportedAlgorithm):
        raise BadCertificate(f"{file.path} holds no complete PEM private key") from None


def _read(file: FilePath[str]) -> bytes:
    try:
        return file.getContent()
    except OSError as error:
        raise BadCertificate(f"can't read {file.path}: {error.strerror}") from None
