"""The commands of the line protocol that are about oneself, about talk and about the connection:
what each does, what others are told of it, and each code that it can be refused with. Those about
rooms stand in `test_line_rooms`.
"""

from __future__ import annotations

import re

from zope.interface import implementer

from chatservice.controller.errors import TooFast, Unavailable
from chatservice.controller.events import SAID, Event
from chatservice.translation.interface import BY_READS, Dialect, IDialect, Wire
from chatservice.translation.line import LineProtocol
from chatservice.translation.line.commands import COMMANDS
from chatservice.translation.registry import Dialects
from tests.bench import GREETING, NOW, House
from tests.line_case import LineCase

_NOW_MS = int(NOW * 1000)


class LoginTests(LineCase):
    def test_takes_a_nick(self) -> None:
        carol = self.house.client()

        self.assertEqual(carol.ask("LOGIN:Carol"), [GREETING, "OK:LOGIN:Carol"])
        self.assertEqual(carol.ask("WHOAMI:"), ["OK:WHOAMI:Carol"])

    def test_a_nick_is_taken_once_in_whatever_case(self) -> None:
        carol = self.house.client()
        carol.send("PING:")

        self.refuses(carol, "LOGIN:ALICE", "NICK_IN_USE")
        self.refuses(carol, "LOGIN:alice:secret", "NICK_IN_USE")

    def test_a_connection_has_one_nick(self) -> None:
        self.refuses(self.alice, "LOGIN:other", "ALREADY_LOGGED_IN")

    def test_what_cannot_be_a_nick_is_refused(self) -> None:
        carol = self.house.client()
        carol.send("PING:")

        self.refuses(carol, "LOGIN:two words", "BAD_NICK")
        self.refuses(carol, "LOGIN::secret", "BAD_NICK")
        self.refuses(carol, "LOGIN:", "BAD_ARGUMENTS")

    def test_an_account_needs_its_password(self) -> None:
        self.given(self.alice, "REGISTER:se:cret", "LOGOUT:")

        self.refuses(self.alice, "LOGIN:alice", "NICK_IN_USE")
        self.refuses(self.alice, "LOGIN:alice:wrong", "BAD_PASSWORD")
        self.assertEqual(self.alice.ask("LOGIN:alice:se:cret"), ["OK:LOGIN:alice"])

    def test_passwords_are_slowed_down(self) -> None:
        self.given(self.alice, "LOGOUT:")
        self.house.doorman.refusal = TooFast()

        self.refuses(self.alice, "LOGIN:alice:guess", "TOO_FAST")

    def test_nobody_may_be_able_to_tell(self) -> None:
        self.given(self.alice, "LOGOUT:")
        self.house.doorman.refusal = Unavailable()

        self.refuses(self.alice, "LOGIN:alice:secret", "UNAVAILABLE")

    def test_it_is_not_done_if_it_cannot_be_stored(self) -> None:
        self.given(self.alice, "LOGOUT:")
        self.house.journal.full = True

        self.refuses(self.alice, "LOGIN:alice", "UNAVAILABLE")
        self.refuses(self.alice, "WHOAMI:", "NOT_LOGGED_IN")

    def test_of_two_at_once_one_has_the_nick(self) -> None:
        first, second = self.house.client(), self.house.client()
        self.house.journal.hold()
        first.send("LOGIN:carol")
        second.send("LOGIN:Carol")
        self.house.journal.release()
        self.house.settle()

        self.assertEqual(first.lines()[1:], ["OK:LOGIN:carol"])
        self.assertEqual(
            [line.split(":")[:3] for line in second.lines()[1:]], [["ERR", "LOGIN", "NICK_IN_USE"]]
        )

    def test_a_guest_who_is_faster_does_not_get_what_an_outside_checker_vouches_for(self) -> None:
        self.house.doorman.outside["carol"] = "secret"
        guest, owner = self.house.client(), self.house.client()
        self.house.journal.hold()
        guest.send("LOGIN:carol")
        owner.send("LOGIN:carol:secret")
        self.house.journal.release()
        self.house.settle()

        self.assertEqual(guest.lines()[1:], ["OK:LOGIN:carol"])
        self.assertEqual(owner.lines()[1].split(":")[:3], ["ERR", "LOGIN", "NICK_IN_USE"])
        self.assertEqual(guest.ask("REGISTER:mine"), ["OK:REGISTER:carol"])


