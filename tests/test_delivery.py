"""Who is told of what, in which bytes, and with how many writes."""

from __future__ import annotations

from chatservice.controller.events import (
    DirectTag,
    Event,
    ModesChanged,
    RankedMessage,
    ServiceStarted,
    TagMessage,
    Transferred,
)
from chatservice.controller.state import State
from tests import facts
from tests.delivery_case import DeliveryCase, Listener, Words


class RoomTests(DeliveryCase):
    def test_what_is_said_is_told_to_the_room_and_to_nobody_else(self) -> None:
        ann, bob = self.here("ann"), self.here("bob")
        elsewhere, nowhere = self.here("cid", room="s"), self.here("dan", room="")

        self.tell(facts.say("r", "ann", "hello"))

        self.assertEqual(ann.heard(), ["plain:ann:hello"])
        self.assertEqual(bob.heard(), ["plain:ann:hello"])
        self.assertEqual((elsewhere.heard(), nowhere.heard()), ([], []))

    def test_a_batch_is_encoded_once_and_everybody_gets_that_one_object(self) -> None:
        everybody = [self.here(key) for key in ("ann", "bob", "cid")]

        self.tell(*(facts.say("r", "ann", str(number)) for number in range(10)))

        self.assertEqual(self.plain.encoded, 10)
        payloads = [payload for each in everybody for payload in each.writes]
        self.assertEqual(len(payloads), 3)
        self.assertEqual({id(payload) for payload in payloads}, {id(payloads[0])})

    def test_each_variant_is_encoded_once(self) -> None:
        short, long = Words("short"), Words("long")
        ann, bob, cid = self.here("ann", short), self.here("bob", long), self.here("cid", long)
        short.encoded = long.encoded = 0

        self.tell(facts.say("r", "ann", "1"), facts.say("r", "bob", "2"))

        self.assertEqual((short.encoded, long.encoded), (2, 2))
        self.assertEqual(ann.heard(), ["short:ann:1", "short:bob:2"])
        self.assertEqual(bob.heard(), ["long:ann:1", "long:bob:2"])
        self.assertEqual(cid.heard(), ["long:ann:1", "long:bob:2"])

    def test_messages_to_several_rooms_are_joined_room_by_room(self) -> None:
        ann, bob = self.here("ann"), self.here("bob", room="s")

        self.tell(
            facts.say("r", "ann", "1"),
            facts.say("s", "bob", "2"),
            facts.say("r", "ann", "3"),
        )

        self.assertEqual((len(ann.writes), len(bob.writes)), (1, 1))
        self.assertEqual(ann.heard(), ["plain:ann:1", "plain:ann:3"])
        self.assertEqual(bob.heard(), ["plain:bob:2"])

    def test_nobody_is_written_to_about_what_a_variant_has_no_words_for(self) -> None:
        quiet = Words("quiet")
        quiet.silent_about = ("topic",)
        ann, bob = self.here("ann", quiet), self.here("bob")

        self.tell(facts.topic("r", "bob", "tea"))

        self.assertEqual((ann.writes, bob.heard()), ([], ["plain:bob:tea"]))

    def test_what_is_said_in_a_room_without_members_is_told_to_nobody(self) -> None:
        ann = self.here("ann")

        self.tell(facts.say("gone", "ann", "hello"))

        self.assertEqual(ann.writes, [])

    def test_deliveries_are_counted(self) -> None:
        for key in ("ann", "bob", "cid"):
            self.here(key)
        before = self.delivery.deliveries

        self.tell(facts.say("r", "ann", "1"), facts.say("r", "ann", "2"))

        self.assertEqual(self.delivery.deliveries - before, 6)


