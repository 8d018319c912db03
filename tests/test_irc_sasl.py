"""Logging in with AUTHENTICATE: the mechanisms, chunks, failures, and when it may be said."""

from __future__ import annotations

from base64 import b64decode, b64encode

from scramp import ScramClient  # type: ignore[import-untyped]
from twisted.python.filepath import FilePath

from chatservice.controller.errors import TooFast, Unavailable
from chatservice.networking.certificates import ensure_self_signed
from tests.bench import SERVER, Client
from tests.irc_case import IrcCase, mask, short
from tests.service import Client as RealClient
from tests.service import ServiceCase
from tests.test_client_certificates import Certified

FAILED = "904 :SASL authentication failed"
GO_ON = "AUTHENTICATE +"
SUCCESS = "903 :SASL authentication successful"


def plain(account: str, password: str, authzid: str = "") -> str:
    """The message of PLAIN (RFC 4616)."""
    return encoded(f"{authzid}\0{account}\0{password}".encode())


def encoded(message: bytes) -> str:
    return b64encode(message).decode()


def logged_in(account: str, me: str = "*!~u@*") -> list[str]:
    """What a client is told that has logged in."""
    return [f"900 {me} {account} :You are now logged in as {account}", SUCCESS]


class SaslCase(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.account("alice")
        self.client = self.house.client("irc")
        self.client.send("CAP REQ sasl")

    def ask(self, *words: str) -> list[str]:
        """What the client is answered to one AUTHENTICATE after the other."""
        return answers(self.client, *words)

    def register(self, nick: str) -> str:
        """Register, and give the account that the user is logged in to."""
        self.client.send("CAP END", f"NICK {nick}", "USER a 0 * :A")
        return self.house.controller.state.users[nick].account


def answers(client: Client, *words: str) -> list[str]:
    return [short(line) for line in client.ask(*(f"AUTHENTICATE {word}" for word in words))]


class PlainTests(SaslCase):
    def test_the_nick_may_be_another_than_the_account(self) -> None:
        got = self.ask("PLAIN", plain("alice", "secret"))

        self.assertEqual(got, [GO_ON, *logged_in("alice")])
        self.assertEqual(self.register("carol"), "alice")

    def test_the_nick_of_the_account_is_its_owners(self) -> None:
        self.ask("plain", plain("ALICE", "secret"))

        self.assertEqual(self.register("alice"), "alice")

    def test_one_may_act_for_oneself_alone(self) -> None:
        self.assertEqual(
            self.ask("PLAIN", plain("alice", "secret", "alice"))[1:], logged_in("alice")
        )
        self.assertEqual(self.ask("PLAIN", plain("alice", "secret", "bob")), [GO_ON, FAILED])

    def test_the_right_one_after_the_wrong_one(self) -> None:
        self.assertEqual(self.ask("PLAIN", plain("alice", "wrong")), [GO_ON, FAILED])
        self.assertEqual(self.ask("PLAIN", plain("nobody", "secret")), [GO_ON, FAILED])
        self.assertEqual(self.ask("PLAIN", plain("a b", "secret")), [GO_ON, FAILED])

        self.assertEqual(self.ask("PLAIN", plain("alice", "secret")), [GO_ON, *logged_in("alice")])

    def test_after_the_wrong_one_one_is_a_guest(self) -> None:
        self.ask("PLAIN", plain("alice", "wrong"))

        self.assertEqual(self.register("carol"), "")

    def test_what_is_no_message(self) -> None:
        for word in ("x", "====", "a b", encoded(b"alice"), encoded(b"\xff\0\xff\0x"), "é", "+"):
            self.assertEqual(self.ask("PLAIN", word), [GO_ON, FAILED], word)

    def test_too_many_wrong_ones_are_told(self) -> None:
        self.house.doorman.refusal = TooFast()
        words = "904 :SASL authentication failed: that is too fast; wait a little and try again"

        self.assertEqual(self.ask("PLAIN", plain("alice", "secret")), [GO_ON, words])

    def test_that_nobody_can_say_is_told(self) -> None:
        self.house.doorman.refusal = Unavailable()

        self.assertEqual(
            self.ask("PLAIN", plain("alice", "secret"))[1],
            "904 :SASL authentication failed: the server cannot do that now; try again later",
        )


class ChunkTests(SaslCase):
    def chunks(self, data: str) -> list[str]:
        """As they are sent (sasl-3.1)."""
        pieces = [data[start : start + 400] for start in range(0, len(data), 400)]
        return [*pieces, "+"] if len(pieces[-1]) == 400 else pieces

    def log_in_with(self, password: str) -> list[str]:
        self.house.doorman.outside["alice"] = password
        return self.ask("PLAIN", *self.chunks(plain("alice", password)))

    def test_a_message_is_as_long_as_its_chunks(self) -> None:
        for length in (100, 293, 600, 893, 1024):
            self.assertEqual(self.log_in_with("p" * length), [GO_ON, *logged_in("alice")], length)

    def test_chunks_that_are_full_are_followed_by_an_empty_one(self) -> None:
        message = plain("alice", "p" * 293)

        self.assertEqual((len(message), self.chunks(message)[1:]), (400, ["+"]))

    def test_what_is_too_long_ends_it(self) -> None:
        too_long = "905 :SASL message too long"

        self.assertEqual(self.ask("PLAIN", "A" * 401), [GO_ON, too_long])
        self.assertEqual(self.ask("PLAIN", *5 * ["A" * 400]), [GO_ON, too_long])
        self.assertEqual(self.ask("A" * 401), [too_long])
        self.assertEqual(self.ask("PLAIN", plain("alice", "secret"))[1:], logged_in("alice"))


class WhenTests(SaslCase):
    def test_it_takes_the_capability(self) -> None:
        client = self.house.client("irc")

        self.assertEqual(answers(client, "PLAIN"), [FAILED])

    def test_unknown_mechanisms(self) -> None:
        for word in ("GSSAPI", "EXTERNAL", "+", "x" * 400):
            self.assertEqual(
                self.ask(word), ["908 PLAIN,SCRAM-SHA-256 :are available SASL mechanisms", FAILED]
            )

    def test_too_few_parameters(self) -> None:
        self.answers(self.client, "AUTHENTICATE", "461 AUTHENTICATE :Not enough parameters")

    def test_it_can_be_given_up(self) -> None:
        aborted = "906 :SASL authentication aborted"

        self.assertEqual(self.ask("*"), [aborted])
        self.assertEqual(self.ask("PLAIN", "*"), [GO_ON, aborted])
        self.assertEqual(self.ask("PLAIN", "A" * 400, "*"), [GO_ON, aborted])
        self.assertEqual(self.ask("PLAIN", plain("alice", "secret"))[1:], logged_in("alice"))

    def test_who_registers_meanwhile_is_a_guest(self) -> None:
        self.ask("PLAIN")
        lines = self.client.ask("CAP END", "NICK carol", "USER a 0 * :A")

        self.assertEqual(short(lines[0]), "906 :SASL authentication aborted")
        self.assertIn(" 001 carol ", lines[1])
        self.assertEqual(self.house.controller.state.users["carol"].account, "")

    def test_the_end_of_negotiation_waits_for_it(self) -> None:
        lines = self.client.ask(
            "NICK alice",
            "USER a 0 * :A",
            "AUTHENTICATE PLAIN",
            f"AUTHENTICATE {plain('alice', 'secret')}",
            "CAP END",
        )

        self.assertEqual([line.split(" ")[1] for line in lines[1:4]], ["900", "903", "001"])

    def test_one_can_log_in_again_before_registering(self) -> None:
        self.account("bob")
        self.ask("PLAIN", plain("alice", "secret"))

        self.assertEqual(self.ask("PLAIN", plain("bob", "secret"))[1:], logged_in("bob"))
        self.assertEqual(self.ask("PLAIN", plain("alice", "wrong"))[1:], [FAILED])
        self.assertEqual(self.register("carol"), "bob")


class AfterTests(SaslCase):
    """Who is registered may log in, too (sasl-3.2, "SASL Reauthentication")."""

    def test_others_are_told(self) -> None:
        carol, bob = self.irc("carol", "sasl"), self.irc("bob", "account-notify")
        dan = self.irc("dan")
        for client in (carol, bob, dan):
            client.send("JOIN #lobby")
        bob.lines(), dan.lines()

        got = answers(carol, "PLAIN", plain("alice", "secret"))

        self.assertEqual(got, [GO_ON, *logged_in("alice", mask("carol"))])
        self.assertEqual(bob.lines(), [f":{mask('carol')} ACCOUNT alice"])
        self.assertEqual(dan.lines(), [])

    def test_to_another_account(self) -> None:
        self.account("bob")
        carol = self.irc("carol", account="alice")

        self.assertEqual(
            answers(carol, "PLAIN", plain("bob", "secret"))[1:], logged_in("bob", mask("carol"))
        )
        self.assertEqual(self.house.controller.state.users["carol"].account, "bob")

    def test_not_while_one_has_the_nick_of_another_account(self) -> None:
        self.account("bob")
        alice = self.irc("alice", account="alice")

        (_, failed) = answers(alice, "PLAIN", plain("bob", "secret"))

        self.assertTrue(failed.startswith(f"{FAILED}: your nick is "), failed)
        self.assertEqual(self.house.controller.state.users["alice"].account, "alice")


class ScramTests(SaslCase):
    def first(self, scram: ScramClient) -> None:
        """Begin, and take the server's first message."""
        self.assertEqual(self.ask("SCRAM-SHA-256"), [GO_ON])
        (answer,) = self.ask(encoded(scram.get_client_first().encode()))
        scram.set_server_first(b64decode(answer.removeprefix("AUTHENTICATE ")).decode())

    def final(self, scram: ScramClient) -> None:
        """Prove the password, and check the server's proof."""
        (answer,) = self.ask(encoded(scram.get_client_final().encode()))
        scram.set_server_final(b64decode(answer.removeprefix("AUTHENTICATE ")).decode())

    def test_both_sides_prove_that_they_know_the_password(self) -> None:
        scram = ScramClient(["SCRAM-SHA-256"], "alice", "secret")
        self.first(scram)
        self.final(scram)

        self.assertEqual(self.ask("+"), logged_in("alice"))
        self.assertEqual(self.register("carol"), "alice")

    def test_a_wrong_password(self) -> None:
        scram = ScramClient(["SCRAM-SHA-256"], "alice", "wrong")
        self.first(scram)

        self.assertEqual(self.ask(encoded(scram.get_client_final().encode())), [FAILED])
        self.assertEqual(self.register("carol"), "")

    def test_who_does_not_believe_the_server_is_a_guest(self) -> None:
        scram = ScramClient(["SCRAM-SHA-256"], "alice", "secret")
        self.first(scram)
        self.final(scram)

        self.assertEqual(self.ask("*"), ["906 :SASL authentication aborted"])
        self.assertEqual(self.register("carol"), "")

    def test_who_does_not_wait_for_the_end_is_a_guest(self) -> None:
        scram = ScramClient(["SCRAM-SHA-256"], "alice", "secret")
        self.first(scram)
        self.final(scram)

        self.assertEqual(self.register("carol"), "")

    def test_nothing_more_is_to_be_said_at_the_end(self) -> None:
        scram = ScramClient(["SCRAM-SHA-256"], "alice", "secret")
        self.first(scram)
        self.final(scram)

        self.assertEqual(self.ask(encoded(b"more")), [FAILED])
        self.assertEqual(self.register("carol"), "")

    def test_what_is_no_message(self) -> None:
        for message in (b"", b"n,,", b"\xff", b"n,,n=alice", b"p=tls-unique,,n=alice,r=x"):
            self.assertEqual(self.ask("SCRAM-SHA-256", encoded(message) or "+"), [GO_ON, FAILED])

    def test_the_connection_is_lost_in_the_midst(self) -> None:
        for steps in (0, 1, 2):
            scram = ScramClient(["SCRAM-SHA-256"], "alice", "secret")
            self.client = self.house.client("irc")
            self.client.send("CAP REQ sasl", "AUTHENTICATE SCRAM-SHA-256")
            if steps:
                self.ask("*")
                self.first(scram)
            if steps > 1:
                self.final(scram)
            self.client.hang_up()

        self.client = self.house.client("irc")
        self.client.send("CAP REQ sasl")
        self.test_both_sides_prove_that_they_know_the_password()


class RealTests(ServiceCase):
    """The real service, over TLS, with real passwords and certificates."""

    async def logged_in(self, client: RealClient, *words: str) -> str:
        """Say these one after the other, and give what came of it."""
        for word in words:
            client.send(f"AUTHENTICATE {word}")
            answer = await client.until("AUTHENTICATE ", f":{SERVER} 90")
        return answer

    async def asking_for_sasl(self, client: RealClient) -> RealClient:
        client.send("CAP REQ sasl")
        await client.until(f":{SERVER} CAP")
        return client

    async def test_scram_and_plain(self) -> None:
        service = await self.serve()
        owner = await service.log_in("alice")
        await owner.ask("REGISTER:a good password")
        await owner.hang_up()

        client = await self.asking_for_sasl(await service.connect())
        scram = ScramClient(["SCRAM-SHA-256"], "alice", "a good password")
        first = encoded(scram.get_client_first().encode())
        answer = await self.logged_in(client, "SCRAM-SHA-256", first)
        scram.set_server_first(b64decode(answer.split(" ")[1]).decode())
        answer = await self.logged_in(client, encoded(scram.get_client_final().encode()))
        scram.set_server_final(b64decode(answer.split(" ")[1]).decode())
        self.assertStarts(await self.logged_in(client, "+"), f":{SERVER} 900 * *!~u@* alice :")

        other = await self.asking_for_sasl(await service.connect())
        wrong = await self.logged_in(other, "PLAIN", plain("alice", "a bad password"))
        self.assertStarts(wrong, f":{SERVER} 904 ")
        right = await self.logged_in(other, "PLAIN", plain("alice", "a good password"))
        self.assertStarts(right, f":{SERVER} 900 * *!~u@* alice :")

    async def test_external(self) -> None:
        service = await self.serve()
        files = ensure_self_signed(FilePath(self.mktemp()), ["alice"])
        owner = await service.connect(tls=Certified(files))
        owner.send("NICK alice", "USER a 0 * :A", "REGISTER * * secret-word", "NS CERT ADD")
        await owner.until(f":{SERVER} 900")
        await owner.until(":NickServ")
        await owner.hang_up()

        client = await service.connect(tls=Certified(files))
        client.send("CAP LS 302")
        self.assertIn("sasl=PLAIN,EXTERNAL,SCRAM-SHA-256", await client.line())
        await self.asking_for_sasl(client)
        answer = await self.logged_in(client, "EXTERNAL", encoded(b"bob"))
        self.assertStarts(answer, f":{SERVER} 904 ")
        answer = await self.logged_in(client, "EXTERNAL", "+")
        self.assertStarts(answer, f":{SERVER} 900 * *!~u@* alice :")

        another = ensure_self_signed(FilePath(self.mktemp()), ["alice"])
        stranger = await self.asking_for_sasl(await service.connect(tls=Certified(another)))
        answer = await self.logged_in(stranger, "EXTERNAL", encoded(b"alice"))
        self.assertStarts(answer, f":{SERVER} 904 ")
