"""Setting and clearing modes: who may, which values can be, and what of it is kept."""

from __future__ import annotations

from chatservice.controller import modes, requests
from chatservice.controller.errors import (
    BadArguments,
    NoSuchRoom,
    NoSuchUser,
    NotInRoom,
    NotOperator,
    NotRoomOperator,
    TooMany,
)
from chatservice.controller.events import ModeChange, ModesChanged
from chatservice.controller.records import restore
from tests import facts
from tests.modes_case import ModesCase
from tests.test_state import all_records


class FlagTests(ModesCase):
    def test_a_new_room_keeps_strangers_silent_and_its_topic_locked(self) -> None:
        self.assertEqual(self.den.flags, {"no_outside", "topic_locked"})

    def test_they_are_set_and_cleared(self) -> None:
        self.change(self.ann, (True, modes.MODERATED, ""), (False, modes.NO_OUTSIDE, ""))

        self.assertEqual(self.den.flags, {"moderated", "topic_locked"})

    def test_what_is_so_already_is_no_change(self) -> None:
        event, refused = self.ask(
            requests.change_modes,
            self.ann,
            "den",
            [(True, modes.NO_OUTSIDE, ""), (False, modes.MODERATED, ""), (False, modes.KEY, "x")],
        )

        self.assertEqual((event, refused), (None, []))

    def test_they_take_an_operator(self) -> None:
        self.give(modes.HALFOP, self.bob)
        self.assertEqual(self.change(self.bob, (True, modes.MODERATED, "")), [NotRoomOperator])

        self.give(modes.OPERATOR, self.bob)

        self.assertEqual(self.change(self.bob, (True, modes.MODERATED, "")), [])

    def test_private_is_two_of_them(self) -> None:
        self.do(requests.set_visibility, self.ann, "den", True)
        self.assertLessEqual({"invite_only", "secret"}, self.den.flags)

        self.do(requests.set_visibility, self.ann, "den", False)

        self.assertEqual(self.den.flags, modes.NEW_ROOM)

    def test_there_must_be_such_a_room(self) -> None:
        self.refused(NoSuchRoom, requests.change_modes, self.ann, "attic", [])


class ValueTests(ModesCase):
    def test_they_are_set_changed_and_cleared(self) -> None:
        self.room(self.ann, "hall")
        self.change(
            self.ann,
            (True, modes.KEY, "sesame"),
            (True, modes.LIMIT, "007"),
            (True, modes.FORWARD, "HALL"),
        )
        self.assertEqual(self.den.values, {"key": "sesame", "limit": "7", "forward": "Hall"})

        self.change(self.ann, (True, modes.KEY, "other"), (False, modes.LIMIT, ""))
        self.change(self.ann, (False, modes.FORWARD, ""))

        self.assertEqual(self.den.values, {"key": "other"})

    def test_what_is_cleared_is_told(self) -> None:
        self.change(self.ann, (True, modes.KEY, "sesame"))

        event, _ = self.ask(requests.change_modes, self.ann, "den", [(False, modes.KEY, "guess")])

        self.assertEqual(event.changes, [ModeChange(False, "key", "sesame")])

    def test_a_key_is_a_word(self) -> None:
        for key in ("", "a b", "a,b", "a:b", "a\x07", "x" * 33, "é" * 17):
            self.assertEqual(self.change(self.ann, (True, modes.KEY, key)), [BadArguments], key)
        self.assertEqual(self.change(self.ann, (True, modes.KEY, "é" * 16)), [])

    def test_a_limit_is_a_number(self) -> None:
        for limit in ("", "0", "-1", "1.5", "many", "²", "1000001", "9" * 5000):
            self.assertEqual(self.change(self.ann, (True, modes.LIMIT, limit)), [BadArguments])
        self.assertEqual(self.change(self.ann, (True, modes.LIMIT, "1000000")), [])

    def test_one_forwards_to_another_room_that_one_runs(self) -> None:
        self.room(self.bob, "hall")

        for room, error in (
            ("attic", NoSuchRoom),
            ("den", BadArguments),
            ("hall", NotRoomOperator),
        ):
            self.assertEqual(self.change(self.ann, (True, modes.FORWARD, room)), [error])


