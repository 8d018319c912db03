"""
The command line of `chat`: what it understands, what it refuses, and its help.
"""

from __future__ import annotations

import io
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from chatservice import __version__
from chatservice.terminal.exits import Exit
from chatservice.terminal.options import LINES, Options, parse


class OptionsCase(SynchronousTestCase):
    def given(self, *arguments: str) -> Options:
        return parse(["alice@localhost", *arguments])

    def refusal(self, *arguments: str) -> str:
        """What is complained of."""
        shown = io.StringIO()
        with redirect_stderr(shown):
            error = self.assertRaises(SystemExit, parse, arguments)
        self.assertEqual(error.code, Exit.USAGE)
        return shown.getvalue()


class AddressTests(OptionsCase):
    def test_it_is_a_nick_and_a_server(self) -> None:
        for given, nick, server in (
            ("alice@localhost", "alice", "localhost"),
            ("alice@chat.example:7000", "alice", "chat.example:7000"),
            ("alice@[::1]:7000", "alice", "[::1]:7000"),
            ("alice@tls:chat.example:7000", "alice", "tls:chat.example:7000"),
            ("alice@unix:/run/chat@home", "alice", "unix:/run/chat@home"),
            ("Àlice@localhost", "Àlice", "localhost"),
        ):
            options = parse([given])
            self.assertEqual((options.nick, options.server), (nick, server))

    def test_the_nick_may_be_left_out(self) -> None:
        for server in ("localhost:7000", "[::1]", "unix:/run/chat@home", "tcp:localhost:6668"):
            options = parse([server])
            self.assertEqual((options.nick, options.server), ("", server))

    def test_there_must_be_a_server(self) -> None:
        for given in ("", "alice@", "@localhost"):
            self.assertIn("expected [nick@]host[:port]", self.refusal(given))
        self.assertIn("required", self.refusal())


class TalkTests(OptionsCase):
    def test_rooms_are_several_and_each_is_one(self) -> None:
        options = self.given("--room", "ops", "--room", "tea", "--room", "ops", "--say", "hi")
        self.assertEqual(options.rooms, ("ops", "tea"))

    def test_texts_keep_their_order_and_each_line_is_one(self) -> None:
        options = self.given("--to", "bob", "--say", "one\r\n\ntwo", "--say", "-", "--say", "three")
        self.assertEqual(options.say, ("one", "two", LINES, "three"))

    def test_a_line_of_a_text_that_is_a_hyphen_is_a_text(self) -> None:
        self.assertEqual(self.given("--to", "bob", "--say", "a\n-").say, ("a", "-"))

    def test_bytes_that_are_no_text_can_be_said(self) -> None:
        self.assertEqual(self.given("--to", "bob", "--say", "caf\udce9").say, ("caf\ufffd",))

    def test_there_must_be_something_to_say_and_somebody_to_say_it_to(self) -> None:
        self.assertIn("expected a text", self.refusal("localhost", "--to", "bob", "--say", "\n"))
        self.assertIn("expected a name", self.refusal("localhost", "--to", "", "--say", "hi"))
        self.assertIn("--room or --to", self.refusal("localhost", "--say", "hi"))

    def test_what_nothing_would_come_of_is_refused(self) -> None:
        for arguments, word in (
            (("--history", "5"), "--room or --to"),
            (("--room", "ops", "--say", "hi", "--json"), "--tail"),
            (("--room", "ops", "--say", "hi", "--count", "1"), "--tail"),
            (("--to", "bob", "--key", "sesame"), "--room"),
            (("--to", "bob", "--create"), "--room"),
            (("--register", "--reclaim"), "--reclaim"),
            (("--ca", "a.pem", "--fingerprint", "SHA256:AA"), "--ca"),
            (("--ca", "a.pem", "--known-servers", "known"), "--ca"),
        ):
            self.assertIn(word, self.refusal("localhost", *arguments))


class ValueTests(OptionsCase):
    def test_numbers_have_their_ranges(self) -> None:
        options = self.given("--tail", "--count", "3", "--timeout", "0.5")
        self.assertEqual((options.count, options.timeout), (3, 0.5))
        for arguments in (
            ("--tail", "--count", "0"),
            ("--tail", "--count", "-1"),
            ("--room", "ops", "--history", "all"),
            ("--timeout", "0"),
            ("--timeout", "nan"),
            ("--timeout", "inf"),
            ("--timeout", "soon"),
        ):
            self.assertIn("expected", self.refusal("localhost", *arguments))

    def test_files_are_named_and_not_opened(self) -> None:
        self.assertEqual(self.given("--ca", "none.pem").ca, Path("none.pem"))
        self.assertEqual(self.given("--password-file", "none").password_file, Path("none"))

    def test_options_are_not_guessed(self) -> None:
        self.assertIn("unrecognized", self.refusal("localhost", "--tai"))

    def test_a_password_is_no_option(self) -> None:
        self.assertIn("unrecognized", self.refusal("localhost", "--password", "secret"))


class HelpTests(SynchronousTestCase):
    def shown(self, option: str) -> str:
        shown = io.StringIO()
        with redirect_stdout(shown):
            error = self.assertRaises(SystemExit, parse, [option])
        self.assertEqual(error.code, 0)
        return shown.getvalue()

    def test_it_explains_every_exit_status(self) -> None:
        for option in ("-h", "--help"):
            shown = self.shown(option)
            for member in Exit:
                self.assertIn(f"{member.value:>3}  {member.words}\n", shown)

    def test_it_fits_into_a_terminal(self) -> None:
        self.patch(os, "environ", {"COLUMNS": "80"})
        longest = max(map(len, self.shown("--help").splitlines()))
        self.assertLessEqual(longest, 100)

    def test_the_version_is_that_of_the_package(self) -> None:
        self.assertEqual(self.shown("--version"), f"chat {__version__}\n")