class RegisterTests(LineCase):
    def test_makes_the_nick_an_account(self) -> None:
        self.assertEqual(self.alice.ask("REGISTER:se:cret"), ["OK:REGISTER:alice"])
        self.given(self.alice, "LOGOUT:", "LOGIN:alice:se:cret")

    def test_a_nick_is_registered_once(self) -> None:
        self.given(self.alice, "REGISTER:secret")

        self.refuses(self.alice, "REGISTER:other", "NICK_IN_USE")

    def test_what_cannot_be_a_password_is_refused(self) -> None:
        self.refuses(self.alice, "REGISTER:", "BAD_ARGUMENTS")
        self.house.doorman.refusal = Unavailable()
        self.refuses(self.alice, "REGISTER:secret", "UNAVAILABLE")

    def test_one_address_makes_no_more_accounts_than_it_may(self) -> None:
        house = House(registrations=1)
        self.given(house.user("alice"), "REGISTER:secret")

        self.refuses(house.user("bob"), "REGISTER:secret", "TOO_FAST")

    def test_strangers_have_nothing_to_register(self) -> None:
        self.given(self.alice, "LOGOUT:")

        self.refuses(self.alice, "REGISTER:secret", "NOT_LOGGED_IN")


class LogoutTests(LineCase):
    def test_gives_the_nick_up_and_leaves_every_room(self) -> None:
        self.given(self.alice, "NEWROOM:lobby", "JOINROOM:lobby")
        self.given(self.bob, "JOINROOM:lobby")

        self.assertEqual(self.alice.ask("LOGOUT:"), ["OK:LOGOUT:alice"])

        self.assertEqual(self.bob.lines(), ["LEFT:lobby:alice"])
        self.assertEqual(self.bob.ask("LISTUSERS:"), ["ITEM:LISTUSERS:bob", "OK:LISTUSERS"])
        self.assertFalse(self.alice.closed)

    def test_the_nick_may_be_named_in_whatever_case(self) -> None:
        self.assertEqual(self.alice.ask("LOGOUT:ALICE"), ["OK:LOGOUT:alice"])

    def test_nobody_logs_another_out(self) -> None:
        self.refuses(self.alice, "LOGOUT:bob", "BAD_ARGUMENTS")
        self.refuses(self.alice, "LOGOUT:no nick", "BAD_ARGUMENTS")
        self.assertEqual(self.alice.ask("WHOAMI:"), ["OK:WHOAMI:alice"])

    def test_it_is_not_done_if_it_cannot_be_stored(self) -> None:
        self.house.journal.full = True

        self.refuses(self.alice, "LOGOUT:", "UNAVAILABLE")
        self.assertEqual(self.alice.ask("WHOAMI:"), ["OK:WHOAMI:alice"])


class StrangerTests(LineCase):
    def test_most_commands_are_for_those_who_are_logged_in(self) -> None:
        stranger = self.house.client()
        stranger.send("PING:")
        for line in (
            "REGISTER:x",
            "LOGOUT:",
            "WHOAMI:",
            "WHEREAMI:",
            "LISTROOM:",
            "LISTUSERS:",
            "LISTUSERS:lobby",
            "NEWROOM:lobby",
            "DELROOM:lobby",
            "JOINROOM:lobby",
            "EXITROOM:lobby",
            "SETPUBLIC:lobby",
            "SETPRIVATE:lobby",
            "INVITEROOM:lobby:bob",
            "KICKROOM:lobby:bob",
            "TOPIC:lobby",
            "TOPIC:lobby:x",
            "ROOM:lobby:x",
            "SAY:bob:x",
            "HISTORY:lobby",
            "HISTORY:@bob",
        ):
            self.refuses(stranger, line, "NOT_LOGGED_IN")


