"""Becoming known to the server and leaving it: PASS, NICK, USER, PING, QUIT, WEBIRC, and time."""

from __future__ import annotations

from chatservice.controller.errors import TooFast
from chatservice.networking.hall import Patience
from tests.bench import SERVER, Client, House
from tests.irc_case import IrcCase, mask, short


class RegistrationCase(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.client = self.house.client("irc")

    def ask(self, *lines: str) -> list[str]:
        """What the client is answered, numerics without server and nick."""
        return [short(line) for line in self.client.ask(*lines)]

    def assertRegistered(self, client: Client, nick: str) -> None:
        self.assertTrue(any(f" 001 {nick} " in line for line in client.lines()))


class WelcomeTests(RegistrationCase):
    def test_nick_and_user_are_enough_in_either_order(self) -> None:
        self.client.send("NICK alice", "USER a 0 * :Alice")
        self.assertRegistered(self.client, "alice")

        other = self.house.client("irc")
        other.send("USER b 0 * :Bob", "NICK bob")
        self.assertRegistered(other, "bob")

    def test_the_welcome_is_001_to_005_lusers_and_the_motd(self) -> None:
        lines = self.client.ask("NICK alice", "USER a 0 * :Alice")

        numerics = [line.split(" ")[1] for line in lines]
        self.assertEqual(numerics[:4], ["001", "002", "003", "004"])
        self.assertLess({"005", "251", "255", "422"}, set(numerics) | {""})
        self.assertEqual(numerics[-1], "422")
        self.assertEqual(
            lines[0], f":{SERVER} 001 alice :Welcome to the chat IRC Network, {mask('alice')}"
        )

    def test_004_lists_the_modes_and_those_with_a_value(self) -> None:
        lines = self.client.ask("NICK alice", "USER a 0 * :Alice")

        _, _, _, server, version, user, channel, valued = lines[3].split(" ")
        self.assertEqual((server, version), (SERVER, "chatservice-1.2.3"))
        self.assertEqual(user, "BRiorw")
        self.assertEqual(channel, "CIMRabefhiklmnoqstv")
        self.assertEqual(valued, "Iabefhkloqv")

    def test_005_fits_its_lines(self) -> None:
        lines = self.client.ask("NICK alice", "USER a 0 * :Alice")

        for line in (line for line in lines if " 005 " in line):
            self.assertLessEqual(len(line), 510)
            self.assertTrue(line.endswith(" :are supported by this server"))
            self.assertLessEqual(len(line.split(" :")[0].split(" ")[3:]), 13)

    def test_the_domain_knows_the_real_name_and_the_cloak(self) -> None:
        self.client.send("NICK alice", "USER a 0 * :Alice in Chains")

        user = self.house.controller.state.users["alice"]
        self.assertEqual((user.realname, user.host), ("Alice in Chains", "chat.ip"))

    def test_a_line_protocol_user_sees_who_came(self) -> None:
        bob = self.house.user("bob", "NEWROOM:lobby", "JOINROOM:lobby")

        self.client.send("NICK alice", "USER a 0 * :Alice", "JOIN #lobby")

        self.assertIn("JOINED:lobby:alice", bob.lines())


class NickTests(RegistrationCase):
    def test_a_nick_that_is_taken_can_be_given_up_for_another(self) -> None:
        self.house.user("alice")

        refused = self.ask("NICK Alice", "USER a 0 * :Alice")
        self.client.send("NICK alicia")

        self.assertEqual(refused, ["433 Alice :Nickname is already in use"])
        self.assertRegistered(self.client, "alicia")

    def test_a_registered_nick_is_not_for_a_guest(self) -> None:
        self.account("alice")

        self.assertEqual(
            self.ask("NICK alice", "USER a 0 * :Alice"),
            ["433 alice :this nick is registered: it needs its password"],
        )

    def test_the_name_of_a_service_is_nobodys(self) -> None:
        (refused,) = self.ask("NICK NickServ", "USER a 0 * :Alice")

        self.assertIn(refused[:4], ("432 ", "433 "))
        self.assertFalse(self.client.closed)

    def test_what_cannot_be_a_nick_is_refused_at_once(self) -> None:
        self.assertEqual(
            [line[:9] for line in self.ask("NICK 1st", "NICK a@b", "NICK #x", "NICK :a b")],
            ["432 1st :", "432 a@b :", "432 #x :a", "432 * :a "],
        )
        self.assertEqual(self.ask("NICK", "NICK :"), 2 * ["431 :No nickname given"])

    def test_a_nick_can_be_said_again_before_the_end(self) -> None:
        self.client.send("NICK alice", "NICK bob", "USER b 0 * :B")

        self.assertRegistered(self.client, "bob")

    def test_what_cannot_be_shown_in_a_numeric_is_left_out(self) -> None:
        (answer,) = self.client.ask("NICK " + 200 * "é")

        self.assertTrue(answer.startswith(f":{SERVER} 432 * é"))
        self.assertLessEqual(len(answer.encode()), 510)


class UserTests(RegistrationCase):
    def test_too_few_or_empty_parameters(self) -> None:
        for line in ("USER a", "USER a 0 *", "USER a 0 * :", "USER : 0 * :Alice"):
            self.assertEqual(self.ask(line), ["461 USER :Not enough parameters"])

    def test_it_is_said_once(self) -> None:
        self.assertEqual(
            self.ask("USER a 0 * :A", "USER b 0 * :B"), ["462 :You may not reregister"]
        )

    def test_after_registration_neither_user_nor_pass_is_heard(self) -> None:
        alice = self.irc("alice")

        for line in ("USER a 0 * :A", "PASS x", "WEBIRC a b c d"):
            self.answers(alice, line, "462 :You may not reregister")


class BeforeTests(RegistrationCase):
    def test_commands_need_registration(self) -> None:
        for line in ("JOIN #a", "PRIVMSG bob :hi", "NOTICE bob :hi", "WHO", "NONSENSE", "LUSERS"):
            self.assertEqual(self.ask(line), ["451 :You need to register before you can do that"])

    def test_ping_is_answered(self) -> None:
        self.assertEqual(self.ask("PING cookie"), [f":{SERVER} PONG {SERVER} :cookie"])
        self.assertEqual(self.ask("PING"), ["409 :No origin specified"])

    def test_pong_is_heard(self) -> None:
        self.assertEqual(self.ask("PONG x", "PONG", "PONG a b"), [])


class PasswordTests(RegistrationCase):
    def setUp(self) -> None:
        super().setUp()
        self.account("alice")

    def test_it_is_the_password_of_the_nick(self) -> None:
        lines = self.client.ask("PASS secret", "NICK alice", "USER a 0 * :A")

        self.assertEqual(
            lines[0], f":{SERVER} 900 alice alice!~u@* alice :You are now logged in as alice"
        )
        self.assertEqual(self.house.controller.state.users["alice"].account, "alice")

    def test_it_can_name_the_account(self) -> None:
        self.client.send("PASS alice:secret", "NICK carol", "USER a 0 * :A")

        self.assertEqual(self.house.controller.state.users["carol"].account, "alice")

    def test_a_wrong_one_closes(self) -> None:
        self.assertEqual(
            self.ask("PASS wrong", "NICK alice", "USER a 0 * :A"),
            [
                "464 :Password incorrect",
                "ERROR :Closing link: the nick and the password do not belong together",
            ],
        )
        self.assertTrue(self.client.closed)

    def test_too_many_wrong_ones_are_told(self) -> None:
        self.house.doorman.refusal = TooFast()

        self.assertEqual(
            self.ask("PASS wrong", "NICK alice", "USER a 0 * :A")[0],
            "263 USER :Please wait a while and try again",
        )

    def test_none_is_needed(self) -> None:
        self.client.send("PASS :", "NICK bob", "USER a 0 * :A")

        self.assertRegistered(self.client, "bob")
        self.assertEqual(self.ask("PASS"), ["461 PASS :Not enough parameters"])


class RenamingTests(IrcCase):
    def test_everybody_who_sees_one_is_told(self) -> None:
        alice, bob = self.irc("alice"), self.irc("bob")
        carol = self.house.user("carol", "NEWROOM:lobby", "JOINROOM:lobby")
        for client in (alice, bob):
            client.send("JOIN #lobby")
        bob.lines(), carol.lines()

        self.answers(alice, "NICK alicia", f":{mask('alice')} NICK alicia")

        self.assertEqual(bob.lines(), [f":{mask('alice')} NICK alicia"])
        self.assertEqual(carol.lines(), ["NICK:alice:alicia"])
        self.answers(alice, "PING x", f":{SERVER} PONG {SERVER} :x")

    def test_only_its_case(self) -> None:
        alice = self.irc("alice")

        self.answers(alice, "NICK Alice", f":{mask('alice')} NICK Alice")
        self.answers(alice, "NICK Alice")

    def test_refusals(self) -> None:
        alice = self.irc("alice")
        self.house.user("bob")

        self.answers(alice, "NICK bob", "433 bob :Nickname is already in use")
        self.answers(alice, "NICK", "431 :No nickname given")
        self.answers(alice, "NICK :", "431 :No nickname given")
        self.assertTrue(alice.ask("NICK a!b")[0].startswith(f":{SERVER} 432 alice a!b :"))


class LeavingTests(IrcCase):
    def test_the_reason_is_told(self) -> None:
        alice, bob = self.irc("alice"), self.irc("bob")
        carol = self.house.user("carol", "NEWROOM:lobby", "JOINROOM:lobby")
        for client in (alice, bob):
            client.send("JOIN #lobby")
        bob.lines(), carol.lines()

        self.answers(alice, "QUIT :so long", "ERROR :Closing link: Quit: so long")

        self.assertTrue(alice.closed)
        self.assertEqual(bob.lines(), [f":{mask('alice')} QUIT :Quit: so long"])
        self.assertEqual(carol.lines(), ["LEFT:lobby:alice"])

    def test_there_need_not_be_one(self) -> None:
        alice = self.irc("alice")

        self.answers(alice, "QUIT", "ERROR :Closing link: Client quit")

    def test_it_works_before_registration_too(self) -> None:
        client = self.house.client("irc")

        self.assertEqual(client.ask("QUIT :bye"), ["ERROR :Closing link: Quit: bye"])
        self.assertTrue(client.closed)

    def test_what_follows_is_not_heard(self) -> None:
        alice = self.irc("alice")

        self.answers(alice, "QUIT :bye\r\nPING x", "ERROR :Closing link: Quit: bye")

    def test_who_is_lost_quits(self) -> None:
        alice, bob = self.irc("alice"), self.irc("bob")
        for client in (alice, bob):
            client.send("JOIN #lobby")
        bob.lines()

        alice.hang_up()

        self.assertEqual(bob.lines(), [f":{mask('alice')} QUIT :connection closed"])


class TimeTests(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.house = House(patience=Patience(login=10, idle=60, ping=20))

    def test_who_does_not_register_is_closed(self) -> None:
        client = self.house.client("irc")
        client.send("CAP LS 302", "NICK alice", "USER a 0 * :A")
        client.lines()

        self.house.wait(11)

        self.assertEqual(client.lines(), ["ERROR :Closing link: too slow to log in"])
        self.assertTrue(client.closed)

    def test_who_is_silent_is_asked_and_then_closed(self) -> None:
        alice = self.irc("alice")

        self.house.wait(55)
        self.assertEqual(alice.lines(), [f"PING {SERVER}"])
        self.house.wait(30)

        self.assertEqual(alice.lines(), ["ERROR :Closing link: idle for too long"])

    def test_an_answer_is_a_sign_of_life(self) -> None:
        alice = self.irc("alice")
        self.house.wait(55)

        self.assertEqual(alice.lines(), [f"PING {SERVER}"])
        alice.send(f"PONG {SERVER}")
        self.house.wait(30)

        self.assertEqual(alice.lines(), [])
        self.assertFalse(alice.closed)


class WebircTests(RegistrationCase):
    def test_nobody_is_believed_who_is_no_gateway(self) -> None:
        self.assertEqual(
            self.ask("WEBIRC secret gate host.example 192.0.2.7"),
            ["ERROR :Closing link: WEBIRC is not allowed from your address"],
        )
        self.assertTrue(self.client.closed)

    def test_it_takes_four_parameters(self) -> None:
        self.assertEqual(self.ask("WEBIRC a b c"), ["461 WEBIRC :Not enough parameters"])

    def test_what_it_says_is_handed_on(self) -> None:
        heard: list[tuple[str, str, bool]] = []

        def vouch(password: str, host: str, secure: bool) -> bool:
            heard.append((password, host, secure))
            return True

        for options in ("", " secure", " :local-port=1 secure=yes", " :insecure secured=secure"):
            client = self.house.client("irc")
            self.house.book.live[-1].vouch = vouch  # type: ignore[method-assign]
            client.send(f"WEBIRC word gate host 192.0.2.7{options}", "NICK a", "USER a 0 * :A")
            self.assertRegistered(client, "a")
            client.hang_up()

        self.assertEqual(
            heard, [("word", "192.0.2.7", secure) for secure in (False, True, True, False)]
        )
