"""
Where a server is, from a string: `tls:host:port`, `tcp:host:port`, `unix:path`. TLS is put around
the first and checked, plain text to other machines is refused, and what goes wrong on the way is
put into words. What is said on a connection is not known here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from OpenSSL import SSL
from OpenSSL.crypto import X509
from twisted.internet import error as errors
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, clientFromString, wrapClientTLS
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from chatservice.networking.endpoint_strings import (
    EndpointString,
    is_loopback,
    read_endpoint_string,
)

from .errors import BadServer, ClientError, ConnectionGone, TimedOut
from .pins import Server
from .trust import Trust, Untrusted
from .verification import Record, Shown

DEFAULT_PORT = 6667

_FORMS = "expected tls:host:port, tcp:host:port or unix:path"
_ARGUMENTS = ("host", "port", "bindAddress")
# The host in brackets, where Twisted's strings want each colon escaped.
_BRACKETED = re.compile(r"((?:[a-z0-9]+:)?(?:host=)?)\[([^\[\]\\]*)\]", re.IGNORECASE)
# As people write it: TLS goes without saying.
_BARE = re.compile(r"([^:=\\/\[\]@]+|\[[^\[\]\\]+\])(:[0-9]*)?")
# What a string that can't be used raises out of Twisted's parsers and their plugins.
_PARSE_ERRORS = (ValueError, TypeError, LookupError, AttributeError, OSError)
_EXPOSED = (
    "what is sent there can be read on the way, passwords too; "
    "use tls:host:port, or say that it may be insecure"
)


class BadEndpoint(ClientError):
    """A server's string can't be used; the words quote it and say what was expected."""

    def __init__(self, description: str, expected: str) -> None:
        super().__init__(f"server {description!r}: {expected}")
        self.description = description
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where a server is. Whoever connects calls `check` once TLS is there (`IHandshakeListener`),
    before anything is sent.

    @ivar endpoint: connects, with TLS if `encrypted`; it fails with `ClientError`s.
    @ivar shown: the place for people: "localhost:6667".
    @ivar host: the server's name or IP address; empty where there is none.
    @ivar port: its TCP port; 0 where there is none.
    @ivar encrypted: whether there is TLS, and so an end of the handshake to wait for.
    """

    endpoint: IStreamClientEndpoint
    shown: str
    host: str
    port: int
    encrypted: bool
    _handshakes: _Handshakes | None = None

    def check(self, transport: TLSMemoryBIOProtocol) -> None:
        """
        Finds out whether the server is trusted; does nothing without TLS.

        @param transport: what the protocol has, after the handshake.
        @raise Untrusted: it isn't; drop the connection. Every error here is a `ClientError`, unless
            a `first_use` raises another.
        """
        if self._handshakes is not None:
            self._handshakes.check(transport)

    def explain(self, reason: Failure, farewell: str = "") -> ClientError:
        """
        Why there is no connection, for people.

        @param reason: what `connectionLost` or an endpoint was told.
        @param farewell: what the server said before; empty for nothing.
        """
        return _explained(self.shown, reason, farewell)


def parse(
    reactor: Any, description: str, trust: Trust, timeout: float, insecure: bool = False
) -> Place:
    r"""
    Understands a server's string. Nothing is connected or looked up yet.

    @param reactor: what will connect.
    @param description: `tls:host:port`; `ssl:` means the same, and so does `host:port`. Port 6667
        may be left out. IPv6 in brackets, `tls:[::1]:6667`, or escaped, `tls:\:\:1:6667`. Or
        `tcp:host:port`, `unix:path`, or another of `twisted.internet.endpoints.clientFromString`.
    @param trust: which certificates are trusted.
    @param timeout: seconds until there must be a connection, without TLS's handshake.
    @param insecure: allow plain text to other machines.
    @raise BadEndpoint: the string can't be used, or is plain text to another machine, or to nobody
        knows where.
    """
    asked = _Asked(reactor, description, trust, timeout, insecure)
    try:
        text = read_endpoint_string(_escaped(description))
        return _KINDS.get(text.kind, _other)(asked, text)
    except _PARSE_ERRORS as error:
        raise BadEndpoint(description, f"{_FORMS} ({error})") from None