class EchoTests(DeliveryCase):
    """A variant whose users see what they say themselves without being told."""

    def setUp(self) -> None:
        super().setUp()
        self.quiet = Words("quiet", echo=False)
        self.ann, self.bob = self.here("ann", self.quiet), self.here("bob", self.quiet)
        self.cid, self.dan = self.here("cid", self.quiet), self.here("dan")

    def test_authors_get_what_others_said(self) -> None:
        self.tell(
            facts.say("r", "ann", "1"),
            facts.say("r", "bob", "2"),
            facts.say("r", "ann", "3"),
        )

        self.assertEqual(self.ann.heard(), ["quiet:bob:2"])
        self.assertEqual(self.bob.heard(), ["quiet:ann:1", "quiet:ann:3"])
        self.assertEqual(self.cid.heard(), ["quiet:ann:1", "quiet:bob:2", "quiet:ann:3"])
        self.assertEqual(self.dan.heard(), ["plain:ann:1", "plain:bob:2", "plain:ann:3"])

    def test_who_only_talks_to_oneself_is_not_written_to(self) -> None:
        self.tell(facts.say("r", "ann", "1"), facts.say("r", "ann", "2"))

        self.assertEqual((self.ann.writes, len(self.bob.writes)), ([], 1))

    def test_everybody_else_still_gets_one_object(self) -> None:
        self.tell(facts.say("r", "ann", "1"), facts.say("r", "dan", "2"))

        self.assertIs(self.bob.writes[0], self.cid.writes[0])

    def test_what_one_does_is_told_to_oneself_as_one_wants_it(self) -> None:
        self.ann.echoes = b"I:tea\n"

        self.tell(facts.topic("r", "ann", "tea"))

        self.assertEqual(self.ann.heard(), ["I:tea"])
        self.assertEqual(self.bob.heard(), ["quiet:ann:tea"])

    def test_the_echo_has_its_place_in_the_order(self) -> None:
        self.ann.echoes = None

        self.tell(
            facts.say("r", "bob", "1"), facts.say("r", "ann", "2"), facts.say("r", "bob", "3")
        )

        self.assertEqual(self.ann.heard(), ["quiet:bob:1", "quiet:ann:2", "quiet:bob:3"])

    def test_who_leaves_is_asked_too_and_who_quits_is_not(self) -> None:
        self.ann.echoes = self.bob.echoes = None

        self.tell(facts.leave("r", "ann"))
        quits = facts.leave("r", "bob")
        quits.quit = True
        self.tell(quits)

        self.assertEqual(self.ann.heard(), ["quiet:ann:leave"])
        self.assertEqual(self.bob.heard(), ["quiet:ann:leave"])

    def test_one_whose_echo_breaks_crashes_and_all_others_are_told(self) -> None:
        self.ann.broken = ZeroDivisionError("a defect")

        self.tell(facts.say("r", "ann", "1"), facts.say("r", "bob", "2"))

        self.assertEqual((self.ann.writes, len(self.ann.crashes)), ([], 1))
        self.assertEqual(self.bob.heard(), ["quiet:ann:1"])
        self.assertEqual(self.cid.heard(), ["quiet:ann:1", "quiet:bob:2"])

    def test_what_is_said_without_words_keeps_its_place_among_what_is_said(self) -> None:
        typing = TagMessage(target="r", actor="ann")

        self.tell(facts.say("r", "ann", "1"), typing, facts.say("r", "ann", "2"))

        self.assertEqual(self.ann.writes, [])
        self.assertEqual(len(self.cid.writes), 1)
        self.assertEqual(self.cid.heard(), ["quiet:ann:1", "quiet:ann:tagmsg", "quiet:ann:2"])

    def test_only_what_was_handed_on_is_counted(self) -> None:
        before = self.delivery.deliveries

        self.tell(facts.say("r", "ann", "1"), facts.say("r", "bob", "2"))

        self.assertEqual(self.delivery.deliveries - before, 8 - 2)


