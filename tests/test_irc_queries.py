"""USERHOST and ISON."""

from __future__ import annotations

from chatservice.controller import modes
from tests.irc_case import CLOAK, IrcCase


class UserhostTests(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice = self.irc("alice")
        self.bob = self.irc("Bob")

    def test_those_who_are_here_each_once(self) -> None:
        self.house.user("carol")
        expected = f"302 :carol=+~u@{CLOAK} Bob=+~u@{CLOAK}"
        self.answers(self.alice, "USERHOST carol bob nobody BOB", expected)

    def test_operators_and_the_absent(self) -> None:
        self.flag("bob", modes.SERVER_OPERATOR)
        self.bob.ask("AWAY :tea")
        self.answers(self.alice, "USERHOST bob", f"302 :Bob*=-~u@{CLOAK}")

    def test_five_at_most(self) -> None:
        self.answers(self.alice, "USERHOST a b c d e alice", "302 :")
        self.answers(self.alice, "USERHOST a b c d alice", f"302 :alice=+~u@{CLOAK}")

    def test_nobody(self) -> None:
        self.answers(self.alice, "USERHOST nobody #x", "302 :")

    def test_no_nick(self) -> None:
        self.answers(self.alice, "USERHOST", "461 USERHOST :Not enough parameters")

    def test_what_does_not_fit_a_line_takes_two(self) -> None:
        nicks = [letter * 32 for letter in "éèêëà"]
        for nick in nicks:
            self.house.user(nick)
            self.house.controller.state.users[nick].host = "h" * 63
        lines = self.alice.ask(f"USERHOST {' '.join(nicks)}")
        self.assertEqual(len(lines), 2)
        self.assertTrue(all(len(line.encode()) <= 510 for line in lines))
        self.assertEqual(" ".join(lines).count("=+~u@"), 5)


class IsonTests(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice = self.irc("alice")
        self.irc("Bob")
        self.house.user("carol")

    def test_those_who_are_here_as_they_are_called(self) -> None:
        self.answers(self.alice, "ISON bob nobody CAROL", "303 :Bob carol")

    def test_many_in_one_parameter(self) -> None:
        self.answers(self.alice, "ISON nobody :bob  carol", "303 :Bob carol")

    def test_nobody(self) -> None:
        self.answers(self.alice, "ISON nobody", "303 :")
        self.answers(self.alice, "ISON :", "303 :")

    def test_no_nick(self) -> None:
        self.answers(self.alice, "ISON", "461 ISON :Not enough parameters")
