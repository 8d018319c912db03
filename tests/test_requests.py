"""Who may do what. Nothing is stored here, and nothing changes but by what the tests make true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chatservice.controller import lookup, requests
from chatservice.controller.entities import User
from chatservice.controller.errors import (
    AlreadyInRoom,
    BadArguments,
    BadNick,
    BadRoomName,
    ChatError,
    NickInUse,
    NoSuchRoom,
    NoSuchUser,
    NotInRoom,
    NotOwner,
    PrivateRoom,
    RoomExists,
    TooMany,
)
from chatservice.controller.events import Event, LoggedOut, RoomCreated
from chatservice.controller.names import Name
from chatservice.controller.permission import may_see
from chatservice.controller.policy import Policy
from tests import facts
from tests.test_state import StateCase

COCO_IN_CYRILLIC = "\u0441\u043e\u0441\u043e"


class RequestCase(StateCase):
    policy = Policy()

    def ask(self, request: Callable[..., Any], user: User, *arguments: object) -> Any:
        """Makes a request of a user's."""
        return request(self.state, self.policy, user, *arguments)

    def do(self, request: Callable[..., Any], user: User, *arguments: object) -> None:
        """Makes a request, and makes it true."""
        self.apply(self.ask(request, user, *arguments))

    def refused(
        self, error: type[ChatError], request: Callable[..., Any], user: User, *arguments: object
    ) -> str:
        """Checks that a request is refused; returns the words."""
        with self.assertRaises(error) as caught:
            self.ask(request, user, *arguments)
        return str(caught.exception)

    def name(self, nick: str) -> Name:
        """A nick, as the rules see it."""
        return self.policy.names.nick(nick)

    def limit(self, **limits: Any) -> None:
        """Sets limits."""
        self.policy = replace(self.policy, **limits)


class LogInTests(RequestCase):
    def log_in(self, nick: str, account: bool = False) -> Event:
        name = self.policy.names.nick(nick)
        return requests.log_in(self.state, self.policy, name, name if account else None)

    def test_a_free_nick_is_taken_as_it_is_written(self) -> None:
        event = self.log_in("Ann")

        self.assertEqual((event.actor, event.nick), ("ann", "Ann"))

    def test_a_nick_is_taken_in_whatever_case(self) -> None:
        self.guest("ann")

        self.assertRaises(NickInUse, self.log_in, "ANN")

    def test_a_nick_that_looks_like_one_is_taken(self) -> None:
        self.guest("coco")

        self.assertRaises(NickInUse, self.log_in, COCO_IN_CYRILLIC)

    def test_an_accounts_nick_needs_its_password(self) -> None:
        self.account("ann")
        self.leave("ann")

        self.assertRaises(NickInUse, self.log_in, "ann")
        self.assertEqual(self.log_in("ann", account=True).actor, "ann")

    def test_a_nick_is_registered_once(self) -> None:
        ann = self.account("ann")

        self.refused_account(NickInUse, ann)

    def refused_account(self, error: type[ChatError], user: User) -> None:
        self.assertRaises(error, requests.register, self.state, self.policy, user, "argon")

    def test_there_are_no_more_accounts_than_there_may_be(self) -> None:
        self.limit(accounts=2)
        self.account("ann")
        ben = self.guest("ben")
        requests.register(self.state, self.policy, ben, "argon")
        self.account("cleo")

        self.refused_account(TooMany, ben)
        self.refused(TooMany, requests.identify, ben, self.policy.names.nick("dora"))


class LogOutTests(RequestCase):
    def test_every_room_is_left_first(self) -> None:
        ann = self.guest("ann")
        for name in ("den", "hall"):
            self.apply(facts.join(self.room(ann, name).id, "ann"))

        *left, last = requests.log_out(ann, "bye")

        self.assertEqual([event.target for event in left], list(ann.rooms))
        self.assertIsInstance(last, LoggedOut)


class RoomCase(RequestCase):
    """Ann owns the public room `den` and the private `cave`; Bob is a stranger to both."""

    def setUp(self) -> None:
        super().setUp()
        self.ann, self.bob = self.guest("ann"), self.guest("bob")
        self.den = self.room(self.ann, "den")
        self.cave = self.room(self.ann, "cave", private=True)

    def enter(self, *users: User) -> None:
        """Puts users into the den."""
        for user in users:
            self.apply(facts.join(self.den.id, user.key))


