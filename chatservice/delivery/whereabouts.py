"""
Who is where: the connections of each user, and the rooms that they are in, grouped as delivery
tells them. It follows the events and the state; nobody is told anything here.
"""

from __future__ import annotations

from typing import TypeVar

from chatservice.controller.desk import Variant
from chatservice.controller.state import State

from .audience import Audience, Recipient, add, audience_of, merge, remove

T = TypeVar("T")


class Whereabouts:
    """
    @ivar users: the connections of users, by key.
    @ivar rooms: who is in a room, by its id; no room that nobody is in.
    @ivar places: the ids of the rooms that somebody is in, by key; of those, too, who are connected
        to another server.
    @ivar witnesses: who saw somebody quit a room, by the key of the one who quit: they are still
        owed the news that it is for good.
    """

    __slots__ = ("places", "rooms", "users", "witnesses")

    def __init__(self) -> None:
        self.users: dict[str, list[Recipient]] = {}
        self.rooms: dict[str, Audience] = {}
        self.places: dict[str, set[str]] = {}
        self.witnesses: dict[str, Audience] = {}

    def rebuild(self, state: State) -> list[Recipient]:
        """
        Finds out anew who is where, for every connection that is still there. Witnesses stay.

        @return: the connections whose user the state does not know.
        """
        self.rooms.clear()
        self.places = {key: set(user.rooms) for key, user in state.users.items() if user.rooms}
        lost = []
        for key, recipients in list(self.users.items()):
            user = state.users.get(key)
            for recipient in list(recipients):
                if user is None or user.login != recipient.login:
                    recipients.remove(recipient)
                    lost.append(recipient)
                    continue
                for room_id in user.rooms:
                    self.put_in(room_id, recipient)
            if not recipients:
                del self.users[key]
        for key in self.witnesses.keys() - state.users.keys():
            del self.witnesses[key]
        return lost

    def room(self, room_id: str) -> Audience:
        """Everybody in a room; not to be changed."""
        return self.rooms.get(room_id, {})

    def neighbours(self, key: str) -> Audience:
        """Everybody who shares a room with somebody, and that somebody: each once."""
        audience = audience_of(self.users.get(key, ()))
        for room_id in self.places.get(key, ()):
            merge(audience, self.room(room_id))
        return audience

    def enters(self, room_id: str, key: str) -> None:
        """A user is in a room now, and so are the user's connections."""
        self.places.setdefault(key, set()).add(room_id)
        for recipient in self.users.get(key, ()):
            self.put_in(room_id, recipient)

    def put_in(self, room_id: str, recipient: Recipient) -> None:
        """A connection's user is in a room."""
        add(self.rooms.setdefault(room_id, {}), recipient)

    def take_out(self, room_id: str, key: str) -> None:
        """A user is not in a room any more."""
        for recipient in self.users.get(key, ()):
            self._remove_from(room_id, recipient)
        self._leaves(room_id, key)

    def _remove_from(self, room_id: str, recipient: Recipient) -> None:
        audience = self.rooms.get(room_id, {})
        remove(audience, recipient, recipient.variant)
        if not audience:
            self.rooms.pop(room_id, None)

    def log_out(self, key: str) -> list[Recipient]:
        """A user is gone; returns the user's connections."""
        # Whoever had lapsed, and is put out while coming back, had not entered all of them again.
        for room_id in list(self.places.get(key, ())):
            self.take_out(room_id, key)
        return self.users.pop(key, [])

    def remove(self, recipient: Recipient) -> None:
        """A connection has no user any more: it is nowhere."""
        recipients = self.users.get(recipient.key, [])
        if recipient not in recipients:
            return
        for room_id in self.places.get(recipient.key, ()):
            self._remove_from(room_id, recipient)
        self.discharge(recipient)
        recipients.remove(recipient)
        if not recipients:
            self.log_out(recipient.key)

    def close_room(self, room_id: str) -> list[Recipient]:
        """Nobody is in a room any more; returns who was."""
        for key in [key for key, places in self.places.items() if room_id in places]:
            self._leaves(room_id, key)
        return [each for writes in self.rooms.pop(room_id, {}).values() for each in writes]

    def forget_absent(self) -> None:
        """Whoever has no connection here is nowhere."""
        self.places = {key: places for key, places in self.places.items() if key in self.users}

    def _leaves(self, room_id: str, key: str) -> None:
        places = self.places.get(key, set())
        places.discard(room_id)
        if not places:
            self.places.pop(key, None)

    def saw_quit(self, room_id: str, key: str) -> None:
        """Those in a room saw somebody go who is going altogether."""
        merge(self.witnesses.setdefault(key, {}), self.room(room_id))

    def discharge(self, recipient: Recipient) -> None:
        """A connection has no user any more: it is owed nothing."""
        for audience in self.witnesses.values():
            remove(audience, recipient, recipient.variant)

    def regroup(self, recipient: Recipient, old: Variant) -> None:
        """A connection that was of the variant `old` is of another."""
        rooms = [self.rooms[room_id] for room_id in self.places.get(recipient.key, ())]
        for audience in (*rooms, *self.witnesses.values()):
            if recipient in audience.get(old, ()):
                remove(audience, recipient, old)
                add(audience, recipient)

    def rename(self, old: str, new: str) -> list[Recipient]:
        """A user has another key; returns the user's connections."""
        recipients = self.users.get(old, [])
        for recipient in recipients:
            recipient.key = new
        _move(self.users, old, new)
        _move(self.places, old, new)
        _move(self.witnesses, old, new)
        return recipients


def _move(by_key: dict[str, T], old: str, new: str) -> None:
    if old in by_key:
        by_key[new] = by_key.pop(old)
