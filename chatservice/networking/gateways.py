"""
Whose word is taken for where a client comes from: gateways that share a password (WEBIRC), and
proxies that write a header (the PROXY protocol). What they say is not read here.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.logger import Logger
from zope.interface import implementer

from .admission import LOCAL, plain_address

_log = Logger()


class Networks:
    """
    Addresses that are trusted. UNIX sockets are among them: a file's mode says who they may be.

    @param networks: in CIDR notation.
    @raise ValueError: one of them is none.
    """

    __slots__ = ("_networks",)

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(map(ip_network, networks))

    def hold(self, host: str) -> bool:
        """
        @param host: an IP address, or `LOCAL`.
        """
        if host == LOCAL:
            return True
        address = plain_address(host)
        if address is None:
            return False
        return any(ip_address(address) in network for network in self._networks)


LOOPBACK = Networks(("127.0.0.0/8", "::1/128"))
"""This machine."""


class Gateways:
    """
    Who may say by WEBIRC where a client comes from (https://ircv3.net/specs/extensions/webirc).

    @param networks: where gateways are.
    @param password: what they share with this service; without one, nobody is believed.
    """

    __slots__ = ("_networks", "_password")

    def __init__(self, networks: Sequence[str] = (), password: str = "") -> None:
        self._networks = Networks(networks)
        self._password = password.encode()

    def trust(self, host: str, password: str) -> bool:
        """
        @param host: where the connection comes from.
        @param password: what it has said.
        """
        same = hmac.compare_digest(self._password, password.encode("utf-8", "surrogateescape"))
        return same and bool(self._password) and self._networks.hold(host)


@implementer(IStreamServerEndpoint)
class FromProxies:
    """
    An endpoint that takes connections of trusted proxies only: what stands before an endpoint that
    believes what it is told. Others are closed before a byte of theirs is read.

    @param endpoint: where it listens.
    @param proxies: those who may connect.
    """

    def __init__(self, endpoint: IStreamServerEndpoint, proxies: Networks) -> None:
        self._endpoint = endpoint
        self._proxies = proxies

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        return self._endpoint.listen(_ProxiesOnly(protocolFactory, self._proxies))


@implementer(IProtocolFactory)
class _ProxiesOnly:
    def __init__(self, factory: IProtocolFactory, proxies: Networks) -> None:
        self._factory = factory
        self._proxies = proxies

    def buildProtocol(self, addr: IAddress) -> IProtocol | None:
        host = getattr(addr, "host", LOCAL)
        if self._proxies.hold(host):
            return self._factory.buildProtocol(addr)
        _log.info("{host} is refused: it is not one of trusted_proxies", host=host)
        return None

    def doStart(self) -> None:
        self._factory.doStart()

    def doStop(self) -> None:
        self._factory.doStop()