class LookingAroundTests(LineCase):
    def test_whereami_names_the_rooms_that_one_is_in(self) -> None:
        self.assertEqual(self.alice.ask("WHEREAMI:"), ["OK:WHEREAMI"])
        self.given(self.alice, "NEWROOM:Lobby", "JOINROOM:lobby", "NEWROOM:ops", "JOINROOM:ops")

        self.assertEqual(self.alice.ask("WHEREAMI"), ["OK:WHEREAMI:Lobby:ops"])

    def test_listroom_shows_the_rooms_that_one_may_see(self) -> None:
        self.given(self.alice, "NEWROOM:lobby", "JOINROOM:lobby", "NEWROOM:ops:private")
        self.given(self.bob, "NEWROOM:cellar:private", "NEWROOM:attic:private")
        self.given(self.bob, "INVITEROOM:attic:alice")
        self.forget()

        self.assertEqual(
            self.alice.ask("LISTROOM:"),
            [
                "ITEM:LISTROOM:lobby:public:1",
                "ITEM:LISTROOM:ops:private:0",
                "ITEM:LISTROOM:attic:private:0",
                "OK:LISTROOM",
            ],
        )

    def test_listusers_shows_everybody_or_the_members_of_a_room(self) -> None:
        self.given(self.alice, "NEWROOM:lobby", "JOINROOM:lobby")

        self.assertEqual(
            self.bob.ask("LISTUSERS:"),
            ["ITEM:LISTUSERS:alice", "ITEM:LISTUSERS:bob", "OK:LISTUSERS"],
        )
        self.assertEqual(
            self.bob.ask("LISTUSERS:LOBBY"), ["ITEM:LISTUSERS:alice", "OK:LISTUSERS:lobby"]
        )

    def test_listusers_shows_no_room_that_one_may_not_see(self) -> None:
        self.given(self.alice, "NEWROOM:ops:private")

        self.refuses(self.bob, "LISTUSERS:ops", "PRIVATE_ROOM")
        self.refuses(self.bob, "LISTUSERS:nowhere", "NO_SUCH_ROOM")
        self.refuses(self.bob, "LISTUSERS:no room", "BAD_ROOM_NAME")

    def test_long_answers_come_whole_and_in_order(self) -> None:
        rooms = [f"room{number}" for number in range(450)]
        self.given(self.alice, *(f"NEWROOM:{room}" for room in rooms))

        self.assertEqual(
            self.bob.ask("LISTROOM:", "PING:after"),
            [*(f"ITEM:LISTROOM:{room}:public:0" for room in rooms), "OK:LISTROOM", "OK:PING:after"],
        )


