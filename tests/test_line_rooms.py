"""The commands of the line protocol that change rooms: what each does, what the members are told of
it, and each code that it can be refused with.
"""

from __future__ import annotations

from chatservice.controller import modes
from chatservice.controller.events import ModeChange
from chatservice.controller.policy import Policy
from tests.bench import House
from tests.line_case import LineCase


class RoomTests(LineCase):
    """Alice owns the public room Lobby; nobody is inside."""

    def setUp(self) -> None:
        super().setUp()
        self.given(self.alice, "NEWROOM:Lobby")

    def test_newroom_makes_a_room_and_does_not_join_it(self) -> None:
        self.assertEqual(self.bob.ask("NEWROOM:ops"), ["OK:NEWROOM:ops"])

        self.assertEqual(self.bob.ask("WHEREAMI:"), ["OK:WHEREAMI"])
        self.assertEqual(self.bob.ask("LISTROOM:")[1], "ITEM:LISTROOM:ops:public:0")

    def test_newroom_is_public_unless_said_otherwise(self) -> None:
        self.given(self.bob, "NEWROOM:a:public", "NEWROOM:b:PRIVATE")

        self.assertEqual(
            self.bob.ask("LISTROOM:")[1:3],
            ["ITEM:LISTROOM:a:public:0", "ITEM:LISTROOM:b:private:0"],
        )

    def test_newroom_refuses(self) -> None:
        self.refuses(self.bob, "NEWROOM:LOBBY", "ROOM_EXISTS")
        self.refuses(self.bob, "NEWROOM:no room", "BAD_ROOM_NAME")
        self.refuses(self.bob, "NEWROOM:ops:secret", "BAD_ARGUMENTS")
        self.refuses(self.bob, "NEWROOM:ops:", "BAD_ARGUMENTS")
        self.refuses(self.bob, "NEWROOM:", "BAD_ARGUMENTS")

    def test_newroom_has_limits(self) -> None:
        house = House(policy=Policy(rooms_owned_per_user=1, rooms=2))
        carol, dave = house.user("carol"), house.user("dave")
        self.given(carol, "NEWROOM:a")

        self.refuses(carol, "NEWROOM:b", "TOO_MANY")
        self.given(dave, "NEWROOM:b")
        self.refuses(house.user("erin"), "NEWROOM:c", "TOO_MANY")

    def test_delroom_removes_it_and_tells_its_members(self) -> None:
        self.given(self.alice, "JOINROOM:lobby")
        self.given(self.bob, "JOINROOM:lobby")
        self.forget()

        self.assertEqual(
            self.alice.ask("DELROOM:LOBBY"), ["DELETED:Lobby:alice", "OK:DELROOM:Lobby"]
        )

        self.assertEqual(self.bob.lines(), ["DELETED:Lobby:alice"])
        self.refuses(self.bob, "ROOM:lobby:hello", "NO_SUCH_ROOM")

    def test_joinroom_tells_everybody_inside_the_one_who_comes_too(self) -> None:
        self.given(self.alice, "JOINROOM:lobby")

        self.assertEqual(self.bob.ask("JOINROOM:LOBBY"), ["JOINED:Lobby:bob", "OK:JOINROOM:Lobby"])
        self.assertEqual(self.alice.lines(), ["JOINED:Lobby:bob"])

    def test_joinroom_refuses(self) -> None:
        self.given(self.alice, "NEWROOM:ops:private")
        self.given(self.bob, "JOINROOM:lobby")

        self.refuses(self.bob, "JOINROOM:lobby", "ALREADY_IN_ROOM")
        self.refuses(self.bob, "JOINROOM:ops", "PRIVATE_ROOM")
        self.refuses(self.bob, "JOINROOM:nowhere", "NO_SUCH_ROOM")
        self.refuses(self.bob, "JOINROOM:no room", "BAD_ROOM_NAME")

    def test_joinroom_has_limits(self) -> None:
        house = House(policy=Policy(rooms_per_user=1, members_per_room=1))
        carol, dave = house.user("carol"), house.user("dave")
        self.given(carol, "NEWROOM:a", "NEWROOM:b", "JOINROOM:a")

        self.refuses(carol, "JOINROOM:b", "TOO_MANY")
        self.refuses(dave, "JOINROOM:a", "TOO_MANY")

    def test_exitroom_tells_those_who_stay(self) -> None:
        self.given(self.alice, "JOINROOM:lobby")
        self.given(self.bob, "JOINROOM:lobby")
        self.forget()

        self.assertEqual(self.bob.ask("EXITROOM:LOBBY"), ["OK:EXITROOM:Lobby"])

        self.assertEqual(self.alice.lines(), ["LEFT:Lobby:bob"])
        self.refuses(self.bob, "EXITROOM:lobby", "NOT_IN_ROOM")

    def test_visibility_is_told_to_the_members(self) -> None:
        self.given(self.bob, "JOINROOM:lobby")
        self.forget()

        self.assertEqual(self.alice.ask("SETPRIVATE:LOBBY"), ["OK:SETPRIVATE:Lobby"])
        self.assertEqual(self.bob.lines(), ["VISIBILITY:Lobby:private"])
        self.assertEqual(self.alice.ask("SETPUBLIC:LOBBY"), ["OK:SETPUBLIC:Lobby"])
        self.assertEqual(self.bob.lines(), ["VISIBILITY:Lobby:public"])

    def test_inviteroom_tells_the_invited_who_may_join(self) -> None:
        self.given(self.alice, "SETPRIVATE:lobby")

        self.assertEqual(self.alice.ask("INVITEROOM:LOBBY:BOB"), ["OK:INVITEROOM:Lobby:bob"])

        self.assertEqual(self.bob.lines(), ["INVITED:Lobby:alice"])
        self.assertEqual(self.bob.ask("WHEREAMI:"), ["OK:WHEREAMI"])
        self.given(self.bob, "JOINROOM:lobby")

    def test_inviteroom_refuses(self) -> None:
        self.given(self.bob, "JOINROOM:lobby")

        self.refuses(self.alice, "INVITEROOM:lobby:bob", "ALREADY_IN_ROOM")
        self.refuses(self.alice, "INVITEROOM:lobby:carol", "NO_SUCH_USER")
        self.refuses(self.alice, "INVITEROOM:lobby", "BAD_ARGUMENTS")

    def test_inviteroom_has_a_limit(self) -> None:
        house = House(policy=Policy(invitations_per_room=1))
        carol = house.user("carol", "NEWROOM:a")
        house.user("dave")
        house.user("erin")
        self.given(carol, "INVITEROOM:a:dave", "INVITEROOM:a:dave")

        self.refuses(carol, "INVITEROOM:a:erin", "TOO_MANY")

    def test_kickroom_puts_a_member_out_and_everybody_sees_it(self) -> None:
        self.given(self.alice, "JOINROOM:lobby")
        self.given(self.bob, "JOINROOM:lobby")
        self.forget()

        self.assertEqual(
            self.alice.ask("KICKROOM:LOBBY:BOB"),
            ["KICKED:Lobby:bob:alice", "OK:KICKROOM:Lobby:bob"],
        )

        self.assertEqual(self.bob.lines(), ["KICKED:Lobby:bob:alice"])
        self.refuses(self.bob, "ROOM:lobby:hello", "NOT_IN_ROOM")

    def test_kickroom_refuses(self) -> None:
        self.refuses(self.alice, "KICKROOM:lobby:bob", "NOT_IN_ROOM")
        self.refuses(self.alice, "KICKROOM:lobby:carol", "NO_SUCH_USER")
        self.refuses(self.alice, "KICKROOM:lobby", "BAD_ARGUMENTS")

    def test_topic_is_set_told_read_and_cleared(self) -> None:
        self.given(self.bob, "JOINROOM:lobby")
        self.forget()
        self.assertEqual(self.bob.ask("TOPIC:lobby"), ["OK:TOPIC:Lobby:"])

        self.assertEqual(self.alice.ask("TOPIC:LOBBY:a: b"), ["OK:TOPIC:Lobby:a: b"])
        self.assertEqual(self.bob.lines(), ["TOPIC:Lobby:alice:a: b"])
        self.assertEqual(self.bob.ask("TOPIC:LOBBY"), ["OK:TOPIC:Lobby:a: b"])

        self.assertEqual(self.alice.ask("TOPIC:lobby:"), ["OK:TOPIC:Lobby:"])
        self.assertEqual(self.bob.lines(), ["TOPIC:Lobby:alice:"])
        self.assertEqual(self.bob.ask("TOPIC:lobby"), ["OK:TOPIC:Lobby:"])

    def test_the_topic_of_a_private_room_is_for_those_who_may_see_it(self) -> None:
        self.given(self.alice, "SETPRIVATE:lobby")

        self.refuses(self.bob, "TOPIC:lobby", "PRIVATE_ROOM")

    def test_a_topic_is_no_longer_than_a_line(self) -> None:
        house = House(policy=Policy(text_bytes=8))
        carol = house.user("carol", "NEWROOM:a", "JOINROOM:a")

        self.given(carol, "TOPIC:a:12345678", "ROOM:a:12345678")
        self.refuses(carol, "TOPIC:a:\N{EURO SIGN}\N{EURO SIGN}123", "BAD_ARGUMENTS")
        self.refuses(carol, "ROOM:a:123456789", "BAD_ARGUMENTS")

    def test_any_member_invites_into_a_public_room(self) -> None:
        self.house.user("carol")
        self.given(self.bob, "JOINROOM:lobby")

        self.assertEqual(self.bob.ask("INVITEROOM:lobby:carol"), ["OK:INVITEROOM:Lobby:carol"])

    def test_a_room_with_a_key_is_entered_with_it(self) -> None:
        self.house.change_modes("lobby", ModeChange(True, modes.KEY, "sesame"))

        self.refuses(self.bob, "JOINROOM:lobby", "BAD_KEY")
        self.refuses(self.bob, "JOINROOM:lobby:", "BAD_KEY")
        self.refuses(self.bob, "JOINROOM:lobby:guess:sesame", "BAD_KEY")
        self.given(self.bob, "JOINROOM:lobby:sesame")

    def test_a_key_that_is_not_asked_for_opens_as_well(self) -> None:
        self.given(self.bob, "JOINROOM:lobby:sesame")

    def test_the_history_shows_an_action_as_it_was_told(self) -> None:
        self.given(self.bob, "JOINROOM:lobby", "ROOM:lobby:\x01ACTION waves\x01")

        [item, _] = self.bob.ask("HISTORY:lobby")

        self.assertEqual(item.split(":")[4:], ["Lobby", "bob", "* bob waves"])

    def test_a_history_is_no_longer_than_allowed_with_what_clients_say_beside_it(self) -> None:
        house = House(policy=Policy(history_bytes=60))
        alice = house.user("alice", "NEWROOM:den", "JOINROOM:den")
        irc = house.client(dialect="irc")
        irc.send("CAP REQ message-tags", "NICK bob", "USER bob 0 * b", "CAP END", "JOIN #den")
        for text in ("one", "two", "three"):
            irc.send(f"@+mood={'x' * 20} PRIVMSG #den {text}")

        items = alice.ask("HISTORY:den")[:-1]

        self.assertEqual([item.rpartition(":")[2] for item in items], ["two", "three"])

    def test_a_history_has_one_message_at_least_however_long(self) -> None:
        house = House(policy=Policy(history_bytes=3))
        alice = house.user("alice", "NEWROOM:den", "JOINROOM:den")
        alice.send("ROOM:den:before", "ROOM:den:longer than allowed")

        items = alice.ask("HISTORY:den")[-2:]

        self.assertEqual(items[0].rpartition(":")[2], "longer than allowed")

    def test_listusers_leaves_out_those_who_hide_from_strangers(self) -> None:
        irc = self.house.client(dialect="irc")
        irc.send("NICK zoe", "USER zoe 0 * z", "MODE zoe +i", "JOIN #den")

        self.assertNotIn("ITEM:LISTUSERS:zoe", self.alice.ask("LISTUSERS:"))
        self.assertEqual(self.alice.ask("LISTUSERS:den"), ["OK:LISTUSERS:den"])

        self.alice.send("JOINROOM:den")

        for line in ("LISTUSERS:", "LISTUSERS:den"):
            self.assertIn("ITEM:LISTUSERS:zoe", self.alice.ask(line))

    def test_what_is_the_owners_is_refused_to_others(self) -> None:
        self.refuses(self.bob, "INVITEROOM:lobby:alice", "NOT_OWNER")
        self.given(self.bob, "JOINROOM:lobby")
        for line in (
            "DELROOM:lobby",
            "SETPUBLIC:lobby",
            "SETPRIVATE:lobby",
            "KICKROOM:lobby:bob",
            "TOPIC:lobby:mine",
        ):
            self.refuses(self.bob, line, "NOT_OWNER")

    def test_what_is_about_a_room_needs_one(self) -> None:
        for line in (
            "DELROOM:{}",
            "EXITROOM:{}",
            "SETPUBLIC:{}",
            "SETPRIVATE:{}",
            "INVITEROOM:{}:bob",
            "KICKROOM:{}:bob",
            "TOPIC:{}",
            "TOPIC:{}:text",
        ):
            self.refuses(self.alice, line.format("nowhere"), "NO_SUCH_ROOM")
            self.refuses(self.alice, line.format("#lobby"), "BAD_ROOM_NAME")
            self.refuses(self.alice, line.partition(":")[0], "BAD_ARGUMENTS")

    def test_no_room_changes_if_the_change_cannot_be_stored(self) -> None:
        self.given(self.bob, "JOINROOM:lobby")
        before = self.alice.ask("LISTROOM:", "LISTUSERS:lobby", "TOPIC:lobby")
        self.forget()
        self.house.journal.full = True
        for client, line in (
            (self.alice, "NEWROOM:ops"),
            (self.alice, "DELROOM:lobby"),
            (self.alice, "JOINROOM:lobby"),
            (self.bob, "EXITROOM:lobby"),
            (self.alice, "SETPRIVATE:lobby"),
            (self.alice, "INVITEROOM:lobby:alice"),
            (self.alice, "KICKROOM:lobby:bob"),
            (self.alice, "TOPIC:lobby:text"),
            (self.alice, "REGISTER:secret"),
        ):
            self.refuses(client, line, "UNAVAILABLE")

        self.assertEqual(self.bob.lines(), [])
        self.assertEqual(self.alice.ask("LISTROOM:", "LISTUSERS:lobby", "TOPIC:lobby"), before)
