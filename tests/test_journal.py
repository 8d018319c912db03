"""The journal's drivers: what all of them do (see `journal_suite` and `history_suite`), and what
only a file can.
"""

from __future__ import annotations

import sqlite3
import stat
from typing import cast

from chatservice.controller.events import Message
from chatservice.journal.interface import IJournal, NotStored
from chatservice.journal.memory import MemoryJournal
from tests import history_suite, journal_suite
from tests.facts import say, tell
from tests.journal_case import SqliteCase, pragma, rooms, said


class MemoryJournalTests(journal_suite.JournalSuite, history_suite.HistorySuite):
    _made: MemoryJournal | None = None

    def make(self) -> IJournal:
        if self._made is None:
            self._made = MemoryJournal(self.clock)
        return cast(IJournal, self._made)

    async def test_a_forgotten_conversation_leaves_nothing_behind(self) -> None:
        await self.store(tell("ann", "bob!7", "1"), tell("dan!8", "dan!8", "2"))
        await self.apply_all()

        await self.prune()

        self.assertEqual(dict(cast(MemoryJournal, self.journal)._conversations), {})


class SqliteJournalTests(SqliteCase, journal_suite.JournalSuite, history_suite.HistorySuite):
    """The contract, on disk."""


class FileTests(SqliteCase):
    async def test_nobody_else_on_the_machine_may_read_what_is_said(self) -> None:
        await self.store(say("r", "ann", "hello"))

        files = sorted(self.path.parent.iterdir())

        self.assertIn(self.path, files)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files}
        self.assertEqual(modes, dict.fromkeys(modes, 0o600))


class RestartTests(SqliteCase):
    async def test_messages_and_records_survive_a_restart(self) -> None:
        await self.store(say("r", "ann", "hello"), records=rooms("r"))

        await self.reopen()

        recovery = await self.journal.recover()
        self.assertEqual(await self.texts("r"), ["hello"])
        self.assertEqual(dict(recovery.records), rooms("r"))
        self.assertEqual(said(recovery.events), ["hello"])

    async def test_ids_go_on_rising_after_a_restart(self) -> None:
        before, after = say("r", "ann", "before"), say("r", "ann", "after")
        await self.store(before)
        await self.reopen()

        await self.store(after)

        self.assertEqual(await self.texts("r"), ["before", "after"])
        self.assertGreater(int(after.id), int(before.id))

    async def test_a_process_that_dies_without_closing_loses_nothing(self) -> None:
        await self.store(say("r", "ann", "hello"))
        left_behind = self.journal
        self.addCleanup(left_behind.close)

        self.journal = self.make()
        await self.journal.open()

        self.assertEqual(await self.texts("r"), ["hello"])


class DurabilityTests(SqliteCase):
    NORMAL, FULL = 1, 2

    async def test_what_is_stored_survives_the_process_by_default(self) -> None:
        self.assertEqual(await self.write(pragma("synchronous")), self.NORMAL)

    async def test_what_is_stored_survives_a_power_cut_if_asked_for(self) -> None:
        self.durability = "power"
        await self.reopen()

        self.assertEqual(await self.write(pragma("synchronous")), self.FULL)

    async def test_readers_do_not_wait_for_the_writer(self) -> None:
        await self.store(say("r", "ann", "stored"))
        await self.write(lambda connection: connection.execute("BEGIN IMMEDIATE"))

        read = await self.texts("r")

        await self.write(lambda connection: connection.execute("COMMIT"))
        self.assertEqual(read, ["stored"])
        self.assertEqual(pragma("journal_mode")(self.outside()), "wal")


