"""chat.proto: everything in it is explained, and what was generated from it is what protoc makes
of it now.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller.errors import ERRORS_BY_CODE
from chatservice.translation import protobuf
from chatservice.translation.protobuf import chat_pb2 as pb
from chatservice.translation.protobuf.commands import COMMANDS, SAYING

_PACKAGE = Path(protobuf.__file__).parent
_PROTO = Path("chatservice", "translation", "protobuf", "chat.proto")
_REGENERATE = f"python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. {_PROTO.as_posix()}"
_Place = tuple[int, ...]


class GeneratedTests(SynchronousTestCase):
    def test_it_is_what_protoc_makes_of_the_file_now(self) -> None:
        made = Path(self.mktemp())
        source = made / _PROTO
        source.parent.mkdir(parents=True)
        source.write_bytes((_PACKAGE / "chat.proto").read_bytes())

        protoc(made, *_REGENERATE.split()[3:])

        for name in ("chat_pb2.py", "chat_pb2.pyi"):
            self.assertEqual(
                (_PACKAGE / name).read_text(encoding="utf-8"),
                (source.parent / name).read_text(encoding="utf-8"),
                f"{name} is not up to date; in the repository's folder: {_REGENERATE}",
            )


class CommentTests(SynchronousTestCase):
    def test_everything_has_one(self) -> None:
        described = described_file(Path(self.mktemp()))
        commented = {
            tuple(location.path)
            for location in described.source_code_info.location
            if location.leading_comments.strip()
        }

        bare = [name for place, name in all_of(described) if place not in commented]

        self.assertEqual(bare, [])


class NumberTests(SynchronousTestCase):
    """What is released never changes; what is hot is short."""

    def test_what_comes_often_has_a_tag_of_one_byte(self) -> None:
        for message, names in (
            (pb.ClientFrame, ("request_id", "say", "tell")),
            (pb.ServerFrame, ("request_id", "message", "joined", "left")),
        ):
            for name in names:
                self.assertLess(message.DESCRIPTOR.fields_by_name[name].number, 16, name)
        for field in pb.Message.DESCRIPTOR.fields:
            self.assertLess(field.number, 16, field.name)

    def test_every_request_is_answered_by_something(self) -> None:
        requests = {field.name for field in pb.ClientFrame.DESCRIPTOR.oneofs[0].fields}

        self.assertEqual(requests, COMMANDS.keys() | SAYING.keys())

    def test_the_codes_are_those_of_the_service(self) -> None:
        self.assertEqual(set(pb.Error.Code.keys()) - {"UNSPECIFIED"}, set(ERRORS_BY_CODE))
        self.assertEqual(pb.Error.Code.Value("UNSPECIFIED"), 0)


def protoc(folder: Path, *arguments: str) -> None:
    """Run the compiler that made the generated files."""
    command = [sys.executable, "-m", "grpc_tools.protoc", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def described_file(folder: Path) -> FileDescriptorProto:
    """chat.proto as protoc understands it, its comments among it."""
    folder.mkdir()
    out = (folder / "set").resolve()
    protoc(
        folder,
        f"-I{_PACKAGE}",
        "--include_source_info",
        f"--descriptor_set_out={out}",
        "chat.proto",
    )
    [described] = FileDescriptorSet.FromString(out.read_bytes()).file
    return described


def all_of(described: FileDescriptorProto) -> Iterator[tuple[_Place, str]]:
    """Where everything stands that has a name (as `SourceCodeInfo` counts), and its name."""
    yield from messages(described.message_type, (FileDescriptorProto.MESSAGE_TYPE_FIELD_NUMBER,))


def messages(found: Sequence[DescriptorProto], at: _Place) -> Iterator[tuple[_Place, str]]:
    for index, message in enumerate(found):
        here = (*at, index)
        yield here, message.name
        for number, field in enumerate(message.field):
            place = (*here, DescriptorProto.FIELD_FIELD_NUMBER, number)
            yield place, f"{message.name}.{field.name}"
        for number, oneof in enumerate(message.oneof_decl):
            place = (*here, DescriptorProto.ONEOF_DECL_FIELD_NUMBER, number)
            yield place, f"{message.name}.{oneof.name}"
        for number, enum in enumerate(message.enum_type):
            place = (*here, DescriptorProto.ENUM_TYPE_FIELD_NUMBER, number)
            yield place, f"{message.name}.{enum.name}"
            for value, named in enumerate(enum.value):
                inside = (*place, EnumDescriptorProto.VALUE_FIELD_NUMBER, value)
                yield inside, f"{message.name}.{enum.name}.{named.name}"
        nested = (*here, DescriptorProto.NESTED_TYPE_FIELD_NUMBER)
        yield from messages(message.nested_type, nested)
