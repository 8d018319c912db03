"""
What can be typed after a slash, one after the other.
"""

from __future__ import annotations

from chatservice.terminal.screen.commands import COMMANDS, is_secret
from tests.screen_case import ScreenCase, Sitting


class RoomCommandsTests(ScreenCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice = self.sit("alice", "den")
        self.bob = self.sit("bob", "den")

    def test_join_enters_and_makes_a_room(self) -> None:
        self.alice.enter("/join hall")
        self.bob.enter("/JOIN Hall")
        self.bob.enter("hello")

        self.assertEqual(self.alice.words, ["→ │ bob joined", "bob │ hello"])

    def test_joined_already_it_is_shown(self) -> None:
        self.alice.press("meta 1")
        self.alice.enter("/join den")
        self.assertTrue(self.alice.lines()[0].startswith(" den"))

    def test_part_leaves_and_closes(self) -> None:
        self.bob.enter("/part")

        self.assertNotIn("2 den", self.bob.screen)
        self.assertIn("← │ bob left", self.alice.words)
        self.assertNotIn("den", self.bob.client.joined)

    def test_part_does_not_close_what_has_something_unsent(self) -> None:
        self.bob.model.active.unsent.append("text")
        self.bob.enter("/part")
        self.assertIn("2 den", self.bob.screen)
        self.bob.enter("/clear")
        self.bob.enter("/part")
        self.assertNotIn("2 den", self.bob.screen)

    def test_topic_sets_shows_and_clears(self) -> None:
        self.alice.enter("/topic all about tea")
        self.assertIn("all about tea", self.bob.lines()[0])
        self.bob.enter("/topic")
        self.alice.enter("/topic -")

        self.assertEqual(
            self.bob.words,
            [
                "· │ alice set the topic: all about tea",
                "· │ the topic: all about tea (set by alice)",
                "· │ alice cleared the topic",
            ],
        )
        self.assertNotIn("tea", self.bob.lines()[0])

    def test_what_one_may_not_one_is_told(self) -> None:
        self.bob.enter("/topic mine")
        self.assertTrue(self.bob.words[-1].startswith("! │ "), self.bob.words)

    def test_private_and_invite_let_somebody_in(self) -> None:
        self.alice.enter("/join cave")
        self.alice.enter("/private")
        self.bob.enter("/join cave")
        refused = self.bob.words[-1]
        self.alice.enter("/invite bob")
        invited = self.bob.words[-1]
        self.bob.enter("/join cave")

        self.assertTrue(refused.startswith("! │ "), refused)
        self.assertEqual(invited, "· │ alice invites you to cave: /join cave")
        self.assertEqual(
            self.alice.words,
            ["· │ alice made the room private", "· │ bob may join cave now", "→ │ bob joined"],
        )

    def test_invite_may_name_another_room(self) -> None:
        self.alice.enter("/join cave")
        self.alice.press("meta 3")
        self.alice.enter("/invite bob cave")
        self.assertIn("alice invites you to cave", "\n".join(self.bob.words))

    def test_public_lets_everybody_in(self) -> None:
        self.alice.enter("/private")
        self.alice.enter("/public")
        self.assertEqual(self.alice.words[-1], "· │ alice made the room public")

    def test_delete_removes_a_room_and_names_it(self) -> None:
        self.alice.enter("/delete")
        usage = self.alice.words[-1]
        self.alice.enter("/delete den")

        self.assertEqual(usage, "! │ usage: /delete ROOM")
        self.assertEqual(
            self.bob.words[-1], "! │ you are not in den any more: alice has removed the room"
        )
        self.assertIn("not inside", self.bob.lines()[0])

    def test_rooms_names_and_who_list(self) -> None:
        self.alice.enter("/topic tea")
        self.bob.enter("/rooms")
        self.bob.enter("/names")
        self.bob.enter("/who")

        self.assertEqual(
            self.bob.words[1:],
            [
                "· │ 1 room; /join NAME enters one:",
                "· │   den (2): tea",
                "· │ in den: alice, bob",
                "· │ here: alice, bob",
            ],
        )

    def test_clear_shows_nothing_and_forgets_nothing(self) -> None:
        self.alice.enter("one")
        self.alice.enter("/clear")
        cleared = self.alice.words
        self.alice.enter("two")
        after = self.alice.words

        self.assertEqual((cleared, after), ([], ["alice │ two"]))
        self.assertEqual(len(self.alice.model.active.entries), 3)


class OtherCommandsTests(ScreenCase):
    def test_an_unknown_one_is_no_message_and_comes_back(self) -> None:
        alice, bob = self.sit("alice", "den"), self.sit("bob", "den")

        alice.enter("/jion hall")

        self.assertEqual(alice.typed, "/jion hall")
        self.assertIn("there is no command /jion: /help lists them", alice.words[-1])
        self.assertEqual(bob.words, [])

    def test_a_space_before_it_makes_no_message_of_it(self) -> None:
        alice, bob = self.sit("alice", "den"), self.sit("bob", "den")

        alice.enter(" /me waves")

        self.assertEqual(bob.words, ["* │ alice waves"])

    def test_register_makes_an_account_and_is_seen_nowhere(self) -> None:
        guest = self.sit("carol", "den", password="")
        before = guest.status
        guest.type("/register sesame")
        typed = guest.typed
        guest.press("enter")

        self.assertIn("carol (guest) @", before)
        self.assertNotIn("guest", guest.status)
        self.assertEqual(typed, "/register ******")
        self.assertNotIn("sesame", guest.screen)
        guest.press("up")
        self.assertNotIn("sesame", guest.model.active.line.text)
        self.do(guest.client.close())
        self.do(self.connecting().login("carol", "sesame"))

    def test_only_lines_that_hold_passwords_are_secret(self) -> None:
        for line in ("/register x", " /REGISTER x", "/register"):
            self.assertTrue(is_secret(line), line)
        for line in ("register x", "//register x", "/registers x", "/join register"):
            self.assertFalse(is_secret(line), line)

    def test_help_lists_all_and_tells_of_one(self) -> None:
        alice = self.sit("alice")
        alice.enter("/help")
        listed = alice.texts
        for name, command in COMMANDS.items():
            self.assertTrue(any(t.startswith(f"/{name} ") and command.help in t for t in listed))
        alice.enter("/help /kick")
        self.assertIn(COMMANDS["kick"].help, alice.words[-1])
        alice.enter("/help nonsense")
        self.assertIn("there is no command /nonsense", alice.words[-1])

    def test_help_tells_of_the_keys(self) -> None:
        alice = self.sit("alice", "den")
        alice.enter("/help keys")
        self.assertRegex(alice.screen, "Ctrl-C twice +leave")

    def test_help_fits_on_a_small_screen(self) -> None:
        alice = self.sit("alice", "den")
        for what in ("/help", "/help keys"):
            alice.press("meta 1")
            alice.enter("/clear")
            alice.enter(what)
            lines = alice.lines((80, 24))[1:-2]
            self.assertTrue(all(" · " in line for line in lines if line[15:].strip("│ ")), lines)
            self.assertLess(len(alice.words), len(lines))

    def test_one_that_is_refused_says_what_it_was_about(self) -> None:
        alice = self.sit("alice", "den")
        alice.enter("/kick nobody for no reason")
        self.assertTrue(alice.words[-1].startswith("! │ /kick nobody: "), alice.words)

    def test_a_password_that_is_refused_is_not_shown(self) -> None:
        alice = self.sit("alice", "den")
        alice.enter("/register sesame")
        self.assertTrue(alice.words[-1].startswith("! │ /register: "), alice.words)
        self.assertNotIn("sesame", alice.screen)

    def test_one_that_lacks_something_says_how_it_is_used(self) -> None:
        alice = self.sit("alice", "den")
        for name in ("join", "msg", "query", "invite", "kick", "delete", "me", "register"):
            alice.enter(f"/{name}")
            self.assertTrue(
                alice.words[-1].startswith(f"! │ usage: /{name} "), (name, alice.words[-1])
            )

    def test_those_for_rooms_say_so_elsewhere(self) -> None:
        alice = self.sit("alice")
        for name in ("part", "names", "topic", "private", "kick bob", "invite bob"):
            alice.enter(f"/{name}")
            self.assertIn("this is no room", alice.words[-1], name)
        alice.enter("/query bob")
        alice.enter("/topic tea")
        self.assertEqual(alice.words[-1], "! │ this is no room: /join ROOM enters one")

    def test_one_that_meets_no_connection_waits_and_then_says_so(self) -> None:
        alice = self.sit("alice", "den")
        self.world.cut()
        self.world.reachable = False

        alice.enter("/topic new")
        self.world.wait(31)

        self.assertIn("there is no connection", self.flat(alice))

    def flat(self, sitting: Sitting) -> str:
        return "\n".join(sitting.words)
