"""
What the client is told, as changes of the model and as notes in its buffers: one small function an
event. What is said comes another way (`session`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chatservice.client import (
    Connected,
    Disconnected,
    Invited,
    Joined,
    Kicked,
    Killed,
    Left,
    NickChanged,
    OwnerChanged,
    RoomDeleted,
    Told,
    TopicChanged,
    VisibilityChanged,
)

from .buffer import ROOM, Buffer
from .entries import CAME, ERROR, INFO, WENT

if TYPE_CHECKING:
    from .session import Session


def happen(session: Session, told: Told) -> None:
    """Does what follows from an event."""
    function = _HAPPENINGS.get(type(told))
    if function is not None:
        function(session, told)


def _in_room(session: Session, name: str, text: str, kind: str = INFO) -> None:
    buffer = session.model.find(ROOM, name)
    if buffer is not None:
        session.note(buffer, text, kind)


def _everywhere(session: Session, text: str, kind: str = INFO) -> None:
    for buffer in session.model.buffers:
        session.note(buffer, text, kind)


def _to_me(session: Session, text: str) -> None:
    """To be seen now, and found later."""
    for buffer in {session.model.status, session.model.active}:
        session.note(buffer, text)


# The connection.


def _connected(session: Session, told: Connected) -> None:
    model = session.model
    model.lost, model.retry_at = "", None
    model.nick, model.account = session.client.nick or model.nick, session.client.account
    if told.again:
        _everywhere(session, "reconnected")
        for buffer in model.buffers:
            if buffer.room is not None:
                session.run(session.refresh(buffer), buffer)


def _disconnected(session: Session, told: Disconnected) -> None:
    model = session.model
    if told.retry_in is None:
        model.lost, model.retry_at = told.reason, None
        _everywhere(session, f"not connected any more: {told.reason}", ERROR)
        return
    if not model.lost:
        _everywhere(session, f"disconnected: {told.reason}", ERROR)
    model.lost = told.reason
    model.retry_at = session.clock.seconds() + told.retry_in


def _killed(session: Session, told: Killed) -> None:
    reason = f": {told.reason}" if told.reason else ""
    _everywhere(session, f"{told.by} has put you out of the server{reason}", ERROR)


# Rooms.


def _joined(session: Session, told: Joined) -> None:
    if told.nick == session.client.nick:
        session.entered[told.room] = told.id
        return
    buffer = session.model.find(ROOM, told.room)
    if buffer is not None:
        session.model.nicks.add(told.nick)
        if buffer.members.add(told.nick, told.account):
            session.note(buffer, f"{told.nick} joined", CAME)


def _gone(buffer: Buffer | None, nick: str) -> bool:
    return buffer is not None and buffer.members.remove(nick)


def _left(session: Session, told: Left) -> None:
    if _gone(session.model.find(ROOM, told.room), told.nick):
        reason = f" ({told.reason})" if told.reason else ""
        _in_room(session, told.room, f"{told.nick} left{reason}", WENT)


def _kicked(session: Session, told: Kicked) -> None:
    if _gone(session.model.find(ROOM, told.room), told.nick):
        reason = f": {told.reason}" if told.reason else ""
        _in_room(session, told.room, f"{told.by} put {told.nick} out{reason}", WENT)


def _deleted(session: Session, told: RoomDeleted) -> None:
    session.model.rooms.discard(told.room)


def _visibility(session: Session, told: VisibilityChanged) -> None:
    what = "private" if told.private else "public"
    _in_room(session, told.room, f"{told.by or 'somebody'} made the room {what}")


def _owner(session: Session, told: OwnerChanged) -> None:
    _in_room(session, told.room, f"{told.nick} owns the room now")


def _topic(session: Session, told: TopicChanged) -> None:
    buffer = session.model.find(ROOM, told.room)
    if buffer is not None:
        buffer.topic = told.text
        text = f"set the topic: {told.text}" if told.text else "cleared the topic"
        session.note(buffer, f"{told.nick} {text}")


# People.


def _invited(session: Session, told: Invited) -> None:
    session.model.rooms.add(told.room)
    _to_me(session, f"{told.by} invites you to {told.room}: /join {told.room}")


def _renamed(session: Session, told: NickChanged) -> None:
    for buffer in session.model.renamed(told.nick, told.new_nick):
        session.note(buffer, f"{told.nick} is called {told.new_nick} now")


_HAPPENINGS: dict[type, Callable[[Session, Any], None]] = {
    Connected: _connected,
    Disconnected: _disconnected,
    Invited: _invited,
    Joined: _joined,
    Kicked: _kicked,
    Killed: _killed,
    Left: _left,
    NickChanged: _renamed,
    OwnerChanged: _owner,
    RoomDeleted: _deleted,
    TopicChanged: _topic,
    VisibilityChanged: _visibility,
}
"""RoomLost is not among them: the stream of the room ends, and says why."""
