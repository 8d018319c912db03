"""
What was typed and is not sent, from one sitting to the next: written down soon after it changes,
and offered again where it was typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twisted.internet.interfaces import IDelayedCall

from .buffer import DIRECT, STATUS, Buffer
from .commands import is_secret
from .drafts import BadDrafts, Drafts, Kept

if TYPE_CHECKING:
    from .session import Session

_SECONDS = 2.0
"""How soon after a change it is written down, should nobody get to do it at the end."""


class Keeping:
    """
    @param drafts: where it is written down.
    """

    def __init__(self, session: Session, drafts: Drafts) -> None:
        self._session = session
        self._drafts = drafts
        self._offered: list[Kept] = []
        self._soon: IDelayedCall | None = None

    def begin(self, rooms: Sequence[str]) -> None:
        """
        Offers what was kept last time.

        @param rooms: those that will be entered.
        """
        session = self._session
        try:
            self._offered = self._drafts.load()
        except BadDrafts as error:
            session.failed(session.model.status, error)
        expected = {name.casefold() for name in rooms}
        for kept in list(self._offered):
            if kept.kind == DIRECT:
                session.open_direct(kept.name, look=False)
            elif kept.kind == STATUS:
                self.give(session.model.status)
            elif kept.name.casefold() not in expected:
                words = f"what you typed in {kept.name} last time is there: /join {kept.name}"
                session.note(session.model.status, words)

    def give(self, buffer: Buffer) -> None:
        """A buffer is opened: it gets what was typed there."""
        for kept in list(self._offered):
            if kept.kind == buffer.kind and kept.name.casefold() == buffer.name.casefold():
                self._offered.remove(kept)
                for text in kept.texts:
                    buffer.give_back(text)
                if buffer.kind != STATUS:
                    words = "what you typed here last time is below; it may not have been sent"
                    self._session.note(buffer, words)

    def edited(self) -> None:
        """Something else is typed, or on its way."""
        if self._soon is None:
            self._soon = self._session.clock.callLater(_SECONDS, self._write_soon)

    def _write_soon(self) -> None:
        self._soon = None
        self._write()

    def end(self) -> None:
        """Writes it down now; there will be nothing more."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        self._write()

    def _write(self) -> None:
        session = self._session
        kept = [each for buffer in session.model.buffers if (each := _kept(buffer)) is not None]
        try:
            self._drafts.save(kept + self._offered)
        except BadDrafts as error:
            session.failed(session.model.status, error)


def _kept(buffer: Buffer) -> Kept | None:
    texts = [*buffer.unsent, *(each.typed for each in buffer.waiting()), buffer.line.draft()]
    kept = tuple(text for text in texts if text.strip() and not is_secret(text))
    return Kept(buffer.kind, buffer.name, kept) if kept else None
