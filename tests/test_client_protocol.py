"""
One connection to a server: frames, answers, time-outs, signs of life, and how it ends.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from chatservice.client import (
    BadServer,
    ChatClientFactory,
    ChatClientProtocol,
    ClientError,
    ConnectionGone,
    Event,
    Joined,
    Message,
    Refused,
    TimedOut,
    Untrusted,
)
from chatservice.client.endpoints import Place
from chatservice.client.pins import Server
from chatservice.client.protocol import Listener
from chatservice.networking.framing import FrameBuffer
from chatservice.translation.protobuf import chat_pb2 as pb
from tests.protobuf_case import framed

KEEPALIVE = 60.0
ASKED = b"PROTOBUF:1\r\n"
HELLO = pb.ServerFrame(hello=pb.Hello(server="chat.example", version="1"))


class Transport(StringTransport):
    """
    What a connection is written to.

    Attributes:
        negotiatedProtocol: what TLS has settled on.
    """

    negotiatedProtocol: bytes | None = None

    def taken(self) -> bytes:
        """What was written since the last look."""
        data: bytes = self.value()
        self.clear()
        return data

    def requests(self) -> list[pb.ClientFrame]:
        """The frames among it."""
        return [pb.ClientFrame.FromString(body) for body in FrameBuffer(1 << 20).feed(self.taken())]


class Ear(Listener):
    """Hears everything, and writes it down."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.lost_by: list[ClientError] = []

    def greeted(self, protocol: ChatClientProtocol, hello: pb.Hello) -> None:
        self.heard.append(hello.server)

    def said(self, message: Message) -> None:
        self.heard.append(message.text)

    def happened(self, event: Event) -> None:
        self.heard.append(event)

    def lost(self, protocol: ChatClientProtocol, reason: ClientError) -> None:
        self.lost_by.append(reason)


class Checked(Place):
    """A server behind TLS, which is trusted or is not."""

    fault: ClientError | None = None

    def check(self, transport: Any) -> None:
        if Checked.fault is not None:
            raise Checked.fault


class ProtocolCase(SynchronousTestCase):
    encrypted = False

    def setUp(self) -> None:
        self.clock = Clock()
        self.ear = Ear()
        self.transport: Any = Transport()
        endpoint: Any = None
        place = Checked(endpoint, "chat.example:6667", "chat.example", 6667, self.encrypted)
        factory = ChatClientFactory(place, self.ear, self.clock, KEEPALIVE)
        self.protocol = factory.buildProtocol(None)
        self.protocol.makeConnection(self.transport)

    def receive(self, *frames: pb.ServerFrame) -> None:
        """The server sends frames, in one packet."""
        self.protocol.dataReceived(framed(*frames))

    def begin(self) -> None:
        """The server has said who it is."""
        self.protocol.dataReceived(b"HELLO:chat.example:1\r\nOK:PROTOBUF:1\r\n")
        self.receive(HELLO)
        self.transport.clear()
        self.ear.heard.clear()

    def ask(self, timeout: float | None = None) -> Deferred[pb.ServerFrame]:
        """Ask who is here."""
        return self.protocol.request(timeout, list_users=pb.ListUsers())

    def lose(self, reason: Exception | None = None) -> None:
        """The connection is gone."""
        self.protocol.connectionLost(Failure(reason or ConnectionLost()))


class OpeningTests(ProtocolCase):
    def test_it_asks_for_frames(self) -> None:
        self.assertEqual(self.transport.taken(), ASKED)

        self.protocol.dataReceived(b"HELLO:chat.example:1\r\n")
        self.protocol.dataReceived(b"OK:PROTO")
        self.protocol.dataReceived(b"BUF:1\r\n")
        self.receive(HELLO)

        self.assertEqual(self.ear.heard, ["chat.example"])

    def test_frames_may_follow_in_the_same_packet(self) -> None:
        said = pb.ServerFrame(message=pb.Message(text="a\nb"))
        frames = framed(HELLO, said)

        self.protocol.dataReceived(b"HELLO:chat.example:1\r\nOK:PROTOBUF:1\r\n" + frames[:-3])
        self.protocol.dataReceived(frames[-3:])

        self.assertEqual(self.ear.heard, ["chat.example", "a\nb"])

    def test_it_may_come_byte_by_byte(self) -> None:
        for byte in b"HELLO:chat.example:1\r\nOK:PROTOBUF:1\r\n" + framed(HELLO):
            self.protocol.dataReceived(bytes((byte,)))

        self.assertEqual(self.ear.heard, ["chat.example"])

    def test_a_server_that_speaks_something_else_is_none(self) -> None:
        for greeting in (
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b":irc.example NOTICE * :*** Looking up your hostname\r\n",
            b"HELLO:chat.example:1\r\nERR:PROTOBUF:UNKNOWN_COMMAND:no\r\n",
            b"\xff" * 5000,
        ):
            self.setUp()

            self.protocol.dataReceived(greeting)

            [reason] = self.ear.lost_by
            self.assertIsInstance(reason, BadServer)
            self.assertIn("no chat server", str(reason))
            self.assertTrue(self.transport.disconnecting)

    def test_who_greets_twice_is_heard_once(self) -> None:
        self.begin()

        self.receive(HELLO)

        self.assertEqual(self.ear.heard, [])


