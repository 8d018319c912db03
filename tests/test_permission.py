"""What a room's modes and roles let somebody do: see it, enter it, speak in it, put others out."""

from __future__ import annotations

from chatservice.controller import lookup, modes, permission, requests
from chatservice.controller.entities import User
from chatservice.controller.errors import (
    BadKey,
    Banned,
    ChatError,
    Muted,
    NeedsAccount,
    NotInRoom,
    NotOwner,
    PrivateRoom,
    RoomFull,
)
from tests import facts
from tests.modes_case import ModesCase


class RankTests(ModesCase):
    def test_the_owner_stands_highest_without_a_role(self) -> None:
        self.assertEqual(permission.rank(self.den, self.ann), 5)
        self.assertEqual(permission.roles(self.den, self.ann), ["owner"])

    def test_the_highest_role_counts(self) -> None:
        self.give(modes.VOICE, self.bob)
        self.give(modes.OPERATOR, self.bob)

        self.assertEqual(permission.rank(self.den, self.bob), 3)
        self.assertEqual(permission.roles(self.den, self.bob), ["operator", "voice"])
        self.assertEqual(permission.rank(self.den, self.cid), 0)

    def test_roles_are_told_with_a_join(self) -> None:
        self.give(modes.HALFOP, self.eve)
        self.do(requests.leave, self.eve, "den")

        self.assertEqual(self.ask(requests.join, self.eve, "den").roles, ["halfop"])

    def test_operators_put_one_another_out_and_those_below_only_who_is_lower(self) -> None:
        self.give(modes.HALFOP, self.bob, self.cid)
        for one, other, may in (
            (self.ann, self.bob, True),
            (self.bob, self.ann, False),
            (self.bob, self.cid, False),
            (self.bob, self.eve, True),
            (self.eve, self.eve, False),
        ):
            self.assertEqual(permission.outranks(self.den, one, other), may)

        self.give(modes.OPERATOR, self.bob, self.cid)
        self.assertTrue(permission.outranks(self.den, self.bob, self.cid))
        self.assertFalse(permission.outranks(self.den, self.bob, self.ann))

    def test_only_owners_put_administrators_out(self) -> None:
        self.give(modes.ADMIN, self.bob, self.cid)
        self.give(modes.OWNER, self.eve)

        self.assertTrue(permission.outranks(self.den, self.ann, self.bob))
        self.assertTrue(permission.outranks(self.den, self.ann, self.eve))
        self.assertFalse(permission.outranks(self.den, self.bob, self.cid))


class EnteringTests(ModesCase):
    def enters(self, user: User, key: str = "") -> None:
        """Checks that somebody may enter the den, and that it fits when its turn comes."""
        self.apply(self.ask(requests.join, user, "den", key))
        self.apply(facts.leave(self.den.id, user.key))

    def is_kept_out(self, error: type[ChatError], user: User, key: str = "") -> None:
        """Checks that somebody may not, and not either if it changes while they ask."""
        self.refused(error, requests.join, user, "den", key)
        if error is not BadKey:
            self.too_late(error, facts.join(self.den.id, user.key))

    def test_a_key_is_asked_for(self) -> None:
        self.change(self.ann, (True, modes.KEY, "sesame"))

        self.is_kept_out(BadKey, self.dan)
        self.is_kept_out(BadKey, self.dan, "Sesame")
        self.enters(self.dan, "sesame")

    def test_a_room_has_a_limit_of_its_own(self) -> None:
        self.change(self.ann, (True, modes.LIMIT, "4"))

        self.is_kept_out(RoomFull, self.dan)
        self.change(self.ann, (True, modes.LIMIT, "5"))
        self.enters(self.dan)

    def test_who_is_banned_stays_out_unless_excepted(self) -> None:
        self.ban("d*!*@*")
        self.is_kept_out(Banned, self.dan)

        self.ban("dan", mode=modes.EXCEPTION)

        self.enters(self.dan)

    def test_a_mute_keeps_nobody_out(self) -> None:
        self.ban("m:dan")

        self.enters(self.dan)

    def test_a_ban_may_be_of_a_host_or_of_an_account(self) -> None:
        self.do(requests.leave, self.eve, "den")
        self.dan.host = "B.Example"
        self.ban("*@*.EXAMPLE", "a:EVE")

        self.is_kept_out(Banned, self.dan)
        self.is_kept_out(Banned, self.eve)

    def test_a_room_may_be_for_accounts(self) -> None:
        self.do(requests.leave, self.eve, "den")
        self.set(modes.ACCOUNTS_ENTER)

        self.is_kept_out(NeedsAccount, self.dan)
        self.enters(self.eve)

    def test_a_room_for_the_invited_may_have_standing_invitations(self) -> None:
        self.set(modes.INVITE_ONLY)
        self.is_kept_out(PrivateRoom, self.dan)

        self.ban("dan!*@*", mode=modes.INVITE_EXCEPTION)

        self.enters(self.dan)

    def test_who_is_invited_by_whoever_runs_it_enters_whatever_its_modes(self) -> None:
        self.set(modes.INVITE_ONLY, modes.ACCOUNTS_ENTER)
        self.change(self.ann, (True, modes.KEY, "sesame"), (True, modes.LIMIT, "1"))
        self.ban("*")
        self.is_kept_out(RoomFull, self.dan)

        self.give(modes.HALFOP, self.bob)
        self.do(requests.invite, self.bob, "den", "dan")

        self.enters(self.dan)

    def test_a_ban_that_is_younger_than_the_invitation_holds(self) -> None:
        self.do(requests.leave, self.eve, "den")
        self.set(modes.INVITE_ONLY)
        self.do(requests.invite, self.ann, "den", "eve")
        self.ban("m:*")
        self.enters(self.eve)

        self.ban("a:eve")

        self.is_kept_out(Banned, self.eve)
        self.do(requests.invite, self.ann, "den", "eve")
        self.enters(self.eve)

    def test_a_guests_invitation_is_as_old_when_it_is_an_accounts(self) -> None:
        self.set(modes.INVITE_ONLY)
        self.do(requests.invite, self.ann, "den", "dan")
        self.ban("dan")

        self.apply(facts.register("dan"))

        self.is_kept_out(Banned, self.dan)

    def test_who_runs_it_enters_whatever_its_modes(self) -> None:
        self.give(modes.HALFOP, self.eve)
        self.do(requests.leave, self.eve, "den")
        self.do(requests.leave, self.ann, "den")
        self.set(modes.INVITE_ONLY)
        self.change(self.ann, (True, modes.KEY, "sesame"), (True, modes.LIMIT, "1"))
        self.ban("*")

        self.enters(self.eve)
        self.enters(self.ann)

    def test_a_voice_opens_no_door(self) -> None:
        self.give(modes.VOICE, self.eve)
        self.do(requests.leave, self.eve, "den")
        self.ban("eve")

        self.is_kept_out(Banned, self.eve)


