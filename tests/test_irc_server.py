"""What an IRC client can ask of the server itself."""

from __future__ import annotations

from chatservice.controller import modes
from chatservice.controller.policy import Policy
from chatservice.translation.about import Counts
from chatservice.translation.irc.commands import COMMANDS
from chatservice.translation.irc.isupport import tokens
from tests.bench import NOW, SERVER, House
from tests.irc_case import IrcCase, short

THEN = "Fri, 15 Jan 2027 08:00:00 UTC"
"""`NOW`, for people."""


class MotdTests(IrcCase):
    def test_there_is_none(self) -> None:
        alice = self.irc("alice")
        self.answers(alice, "MOTD", "422 :MOTD File is missing")

    def test_it_is_told_line_by_line(self) -> None:
        alice = self.irc("alice")
        self.house.about.motd = ("Welcome.", "", "Be kind.")
        self.answers(
            alice,
            "MOTD",
            f"375 :- {SERVER} Message of the day - ",
            "372 :- Welcome.",
            "372 :- ",
            "372 :- Be kind.",
            "376 :End of /MOTD command",
        )

    def test_it_is_told_to_whoever_registers(self) -> None:
        self.house.about.motd = ("Welcome.",)
        client = self.house.client(dialect="irc")
        answers = [short(line) for line in client.ask("NICK alice", "USER a 0 * :Alice")]
        self.assertEqual(answers[-2:], ["372 :- Welcome.", "376 :End of /MOTD command"])
        self.assertIn("266 1 1 :Current global users 1, max 1", answers)


class OneServerTests(IrcCase):
    """There is this server and no other."""

    def test_each_query_may_name_this_server(self) -> None:
        alice = self.irc("alice")
        for query in ("MOTD", "VERSION", "ADMIN", "TIME", "INFO", "LUSERS *", "STATS u"):
            for name in (SERVER, SERVER.upper(), "chat.*"):
                answers = alice.ask(f"{query} {name}")
                self.assertTrue(answers, query)
                self.assertNotIn(" 402 ", answers[0], query)

    def test_another_is_not_there(self) -> None:
        alice = self.irc("alice")
        for query in ("MOTD", "VERSION", "ADMIN", "TIME", "INFO", "LUSERS *", "STATS u"):
            self.answers(alice, f"{query} other.example", "402 other.example :No such server")
        self.answers(alice, "LINKS other.example *", "402 other.example :No such server")

    def test_its_name_is_no_pattern_of_the_shell(self) -> None:
        alice = self.irc("alice")
        self.answers(alice, "TIME [a-z]*", "402 [a-z]* :No such server")

    def test_links_tell_of_it(self) -> None:
        alice = self.irc("alice")
        one = f"364 {SERVER} {SERVER} :0 A chat service"
        self.answers(alice, "LINKS", one, "365 * :End of LINKS list")
        self.answers(alice, "LINKS *.example", one, "365 *.example :End of LINKS list")
        self.answers(alice, f"LINKS {SERVER} c*", one, "365 c* :End of LINKS list")
        self.answers(alice, "LINKS *.org", "365 *.org :End of LINKS list")


class AboutTests(IrcCase):
    def test_the_version_comes_with_what_is_supported(self) -> None:
        alice = self.house.client(dialect="irc")
        welcome = alice.ask("NICK alice", "USER a 0 * :Alice")

        answers = alice.ask("VERSION")

        self.assertEqual(short(answers[0]), f"351 chatservice-1.2.3 {SERVER} :A chat service")
        self.assertEqual(answers[1:], [line for line in welcome if " 005 " in line])

    def test_what_is_supported_is_told_whole_however_long_the_names_are(self) -> None:
        self.house.about.network = "n" * 200
        alice = self.irc("𐌰" * 32)

        answers = [line for line in alice.ask("VERSION") if " 005 " in line]

        for line in answers:
            self.assertTrue(line.endswith(" :are supported by this server"), line)
        told = {word for line in answers for word in line.split(" :")[0].split(" ")[3:]}
        self.assertEqual(told, set(tokens(self.house.controller.policy, "n" * 200)))

    def test_nobody_is_said_to_run_it(self) -> None:
        alice = self.irc("alice")
        self.answers(alice, "ADMIN", f"423 {SERVER} :No administrative info available")

    def test_who_runs_it_is_told_in_the_lines_that_there_are(self) -> None:
        alice = self.irc("alice")
        self.house.about.admin = ("Ann", "ann@chat.example")
        self.answers(
            alice,
            "ADMIN",
            f"256 {SERVER} :Administrative info",
            "257 :Ann",
            "258 :ann@chat.example",
        )

    def test_the_time_is_the_services_clock(self) -> None:
        alice = self.irc("alice")
        self.answers(alice, "TIME", f"391 {SERVER} :{THEN}")

    def test_info_tells_what_it_is_and_since_when(self) -> None:
        alice = self.irc("alice")
        self.house.about.started = NOW
        self.answers(
            alice,
            "INFO",
            f"371 :{SERVER} runs chatservice-1.2.3",
            "371 :A chat service",
            f"371 :It is the chat network, and runs since {THEN}",
            "374 :End of INFO list",
        )


