"""Accounts by IRC: REGISTER and VERIFY (IRCv3's draft of account-registration)."""

from __future__ import annotations

from chatservice.controller.errors import BadPassword, Unavailable
from chatservice.controller.policy import Policy
from tests.bench import SERVER, House
from tests.irc_case import IrcCase, mask


def fail(command: str, *words: str) -> str:
    """The beginning of a standard reply, up to its words for people."""
    return f":{SERVER} FAIL {command} {' '.join(words)} :"


class RegisterTests(IrcCase):
    def test_the_nick_becomes_an_account(self) -> None:
        for nick, name in (("Alice", "*"), ("Bob", "Bob"), ("Carl", "cARL")):
            success, logged_in = self.irc(nick).ask(f"REGISTER {name} * secret")
            told = f":{SERVER} REGISTER SUCCESS {nick} :Your nick is an account now"
            self.assertEqual(success, told)
            words = f"{mask(nick)} {nick} :You are now logged in as {nick}"
            self.assertEqual(logged_in, f":{SERVER} 900 {nick} {words}")

    def test_its_password_logs_in_by_every_dialect(self) -> None:
        self.irc("alice").send("REGISTER * alice@mail.example :the secret", "QUIT")
        answers = self.house.client().ask("LOGIN:alice:the secret")
        self.assertEqual(answers[-1], "OK:LOGIN:alice")

    def test_others_hear_of_it(self) -> None:
        alice, watcher = self.irc("alice"), self.irc("bob", "account-notify")
        alice.send("JOIN #lobby")
        watcher.send("JOIN #lobby")
        watcher.lines()
        alice.send("REGISTER * * secret")
        self.assertEqual(watcher.lines(), [f":{mask('alice')} ACCOUNT alice"])

    def test_it_shows_the_account_to_be_the_clients(self) -> None:
        alice = self.irc("alice")
        alice.send("REGISTER * * secret", "NICK alice_")
        self.house.user("alice2")
        self.house.client().send("LOGIN:alice:secret")
        self.assertIn(":alice was disconnected.", alice.ask("NS GHOST alice")[0])

    def test_another_name_than_the_nick_is_refused(self) -> None:
        alice = self.irc("alice")
        for name in ("bob", "b@d", "alice_", "a" * 99):
            answer = alice.ask(f"REGISTER {name} * secret")[0]
            wanted = fail("REGISTER", "ACCOUNT_NAME_MUST_BE_NICK", name)
            self.assertTrue(answer.startswith(wanted), answer)

    def test_whoever_has_an_account_does_not_get_another(self) -> None:
        self.account("alice")
        alice = self.irc("alice_", account="alice")
        for line in ("REGISTER * * secret", "VERIFY alice_ 123456"):
            answer = alice.ask(line)[0]
            wanted = fail(line.split(" ")[0], "ALREADY_AUTHENTICATED", "alice")
            self.assertTrue(answer.startswith(wanted), answer)

    def test_what_cannot_be_a_password_is_refused(self) -> None:
        self.house.doorman.refusal = BadPassword("it is too short")
        self.assertEqual(
            self.irc("alice").ask("REGISTER * * x"),
            [fail("REGISTER", "UNACCEPTABLE_PASSWORD", "alice") + "it is too short"],
        )

    def test_what_cannot_be_done_now_may_be_later(self) -> None:
        alice = self.irc("alice")
        self.house.doorman.refusal = Unavailable()
        wanted = fail("REGISTER", "TEMPORARILY_UNAVAILABLE", "alice")
        self.assertTrue(alice.ask("REGISTER * * x")[0].startswith(wanted))

    def test_so_may_accounts_beyond_the_limits(self) -> None:
        for house in (House(policy=Policy(accounts=1)), House(registrations=1)):
            self.house = house
            self.account("ann")
            wanted = fail("REGISTER", "TEMPORARILY_UNAVAILABLE", "alice")
            answer = self.irc("alice").ask("REGISTER * * x")[0]
            self.assertTrue(answer.startswith(wanted), answer)

    def test_the_connection_has_to_be_complete(self) -> None:
        client = self.house.client(dialect="irc")
        client.send("CAP LS 302", "NICK alice")
        client.lines()
        for line in ("REGISTER * * secret", "VERIFY alice 123456"):
            command = line.split(" ")[0]
            wanted = f":{SERVER} FAIL {command} COMPLETE_CONNECTION_REQUIRED :"
            answer = client.ask(line)[0]
            self.assertTrue(answer.startswith(wanted), answer)
        self.assertEqual(self.house.controller.state.accounts, {})

    def test_the_capability_says_so(self) -> None:
        client = self.house.client(dialect="irc")
        offered = client.ask("CAP LS 302")[0].split(" ")
        self.assertIn("draft/account-registration", offered)

    def test_nothing_is_ever_to_be_verified(self) -> None:
        answer = self.irc("alice").ask("VERIFY alice 123456")[0]
        self.assertTrue(answer.startswith(fail("VERIFY", "INVALID_CODE", "alice")), answer)

    def test_all_parameters_are_needed(self) -> None:
        alice = self.irc("alice")
        self.answers(alice, "REGISTER * secret", "461 REGISTER :Not enough parameters")
        self.answers(alice, "VERIFY alice", "461 VERIFY :Not enough parameters")
