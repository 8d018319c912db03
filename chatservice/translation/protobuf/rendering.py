"""
Events as frames of chat.proto. One function an event; the others are not told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from chatservice.controller.events import (
    DirectMessage,
    Event,
    Invited,
    Joined,
    Kicked,
    Killed,
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
from chatservice.translation.worded import done_or_said, new_visibility

from . import chat_pb2 as pb
from .delimited import delimited, frame_of

NONCE = "nonce"
"""The tag of a message that its client's own name for it is kept under."""


Said = Message | RankedMessage | DirectMessage


def message_of(event: Said) -> pb.Message | None:
    """What somebody said; None if it is for programs only (CTCP)."""
    understood = done_or_said(event)
    if understood is None:
        return None
    message = pb.Message()
    message.ms = event.ms
    if isinstance(event, DirectMessage):
        message.to = event.to_nick
    else:
        message.room = event.room
    _fill(message, event, *understood)
    return message


def _fill(message: pb.Message, event: Said, action: bool, text: str) -> None:
    """All but when and where it was said."""
    # The hot path: one by one is faster than all at once, as arguments.
    message.id = event.id
    message.nick = event.nick
    message.text = text
    if event.account:
        message.account = event.account
    if event.notice:
        message.notice = True
    if action:
        message.action = True
    if event.tags and NONCE in event.tags:
        message.nonce = event.tags[NONCE]


_RUN = 50
"""How many messages go into one frame."""

_RUN_CHARACTERS = 8192
"""
After so many characters of text and names messages go on in another frame: of four bytes each, and
with all else beside them, they come to less than the 64 KiB that chat.proto promises.
"""

_MESSAGE = pb.ServerFrame.MESSAGE_FIELD_NUMBER << 3 | 2
"""
How the field of a `ServerFrame` begins that holds a message ("Encoding", "Message Structure"): its
number, and that its length follows.
"""


def _message(event: Said) -> bytes:
    """
    As `frame_of` has it, which would copy the message into a frame only to serialize both: twice
    the time.
    """
    message = message_of(event)
    return delimited(_MESSAGE, message.SerializeToString()) if message is not None else b""


def _nick_changed(event: NickChanged) -> pb.ServerFrame:
    return pb.ServerFrame(
        nick_changed=pb.NickChanged(
            id=event.id, ms=event.ms, nick=event.nick, new_nick=event.new_nick
        )
    )


def _joined(event: Joined) -> pb.ServerFrame:
    return pb.ServerFrame(
        joined=pb.Joined(
            id=event.id, ms=event.ms, room=event.room, nick=event.nick, account=event.account
        )
    )


def _left(event: Left) -> pb.ServerFrame:
    return pb.ServerFrame(
        left=pb.Left(
            id=event.id,
            ms=event.ms,
            room=event.room,
            nick=event.nick,
            quit=event.quit,
            reason=event.reason,
        )
    )


def _kicked(event: Kicked) -> pb.ServerFrame:
    return pb.ServerFrame(
        kicked=pb.Kicked(
            id=event.id,
            ms=event.ms,
            room=event.room,
            nick=event.victim_nick,
            by=event.nick,
            reason=event.reason,
        )
    )


def _invited(event: Invited) -> pb.ServerFrame:
    return pb.ServerFrame(
        invited=pb.Invited(id=event.id, ms=event.ms, room=event.room, by=event.nick)
    )


def _deleted(event: RoomDeleted) -> pb.ServerFrame:
    return pb.ServerFrame(
        room_deleted=pb.RoomDeleted(id=event.id, ms=event.ms, room=event.room, by=event.nick)
    )


def _visibility(event: VisibilityChanged | ModesChanged, private: bool) -> pb.ServerFrame:
    return pb.ServerFrame(
        visibility_changed=pb.VisibilityChanged(
            id=event.id, ms=event.ms, room=event.room, private=private, by=event.nick
        )
    )


def _visibility_changed(event: VisibilityChanged) -> pb.ServerFrame:
    return _visibility(event, event.private)


def _modes_changed(event: ModesChanged) -> pb.ServerFrame | None:
    private = new_visibility(event)
    return None if private is None else _visibility(event, private)


def _transferred(event: Transferred) -> pb.ServerFrame:
    return pb.ServerFrame(
        owner_changed=pb.OwnerChanged(
            id=event.id, ms=event.ms, room=event.room, nick=event.heir_nick, by=event.nick
        )
    )


def _topic_changed(event: TopicChanged) -> pb.ServerFrame:
    return pb.ServerFrame(
        topic_changed=pb.TopicChanged(
            id=event.id, ms=event.ms, room=event.room, nick=event.nick, text=event.text
        )
    )


def _killed(event: Killed) -> pb.ServerFrame:
    return pb.ServerFrame(
        killed=pb.Killed(
            id=event.id,
            ms=event.ms,
            by=event.nick,
            reclaimed=event.reclaimed,
            reason=event.reason,
        )
    )


_SAID = frozenset((Message, RankedMessage, DirectMessage))

_FRAMES: Mapping[type[Event], Callable[[Any], pb.ServerFrame | None]] = {
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
    Killed: _killed,
}


class Frames:
    """The one variant of the dialect: its clients negotiate nothing."""

    echo = True

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: protobuf>"

    def encode(self, event: Event) -> bytes:
        if type(event) in _SAID:
            return _message(event)  # type: ignore[arg-type]
        find = _FRAMES.get(type(event))
        frame = find(event) if find is not None else None
        return frame_of(frame) if frame is not None else b""

    def encode_all(self, events: Sequence[Event]) -> bytes:
        if len(events) == 1:
            return self.encode(events[0])
        return b"".join([frame_of(pb.ServerFrame(messages=run)) for run in _runs(events)])

    def overheard(self, event: Event) -> bytes:
        return b""


def _runs(events: Sequence[Event]) -> Iterator[pb.Messages]:
    """
    What was said to one room at once: where and (mostly) when is written once, for every byte is
    sent to every member.
    """
    run, ms, characters = pb.Messages(), 0, 0
    for event in events:
        understood = done_or_said(event) if type(event) is Message else None
        if type(event) is not Message or understood is None:
            continue
        if len(run.messages) == _RUN or characters >= _RUN_CHARACTERS:
            yield run
            run, ms, characters = pb.Messages(), 0, 0
        characters += len(event.text) + len(event.nick) + len(event.account)
        message = run.messages.add()
        if event.ms != ms:
            message.ms = ms = event.ms
        run.room = event.room
        _fill(message, event, *understood)
    if run.messages:
        yield run


FRAMES = Frames()
