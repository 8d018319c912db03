"""What holds for every frame of the protobuf dialect: ids, order, limits, frames that are none, and
how a connection begins and ends.
"""

from __future__ import annotations

from typing import Any, ClassVar

from chatservice.controller import modes
from chatservice.controller.desk import Flow
from chatservice.controller.errors import ERRORS_BY_CODE
from chatservice.controller.events import ModeChange
from chatservice.controller.policy import Policy
from chatservice.networking.hall import Patience
from chatservice.translation.protobuf import chat_pb2 as pb
from chatservice.varint import varint
from tests.bench import GREETING, SERVER, VERSION, House
from tests.protobuf_case import Program, ProtobufCase, framed, frames_in, kind


def ping(token: str, id: int = 0) -> pb.ClientFrame:
    return pb.ClientFrame(request_id=id, ping=pb.Ping(token=token))


def pong(token: str, id: int = 0) -> pb.ServerFrame:
    return pb.ServerFrame(request_id=id, pong=pb.Pong(token=token))


class BeginningTests(ProtobufCase):
    def test_the_server_speaks_first(self) -> None:
        policy = Policy(history_messages=7, text_bytes=1000)
        house = House(policy=policy, patience=Patience(line=5000))
        for client in (house.client("protobuf"), house.client(alpn=b"chatservice.v1")):
            [frame] = Program(client).frames()

            self.assertEqual(
                frame.hello,
                pb.Hello(
                    server=SERVER,
                    version=VERSION,
                    max_frame_bytes=5000,
                    max_text_bytes=991,
                    max_history=7,
                ),
            )
            self.assertEqual(client.speaks, "protobuf")

    def test_no_limit_is_too_short_to_say_hello(self) -> None:
        client = House(patience=Patience(line=200)).client("protobuf")

        [frame] = Program(client).frames()

        self.assertEqual((frame.hello.max_frame_bytes, frame.hello.max_text_bytes), (200, 0))

    def test_a_client_may_come_to_it_from_the_line_protocol(self) -> None:
        client = self.house.user("carol", "NEWROOM:den", "JOINROOM:den")

        self.assertEqual(client.ask("PROTOBUF:2")[0].split(":")[2], "BAD_ARGUMENTS")
        client.send("PROTOBUF:1")

        line, _, rest = client.received().partition(b"\r\n")
        self.assertEqual(line, b"OK:PROTOBUF:1")
        self.assertEqual([kind(frame) for frame in frames_in(rest)], ["hello"])
        carol = Program(client)
        self.assertEqual(carol.login, "carol")
        told, _ = carol.ask(say=pb.Say(room="den", text="still here"))
        self.assertEqual(told.message.text, "still here")

    def test_what_follows_in_the_same_packet_is_frames(self) -> None:
        # Without a byte that could end a line, longer than one may be, and the last one cut.
        ids = range(128, 256)
        data = framed(
            *(pb.ClientFrame(request_id=id, kick=pb.Kick(reason=100 * "x")) for id in ids)
        )
        self.assertFalse(b"\n" in data)
        client = self.house.client()

        client.send_bytes(b"PROTOBUF:1\r\n" + data[:-5])
        client.send_bytes(data[-5:])

        greeting, ok, rest = client.received().split(b"\r\n", 2)
        self.assertEqual((greeting.decode(), ok), (GREETING, b"OK:PROTOBUF:1"))
        hello, *answers = frames_in(rest)
        self.assertEqual(kind(hello), "hello")
        self.assertEqual([answer.request_id for answer in answers], list(ids))
        self.assertEqual({kind(answer) for answer in answers}, {"error"})

    def test_what_comes_while_it_waits_for_its_turn_is_frames_too(self) -> None:
        client = self.house.user("carol", "NEWROOM:den", "JOINROOM:den")
        data = framed(pb.ClientFrame(request_id=200, kick=pb.Kick(reason=3000 * "x")))
        self.assertFalse(b"\n" in data)
        self.house.journal.hold()

        client.send_bytes(b"ROOM:den:hello\nPROTOBUF:1\n" + 2 * data)
        # TLS hands on what it has decrypted, though it is paused.
        assert client.pipe.protocol is not None
        client.pipe.protocol.dataReceived(2 * data)
        self.house.journal.release()
        self.house.settle()

        _, _, ok, rest = client.received().split(b"\r\n", 3)
        self.assertEqual(ok, b"OK:PROTOBUF:1")
        answers = frames_in(rest)[1:]
        self.assertEqual([answer.request_id for answer in answers], 4 * [200])

    def test_frames_with_line_ends_in_them_are_frames_too(self) -> None:
        tokens = ["\n", "\r\n", "a\nb", 10 * "\n", ""]
        client = self.house.client()

        client.send_bytes(b"PROTOBUF:1\n" + framed(*map(ping, tokens)))

        rest = client.received().split(b"\r\n", 2)[2]
        self.assertEqual(frames_in(rest)[1:], list(map(pong, tokens)))

    def test_one_who_is_silent_is_not_greeted_with_a_line(self) -> None:
        stranger = self.stranger()

        self.house.wait(10)

        self.assertEqual(stranger.frames(), [])