class MakingTests(RoomCase):
    def make(self, user: User, name: str, private: bool = False) -> RoomCreated:
        event: RoomCreated = self.ask(requests.create_room, user, name, private)
        return event

    def make_true(self, name: str) -> None:
        self.apply(self.make(self.bob, name))

    def test_a_room_is_its_makers(self) -> None:
        event = self.make(self.bob, "Hall", private=True)

        self.assertEqual((event.room, event.key), ("Hall", "hall"))
        self.assertEqual((event.owner, event.private, event.kept), (self.bob.identity, True, False))

    def test_an_accounts_room_is_kept(self) -> None:
        self.assertTrue(self.make(self.account("cid"), "hall").kept)

    def test_a_name_is_taken_in_whatever_case_and_by_what_looks_like_it(self) -> None:
        self.refused(RoomExists, requests.create_room, self.bob, "DEN", False)
        self.make_true("coco")
        self.refused(RoomExists, requests.create_room, self.bob, COCO_IN_CYRILLIC, False)

    def test_a_name_must_be_one(self) -> None:
        self.refused(BadRoomName, requests.create_room, self.bob, "two words", False)
        self.refused(BadRoomName, requests.create_room, self.bob, "", False)

    def test_one_may_own_so_many(self) -> None:
        self.limit(rooms_owned_per_user=2)

        words = self.refused(TooMany, requests.create_room, self.ann, "third", False)

        self.assertIn("2", words)
        self.make(self.bob, "third")

    def test_there_may_be_so_many(self) -> None:
        self.limit(rooms=2)

        self.refused(TooMany, requests.create_room, self.bob, "third", False)
        self.assertEqual(self.state.rooms.keys(), {"den", "cave"})

    def test_a_limit_of_zero_is_none(self) -> None:
        self.limit(rooms=0, rooms_owned_per_user=0)

        self.make(self.ann, "third")


class OwnersTests(RoomCase):
    """What only a room's owner may do."""

    def test_nobody_else_may(self) -> None:
        self.enter(self.bob)

        self.refused(NotOwner, requests.delete_room, self.bob, "den")
        self.refused(NotOwner, requests.set_visibility, self.bob, "den", True)
        self.refused(NotOwner, requests.transfer, self.bob, "den", "bob")
        self.refused(NotOwner, requests.kick, self.bob, "den", "ann")
        self.refused(NotOwner, requests.set_topic, self.bob, "den", "tea")

    def test_there_must_be_such_a_room(self) -> None:
        self.refused(NoSuchRoom, requests.delete_room, self.ann, "hall")
        self.refused(NoSuchRoom, requests.set_visibility, self.ann, "hall", True)
        self.refused(NoSuchRoom, requests.invite, self.ann, "hall", "bob")
        self.refused(NoSuchRoom, requests.kick, self.ann, "hall", "bob")
        self.refused(NoSuchRoom, requests.set_topic, self.ann, "hall", "tea")

    def test_the_next_guest_of_the_owners_nick_may_not(self) -> None:
        self.enter(self.bob)
        self.leave("ann")

        next_ann = self.guest("ann")

        self.refused(NotOwner, requests.delete_room, next_ann, "den")

    def test_the_owner_need_not_be_inside(self) -> None:
        self.assertEqual(self.ask(requests.delete_room, self.ann, "DEN").target, self.den.id)

    def test_a_topic_is_a_text(self) -> None:
        self.limit(text_bytes=10)

        self.refused(BadArguments, requests.set_topic, self.ann, "den", "two\nlines")
        self.refused(BadArguments, requests.set_topic, self.ann, "den", "x" * 11)
        self.assertEqual(self.ask(requests.set_topic, self.ann, "den", "").text, "")


