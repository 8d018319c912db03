"""What holds for every line of the line protocol: the greeting, one answer each, the order of the
answers, endings, and lines that are no requests.
"""

from __future__ import annotations

from typing import ClassVar

from chatservice.controller import modes
from chatservice.controller.desk import Flow
from chatservice.controller.errors import ERRORS_BY_CODE
from chatservice.controller.events import ModeChange
from chatservice.controller.policy import Policy
from chatservice.networking.hall import Patience
from chatservice.translation.line import LineProtocol
from chatservice.translation.registry import Dialects
from tests.bench import GREETING, House
from tests.line_case import LineCase


def heads(lines: list[str]) -> list[str]:
    """What stands before the third colon of each line: what it is, without ids and words."""
    return [":".join(line.split(":")[:3]) for line in lines]


class GreetingTests(LineCase):
    def test_it_comes_with_the_first_answer_and_never_again(self) -> None:
        client = self.house.client()
        self.assertEqual(client.lines(), [])

        self.assertEqual(client.ask("PING:a"), [GREETING, "OK:PING:a"])
        self.assertEqual(client.ask("PING:b"), ["OK:PING:b"])
        self.house.wait(2)
        self.assertEqual(client.lines(), [])

    def test_it_comes_after_a_second_of_silence(self) -> None:
        client = self.house.client()

        self.house.wait(1)

        self.assertEqual(client.lines(), [GREETING])
        self.assertEqual(client.ask("PING:a"), ["OK:PING:a"])

    def test_it_comes_before_a_refusal(self) -> None:
        client = self.house.client()

        self.assertEqual(heads(client.ask("WHOAMI:")), [GREETING, "ERR:WHOAMI:NOT_LOGGED_IN"])

    def test_it_comes_before_a_farewell(self) -> None:
        house = House(patience=Patience(login=5, greeting=100))
        client = house.client()

        house.wait(5)

        self.assertEqual(client.lines(), [GREETING, "BYE:too slow to log in"])
        self.assertTrue(client.closed)


