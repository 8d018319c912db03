"""docs/protocol.md says what is so: its transcript is played again, and its tables are complete."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from chatservice.config import Config
from chatservice.controller.errors import ERRORS_BY_CODE
from chatservice.networking.hall import Patience
from chatservice.translation import original
from chatservice.translation.line.commands import TABLE
from tests.bench import Client, House

_DOCUMENT = (Path(__file__).parent.parent / "docs" / "protocol.md").read_text(encoding="utf-8")


class DocumentTests(SynchronousTestCase):
    def test_its_transcript_is_what_happens(self) -> None:
        transcript = re.findall(r"^(\w+)([<>]) (.*)$", _DOCUMENT, re.MULTILINE)
        self.assertGreater(len(transcript), 50)
        house = House()
        clients: dict[str, Client] = {}
        happened: list[tuple[str, str, str]] = []
        for nick, way, line in transcript:
            if way == "<":
                continue
            if nick not in clients:
                clients[nick] = house.client()
            happened.append((nick, way, line))
            clients[nick].send(line)
            for other, client in clients.items():
                happened.extend((other, "<", answer) for answer in client.lines())

        self.assertEqual(
            [(nick, way, plain(line)) for nick, way, line in happened],
            [(nick, way, plain(line)) for nick, way, line in transcript],
        )

    def test_it_has_every_command(self) -> None:
        documented = set(re.findall(r"^\| `([A-Z]+):", section("Requests"), re.MULTILINE))

        self.assertEqual(documented, {command.name for command in TABLE})

    def test_it_has_every_code_and_no_other(self) -> None:
        documented = set(re.findall(r"^\| `([A-Z_0-9]+)` \|", section("Error codes"), re.MULTILINE))
        named = set(re.findall(r"`([A-Z_0-9]+)`(?= `| \|$)", section("Requests"), re.MULTILINE))

        self.assertEqual(
            documented | {"BAD_ROOM_NAME", "NO_SUCH_ROOM"},
            set(ERRORS_BY_CODE),
        )
        self.assertLessEqual(named, set(ERRORS_BY_CODE))

    def test_it_has_every_command_of_the_original_dialect(self) -> None:
        text = _DOCUMENT.partition("# The original dialect\n")[2]

        for name in original.COMMANDS:
            self.assertIn(f"`{name.replace('!EXIT', '!exit')}", text)

    def test_its_limits_are_the_defaults(self) -> None:
        limits, patience, text = Config().limits, Patience(), section("Limits")

        for number, words in (
            (limits.line_bytes, "{:,} bytes"),
            (limits.nick_characters, "{} and"),
            (limits.room_characters, "and {} characters"),
            (int(limits.messages_per_second), "{} a second"),
            (limits.message_burst, "{} at once"),
            (int(patience.login), "{} seconds"),
            (int(patience.idle / 60), "{} minutes"),
            (limits.rooms_per_user, "{},"),
            (limits.rooms_owned_per_user, " {} |"),
            (limits.members_per_room, "{:,},"),
            (limits.invitations_per_room, " {} |"),
            (limits.sendq_bytes >> 20, "{} MiB"),
        ):
            self.assertIn(words.format(number), text)


def section(title: str) -> str:
    """The text under a heading of the line protocol's part."""
    return _DOCUMENT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def plain(line: str) -> str:
    """A line without what differs from server to server: version, message ids, time."""
    line = re.sub(r"^(HELLO:chat\.example):.*", r"\1", line)
    line = re.sub(r"^(OK:(?:ROOM|SAY):\w+):.*", r"\1", line)
    return re.sub(r"^(ITEM:HISTORY):\d+:[^:]+:", r"\1:", line)