class LusersTests(IrcCase):
    def test_everybody_is_counted(self) -> None:
        alice = self.irc("alice")
        self.house.user("bob", "NEWROOM:lobby")
        self.flag("bob", modes.INVISIBLE)
        self.flag("alice", modes.SERVER_OPERATOR)
        self.house.about.counts = lambda: Counts(5, 9)
        self.answers(
            alice,
            "LUSERS",
            "251 :There are 1 users and 1 invisible on 1 server(s)",
            "252 1 :operator(s) online",
            "253 3 :unregistered connections",
            "254 1 :channels formed",
            "255 :I have 2 clients and 0 servers",
            "265 2 9 :Current local users 2, max 9",
            "266 2 9 :Current global users 2, max 9",
        )

    def test_whoever_is_renamed_or_gone_or_changes_their_mind_is_counted_once(self) -> None:
        alice, bob, carl = (self.irc(nick) for nick in ("alice", "bob", "carl"))
        for nick in ("alice", "bob", "carl"):
            self.flag(nick, modes.INVISIBLE)
            self.flag(nick, modes.INVISIBLE)
        bob.send("NICK bobby")
        carl.hang_up()
        self.assertIn("1 users and 2 invisible", self.irc("dora").ask("LUSERS")[0])
        self.house.restart_controller()
        self.assertIn("2 invisible", alice.ask("LUSERS")[0])


class StatsTests(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.house = House(policy=Policy(operators=frozenset(("root", "ann"))))

    def test_since_when_it_runs(self) -> None:
        alice = self.irc("alice")
        self.house.about.started = NOW - (86400 + 2 * 3600 + 3 * 60 + 4)
        end = "219 u :End of /STATS report"
        self.answers(alice, "STATS u", "242 :Server Up 1 days 2:03:04", end)

    def test_who_may_be_an_operator_is_told_to_operators(self) -> None:
        alice = self.irc("alice")
        end = "219 o :End of /STATS report"
        refused = "481 :Permission Denied - You're not an IRC operator"
        self.answers(alice, "STATS o", refused, end)
        self.flag("alice", modes.SERVER_OPERATOR)
        self.answers(alice, "STATS o", "243 O * * ann", "243 O * * root", end)

    def test_of_nothing_else_there_is_a_report(self) -> None:
        alice = self.irc("alice")
        self.answers(alice, "STATS x", "219 x :End of /STATS report")
        self.answers(alice, "STATS :", "219 * :End of /STATS report")
        self.answers(alice, "STATS", "461 STATS :Not enough parameters")


class HelpTests(IrcCase):
    def test_every_command_is_told_of(self) -> None:
        alice = self.irc("alice")

        answers = [short(line) for line in alice.ask("HELP")]

        self.assertEqual(answers[0], "704 * :The commands of this server:")
        self.assertEqual(answers[-1], "706 * :End of /HELP")
        told = [answer.removeprefix("705 * :").split(" ")[0] for answer in answers[1:-1]]
        self.assertEqual(told, sorted(COMMANDS))

    def test_one_command_is_explained(self) -> None:
        alice = self.irc("alice")
        for asking in ("HELP kill", "HELPOP KILL"):
            self.answers(
                alice,
                asking,
                "704 KILL :KILL <nick> [:<reason>]",
                "705 KILL :put somebody out of the server",
                "706 KILL :End of /HELP",
            )

    def test_an_unknown_one_is_not(self) -> None:
        alice = self.irc("alice")
        self.answers(alice, "HELP dance", "524 dance :No help available on this topic")
        self.answers(alice, "HELP :two words", "524 * :No help available on this topic")

    def test_a_labelled_one_is_one_batch(self) -> None:
        alice = self.irc("alice", "labeled-response", "batch")

        answers = alice.ask("@label=x HELP KILL")

        self.assertEqual(len(answers), 5)
        self.assertTrue(answers[0].startswith("@label=x :chat.example BATCH +"), answers[0])
        self.assertTrue(all(line.startswith("@batch=") for line in answers[1:4]))


class UnregisteredTests(IrcCase):
    def test_nothing_is_told_before_registration(self) -> None:
        client = self.house.client(dialect="irc")
        for query in ("MOTD", "VERSION", "ADMIN", "LUSERS", "TIME", "STATS u", "INFO", "HELP"):
            self.answers(client, query, "451 :You need to register before you can do that")
