"""
What a node is called by the others: a name that it gives itself once and keeps in its data folder,
so that it knows after a restart which users are left over from its last life.
"""

from __future__ import annotations

import re
import secrets

from twisted.python.filepath import FilePath

from chatservice.networking.whole_files import write_whole
from chatservice.supervision import CannotStart

_NAME = re.compile("[0-9a-f]{16}")
_PRIVATE = 0o600


def ensure_name(file: FilePath[str]) -> str:
    """
    The node's name, from a file, which is made if it is missing.

    @param file: in a folder that is there.
    @raise CannotStart: it can't be read or written, or holds something else.
    """
    try:
        if not file.exists():
            write_whole(file, secrets.token_hex(8).encode(), _PRIVATE)
        name = file.getContent().decode("ascii", "replace").strip()
    except OSError as error:
        raise CannotStart(f"the node's name {file.path} cannot be had: {error.strerror}") from None
    if not _NAME.fullmatch(name):
        raise CannotStart(f"{file.path} does not hold a node's name: 16 hexadecimal digits")
    return name
