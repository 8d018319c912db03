"""The schema of the journal on disk: how a file of an older service is brought up to date."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from chatservice.controller.entities import Topic
from chatservice.controller.events import SAID
from chatservice.controller.modes import NEW_ROOM, PRIVATE
from chatservice.controller.records import Record, restore
from chatservice.controller.state import RecordKey
from chatservice.journal import migrations
from chatservice.journal.interface import NotStored
from tests.facts import say, tell
from tests.journal_case import NOW_MS, SqliteCase, pragma, rooms, said


class SchemaTests(SqliteCase):
    ANOTHER_STEP = "ALTER TABLE events ADD COLUMN edited INTEGER;"

    async def test_an_older_database_is_brought_up_to_date_and_keeps_what_it_holds(self) -> None:
        await self.store(say("r", "ann", "from before"), records=rooms("r"))
        steps = [*migrations.steps(), self.ANOTHER_STEP]
        self.patch(migrations, "steps", lambda: steps)

        await self.reopen()

        await self.store(say("r", "ann", "from after"))
        self.assertEqual(await self.texts("r"), ["from before", "from after"])
        self.assertEqual(await self.write(pragma("user_version")), len(steps))
        self.assertEqual(await self.write(_edited), [(None,), (None,)])

    async def test_a_step_is_taken_once(self) -> None:
        steps = [*migrations.steps(), self.ANOTHER_STEP]
        self.patch(migrations, "steps", lambda: steps)
        await self.reopen()

        await self.reopen()

        self.assertEqual(await self.write(pragma("user_version")), len(steps))

    async def test_a_step_that_fails_leaves_the_database_as_it_was(self) -> None:
        await self.store(say("r", "ann", "from before"))
        steps = migrations.steps()
        with self.assertRaises(NotStored):
            self.patch(
                migrations, "steps", lambda: [*steps, self.ANOTHER_STEP + "SELECT nonsense;"]
            )
            await self.reopen()

        self.patch(migrations, "steps", lambda: steps)
        await self.reopen()

        self.assertEqual(await self.texts("r"), ["from before"])
        self.assertEqual(await self.write(pragma("user_version")), len(steps))

    async def test_a_database_of_a_newer_service_is_refused_and_not_touched(self) -> None:
        await self.journal.close()
        self.outside().execute("PRAGMA user_version = 99")
        before = self.path.read_bytes()

        with self.assertRaises(NotStored) as refused:
            await self.journal.open()

        self.assertIn("version 99", str(refused.exception))
        self.assertIn(f"knows {len(migrations.steps())}", str(refused.exception))
        self.assertEqual(self.path.read_bytes(), before)


def _edited(connection: sqlite3.Connection) -> list[Any]:
    return connection.execute("SELECT edited FROM events").fetchall()


def _write(connection: sqlite3.Connection) -> None:
    """What the first service to be released left in its journal."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(f"BEGIN; {migrations.steps()[0]} PRAGMA user_version = 1; COMMIT;")
    connection.executemany(
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(id, NOW_MS + id, *row) for id, row in enumerate(EVENTS, start=1)],
    )
    connection.executemany(
        "INSERT INTO records VALUES (?, ?, ?, ?)",
        [(*key, json.dumps(value)) for key, value in RECORDS.items()],
    )
    connection.execute("UPDATE applied SET id = ?", (len(EVENTS) - YOUNGER,))


EVENTS: list[tuple[str, str, str, str, str | None, str | None]] = [
    ("login", "", "ann", "Ann", None, '{"account":true,"skeleton":"ann"}'),
    ("register", "", "ann", "Ann", None, '{"skeleton":"ann","verifier":"argon"}'),
    ("login", "", "bob", "Bob", None, '{"account":false,"skeleton":"bob"}'),
    ("room", "", "ann", "Ann", None, '{"room":"Den","key":"den","owner":"ann","private":true}'),
    ("room", "", "bob", "Bob", None, '{"room":"Inn","key":"inn","owner":"bob!3"}'),
    ("join", "4", "ann", "Ann", None, '{"room":"Den","most":0}'),
    ("message", "4", "ann", "Ann", "hello", None),
    ("direct", "@ann,bob!3", "ann", "Ann", "psst", '{"to":"bob","to_nick":"Bob"}'),
    ("direct", "@ann,cid", "cid", "Cid", "hey", '{"to":"ann","to_nick":"Ann"}'),
    ("direct", "@ann,bob!3", "bob", "Bob", "yes?", '{"to":"ann","to_nick":"Ann"}'),
    # Younger than the records.
    ("login", "", "dan", "Dan", None, '{"account":true,"skeleton":"dan"}'),
    ("register", "", "dan", "Dan", None, '{"skeleton":"dan","verifier":"argon"}'),
    ("login", "", "eve", "Eve", None, '{"account":false,"skeleton":"eve"}'),
]
YOUNGER = 3