class MembershipTests(DeliveryCase):
    def test_who_joins_is_told_and_hears_what_is_said_after_that(self) -> None:
        ann, bob = self.here("ann"), self.here("bob", room="")

        self.tell(facts.say("r", "ann", "before"))
        self.tell(facts.join("r", "bob"))
        self.tell(facts.say("r", "ann", "after"))

        self.assertEqual(ann.heard(), ["plain:ann:before", "plain:bob:join", "plain:ann:after"])
        self.assertEqual(bob.heard(), ["plain:bob:join", "plain:ann:after"])

    def test_who_leaves_is_not_told_and_hears_nothing_after_that(self) -> None:
        ann, bob = self.here("ann"), self.here("bob")

        self.tell(facts.say("r", "bob", "bye"))
        self.tell(facts.leave("r", "bob"))
        self.tell(facts.say("r", "ann", "gone"))

        self.assertEqual(ann.heard(), ["plain:bob:bye", "plain:bob:leave", "plain:ann:gone"])
        self.assertEqual(bob.heard(), ["plain:bob:bye"])

    def test_who_is_put_out_is_told_and_hears_nothing_after_that(self) -> None:
        ann, bob = self.here("ann"), self.here("bob")

        self.tell(facts.kick("r", "ann", "bob"))
        self.tell(facts.say("r", "ann", "gone"))

        self.assertEqual(ann.heard(), ["plain:ann:kick", "plain:ann:gone"])
        self.assertEqual(bob.heard(), ["plain:ann:kick"])

    def test_a_deleted_rooms_members_are_told_and_nothing_more(self) -> None:
        ann, bob = self.here("ann"), self.here("bob")

        self.tell(facts.delete("r", "ann"))
        self.tell(facts.say("r", "ann", "after"))

        self.assertEqual((ann.heard(), bob.heard()), (["plain:ann:delete"], ["plain:ann:delete"]))

    def test_what_changes_a_room_is_told_to_it(self) -> None:
        ann, elsewhere = self.here("ann"), self.here("bob", room="s")

        self.tell(
            facts.topic("r", "bob", "tea"),
            facts.visibility("r", "bob", True),
            ModesChanged(target="r", actor="bob"),
            Transferred(target="r", actor="bob"),
        )

        self.assertEqual(
            ann.heard(),
            ["plain:bob:tea", "plain:bob:visibility", "plain:bob:modes", "plain:bob:transfer"],
        )
        self.assertEqual(elsewhere.heard(), [])

    def test_a_deleted_rooms_members_hear_of_it_one_by_one_too(self) -> None:
        ann, elsewhere = self.here("ann"), self.here("bob", room="s")

        self.tell(facts.delete("r", "bob"))

        self.assertEqual((ann.called(), elsewhere.called()), (["noticed delete bob"], []))

    def test_nobody_is_told_of_logging_in_and_out_or_of_rooms_that_are_made(self) -> None:
        ann = self.here("ann")
        state = State()
        state.apply(facts.login("bob"))

        self.tell(
            ServiceStarted(),
            facts.login("bob"),
            facts.register("bob"),
            facts.room(state.users["bob"], "den"),
            facts.logout("bob"),
        )

        self.assertEqual(ann.writes, [])

    def test_nothing_is_kept_of_those_who_are_gone(self) -> None:
        self.here("ann")
        self.here("bob", Words("other"))

        for key in ("ann", "bob"):
            self.tell(facts.leave("r", key), facts.logout(key))

        self.assertNothingIsKept()


