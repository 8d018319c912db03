"""Being called something else, and what users say of themselves."""

from __future__ import annotations

from chatservice.controller import modes, requests
from chatservice.controller.entities import User
from chatservice.controller.errors import BadArguments, BadNick, NickInUse, NotInRoom, NotLoggedIn
from chatservice.controller.events import AwayChanged, NickChanged
from chatservice.controller.records import restore, take_dirty
from tests import facts
from tests.test_requests import COCO_IN_CYRILLIC, RequestCase
from tests.test_state import all_records


class NickCase(RequestCase):
    def setUp(self) -> None:
        super().setUp()
        self.ann, self.bob = self.guest("ann"), self.guest("bob")

    def rename(self, user: User, nick: str) -> None:
        self.do(requests.change_nick, user, nick)


class NickTests(NickCase):
    def test_a_guest_is_the_same_by_any_nick(self) -> None:
        identity = self.ann.identity
        room = self.room(self.ann, "den", private=True)
        self.do(requests.join, self.ann, "den")
        self.do(requests.invite, self.ann, "den", "bob")

        self.rename(self.ann, "Zoe")
        self.rename(self.bob, "ann")

        self.assertEqual((self.ann.nick, self.ann.key, self.ann.identity), ("Zoe", "zoe", identity))
        self.assertEqual(room.members, {"zoe": self.ann})
        self.do(requests.join, self.bob, "den")
        self.do(requests.delete_room, self.ann, "den")

    def test_the_next_of_that_nick_is_somebody_else(self) -> None:
        room = self.room(self.ann, "den")
        self.rename(self.ann, "zoe")

        next_ann = self.guest("ann")

        self.assertNotEqual(next_ann.identity, self.ann.identity)
        self.assertEqual(self.state.identities[self.ann.identity], {"zoe"})
        self.assertEqual(room.owner, self.ann.identity)
        self.leave("zoe")
        self.assertEqual(self.state.rooms, {})

    def test_nothing_is_left_behind_when_a_renamed_guest_goes(self) -> None:
        self.room(self.ann, "den")
        self.rename(self.ann, "zoe")

        self.leave("zoe", "bob")

        self.assertEqual((self.state.users, self.state.identities), ({}, {}))
        self.assertEqual((self.state.rooms, self.state.nick_skeletons), ({}, {}))

    def test_another_way_to_write_it_is_the_same_nick(self) -> None:
        self.rename(self.ann, "ANN")

        self.assertEqual(
            (self.ann.nick, self.state.users), ("ANN", {"ann": self.ann, "bob": self.bob})
        )
        self.assertEqual(self.state.departures, {})

    def test_a_nick_that_somebody_has_is_taken(self) -> None:
        self.refused(NickInUse, requests.change_nick, self.ann, "BOB")
        late = self.ask(requests.change_nick, self.ann, "zoe")
        self.rename(self.bob, "Zoe")

        self.too_late(NickInUse, late)

    def test_so_is_one_that_looks_like_it_and_it_is_free_when_they_have_another(self) -> None:
        self.rename(self.bob, "coco")
        self.refused(NickInUse, requests.change_nick, self.ann, COCO_IN_CYRILLIC)
        self.rename(self.bob, "zoe")

        self.rename(self.ann, COCO_IN_CYRILLIC)

        self.assertEqual(self.state.nick_skeletons, {"zoe": "zoe", "coco": COCO_IN_CYRILLIC})

    def test_ones_own_nick_may_be_written_in_another_alphabet(self) -> None:
        self.rename(self.bob, "coco")

        self.rename(self.bob, COCO_IN_CYRILLIC)
        self.rename(self.bob, "coco")

        self.assertEqual(self.state.nick_skeletons, {"ann": "ann", "coco": "coco"})

    def test_an_accounts_nick_may_not(self) -> None:
        self.rename(self.bob, "coco")
        self.apply(requests.register(self.state, self.policy, self.bob, "argon"))

        self.refused(NickInUse, requests.change_nick, self.bob, COCO_IN_CYRILLIC)
        self.too_late(
            NickInUse,
            NickChanged(
                actor="coco",
                nick="coco",
                new_nick=COCO_IN_CYRILLIC,
                new_key=COCO_IN_CYRILLIC,
                new_skeleton="coco",
            ),
        )

    def test_an_accounts_nick_is_for_those_who_are_logged_in_to_it(self) -> None:
        self.apply(facts.register("ann"))
        self.rename(self.ann, "away")
        self.refused(NickInUse, requests.change_nick, self.bob, "ann")

        self.rename(self.ann, "Ann")

        self.assertEqual((self.ann.nick, self.ann.account), ("Ann", "ann"))
        self.assertEqual(self.state.nick_skeletons, {"ann": "ann", "bob": "bob"})

    def test_an_accounts_look_is_not_given_up_with_the_nick(self) -> None:
        self.apply(facts.register("ann"))

        self.rename(self.ann, "away")

        self.assertEqual(self.state.nick_skeletons, {"ann": "ann", "away": "away", "bob": "bob"})

    def test_it_must_be_one(self) -> None:
        self.refused(BadNick, requests.change_nick, self.ann, "two words")

    def test_who_is_gone_is_called_nothing(self) -> None:
        late = self.ask(requests.change_nick, self.ann, "zoe")
        self.leave("ann")

        self.too_late(NotLoggedIn, late)

    def test_who_is_kicked_by_an_old_nick_is_not(self) -> None:
        room = self.room(self.ann, "den")
        self.do(requests.join, self.bob, "den")
        late = self.ask(requests.kick, self.ann, "den", "bob")
        self.rename(self.bob, "zoe")

        self.too_late(NotInRoom, late)
        self.assertEqual(list(room.members), ["zoe"])

    def test_a_role_is_the_users_not_the_nicks(self) -> None:
        room = self.room(self.ann, "den")
        self.do(requests.join, self.bob, "den")
        late, _ = self.ask(requests.change_modes, self.ann, "den", [(True, modes.VOICE, "bob")])
        self.rename(self.bob, "zoe")

        self.apply(late)

        self.assertEqual(room.roles, {self.bob.identity: {"voice"}})

    def test_only_what_it_touches_is_stored_again(self) -> None:
        room = self.room(self.ann, "den")
        self.do(requests.join, self.ann, "den")
        take_dirty(self.state)

        self.rename(self.ann, "zoe")

        taken = take_dirty(self.state)
        gone = {key for key, record in taken.items() if record is None}
        self.assertEqual(gone, {("user", "ann", ""), ("member", room.id, "ann")})
        self.assertEqual(
            set(taken) - gone,
            {("user", "zoe", ""), ("member", room.id, "zoe"), ("departure", "1", "")},
        )