class InvitingTests(RoomCase):
    def test_somebody_who_is_here_is_invited(self) -> None:
        event = self.ask(requests.invite, self.ann, "cave", "BOB")

        self.assertEqual((event.guest, event.guest_nick), (self.bob.identity, "Bob"))

    def test_an_account_that_is_away_is_invited(self) -> None:
        self.account("cid")
        self.leave("cid")

        self.assertEqual(self.ask(requests.invite, self.ann, "cave", "cid").guest, "cid")

    def test_nobody_else_is(self) -> None:
        self.leave("bob")

        self.refused(NoSuchUser, requests.invite, self.ann, "cave", "bob")

    def test_any_member_invites_into_a_public_room(self) -> None:
        self.guest("cid")
        self.refused(NotOwner, requests.invite, self.bob, "den", "cid")
        self.enter(self.bob)

        event = self.ask(requests.invite, self.bob, "den", "cid")

        self.assertEqual((event.guest_key, event.guest_nick), ("cid", "Cid"))

    def test_who_does_not_run_a_room_opens_nothing_by_inviting(self) -> None:
        self.guest("cid")
        self.enter(self.bob)
        self.do(requests.invite, self.bob, "den", "cid")
        self.assertEqual(self.den.invited, {})

        self.do(requests.set_visibility, self.ann, "den", True)

        self.refused(PrivateRoom, requests.join, self.state.users["cid"], "den")

    def test_who_does_not_run_a_room_brings_nobody_in(self) -> None:
        self.guest("cid")
        self.enter(self.bob)
        invited = self.ask(requests.invite, self.bob, "den", "cid")

        self.assertRaises(NotOwner, requests.bring_in, self.state, self.policy, invited)

    def test_a_mere_member_does_not_invite_into_a_private_room(self) -> None:
        self.do(requests.invite, self.ann, "cave", "bob")
        self.do(requests.join, self.bob, "cave")

        self.refused(NotOwner, requests.invite, self.bob, "cave", "ann")

    def test_who_is_inside_is_not_invited(self) -> None:
        self.enter(self.bob)

        self.refused(AlreadyInRoom, requests.invite, self.ann, "den", "bob")

    def test_so_many_are_invited_and_those_who_are_may_be_again(self) -> None:
        self.limit(invitations_per_room=1)
        self.do(requests.invite, self.ann, "cave", "bob")
        self.guest("cid")

        self.refused(TooMany, requests.invite, self.ann, "cave", "cid")
        self.do(requests.invite, self.ann, "cave", "bob")

    def test_who_is_brought_in_must_be_here(self) -> None:
        self.account("cid")
        self.leave("cid")
        invited = self.ask(requests.invite, self.ann, "cave", "cid")

        self.assertRaises(NoSuchUser, requests.bring_in, self.state, self.policy, invited)

    def test_who_is_brought_in_must_have_a_place(self) -> None:
        self.limit(members_per_room=1)
        self.enter(self.ann)
        invited = self.ask(requests.invite, self.ann, "den", "bob")

        self.assertRaises(TooMany, requests.bring_in, self.state, self.policy, invited)

    def test_who_is_put_out_must_be_inside(self) -> None:
        self.refused(NotInRoom, requests.kick, self.ann, "den", "bob")
        self.refused(NoSuchUser, requests.kick, self.ann, "den", "nobody")


class EnteringTests(RoomCase):
    def test_a_public_room_is_anybodys(self) -> None:
        self.assertEqual(self.ask(requests.join, self.bob, "Den").target, self.den.id)

    def test_a_private_room_is_its_owners_and_the_invited(self) -> None:
        self.refused(PrivateRoom, requests.join, self.bob, "cave")
        self.do(requests.join, self.ann, "cave")
        self.do(requests.invite, self.ann, "cave", "bob")

        self.do(requests.join, self.bob, "cave")

        self.assertEqual(list(self.cave.members), ["ann", "bob"])

    def test_an_invitation_is_not_the_next_guests(self) -> None:
        self.do(requests.invite, self.ann, "cave", "bob")
        self.leave("bob")

        next_bob = self.guest("bob")

        self.refused(PrivateRoom, requests.join, next_bob, "cave")

    def test_an_invitation_ends_with_being_put_out(self) -> None:
        self.do(requests.invite, self.ann, "cave", "bob")
        self.do(requests.join, self.bob, "cave")
        self.do(requests.kick, self.ann, "cave", "bob")

        self.refused(PrivateRoom, requests.join, self.bob, "cave")

    def test_one_enters_once_and_leaves_once(self) -> None:
        self.do(requests.join, self.bob, "den")
        self.refused(AlreadyInRoom, requests.join, self.bob, "den")
        self.do(requests.leave, self.bob, "den")

        self.refused(NotInRoom, requests.leave, self.bob, "den")

    def test_who_is_inside_stays_when_the_room_becomes_private(self) -> None:
        self.enter(self.bob)

        self.do(requests.set_visibility, self.ann, "den", True)

        self.assertEqual(list(self.den.members), ["bob"])
        self.ask(requests.say_to_room, self.bob, "den", "still here")

    def test_a_room_holds_so_many(self) -> None:
        self.limit(members_per_room=1)
        self.enter(self.ann)

        self.refused(TooMany, requests.join, self.bob, "den")

    def test_one_is_in_so_many(self) -> None:
        self.limit(rooms_per_user=1)
        self.enter(self.bob)
        self.room(self.ann, "hall")

        self.assertIn("1", self.refused(TooMany, requests.join, self.bob, "hall"))

    def test_a_limit_of_zero_is_none(self) -> None:
        self.limit(members_per_room=0, rooms_per_user=0)
        self.enter(self.ann)

        self.ask(requests.join, self.bob, "den")


