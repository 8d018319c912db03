"""NickServ: making accounts, logging in and out, and taking nicks back."""

from __future__ import annotations

from chatservice.controller import modes
from chatservice.translation.irc.services.service import NO_SPACES
from tests.irc_case import mask, short
from tests.test_irc_services import ServiceCase, said

FINGERPRINT = "ab" * 32
ANOTHER = "cd" * 32
THEN = "Fri, 15 Jan 2027 08:00:00 UTC"


class RegisterTests(ServiceCase):
    def test_the_nick_becomes_an_account(self) -> None:
        alice = self.irc("alice")

        answers = self.all_of(alice, "REGISTER secret")

        logged_in = f"900 {mask('alice')} alice :You are now logged in as alice"
        self.assertEqual(short(answers[0]), logged_in)
        told = said("NickServ", answers[1:])
        self.assertEqual(told, ["alice is an account now, and you are logged in to it."])
        alice.hang_up()
        self.assertEqual(self.house.client().ask("LOGIN:alice:secret")[-1], "OK:LOGIN:alice")

    def test_an_address_is_not_kept(self) -> None:
        answers = self.all_of(self.irc("alice"), "REGISTER secret alice@mail.example")
        told = said("NickServ", answers[-1:])
        self.assertEqual(told, ["Your e-mail address is not needed, and was not kept."])

    def test_a_password_with_spaces_is_not_cut(self) -> None:
        alice = self.irc("alice")

        refused = "A password that is sent this way has no spaces; nothing was done."
        self.assertEqual(self.ask(alice, "REGISTER long password"), [refused])
        for line in ("REGISTER a long password", "IDENTIFY a long password", "GHOST a b c"):
            self.assertEqual(self.ask(alice, line)[1:], [NO_SPACES])
        self.assertEqual(list(self.house.controller.state.accounts), [])

    def test_nobody_registers_twice(self) -> None:
        alice = self.irc("alice")
        alice.send("NS REGISTER secret")
        alice.lines()
        self.assertEqual(self.ask(alice, "REGISTER x"), ["This nick is registered already."])
        alice.send("NICK alice_")
        alice.lines()
        self.assertEqual(self.ask(alice, "REGISTER x"), ["You have an account already."])

    def test_what_a_guest_has_made_becomes_the_accounts(self) -> None:
        alice = self.irc("alice")
        alice.send("JOIN #den", "NS REGISTER secret", "PART #den", "QUIT")
        self.assertIn("den", self.house.controller.state.rooms)


class AccountCase(ServiceCase):
    """There is the account `alice`."""

    def setUp(self) -> None:
        super().setUp()
        self.account("alice")


class IdentifyTests(AccountCase):
    def test_a_password_logs_in(self) -> None:
        guest, watcher = self.irc("guest"), self.irc("bob", "account-notify")
        guest.send("JOIN #lobby")
        watcher.send("JOIN #lobby")
        watcher.lines()
        guest.lines()

        answers = self.all_of(guest, "IDENTIFY ALICE secret")

        logged_in = f"900 {mask('guest')} alice :You are now logged in as alice"
        self.assertEqual(short(answers[0]), logged_in)
        self.assertEqual(said("NickServ", answers[1:]), ["You are logged in as alice."])
        self.assertEqual(watcher.lines(), [f":{mask('guest')} ACCOUNT alice"])

    def test_a_wrong_one_does_not(self) -> None:
        guest = self.irc("guest")
        wanted = ["The nick and the password do not belong together."]
        for words in ("alice wrong", "nobody secret", "secret"):
            self.assertEqual(self.ask(guest, f"IDENTIFY {words}"), wanted)
        self.assertEqual(self.house.controller.state.users["guest"].account, "")

    def test_without_an_account_the_nicks_is_meant(self) -> None:
        self.house.doorman.outside["guest"] = "elsewhere"
        guest = self.irc("guest")
        self.assertIn(" 900 ", self.all_of(guest, "IDENTIFY elsewhere")[0])

    def test_a_nick_of_another_account_has_to_be_given_up_before(self) -> None:
        self.account("bob")
        bob = self.irc("bob", account="bob")
        told = self.ask(bob, "IDENTIFY alice secret")
        self.assertEqual(told, ["Your nick is another account's; change it first."])

    def test_a_certificate_logs_in_without_a_password(self) -> None:
        alice = self.irc("alice", account="alice")
        alice.send(f"NS CERT ADD {FINGERPRINT}", "QUIT")
        guest = self.irc("guest")
        self.patch(type(self.house.book.live[-1]), "certfp", FINGERPRINT)
        self.assertIn(" 900 ", self.all_of(guest, "IDENTIFY alice")[0])