class _Asked(NamedTuple):
    """What `parse` was given."""

    reactor: Any
    description: str
    trust: Trust
    timeout: float
    insecure: bool

    def place(
        self,
        endpoint: IStreamClientEndpoint,
        shown: str,
        server: Server | None = None,
        handshakes: _Handshakes | None = None,
    ) -> Place:
        explaining = _Explaining(endpoint, shown, self.timeout, self.reactor)
        host, port = ("", 0) if server is None else (server.host, server.port)
        return Place(explaining, shown, host, port, handshakes is not None, handshakes)


def _escaped(description: str) -> str:
    """What people write, as Twisted reads it."""
    bare = _BARE.fullmatch(description)
    if bare is not None and bare[1].lower() not in _KINDS:
        description = f"tls:{description}"
    bracketed = _BRACKETED.match(description)
    if bracketed is None:
        return description
    address = bracketed[2].replace(":", r"\:")
    return f"{bracketed[1]}{address}{description[bracketed.end() :]}"


def _tls(asked: _Asked, text: EndpointString) -> Place:
    server, endpoint = _internet(asked, text)
    handshakes = _Handshakes(server, asked.trust)
    secured = wrapClientTLS(handshakes, endpoint, asked.reactor)
    return asked.place(secured, str(server), server, handshakes)


def _tcp(asked: _Asked, text: EndpointString) -> Place:
    server, endpoint = _internet(asked, text)
    if not (asked.insecure or is_loopback(server.host)):
        raise BadEndpoint(asked.description, _EXPOSED)
    return asked.place(endpoint, str(server), server)


def _unix(asked: _Asked, text: EndpointString) -> Place:
    path = text.named.get("path") or "".join(text.arguments[:1])
    if not path:
        raise BadEndpoint(asked.description, "expected the path of a socket, as unix:/run/chat")
    return asked.place(clientFromString(asked.reactor, asked.description), f"unix:{path}")


def _other(asked: _Asked, text: EndpointString) -> Place:
    endpoint = clientFromString(asked.reactor, asked.description)
    if not asked.insecure:
        raise BadEndpoint(asked.description, _EXPOSED)
    return asked.place(endpoint, asked.description)


_KINDS: dict[str, Callable[[_Asked, EndpointString], Place]] = {
    "tls": _tls,
    # As the server has it; Twisted's own accepts older versions.
    "ssl": _tls,
    "tcp": _tcp,
    "unix": _unix,
}


def _internet(asked: _Asked, text: EndpointString) -> tuple[Server, HostnameEndpoint]:
    if len(text.arguments) > 2:
        raise BadEndpoint(
            asked.description, f"expected {text.kind}:host:port, an IPv6 address in brackets"
        )
    for name in text.named:
        if name not in _ARGUMENTS:
            known = ", ".join(_ARGUMENTS)
            raise BadEndpoint(
                asked.description, f"{name} is not an argument of {text.kind}: ({known} are)"
            )
    values = {**dict(zip(_ARGUMENTS, text.arguments, strict=False)), **text.named}
    host, port = values.get("host", ""), values.get("port") or str(DEFAULT_PORT)
    if not host:
        raise BadEndpoint(asked.description, f"expected a host, as {text.kind}:chat.example")
    try:
        server = Server.of(host, int(port) if port.isascii() and port.isdecimal() else 0)
    except ValueError as error:
        raise BadEndpoint(asked.description, str(error)) from None
    endpoint = HostnameEndpoint(
        asked.reactor, server.host, server.port, asked.timeout, values.get("bindAddress")
    )
    return server, endpoint


