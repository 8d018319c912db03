"""Servers with certificates of every kind, and a client that says what it thinks of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from twisted.internet import reactor as _reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHandshakeListener, IListeningPort
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from twisted.python.filepath import FilePath
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from chatservice.client.endpoints import Place, parse
from chatservice.client.errors import ClientError
from chatservice.client.trust import Trust
from chatservice.networking.certificates import CertificateFiles
from chatservice.networking.contexts import ServerContext
from chatservice.networking.tls import EagerTLSFactory
from tests.loopback import PATIENCE, Recorders, clock

reactor: Any = _reactor

PASSWORD = b"what nobody else may read"

_NOW = datetime.now(timezone.utc)
_DAY = timedelta(days=1)
_ONE_PURPOSE = ExtendedKeyUsageOID.SERVER_AUTH


class Issuer:
    """Makes certificates, signed by itself or by nobody but their own key."""

    _numbers = count()

    def __init__(
        self, folder: Path, name: str = "an authority for tests", end: datetime = _NOW + _DAY
    ) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)
        self._name = name_of(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = (
            builder(self._name, self._name, self._key, end=end)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = self.write(self.certificate.public_bytes(Encoding.PEM))

    def write(self, content: bytes) -> Path:
        """A new file of PEM."""
        file = self._folder / f"{next(self._numbers)}.pem"
        file.write_bytes(content)
        return file

    def issue(
        self,
        *names: str,
        begin: datetime = _NOW - _DAY,
        end: datetime = _NOW + _DAY,
        self_signed: bool = False,
        purpose: x509.ObjectIdentifier = _ONE_PURPOSE,
    ) -> CertificateFiles:
        """A server's certificate and its key, in a file."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = name_of(names[0] if names else "nameless")
        issuer, signer = (subject, key) if self_signed else (self._name, self._key)
        certificate = (
            builder(subject, issuer, key, begin, end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        )
        if names:
            certificate = certificate.add_extension(alternatives(names), critical=False)
        pem = certificate.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file = FilePath(str(self.write(private + pem)))
        return CertificateFiles(file, file)


def builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    begin: datetime = _NOW - 2 * _DAY,
    end: datetime = _NOW + _DAY,
) -> x509.CertificateBuilder:
    """What all certificates have."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )


def name_of(common: str) -> x509.Name:
    """A subject's or an issuer's name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def alternatives(names: Sequence[str]) -> x509.SubjectAlternativeName:
    """Host names and IP addresses, as a certificate has them."""
    return x509.SubjectAlternativeName([_alternative(name) for name in names])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@implementer(IHandshakeListener)
class Caller(Protocol):
    """Sends a password if the server is trusted, and goes if it isn't."""

    transport: Any

    def __init__(self, place: Place) -> None:
        self._place = place
        self._error: ClientError | None = None
        self.trusting: Deferred[Caller] = Deferred()
        self.lost: Deferred[None] = Deferred()

    def handshakeCompleted(self) -> None:
        try:
            self._place.check(self.transport)
        except ClientError as error:
            self._error = error
            self.transport.abortConnection()
            return
        self.transport.write(PASSWORD)
        self.trusting.callback(self)

    def connectionLost(self, reason: Failure = Failure(ConnectionDone())) -> None:  # noqa: B008
        if not self.trusting.called:
            self.trusting.errback(self._error or self._place.explain(reason))
        self.lost.callback(None)


class TrustCase(TestCase):
    """Real TLS over loopback."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.issuer = Issuer(self.folder / "issued")
        self.servers = Recorders()

    async def serve(self, files: CertificateFiles, creator: Any = None) -> int:
        """A server with a certificate; returns its port."""
        context = creator or ServerContext(files, (b"chatservice.v1",))
        return await self.listen(EagerTLSFactory(context, False, cast(Any, self.servers), clock))

    async def listen(self, factory: Any) -> int:
        """Listen on loopback; returns the port."""
        listening: IListeningPort = await TCP4ServerEndpoint(
            reactor, 0, interface="127.0.0.1"
        ).listen(factory)
        self.addCleanup(listening.stopListening)
        return cast(IPv4Address, listening.getHost()).port

    async def call(self, port: int, trust: Trust, host: str = "localhost") -> Caller:
        """Connect; raises what the client says against it."""
        place = parse(reactor, f"tls:{host}:{port}", trust, PATIENCE)
        callers: Any = Factory.forProtocol(lambda: Caller(place))
        callers.noisy = False
        caller = cast(Caller, await place.endpoint.connect(callers))
        self.addCleanup(self._hang_up, caller)
        return await caller.trusting

    async def accepted(self, port: int, trust: Trust, host: str = "localhost") -> Caller:
        """Connect to a server that has to be trusted, and that gets what is sent then."""
        caller = await self.call(port, trust, host)
        server = await self.servers.next()
        self.assertEqual(await server.bytes_received(len(PASSWORD)), PASSWORD)
        return caller

    async def refused(self, port: int, trust: Trust, host: str = "localhost") -> ClientError:
        """Connect to a server that must not be trusted, and that gets nothing; why it isn't."""
        try:
            await self.call(port, trust, host)
        except ClientError as error:
            server = await self.servers.next()
            await server.lost
            self.assertEqual(bytes(server.received), b"")
            return error
        raise self.failureException("it was trusted")

    async def _hang_up(self, caller: Caller) -> None:
        if not caller.lost.called:
            caller.transport.abortConnection()
        await caller.lost
