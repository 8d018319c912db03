"""
The service's secret, where all nodes find the same one.
"""

from __future__ import annotations

from chatservice.journal.redis.link import Away, Link, Refused
from chatservice.secret import new_secret
from chatservice.supervision import CannotStart


async def shared_secret(link: Link, prefix: str) -> bytes:
    """
    The secret in Redis, which is made if it is missing.

    @raise CannotStart: it cannot be had.
    """
    key = f"{prefix}secret"
    try:
        await link.ask("SETNX", key, new_secret())
        secret: bytes | None = await link.ask("GET", key)
    except (Away, Refused) as error:
        raise CannotStart(f"the service's secret cannot be had: {error}") from None
    if not secret:
        raise CannotStart("the service's secret is not in Redis")
    return secret
