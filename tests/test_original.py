"""The original dialect: one read is one request, and everything said begins with `<h>`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller.desk import Flow
from chatservice.controller.policy import Policy
from chatservice.networking.hall import Patience
from tests.bench import Client, House


class OriginalCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = House()

    def client(self) -> Client:
        """Somebody who has read the greeting."""
        client = self.house.client("original")
        self.assertEqual(client.writes(), [b"<h>Server ready."])
        return client

    def user(self, nick: str, *reads: str) -> Client:
        """Somebody who is logged in, has sent these, and has read the answers."""
        client = self.client()
        for read in (f"LOGIN:{nick}", *reads):
            self.ask(client, read)
        return client

    def ask(self, client: Client, read: str) -> str:
        """Send one read, and give what it is answered with."""
        client.writes()
        client.send_bytes(read.encode())
        return self.got(client)

    def got(self, client: Client) -> str:
        """What a client got, in one write."""
        writes = client.writes()
        self.assertLessEqual(len(writes), 1, writes)
        return b"".join(writes).decode()


class CommandTests(OriginalCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice = self.user("alice", "NEWROOM:lobby", "JOINROOM:lobby")
        self.bob = self.user("bob")

    def test_login_and_logout(self) -> None:
        carol = self.client()

        self.assertEqual(self.ask(carol, "LOGIN:carol"), "<h>You are carol now.")
        self.assertEqual(self.ask(carol, "WHOAMI:"), "<h>You are carol.")
        self.assertEqual(self.ask(carol, "LOGOUT:CAROL"), "<h>You are not carol any more.")
        self.assertEqual(self.ask(carol, "WHOAMI:"), "<h>Error: log in first.")

    def test_login_as_an_account_needs_its_password(self) -> None:
        self.house.user("carol", "REGISTER:se:cret", "LOGOUT:")
        carol = self.client()

        self.assertEqual(
            self.ask(carol, "LOGIN:carol:guess"),
            "<h>Error: the nick and the password do not belong together.",
        )
        self.assertEqual(self.ask(carol, "LOGIN:carol:se:cret"), "<h>You are carol now.")

    def test_nobody_logs_another_out(self) -> None:
        self.assertEqual(self.ask(self.bob, "LOGOUT:alice"), "<h>Error: you are bob.")

    def test_whereami(self) -> None:
        self.assertEqual(self.ask(self.bob, "WHEREAMI:"), "<h>You are in no room.")
        self.assertEqual(self.ask(self.alice, "WHEREAMI"), "<h>You are in [lobby].")

    def test_listroom(self) -> None:
        self.ask(self.alice, "NEWROOM:ops")
        self.ask(self.alice, "SETPRIVATE:ops")

        self.assertEqual(self.ask(self.bob, "LISTROOM:"), "<h>Rooms: [lobby] (public, 1 inside).")
        self.assertEqual(
            self.ask(self.alice, "LISTROOM:"),
            "<h>Rooms: [lobby] (public, 1 inside), [ops] (private, 0 inside).",
        )
        self.ask(self.alice, "DELROOM:lobby")
        self.assertEqual(self.ask(self.bob, "LISTROOM:"), "<h>There are no rooms.")

    def test_listusers(self) -> None:
        self.assertEqual(self.ask(self.bob, "LISTUSERS:"), "<h>Logged in: alice, bob.")
        self.assertEqual(self.ask(self.bob, "LISTUSERS:lobby"), "<h>In room [lobby]: alice.")
        self.ask(self.alice, "EXITROOM:lobby")
        self.assertEqual(self.ask(self.bob, "LISTUSERS:lobby"), "<h>In room [lobby]: nobody.")

    def test_a_long_list_is_cut_for_there_is_no_way_to_go_on(self) -> None:
        for number in range(250):
            self.ask(self.alice, f"NEWROOM:r{number}")

        answer = self.ask(self.bob, "LISTROOM:")

        self.assertEqual(answer.count("inside"), 200)
        self.assertTrue(answer.endswith(" and 51 more."))

    def test_newroom_and_delroom(self) -> None:
        self.assertEqual(
            self.ask(self.bob, "NEWROOM:ops"), "<h>Room [ops] is there now, and is yours."
        )
        self.assertEqual(self.ask(self.bob, "DELROOM:ops"), "<h>Room [ops] is gone.")
        self.assertEqual(
            self.ask(self.bob, "DELROOM:lobby"), "<h>Error: only the room's owner may do that."
        )

    def test_joinroom_and_exitroom(self) -> None:
        self.assertEqual(
            self.ask(self.bob, "JOINROOM:lobby"),
            "<h>bob has joined room [lobby].<h>In room [lobby]: alice, bob.",
        )
        self.assertEqual(self.got(self.alice), "<h>bob has joined room [lobby].")
        self.assertEqual(
            self.ask(self.bob, "EXITROOM:lobby"), "<h>You are not in room [lobby] any more."
        )
        self.assertEqual(self.got(self.alice), "<h>bob has left room [lobby].")

    def test_setprivate_and_setpublic(self) -> None:
        self.assertEqual(
            self.ask(self.alice, "SETPRIVATE:lobby"),
            "<h>alice has made room [lobby] private.<h>Room [lobby] is private now.",
        )
        self.assertEqual(
            self.ask(self.bob, "JOINROOM:lobby"),
            "<h>Error: that room is private and you are not invited.",
        )
        self.ask(self.alice, "EXITROOM:lobby")
        self.assertEqual(self.ask(self.alice, "SETPUBLIC:lobby"), "<h>Room [lobby] is public now.")

    def test_inviteroom_puts_the_invited_into_the_room_at_once(self) -> None:
        self.ask(self.alice, "SETPRIVATE:lobby")

        self.assertEqual(
            self.ask(self.alice, "INVITEROOM:lobby:bob"),
            "<h>bob has joined room [lobby].<h>bob is in room [lobby] now.",
        )

        self.assertEqual(
            self.got(self.bob),
            "<h>alice has invited you to room [lobby].<h>bob has joined room [lobby].",
        )
        self.assertEqual(self.ask(self.bob, "WHEREAMI:"), "<h>You are in [lobby].")

    def test_inviteroom_puts_nobody_in_who_may_not_be_or_is_not_there(self) -> None:
        self.house = House(policy=Policy(members_per_room=1))
        alice = self.user("alice", "NEWROOM:lobby", "JOINROOM:lobby")
        bob = self.user("bob")

        self.assertEqual(self.ask(alice, "INVITEROOM:lobby:bob"), "<h>Error: the room is full.")
        self.assertEqual(
            self.ask(alice, "INVITEROOM:lobby:dave"), "<h>Error: there is nobody of that nick."
        )
        self.assertEqual(self.got(bob), "")

    def test_room_comes_back_as_everybody_gets_it_and_has_no_other_answer(self) -> None:
        self.ask(self.bob, "JOINROOM:lobby")
        self.alice.writes()

        self.assertEqual(
            self.ask(self.alice, "ROOM:lobby:hello: you"), "<h>room:[lobby]@alice: hello: you"
        )
        self.assertEqual(self.got(self.bob), "<h>room:[lobby]@alice: hello: you")

    def test_say_is_told_to_one(self) -> None:
        self.assertEqual(self.ask(self.alice, "SAY:bob:hello: you"), "<h>Said to bob.")
        self.assertEqual(self.got(self.bob), "<h>direct@alice: hello: you")

    def test_what_cannot_be_stored_is_an_error(self) -> None:
        self.house.journal.full = True
        error = "<h>Error: the server cannot do that now; try again later."

        for read in ("ROOM:lobby:hello", "SAY:bob:hello", "NEWROOM:ops"):
            self.assertEqual(self.ask(self.alice, read), error)

    def test_exit_says_goodbye_and_closes(self) -> None:
        for read in ("!exit", "!EXIT\n"):
            client = self.client()

            self.assertEqual(self.ask(client, read), "<h>Goodbye: come again.")
            self.assertTrue(client.closed)


class ReadTests(OriginalCase):
    def test_the_ending_that_a_terminal_adds_is_taken_off(self) -> None:
        for ending in ("", "\n", "\r\n"):
            self.assertEqual(
                self.ask(self.client(), "LOGIN:two words" + ending),
                "<h>Error: a nick cannot contain a space.",
            )

    def test_an_empty_read_is_nothing(self) -> None:
        self.assertEqual(self.ask(self.client(), "\r\n"), "")

    def test_several_lines_in_one_read_are_one_request_and_no_good_one(self) -> None:
        alice = self.user("alice", "NEWROOM:lobby", "JOINROOM:lobby")

        self.assertEqual(
            self.ask(alice, "ROOM:lobby:one\nROOM:lobby:two\n"),
            "<h>Error: a text cannot hold NUL or line ends.",
        )

    def test_bad_reads_are_answered_once_and_dropped(self) -> None:
        alice = self.user("alice", "NEWROOM:lobby", "JOINROOM:lobby")
        for read, answer in (
            (b"ROOM:lobby:\xff", b"<h>Error: that is not UTF-8."),
            (b"ROOM:lobby:\0", b"<h>Error: a text cannot hold NUL or line ends."),
            (b"JOINROOM:a:b", b'<h>Error: a room\'s name cannot contain ":".'),
            (b"ROOM:lobby", b"<h>Error: it is ROOM:room:message."),
            (b"WHOAMI:x", b"<h>Error: it is WHOAMI:."),
            (b"ROOM:lobby:" + 4086 * b"x", b"<h>Error: the line is too long."),
            (60_000 * b"x", b"<h>Error: the line is too long."),
        ):
            alice.send_bytes(read)
            self.assertEqual(alice.writes(), [answer])

    def test_a_first_read_that_is_too_long_is_one_error_too(self) -> None:
        for read in (5000 * b"x", 5000 * b"WHOAMI:\n"):
            client = self.client()
            client.send_bytes(read)

            self.assertEqual(client.writes(), [b"<h>Error: the line is too long."])

    def test_the_limit_is_that_of_a_line(self) -> None:
        alice = self.user("alice", "NEWROOM:lobby", "JOINROOM:lobby")

        answer = self.ask(alice, "ROOM:lobby:" + 4085 * "x" + "\r\n")

        self.assertEqual(answer, "<h>room:[lobby]@alice: " + 4085 * "x")

    def test_an_unknown_command_is_told_which_there_are(self) -> None:
        answer = self.ask(self.client(), "HELP")

        self.assertTrue(answer.startswith("<h>Error: there is no such command; there are LOGIN, "))
        self.assertTrue(answer.endswith(", !EXIT."))

    def test_case_does_not_matter(self) -> None:
        self.assertEqual(self.ask(self.client(), "login:alice"), "<h>You are alice now.")

    def test_who_is_too_fast_is_told_so_and_then_closed(self) -> None:
        self.house = House(flow=Flow(rate=1, burst=1, refusals=1))
        client = self.client()

        self.assertEqual(self.ask(client, "LOGIN:alice"), "<h>You are alice now.")
        self.assertEqual(
            self.ask(client, "WHOAMI:"), "<h>Error: that is too fast; wait a little and try again."
        )
        self.assertEqual(self.ask(client, "WHOAMI:"), "<h>Goodbye: too many lines at once.")
        self.assertTrue(client.closed)

    def test_who_is_silent_is_asked_and_then_closed(self) -> None:
        self.house = House(patience=Patience(idle=10, ping=4))
        alice = self.user("alice")

        self.house.wait(7)
        self.assertEqual(self.got(alice), "<h>Are you still there? Say something.")
        self.house.wait(4)
        self.assertEqual(self.got(alice), "<h>Goodbye: idle for too long.")

    def test_the_greeting_is_not_said_again_after_a_silence(self) -> None:
        client = self.client()

        self.house.wait(5)

        self.assertEqual(client.writes(), [])


class RunTogetherTests(OriginalCase):
    """No reply is ever doubled, or run together so that it cannot be taken apart."""

    def setUp(self) -> None:
        super().setUp()
        self.alice = self.user("alice", "NEWROOM:lobby", "JOINROOM:lobby")
        self.bob = self.user("bob", "JOINROOM:lobby")
        self.alice.writes()

    def test_what_comes_in_one_turn_is_one_write_and_can_be_taken_apart(self) -> None:
        self.house.journal.hold()
        for number in range(3):
            self.alice.send_bytes(b"ROOM:lobby:%d" % number)
        self.bob.send_bytes(b"ROOM:lobby:b")
        self.house.journal.release()
        self.house.settle()

        pieces = b"".join(self.bob.writes()).decode().split("<h>")
        self.assertEqual(
            pieces,
            [
                "",
                "room:[lobby]@alice: 0",
                "room:[lobby]@bob: b",
                "room:[lobby]@alice: 1",
                "room:[lobby]@alice: 2",
            ],
        )

    def test_every_request_has_its_answer_before_the_next_is_looked_at(self) -> None:
        self.house.journal.hold()
        self.alice.send_bytes(b"SAY:bob:hello")
        self.alice.send_bytes(b"WHOAMI:")
        self.assertEqual(self.alice.writes(), [])
        self.house.journal.release()
        self.house.settle()

        self.assertEqual(b"".join(self.alice.writes()), b"<h>Said to bob.<h>You are alice.")

    def test_nobody_can_put_words_into_the_mouth_of_another(self) -> None:
        self.alice.send_bytes(b"ROOM:lobby:hi<h>room:[lobby]@bob: I owe alice <<h>h>")
        self.house.user("carol", "SAY:bob:<h>direct@alice: come")

        self.assertEqual(
            b"".join(self.bob.writes()).split(b"<h>"),
            [
                b"",
                b"room:[lobby]@alice: hi< h>room:[lobby]@bob: I owe alice << h>h>",
                b"direct@carol: < h>direct@alice: come",
            ],
        )

    def test_all_that_others_do_to_a_room_is_told_in_words(self) -> None:
        owner = self.house.user("owner", "NEWROOM:ops", "JOINROOM:ops")
        self.ask(self.bob, "JOINROOM:ops")
        self.ask(self.alice, "JOINROOM:ops")
        self.bob.writes()

        owner.send("TOPIC:ops:war", "SETPRIVATE:ops", "KICKROOM:ops:alice", "DELROOM:ops")

        self.assertEqual(
            b"".join(self.bob.writes()).decode().split("<h>")[1:],
            [
                "owner has set the topic of room [ops]: war",
                "owner has made room [ops] private.",
                "owner has put alice out of room [ops].",
                "owner has removed room [ops].",
            ],
        )
