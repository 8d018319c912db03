"""What tests of the line protocol begin with: a house with two users in it, and how they look at an
answer.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.bench import Client, House


class LineCase(SynchronousTestCase):
    """A house with alice and bob in it."""

    def setUp(self) -> None:
        self.house = House()
        self.alice = self.house.user("alice")
        self.bob = self.house.user("bob")

    def given(self, client: Client, *lines: str) -> None:
        """These requests were granted before the test."""
        answers = client.ask(*lines)
        self.assertEqual([line for line in answers if line.startswith("ERR:")], [])

    def forget(self) -> None:
        """What everybody has got until now is no matter of the test."""
        self.alice.lines()
        self.bob.lines()

    def refuses(self, client: Client, line: str, code: str) -> None:
        """The line is answered with this code and with words, and nothing else."""
        answers = client.ask(line)
        self.assertEqual(len(answers), 1, answers)
        err, command, got, words = answers[0].split(":", 3)
        self.assertEqual((err, command, got), ("ERR", line.partition(":")[0].upper(), code))
        self.assertTrue(words)
