"""
docs/client.md tells of the command `chat` what is so: every option, command, file and exit status,
and no others.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from twisted.trial.unittest import SynchronousTestCase

from chatservice.terminal import options, places
from chatservice.terminal.exits import Exit
from chatservice.terminal.screen.commands import COMMANDS

_DOCUMENT = Path(__file__).parent.parent / "docs" / "client.md"
_SECTION = (
    _DOCUMENT.read_text(encoding="utf-8")
    .partition("\n## The `chat` command\n")[2]
    .partition("\n# Reference\n")[0]
)


def firsts(text: str) -> list[str]:
    """What stands as code in the first cells of the tables."""
    cells = re.findall(r"^\| (.*?) \|", text, re.MULTILINE)
    return [code for cell in cells for code in re.findall(r"`(.*?)`", cell)]


class DocumentTests(SynchronousTestCase):
    def test_it_has_every_option_and_no_other(self) -> None:
        # Those of the help, which argparse makes of what it understands.
        helped = set(re.findall(r"(?<![\w-])--[a-z-]+", options._parser().format_help()))
        told = {each.split()[0] for each in firsts(_SECTION) if each.startswith("--")}
        self.assertEqual(told, helped)

    def test_it_has_every_command_of_the_screen_as_it_is_typed(self) -> None:
        typed = {f"/{name} {command.arguments}".strip() for name, command in COMMANDS.items()}
        self.assertEqual({each for each in firsts(_SECTION) if each.startswith("/")}, typed)

    def test_it_has_every_exit_status(self) -> None:
        for status in Exit:
            words = status.words.replace("|", "\\|")
            self.assertIn(f"| {status.value} | {words} |", _SECTION)

    def test_it_says_what_is_kept_where(self) -> None:
        home = Path("/home/alice")
        kept = [places.known_servers({}, home), places.drafts({}, home)]
        told = [PurePosixPath(each) for each in firsts(_SECTION) if each.startswith("~")]
        self.assertEqual(told, ["~" / PurePosixPath(each).relative_to(home) for each in kept])
