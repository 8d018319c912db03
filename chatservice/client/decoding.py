"""
Frames of chat.proto as values of `events`, and nothing of what follows from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chatservice.translation.protobuf import chat_pb2 as pb

from . import events
from .errors import Refused


def message(m: pb.Message) -> events.Message:
    """Something that was said."""
    return events.Message(
        m.id, m.ms, m.nick, m.text, m.room, m.to, m.account, m.notice, m.action, m.nonce
    )


def messages(run: pb.Messages) -> Iterator[events.Message]:
    """What was said to one room at about the same time."""
    room, ms = run.room, 0
    for m in run.messages:
        ms = m.ms or ms
        yield events.Message(
            m.id, ms, m.nick, m.text, room, "", m.account, m.notice, m.action, m.nonce
        )


def _joined(e: pb.Joined) -> events.Joined:
    return events.Joined(e.id, e.ms, e.room, e.nick, e.account)


def _left(e: pb.Left) -> events.Left:
    return events.Left(e.id, e.ms, e.room, e.nick, e.quit, e.reason)


def _kicked(e: pb.Kicked) -> events.Kicked:
    return events.Kicked(e.id, e.ms, e.room, e.nick, e.by, e.reason)


def _nick_changed(e: pb.NickChanged) -> events.NickChanged:
    return events.NickChanged(e.id, e.ms, e.nick, e.new_nick)


def _invited(e: pb.Invited) -> events.Invited:
    return events.Invited(e.id, e.ms, e.room, e.by)


def _room_deleted(e: pb.RoomDeleted) -> events.RoomDeleted:
    return events.RoomDeleted(e.id, e.ms, e.room, e.by)


def _visibility_changed(e: pb.VisibilityChanged) -> events.VisibilityChanged:
    return events.VisibilityChanged(e.id, e.ms, e.room, e.private, e.by)


def _owner_changed(e: pb.OwnerChanged) -> events.OwnerChanged:
    return events.OwnerChanged(e.id, e.ms, e.room, e.nick, e.by)


def _topic_changed(e: pb.TopicChanged) -> events.TopicChanged:
    return events.TopicChanged(e.id, e.ms, e.room, e.nick, e.text)


def _killed(e: pb.Killed) -> events.Killed:
    return events.Killed(e.id, e.ms, e.by, e.reclaimed, e.reason)


EVENTS: Mapping[str, Callable[[Any], events.Event]] = {
    "joined": _joined,
    "left": _left,
    "kicked": _kicked,
    "nick_changed": _nick_changed,
    "invited": _invited,
    "room_deleted": _room_deleted,
    "visibility_changed": _visibility_changed,
    "owner_changed": _owner_changed,
    "topic_changed": _topic_changed,
    "killed": _killed,
}
"""What listeners are told, by the field in `ServerFrame`."""


def refusal(error: pb.Error) -> Refused:
    """A request that was not done. A code that is newer than this client is "UNSPECIFIED"."""
    known = error.code in pb.Error.Code.values()
    return Refused(pb.Error.Code.Name(error.code) if known else "UNSPECIFIED", error.words)


def room_info(r: pb.Room) -> events.RoomInfo:
    """A line of the list of rooms."""
    return events.RoomInfo(r.name, r.private, r.members, r.topic)


def user(u: pb.User) -> events.User:
    """A line of the list of users."""
    return events.User(u.nick, u.account, u.away)


def conversation(c: pb.Conversation) -> events.Conversation:
    """A line of the list of conversations."""
    return events.Conversation(c.room, c.nick, c.ms)


def page(h: pb.HistoryPage) -> events.Page:
    """A part of a history."""
    return events.Page([message(m) for m in h.messages], h.first_id, h.last_id)
