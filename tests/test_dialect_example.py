"""The example in docs/dialects.md is a package that works: its files are taken out of the document,
found as a plugin like anybody's, talked to over TLS, and tested by its own tests.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import unittest
from importlib import import_module, invalidate_caches
from pathlib import Path

from chatservice.translation.registry import Dialects
from tests.service import TLS, ServiceCase

_ROOT = Path(__file__).parent.parent
_FILE = re.compile(r"^`([\w./]+)`[^\n]*:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class ExampleTests(ServiceCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp()).absolute()
        document = (_ROOT / "docs" / "dialects.md").read_text(encoding="utf-8")
        self.files = dict(_FILE.findall(document))
        for name, text in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        shutil.copy(_ROOT / "tests" / "bench.py", folder)
        modules = set(sys.modules)
        self.patch(sys, "path", [*sys.path, str(folder)])
        plugins = import_module("twisted.plugins")
        self.patch(plugins, "__path__", [*plugins.__path__, str(folder / "twisted" / "plugins")])
        invalidate_caches()
        self.addCleanup(self.forget, modules)

    def forget(self, modules: set[str]) -> None:
        for name in set(sys.modules) - modules:
            if name == "bench" or "jsonl" in name:
                del sys.modules[name]

    def test_the_document_has_all_of_its_files(self) -> None:
        self.assertEqual(
            set(self.files),
            {
                "chat_jsonl/__init__.py",
                "twisted/plugins/chat_jsonl_plugin.py",
                "pyproject.toml",
                "test_jsonl.py",
            },
        )

    def test_it_is_found_beside_the_houses_own(self) -> None:
        names = [dialect.name for dialect in Dialects.installed()]

        self.assertEqual(names, sorted(names))
        self.assertLessEqual({"jsonl", "line"}, set(names))

    def test_its_own_tests_pass(self) -> None:
        case = import_module("test_jsonl").JsonTests
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
        result = unittest.TestResult()

        suite.run(result)

        self.assertEqual((result.failures, result.errors), ([], []))
        self.assertEqual(result.testsRun, 2)

    async def test_it_is_spoken_over_tls(self) -> None:
        service = await self.serve(listen=(TLS,))
        ada = await service.connect()
        for request, answer in (
            ('{"do": "login", "nick": "ada"}', {"ok": "login", "nick": "ada"}),
            ('{"do": "make", "room": "lobby"}', {"ok": "make", "room": "lobby"}),
            ('{"do": "users"}', {"ok": "users", "nicks": ["ada"]}),
        ):
            ada.send(request)
            self.assertEqual(json.loads(await ada.line()), answer)
        for request, code in (
            ('{"do": "fly"}', "UNKNOWN_COMMAND"),
            ('{"do": "join"}', "BAD_ARGUMENTS"),
            ('{"do": ["join"]}', "BAD_ARGUMENTS"),
            ("[[" * 2000, "BAD_ARGUMENTS"),
            ('{"do": "join", "room": "\\ud800"}', "BAD_ROOM_NAME"),
        ):
            ada.send(request)
            self.assertEqual(json.loads(await ada.line())["error"], code)
