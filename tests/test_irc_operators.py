"""What those who run the server can do by IRC."""

from __future__ import annotations

from chatservice.controller import modes
from chatservice.controller.policy import Policy
from tests.bench import Client, House
from tests.irc_case import IrcCase, mask

_NO = "481 :Permission Denied - You're not an IRC operator"


class OperatorCase(IrcCase):
    """The account `root` may be an operator, `ann` may not; `alice` is a guest."""

    def setUp(self) -> None:
        super().setUp()
        self.house = House(policy=Policy(operators=frozenset(("root",))))
        self.account("root")
        self.account("ann")
        self.alice = self.irc("alice")

    def oper(self, nick: str = "oper") -> Client:
        """An operator, as whom nobody is logged in."""
        client = self.irc(nick)
        client.send("OPER root secret")
        client.lines()
        return client


class OperTests(OperatorCase):
    def test_whoever_knows_an_operators_password_becomes_one(self) -> None:
        self.answers(
            self.alice,
            "OPER root secret",
            f":{mask('alice')} MODE alice +o",
            "381 :You are now an IRC operator",
        )

    def test_it_does_not_log_them_in_to_that_account(self) -> None:
        ann = self.irc("ann", account="ann")
        ann.send("OPER root secret")
        self.assertEqual(self.house.controller.state.users["ann"].account, "ann")
        # Nor is what is root's theirs to take.
        self.house.client().send("LOGIN:root:secret")
        self.assertIn("does not belong to the account", ann.ask("NS GHOST root")[0])

    def test_a_wrong_password_does_not(self) -> None:
        for attempt in ("root wrong", "nobody secret", "b@d secret", "root :"):
            self.answers(self.alice, f"OPER {attempt}", "464 :Password incorrect")

    def test_an_account_that_may_not_does_not(self) -> None:
        self.answers(self.alice, "OPER ann secret", "491 :You may not become an operator")
        self.answers(self.alice, "REHASH", _NO)

    def test_to_be_logged_in_is_not_enough(self) -> None:
        root = self.irc("root", account="root")
        self.answers(root, "OPER root", "461 OPER :Not enough parameters")


class KillTests(OperatorCase):
    def test_the_victim_and_their_channels_hear_of_it(self) -> None:
        oper, watcher = self.oper(), self.irc("bob")
        line = self.house.user("carl", "NEWROOM:lobby", "JOINROOM:lobby")
        self.alice.send("JOIN #lobby")
        watcher.send("JOIN #lobby")
        for client in (self.alice, watcher, line):
            client.lines()

        self.answers(oper, "KILL alice :spam")

        self.assertEqual(self.alice.lines(), ["ERROR :Closing link: killed by oper: spam"])
        self.assertTrue(self.alice.closed)
        quit_line = f":{mask('alice')} QUIT :Killed (oper (spam))"
        self.assertEqual(watcher.lines(), [quit_line])
        self.assertEqual(len(line.lines()), 1)

    def test_a_reason_is_made_up_if_there_is_none(self) -> None:
        self.answers(self.oper(), "KILL alice")
        ended = ["ERROR :Closing link: killed by oper: no reason was given"]
        self.assertEqual(self.alice.lines(), ended)

    def test_nobody_is_killed_who_is_not_there(self) -> None:
        answers = self.oper().ask("KILL dora :spam", "KILL NickServ :spam", "KILL b@d")
        for answer, nick in zip(answers, ("dora", "NickServ", "b@d"), strict=True):
            self.assertIn(f" 401 oper {nick} :", answer)

    def test_only_operators_kill(self) -> None:
        self.irc("bob")
        self.answers(self.alice, "KILL bob :spam", _NO)
        self.answers(self.alice, "KILL dora :spam", _NO)
        self.answers(self.alice, "KILL", "461 KILL :Not enough parameters")


class WallopsTests(OperatorCase):
    def test_who_wants_to_hears_it(self) -> None:
        oper = self.oper()
        self.flag("alice", modes.HEARS_WALLOPS)
        self.alice.lines()
        oper.send("WALLOPS :We restart at noon")
        self.assertEqual(self.alice.lines(), [f":{mask('oper')} WALLOPS :We restart at noon"])

    def at_once(self, *said: tuple[Client, str]) -> None:
        """Several clients say something, which is stored together."""
        carol = self.irc("carol")
        self.alice.lines()
        self.house.journal.hold()
        carol.send("AWAY :out")
        for client, line in said:
            client.send(line)
        self.house.journal.release()
        self.house.settle()

    def test_who_is_renamed_at_that_moment_hears_it(self) -> None:
        self.flag("alice", modes.HEARS_WALLOPS)
        oper = self.oper()

        self.at_once((oper, "WALLOPS :hello"), (self.alice, "NICK bob"))

        told = [f":{mask('oper')} WALLOPS :hello", f":{mask('alice')} NICK bob"]
        self.assertEqual(self.alice.lines(), told)

    def test_who_is_put_out_at_that_moment_does_not(self) -> None:
        self.flag("alice", modes.HEARS_WALLOPS)
        one, other = self.oper("one"), self.oper("other")

        self.at_once((one, "WALLOPS :hello"), (other, "KILL alice :enough"))

        [bye] = self.alice.lines()
        self.assertIn("killed by other: enough", bye)

    def test_only_operators_say_it(self) -> None:
        self.answers(self.alice, "WALLOPS :hello", _NO)
        self.answers(self.alice, "WALLOPS", "461 WALLOPS :Not enough parameters")


class RehashTests(OperatorCase):
    def test_an_operator_has_all_read_again(self) -> None:
        done: list[str] = []
        self.house.about.rehash = lambda: done.append("done")
        self.answers(self.oper(), "REHASH", "382 * :Rehashing")
        self.assertEqual(done, ["done"])

    def test_nobody_else_has(self) -> None:
        done: list[str] = []
        self.house.about.rehash = lambda: done.append("done")
        self.answers(self.alice, "REHASH", _NO)
        self.assertEqual(done, [])


class ChghostTests(OperatorCase):
    def test_everybody_sees_another_host(self) -> None:
        oper, watcher = self.oper(), self.irc("bob", "chghost")
        self.alice.send("JOIN #lobby")
        watcher.send("JOIN #lobby")
        watcher.lines()

        answers = oper.ask("CHGHOST alice staff.example")

        self.assertEqual(
            answers, [":chat.example NOTICE oper :alice has the host staff.example now"]
        )
        self.assertEqual(watcher.lines(), [f":{mask('alice')} CHGHOST ~u staff.example"])

    def test_what_cannot_be_a_host_is_refused(self) -> None:
        oper = self.irc("oper", "standard-replies")
        oper.send("OPER root secret")
        oper.lines()
        for host in ("-", "a b", "a@b", ":", "x" * 64):
            answers = oper.ask(f"CHGHOST alice :{host}")
            self.assertIn(" FAIL CHGHOST BAD_ARGUMENTS alice :", answers[0])

    def test_only_operators_do_it_and_to_somebody(self) -> None:
        self.answers(self.alice, "CHGHOST alice a.example", _NO)
        self.assertIn(" 401 oper dora :", self.oper().ask("CHGHOST dora a.example")[0])


class UnregisteredTests(OperatorCase):
    def test_nobody_is_an_operator_before_registration(self) -> None:
        client = self.house.client(dialect="irc")
        for line in ("OPER root secret", "KILL alice :spam", "REHASH", "WALLOPS :x"):
            self.answers(client, line, "451 :You need to register before you can do that")