class DirectTests(DeliveryCase):
    def test_a_direct_message_is_told_to_its_reader_alone(self) -> None:
        ann, bob, cid = (self.here(key) for key in ("ann", "bob", "cid"))

        self.tell(facts.tell("ann", "bob", "psst"))

        self.assertEqual((ann.heard(), bob.heard(), cid.heard()), ([], ["plain:ann:psst"], []))

    def test_an_invitation_is_told_to_the_invited_and_overheard_by_the_room(self) -> None:
        state = State()
        state.apply(facts.login("bob"))
        ann, bob = self.here("ann", room=""), self.here("bob")
        cid, elsewhere = self.here("cid"), self.here("dan", room="s")

        self.tell(facts.invite("r", "ann", state.users["bob"]))

        self.assertEqual(bob.heard(), ["plain:ann:invite"])
        for each in (ann, cid):
            self.assertEqual(each.heard(), ["overheard plain:ann:invite"])
        self.assertEqual(elsewhere.heard(), [])
        self.tell(facts.say("r", "cid", "hello"))
        self.assertEqual((ann.heard(), bob.heard()), ([], ["plain:cid:hello"]))

    def test_an_author_who_gets_no_echo_has_a_view_of_a_direct_message(self) -> None:
        quiet = Words("quiet", echo=False)
        ann, bob = self.here("ann", quiet), self.here("bob", quiet)
        ann.echoes = b"sent\n"

        self.tell(facts.tell("ann", "bob", "psst"), DirectTag(actor="ann", to="bob"))

        self.assertEqual(ann.heard(), ["sent", "sent"])
        self.assertEqual(bob.heard(), ["quiet:ann:psst", "quiet:ann:directtag"])

    def test_what_one_says_to_oneself_is_received_and_then_echoed(self) -> None:
        ann, bob = self.here("ann", Words("quiet", echo=False)), self.here("bob")
        ann.echoes = b"sent\n"

        self.tell(facts.tell("ann", "ann", "note"), facts.tell("bob", "bob", "note"))

        self.assertEqual(ann.heard(), ["quiet:ann:note", "sent"])
        self.assertEqual(bob.heard(), ["plain:bob:note"])

    def test_what_is_said_to_a_rank_is_told_to_those_of_it_who_are_still_there(self) -> None:
        quiet = Words("quiet", echo=False)
        ann, bob = self.here("ann", quiet), self.here("bob")
        cid, gone = self.here("cid"), self.here("dan", room="s")
        ann.echoes = b"sent\n"

        self.tell(
            RankedMessage(target="r", actor="ann", to=["bob", "dan", "ann"], text="1"),
            RankedMessage(target="r", actor="bob", to=["ann"], text="2"),
        )

        self.assertEqual(ann.heard(), ["sent", "quiet:bob:2"])
        self.assertEqual((bob.heard(), cid.heard()), (["plain:ann:1"], []))
        self.assertEqual(gone.heard(), [])

    def test_what_is_told_to_nobody_is_no_error(self) -> None:
        self.tell(facts.tell("ann", "bob", "psst"))

    def test_the_next_of_a_nick_does_not_hear_what_the_last_one_was_told(self) -> None:
        first = self.here("bob", room="")
        self.tell(facts.logout("bob"))
        second = self.here("bob", room="")

        self.tell(facts.tell("ann", "bob", "psst"))

        self.assertEqual((first.heard(), second.heard()), ([], ["plain:ann:psst"]))


class BrokenVariantTests(DeliveryCase):
    def setUp(self) -> None:
        super().setUp()
        self.broken = Words("broken")
        self.ann, self.bob = self.here("ann", self.broken), self.here("bob", self.broken)
        self.cid = self.here("cid")
        self.broken.broken = ZeroDivisionError("a defect")

    def test_its_own_recipients_crash_and_all_others_are_told(self) -> None:
        self.tell(facts.say("r", "ann", "hello"))

        self.assertEqual(self.cid.heard(), ["plain:ann:hello"])
        for listener in (self.ann, self.bob):
            self.assertEqual(listener.writes, [])
            self.assertEqual(len(listener.crashes), 1)
            self.assertTrue(listener.crashes[0].check(ZeroDivisionError))
        self.assertEqual(self.cid.crashes, [])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_only_those_who_would_have_been_told_crash(self) -> None:
        self.tell(facts.tell("cid", "ann", "psst"))

        self.assertEqual((len(self.ann.crashes), len(self.bob.crashes)), (1, 0))
        self.flushLoggedErrors(ZeroDivisionError)

    def test_half_a_batch_is_not_written(self) -> None:
        self.broken.broken = None

        class Second(Words):
            def encode(self, event: Event) -> bytes:
                if getattr(event, "text", "") == "2":
                    raise ZeroDivisionError("a defect")
                return super().encode(event)

        dan = self.here("dan", Second("second"))

        self.tell(facts.say("r", "ann", "1"), facts.say("r", "ann", "2"))

        self.assertEqual((dan.writes, len(dan.crashes)), ([], 1))
        self.assertEqual(self.cid.heard(), ["plain:ann:1", "plain:ann:2"])
        self.flushLoggedErrors(ZeroDivisionError)

    def test_one_that_cannot_be_written_to_crashes_and_all_others_are_told(self) -> None:
        self.broken.broken = None
        dan, eve = self.here("dan"), self.here("eve")
        self.cid.broken_write = dan.broken_write = True

        self.tell(facts.say("r", "ann", "hello"))

        self.assertEqual(eve.heard(), ["plain:ann:hello"])
        self.assertEqual((len(self.cid.crashes), len(dan.crashes)), (1, 1))
        self.assertEqual((eve.crashes, self.ann.crashes), ([], []))


