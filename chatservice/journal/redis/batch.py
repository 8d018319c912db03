"""
A batch on its way into the log, and what Redis says to one that it will never take.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from twisted.internet.defer import Deferred

from chatservice.controller.events import Event

T = TypeVar("T")

FOR_GOOD = {
    "OTHERJOURNAL": "there is another journal in Redis now",
    "BEHIND": "the users of this node were logged out, and it does not know of that yet",
}
"""What Redis answers to a batch that it will never take, and what it means."""


class Batch:
    """
    A batch on its way.

    @ivar stored: fires when it was heard.
    @ivar reason: why it may not have been stored.
    """

    __slots__ = ("events", "number", "reason", "stored")

    def __init__(self, number: int, events: Sequence[Event]) -> None:
        self.number = number
        self.events = events
        self.stored: Deferred[None] = Deferred()
        self.reason = "no answer"

    def over(self) -> Deferred[None]:
        """Fires when all know what became of it."""
        over: Deferred[None] = Deferred()

        def hand_on(result: T) -> T:
            over.callback(None)
            return result

        self.stored.addBoth(hand_on)
        return over
