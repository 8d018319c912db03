"""
Connecting again: what a client does by itself, and what its program sees of it.
"""

from __future__ import annotations

from tests.client_case import ClientCase, Reader


class RejoiningTests(ClientCase):
    def test_what_was_missed_is_read(self) -> None:
        alice, bob, here, there = self.pair()
        reader = Reader(aiter(there))
        self.do(here.say("one"))
        self.world.cut(1)
        self.do(here.say("two"))
        self.assertEqual(reader.texts, ["one"])

        self.world.wait()
        self.do(here.say("three"))

        self.assertEqual(reader.texts, ["one", "two", "three"])
        self.assertTrue(bob.connected)
