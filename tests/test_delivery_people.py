"""Who is told what becomes of people: what they are called, that they go, and who watches them."""

from __future__ import annotations

from chatservice.controller.events import (
    AccountChanged,
    AwayChanged,
    CertificateChanged,
    Event,
    HostChanged,
    Joined,
    Killed,
    Left,
    LoggedOut,
    NickChanged,
    PasswordChanged,
    RealnameChanged,
    Registered,
    UserFlagsChanged,
    Wallops,
)
from chatservice.controller.state import State
from tests import facts
from tests.delivery_case import DeliveryCase, Listener, Words


def changes(key: str) -> list[Event]:
    """Whatever about a user neighbours and watchers hear of alike."""
    return [
        AwayChanged(actor=key, text="tea"),
        RealnameChanged(actor=key),
        HostChanged(actor=key),
        AccountChanged(actor=key),
        Registered(actor=key),
    ]


TOLD = ["plain:ann:tea", "plain:ann:realname", "plain:ann:host", "plain:ann:account"]
TOLD.append("plain:ann:register")


def nick(old: str, new: str) -> NickChanged:
    """Somebody is called something else."""
    return NickChanged(actor=old, nick=old.title(), new_nick=new.title(), new_key=new)


def quits(room_id: str, key: str) -> Left:
    """Somebody leaves a room for good."""
    return Left(target=room_id, room="Room", actor=key, nick=key.title(), quit=True)


class PeopleCase(DeliveryCase):
    def setUp(self) -> None:
        super().setUp()
        self.ann, self.bob = self.here("ann"), self.here("bob")
        self.cid, self.dan = self.here("cid", room="s"), self.here("dan", room="u")
        self.tell(facts.join("s", "ann"), facts.join("s", "bob"))
        self.quiet()

    def quiet(self) -> None:
        """Forgets what was told so far."""
        for each in self.listeners:
            each.heard()
            each.called()


class NeighbourTests(PeopleCase):
    """Ann shares two rooms with Bob, one with Cid, and none with Dan."""

    def test_a_change_is_told_once_to_each_who_shares_a_room_and_to_oneself(self) -> None:
        self.tell(*changes("ann"))

        for each in (self.ann, self.bob, self.cid):
            self.assertEqual(each.heard(), TOLD)
        self.assertEqual(self.dan.heard(), [])

    def test_it_is_encoded_once(self) -> None:
        self.plain.encoded = 0

        self.tell(AwayChanged(actor="ann"))

        self.assertEqual(self.plain.encoded, 1)

    def test_who_shares_no_room_any_more_is_not_told(self) -> None:
        self.tell(facts.leave("s", "cid"), facts.kick("r", "ann", "bob"), facts.delete("s", "ann"))
        self.quiet()

        self.tell(AwayChanged(actor="ann", text="tea"))

        self.assertEqual(self.ann.heard(), ["plain:ann:tea"])
        self.assertEqual((self.bob.heard(), self.cid.heard()), ([], []))

    def test_an_author_who_gets_no_echo_is_asked(self) -> None:
        eve = self.here("eve", Words("quiet", echo=False))
        eve.echoes = b"I:away\n"
        self.quiet()

        self.tell(AwayChanged(actor="eve", text="tea"))

        self.assertEqual((eve.heard(), self.bob.heard()), (["I:away"], ["plain:eve:tea"]))

    def test_of_ones_own_flags_and_secrets_nobody_else_hears(self) -> None:
        self.tell(UserFlagsChanged(actor="ann"), PasswordChanged(actor="ann"), CertificateChanged())

        self.assertEqual((self.ann.heard(), self.bob.heard()), (["plain:ann:flags"], []))

    def test_a_restarted_controllers_neighbours_are_the_states(self) -> None:
        state = State()
        for number, key in enumerate(("ann", "bob")):
            event = facts.login(key)
            event.id = str(number + 1)
            state.apply(event)
            (self.ann, self.bob)[number].login = event.id
        room = facts.room(state.users["ann"], "new")
        room.id = "3"
        state.apply(room)
        for key in ("ann", "bob"):
            state.apply(Joined(target="3", actor=key, nick=key.title()))

        self.delivery.rebuild(state)
        self.tell(AwayChanged(actor="bob", text="tea"))

        self.assertEqual((self.ann.heard(), self.cid.heard()), (["plain:bob:tea"], []))


