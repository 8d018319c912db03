"""WHOIS and WHOWAS: what they tell of whom, and to whom."""

from __future__ import annotations

from chatservice.controller import modes
from chatservice.networking.connection import Connection
from chatservice.translation.irc.services import SERVICES, Service
from tests.bench import NOW
from tests.irc_case import CLOAK, IrcCase, short

SIGNED_ON = int(NOW)
NOW_IN_WORDS = "Fri Jan 15 08:00:00 2027"


class WhoisCase(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice = self.irc("alice")
        self.bob = self.irc("Bob")

    def told(self, line: str) -> list[str]:
        """What Alice is told, without server and nick."""
        return [short(got) for got in self.alice.ask(line)]

    def about(self, number: int, nick: str = "bob") -> list[str]:
        """The lines of one number that Alice is told of somebody."""
        return [line for line in self.told(f"WHOIS {nick}") if line.startswith(f"{number} ")]


class WhoisTests(WhoisCase):
    def test_somebody_of_whom_there_is_little_to_tell(self) -> None:
        self.answers(
            self.alice,
            "WHOIS bob",
            f"311 Bob ~u {CLOAK} * :The real Bob",
            "312 Bob chat.example :A chat service",
            f"317 Bob 0 {SIGNED_ON} :seconds idle, signon time",
            "318 bob :End of /WHOIS list",
        )

    def test_somebody_of_whom_there_is_much(self) -> None:
        self.account("carol")
        carol = self.irc("cc", account="carol")
        carol.ask("JOIN #tea", "AWAY :at tea")
        self.flag("cc", modes.SERVER_OPERATOR)
        self.flag("cc", modes.BOT)
        self.answers(
            self.alice,
            "WHOIS cc",
            f"311 cc ~u {CLOAK} * :The real cc",
            "319 cc :~#tea",
            "312 cc chat.example :A chat service",
            "313 cc :is a server operator",
            "330 cc carol :is logged in as",
            "335 cc :is a bot",
            f"317 cc 0 {SIGNED_ON} :seconds idle, signon time",
            "301 cc :at tea",
            "318 cc :End of /WHOIS list",
        )

    def test_somebody_of_the_line_protocol(self) -> None:
        self.house.user("carol", "NEWROOM:tea", "JOINROOM:tea")
        self.assertEqual(
            self.told("WHOIS carol")[:2], [f"311 carol ~u {CLOAK} * :carol", "319 carol :~#tea"]
        )

    def test_nobody(self) -> None:
        for nick in ("nobody", "#tea", "a!b", "x" * 100):
            self.answers(
                self.alice,
                f"WHOIS {nick}",
                f"401 {nick} :No such nick",
                f"318 {nick} :End of /WHOIS list",
            )

    def test_no_nick(self) -> None:
        for line in ("WHOIS", "WHOIS :", "WHOIS ,", "WHOIS chat.example :"):
            self.answers(self.alice, line, "431 :No nickname given")

    def test_only_the_first_of_several_as_targmax_says(self) -> None:
        self.assertEqual(self.told("WHOIS bob,alice"), self.told("WHOIS bob"))

    # The server.

    def test_the_server_may_be_named(self) -> None:
        plain = self.told("WHOIS bob")
        for server in ("chat.example", "CHAT.example", "bob", "alice"):
            self.assertEqual(self.told(f"WHOIS {server} bob"), plain)

    def test_another_server(self) -> None:
        self.answers(self.alice, "WHOIS far.example bob", "402 far.example :No such server")

    def test_somebody_who_is_not_here_asked_for_at_their_server(self) -> None:
        self.answers(
            self.alice,
            "WHOIS gone gone",
            "401 gone :No such nick",
            "318 gone :End of /WHOIS list",
        )

    # Channels.

    def test_channels_that_one_may_know_of(self) -> None:
        self.house.user("carol", "NEWROOM:den:private", "JOINROOM:den", "NEWROOM:tea")
        self.assertEqual(self.about(319, "carol"), [])
        self.flag("alice", modes.SERVER_OPERATOR)
        self.assertEqual(self.about(319, "carol"), ["319 carol :~#den"])

    def test_channels_of_the_invisible(self) -> None:
        self.bob.ask("JOIN #tea", "JOIN #milk")
        self.alice.ask("JOIN #milk")
        self.flag("bob", modes.INVISIBLE)
        self.assertEqual(self.about(319), ["319 Bob :~#milk"])

    def test_prefixes(self) -> None:
        self.bob.ask("JOIN #tea")
        room = self.house.controller.state.rooms["tea"]
        room.roles[room.owner] = {"voice"}
        self.assertEqual(self.about(319), ["319 Bob :~#tea"])
        carol = self.irc("carol", "multi-prefix")
        self.assertIn("319 Bob :~+#tea", map(short, carol.ask("WHOIS bob")))

    def test_more_channels_than_a_line_holds(self) -> None:
        names = [f"{'x' * 50}{number}" for number in range(20)]
        self.bob.ask(*[f"JOIN #{name}" for name in names])
        lines = [line for line in self.alice.ask("WHOIS bob") if " 319 " in line]
        self.assertEqual(len(lines), 3)
        self.assertTrue(all(len(line.encode()) <= 510 for line in lines))
        shown = " ".join(line.split(" :", 1)[1] for line in lines).split()
        self.assertEqual(sorted(shown), sorted(f"~#{name}" for name in names))

    # What not everybody is told.

    def test_the_address_is_for_oneself(self) -> None:
        line = "338 alice ~u@192.0.2.1 192.0.2.1 :is actually using host"
        self.assertEqual(self.about(338, "alice"), [line])
        self.assertEqual(self.about(338), [])

    def test_the_address_is_for_operators(self) -> None:
        self.flag("alice", modes.SERVER_OPERATOR)
        line = "338 Bob ~u@192.0.2.1 192.0.2.1 :is actually using host"
        self.assertEqual(self.about(338), [line])

    def test_an_address_that_begins_with_a_colon(self) -> None:
        client = self.house.client(dialect="irc", address="::1")
        client.ask("NICK six", "USER six 0 * :six")
        line = "338 six ~u@0::1 0::1 :is actually using host"
        self.assertIn(line, map(short, client.ask("WHOIS six")))

    def test_the_certificate_is_for_oneself_and_operators(self) -> None:
        self.patch(Connection, "certfp", "abcdef")
        line = "276 {} :has client certificate fingerprint abcdef"
        self.assertEqual(self.about(276, "alice"), [line.format("alice")])
        self.assertEqual(self.about(276), [])
        self.flag("alice", modes.SERVER_OPERATOR)
        self.assertEqual(self.about(276), [line.format("Bob")])

    def test_a_secure_connection(self) -> None:
        self.assertEqual(self.about(671), [])
        client = self.house.client(alpn=b"irc")
        client.ask("NICK carol", "USER carol 0 * :carol")
        self.assertEqual(self.about(671, "carol"), ["671 carol :is using a secure connection"])

    # Time.

    def test_idle_since_something_was_last_said(self) -> None:
        self.house.clock.advance(90)
        self.assertEqual(self.about(317), [f"317 Bob 90 {SIGNED_ON} :{IDLE}"])
        self.bob.ask("PING x")
        self.assertEqual(self.about(317), [f"317 Bob 90 {SIGNED_ON} :{IDLE}"])
        self.bob.ask("PRIVMSG alice :hi")
        self.house.clock.advance(1.9)
        self.assertEqual(self.about(317), [f"317 Bob 1 {SIGNED_ON} :{IDLE}"])

    # Services.

    def test_a_service(self) -> None:
        self.patch_services()
        self.answers(
            self.alice,
            "WHOIS testserv",
            "311 TestServ TestServ services.chat.example * :"
            "Network service, for more info /msg TestServ HELP",
            "313 TestServ :is a network service",
            "318 testserv :End of /WHOIS list",
        )

    def patch_services(self) -> None:
        SERVICES["testserv"] = _service("TestServ")
        self.addCleanup(SERVICES.pop, "testserv")


def _service(nick: str) -> Service:
    """A service that hears nothing, whatever else a service has."""
    service = Service.__new__(Service)
    object.__setattr__(service, "nick", nick)
    return service


class WhowasTests(WhoisCase):
    def test_somebody_who_has_quit(self) -> None:
        self.bob.ask("QUIT")
        self.answers(self.alice, "WHOWAS BOB", *BOB_WAS, "369 BOB :End of WHOWAS")

    def test_somebody_of_the_line_protocol(self) -> None:
        self.house.user("carol").hang_up()
        self.assertEqual(self.told("WHOWAS carol")[0], f"314 carol ~u {CLOAK} * :carol")

    def test_somebody_who_is_called_something_else(self) -> None:
        self.bob.ask("NICK Robert")
        self.answers(self.alice, "WHOWAS bob", *BOB_WAS, "369 bob :End of WHOWAS")
        self.answers(self.alice, "WHOWAS robert", *nobody("robert"))

    def test_with_the_account(self) -> None:
        self.account("carol")
        self.irc("cc", account="carol").ask("QUIT")
        self.assertIn("330 cc carol :is logged in as", self.told("WHOWAS cc"))

    def test_the_latest_come_first_and_no_more_than_asked_for(self) -> None:
        for realname in ("one", "two", "three"):
            client = self.house.client(dialect="irc")
            client.ask("NICK dd", f"USER dd 0 * :{realname}", "QUIT")

        def told(count: str) -> list[str]:
            lines = self.told(f"WHOWAS dd {count}")
            return [line.split(":")[1] for line in lines if line.startswith("314 ")]

        self.assertEqual(told("2"), ["three", "two"])
        for every in ("", "0", "-1", "x", "9", "²", "9" * 400):
            self.assertEqual(told(every), ["three", "two", "one"])

    def test_nobody(self) -> None:
        for nick in ("nobody", "bob", "é!", "#x"):
            self.answers(self.alice, f"WHOWAS {nick}", *nobody(nick))

    def test_several(self) -> None:
        self.bob.ask("QUIT")
        self.answers(self.alice, "WHOWAS no,bob", *nobody("no"), *BOB_WAS, "369 bob :End of WHOWAS")

    def test_no_more_than_targmax_says(self) -> None:
        nicks = ",".join(f"n{number}" for number in range(11))
        self.assertEqual(len(self.told(f"WHOWAS {nicks}")), 20)

    def test_no_nick(self) -> None:
        for line in ("WHOWAS", "WHOWAS :", "WHOWAS ,"):
            self.answers(self.alice, line, "431 :No nickname given")


def nobody(nick: str) -> list[str]:
    return [f"406 {nick} :There was no such nickname", f"369 {nick} :End of WHOWAS"]


BOB_WAS = (
    f"314 Bob ~u {CLOAK} * :The real Bob",
    f"312 Bob chat.example :{NOW_IN_WORDS}",
)

IDLE = "seconds idle, signon time"