class EncryptedTests(ProtocolCase):
    encrypted = True

    def setUp(self) -> None:
        Checked.fault = None
        super().setUp()

    def test_nothing_is_sent_before_the_server_is_trusted(self) -> None:
        self.assertEqual(self.transport.taken(), b"")

        self.protocol.handshakeCompleted()

        self.assertEqual(self.transport.taken(), ASKED)

    def test_what_tls_has_settled_need_not_be_asked_for(self) -> None:
        self.transport.negotiatedProtocol = b"chatservice.v1"
        self.protocol.handshakeCompleted()

        self.receive(HELLO)

        self.assertEqual(self.transport.taken(), b"")
        self.assertEqual(self.ear.heard, ["chat.example"])

    def test_who_is_not_trusted_gets_nothing(self) -> None:
        Checked.fault = Untrusted(Server.of("chat.example", 6667), "AA", "it is somebody else")

        self.protocol.handshakeCompleted()
        self.lose()

        self.assertEqual(self.ear.lost_by, [Checked.fault])
        self.assertEqual(self.transport.taken(), b"")
        self.assertTrue(self.transport.disconnecting)


class AnswerTests(ProtocolCase):
    def setUp(self) -> None:
        super().setUp()
        self.begin()

    def test_each_request_gets_its_own(self) -> None:
        first, second = self.ask(), self.ask()
        one, two = (frame.request_id for frame in self.transport.requests())
        self.assertNotEqual(one, two)

        self.receive(
            pb.ServerFrame(request_id=two, error=pb.Error(code="NOT_LOGGED_IN", words="log in")),
            pb.ServerFrame(request_id=one, user_list=pb.UserList()),
        )

        self.assertEqual(self.failureResultOf(second, Refused).value.code, "NOT_LOGGED_IN")
        self.assertEqual(self.successResultOf(first).WhichOneof("content"), "user_list")

    def test_one_may_come_in_several_frames_with_others_between(self) -> None:
        answer = self.ask()
        [asked] = self.transport.requests()

        def part(*nicks: str, more: bool) -> pb.ServerFrame:
            users = pb.UserList(users=[pb.User(nick=nick) for nick in nicks])
            return pb.ServerFrame(request_id=asked.request_id, user_list=users, more=more)

        self.receive(part("a", "b", more=True), pb.ServerFrame(message=pb.Message(text="hello")))
        self.receive(part("c", more=True))
        self.assertNoResult(answer)
        self.receive(part("d", more=False))

        users = self.successResultOf(answer).user_list.users
        self.assertEqual([user.nick for user in users], ["a", "b", "c", "d"])
        self.assertEqual(self.ear.heard, ["hello"])

    def test_one_that_does_not_come_in_time_is_not_waited_for(self) -> None:
        answer = self.ask(timeout=10)
        self.clock.advance(9)
        self.assertNoResult(answer)

        self.clock.advance(1)

        self.assertIn("10 seconds", str(self.failureResultOf(answer, TimedOut).value))
        self.assertEqual(self.ear.lost_by, [])

    def test_one_that_comes_too_late_is_nothing(self) -> None:
        late, other = self.ask(timeout=1), self.ask()
        one, two = (frame.request_id for frame in self.transport.requests())
        self.receive(pb.ServerFrame(request_id=one, user_list=pb.UserList(), more=True))
        self.clock.advance(1)
        self.failureResultOf(late, TimedOut)

        for more in (True, True, False):
            self.receive(pb.ServerFrame(request_id=one, user_list=pb.UserList(), more=more))
        self.receive(pb.ServerFrame(request_id=two, user_list=pb.UserList()))

        self.successResultOf(other)
        self.assertEqual((self.protocol._requests, self.protocol._begun), ({}, {}))

    def test_one_that_nobody_asked_for_is_nothing(self) -> None:
        self.receive(pb.ServerFrame(request_id=99, done=pb.Done()))

        self.assertEqual((self.ear.heard, self.ear.lost_by), ([], []))

    def test_an_error_of_a_newer_server_has_no_code(self) -> None:
        answer = self.ask()
        [asked] = self.transport.requests()
        frame = pb.ServerFrame(request_id=asked.request_id, error=pb.Error(words="new"))
        frame.error.code = 99  # type: ignore[assignment]

        self.receive(frame)

        refused = self.failureResultOf(answer, Refused).value
        self.assertEqual((refused.code, str(refused)), ("UNSPECIFIED", "new"))

    def test_what_a_newer_server_tells_is_passed_over(self) -> None:
        # Field 100, of any content.
        self.protocol.dataReceived(b"\x06\xa2\x06\x03abc")

        self.receive(pb.ServerFrame(joined=pb.Joined(room="den", nick="bob")))

        self.assertEqual(self.ear.heard, [Joined("", 0, "den", "bob")])


