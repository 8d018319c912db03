"""
Saying something. Nothing here waits: `Outlet.acknowledge` tells what became of it.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed

from chatservice.controller import requests
from chatservice.controller.events import Event

from .base import SessionBase

Tags = dict[str, str]


class Talking(SessionBase):
    """
    Each request raises what `requests` has for it, or gives the event that is being stored.

    What they have in common: C{notice} says that no answer is expected, C{tags} is what the client
    says about the message.
    """

    __slots__ = ()

    def say(
        self, room_name: str, text: str, notice: bool = False, tags: Tags | None = None
    ) -> Event:
        """Says something to a room."""
        controller = self._desk.controller
        return self._post(
            requests.say_to_room(
                controller.state, controller.policy, self.user, room_name, text, notice, tags
            )
        )

    def say_to_ranks(
        self,
        room_name: str,
        least: str,
        text: str,
        notice: bool = False,
        tags: Tags | None = None,
    ) -> Event:
        """Says something to those in a room whose role is C{least} or higher."""
        return self._post(
            requests.say_to_ranks(
                self.state, self.policy, self.user, room_name, least, text, notice, tags
            )
        )

    def tell(self, nick: str, text: str, notice: bool = False, tags: Tags | None = None) -> Event:
        """Says something to one user."""
        return self._post(
            requests.say_to_user(self.state, self.policy, self.user, nick, text, notice, tags)
        )

    def tag_room(self, room_name: str, tags: Tags) -> Event:
        """Tells the clients in a room something, without words."""
        return self._post(requests.tag_room(self.state, self.policy, self.user, room_name, tags))

    def tag_ranks(self, room_name: str, least: str, tags: Tags) -> Event:
        """Tells the clients of those in a room whose role is C{least} or higher, without words."""
        return self._post(
            requests.tag_ranks(self.state, self.policy, self.user, room_name, least, tags)
        )

    def tag_user(self, nick: str, tags: Tags) -> Event:
        """Tells one user's clients something, without words."""
        return self._post(requests.tag_user(self.state, self.policy, self.user, nick, tags))

    def _post(self, event: Event) -> Event:
        self._desk.controller.post(event, self)
        self._unacknowledged += 1
        return event

    def settled(self) -> Deferred[None]:
        """
        Fires when all that was said is acknowledged; for one request at a time. A dialect whose
        answers come in the order of the requests waits for it.
        """
        if not self._unacknowledged:
            return succeed(None)
        self._settled = Deferred()
        return self._settled
