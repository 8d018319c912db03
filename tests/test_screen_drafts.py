"""
What was typed and not sent is there the next time, however the program ended.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from chatservice.terminal.screen.buffer import ROOM
from chatservice.terminal.screen.drafts import BadDrafts, Drafts, Kept
from tests.screen_case import ScreenCase

LOBBY = Kept(ROOM, "lobby", ("one", "two"))


class FileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "deeper" / "drafts.json"

    def test_what_is_saved_is_loaded(self) -> None:
        Drafts(self.path, "alice@here").save([LOBBY])
        self.assertEqual(Drafts(self.path, "alice@here").load(), [LOBBY])

    def test_nobody_else_can_read_it(self) -> None:
        Drafts(self.path, "alice@here").save([LOBBY])
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_everybody_s_are_kept_apart(self) -> None:
        Drafts(self.path, "alice@here").save([LOBBY])
        other = Drafts(self.path, "bob@there")
        self.assertEqual(other.load(), [])
        other.save([])
        self.assertEqual(Drafts(self.path, "alice@here").load(), [LOBBY])

    def test_what_is_taken_out_of_what_was_loaded_is_not_kept(self) -> None:
        Drafts(self.path, "alice@here").save([LOBBY])
        drafts = Drafts(self.path, "alice@here")
        loaded = drafts.load()
        loaded.clear()
        drafts.save(loaded)
        self.assertEqual(Drafts(self.path, "alice@here").load(), [])

    def test_a_file_of_somebody_else_s_is_put_aside_and_not_lost(self) -> None:
        self.path.parent.mkdir(parents=True)
        for content in ("{", "[]", '{"alice@here": 7}', '{"alice@here": [{}]}'):
            self.path.write_text(content, encoding="utf-8")
            drafts = Drafts(self.path, "alice@here")
            self.assertRaises(BadDrafts, drafts.load)
        self.path.write_text("{", encoding="utf-8")
        drafts.save([LOBBY])
        aside = self.path.with_name("drafts.json.unreadable")
        self.assertEqual(aside.read_text(encoding="utf-8"), "{")
        self.assertEqual(Drafts(self.path, "alice@here").load(), [LOBBY])

    def test_where_nothing_can_be_written_it_says_so(self) -> None:
        self.path.parent.mkdir(parents=True)
        drafts = Drafts(self.path.parent / "x" / "y", "alice@here")
        (self.path.parent / "x").write_text("a file", encoding="utf-8")
        self.assertRaises(BadDrafts, drafts.save, [LOBBY])

    def test_without_a_file_nothing_is_kept(self) -> None:
        drafts = Drafts(None, "alice@here")
        drafts.save([LOBBY])
        self.assertEqual(drafts.load(), [])


class SittingTests(ScreenCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = Path(self.mktemp())

    def kept(self) -> dict[str, list[str]]:
        """What is in the file, by the names of buffers."""
        if not self.path.exists():
            return {}
        found = json.loads(self.path.read_text(encoding="utf-8"))
        return {each["name"]: each["texts"] for each in found.get("alice@here", [])}

    def test_drafts_and_what_is_pending_are_kept_and_offered_again(self) -> None:
        alice = self.sit("alice", "den", "hall", drafts=self.path)
        alice.type("for the den")
        alice.press("meta 3")
        self.world.cut()
        self.world.reachable = False
        alice.enter("one")
        alice.enter("two")
        alice.type("three")
        alice.press("ctrl c", "ctrl c")
        self.assertEqual(self.kept(), {"den": ["for the den"], "hall": ["one", "two", "three"]})

        self.world.reachable = True
        self.world.wait()
        again = self.sit_down(alice.client, "den", "hall", drafts=self.path)

        self.assertEqual(again.typed, "for the den")
        again.press("meta 3")
        self.assertEqual(again.typed, "one")
        self.assertEqual(again.words[-2:], ["not sent │ two", "not sent │ three"])
        again.press("enter")
        self.assertEqual(again.typed, "")
        again.press("up", "up", "enter")
        self.assertNotIn("not sent │ three", again.words)

    def test_whatever_ends_the_program(self) -> None:
        alice = self.sit("alice", "den", drafts=self.path)
        alice.type("half a")

        alice.left.cancel()

        self.failureResultOf(alice.left, CancelledError)
        self.assertEqual(self.kept(), {"den": ["half a"]})
        self.assertFalse(alice.terminal.started)

    def test_even_if_it_does_not_get_to_it(self) -> None:
        alice = self.sit("alice", "den", drafts=self.path)
        alice.type("half a")

        self.world.wait(2)

        self.assertEqual(self.kept(), {"den": ["half a"]})

    def test_what_is_sent_is_kept_no_more(self) -> None:
        alice = self.sit("alice", "den", drafts=self.path)
        alice.type("half a")
        self.world.wait(2)
        alice.press("enter")
        self.world.wait(2)
        self.assertEqual(self.kept(), {})

    def test_passwords_are_kept_nowhere(self) -> None:
        alice = self.sit("alice", "den", drafts=self.path)
        alice.type("/register sesame")

        alice.press("ctrl c", "ctrl c")

        self.assertEqual(self.kept(), {})

    def test_what_belongs_elsewhere_waits_until_one_goes_there(self) -> None:
        Drafts(self.path, "alice@here").save(
            [Kept(ROOM, "hall", ("hi hall",)), Kept("direct", "bob", ("hi bob",))]
        )
        alice = self.sit("alice", "den", drafts=self.path)

        alice.press("meta 1")
        self.assertIn("/join hall", alice.screen)
        self.assertIn("@bob", alice.screen)
        alice.press("meta 3")
        self.assertEqual(alice.typed, "hi bob")
        alice.press("ctrl u")
        self.world.wait(2)
        self.assertEqual(self.kept(), {"hall": ["hi hall"]})
        alice.enter("/join HALL")
        self.assertEqual(alice.typed, "hi hall")