class TalkTests(LineCase):
    def setUp(self) -> None:
        super().setUp()
        self.given(self.alice, "NEWROOM:Lobby", "JOINROOM:lobby")
        self.given(self.bob, "JOINROOM:lobby")
        self.forget()

    def test_room_tells_all_members_the_sender_too_and_is_answered_when_stored(self) -> None:
        answers = self.alice.ask("ROOM:lobby:hello: you")

        [id] = [event.id for event in self.stored("Lobby")]
        self.assertEqual(answers, ["ROOM:Lobby:alice:hello: you", f"OK:ROOM:Lobby:{id}"])
        self.assertEqual(self.bob.lines(), ["ROOM:Lobby:alice:hello: you"])

    def stored(self, room_name: str) -> list[Event]:
        room = self.house.controller.state.rooms[room_name.lower()]
        return self.successResultOf(self.house.journal.history(room.id, SAID, 1000))

    def test_room_is_for_members_of_rooms_that_there_are(self) -> None:
        carol = self.house.user("carol")

        self.refuses(carol, "ROOM:lobby:hello", "NOT_IN_ROOM")
        self.refuses(carol, "ROOM:nowhere:hello", "NO_SUCH_ROOM")
        self.refuses(carol, "ROOM::hello", "BAD_ROOM_NAME")
        self.refuses(self.alice, "ROOM:lobby:", "BAD_ARGUMENTS")
        self.refuses(self.alice, "ROOM:lobby", "BAD_ARGUMENTS")
        self.assertEqual(self.bob.lines(), [])

    def test_what_cannot_be_stored_is_refused_and_told_to_nobody(self) -> None:
        self.house.journal.full = True

        self.refuses(self.alice, "ROOM:lobby:hello", "UNAVAILABLE")
        self.refuses(self.alice, "SAY:bob:hello", "UNAVAILABLE")

        self.assertEqual(self.bob.lines(), [])
        self.house.journal.full = False
        self.assertEqual(self.alice.ask("HISTORY:lobby"), ["OK:HISTORY:Lobby"])

    def test_say_tells_one_user(self) -> None:
        answers = self.alice.ask("SAY:BOB:hello: you")

        self.assertEqual(len(answers), 1)
        self.assertRegex(answers[0], r"^OK:SAY:bob:[^:]+$")
        self.assertEqual(self.bob.lines(), ["SAY:alice:hello: you"])

    def test_say_is_for_users_who_are_here(self) -> None:
        self.refuses(self.alice, "SAY:carol:hello", "NO_SUCH_USER")
        self.refuses(self.alice, "SAY:no nick:hello", "NO_SUCH_USER")
        self.refuses(self.alice, "SAY:bob:", "BAD_ARGUMENTS")
        self.refuses(self.alice, "SAY:bob", "BAD_ARGUMENTS")

    def test_a_text_may_be_anything_but_nul_and_line_ends(self) -> None:
        text = "käse \N{CHEESE WEDGE} \x1b[1m \N{RIGHT-TO-LEFT OVERRIDE}\t\x85\u2028"

        self.assertEqual(self.alice.ask(f"ROOM:lobby:{text}")[0], f"ROOM:Lobby:alice:{text}")
        self.refuses(self.alice, "ROOM:lobby:a\0b", "BAD_ARGUMENTS")
        self.refuses(self.alice, "ROOM:lobby:a\rb", "BAD_ARGUMENTS")

    def test_history_shows_what_was_said_last_oldest_first(self) -> None:
        self.given(self.alice, "ROOM:lobby:one", "ROOM:lobby:two: 2")
        self.given(self.bob, "ROOM:lobby:three")
        first, second, third = (event.id for event in self.stored("Lobby"))
        self.forget()

        self.assertEqual(
            self.alice.ask("HISTORY:lobby"),
            [
                f"ITEM:HISTORY:{_NOW_MS}:{first}:Lobby:alice:one",
                f"ITEM:HISTORY:{_NOW_MS}:{second}:Lobby:alice:two: 2",
                f"ITEM:HISTORY:{_NOW_MS}:{third}:Lobby:bob:three",
                "OK:HISTORY:Lobby",
            ],
        )
        self.assertEqual(
            self.alice.ask("HISTORY:lobby:1"),
            [f"ITEM:HISTORY:{_NOW_MS}:{third}:Lobby:bob:three", "OK:HISTORY:Lobby"],
        )

    def test_history_shows_fifty_unless_told_otherwise(self) -> None:
        self.given(self.alice, *(f"ROOM:lobby:{number}" for number in range(60)))

        shown = [line.rpartition(":")[2] for line in self.alice.ask("HISTORY:lobby")[:-1]]
        self.assertEqual(shown, [str(number) for number in range(10, 60)])
        self.assertEqual(len(self.alice.ask("HISTORY:lobby:999999999")), 61)

    def test_history_of_a_conversation_is_both_sides_of_it(self) -> None:
        self.given(self.alice, "SAY:bob:ping")
        self.given(self.bob, "SAY:alice:pong")
        self.forget()

        heads = [line.split(":", 4) for line in self.alice.ask("HISTORY:@BOB")]

        self.assertEqual([head[4:] for head in heads], [["@bob:alice:ping"], ["@bob:bob:pong"], []])
        self.assertEqual(heads[2], ["OK", "HISTORY", "@bob"])

    def test_history_is_for_those_inside(self) -> None:
        carol = self.house.user("carol")

        self.refuses(carol, "HISTORY:lobby", "NOT_IN_ROOM")
        self.refuses(carol, "HISTORY:nowhere", "NO_SUCH_ROOM")
        self.refuses(carol, "HISTORY:no room", "BAD_ROOM_NAME")
        self.refuses(carol, "HISTORY:@dave", "NO_SUCH_USER")
        for count in ("0", "-1", "1.5", "", "x", "1" * 10, "\N{SUPERSCRIPT TWO}"):
            self.refuses(self.alice, f"HISTORY:lobby:{count}", "BAD_ARGUMENTS")

    def test_a_history_that_cannot_be_read_is_unavailable(self) -> None:
        self.house.journal.readable = False

        self.refuses(self.alice, "HISTORY:lobby", "UNAVAILABLE")


