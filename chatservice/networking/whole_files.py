"""
Small files that are there whole or not at all, and private from their first moment if they are to
be. What is in them is not known here.
"""

from __future__ import annotations

import os

from twisted.python.filepath import FilePath


def write_whole(file: FilePath[str], content: bytes, mode: int) -> None:
    """
    Makes a file, or replaces it.

    @param mode: its permissions, whatever the umask is.
    @raise OSError: it can't be written; what was there before is there still.
    """
    unfinished = file.temporarySibling(".unfinished")
    # The mode belongs to the creation: a chmod afterwards would leave a moment open to others.
    descriptor = os.open(unfinished.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            # The umask may have taken from a mode that is meant for everybody.
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.moveTo(file)
    finally:
        if unfinished.exists():
            unfinished.remove()
