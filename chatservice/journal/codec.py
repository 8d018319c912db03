"""
Events as rows: what a table or a stream keeps of an event. The common fields have columns of their
own, so that a store can look for them; what only one kind has is JSON. Nothing here touches a
store.
"""

from __future__ import annotations

import json
from dataclasses import fields
from operator import attrgetter
from typing import Any

from chatservice.controller.events import (
    EVENTS,
    OWN_FIELDS,
    DirectMessage,
    Event,
    Message,
    own_values,
)

Row = tuple[int, int, str, str, str, str, str, str, "str | None", "str | None"]
"""The values of `COLUMNS`. Where there is no rest, it is read as None or an empty string."""

COLUMNS = ("id", "ms", "kind", "target", "actor", "nick", "account", "host", "text", "rest")

_RARE: dict[type[Event], dict[str, Any]] = {
    kind: {f.name: f.default for f in fields(kind) if f.name in {*OWN_FIELDS[kind]} - aside}
    for kind, aside in {
        # A room's name is not kept: whoever reads a room's history knows it.
        Message: {"text", "room"},
        DirectMessage: {"text"},
    }.items()
}
"""
Of the kinds that there are most of: what is kept beside the text, and only where it is not this.
"""

_rare = attrgetter(*_RARE[Message])
_NOTHING_RARE = tuple(_RARE[Message].values())


def to_row(event: Event) -> Row:
    """The row of a stamped event whose id is a number."""
    text: str | None
    if type(event) is Message and _rare(event) == _NOTHING_RARE:
        text, rest = event.text, ""  # the hot kind
    else:
        text, rest = _own(event)
    return (
        int(event.id),
        event.ms,
        event.kind,
        event.target,
        event.actor,
        event.nick,
        event.account,
        event.host,
        text,
        rest,
    )


def _own(event: Event) -> tuple[str | None, str]:
    """The text, and as JSON what else only this kind has."""
    rare = _RARE.get(type(event))
    if rare is None:
        own = own_values(event)
        own.pop("text", None)
    else:
        own = {
            name: value for name, usual in rare.items() if (value := getattr(event, name)) != usual
        }
    text: str | None = getattr(event, "text", None)
    return text, json.dumps(own, ensure_ascii=False, separators=(",", ":")) if own else ""


def from_row(row: Row) -> Event:
    """The event of a row."""
    id, ms, kind, target, actor, nick, account, host, text, rest = row
    own: dict[str, Any] = json.loads(rest) if rest else {}
    if text is not None:
        own["text"] = text
    return EVENTS[kind](
        id=str(id),
        ms=ms,
        target=target,
        actor=actor,
        nick=nick,
        account=account,
        host=host,
        **own,
    )
