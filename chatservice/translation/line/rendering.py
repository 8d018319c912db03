"""
Events as the line protocol writes them (docs/protocol.md, "Events"). One function an event; the
others are not told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatservice.controller.events import (
    DirectMessage,
    Event,
    Invited,
    Joined,
    Kicked,
    Left,
    Message,
    RoomDeleted,
    TopicChanged,
    VisibilityChanged,
)


def visibility(private: bool) -> str:
    """The word for it, in requests and events alike."""
    return "private" if private else "public"


def _message(event: Message) -> str:
    return f"ROOM:{event.room}:{event.nick}:{event.text}\r\n"


def _direct(event: DirectMessage) -> str:
    return f"SAY:{event.nick}:{event.text}\r\n"


def _joined(event: Joined) -> str:
    return f"JOINED:{event.room}:{event.nick}\r\n"


def _left(event: Left) -> str:
    return f"LEFT:{event.room}:{event.nick}\r\n"


def _kicked(event: Kicked) -> str:
    return f"KICKED:{event.room}:{event.victim_nick}:{event.nick}\r\n"


def _invited(event: Invited) -> str:
    return f"INVITED:{event.room}:{event.nick}\r\n"


def _deleted(event: RoomDeleted) -> str:
    return f"DELETED:{event.room}:{event.nick}\r\n"


def _visibility_changed(event: VisibilityChanged) -> str:
    return f"VISIBILITY:{event.room}:{visibility(event.private)}\r\n"


def _topic_changed(event: TopicChanged) -> str:
    return f"TOPIC:{event.room}:{event.nick}:{event.text}\r\n"


_WORDS: dict[type[Event], Callable[[Any], str]] = {
    Message: _message,
    DirectMessage: _direct,
    Joined: _joined,
    Left: _left,
    Kicked: _kicked,
    Invited: _invited,
    RoomDeleted: _deleted,
    VisibilityChanged: _visibility_changed,
    TopicChanged: _topic_changed,
}


class Lines:
    """The one variant of the line protocol: its clients negotiate nothing."""

    echo = True

    def encode(self, event: Event) -> bytes:
        words = _WORDS.get(type(event))
        return words(event).encode() if words is not None else b""


LINES = Lines()
