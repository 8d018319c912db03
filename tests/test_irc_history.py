"""CHATHISTORY: which part of a history is given, where there is one, and what is refused."""

from __future__ import annotations

from chatservice.controller.policy import Policy
from tests.bench import SERVER, Client, House
from tests.irc_history_case import NOTHING_THERE, OPENED, HistoryCase, at


class WhichPartTests(HistoryCase):
    def test_the_latest(self) -> None:
        ids = self.ids()

        self.assertEqual(self.history("LATEST #lobby * 2"), ["four", "five"])
        self.assertEqual(self.history("LATEST #lobby * 9"), ["one", "two", "three", "four", "five"])
        self.assertEqual(self.history(f"LATEST #lobby {ids['three']} 9"), ["four", "five"])
        self.assertEqual(self.history(f"LATEST #lobby {ids['one']} 2"), ["four", "five"])
        self.assertEqual(self.history(f"LATEST #lobby {at(4)} 9"), ["five"])

    def test_what_is_before_a_point(self) -> None:
        ids = self.ids()

        self.assertEqual(self.history(f"BEFORE #lobby {ids['three']} 9"), ["one", "two"])
        self.assertEqual(self.history(f"BEFORE #lobby {ids['five']} 2"), ["three", "four"])
        self.assertEqual(self.history(f"BEFORE #lobby {at(3)} 9"), ["one", "two"])
        self.assertEqual(self.history(f"BEFORE #lobby {at(3, 1)} 1"), ["three"])
        self.assertEqual(self.history("BEFORE #lobby * 1"), ["five"])

    def test_what_is_after_a_point(self) -> None:
        ids = self.ids()

        self.assertEqual(self.history(f"AFTER #lobby {ids['three']} 9"), ["four", "five"])
        self.assertEqual(self.history(f"AFTER #lobby {ids['one']} 2"), ["two", "three"])
        self.assertEqual(self.history(f"AFTER #lobby {at(3)} 9"), ["four", "five"])
        self.assertEqual(self.history(f"AFTER #lobby {at(2, 999)} 1"), ["three"])
        self.assertEqual(self.history(f"AFTER #lobby {ids['five']} 9"), [])

    def test_what_is_around_a_message(self) -> None:
        ids = self.ids()

        for limit, expected in {
            1: ["three"],
            2: ["two", "three"],
            3: ["two", "three", "four"],
            4: ["one", "two", "three", "four"],
            9: ["one", "two", "three", "four", "five"],
        }.items():
            self.assertEqual(self.history(f"AROUND #lobby {ids['three']} {limit}"), expected)
        self.assertEqual(self.history(f"AROUND #lobby {ids['one']} 2"), ["one", "two"])
        self.assertEqual(self.history(f"AROUND #lobby {ids['five']} 2"), ["four", "five"])

    def test_what_is_around_a_moment(self) -> None:
        self.assertEqual(self.history(f"AROUND #lobby {at(3)} 3"), ["two", "three", "four"])
        self.assertEqual(self.history(f"AROUND #lobby {at(0)} 2"), ["one", "two"])
        self.assertEqual(self.history(f"AROUND #lobby {at(59)} 2"), ["five"])

    def test_what_is_between_two_points_is_counted_from_the_first_of_them(self) -> None:
        ids = self.ids()
        one, three, five = ids["one"], ids["three"], ids["five"]

        self.assertEqual(self.history(f"BETWEEN #lobby {one} {five} 9"), ["two", "three", "four"])
        self.assertEqual(self.history(f"BETWEEN #lobby {five} {one} 9"), ["two", "three", "four"])
        self.assertEqual(self.history(f"BETWEEN #lobby {one} {five} 2"), ["two", "three"])
        self.assertEqual(self.history(f"BETWEEN #lobby {five} {one} 2"), ["three", "four"])
        self.assertEqual(self.history(f"BETWEEN #lobby {at(1)} {at(4)} 1"), ["two"])
        self.assertEqual(self.history(f"BETWEEN #lobby {at(4)} {at(1)} 1"), ["three"])
        self.assertEqual(self.history(f"BETWEEN #lobby {three} {at(5)} 9"), ["four"])
        self.assertEqual(self.history(f"BETWEEN #lobby {at(5)} {three} 9"), ["four"])
        self.assertEqual(self.history(f"BETWEEN #lobby {one} {one} 9"), [])
        self.assertEqual(self.history(f"BETWEEN #lobby {at(2)} {at(2)} 9"), [])

    def test_messages_of_one_moment_are_told_apart_by_their_ids_alone(self) -> None:
        self.bob.send("ROOM:lobby:six", "ROOM:lobby:seven")
        ids = self.ids()

        self.assertEqual(self.history(f"AFTER #lobby {at(5)} 9"), [])
        self.assertEqual(self.history(f"AFTER #lobby {at(4)} 9"), ["five", "six", "seven"])
        self.assertEqual(self.history(f"BEFORE #lobby {at(5)} 1"), ["four"])
        self.assertEqual(self.history(f"BETWEEN #lobby {ids['five']} {ids['seven']} 9"), ["six"])
        self.assertEqual(self.history(f"BETWEEN #lobby {ids['seven']} {ids['five']} 9"), ["six"])
        self.assertEqual(self.history(f"AROUND #lobby {ids['six']} 3"), ["five", "six", "seven"])

    def test_pages_meet_without_a_gap_or_a_double(self) -> None:
        seen: list[str] = []
        point = "*"
        while page := self.history(f"BEFORE #lobby {point} 2"):
            seen = page + seen
            point = self.ids()[page[0]]

        self.assertEqual(seen, ["one", "two", "three", "four", "five"])

    def test_there_is_nothing_around_what_is_no_message(self) -> None:
        for id in ("abc", "0", "007", "-1", "٣", "x" * 300, "msgid=1", "9" * 30):
            for query in ("BEFORE", "AFTER", "AROUND", "LATEST"):
                self.assertEqual(self.history(f"{query} #lobby msgid={id} 9"), [], (query, id))
            self.assertEqual(self.history(f"BETWEEN #lobby msgid={id} msgid=x 9"), [])

    def test_no_more_is_given_than_may_be(self) -> None:
        self.say(*map(str, range(150)))

        for limit in (0, 100, 101, 10**30):
            self.assertEqual(len(self.history(f"LATEST #lobby * {limit}")), 100)
        self.assertEqual(len(self.history(f"AROUND #lobby {at(30)} 1000")), 100)

    def test_the_limit_is_the_policys_if_that_is_lower_and_everybody_is_told(self) -> None:
        self.house = House(policy=Policy(history_messages=3))
        welcome = self.house.client(dialect="irc").ask("NICK ann", "USER ann 0 * :ann")
        self.assertIn(" CHATHISTORY=3 ", " ".join(welcome))
        bob = self.house.user(
            "bob", "NEWROOM:lobby", "JOINROOM:lobby", *(f"ROOM:lobby:{n}" for n in range(5))
        )
        carol = self.irc("carol", "batch")
        carol.send("JOIN #lobby")
        bob.send("ROOM:lobby:5")

        self.assertEqual(self.history("LATEST #lobby * 50", carol), ["3", "4", "5"])
        past = "timestamp=1971-01-01T00:00:00.000Z"
        self.assertEqual(len(self.history(f"AROUND #lobby {past} 9", carol)), 3)

    def test_a_leap_second_is_a_moment(self) -> None:
        leap = "timestamp=2027-01-15T08:00:60.000Z"

        self.assertEqual(self.history(f"BEFORE #lobby {leap} 1"), ["five"])
        self.assertEqual(self.history("AFTER #lobby TimeStamp=0001-01-01T00:00:00.000Z 1"), ["one"])
        self.assertEqual(
            self.history("BEFORE #lobby timestamp=9999-12-31T23:59:60.999Z 1"), ["five"]
        )