@implementer(IOpenSSLClientConnectionCreator)
class _Handshakes:
    """The TLS side of each connection to one server, and what was found while it shook hands."""

    def __init__(self, server: Server, trust: Trust) -> None:
        self._server = server
        self._trust = trust
        self._records: WeakKeyDictionary[TLSMemoryBIOProtocol, Record] = WeakKeyDictionary()

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """See `IOpenSSLClientConnectionCreator`."""
        connection = SSL.Connection(self._trust.context(), None)
        if not self._server.is_address:  # RFC 6066 section 3
            connection.set_tlsext_host_name(self._server.host.encode("ascii"))
        record = self._records[tlsProtocol] = Record()
        connection.set_verify(SSL.VERIFY_PEER, record.note)
        return connection

    def check(self, transport: TLSMemoryBIOProtocol) -> None:
        raw = transport.getPeerCertificate()
        if not isinstance(raw, X509):
            raise Untrusted(self._server, "", "it has shown no certificate")
        record = self._records.get(transport, Record())
        try:
            certificate = raw.to_cryptography()
            shown = Shown(self._server, certificate, record.fault(certificate, self._server))
        except ValueError:
            raise Untrusted(self._server, "", "its certificate can't be read") from None
        self._trust.check(shown)


@implementer(IStreamClientEndpoint)
class _Explaining:
    """Connects in time, or says in words why not."""

    def __init__(
        self, endpoint: IStreamClientEndpoint, shown: str, timeout: float, clock: IReactorTime
    ) -> None:
        self._endpoint = endpoint
        self._shown = shown
        self._timeout = timeout
        self._clock = clock

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """See `IStreamClientEndpoint`."""
        connecting: Deferred[IProtocol] = self._endpoint.connect(protocolFactory)
        connecting.addTimeout(self._timeout, self._clock, onTimeoutCancel=self._too_late)
        return connecting.addErrback(self._explain)

    def _too_late(self, _: object, seconds: float) -> Failure:
        return Failure(TimedOut(f"{self._shown} did not answer within {seconds:g} seconds"))

    def _explain(self, reason: Failure) -> Failure:
        if reason.check(CancelledError, errors.ConnectingCancelledError) is not None:
            return reason
        return Failure(_explained(self._shown, reason, ""))


_NOT_TLS = "what answers there does not speak TLS; is it a plain text port?"
_OLD_TLS = "it speaks an older TLS, and nothing less than TLS 1.3 will do"

_TLS_WORDS = {
    "wrong version number": _NOT_TLS,
    "packet length too long": _NOT_TLS,
    # What this service's own listeners for plain text say.
    "ssl/tls alert handshake failure": _NOT_TLS,
    "sslv3 alert handshake failure": _NOT_TLS,
    "unsupported protocol": _OLD_TLS,
    "wrong ssl version": _OLD_TLS,
    "tlsv1 alert protocol version": _OLD_TLS,
    "tlsv1 alert no application protocol": "it does not offer this protocol",
}
"""By OpenSSL's reason."""

_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (errors.DNSLookupError, "there is no such host"),
    (errors.ConnectionRefusedError, "nobody listens there"),
    (errors.NoRouteError, "there is no way to it"),
    (errors.ConnectionClosed, "the connection was lost"),
)


def _explained(shown: str, reason: Failure, farewell: str) -> ClientError:
    error = reason.value
    if isinstance(error, ClientError):
        return error
    if isinstance(error, SSL.Error):
        return BadServer(f"{shown}: {_tls_words(error)}")
    if isinstance(error, errors.TimeoutError):
        return TimedOut(f"{shown} did not answer in time")
    if farewell:
        return ConnectionGone(f"{shown} has closed the connection: {farewell}")
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return ConnectionGone(f"{shown}: {words}")
    if isinstance(error, errors.ConnectError) and isinstance(error.osError, int):
        return ConnectionGone(f"{shown}: {os.strerror(error.osError)}")
    return ConnectionGone(f"{shown}: {reason.getErrorMessage()}")


def _tls_words(error: SSL.Error) -> str:
    try:
        reasons = [str(entry[2]) for entry in error.args[0]]
    except (LookupError, TypeError):
        reasons = []
    for reason in reasons:
        if reason in _TLS_WORDS:
            return _TLS_WORDS[reason]
    return f"TLS came to nothing ({', '.join(reasons) or 'unknown'})"
