"""
Completing nicks, rooms and commands.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chatservice.client import User
from chatservice.terminal.screen.buffer import DIRECT, ROOM
from chatservice.terminal.screen.completion import Cycle
from chatservice.terminal.screen.editing import Line
from chatservice.terminal.screen.model import Model
from tests.screen_case import said


class CompletionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.model = Model("alice", "", "chat.example")
        self.lobby = self.model.open(ROOM, "lobby")
        self.model.look_at(self.lobby)
        nicks = ("alice", "Bob", "bill", "carol")
        self.lobby.members.all_are([User(nick, "", "") for nick in nicks])
        self.model.nicks.update(("Bob", "berta"))
        self.model.rooms.update(("lobby", "library", "ops"))
        self.cycle = Cycle()
        self.line = Line()

    def complete(self, text: str, times: int = 1, by: int = 1) -> str:
        self.line.set(text)
        self.cycle.end()
        for _ in range(times):
            self.cycle.next(self.line, self.model, by)
        return self.line.text

    def test_a_nick_at_the_beginning_is_spoken_to(self) -> None:
        self.assertEqual(self.complete("car"), "carol: ")

    def test_elsewhere_it_is_spoken_of(self) -> None:
        self.assertEqual(self.complete("ask CAR"), "ask carol ")

    def test_what_is_behind_the_cursor_stays(self) -> None:
        self.line.set("car knows")
        self.line.cursor = 3
        self.cycle.next(self.line, self.model)
        self.assertEqual(self.line.text, "carol:  knows")
        self.assertEqual(self.line.cursor, len("carol: "))

    def test_further_keys_go_round_and_come_back_to_what_was_typed(self) -> None:
        seen = [self.complete("b", times) for times in range(1, 6)]
        self.assertEqual(seen, ["bill: ", "Bob: ", "berta: ", "b", "bill: "])
        self.assertEqual(self.complete("b", by=-1), "berta: ")

    def test_who_spoke_last_comes_first(self) -> None:
        self.model.arrived(self.lobby, said(1, nick="Bob"))
        self.assertEqual(self.complete("b"), "Bob: ")

    def test_commands(self) -> None:
        self.assertEqual(self.complete("/inv"), "/invite ")
        self.assertEqual(self.complete("/p", 2), "/private ")
        self.assertEqual(self.complete("/help inv"), "/help invite ")

    def test_arguments_are_completed_to_what_a_command_wants(self) -> None:
        self.assertEqual(self.complete("/join li"), "/join library ")
        self.assertEqual(self.complete("/msg be"), "/msg berta ")
        self.assertEqual(self.complete("/invite carol o"), "/invite carol ops ")

    def test_words_that_no_nick_begins_like_may_be_rooms(self) -> None:
        self.assertEqual(self.complete("see op"), "see ops ")

    def test_nothing_is_made_of_nothing(self) -> None:
        self.assertEqual(self.complete("xyz", 3), "xyz")

    def test_in_a_conversation_the_other_one_is_the_likeliest(self) -> None:
        self.model.look_at(self.model.open(DIRECT, "berta"))
        self.assertEqual(self.complete("b"), "berta: ")
