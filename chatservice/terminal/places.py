"""
Where `chat` keeps what it remembers (XDG Base Directory Specification 0.8). Nothing is read or made
here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_FOLDER = "chatservice"


def known_servers(environment: Mapping[str, str], home: Path) -> Path:
    """The certificates that servers are known by (`client.pins.PinStore`)."""
    return _under(environment, "XDG_CONFIG_HOME", home / ".config") / "known_servers"


def drafts(environment: Mapping[str, str], home: Path) -> Path:
    """What was typed and not said."""
    return _under(environment, "XDG_STATE_HOME", home / ".local" / "state") / "drafts.json"


def _under(environment: Mapping[str, str], variable: str, default: Path) -> Path:
    given = Path(environment.get(variable, ""))
    # "If an implementation encounters a relative path [...] it should [...] ignore it."
    return (given if given.is_absolute() else default) / _FOLDER
