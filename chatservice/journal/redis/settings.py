"""
How a node uses the Redis that it shares with others.
"""

from __future__ import annotations

from dataclasses import dataclass

_CHECKPOINT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """
    @ivar prefix: what all keys begin with.
    @ivar keep_seconds: for how long a node that is cut off can catch up afterwards.
    @ivar patience: seconds that a batch may wait for a Redis that is away.
    @ivar checkpoint: seconds between two writings of the records, whichever node does it.
    @ivar recent_targets: of how many rooms and conversations a node keeps what was said last.
    @ivar replicas: how many replicas have to have an event before anybody is told of it, at any
        node, and before it is acknowledged. So nothing that anybody has seen is lost when the
        master dies and Sentinel has the replica take over that has the most; nor when another one
        is made the master by command, if there are no more replicas than these. While there are
        not so many, nothing is stored (at first after C{patience}, then at once); what the master
        took before that is shown when they are back.
    """

    prefix: str = "chat:"
    keep_seconds: float = 300.0
    patience: float = 3.0
    checkpoint: float = _CHECKPOINT_SECONDS
    recent_targets: int = 2000
    replicas: int = 0
