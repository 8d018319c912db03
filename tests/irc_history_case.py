"""What tests of CHATHISTORY begin with: a room in which something was said."""

from __future__ import annotations

from tests.bench import Client
from tests.irc_case import IrcCase

EVERYTHING = (
    *("batch", "message-tags", "server-time", "account-tag", "echo-message"),
    *("draft/chathistory", "labeled-response"),
)
NOTHING_THERE = "Messages could not be retrieved"
OPENED = "2027-01-15T08:00:{:02}.000Z"
"""So many seconds after the house has opened."""


def at(second: int, ms: int = 0) -> str:
    """The selector of a moment after the house has opened."""
    return f"timestamp=2027-01-15T08:00:{second:02}.{ms:03}Z"


def words(lines: list[str]) -> list[str]:
    """What was said, of lines that may have tags."""
    return [
        line.partition(" :")[2].partition(" :")[2] or line for line in lines if "BATCH" not in line
    ]


class HistoryCase(IrcCase):
    """Alice is in the room with bob, who has said something in each of five seconds."""

    capabilities: tuple[str, ...] = EVERYTHING

    def setUp(self) -> None:
        super().setUp()
        self.bob = self.house.user("bob", "NEWROOM:lobby", "JOINROOM:lobby")
        self.alice = self.irc("alice", *self.capabilities)
        self.alice.send("JOIN #lobby")
        self.say("one", "two", "three", "four", "five")

    def say(self, *texts: str) -> None:
        for text in texts:
            self.house.clock.advance(1)
            self.bob.send(f"ROOM:lobby:{text}")

    def history(self, query: str, client: Client | None = None) -> list[str]:
        """What was said, that a query is answered with; it must be a batch."""
        lines = (client or self.alice).ask(f"CHATHISTORY {query}")
        self.assertIn(" BATCH +", lines[0])
        self.assertIn(" BATCH -", lines[-1])
        return words(lines)

    def ids(self) -> dict[str, str]:
        """The selectors of what was said in the room, by text."""
        lines = self.alice.ask("CHATHISTORY LATEST #lobby * 100")
        found = {}
        for line in lines[1:-1]:
            tags = dict(tag.split("=", 1) for tag in line[1:].split(" ", 1)[0].split(";"))
            found[words([line])[0]] = "msgid=" + tags["msgid"]
        return found
