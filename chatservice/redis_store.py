"""
A store in Redis, put together: the journal, and what the servers that share it need to know of one
another. No behaviour lives here.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.python.filepath import FilePath

from .config import Config, ConfigError
from .datafolder import DataFolder
from .journal.redis.connecting import BadFile, Connecting
from .journal.redis.journal import RedisJournal
from .journal.redis.settings import RedisSettings
from .nodes.identity import ensure_name
from .nodes.redis.cards import RedisCards
from .nodes.redis.leases import RedisLeases
from .nodes.redis.secret import shared_secret
from .redis_places import redis_places
from .secret import Secret
from .stores import Shared, Store

if TYPE_CHECKING:
    from .journal.redis.link import Link
    from .metrics import Metrics, RedisFigures


_READING = "reading"


def make_redis_store(reactor: Any, config: Config, folder: Path, metrics: Metrics | None) -> Store:
    """
    @param folder: what the paths in the settings are relative to.
    @raise ConfigError: a setting cannot be used.
    """
    redis = config.redis
    try:
        connecting = Connecting(reactor, redis_places(config, folder), redis.timeout_seconds)
    except BadFile as bad:
        raise ConfigError([f"{config.origin(f'redis.{bad.which}')}: {bad}"]) from None
    figures = metrics.redis() if metrics is not None else None
    link, reading = _links(connecting, figures)
    shards = connecting.shards(*[figures.answered("shards")] if figures is not None else ())
    settings = RedisSettings(
        redis.prefix, redis.catch_up_seconds, redis.timeout_seconds, replicas=redis.replicas
    )
    name = cache(lambda: ensure_name(FilePath(str(config.data / "node"))))
    return Store(
        RedisJournal(reactor, link, reading, settings, observer=figures, shards=shards, node=name),
        Secret(lambda: shared_secret(link, redis.prefix)),
        DataFolder(config.data),
        Shared(
            name=name,
            leases=RedisLeases(link, redis.prefix),
            cards=lambda node: RedisCards(link, redis.prefix, node),
        ),
    )


def _links(connecting: Connecting, figures: RedisFigures | None) -> tuple[Link, Link]:
    """One for what is asked, one that waits for what happens."""
    if figures is None:
        return connecting.store(), connecting.store(what=_READING)
    return (
        connecting.store(figures.answered("asking")),
        connecting.store(figures.answered_reading, _READING),
    )