class OrderTests(LineCase):
    def setUp(self) -> None:
        super().setUp()
        self.given(self.alice, "NEWROOM:lobby", "JOINROOM:lobby")
        self.given(self.bob, "JOINROOM:lobby")
        self.forget()

    def test_answers_come_in_the_order_of_their_requests(self) -> None:
        self.assertEqual(
            [
                head
                for head in heads(
                    self.alice.ask(
                        "ROOM:lobby:1",
                        "WHOAMI:",
                        "ROOM:lobby:2",
                        "ROOM:lobby:3",
                        "ROOM:nowhere:3",
                        "SAY:bob:4",
                        "FLY:",
                        "SAY:bob:5",
                        "EXITROOM:lobby",
                        "ROOM:lobby:6",
                    )
                )
                if not head.startswith("ROOM")
            ],
            [
                "OK:ROOM:lobby",
                "OK:WHOAMI:alice",
                "OK:ROOM:lobby",
                "OK:ROOM:lobby",
                "ERR:ROOM:NO_SUCH_ROOM",
                "OK:SAY:bob",
                "ERR:FLY:UNKNOWN_COMMAND",
                "OK:SAY:bob",
                "OK:EXITROOM:lobby",
                "ERR:ROOM:NOT_IN_ROOM",
            ],
        )

    def test_an_overlong_line_is_answered_in_its_turn(self) -> None:
        self.assertEqual(
            heads(self.alice.ask("ROOM:lobby:1", "ROOM:lobby:" + 5000 * "x", "PING:a"))[1:],
            ["OK:ROOM:lobby", "ERR:ROOM:LINE_TOO_LONG", "OK:PING:a"],
        )

    def test_what_is_said_does_not_wait_for_what_was_said_before(self) -> None:
        self.house.journal.hold()

        self.alice.send("ROOM:lobby:1", "SAY:bob:2", "ROOM:lobby:3")
        self.assertTrue(self.alice.pipe.reading)
        self.alice.send("ROOM:lobby:4")
        self.house.journal.release()
        self.house.settle()

        self.assertEqual(
            [head for head in heads(self.alice.lines()) if head.startswith("OK")],
            ["OK:ROOM:lobby", "OK:SAY:bob", "OK:ROOM:lobby", "OK:ROOM:lobby"],
        )

    def test_nothing_is_answered_or_told_before_it_is_stored(self) -> None:
        self.house.journal.hold()

        self.alice.send("ROOM:lobby:1", "PING:a")
        self.assertEqual((self.alice.lines(), self.bob.lines()), ([], []))
        self.house.journal.release()
        self.house.settle()

        self.assertEqual(
            heads(self.alice.lines()), ["ROOM:lobby:alice", "OK:ROOM:lobby", "OK:PING:a"]
        )
        self.assertEqual(self.bob.lines(), ["ROOM:lobby:alice:1"])

    def test_a_change_is_finished_before_the_next_line_is_looked_at(self) -> None:
        answers = self.alice.ask("NEWROOM:ops", "JOINROOM:ops", "ROOM:ops:1", "DELROOM:ops")

        self.assertEqual(
            heads(answers),
            [
                "OK:NEWROOM:ops",
                "JOINED:ops:alice",
                "OK:JOINROOM:ops",
                "ROOM:ops:alice",
                "OK:ROOM:ops",
                "DELETED:ops:alice",
                "OK:DELROOM:ops",
            ],
        )

    def test_what_was_said_before_quit_is_answered(self) -> None:
        answers = self.alice.ask("ROOM:lobby:1", "!exit")

        self.assertEqual(
            heads(answers), ["ROOM:lobby:alice", "OK:ROOM:lobby", "OK:QUIT", "BYE:goodbye"]
        )
        self.assertEqual(self.bob.lines(), ["ROOM:lobby:alice:1", "LEFT:lobby:alice"])

    def test_answers_wait_through_a_restart_of_the_controller(self) -> None:
        self.house.journal.hold()
        self.alice.send("ROOM:lobby:1", "PING:a")
        self.house.restart_controller()
        self.house.journal.release()
        self.house.settle()

        self.assertEqual(
            [head for head in heads(self.alice.lines()) if head.startswith("OK")],
            ["OK:ROOM:lobby", "OK:PING:a"],
        )
        self.assertEqual(self.bob.lines(), ["ROOM:lobby:alice:1"])

    def test_a_client_that_goes_while_an_answer_waits_is_seen_to_leave(self) -> None:
        self.house.journal.hold()
        self.alice.send("ROOM:lobby:1", "PING:a")

        self.alice.hang_up()
        self.house.journal.release()
        self.house.settle()

        self.assertEqual(self.bob.lines(), ["ROOM:lobby:alice:1", "LEFT:lobby:alice"])
        self.assertEqual(self.bob.ask("LISTUSERS:"), ["ITEM:LISTUSERS:bob", "OK:LISTUSERS"])

    def test_a_client_that_does_not_close_is_not_waited_for(self) -> None:
        self.alice.pipe.lingers = True
        self.alice.send("QUIT:")

        self.assertEqual(self.bob.lines(), ["LEFT:lobby:alice"])
        self.assertEqual(self.bob.ask("LISTUSERS:"), ["ITEM:LISTUSERS:bob", "OK:LISTUSERS"])
        self.assertFalse(self.alice.pipe.aborted)
        self.house.wait(5)
        self.assertTrue(self.alice.pipe.aborted)

    def test_one_that_is_closed_in_the_middle_of_a_request_is_read_to_its_end(self) -> None:
        self.alice.pipe.lingers = True
        self.house.journal.hold()
        self.alice.send("NEWROOM:ops")
        self.assertFalse(self.alice.pipe.reading)

        self.house.wait(Patience().idle + 1)

        self.assertEqual(self.alice.lines(), ["PING:chat.example", "BYE:idle for too long"])
        self.assertTrue(self.alice.pipe.reading)
        self.house.journal.release()
        self.house.settle()
        self.assertNotIn("alice", self.house.controller.state.users)


