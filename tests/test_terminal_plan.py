"""
What `chat` does, by its options and by what standard input and output are.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chatservice.terminal.options import LINES, parse
from chatservice.terminal.plan import Plan, Unclear, plan


def planned(*arguments: str, typed: bool = False, seen: bool = False) -> Plan:
    return plan(parse(["alice@localhost", *arguments]), typed=typed, seen=seen)


class PlanTests(SynchronousTestCase):
    def test_on_a_terminal_there_is_a_screen(self) -> None:
        for arguments in ((), ("--room", "ops"), ("--register",)):
            self.assertEqual(planned(*arguments, typed=True, seen=True), Plan(screen=True))

    def test_what_is_asked_for_is_done_without_a_screen(self) -> None:
        for typed in (True, False):
            said = planned("--room", "ops", "--say", "hi", typed=typed, seen=True)
            self.assertEqual(said, Plan(say=("hi",)))
            self.assertEqual(planned("--tail", typed=typed, seen=True), Plan(tail=True))
            history = planned("--room", "ops", "--history", "3", typed=typed, seen=True)
            self.assertEqual(history, Plan(history=3))

    def test_the_lines_of_a_pipe_are_said(self) -> None:
        for target in ("--room", "--to"):
            for seen in (True, False):
                self.assertEqual(planned(target, "ops", seen=seen), Plan(say=(LINES,)))

    def test_a_pipe_that_was_not_asked_for_is_not_read(self) -> None:
        self.assertEqual(planned("--room", "ops", "--tail"), Plan(tail=True))

    def test_a_terminal_can_do_without_a_screen(self) -> None:
        for seen in (True, False):
            self.assertEqual(
                planned("--room", "ops", "--no-screen", typed=True, seen=seen),
                Plan(say=(LINES,), tail=True, until_input_ends=True),
            )

    def test_an_account_may_be_all_that_is_asked_for(self) -> None:
        self.assertEqual(planned("--register"), Plan())

    def test_where_nothing_can_be_meant_it_says_what_is_missing(self) -> None:
        for arguments, typed, missing in (
            ((), False, "--room"),
            (("--no-screen",), True, "--room"),
            (("--room", "ops"), True, "--tail"),
        ):
            error = self.assertRaises(Unclear, planned, *arguments, typed=typed)
            self.assertIn(missing, str(error))
