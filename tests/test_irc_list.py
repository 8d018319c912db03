"""LIST, with the conditions that ELIST names."""

from __future__ import annotations

from chatservice.controller.desk import Flow
from tests.bench import House
from tests.irc_case import IrcCase, short

END = "323 :End of LIST"


class List(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.owner = self.irc("owner")
        self.owner.send("JOIN #tea", "TOPIC #tea :green or black")
        self.house.clock.advance(3600)
        self.owner.send("JOIN #coffee", "JOIN #[x]")
        self.house.clock.advance(60)
        self.owner.send("TOPIC #coffee :beans")
        for nick in ("alice", "bob"):
            self.house.user(nick, "JOINROOM:tea")
        self.house.user("carol", "JOINROOM:coffee")
        self.reader = self.irc("reader")

    def listed(self, line: str) -> set[str]:
        """The names of the channels that are listed."""
        *lines, end = [short(answer) for answer in self.reader.ask(line)]
        self.assertEqual(end, END)
        for answer in lines:
            self.assertTrue(answer.startswith("322 #"), answer)
        return {answer.split(" ")[1] for answer in lines}

    def test_all_that_one_may_see(self) -> None:
        self.answers(
            self.reader,
            "LIST",
            "322 #tea 3 :green or black",
            "322 #coffee 2 :beans",
            "322 #[x] 1 :",
            END,
        )

    def test_secret_ones_are_for_those_inside(self) -> None:
        self.owner.send("MODE #tea +s")

        self.assertEqual(self.listed("LIST"), {"#coffee", "#[x]"})
        self.assertEqual(self.listed("LIST #tea"), set())
        self.assertIn(" 322 owner #tea 3 :", "".join(self.owner.ask("LIST")))

    def test_by_name(self) -> None:
        self.assertEqual(self.listed("LIST #TEA,#none,#coffee"), {"#tea", "#coffee"})
        self.assertEqual(self.listed("LIST #tea,#coffee <3"), {"#coffee"})

    def test_more_names_than_there_may_be_are_refused(self) -> None:
        answers = self.reader.ask("LIST " + ",".join(f"#{n}" for n in range(11)))

        self.assertEqual([short(line) for line in answers], ["407 #10 :Too many targets", END])

    def test_more_conditions_than_there_may_be_are_refused(self) -> None:
        answers = self.reader.ask("LIST " + ",".join(f"!*{n}" for n in range(9)) + ",>9,>8,*z")

        self.assertEqual(
            [short(line) for line in answers],
            ["407 >8 :Too many targets", "407 *z :Too many targets", END],
        )

    def test_by_members(self) -> None:
        self.assertEqual(self.listed("LIST >2"), {"#tea"})
        self.assertEqual(self.listed("LIST <2"), {"#[x]"})
        self.assertEqual(self.listed("LIST >1,<3"), {"#coffee"})

    def test_by_age(self) -> None:
        self.assertEqual(self.listed("LIST C<60"), {"#coffee", "#[x]"})
        self.assertEqual(self.listed("LIST c>60"), {"#tea"})

    def test_by_the_age_of_the_topic(self) -> None:
        self.assertEqual(self.listed("LIST T<60"), {"#coffee"})
        self.assertEqual(self.listed("LIST t>60"), {"#tea"})

    def test_by_mask(self) -> None:
        self.assertEqual(self.listed("LIST *E*"), {"#tea", "#coffee"})
        self.assertEqual(self.listed("LIST #t?a"), {"#tea"})
        self.assertEqual(self.listed("LIST #[*"), {"#[x]"})
        self.assertEqual(self.listed("LIST !*e*"), {"#[x]"})
        self.assertEqual(self.listed("LIST *e*,!#t*"), {"#coffee"})

    def test_what_is_no_condition_is_ignored(self) -> None:
        everything = {"#tea", "#coffee", "#[x]"}

        for line in ("LIST chat.example", "LIST >x", "LIST >", "LIST :", "LIST ,"):
            self.assertEqual(self.listed(line), everything)

    def test_it_costs_what_is_looked_through(self) -> None:
        self.house = House(flow=Flow(rate=1, burst=10))
        reader = self.irc("reader")
        room = self.house.user("maker", "NEWROOM:a")
        self.assertIsNotNone(room)
        rooms = self.house.controller.state.rooms
        rooms.update({f"a{n}": rooms["a"] for n in range(10_000)})

        self.house.wait(10)
        self.assertEqual(len(reader.ask("LIST")), 10_002)

        # Of ten requests it has cost one and twenty more.
        self.assertEqual(reader.ask("PING x"), [])
        self.house.wait(12)
        self.assertEqual(reader.lines(), [])
        self.house.wait(1)
        self.assertEqual(len(reader.lines()), 1)

    def test_it_needs_registration(self) -> None:
        self.assertIn(" 451 ", self.house.client(dialect="irc").ask("LIST")[0])
