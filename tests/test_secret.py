"""The service's secret, and cloaks: what others see in the place of an address."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import stat
from pathlib import Path
from typing import Any

from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from chatservice.networking.cloaks import Cloaks
from chatservice.secret import Secret, ensure_secret, new_secret
from chatservice.supervision import CannotStart
from tests.service import ServiceCase

SECRET = bytes(range(32))


def of(secret: bytes, text: str) -> bytes:
    return hmac.new(secret, text.encode(), hashlib.sha256).digest()


class CloakTests(SynchronousTestCase):
    def test_it_is_a_keyed_hash_of_the_address(self) -> None:
        cloak = Cloaks(lambda purpose, text: of(SECRET, f"{purpose} {text}")).of("192.0.2.1")

        digest = of(SECRET, "cloak 192.0.2.1")
        self.assertEqual(cloak, base64.b32encode(digest).decode()[:13].lower() + ".ip")
        self.assertRegex(cloak, r"\A[a-z2-7]{13}\.ip\Z")

    def test_another_address_or_another_secret_is_another_cloak(self) -> None:
        ours, theirs = Cloaks(Secret().digest), Cloaks(Secret().digest)
        addresses = ("192.0.2.1", "192.0.2.2", "2001:db8:1:2::/64", "local")

        cloaks = {each.of(address) for each in (ours, theirs) for address in addresses}

        self.assertEqual(len(cloaks), 8)


class SecretTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.file: FilePath[str] = FilePath(str(self.folder / "secret.key"))

    def test_it_is_made_once_and_private(self) -> None:
        before = os.umask(0)
        self.addCleanup(os.umask, before)

        secret = ensure_secret(self.file)

        self.assertEqual(len(secret), 32)
        self.assertEqual(ensure_secret(self.file), secret)
        status = (self.folder / "secret.key").stat()
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o600)
        self.assertEqual([each.name for each in self.folder.iterdir()], ["secret.key"])

    def test_two_servers_have_two(self) -> None:
        self.assertNotEqual(new_secret(), new_secret())

    def test_a_folder_that_is_not_there_is_told(self) -> None:
        self.folder.rmdir()

        error = self.assertRaises(CannotStart, ensure_secret, self.file)

        self.assertIn("secret.key cannot be had: No such file or directory", str(error))

    def test_a_file_that_is_something_else_is_left_alone(self) -> None:
        self.file.setContent(b"short")

        self.assertRaises(CannotStart, ensure_secret, self.file)

        self.assertEqual(self.file.getContent(), b"short")


class ServiceTests(ServiceCase):
    async def cloak(self, **how: Any) -> str:
        """What a new service shows in the place of an address."""
        service = await self.serve(**how)
        side = service.side_of(await service.log_in("alice"))
        return side.session._desk.cloak("192.0.2.1")

    async def test_cloaks_are_the_same_after_a_restart(self) -> None:
        data = Path(self.mktemp())
        service = await self.serve(store="sqlite", also={"data": data})
        before = service.side_of(await service.log_in("alice")).session._desk.cloak("192.0.2.1")
        await service.stop()

        after = await self.cloak(store="sqlite", also={"data": data})

        self.assertEqual(before, after)
        secret = (data / "secret.key").read_bytes()
        digest = of(secret, "cloak 192.0.2.1")
        self.assertEqual(after, base64.b32encode(digest).decode()[:13].lower() + ".ip")

    async def test_without_a_store_they_are_others_each_time(self) -> None:
        data = Path(self.mktemp())

        cloaks = {await self.cloak(also={"data": data}) for _ in range(2)}

        self.assertEqual(len(cloaks), 2)
        self.assertFalse((data / "secret.key").exists())
