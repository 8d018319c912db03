"""Whose a room is, and whose it becomes."""

from __future__ import annotations

from chatservice.controller import modes, requests
from chatservice.controller.errors import (
    NeedsAccount,
    NoSuchRoom,
    NoSuchUser,
    NotOwner,
    TooMany,
)
from chatservice.controller.records import restore
from tests import facts
from tests.modes_case import ModesCase
from tests.test_state import all_records


class TransferTests(ModesCase):
    def test_the_owner_gives_a_room_to_somebody_who_is_here(self) -> None:
        event = self.ask(requests.transfer, self.ann, "den", "BOB")
        self.assertEqual((event.heir, event.heir_nick), (self.bob.identity, "Bob"))

        self.apply(event)

        self.assertEqual(self.state.owned, {self.bob.identity: {self.den.id}})
        self.refused(NotOwner, requests.delete_room, self.ann, "den")
        self.do(requests.delete_room, self.bob, "den")

    def test_a_guests_room_goes_with_its_new_owner(self) -> None:
        self.do(requests.transfer, self.ann, "den", "dan")
        self.leave("ann", "bob", "cid", "eve")
        self.assertEqual(self.state.rooms, {"den": self.den})

        self.leave("dan")

        self.assertEqual(self.state.rooms, {})

    def test_a_guests_room_that_an_account_is_given_stays(self) -> None:
        self.do(requests.transfer, self.ann, "den", "eve")

        self.leave("ann", "bob", "cid", "dan", "eve")

        self.assertEqual((self.den.kept, self.state.rooms), (True, {"den": self.den}))
        self.assertEqual(restore(all_records(self.state)).owned, {"eve": {self.den.id}})

    def test_an_accounts_room_is_not_given_to_a_guest(self) -> None:
        self.room(self.eve, "hall")

        self.refused(NeedsAccount, requests.transfer, self.eve, "hall", "bob")

    def test_nobody_owns_more_than_one_may(self) -> None:
        self.limit(rooms_owned_per_user=1)
        self.room(self.bob, "hall")

        self.refused(TooMany, requests.transfer, self.ann, "den", "bob")
        self.do(requests.transfer, self.ann, "den", "ann")

    def test_only_the_owner_gives_it_whatever_roles_others_have(self) -> None:
        self.give(modes.OWNER, self.bob)

        self.refused(NotOwner, requests.transfer, self.bob, "den", "bob")
        self.refused(NoSuchUser, requests.transfer, self.ann, "den", "nobody")

    def test_who_has_gone_is_given_nothing(self) -> None:
        late = self.ask(requests.transfer, self.ann, "den", "bob")
        self.leave("bob")

        self.too_late(NoSuchUser, late)

    def test_what_is_gone_is_not_given(self) -> None:
        late = self.ask(requests.transfer, self.ann, "den", "bob")
        self.apply(facts.delete(self.den.id, "ann"))

        self.too_late(NoSuchRoom, late)

    def test_roles_stay_as_they_are(self) -> None:
        self.give(modes.VOICE, self.bob)

        self.do(requests.transfer, self.ann, "den", "bob")

        self.assertEqual(self.den.roles, {self.bob.identity: {"voice"}})


class EndTests(ModesCase):
    """A room that goes takes all that was about it along."""

    def test_it_leaves_nothing_behind_and_the_next_of_its_name_begins_anew(self) -> None:
        self.give(modes.OPERATOR, self.bob, self.eve)
        self.ban("dan", "m:cid")
        self.do(requests.invite, self.ann, "den", "dan")
        self.change(self.ann, (True, modes.KEY, "sesame"))
        self.do(requests.set_topic, self.ann, "den", "tea")

        self.do(requests.delete_room, self.ann, "den")

        self.assertEqual((self.state.rooms_by_id, self.state.owned), ({}, {}))
        self.assertEqual((self.state.invitations, self.state.room_skeletons), ({}, {}))
        self.assertEqual([user.rooms for user in self.state.users.values()], [{}] * 5)
        self.assertEqual({key[0] for key, _ in all_records(self.state)}, {"account", "user"})
        den = self.room(self.bob, "den")
        self.assertEqual((den.roles, den.lists, den.values, den.topic), ({}, {}, {}, None))

    def test_a_guests_that_nobody_is_in_goes_with_its_lists(self) -> None:
        self.ban("dan")
        self.give(modes.OPERATOR, self.eve)

        self.leave("ann", "bob", "cid", "eve")

        self.assertEqual(self.state.rooms, {})
        self.assertEqual([key for key, _ in all_records(self.state) if key[0] == "room"], [])
