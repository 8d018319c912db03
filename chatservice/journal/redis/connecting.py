"""
From where Redis is to the connections that lead there: TCP or TLS, straight or by way of Sentinels,
the store and its shards. What is asked on them is not known here, nor who set all this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from OpenSSL import crypto
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import VerifyError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.ssl import (
    Certificate,
    PrivateCertificate,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)

from .address import RedisAddress
from .link import Link
from .sentinel import MasterEndpoint

# So that several Sentinels can be asked while one attempt to connect may last.
_SENTINELS_IN_ONE_ATTEMPT = 3


class BadFile(Exception):
    """
    A file that cannot be used.

    @ivar which: C{ca}, C{certificate} or C{private_key}.
    """

    def __init__(self, which: str, words: str) -> None:
        super().__init__(words)
        self.which = which


@dataclass(frozen=True, slots=True)
class Places:
    """
    Where Redis is, and what it takes to get in.

    @ivar store: the Redis of the log; with Sentinels only who one is there and whether by TLS.
    @ivar shards: those that keep histories beside it.
    @ivar sentinels: host and port of each.
    @ivar master: what they call the store.
    @ivar sentinel_password: what they want to hear themselves; empty for nothing.
    @ivar ca: PEM file with the authorities that vouch for Redis; None for those of the system.
    @ivar certificate: PEM file with a certificate to show; None for none.
    @ivar private_key: PEM file with its key; None if that is in the same file.
    """

    store: RedisAddress
    shards: tuple[RedisAddress, ...] = ()
    sentinels: tuple[tuple[str, int], ...] = ()
    master: str = ""
    sentinel_password: str = field(default="", repr=False)
    ca: Path | None = None
    certificate: Path | None = None
    private_key: Path | None = None


def _ignore(_: float) -> None:
    pass


class Connecting:
    """
    Makes links; each call makes new ones, and none is open.

    @param reactor: connects, and tells the time.
    @param patience: seconds that a Redis may be silent.
    @raise BadFile: a file of C{places} cannot be used.
    """

    def __init__(self, reactor: Any, places: Places, patience: float) -> None:
        self._reactor = reactor
        self._places = places
        self._patience = patience
        self._trust = _trust(places.ca)
        self._shown = _shown(places.certificate, places.private_key)

    def store(self, answered: Callable[[float], None] = _ignore, what: str = "") -> Link:
        """
        A link to the store.

        @param answered: hears how many seconds each answer took.
        @param what: a word for what it is for, if there are several.
        """
        places = self._places
        if not places.sentinels:
            return self._link(places.store, answered, _named(str(places.store), what))
        tls = places.store.tls
        endpoint = MasterEndpoint(
            self._reactor,
            [(f"{host}:{port}", self._way_to(host, port, tls)) for host, port in places.sentinels],
            places.master,
            places.sentinel_password,
            self._patience / _SENTINELS_IN_ONE_ATTEMPT,
            lambda host, port: self._way_to(host, port, tls),
        )
        name = _named(f"Redis {places.master} (by Sentinel)", what)
        return Link(self._reactor, endpoint, places.store, self._patience, answered, name)

    def shards(self, answered: Callable[[float], None] = _ignore) -> list[Link]:
        """A link to each shard, in their order."""
        return [self._link(address, answered) for address in self._places.shards]

    def _link(
        self, address: RedisAddress, answered: Callable[[float], None], name: str = ""
    ) -> Link:
        endpoint = self._way_to(address.host, address.port, address.tls)
        return Link(self._reactor, endpoint, address, self._patience, answered, name)

    def _way_to(self, host: str, port: int, tls: bool) -> IStreamClientEndpoint:
        endpoint = HostnameEndpoint(self._reactor, host, port, timeout=self._patience)
        if not tls:
            return endpoint
        # TLS 1.2 or newer, as Twisted has it.
        options = optionsForClientTLS(host, trustRoot=self._trust, clientCertificate=self._shown)
        wrapped: IStreamClientEndpoint = wrapClientTLS(options, endpoint)
        return wrapped


def _named(name: str, what: str) -> str:
    return f"{name} ({what})" if what else name


def _trust(file: Path | None) -> Any:
    if file is None:
        return platformTrust()
    try:
        certificates = x509.load_pem_x509_certificates(_read("ca", file))
    except ValueError:
        raise BadFile("ca", f"{file} has no certificates in it") from None
    return trustRootFromCertificates(
        [Certificate.loadPEM(each.public_bytes(Encoding.PEM)) for each in certificates]
    )


def _shown(certificate: Path | None, key: Path | None) -> PrivateCertificate | None:
    if certificate is None:
        return None
    text = _read("certificate", certificate)
    if key is not None:
        text += b"\n" + _read("private_key", key)
    try:
        # OpenSSL itself would ask whoever is at the terminal for the key's password.
        load_pem_private_key(text, None)
        shown: PrivateCertificate = PrivateCertificate.loadPEM(text)
    except (ValueError, TypeError, UnsupportedAlgorithm, crypto.Error, VerifyError):
        words = f"{certificate} is no certificate" + (f" of {key}" if key else " with its key")
        raise BadFile("certificate", words) from None
    return shown


def _read(which: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadFile(which, f"{file} can't be read: {error.strerror}") from None
