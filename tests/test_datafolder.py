"""The data folder: made private, and held by one server at a time."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from chatservice.datafolder import DataFolder
from chatservice.supervision import CannotStart


class DataFolderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp()).absolute()
        self.warnings: list[str] = []

        @implementer(ILogObserver)
        def observe(event: LogEvent) -> None:
            ours = event["log_namespace"] == "chatservice.datafolder.DataFolder"
            if ours and event["log_level"] >= LogLevel.warn:
                self.warnings.append(str(event["log_format"]))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)

    def held(self, path: Path | None = None) -> DataFolder:
        folder = DataFolder(path or self.path)
        self.addCleanup(folder.stopService)
        folder.startService()
        return folder

    def refusal(self, path: Path | None = None) -> str:
        folder = DataFolder(path or self.path)
        self.addCleanup(folder.stopService)
        return str(self.assertRaises(CannotStart, folder.startService))

    def test_it_is_made_with_its_parents_and_is_its_owners_alone(self) -> None:
        path = self.path / "var" / "chat"
        self.held(path)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o700)
        self.assertEqual(stat.S_IMODE((path / "lock").stat().st_mode), 0o600)
        self.assertEqual(self.warnings, [])

    def test_one_that_is_there_is_used_as_it_is(self) -> None:
        self.path.mkdir(mode=0o700)
        (self.path / "journal.sqlite").write_text("kept")
        self.held()
        self.assertEqual((self.path / "journal.sqlite").read_text(), "kept")
        self.assertEqual(self.warnings, [])

    def test_one_that_others_may_read_is_used_with_a_warning(self) -> None:
        self.path.mkdir()
        self.path.chmod(0o750)
        self.held()
        self.assertEqual(len(self.warnings), 1)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o750)

    def test_a_second_server_is_refused_with_the_firsts_process_id(self) -> None:
        self.held()
        for _ in range(2):
            words = self.refusal()
            self.assertIn(str(self.path), words)
            self.assertIn(f"process {os.getpid()}", words)
            self.assertNotIn("\n", words)

    def test_it_is_free_again_after_a_stop(self) -> None:
        first = self.held()
        first.stopService()
        second = self.held()
        self.refusal()
        second.stopService()
        first.startService()

    def test_what_is_no_folder_can_not_be_used(self) -> None:
        self.path.write_text("a file")
        words = self.refusal(self.path / "data")
        self.assertIn(str(self.path / "data"), words)
        self.assertIn("Not a directory", words)

    def test_stopping_after_a_start_that_failed_is_no_error(self) -> None:
        self.held()
        refused = DataFolder(self.path)
        self.assertRaises(CannotStart, refused.startService)
        refused.stopService()
        self.refusal()
