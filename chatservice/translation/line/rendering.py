"""
Events as the line protocol writes them (docs/protocol.md, "Events"). One function an event; the
others are not told.
"""

from __future__ import annotations

from chatservice.controller.events import (
    DirectMessage,
    Invited,
    Joined,
    Kicked,
    Left,
    Message,
    ModesChanged,
    NickChanged,
    RankedMessage,
    RoomDeleted,
    TopicChanged,
    Transferred,
    VisibilityChanged,
)
from chatservice.translation.worded import Worded, Words, new_visibility, spoken


def visibility(private: bool) -> str:
    """The word for it, in requests and events alike."""
    return "private" if private else "public"


def _message(event: Message | RankedMessage) -> str:
    text = spoken(event)
    return f"ROOM:{event.room}:{event.nick}:{text}\r\n" if text else ""


def _direct(event: DirectMessage) -> str:
    text = spoken(event)
    return f"SAY:{event.nick}:{text}\r\n" if text else ""


def _nick_changed(event: NickChanged) -> str:
    return f"NICK:{event.nick}:{event.new_nick}\r\n"


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


def _modes_changed(event: ModesChanged) -> str:
    private = new_visibility(event)
    return "" if private is None else f"VISIBILITY:{event.room}:{visibility(private)}\r\n"


def _transferred(event: Transferred) -> str:
    return f"OWNER:{event.room}:{event.heir_nick}:{event.nick}\r\n"


def _topic_changed(event: TopicChanged) -> str:
    return f"TOPIC:{event.room}:{event.nick}:{event.text}\r\n"


_WORDS: Words = {
    Message: _message,
    RankedMessage: _message,
    DirectMessage: _direct,
    NickChanged: _nick_changed,
    Joined: _joined,
    Left: _left,
    Kicked: _kicked,
    Invited: _invited,
    RoomDeleted: _deleted,
    VisibilityChanged: _visibility_changed,
    ModesChanged: _modes_changed,
    Transferred: _transferred,
    TopicChanged: _topic_changed,
}


LINES = Worded("line protocol", _WORDS)
"""The one variant of the line protocol: its clients negotiate nothing."""
