"""
Who wants to hear of whom: connections that watch users by key, whether or not these are here or
share a room with them (IRC's MONITOR). What they are told is not known here.
"""

from __future__ import annotations

from .audience import Recipient


class Watches:
    """A watch lasts until it is given up, or its watcher logs out; whoever is watched may go."""

    __slots__ = ("_watched", "_watchers")

    def __init__(self) -> None:
        self._watchers: dict[str, dict[Recipient, None]] = {}
        self._watched: dict[Recipient, dict[str, None]] = {}

    def add(self, recipient: Recipient, key: str) -> None:
        self._watchers.setdefault(key, {})[recipient] = None
        self._watched.setdefault(recipient, {})[key] = None

    def remove(self, recipient: Recipient, key: str) -> None:
        watched = self._watched.get(recipient, {})
        if key not in watched:
            return
        del watched[key]
        if not watched:
            del self._watched[recipient]
        watchers = self._watchers[key]
        del watchers[recipient]
        if not watchers:
            del self._watchers[key]

    def remove_all(self, recipient: Recipient) -> None:
        for key in list(self._watched.get(recipient, ())):
            self.remove(recipient, key)

    def of(self, *keys: str) -> list[Recipient]:
        """Who watches any of these: each once, in the order in which they began to."""
        found: dict[Recipient, None] = {}
        for key in keys:
            found.update(self._watchers.get(key, {}))
        return list(found)
