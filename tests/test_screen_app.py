"""
Keys, drawing, and what becomes of the program when something breaks.
"""

from __future__ import annotations

from typing import Any

from chatservice.client import User
from chatservice.terminal.exits import Exit
from chatservice.terminal.screen.app import KEYS
from chatservice.terminal.screen.editing import KEYS as LINE_KEYS
from tests.screen_case import ScreenCase


class KeysTests(ScreenCase):
    def test_none_has_two_meanings(self) -> None:
        self.assertFalse(set(KEYS) & set(LINE_KEYS))

    def test_tab_completes_until_another_key_is_pressed(self) -> None:
        alice = self.sit("alice", "den")
        alice.model.active.members.all_are([User(n, "", "") for n in ("bart", "bob")])

        alice.type("b")
        seen = []
        for key in ("tab", "tab", "tab", "shift tab"):
            alice.press(key)
            seen.append(alice.typed)
        hint = alice.status
        alice.press("x", "tab")

        self.assertEqual(seen, ["bart:", "bob:", "b", "bob:"])
        self.assertIn("bart bob", hint)
        self.assertEqual(alice.typed, "bob: x")

    def test_buffers_are_changed_by_keys(self) -> None:
        alice = self.sit("alice", "den", "hall")
        seen = []
        for key in ("meta 1", "ctrl n", "meta down", "ctrl p", "meta up", "meta 3"):
            alice.press(key)
            seen.append(alice.model.active.name)
        self.assertEqual(seen, ["status", "den", "hall", "den", "status", "hall"])

    def test_unknown_keys_type_nothing(self) -> None:
        alice = self.sit("alice", "den")
        alice.press("f7", "meta x", "ctrl g", "insert", "focus in", "<0>")
        self.assertEqual(alice.typed, "")

    def test_empty_lines_say_nothing(self) -> None:
        alice = self.sit("alice", "den")
        alice.press("enter", " ", "enter")
        self.assertEqual(alice.words, [])

    def test_f1_helps(self) -> None:
        alice = self.sit("alice", "den")
        alice.press("f1")
        self.assertIn("list who is in this room", alice.screen)
        self.assertIn("Alt-2 goes back to den", alice.status)

    def test_escape_goes_back_to_the_end(self) -> None:
        alice = self.sit("alice", "den")
        for number in range(60):
            alice.enter(f"line {number}")
            self.world.wait()
        alice.press("wheel up")
        scrolled = alice.words[-1]
        alice.press("esc")
        self.assertEqual((scrolled, alice.words[-1]), ("alice │ line 56", "alice │ line 59"))


class DrawingTests(ScreenCase):
    def test_what_comes_is_drawn_soon_and_together(self) -> None:
        alice = self.sit("alice", "den")
        bob = self.sit("bob", "den")
        self.world.wait(1)
        before = alice.terminal.drawn

        for number in range(10):
            bob.enter(f"line {number}")
        self.world.wait(0.5)

        self.assertLessEqual(alice.terminal.drawn - before, 2)
        self.assertGreater(alice.terminal.drawn, before)

    def test_nothing_is_drawn_for_nothing(self) -> None:
        alice = self.sit("alice", "den")
        self.world.wait(1)
        before = alice.terminal.drawn
        self.world.wait(50)
        self.assertEqual(alice.terminal.drawn, before)

    def test_while_there_is_no_connection_the_seconds_are_drawn(self) -> None:
        alice = self.sit("alice", "den")
        self.world.cut()
        self.world.reachable = False
        self.world.wait(0.5)
        before = alice.terminal.drawn
        for _ in range(5):
            self.world.wait(1)
        self.assertGreaterEqual(alice.terminal.drawn, before + 4)

    def test_a_terminal_that_is_gone_ends_it(self) -> None:
        alice = self.sit("alice", "den")
        alice.terminal.fails = OSError(5, "Input/output error")
        alice.press("x")
        self.world.wait(1)
        self.assertEqual(alice.code, Exit.HANGUP)

    def test_a_defect_in_drawing_ends_it_and_is_told(self) -> None:
        alice = self.sit("alice", "den")
        alice.terminal.fails = ZeroDivisionError("a defect")
        for _ in range(10):
            self.world.wait(1)
            alice.press("x")
        self.failureResultOf(alice.left, ZeroDivisionError)
        self.assertFalse(alice.terminal.started)
        self.assertTrue(self.flushLoggedErrors(ZeroDivisionError))

    def test_a_defect_elsewhere_is_told_and_ends_nothing(self) -> None:
        alice = self.sit("alice", "den")

        async def broken(*_: Any) -> None:
            raise ZeroDivisionError("a defect")

        self.patch(alice.client, "list_rooms", broken)
        alice.enter("/rooms")
        alice.enter("still here")

        self.assertIn("this is a defect of the program", alice.words[0])
        self.assertEqual(alice.words[-1], "alice │ still here")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