class TargetsTests(HistoryCase):
    def targets(self, query: str) -> list[str]:
        lines = self.alice.ask(f"CHATHISTORY TARGETS {query}")
        name = lines[0].split()[2][1:]
        self.assertEqual(lines[0], f":{SERVER} BATCH +{name} draft/chathistory-targets")
        self.assertEqual(lines[-1], f":{SERVER} BATCH -{name}")
        beginning = f"@batch={name} :{SERVER} CHATHISTORY TARGETS "
        for line in lines[1:-1]:
            self.assertTrue(line.startswith(beginning), line)
        return [line.removeprefix(beginning) for line in lines[1:-1]]

    def setUp(self) -> None:
        super().setUp()
        self.house.clock.advance(1)
        self.bob.send("SAY:alice:at six")
        self.house.clock.advance(1)
        self.carol = self.house.user("carol", "NEWROOM:tea", "JOINROOM:tea", "SAY:alice:at seven")
        self.carol.send("ROOM:tea:alice is not here")

    def test_where_something_was_said_and_when_last(self) -> None:
        expected = [
            f"#lobby {OPENED.format(5)}",
            f"bob {OPENED.format(6)}",
            f"carol {OPENED.format(7)}",
        ]

        self.assertEqual(self.targets(f"{at(0)} {at(59)} 9"), expected)
        self.assertEqual(self.targets(f"{at(59)} {at(0)} 9"), expected)

    def test_the_bounds_are_not_within(self) -> None:
        self.assertEqual(self.targets(f"{at(5)} {at(7)} 9"), [f"bob {OPENED.format(6)}"])
        self.assertEqual(self.targets(f"{at(7)} {at(5)} 9"), [f"bob {OPENED.format(6)}"])
        self.assertEqual(self.targets(f"{at(6)} {at(6)} 9"), [])

    def test_they_are_counted_from_the_first_moment(self) -> None:
        self.assertEqual(self.targets(f"{at(0)} {at(59)} 1"), [f"#lobby {OPENED.format(5)}"])
        self.assertEqual(self.targets(f"{at(59)} {at(0)} 1"), [f"carol {OPENED.format(7)}"])

    def test_somebody_who_is_gone_is_not_among_them(self) -> None:
        self.carol.hang_up()

        self.assertEqual(self.targets(f"{at(5)} {at(59)} 9"), [f"bob {OPENED.format(6)}"])

    def test_whoever_knows_no_batches_gets_plain_lines(self) -> None:
        dan = self.irc("dan")
        dan.send("JOIN #lobby")

        self.answers(
            dan,
            f"CHATHISTORY TARGETS {at(0)} {at(59)} 9",
            f":{SERVER} CHATHISTORY TARGETS #lobby {OPENED.format(5)}",
        )


