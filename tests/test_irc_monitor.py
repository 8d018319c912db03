"""MONITOR, and what else one client is told by itself: wallops, and that a channel is gone."""

from __future__ import annotations

from chatservice.controller import modes
from chatservice.controller.events import HostChanged, Wallops
from chatservice.translation.irc.isupport import MONITORED
from tests.bench import Client
from tests.irc_case import CLOAK, IrcCase, mask, short


class MonitorCase(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice = self.irc("alice")

    def told(self, client: Client | None = None) -> list[str]:
        """What a client (Alice) was told since the last look, without server and nick."""
        return [short(line) for line in (client or self.alice).lines()]


class MonitorTests(MonitorCase):
    def test_who_is_here_and_who_is_not(self) -> None:
        self.irc("Bob")
        self.house.user("carol")
        self.answers(
            self.alice,
            "MONITOR + bob,Dave,CAROL",
            f"730 :{mask('Bob')},{mask('carol')}",
            "731 :Dave",
        )

    def test_only_those_who_are_here_or_only_those_who_are_not(self) -> None:
        self.answers(self.alice, "MONITOR + alice", f"730 :{mask('alice')}")
        self.answers(self.alice, "MONITOR + dave", "731 :dave")

    def test_what_is_watched_already_is_told_again_and_watched_once(self) -> None:
        self.alice.ask("MONITOR + dave")
        self.answers(self.alice, "MONITOR + DAVE,dave", "731 :dave")
        self.answers(self.alice, "MONITOR L", "732 :dave", END)

    def test_what_cannot_be_a_nick_is_left_out(self) -> None:
        self.answers(self.alice, "MONITOR + a!b@c,#tea,*,dave,,x*", "731 :dave")
        self.answers(self.alice, "MONITOR + *!*@*")
        self.answers(self.alice, "MONITOR L", "732 :dave", END)

    def test_giving_up(self) -> None:
        self.alice.ask("MONITOR + dave,erin")
        self.answers(self.alice, "MONITOR - DAVE,nobody,#x")
        self.answers(self.alice, "MONITOR L", "732 :erin", END)
        self.irc("dave")
        self.assertEqual(self.told(), [])

    def test_clearing(self) -> None:
        self.alice.ask("MONITOR + dave,erin")
        self.answers(self.alice, "MONITOR C")
        self.answers(self.alice, "MONITOR L", END)
        self.irc("dave")
        self.assertEqual(self.told(), [])

    def test_asking_again(self) -> None:
        self.alice.ask("MONITOR + dave,erin")
        self.irc("dave")
        self.alice.lines()
        self.answers(self.alice, "MONITOR S", f"730 :{mask('dave')}", "731 :erin")
        self.answers(self.alice, "monitor s", f"730 :{mask('dave')}", "731 :erin")

    def test_an_empty_list(self) -> None:
        self.answers(self.alice, "MONITOR L", END)
        self.answers(self.alice, "MONITOR S")
        self.answers(self.alice, "MONITOR C")

    def test_wrong_words(self) -> None:
        self.answers(self.alice, "MONITOR", "461 MONITOR :Not enough parameters")
        self.answers(self.alice, "MONITOR +", "461 MONITOR :Not enough parameters")
        self.answers(self.alice, "MONITOR -", "461 MONITOR :Not enough parameters")
        self.answers(self.alice, "MONITOR x", "400 MONITOR x :Unknown subcommand")
        self.answers(self.alice, "MONITOR :", "400 MONITOR * :Unknown subcommand")

    # Size.

    def test_a_full_list(self) -> None:
        nicks = [f"n{number}" for number in range(MONITORED)]
        for start in range(0, MONITORED, 50):
            self.alice.ask(f"MONITOR + {','.join(nicks[start : start + 50])}")
        self.answers(
            self.alice, "MONITOR + n1,one,two", "731 :n1", "734 100 one,two :Monitor list is full"
        )
        self.alice.ask("MONITOR - n1")
        self.answers(
            self.alice, "MONITOR + one,two", "731 :one", "734 100 two :Monitor list is full"
        )

    def test_lists_longer_than_a_line(self) -> None:
        nicks = [f"{'é' * 30}{number}" for number in range(10, 50)]
        for nick in nicks:
            self.alice.ask(f"MONITOR + {nick}")
        for asked, number in (("MONITOR L", "732"), ("MONITOR S", "731")):
            lines = [line for line in self.alice.ask(asked) if f" {number} " in line]
            self.assertTrue(all(len(line.encode()) <= 510 for line in lines))
            shown = ",".join(line.split(" :", 1)[1] for line in lines)
            self.assertEqual(shown.split(","), nicks)

    def test_what_a_full_list_refuses_fits_its_lines_too(self) -> None:
        for number in range(MONITORED):
            self.alice.ask(f"MONITOR + n{number}")
        nicks = [f"{'é' * 30}{number}" for number in range(8)]
        lines = self.alice.ask(f"MONITOR + {','.join(nicks)}"[:480])
        self.assertTrue(all(line.endswith(" :Monitor list is full") for line in lines))
        self.assertEqual(len(lines), 2)

    # What happens.

    def test_coming_and_going(self) -> None:
        self.alice.ask("MONITOR + BOB")
        bob = self.irc("Bob")
        self.assertEqual(self.told(), [f"730 :{mask('Bob')}"])
        bob.ask("QUIT")
        self.assertEqual(self.told(), ["731 :Bob"])

    def test_coming_and_going_by_another_dialect(self) -> None:
        self.alice.ask("MONITOR + carol")
        carol = self.house.user("carol")
        self.assertEqual(self.told(), [f"730 :{mask('carol')}"])
        carol.send("LOGOUT:")
        self.assertEqual(self.told(), ["731 :carol"])

    def test_other_names(self) -> None:
        bob = self.irc("bob")
        self.alice.ask("MONITOR + bob,robert")
        bob.ask("NICK Robert")
        self.assertEqual(self.told(), ["731 :bob", f"730 :{mask('Robert')}"])
        bob.ask("NICK rob")
        self.assertEqual(self.told(), ["731 :Robert"])
        bob.ask("NICK bob")
        self.assertEqual(self.told(), [f"730 :{mask('bob')}"])

    def test_the_same_name_in_other_letters(self) -> None:
        bob = self.irc("bob")
        self.alice.ask("MONITOR + bob")
        bob.ask("NICK BOB")
        self.assertEqual(self.told(), [])

    def test_watching_goes_on_under_another_name(self) -> None:
        self.alice.ask("MONITOR + bob", "NICK alicia")
        self.alice.lines()
        self.irc("bob")
        self.assertEqual(self.told(), [f"730 :{mask('bob')}"])

    def test_others_hear_nothing(self) -> None:
        carol = self.irc("carol")
        self.alice.ask("MONITOR + bob")
        self.irc("bob")
        self.assertEqual(carol.lines(), [])

    def test_a_restart_of_the_controller_changes_nothing(self) -> None:
        self.alice.ask("MONITOR + bob")
        self.house.restart_controller()
        self.irc("bob")
        self.assertEqual(self.told(), [f"730 :{mask('bob')}"])

    def test_what_others_do_is_no_answer_to_a_labelled_command(self) -> None:
        carol = self.irc("carol", "labeled-response", "batch")
        carol.ask("MONITOR + bob")
        bob = self.house.client(dialect="irc")
        self.house.journal.hold()
        bob.send("NICK bob", "USER bob 0 * :bob")
        carol.send("@label=x AWAY :tea")
        self.house.journal.release()
        self.house.settle()
        self.assertEqual(
            carol.lines(),
            [
                f":chat.example 730 carol :{mask('bob')}",
                "@label=x :chat.example 306 carol :You have been marked as being away",
            ],
        )


class ExtendedMonitorTests(MonitorCase):
    WORDS = ("extended-monitor", "away-notify", "account-notify", "chghost", "setname")

    def setUp(self) -> None:
        super().setUp()
        self.bob = self.irc("bob")
        self.watcher = self.irc("watcher", *self.WORDS)
        self.watcher.ask("MONITOR + bob")

    def do_everything(self) -> None:
        """All that is told of Bob."""
        self.bob.ask("AWAY :tea", "SETNAME :Robert")
        self.house.controller.submit(
            HostChanged(actor="bob", nick="bob", host=CLOAK, new_host="home.example", by="x")
        )
        self.house.settle()

    def told_of_everything(self, *capabilities: str) -> list[str]:
        """What somebody with these capabilities who monitors Bob is told."""
        client = self.irc("other", *capabilities)
        client.ask("MONITOR + bob")
        self.do_everything()
        return client.lines()

    def test_away_and_back(self) -> None:
        self.bob.ask("AWAY :tea")
        self.bob.ask("AWAY")
        self.assertEqual(
            self.watcher.lines(), [f":{mask('bob')} AWAY :tea", f":{mask('bob')} AWAY"]
        )

    def test_account(self) -> None:
        carol = self.house.user("carol")
        self.watcher.ask("MONITOR + carol")
        carol.send("REGISTER:secret")
        self.assertEqual(self.watcher.lines(), [f":{mask('carol')} ACCOUNT carol"])

    def test_host_and_real_name(self) -> None:
        self.do_everything()
        self.assertEqual(
            self.watcher.lines()[1:],
            [f":{mask('bob')} SETNAME :Robert", f":{mask('bob')} CHGHOST ~u home.example"],
        )

    def test_once_for_those_who_share_a_channel(self) -> None:
        self.bob.ask("JOIN #tea")
        self.watcher.ask("JOIN #tea")
        self.bob.ask("AWAY :tea")
        self.assertEqual(self.watcher.lines(), [f":{mask('bob')} AWAY :tea"])

    def test_nothing_without_the_capability(self) -> None:
        self.assertEqual(self.told_of_everything(*self.WORDS[1:]), [])

    def test_nothing_by_the_capability_alone(self) -> None:
        self.assertEqual(self.told_of_everything("extended-monitor"), [])

    def test_what_the_other_capabilities_allow(self) -> None:
        told = self.told_of_everything("extended-monitor", "setname")
        self.assertEqual(told, [f":{mask('bob')} SETNAME :Robert"])


class WallopsTests(MonitorCase):
    def wallops(self, text: str) -> None:
        event = Wallops(actor="root", nick="root", host=CLOAK, text=text)
        self.house.controller.submit(event)
        self.house.settle()

    def test_those_who_want_to_hear_it_and_operators(self) -> None:
        listener, operator = self.irc("listener"), self.irc("operator")
        carol = self.house.user("carol")
        self.flag("listener", modes.HEARS_WALLOPS)
        self.flag("operator", modes.SERVER_OPERATOR)
        for client in (listener, operator):
            client.lines()
        self.wallops("back at ten")
        for client in (listener, operator):
            self.assertEqual(client.lines(), [f":{mask('root')} WALLOPS :back at ten"])
        self.assertEqual(self.alice.lines(), [])
        self.assertFalse([line for line in carol.lines() if "back" in line])

    def test_a_long_one_is_cut(self) -> None:
        self.flag("alice", modes.HEARS_WALLOPS)
        self.alice.lines()
        self.wallops("é" * 500)
        (line,) = self.alice.lines()
        self.assertLessEqual(len(line.encode()), 510)

    def test_those_who_have_not_registered_yet_hear_nothing(self) -> None:
        client = self.house.client(dialect="irc")
        self.wallops("back at ten")
        self.assertEqual(client.lines(), [])


class DeletedChannelTests(MonitorCase):
    def test_members_leave_it(self) -> None:
        bob = self.irc("bob", "server-time", "message-tags", "account-tag")
        self.account("carol")
        carol = self.house.client()
        carol.send("LOGIN:carol:secret", "NEWROOM:tea", "JOINROOM:tea")
        for client in (self.alice, bob):
            client.ask("JOIN #tea")
        self.alice.lines()
        carol.send("DELROOM:tea")
        by = mask("carol")
        self.assertEqual(self.alice.lines(), [f":{by} KICK #tea alice :Channel deleted"])
        (line,) = bob.lines()
        tags, _, rest = line.partition(" ")
        self.assertEqual(rest, f":{by} KICK #tea bob :Channel deleted")
        self.assertIn("time=2027-01-15T08:00:00.000Z;msgid=", tags)
        self.assertTrue(tags.endswith(";account=carol"), tags)

    def test_a_client_is_told_by_the_nick_that_it_knows(self) -> None:
        owner = self.house.user("carol", "NEWROOM:tea", "JOINROOM:tea")
        self.alice.send("JOIN #tea")
        self.alice.lines()

        self.house.journal.hold()
        owner.send("DELROOM:tea")
        self.alice.send("NICK alicia")
        self.house.journal.release()
        self.house.settle()

        by = mask("carol")
        self.assertEqual(
            self.alice.lines(),
            [f":{by} KICK #tea alice :Channel deleted", f":{mask('alice')} NICK alicia"],
        )

    def test_others_are_told_nothing(self) -> None:
        carol = self.house.user("carol", "NEWROOM:tea", "JOINROOM:tea")
        carol.send("DELROOM:tea")
        self.assertEqual(self.alice.lines(), [])


END = "733 :End of MONITOR list"
