"""Listener strings: `DIALECT@ENDPOINT`, where the endpoint is one of Twisted's, `ssl:` means TLS
1.3, and `tls:` puts TLS before any other. Says what a string means, refuses plain text where
strangers could listen in, and listens. What is served on a listener is not known here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import (
    AdoptedStreamServerEndpoint,
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
    UNIXServerEndpoint,
    serverFromString,
)
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamServerEndpoint,
    ITransport,
)
from twisted.internet.protocol import Protocol
from twisted.protocols.haproxy import proxyEndpoint
from twisted.python.filepath import FilePath
from zope.interface import implementer

from chatservice.networking.certificates import BadCertificate, CertificateFiles
from chatservice.networking.contexts import ContextPool, ServerContext
from chatservice.networking.eager import Sharing, can_share_ports, make_eager
from chatservice.networking.endpoint_strings import (
    EndpointString,
    is_loopback,
    read_endpoint_string,
)
from chatservice.networking.gateways import LOOPBACK, FromProxies, Networks
from chatservice.networking.tls import EagerTLSFactory

_DIALECT = re.compile(r"([a-z][a-z0-9_]*)@(.*)", re.DOTALL)
_DEFAULT_BACKLOG = "50"
_HIGHEST_PORT = 65535
_REUSE = "reusePort"
_SSL_ARGUMENTS = ("privateKey", "certKey", "extraCertChain", "interface", "backlog", _REUSE)
_OLD_SSL_ARGUMENTS = ("sslmethod", "dhParameters")
_TLS_KINDS = frozenset({"ssl", "tls"})
_PORT_KINDS = frozenset({"ssl", "tcp", "tcp6"})
# Ports of these close a connection whose protocol is None; wrappers around them do not.
_DIRECT_ENDPOINTS = (
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
    UNIXServerEndpoint,
    AdoptedStreamServerEndpoint,
)
_BAD_NUMBER = f"the port is a number from 0 to {_HIGHEST_PORT}, and backlog is a number"
_PLAIN_TEXT = (
    "plain text is served on loopback addresses (interface=127.0.0.1) and UNIX sockets only; "
    "use ssl:PORT or tls:ENDPOINT, or allow it with --allow-plain-text"
)
# What an endpoint string that can't be used raises out of Twisted's parsers and their plugins.
_PARSE_ERRORS = (ValueError, TypeError, LookupError, AttributeError, OSError)


class BadListener(ValueError):
    """A listener string can't be used; the argument quotes it and says what was expected."""

    def __init__(self, listener: str, expected: str) -> None:
        super().__init__(f"listener {listener!r}: {expected}")
        self.listener = listener
        self.expected = expected


@dataclass(frozen=True, slots=True)
class ListenerSpec:
    """A listener string, split: the dialect that it insists on, if any, and the endpoint."""

    dialect: str | None
    endpoint: str

    def __str__(self) -> str:
        return self.endpoint if self.dialect is None else f"{self.dialect}@{self.endpoint}"


@dataclass(frozen=True, slots=True)
class Listener:
    """A listener that is ready to listen.

    Attributes:
        spec: the string that it is made from.
        endpoint: where it will listen; bytes there are sealed if `tls` is not None.
        tls: what TLS connections are made with.
        allow_plain_text: whether it may listen to strangers without TLS.
    """

    spec: ListenerSpec
    endpoint: IStreamServerEndpoint
    tls: ServerContext | None
    allow_plain_text: bool

    @property
    def tcp_port(self) -> int | None:
        """The TCP port that clients connect to, if the string tells which."""
        return self._below_tls().tcp_port()

    @property
    def is_for_proxies(self) -> bool:
        """Whether clients come through a proxy, and can't connect to it themselves."""
        return self._below_tls().kind == "haproxy"

    def _below_tls(self) -> EndpointString:
        text = read_endpoint_string(self.spec.endpoint)
        if text.kind == "tls":
            text = read_endpoint_string(self.spec.endpoint.partition(":")[2])
        return text


