"""
Looking around: which rooms and users there are, as far as this user may know.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatservice.controller import lookup, modes
from chatservice.controller.desk import Card, card_of
from chatservice.controller.entities import Departure, Room, User
from chatservice.controller.permission import may_see

from .base import SessionBase


class Looking(SessionBase):
    """Who and what there is."""

    __slots__ = ()

    def room(self, room_name: str) -> Room:
        """
        A room that one may see.

        @raise NoSuchRoom: there is none.
        @raise PrivateRoom: one may not.
        """
        return lookup.visible_room(self.state, self.policy, self.user, room_name)

    def own_room(self, room_name: str) -> Room:
        """
        A room that one owns.

        @raise NoSuchRoom: there is none.
        @raise NotOwner: it is somebody else's.
        """
        return lookup.owned_room(self.state, self.policy, self.user, room_name)

    def rooms(self) -> list[Room]:
        """All rooms that one may see."""
        user = self.user
        rooms = self.state.rooms.values()
        self.charge(len(rooms))
        return [room for room in rooms if may_see(room, user)]

    def is_inside(self, room_name: str) -> bool:
        """Is one in that room?"""
        room = self.state.rooms.get(self._room_key(room_name))
        return room is not None and self.user.key in room.members

    def forward(self, room_name: str) -> str:
        """The name of the room that is to be tried by whoever may not enter this one, or ""."""
        room = self.state.rooms.get(self._room_key(room_name))
        return room.values.get(modes.FORWARD, "") if room is not None else ""

    def _room_key(self, room_name: str) -> str:
        return self.policy.names.room(room_name).key

    def invitations(self) -> list[Room]:
        """The rooms that one is invited to."""
        user = self.user
        rooms = self.state.invitations.get(user.identity, ())
        return [self.state.rooms_by_id[room_id] for room_id in sorted(rooms)]

    def find(self, nick: str) -> User:
        """
        Somebody who is here, by nick.

        @raise NoSuchUser: nobody of that name is.
        """
        _ = self.user
        return lookup.find_user(self.state, self.policy, nick)

    def users(self) -> list[User]:
        """Everybody who is logged in, but for those who hide from this user."""
        return self._found(self.state.users)

    def members(self, room: Room) -> list[User]:
        """Those in a room, but for those who hide from this user."""
        return self._found(room.members)

    def _found(self, users: Mapping[str, User]) -> list[User]:
        user = self.user  # strangers are not told
        self.charge(len(users))
        return [other for other in users.values() if lookup.may_find(user, other)]

    def departures(self, nick: str, count: int) -> list[Departure]:
        """Those who were here by some nick, the latest first."""
        _ = self.user
        key = nick.lower() if nick.isascii() else self.policy.names.nick(nick).key
        found = [d for d in reversed(list(self.state.departures.values())) if d.key == key]
        self.charge(len(self.state.departures))
        return found[:count] if count > 0 else found

    async def inspect(self, user: User) -> list[Card]:
        """
        Addresses and certificates of somebody who is here, whichever server they are connected to:
        none of most people's, for one may not see them.
        """
        me = self._visitor()
        if me is None or not lookup.may_inspect(me, user):
            return []
        here = [card_of(each.outlet) for each in self._desk.presence.connections(user.key)]
        if here:
            return here
        card = await self._desk.cards.show(user.node, user.login)
        return [card] if card is not None else []

    def idle_seconds(self, user: User) -> int:
        """For how long somebody who is here has said nothing."""
        return max(0, int(self.now - user.spoke / 1000))

    # Hearing of people.

    def watch(self, key: str) -> None:
        """Hears of the coming, going and changing of whoever has that key."""
        self._desk.presence.watch(self, key)

    def unwatch(self, key: str) -> None:
        """Does not hear of that key any more."""
        self._desk.presence.unwatch(self, key)

    def unwatch_all(self) -> None:
        """Hears of nobody that way any more."""
        self._desk.presence.unwatch_all(self)