class SpeakingTests(ModesCase):
    def speaks(self, user: User, text: str = "hello") -> None:
        self.ask(requests.say_to_room, user, "den", text)

    def is_silent(self, error: type[ChatError], user: User, text: str = "hello") -> None:
        self.refused(error, requests.say_to_room, user, "den", text)

    def test_only_members_speak_unless_the_room_lets_others(self) -> None:
        self.is_silent(NotInRoom, self.dan)

        self.change(self.ann, (False, modes.NO_OUTSIDE, ""))

        self.speaks(self.dan)
        self.ask(requests.tag_room, self.dan, "den", {"+typing": "active"})
        self.refused(NotInRoom, requests.say_to_ranks, self.dan, "den", modes.VOICE, "hello")

    def test_a_stranger_is_silenced_as_members_are(self) -> None:
        self.change(self.ann, (False, modes.NO_OUTSIDE, ""))
        self.set(modes.MODERATED)

        self.is_silent(Muted, self.dan)

    def test_a_moderated_room_hears_those_with_a_role(self) -> None:
        self.set(modes.MODERATED)
        self.give(modes.VOICE, self.bob)

        self.speaks(self.ann)
        self.speaks(self.bob)
        self.is_silent(Muted, self.cid)
        self.refused(Muted, requests.tag_room, self.cid, "den", {"+typing": "active"})

    def test_a_room_may_hear_accounts_and_those_with_a_role(self) -> None:
        self.set(modes.ACCOUNTS_SPEAK)
        self.give(modes.VOICE, self.bob)

        self.speaks(self.eve)
        self.speaks(self.bob)
        self.is_silent(NeedsAccount, self.cid)

    def test_the_banned_and_the_muted_are_silent_inside(self) -> None:
        self.ban("bob", "m:a:eve")

        self.is_silent(Muted, self.bob)
        self.is_silent(Muted, self.eve)
        self.speaks(self.cid)

    def test_an_exception_and_a_voice_lift_a_mute(self) -> None:
        self.ban("m:*")
        self.ban("cid", mode=modes.EXCEPTION)
        self.give(modes.VOICE, self.bob)

        self.speaks(self.bob)
        self.speaks(self.cid)
        self.is_silent(Muted, self.eve)

    def test_clients_may_be_kept_from_questioning_one_another(self) -> None:
        self.set(modes.NO_CTCP)

        self.is_silent(Muted, self.ann, "\x01VERSION\x01")
        self.is_silent(Muted, self.bob, "\x01ACTIONS\x01")
        self.speaks(self.bob, "\x01ACTION waves\x01")

    def test_a_room_with_nothing_of_the_kind_is_not_looked_at_twice(self) -> None:
        self.assertFalse(self.den.guarded)
        for wanted in (
            (True, modes.MODERATED, ""),
            (True, modes.NO_CTCP, ""),
            (True, modes.ACCOUNTS_SPEAK, ""),
            (True, modes.BAN, "x"),
        ):
            self.change(self.ann, wanted)
            self.assertTrue(self.den.guarded, wanted)

            self.change(self.ann, (False, *wanted[1:]))
            self.assertFalse(self.den.guarded, wanted)