RECORDS: dict[RecordKey, Record] = {
    ("account", "ann", ""): {"nick": "Ann", "skeleton": "ann", "verifier": "argon"},
    ("user", "ann", ""): {"nick": "Ann", "skeleton": "ann", "account": True, "login": "1"},
    ("user", "bob", ""): {"nick": "Bob", "skeleton": "bob", "account": False, "login": "3"},
    ("room", "4", ""): {
        "name": "Den",
        "key": "den",
        "skeleton": "den",
        "owner": "ann",
        "private": True,
        "kept": True,
        "topic": ["tea", "Ann", 7],
    },
    ("room", "5", ""): {
        "name": "Inn",
        "key": "inn",
        "skeleton": "inn",
        "owner": "bob!3",
        "private": False,
        "kept": False,
        "topic": None,
    },
    ("member", "4", "ann"): {},
    ("invitation", "4", "bob!3"): {},
}


class FirstSchemaTests(SqliteCase):
    """A journal of the first schema, in which nick and account were one."""

    async def setUp(self) -> None:  # type: ignore[override]
        _write(self.outside())
        await super().setUp()

    async def test_what_was_said_is_there_and_goes_on(self) -> None:
        await self.store(say("4", "ann", "again"))

        (hello, again) = await self.journal.history("4", SAID, 10)
        (hey,) = await self.journal.history("@ann,cid", SAID, 10)

        self.assertEqual((hello.nick, hello.account, hello.host), ("Ann", "", ""))
        self.assertEqual(said([hello, again]), ["hello", "again"])
        told = tell("cid", "ann", "hey")
        told.id, told.ms = "9", NOW_MS + 9
        self.assertEqual(hey, told)

    async def test_who_has_talked_with_whom_is_known(self) -> None:
        found = await self.journal.latest(["4"], "ann", 0, NOW_MS + 1000, 10)

        self.assertEqual(
            found, [("4", NOW_MS + 7), ("@ann,cid", NOW_MS + 9), ("@ann,bob!3", NOW_MS + 10)]
        )
        self.assertEqual(await self.latest(identity="bob!3"), [("@ann,bob!3", 0)])
        self.assertEqual(await self.latest(identity="bob"), [])

    async def test_the_state_is_what_it_was(self) -> None:
        state = restore((await self.journal.recover()).records)

        ann, bob = state.users["ann"], state.users["bob"]
        self.assertEqual((ann.account, ann.account_nick, ann.identity), ("ann", "Ann", "ann"))
        self.assertEqual((bob.account, bob.account_nick, bob.identity), ("", "", "bob!3"))
        self.assertEqual((ann.ms, bob.ms), (NOW_MS + 1, NOW_MS + 3))
        self.assertEqual(state.accounts["ann"].verifier, "argon")
        den, inn = state.rooms_by_id["4"], state.rooms_by_id["5"]
        self.assertEqual((den.private, inn.private), (True, False))
        self.assertEqual((den.flags, inn.flags), (NEW_ROOM | PRIVATE, NEW_ROOM))
        self.assertEqual((den.kept, den.ms, den.topic), (True, NOW_MS + 4, Topic("tea", "Ann", 7)))
        self.assertEqual((list(den.members), den.invited), (["ann"], {"bob!3": 0}))

    async def test_who_registered_and_logged_in_since_is_let_in_again(self) -> None:
        recovery = await self.journal.recover()
        state = restore(recovery.records)

        for event in recovery.events:
            state.apply(event)

        self.assertEqual(state.users["dan"].identity, "dan")
        self.assertEqual(state.users["eve"].identity, "eve!13")
        dan = state.accounts["dan"]
        self.assertEqual((dan.nick, dan.ms), ("Dan", NOW_MS + 12))

    async def test_what_nobody_can_reach_is_forgotten(self) -> None:
        await self.apply_all({("user", "bob", ""): None})

        while await self.prune():
            pass

        self.assertEqual(await self.texts("@ann,bob!3"), [])
        self.assertEqual(await self.texts("@ann,cid"), ["hey"])
        rows = await self.read(_conversations)
        self.assertEqual(rows, [("ann", "@ann,cid"), ("cid", "@ann,cid")])


def _conversations(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    return connection.execute("SELECT identity, target FROM conversations").fetchall()
