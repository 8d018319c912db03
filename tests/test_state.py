"""What each event makes true, and what it leaves alone if it came too late."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller.entities import Account, Room, User, conversation
from chatservice.controller.errors import (
    AlreadyInRoom,
    ChatError,
    NickInUse,
    NoSuchRoom,
    NoSuchUser,
    NotInRoom,
    NotLoggedIn,
    PrivateRoom,
    RoomExists,
    TooMany,
)
from chatservice.controller.events import Event, ServiceStarted
from chatservice.controller.records import Record, restore, take_dirty
from chatservice.controller.state import State
from tests import facts

TWIN = "\u0430nn"
"""A nick that looks like `ann`."""


class StateCase(SynchronousTestCase):
    """
    A state that events are applied to.

    @ivar state: what is true.
    """

    def setUp(self) -> None:
        self.state = State()
        self._last = 0

    def apply(self, event: Event) -> Event:
        """Stamps an event as a journal does, and makes it true."""
        self._last += 1
        event.id, event.ms = str(self._last), self._last * 1000
        self.state.apply(event)
        return event

    def too_late(self, error: type[ChatError], event: Event) -> None:
        """Checks that an event comes too late, and that nothing changes."""
        self.state.dirty.clear()
        before = all_records(self.state)

        self.assertRaises(error, self.apply, event)

        self.assertEqual(all_records(self.state), before)
        self.assertEqual(self.state.dirty, set())

    def guest(self, key: str) -> User:
        """A guest who has just logged in."""
        self.apply(facts.login(key))
        return self.state.users[key]

    def account(self, key: str) -> User:
        """Somebody who is logged in as an account."""
        self.guest(key)
        self.apply(facts.register(key))
        return self.state.users[key]

    def room(self, owner: User, name: str = "den", **how: Any) -> Room:
        """A room that has just been made."""
        self.apply(facts.room(owner, name, **how))
        return self.state.rooms[name]

    def leave(self, *keys: str) -> None:
        """Has users leave their rooms and log out, as a connection that closes does."""
        for key in keys:
            for room in list(self.state.users[key].rooms.values()):
                self.apply(facts.leave(room.id, key))
            self.apply(facts.logout(key))


def all_records(state: State) -> list[Any]:
    """Every record of a state, whether it has changed or not; but not since when who is idle."""
    dirty, state.dirty = state.dirty, set()
    state.dirty.update(("account", key, "") for key in state.accounts)
    state.dirty.update(("user", key, "") for key in state.users)
    for room in state.rooms.values():
        state.dirty.add(("room", room.id, ""))
        state.dirty.update(("member", room.id, key) for key in room.members)
        state.dirty.update(("invitation", room.id, who) for who in room.invited)
    state.dirty.update(("departure", str(number), "") for number in state.departures)
    records = take_dirty(state)
    state.dirty = dirty
    return sorted((key, without_idle(record)) for key, record in records.items())


def without_idle(record: Record | None) -> Record | None:
    """A record without what may change unnoticed: when a user last said something."""
    return record and {name: value for name, value in record.items() if name != "spoke"}


class ComingAndGoingTests(StateCase):
    def test_somebody_logs_in(self) -> None:
        ann = self.guest("ann")

        self.assertEqual((ann.nick, ann.account, ann.login), ("Ann", "", "1"))
        self.assertEqual(self.state.identities, {"ann!1": {"ann"}})
        self.assertEqual(self.state.nick_skeletons, {"ann": "ann"})

    def test_a_nick_is_one_users(self) -> None:
        self.guest("ann")

        self.too_late(NickInUse, facts.login("ann"))

    def test_a_nick_that_looks_like_anothers_is_taken(self) -> None:
        self.guest("ann")

        self.too_late(NickInUse, facts.login(TWIN, skeleton="ann"))

    def test_an_accounts_nick_is_not_a_guests(self) -> None:
        self.account("ann")
        self.leave("ann")

        self.too_late(NickInUse, facts.login("ann"))

    def test_a_nick_that_looks_like_an_accounts_is_taken_also_while_that_is_away(self) -> None:
        self.account("ann")
        self.leave("ann")

        self.too_late(NickInUse, facts.login(TWIN, skeleton="ann"))

    def test_a_guests_nick_is_free_again_and_so_is_what_looks_like_it(self) -> None:
        self.guest("ann")
        self.leave("ann")

        self.apply(facts.login(TWIN, skeleton="ann"))

        self.assertEqual(list(self.state.users), [TWIN])
        self.assertEqual(self.state.nick_skeletons, {"ann": TWIN})

    def test_each_visit_of_a_guest_is_another_identity(self) -> None:
        first = self.guest("ann").identity
        self.leave("ann")

        second = self.guest("ann").identity

        self.assertNotEqual(first, second)

    def test_each_visit_of_an_account_is_the_same_identity(self) -> None:
        first = self.account("ann").identity
        self.leave("ann")

        self.apply(facts.login("ann", account=True))

        self.assertEqual((first, self.state.users["ann"].identity), ("ann", "ann"))

    def test_nobody_logs_out_twice(self) -> None:
        self.guest("ann")
        self.leave("ann")

        self.too_late(NotLoggedIn, facts.logout("ann"))

    def test_nobody_logs_out_who_was_brought_into_a_room_meanwhile(self) -> None:
        owner, bob = self.guest("ann"), self.guest("bob")
        room = self.room(owner)
        self.apply(facts.join(room.id, bob.key))

        self.too_late(AlreadyInRoom, facts.logout("bob"))

    def test_a_start_finds_everybody_gone_and_guests_rooms_with_them(self) -> None:
        ann, bob = self.account("ann"), self.guest("bob")
        kept, gone = self.room(ann, "kept"), self.room(bob, "gone")
        for room in (kept, gone):
            self.apply(facts.join(room.id, "ann"))
            self.apply(facts.join(room.id, "bob"))

        self.apply(ServiceStarted())

        self.assertEqual((self.state.users, self.state.identities), ({}, {}))
        self.assertEqual(list(self.state.rooms), ["kept"])
        self.assertEqual(kept.members, {})
        self.assertEqual(list(self.state.accounts), ["ann"])


class AccountTests(StateCase):
    def test_a_guest_becomes_an_account(self) -> None:
        ann = self.guest("ann")

        self.apply(facts.register("ann", "argon"))

        self.assertEqual(self.state.accounts["ann"].verifier, "argon")
        self.assertEqual((ann.account, ann.account_nick, ann.identity), ("ann", "Ann", "ann"))
        self.assertEqual(list(self.state.identities), ["ann"])

    def test_what_was_the_guests_is_the_accounts(self) -> None:
        owner, ann = self.guest("owner"), self.guest("ann")
        own, others = self.room(ann, "own"), self.room(owner, "others", private=True)
        self.apply(facts.invite(others.id, "owner", ann))
        self.apply(facts.join(own.id, "ann"))

        self.apply(facts.register("ann"))

        self.assertEqual((own.owner, own.kept), ("ann", True))
        self.assertEqual(others.invited.keys(), {"ann"})
        self.assertEqual(self.state.owned, {"ann": {own.id}, owner.identity: {others.id}})
        self.assertEqual(list(own.members), ["ann"])

    def test_its_rooms_stay_when_it_goes(self) -> None:
        ann = self.account("ann")
        room = self.room(ann)

        self.leave("ann")

        self.assertEqual(self.state.rooms, {"den": room})

    def test_a_nick_is_registered_once(self) -> None:
        self.account("ann")

        self.too_late(NickInUse, facts.register("ann"))

    def test_nobody_registers_who_is_not_here(self) -> None:
        self.too_late(NotLoggedIn, facts.register("ann"))

    def test_an_account_that_looks_otherwise_to_a_newer_unicode_keeps_its_first_look(self) -> None:
        self.account("ann")
        self.leave("ann")
        self.apply(facts.login("ann", account=True, skeleton="newer"))
        self.leave("ann")

        self.assertEqual(self.state.nick_skeletons, {"ann": "ann"})


class RoomTests(StateCase):
    def test_a_room_is_made_and_its_owner_is_not_in_it(self) -> None:
        ann = self.guest("ann")

        room = self.room(ann, private=True)

        self.assertEqual((room.name, room.owner, room.private), ("Den", ann.identity, True))
        self.assertEqual((room.members, room.kept), ({}, False))
        self.assertIs(self.state.rooms_by_id[room.id], room)

    def test_two_make_one_room_and_the_first_has_it(self) -> None:
        ann, bob = self.guest("ann"), self.guest("bob")
        room = self.room(ann)

        self.too_late(RoomExists, facts.room(bob, "den"))

        self.assertEqual(room.owner, ann.identity)

    def test_a_room_that_looks_like_another_is_not_made(self) -> None:
        ann = self.guest("ann")
        self.room(ann, "den")

        self.too_late(RoomExists, facts.room(ann, "d\u0435n", skeleton="den"))

    def test_a_name_and_its_look_are_free_again_when_the_room_is_deleted(self) -> None:
        ann = self.guest("ann")
        old = self.room(ann, "den")
        self.apply(facts.delete(old.id, "ann"))

        new = self.room(ann, "d\u0435n", skeleton="den")

        self.assertEqual(self.state.rooms_by_id, {new.id: new})
        self.assertEqual(self.state.room_skeletons, {"den": "d\u0435n"})

    def test_no_more_rooms_are_made_than_there_may_be(self) -> None:
        ann = self.guest("ann")
        self.room(ann, "one")
        second = facts.room(ann, "two")
        second.most = 1

        self.too_late(TooMany, second)

    def test_a_deleted_room_leaves_nothing_behind(self) -> None:
        ann, bob = self.guest("ann"), self.guest("bob")
        room = self.room(ann)
        self.apply(facts.invite(room.id, "ann", bob))
        self.apply(facts.join(room.id, "bob"))

        self.apply(facts.delete(room.id, "ann"))

        self.assertEqual((self.state.rooms, self.state.rooms_by_id), ({}, {}))
        self.assertEqual((self.state.owned, self.state.room_skeletons), ({}, {}))
        self.assertEqual((bob.rooms, self.state.invitations), ({}, {}))

    def test_nothing_happens_in_a_room_that_is_gone(self) -> None:
        ann = self.guest("ann")
        room = self.room(ann)
        self.apply(facts.delete(room.id, "ann"))

        for event in (
            facts.delete(room.id, "ann"),
            facts.join(room.id, "ann"),
            facts.leave(room.id, "ann"),
            facts.kick(room.id, "ann", "ann"),
            facts.invite(room.id, "ann", ann),
            facts.topic(room.id, "ann", "tea"),
            facts.visibility(room.id, "ann", True),
        ):
            self.too_late(NoSuchRoom, event)

    def test_visibility_and_topic_are_the_last_ones(self) -> None:
        ann = self.guest("ann")
        room = self.room(ann)

        self.apply(facts.visibility(room.id, "ann", True))
        self.apply(facts.topic(room.id, "ann", "coffee"))
        set_last = self.apply(facts.topic(room.id, "ann", "tea"))

        assert room.topic is not None
        self.assertTrue(room.private)
        self.assertEqual(
            (room.topic.text, room.topic.nick, room.topic.ms), ("tea", "Ann", set_last.ms)
        )

    def test_an_empty_topic_is_none(self) -> None:
        room = self.room(self.guest("ann"))
        self.apply(facts.topic(room.id, "ann", "tea"))

        self.apply(facts.topic(room.id, "ann", ""))

        self.assertIsNone(room.topic)

    def test_what_is_said_changes_nothing_but_since_when_its_author_is_idle(self) -> None:
        ann, bob = self.guest("ann"), self.guest("bob")
        room = self.room(ann)
        self.assertEqual(ann.spoke, ann.ms)
        before = all_records(self.state)
        self.state.dirty.clear()

        for event in (facts.say(room.id, "ann", "hello"), facts.tell("ann", "bob", "hello")):
            self.assertEqual(self.apply(event).ms, ann.spoke)

        self.assertEqual(bob.spoke, bob.ms)
        self.assertEqual(self.state.dirty, set())
        self.assertEqual(all_records(self.state), before)


class MembershipTests(StateCase):
    def setUp(self) -> None:
        super().setUp()
        self.ann, self.bob = self.guest("ann"), self.guest("bob")
        self.den = self.room(self.ann)

    def test_somebody_enters_and_leaves(self) -> None:
        self.apply(facts.join(self.den.id, "bob"))
        self.assertEqual(self.den.members, {"bob": self.bob})
        self.assertEqual(self.bob.rooms, {self.den.id: self.den})

        self.apply(facts.leave(self.den.id, "bob"))

        self.assertEqual((self.den.members, self.bob.rooms), ({}, {}))

    def test_nobody_enters_twice_or_leaves_twice(self) -> None:
        self.apply(facts.join(self.den.id, "bob"))
        self.too_late(AlreadyInRoom, facts.join(self.den.id, "bob"))
        self.apply(facts.leave(self.den.id, "bob"))

        self.too_late(NotInRoom, facts.leave(self.den.id, "bob"))

    def test_nobody_enters_who_has_gone(self) -> None:
        self.leave("bob")

        self.too_late(NotLoggedIn, facts.join(self.den.id, "bob"))

    def test_nobody_enters_a_room_that_has_become_private(self) -> None:
        self.apply(facts.visibility(self.den.id, "ann", True))

        self.too_late(PrivateRoom, facts.join(self.den.id, "bob"))

    def test_the_invited_and_the_owner_enter_a_private_room(self) -> None:
        self.apply(facts.visibility(self.den.id, "ann", True))
        self.apply(facts.invite(self.den.id, "ann", self.bob))

        self.apply(facts.join(self.den.id, "bob"))
        self.apply(facts.join(self.den.id, "ann"))

        self.assertEqual(list(self.den.members), ["bob", "ann"])

    def test_no_more_enter_than_the_room_holds(self) -> None:
        self.apply(facts.join(self.den.id, "ann"))
        second = facts.join(self.den.id, "bob")
        second.most = 1

        self.too_late(TooMany, second)

    def test_who_is_put_out_is_not_invited_any_more(self) -> None:
        self.apply(facts.visibility(self.den.id, "ann", True))
        self.apply(facts.invite(self.den.id, "ann", self.bob))
        self.apply(facts.join(self.den.id, "bob"))

        self.apply(facts.kick(self.den.id, "ann", "bob"))

        self.assertEqual((self.den.members, self.den.invited), ({}, {}))
        self.assertEqual((self.bob.rooms, self.state.invitations), ({}, {}))

    def test_nobody_is_put_out_who_has_left(self) -> None:
        self.too_late(NotInRoom, facts.kick(self.den.id, "ann", "bob"))

    def test_an_account_that_is_away_is_invited(self) -> None:
        cid = self.account("cid")
        self.leave("cid")

        self.apply(facts.invite(self.den.id, "ann", cid))

        self.assertEqual(self.den.invited.keys(), {"cid"})

    def test_a_guest_who_has_gone_is_not_invited(self) -> None:
        self.leave("bob")

        self.too_late(NoSuchUser, facts.invite(self.den.id, "ann", self.bob))


class GuestsRoomTests(StateCase):
    """A guest's room lives while the guest is here or anybody is inside."""

    def test_it_goes_with_its_owner_if_nobody_is_inside(self) -> None:
        self.room(self.guest("ann"))

        self.leave("ann")

        self.assertEqual((self.state.rooms, self.state.owned), ({}, {}))

    def test_it_stays_while_somebody_is_inside_and_goes_with_the_last(self) -> None:
        room = self.room(self.guest("ann"))
        for key in ("bob", "cid"):
            self.guest(key)
            self.apply(facts.join(room.id, key))
        self.leave("ann", "bob")
        self.assertEqual(self.state.rooms, {"den": room})

        self.apply(facts.leave(room.id, "cid"))

        self.assertEqual(self.state.rooms, {})

    def test_it_stays_when_its_members_go_and_the_owner_is_here(self) -> None:
        room = self.room(self.guest("ann"))
        self.guest("bob")
        self.apply(facts.join(room.id, "bob"))

        self.leave("bob")

        self.assertEqual(self.state.rooms, {"den": room})

    def test_one_that_is_made_after_its_owner_has_gone_goes_at_once(self) -> None:
        ann = self.guest("ann")
        self.leave("ann")

        self.apply(facts.room(ann, "den"))

        self.assertEqual((self.state.rooms, self.state.owned), ({}, {}))

    def test_the_next_guest_of_that_nick_does_not_own_it(self) -> None:
        room = self.room(self.guest("ann"))
        self.guest("bob")
        self.apply(facts.join(room.id, "bob"))
        self.leave("ann")

        next_ann = self.guest("ann")

        self.assertNotEqual(room.owner, next_ann.identity)
        self.assertNotIn(next_ann.identity, self.state.owned)

    def test_it_does_not_become_the_next_guests_by_registering_either(self) -> None:
        room = self.room(self.guest("ann"))
        self.guest("bob")
        self.apply(facts.join(room.id, "bob"))
        self.leave("ann")

        self.account("ann")

        self.assertNotEqual(room.owner, "ann")
        self.leave("bob")
        self.assertEqual(self.state.rooms, {})

    def test_the_next_guest_of_a_nick_is_not_invited(self) -> None:
        room = self.room(self.guest("owner"), private=True)
        bob = self.guest("bob")
        self.apply(facts.invite(room.id, "owner", bob))
        self.leave("bob")

        self.guest("bob")

        self.assertEqual((room.invited, self.state.invitations), ({}, {}))
        self.too_late(PrivateRoom, facts.join(room.id, "bob"))

    def test_the_next_guest_of_a_nick_has_another_conversation(self) -> None:
        ann = self.account("ann")
        first = conversation(ann.identity, self.guest("bob").identity)
        self.leave("bob")

        second = conversation(ann.identity, self.guest("bob").identity)

        self.assertNotEqual(first, second)

    def test_a_conversation_is_the_same_from_both_sides(self) -> None:
        self.assertEqual(conversation("ann", "bob!2"), conversation("bob!2", "ann"))


