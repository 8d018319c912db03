"""
Coming back: of several servers, one that the others had lost touch with finds that they have logged
its users out. These are still connected, and are logged in again where they were; or, if that
cannot be, told to connect anew.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from chatservice.controller import requests
from chatservice.controller.entities import User
from chatservice.controller.errors import ChatError, Unavailable
from chatservice.controller.events import Event, LoggedIn

from .presence import Presence

_RETRY_SECONDS = 1.0
"""How soon what could not be stored is tried again."""


class Returning(Presence):
    """
    What happens to a client whose user the others have logged out. It hears all the while what
    happens in its rooms; what it asks for meanwhile is unavailable.
    """

    __slots__ = ()

    def lapsed(self) -> None:
        """The user was logged out by others, and is still here: comes back."""
        if self._gone:
            self.lost_login()
        elif self._was is None:
            self._was = self._desk.controller.returns(self.login)
            if self._was is None:
                self._give_up("you were logged out; connect again")
            else:
                Deferred.fromCoroutine(self._come_back(self._was)).addErrback(self.crashed)

    def displaced(self) -> None:
        """Somebody else has taken the nick before that."""
        self._give_up("you were logged out, and your nick was taken; connect again")

    def lost_login(self) -> None:
        """The user is logged out, whoever did it, and stays so."""
        if self._was is not None or self._gone:
            self._desk.presence.detach(self)
        self._stay_away()
        super().lost_login()

    def close(self, reason: str) -> None:
        """See `Presence.close`. Nobody comes back without a connection."""
        self._gone = True
        if self._was is not None and self._visitor() is None:
            self.lost_login()
        else:
            self._stay_away()
            super().close(reason)

    async def _come_back(self, was: User) -> None:
        state = self.state
        while self._was is was:
            if self.state is not state:
                # The controller was restarted: what it knows has no place for who is on the way.
                self._give_up("the server does not know any more where you were; connect again")
                return
            try:
                events = self._next_step(was)
            except ChatError as error:
                self._give_up(f"you were logged out, and cannot come back: {error}")
                return
            if not events:
                self._stay_away()
                self._desk.cards.drop(was.login)
                self._keep_card()
            elif await self._has_come(events) and self._was is not was:
                self._undo(events[0])

    def _next_step(self, was: User) -> list[Event]:
        """What is missing: the user, or the rooms. They may be lost again before all is there."""
        user = self._visitor()
        if user is None:
            node = self._desk.controller.node
            return [requests.come_back(self.state, was, self.login, node)]
        return [
            requests.come_back_to(self.state, self.policy, user, room_id)
            for room_id in self._desk.presence.places(self.key)
            if room_id not in user.rooms
        ]

    async def _has_come(self, events: list[Event]) -> bool:
        """Stores events; if one of them comes too late, what is missing has to be seen anew."""
        try:
            return await self._submit_if_it_fits(*events)
        except Unavailable:
            await deferLater(self._desk.clock, _RETRY_SECONDS)
            return False

    def _undo(self, event: Event) -> None:
        """The client has gone meanwhile. If this is not stored, the server finds the user alone."""
        user = self.state.visits.get(event.id)
        if isinstance(event, LoggedIn) and user is not None:
            gone = self._desk.controller.submit(*requests.log_out(user, "connection lost"))
            gone.addErrback(lambda failure: failure.trap(ChatError))

    def _stay_away(self) -> None:
        """Nobody is coming back any more, or has done so."""
        if self._was is not None:
            self._desk.controller.returned(self._was.login)
            self._was = None

    def _give_up(self, words: str) -> None:
        self._stay_away()
        if self._visitor() is None:
            self._desk.presence.detach(self)
            self.lost_login()
        self._outlet.close(words)
