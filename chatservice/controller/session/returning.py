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

from .presence import Presence

_RETRY_SECONDS = 1.0


class Returning(Presence):
    """What happens to a client whose user the others have logged out."""

    __slots__ = ()

    def lapsed(self) -> None:
        was = self._desk.controller.lapsed.pop(self.login, None)
        if was is None:
            self._give_up("you were logged out; connect again")
        else:
            Deferred.fromCoroutine(self._come_back(was)).addErrback(self.crashed)

    def close(self, reason: str) -> None:
        """See `Presence.close`. Who is just coming back goes once that is over."""
        if self.key and self._visitor() is None:
            self._gone = reason
        else:
            super().close(reason)

    async def _come_back(self, was: User) -> None:
        while not self._gone:
            try:
                await self._log_in_again(was)
                await self._enter_again()
                break
            except Unavailable:
                await deferLater(self._desk.clock, _RETRY_SECONDS)
            except ChatError as error:
                self._give_up(f"you were logged out, and cannot come back: {error}")
                return
        if self._gone:
            self._desk.presence.detach(self)
            self.close(self._gone)

    async def _log_in_again(self, was: User) -> None:
        if self._visitor() is not None:
            return
        event = requests.come_back(was, self._desk.controller.node)
        await self._desk.controller.submit(event)
        self.login = event.id
        events = requests.resume(self.user, was)
        if events:
            await self._desk.controller.submit(*events)

    async def _enter_again(self) -> None:
        user = self.user
        places = self._desk.presence.places(self.key)
        events = [
            requests.come_back_to(self.state, self.policy, user, room_id)
            for room_id in places
            if room_id not in user.rooms
        ]
        if events:
            await self._desk.controller.submit(*events)

    def _give_up(self, words: str) -> None:
        self._desk.presence.detach(self)
        if self._visitor() is None:
            self.lost_login()
        self._outlet.close(words)
