"""Negotiating capabilities (IRCv3 capability-negotiation), and what STS says."""

from __future__ import annotations

from chatservice.translation.about import Sts
from chatservice.translation.irc.capabilities import CAPABILITIES, TABLE
from chatservice.translation.irc.commands import capabilities as negotiation
from tests.bench import SERVER, Client
from tests.irc_case import IrcCase


class CapCase(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.client = self.house.client("irc")

    def offered(self, version: str = "302", client: Client | None = None) -> dict[str, str]:
        """What CAP LS offers: values by name."""
        words: list[str] = []
        for line in (client or self.client).ask(f"CAP LS {version}".rstrip()):
            words += line.partition(" :")[2].split(" ")
        return {name: value for name, _, value in (word.partition("=") for word in words)}


class ListTests(CapCase):
    def test_all_of_the_table_is_offered(self) -> None:
        self.assertEqual(set(self.offered()), set(CAPABILITIES) - {"sts"})

    def test_values_are_for_version_302_and_later(self) -> None:
        self.assertEqual(self.offered("302")["sasl"], "PLAIN,SCRAM-SHA-256")
        self.assertEqual(self.offered("307")["sasl"], "PLAIN,SCRAM-SHA-256")
        for version in ("", "301", "x", "३०२"):
            self.assertEqual(set(self.offered(version).values()), {""})

    def test_old_clients_are_told_in_one_line(self) -> None:
        (line,) = self.client.ask("CAP LS")

        self.assertTrue(line.startswith(f":{SERVER} CAP * LS :account-notify "), line)
        self.assertLessEqual(len(line), 510)

    def test_others_in_as_many_as_it_takes(self) -> None:
        self.patch(negotiation, "LONGEST_BODY", 120)
        *lines, last = self.client.ask("CAP LS 302")

        for line in [*lines, last]:
            self.assertLessEqual(len(line), 120)
        for line in lines:
            self.assertTrue(line.startswith(f":{SERVER} CAP * LS * :"), line)
        self.assertTrue(last.startswith(f":{SERVER} CAP * LS :"), last)
        self.assertGreater(len(lines), 2)
        self.assertEqual(set(self.offered()), set(CAPABILITIES) - {"sts"})

    def test_list_is_what_the_client_has(self) -> None:
        self.assertEqual(self.client.ask("CAP LIST"), [f":{SERVER} CAP * LIST :"])
        self.client.send("CAP REQ :server-time batch")
        self.assertEqual(self.client.ask("CAP LIST"), [f":{SERVER} CAP * LIST :batch server-time"])

    def test_all_of_them_fit_the_one_line_of_old_clients(self) -> None:
        for name in sorted(set(CAPABILITIES) - {"sts"}):
            self.client.send(f"CAP REQ {name}")
        (line,) = self.client.ask("CAP LIST")

        self.assertEqual(len(line.partition(" :")[2].split(" ")), len(TABLE) - 1)
        self.assertLessEqual(len(line), 510)

    def test_the_nick_is_said_if_there_is_one(self) -> None:
        alice = self.irc("alice")

        self.assertEqual(alice.ask("cap list"), [f":{SERVER} CAP alice LIST :cap-notify"])

    def test_what_cap_does_not_have(self) -> None:
        self.answers(self.client, "CAP FOO", "410 FOO :Invalid CAP command")
        self.answers(self.client, "CAP ACK :x", "410 ACK :Invalid CAP command")
        self.answers(self.client, "CAP :", "410 * :Invalid CAP command")
        self.answers(self.client, "CAP", "461 CAP :Not enough parameters")


class RequestTests(CapCase):
    def test_all_is_given_or_nothing(self) -> None:
        self.answers(self.client, "CAP REQ :batch nonsense", f":{SERVER} CAP * NAK :batch nonsense")
        self.assertEqual(self.client.ask("CAP LIST"), [f":{SERVER} CAP * LIST :"])
        self.answers(
            self.client, "CAP REQ :batch multi-prefix ", f":{SERVER} CAP * ACK :batch multi-prefix "
        )
        self.assertEqual(self.client.ask("CAP LIST"), [f":{SERVER} CAP * LIST :batch multi-prefix"])

    def test_what_one_has_can_be_asked_for_and_what_one_has_not_given_up(self) -> None:
        for _ in range(2):
            self.answers(self.client, "CAP REQ batch", f":{SERVER} CAP * ACK :batch")
        for _ in range(2):
            self.answers(self.client, "CAP REQ -batch", f":{SERVER} CAP * ACK :-batch")
        self.assertEqual(self.client.ask("CAP LIST"), [f":{SERVER} CAP * LIST :"])

    def test_names_are_opaque(self) -> None:
        for words in ("BATCH", "batch=1", "-", "--batch", "-nonsense"):
            self.answers(self.client, f"CAP REQ :{words}", f":{SERVER} CAP * NAK :{words}")

    def test_nothing_is_given_to_who_asks_for_nothing(self) -> None:
        self.answers(self.client, "CAP REQ", f":{SERVER} CAP * ACK :")
        self.answers(self.client, "CAP REQ :", f":{SERVER} CAP * ACK :")

    def test_after_registration_it_works_at_once(self) -> None:
        alice, bob = self.irc("alice"), self.irc("bob")
        alice.send("JOIN #lobby")
        bob.send("JOIN #lobby", "PRIVMSG #lobby :plain")
        self.assertTrue(alice.lines()[-1].startswith(":bob!"))

        self.answers(alice, "CAP REQ server-time", f":{SERVER} CAP alice ACK :server-time")
        bob.send("PRIVMSG #lobby :timed")
        self.assertTrue(alice.lines()[-1].startswith("@time="))

        self.answers(alice, "CAP REQ -server-time", f":{SERVER} CAP alice ACK :-server-time")
        bob.send("PRIVMSG #lobby :plain")
        self.assertTrue(alice.lines()[-1].startswith(":bob!"))


class NotifyTests(CapCase):
    def test_version_302_has_it_and_keeps_it(self) -> None:
        self.client.send("CAP LS 302", "CAP LS")
        self.client.lines()

        self.answers(self.client, "CAP LIST", f":{SERVER} CAP * LIST :cap-notify")
        self.answers(self.client, "CAP REQ cap-notify", f":{SERVER} CAP * ACK :cap-notify")
        self.answers(self.client, "CAP REQ -cap-notify", f":{SERVER} CAP * NAK :-cap-notify")

    def test_others_may_have_it_and_give_it_up(self) -> None:
        self.client.send("CAP REQ cap-notify")
        self.client.lines()

        self.answers(self.client, "CAP REQ -cap-notify", f":{SERVER} CAP * ACK :-cap-notify")
        self.answers(self.client, "CAP LIST", f":{SERVER} CAP * LIST :")


class HoldingUpTests(CapCase):
    def test_registration_waits_for_the_end(self) -> None:
        for begin in ("CAP LS", "CAP LS 302", "CAP REQ batch", "CAP REQ nonsense"):
            client = self.house.client("irc")
            client.send(begin, "NICK alice", "USER a 0 * :A")
            self.assertFalse([line for line in client.lines() if " 001 " in line])

            self.assertIn(" 001 alice ", client.ask("CAP END")[0])
            client.hang_up()

    def test_list_does_not_begin_it(self) -> None:
        self.client.send("CAP LIST", "NICK alice", "USER a 0 * :A")

        self.assertIn(" 001 alice ", self.client.lines()[1])

    def test_an_end_without_a_beginning_is_nothing(self) -> None:
        self.assertEqual(self.client.ask("CAP END"), [])
        self.assertEqual(self.irc("alice").ask("CAP END"), [])


class StsTests(CapCase):
    def setUp(self) -> None:
        super().setUp()
        self.house._hall.about.sts = Sts(6697, 2_592_000)

    def test_without_tls_it_says_where_there_is(self) -> None:
        self.assertEqual(self.offered()["sts"], "port=6697")

    def test_with_tls_it_says_for_how_long(self) -> None:
        self.assertEqual(
            self.offered(client=self.house.client(alpn=b"irc"))["sts"], "duration=2592000"
        )

    def test_it_is_not_asked_for(self) -> None:
        self.answers(self.client, "CAP REQ sts", f":{SERVER} CAP * NAK :sts")

    def test_old_clients_cannot_be_told_a_value(self) -> None:
        self.assertNotIn("sts", self.offered(""))
