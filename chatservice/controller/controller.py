"""
The chat controller: a supervised child that owns the state. It hands events to the journal, makes
stored ones true, and has them delivered; a crash of it loses nothing, because its restart rebuilds
the state from the journal and takes up delivery where it broke off, with every session still
attached. The rules are in `requests`, the changes in `state`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatservice.supervision import CannotGoOn, Supervised

from .entities import User
from .errors import ChatError, NoSuchRoom, NoSuchUser, NotInRoom, NotLoggedIn, Unavailable
from .events import (
    DirectEvent,
    DirectMessage,
    Event,
    Kicked,
    Left,
    LoggedOut,
    Message,
    NickChanged,
    RoomDeleted,
    ServiceStarted,
)
from .log import Batch, Log, Origin
from .policy import Policy
from .records import Record, restore, take_dirty
from .state import RecordKey, State

T = TypeVar("T")


class Tell(Protocol):
    """Who tells clients: delivery."""

    def deliver(self, events: Sequence[Event]) -> None:
        """Tells everybody concerned of events that have become true."""

    def flush(self) -> None:
        """Sends what was told."""

    def rebuild(self, state: State) -> None:
        """Finds out anew who is where."""


class LogLost(CannotGoOn):
    """The log is another one: the state has to be made from that."""


@dataclass(slots=True)
class Applied:
    """An event that was stored, what became of it, and who waits to hear it."""

    event: Event
    origin: Origin | None
    error: ChatError | None = None


class Request:
    """An origin that waits for a few events together, and then fires `done`."""

    __slots__ = ("_error", "_last", "done")

    def __init__(self, last: Event) -> None:
        self.done: Deferred[None] = Deferred()
        self._last = last
        self._error: ChatError | None = None

    def applied(self, event: Event, error: ChatError | None) -> None:
        self._error = self._error or error
        if event is self._last:
            if self._error is None:
                self.done.callback(None)
            else:
                self.done.errback(self._error)


class Controller(Supervised):
    """
    @param alone: nobody else stores anything; whoever was here when the process ended is not any
        more.
    @ivar journal: where the events are stored, and read from.
    @ivar node: which server this is, if there are several.
    @ivar state: what is true now; read by everybody, changed by nobody else. It is empty until the
        first start is over.
    @ivar lapsed: by visit, the users of this node who are coming back, after another one has logged
        them out (see C{returns}).
    """

    log = Logger()

    def __init__(self, journal: Log, tell: Tell, policy: Policy, *, alone: bool = True) -> None:
        self.journal = journal
        self.node = ""
        self.lapsed: dict[str, User] = {}
        self._lapses: dict[str, User] = {}
        self._alone = alone
        self._tell = tell
        self.policy = policy
        self.state = State()
        self._mark = ""
        self._began = False
        self._alive = False
        self._undelivered: deque[Applied] = deque()
        self._ending: set[tuple[str, str]] = set()

    # Being asked.

    def post(self, event: Event, origin: Origin) -> None:
        """
        Hands one event to the journal; the origin hears what became of it.

        @raise NoSuchRoom: it is for a room whose end is being stored.
        @raise NotInRoom: its author is just leaving that room, or being put out of it.
        @raise NotLoggedIn: its author is just going.
        @raise NoSuchUser: it is to somebody who is just going, or will be called something else.
        @raise Unavailable: the journal takes no more for now.
        """
        if self._ending:
            self._check_not_ending(event)
        self.journal.append(event, origin)

    def submit(self, *events: Event) -> Deferred[None]:
        """
        Hands events to the journal; fires when all of them are true.

        @raise ChatError: one of them could not be stored, or came too late to fit.
        """
        request = Request(events[-1])
        ending = {_ENDS[type(event)](event) for event in events if type(event) in _ENDS}
        try:
            self.journal.append_all(events, request)
        except Unavailable as error:
            request.applied(events[-1], error)
        else:
            self._ending |= ending
            request.done.addBoth(self._ended, ending)
        return request.done

    def _ended(self, result: T, ending: set[tuple[str, str]]) -> T:
        self._ending -= ending
        return result

    def _check_not_ending(self, event: Event) -> None:
        """
        What is said is true as soon as it is stored, so it must not follow its author's end; nor
        that of whoever is to hear it, or it would be lost.
        """
        ending = self._ending
        if (event.target, "") in ending:
            raise NoSuchRoom()
        if (event.target, event.actor) in ending:
            raise NotInRoom()
        if ("", event.actor) in ending:
            raise NotLoggedIn()
        if isinstance(event, DirectEvent) and ("", event.to) in ending:
            raise NoSuchUser()

    # Coming back.

    def returns(self, visit: str) -> User | None:
        """
        A user of this node who has just been logged out by another comes back (see `LoggedOut`).

        @return: who that was, and as what; None if nobody can tell.
        """
        user = self._lapses.pop(visit, None)
        if user is not None:
            self.lapsed[visit] = user
        return user

    def returned(self, visit: str) -> None:
        """That is over."""
        self.lapsed.pop(visit, None)

    # Being fed by the journal.

    def checkpoint(self) -> tuple[dict[RecordKey, Record | None], str]:
        return take_dirty(self.state), self._mark

    def checkpoint_failed(self, keys: Sequence[RecordKey]) -> None:
        self.state.dirty.update(keys)

    def apply(self, batch: Batch) -> None:
        applied = [
            Applied(event, origin)
            for event, origin in zip(batch.events, batch.origins, strict=True)
        ]
        self._undelivered.extend(applied)
        if not self._alive:
            return  # the restart will find the batch in the journal
        try:
            for entry in applied:
                self._apply(entry)
        except Exception:  # noqa: BLE001 - supervised here
            self._crash()

    def deliver(self) -> None:
        if not self._alive:
            return
        try:
            while self._undelivered:
                self._deliver(_next_run(self._undelivered))
            self._lapses.clear()
            self._tell.flush()
        except Exception:  # noqa: BLE001 - supervised here
            self._crash()

    def refuse(self, batch: Batch, error: ChatError) -> None:
        for event, origin in zip(batch.events, batch.origins, strict=True):
            origin.applied(event, error)

    def lost(self, reason: str) -> None:
        self._stand_back()
        self.fail(Failure(LogLost(reason)))

    def _apply(self, entry: Applied) -> None:
        event = entry.event
        if type(event) is LoggedOut and event.lost:
            self._note_lapse(event)
        try:
            self.state.apply(event)
        except ChatError as error:
            entry.error = error
        self._mark = event.id

    def _note_lapse(self, event: LoggedOut) -> None:
        user = self.state.users.get(event.actor)
        if user is not None and user.node == self.node:
            self._lapses[user.login] = user

    def _deliver(self, run: list[Applied]) -> None:
        try:
            self._tell.deliver([entry.event for entry in run if entry.error is None])
        finally:
            # Stored is stored: the sender hears it even if telling others has just failed.
            for entry in run:
                if entry.origin is not None:
                    entry.origin.applied(entry.event, entry.error)

    def _crash(self) -> None:
        reason = Failure()
        self._stand_back()
        self.fail(reason)

    def _stand_back(self) -> None:
        """Nothing is stored on the word of a state that may be half changed, or is another one."""
        self._alive = False
        self.journal.detach()

    # Being supervised.

    def startService(self) -> Deferred[None]:
        super().startService()
        return Deferred.fromCoroutine(self._start())

    async def _start(self) -> None:
        await self.journal.detach()
        recovered = await self.journal.recover()
        self.state, self._mark = restore(recovered.records), ""
        waiting = {entry.event.id: entry for entry in self._undelivered}
        for event in recovered.events:
            entry = waiting.get(event.id) or Applied(event, None)
            entry.error = None
            self._apply(entry)
        self._catch_up()
        self._tell.rebuild(self.state)
        self._alive = True
        self.journal.attach(self)
        if self._alone and not self._began:
            await self.submit(ServiceStarted())
        self._began = True

    def _catch_up(self) -> None:
        """Tells what a crash left untold, to those who were there when it happened."""
        while self._undelivered:
            try:
                self._deliver(_next_run(self._undelivered))
            except Exception:  # noqa: BLE001 - supervised here
                self.log.failure("an event could not be told")
        self._lapses.clear()
        self._tell.flush()

    def stopService(self) -> Deferred[None]:
        super().stopService()
        self._alive = False
        return self.journal.detach()


def _next_run(undelivered: deque[Applied]) -> list[Applied]:
    """
    Takes the next events that are told together: as many messages as follow one another, for these
    are joined; or one of another kind, whose author goes on with the next request as soon as it is
    told.
    """
    run = [undelivered.popleft()]
    if type(run[0].event) in _JOINED:
        while undelivered and type(undelivered[0].event) in _JOINED:
            run.append(undelivered.popleft())
    return run


_ENDS: dict[type[Event], Callable[[Any], tuple[str, str]]] = {
    Kicked: lambda event: (event.target, event.victim),
    Left: lambda event: (event.target, event.actor),
    RoomDeleted: lambda event: (event.target, ""),
    LoggedOut: lambda event: ("", event.actor),
    NickChanged: lambda event: ("", event.actor),
}
"""
Events that take a room from somebody, or (an empty key) from everybody; and those that take a key
(with an empty room) from its user.
"""

_JOINED = frozenset((Message, DirectMessage))
