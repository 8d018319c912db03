"""WHO and WHOX: whom they find, what they tell, and to whom."""

from __future__ import annotations

from chatservice.controller import modes
from chatservice.controller.desk import Flow
from tests.bench import Client, House
from tests.irc_case import CLOAK, IrcCase, short


def who(nick: str, flags: str, channel: str = "*", realname: str = "") -> str:
    """A line of WHO's, without server and asker."""
    realname = realname or f"The real {nick}"
    return f"352 {channel} ~u {CLOAK} chat.example {nick} {flags} :0 {realname}"


class WhoTests(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice = self.irc("alice")
        self.bob = self.irc("bob")

    def enter(self, channel: str, *clients: Client) -> None:
        for client in clients:
            client.ask(f"JOIN {channel}")

    # Whom it finds.

    def test_members_of_a_channel(self) -> None:
        self.enter("#tea", self.bob, self.alice)
        carol = self.house.user("carol", "JOINROOM:tea")
        self.answers(
            self.alice,
            "WHO #tea",
            who("bob", "H~", "#tea"),
            who("alice", "H", "#tea"),
            f"352 #tea ~u {CLOAK} chat.example carol H :0 carol",
            "315 #tea :End of WHO list",
        )
        self.assertFalse([line for line in carol.lines() if "WHO" in line])

    def test_a_nick_in_any_case(self) -> None:
        self.answers(self.alice, "WHO BOB", who("bob", "H"), "315 BOB :End of WHO list")

    def test_those_whom_a_mask_fits(self) -> None:
        self.irc("bobby")
        self.answers(
            self.alice, "WHO bob*", who("bob", "H"), who("bobby", "H"), "315 bob* :End of WHO list"
        )

    def test_a_mask_with_a_host(self) -> None:
        mask = f"b*!*@{CLOAK}"
        self.answers(self.alice, f"WHO {mask}", who("bob", "H"), f"315 {mask} :End of WHO list")

    def test_everybody_in_each_of_the_ways_to_ask_for_them(self) -> None:
        everybody = [who("alice", "H"), who("bob", "H")]
        for asked, shown in (("WHO 0", "0"), ("WHO *", "*"), ("WHO", "*"), ("WHO :", "*")):
            self.answers(self.alice, asked, *everybody, f"315 {shown} :End of WHO list")

    def test_nobody(self) -> None:
        for mask in ("nobody", "#nothing", "a!b!c", "#", "x" * 300):
            self.answers(self.alice, f"WHO {mask}", f"315 {mask} :End of WHO list")

    def test_what_cannot_stand_in_the_answer_is_shown_as_a_star(self) -> None:
        self.answers(self.alice, "WHO :no such mask", "315 * :End of WHO list")

    def test_only_operators_if_asked_for(self) -> None:
        self.flag("bob", modes.SERVER_OPERATOR)
        self.answers(self.alice, "WHO * o", who("bob", "H*"), "315 * :End of WHO list")
        self.answers(self.alice, "WHO * o%n", "354 bob", "315 * :End of WHO list")

    # Whom it hides.

    def test_strangers_do_not_find_the_invisible(self) -> None:
        self.flag("bob", modes.INVISIBLE)
        for mask in ("bob", "b*"):
            self.answers(self.alice, f"WHO {mask}", f"315 {mask} :End of WHO list")
        self.answers(self.bob, "WHO bob", who("bob", "H"), "315 bob :End of WHO list")

    def test_strangers_do_not_find_the_invisible_in_a_channel(self) -> None:
        self.enter("#tea", self.bob)
        self.flag("bob", modes.INVISIBLE)
        self.answers(self.alice, "WHO #tea", "315 #tea :End of WHO list")

    def test_those_in_the_same_channel_find_them(self) -> None:
        self.enter("#tea", self.bob, self.alice)
        self.flag("bob", modes.INVISIBLE)
        self.answers(self.alice, "WHO bob", who("bob", "H"), "315 bob :End of WHO list")
        self.assertIn(who("bob", "H~", "#tea"), map(short, self.alice.ask("WHO #tea")))

    def test_operators_find_them(self) -> None:
        self.flag("bob", modes.INVISIBLE)
        self.flag("alice", modes.SERVER_OPERATOR)
        self.answers(self.alice, "WHO bob", who("bob", "H"), "315 bob :End of WHO list")

    def test_strangers_are_told_nothing_of_a_secret_channel(self) -> None:
        self.house.user("carol", "NEWROOM:den:private", "JOINROOM:den")
        self.answers(self.alice, "WHO #den", "315 #den :End of WHO list")

    # Flags.

    def test_the_highest_prefix_and_with_multi_prefix_all(self) -> None:
        self.enter("#tea", self.alice, self.bob)
        room = self.house.controller.state.rooms["tea"]
        room.roles[self.house.controller.state.users["bob"].identity] = {"operator", "voice"}
        self.answers(self.alice, "WHO #tea %nf", "354 alice H~", "354 bob H@", END_TEA)
        carol = self.irc("carol", "multi-prefix")
        self.answers(carol, "WHO #tea %nf", "354 alice H~", "354 bob H@+", END_TEA)

    def test_away_operator_bot(self) -> None:
        self.enter("#tea", self.alice)
        self.alice.ask("AWAY :tea")
        self.flag("alice", modes.SERVER_OPERATOR)
        self.flag("alice", modes.BOT)
        self.answers(self.bob, "WHO #tea %f", "354 G*~B", END_TEA)

    # WHOX.

    def test_all_fields_in_their_order(self) -> None:
        self.enter("#tea", self.bob)
        self.house.clock.advance(9)
        line = f"354 42 #tea ~u 255.255.255.255 {CLOAK} chat.example bob H~ 0 9 0 0 :The real bob"
        self.answers(self.alice, "WHO #tea %roaldfnshiuct,42", line, END_TEA)

    def test_only_what_was_asked_for(self) -> None:
        self.answers(self.alice, "WHO bob %n", "354 bob", "315 bob :End of WHO list")
        self.answers(self.alice, "WHO bob %nr", "354 bob :The real bob", END_BOB)

    def test_fields_that_are_unknown_are_left_out(self) -> None:
        self.answers(self.alice, "WHO bob %nxyz1", "354 bob", END_BOB)

    def test_capitals_will_do(self) -> None:
        self.answers(self.alice, "WHO bob %N", "354 bob", END_BOB)

    def test_the_real_name_of_a_line_protocol_user_is_the_nick(self) -> None:
        self.house.user("carol")
        self.answers(self.alice, "WHO carol %nr", "354 carol :carol", "315 carol :End of WHO list")

    def test_a_token_that_is_none_is_zero(self) -> None:
        for token in ("", ",", ",1234", ",x", ",1 2", ",²"):
            self.answers(self.alice, f"WHO bob :%tn{token}", "354 0 bob", END_BOB)
        self.answers(self.alice, "WHO bob %tn,007", "354 007 bob", END_BOB)

    def test_the_account(self) -> None:
        self.account("Carol")
        self.irc("cc", account="carol")
        self.answers(self.alice, "WHO cc %na", "354 cc Carol", "315 cc :End of WHO list")
        self.answers(self.alice, "WHO bob %na", "354 bob 0", END_BOB)

    def test_the_address_is_for_oneself_and_operators(self) -> None:
        self.answers(self.alice, "WHO alice %i", "354 192.0.2.1", "315 alice :End of WHO list")
        self.answers(self.alice, "WHO bob %i", "354 255.255.255.255", END_BOB)
        self.flag("alice", modes.SERVER_OPERATOR)
        self.answers(self.alice, "WHO bob %i", "354 192.0.2.1", END_BOB)

    def test_an_address_that_begins_with_a_colon(self) -> None:
        client = self.house.client(dialect="irc", address="::1")
        client.ask("NICK six", "USER six 0 * :six")
        self.answers(client, "WHO six %i", "354 0::1", "315 six :End of WHO list")

    def test_a_unix_socket_has_no_address(self) -> None:
        client = self.house.client(dialect="irc", address="local")
        client.ask("NICK sock", "USER sock 0 * :sock")
        self.answers(client, "WHO sock %i", "354 255.255.255.255", "315 sock :End of WHO list")

    # Size.

    def test_no_line_is_too_long(self) -> None:
        nick = "é" * 32
        client = self.house.client(dialect="irc")
        client.ask(f"NICK {nick}", f"USER x 0 * :{'r' * 390}")
        for asked in (f"WHO {nick}", f"WHO {nick} %tcuihsnfdlaor,1"):
            answers = client.ask(asked)
            self.assertEqual(len(answers), 2)
            self.assertTrue(all(len(line.encode()) <= 510 for line in answers))

    def test_a_label_is_for_all_of_it(self) -> None:
        carol = self.irc("carol", "labeled-response", "batch")
        first, *lines, last = carol.ask("@label=x WHO b*")
        self.assertTrue(first.startswith("@label=x :chat.example BATCH +"), first)
        self.assertEqual(len(lines), 2)
        self.assertTrue(last.startswith(":chat.example BATCH -"), last)

    def test_a_large_channel_is_told_whole(self) -> None:
        self.enter("#tea", self.alice)
        for number in range(300):
            self.house.user(f"user{number}", "JOINROOM:tea")
        self.assertEqual(len(self.alice.ask("WHO #tea %n")), 302)
        self.assertEqual(len(self.alice.ask("WHO *")), 303)


class ChargeTests(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.house = House(flow=Flow(rate=1, burst=10))
        self.alice = self.irc("alice")
        for number in range(600):
            self.house.user(f"user{number}", *["JOINROOM:tea"] * (number > 0) or ["NEWROOM:tea"])
        self.house.clock.advance(10)

    def has_to_wait(self, asked: str) -> bool:
        """Whether a client that asks this five times has to wait before five small things."""
        answers = self.alice.ask(*[asked] * 5, *["PING x"] * 5)
        return sum(" PONG " in line for line in answers) < 5

    def test_asking_for_everybody_costs_more_than_a_line(self) -> None:
        self.assertTrue(self.has_to_wait("WHO *"))
        self.house.wait(60)
        self.alice.lines()
        answers = self.alice.ask(*10 * ["PING x"])
        self.assertEqual(len(answers), 10)

    def test_so_does_a_mask_that_fits_nobody(self) -> None:
        self.assertTrue(self.has_to_wait("WHO nobody*"))

    def test_so_does_a_large_channel(self) -> None:
        self.assertTrue(self.has_to_wait("WHO #tea %n"))


END_TEA = "315 #tea :End of WHO list"
END_BOB = "315 bob :End of WHO list"
