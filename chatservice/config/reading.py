"""Reads a `Config` from a TOML file and the command line, and says in full what is wrong with them.

It walks the dataclasses of `chatservice.config.settings` and knows their fields by name only where
one setting depends on another. Nothing is asked of the machine but the file whose path is given.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import get_args, get_type_hints

from chatservice.config.kinds import Kind, UnfitValue
from chatservice.config.settings import Config

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_COMMAND_LINE = "command line"


class ConfigError(Exception):
    """Settings that can't be used; the message has one line a problem, each naming file and key."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def load_config(
    path: Path | None, overrides: Mapping[str, object], *, hostname: str = "localhost"
) -> Config:
    """Read the settings; the command line wins over the file, and the file over the defaults.

    Args:
        path: a TOML file, or None for none.
        overrides: what the command line gave, by dotted key (``limits.rooms``); None: not given.
        hostname: the server's name where neither gives one.

    Returns:
        The settings, every one checked.

    Raises:
        ConfigError: the file can't be read or isn't TOML, a key is unknown or a value is unfit.
    """
    reading = _Reading()
    if path is not None:
        reading.take(dict(_flattened(_parse(path))), str(path))
    given = {key: value for key, value in overrides.items() if value is not None}
    reading.take(given, _COMMAND_LINE)
    if not reading.values.get("name"):
        reading.take({"name": hostname}, "host name")
    return reading.config()


def _parse(path: Path) -> dict[str, object]:
    """Raises `ConfigError`, with the line where there is one."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: can't be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{path}: line {line}: expected UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        words, _, place = str(error).rstrip(")").partition(" (at ")
        raise ConfigError([f"{path}: {place}: {words}"]) from None


def _flattened(document: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in document.items():
        if key in _SECTIONS and isinstance(value, Mapping):
            yield from ((f"{key}.{inner}", item) for inner, item in value.items())
        else:
            yield key, value


class _Reading:
    """Values read so far, by dotted key, where each came from, and what was wrong."""

    __slots__ = ("_problems", "_sources", "values")

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self._sources: dict[str, str] = {}
        self._problems: list[str] = []

    def take(self, settings: Mapping[str, object], source: str) -> None:
        """Check ``settings`` and keep them over those taken before."""
        for key, value in settings.items():
            kind = _KINDS.get(key)
            if kind is None:
                self._problems.append(f"{_origin(source, key)}: {_unknown(key)}")
                continue
            try:
                self.values[key] = kind.read(value)
                self._sources[key] = source
            except UnfitValue:
                self._problems.append(
                    f"{_origin(source, key)}: expected {kind.expected}{_got(key, value)}"
                )

    def config(self) -> Config:
        """Put the values together; raises `ConfigError` with everything that was wrong."""
        if self._problems:
            raise ConfigError(self._problems)
        parts = {name: section(**self._section(f"{name}.")) for name, section in _SECTIONS.items()}
        own = {key: value for key, value in self.values.items() if "." not in key}
        origins = {key: _origin(source, key) for key, source in self._sources.items()}
        config = Config(**own, **parts, origins=origins)  # type: ignore[arg-type]
        broken = [
            f"{self._blamed(rule.keys)}: {rule.expected}"
            for rule in _RULES
            if not rule.holds(config)
        ]
        if broken:
            raise ConfigError(broken)
        return config

    def _section(self, prefix: str) -> dict[str, object]:
        return {
            key.removeprefix(prefix): value
            for key, value in self.values.items()
            if key.startswith(prefix)
        }

    def _blamed(self, keys: tuple[str, ...]) -> str:
        """The first of ``keys``, and whence those that are given come."""
        given = next(key for key in keys if key in self._sources)
        return _origin(self._sources[given], keys[0])


def _origin(source: str, key: str) -> str:
    """Words for where a setting was given; on the command line settings are options."""
    if source == _COMMAND_LINE and "." not in key:
        option = "endpoint" if key == "listen" else key.replace("_", "-")
        return f"{source}: --{option}"
    return f"{source}: {key}"


def _unknown(key: str) -> str:
    """Words for a key that isn't there, with the nearest that is."""
    if key in _SECTIONS:
        return f"expected a section, [{key}]"
    name = key.rpartition(".")[2]
    elsewhere = [known for known in _KINDS if known.rpartition(".")[2] == name]
    nearest = elsewhere or difflib.get_close_matches(key, [*_KINDS, *_SECTIONS], n=1, cutoff=0.7)
    return f"unknown key; did you mean {nearest[0]}?" if nearest else "unknown key"