class LineTests(LineCase):
    def test_lines_end_in_lf_or_crlf_and_answers_in_crlf(self) -> None:
        self.alice.send_bytes(b"PING:a\nPING:b\r\n")

        self.assertEqual(self.alice.received(), b"OK:PING:a\r\nOK:PING:b\r\n")

    def test_half_a_line_waits_for_its_other_half(self) -> None:
        self.alice.send_bytes(b"PING")
        self.assertEqual(self.alice.lines(), [])

        self.alice.send_bytes(b":a\r")
        self.alice.send_bytes(b"\nPI")

        self.assertEqual(self.alice.lines(), ["OK:PING:a"])

    def test_empty_lines_are_nothing(self) -> None:
        self.alice.send_bytes(b"\n\r\n\n")

        self.assertEqual(self.alice.lines(), [])

    def test_case_and_the_colon_of_a_bare_command_do_not_matter(self) -> None:
        for line in ("WHOAMI:", "WHOAMI", "whoami", "WhoAmI:"):
            self.assertEqual(self.alice.ask(line), ["OK:WHOAMI:alice"])

    def test_a_command_without_arguments_takes_none(self) -> None:
        self.refuses(self.alice, "WHOAMI:x", "BAD_ARGUMENTS")
        self.refuses(self.alice, "QUIT::", "BAD_ARGUMENTS")

    def test_unknown_commands_are_named_if_they_can_be(self) -> None:
        for line, name in (
            ("fly:x", "FLY"),
            ("hello", "HELLO"),
            ("hello world", ""),
            ("", None),
            (":", ""),
            ("::", ""),
            (1000 * ":", ""),
            ("k\N{LATIN SMALL LETTER A WITH DIAERESIS}se:", ""),
            (33 * "x" + ":", ""),
        ):
            expected = [] if name is None else [f"ERR:{name}:UNKNOWN_COMMAND"]
            self.assertEqual(heads(self.alice.ask(line)), expected)

    def test_a_thousand_colons_are_no_room(self) -> None:
        self.refuses(self.alice, "ROOM" + 1000 * ":", "BAD_ROOM_NAME")
        self.refuses(self.alice, "LOGOUT" + 1000 * ":", "BAD_ARGUMENTS")

    def test_what_is_not_utf_8_is_refused(self) -> None:
        for line in (b"SAY:bob:\xff", b"LOGIN:\xc3", b"NEWROOM:\xed\xa0\x80", b"PING:\xc0\x80"):
            self.alice.send_bytes(line + b"\n")

            [head] = heads(self.alice.lines())
            self.assertEqual(head.split(":")[2], "NOT_UTF8")

    def test_a_line_over_the_limit_is_refused_and_the_next_is_not(self) -> None:
        text = 4096 - len("PING:")

        self.assertEqual(self.alice.ask("PING:" + text * "x"), ["OK:PING:" + text * "x"])
        self.refuses(self.alice, "PING:" + text * "x" + "x", "LINE_TOO_LONG")
        self.alice.send_bytes(10_000 * b"x")
        self.alice.send_bytes(10_000 * b"x" + b"\nPING:a\n")
        self.assertEqual(heads(self.alice.lines()), ["ERR::LINE_TOO_LONG", "OK:PING:a"])

    def test_ten_thousand_lines_in_one_packet_get_ten_thousand_answers(self) -> None:
        self.assertEqual(
            self.alice.ask(*(f"PING:{number}" for number in range(10_000))),
            [f"OK:PING:{number}" for number in range(10_000)],
        )

    def test_who_is_too_fast_is_told_so_and_then_closed(self) -> None:
        house = House(flow=Flow(rate=1, burst=3, refusals=2))
        client = house.client()

        answers = client.ask(*(f"PING:{number}" for number in range(9)))

        self.assertEqual(
            heads(answers),
            [
                GREETING,
                "OK:PING:0",
                "OK:PING:1",
                "OK:PING:2",
                "ERR:PING:TOO_FAST",
                "ERR:PING:TOO_FAST",
                "BYE:too many lines at once",
            ],
        )
        self.assertTrue(client.closed)

    def test_overlong_lines_count_as_lines(self) -> None:
        house = House(flow=Flow(rate=1, burst=1, refusals=1))
        client = house.client()

        answers = client.ask("PING:a", 5000 * "x", 5000 * "x")

        self.assertEqual(
            heads(answers),
            [GREETING, "OK:PING:a", "ERR::TOO_FAST", "BYE:too many lines at once"],
        )

    def test_who_is_silent_is_asked_and_then_closed(self) -> None:
        house = House(patience=Patience(idle=10, ping=4))
        alice = house.user("alice")

        house.wait(7)
        self.assertEqual(alice.lines(), ["PING:chat.example"])
        alice.send("PONG:chat.example")
        house.wait(7)
        self.assertEqual(alice.lines(), ["OK:PONG:chat.example", "PING:chat.example"])
        house.wait(4)

        self.assertEqual(alice.lines(), ["BYE:idle for too long"])
        self.assertTrue(alice.closed)


