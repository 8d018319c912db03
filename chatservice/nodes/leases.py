"""
What nodes know of one another: a lease for each, which it has to renew. The words that those share
who keep leases and those who look at them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol


class OutOfTouch(Exception):
    """The leases cannot be reached now."""


class Leases(Protocol):
    """The leases of all nodes."""

    async def renew(self, node: str, seconds: float) -> Collection[str]:
        """
        Renews a node's lease.

        @return: the nodes that have one.
        @raise OutOfTouch: nobody can tell.
        """

    async def claim(self, node: str) -> bool:
        """
        Takes it upon oneself to see to the users of a node that has no lease; False if another
        node does already, or it has one again.

        @raise OutOfTouch: nobody can tell.
        """

    async def seen_to(self, node: str) -> None:
        """
        What was claimed is done.

        @raise OutOfTouch: nobody can be told.
        """

    async def end(self, node: str) -> None:
        """
        A node has no lease any more, and nothing else that was its own.

        @raise OutOfTouch: nobody can be told.
        """
