"""Events as lines, and what a server makes of those that a newer version has stored."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller.events import Event
from chatservice.journal.redis.entries import NewerEvent, from_line, read_entry, to_line
from tests.facts import join, login, say, tell


def as_said(line: str) -> Event:
    return from_line(line, "7-1", 7)


class LineTests(SynchronousTestCase):
    def test_an_event_is_what_it_was(self) -> None:
        for event in (say("r", "ann", 'a "b"\\\n\x00\u2028\U0001f600'), join("r", "ann")):
            event.id, event.ms = "7-1", 7

            self.assertEqual(as_said(to_line(event)), event)

    def test_no_line_has_a_line_end_in_it(self) -> None:
        for event in (say("r", "ann", "a\nb\r\nc"), tell("ann", "bob", "a\nb")):
            self.assertNotIn("\n", to_line(event))


class NewerVersionTests(SynchronousTestCase):
    """Servers are brought up to date one by one: the others meet what they do not know."""

    def test_an_event_of_a_kind_that_is_not_known(self) -> None:
        line = json.dumps(["reaction", "r", "ann", "ann", "", "", {"emoji": "x"}])

        error = self.assertRaises(NewerEvent, as_said, line)

        self.assertIn("(reaction)", str(error))
        self.assertIn("bring it up to date", str(error))

    def test_an_event_that_says_more_than_is_known(self) -> None:
        kind, *common, own = json.loads(to_line(login("ann")))
        line = json.dumps([kind, *common, {**own, "shoe_size": 43}])

        self.assertRaises(NewerEvent, as_said, line)

    def test_an_event_that_says_less_is_an_older_version_s(self) -> None:
        kind, *common, own = json.loads(to_line(login("ann")))
        del own["secure"]

        self.assertEqual(as_said(json.dumps([kind, *common, own])).kind, "login")

    def test_one_of_them_in_a_batch(self) -> None:
        lines = "\n".join([to_line(say("r", "ann", "1")), '["reaction","r","a","a","","",{}]'])
        fields = [b"p", b"0-0", b"r", b"run", b"b", b"1", b"n", b"2", b"e", lines.encode()]

        self.assertRaises(NewerEvent, read_entry([b"7-1", fields]).events)