class AnswerTests(ProtobufCase):
    def test_every_answer_has_the_id_of_its_request(self) -> None:
        self.given_room("den", self.alice)
        self.alice.send(
            pb.ClientFrame(request_id=2**64 - 1, who_am_i=pb.WhoAmI()),
            pb.ClientFrame(request_id=7, join_room=pb.JoinRoom(room="den")),
            pb.ClientFrame(request_id=7, list_users=pb.ListUsers()),
            pb.ClientFrame(request_id=9),
            pb.ClientFrame(ping=pb.Ping()),
        )

        self.assertEqual(
            [(frame.request_id, kind(frame)) for frame in self.alice.frames()],
            [(2**64 - 1, "identity"), (7, "error"), (7, "user_list"), (9, "error"), (0, "pong")],
        )

    def test_what_is_said_does_not_wait_but_what_follows_it_does(self) -> None:
        self.given_room("den", self.alice)
        self.house.journal.hold()
        self.alice.send(
            *(
                pb.ClientFrame(request_id=id, say=pb.Say(room=room, text="x"))
                for id, room in ((1, "den"), (2, "den"), (3, "nowhere"), (4, "den"))
            ),
            ping("after", 5),
        )

        # What is refused at once is answered at once.
        [refused] = self.alice.frames()
        self.assertEqual((refused.request_id, kind(refused)), (3, "error"))
        self.house.journal.release()
        self.house.settle()

        frames = self.alice.frames()
        self.assertEqual(
            [(frame.request_id, kind(frame)) for frame in frames if kind(frame) != "message"],
            [(1, "stored"), (2, "stored"), (4, "stored"), (5, "pong")],
        )

    def test_what_was_said_before_quit_is_answered(self) -> None:
        self.given_room("den", self.alice, self.bob)
        self.alice.send(
            pb.ClientFrame(request_id=1, say=pb.Say(room="den", text="x")),
            pb.ClientFrame(request_id=2, quit=pb.Quit()),
            ping("late"),
        )

        *_, done, bye = frames = self.alice.frames()
        self.assertEqual([kind(frame) for frame in frames], ["message", "stored", "done", "bye"])
        self.assertEqual((done.request_id, bye.bye.reason), (2, "goodbye"))
        self.assertTrue(self.alice.closed)
        self.assertEqual(self.bob.kinds(), ["message", "left"])

    def test_ping_brings_the_token_back_and_pong_has_no_answer(self) -> None:
        self.assertEqual(self.alice.answer(ping=pb.Ping(token="a\0é\n")), pong("a\0é\n"))
        self.assertEqual(self.alice.ask(pong=pb.Pong(token="x")), [])


