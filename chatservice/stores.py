"""
What keeps the service's events, by its settings: a file, the memory of the process, or a Redis that
any number of servers share. Beside the journal a store has the secret that goes with it, and what
several servers need to know of one another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.python.filepath import FilePath

from .config import Config
from .controller.desk import Cards
from .datafolder import DataFolder
from .journal.interface import IJournal
from .journal.memory import MemoryJournal
from .journal.sqlite import SqliteJournal
from .nodes.leases import Leases
from .secret import Secret, ensure_secret

if TYPE_CHECKING:
    from .metrics import Metrics


@dataclass(frozen=True, slots=True)
class Shared:
    """
    What servers that share a store have of one another.

    @ivar name: finds out what this one is called.
    @ivar leases: says which of them are there.
    @ivar cards: makes what says where their users come from; it is told how to find out what this
        server is called.
    """

    name: Callable[[], str]
    leases: Leases
    cards: Callable[[Callable[[], str]], Cards]


@dataclass(frozen=True, slots=True)
class Store:
    """
    @ivar folder: the data folder, if it needs one.
    @ivar secret: the service's; to be started after the journal.
    @ivar shared: what there is if other servers may share it.
    """

    journal: IJournal
    secret: Secret
    folder: DataFolder | None = None
    shared: Shared | None = None


def make_store(reactor: Any, config: Config, folder: Path, metrics: Metrics | None) -> Store:
    """
    The store that the settings name; nothing is opened yet.

    @param folder: what paths in the settings are relative to, unless they are absolute.
    @raise ConfigError: a setting cannot be used.
    """
    if config.store == "memory":
        return Store(MemoryJournal(reactor), Secret())
    if config.store == "sqlite":
        return _make_sqlite(reactor, config)
    # Who does not use Redis does not need what it takes to.
    from .redis_store import make_redis_store  # noqa: PLC0415

    return make_redis_store(reactor, config, folder, metrics)


def _make_sqlite(reactor: Any, config: Config) -> Store:
    path = _file(config.data / "journal.sqlite")
    return Store(
        SqliteJournal(reactor, reactor, path, config.journal.durability),
        Secret(lambda: ensure_secret(_file(config.data / "secret.key"))),
        DataFolder(config.data),
    )


def _file(path: Path) -> FilePath[str]:
    return FilePath(str(path))
