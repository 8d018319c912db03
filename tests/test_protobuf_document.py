"""docs/protobuf.md says what is so: its transcript is played again, its bytes are taken apart, and
its tables have all that there is.
"""

from __future__ import annotations

import re
from pathlib import Path

from google.protobuf import text_format
from google.protobuf.message import Message
from twisted.trial.unittest import SynchronousTestCase

from chatservice.config import Config
from chatservice.controller.policy import Policy
from chatservice.translation.line.commands import TABLE
from chatservice.translation.protobuf import chat_pb2 as pb
from chatservice.translation.protobuf.commands import _NONCE_BYTES
from tests.bench import House
from tests.protobuf_case import Program, framed, kind
from tests.test_protobuf_schema import _REGENERATE

_DOCS = Path(__file__).parent.parent / "docs"
_DOCUMENT = (_DOCS / "protobuf.md").read_text(encoding="utf-8")

_ASKED = {field.name for field in pb.ClientFrame.DESCRIPTOR.oneofs[0].fields}
_CONTENT = {field.name for field in pb.ServerFrame.DESCRIPTOR.oneofs[0].fields}


def section(title: str) -> str:
    """The text under a heading."""
    text = _DOCUMENT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert text, title
    return text


def rows(title: str) -> list[list[list[str]]]:
    """What stands in backquotes in each cell of a section's table, row by row."""
    lines = re.findall(r"^\|(.*)\|$", section(title), re.MULTILINE)[2:]
    return [[re.findall("`([^`]+)`", cell) for cell in line.split("|")] for line in lines]


class DocumentTests(SynchronousTestCase):
    def test_its_transcript_is_what_happens(self) -> None:
        transcript = re.findall(r"^(\w+)([<>]) (.*)$", section("A transcript"), re.MULTILINE)
        self.assertGreater(len(transcript), 30)
        house = House()
        clients: dict[str, Program] = {}
        happened: list[tuple[str, str, Message]] = []

        def look_at(nick: str) -> None:
            happened.extend((nick, "<", frame) for frame in clients[nick].frames())

        for nick, way, text in transcript:
            if nick not in clients:
                clients[nick] = Program(house.client("protobuf"))
                look_at(nick)
            if way == ">":
                request = text_format.Parse(text, pb.ClientFrame())
                happened.append((nick, way, request))
                clients[nick].send(request)
                for each in clients:
                    look_at(each)
                house.wait(1)

        frames = {"<": pb.ServerFrame, ">": pb.ClientFrame}
        self.assertEqual(
            happened,
            [(nick, way, text_format.Parse(text, frames[way]())) for nick, way, text in transcript],
        )

    def test_its_bytes_are_those_frames(self) -> None:
        found = re.findall(r"^\| `([0-9a-f ]+)` \| (\w+) `(.+)` \|$", _DOCUMENT, re.MULTILINE)
        self.assertEqual(len(found), 3)
        for bytes_, name, text in found:
            frame = text_format.Parse(text, getattr(pb, name)())

            self.assertEqual(framed(frame).hex(" "), bytes_)

    def test_every_request_of_the_line_protocol_has_its_counterpart(self) -> None:
        table = rows("Requests")

        lines = [name for line, _, _ in table for name in line]
        self.assertEqual(sorted(lines), sorted(command.name for command in TABLE))
        asked = [name for _, requests, _ in table for name in requests]
        self.assertEqual(sorted(asked), sorted(_ASKED))
        for line, requests, answers in table:
            if requests:
                self.assertLessEqual(set(answers), _CONTENT)
            else:
                self.assertEqual(line, ["HELP", "PROTOBUF"])

    def test_every_event_of_the_line_protocol_has_its_counterpart(self) -> None:
        protocol = (_DOCS / "protocol.md").read_text(encoding="utf-8")
        events = protocol.partition("\n## Events\n")[2].partition("\n## ")[0]
        table = rows("Events")

        lines = [name for line, _ in table for name in line]
        self.assertEqual(
            sorted(lines), sorted({*re.findall(r"^\| `([A-Z]+):", events, re.MULTILINE), "HELLO"})
        )
        answers = {name for _, _, names in rows("Requests") for name in names} | {"error"}
        told = [name for _, frames in table for name in frames]
        self.assertEqual(set(told) | answers, _CONTENT)
        self.assertEqual(set(told) & answers, {"bye"})

    def test_its_limits_are_the_defaults(self) -> None:
        limits, text = Config().limits, section("Limits")
        policy = Policy(text_bytes=limits.line_bytes)
        [frame] = Program(House(policy=policy).client("protobuf")).frames()
        self.assertEqual(kind(frame), "hello")

        for number, words in (
            (limits.line_bytes, "{:,} bytes without its length"),
            (frame.hello.max_frame_bytes, "{:,} bytes without its length"),
            (frame.hello.max_text_bytes, "{:,} bytes (`max_text_bytes`)"),
            (limits.history_messages, "{:,} (`max_history`)"),
            (_NONCE_BYTES, "| {} bytes |"),
            (policy.phrase_bytes, "| {} bytes;"),
            (int(limits.messages_per_second), "{} a second"),
            (limits.message_burst, "{} at once"),
            (limits.sendq_bytes >> 20, "{} MiB is waiting"),
        ):
            self.assertIn(words.format(number), text)

    def test_its_command_is_the_one_that_is_tested(self) -> None:
        self.assertIn(f"\n{_REGENERATE}\n", section("Code for other languages"))
