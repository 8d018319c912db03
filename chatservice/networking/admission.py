"""Who may connect: how many connections there are, how many come from one address, and how fast.
Decided from addresses and a clock alone; no socket, no nick and no protocol is known here.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from twisted.internet.interfaces import IReactorTime

LOCAL = "local"
"""What stands for the address of a client that has none: one of a UNIX socket's."""

_IPV6_GROUP = 64
_MINUTE = 60.0


class Refusal(enum.Enum):
    """Why a connection is not admitted; the value says it for people."""

    FULL = "the server has as many connections as it may have"
    TOO_MANY = "there are too many connections from your address"
    TOO_FAST = "there were too many new connections from your address in the last minute"


def address_group(host: str) -> str:
    """Return what stands for everybody who shares `host`.

    Args:
        host: an IP address as the transport gives it.

    Returns:
        An IPv4 address as it is, also if it comes mapped into IPv6 (RFC 4291 section 2.5.5.2); the
        /64 network of an IPv6 address, which is the least that one subscriber has; "local" for
        anything else, as a UNIX socket's path.
    """
    address = _address(host)
    return LOCAL if address is None else _group(address)


def plain_address(host: str) -> str | None:
    """Return an address in its shortest form.

    Args:
        host: an IP address.

    Returns:
        The same address without a zone, an IPv4 address also if it comes mapped into IPv6; None if
        `host` is no address.
    """
    address = _address(host)
    return None if address is None else str(address)


class _Group:
    """One address group's open connections, and the new ones that it may still make."""

    __slots__ = ("allowance", "open", "seen")

    def __init__(self, allowance: float, now: float) -> None:
        self.open = 0
        self.allowance = allowance
        self.seen = now


class Admission:
    """Counts connections, and says which new ones are too many.

    The connections of one address group refill an allowance of new ones evenly, so an address may
    open a minute's worth at once, and then one each 60 / limit seconds. Groups without open
    connections are forgotten once their allowance is full again.

    Attributes:
        refused: how many were refused, by reason.
    """

    def __init__(
        self,
        clock: IReactorTime,
        *,
        connections: int = 0,
        connections_per_address: int = 0,
        new_connections_per_minute: int = 0,
        exempt: Sequence[str] = (),
    ) -> None:
        """Begin with no connections.

        Args:
            clock: tells the time in seconds.
            connections: the most in all; 0 for no limit, here and below.
            connections_per_address: the most from one address group.
            new_connections_per_minute: the most that one address group may open in a minute.
            exempt: networks ("10.0.0.0/8", "::1") that only the limit on all connections binds.
                Clients without an IP address are exempt too: a file's mode says who they may be.

        Raises:
            ValueError: if one of `exempt` is no network.
        """
        self._clock = clock
        self._connections = connections
        self._per_address = connections_per_address
        self._per_minute = new_connections_per_minute
        self._exempt = tuple(ip_network(network, strict=False) for network in exempt)
        self._open = 0
        self.refused = dict.fromkeys(Refusal, 0)
        self._groups: dict[str, _Group] = {}
        self._next_sweep = clock.seconds() + _MINUTE

    @property
    def open_connections(self) -> int:
        """Connections admitted and not yet released."""
        return self._open

    @property
    def groups_remembered(self) -> int:
        """Address groups that something is known about."""
        return len(self._groups)

    def admit(self, host: str) -> Refusal | None:
        """Count a new connection, or refuse it.

        Args:
            host: the client's address.

        Returns:
            None if it is admitted, and `release` is owed; else why it is not. A refused connection
            counts for nothing.
        """
        self._forget_idle_groups()
        refusal = self._refusal(host)
        if refusal is None:
            self._open += 1
        else:
            self.refused[refusal] += 1
        return refusal

    def _refusal(self, host: str) -> Refusal | None:
        if 0 < self._connections <= self._open:
            return Refusal.FULL
        group = self._limited_group(host)
        return None if group is None else self._admit_to(group)

    def move(self, old: str, new: str) -> Refusal | None:
        """Count an admitted connection at another address from now on.

        Args:
            old: the address that it is counted at: a proxy's.
            new: the client's own address.

        Returns:
            None if `release` is owed for `new` now; else why not, and it is owed for `old` still.
        """
        group = self._limited_group(new)
        if group == self._limited_group(old):
            return None
        refusal = None if group is None else self._admit_to(group)
        if refusal is None:
            self._open += 1
            self.release(old)
        else:
            self.refused[refusal] += 1
        return refusal

    def release(self, host: str) -> None:
        """Count an admitted connection as ended.

        Args:
            host: the address that it was admitted with.
        """
        self._open -= 1
        name = self._limited_group(host)
        group = None if name is None else self._groups.get(name)
        if name is not None and group is not None:
            group.open -= 1
            if not group.open and self._refilled(group) >= self._per_minute:
                del self._groups[name]

    def _admit_to(self, name: str) -> Refusal | None:
        now = self._clock.seconds()
        group = self._groups.get(name)
        if group is None:
            group = _Group(self._per_minute, now)
        elif 0 < self._per_address <= group.open:
            return Refusal.TOO_MANY
        if self._per_minute:
            allowance = self._refilled(group)
            if allowance < 1:
                return Refusal.TOO_FAST
            group.allowance = allowance - 1
            group.seen = now
        group.open += 1
        self._groups[name] = group
        return None

    def _refilled(self, group: _Group) -> float:
        elapsed = self._clock.seconds() - group.seen
        return min(self._per_minute, group.allowance + elapsed * self._per_minute / _MINUTE)

    def _limited_group(self, host: str) -> str | None:
        address = _address(host)
        if address is None or any(address in network for network in self._exempt):
            return None
        return _group(address)

    def _forget_idle_groups(self) -> None:
        now = self._clock.seconds()
        if now < self._next_sweep:
            return
        self._next_sweep = now + _MINUTE
        idle = [
            name
            for name, group in self._groups.items()
            if not group.open and self._refilled(group) >= self._per_minute
        ]
        for name in idle:
            del self._groups[name]


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _group(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((address, _IPV6_GROUP), strict=False))