class RefusedTests(HistoryCase):
    def refused(self, query: str, *expected: str, client: Client | None = None) -> None:
        answers = (client or self.alice).ask(f"CHATHISTORY {query}".rstrip())
        self.assertEqual(
            answers, [f":{SERVER} FAIL CHATHISTORY {each}" for each in expected], query
        )

    def test_too_few_parameters(self) -> None:
        self.answers(self.alice, "CHATHISTORY", "461 CHATHISTORY :Not enough parameters")
        for query in (
            *("LATEST", "LATEST #lobby", "LATEST #lobby *", "BETWEEN #lobby msgid=1 2"),
            *("TARGETS", f"TARGETS {at(0)} 5"),
        ):
            name = query.split()[0]
            self.refused(query, f"INVALID_PARAMS {name} :Insufficient parameters")

    def test_too_many_parameters(self) -> None:
        for query in ("LATEST #lobby * 5 5", f"TARGETS {at(0)} {at(1)} 5 5"):
            self.refused(query, f"INVALID_PARAMS {query.split()[0]} :Too many parameters")

    def test_an_unknown_subcommand(self) -> None:
        for query in ("LAST #lobby * 5", "#lobby LATEST * 5", "x"):
            self.refused(query, f"INVALID_PARAMS {query.split()[0]} :Unknown command")
        self.refused(":a b", "INVALID_PARAMS * :Unknown command")

    def test_a_point_that_is_none(self) -> None:
        for word in (
            *("*", "5", "timestamp=", "timestamp=5", "timestamp=*", "=", "cursor=1"),
            *("timestamp=2027-01-15T08:00:00Z", "timestamp=2027-01-15T08:00:00.0000Z"),
            *("timestamp=2027-13-15T08:00:00.000Z", "timestamp=2027-02-30T08:00:00.000Z"),
            *("timestamp=2027-01-15T24:00:00.000Z", "timestamp=2027-01-15T08:00:61.000Z"),
            *("timestamp=0000-01-15T08:00:00.000Z", "timestamp=2027-01-15 08:00:00.000Z"),
            "timestamp=\uff12027-01-15T08:00:00.000Z",
        ):
            if " " in word:
                continue
            self.refused(
                f"AFTER #lobby {word} 5", f"INVALID_PARAMS AFTER {word} :Invalid timestamp"
            )
        self.refused(
            "AFTER #lobby msgid= 5", "INVALID_PARAMS AFTER msgid= :Invalid message reference"
        )
        self.refused(f"BETWEEN #lobby {at(0)} * 5", "INVALID_PARAMS BETWEEN * :Invalid timestamp")

    def test_targets_are_not_asked_for_by_message(self) -> None:
        self.refused(
            f"TARGETS {at(0)} msgid=1 5", "INVALID_PARAMS TARGETS msgid=1 :Invalid timestamp"
        )

    def test_a_limit_that_is_none(self) -> None:
        for word in ("x", "-1", "+1", "1.5", "*", "٣", "²"):
            expected = f"{word} :Invalid limit"
            self.refused(f"LATEST #lobby * {word}", f"INVALID_PARAMS LATEST {expected}")
            self.refused(f"TARGETS {at(0)} {at(1)} {word}", f"INVALID_PARAMS TARGETS {expected}")

    def test_a_target_that_one_may_not_read_is_as_one_that_is_not_there(self) -> None:
        self.bob.send("NEWROOM:tea", "JOINROOM:tea", "ROOM:tea:secret")
        self.bob.send("NEWROOM:den:private", "JOINROOM:den", "ROOM:den:secret")
        for target in ("#tea", "#den", "#nowhere", "#", "##", "nobody", "NickServ", "*", "@#lobby"):
            self.refused(f"LATEST {target} * 5", f"INVALID_TARGET LATEST {target} :{NOTHING_THERE}")

    def test_whoever_has_left_reads_no_more(self) -> None:
        self.alice.send("PART #lobby")

        self.refused("LATEST #lobby * 5", f"INVALID_TARGET LATEST #lobby :{NOTHING_THERE}")

    def test_a_history_that_cannot_be_read(self) -> None:
        self.house.journal.readable = False

        for target in ("#lobby", "bob"):
            self.refused(f"LATEST {target} * 5", f"MESSAGE_ERROR LATEST {target} :{NOTHING_THERE}")

    def test_whoever_has_negotiated_nothing_reads_it_as_a_notice(self) -> None:
        carol = self.irc("carol")
        standard = self.irc("stan", "standard-replies")

        self.answers(
            carol,
            "CHATHISTORY LATEST #lobby * 5",
            f":{SERVER} NOTICE carol :CHATHISTORY: {NOTHING_THERE}",
        )
        self.refused(
            "LATEST #lobby * 5", f"INVALID_TARGET LATEST #lobby :{NOTHING_THERE}", client=standard
        )

    def test_strangers_are_told_nothing(self) -> None:
        stranger = self.house.client(dialect="irc")

        self.assertEqual(
            stranger.ask("CHATHISTORY LATEST #lobby * 5"),
            [f":{SERVER} 451 * :You need to register before you can do that"],
        )