class SeeingTests(ModesCase):
    def test_a_secret_room_is_seen_by_those_it_concerns(self) -> None:
        self.set(modes.SECRET)

        seen = [
            user.nick for user in self.state.users.values() if permission.may_see(self.den, user)
        ]
        self.assertEqual(seen, ["Ann", "Bob", "Cid", "Eve"])
        self.refused(PrivateRoom, lookup.visible_room, self.dan, "den")

    def test_a_role_lets_an_account_see_it_from_outside(self) -> None:
        self.set(modes.SECRET)
        self.give(modes.VOICE, self.eve)
        self.do(requests.leave, self.eve, "den")

        self.assertTrue(permission.may_see(self.den, self.eve))

    def test_a_room_for_the_invited_is_no_secret_by_that(self) -> None:
        self.set(modes.INVITE_ONLY)

        self.assertTrue(permission.may_see(self.den, self.dan))
        self.assertTrue(self.den.private)

    def test_the_invisible_are_found_by_those_who_share_a_room_and_by_operators(self) -> None:
        self.bob.flags = frozenset({modes.INVISIBLE})

        self.assertTrue(lookup.may_find(self.ann, self.bob))
        self.assertTrue(lookup.may_find(self.bob, self.bob))
        self.assertFalse(lookup.may_find(self.dan, self.bob))
        self.assertTrue(lookup.may_find(self.dan, self.cid))
        self.dan.flags = frozenset({modes.SERVER_OPERATOR})
        self.assertTrue(lookup.may_find(self.dan, self.bob))

    def test_which_rooms_somebody_is_in_is_told_as_far_as_one_may_know(self) -> None:
        hall = self.room(self.bob, "hall")
        self.enter(hall, self.bob)
        self.set(modes.SECRET)

        def shown(user: User) -> list[str]:
            return [room.name for room in lookup.shown_rooms(user, self.bob)]

        self.assertEqual(shown(self.dan), ["Hall"])
        self.assertEqual(shown(self.ann), ["Den", "Hall"])
        self.bob.flags = frozenset({modes.INVISIBLE})
        self.assertEqual(shown(self.dan), [])
        self.assertEqual(shown(self.ann), ["Den"])
        self.assertEqual(shown(self.bob), ["Den", "Hall"])
        self.dan.flags = frozenset({modes.SERVER_OPERATOR})
        self.assertEqual(shown(self.dan), ["Den", "Hall"])


class RulingTests(ModesCase):
    """What those with a role may do who do not own the room."""

    def test_a_halfop_kicks_invites_and_sets_the_topic(self) -> None:
        self.give(modes.HALFOP, self.bob)

        self.do(requests.set_topic, self.bob, "den", "tea")
        self.do(requests.invite, self.bob, "den", "dan")
        self.do(requests.kick, self.bob, "den", "cid", "enough")

        self.refused(NotOwner, requests.set_visibility, self.bob, "den", True)
        self.refused(NotOwner, requests.kick, self.bob, "den", "ann")

    def test_an_operator_makes_it_private_and_does_not_remove_it(self) -> None:
        self.give(modes.OPERATOR, self.bob)

        self.do(requests.set_visibility, self.bob, "den", True)

        self.refused(NotOwner, requests.delete_room, self.bob, "den")
        self.refused(NotOwner, requests.transfer, self.bob, "den", "bob")

    def test_any_member_sets_a_topic_that_is_not_locked(self) -> None:
        self.refused(NotOwner, requests.set_topic, self.bob, "den", "tea")

        self.change(self.ann, (False, modes.TOPIC_LOCKED, ""))

        self.do(requests.set_topic, self.bob, "den", "tea")
        self.refused(NotOwner, requests.set_topic, self.dan, "den", "tea")

    def test_a_reason_is_cut_to_what_is_told(self) -> None:
        self.limit(phrase_bytes=5)

        self.assertEqual(self.ask(requests.kick, self.ann, "den", "bob", "ünfäir").reason, "ünf")
        self.assertEqual(self.ask(requests.leave, self.bob, "den", "goodbye").reason, "goodb")

    def test_who_is_put_out_has_no_role_any_more(self) -> None:
        self.give(modes.OPERATOR, self.bob, self.eve)
        self.ban("eve")

        self.do(requests.kick, self.bob, "den", "eve")

        self.assertEqual(self.den.roles, {self.bob.identity: {"operator"}})
        self.refused(Banned, requests.join, self.eve, "den")
