"""
Where `chat` takes the password from.
"""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from chatservice.terminal.passwords import BadPassword, given


class PasswordTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.warnings: list[str] = []
        self.file = Path(self.mktemp())

    def password(self, content: bytes = b"from the file\n", mode: int = 0o600) -> str:
        self.file.write_bytes(content)
        self.file.chmod(mode)
        return given(self.file, {"CHAT_PASSWORD": "from around"}, self.warnings.append)

    def failure(self, content: bytes) -> str:
        return str(self.assertRaises(BadPassword, self.password, content))

    def test_it_is_the_first_line_of_the_file(self) -> None:
        for content, password in (
            (b"a long  password", "a long  password"),
            (b" with spaces \n", " with spaces "),
            (b"secret\r\nof two lines\n", "secret"),
            ("zażółć\n".encode(), "zażółć"),
        ):
            self.assertEqual(self.password(content), password)
        self.assertEqual(self.warnings, [])

    def test_without_a_file_it_is_in_the_environment_or_nowhere(self) -> None:
        around = {"CHAT_PASSWORD": "from around"}
        self.assertEqual(given(None, around, self.warnings.append), "from around")
        self.assertEqual(given(None, {}, self.warnings.append), "")

    def test_a_file_that_everybody_can_read_is_warned_of(self) -> None:
        for mode in (0o644, 0o602):
            self.password(mode=mode)
            self.assertIn(f"chmod 600 {self.file}", self.warnings.pop())
        self.password(mode=0o640)
        self.assertEqual(self.warnings, [])

    def test_a_pipe_is_as_good_as_a_file_and_is_not_warned_of(self) -> None:
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        os.write(writing, b"out of a pipe\n")
        os.close(writing)
        found = given(Path(f"/dev/fd/{reading}"), {}, self.warnings.append)
        self.assertEqual((found, self.warnings), ("out of a pipe", []))

    def test_what_is_no_password_is_said_without_it(self) -> None:
        self.assertIn("empty", self.failure(b"\nsecret\n"))
        self.assertIn("empty", self.failure(b""))
        words = self.failure(b"secret\xff\n")
        self.assertIn("UTF-8", words)
        self.assertNotIn("secret", words)

    def test_a_file_that_is_not_there_is_named(self) -> None:
        error = self.assertRaises(BadPassword, given, self.file, {}, self.warnings.append)
        self.assertEqual(
            str(error), f"can't read the password in {self.file}: No such file or directory"
        )
