"""Users of different nodes, in one chat: what one of them does is seen by the others as if they
were connected to one server.
"""

from __future__ import annotations

from chatservice.controller import modes
from chatservice.controller.policy import Policy
from tests.bench import Client
from tests.irc_case import mask, short
from tests.nodes_case import NodesCase, dump


class TogetherCase(NodesCase):
    """Ann, of the line protocol, on one node; Bob, of IRC, on the other; both in `den`."""

    policy = Policy(operators=frozenset(["root"]))

    def setUp(self) -> None:
        super().setUp()
        self.ann = self.a.user("ann", "NEWROOM:den", "JOINROOM:den")
        self.bob = self.b.irc("bob", "away-notify", "setname", "account-notify", "extended-monitor")
        self.bob.send("JOIN #den")
        self.hush()

    def tearDown(self) -> None:
        self.assertAgreed()

    def hush(self) -> None:
        """What everybody has got until now is no matter of the test."""
        for client in (self.ann, self.bob):
            client.lines()

    def asks(self, client: Client, line: str, *answers: str) -> None:
        """A line is answered with exactly these; a numeric may leave out server and nick."""
        self.assertEqual([short(got) for got in client.ask(line)], list(answers))

    def hears(self, client: Client, *lines: str) -> None:
        """A client has been told exactly this."""
        self.assertEqual([short(got) for got in client.lines()], list(lines))


class RoomTests(TogetherCase):
    def test_messages(self) -> None:
        self.ann.send("ROOM:den:hello")
        self.bob.send("PRIVMSG #den :hi")
        self.assertIn("ROOM:den:bob:hi", self.ann.lines())
        self.hears(self.bob, f":{mask('ann')} PRIVMSG #den :hello")

    def test_the_history_is_one(self) -> None:
        self.ann.send("ROOM:den:hello")
        self.bob.send("PRIVMSG #den :hi")
        told = [self.ann.ask("HISTORY:den"), self.b.user("cid", "JOINROOM:den").ask("HISTORY:den")]
        self.assertEqual(told[0], told[1])
        self.assertEqual([line.rpartition(":")[2] for line in told[0]], ["hello", "hi", "den"])

    def test_joining_and_leaving(self) -> None:
        cid = self.b.user("cid", "JOINROOM:den")
        self.hears(self.ann, "JOINED:den:cid")
        cid.send("EXITROOM:den")
        self.hears(self.ann, "LEFT:den:cid")
        self.ann.send("EXITROOM:den", "JOINROOM:den")
        self.assertEqual(
            [line.split(" ")[1] for line in self.bob.lines()[-3:]], ["PART", "JOIN", "MODE"]
        )

    def test_quitting(self) -> None:
        self.bob.send("QUIT :tea")
        self.hears(self.ann, "LEFT:den:bob")

    def test_a_connection_that_breaks(self) -> None:
        self.ann.hang_up()
        self.hears(self.bob, f":{mask('ann')} QUIT :connection closed")

    def test_who_is_there(self) -> None:
        self.asks(
            self.ann, "LISTUSERS:", "ITEM:LISTUSERS:ann", "ITEM:LISTUSERS:bob", "OK:LISTUSERS"
        )
        self.asks(
            self.ann,
            "LISTUSERS:den",
            "ITEM:LISTUSERS:ann",
            "ITEM:LISTUSERS:bob",
            "OK:LISTUSERS:den",
        )
        self.asks(self.bob, "NAMES #den", "353 = #den :~ann bob", "366 #den :End of NAMES list")
        self.assertEqual(len(self.bob.ask("WHO #den")), 3)
        self.assertIn("251 :There are 2 users and 0 invisible on 1 server(s)", self.lusers())

    def lusers(self) -> list[str]:
        return [short(line) for line in self.bob.ask("LUSERS")]

    def test_kicking_and_inviting(self) -> None:
        self.ann.send("KICKROOM:den:bob", "SETPRIVATE:den")
        self.assertEqual(self.bob.lines()[0], f":{mask('ann')} KICK #den bob :ann")
        self.asks(self.bob, "JOIN #den", "473 #den :Cannot join channel (+i)")
        self.ann.send("INVITEROOM:den:bob")
        self.hears(self.bob, f":{mask('ann')} INVITE bob #den")
        self.ann.lines()
        self.bob.send("JOIN #den")
        self.hears(self.ann, "JOINED:den:bob")

    def test_a_ban(self) -> None:
        eve = self.a.irc("eve")
        eve.send("JOIN #hall", "MODE #hall +b bob!*@*")
        answers = self.bob.ask("JOIN #hall")
        self.assertEqual(short(answers[0]).partition(" ")[0], "474")

    def test_a_topic_and_modes(self) -> None:
        self.ann.send("TOPIC:den:tea", "SETPRIVATE:den")
        lines = [line.split(" ", 1)[1] for line in self.bob.lines()]
        self.assertEqual(lines, ["TOPIC #den :tea", "MODE #den +is"])
        self.assertEqual(self.bob.ask("TOPIC #den")[0].rpartition(":")[2], "tea")

    def test_a_removed_room(self) -> None:
        self.ann.send("DELROOM:den")
        self.assertEqual(self.bob.lines(), [f":{mask('ann')} KICK #den bob :Channel deleted"])
        self.assertEqual(self.b.state.rooms, {})

    def test_operators_of_a_room(self) -> None:
        self.assertEqual(short(self.bob.ask("KICK #den ann")[0]).partition(" ")[0], "482")
        ann = self.a.irc("amy")
        ann.send("JOIN #hall")
        self.bob.send("JOIN #hall")
        ann.send("MODE #hall +o bob")
        self.hush()
        self.bob.send("TOPIC #hall :mine", "MODE #hall +m")
        self.assertEqual(ann.lines()[-1], f":{mask('bob')} MODE #hall +m")