class ListTests(ModesCase):
    def test_a_mask_is_kept_in_its_one_spelling_with_who_put_it_there_and_when(self) -> None:
        self.change(self.ann, (True, modes.BAN, "BOB"))

        [(mask, listed)] = self.den.lists["ban"].items()
        self.assertEqual((mask, listed.nick), ("bob!*@*", "Ann"))
        self.assertEqual(listed.ms, self._last * 1000)

    def test_a_mask_is_there_once_and_the_last_one_takes_the_list_along(self) -> None:
        self.change(self.ann, (True, modes.BAN, "bob"), (True, modes.BAN, "bob!*@*"))
        first = self.den.lists["ban"]["bob!*@*"]
        self.apply(ModesChanged(target=self.den.id, changes=[ModeChange(True, "ban", "bob!*@*")]))
        self.assertEqual(self.den.lists, {"ban": {"bob!*@*": first}})

        self.change(self.ann, (False, modes.BAN, "bob"))

        self.assertEqual(self.den.lists, {})

    def test_a_halfop_bans_and_excepts_nobody(self) -> None:
        self.give(modes.HALFOP, self.bob)

        refused = self.change(
            self.bob,
            (True, modes.BAN, "x"),
            (True, modes.EXCEPTION, "x"),
            (True, modes.INVITE_EXCEPTION, "x"),
        )

        self.assertEqual(refused, [NotRoomOperator, NotRoomOperator])
        self.assertEqual(list(self.den.lists), ["ban"])

    def test_there_are_so_many_of_them_however_they_come(self) -> None:
        self.limit(masks_per_room=2)

        refused = self.change(
            self.ann,
            (True, modes.BAN, "a"),
            (True, modes.EXCEPTION, "b"),
            (True, modes.BAN, "c"),
            (False, modes.BAN, "a"),
            (True, modes.BAN, "d"),
        )

        self.assertEqual(refused, [TooMany])
        self.assertEqual(list(self.den.lists["ban"]), ["d!*@*"])

    def test_what_is_no_mask_is_refused_and_the_rest_is_done(self) -> None:
        event, [(place, error)] = self.ask(
            requests.change_modes,
            self.ann,
            "den",
            [(True, modes.BAN, "a"), (True, modes.BAN, "a b"), (True, modes.BAN, "c")],
        )

        self.assertEqual((place, type(error)), (1, BadArguments))
        self.assertEqual([change.value for change in event.changes], ["a!*@*", "c!*@*"])


class RoleTests(ModesCase):
    def test_each_takes_a_role_to_give_and_to_take(self) -> None:
        for role, least in (
            (modes.OWNER, modes.OWNER),
            (modes.ADMIN, modes.OWNER),
            (modes.OPERATOR, modes.OPERATOR),
            (modes.HALFOP, modes.OPERATOR),
            (modes.VOICE, modes.HALFOP),
        ):
            below = modes.ROLES[modes.ROLES.index(least) + 1]
            self.give(below, self.bob)
            self.assertEqual(self.change(self.bob, (True, role, "cid")), [NotRoomOperator], role)
            self.give(least, self.bob)
            self.assertEqual(self.change(self.bob, (True, role, "cid")), [], role)
            self.assertEqual(self.change(self.bob, (False, role, "cid")), [], role)
            self.change(self.ann, (False, below, "bob"), (False, least, "bob"))
        self.assertEqual(self.den.roles, {})

    def test_nobody_takes_from_who_stands_higher(self) -> None:
        self.give(modes.OPERATOR, self.bob, self.cid)
        self.give(modes.ADMIN, self.cid)

        self.assertEqual(self.change(self.bob, (False, modes.OPERATOR, "cid")), [NotRoomOperator])
        self.assertEqual(self.change(self.bob, (False, modes.OPERATOR, "ann")), [NotRoomOperator])

    def test_anybody_gives_up_what_they_have(self) -> None:
        self.give(modes.VOICE, self.bob)

        self.assertEqual(self.change(self.bob, (False, modes.VOICE, "bob")), [])
        self.assertEqual(self.change(self.ann, (False, modes.OWNER, "ann")), [])

        self.assertEqual((self.den.roles, self.den.owner), ({}, self.ann.identity))

    def test_what_one_gives_up_counts_at_once(self) -> None:
        self.give(modes.OPERATOR, self.bob)

        refused = self.change(self.bob, (False, modes.OPERATOR, "bob"), (True, modes.VOICE, "cid"))

        self.assertEqual(refused, [NotRoomOperator])
        self.assertEqual(self.den.roles, {})

    def test_they_are_for_those_inside(self) -> None:
        self.assertEqual(self.change(self.ann, (True, modes.VOICE, "dan")), [NotInRoom])
        self.assertEqual(self.change(self.ann, (False, modes.VOICE, "dan")), [NotInRoom])
        self.assertEqual(self.change(self.ann, (True, modes.VOICE, "nobody")), [NoSuchUser])

    def test_an_account_keeps_its_own_while_it_is_away_and_loses_them_then_too(self) -> None:
        self.give(modes.VOICE, self.eve)
        self.leave("eve")
        self.assertEqual(self.den.roles, {"eve": {"voice"}})

        self.assertEqual(self.change(self.ann, (False, modes.OPERATOR, "eve")), [NotInRoom])
        self.assertEqual(self.change(self.ann, (False, modes.VOICE, "eve")), [])

        self.assertEqual(self.den.roles, {})

    def test_a_guests_end_with_leaving(self) -> None:
        self.give(modes.OPERATOR, self.bob)

        self.do(requests.leave, self.bob, "den")

        self.assertEqual(self.den.roles, {})

    def test_a_guest_who_left_while_one_was_being_given_has_none(self) -> None:
        event, _ = self.ask(requests.change_modes, self.ann, "den", [(True, modes.VOICE, "bob")])
        self.do(requests.leave, self.bob, "den")

        self.apply(event)

        self.assertEqual(self.den.roles, {})

    def test_so_many_have_one(self) -> None:
        self.limit(roles_per_room=1)
        self.give(modes.VOICE, self.bob)

        self.assertEqual(self.change(self.ann, (True, modes.VOICE, "cid")), [TooMany])
        self.assertEqual(self.change(self.ann, (True, modes.OPERATOR, "bob")), [])

    def test_all_connections_of_an_account_have_its_roles(self) -> None:
        self.apply(requests.log_in(self.state, self.policy, self.name("eva"), self.name("eve")))
        self.enter(self.den, self.state.users["eva"])

        self.give(modes.VOICE, self.state.users["eva"])

        self.assertEqual(self.den.roles, {"eve": {"voice"}})
        self.assertEqual(self.change(self.ann, (False, modes.VOICE, "eve")), [])


