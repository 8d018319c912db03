"""
One buffer: what was said in a room or a conversation (or what the client itself has to say), what
of it is unread, and what one is saying there. Pure: no terminal, no connection, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable

from chatservice.client import Room

from .editing import Line
from .entries import Entry, Note, Pending, Said
from .members import Members

STATUS, ROOM, DIRECT = "status", "room", "direct"
"""Kinds of buffers, in the order in which they are listed."""

KEPT = 10_000
"""Entries that are kept; what was before is read from the history again when somebody looks."""

SLACK = 500
"""How many more there may be before the first are dropped, all at once."""

LOOKED_AT = 5 * KEPT
"""How many entries there may be while somebody looks at earlier ones."""


class Buffer:
    """
    @ivar kind: STATUS, ROOM or DIRECT; `name` the room's, or of the other user.
    @ivar entries: what stands in it; `first` is the number of the first. An entry keeps its number
        when others come before it.
    @ivar room: the room, while one is in it; `entering` while one is about to be.
    @ivar before: the history before the entries ends before this id; empty if there is none.
    @ivar filled_before: the id before which history was asked for to fill the screen.
    @ivar visit: how often one has entered the room; `loading` whether history is being read.
    @ivar anchor: the last line that is looked at, as an entry's number and a line of it; None for
        the end, whatever comes.
    @ivar cleared: number of the first entry that is shown at the end.
    @ivar unread: messages that nobody has looked at; `mentions` those of them that are meant for
        one.
    @ivar mark: number of the first entry that was unread when one came here last.
    @ivar pending: what is on its way; `unsent` what could not be said.
    """

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name
        self.entries: list[Entry] = []
        self.first = 0
        self.room: Room | None = None
        self.entering = False
        self.topic = ""
        self.members = Members()
        self.before = self.filled_before = ""
        self.visit = 0
        self.loading = False
        self.anchor: tuple[int, int] | None = None
        self.cleared: int | None = None
        self.unread = 0
        self.mentions = 0
        self.mark: int | None = None
        self.line = Line()
        self.pending: list[Pending] = []
        self.unsent: list[str] = []
        self._read_to = 0
        self._ids: set[str] = set()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.kind} {self.name}>"

    @property
    def title(self) -> str:
        """How it is listed."""
        return f"@{self.name}" if self.kind == DIRECT else self.name

    @property
    def end(self) -> int:
        """The number that the next entry will have."""
        return self.first + len(self.entries)

    def entry(self, number: int) -> Entry:
        """The entry of a number."""
        return self.entries[number - self.first]

    # What comes.

    def add(self, entry: Entry) -> bool:
        """
        Puts something at the end; in a conversation, where its time is.

        @return: whether it is new: nothing said stands here twice.
        """
        if isinstance(entry, Note):
            self.entries.append(entry)
            return True
        message = entry.message
        if message.id in self._ids:
            return False
        self._ids.add(message.id)
        place = len(self.entries)
        if self.kind == DIRECT:
            place = self._place(entry.ms)
        self.entries.insert(place, entry)
        self.members.spoke(message.nick)
        if entry.own:
            self._came_back(message.id, message.text)
        return True

    def _place(self, ms: int) -> int:
        """Where in a conversation something belongs: what one says oneself comes another way."""
        place = len(self.entries)
        while place and isinstance(self.entries[place - 1], Said):
            if self.entries[place - 1].ms <= ms:
                break
            place -= 1
        return place

    def add_page(self, entries: Iterable[Said], before: str) -> None:
        """
        Puts a page of the history before the rest.

        @param entries: its messages.
        @param before: where what was before that ends; empty if nothing was.
        """
        earliest = next((each.ms for each in self.entries if isinstance(each, Said)), None)
        older: list[Entry] = []
        for entry in entries:
            if entry.message.id in self._ids:
                continue
            if earliest is not None and entry.ms > earliest:
                self.add(entry)  # said while the page was read
            else:
                self._ids.add(entry.message.id)
                older.append(entry)
        self.entries[:0] = older
        self.first -= len(older)
        self.before = before

    def begin_again(self) -> None:
        """Forgets what was said: one has entered the room another time."""
        self.first = self._read_to = self.end
        self.entries.clear()
        self._ids.clear()
        self.visit += 1
        self.before, self.loading = "", False
        self.anchor = self.cleared = self.mark = None

    def trim(self) -> None:
        """Drops the first entries, if there are too many; late, if somebody is looking at them."""
        most = KEPT + SLACK if self.anchor is None else LOOKED_AT
        if len(self.entries) <= most:
            return
        dropped = len(self.entries) - KEPT
        self._ids.difference_update(
            each.message.id for each in self.entries[:dropped] if isinstance(each, Said)
        )
        del self.entries[:dropped]
        self.first += dropped
        said = (each.message.id for each in self.entries if isinstance(each, Said))
        self.before = next(said, self.before)

    # What one says.

    def shown_pending(self) -> list[Pending]:
        """What of it has not come back yet."""
        return [each for each in self.pending if not each.shown]

    def waiting(self) -> list[Pending]:
        """What is not known to be stored."""
        return [each for each in self.pending if not each.stored]

    def _came_back(self, message_id: str, text: str) -> None:
        for pending in self.pending:
            if pending.stored == message_id:
                self.pending.remove(pending)
                return
            if not pending.stored and not pending.shown and pending.text == text:
                pending.shown = True
                return

    def stored(self, pending: Pending, message_id: str) -> None:
        """It is known to be stored; it is shown as pending until it comes back."""
        pending.stored = message_id
        if message_id in self._ids:
            self.pending.remove(pending)

    def not_said(self, pending: Pending) -> None:
        """It can't be said."""
        self.pending.remove(pending)
        self.give_back(pending.typed)

    def give_back(self, typed: str) -> None:
        """
        What could not be said goes back to where it was typed; if something else is there by now,
        it is kept in sight and can be fetched with the key for earlier lines.
        """
        if self.line.draft():
            self.unsent.append(typed)
            self.line.remember(typed)
        else:
            self.line.set(typed)

    def type_before(self, typed: str) -> None:
        """Something was typed here before there was a here: it comes before any draft."""
        if typed.strip():
            draft = self.line.take()
            self.line.set(typed)
            if draft:
                self.give_back(draft)

    # What is read.

    def leave(self) -> None:
        """Nobody looks at it any more."""
        self.mark = None
        self._read_to = self.end

    def enter(self) -> None:
        """Somebody looks at it."""
        if self.unread:
            self.mark = max(self._read_to, self.first)
        self.unread = self.mentions = 0
