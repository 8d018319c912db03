"""
Where `chat` keeps what it remembers.
"""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from chatservice.terminal.places import drafts, known_servers

HOME = Path("/home/alice")


class PlaceTests(SynchronousTestCase):
    def test_it_is_in_the_folders_of_ones_home(self) -> None:
        self.assertEqual(known_servers({}, HOME), HOME / ".config/chatservice/known_servers")
        self.assertEqual(drafts({}, HOME), HOME / ".local/state/chatservice/drafts.json")

    def test_the_environment_may_name_others(self) -> None:
        there = {"XDG_CONFIG_HOME": "/etc/alice", "XDG_STATE_HOME": "/var/alice"}
        self.assertEqual(known_servers(there, HOME), Path("/etc/alice/chatservice/known_servers"))
        self.assertEqual(drafts(there, HOME), Path("/var/alice/chatservice/drafts.json"))

    def test_but_not_such_as_would_be_elsewhere_in_every_folder(self) -> None:
        for value in ("", "config"):
            place = known_servers({"XDG_CONFIG_HOME": value}, HOME)
            self.assertEqual(place, HOME / ".config/chatservice/known_servers")