class RecordTests(StateCase):
    def test_a_record_from_before_there_were_several_servers_is_read(self) -> None:
        ann = self.guest("ann")
        records = all_records(self.state)
        for _, record in records:
            for name in ("node", "secure", "spoke"):
                record.pop(name, None)

        again = restore(records).users["ann"]

        self.assertEqual((again.node, again.secure, again.spoke), ("", False, ann.ms))

    def test_a_state_is_restored_from_its_records(self) -> None:
        ann, bob = self.account("ann"), self.guest("bob")
        room = self.room(ann, private=True)
        self.apply(facts.invite(room.id, "ann", bob))
        self.apply(facts.join(room.id, "bob"))
        self.apply(facts.topic(room.id, "ann", "tea: green"))

        restored = restore(all_records(self.state))

        self.assertEqual(all_records(restored), all_records(self.state))
        again = restored.rooms["den"]
        self.assertEqual(again.members, {"bob": restored.users["bob"]})
        self.assertEqual(restored.users["bob"].rooms, {again.id: again})
        self.assertEqual(restored.invitations, {bob.identity: {again.id}})
        self.assertEqual((again.owner, again.kept, again.private), ("ann", True, True))
        self.assertEqual(restored.owned, {"ann": {again.id}})
        self.assertEqual(restored.dirty, set())

    def test_only_what_changed_is_taken_and_only_once(self) -> None:
        ann = self.guest("ann")
        take_dirty(self.state)
        room = self.room(ann)

        self.assertEqual(list(take_dirty(self.state)), [("room", room.id, "")])
        self.assertEqual(take_dirty(self.state), {})

    def test_what_is_no_more_is_taken_as_nothing(self) -> None:
        room = self.room(self.guest("ann"))
        self.apply(facts.join(room.id, "ann"))
        take_dirty(self.state)

        self.leave("ann")

        taken = take_dirty(self.state)
        self.assertIsNotNone(taken.pop(("departure", "1", "")))
        self.assertEqual(
            taken,
            {
                ("user", "ann", ""): None,
                ("member", room.id, "ann"): None,
                ("room", room.id, ""): None,
            },
        )

    def test_an_accounts_verifier_is_kept(self) -> None:
        self.state.add_account(Account("ann", "Ann", "ann", "argon"))

        restored = restore(all_records(self.state))

        self.assertEqual(restored.accounts["ann"].verifier, "argon")
