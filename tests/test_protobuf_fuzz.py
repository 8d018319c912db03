"""What a mad program may send, beside people who behave: it gets frames back that are well formed,
is closed with words if at all, leaves no traceback in the log, and disturbs nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given, settings
from hypothesis import strategies as st

from chatservice.controller.policy import Policy
from chatservice.translation.protobuf import chat_pb2 as pb
from tests.protobuf_case import NOW_MS, Program, ProtobufCase, framed, kind

WORDS = ("mad", "bob", "carol", "nobody", "den", "attic", "root", "secret", "1", "17", "", "x y")

_many = settings(max_examples=150, deadline=None, derandomize=True, database=None)

_texts = st.sampled_from(WORDS) | st.text(max_size=20)
_numbers = st.sampled_from((0, 1, 2, 7, 2**31, 2**32 - 1))
_moments = st.sampled_from((NOW_MS - 1, NOW_MS, NOW_MS + 1)) | st.integers(0, 2**64 - 1)
_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: _texts,
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_UINT32: _numbers,
    FieldDescriptor.TYPE_UINT64: _numbers | _moments,
}


def message_of(descriptor: Descriptor | None) -> st.SearchStrategy[Message]:
    """Any message of a kind, its fields set or not."""
    assert descriptor is not None
    fields = {
        field.name: message_of(field.message_type)
        if field.message_type is not None
        else _SCALARS[field.type]
        for field in descriptor.fields
    }
    made: Callable[..., Message] = GetMessageClass(descriptor)
    return st.fixed_dictionaries({}, optional=fields).map(lambda values: made(**values))


def one_request(field: FieldDescriptor) -> st.SearchStrategy[pb.ClientFrame]:
    """Any frame with one request."""
    return st.builds(
        lambda id, request: pb.ClientFrame(request_id=id, **{field.name: request}),
        _SCALARS[FieldDescriptor.TYPE_UINT64],
        message_of(field.message_type),
    )


_ONEOF: Any = pb.ClientFrame.DESCRIPTOR.oneofs[0]
_REQUESTS = st.one_of(*map(one_request, _ONEOF.fields))
_FRAMES = st.lists(_REQUESTS, max_size=12)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Frames of which some bytes are others, missing, or too many."""
    data = bytearray(framed(*draw(_FRAMES)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(data)


class FuzzTests(ProtobufCase):
    def test_random_bytes(self) -> None:
        @_many
        @given(st.lists(st.binary(max_size=300), max_size=6))
        def check(pieces: list[bytes]) -> None:
            self.disturbs_nobody(*pieces)

        check()

    def test_frames_that_are_damaged(self) -> None:
        @_many
        @given(mutated(), st.integers(0, 200))
        def check(data: bytes, cut: int) -> None:
            self.disturbs_nobody(data[:cut], data[cut:])

        check()

    def test_random_requests(self) -> None:
        @_many
        @given(_FRAMES, st.booleans())
        def check(frames: list[pb.ClientFrame], at_once: bool) -> None:
            packets = [framed(*frames)] if at_once else [framed(frame) for frame in frames]
            got = self.disturbs_nobody(*packets)
            # What is no Pong is answered, and with its own id, until the first Quit.
            ids = [frame.request_id for frame in frames if frame.WhichOneof("request") != "pong"]
            quits = [index for index, frame in enumerate(frames) if frame.HasField("quit")]
            if not quits:
                answers = [frame.request_id for frame in got if is_answer(frame)]
                self.assertEqual(sorted(answers), sorted(ids))

        check()

    def disturbs_nobody(self, *packets: bytes) -> list[pb.ServerFrame]:
        """Whatever mad sends, everybody else goes on; gives what mad is sent."""
        self.open_house(policy=Policy(rooms=3, rooms_owned_per_user=2, accounts=2))
        mad = self.program("mad")
        self.given_room("den", self.bob, mad)
        carol = self.house.user("carol", "JOINROOM:den")
        mad.frames()

        got: list[pb.ServerFrame] = []
        for packet in packets:
            mad.client.send_bytes(packet)
            got += mad.frames()

        for failure in self.flushLoggedErrors():
            self.fail(f"after {packets!r}: {failure.getTraceback()}")
        self.is_well_formed(got)
        self.ends_with_words(mad, got)
        self.bob.frames()
        told, stored = self.bob.ask(say=pb.Say(room="den", text="still here"))
        self.assertEqual((kind(told), kind(stored)), ("message", "stored"))
        self.assertEqual(carol.lines()[-1], "ROOM:den:bob:still here")
        return got

    def is_well_formed(self, frames: list[pb.ServerFrame]) -> None:
        for frame in frames:
            self.assertTrue(kind(frame))
            size = frame.ByteSize()
            frame.DiscardUnknownFields()
            self.assertEqual(frame.ByteSize(), size)
            if kind(frame) == "error":
                self.assertTrue(frame.error.code and frame.error.words, frame)

    def ends_with_words(self, mad: Program, got: list[pb.ServerFrame]) -> None:
        kinds = [kind(frame) for frame in got]
        self.assertEqual(mad.closed, "bye" in kinds)
        if mad.closed:
            self.assertEqual(kinds.index("bye"), len(kinds) - 1)
            self.assertIn(kinds[-2], ("done", "error"))
            if kinds[-2] == "error":
                self.assertEqual(got[-2].request_id, 0)


def is_answer(frame: pb.ServerFrame) -> bool:
    """Is it the last frame of an answer? (Told are those that have an event's id of their own.)"""
    answers = {
        *("stored", "done", "error", "identity", "room_list", "user_list", "topic"),
        *("history_page", "conversation_list", "pong"),
    }
    return kind(frame) in answers and not frame.more
