"""docs/irc.md says what is so: each of its tables has all that there is, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from chatservice.translation.irc import letters
from chatservice.translation.irc.capabilities import CAPABILITIES
from chatservice.translation.irc.commands import COMMANDS
from chatservice.translation.irc.numerics import NUMERICS
from chatservice.translation.irc.services import SERVICES

_DOCUMENT = (Path(__file__).parent.parent / "docs" / "irc.md").read_text(encoding="utf-8")


def rows(section: str, heading: str = "") -> list[list[str]]:
    """The rows of a section's tables, or of the one whose first column is called so."""
    text = _DOCUMENT.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    assert text, section
    if heading:
        text = text.partition(f"| {heading} |")[2].partition("\n\n")[0]
    lines = re.findall(r"^\|(.*)\|$", text, re.MULTILINE)
    table = [re.split(r"(?<!\\)\|", line) for line in lines]
    return [[cell.strip() for cell in row] for row in table if not row[0].startswith(" ---")]


def first_words(table: list[list[str]]) -> list[str]:
    """The first word of each row."""
    return [row[0].strip("`").split(" ")[0] for row in table]


class TablesTests(SynchronousTestCase):
    def test_the_commands(self) -> None:
        table = rows("Commands")[1:]

        self.assertEqual(sorted(first_words(table)), sorted(COMMANDS))
        for usage, _, specification in table:
            command = COMMANDS[usage.strip("`").split(" ")[0]]
            written = f"{command.name} {command.usage}".strip().replace("|", "\\|")
            self.assertEqual(usage, f"`{written}`")
            self.assertTrue(specification)

    def test_the_modes(self) -> None:
        channel = [*letters.CHANNEL_MODES, *(letter for letter, _, _ in letters.PREFIXES)]
        user = [*letters.USER_MODES, letters.ACCOUNT_LETTER]
        table = rows("Modes")
        second = [row[0] for row in table].index("mode", 1)

        self.assertEqual(sorted(word[0] for word in first_words(table[1:second])), sorted(channel))
        self.assertEqual(sorted(first_words(table[second + 1 :])), sorted(user))

    def test_the_prefixes_of_roles(self) -> None:
        documented = re.findall(r"^\| `(\w) nick` `(.)` \|", _DOCUMENT, re.MULTILINE)

        self.assertEqual(documented, [(letter, sign) for letter, sign, _ in letters.PREFIXES])

    def test_the_capabilities(self) -> None:
        table = rows("Capabilities")[1:]

        self.assertEqual(sorted(first_words(table)), sorted(CAPABILITIES))
        for name, changes, specification in table:
            self.assertEqual(changes, CAPABILITIES[name.strip("`")].changes)
            self.assertTrue(specification.startswith("IRCv3 "), specification)

    def test_the_numerics(self) -> None:
        documented = [(row[0], row[1].strip("`"), row[2]) for row in rows("Numerics")[1:]]

        self.assertEqual(documented, sorted(NUMERICS.values()))

    def test_what_the_services_do(self) -> None:
        for service in SERVICES.values():
            table = rows("Services", f"to {service.nick}")

            self.assertEqual(
                sorted(row[0].replace("\\|", "|").strip("`") for row in table if row[0]),
                sorted(
                    f"{command.name} {command.usage}".strip()
                    for command in service.commands.values()
                ),
            )
