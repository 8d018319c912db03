"""
Buffers and what stands in them, without anybody who draws them.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chatservice.client import Message, User
from chatservice.terminal.screen.buffer import DIRECT, KEPT, LOOKED_AT, ROOM, SLACK
from chatservice.terminal.screen.entries import Pending, Said
from chatservice.terminal.screen.model import Model
from tests.screen_case import AT, said, texts


class _ModelCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.model = Model("alice", "alice", "chat.example")
        self.lobby = self.model.open(ROOM, "lobby")

    def arrive(self, *numbers: int) -> None:
        for number in numbers:
            self.model.arrived(self.lobby, said(number))


class EntriesTests(_ModelCase):
    def test_nothing_said_stands_there_twice(self) -> None:
        self.arrive(3, 4)
        self.model.add_page(self.lobby, [said(1), said(2), said(3)], "m1")
        self.arrive(4)
        self.assertEqual(texts(self.lobby), ["line 1", "line 2", "line 3", "line 4"])
        self.assertEqual(self.lobby.before, "m1")

    def test_numbers_stay_when_older_ones_come(self) -> None:
        self.arrive(3)
        number = self.lobby.first
        self.model.add_page(self.lobby, [said(1), said(2)], "")
        entry = self.lobby.entry(number)
        self.assertEqual(isinstance(entry, Said) and entry.message.text, "line 3")

    def test_in_a_conversation_everything_is_where_its_time_is(self) -> None:
        bob = self.model.open(DIRECT, "bob")
        for number in (2, 1, 3):
            self.model.arrived(bob, said(number, to="alice"))
        self.assertEqual(texts(bob), ["line 1", "line 2", "line 3"])

    def test_what_is_said_while_a_page_is_read_comes_after_it(self) -> None:
        bob = self.model.open(DIRECT, "bob")
        self.model.arrived(bob, said(5, to="alice"))
        self.model.add_page(bob, [said(n, to="alice") for n in (1, 5, 6)], "")
        self.assertEqual(texts(bob), ["line 1", "line 5", "line 6"])

    def test_of_very_many_the_first_are_dropped_and_can_be_read_again(self) -> None:
        self.arrive(*range(KEPT + SLACK + 1))
        self.assertEqual(len(self.lobby.entries), KEPT)
        first = f"m{SLACK + 1}"
        self.assertEqual(self.lobby.before, first)
        self.model.add_page(self.lobby, [said(SLACK - 1), said(SLACK)], f"m{SLACK - 1}")
        self.assertEqual(texts(self.lobby)[:3], [f"line {SLACK + n}" for n in (-1, 0, 1)])

    def test_while_somebody_looks_at_them_they_stay_longer_but_not_for_ever(self) -> None:
        self.arrive(0)
        self.lobby.anchor = (0, 0)
        self.arrive(*range(1, KEPT + SLACK + 1))
        self.assertEqual(len(self.lobby.entries), KEPT + SLACK + 1)
        self.arrive(*range(KEPT + SLACK + 1, LOOKED_AT + 1))
        self.assertEqual(len(self.lobby.entries), KEPT)

    def test_another_visit_begins_with_nothing(self) -> None:
        self.arrive(1, 2)
        self.lobby.begin_again()
        self.arrive(2, 3)
        self.assertEqual(texts(self.lobby), ["line 2", "line 3"])


class PendingTests(_ModelCase):
    def setUp(self) -> None:
        super().setUp()
        self.pending = Pending("hi", "hi")
        self.lobby.pending.append(self.pending)

    def come_back(self) -> None:
        self.model.arrived(self.lobby, said(1, "hi", nick="alice"))

    def test_it_is_shown_until_it_comes_back_before_the_answer(self) -> None:
        self.come_back()
        self.assertEqual(self.lobby.shown_pending(), [])
        self.assertEqual(self.lobby.waiting(), [self.pending])
        self.lobby.stored(self.pending, "m1")
        self.assertEqual((self.lobby.pending, self.lobby.waiting()), ([], []))

    def test_it_is_shown_until_it_comes_back_after_the_answer(self) -> None:
        self.lobby.stored(self.pending, "m1")
        self.assertEqual(self.lobby.shown_pending(), [self.pending])
        self.assertEqual(self.lobby.waiting(), [])
        self.come_back()
        self.assertEqual(self.lobby.pending, [])

    def test_somebody_else_s_same_words_are_not_it(self) -> None:
        self.model.arrived(self.lobby, said(1, "hi", nick="bob"))
        self.assertEqual(self.lobby.shown_pending(), [self.pending])


class UnreadTests(_ModelCase):
    def test_what_comes_elsewhere_is_counted_until_it_is_looked_at(self) -> None:
        self.arrive(1)
        self.model.arrived(self.lobby, said(2, "hey Alice!"))
        self.assertEqual((self.lobby.unread, self.lobby.mentions), (2, 1))
        self.model.look_at(self.lobby)
        self.assertEqual((self.lobby.unread, self.lobby.mentions), (0, 0))
        self.arrive(3)
        self.assertEqual(self.lobby.unread, 0)

    def test_one_s_own_words_are_not_unread(self) -> None:
        self.model.arrived(self.lobby, said(1, nick="alice"))
        self.assertEqual(self.lobby.unread, 0)

    def test_a_name_within_a_word_does_not_call_one(self) -> None:
        self.model.arrived(self.lobby, said(1, "malice"))
        self.assertEqual(self.lobby.mentions, 0)

    def test_the_mark_is_before_the_first_that_was_unread(self) -> None:
        self.model.look_at(self.lobby)
        self.arrive(1)
        self.model.look_at(self.model.status)
        self.arrive(2, 3)
        self.model.look_at(self.lobby)
        assert self.lobby.mark is not None
        self.assertEqual(texts(self.lobby)[self.lobby.mark - self.lobby.first], "line 2")
        self.model.look_at(self.model.status)
        self.model.look_at(self.lobby)
        self.assertIsNone(self.lobby.mark)


class BuffersTests(_ModelCase):
    def setUp(self) -> None:
        super().setUp()
        self.bob = self.model.open(DIRECT, "bob")
        self.hall = self.model.open(ROOM, "Hall")

    def test_rooms_come_before_conversations(self) -> None:
        self.assertEqual(
            [buffer.title for buffer in self.model.buffers], ["status", "lobby", "Hall", "@bob"]
        )

    def test_a_name_is_found_in_whatever_case(self) -> None:
        self.assertIs(self.model.open(ROOM, "hALL"), self.hall)
        self.assertIsNone(self.model.find(DIRECT, "hall"))

    def test_one_goes_round_in_both_directions_and_by_number(self) -> None:
        self.model.look_further(-1)
        self.assertIs(self.model.active, self.bob)
        self.model.look_further(1)
        self.assertIs(self.model.active, self.model.status)
        self.model.look_at_number(3)
        self.assertIs(self.model.active, self.hall)
        self.model.look_at_number(9)
        self.assertIs(self.model.active, self.hall)

    def test_who_calls_one_is_looked_at_first(self) -> None:
        self.arrive(1)
        self.model.arrived(self.bob, said(2, to="alice"))
        seen = []
        for _ in range(3):
            self.model.look_at_unread()
            seen.append(self.model.active)
        self.assertEqual(seen, [self.bob, self.lobby, self.lobby])

    def test_when_one_is_closed_its_neighbour_is_looked_at(self) -> None:
        self.model.look_at(self.hall)
        self.model.close(self.hall)
        self.assertIs(self.model.active, self.bob)
        self.model.close(self.model.status)
        self.assertIn(self.model.status, self.model.buffers)


class PeopleTests(_ModelCase):
    def setUp(self) -> None:
        super().setUp()
        self.lobby.members.all_are([User(nick, "", "") for nick in ("bob", "Alice", "carol")])

    def nicks(self) -> list[str]:
        return [user.nick for user in self.lobby.members.listed()]

    def test_members_are_listed_by_name(self) -> None:
        self.lobby.members.add("Bart")
        self.lobby.members.remove("CAROL")
        self.assertEqual(self.nicks(), ["Alice", "Bart", "bob"])

    def test_a_new_name_is_one_everywhere(self) -> None:
        conversation = self.model.open(DIRECT, "bob")
        concerned = self.model.renamed("bob", "robert")
        self.assertEqual(concerned, [self.lobby, conversation])
        self.assertEqual(self.nicks(), ["Alice", "carol", "robert"])
        self.assertEqual(conversation.title, "@robert")
        self.model.renamed("alice", "al")
        self.assertEqual(self.model.nick, "al")

    def test_who_spoke_last_is_the_likeliest(self) -> None:
        for nick in ("bob", "carol", "stranger"):
            message = Message(f"x{nick}", AT, nick, "hi", "lobby")
            self.model.arrived(self.lobby, message)
        self.assertEqual(self.lobby.members.likely(), ["carol", "bob", "Alice"])