class RegroupTests(DeliveryCase):
    def test_one_who_goes_over_to_another_variant_is_told_in_it_in_every_room(self) -> None:
        ann, bob = self.here("ann"), self.here("bob")
        self.tell(facts.join("s", "ann"), facts.join("s", "bob"))
        ann.heard()
        bob.heard()
        other = Words("other")

        self.delivery.regroup(ann, other)
        self.tell(facts.say("r", "bob", "1"), facts.say("s", "bob", "2"))
        self.tell(facts.tell("bob", "ann", "3"))

        self.assertEqual(ann.heard(), ["other:bob:1", "other:bob:2", "other:bob:3"])
        self.assertEqual(bob.heard(), ["plain:bob:1", "plain:bob:2"])

    def test_it_does_not_bring_anybody_into_a_room(self) -> None:
        ann = self.here("ann")
        self.here("bob", room="s")

        self.delivery.regroup(ann, Words("other"))
        self.tell(facts.say("s", "bob", "hello"))

        self.assertEqual(ann.heard(), [])

    def test_one_leaves_also_after_it(self) -> None:
        ann = self.here("ann")
        self.delivery.regroup(ann, Words("other"))

        self.tell(facts.leave("r", "ann"))
        self.tell(facts.say("r", "bob", "hello"))

        self.assertEqual(ann.heard(), [])
        self.tell(facts.logout("ann"))
        self.assertNothingIsKept()

    def test_going_over_to_the_same_variant_changes_nothing(self) -> None:
        ann = self.here("ann")

        self.delivery.regroup(ann, self.plain)
        self.tell(facts.say("r", "ann", "hello"))

        self.assertEqual(ann.heard(), ["plain:ann:hello"])


class RebuildTests(DeliveryCase):
    """The controller was restarted, and the connections are still there."""

    def setUp(self) -> None:
        super().setUp()
        self.state = State()
        self._last = 0

    def apply(self, event: Event) -> Event:
        self._last += 1
        event.id = str(self._last)
        self.state.apply(event)
        return event

    def logged_in(self, key: str) -> Listener:
        listener = Listener(key, self.plain, self.apply(facts.login(key)).id)
        self.delivery.attach(listener)
        return listener

    def test_everybody_is_in_the_rooms_that_the_state_says_and_in_no_other(self) -> None:
        ann, bob = self.logged_in("ann"), self.logged_in("bob")
        for name in ("r", "s"):
            self.apply(facts.room(self.state.users["ann"], name))
        r, s = (self.state.rooms[name].id for name in ("r", "s"))
        self.apply(facts.join(r, "ann"))
        self.apply(facts.join(r, "bob"))
        self.apply(facts.join(s, "bob"))
        self.tell(facts.join(s, "ann"))  # which is not so
        ann.heard()

        self.delivery.rebuild(self.state)
        self.tell(facts.say(r, "ann", "1"), facts.say(s, "bob", "2"))

        self.assertEqual(ann.heard(), ["plain:ann:1"])
        self.assertEqual(bob.heard(), ["plain:ann:1", "plain:bob:2"])

    def test_whom_the_state_does_not_know_is_told_that_the_login_is_lost(self) -> None:
        ann = self.logged_in("ann")
        stranger = Listener("bob", self.plain, "99")
        self.delivery.attach(stranger)

        self.delivery.rebuild(self.state)
        self.tell(facts.tell("ann", "bob", "psst"))

        self.assertEqual((ann.lost, stranger.lost), (False, True))
        self.assertEqual(stranger.writes, [])

    def test_another_visit_of_the_same_nick_is_a_stranger_too(self) -> None:
        before = self.logged_in("ann")
        self.apply(facts.logout("ann"))
        after = self.logged_in("ann")

        self.delivery.rebuild(self.state)
        self.tell(facts.tell("bob", "ann", "psst"))

        self.assertEqual((before.lost, after.lost), (True, False))
        self.assertEqual((before.heard(), after.heard()), ([], ["plain:bob:psst"]))

    def test_a_variant_is_kept(self) -> None:
        ann = self.logged_in("ann")
        self.delivery.regroup(ann, Words("other"))
        room = self.apply(facts.room(self.state.users["ann"], "r"))
        self.apply(facts.join(room.id, "ann"))

        self.delivery.rebuild(self.state)
        self.tell(facts.say(room.id, "ann", "hello"))

        self.assertEqual(ann.heard(), ["other:ann:hello"])