class NewerClientTests(ProtobufCase):
    def test_fields_that_nobody_knows_are_passed_over(self) -> None:
        request = ping("x", 7).SerializeToString()
        for unknown in (b"\xf8\x07\x01", b"\xfa\x07\x03abc", b"\xfb\x07\x08\x01\xfc\x07"):
            self.alice.client.send_bytes(varint(len(request + unknown)) + request + unknown)

            self.assertEqual(self.alice.frames(), [pong("x", 7)])

    def test_a_request_that_nobody_knows_is_refused_with_its_id(self) -> None:
        for body in (b"\x08\x07", b"\x08\x07\xfa\x07\x03abc"):
            self.alice.client.send_bytes(varint(len(body)) + body)

            [frame] = self.alice.frames()
            self.assertEqual(
                (frame.request_id, frame.error.code), (7, pb.Error.Code.UNKNOWN_COMMAND)
            )
        self.assertEqual(self.alice.login, "alice")

    def test_an_empty_frame_is_one_of_them(self) -> None:
        self.alice.client.send_bytes(b"\0")

        [frame] = self.alice.frames()
        self.assertEqual((frame.request_id, frame.error.code), (0, pb.Error.Code.UNKNOWN_COMMAND))
        self.assertFalse(self.alice.closed)

    def test_of_several_requests_in_a_frame_the_last_counts(self) -> None:
        body = pb.ClientFrame(request_id=7, quit=pb.Quit()).SerializeToString()
        body += ping("x").SerializeToString()
        self.alice.client.send_bytes(varint(len(body)) + body)

        self.assertEqual(self.alice.frames(), [pong("x", 7)])


class NoFrameTests(ProtobufCase):
    """What cannot be understood is answered, and the connection is closed: nothing after it can."""

    def setUp(self) -> None:
        super().setUp()
        self.given_room("den", self.alice, self.bob)

    def ends(self, code: str, data: bytes) -> None:
        """Bytes are answered with an error and a farewell, after all that was said before."""
        self.open_house()
        self.given_room("den", self.alice, self.bob)
        said = pb.ClientFrame(request_id=5, say=pb.Say(room="den", text="before"))

        self.alice.client.send_bytes(framed(said) + data + framed(ping("after")))

        frames = self.alice.frames()
        self.assertEqual([kind(frame) for frame in frames], ["message", "stored", "error", "bye"])
        error, bye = frames[2:]
        self.assertEqual((error.request_id, pb.Error.Code.Name(error.error.code)), (0, code), data)
        self.assertEqual(bye.bye.reason, error.error.words)
        self.assertTrue(self.alice.closed)
        self.assertEqual(self.bob.kinds(), ["message", "left"])

    def test_garbage(self) -> None:
        cut = pb.ClientFrame(say=pb.Say(room="den", text="hello")).SerializeToString()[:-1]
        not_utf8 = pb.ClientFrame(login=pb.Login(nick="xyz")).SerializeToString()
        for body in (
            b"\xff",
            b"\x07",
            b"\x0c",
            3000 * b"\x23",
            b"LOGIN:alice\r\n",
            cut,
            not_utf8.replace(b"y", b"\xff"),
            not_utf8.replace(b"xyz", b"\xed\xa0\x80"),
        ):
            self.ends("BAD_ARGUMENTS", varint(len(body)) + body)

    def test_a_frame_over_the_limit(self) -> None:
        self.ends("LINE_TOO_LONG", varint(4097) + 4097 * b"x")
        self.ends("LINE_TOO_LONG", varint(4097))
        self.ends("LINE_TOO_LONG", varint(2**34))

    def test_a_frame_of_the_longest_length(self) -> None:
        longest = ping(4089 * "x")
        self.assertEqual(longest.ByteSize(), 4096)

        self.alice.send(longest)

        self.assertEqual(self.alice.frames(), [pong(4089 * "x")])
        self.ends("LINE_TOO_LONG", framed(ping(4090 * "x")))

    def test_a_length_that_never_ends(self) -> None:
        for length in (5 * b"\xff", 11 * b"\xff"):
            self.open_house()
            self.alice.client.send_bytes(length)

            error, bye = self.alice.frames()
            self.assertEqual(error.error.code, pb.Error.Code.LINE_TOO_LONG)
            self.assertEqual(kind(bye), "bye")
            self.assertTrue(self.alice.closed)

    def test_half_a_frame_waits_for_its_other_half(self) -> None:
        data = framed(ping(200 * "x"))
        for byte in data[:-1]:
            self.alice.client.send_bytes(bytes((byte,)))
        self.assertEqual(self.alice.frames(), [])

        self.alice.client.send_bytes(data[-1:])

        self.assertEqual(self.alice.frames(), [pong(200 * "x")])

    def test_half_a_frame_is_no_sign_of_life(self) -> None:
        self.open_house(patience=Patience(idle=10, ping=4))
        half = framed(ping(200 * "x"))[:-1]
        for byte in half[:11]:
            self.alice.client.send_bytes(bytes((byte,)))
            self.house.wait(1)

        asked, bye = self.alice.frames()
        self.assertEqual((kind(asked), asked.request_id), ("ping", 0))
        self.assertEqual(bye.bye.reason, "idle for too long")
        self.assertTrue(self.alice.closed)

    def test_half_a_frame_of_one_who_goes_is_nothing(self) -> None:
        self.alice.client.send_bytes(
            framed(pb.ClientFrame(say=pb.Say(room="den", text="hello")))[:-1]
        )
        self.alice.client.hang_up()

        self.assertEqual(self.bob.kinds(), ["left"])
        self.assertEqual(self.flushLoggedErrors(), [])


