"""
What stands in a buffer, as immutable values: something said, or a note of the client's own; and
what was typed and is not known to be stored yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from chatservice.client import Message

INFO, CAME, WENT, ERROR = "info", "came", "went", "error"
"""Kinds of notes."""


@dataclass(frozen=True, slots=True)
class Said:
    """
    @ivar own: by oneself.
    @ivar mention: one is called by name in it.
    """

    message: Message
    own: bool = False
    mention: bool = False

    @property
    def ms(self) -> int:
        """When, milliseconds since 1970-01-01 UTC."""
        return self.message.ms


@dataclass(frozen=True, slots=True)
class Note:
    """
    @ivar ms: when, milliseconds since 1970-01-01 UTC.
    @ivar kind: what it is about: INFO, CAME, WENT or ERROR.
    """

    ms: int
    text: str
    kind: str = INFO


Entry = Said | Note


@dataclass(slots=True, eq=False)
class Pending:
    """
    What was typed and is on its way.

    @ivar typed: as it was typed; `text` is what of it is said.
    @ivar stored: the id under which it is stored; empty as long as that is not known.
    @ivar shown: the message has come already, so this is not to be shown any more.
    """

    typed: str
    text: str
    action: bool = False
    stored: str = ""
    shown: bool = False
