"""AWAY and SETNAME."""

from __future__ import annotations

from tests.irc_case import IrcCase, mask

AWAY = "306 :You have been marked as being away"
BACK = "305 :You are no longer marked as being away"


class AwayTests(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice = self.irc("alice", "away-notify")
        self.bob = self.irc("bob", "away-notify")
        self.alice.ask("JOIN #tea")
        self.bob.ask("JOIN #tea")
        self.alice.lines()

    def test_being_away_and_back(self) -> None:
        self.answers(self.alice, "AWAY :at tea", AWAY)
        self.assertEqual(self.bob.lines(), [f":{mask('alice')} AWAY :at tea"])
        self.answers(self.alice, "AWAY", BACK)
        self.assertEqual(self.bob.lines(), [f":{mask('alice')} AWAY"])

    def test_an_empty_reason_is_being_back(self) -> None:
        self.alice.ask("AWAY :at tea")
        self.answers(self.alice, "AWAY :", BACK)

    def test_those_without_away_notify_are_not_told(self) -> None:
        carol = self.irc("carol")
        carol.ask("JOIN #tea")
        self.alice.ask("AWAY :at tea")
        self.assertEqual(carol.lines(), [])

    def test_the_same_again_is_told_to_nobody(self) -> None:
        self.alice.ask("AWAY :at tea")
        self.bob.lines()
        self.answers(self.alice, "AWAY :at tea", AWAY)
        self.assertEqual(self.bob.lines(), [])
        self.alice.ask("AWAY")
        self.bob.lines()
        self.answers(self.alice, "AWAY", BACK)
        self.assertEqual(self.bob.lines(), [])

    def test_another_reason_is_told(self) -> None:
        self.alice.ask("AWAY :at tea")
        self.bob.lines()
        self.alice.ask("AWAY :asleep")
        self.assertEqual(self.bob.lines(), [f":{mask('alice')} AWAY :asleep"])

    def test_a_long_reason_is_cut(self) -> None:
        self.answers(self.alice, f"AWAY :{'é' * 250}", AWAY)
        self.assertEqual(self.house.controller.state.users["alice"].away, "é" * 195)
        (told,) = self.bob.lines()
        self.assertEqual(told, f":{mask('alice')} AWAY :{'é' * 195}")

    def test_whoever_says_something_to_the_absent_hears_it(self) -> None:
        self.alice.ask("AWAY :at tea")
        self.bob.lines()
        self.answers(self.bob, "PRIVMSG alice :hi", "301 alice :at tea")

    def test_the_journal_is_full(self) -> None:
        self.house.journal.full = True
        (answer,) = self.alice.ask("AWAY :at tea")
        self.assertIn("try again later", answer)
        self.assertEqual(self.house.controller.state.users["alice"].away, "")


class SetnameTests(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice = self.irc("alice", "setname", "standard-replies")
        self.bob = self.irc("bob", "setname")
        self.alice.ask("JOIN #tea")
        self.bob.ask("JOIN #tea")
        self.alice.lines()

    def test_oneself_and_others_are_told(self) -> None:
        self.answers(self.alice, "SETNAME :Alice L.", f":{mask('alice')} SETNAME :Alice L.")
        self.assertEqual(self.bob.lines(), [f":{mask('alice')} SETNAME :Alice L."])
        self.assertIn("Alice L.", self.bob.ask("WHOIS alice")[0])

    def test_without_the_capability_it_is_silent(self) -> None:
        carol = self.irc("carol")
        carol.ask("JOIN #tea")
        self.assertEqual(carol.ask("SETNAME :Carol"), [])
        self.assertIn(f":{mask('carol')} SETNAME :Carol", self.alice.lines())
        self.alice.ask("SETNAME :Alice")
        self.assertEqual(carol.lines(), [])

    def test_a_name_that_is_none(self) -> None:
        refused = ":chat.example FAIL SETNAME INVALID_REALNAME :A real name has 1 to 390 bytes"
        for name in ("", "   ", "é" * 196):
            self.answers(self.alice, f"SETNAME :{name}", refused)
        self.assertEqual(self.bob.lines()[2:], [])

    def test_the_longest_name(self) -> None:
        name = "é" * 195
        self.answers(self.alice, f"SETNAME :{name}", f":{mask('alice')} SETNAME :{name}")

    def test_no_name(self) -> None:
        self.answers(self.alice, "SETNAME", "461 SETNAME :Not enough parameters")

    def test_the_journal_is_full(self) -> None:
        self.house.journal.full = True
        (answer,) = self.alice.ask("SETNAME :Alice L.")
        self.assertTrue(answer.startswith(":chat.example FAIL SETNAME CANNOT_CHANGE_REALNAME :"))
