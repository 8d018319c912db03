"""
What Redis does in one step, as Lua scripts: one file each, and the few functions that several share
put before them. Each is sent once and then called by its digest.
"""

from __future__ import annotations

from hashlib import sha1
from importlib.resources import files
from typing import Any

from chatservice.journal.redis.link import Argument, Link, Refused

_SHARED = {
    "commit": ("positions", "filing"),
    "open": ("positions",),
    "recover": ("positions",),
    "file": ("positions", "filing"),
    "latest": (),
    "turn": ("positions",),
    "prune": ("positions",),
    "renew": ("positions",),
    "claim": ("positions",),
    "seen_to": ("positions",),
}
"""Every script, and the files whose functions it uses."""


class Script:
    """
    A script.

    @ivar text: its source.
    @ivar digest: what Redis knows it by: SHA-1, in hexadecimal.
    """

    __slots__ = ("digest", "text")

    def __init__(self, name: str) -> None:
        folder = files(__package__)
        parts = (*_SHARED[name], name)
        self.text = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in parts)
        self.digest = sha1(self.text.encode(), usedforsecurity=False).hexdigest()


COMMIT = Script("commit")
OPEN = Script("open")
RECOVER = Script("recover")
FILE = Script("file")
LATEST = Script("latest")
TURN = Script("turn")
PRUNE = Script("prune")
RENEW = Script("renew")
CLAIM = Script("claim")
SEEN_TO = Script("seen_to")


async def run(link: Link, script: Script, *arguments: Argument) -> Any:
    """
    Has Redis run a script.

    @raise Away: see `Link.ask`; so C{Refused}.
    """
    try:
        return await link.ask("EVALSHA", script.digest, 0, *arguments)
    except Refused as error:
        if not str(error).startswith("NOSCRIPT"):
            raise
    return await link.ask("EVAL", script.text, 0, *arguments)
