"""
How often somebody may do a thing: token buckets, on a clock that they are handed.
"""

from __future__ import annotations

from collections import OrderedDict


class TokenBucket:
    """
    A bucket that holds up to `burst` tokens and is filled with `rate` tokens a second.

    @param now: the time, seconds on any clock that does not go back.
    """

    __slots__ = ("_burst", "_last", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._last = now

    def charge(self, tokens: float) -> None:
        """Takes tokens for what was dear; if there are too few, the rest is owed."""
        self._tokens -= tokens

    def take(self, now: float) -> bool:
        """Takes a token, if there is one."""
        tokens = min(self._burst, self._tokens + (now - self._last) * self._rate)
        self._last = now
        if tokens < 1:
            self._tokens = tokens
            return False
        self._tokens = tokens - 1
        return True

    def wait(self, now: float) -> float:
        """Takes a token, or says in how many seconds there will be one."""
        if self.take(now):
            return 0.0
        return (1 - self._tokens) / self._rate


class Allowance:
    """
    A token bucket for each of many names (addresses), the least recently used of which are
    forgotten.

    @param rate: tokens a second; 0 allows everything.
    """

    def __init__(self, rate: float, burst: float, most: int = 10_000) -> None:
        self._rate = rate
        self._burst = burst
        self._most = most
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, name: str, now: float) -> bool:
        """Takes one of a name's tokens, if it has one."""
        if not self._rate:
            return True
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = TokenBucket(self._rate, self._burst, now)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(name)
        return bucket.take(now)
