"""
The data folder, as the first supervised child: there while the service runs, private, and held by
this process alone. What the others keep in it is not known here.
"""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

from twisted.logger import Logger

from .supervision import CannotStart, Supervised

_LOCK = "lock"
_PRIVATE = 0o700
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class DataFolder(Supervised):
    """
    Makes the folder if it is missing, and holds an exclusive lock on a file in it. The lock is the
    kernel's: it goes with the process, however that ends, and the file that stays means nothing.

    @param path: the folder; an absolute path.
    """

    log = Logger()

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: int | None = None

    def startService(self) -> None:
        super().startService()
        try:
            self._path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            self._lock = os.open(self._path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            mode = stat.S_IMODE(self._path.stat().st_mode)
        except OSError as error:
            raise CannotStart(
                f"the data folder {self._path} cannot be used: {error.strerror}"
            ) from None
        self._take(self._lock)
        self.log.info("the data folder is {path}", path=self._path)
        if mode & _OTHERS:
            self.log.warn(  # noqa: G010 - Twisted's logger has no other
                "the data folder {path} is open to others (mode {mode}): chmod 700 it",
                path=str(self._path),
                mode=f"{mode:04o}",
            )

    def _take(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise CannotStart(
                f"the data folder {self._path} is in use by another server (process {holder})"
            ) from None
        except OSError as error:
            raise CannotStart(
                f"the data folder {self._path} cannot be locked: {error.strerror}"
            ) from None
        os.truncate(lock, 0)
        os.pwrite(lock, b"%d\n" % os.getpid(), 0)

    def stopService(self) -> None:
        super().stopService()
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)
