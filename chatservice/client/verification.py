"""
What OpenSSL and service-identity have to say of a server's certificate, in words for people.
Whether the server is trusted all the same, the trust decides; nothing is sent or refused here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import CertificateError, VerificationError
from service_identity.cryptography import (
    verify_certificate_hostname,
    verify_certificate_ip_address,
)

from chatservice.networking.certificates import fingerprint_of

from .pins import Server

ALPN = b"chatservice.v1"

_MOST_NAMES = 3
_LONGEST_NAME = 80

# Results of X509_verify_cert (OpenSSL, x509_vfy.h); pyOpenSSL has no names for them.
_ISSUER_MISSING, _BAD_SIGNATURE, _NOT_YET_VALID, _EXPIRED = 2, 7, 9, 10
_SELF_SIGNED, _ROOT_UNKNOWN, _ISSUER_UNKNOWN, _UNVERIFIABLE = 18, 19, 20, 21
_NO_AUTHORITY, _WRONG_PURPOSE, _WEAK_KEY, _WEAK_AUTHORITY_KEY, _WEAK_SIGNATURE = 24, 26, 66, 67, 68


@dataclass(frozen=True, slots=True)
class Shown:
    """
    The certificate that a server has shown, whose key it has proved to hold.

    @ivar fault: why the authorities of the context don't vouch for it, as half a sentence about the
        server; None if they do, and if it names the server.
    """

    server: Server
    certificate: x509.Certificate
    fault: str | None

    @property
    def fingerprint(self) -> str:
        """SHA-256, as the server's log shows it: `AA:BB:...`."""
        return fingerprint_of(self.certificate)


class Record:
    """
    What OpenSSL finds while it verifies one connection's certificates. It is not an end there: TLS
    goes on, so that a pinned certificate can be compared, and what is found can be said.
    """

    __slots__ = ("_fault", "_seen")

    def __init__(self) -> None:
        self._fault: tuple[int, int, X509] | None = None
        self._seen = False

    def note(
        self, connection: SSL.Connection, certificate: X509, error: int, depth: int, valid: int
    ) -> bool:
        """A callback for `SSL.Connection.set_verify`. Of several faults the first one counts."""
        if not valid and self._fault is None:
            self._fault = error, depth, certificate
        self._seen = self._seen or depth == 0
        return True

    def fault(self, certificate: x509.Certificate, server: Server) -> str | None:
        """
        What is wrong with a certificate whose chain has been looked at; None for nothing.

        @raise ValueError: a certificate is malformed.
        """
        if not self._seen:
            return "its certificate was not verified"
        if self._fault is not None:
            error, depth, culprit = self._fault
            return _chain_fault(error, depth, culprit.to_cryptography())
        return _name_fault(certificate, server)


def new_context() -> SSL.Context:
    """TLS 1.3 (RFC 8446) and the protocol's name (RFC 7301), without authorities."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    context.set_alpn_protos([ALPN])
    # Whoever resumes is not verified again.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    return context


def _name_fault(certificate: x509.Certificate, server: Server) -> str | None:
    """RFC 6125: whose certificate this is."""
    try:
        if server.is_address:
            verify_certificate_ip_address(certificate, server.host.partition("%")[0])
        else:
            verify_certificate_hostname(certificate, server.host)
    except VerificationError:
        return f"its certificate is for {_names(certificate)}, not for {server.host}"
    except CertificateError:
        # Also if there are names, but none of a kind that servers have.
        return f"its certificate names no server, so not {server.host}"
    return None


def _names(certificate: x509.Certificate) -> str:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    names = [
        *extension.get_values_for_type(x509.DNSName),
        *map(str, extension.get_values_for_type(x509.IPAddress)),
    ]
    shown = [_printable(name) for name in names[:_MOST_NAMES]]
    more = len(names) - len(shown)
    if more:
        shown.append(f"{more} more")
    if not shown:
        return "something else"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _chain_fault(error: int, depth: int, certificate: x509.Certificate) -> str:
    words = _UNKNOWN.get(error)
    if words is not None:
        return words(certificate)
    owner = "its certificate"
    if depth > 0:
        owner = f"the certificate of its authority {_common_name(certificate.subject)}"
    what = _FAULTS.get(error)
    if what is None:
        return f"{owner} can't be verified (OpenSSL's error {error})"
    return f"{owner} {what(certificate)}"


def _self_signed(_: x509.Certificate) -> str:
    return "its certificate is self-signed, and no authority that is known here vouches for it"


def _unknown_issuer(certificate: x509.Certificate) -> str:
    issuer = _common_name(certificate.issuer)
    return f"no authority that is known here vouches for its certificate, only {issuer}"


_UNKNOWN: dict[int, Callable[[x509.Certificate], str]] = {
    _SELF_SIGNED: _self_signed,
    **dict.fromkeys(
        (_ISSUER_MISSING, _ROOT_UNKNOWN, _ISSUER_UNKNOWN, _UNVERIFIABLE), _unknown_issuer
    ),
}
"""Where the chain leads, by OpenSSL's error: to nobody who is known."""

_FAULTS: dict[int, Callable[[x509.Certificate], str]] = {
    _EXPIRED: lambda certificate: f"expired on {_date(certificate.not_valid_after_utc)}",
    _NOT_YET_VALID: lambda certificate: (
        f"is not valid before {_date(certificate.not_valid_before_utc)} (is the clock right?)"
    ),
    _BAD_SIGNATURE: lambda _: "has a signature that is not its issuer's",
    _NO_AUTHORITY: lambda _: "is no authority",
    _WRONG_PURPOSE: lambda _: "is not meant for servers",
    _WEAK_KEY: lambda _: "has a key that is too weak",
    _WEAK_AUTHORITY_KEY: lambda _: "has a key that is too weak",
    _WEAK_SIGNATURE: lambda _: "has a signature that is too weak",
}
"""What is wrong with one certificate of the chain, by OpenSSL's error."""


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _common_name(name: x509.Name) -> str:
    attributes = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    text = attributes[0].value if attributes else name.rfc4514_string()
    return _printable(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)


def _printable(text: str) -> str:
    """Whoever made the certificate chose it, so a terminal must not obey it."""
    shown = text[:_LONGEST_NAME] or "nobody"
    return "".join(character if character.isprintable() else "?" for character in shown)