class PeopleTests(TogetherCase):
    def test_direct_messages(self) -> None:
        self.assertTrue(self.ann.ask("SAY:bob:psst")[0].startswith("OK:SAY:bob:"))
        self.hears(self.bob, f":{mask('ann')} PRIVMSG bob :psst")
        self.bob.send("PRIVMSG ann :what?")
        self.hears(self.ann, "SAY:bob:what?")
        self.assertEqual(len(self.ann.ask("HISTORY:@bob")), 3)

    def test_nicks_are_nobody_elses(self) -> None:
        self.assertIn("NICK_IN_USE", self.b.client().ask("LOGIN:ann")[-1])
        self.asks(self.bob, "NICK ann", "433 ann :Nickname is already in use")

    def test_another_nick(self) -> None:
        self.bob.send("NICK rob")
        self.hears(self.ann, "NICK:bob:rob")
        self.ann.send("SAY:rob:hi")
        self.assertEqual(self.bob.lines()[-1], f":{mask('ann')} PRIVMSG rob :hi")
        self.assertEqual(self.a.user("bob").ask("WHOAMI:"), ["OK:WHOAMI:bob"])

    def test_away_and_a_real_name(self) -> None:
        amy = self.a.irc("amy", "away-notify", "setname")
        amy.send("JOIN #den")
        amy.lines()
        self.bob.send("AWAY :tea", "SETNAME :Robert")
        self.assertEqual(
            amy.lines(), [f":{mask('bob')} AWAY :tea", f":{mask('bob')} SETNAME :Robert"]
        )
        self.asks(amy, "PRIVMSG bob :hi", "301 bob :tea")

    def test_monitored(self) -> None:
        self.asks(self.bob, "MONITOR + cid,ann", f"730 :{mask('ann')}", "731 :cid")
        cid = self.a.user("cid")
        self.hears(self.bob, f"730 :{mask('cid')}")
        cid.hang_up()
        self.hears(self.bob, "731 :cid")

    def test_an_account_made_on_one_is_known_on_the_other(self) -> None:
        self.ann.send("REGISTER:sesame", "LOGOUT:")
        self.assertIn("NICK_IN_USE", self.b.client().ask("LOGIN:ann")[-1])
        again = self.b.user("ann:sesame")
        self.assertEqual(self.a.state.users["ann"].account, "ann")
        self.assertEqual(again.ask("JOINROOM:den")[-1], "OK:JOINROOM:den")
        self.assertTrue(again.ask("DELROOM:den")[-1].startswith("OK:"))

    def test_a_nick_taken_back(self) -> None:
        self.ann.send("REGISTER:sesame")
        amy = self.b.irc("amy")
        amy.send("NICKSERV GHOST ann sesame")
        self.assertTrue(self.ann.closed)
        self.assertNotIn("ann", self.a.state.users)

    def test_an_operator_puts_somebody_out(self) -> None:
        self.a.flag("ann", modes.SERVER_OPERATOR)
        root = self.a.irc("root")
        self.a.flag("root", modes.SERVER_OPERATOR)
        root.send("KILL bob :enough")
        self.assertTrue(self.bob.closed)
        self.assertIn("killed by root: enough", self.bob.lines()[-1])
        self.hears(self.ann, "LEFT:den:bob")
        root.send("WALLOPS :all clear")
        self.assertNotIn("bob", self.b.state.users)

    def test_wallops(self) -> None:
        self.a.flag("ann", modes.SERVER_OPERATOR)
        self.bob.send("MODE bob +w")
        self.bob.lines()
        root = self.a.irc("root")
        self.a.flag("root", modes.SERVER_OPERATOR)
        root.send("WALLOPS :hello all")
        self.hears(self.bob, f":{mask('root')} WALLOPS :hello all")


