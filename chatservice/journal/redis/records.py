"""
Records on their way into Redis. Every node knows of every change, and one of them writes it down, a
little later; the others hear of that, and forget what they had ready.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatservice.controller.records import Record
from chatservice.controller.state import RecordKey

from .entries import START, Position


class DueRecords:
    """
    The records that changed since somebody wrote them down.

    @ivar mark: the last event that they hold; None if nothing is due.
    """

    __slots__ = ("_due", "mark")

    def __init__(self) -> None:
        self._due: dict[RecordKey, tuple[Record | None, Position]] = {}
        self.mark: Position | None = None

    def note(self, records: Mapping[RecordKey, Record | None], mark: Position | None) -> None:
        """
        Records changed.

        @param mark: they are as they are after this event; None: after the last that was said.
        """
        if mark is None and not records:
            return
        known = self.mark or START
        self.mark = known if mark is None else max(known, mark)
        self._due.update((key, (record, self.mark)) for key, record in records.items())

    def records(self) -> dict[RecordKey, Record | None]:
        """Those that are due."""
        return {key: record for key, (record, _) in self._due.items()}

    def stored(self, mark: Position) -> None:
        """Somebody has written down how everything is after the event C{mark}."""
        self._due = {key: noted for key, noted in self._due.items() if noted[1] > mark}
        if self.mark is not None and self.mark <= mark:
            self.mark = None

    def clear(self) -> None:
        """All of them will be told anew."""
        self._due, self.mark = {}, None