class RenamingTests(PeopleCase):
    def test_neighbours_and_oneself_are_told_once(self) -> None:
        self.tell(nick("ann", "amy"))

        for each in (self.ann, self.bob, self.cid):
            self.assertEqual(each.heard(), ["plain:ann:nick"])
        self.assertEqual(self.dan.heard(), [])

    def test_what_follows_finds_one_under_the_new_key_alone(self) -> None:
        self.tell(nick("ann", "amy"), facts.tell("bob", "amy", "1"), facts.tell("bob", "ann", "2"))

        self.assertEqual(self.ann.heard(), ["plain:ann:nick", "plain:bob:1"])
        self.assertEqual(self.ann.key, "amy")

    def test_one_stays_in_ones_rooms_and_leaves_them_under_the_new_key(self) -> None:
        self.tell(nick("ann", "amy"), AwayChanged(actor="amy", text="tea"), facts.leave("r", "amy"))
        self.tell(facts.say("r", "bob", "1"), facts.say("s", "bob", "2"))

        self.assertEqual(self.ann.heard(), ["plain:ann:nick", "plain:amy:tea", "plain:bob:2"])

    def test_the_author_is_asked_although_the_key_is_another_by_then(self) -> None:
        eve = self.here("eve", Words("quiet", echo=False))
        eve.echoes = b"I:nick\n"
        keys: list[str] = []

        def echo(event: Event, payload: bytes) -> bytes:
            keys.append(eve.key)
            return b"I:nick\n"

        self.patch(eve, "echo", echo)

        self.tell(nick("eve", "eva"))

        self.assertEqual((eve.heard(), keys), (["I:nick"], ["eva"]))

    def test_a_nick_in_another_case_is_the_same_key(self) -> None:
        self.tell(nick("ann", "ann"), facts.tell("bob", "ann", "1"))

        self.assertEqual(self.ann.heard(), ["plain:ann:nick", "plain:bob:1"])

    def test_nothing_is_kept_of_either_key(self) -> None:
        self.delivery.watch(self.ann, "ann")
        self.tell(nick("ann", "amy"), quits("r", "amy"), nick("amy", "ada"), quits("s", "ada"))
        for room, key in (("r", "bob"), ("s", "bob"), ("s", "cid"), ("u", "dan")):
            self.tell(quits(room, key))
        self.tell(*(facts.logout(key) for key in ("ada", "bob", "cid", "dan")))

        self.assertNothingIsKept()


class QuittingTests(PeopleCase):
    def setUp(self) -> None:
        super().setUp()
        self.plain.silent_about = ("leave",)

    def test_all_who_saw_one_leave_are_told_once_and_oneself_is_not(self) -> None:
        self.tell(quits("r", "ann"), quits("s", "ann"), LoggedOut(actor="ann"))

        for each in (self.bob, self.cid):
            self.assertEqual(each.heard(), ["plain:ann:logout"])
        self.assertEqual((self.ann.heard(), self.dan.heard()), ([], []))

    def test_who_left_a_room_and_only_then_logged_out_is_not_missed_there(self) -> None:
        self.tell(facts.leave("r", "ann"), facts.leave("s", "ann"), LoggedOut(actor="ann"))

        self.assertEqual((self.bob.heard(), self.cid.heard()), ([], []))

    def test_it_is_owed_over_a_restart_of_the_controller(self) -> None:
        state = State()
        for each in self.listeners:
            event = facts.login(each.key)
            event.id = each.login = f"login of {each.key}"
            state.apply(event)
        self.tell(quits("r", "ann"), quits("s", "ann"))

        self.delivery.rebuild(state)
        self.tell(LoggedOut(actor="ann"))

        self.assertEqual(self.bob.heard(), ["plain:ann:logout"])
        self.assertEqual(self.delivery._where.witnesses, {})

    def test_of_those_who_are_gone_after_it_nothing_is_owed(self) -> None:
        self.tell(quits("r", "ann"))
        state = State()
        event = facts.login("bob")
        event.id = self.bob.login = "1"
        state.apply(event)

        self.delivery.rebuild(state)

        self.assertEqual(self.delivery._where.witnesses, {})
        self.delivery.rebuild(State())

        self.assertNothingIsKept()
        self.assertTrue(self.ann.lost)

    def test_a_witness_that_logs_out_is_not_told(self) -> None:
        self.tell(quits("s", "ann"), quits("s", "cid"), LoggedOut(actor="cid"))
        self.tell(LoggedOut(actor="ann"))

        self.assertEqual(self.cid.heard(), [])
        self.assertEqual(self.bob.heard(), ["plain:cid:logout", "plain:ann:logout"])

    def test_a_witness_is_told_in_its_new_variant(self) -> None:
        self.tell(quits("s", "ann"))
        self.delivery.regroup(self.cid, Words("other"))

        self.tell(LoggedOut(actor="ann"))

        self.assertEqual(self.cid.heard(), ["other:ann:logout"])

    def test_whoever_logs_one_out_the_connection_hears_it(self) -> None:
        self.tell(quits("r", "ann"), quits("s", "ann"), LoggedOut(actor="ann"))

        self.assertEqual((self.ann.lost, self.bob.lost), (True, False))