class WhoisTests(TogetherCase):
    def about(self, client: Client, nick: str, number: int) -> list[str]:
        lines = [short(line) for line in client.ask(f"WHOIS {nick}")]
        return [line for line in lines if line.startswith(f"{number} ")]

    def setUp(self) -> None:
        super().setUp()
        self.cid = self.a.irc("cid", address="192.0.2.7")

    def test_what_everybody_is_told(self) -> None:
        self.bob.send("AWAY :tea")
        told = [short(line).partition(" ")[0] for line in self.cid.ask("WHOIS bob")]
        self.assertEqual(told, ["311", "319", "312", "317", "301", "318"])

    def test_since_when_somebody_is_idle(self) -> None:
        self.world.clock.advance(90)
        self.assertEqual(self.about(self.bob, "ann", 317)[0].split(" ")[2], "90")
        self.ann.send("ROOM:den:hello")
        self.world.clock.advance(5)
        self.assertEqual(self.about(self.bob, "ann", 317)[0].split(" ")[2], "5")
        self.assertEqual(self.bob.ask("WHO ann %nl")[0].split(" ")[-1], "5")

    def test_a_restart_of_a_controller_does_not_make_anybody_seem_to_have_spoken(self) -> None:
        self.world.clock.advance(90)
        self.a.restart_controller()
        self.assertEqual(self.about(self.cid, "bob", 317)[0].split(" ")[2], "90")

    def test_a_secure_connection(self) -> None:
        client = self.b.client(alpn=b"irc")
        client.ask("NICK dan", "USER dan 0 * :dan")
        self.assertEqual(
            self.about(self.cid, "dan", 671), ["671 dan :is using a secure connection"]
        )
        self.assertEqual(self.about(self.cid, "bob", 671), [])

    def test_addresses_are_for_operators(self) -> None:
        self.assertEqual(self.about(self.bob, "cid", 338), [])
        self.assertIn("255.255.255.255", self.bob.ask("WHO cid %ni")[0])
        self.b.flag("bob", modes.SERVER_OPERATOR)
        self.assertEqual(len(self.about(self.bob, "cid", 338)), 1)
        self.assertIn("192.0.2.7", self.about(self.bob, "cid", 338)[0])
        self.assertIn("192.0.2.7", self.bob.ask("WHO cid %ni")[0])

    def test_the_log_has_no_address(self) -> None:
        records = dump(self.a.state)
        self.assertIn("The real cid", repr(self.world.shared.log))
        for kept in (self.world.shared.log, records):
            self.assertNotIn("192.0.2", repr(kept))

    def test_a_card_goes_with_its_connection(self) -> None:
        self.assertEqual(len(self.world.drawer.cards), 3)
        self.cid.hang_up()
        self.bob.send("QUIT")
        self.ann.send("LOGOUT:")
        self.assertEqual(self.world.drawer.cards, {})

    def test_who_was_here(self) -> None:
        self.cid.hang_up()
        self.assertEqual(short(self.bob.ask("WHOWAS cid")[0])[:7], "314 cid")