class LifeTests(ProtocolCase):
    def setUp(self) -> None:
        super().setUp()
        self.begin()

    def silence(self) -> None:
        """Nothing comes for a while."""
        self.clock.advance(KEEPALIVE)

    def test_a_silent_server_is_asked_whether_it_is_there(self) -> None:
        self.silence()
        self.assertEqual(self.transport.requests(), [])
        self.silence()
        self.assertEqual([f.WhichOneof("request") for f in self.transport.requests()], ["ping"])

        self.receive(pb.ServerFrame(pong=pb.Pong()))
        self.silence()
        self.silence()

        self.assertEqual(self.ear.lost_by, [])
        self.assertEqual([f.WhichOneof("request") for f in self.transport.requests()], ["ping"])

    def test_one_that_does_not_answer_is_left(self) -> None:
        self.silence()
        self.silence()

        self.silence()

        [reason] = self.ear.lost_by
        self.assertEqual(str(reason), "the server does not answer")
        self.assertTrue(self.transport.disconnecting)

    def test_a_request_that_has_just_been_made_is_given_its_time(self) -> None:
        self.silence()
        self.clock.advance(KEEPALIVE - 1)
        answer = self.ask()

        self.clock.advance(1)

        self.assertEqual(self.ear.lost_by, [])
        self.assertNoResult(answer)

    def test_one_that_never_greets_is_left(self) -> None:
        self.setUp_again()

        self.silence()

        self.assertEqual(len(self.ear.lost_by), 1)

    def setUp_again(self) -> None:
        """Another connection, on which nothing has come."""
        ProtocolCase.setUp(self)

    def test_the_server_may_ask_too(self) -> None:
        self.receive(pb.ServerFrame(ping=pb.Ping(token="x")))

        self.assertEqual(self.transport.requests(), [pb.ClientFrame(pong=pb.Pong(token="x"))])


class EndTests(ProtocolCase):
    def setUp(self) -> None:
        super().setUp()
        self.begin()

    def test_whoever_waits_is_told(self) -> None:
        answers = [self.ask(), self.ask(5)]

        self.lose()

        for answer in answers:
            error = self.failureResultOf(answer, ConnectionGone).value
            self.assertEqual(str(error), "chat.example:6667: the connection was lost")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_whoever_is_told_may_give_up_what_others_wait_for(self) -> None:
        first, second, third = self.ask(), self.ask(), self.ask()
        first.addErrback(lambda _: second.cancel())
        second.addErrback(lambda _: "given up")

        self.lose()

        self.assertEqual(self.successResultOf(second), "given up")
        self.failureResultOf(third, ConnectionGone)

    def test_whoever_asks_later_is_told_at_once(self) -> None:
        self.lose()

        self.failureResultOf(self.ask(), ConnectionGone)

    def test_the_server_may_say_why(self) -> None:
        self.receive(pb.ServerFrame(bye=pb.Bye(reason="the server stops")))
        self.lose(ConnectionDone())

        [reason] = self.ear.lost_by
        self.assertEqual(
            str(reason), "chat.example:6667 has closed the connection: the server stops"
        )

    def test_garbage_is_no_server(self) -> None:
        for garbage in (b"\x03\xff\xff\xff", b"\xff" * 11, b"\xff\xff\xff\x7f" + b"x" * 100):
            self.setUp()
            answer = self.ask()

            self.protocol.dataReceived(garbage)
            self.lose()

            [reason] = self.ear.lost_by
            self.assertIsInstance(reason, BadServer)
            # To whoever has asked something, it is a lost connection as any other.
            self.failureResultOf(answer, ConnectionGone)

    def test_the_longest_frame_that_is_promised_is_taken(self) -> None:
        text = "x" * (2 * 1024 * 1024 - 32)

        self.receive(pb.ServerFrame(message=pb.Message(text=text)))

        self.assertEqual(self.ear.heard, [text])

    def test_one_may_leave(self) -> None:
        answer = self.ask()
        self.transport.clear()

        self.protocol.leave()

        self.assertEqual(self.transport.requests(), [pb.ClientFrame(quit=pb.Quit())])
        self.assertTrue(self.transport.disconnecting)
        self.assertEqual(len(self.ear.lost_by), 1)
        self.lose(ConnectionDone())
        self.failureResultOf(answer, ConnectionGone)
        self.assertEqual(len(self.ear.lost_by), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_server_that_does_not_see_it_is_left_all_the_same(self) -> None:
        aborted: list[bool] = []
        self.transport.abortConnection = lambda: aborted.append(True)
        self.protocol.leave()

        self.clock.advance(10)

        self.assertEqual(aborted, [True])
        self.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_what_comes_after_one_has_left_is_not_heard(self) -> None:
        self.patch(self.ear, "happened", lambda _: self.protocol.leave())

        self.receive(
            pb.ServerFrame(joined=pb.Joined(room="den", nick="bob")),
            pb.ServerFrame(message=pb.Message(text="too late")),
        )
        self.receive(pb.ServerFrame(message=pb.Message(text="far too late")))

        self.assertEqual(self.ear.heard, [])