class KillingTests(PeopleCase):
    def test_the_victim_is_told_and_put_out_and_nobody_else_is_told(self) -> None:
        self.tell(Killed(actor="bob", victim="ann"))

        self.assertEqual(self.ann.heard(), ["plain:bob:kill"])
        self.assertEqual(self.ann.called(), ["expelled kill bob"])
        self.assertEqual((self.bob.heard(), self.bob.called()), ([], []))

    def test_each_of_the_victims_connections_is_put_out(self) -> None:
        other = Listener("ann", self.plain)
        self.delivery.attach(other)

        self.tell(Killed(actor="bob", victim="ann"))

        self.assertEqual((self.ann.called(), other.called()), (["expelled kill bob"],) * 2)
        self.assertEqual(self.delivery.connections("ann"), (self.ann, other))
        self.assertEqual(self.delivery.connections("nobody"), ())

    def test_it_is_no_error_if_nobody_is_there(self) -> None:
        self.tell(Killed(actor="bob", victim="nobody"))


class WallopsTests(PeopleCase):
    def test_everybody_notices_one_by_one(self) -> None:
        self.tell(Wallops(actor="ann", text="beware"))

        for each in self.listeners:
            self.assertEqual((each.called(), each.writes), (["noticed wallops ann"], []))

    def test_one_that_breaks_crashes_alone(self) -> None:
        self.bob.broken = ZeroDivisionError("a defect")

        self.tell(Wallops(actor="ann"))

        self.assertEqual([len(each.crashes) for each in self.listeners], [0, 1, 0, 0])
        self.assertEqual(self.dan.called(), ["noticed wallops ann"])

    def test_one_that_breaks_at_its_end_crashes_alone(self) -> None:
        self.ann.broken = ZeroDivisionError("a defect")

        self.tell(Killed(actor="bob", victim="ann"), quits("r", "ann"), quits("s", "ann"))
        self.tell(LoggedOut(actor="ann"))

        self.assertEqual([len(each.crashes) for each in self.listeners], [2, 0, 0, 0])
        self.assertEqual(self.bob.heard(), ["plain:ann:leave"] * 2 + ["plain:ann:logout"])


class WatchingTests(PeopleCase):
    def test_watchers_notice_who_comes_and_goes_neighbours_or_not(self) -> None:
        self.delivery.watch(self.dan, "ann")
        self.delivery.watch(self.bob, "ann")

        self.tell(quits("r", "ann"), quits("s", "ann"), LoggedOut(actor="ann"))
        self.tell(facts.login("ann"))

        for each in (self.bob, self.dan):
            self.assertEqual(each.called(), ["noticed logout ann", "noticed login ann"])
        self.assertEqual(self.cid.called(), [])

    def test_watchers_of_either_key_notice_once_that_somebody_is_renamed(self) -> None:
        for key in ("ann", "amy"):
            self.delivery.watch(self.dan, key)
        self.delivery.watch(self.bob, "amy")

        self.tell(nick("ann", "amy"))

        for each in (self.bob, self.dan):
            self.assertEqual(each.called(), ["noticed nick ann"])

    def test_what_changes_is_noticed_by_watchers_that_have_not_been_told_it(self) -> None:
        for each in self.listeners:
            self.delivery.watch(each, "ann")

        self.tell(*changes("ann"))

        kinds = ("away", "realname", "host", "account", "register")
        self.assertEqual(self.dan.called(), [f"noticed {kind} ann" for kind in kinds])
        for each in (self.ann, self.bob, self.cid):
            self.assertEqual(each.called(), [])

    def test_a_watch_that_is_given_up_is_over(self) -> None:
        for key in ("ann", "bob"):
            self.delivery.watch(self.dan, key)
        self.delivery.unwatch(self.dan, "bob")
        self.delivery.unwatch(self.dan, "nobody")

        self.tell(AwayChanged(actor="ann"), AwayChanged(actor="bob"))
        self.assertEqual(self.dan.called(), ["noticed away ann"])

        self.delivery.unwatch_all(self.dan)
        self.tell(AwayChanged(actor="ann"))
        self.assertEqual(self.dan.called(), [])

    def test_a_watch_ends_with_its_watcher(self) -> None:
        self.delivery.watch(self.dan, "ann")
        self.tell(quits("u", "dan"), LoggedOut(actor="dan"))

        self.tell(AwayChanged(actor="ann"))

        self.assertEqual(self.dan.called(), [])
        self.assertEqual(self.delivery._watches.of("ann"), [])

    def test_who_is_not_logged_in_watches_nobody(self) -> None:
        stranger = Listener("eve", self.plain)

        self.delivery.watch(stranger, "ann")

        self.assertEqual(self.delivery._watches.of("ann"), [])

    def test_a_watch_lasts_over_a_restart_of_the_controller_if_the_watcher_does(self) -> None:
        state = State()
        event = facts.login("dan")
        event.id = self.dan.login = "1"
        state.apply(event)
        for each in (self.bob, self.dan):
            self.delivery.watch(each, "ann")

        self.delivery.rebuild(state)
        self.tell(facts.login("ann"))

        self.assertEqual((self.dan.called(), self.bob.called()), (["noticed login ann"], []))
