"""
People at screens talk through a house: what they see of each other, and what becomes of what they
type.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from chatservice.client import Client, Joined, Message, Page, Refused, Room
from chatservice.terminal.exits import Exit
from tests.client_case import PAUSE
from tests.screen_case import ScreenCase, Terminal, texts

REFUSED = "\x01VERSION"
"""What no server stores: it begins with U+0001 (chat.proto, `Say.text`)."""


class TalkingTests(ScreenCase):
    def test_what_one_says_the_others_see(self) -> None:
        alice, bob = self.sit("alice", "den"), self.sit("bob", "den")

        bob.enter("hello")
        alice.enter("hello bob")

        expected = ["bob │ hello", "alice │ hello bob"]
        self.assertEqual(alice.words, ["→ │ bob joined", *expected])
        self.assertEqual(bob.words, expected)
        self.assertEqual(alice.typed, "")

    def test_what_somebody_does_is_told_without_a_colon(self) -> None:
        alice, bob = self.sit("alice", "den"), self.sit("bob", "den")

        alice.enter("/me waves")

        self.assertEqual(bob.words, ["* │ alice waves"])

    def test_two_slashes_say_one(self) -> None:
        alice = self.sit("alice", "den")

        alice.enter("//join is a command")

        self.assertEqual(alice.words, ["alice │ /join is a command"])

    def test_what_is_not_stored_yet_is_seen_as_pending(self) -> None:
        alice = self.sit("alice", "den")
        self.world.journal.hold()

        alice.enter("wait for it")

        self.assertEqual(alice.middle, ["...         alice │ wait for it"])

    def test_history_is_there_once_and_before_what_is_said_then(self) -> None:
        alice = self.sit("alice", "den")
        for number in range(60):
            alice.enter(f"line {number}")
            self.world.wait()

        bob = self.sit("bob", "den")
        alice.enter("line 60")

        self.assertEqual(bob.texts, [f"line {number}" for number in range(10, 61)])

    def test_scrolling_back_reads_the_history_up_to_the_beginning(self) -> None:
        alice = self.sit("alice", "den")
        for number in range(120):
            alice.enter(f"line {number}")
            self.world.wait()
        bob = self.sit("bob", "den")

        for _ in range(10):
            bob.press("page up")
            self.world.wait()

        self.assertEqual(bob.texts, [f"line {number}" for number in range(120)])
        self.assertIn("this is the beginning", bob.screen)
        self.assertIn("│ line 0", bob.screen)
        self.assertIn("more below", bob.status)

    def test_a_large_screen_is_filled(self) -> None:
        alice = self.sit("alice", "den")
        for number in range(120):
            alice.enter(f"line {number}")
            self.world.wait()

        self.patch(Terminal, "size", (100, 80))
        bob = self.sit("bob", "den")
        self.world.wait(1)

        self.assertEqual(bob.texts, [f"line {number}" for number in range(20, 120)])

    def test_who_has_cleared_it_wants_it_empty(self) -> None:
        alice = self.sit("alice", "den")
        for number in range(120):
            alice.enter(f"line {number}")
            self.world.wait()

        bob = self.sit("bob", "den")
        bob.enter("/clear")
        self.world.wait(1)

        self.assertEqual(len(bob.texts), 50)

    def test_the_history_that_is_read_first_ends_where_one_came(self) -> None:
        asked = []
        read = Room.history

        def history(room: Room, *limits: int, **how: Any) -> Any:
            asked.append(how["before"])
            return read(room, *limits, **how)

        self.patch(Room, "history", history)
        alice = self.sit("alice", "den")

        [joined] = [e for e in self.told(alice.client) if isinstance(e, Joined)]
        self.assertEqual(asked, [joined.id])

    def test_history_of_another_visit_that_comes_late_is_not_shown(self) -> None:
        alice, bob = self.sit("alice", "den"), self.sit("bob", "den")
        late: list[Deferred[Page]] = [Deferred()]
        read = Room.history

        def history(room: Room, *limits: int, **how: Any) -> Any:
            return late.pop() if late else read(room, *limits, **how)

        alice.enter("here")
        self.patch(Room, "history", history)
        waiting = late[0]
        bob.model.active.before = "1"
        bob.app.session.load_older()
        alice.enter("/kick bob")
        bob.enter("/join den")

        waiting.callback(Page([Message("0", 1, "alice", "ghost", "den")], "", ""))
        self.settle()

        self.assertEqual([text for text in bob.texts if text in ("ghost", "here")], ["here"])
        self.assertFalse(bob.model.active.loading)

    def test_many_lines_that_are_pasted_are_said_one_by_one_once_they_are_sent(self) -> None:
        alice = self.sit("alice", "den")

        alice.press("begin paste", *"one", "enter", *"/quit", "enter", "end paste")
        before = list(alice.words)
        typed = alice.lines()[-1]
        alice.press("enter")

        self.assertEqual(before, [])
        self.assertIn("one↵/quit↵", typed)
        self.assertEqual(alice.words, ["alice │ one", "alice │ /quit"])

    def test_a_text_that_is_too_long_is_said_in_parts(self) -> None:
        alice = self.sit("alice", "den")
        text = "many words " * 400

        alice.paste(text)
        alice.press("enter")

        self.assertEqual(len(alice.texts), 2)
        self.assertEqual(" ".join(alice.texts), text)
        self.assertLessEqual(max(map(len, alice.texts)), alice.client.max_text_bytes)

    def test_why_something_is_not_sent_is_told(self) -> None:
        alice = self.sit("alice", "den")
        alice.enter("/msg nobody hello?")
        self.assertTrue(alice.words[-1].startswith("! │ not sent: "), alice.words)


class UnderTheCursorTests(ScreenCase):
    """What is typed stays where it is typed, whatever happens meanwhile."""

    def test_while_rooms_are_entered_one_types_in_the_first_of_them(self) -> None:
        bob = self.sit("bob", "den")
        client = self.program("alice", "sesame")
        self.world.journal.hold()

        alice = self.sit_down(client, "den", "hall")
        before = alice.lines()[0]
        alice.enter("hello")
        alice.type("and")
        pending = alice.words
        self.world.journal.release()
        self.settle()

        self.assertIn("entering ...", before)
        self.assertEqual(pending, ["...         alice │ hello"])
        self.assertTrue(alice.lines()[0].startswith(" den"))
        self.assertIn("2 here", alice.lines()[0])
        self.assertEqual(alice.typed, "and")
        self.assertEqual(bob.words, ["→ │ alice joined", "alice │ hello"])
        self.assertEqual(alice.words, ["alice │ hello"])

    def test_what_was_typed_for_a_room_that_refuses_one_is_given_back(self) -> None:
        bob = self.sit("bob", "den")
        bob.enter("/private")
        client = self.program("alice", "sesame")
        self.world.cut()
        self.settle()

        alice = self.sit_down(client, "den")
        alice.enter("hello")
        self.world.wait(PAUSE)

        self.assertEqual(alice.typed, "hello")
        self.assertIn("not inside", alice.lines()[0])
        self.assertTrue(alice.words[-1].startswith("! │ not sent: you are not in den"))

    def test_who_types_on_is_not_taken_to_a_room_that_is_entered_then(self) -> None:
        alice = self.sit("alice", "den")
        self.world.journal.hold()

        alice.enter("/join hall")
        alice.type("meanwhile")
        self.world.journal.release()
        self.settle()

        self.assertEqual(alice.typed, "meanwhile")
        self.assertTrue(alice.lines()[0].startswith(" den"))
        self.assertEqual(alice.words[-1], "· │ you are in hall now")

    def test_nor_who_has_gone_elsewhere(self) -> None:
        alice = self.sit("alice", "den")
        self.world.journal.hold()

        alice.enter("/join hall")
        alice.press("meta 1")
        self.world.journal.release()
        self.settle()

        self.assertIs(alice.model.active, alice.model.status)

    def test_a_room_is_not_closed_over_what_was_typed_there_since(self) -> None:
        alice = self.sit("alice", "den")
        self.world.journal.hold()

        alice.enter("/part")
        alice.type("wait")
        self.world.journal.release()
        self.settle()

        self.assertEqual(alice.typed, "wait")
        self.assertIn("not inside", alice.lines()[0])

    def test_somebody_may_be_talked_to_from_the_beginning(self) -> None:
        bob = self.sit("bob", "den")
        alice = self.sit_down(self.program("alice", "sesame"), to="bob", typed="psst")
        alice.press("enter")
        bob.press("meta a")
        self.assertEqual(bob.words, ["alice │ psst"])

    def test_a_room_s_key_is_used(self) -> None:
        asked = []
        join = Client.join

        def joined(client: Client, name: str, key: str = "", **how: Any) -> Any:
            asked.append((name, key))
            return join(client, name, key, **how)

        self.patch(Client, "join", joined)
        self.sit_down(self.program("alice", "sesame"), "den", key="open")
        self.assertEqual(asked, [("den", "open")])

    def test_what_was_typed_before_there_was_a_screen_is_in_the_line(self) -> None:
        alice = self.sit("alice", "den")
        alice.type("a draft")
        alice.model.active.type_before("hello")

        self.assertEqual(alice.typed, "hello")
        self.assertEqual(alice.words, ["not sent │ a draft"])


class UnreadTests(ScreenCase):
    def test_what_nobody_has_looked_at_is_counted_and_marked(self) -> None:
        alice = self.sit("alice", "den", "hall")
        bob = self.sit("bob", "hall")
        bob.enter("before")
        alice.press("meta 3", "meta 2")

        bob.enter("one")
        bob.enter("two")
        counted = alice.screen
        alice.press("meta a")

        self.assertRegex(counted, r"3 hall +2 ")
        self.assertNotRegex(alice.screen, r"3 hall +2 ")
        lines = [
            line for line in alice.lines() if "before" in line or "new ──" in line or "one" in line
        ]
        self.assertRegex("\n".join(lines), r"(?s)before.*── new ──.*one")

    def test_a_draft_stays_where_it_was_typed(self) -> None:
        alice = self.sit("alice", "den", "hall")

        alice.type("half a sen")
        alice.press("ctrl n")
        elsewhere = alice.typed
        alice.press("ctrl p")

        self.assertEqual(elsewhere, "")
        self.assertEqual(alice.typed, "half a sen")


class ConversationTests(ScreenCase):
    def test_a_message_to_somebody_opens_a_conversation_on_both_sides(self) -> None:
        alice, bob = self.sit("alice", "den"), self.sit("bob", "den")

        alice.enter("/msg BOB psst")
        opened = bob.screen
        bob.press("meta a")
        bob.enter("what?")

        self.assertRegex(opened, r"3 @alice +1 ")
        expected = ["alice │ psst", "bob │ what?"]
        self.assertEqual(bob.words, expected)
        self.assertEqual(alice.words, expected)

    def test_what_was_said_before_is_there(self) -> None:
        alice, bob = self.sit("alice", "den"), self.sit("bob", "den")
        alice.enter("/msg bob one")
        bob.enter("/msg alice two")
        bob.enter("/quit")

        again = self.sit_down(bob.client, "den")
        greeting = "\n".join(texts(again.model.status))
        again.enter("/query alice")
        alice.enter("three")

        self.assertIn("you have talked with alice", greeting)
        self.assertEqual(again.words, ["alice │ one", "bob │ two", "alice │ three"])

    def test_to_nobody_the_text_comes_back(self) -> None:
        alice = self.sit("alice", "den")

        alice.enter("/msg nobody hello?")

        self.assertEqual(alice.typed, "hello?")
        self.assertIn("! │", "\n".join(alice.words))


class ConnectionTests(ScreenCase):
    def test_the_seconds_to_the_next_attempt_are_counted(self) -> None:
        alice = self.sit("alice", "den")

        self.world.reachable = False
        self.world.cut()
        self.settle()

        self.assertIn("reconnecting in 1 s ...", alice.status)
        self.assertIn("disconnected", "\n".join(alice.words))

        self.world.reachable = True
        self.world.wait(PAUSE)

        self.assertIn("connected", alice.status)
        self.assertNotIn("reconnecting", alice.status)
        self.assertIn("· │ reconnected", alice.words)

    def test_what_is_typed_meanwhile_is_said_once_in_order(self) -> None:
        alice, bob = self.sit("alice", "den"), self.sit("bob", "den")

        self.world.cut()
        alice.enter("one")
        alice.enter("two")
        pending = alice.words[-2:]
        self.world.wait(PAUSE)

        self.assertEqual(pending, ["...         alice │ one", "...         alice │ two"])
        said = [words for words in alice.words if words.startswith("alice")]
        self.assertEqual(said, ["alice │ one", "alice │ two"])
        self.assertEqual([w for w in bob.words if w.startswith("alice")], said)

    def test_nobody_misses_or_repeats_a_line_when_the_house_falls_down(self) -> None:
        alice, bob = self.sit("alice", "den"), self.sit("bob", "den")
        alice.enter("before")

        self.world.kill()
        bob.enter("meanwhile")
        self.world.wait(PAUSE)
        alice.enter("after")

        for sitting in (alice, bob):
            texts = [w for w in sitting.words if w.startswith(("alice │", "bob │"))]
            self.assertEqual(texts, ["alice │ before", "bob │ meanwhile", "alice │ after"])

    def test_who_came_meanwhile_is_listed(self) -> None:
        alice = self.sit("alice", "den")
        self.world.cut()
        self.sit("bob", "den")

        self.world.wait(PAUSE)

        self.assertIn("2 here", alice.lines()[0])

    def test_a_client_that_has_given_up_says_why_and_lets_one_leave(self) -> None:
        alice = self.sit("alice", "den")
        words = "somebody has logged in with your password"
        alice.client.give_up(Refused("NICK_IN_USE", words))

        shown = alice.screen
        alice.enter("too late")
        alice.press("ctrl u")
        alice.enter("/quit")

        self.assertIn(f"not connected any more: {words}", shown)
        self.assertIn("not connected", shown.splitlines()[-2])
        self.failureResultOf(alice.left, Refused)


class RefusedTests(ScreenCase):
    def test_what_the_server_refuses_comes_back_to_be_edited(self) -> None:
        alice = self.sit("alice", "den")

        alice.paste(REFUSED)
        alice.press("enter")

        self.assertEqual(alice.model.active.line.text, REFUSED)
        self.assertTrue(alice.words[-1].startswith("! │"), alice.words)

    def test_if_something_else_is_typed_by_then_it_stays_in_sight_and_can_be_fetched(self) -> None:
        alice = self.sit("alice", "den")
        self.world.cut()
        alice.paste(REFUSED)
        alice.press("enter")
        alice.type("next")

        self.world.wait(PAUSE)

        self.assertEqual(alice.typed, "next")
        self.assertEqual(alice.words[-1], "not sent │ VERSION")
        alice.press("up")
        self.assertEqual(alice.model.active.line.text, REFUSED)
        alice.press("down")
        self.assertEqual(alice.typed, "next")

    def test_in_a_room_that_one_has_been_put_out_of_nothing_is_lost(self) -> None:
        alice, bob = self.sit("alice", "den"), self.sit("bob", "den")

        alice.enter("/kick bob manners")
        bob.enter("but")

        self.assertIn("alice has put you out", "\n".join(bob.words))
        self.assertEqual(bob.typed, "but")
        self.assertIn("← │ alice put bob out: manners", alice.words)
        bob.press("ctrl u")
        bob.enter("/join den")
        bob.enter("I am back")
        self.assertEqual(alice.words[-1], "bob │ I am back")

    def test_who_talks_in_the_status_is_told_where_to_go(self) -> None:
        alice = self.sit("alice")

        alice.enter("hello?")

        self.assertEqual(alice.typed, "hello?")
        self.assertIn("/join ROOM or /msg NICK TEXT", alice.screen)


class LeavingTests(ScreenCase):
    def test_quit_leaves(self) -> None:
        alice = self.sit("alice", "den")

        alice.enter("/quit")

        self.assertEqual(alice.code, Exit.DONE)
        self.assertFalse(alice.terminal.started)

    def test_what_is_on_its_way_is_not_left_behind_unasked(self) -> None:
        alice = self.sit("alice", "den")
        self.world.cut()
        alice.enter("wait")

        alice.enter("/quit")

        self.assertNoResult(alice.left)
        self.assertIn("a message is not stored yet: /quit again leaves now", alice.screen)
        alice.enter("/quit")
        self.assertEqual(alice.code, Exit.DONE)

    def test_ctrl_c_twice_leaves_and_once_does_not(self) -> None:
        alice = self.sit("alice", "den")

        alice.press("ctrl c")
        hint = alice.status
        alice.press("a", "ctrl c")

        self.assertIn("Ctrl-C again leaves", hint)
        self.assertNoResult(alice.left)
        alice.press("ctrl c")
        self.assertEqual(alice.code, Exit.DONE)
