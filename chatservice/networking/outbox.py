"""
What is to be sent, gathered a reactor turn: whatever is written to a connection in one turn,
answers and deliveries of several rooms alike, goes out in one write. Nothing here knows what the
bytes mean.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure


class Outboxes:
    """
    All connections' outboxes: those that hold something are flushed together, at the latest in the
    next turn.
    """

    __slots__ = ("_clock", "_dirty", "_due")

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._dirty: list[Outbox] = []
        self._due: IDelayedCall | None = None

    def flush(self) -> None:
        """Sends what every outbox holds."""
        dirty, self._dirty = self._dirty, []
        for outbox in dirty:
            outbox.flush()

    def mark(self, outbox: Outbox) -> None:
        """An outbox holds something."""
        self._dirty.append(outbox)
        if self._due is None:
            self._due = self._clock.callLater(0, self._flush_due)

    def _flush_due(self) -> None:
        self._due = None
        self.flush()


class Outbox:
    """
    One connection's.

    @param send: the transport's `write`.
    @param broke: told if that raises; the other outboxes go on.
    """

    __slots__ = ("_broke", "_held", "_outboxes", "_send")

    def __init__(
        self,
        outboxes: Outboxes,
        send: Callable[[bytes], object],
        broke: Callable[[Failure], None],
    ) -> None:
        self._outboxes = outboxes
        self._send: Callable[[bytes], object] | None = send
        self._broke = broke
        self._held: list[bytes] = []

    def write(self, payload: bytes) -> None:
        """Holds bytes until the next flush."""
        held = self._held
        if not held:
            self._outboxes.mark(self)
        held.append(payload)

    def flush(self) -> None:
        """Sends what is held, in one write."""
        held = self._held
        if not held:
            return
        # A room's payload alone is the very object that all members get: it is not copied.
        payload = held[0] if len(held) == 1 else b"".join(held)
        self._held = []
        if self._send is None:
            return
        try:
            self._send(payload)
        except Exception:  # noqa: BLE001 - supervised here
            self.close()
            self._broke(Failure())

    def close(self) -> None:
        """Sends nothing any more."""
        self._send = None
