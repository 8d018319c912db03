"""
What the screen looks like, in text: its parts, its sizes, and what is seen of much.
"""

from __future__ import annotations

from datetime import timezone
from typing import Any, cast

import urwid
from twisted.trial.unittest import SynchronousTestCase

from chatservice.client import User
from chatservice.terminal.screen.backlog import Backlog
from chatservice.terminal.screen.buffer import DIRECT, ROOM
from chatservice.terminal.screen.entries import Note, Pending
from chatservice.terminal.screen.model import Model
from chatservice.terminal.screen.palette import PALETTE
from chatservice.terminal.screen.view import Window
from tests.screen_case import AT, said, shown

EXPECTED = """\
 lobby  all about tea                                                       2 here
 1 status      │ this is the beginning                            │ alice
 2 lobby       │ ── Monday, 1 January 2024 ────────────────────── │ bob
 3 @bob      1 │ 12:01 bob: line 1                                │
               │ 12:02 bob: hey alice                             │
               │  ...  alice: hm                                  │
 alice (guest) @ chat.example · connected
> typed"""


class _ViewCase(SynchronousTestCase):
    def setUp(self) -> None:
        urwid.set_encoding("utf-8")
        self.model = Model("alice", "", "chat.example")
        self.lobby = self.model.open(ROOM, "lobby")
        self.lobby.room = cast(Any, object())
        self.lobby.topic = "all about tea"
        self.lobby.members.all_are([User("bob", "", ""), User("alice", "", "")])
        self.model.look_at(self.lobby)
        self.seconds = 0.0
        self.keys: list[str] = []
        self.window = Window(self.model, lambda: self.seconds, self.keys.append, zone=timezone.utc)

    def arrive(self, *numbers: int) -> None:
        for number in numbers:
            self.model.arrived(self.lobby, said(number))

    def lines(self, columns: int = 83, rows: int = 8) -> list[str]:
        return shown(self.window, (columns, rows))


class PartsTests(_ViewCase):
    def test_everything_has_its_place(self) -> None:
        bob = self.model.open(DIRECT, "bob")
        self.arrive(1)
        self.model.arrived(self.lobby, said(2, "hey alice"))
        self.model.arrived(bob, said(3, to="alice"))
        self.lobby.pending.append(Pending("hm", "hm"))
        self.lobby.line.set("typed")
        self.assertEqual("\n".join(self.lines()), EXPECTED)

    def test_the_cursor_is_where_one_types(self) -> None:
        self.lobby.line.set("日本")
        canvas = self.window.render((83, 8), True)
        self.assertEqual(canvas.cursor, (6, 7))

    def test_a_long_line_grows_up_to_a_third_of_the_screen_around_the_cursor(self) -> None:
        self.lobby.line.set("0123456789" * 10)
        at_the_end = self.lines(20, 12)[-4:]
        self.lobby.line.cursor = 0
        at_the_beginning = self.lines(20, 12)[-4:]
        rows = ["> 012345678901234567", *["89012345678901234567"] * 4, "89"]
        self.assertEqual((at_the_beginning, at_the_end), (rows[:4], rows[2:]))

    def test_a_password_is_not_shown(self) -> None:
        self.lobby.line.set("/register sesame")
        self.assertEqual(self.lines()[-1], "> /register ******")

    def test_the_list_goes_with_the_buffer_that_is_looked_at(self) -> None:
        for number in range(20):
            self.model.open(ROOM, f"room{number:02}")
        self.model.look_at_number(20)
        self.assertIn("20 room17", "\n".join(self.lines()))

    def test_of_many_members_it_is_said_how_many_more_there_are(self) -> None:
        self.lobby.members.all_are([User(f"user{n:03}", "", "") for n in range(100)])
        self.assertIn("... 96 more", "\n".join(self.lines()))

    def test_every_attribute_is_in_the_palette(self) -> None:
        self.arrive(1)
        self.lobby.unsent.append("x")
        self.lobby.add(Note(AT, "note"))
        self.model.lost = "gone"
        known = {entry[0] for entry in PALETTE} | {None}
        for row in self.window.render((100, 20), True).content():
            self.assertLessEqual({attribute for attribute, _, _ in row}, known)


class StatusTests(_ViewCase):
    def test_a_connection_that_is_lost_is_counted_down(self) -> None:
        self.model.lost, self.model.retry_at = "no route", 10.0
        seen = []
        for self.seconds in (7.2, 8.0, 9.9, 10.5):
            seen.append(self.lines()[-2].partition("· ")[2])
        self.assertEqual(
            seen,
            [
                "reconnecting in 3 s ...",
                "reconnecting in 2 s ...",
                "reconnecting in 1 s ...",
                "reconnecting ...",
            ],
        )

    def test_where_there_is_no_list_what_is_new_is_said_there(self) -> None:
        self.model.arrived(self.model.open(DIRECT, "bob"), said(1, to="alice"))
        line = self.lines(40, 10)[-2]
        self.assertIn("connected", line)
        self.assertIn("3:@bob(1)", line)


