"""
The protobuf dialect's requests and answers (chat.proto, docs/protobuf.md). Which requests there are
stands in `commands`; here is what all of them share: understanding a frame, and answering it.

A request is finished, and what was said before it is answered, before the next frame is looked at;
only what is said does not wait.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from google.protobuf.message import DecodeError
from twisted.plugin import IPlugin
from zope.interface import implementer

from chatservice.controller.errors import (
    BadArguments,
    ChatError,
    LineTooLong,
    UnknownCommand,
)
from chatservice.controller.events import Event
from chatservice.controller.policy import Policy
from chatservice.translation.interface import BY_FRAMES, Dialect, IDialect, Running, Wire
from chatservice.translation.worded import action

from . import chat_pb2 as pb
from .commands import COMMANDS, SAYING
from .delimited import frame_of
from .rendering import FRAMES


class ProtobufDialect(Dialect):
    """One client that speaks protobuf."""

    __slots__ = ("_answering", "_said")

    variant = FRAMES

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self._answering = 0
        # The request ids of what was said and is not acknowledged.
        self._said: deque[int] = deque()

    def begin(self) -> None:
        wire = self.wire
        policy = wire.session.policy
        self._tell(
            pb.ServerFrame(
                hello=pb.Hello(
                    server=wire.server_name,
                    version=wire.version,
                    max_frame_bytes=wire.line_bytes,
                    max_text_bytes=_longest_text(policy, wire.line_bytes),
                    max_history=policy.history_messages,
                )
            )
        )

    # Answers.

    def answer(self, **content: object) -> None:
        """Answers the request that is running; `content` names one field of `ServerFrame`."""
        self._tell(pb.ServerFrame(request_id=self._answering, **content))  # type: ignore[arg-type]

    async def answer_with(self, frames: Iterator[pb.ServerFrame]) -> None:
        """Answers the request that is running, as fast as the client takes it."""
        await self.wire.pour(_numbered(frames, self._answering))

    def _tell(self, frame: pb.ServerFrame) -> None:
        self.wire.write(frame_of(frame))

    def _refuse(self, request_id: int, error: ChatError) -> None:
        code = error.code if error.code in _CODES else "UNSPECIFIED"
        self._tell(
            pb.ServerFrame(request_id=request_id, error=pb.Error(code=code, words=str(error)))
        )

    # Requests.

    def receive(self, data: bytes) -> Running | None:
        try:
            frame = pb.ClientFrame.FromString(data)
        except (DecodeError, UnicodeDecodeError):  # protobuf without its C code raises the latter
            return self._hang_up(BadArguments("that is no ClientFrame of chatservice.v1"))
        request_id = frame.request_id
        name = frame.WhichOneof("request")
        try:
            self.wire.session.spend()
            if name in SAYING:
                SAYING[name](self, getattr(frame, name))
                self._said.append(request_id)
                return None
        except ChatError as error:
            self._refuse(request_id, error)
            return None
        return self._run(request_id, name, frame)

    async def _run(self, request_id: int, name: str | None, frame: pb.ClientFrame) -> None:
        await self.wire.session.settled()
        self._answering = request_id
        try:
            if name is None:
                raise UnknownCommand("there is no such request in chatservice.v1 here")
            await COMMANDS[name](self, getattr(frame, name))
        except ChatError as error:
            self._refuse(request_id, error)

    def overlong(self, beginning: bytes) -> Running:
        return self._hang_up(LineTooLong(f"a frame is at most {self.wire.line_bytes} bytes long"))

    async def _hang_up(self, error: ChatError) -> None:
        """What comes next would not be understood either."""
        await self.wire.session.settled()
        self._refuse(0, error)
        self.wire.close(str(error))

    def acknowledge(self, event: Event, error: ChatError | None) -> None:
        request_id = self._said.popleft()
        if error is None:
            self.wire.write(_stored(request_id, event))
        else:
            self._refuse(request_id, error)

    # What comes from the service.

    def ping(self, token: str) -> None:
        self._tell(pb.ServerFrame(ping=pb.Ping(token=token)))

    def farewell(self, reason: str) -> None:
        self._tell(pb.ServerFrame(bye=pb.Bye(reason=reason)))


_STORED = pb.ServerFrame(stored=pb.Stored())
_STORED_EVENT = _STORED.stored


def _stored(request_id: int, event: Event) -> bytes:
    # The hot path: to fill one frame again and again takes a third of the time that a new one does.
    _STORED.request_id = request_id
    _STORED_EVENT.id, _STORED_EVENT.ms = event.id, event.ms
    return frame_of(_STORED)


_ENVELOPE = 128
"""Bytes: a frame that says something is longer than the text and the name in it by this at most."""


def _longest_text(policy: Policy, frame_bytes: int) -> int:
    """The longest text, in bytes, that may be said to whomever, and in whatever way."""
    names = policy.names
    longest_name = 4 * max(names.nick_characters, names.room_characters)
    fits = frame_bytes - longest_name - _ENVELOPE
    return max(0, min(policy.text_bytes - len(action("")), fits))


_CODES = frozenset(pb.Error.Code.keys())


def _numbered(frames: Iterator[pb.ServerFrame], request_id: int) -> Iterator[bytes]:
    """The bytes of an answer in several frames."""
    frame = next(frames)
    for following in frames:
        frame.request_id, frame.more = request_id, True
        yield frame_of(frame)
        frame = following
    frame.request_id = request_id
    yield frame_of(frame)


@implementer(IDialect, IPlugin)
class Protobuf:
    """The protobuf dialect of the service."""

    name = "protobuf"
    framing = BY_FRAMES
    alpn = (b"chatservice.v1",)

    def opens(self, line: bytes) -> bool:
        """Never: a frame is no line. Programs ask for it by ALPN, or with `PROTOBUF:1`."""
        return False

    def make(self, wire: Wire) -> ProtobufDialect:
        return ProtobufDialect(wire)
