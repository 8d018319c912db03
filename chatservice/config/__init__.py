"""The settings of a chat service: a TOML file and the command line become one frozen `Config`.

What may be set stands in `settings`, what a value may be in `kinds`, and how they are read in
`reading`. Nothing here opens a socket or a database, or reads an environment variable.
"""

from __future__ import annotations

from chatservice.config.reading import ConfigError, load_config
from chatservice.config.settings import (
    Config,
    IrcConfig,
    JournalConfig,
    Limits,
    RedisConfig,
    TLSConfig,
)

__all__ = [
    "Config",
    "ConfigError",
    "IrcConfig",
    "JournalConfig",
    "Limits",
    "RedisConfig",
    "TLSConfig",
    "load_config",
]
