"""
Events as rows: what a table or a stream keeps of an event. The common fields have columns of their
own, so that a store can look for them; what only one kind has is JSON. Nothing here touches a
store.
"""

from __future__ import annotations

import json
from typing import Any

from chatservice.controller.events import EVENTS, Event, Message, own_values

Row = tuple[int, int, str, str, str, str, "str | None", "str | None"]
"""id, ms, kind, target, actor, nick, text, rest"""


def to_row(event: Event) -> Row:
    """The row of a stamped event whose id is a number."""
    if type(event) is Message:
        # The hot kind. Its room's name is not kept: whoever reads a room's history knows it.
        text, rest = event.text, None
    else:
        own = own_values(event)
        text = own.pop("text", None)
        rest = json.dumps(own, ensure_ascii=False, separators=(",", ":")) if own else None
    return (
        int(event.id),
        event.ms,
        event.kind,
        event.target,
        event.actor,
        event.nick,
        text,
        rest,
    )


def from_row(row: Row) -> Event:
    """The event of a row."""
    id, ms, kind, target, actor, nick, text, rest = row
    own: dict[str, Any] = json.loads(rest) if rest else {}
    if text is not None:
        own["text"] = text
    return EVENTS[kind](id=str(id), ms=ms, target=target, actor=actor, nick=nick, **own)