class LogoutTests(AccountCase):
    def test_whoever_logs_out_is_a_guest(self) -> None:
        guest = self.irc("guest", account="alice")

        answers = self.all_of(guest, "LOGOUT")

        self.assertEqual(short(answers[0]), f"901 {mask('guest')} :You are now logged out")
        self.assertEqual(said("NickServ", answers[1:]), ["You are not logged in any more."])
        self.assertEqual(self.house.controller.state.users["guest"].account, "")

    def test_nobody_keeps_the_accounts_nick(self) -> None:
        alice = self.irc("alice", account="alice")
        told = self.ask(alice, "LOGOUT")
        self.assertEqual(told, ["Your nick is the account's; change it first."])

    def test_a_guest_cannot(self) -> None:
        told = self.ask(self.irc("guest"), "LOGOUT")
        self.assertEqual(told, ["You are not logged in to an account."])


class TakingBackTests(AccountCase):
    def setUp(self) -> None:
        super().setUp()
        self.ghost = self.irc("alice", account="alice")

    def test_a_password_disconnects_whoever_has_the_nick(self) -> None:
        told = self.ask(self.irc("guest"), "GHOST alice secret")
        self.assertEqual(told, ["alice was disconnected."])
        ended = "ERROR :Closing link: your nick was taken back by its owner"
        self.assertEqual(self.ghost.lines(), [ended])
        # The nick is free, and nobody is logged in by that.
        users = self.house.controller.state.users
        self.assertNotIn("alice", users)
        self.assertEqual(users["guest"].account, "")

    def test_there_is_another_word_for_it(self) -> None:
        told = self.ask(self.irc("guest"), "RECOVER alice secret")
        self.assertEqual(told, ["alice was disconnected."])

    def test_others_who_are_logged_in_to_the_account_can_be_disconnected(self) -> None:
        other = self.irc("other", account="alice")
        told = self.ask(self.irc("guest"), "GHOST other secret")
        self.assertEqual(told, ["other was disconnected."])
        self.assertTrue(other.closed)

    def test_whoever_is_logged_in_needs_no_password(self) -> None:
        told = self.ask(self.irc("other", account="alice"), "GHOST alice")
        self.assertEqual(told, ["alice was disconnected."])

    def test_nobody_else_can(self) -> None:
        self.account("bob")
        bob, guest = self.irc("bob", account="bob"), self.irc("guest")
        cases = (
            (guest, "alice", "Log in first, or say the password too."),
            (guest, "alice wrong", "The nick and the password do not belong together."),
            (bob, "alice", "That nick does not belong to the account."),
            (bob, "guest", "That nick does not belong to the account."),
            (bob, "nobody", "There is nobody of that nick."),
            (bob, "bob", "That is you."),
        )
        for client, words, told in cases:
            self.assertEqual(self.ask(client, f"GHOST {words}"), [told], words)
        self.assertFalse(self.ghost.closed)

    def test_a_nick_can_be_taken_at_once(self) -> None:
        guest = self.irc("guest")

        answers = self.all_of(guest, "REGAIN alice secret")

        self.assertTrue(self.ghost.closed)
        self.assertIn(" 900 ", answers[0])
        self.assertEqual(answers[2], f":{mask('guest')} NICK alice")
        self.assertEqual(said("NickServ", answers[3:]), ["You are alice now."])
        self.assertEqual(self.house.controller.state.users["alice"].account, "alice")

    def test_also_if_nobody_has_it(self) -> None:
        self.ghost.hang_up()
        other = self.irc("other", account="alice")
        answers = self.all_of(other, "REGAIN alice")
        self.assertEqual(answers[0], f":{mask('other')} NICK alice")
        self.assertEqual(said("NickServ", answers[1:]), ["You are alice now."])

    def test_without_proof_it_is_not_taken(self) -> None:
        guest = self.irc("guest")
        for words in ("alice", "alice wrong"):
            self.assertEqual(len(self.ask(guest, f"REGAIN {words}")), 1)
        self.assertFalse(self.ghost.closed)


