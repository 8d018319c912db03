"""
Back-pressure for long answers: a producer that lets its writer wait while the transport holds
enough.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer


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