class TroubleTests(SqliteCase):
    """A disk that is full, locked, or broken."""

    async def no_more_pages(self, more: int) -> None:
        """Lets the database grow by so many pages."""

        def limit(connection: sqlite3.Connection) -> None:
            pages = pragma("page_count")(connection) + more
            connection.execute(f"PRAGMA max_page_count = {pages}")

        await self.write(limit)

    async def test_what_a_full_disk_does_not_take_is_refused_and_nothing_of_it_is_kept(
        self,
    ) -> None:
        await self.store(say("r", "ann", "before"), records=rooms("r"))
        await self.no_more_pages(0)
        small, large = say("r", "ann", "small"), say("r", "ann", "x" * 100_000)

        words = await self.refusal(small, large)

        self.assertIn("full", words)
        self.assertEqual(await self.texts("r"), ["before"])
        self.assertFalse(await self.journal.holds(small))
        self.assertEqual(said((await self.journal.recover()).events), ["before"])

    async def test_records_are_refused_with_their_batch(self) -> None:
        await self.store(say("r", "ann", "before"), records=rooms("r"))
        await self.no_more_pages(0)

        with self.assertRaises(NotStored):
            await self.store(
                say("r", "ann", "x" * 100_000), records={("room", "r", ""): None}, mark="1"
            )

        recovery = await self.journal.recover()
        self.assertEqual(dict(recovery.records), rooms("r"))
        self.assertEqual(said(recovery.events), ["before"])

    async def test_it_works_again_when_there_is_room(self) -> None:
        await self.no_more_pages(0)
        await self.refusal(say("r", "ann", "x" * 100_000))
        await self.no_more_pages(1000)

        await self.store(say("r", "ann", "after"))

        self.assertEqual(await self.texts("r"), ["after"])

    async def test_a_full_disk_is_still_read(self) -> None:
        await self.store(say("r", "ann", "before"))
        await self.no_more_pages(0)

        await self.refusal(say("r", "ann", "x" * 100_000))

        self.assertEqual(await self.texts("r"), ["before"])

    async def test_a_locked_database_refuses_and_works_again_when_it_is_let_go(self) -> None:
        await self.write(lambda connection: connection.execute("PRAGMA busy_timeout = 0"))
        other = self.outside()
        other.execute("BEGIN IMMEDIATE")

        words = await self.refusal(say("r", "ann", "meanwhile"))

        self.assertIn("locked", words)
        other.execute("ROLLBACK")
        await self.store(say("r", "ann", "after"))
        self.assertEqual(await self.texts("r"), ["after"])

    async def test_nothing_is_forgotten_while_the_database_is_locked(self) -> None:
        await self.store(say("gone", "ann", "gone"))
        await self.apply_all()
        await self.write(lambda connection: connection.execute("PRAGMA busy_timeout = 0"))
        other = self.outside()
        other.execute("BEGIN IMMEDIATE")

        with self.assertRaises(NotStored):
            await self.prune()

        other.execute("ROLLBACK")
        self.assertEqual(await self.texts("gone"), ["gone"])
        self.assertTrue(await self.prune())

    async def test_a_file_that_is_no_database_is_refused_with_its_path_and_the_reason(self) -> None:
        await self.journal.close()
        for file in self.path.parent.iterdir():
            file.unlink()
        self.path.write_bytes(b"this was a shopping list\n" * 1000)

        with self.assertRaises(NotStored) as refused:
            await self.journal.open()

        self.assertIn(str(self.path), str(refused.exception))
        self.assertIn("not a database", str(refused.exception))

    async def test_a_folder_that_is_not_there_is_refused_with_the_path(self) -> None:
        await self.journal.close()
        self._path = self.path / "missing" / "journal.sqlite"

        with self.assertRaises(NotStored) as refused:
            await self.make().open()

        self.assertIn(str(self.path), str(refused.exception))

    async def test_what_is_broken_within_the_file_is_refused_with_words(self) -> None:
        await self.store(*(say("r", "ann", "hello") for _ in range(2000)), records=rooms("r"))
        await self.journal.close()
        self.break_file("events_by_target", "records")
        await self.journal.open()

        with self.assertRaises(NotStored) as unread:
            await self.texts("r")
        words = await self.refusal(say("r", "ann", "after"))

        self.assertIn("malformed", str(unread.exception))
        self.assertIn("malformed", words)
        with self.assertRaises(NotStored):
            await self.prune(messages=1)
        with self.assertRaises(NotStored):
            await self.journal.recover()

    def break_file(self, *names: str) -> None:
        """Overwrites the roots of tables and indexes, as a dying disk might."""
        connection = self.outside()
        size = pragma("page_size")(connection)
        find = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        roots = [connection.execute(find, (name,)).fetchone()[0] for name in names]
        connection.close()
        with self.path.open("r+b") as file:
            for root in roots:
                file.seek((root - 1) * size)
                file.write(b"\xff" * size)

    async def test_an_error_that_is_not_the_disks_is_not_called_one(self) -> None:
        # SQLite has no 65-bit integers.
        event = Message(target="r", room="R", actor="ann", nick="Ann", text="")
        event.text = cast(str, 1 << 65)

        with self.assertRaises(OverflowError):
            await self.store(event)

        self.assertFalse(await self.journal.holds(event))
        await self.store(say("r", "ann", "after"))
        self.assertEqual(await self.texts("r"), ["after"])
