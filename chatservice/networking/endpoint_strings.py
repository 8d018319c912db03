"""Reading endpoint strings as Twisted reads them: arguments, escapes, and what can be told from a
string about who may reach it. Nothing is opened or listened on here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

# Where a plain text endpoint's interface stands among the arguments, and its default.
_INTERFACES = {"tcp": (1, ""), "tcp6": (2, "::")}
# Endpoints whose first argument is the kind of another one.
_WRAPPERS = frozenset({"haproxy"})
_SPECIAL = "\\:="


@dataclass(frozen=True, slots=True)
class EndpointString:
    """An endpoint string's parts, unescaped: `kind:argument:name=value`."""

    kind: str
    arguments: tuple[str, ...]
    named: dict[str, str]

    def inside(self) -> EndpointString | None:
        """Return the endpoint that this one wraps; None if it wraps none."""
        if self.kind not in _WRAPPERS or not self.arguments:
            return None
        kind, *arguments = self.arguments
        return EndpointString(kind.lower(), tuple(arguments), self.named)

    def kinds(self) -> Iterator[str]:
        """Yield the kinds from the outside in: haproxy, tcp."""
        endpoint: EndpointString | None = self
        while endpoint is not None:
            yield endpoint.kind
            endpoint = endpoint.inside()

    def without(self, name: str) -> str:
        """Return a string that says the same, but for the argument of that name."""
        positional = [_escaped(part) for part in (self.kind, *self.arguments)]
        named = [
            f"{_escaped(key)}={_escaped(value)}" for key, value in self.named.items() if key != name
        ]
        return ":".join((*positional, *named))

    def tcp_port(self) -> int | None:
        """Return the TCP port that clients connect to, if the string alone tells which."""
        if self.kind not in (*_INTERFACES, "ssl"):
            return None
        given = self.arguments[0] if self.arguments else self.named.get("port", "")
        return int(given) or None if given.isdecimal() else None

    def is_surely_exposed(self) -> bool:
        """Return whether the string alone tells that it listens on more than loopback.

        A host name, or a kind that only shows where it listens once it does, is not sure.
        """
        inside = self.inside()
        if inside is not None:
            return inside.is_surely_exposed()
        if self.kind not in _INTERFACES:
            return False
        position, default = _INTERFACES[self.kind]
        named = self.named.get("interface", default)
        interface = self.arguments[position] if len(self.arguments) > position else named
        return interface == "" or (_is_address(interface) and not is_loopback(interface))


def read_endpoint_string(text: str) -> EndpointString:
    r"""Split an endpoint string as `twisted.internet.endpoints.serverFromString` does.

    Args:
        text: `kind:argument:name=value`; a backslash takes the next character as it is.

    Returns:
        Its parts; the kind in lower case.

    Raises:
        ValueError: if it ends with a backslash.
    """
    positional: list[str] = []
    named: dict[str, str] = {}
    for name, value in _split(text):
        if value is None:
            positional.append(name)
        else:
            named[name] = value
    kind, *arguments = positional or [""]
    return EndpointString(kind.lower(), tuple(arguments), named)


def is_loopback(host: str) -> bool:
    """Return whether `host`, an IP address or "localhost", is of this machine alone.

    The IPv6 forms count too: a zone after %, and IPv4 mapped (RFC 4291 section 2.5.5.2).
    """
    if host.lower() == "localhost":
        return True
    if not _is_address(host):
        return False
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _escaped(part: str) -> str:
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in part)


def _split(text: str) -> Iterator[tuple[str, str | None]]:
    name: str | None = None
    current = ""
    characters = iter(text)
    for character in characters:
        if character == "\\":
            escaped = next(characters, None)
            if escaped is None:
                raise ValueError("a backslash at the end escapes nothing")
            current += escaped
        elif character == ":":
            yield (current, None) if name is None else (name, current)
            name, current = None, ""
        elif character == "=" and name is None:
            name, current = current, ""
        else:
            current += character
    yield (current, None) if name is None else (name, current)
