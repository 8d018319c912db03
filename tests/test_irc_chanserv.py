"""ChanServ: what becomes of channels, and roles in them."""

from __future__ import annotations

from tests.irc_case import mask
from tests.test_irc_services import ServiceCase, said

THEN = "Fri, 15 Jan 2027 08:00:00 UTC"


class ChannelCase(ServiceCase):
    """`alice` is logged in, and owns #den; `bob`, a guest, is in it."""

    service = "ChanServ"

    def setUp(self) -> None:
        super().setUp()
        self.account("alice")
        self.alice = self.irc("alice", account="alice")
        self.bob = self.irc("bob")
        self.alice.send("JOIN #den")
        self.bob.send("JOIN #den")
        self.alice.lines()
        self.bob.lines()


class RegisterTests(ChannelCase):
    def test_an_accounts_channel_is_kept_already(self) -> None:
        told = self.ask(self.alice, "REGISTER #DEN")
        self.assertEqual(told, ["#den is your account's, and stays until you drop it."])

    def test_a_guests_becomes_so_when_they_log_in(self) -> None:
        self.bob.send("JOIN #bobs")
        self.bob.lines()
        words = "Log in to an account first: what you own is the account's then."
        self.assertEqual(self.ask(self.bob, "REGISTER #bobs"), [words])
        self.bob.send("NS REGISTER secret")
        self.bob.lines()
        told = self.ask(self.bob, "REGISTER #bobs")
        self.assertEqual(told, ["#bobs is your account's, and stays until you drop it."])

    def test_nobody_elses_can_be_had(self) -> None:
        cases = (
            ("#den", "Only the room's owner may do that."),
            ("#none", "There is no such room."),
            ("den", "There is no such room."),
        )
        for channel, told in cases:
            self.assertEqual(self.ask(self.bob, f"REGISTER {channel}"), [told])


class RoleTests(ChannelCase):
    def test_each_role_is_given_and_taken(self) -> None:
        cases = (
            ("PROTECT", "+a"),
            ("OP", "+o"),
            ("HALFOP", "+h"),
            ("VOICE", "+v"),
            ("DEPROTECT", "-a"),
            ("DEOP", "-o"),
            ("DEHALFOP", "-h"),
            ("DEVOICE", "-v"),
        )
        for command, letter in cases:
            self.alice.send(f"CS {command} #den bob")
            self.assertEqual(self.bob.lines(), [f":{mask('alice')} MODE #den {letter} bob"])

    def test_a_user_of_the_line_protocol_sees_no_more_than_others_do(self) -> None:
        carl = self.house.user("carl", "JOINROOM:den")
        self.alice.send("CS OP #den carl")
        self.assertEqual([line for line in carl.lines() if line.startswith("ERR")], [])
        self.assertIn("bob", carl.ask("KICKROOM:den:bob")[-1])
        self.assertIn(" KICK #den bob ", self.bob.lines()[-1])

    def test_without_a_nick_it_is_ones_own(self) -> None:
        answers = self.all_of(self.alice, "OP #den")
        self.assertEqual(answers, [f":{mask('alice')} MODE #den +o alice"])

    def test_several_are_given_it_at_once(self) -> None:
        self.irc("carl").send("JOIN #den")
        self.alice.lines()
        answers = self.all_of(self.alice, "VOICE #den bob carl bob dora")
        self.assertEqual(answers[0], f":{mask('alice')} MODE #den +vv bob carl")
        told = said("ChanServ", answers[1:])
        self.assertEqual(told, ["dora: there is nobody of that nick."])

    def test_what_is_so_already_stays_so(self) -> None:
        self.assertEqual(self.ask(self.alice, "DEOP #den bob"), ["It is so already."])

    def test_who_may_not_does_not(self) -> None:
        words = "only the room's owner, and who has a role for it, may do that"
        self.assertEqual(self.ask(self.bob, "OP #den"), [f"bob: {words}."])
        self.assertEqual(self.ask(self.bob, "OP #none"), ["There is no such room."])
        self.assertEqual(self.alice.lines(), [])


class TransferTests(ChannelCase):
    def test_an_owner_gives_a_channel_away(self) -> None:
        self.account("carl")
        carl = self.irc("carl", account="carl")
        carl.send("JOIN #den")
        self.alice.lines()

        answers = self.all_of(self.alice, "TRANSFER #den carl")

        self.assertEqual(answers[0], f":{mask('alice')} MODE #den -q+q alice carl")
        self.assertEqual(said("ChanServ", answers[1:]), ["#den is carl's now."])
        carl.lines()
        told = self.ask(carl, "REGISTER #den")
        self.assertEqual(told, ["#den is your account's, and stays until you drop it."])

    def test_not_to_guests_nor_to_nobody_nor_anybody_elses(self) -> None:
        guest = "Only somebody with an account can be given that room."
        self.assertEqual(self.ask(self.alice, "TRANSFER #den bob"), [guest])
        nobody = ["There is nobody of that nick."]
        self.assertEqual(self.ask(self.alice, "TRANSFER #den dora"), nobody)
        told = self.ask(self.bob, "TRANSFER #den bob")
        self.assertEqual(told, ["Only the room's owner may do that."])


class InfoTests(ChannelCase):
    def test_a_channel_has_a_founder_and_an_age(self) -> None:
        told = self.ask(self.bob, "INFO #den")
        wanted = ["Channel: #den", "Founder: alice", f"Made: {THEN}", "Members: 2"]
        self.assertEqual(told, wanted)

    def test_the_founder_may_be_a_guest_and_gone(self) -> None:
        self.bob.send("JOIN #bobs")
        self.alice.send("JOIN #bobs")
        self.alice.lines()
        self.assertEqual(self.ask(self.alice, "INFO #bobs")[1], "Founder: bob, a guest")
        self.bob.hang_up()
        self.alice.lines()
        self.assertEqual(self.ask(self.alice, "INFO #bobs")[1], "Founder: a guest who is gone")

    def test_strangers_are_not_told_of_secret_ones(self) -> None:
        self.alice.send("MODE #den +s")
        carl = self.irc("carl")
        for words in ("INFO #den", "REGISTER #den", "OP #den", "TRANSFER #den carl", "DROP #den"):
            self.assertEqual(self.ask(carl, words), ["There is no such room."])


class DropTests(ChannelCase):
    def test_it_takes_a_code(self) -> None:
        for command in ("DROP", "UNREGISTER"):
            warning, how = self.ask(self.alice, f"{command} #den")
            self.assertEqual(warning, "#den and all that was said in it will be gone.")
            beginning, _, code = how.rpartition(" ")
            wanted = "If that is what you want: /msg ChanServ DROP #den"
            self.assertEqual(beginning, wanted)
        answers = self.all_of(self.alice, f"DROP #den {code}")
        self.assertEqual(said("ChanServ", answers[-1:]), ["#den was dropped."])
        self.assertNotIn("den", self.house.controller.state.rooms)

    def test_a_code_is_for_one_channel(self) -> None:
        self.alice.send("JOIN #other")
        self.alice.lines()
        code = self.ask(self.alice, "DROP #other")[1].rpartition(" ")[2]
        self.assertEqual(self.ask(self.alice, f"DROP #den {code}"), ["That is not the code."])
        self.assertIn("den", self.house.controller.state.rooms)

    def test_only_the_owner_gets_one(self) -> None:
        for words in ("#den", "#den 123456"):
            told = self.ask(self.bob, f"DROP {words}")
            self.assertEqual(told, ["Only the room's owner may do that."])
