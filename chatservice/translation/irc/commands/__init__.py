"""
The commands, in one table; each group of them is a module here, named for what it is about.
"""

from __future__ import annotations

from . import (
    accounts,
    away,
    capabilities,
    channels,
    help,
    history,
    listing,
    membership,
    messages,
    modes,
    operators,
    queries,
    registration,
    sasl,
    server,
    watching,
    who,
    whois,
)
from .table import Command

GROUPS = (
    capabilities,
    registration,
    sasl,
    accounts,
    membership,
    channels,
    listing,
    modes,
    messages,
    history,
    who,
    whois,
    queries,
    watching,
    away,
    server,
    help,
    operators,
)

COMMANDS: dict[str, Command] = {
    command.name: command for group in GROUPS for command in group.COMMANDS
}
"""All of them, by name."""

__all__ = ["COMMANDS", "GROUPS", "Command"]
