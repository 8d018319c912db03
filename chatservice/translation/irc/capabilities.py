"""
The capabilities that this server has, in one table: name, value, what each changes, and where it is
specified. Negotiation is in `commands.capabilities`; what a capability changes, where that happens.

Specification: IRCv3 capability-negotiation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .dialect import IrcDialect


def _no_value(_: IrcDialect) -> str:
    return ""


def _always(_: IrcDialect) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Capability:
    """
    @ivar name: as it is negotiated.
    @ivar changes: what is different for a client that has it, for people.
    @ivar renders: does it change how events are written? Then it is a part of the variant.
    @ivar specification: the name of the IRCv3 specification.
    @ivar value: what is told of it to clients of version 302 and later.
    @ivar offered: is it, to this client?
    @ivar requestable: may a client ask for it?
    """

    name: str
    changes: str
    specification: str
    renders: bool = False
    value: Callable[[IrcDialect], str] = _no_value
    offered: Callable[[IrcDialect], bool] = _always
    requestable: bool = True


SASL_MECHANISMS = ("PLAIN", "EXTERNAL", "SCRAM-SHA-256")


def mechanisms(dialect: IrcDialect) -> tuple[str, ...]:
    """The SASL mechanisms that this client can use: EXTERNAL only with a certificate."""
    if dialect.wire.certfp:
        return SASL_MECHANISMS
    return tuple(name for name in SASL_MECHANISMS if name != "EXTERNAL")


def _sts(dialect: IrcDialect) -> str:
    sts = dialect.wire.about.sts
    if sts is None:
        return ""
    if dialect.wire.secure:
        return f"duration={sts.seconds}"
    return f"port={sts.port}"


TABLE = (
    Capability(
        "account-notify", "is told when others log in to an account", "account-notify", True
    ),
    Capability("account-tag", "sees the account of who says something", "account-tag", True),
    Capability("away-notify", "is told when others go away and come back", "away-notify", True),
    Capability("batch", "gets what belongs together marked so", "batch"),
    Capability("cap-notify", "is told of new capabilities", "capability-negotiation"),
    Capability("chghost", "is told when others' hosts change", "chghost", True),
    Capability(
        "draft/account-registration", "makes accounts with REGISTER", "account-registration"
    ),
    Capability("draft/chathistory", "asks for the history", "chathistory"),
    Capability("draft/event-playback", "sees more than messages in it", "chathistory"),
    Capability("echo-message", "gets its own messages back", "echo-message"),
    Capability("extended-join", "sees account and real name at a JOIN", "extended-join", True),
    Capability("extended-monitor", "is told more of those it monitors", "extended-monitor"),
    Capability("invite-notify", "is told of others' invitations", "invite-notify", True),
    Capability("labeled-response", "knows which answer is to what", "labeled-response"),
    Capability("message-tags", "gets and sends tags", "message-tags", True),
    Capability("multi-prefix", "sees all prefixes of a member", "multi-prefix"),
    Capability(
        "sasl",
        "logs in while it registers",
        "sasl-3.2",
        value=lambda dialect: ",".join(mechanisms(dialect)),
    ),
    Capability("server-time", "sees when something happened", "server-time", True),
    Capability("setname", "changes its real name, and sees others do so", "setname", True),
    Capability("standard-replies", "gets FAIL, WARN and NOTE", "standard-replies"),
    Capability(
        "sts",
        "is sent to the TLS port, always",
        "sts",
        value=_sts,
        offered=lambda dialect: dialect.wire.about.sts is not None,
        requestable=False,
    ),
    Capability("userhost-in-names", "sees hosts in NAMES", "userhost-in-names"),
)

CAPABILITIES: dict[str, Capability] = {capability.name: capability for capability in TABLE}

RENDERING = frozenset(capability.name for capability in TABLE if capability.renders)
"""Those that make the variant."""


def offered(dialect: IrcDialect) -> list[Capability]:
    """What this client may have."""
    return [capability for capability in TABLE if capability.offered(dialect)]
