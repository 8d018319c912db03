"""The log: one JSON object a line whatever happens, and never a password or what somebody said."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any, cast

from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import (
    FileLogObserver,
    ILogObserver,
    Logger,
    LogLevel,
    LogPublisher,
    globalLogPublisher,
)
from twisted.python import log as old_log
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from chatservice.logs import Quiet, json_line, make_observer
from tests.process import ProcessCase, Server, start_server
from tests.service import Client


class Shy:
    """Does not want to be seen."""

    def __str__(self) -> str:
        raise ValueError("no")

    __repr__ = __str__


class ShyError(Exception):
    __str__ = Shy.__str__
    __repr__ = Shy.__repr__


class JSONTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.lines: list[str] = []

        @implementer(ILogObserver)
        def observe(event: dict[str, Any]) -> None:
            self.lines.append(json_line(event))

        self.log = Logger(namespace="a.place", observer=LogPublisher(observe))

    def line(self) -> dict[str, Any]:
        (line,) = self.lines
        self.assertEqual(line.count("\n"), 1)
        self.assertTrue(line.endswith("}\n"))
        self.assertTrue(line.isascii())
        return cast("dict[str, Any]", json.loads(line, parse_constant=self.fail))

    def test_a_line_has_the_time_twice_the_level_the_place_and_the_words(self) -> None:
        self.log.warn(  # noqa: G010 - Twisted's logger has no other
            "{who} came {times} times", who="alice", times=3
        )
        line = self.line()
        self.assertEqual(line["message"], "alice came 3 times")
        self.assertEqual((line["level"], line["namespace"]), ("warn", "a.place"))
        self.assertEqual((line["who"], line["times"]), ("alice", 3))
        time = datetime.fromisoformat(line["time"])
        self.assertAlmostEqual(time.timestamp(), line["timestamp"], places=5)
        self.assertTrue(line["time"].endswith("+00:00"))

    def test_it_has_nothing_else(self) -> None:
        self.log.info("words")
        self.assertEqual(set(self.line()), {"time", "timestamp", "level", "namespace", "message"})

    def test_a_failure_has_its_traceback_in_the_same_line(self) -> None:
        try:
            raise RuntimeError("the disk is gone")
        except RuntimeError:
            self.log.failure("it broke")
        line = self.line()
        self.assertEqual((line["level"], line["message"]), ("critical", "it broke"))
        self.assertIn("RuntimeError: the disk is gone", line["traceback"])
        self.assertIn("test_logs.py", line["traceback"])

    def test_fields_that_are_no_simple_values_are_left_out(self) -> None:
        self.log.info("words", a=[1], b={"c": 1}, d=b"bytes", e=object(), f=Shy(), g=None, h=True)
        line = self.line()
        self.assertEqual({name for name in line if len(name) == 1}, {"g", "h"})

    def test_whatever_an_event_holds_it_is_a_line(self) -> None:
        for fields in (
            {"what": Shy()},
            {"what": float("nan")},
            {"what": float("-inf")},
            {"what": "\ud800 half a pair, and \u2028"},
            {"what": "two\nlines"},
            {"time": Shy(), "message": Shy(), "level": Shy()},
            {"log_failure": Failure(ShyError())},
            {"log_time": None},
            {"log_time": "yesterday"},
            {"log_format": None},
            {"log_format": "{nothing.there}"},
        ):
            event = {"log_level": LogLevel.info, "log_format": "{what}", "what": 1, **fields}
            self.lines = [json_line(event)]
            self.assertEqual(self.line()["level"], "info", fields)

    def test_what_is_ours_can_not_be_passed_off_as_the_events_own(self) -> None:
        self.log.info("words", namespace="forged", timestamp=0, traceback="forged")
        line = self.line()
        self.assertEqual(line["namespace"], "a.place")
        self.assertGreater(line["timestamp"], 0)
        self.assertNotIn("traceback", line)

    def test_twisteds_older_events_are_lines_too(self) -> None:
        @implementer(ILogObserver)
        def observe(event: dict[str, Any]) -> None:
            if event.get("log_text") == "words of old":
                self.lines.append(json_line(event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        old_log.msg("words of old", system="a system")
        self.assertEqual(self.line()["message"], "words of old")


class QuietTests(SynchronousTestCase):
    def heard(self, event: dict[str, Any]) -> bool:
        file = StringIO()
        Quiet(FileLogObserver(file, json_line))({"log_level": LogLevel.info, **event})
        return bool(file.getvalue())

    def test_what_ports_say_of_themselves_is_not_heard(self) -> None:
        for text in (
            "ConnectionFactory (TLS) starting on 6667",
            "Watched starting on '/run/chat.sock'",
            "(TCP Port 6667 Closed)",
            "(UNIX Port b'/run/chat.sock' Closed)",
        ):
            self.assertFalse(self.heard({"log_namespace": "log_legacy", "log_text": text}), text)

    def test_everything_else_is(self) -> None:
        for event in (
            {"log_namespace": "log_legacy", "log_text": "(a disk is full)"},
            {"log_namespace": "log_legacy"},
            {"log_namespace": "elsewhere", "log_text": "(TCP Port 6667 Closed)"},
            {},
        ):
            self.assertTrue(self.heard({"log_format": "words", **event}), event)


class Turns:
    """A reactor that keeps what it is asked to do in its next turn."""

    def __init__(self) -> None:
        self.due: list[Callable[[], object]] = []

    def callFromThread(self, call: Callable[[], object]) -> None:
        self.due.append(call)


class DestinationTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.turns = Turns()
        self.addCleanup(signal.signal, signal.SIGUSR1, signal.getsignal(signal.SIGUSR1))
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)

    def log_to(self, twistd: dict[str, Any], as_json: bool = True) -> None:
        observer = make_observer(cast(IReactorFromThreads, self.turns), twistd, as_json)
        assert observer is not None
        Logger(namespace="here", observer=LogPublisher(observer)).info("words")

    def test_in_the_foreground_it_is_the_standard_output(self) -> None:
        self.patch(sys, "stdout", StringIO())
        self.log_to({"nodaemon": True, "logfile": None})
        self.log_to({"nodaemon": True, "logfile": "-"}, as_json=False)
        first, second = cast(StringIO, sys.stdout).getvalue().splitlines()
        self.assertEqual(json.loads(first)["message"], "words")
        self.assertTrue(second.endswith("[here#info] words"), second)

    def test_a_named_file_is_appended_to_and_rotated_on_sigusr1(self) -> None:
        path = Path(self.mktemp())
        path.write_text("before\n")
        self.log_to({"nodaemon": False, "logfile": str(path)})
        before, line = path.read_text().splitlines()
        self.assertEqual((before, json.loads(line)["message"]), ("before", "words"))
        signal.raise_signal(signal.SIGUSR1)
        (rotate,) = self.turns.due
        rotate()
        self.assertTrue(Path(f"{path}.1").exists())

    def test_a_daemon_can_not_log_to_the_standard_output(self) -> None:
        twistd = {"nodaemon": False, "logfile": "-"}
        self.assertRaises(SystemExit, make_observer, self.turns, twistd, True)

    def test_syslog_is_left_to_twistd_and_is_no_place_for_json(self) -> None:
        self.assertIsNone(
            make_observer(cast(IReactorFromThreads, self.turns), {"syslog": True}, False)
        )
        error = self.assertRaises(SystemExit, make_observer, self.turns, {"syslog": True}, True)
        self.assertIn("log_json", str(error))


SECRETS = ("Swordfish", "Guesswork", "Whispered", "Shouted", "Invalid", "Overlong", "Plaintext")


class SecretsTests(ProcessCase):
    """A server is told things, rightly and wrongly, and its whole log is read afterwards."""

    async def talk(self, server: Server) -> None:
        alice = await server.log_in("alice")
        self.assertEqual(await alice.ask("REGISTER:Swordfish"), "OK:REGISTER:alice")
        bob = await server.log_in("bob")
        for request in ("NEWROOM:tea", "JOINROOM:tea", "ROOM:tea:Shouted", "TOPIC:tea:Shouted"):
            await alice.ask(request)
        await bob.ask("JOINROOM:tea")
        await bob.ask("SAY:alice:Whispered")
        await alice.until("SAY:bob:Whispered")
        await self.err(server, bob)
        await alice.ask("LOGOUT:")
        again = await server.log_in("alice", "Swordfish")
        await again.vanish()

    async def err(self, server: Server, bob: Client) -> None:
        bob.send_raw(b"SAY:alice:Invalid \xff\xfe\r\n")
        await bob.until("ERR:")
        bob.send_raw(b"SAY:alice:Overlong" + b"x" * 10_000 + b"\r\n")
        await bob.until("ERR:")
        for request in ("SAY:nobody:Whispered", "ROOM:nowhere:Shouted", "Shouted:Shouted", "SAY"):
            await bob.ask(request)
        stranger = await server.connect()
        await stranger.ask("LOGIN:alice:Guesswork")
        await stranger.ask("LOGIN:Guesswork:Guesswork:Guesswork")
        await stranger.ask("REGISTER:Guesswork")
        await stranger.hang_up()
        plain = await server.connect(tls=None)
        plain.send("LOGIN:alice:Plaintext")
        await plain.closed

    async def test_the_log_holds_no_password_and_nothing_that_was_said(self) -> None:
        server = await start_server(self)
        await self.talk(server)
        await server.terminate()
        log = server.log()
        self.assertIn("listening on", log)
        self.assertIn("Server Shut Down", log)
        self.assertNotIn("Traceback", log)
        for secret in SECRETS:
            self.assertNotIn(secret.lower(), log.lower())

    async def test_nor_does_the_log_for_machines_which_is_json_from_end_to_end(self) -> None:
        server = await start_server(self, "--log-json")
        await self.talk(server)
        await server.terminate()
        lines = [json.loads(line) for line in server.log().splitlines()]
        words = [line["message"] for line in lines]
        self.assertTrue(any(each.startswith("listening on") for each in words), words)
        self.assertIn("Server Shut Down.", words)
        for secret in SECRETS:
            self.assertNotIn(secret.lower(), server.log().lower())

    async def test_json_goes_to_the_file_that_twistd_is_told(self) -> None:
        server = await start_server(
            self, "--log-json", twistd=("--logfile", "twistd.log", "--pidfile", "twistd.pid")
        )
        await server.log_in("alice")
        await server.terminate()
        text = (server.folder / "twistd.log").read_text(encoding="utf-8")
        words = [json.loads(line)["message"] for line in text.splitlines()]
        self.assertIn("Server Shut Down.", words)