class SizesTests(_ViewCase):
    def test_none_is_too_small_or_too_large(self) -> None:
        self.arrive(*range(300))
        self.model.arrived(self.lobby, said(300, "日本語" * 50))
        self.lobby.line.set("日本語のテキスト" * 5)
        for columns in (*range(1, 30), 59, 60, 79, 80, 300):
            for rows in (*range(1, 12), 100):
                canvas = self.window.render((columns, rows), True)
                self.assertEqual((canvas.cols(), canvas.rows()), (columns, rows))
                assert canvas.cursor is not None
                self.assertLess(canvas.cursor[1], rows)
                self.window.redraw()

    def test_a_narrow_one_shows_the_messages(self) -> None:
        self.arrive(1)
        self.assertEqual(
            self.lines(40, 6),
            [
                " lobby  all about tea            2 here",
                "this is the beginning",
                "── Monday, 1 January 2024 ──────────────",
                "12:01 bob: line 1",
                " alice @ chat.example · connected",
                ">",
            ],
        )


class ScrollingTests(_ViewCase):
    def setUp(self) -> None:
        super().setUp()
        self.arrive(*range(100))
        self.lines(60, 14)

    def seen(self) -> list[int]:
        """The numbers of the lines that are seen."""
        lines = self.lines(60, 14)[1:-2]
        return [int(line.rpartition("line ")[2]) for line in lines if "line " in line]

    def test_at_the_end_one_sees_what_comes(self) -> None:
        self.arrive(100)
        self.assertEqual(self.seen(), list(range(90, 101)))

    def test_a_page_back_what_comes_moves_nothing(self) -> None:
        self.window.scroll_up()
        seen = self.seen()
        self.arrive(100)
        self.assertEqual((seen, self.seen()), (list(range(80, 91)), list(range(80, 91))))
        self.assertIn("10 more below", self.lines(60, 14)[-2])

    def test_forward_again_one_is_at_the_end(self) -> None:
        self.window.scroll_up(5)
        self.window.scroll_down(3)
        self.assertEqual(self.seen()[-1], 97)
        self.window.scroll_down(3)
        self.assertIsNone(self.lobby.anchor)

    def test_one_does_not_scroll_beyond_the_first(self) -> None:
        near = [self.window.scroll_up() for _ in range(20)]
        self.assertEqual((near[0], near[-1]), (False, True))
        lines = self.lines(60, 14)
        self.assertIn("this is the beginning", lines[1])
        self.assertIn("line 0", lines[3])
        self.assertEqual(len(self.seen()), 9)

    def test_older_ones_that_are_read_meanwhile_move_nothing(self) -> None:
        for _ in range(20):
            self.window.scroll_up()
        self.model.add_page(self.lobby, [said(-n, f"line {1000 - n}") for n in (2, 1)], "m")
        self.assertEqual(self.seen()[-1], 8)
        self.window.scroll_up(2)
        self.assertEqual(self.seen()[:2], [998, 999])

    def test_what_fits_on_the_screen_is_not_scrolled(self) -> None:
        self.lobby.begin_again()
        self.arrive(1, 2)
        self.assertTrue(self.window.scroll_up())
        self.arrive(3)
        self.assertEqual(self.seen(), [1, 2, 3])

    def test_another_width_shows_the_same_place(self) -> None:
        self.model.arrived(self.lobby, said(100, "word " * 60))
        self.window.scroll_up(1)
        for columns in (200, 20, 60):
            self.lines(columns, 14)
        self.assertIn("word", "\n".join(self.lines(200, 14)))

    def test_cleared_it_is_empty_until_one_scrolls_back(self) -> None:
        self.lobby.cleared = self.lobby.end
        self.assertEqual(self.seen(), [])
        self.arrive(100)
        self.assertEqual(self.seen(), [100])
        self.window.scroll_up(1)
        self.assertEqual(self.seen()[-1], 99)

    def test_only_what_is_seen_is_rendered(self) -> None:
        self.arrive(*range(100, 10_000))
        backlog = Backlog()
        self.window._backlog = backlog
        self.lines(60, 14)
        self.assertLessEqual(backlog._entry_lines.cache_info().misses, 14)


class MouseTests(_ViewCase):
    def mouse(self, button: int, column: int, row: int) -> None:
        self.window.mouse_event((83, 8), "mouse press", button, column, row, True)

    def test_the_wheel_is_a_key(self) -> None:
        self.mouse(4, 30, 3)
        self.mouse(5, 30, 3)
        self.assertEqual(self.keys, ["wheel up", "wheel down"])

    def test_a_buffer_can_be_pointed_at(self) -> None:
        self.mouse(1, 3, 1)
        self.assertIs(self.model.active, self.model.status)
        self.mouse(1, 3, 2)
        self.assertIs(self.model.active, self.lobby)
        self.mouse(1, 3, 6)
        self.assertIs(self.model.active, self.lobby)
