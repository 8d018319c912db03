"""
Changing rooms. Each request returns the event that is now true, or raises what `requests` has for
it; then nothing has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from chatservice.controller import requests
from chatservice.controller.errors import ChatError, NoSuchRoom, RoomExists, Unavailable
from chatservice.controller.events import (
    Invited,
    Joined,
    Kicked,
    Left,
    ModesChanged,
    RoomCreated,
    RoomDeleted,
    TopicChanged,
    Transferred,
    VisibilityChanged,
)

from .base import SessionBase

_ATTEMPTS = 3
"""How often a room may go, between its being found or made and being entered."""


class Rooms(SessionBase):
    """What one may do to a room, and in it."""

    __slots__ = ()

    async def create_room(self, room_name: str, private: bool = False) -> RoomCreated:
        """Makes a room and its owner, and does not join it."""
        return await self._change(requests.create_room, room_name, private)

    async def delete_room(self, room_name: str) -> RoomDeleted:
        """Removes a room that one owns."""
        return await self._change(requests.delete_room, room_name)

    async def join(self, room_name: str, key: str = "") -> Joined:
        """Enters a room."""
        return await self._change(requests.join, room_name, key)

    async def enter(self, room_name: str, key: str = "") -> Joined:
        """
        Enters a room, and makes it if it isn't there; others may make it, or the last of them may
        leave it, meanwhile.

        @raise TooMany: see C{create_room} and C{join}; then it isn't made either.
        @raise RoomExists: it isn't there, but one whose name looks like it.
        """
        for attempt in range(_ATTEMPTS):
            with suppress(NoSuchRoom):
                return await self.join(room_name, key)
            requests.check_may_be_in_one_more(self.policy, self.user)
            try:
                await self.create_room(room_name)
            except RoomExists:
                if attempt == _ATTEMPTS - 1:
                    raise
        raise Unavailable("the room cannot be entered now")

    async def leave(self, room_name: str, reason: str = "") -> Left:
        """Leaves a room."""
        return await self._change(requests.leave, room_name, reason)

    async def set_visibility(self, room_name: str, private: bool) -> VisibilityChanged:
        """Makes a room that one runs public or private."""
        return await self._change(requests.set_visibility, room_name, private)

    async def invite(self, room_name: str, nick: str) -> Invited:
        """Lets somebody into a room."""
        return await self._change(requests.invite, room_name, nick)

    async def bring_in(self, room_name: str, nick: str) -> Invited:
        """Lets somebody into a room, and puts them into it at once."""
        invited = requests.invite(self.state, self.policy, self.user, room_name, nick)
        brought = requests.bring_in(self.state, self.policy, invited)
        await self._desk.controller.submit(invited, brought)
        return invited

    async def kick(self, room_name: str, nick: str, reason: str = "") -> Kicked:
        """Puts a member of a room that one runs out."""
        return await self._change(requests.kick, room_name, nick, reason)

    async def set_topic(self, room_name: str, text: str) -> TopicChanged:
        """Sets a room's topic."""
        return await self._change(requests.set_topic, room_name, text)

    async def transfer(self, room_name: str, nick: str) -> Transferred:
        """Gives a room that one owns to somebody else."""
        return await self._change(requests.transfer, room_name, nick)

    async def change_modes(
        self, room_name: str, wanted: Sequence[tuple[bool, str, str]]
    ) -> tuple[ModesChanged | None, list[tuple[int, ChatError]]]:
        """
        Sets and clears modes of a room: all that one may, and that are not so already.

        @param wanted: for each, whether to set it, which one (`modes`), and its value: the nick for
            a role, a mask for a list.
        @return: what has changed, if anything; and which of the wanted, by place, were refused.
        @raise NoSuchRoom: there is no such room.
        """
        event, refused = requests.change_modes(
            self.state, self.policy, self.user, room_name, wanted
        )
        if event is not None:
            await self._desk.controller.submit(event)
        return event, refused