class SeeingTests(RoomCase):
    def sees(self, user: User) -> list[str]:
        return [room.name for room in self.state.rooms.values() if may_see(room, user)]

    def test_strangers_see_public_rooms(self) -> None:
        self.assertEqual(self.sees(self.bob), ["Den"])
        self.refused(PrivateRoom, lookup.visible_room, self.bob, "cave")

    def test_a_private_room_is_seen_by_its_owner_its_members_and_the_invited(self) -> None:
        self.assertEqual(self.sees(self.ann), ["Den", "Cave"])
        self.do(requests.invite, self.ann, "cave", "bob")
        self.assertEqual(self.sees(self.bob), ["Den", "Cave"])

        self.enter(self.bob)
        self.do(requests.set_visibility, self.ann, "den", True)

        self.assertEqual(self.sees(self.bob), ["Den", "Cave"])
        self.assertEqual(self.sees(self.guest("cid")), [])


class TalkingTests(RoomCase):
    def test_members_talk(self) -> None:
        self.enter(self.bob)

        event = self.ask(requests.say_to_room, self.bob, "DEN", "hello: all")

        self.assertEqual((event.target, event.room), (self.den.id, "Den"))
        self.assertEqual((event.actor, event.nick, event.text), ("bob", "Bob", "hello: all"))

    def test_others_do_not_not_even_the_owner(self) -> None:
        self.refused(NotInRoom, requests.say_to_room, self.ann, "den", "hello")

    def test_one_talks_to_somebody_who_is_here(self) -> None:
        event = self.ask(requests.say_to_user, self.ann, "BOB", "psst")

        self.assertEqual((event.to, event.to_nick), ("bob", "Bob"))
        self.leave("bob")
        self.refused(NoSuchUser, requests.say_to_user, self.ann, "bob", "psst")

    def test_both_sides_find_one_conversation(self) -> None:
        said = self.ask(requests.say_to_user, self.ann, "bob", "psst")

        _, from_ann = self.ask(requests.conversation_with, self.ann, "bob")
        _, from_bob = self.ask(requests.conversation_with, self.bob, "ann")

        self.assertEqual({said.target, from_ann, from_bob}, {said.target})

    def test_the_next_guest_of_a_nick_finds_another(self) -> None:
        _, before = self.ask(requests.conversation_with, self.ann, "bob")
        self.leave("bob")
        self.guest("bob")

        _, after = self.ask(requests.conversation_with, self.ann, "bob")

        self.assertNotEqual(before, after)

    def test_a_conversation_with_an_account_that_is_away_is_found(self) -> None:
        self.account("cid")
        _, here = self.ask(requests.conversation_with, self.ann, "cid")
        self.leave("cid")

        shown, away = self.ask(requests.conversation_with, self.ann, "CID")

        self.assertEqual((shown, away), ("Cid", here))

    def test_a_conversation_with_nobody_is_not(self) -> None:
        self.refused(NoSuchUser, requests.conversation_with, self.ann, "nobody")

    def test_there_must_be_something_to_say(self) -> None:
        self.enter(self.ann)

        self.refused(BadArguments, requests.say_to_room, self.ann, "den", "")
        self.refused(BadArguments, requests.say_to_user, self.ann, "bob", "")

    def test_a_text_holds_nothing_that_no_dialect_could_carry(self) -> None:
        self.enter(self.ann)

        for text in ("a\0b", "a\rb", "a\nb", "a\ud800b", "\udfff"):
            self.refused(BadArguments, requests.say_to_room, self.ann, "den", text)
            self.refused(BadArguments, requests.say_to_user, self.ann, "bob", text)

    def test_a_text_is_so_many_bytes_long_not_characters(self) -> None:
        self.limit(text_bytes=8)
        self.enter(self.ann)

        for fits in ("x" * 8, "é" * 4, "\U0001f600" * 2):
            self.ask(requests.say_to_room, self.ann, "den", fits)
        for too_long in ("x" * 9, "é" * 4 + "x", "\U0001f600" * 2 + "x"):
            self.refused(BadArguments, requests.say_to_room, self.ann, "den", too_long)

    def test_a_nick_that_cannot_be_one_is_nobodys(self) -> None:
        self.refused(NoSuchUser, requests.say_to_user, self.ann, "two words", "psst")
        self.assertRaises(BadNick, self.policy.names.nick, "two words")
