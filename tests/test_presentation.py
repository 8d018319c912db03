"""What the service tells of itself: its names, the message of the day, and where TLS is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from chatservice.config import Config, ConfigError, IrcConfig
from chatservice.controller.controller import Controller
from chatservice.motd import BadMotd, read_motd
from chatservice.presentation import make_about, renew_motd
from chatservice.service import make_chat_service
from chatservice.supervision import Supervisor
from chatservice.translation.about import Counts, Sts
from tests.service import PLAIN, TLS, ServiceCase


class MotdTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def read(self, content: bytes) -> tuple[str, ...]:
        self.path.write_bytes(content)
        return read_motd(self.path)

    def refused(self, content: bytes) -> str:
        self.path.write_bytes(content)
        return str(self.assertRaises(BadMotd, read_motd, self.path))

    def test_it_is_the_files_lines(self) -> None:
        self.assertEqual(
            self.read("Willkommen!\r\n\r\n  Käse \n\n".encode()), ("Willkommen!", "", "  Käse")
        )

    def test_what_colours_and_slants_text_is_left_in_it(self) -> None:
        self.assertEqual(
            self.read(b"\x0304red\x03 \x1dslanted\x1d\n"), ("\x0304red\x03 \x1dslanted\x1d",)
        )

    def test_no_line_can_end_early(self) -> None:
        self.assertEqual(self.read(b"a\0b\rc\n"), ("abc",))

    def test_an_empty_file_and_none_are_no_message(self) -> None:
        self.assertEqual(self.read(b""), ())
        self.assertEqual(self.read(b" \n\n"), ())
        self.assertEqual(read_motd(None), ())

    def test_it_is_not_longer_than_people_read(self) -> None:
        self.assertEqual(len(self.read(b"line\n" * 200)), 200)
        self.assertIn("at most 200 lines", self.refused(b"line\n" * 201))
        self.assertIn("65536 bytes", self.refused(b"x" * 65537))

    def test_what_is_no_text_is_refused_with_its_name(self) -> None:
        self.assertIn(f"UTF-8: {self.path}", self.refused(b"\xff"))
        self.path.unlink()
        self.assertIn("No such file", str(self.assertRaises(BadMotd, read_motd, self.path)))


class AboutTests(SynchronousTestCase):
    def test_the_network_is_called_as_the_server_unless_said(self) -> None:
        self.assertEqual(make_about(Config(name="a.example"), 0).network, "a.example")
        self.assertEqual(make_about(Config(network="Example"), 0).network, "Example")

    def test_a_message_that_is_missing_ends_the_start(self) -> None:
        config = Config(motd=Path("nowhere"), origins={"motd": "chat.toml: motd"})

        error = self.assertRaises(ConfigError, make_about, config, 0)

        self.assertTrue(str(error).startswith("chat.toml: motd: expected a file"), error)

    def test_a_message_that_went_missing_stays_as_it_was(self) -> None:
        path = Path(self.mktemp())
        path.write_text("one\n", encoding="utf-8")
        about = make_about(Config(motd=path), 0)

        path.write_text("two\n", encoding="utf-8")
        renew_motd(about, path)
        self.assertEqual(about.motd, ("two",))

        path.unlink()
        with capturedLogs() as events:
            renew_motd(about, path)
        self.assertEqual(about.motd, ("two",))
        self.assertIn("the old one stays", formatEvent(events[0]))


class ServiceTests(ServiceCase):
    async def test_connections_are_told_and_counted(self) -> None:
        motd = Path(self.mktemp())
        motd.write_text("Hello\n", encoding="utf-8")
        service = await self.serve(
            listen=(TLS, PLAIN),
            also={"motd": motd.absolute(), "admin": ("Ada",), "description": "Ours"},
        )
        alice, bob = await service.log_in("alice"), await service.log_in("bob")
        about = service.side_of(alice).about

        self.assertIs(service.side_of(bob).about, about)
        self.assertEqual(about.motd, ("Hello",))
        self.assertEqual((about.admin, about.description), (("Ada",), "Ours"))
        self.assertEqual(about.started, service.time.seconds())
        self.assertIsNone(about.sts)
        await bob.hang_up()
        await service.has(connections=1)
        self.assertEqual(about.counts(), Counts(now=1, most=2))

    async def test_what_may_have_changed_is_read_again(self) -> None:
        motd = Path(self.mktemp())
        motd.write_text("one\n", encoding="utf-8")
        service = await self.serve(also={"motd": motd.absolute()})
        about = service.side_of(await service.log_in("alice")).about
        motd.write_text("two\n", encoding="utf-8")

        with capturedLogs() as events:
            about.rehash()

        self.assertEqual(about.motd, ("two",))
        self.assertTrue(any("TLS certificate read" in formatEvent(event) for event in events))


class MakingTests(SynchronousTestCase):
    def make(self, **settings: Any) -> Supervisor:
        config = Config(store="memory", data=Path(self.mktemp()), **settings)
        return make_chat_service(MemoryReactorClock(), config)

    def sts(self, *listen: str, **irc: Any) -> Sts | None:
        """What is told of these listeners."""
        root = self.make(listen=listen, irc=IrcConfig(**irc))
        listening: Any = next(
            child
            for child in cast(Supervisor, root.getServiceNamed("networking"))
            if str(child).startswith("listener")
        )
        sts: Sts | None = listening._factory._hall.about.sts
        return sts

    def test_tls_is_told_of_where_irc_is_spoken_with_and_without_it(self) -> None:
        plain = "tcp:6667:interface=127.0.0.1"
        self.assertEqual(self.sts("ssl:6697", plain, sts_seconds=60), Sts(6697, 60))
        self.assertEqual(self.sts("irc@ssl:1", f"irc@{plain}", sts_seconds=60), Sts(1, 60))
        self.assertEqual(self.sts("ssl:6697", plain, sts_seconds=60, sts_port=7), Sts(7, 60))
        self.assertIsNone(self.sts("ssl:6697", plain))
        self.assertIsNone(self.sts("ssl:6697", sts_seconds=60))
        self.assertIsNone(self.sts("ssl:6697", f"original@{plain}", sts_seconds=60))

    def test_tls_without_a_port_cannot_be_told_of(self) -> None:
        for listen in (("ssl:0", PLAIN), ("tls:unix:/run/chat",), (PLAIN,)):
            error = self.assertRaises(
                ConfigError, self.make, listen=listen, irc=IrcConfig(sts_seconds=60)
            )
            self.assertIn("irc.sts_seconds: expected 0, or a listener with TLS", str(error))

    def test_operators_are_known_by_their_accounts_keys(self) -> None:
        root = self.make(operators=("Ada", "GRACE"))

        controller = cast(Controller, root.getServiceNamed("controller"))
        self.assertEqual(controller.policy.operators, {"ada", "grace"})

    def test_an_operator_who_cannot_be_is_a_mistake(self) -> None:
        error = self.assertRaises(ConfigError, self.make, operators=("two words",))

        self.assertIn("operators: expected names that accounts can have", str(error))
