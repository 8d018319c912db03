"""
What the service tells of itself, made of the settings: the message of the day, and where clients
find TLS. Who asks for it, and in what words it is told, is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twisted.logger import Logger

from .config import Config, ConfigError
from .motd import BadMotd, read_motd
from .networking.listeners import Listener
from .translation.about import About, Sts

_IRC = "irc"

_log = Logger()


def make_about(config: Config, now: float) -> About:
    """
    What is told, but for what is known of the running service alone.

    @param now: when it starts, seconds since 1970.
    @raise ConfigError: the message of the day cannot be had.
    """
    try:
        motd = read_motd(config.motd)
    except BadMotd as bad:
        raise ConfigError([f"{config.origin('motd')}: {bad}"]) from None
    return About(
        network=config.network or config.name,
        description=config.description,
        admin=config.admin,
        started=now,
        motd=motd,
    )


def renew_motd(about: About, path: Path | None) -> None:
    """Reads the message of the day again. If it cannot be had, the log says why, and it stays."""
    try:
        about.motd = read_motd(path)
    except BadMotd as bad:
        _log.error("The message of the day was not renewed, the old one stays: {bad}", bad=str(bad))


def make_sts(config: Config, listeners: Sequence[Listener]) -> Sts | None:
    """
    Where IRC clients without TLS find it (https://ircv3.net/specs/extensions/sts), if there are
    listeners of both kinds that IRC is spoken on.

    @raise ConfigError: they are to be told, and it is not known where.
    """
    irc = config.irc
    if not irc.sts_seconds:
        return None
    spoken = [each for each in listeners if each.spec.dialect in (None, _IRC)]
    secure = [each for each in spoken if each.tls is not None]
    port = irc.sts_port or next((each.tcp_port for each in secure if each.tcp_port), None)
    if port is None:
        where = config.origin("irc.sts_seconds")
        expected = "a listener with TLS and a port of its own (ssl:PORT), or irc.sts_port"
        raise ConfigError([f"{where}: expected 0, or {expected}"])
    return Sts(port, irc.sts_seconds) if secure and len(secure) < len(spoken) else None
