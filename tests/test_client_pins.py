"""The store of pins: its file, its lines, and several processes that write it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from chatservice.client.pins import BadPins, Pin, PinStore, Server, canonical

ONE = ":".join(["AB"] * 32)
OTHER = ":".join(["CD"] * 32)
CHAT = Server("chat.example", 6667)

_REMEMBER = """
import sys
from chatservice.client.pins import PinStore, Server
store = PinStore(sys.argv[1])
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    store.remember(Server(f"n{number}.example", 6667), "AB" * 32)
"""


class ServerTests(SynchronousTestCase):
    def test_a_server_is_the_same_however_it_is_written(self) -> None:
        for written, host, shown in (
            ("Chat.Example.", "chat.example", "chat.example:6667"),
            ("büro.example", "xn--bro-hoa.example", "xn--bro-hoa.example:6667"),
            ("[::1]", "::1", "[::1]:6667"),
            ("2001:DB8:0:0::1", "2001:db8::1", "[2001:db8::1]:6667"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.1:6667"),
            ("FE80::1%eth0", "fe80::1%eth0", "[fe80::1%eth0]:6667"),
            ("a_b-c", "a_b-c", "a_b-c:6667"),
        ):
            server = Server.of(written, 6667)
            self.assertEqual((server.host, str(server)), (host, shown))

    def test_what_is_no_host_is_told(self) -> None:
        for host in (
            "",
            "a b",
            "a/b",
            "-a",
            "a..b",
            "1.2.3",
            "256.1.1.1",
            "a" * 64,
            "[",
            "\x1b[m",
            "fe80::1%a b",
        ):
            error = self.assertRaises(ValueError, Server.of, host, 6667)
            self.assertEqual(str(error), f"{host!r} is no host name and no IP address")

    def test_what_is_no_port_is_told(self) -> None:
        for port in (0, -1, 65536):
            error = self.assertRaises(ValueError, Server.of, "localhost", port)
            self.assertEqual(str(error), "a port is a number from 1 to 65535")


class PinStoreTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "pins"
        self.store = PinStore(self.path)

    def given(self, content: str) -> None:
        self.path.parent.mkdir()
        self.path.write_text(content)

    def refused(self) -> str:
        error = self.assertRaises(BadPins, self.store.find, CHAT)
        self.assertEqual(
            str(self.assertRaises(BadPins, self.store.remember, CHAT, ONE)), str(error)
        )
        return str(error)

    def test_nobody_is_known_at_first_and_nothing_is_made(self) -> None:
        self.assertIsNone(self.store.find(CHAT))
        self.assertFalse(self.path.parent.exists())

    def test_what_is_remembered_is_found_by_others(self) -> None:
        pin = self.store.remember(CHAT, ONE)
        self.assertEqual(pin, Pin(CHAT, ONE, self.path, 2))
        self.assertEqual(PinStore(self.path).find(CHAT), pin)
        self.assertEqual(self.store.remember(Server("::1", 1), "cd" * 32).fingerprint, OTHER)
        self.assertIn(f"chat.example:6667 SHA256:{ONE}\n[::1]:1 SHA256:", self.path.read_text())

    def test_authorities_are_remembered(self) -> None:
        pin = self.store.remember(CHAT, None)
        self.assertIsNone(pin.fingerprint)
        self.assertEqual(self.store.find(CHAT), pin)

    def test_who_came_first_is_believed(self) -> None:
        first = self.store.remember(CHAT, ONE)
        before = self.path.read_bytes()
        self.assertEqual(self.store.remember(CHAT, OTHER), first)
        self.assertEqual(self.path.read_bytes(), before)

    def test_file_and_folder_are_private(self) -> None:
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.store.remember(CHAT, ONE)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.path.parent.stat().st_mode), 0o700)

    def test_nothing_else_is_left_in_the_folder(self) -> None:
        self.store.remember(CHAT, ONE)
        self.assertEqual([file.name for file in self.path.parent.iterdir()], ["pins"])

    def test_comments_and_what_people_write_stay(self) -> None:
        written = f"# ours\n\n  CHAT.example.:6667\tsha256:{'ab' * 32}  \n# no newline"
        self.given(written)
        self.assertEqual(self.store.find(CHAT), Pin(CHAT, ONE, self.path, 3))
        pin = self.store.remember(Server("other.example", 1), OTHER)
        self.assertEqual(pin.line, 5)
        self.assertEqual(self.path.read_text(), f"{written}\nother.example:1 SHA256:{OTHER}\n")

    def test_a_link_to_the_file_stays_one(self) -> None:
        self.given("")
        link = self.path.parent / "link"
        link.symlink_to("pins")
        PinStore(link).remember(CHAT, ONE)
        self.assertTrue(link.is_symlink())
        self.assertEqual(self.store.find(CHAT), Pin(CHAT, ONE, self.path, 2))

    def test_a_line_that_can_not_be_understood_is_told(self) -> None:
        bad = (
            "chat.example:6667",
            f"chat.example SHA256:{ONE}",
            f"chat.example:port SHA256:{ONE}",
            f"chat.example:70000 SHA256:{ONE}",
            "chat.example:6667 SHA256:AB",
            f"chat.example:6667 SHA256:{ONE} more",
        )
        self.given("")
        for line in bad:
            # Even behind the one that is looked for: it might have been meant to be before it.
            self.path.write_text(f"chat.example:6667 SHA256:{ONE}\n{line}\n")
            words = self.refused()
            self.assertTrue(words.startswith(f"line 2 of {self.path} can't be understood ("), words)
            self.assertIn("mend or remove it", words)

    def test_what_is_no_text_is_told(self) -> None:
        self.given("")
        self.path.write_bytes(b"\xff\xfe")
        self.assertEqual(self.refused(), f"{self.path} is not a text file")

    def test_what_can_not_be_read_is_told(self) -> None:
        self.path.mkdir(parents=True)
        self.assertEqual(self.refused(), f"can't read {self.path}: Is a directory")

    def test_what_can_not_be_written_is_told(self) -> None:
        self.path.parent.parent.mkdir(exist_ok=True)
        self.path.parent.write_text("a file, no folder")
        error = self.assertRaises(BadPins, self.store.remember, CHAT, ONE)
        self.assertEqual(str(error), f"can't write {self.path}: File exists")

    def test_no_fingerprint_is_no_pin(self) -> None:
        self.assertRaises(ValueError, self.store.remember, CHAT, "AB")
        self.assertFalse(self.path.exists())

    def test_processes_do_not_lose_what_others_remember(self) -> None:
        command = [sys.executable, "-c", _REMEMBER, str(self.path.absolute())]
        root = Path(__file__).parent.parent
        processes = [
            subprocess.Popen([*command, str(begin), str(begin + 20)], cwd=root)
            for begin in (0, 20, 40)
        ]
        self.assertEqual([process.wait() for process in processes], [0, 0, 0])
        for number in range(60):
            self.assertIsNotNone(self.store.find(Server(f"n{number}.example", 6667)))


class CanonicalTests(SynchronousTestCase):
    def test_all_ways_of_writing_are_one(self) -> None:
        for text in (ONE, ONE.lower(), "ab" * 32, f"SHA256:{ONE}", f" sha256:{'AB' * 32}\n"):
            self.assertEqual(canonical(text), ONE)
