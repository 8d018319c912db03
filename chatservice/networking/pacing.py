"""
Back-pressure for long answers: their pieces, and a producer that lets its writer wait while the
transport holds enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

_PIECE = 16_384
"""Bytes of a long answer that are written before the client's reading is waited for."""


@implementer(IPushProducer)
class Pace:
    """
    Registered with a transport as a streaming producer, for as long as an answer is being written.
    """

    __slots__ = ("_waiting", "stopped")

    def __init__(self) -> None:
        self._waiting: Deferred[None] | None = None
        self.stopped = False

    def ready(self) -> Deferred[None]:
        """Fires when the transport takes more, or nothing ever again (`stopped`)."""
        return succeed(None) if self._waiting is None or self.stopped else self._waiting

    def pauseProducing(self) -> None:
        if self._waiting is None:
            self._waiting = Deferred()

    def resumeProducing(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def stopProducing(self) -> None:
        self.stopped = True
        self.resumeProducing()


def next_piece(payloads: Iterator[bytes]) -> bytes:
    """The next of them, a piece's worth; nothing if there are no more."""
    taken, size = [], 0
    for payload in payloads:
        taken.append(payload)
        size += len(payload)
        if size >= _PIECE:
            break
    return b"".join(taken)