class LimitTests(ProtobufCase):
    def test_whoever_is_silent_is_asked_and_then_closed(self) -> None:
        self.open_house(patience=Patience(idle=10, ping=4))
        self.house.wait(7)
        [asked] = self.alice.frames()
        self.assertEqual(asked.ping.token, SERVER)

        self.alice.ask(pong=pb.Pong(token=SERVER))
        self.house.wait(7)
        self.assertEqual(self.alice.kinds(), ["ping"])
        self.house.wait(4)

        self.assertEqual(self.alice.kinds(), ["bye"])

    def test_who_does_not_log_in_is_closed(self) -> None:
        house = House(patience=Patience(login=5))
        stranger = self.stranger(house)

        house.wait(5)

        [bye] = stranger.frames()
        self.assertEqual(bye.bye.reason, "too slow to log in")

    def test_who_is_too_fast_is_told_which_was_and_then_closed(self) -> None:
        house = House(flow=Flow(rate=1, burst=3, refusals=2))
        stranger = self.stranger(house)

        stranger.send(*(ping("", id) for id in range(1, 9)))

        frames = stranger.frames()
        self.assertEqual(
            [(frame.request_id, kind(frame)) for frame in frames],
            [(1, "pong"), (2, "pong"), (3, "pong"), (4, "error"), (5, "error"), (0, "bye")],
        )
        self.assertEqual(frames[3].error.code, pb.Error.Code.TOO_FAST)
        self.assertEqual(frames[5].bye.reason, "too many lines at once")
        self.assertTrue(stranger.closed)

    def test_what_is_said_too_fast_is_not_said(self) -> None:
        self.open_house(flow=Flow(rate=0.1, burst=4, refusals=10))
        self.given_room("den", self.alice)

        self.alice.send(
            *(
                pb.ClientFrame(request_id=id, say=pb.Say(room="den", text=str(id)))
                for id in range(1, 4)
            )
        )

        self.assertEqual(
            [(frame.request_id, kind(frame)) for frame in self.alice.frames()],
            [(2, "error"), (3, "error"), (0, "message"), (1, "stored")],
        )

    def test_answers_wait_through_a_restart_of_the_controller(self) -> None:
        self.given_room("den", self.alice)
        self.house.journal.hold()
        self.alice.send(pb.ClientFrame(request_id=1, say=pb.Say(room="den", text="x")), ping("", 2))
        self.house.restart_controller()
        self.house.journal.release()
        self.house.settle()

        self.assertEqual(self.alice.kinds(), ["message", "stored", "pong"])

    def test_a_client_that_is_closed_while_its_request_runs_gets_no_answer(self) -> None:
        self.house.journal.hold()
        self.alice.send(pb.ClientFrame(request_id=1, create_room=pb.CreateRoom(room="den")))
        self.alice.client.hang_up()
        self.house.journal.release()
        self.house.settle()

        self.assertEqual(self.alice.frames(), [])
        self.assertNotIn("alice", self.house.controller.state.users)