def _got(key: str, value: object) -> str:
    """Words for the unfit value, as TOML would have it; nothing for a key that may hold secrets."""
    if key in _SECRET:
        return ""
    shown = json.dumps(value, default=str, ensure_ascii=False)
    return f", got {shown if len(shown) <= 60 else shown[:57] + '...'}"


@dataclass(frozen=True, slots=True)
class _Rule:
    """What settings have to be to one another; ``keys[0]`` is the one to blame."""

    keys: tuple[str, ...]
    holds: Callable[[Config], bool]
    expected: str


_RULES = (
    _Rule(
        ("limits.message_burst", "limits.messages_per_second"),
        lambda config: config.limits.message_burst > 0 or config.limits.messages_per_second == 0,
        "expected at least 1, because limits.messages_per_second is not 0",
    ),
    _Rule(
        ("limits.idle_seconds", "limits.ping_seconds"),
        lambda config: config.limits.idle_seconds > config.limits.ping_seconds,
        "expected more than limits.ping_seconds",
    ),
    _Rule(
        ("tls.private_key", "tls.certificate", "tls.chain"),
        lambda config: (
            config.tls.private_key is not None
            or (config.tls.certificate is None and config.tls.chain is None)
        ),
        "expected a path, because tls.certificate or tls.chain is set",
    ),
    _Rule(
        ("irc.webirc_password", "irc.webirc_addresses"),
        lambda config: bool(config.irc.webirc_password or not config.irc.webirc_addresses),
        "expected a password, because irc.webirc_addresses is set",
    ),
    _Rule(
        ("store", "redis.sentinels", "redis.shards"),
        lambda config: (
            config.store not in ("sqlite", "memory")
            or not (config.redis.sentinels or config.redis.shards)
        ),
        "expected redis:// or rediss://, because redis.sentinels or redis.shards is set",
    ),
    _Rule(
        ("redis.sentinel_master", "redis.sentinels"),
        lambda config: bool(config.redis.sentinel_master) == bool(config.redis.sentinels),
        "expected a name if redis.sentinels is set, and none otherwise",
    ),
    _Rule(
        ("redis.certificate", "redis.private_key"),
        lambda config: bool(config.redis.certificate or not config.redis.private_key),
        "expected a path, because redis.private_key is set",
    ),
    _Rule(
        ("redis.timeout_seconds", "redis.lease_seconds"),
        lambda config: config.redis.timeout_seconds < config.redis.lease_seconds,
        "expected less than redis.lease_seconds",
    ),
)

_SECTIONS: dict[str, type] = {
    name: hint
    for name, hint in get_type_hints(Config).items()
    if isinstance(hint, type) and is_dataclass(hint)
}


def _kinds(section: type, prefix: str = "") -> dict[str, Kind]:
    """The kind of each setting of a section, by dotted key."""
    return {
        prefix + name: note
        for name, hint in get_type_hints(section, include_extras=True).items()
        for note in get_args(hint)
        if isinstance(note, Kind)
    }


_KINDS = _kinds(Config)
for _name, _section in _SECTIONS.items():
    _KINDS |= _kinds(_section, f"{_name}.")
_SECRET = {each.name for each in fields(Config) if not each.repr}
for _name, _section in _SECTIONS.items():
    _SECRET |= {f"{_name}.{each.name}" for each in fields(_section) if not each.repr}