class ConnectionTests(LineCase):
    def test_ping_brings_the_token_back(self) -> None:
        self.assertEqual(self.alice.ask("PING:a:b"), ["OK:PING:a:b"])
        self.assertEqual(self.alice.ask("PING"), ["OK:PING:"])

    def test_pong_is_answered_like_anything_else(self) -> None:
        self.assertEqual(self.alice.ask("PONG:chat.example"), ["OK:PONG:chat.example"])

    def test_help_lists_every_command_with_its_usage(self) -> None:
        answers = self.alice.ask("HELP:")

        self.assertEqual(answers[-1], "OK:HELP")
        shown = [re.split("[:[]", line, maxsplit=3)[2] for line in answers[:-1]]
        self.assertEqual(shown, [name.decode() for name in COMMANDS if name != b"!EXIT"])

    def test_help_shows_one_command(self) -> None:
        self.assertEqual(
            self.alice.ask("HELP:!exit"),
            ["ITEM:HELP:QUIT::end the connection (also !exit)", "OK:HELP"],
        )
        self.refuses(self.alice, "HELP:fly", "UNKNOWN_COMMAND")

    def test_quit_and_exit_end_the_connection(self) -> None:
        for line in ("QUIT:", "!exit", "quit", "!EXIT:"):
            client = self.house.client()

            self.assertEqual(client.ask(line), [GREETING, "OK:QUIT", "BYE:goodbye"])
            self.assertTrue(client.closed)

    def test_nothing_is_looked_at_after_quit(self) -> None:
        self.given(self.alice, "NEWROOM:lobby", "JOINROOM:lobby")

        self.assertEqual(
            self.alice.ask("QUIT:", "ROOM:lobby:late", "PING:"), ["OK:QUIT", "BYE:goodbye"]
        )

    def test_protobuf_is_spoken_where_it_is_installed(self) -> None:
        elsewhere = House(dialects=Dialects([LineProtocol()])).user("alice")

        self.refuses(elsewhere, "PROTOBUF:1", "UNAVAILABLE")
        self.refuses(self.alice, "PROTOBUF:2", "BAD_ARGUMENTS")
        self.refuses(self.alice, "PROTOBUF:", "BAD_ARGUMENTS")
        self.alice.send("PROTOBUF:1")

        self.assertTrue(self.alice.received().startswith(b"OK:PROTOBUF:1\r\n"))
        self.assertEqual(self.alice.speaks, "protobuf")

    def test_protobuf_begins_with_the_byte_after_the_line(self) -> None:
        house = House(dialects=Dialects([LineProtocol(), Reversing()]))
        alice = house.user("alice", "NEWROOM:lobby", "JOINROOM:lobby")
        house.journal.hold()

        alice.send_bytes(b"ROOM:lobby:hello\nPROTOBUF:1\nabc\n12")
        house.journal.release()
        house.settle()
        alice.send_bytes(b"xyz")

        self.assertRegex(
            alice.received(),
            rb"^ROOM:lobby:alice:hello\r\n"
            rb"OK:ROOM:lobby:[0-9]+\r\n"
            rb"OK:PROTOBUF:1\r\n"
            rb"<21\ncbazyx$",
        )


@implementer(IDialect)
class Reversing:
    """Stands in for protobuf: sends every read back, last byte first."""

    name = "protobuf"
    framing = BY_READS
    alpn = ()

    def opens(self, line: bytes) -> bool:
        return False

    def make(self, wire: Wire) -> Dialect:
        return ReversingDialect(wire)


class ReversingDialect(Dialect):
    def begin(self) -> None:
        self.wire.write(b"<")

    def receive(self, data: bytes) -> None:
        self.wire.write(data[::-1])