def parse_listener(text: str) -> ListenerSpec:
    """Split `DIALECT@ENDPOINT`.

    Args:
        text: the string; without a dialect (`[a-z][a-z0-9_]*` before the first `@`) all of it is
            the endpoint.

    Returns:
        Both parts. Whether such a dialect exists is not looked at.

    Raises:
        BadListener: if there is no endpoint, or what stands before the `@` can't be a dialect.
    """
    match = _DIALECT.fullmatch(text)
    spec = ListenerSpec(None, text) if match is None else ListenerSpec(match[1], match[2])
    before, at, _ = text.partition("@")
    if match is None and at and ":" not in before:
        raise BadListener(text, "a dialect is lower-case letters, digits and _, as in irc@ssl:6697")
    if not spec.endpoint:
        raise BadListener(text, "an endpoint is missing, as ssl:6697 or unix:/run/chat.sock")
    return spec


def make_listener(
    reactor: Any,
    spec: ListenerSpec,
    contexts: ContextPool,
    *,
    allow_plain_text: bool = False,
    folder: Path = Path(),
    proxies: Networks = LOOPBACK,
) -> Listener:
    """Make a listener of its string, without listening yet.

    Args:
        reactor: what the endpoint will listen with.
        spec: the string, split. `ssl:PORT` takes Twisted's arguments (privateKey, certKey,
            extraCertChain, interface, backlog); `tls:ENDPOINT` has the default certificate. With
            `reusePort=yes`, which `tcp:` and `tcp6:` take too, others may listen on the same port.
        contexts: gives the certificates: the named ones, or the default.
        allow_plain_text: whether strangers' addresses may be listened on without TLS.
        folder: what the paths of keys and certificates are relative to; the current one unless
            said.
        proxies: who may connect to `haproxy:` endpoints, which believe what they are told.

    Returns:
        The listener.

    Raises:
        BadListener: if the string is wrong, the certificate that it names can't be used, or it is
            plain text on an address that is not loopback (as far as the string tells).
        BadCertificate: if the default certificate can't be used.
    """
    try:
        endpoint, tls = _interpret(
            _Maker(reactor, spec, proxies), contexts, allow_plain_text, folder
        )
    except (BadListener, BadCertificate):
        raise
    except _PARSE_ERRORS as error:
        expected = f"expected ssl:PORT, tls:ENDPOINT, or an endpoint string of Twisted's ({error})"
        raise BadListener(str(spec), expected) from None
    return Listener(spec, endpoint, tls, allow_plain_text)


async def listen(
    listener: Listener, factory: IProtocolFactory, clock: IReactorTime
) -> IListeningPort:
    """Listen, with TLS if the listener has it, and with eager writes.

    Args:
        listener: where.
        factory: builds the protocols; None from its `buildProtocol` refuses a connection.
        clock: the reactor's clock.

    Returns:
        The port.

    Raises:
        BadListener: if it turns out to be plain text on an address that is not loopback, or a port
            that can't be; nothing listens then.
        twisted.internet.error.CannotListenError: if the address can't be had.
    """
    served = factory
    if listener.tls is not None:
        served = EagerTLSFactory(listener.tls, False, served, clock)
    if not isinstance(listener.endpoint, _DIRECT_ENDPOINTS):
        served = _RefusedAreClosed(served)
    try:
        port: IListeningPort = await listener.endpoint.listen(served)
    except OverflowError:
        raise BadListener(str(listener.spec), _BAD_NUMBER) from None
    if listener.tls is None and not listener.allow_plain_text and _is_exposed(port):
        await maybeDeferred(port.stopListening)
        raise BadListener(str(listener.spec), _PLAIN_TEXT)
    make_eager(port)
    return port


class _Maker(NamedTuple):
    """Makes endpoints of the strings that Twisted has for them."""

    reactor: Any
    spec: ListenerSpec
    proxies: Networks

    def make(self, text: str) -> IStreamServerEndpoint:
        read = read_endpoint_string(text)
        if read.kind == "haproxy":
            # Twisted's own believes everybody.
            inside = self.make(text.partition(":")[2])
            endpoint: IStreamServerEndpoint = proxyEndpoint(FromProxies(inside, self.proxies))
        elif _REUSE in read.named:
            endpoint = serverFromString(self.reactor_for(read), read.without(_REUSE))
        else:
            endpoint = serverFromString(self.reactor, text)
        return endpoint

    def reactor_for(self, text: EndpointString) -> Any:
        """What such an endpoint listens with: a port of its own, or one that is shared."""
        reuse = text.named.get(_REUSE, "no")
        if text.kind not in _PORT_KINDS:
            raise BadListener(str(self.spec), f"{_REUSE} is an argument of ssl:, tcp: and tcp6:")
        if reuse not in ("yes", "no"):
            raise BadListener(str(self.spec), f"{_REUSE} is yes or no, not {reuse!r}")
        if reuse == "no":
            return self.reactor
        if not can_share_ports():
            raise BadListener(str(self.spec), f"{_REUSE}: no port can be shared on this system")
        return Sharing(self.reactor)