class SelfTests(NickCase):
    """What users say of themselves."""

    def test_somebody_is_away_and_back(self) -> None:
        self.do(requests.set_away, self.ann, "tea")
        self.assertEqual(self.ann.away, "tea")

        self.do(requests.set_away, self.ann, "")

        self.assertEqual(self.ann.away, "")

    def test_somebody_goes_by_another_real_name(self) -> None:
        self.do(requests.set_realname, self.ann, "Ann Other")

        self.assertEqual(self.ann.realname, "Ann Other")

    def test_a_join_tells_both(self) -> None:
        self.room(self.bob, "den")
        self.do(requests.set_away, self.ann, "tea")
        self.do(requests.set_realname, self.ann, "Ann Other")

        event = self.ask(requests.join, self.ann, "den")

        self.assertEqual((event.away, event.realname), ("tea", "Ann Other"))

    def test_it_is_cut_to_what_is_told_never_within_a_character(self) -> None:
        self.limit(phrase_bytes=4)

        self.assertEqual(self.ask(requests.set_away, self.ann, "abcdef").text, "abcd")
        self.assertEqual(self.ask(requests.set_realname, self.ann, "abc\u20ac").realname, "abc")

    def test_it_holds_nothing_that_no_dialect_could_carry(self) -> None:
        for text in ("a\0b", "a\rb", "a\nb", "\ud800"):
            self.refused(BadArguments, requests.set_away, self.ann, text)
            self.refused(BadArguments, requests.set_realname, self.ann, text)

    def test_who_is_gone_is_not_away(self) -> None:
        self.too_late(NotLoggedIn, AwayChanged(actor="zoe", text="tea"))

    def test_an_event_says_whose_it_is(self) -> None:
        self.apply(facts.register("ann"))
        self.ann.host = "a.ip"

        event = self.ask(requests.set_away, self.ann, "tea")

        self.assertEqual(
            (event.actor, event.nick, event.account, event.host), ("ann", "Ann", "Ann", "a.ip")
        )

    def test_all_of_it_outlives_a_restart(self) -> None:
        event = requests.log_in(
            self.state, self.policy, self.name("zoe"), None, host="z.ip", realname="Zoe"
        )
        self.apply(event)
        zoe = self.state.users["zoe"]
        flags = requests.change_user_flag(zoe, [(True, modes.BOT)])
        assert flags is not None
        self.apply(flags)
        self.do(requests.set_away, zoe, "tea")
        self.rename(zoe, "Eoz")

        again = restore(all_records(self.state)).users["eoz"]

        self.assertEqual((again.nick, again.login, again.identity), ("Eoz", event.id, zoe.identity))
        self.assertEqual((again.host, again.realname, again.away), ("z.ip", "Zoe", "tea"))
        self.assertEqual((again.flags, again.ms), ({"bot"}, event.ms))