class InfoTests(AccountCase):
    def test_everybody_may_know_of_an_account(self) -> None:
        told = self.ask(self.irc("guest"), "INFO ALICE")
        self.assertEqual(told, ["Account: alice", f"Registered: {THEN}"])

    def test_where_it_is_used_is_for_its_owner_and_operators(self) -> None:
        alice, other = self.irc("alice", account="alice"), self.irc("other", account="alice")
        online = "Online as: alice, other"
        self.assertEqual(self.ask(alice, "INFO")[-1], online)
        # By a nick that is logged in to it, too.
        self.assertEqual(self.ask(other, "INFO other")[-1], online)
        guest = self.irc("guest")
        self.assertNotIn(online, self.ask(guest, "INFO other"))
        self.flag("guest", modes.SERVER_OPERATOR)
        guest.lines()
        self.assertIn(online, self.ask(guest, "INFO alice"))

    def test_of_nothing_there_is_nothing_to_know(self) -> None:
        guest = self.irc("guest")
        self.assertEqual(self.ask(guest, "INFO"), ["You are not logged in to an account."])
        for name in ("nobody", "guest", "b@d"):
            told = self.ask(guest, f"INFO {name}")
            self.assertEqual(told, ["There is no account of that name."])


class PasswordTests(AccountCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice = self.irc("alice", account="alice")

    def test_the_old_one_makes_way_for_a_new_one(self) -> None:
        self.assertEqual(self.ask(self.alice, "PASSWD secret new"), ["Your password was changed."])
        told = self.ask(self.alice, "PASSWD new newer newer")
        self.assertEqual(told, ["Your password was changed."])
        self.alice.hang_up()
        answers = self.house.client().ask("LOGIN:alice:secret", "LOGIN:alice:newer")
        self.assertTrue(answers[1].startswith("ERR:LOGIN:BAD_PASSWORD:"), answers)
        self.assertEqual(answers[2], "OK:LOGIN:alice")

    def test_it_does_not_by_mistake(self) -> None:
        cases = (
            (self.alice, "wrong new", "The nick and the password do not belong together."),
            (self.alice, "secret new old", "The two new passwords are not the same."),
            (self.irc("guest"), "secret new", "You are not logged in to an account."),
        )
        for client, words, told in cases:
            self.assertEqual(self.ask(client, f"PASSWD {words}"), [told])

    def test_one_that_is_kept_elsewhere_is_changed_there(self) -> None:
        self.house.doorman.outside["bob"] = "elsewhere"
        bob = self.irc("bob")
        bob.send("NS IDENTIFY elsewhere")
        bob.lines()
        told = self.ask(bob, "PASSWD elsewhere new")
        self.assertEqual(told, ["Your password is not kept here."])


class CertificateTests(AccountCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice = self.irc("alice", account="alice")

    def test_they_are_added_listed_and_removed(self) -> None:
        alice = self.alice
        none = ["There is no certificate on your account."]
        written = ":".join(["AB"] * 32)
        self.assertEqual(self.ask(alice, "CERT LIST"), none)
        self.assertEqual(self.ask(alice, f"CERT ADD {written}"), [f"{FINGERPRINT} was added."])
        self.assertEqual(self.ask(alice, f"cert add {ANOTHER}"), [f"{ANOTHER} was added."])
        self.assertEqual(self.ask(alice, "CERT LIST"), [FINGERPRINT, ANOTHER])
        self.assertEqual(self.ask(alice, f"CERT DEL {ANOTHER}"), [f"{ANOTHER} was removed."])
        self.assertEqual(self.ask(alice, f"CERT DEL {written}"), [f"{FINGERPRINT} was removed."])
        self.assertEqual(self.ask(alice, "CERT LIST"), none)

    def test_the_one_in_use_is_added_without_being_named(self) -> None:
        self.patch(type(self.house.book.live[-1]), "certfp", FINGERPRINT)
        self.assertEqual(self.ask(self.alice, "CERT ADD"), [f"{FINGERPRINT} was added."])

    def test_what_is_no_certificate_of_theirs_is_refused(self) -> None:
        bad = "A fingerprint is SHA-256 in hexadecimal: 64 digits."
        cases = (
            ("ADD", bad),
            ("ADD nonsense", bad),
            (f"ADD {FINGERPRINT}ab", bad),
            (f"DEL {FINGERPRINT}", "That certificate is not on your account."),
            ("DEL", "That certificate is not on your account."),
            ("DANCE", "It is LIST, ADD or DEL."),
        )
        for words, told in cases:
            self.assertEqual(self.ask(self.alice, f"CERT {words}"), [told])

    def test_a_guest_has_none(self) -> None:
        guest = self.irc("guest")
        for words in ("LIST", f"ADD {FINGERPRINT}", f"DEL {FINGERPRINT}"):
            told = self.ask(guest, f"CERT {words}")
            self.assertEqual(told, ["You are not logged in to an account."])