class CodeTests(ProtobufCase):
    """Every code that there is is met by somebody."""

    requests: ClassVar[dict[str, list[dict[str, Any]]]] = {
        "UNKNOWN_COMMAND": [{}],
        "BAD_ARGUMENTS": [{"tell": pb.Tell(nick="bob")}],
        "NOT_LOGGED_IN": [{"logout": pb.Logout()}, {"who_am_i": pb.WhoAmI()}],
        "ALREADY_LOGGED_IN": [{"login": pb.Login(nick="carol")}],
        "NICK_IN_USE": [{"logout": pb.Logout()}, {"login": pb.Login(nick="bob")}],
        "BAD_NICK": [{"logout": pb.Logout()}, {"login": pb.Login(nick="b b")}],
        "BAD_ROOM_NAME": [{"create_room": pb.CreateRoom(room="b b")}],
        "BAD_PASSWORD": [{"register": pb.Register()}],
        "NO_SUCH_ROOM": [{"join_room": pb.JoinRoom(room="nowhere")}],
        "NO_SUCH_USER": [{"tell": pb.Tell(nick="carol", text="x")}],
        "ROOM_EXISTS": 2 * [{"create_room": pb.CreateRoom(room="den")}],
        "NOT_OWNER": [{"delete_room": pb.DeleteRoom(room="bobs")}],
        "NOT_IN_ROOM": [{"say": pb.Say(room="bobs", text="x")}],
        "ALREADY_IN_ROOM": 2 * [{"join_room": pb.JoinRoom(room="bobs")}],
        "PRIVATE_ROOM": [{"join_room": pb.JoinRoom(room="cellar")}],
        "BAD_KEY": [{"join_room": pb.JoinRoom(room="keyed", key="guess")}],
        "BANNED": [{"join_room": pb.JoinRoom(room="closed")}],
        "MUTED": [
            {"join_room": pb.JoinRoom(room="quiet")},
            {"say": pb.Say(room="quiet", text="x")},
        ],
        "NEEDS_ACCOUNT": [{"join_room": pb.JoinRoom(room="known")}],
        "TOO_MANY": [{"create_room": pb.CreateRoom(room=room)} for room in "abc"],
        "TOO_FAST": 50 * [{"ping": pb.Ping()}],
        "LINE_TOO_LONG": [{"ping": pb.Ping(token=5000 * "x")}],
    }

    modes: ClassVar[dict[str, ModeChange]] = {
        "keyed": ModeChange(True, modes.KEY, "sesame"),
        "closed": ModeChange(True, modes.BAN, "alice!*@*"),
        "quiet": ModeChange(True, modes.MODERATED),
        "known": ModeChange(True, modes.ACCOUNTS_ENTER),
    }

    def test_every_code_is_met(self) -> None:
        elsewhere = {
            "UNAVAILABLE",  # by all tests of what cannot be stored
            "NOT_UTF8",  # in the line protocol; here it makes a frame none
            "NOT_OPERATOR",  # in IRC
        }
        self.assertEqual(set(self.requests) | elsewhere, set(ERRORS_BY_CODE))
        for code, requests in self.requests.items():
            self.open_house(policy=Policy(rooms_owned_per_user=2), flow=Flow(0.1, 40, 100))
            self.house.user("bobby", "NEWROOM:bobs", "NEWROOM:cellar:private")
            self.house.user("cid", "NEWROOM:keyed", "NEWROOM:closed")
            self.house.user("dan", "NEWROOM:quiet", "NEWROOM:known")
            for room, change in self.modes.items():
                self.house.change_modes(room, change)

            self.alice.send(*(pb.ClientFrame(**request) for request in requests))

            errors = [frame.error for frame in self.alice.frames() if kind(frame) == "error"]
            self.assertEqual(pb.Error.Code.Name(errors[-1].code), code)
