"""
The message of the day: a text file, read whole or not at all. Who is told of it is not known here.
"""

from __future__ import annotations

import re
from pathlib import Path

MOST_LINES = 200
_MOST_BYTES = 65_536
_BLANK = " \t\n"
_UNSENDABLE = re.compile("[\0\r]")


class BadMotd(ValueError):
    """The file can't be used; the argument says what was expected, and why it is not that."""


def read_motd(path: Path | None) -> tuple[str, ...]:
    """
    The lines of a message of the day.

    @param path: a file, in UTF-8; None for no message.
    @raise BadMotd: it can't be read, or is no text, or is too long.
    """
    if path is None:
        return ()
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise BadMotd(f"expected a file that can be read: {path}: {error.strerror}") from None
    try:
        text = content.decode("utf-8-sig") if len(content) <= _MOST_BYTES else ""
    except UnicodeDecodeError:
        raise BadMotd(f"expected a text in UTF-8: {path}") from None
    # Not splitlines(), nor all that is blank: some of that is for colours and slanted letters.
    lines = _UNSENDABLE.sub("", text).rstrip(_BLANK).split("\n") if text.strip() else []
    if len(lines) > MOST_LINES or len(content) > _MOST_BYTES:
        raise BadMotd(f"expected at most {MOST_LINES} lines and {_MOST_BYTES} bytes: {path}")
    return tuple(line.rstrip(_BLANK) for line in lines)
