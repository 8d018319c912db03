"""How the journal on disk answers, whatever the size of the file: along which index, in how many
steps. No time is measured.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from chatservice.controller.events import SAID, Message
from tests.facts import say, tell
from tests.journal_case import NOW_MS, SqliteCase, rooms


class SpeedTests(SqliteCase):
    """How queries are answered, whatever the size of the file."""

    async def plan(self, ask: Callable[[], Any]) -> list[str]:
        """How SQLite finds what a question of the journal's asks for."""
        asked: list[str] = []
        await self.read(lambda connection: connection.set_trace_callback(asked.append))
        await ask()
        await self.read(lambda connection: connection.set_trace_callback(None))
        plan: list[str] = []
        for query in asked:
            rows = self.outside().execute("EXPLAIN QUERY PLAN " + query).fetchall()
            plan.extend(row[3] for row in rows)
        return plan

    async def test_the_history_of_one_kind_runs_along_the_index(self) -> None:
        await self.store(say("r", "ann", "1"))

        plan = await self.plan(lambda: self.journal.history("r", (Message.kind,), 50))

        self.assertEqual(self.along_the_index(plan), 1)
        self.assertFalse([step for step in plan if "B-TREE" in step])

    async def test_the_history_of_several_kinds_sorts_no_more_than_it_gives(self) -> None:
        await self.store(say("r", "ann", "1"))

        plan = await self.plan(lambda: self.journal.history("r", SAID, 50))

        self.assertEqual(self.along_the_index(plan), len(SAID))

    def along_the_index(self, plan: list[str]) -> int:
        """How many steps run along the index; none may look at every event."""
        self.assertFalse([step for step in plan if re.match("SCAN (TABLE )?events", step)])
        index = "USING INDEX events_by_target (target=? AND kind=? AND rowid>? AND rowid<?)"
        return len([step for step in plan if index in step])

    async def test_moments_are_found_by_leaps(self) -> None:
        await self.store(say("r", "ann", "1"))

        plan = await self.plan(
            lambda: self.journal.history("r", SAID, 50, NOW_MS + 1000, NOW_MS - 1000)
        )

        self.assertEqual(self.along_the_index(plan), len(SAID))

    async def test_a_moment_costs_the_same_of_a_thousand_and_of_a_hundred_thousand(self) -> None:
        costs = []
        for total in (1_000, 99_000):
            for _ in range(10):
                self.clock.advance(1)
                await self.store(*(say("r", "ann", "hello") for _ in range(total // 10)))
            middle = int(self.clock.seconds() * 1000) - 5000
            costs.append(
                await self.cost(partial(self.journal.history, "r", SAID, 50, "", middle, True))
            )

        self.assertLessEqual(abs(costs[0] - costs[1]), 5)

    async def test_what_was_said_last_costs_the_same_however_much_was_said(self) -> None:
        costs = []
        targets = [f"r{number}" for number in range(50)]
        for times in (1, 40):
            for _ in range(times):
                await self.store(
                    *(say(target, "ann", "hello") for target in targets),
                    *(tell("ann", f"bob{number}", "hello") for number in range(50)),
                )
            ask = partial(self.journal.latest, targets, "ann", 0, NOW_MS + 1, 1000)
            costs.append(await self.cost(ask))

        self.assertLessEqual(abs(costs[0] - costs[1]), 1)

    async def test_fifty_messages_cost_the_same_of_a_thousand_and_of_a_hundred_thousand(
        self,
    ) -> None:
        costs = []
        for total in (1_000, 99_000):
            await self.store(*(say("r", "ann", "hello") for _ in range(total)))
            costs.append(await self.cost(lambda: self.journal.history("r", SAID, 50)))

        self.assertLessEqual(abs(costs[0] - costs[1]), 1)

    async def cost(self, ask: Callable[[], Any]) -> int:
        """How many hundreds of steps SQLite's machine takes to answer a question."""
        steps = [0]

        def step() -> int:
            steps[0] += 1
            return 0

        await self.read(lambda connection: connection.set_progress_handler(step, 100))
        await ask()
        await self.read(lambda connection: connection.set_progress_handler(None, 0))
        return steps[0]

    async def test_what_to_forget_is_found_without_a_walk_over_every_event(self) -> None:
        for _ in range(20):
            await self.store(*(say(f"r{room}", "ann", "hello") for room in range(50)))
        await self.apply_all(rooms("elsewhere", *(f"r{room}" for room in range(50))))
        while await self.prune():
            pass

        before = await self.cost(self.prune)
        for _ in range(100):
            await self.store(*(say(f"r{room}", "ann", "hello") for room in range(50)))
        after = await self.cost(self.prune)

        self.assertLessEqual(after, before + 1)
