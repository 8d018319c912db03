"""What no well-behaved IRC client sends: it gets a defined answer, changes nothing, leaves no
traceback in the log, and disturbs nobody else.
"""

from __future__ import annotations

from typing import Any

from chatservice.controller.desk import Flow
from chatservice.controller.policy import Policy
from chatservice.translation.irc.capabilities import TABLE
from tests.bench import SERVER, Client, House
from tests.irc_babble import Babble, fault
from tests.irc_case import IrcCase
from tests.service import PLAIN, TLS, ServiceCase
from tests.service import Client as RealClient

ALL = tuple(capability.name for capability in TABLE if capability.requestable)
WORDS = [
    *(
        "mad",
        "bob",
        "carol",
        "root",
        "nobody",
        "secret",
        "#lobby",
        "#den",
        "#mad",
        "lobby",
        "@#lobby",
    ),
    *(
        "*!*@*",
        "bob!*@*",
        "~a:root",
        "m:bob!*@*",
        "NickServ",
        "ChanServ",
        "chat.example",
        "chat.ip",
    ),
    *(
        "+o",
        "-o",
        "+b",
        "+beI",
        "+kl",
        "-k",
        "+l",
        "+f",
        "+imnstCRM",
        "-imnstCRM",
        "+qaohv",
        "+iBwR",
    ),
    *("LS", "302", "LIST", "REQ", "END", "PLAIN", "SCRAM-SHA-256", "EXTERNAL", "u", "S", "L", "C"),
    *("LATEST", "BEFORE", "AFTER", "AROUND", "BETWEEN", "TARGETS", "HELP", "IDENTIFY", "REGISTER"),
    *("DROP", "GHOST", "INFO", "OP", "TRANSFER", "CERT", "ADD", "5", "100", "key", "hello", "x"),
    *ALL,
]


