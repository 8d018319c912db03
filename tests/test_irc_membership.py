"""JOIN and PART, as IRC clients and others in the room see them."""

from __future__ import annotations

from chatservice.controller.events import ModeChange
from chatservice.controller.policy import Policy
from tests.bench import Client, House
from tests.irc_case import IrcCase, mask, short


def told(client: Client) -> list[str]:
    """The lines that came since the last look, numerics shortened."""
    return [short(line) for line in client.lines()]


class Join(IrcCase):
    def test_a_channel_that_is_not_there_is_made_and_is_its_makers(self) -> None:
        alice = self.irc("alice")

        self.answers(
            alice,
            "JOIN #den",
            f":{mask('alice')} JOIN #den",
            ":chat.example MODE #den +q alice",
            "353 = #den :~alice",
            "366 #den :End of NAMES list",
        )

    def test_whoever_enters_is_shown_topic_and_members_and_the_others_see_the_join(self) -> None:
        bob = self.house.user("bob", "NEWROOM:den", "JOINROOM:den", "TOPIC:den:what is up")
        carol = self.irc("carol")
        carol.send("JOIN #den")
        carol.lines()
        bob.lines()
        alice = self.irc("alice")

        self.answers(
            alice,
            "JOIN #DEN",
            f":{mask('alice')} JOIN #den",
            "332 #den :what is up",
            "333 #den bob 1800000000",
            "353 = #den :~bob carol alice",
            "366 #den :End of NAMES list",
        )
        self.assertEqual(told(carol), [f":{mask('alice')} JOIN #den"])
        self.assertEqual(bob.lines(), ["JOINED:den:alice"])

    def test_who_is_inside_hears_nothing_of_joining_again(self) -> None:
        alice = self.irc("alice")
        alice.send("JOIN #den")

        self.answers(alice, "JOIN #den,#Den")

    def test_a_name_that_looks_like_a_channels_is_refused(self) -> None:
        self.house.user("bob", "NEWROOM:\N{CYRILLIC SMALL LETTER ES}\N{CYRILLIC SMALL LETTER O}")
        alice = self.irc("alice")

        self.answers(
            alice,
            "JOIN #co",
            "476 #co :a room's name looks like this one",
        )

    def test_several_are_entered_each_with_its_key(self) -> None:
        owner = self.irc("owner")
        owner.send("JOIN #a,#b,#c", "MODE #a +k one", "MODE #c +k three")
        alice = self.irc("alice")

        answers = alice.ask("JOIN #a,,#b,#c,#a one,none,,three")

        joins = [line for line in answers if " JOIN " in line]
        self.assertEqual(joins, [f":{mask('alice')} JOIN {name}" for name in ("#a", "#b", "#c")])

    def test_whoever_is_in_too_many_makes_none(self) -> None:
        self.house = House(policy=Policy(rooms_per_user=1))
        alice = self.irc("alice")
        alice.send("JOIN #a")

        self.answers(alice, "JOIN #b", "405 #b :one may be in 1 rooms")
        self.assertEqual(list(self.house.controller.state.rooms), ["a"])

    def test_what_cannot_be_a_channel_is_refused(self) -> None:
        alice = self.irc("alice")

        self.answers(alice, "JOIN den", "403 den :No such channel")
        self.assertTrue(
            alice.ask("JOIN #a\x01b")[0].startswith(":chat.example 476 alice #a\x01b :")
        )
        self.assertIn(" 476 alice # :", alice.ask("JOIN #")[0])
        self.answers(alice, "JOIN", "461 JOIN :Not enough parameters")
        self.answers(alice, "JOIN :")

    def test_a_strangers_join_needs_registration(self) -> None:
        client = self.house.client(dialect="irc")

        self.assertIn(" 451 ", client.ask("JOIN #den")[0])

    def test_modes_keep_people_out(self) -> None:
        owner = self.irc("owner")
        alice = self.irc("alice")
        for number, (change, numeric) in enumerate(
            (
                ("+l 1", "471"),
                ("+i", "473"),
                ("+b alice", "474"),
                ("+k word", "475"),
                ("+R", "477"),
            )
        ):
            channel = f"#room{number}"
            owner.send(f"JOIN {channel}", f"MODE {channel} {change}")

            answers = [short(line) for line in alice.ask(f"JOIN {channel}")]

            self.assertEqual(len(answers), 1, answers)
            self.assertTrue(answers[0].startswith(f"{numeric} {channel} :"), answers)
            owner.lines()

    def test_there_are_only_so_many_channels_for_one(self) -> None:
        self.house = House(policy=Policy(rooms_per_user=1))
        alice = self.irc("alice")
        alice.send("JOIN #one")

        self.answers(alice, "JOIN #two", "405 #two :one may be in 1 rooms")

    def test_more_targets_than_there_may_be_are_refused(self) -> None:
        self.house = House(policy=Policy(rooms_per_user=1))
        alice = self.irc("alice")

        answers = alice.ask("JOIN " + ",".join(f"#{n}" for n in range(102)))

        self.assertEqual(
            [short(line) for line in answers if " 407 " in line],
            ["407 #100 :Too many targets", "407 #101 :Too many targets"],
        )

    def test_the_answer_to_a_labelled_join_is_one_batch(self) -> None:
        alice = self.irc("alice", "labeled-response", "batch")

        answers = alice.ask("@label=7 JOIN #den")

        self.assertEqual(answers[0], "@label=7 :chat.example BATCH +1 labeled-response")
        self.assertEqual(answers[1], f"@batch=1 :{mask('alice')} JOIN #den")
        self.assertEqual(answers[-2], "@batch=1 :chat.example 366 alice #den :End of NAMES list")
        self.assertEqual(answers[-1], ":chat.example BATCH -1")


