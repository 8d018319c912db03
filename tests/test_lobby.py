"""The lobby dialect, as erl-chat-server's clients speak it: bytes in, bytes out."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller.desk import Flow
from chatservice.controller.policy import Policy
from chatservice.networking.hall import Patience
from tests.bench import Client, House


class LobbyCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = House()

    def connected(self, nick: str) -> Client:
        """Somebody who is in the lobby, and has read that."""
        client = self.house.client()
        [answer] = client.ask(f"CONNECT:{nick}")
        self.assertEqual(answer.split(":")[:2], ["CONNECT", "OK"])
        return client


class ConnectTests(LobbyCase):
    def test_makes_the_lobby_and_lists_everybody_in_it(self) -> None:
        alice, bob = self.house.client(), self.house.client()

        self.assertEqual(alice.ask("CONNECT:alice"), ["CONNECT:OK:alice"])
        self.assertEqual(bob.ask("CONNECT:bob"), ["CONNECT:OK:alice:bob"])

        self.assertEqual(alice.lines(), ["JOIN:bob"])
        self.assertEqual(bob.lines(), [])
        self.assertEqual(bob.speaks, "lobby")

    def test_lines_end_in_lf_alone_as_its_clients_expect(self) -> None:
        alice = self.house.client()

        alice.send_bytes(b"CONNECT:alice\nFLY:\n")

        self.assertEqual(alice.received(), b"CONNECT:OK:alice\nERROR:there is no such command\n")

    def test_a_refusal_leaves_the_connection_for_another_try(self) -> None:
        self.connected("alice")
        other = self.house.client()

        for nick, reason in (
            ("Alice", "that nick is taken, or looks like one that is"),
            ("two words", "a nick cannot contain a space"),
            ("a:b", 'a nick cannot contain ":"'),
            ("", "a nick cannot be empty"),
        ):
            self.assertEqual(other.ask(f"CONNECT:{nick}"), [f"CONNECT:ERROR:{reason}"])
        self.assertEqual(other.ask("CONNECT:bob"), ["CONNECT:OK:alice:bob"])

    def test_a_registered_nick_is_not_for_guests(self) -> None:
        self.house.user("alice", "REGISTER:secret", "LOGOUT:")

        [answer] = self.house.client().ask("CONNECT:alice")

        self.assertTrue(answer.startswith("CONNECT:ERROR:this nick is registered"), answer)

    def test_one_connects_once(self) -> None:
        alice = self.connected("alice")

        for nick in ("alice", "bob"):
            self.assertEqual(
                alice.ask(f"CONNECT:{nick}"), ["CONNECT:ERROR:you are logged in already"]
            )

    def test_two_who_find_no_lobby_at_once_both_enter(self) -> None:
        alice, bob = self.house.client(), self.house.client()
        alice.pipe.carry(b"CONNECT:alice\n")
        bob.pipe.carry(b"CONNECT:bob\n")
        self.house.settle()

        answers = [*alice.lines(), *bob.lines()]

        connected = [answer for answer in answers if answer.startswith("CONNECT")]
        self.assertEqual([answer[:11] for answer in connected], ["CONNECT:OK:", "CONNECT:OK:"])
        self.assertEqual(len(self.house.controller.state.rooms["lobby"].members), 2)

    def test_a_lobby_that_goes_before_it_is_entered_is_made_again(self) -> None:
        owner = self.house.user("owner", "NEWROOM:lobby")
        alice = self.house.client()
        alice.pipe.carry(b"CONNECT:alice\n")
        owner.pipe.carry(b"DELROOM:lobby\n")
        self.house.settle()

        self.assertEqual(alice.lines(), ["CONNECT:OK:alice"])

    def test_a_full_lobby_is_refused_and_the_nick_is_free_again(self) -> None:
        self.house = House(policy=Policy(members_per_room=1))
        self.connected("alice")
        bob = self.house.client()

        self.assertEqual(bob.ask("CONNECT:bob"), ["CONNECT:ERROR:the room is full"])

        self.assertNotIn("bob", self.house.controller.state.users)

    def test_a_private_lobby_is_refused(self) -> None:
        self.house.user("owner", "NEWROOM:lobby:private")

        self.assertEqual(
            self.house.client().ask("CONNECT:bob"),
            ["CONNECT:ERROR:that room is private and you are not invited"],
        )

    def test_a_room_that_looks_like_the_lobby_bars_it(self) -> None:
        self.house.user("owner", "NEWROOM:lobb\N{LATIN LETTER SMALL CAPITAL Y}")

        self.assertEqual(
            self.house.client().ask("CONNECT:bob"),
            ["CONNECT:ERROR:a room's name looks like this one"],
        )

    def test_what_cannot_be_stored_is_refused(self) -> None:
        alice = self.house.client()
        self.house.journal.full = True

        self.assertEqual(
            alice.ask("CONNECT:alice"),
            ["CONNECT:ERROR:the server cannot do that now; try again later"],
        )
        self.house.journal.full = False
        self.assertEqual(alice.ask("CONNECT:alice"), ["CONNECT:OK:alice"])


class TalkTests(LobbyCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice, self.bob, self.carol = map(self.connected, ("alice", "bob", "carol"))
        self.alice.lines()
        self.bob.lines()

    def test_say_is_told_to_all_others(self) -> None:
        self.alice.send("SAY:hello: you")

        self.assertEqual(self.alice.lines(), [])
        self.assertEqual(self.bob.lines(), ["SAID:alice:hello: you"])
        self.assertEqual(self.carol.lines(), ["SAID:alice:hello: you"])

    def test_of_what_is_said_together_everybody_gets_what_others_said(self) -> None:
        self.house.journal.hold()
        self.alice.send("SAY:1", "SAY:2")
        self.bob.send("SAY:3")
        self.house.journal.release()
        self.house.settle()

        self.assertEqual(self.alice.lines(), ["SAID:bob:3"])
        self.assertEqual(self.bob.lines(), ["SAID:alice:1", "SAID:alice:2"])
        self.assertEqual(self.carol.lines(), ["SAID:alice:1", "SAID:alice:2", "SAID:bob:3"])

    def test_pvt_is_told_to_one(self) -> None:
        self.alice.send("PVT:BOB:hello: you")

        self.assertEqual(self.alice.lines(), [])
        self.assertEqual(self.bob.lines(), ["PVT:alice:hello: you"])
        self.assertEqual(self.carol.lines(), [])

    def test_quit_says_bye_and_is_told_to_the_others(self) -> None:
        self.assertEqual(self.alice.ask("SAY:last words", "QUIT:"), ["Bye."])

        self.assertTrue(self.alice.closed)
        self.assertEqual(self.bob.lines(), ["SAID:alice:last words", "LEFT:alice"])

    def test_a_lost_connection_is_told_to_the_others(self) -> None:
        self.alice.hang_up()

        self.assertEqual(self.bob.lines(), ["LEFT:alice"])

    def test_refusals_are_told_in_a_line_of_their_own(self) -> None:
        for line, reason in (
            ("FLY:", "there is no such command"),
            ("hello", "there is no such command"),
            ("SAY:", "there is nothing to say"),
            ("SAY:a\0b", "a text cannot hold NUL or line ends"),
            ("PVT:bob", "it is PVT:nick:message"),
            ("PVT:dave:hello", "there is nobody of that nick"),
            ("SAY:" + 5000 * "x", "the line is too long"),
        ):
            self.assertEqual(self.alice.ask(line), [f"ERROR:{reason}"])
        self.alice.send_bytes(b"SAY:\xff\n\n\r\n")
        self.assertEqual(self.alice.lines(), ["ERROR:the line is not UTF-8"])
        self.assertEqual(self.bob.lines(), [])

    def test_what_cannot_be_stored_is_told_to_its_author_alone(self) -> None:
        self.house.journal.full = True

        self.assertEqual(
            self.alice.ask("SAY:hello"), ["ERROR:the server cannot do that now; try again later"]
        )
        self.assertEqual(self.bob.lines(), [])

    def test_case_does_not_matter(self) -> None:
        self.alice.send("say:hello")

        self.assertEqual(self.bob.lines(), ["SAID:alice:hello"])


class EarlyTests(LobbyCase):
    def test_nothing_but_connect_is_granted_before_it(self) -> None:
        client = self.house.client("lobby")

        self.assertEqual(client.ask("SAY:hello"), ["ERROR:log in first"])
        self.assertEqual(client.ask("PVT:bob:hello"), ["ERROR:log in first"])
        self.assertEqual(client.ask("CONNECT:alice"), ["CONNECT:OK:alice"])

    def test_quit_is_granted_to_anybody(self) -> None:
        client = self.house.client("lobby")

        self.assertEqual(client.ask("QUIT"), ["Bye."])
        self.assertTrue(client.closed)

    def test_who_is_closed_is_told_why(self) -> None:
        self.house = House(patience=Patience(login=5))
        client = self.house.client("lobby")

        self.house.wait(5)

        self.assertEqual(client.lines(), ["ERROR:too slow to log in"])

    def test_who_is_too_fast_is_told_so_and_then_closed(self) -> None:
        self.house = House(flow=Flow(rate=1, burst=1, refusals=1))
        alice = self.house.client("lobby")

        self.assertEqual(
            alice.ask("CONNECT:alice", "SAY:1", 5000 * "x", "SAY:3"),
            [
                "CONNECT:OK:alice",
                "ERROR:that is too fast; wait a little and try again",
                "ERROR:too many lines at once",
            ],
        )
        self.assertTrue(alice.closed)


class OtherDialectsTests(LobbyCase):
    """The lobby is a room like any other for those who speak something else."""

    def setUp(self) -> None:
        super().setUp()
        self.owner = self.house.user("owner", "NEWROOM:Lobby", "JOINROOM:lobby")
        self.alice = self.connected("alice")
        self.owner.lines()

    def test_they_hear_each_other(self) -> None:
        self.alice.send("SAY:hello")
        self.owner.send("ROOM:lobby:hello yourself")
        self.owner.send("SAY:alice:psst")

        self.assertEqual(self.owner.lines()[0], "ROOM:Lobby:alice:hello")
        self.assertEqual(self.alice.lines(), ["SAID:owner:hello yourself", "PVT:owner:psst"])

    def test_what_the_dialect_has_no_word_for_is_not_told(self) -> None:
        self.owner.send("TOPIC:lobby:x", "SETPRIVATE:lobby", "SETPUBLIC:lobby")
        self.owner.send("NEWROOM:ops", "INVITEROOM:ops:alice")

        self.assertEqual(self.alice.lines(), [])

    def test_other_rooms_are_not_told_of(self) -> None:
        original = self.house.client("original")
        for read in (b"LOGIN:old", b"NEWROOM:ops", b"JOINROOM:ops", b"INVITEROOM:ops:alice"):
            original.send_bytes(read)
        original.send_bytes(b"ROOM:ops:hello")

        self.assertEqual(self.alice.lines(), [])

    def test_who_is_put_out_is_seen_to_leave_and_may_connect_again(self) -> None:
        bob = self.connected("bob")
        self.owner.send("KICKROOM:lobby:alice")

        self.assertEqual(bob.lines(), ["LEFT:alice"])
        self.assertEqual(self.alice.lines(), ["JOIN:bob", "LEFT:alice"])
        self.assertEqual(
            self.alice.ask("SAY:hello"), ["ERROR:you are not in the lobby; CONNECT again"]
        )
        self.assertEqual(self.alice.ask("CONNECT:alice"), ["CONNECT:OK:owner:bob:alice"])
        self.assertEqual(bob.lines(), ["JOIN:alice"])

    def test_when_the_lobby_is_closed_one_may_connect_to_a_new_one(self) -> None:
        self.owner.send("DELROOM:lobby")

        self.assertEqual(self.alice.lines(), ["ERROR:owner has closed the lobby"])
        self.assertEqual(
            self.alice.ask("SAY:hello"), ["ERROR:you are not in the lobby; CONNECT again"]
        )
        self.assertEqual(self.alice.ask("CONNECT:alice"), ["CONNECT:OK:alice"])
