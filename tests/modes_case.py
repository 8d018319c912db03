"""What tests of modes begin with: a room whose modes are changed by those who may."""

from __future__ import annotations

from chatservice.controller import modes, requests
from chatservice.controller.entities import Room, User
from chatservice.controller.errors import ChatError
from tests import facts
from tests.test_requests import RequestCase


class ModesCase(RequestCase):
    """Ann owns the den; she, Bob and Cid are inside; Dan is not, and Eve is an account that is."""

    def setUp(self) -> None:
        super().setUp()
        self.ann, self.bob, self.cid = (self.guest(key) for key in ("ann", "bob", "cid"))
        self.dan, self.eve = self.guest("dan"), self.account("eve")
        self.den = self.room(self.ann, "den")
        self.enter(self.den, self.ann, self.bob, self.cid, self.eve)

    def enter(self, room: Room, *users: User) -> None:
        """Puts users into a room."""
        for user in users:
            self.apply(facts.join(room.id, user.key))

    def change(
        self, user: User, *wanted: tuple[bool, str, str], room: str = "den"
    ) -> list[type[ChatError]]:
        """Changes modes, and makes it true; what was refused."""
        event, refused = self.ask(requests.change_modes, user, room, list(wanted))
        if event is not None:
            self.apply(event)
        return [type(error) for _, error in refused]

    def give(self, role: str, *users: User) -> None:
        """The owner gives a role."""
        for user in users:
            self.assertEqual(self.change(self.ann, (True, role, user.nick)), [])

    def set(self, *flags: str) -> None:
        """The owner sets flags."""
        self.assertEqual(self.change(self.ann, *((True, flag, "") for flag in flags)), [])

    def ban(self, *masks: str, mode: str = modes.BAN) -> None:
        """The owner puts masks on a list."""
        self.assertEqual(self.change(self.ann, *((True, mode, mask) for mask in masks)), [])