class ChangeTests(ModesCase):
    def test_each_is_made_with_what_the_ones_before_have_done(self) -> None:
        self.change(self.ann, (True, modes.BAN, "a"), (False, modes.BAN, "a"))
        self.change(self.ann, (True, modes.MODERATED, ""), (False, modes.MODERATED, ""))
        self.change(self.ann, (True, modes.KEY, "a"), (True, modes.KEY, "b"))

        self.assertEqual((self.den.lists, self.den.flags), ({}, modes.NEW_ROOM))
        self.assertEqual(self.den.values, {"key": "b"})

    def test_asking_changes_nothing(self) -> None:
        before = all_records(self.state)

        self.ask(
            requests.change_modes,
            self.ann,
            "den",
            [(True, modes.BAN, "a"), (True, modes.KEY, "k"), (True, modes.VOICE, "bob")],
        )

        self.assertEqual(all_records(self.state), before)

    def test_a_room_that_is_gone_has_none(self) -> None:
        event, _ = self.ask(requests.change_modes, self.ann, "den", [(True, modes.SECRET, "")])
        self.apply(facts.delete(self.den.id, "ann"))

        self.too_late(NoSuchRoom, event)

    def test_all_of_it_outlives_a_restart(self) -> None:
        self.room(self.ann, "hall")
        self.set(modes.MODERATED, modes.SECRET)
        self.ban("bob", "m:a:eve")
        self.give(modes.ADMIN, self.eve)
        self.change(self.ann, (True, modes.KEY, "k"), (True, modes.FORWARD, "hall"))

        again = restore(all_records(self.state)).rooms["den"]

        self.assertEqual(
            (again.flags, again.values, again.lists, again.roles, again.guarded),
            (self.den.flags, self.den.values, self.den.lists, {"eve": {"admin"}}, True),
        )


class UserFlagTests(ModesCase):
    def test_they_are_set_and_cleared(self) -> None:
        self.apply_flags((True, modes.BOT), (True, modes.INVISIBLE))
        self.apply_flags((False, modes.BOT))

        self.assertEqual(self.bob.flags, {"invisible"})

    def apply_flags(self, *changes: tuple[bool, str]) -> None:
        event = requests.change_user_flag(self.bob, changes)
        assert event is not None
        self.apply(event)

    def test_what_is_so_already_is_no_change(self) -> None:
        self.assertIsNone(requests.change_user_flag(self.bob, [(False, modes.BOT)]))

    def test_nobody_makes_themselves_an_operator_of_the_server(self) -> None:
        self.assertRaises(
            NotOperator, requests.change_user_flag, self.bob, [(True, modes.SERVER_OPERATOR)]
        )

    def test_who_is_one_may_stop_being_it(self) -> None:
        self.bob.flags = frozenset({modes.SERVER_OPERATOR})

        self.apply_flags((False, modes.SERVER_OPERATOR))

        self.assertEqual(self.bob.flags, set())
