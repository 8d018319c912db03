"""
Whether a server is who it should be: by authorities, by the certificate that it was first met with,
or by one certificate's fingerprint. Connections are made elsewhere; what OpenSSL found is put into
words in `verification`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography import x509
from OpenSSL import SSL
from OpenSSL.crypto import X509
from OpenSSL.crypto import Error as CryptoError
from twisted.logger import Logger

from .errors import ClientError
from .pins import BadPins, Pin, PinStore, Server, canonical
from .verification import Shown, new_context

_log = Logger()


class BadTrust(ClientError):
    """What trust was to be based on can't be used; the words say why."""


class Untrusted(ClientError):
    """
    The server has shown a certificate that is no proof of who it is. Nothing was sent to it.

    @ivar host: whom it should have been.
    @ivar port: its TCP port.
    @ivar fingerprint: SHA-256 of the certificate, `AA:BB:...`; empty if there was none to read.
    @ivar reason: what is wrong, as half a sentence about the server.
    """

    def __init__(self, server: Server, fingerprint: str, reason: str) -> None:
        seen = f" (its certificate's SHA-256: {fingerprint})" if fingerprint else ""
        super().__init__(f"{server} is not trusted: {reason}{seen}")
        self.host = server.host
        self.port = server.port
        self.fingerprint = fingerprint
        self.reason = reason


class PinChanged(Untrusted):
    """
    The server is known by another certificate than the one that it shows now.

    @ivar known: the fingerprint that is pinned.
    @ivar path: the file that it is kept in.
    @ivar line: its line there, from 1.
    """

    def __init__(self, pin: Pin, seen: str) -> None:
        reason = (
            "its certificate has changed. Either it has a new one, or somebody in between pretends "
            f"to be {pin.server}.\n"
            f"  known: {pin.fingerprint}\n"
            f"  shown: {seen}\n"
            "Ask who runs the server for its fingerprint; it is in the server's log, at its start. "
            "If it is the one that is shown, "
            f"remove line {pin.line} of {pin.path} and connect again"
        )
        super().__init__(pin.server, "", reason)
        self.fingerprint = seen
        self.known = pin.fingerprint or ""
        self.path = pin.path
        self.line = pin.line


@dataclass(frozen=True, slots=True)
class FirstUse:
    """
    A server that nobody vouches for and that is met for the first time.

    @ivar fingerprint: SHA-256 of its certificate, as the server's log shows it: `AA:BB:...`.
    @ivar fault: why no authority vouches for it, as half a sentence about the server.
    """

    host: str
    port: int
    fingerprint: str
    fault: str


class Trust(Protocol):
    """How to tell that a server is who it should be."""

    def context(self) -> SSL.Context:
        """What connections are made with; it brings the authorities that are known."""

    def check(self, shown: Shown) -> None:
        """
        Decides, after the handshake and before anything is sent.

        @raise Untrusted: it is not.
        @raise ClientError: it can't be told.
        """


class Authorities:
    """Trusts whom certificate authorities vouch for by name (RFC 5280, RFC 6125)."""

    def __init__(self, ca_file: str | os.PathLike[str] | None = None) -> None:
        """
        @param ca_file: a PEM file with the authorities' certificates, or with a self-signed
            server's own; it is read at once. The system's authorities if left out; SSL_CERT_FILE
            and SSL_CERT_DIR name others, as for all that uses OpenSSL.
        @raise BadTrust: the file can't be read, or holds no certificate.
        """
        self._context = new_context()
        if ca_file is None:
            self._context.set_default_verify_paths()
        else:
            _add_authorities(self._context, Path(ca_file))

    def context(self) -> SSL.Context:
        """See `Trust`."""
        return self._context

    def check(self, shown: Shown) -> None:
        """See `Trust`."""
        if shown.fault is not None:
            raise Untrusted(shown.server, shown.fingerprint, shown.fault)


class Pins:
    """
    Trusts whom authorities vouch for. Whoever else is met for the first time is believed, and must
    show the same certificate ever after (as ssh has it). A server that authorities have vouched for
    can't do without them later: whoever gets in between would need no more than a certificate of
    his own.
    """

    def __init__(
        self,
        store: PinStore,
        authorities: Authorities | None = None,
        first_use: Callable[[FirstUse], None] | None = None,
    ) -> None:
        """
        @param store: what is remembered.
        @param authorities: the system's if left out.
        @param first_use: told of each server before it is believed; to refuse it, it raises a
            `ClientError`. To ask people first, refuse, and have them asked; then
            `PinStore.remember` and connect again.
        """
        self._store = store
        self._authorities = authorities or Authorities()
        self._first_use = first_use

    def context(self) -> SSL.Context:
        """See `Trust`."""
        return self._authorities.context()

    def check(self, shown: Shown) -> None:
        """
        See `Trust`.

        @raise PinChanged: it was another certificate before.
        @raise BadPins: the store can't be used, and it is needed.
        """
        if shown.fault is None:
            self._vouched(shown.server)
            return
        pin = self._store.find(shown.server)
        if pin is None:
            if self._first_use is not None:
                self._first_use(
                    FirstUse(shown.server.host, shown.server.port, shown.fingerprint, shown.fault)
                )
            pin = self._store.remember(shown.server, shown.fingerprint)
        if pin.fingerprint is None:
            raise Untrusted(
                shown.server,
                shown.fingerprint,
                f"{shown.fault}; but authorities did vouch for this server before "
                f"(line {pin.line} of {pin.path})",
            )
        if pin.fingerprint != shown.fingerprint:
            raise PinChanged(pin, shown.fingerprint)

    def _vouched(self, server: Server) -> None:
        try:
            if self._store.find(server) is None:
                self._store.remember(server, None)
        except BadPins as bad:
            # It is trusted without them.
            _log.info("pins are not kept: {reason}", reason=str(bad))


class Fingerprint:
    """Trusts one certificate, whoever vouches for it, whatever names it has."""

    def __init__(self, fingerprint: str) -> None:
        """
        @param fingerprint: its SHA-256: `SHA256:` and 64 hexadecimal digits, with colons or
            without, in any case.
        @raise BadTrust: it is something else.
        """
        try:
            self.fingerprint = canonical(fingerprint)
        except ValueError as error:
            raise BadTrust(str(error)) from None
        self._context = new_context()

    def context(self) -> SSL.Context:
        """See `Trust`."""
        return self._context

    def check(self, shown: Shown) -> None:
        """See `Trust`."""
        if shown.fingerprint != self.fingerprint:
            raise Untrusted(
                shown.server,
                shown.fingerprint,
                f"its certificate is not the one with the fingerprint {self.fingerprint}",
            )


def _add_authorities(context: SSL.Context, file: Path) -> None:
    try:
        certificates = x509.load_pem_x509_certificates(file.read_bytes())
    except OSError as error:
        raise BadTrust(f"can't read the authorities in {file}: {error.strerror}") from None
    except ValueError:
        raise BadTrust(f"{file} holds no authority's certificate (PEM)") from None
    store = context.get_cert_store()
    assert store is not None  # every context has one
    try:
        for certificate in certificates:
            store.add_cert(X509.from_cryptography(certificate))
    except CryptoError:
        raise BadTrust(f"{file} holds a certificate that OpenSSL can't use") from None
