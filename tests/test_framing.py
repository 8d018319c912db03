"""Bytes cut into lines and frames, and handed from one framing to another."""

from __future__ import annotations

from typing import Any

from google.protobuf.internal import encoder
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chatservice.networking.framing import FrameBuffer, LineBuffer, Overlong
from chatservice.varint import LONGEST, TOO_LARGE, read_varint, varint

LIMIT = 300

_many = settings(max_examples=300, deadline=None, derandomize=True, database=None)
_bodies = st.lists(st.binary(max_size=LIMIT), max_size=20)
_cuts = st.lists(st.integers(1, 400), max_size=20)


_protobufs: Any = encoder


def varint_bytes(number: int) -> bytes:
    """A varint as protobuf's own code writes it."""
    return bytes(_protobufs._VarintBytes(number))


def framed(*bodies: bytes) -> bytes:
    return b"".join(varint_bytes(len(body)) + body for body in bodies)


class VarintTests(SynchronousTestCase):
    def test_they_are_those_of_protobuf(self) -> None:
        for number in (0, 1, 127, 128, 300, 16383, 16384, 4096, 1 << 20, (1 << 35) - 1):
            encoded = varint(number)

            self.assertEqual(encoded, varint_bytes(number))
            self.assertEqual(read_varint(b"x" + encoded + b"\xff", 1), (number, 1 + len(encoded)))
            for size in range(len(encoded)):
                self.assertEqual(read_varint(encoded[:size], 0), (0, 0))

    def test_one_that_never_ends_is_too_large(self) -> None:
        for start in (0, 3):
            found = read_varint(start * b"x" + LONGEST * b"\xff", start)

            self.assertEqual(found, (TOO_LARGE, start + LONGEST))


class LineTests(SynchronousTestCase):
    def test_lines_are_the_same_however_they_are_cut(self) -> None:
        @_many
        @given(_bodies, _cuts)
        def check(bodies: list[bytes], cuts: list[int]) -> None:
            rest = b"".join(body + b"\n" for body in bodies)
            buffer, found, lines = LineBuffer(LIMIT), [], rest.split(b"\n")[:-1]
            for cut in [*cuts, len(rest)]:
                found += buffer.feed(rest[:cut])
                rest = rest[cut:]
                self.assertLessEqual(len(buffer), LIMIT + 1)
            self.assertEqual(found, lines)
            self.assertEqual(len(buffer), 0)

        check()

    def test_one_that_is_too_long_is_dropped_however_it_is_cut(self) -> None:
        data = b"a\n" + 3 * LIMIT * b"x" + b"\nb\n"
        for step in (1, 7, LIMIT, len(data)):
            buffer, found = LineBuffer(LIMIT), []
            for start in range(0, len(data), step):
                found += buffer.feed(data[start : start + step])
                self.assertLessEqual(len(buffer), LIMIT + 1)

            self.assertEqual([type(line) for line in found], [bytes, Overlong, bytes], step)
            self.assertEqual(found[::2], [b"a", b"b"])


class FrameTests(SynchronousTestCase):
    def test_frames_are_the_same_however_they_are_cut(self) -> None:
        @_many
        @given(_bodies, _cuts)
        def check(bodies: list[bytes], cuts: list[int]) -> None:
            buffer, found, rest = FrameBuffer(LIMIT), [], framed(*bodies)
            for cut in [*cuts, len(rest)]:
                found += buffer.feed(rest[:cut])
                rest = rest[cut:]
                self.assertLessEqual(len(buffer), LIMIT + 2)
            self.assertEqual(found, bodies)
            self.assertEqual(len(buffer), 0)

        check()

    def test_one_of_the_longest_length_is_taken_and_a_longer_one_is_the_last(self) -> None:
        longest = LIMIT * b"x"

        found = FrameBuffer(LIMIT).feed(framed(longest, longest + b"x", b"y"))

        self.assertEqual([type(frame) for frame in found], [bytes, Overlong])
        self.assertEqual(found[0], longest)

    def test_a_length_is_held_against_a_frame_before_the_frame_comes(self) -> None:
        buffer = FrameBuffer(LIMIT)

        [found] = buffer.feed(varint(LIMIT + 1))

        self.assertIs(type(found), Overlong)
        self.assertEqual(buffer.feed(1000 * b"x"), [])
        self.assertEqual(len(buffer), 0)

    def test_a_length_that_is_no_number_is_too_long(self) -> None:
        for before in (b"", framed(b"x")):
            for length in (5 * b"\xff", 10 * b"\x80", b"\xff\xff\xff\xff\x7f"):
                buffer = FrameBuffer(LIMIT)

                found = buffer.feed(before + length)

                self.assertIs(type(found[-1]), Overlong, length)
                self.assertEqual(len(buffer), 0)

    def test_a_frame_may_be_empty(self) -> None:
        self.assertEqual(FrameBuffer(LIMIT).feed(b"\0\x01x\0"), [b"", b"x", b""])

    def test_another_limit_holds_for_what_was_read_already(self) -> None:
        buffer = FrameBuffer(LIMIT)
        read = buffer.feed(framed(b"a", 100 * b"b", b"c") + b"\x80")

        held = buffer.hold_to(50, read)

        self.assertEqual([type(frame) for frame in held], [bytes, Overlong])


class HandingOverTests(SynchronousTestCase):
    """What one framing has read but not understood is another's, to the byte."""

    def test_lines_give_back_all_that_came_after_the_line_that_was_understood(self) -> None:
        @_many
        @given(st.lists(st.binary(max_size=3 * LIMIT)), st.lists(st.booleans()))
        def check(pieces: list[bytes], ends: list[bool]) -> None:
            after = b"".join(piece + b"\n" * end for piece, end in zip(pieces, ends, strict=False))
            buffer = LineBuffer(LIMIT)
            first, *others = buffer.feed(b"first\n" + after)

            self.assertEqual(first, b"first")
            self.assertEqual(buffer.drain(others), after)

        check()

    def test_so_does_a_line_that_has_not_ended_yet_and_is_too_long(self) -> None:
        too_long = 2 * LIMIT * b"x"
        for after in (too_long, b"y\n" + too_long, too_long + b"\n" + too_long):
            buffer = LineBuffer(LIMIT)
            others = buffer.feed(b"first\n" + after)[1:]

            self.assertEqual(buffer.drain(others), after)

    def test_frames_give_back_all_that_came_after_the_frame_that_was_understood(self) -> None:
        @_many
        @given(_bodies, st.binary(max_size=2 * LIMIT))
        def check(bodies: list[bytes], rest: bytes) -> None:
            buffer = FrameBuffer(LIMIT)
            first, *others = buffer.feed(framed(b"first", *bodies) + rest)

            again = FrameBuffer(LIMIT).feed(buffer.drain(others))

            self.assertEqual(first, b"first")
            self.assertEqual(again, others)

        check()