class LineTests(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob = self.irc("alice"), self.irc("bob")
        for client in (self.alice, self.bob):
            client.send("JOIN #lobby")
        self.alice.lines()

    def assertAnswer(self, data: bytes, *expected: str) -> None:
        """Exactly these lines come of the bytes; then alice is as alive as bob."""
        self.alice.send_bytes(data)
        self.assertEqual(self.alice.lines(), [f":{SERVER} {line}" for line in expected], data[:80])
        self.answers(self.alice, "PING x", f":{SERVER} PONG {SERVER} :x")
        self.answers(self.bob, "PING x", f":{SERVER} PONG {SERVER} :x")

    def test_over_long_lines(self) -> None:
        too_long = "417 alice :Input line was too long"
        for body in (510, 511, 600, 4096, 100_000):
            line = b"PRIVMSG #nowhere :"
            line += b"x" * (body - len(line)) + b"\r\n"
            answer = "403 alice #nowhere :No such channel" if body == 510 else too_long
            self.assertAnswer(line, answer)
        for tags in (4094, 4095, 5000, 8191, 100_000):
            answer = f"PONG {SERVER} :y" if tags == 4094 else too_long
            self.assertAnswer(b"@" + b"x" * tags + b" PING y\r\n", answer)
        self.assertAnswer(b"@" + b"x" * 4094 + b" PONG " + b"x" * 505 + b"\r\n")
        self.assertAnswer(b"@" + b"x" * 4094 + b" PONG " + b"x" * 506 + b"\r\n", too_long)

    def test_bad_tags_do_not_keep_a_message_from_being_heard(self) -> None:
        for tags in ("=", ";", ";;=;", "+", "a/b/c=d", "é", "+\\", "a=\\", "a=b=c", "/", "+/"):
            self.assertAnswer(f"@{tags} PING y\r\n".encode(), f"PONG {SERVER} :y")

    def test_tags_alone(self) -> None:
        self.assertAnswer(b"@a\r\n")
        self.assertAnswer(b"@a \r\n")
        self.assertAnswer(b"@ PING y\r\n", f"PONG {SERVER} :y")

    def test_nothing_is_ignored(self) -> None:
        for data in (b"\r\n", b"\n", b"  \r\n", b":src\r\n", b":\r\n", b":src  \r\n"):
            self.assertAnswer(data)

    def test_what_is_not_utf8(self) -> None:
        words = "Message rejected, it is not UTF-8"
        for text in (
            b"\xff",
            b"\xc3",
            b"\xc0\xaf",
            b"\xed\xa0\x80",
            b"ok\x80",
            b"\xf5\x80\x80\x80",
        ):
            for line in (b"PRIVMSG #lobby :" + text, text, b"@+a=" + text + b" PRIVMSG bob :x"):
                self.assertAnswer(line + b"\r\n", f"FAIL * INVALID_UTF8 :{words}")
        self.assertEqual(self.bob.lines(), [])

    def test_nul_and_cr(self) -> None:
        malformed = "400 alice * :Message rejected, it is malformed"
        for line in (
            b"PRIVMSG #lobby :a\0b",
            b"PRI\0VMSG #lobby :a",
            b"\0",
            b"PRIVMSG #lobby :a\rQUIT",
        ):
            self.assertAnswer(line + b"\r\n", malformed)

    def test_unknown_commands(self) -> None:
        for line, name in (
            ("NONSENSE a b", "NONSENSE"),
            ("nonsense", "NONSENSE"),
            ("x" * 60, "X" * 32),
            ("123", "123"),
            ("12", "12"),
            ("PRIVMSG: bob", "PRIVMSG:"),
            ("é", "é"),
            ("\x01", "*"),
            ("\x1b[2J", "*"),
            (": :x", "*"),
        ):
            self.assertAnswer(f"{line}\r\n".encode(), f"421 alice {name} :Unknown command")

    def test_control_characters_in_names(self) -> None:
        for character in "\x01\x02\x0b\x1b\x7f\x85\u200b\u202e\u2028":
            for line, numeric in (
                (f"NICK a{character}b", "432"),
                (f"JOIN #a{character}b", "476"),
                (f"PRIVMSG #a{character}b :x", "403"),
                (f"PRIVMSG a{character}b :x", "401"),
                (f"WHOIS a{character}b", "401"),
            ):
                answers = self.alice.ask(line)
                self.assertEqual([answers[0].split(" ")[1]], [numeric], (line, answers))
        self.assertEqual(list(self.house.controller.state.rooms), ["lobby"])

    def test_more_parameters_than_anybody_needs(self) -> None:
        self.assertAnswer(b"PING y" + b" x" * 200 + b"\r\n", f"PONG {SERVER} :y")


class FloodTests(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.house = House(flow=Flow(rate=2, burst=10, refusals=5))

    def test_what_comes_too_fast_waits_for_its_turn_and_is_not_lost(self) -> None:
        bob, alice = self.irc("bob"), self.irc("alice")
        self.house.wait(10)
        pong = f":{SERVER} PONG {SERVER} :x"

        self.assertEqual(alice.ask(*30 * ["PING x"]), 10 * [pong])
        self.assertFalse(alice.pipe.reading)
        self.answers(bob, "PING x", pong)

        self.house.wait(5)
        self.assertEqual(alice.lines(), 10 * [pong])
        self.house.wait(5)
        self.assertEqual(alice.lines(), 10 * [pong])
        self.assertTrue(alice.pipe.reading)
        self.assertFalse(alice.closed)

    def test_long_lines_and_nonsense_wait_too(self) -> None:
        for data in (b"x" * 9999 + b"\r\n", b"\xff\r\n", b"\0\r\n"):
            client = self.house.client("irc")
            client.send_bytes(data * 15)

            self.assertEqual(len(client.lines()), 10)
            self.house.wait(2.5)
            self.assertEqual(len(client.lines()), 5)

    def test_several_targets_count_as_several_requests(self) -> None:
        alice = self.irc("alice")
        self.house.wait(10)

        self.assertEqual(len(alice.ask(*3 * ["PRIVMSG a,b,c,d :x"], "PING x")), 12)

    def test_who_hangs_up_meanwhile_is_gone_at_once(self) -> None:
        alice = self.irc("alice")
        alice.send(*30 * ["PING x"])

        alice.hang_up()

        self.assertEqual(list(self.house.controller.state.users), [])


class BabbleTests(IrcCase):
    """Random lines on a live connection, beside those of people who behave."""

    def test_a_stranger(self) -> None:
        for seed in range(80):
            house = self.open_house()
            self.babble(house, house.client("irc"), seed)

    def test_a_stranger_that_has_said_nothing_yet(self) -> None:
        for seed in range(1000, 1040):
            house = self.open_house()
            client = house.client()
            client.send("CAP LS 302")
            self.babble(house, client, seed)

    def test_a_guest(self) -> None:
        for seed in range(2000, 2150):
            self.open_house()
            self.babble(self.house, self.irc("mad"), seed)

    def test_somebody_with_every_capability_who_runs_channels(self) -> None:
        for seed in range(3000, 3150):
            self.open_house()
            client = self.irc("mad", *ALL)
            client.send("JOIN #mad", "JOIN #den", "PRIVMSG #den :x")
            self.babble(self.house, client, seed)

    def test_an_operator_of_the_server(self) -> None:
        for seed in range(4000, 4100):
            self.open_house()
            client = self.irc("mad", *ALL, account="root")
            client.send("OPER root secret", "JOIN #mad,#lobby")
            self.assertIn(" 381 ", "".join(client.lines()))
            self.babble(self.house, client, seed)

    def open_house(self) -> House:
        """A new house with a lobby in it."""
        self.house = House(policy=Policy(operators=frozenset(("root",))))
        self.account("root")
        self.bob = self.irc("bob", *ALL)
        self.bob.send("JOIN #lobby")
        self.carol = self.house.user("carol", "JOINROOM:lobby")
        self.house.change_modes("lobby")
        self.bob.lines()
        return self.house

    def babble(self, house: House, client: Client, seed: int) -> None:
        """Say many lines, and look at all that comes of it."""
        babble, said = Babble(seed, WORDS), []
        for _ in range(40):
            line = babble.line()
            said.append(line)
            client.send_bytes(line)
            for each in (client, self.bob):
                self.assertWellFormed(each.received(), seed, said)
            if client.closed:
                break
        self.assertNothingBroke(seed, said)
        end = client.ask("AUTHENTICATE *", "CAP END", "PING alive")
        if client.closed:
            # It may have said a wrong password before.
            self.assertEqual(end[-1:], [line for line in end if line.startswith("ERROR :")])
        else:
            self.assertIn(f":{SERVER} PONG {SERVER} :alive", end, (seed, said[-1]))
        if not self.killed(self.bob):
            self.answers(self.bob, "PING x", f":{SERVER} PONG {SERVER} :x")
        if not self.killed(self.carol):
            self.assertEqual(self.carol.ask("PING:")[-1], "OK:PING:")

    def killed(self, other: Client) -> bool:
        """Has an operator of the server, who may, put somebody out?"""
        if other.closed:
            self.assertIn(b"killed by ", other.pipe.writes[-1])
        return other.closed

    def assertWellFormed(self, data: bytes, seed: int, said: list[bytes]) -> None:
        *lines, rest = data.split(b"\r\n")
        self.assertEqual(rest, b"", (seed, said[-1]))
        for line in lines:
            self.assertEqual(fault(line), "", (seed, line, said[-1][:600]))

    def assertNothingBroke(self, seed: int, said: list[bytes]) -> None:
        for failure in self.flushLoggedErrors():
            self.fail(f"seed {seed}, after {said[-1][:600]!r}: {failure.getTraceback()}")


class RealTests(ServiceCase):
    """The same over real sockets, with the limits that the service has by itself."""

    async def test_babble(self) -> None:
        service = await self.serve(
            listen=(TLS, PLAIN), store="sqlite", new_connections_per_minute=0
        )
        bob, carol = await service.in_room("lobby", "bob", "carol")
        for seed in range(30):
            how: dict[str, Any] = {"listener": seed % 2, "tls": None} if seed % 2 else {}
            client = await service.connect(**how)
            client.send("CAP LS 302", f"CAP REQ :{' '.join(ALL)}", "CAP END")
            client.send("NICK mad", "USER mad 0 * :Mad", "JOIN #lobby")
            babble = Babble(5000 + seed, WORDS)
            for _ in range(30):
                client.send_raw(babble.line())
            await self.settled(client)
            await client.vanish()
            await service.has(connections=2)
            for line in client.seen:
                self.assertEqual(fault(line.encode()), "", (seed, line))

        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertStarts(await bob.ask("ROOM:lobby:still here"), "OK:ROOM:lobby:")
        self.assertEqual(await carol.until("ROOM:lobby:bob:s"), "ROOM:lobby:bob:still here")

    async def settled(self, client: RealClient) -> None:
        """All that was sent is answered, or the server has closed the connection."""
        client.send("CAP END", "AUTHENTICATE *", "PING settled")
        while client.reason is None:
            line = await client.line()
            if line.endswith(f"PONG {SERVER} :settled") or line.startswith("ERROR :"):
                return
