"""What tests of the protobuf dialect begin with: programs that speak it, in a house and over real
sockets. Frames are taken apart and put together by protobuf's own code, not by the service's.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from google.protobuf import proto
from google.protobuf.message import Message
from twisted.trial.unittest import SynchronousTestCase

from chatservice.translation.protobuf import chat_pb2 as pb
from tests.bench import NOW, Client, House

NOW_MS = int(NOW * 1000)


def framed(*messages: Message) -> bytes:
    """Messages as they go over the wire."""
    stream = BytesIO()
    for message in messages:
        proto.serialize_length_prefixed(message, stream)
    return stream.getvalue()


def frames_in(data: bytes) -> list[pb.ServerFrame]:
    """What the server has written; half a frame, or anything else, is an error."""
    stream, found = BytesIO(data), []
    while stream.tell() < len(data):
        found.append(proto.parse_length_prefixed(pb.ServerFrame, stream))
    return found


def alone(frames: list[pb.ServerFrame]) -> Iterator[pb.ServerFrame]:
    """The same, but each message as if it had come alone."""
    for frame in frames:
        if kind(frame) != "messages":
            yield frame
            continue
        ms = 0
        for message in frame.messages.messages:
            ms = message.ms = message.ms or ms
            message.room = frame.messages.room
            yield pb.ServerFrame(message=message)


def kind(frame: pb.ServerFrame) -> str:
    """What a frame is: the name of its content."""
    return frame.WhichOneof("content") or ""


class Program:
    """Somebody who speaks protobuf to a house.

    Attributes:
        client: the connection.
        last_id: the id of the last request of `ask`.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.last_id = 0

    def send(self, *frames: pb.ClientFrame) -> None:
        """Send frames in one packet, and wait until all that comes of it has happened."""
        self.client.send_bytes(framed(*frames))

    def frames(self) -> list[pb.ServerFrame]:
        """The frames that came since the last look, each message in one of its own."""
        return list(alone(frames_in(self.client.received())))

    def kinds(self) -> list[str]:
        """What came since the last look, by the names alone."""
        return [kind(frame) for frame in self.frames()]

    def ask(self, **request: Any) -> list[pb.ServerFrame]:
        """Send a request, the one field of `ClientFrame` that is given; give what came of it."""
        self.frames()
        self.last_id += 1
        self.send(pb.ClientFrame(request_id=self.last_id, **request))
        return self.frames()

    def answers(self, **request: Any) -> list[pb.ServerFrame]:
        """Send a request, and give the frames that answer it, which have its id."""
        found = [frame for frame in self.ask(**request) if frame.request_id]
        assert {frame.request_id for frame in found} == {self.last_id}, found
        assert [frame.more for frame in found] == [True] * (len(found) - 1) + [False], found
        return found

    def answer(self, **request: Any) -> pb.ServerFrame:
        """Send a request, and give the one frame that answers it, without its id."""
        [frame] = self.answers(**request)
        frame.request_id = 0
        return frame

    @property
    def closed(self) -> bool:
        """Has the server closed the connection?"""
        return self.client.closed

    @property
    def login(self) -> str:
        """The nick that it has; empty for none."""
        return self.answer(who_am_i=pb.WhoAmI()).identity.nick


class ProtobufCase(SynchronousTestCase):
    """A house with alice and bob in it, who speak protobuf."""

    def setUp(self) -> None:
        self.open_house()

    def open_house(self, **how: Any) -> None:
        """A house of another kind; see `House`."""
        self.house = House(**how)
        self.alice = self.program("alice")
        self.bob = self.program("bob")

    def stranger(self, house: House | None = None) -> Program:
        """A program that is connected, and has read the greeting."""
        program = Program((house or self.house).client("protobuf"))
        self.assertEqual(program.kinds(), ["hello"])
        return program

    def program(self, nick: str, password: str = "") -> Program:
        """A program that is logged in."""
        program = self.stranger()
        self.given(program, login=pb.Login(nick=nick, password=password))
        return program

    def given(self, program: Program, **request: Any) -> pb.ServerFrame:
        """This request was granted before the test."""
        answer = program.answers(**request)[-1]
        self.assertNotEqual(kind(answer), "error", answer)
        return answer

    def given_room(self, room: str, *members: Program, private: bool = False) -> None:
        """There is a room, which the first of its members made; nothing of it is unread."""
        self.given(members[0], create_room=pb.CreateRoom(room=room, private=private))
        for member in members:
            self.given(member, join_room=pb.JoinRoom(room=room))
        self.forget()

    def forget(self) -> None:
        """What everybody has got until now is no matter of the test."""
        self.alice.frames()
        self.bob.frames()

    def refuses(self, program: Program, code: str, **request: Any) -> None:
        """The request is answered with this code and with words, and nothing else."""
        [frame] = program.ask(**request)
        self.assertEqual(frame.request_id, program.last_id)
        self.assertEqual(pb.Error.Code.Name(frame.error.code), code, frame)
        self.assertTrue(frame.error.words)

    def is_done(
        self, answer: pb.ServerFrame, room: str = "", nick: str = "", *, event: Any = None
    ) -> None:
        """An answer says that it was done, and to what; and which event that is, if it is one."""
        self.assertEqual(kind(answer), "done", answer)
        self.assertEqual((answer.done.room, answer.done.nick), (room, nick))
        self.assertEqual(answer.done.ms, NOW_MS if answer.done.id else 0)
        if event is not None:
            self.assertEqual((event.id, event.ms), (answer.done.id, answer.done.ms))
