"""
The one secret of the service: random bytes that nobody else has, kept in the data folder so that
what follows from them outlasts a restart. It is never shown; only keyed hashes leave this module.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred
from twisted.python.filepath import FilePath

from .networking.whole_files import write_whole
from .supervision import CannotStart, Supervised

SECRET_BYTES = 32
_PRIVATE = 0o600


class Secret(Supervised):
    """
    The secret, a supervised child.

    @param find: finds it at the start, or makes it; see C{ensure_secret}. None: there is a new one
        in each process.
    """

    def __init__(self, find: Callable[[], bytes | Awaitable[bytes]] | None = None) -> None:
        self._find = find
        self._secret = new_secret()

    def startService(self) -> Deferred[None]:
        super().startService()
        return Deferred.fromCoroutine(self._start())

    async def _start(self) -> None:
        if self._find is not None:
            found = self._find()
            self._secret = found if isinstance(found, bytes) else await found

    def digest(self, purpose: str, text: str) -> bytes:
        """
        HMAC-SHA256 (RFC 2104) of a text.

        @param purpose: one word; other purposes have other digests of the same text.
        """
        return hmac.digest(self._secret, f"{purpose} {text}".encode(), "sha256")


def new_secret() -> bytes:
    """A secret that nobody has seen yet."""
    return secrets.token_bytes(SECRET_BYTES)


def ensure_secret(file: FilePath[str]) -> bytes:
    """
    The secret in a file, which is made (mode 0600) if it is missing.

    @param file: in a folder that is there.
    @raise CannotStart: it can't be read or written, or holds something else.
    """
    try:
        if not file.exists():
            write_whole(file, new_secret(), _PRIVATE)
        secret = file.getContent()
    except OSError as error:
        raise CannotStart(f"the secret {file.path} cannot be had: {error.strerror}") from None
    if len(secret) != SECRET_BYTES:
        raise CannotStart(f"the secret {file.path} is not {SECRET_BYTES} bytes long")
    return secret
