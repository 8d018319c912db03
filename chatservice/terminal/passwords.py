"""
The account's password: out of a file, the environment, or somebody's head. It is kept nowhere, and
shown nowhere.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

VARIABLE = "CHAT_PASSWORD"

Asking = Callable[[str], Awaitable[str]]
"""Asks somebody at the terminal a question; what is answered is not shown. Empty for no answer."""


class BadPassword(Exception):
    """The password can't be read; the words say why."""


def given(file: Path | None, environment: Mapping[str, str], warn: Callable[[str], None]) -> str:
    """
    The password that was given beforehand; empty if none was.

    @param file: its first line is the password; it is preferred. None for no file.
    @param environment: may have it as `VARIABLE`.
    @param warn: told if others can read the file.
    @raise BadPassword: the file can't be read, or holds none.
    """
    if file is None:
        return environment.get(VARIABLE, "")
    try:
        with file.open("rb") as opened:
            status = os.fstat(opened.fileno())
            line = opened.readline().decode().rstrip("\r\n")
    except OSError as error:
        raise BadPassword(f"can't read the password in {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadPassword(f"the password in {file} is no UTF-8") from None
    if not line:
        raise BadPassword(f"the first line of {file} is empty: that is no password")
    if stat.S_ISREG(status.st_mode) and status.st_mode & (stat.S_IROTH | stat.S_IWOTH):
        warn(f"everybody can read the password in {file}; chmod 600 {file}")
    return line