class Forwarded(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.owner = self.irc("owner")
        self.owner.send("JOIN #full,#other", "MODE #full +if #other")
        self.owner.lines()

    def test_who_may_not_enter_is_sent_to_the_other_channel(self) -> None:
        alice = self.irc("alice")

        self.answers(
            alice,
            "JOIN #full",
            "470 #full #other :Forwarding to another channel",
            f":{mask('alice')} JOIN #other",
            "353 = #other :~owner alice",
            "366 #other :End of NAMES list",
        )

    def test_who_is_there_already_is_only_told(self) -> None:
        alice = self.irc("alice")
        alice.send("JOIN #other")

        self.answers(alice, "JOIN #full", "470 #full #other :Forwarding to another channel")

    def test_there_is_no_second_forward(self) -> None:
        self.owner.send("JOIN #third", "MODE #other +if #third")
        alice = self.irc("alice")

        self.answers(
            alice,
            "JOIN #full",
            "470 #full #other :Forwarding to another channel",
            "473 #other :Cannot join channel (+i)",
        )

    def test_a_channel_that_went_is_not_made_anew(self) -> None:
        self.owner.send("MODE #full -f")
        self.house.change_modes("full", ModeChange(True, "forward", "gone"))
        alice = self.irc("alice")

        self.answers(
            alice,
            "JOIN #full",
            "470 #full #gone :Forwarding to another channel",
            "403 #gone :No such channel",
        )

    def test_who_is_in_too_many_channels_is_not_forwarded(self) -> None:
        self.house = House(policy=Policy(rooms_per_user=2))
        owner = self.irc("owner")
        owner.send("JOIN #full,#other", "MODE #full +f #other")
        alice = self.irc("alice")
        alice.send("JOIN #x,#y")

        self.answers(alice, "JOIN #full", "405 #full :one may be in 2 rooms")


class Part(IrcCase):
    def test_everybody_inside_sees_it_with_its_reason(self) -> None:
        alice, carol = self.irc("alice"), self.irc("carol")
        alice.send("JOIN #a,#b")
        carol.send("JOIN #a")
        bob = self.house.user("bob", "JOINROOM:a")
        alice.lines()
        carol.lines()
        bob.lines()

        gone = f":{mask('alice')} PART"
        self.answers(alice, "PART #A,#b :so long", f"{gone} #a :so long", f"{gone} #b :so long")

        self.assertEqual(told(carol), [f"{gone} #a :so long"])
        self.assertEqual(bob.lines(), ["LEFT:a:alice"])

    def test_without_a_reason_there_is_none(self) -> None:
        alice = self.irc("alice")
        alice.send("JOIN #a")

        self.answers(alice, "PART #a", f":{mask('alice')} PART #a")

    def test_what_one_is_not_in_cannot_be_left(self) -> None:
        alice = self.irc("alice")
        self.house.user("bob", "NEWROOM:den")

        self.answers(alice, "PART #den", "442 #den :You're not on that channel")
        self.answers(alice, "PART #nowhere", "403 #nowhere :No such channel")
        self.answers(alice, "PART den", "403 den :No such channel")
        self.answers(alice, "PART #a\x01b", "403 #a\x01b :No such channel")
        self.answers(alice, "PART", "461 PART :Not enough parameters")

    def test_join_0_leaves_all_channels(self) -> None:
        alice = self.irc("alice")
        alice.send("JOIN #a,#b")

        self.answers(alice, "JOIN 0", f":{mask('alice')} PART #a", f":{mask('alice')} PART #b")
        self.answers(alice, "JOIN 0")