def _interpret(
    maker: _Maker, contexts: ContextPool, allow_plain_text: bool, folder: Path
) -> tuple[IStreamServerEndpoint, ServerContext | None]:
    spec = maker.spec
    text = read_endpoint_string(spec.endpoint)
    if text.kind == "ssl":
        endpoint = _ssl_endpoint(maker, text)
        return endpoint, _context(spec, contexts, _named_files(spec, text, folder))
    if text.kind == "tls":
        rest = spec.endpoint.partition(":")[2]
        _refuse_inner_tls(spec, read_endpoint_string(rest))
        return maker.make(rest), contexts.context_for(None)
    _refuse_inner_tls(spec, text)
    if text.is_surely_exposed() and not allow_plain_text:
        raise BadListener(str(spec), _PLAIN_TEXT)
    return maker.make(spec.endpoint), None


def _context(
    spec: ListenerSpec, contexts: ContextPool, files: CertificateFiles | None
) -> ServerContext:
    try:
        return contexts.context_for(files)
    except BadCertificate as bad:
        if files is None:
            raise  # the listener's string is not to blame
        raise BadListener(str(spec), str(bad)) from None


def _refuse_inner_tls(spec: ListenerSpec, text: EndpointString) -> None:
    # Twisted's own ssl: and tls: accept older versions of TLS.
    if _TLS_KINDS.intersection(text.kinds()):
        raise BadListener(
            str(spec), "TLS goes outermost and once, as in ssl:6697 or tls:haproxy:tcp:6697"
        )


def _ssl_endpoint(maker: _Maker, text: EndpointString) -> TCP4ServerEndpoint:
    spec = maker.spec
    known = ", ".join(_SSL_ARGUMENTS)
    for name in text.named:
        if name in _OLD_SSL_ARGUMENTS:
            raise BadListener(
                str(spec), f"{name} is not for here: this server speaks TLS 1.3 only ({known})"
            )
        if name not in (*_SSL_ARGUMENTS, "port"):
            raise BadListener(str(spec), f"{name} is not an argument of ssl: ({known} are)")
    ports = [*text.arguments, *filter(None, [text.named.get("port")])]
    if len(ports) != 1:
        raise BadListener(str(spec), f"expected one port, then name=value arguments ({known})")
    backlog = text.named.get("backlog", _DEFAULT_BACKLOG)
    if not (ports[0].isdecimal() and int(ports[0]) <= _HIGHEST_PORT and backlog.isdecimal()):
        raise BadListener(str(spec), _BAD_NUMBER)
    interface = text.named.get("interface", "")
    return TCP4ServerEndpoint(maker.reactor_for(text), int(ports[0]), int(backlog), interface)


def _named_files(spec: ListenerSpec, text: EndpointString, folder: Path) -> CertificateFiles | None:
    private_key = text.named.get("privateKey")
    if private_key is None:
        for name in ("certKey", "extraCertChain"):
            if name in text.named:
                raise BadListener(str(spec), f"{name} needs its privateKey too")
        return None
    chain = text.named.get("extraCertChain")
    return CertificateFiles(
        FilePath(str(folder / private_key)),
        FilePath(str(folder / text.named.get("certKey", private_key))),
        None if chain is None else FilePath(str(folder / chain)),
    )


def _is_exposed(port: IListeningPort) -> bool:
    address = port.getHost()
    return isinstance(address, (IPv4Address, IPv6Address)) and not is_loopback(address.host)


class _Refused(Protocol):
    """Closes its connection at once."""

    transport: ITransport

    def connectionMade(self) -> None:
        self.transport.loseConnection()


@implementer(IProtocolFactory)
class _RefusedAreClosed:
    """A factory that never builds None, for wrappers that would take it for a protocol."""

    def __init__(self, factory: IProtocolFactory) -> None:
        self._factory = factory

    def buildProtocol(self, addr: IAddress) -> IProtocol:
        protocol = self._factory.buildProtocol(addr)
        return _Refused() if protocol is None else protocol

    def doStart(self) -> None:
        self._factory.doStart()

    def doStop(self) -> None:
        self._factory.doStop()
