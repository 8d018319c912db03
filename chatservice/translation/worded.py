"""
Variants that look the words for an event up in a table, as the text dialects do; and what people
say, as text alone shows it. Which words there are is each dialect's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chatservice.controller import modes
from chatservice.controller.events import DirectMessage, Event, Message, ModesChanged, RankedMessage

Words = Mapping[type[Event], Callable[[Any], str]]
"""How the events are told that are; no words at all for one that is not, after all."""

_CTCP = "\x01"
_ACTION = re.compile(r"\x01ACTION(?: ([^\x01]*))?\x01?", re.DOTALL)


class Worded:
    """
    @param name: what it is called in logs.
    @param words: which events are told, and in which words.
    @param echo: do authors get what everybody else gets?
    @param frame: makes the bytes of an event out of its words.
    """

    __slots__ = ("_frame", "_name", "_words", "echo")

    def __init__(
        self,
        name: str,
        words: Words,
        *,
        echo: bool = True,
        frame: Callable[[str], bytes] = str.encode,
    ) -> None:
        self._name = name
        self._words = words
        self.echo = echo
        self._frame = frame

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._name}>"

    def encode(self, event: Event) -> bytes:
        find = self._words.get(type(event))
        words = find(event) if find is not None else ""
        return self._frame(words) if words else b""

    def encode_all(self, events: Sequence[Event]) -> bytes:
        return b"".join([self.encode(event) for event in events])

    def overheard(self, event: Event) -> bytes:
        return b""


def done_or_said(
    event: Message | RankedMessage | DirectMessage,
) -> tuple[bool, str] | None:
    """
    Whether the text is what the author does, and the text. IRC clients say what their user does in
    CTCP (the Client-to-Client Protocol, https://modern.ircdocs.horse/ctcp), as an ACTION.

    @return: None if it is another CTCP message: it is for programs.
    """
    text = event.text
    if not text.startswith(_CTCP):
        return False, text
    found = _ACTION.fullmatch(text)
    return (True, found[1] or "") if found else None


def action(text: str) -> str:
    """What somebody does, as the text of a message."""
    return f"{_CTCP}ACTION {text}{_CTCP}"


def spoken(event: Message | RankedMessage | DirectMessage) -> str:
    """
    What somebody said, as text alone shows it: an action becomes C{* nick does something}.

    @return: nothing if it is for programs.
    """
    understood = done_or_said(event)
    if understood is None:
        return ""
    acts, text = understood
    return f"* {event.nick} {text}".rstrip() if acts else text


def new_visibility(event: ModesChanged) -> bool | None:
    """Whether that made a room private (True) or public (False); None if it did neither."""
    changes = [on for on, mode, *_ in event.changes if mode == modes.INVITE_ONLY]
    return changes[-1] if changes else None