class CodeTests(LineCase):
    """Every code that the protocol has is met by somebody."""

    lines: ClassVar[dict[str, list[str]]] = {
        "UNKNOWN_COMMAND": ["FLY:"],
        "BAD_ARGUMENTS": ["JOINROOM:"],
        "LINE_TOO_LONG": ["PING:" + 5000 * "x"],
        "NOT_UTF8": ["PING:\udcff"],
        "NOT_LOGGED_IN": ["LOGOUT:", "WHOAMI:"],
        "ALREADY_LOGGED_IN": ["LOGIN:carol"],
        "NICK_IN_USE": ["LOGOUT:", "LOGIN:bob"],
        "BAD_NICK": ["LOGOUT:", "LOGIN:b b"],
        "BAD_ROOM_NAME": ["NEWROOM:b b"],
        "BAD_PASSWORD": ["REGISTER:secret", "LOGOUT:", "LOGIN:alice:guess"],
        "NO_SUCH_ROOM": ["JOINROOM:nowhere"],
        "NO_SUCH_USER": ["SAY:carol:hello"],
        "ROOM_EXISTS": ["NEWROOM:lobby", "NEWROOM:lobby"],
        "NOT_OWNER": ["DELROOM:bobs"],
        "NOT_IN_ROOM": ["ROOM:bobs:hello"],
        "ALREADY_IN_ROOM": ["JOINROOM:bobs", "JOINROOM:bobs"],
        "PRIVATE_ROOM": ["JOINROOM:cellar"],
        "BAD_KEY": ["JOINROOM:keyed:guess"],
        "BANNED": ["JOINROOM:closed"],
        "MUTED": ["JOINROOM:quiet", "ROOM:quiet:hello"],
        "NEEDS_ACCOUNT": ["JOINROOM:known"],
        "TOO_MANY": ["NEWROOM:a", "NEWROOM:b", "NEWROOM:c"],
        "TOO_FAST": 50 * ["PING:"],
        "UNAVAILABLE": ["PROTOBUF:1"],
    }

    modes: ClassVar[dict[str, ModeChange]] = {
        "keyed": ModeChange(True, modes.KEY, "sesame"),
        "closed": ModeChange(True, modes.BAN, "alice!*@*"),
        "quiet": ModeChange(True, modes.MODERATED),
        "known": ModeChange(True, modes.ACCOUNTS_ENTER),
    }

    def test_every_code_is_met(self) -> None:
        # No request of this dialect asks for what an operator of the server may.
        self.assertEqual(set(self.lines) | {"NOT_OPERATOR"}, set(ERRORS_BY_CODE))
        for code, lines in self.lines.items():
            house = House(
                policy=Policy(rooms_owned_per_user=2),
                flow=Flow(0.1, 40, 100),
                dialects=Dialects([LineProtocol()]),
            )
            house.user("bob", "NEWROOM:bobs", "NEWROOM:cellar:private")
            house.user("cid", "NEWROOM:keyed", "NEWROOM:closed")
            house.user("dan", "NEWROOM:quiet", "NEWROOM:known")
            for room, change in self.modes.items():
                house.change_modes(room, change)
            alice = house.user("alice")

            alice.send_bytes(
                "".join(line + "\n" for line in lines).encode(errors="surrogateescape")
            )

            last = alice.lines()[-1]
            self.assertEqual(last.split(":")[0:3:2], ["ERR", code], last)
