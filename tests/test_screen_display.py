"""
The terminal itself: what was typed there before anything was drawn.
"""

from __future__ import annotations

import os
import pty
import termios

from twisted.trial.unittest import SynchronousTestCase

from chatservice.terminal.screen.display import typed_ahead


class TypedAheadTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.person, self.program = pty.openpty()
        self.addCleanup(os.close, self.person)
        self.addCleanup(os.close, self.program)

    def type(self, text: bytes, shown: bytes) -> None:
        """Types something, and waits until the terminal has shown it."""
        os.write(self.person, text)
        seen = b""
        while not seen.endswith(shown):
            seen += os.read(self.person, 1024)

    def test_what_nobody_has_read_is_not_lost(self) -> None:
        self.type("one\nzw\u00f6lf".encode(), "zw\u00f6lf".encode())
        self.assertEqual(typed_ahead(self.program), "one\nzw\u00f6lf")

    def test_nothing_typed_is_not_waited_for(self) -> None:
        self.assertEqual(typed_ahead(self.program), "")

    def test_keys_that_are_no_text_are_none(self) -> None:
        self.type(b"up\x1b[A, down\x1b[B", b"down^[[B")
        self.assertEqual(typed_ahead(self.program), "up, down")

    def test_the_terminal_is_left_as_it_was(self) -> None:
        before = termios.tcgetattr(self.program)
        typed_ahead(self.program)
        self.assertEqual(termios.tcgetattr(self.program), before)

    def test_a_pipe_is_left_alone(self) -> None:
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, writing)
        os.write(writing, b"text")
        self.assertEqual(typed_ahead(reading), "")
