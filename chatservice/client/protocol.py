"""
One connection to a server: frames out of bytes, answers to their requests, and a time-out for each.
What is done with what comes unasked is the business of whoever listens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IHandshakeListener, IReactorTime
from twisted.internet.protocol import ClientFactory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from chatservice.networking.framing import FrameBuffer, LineBuffer, Overlong
from chatservice.translation.protobuf import chat_pb2 as pb
from chatservice.translation.protobuf.delimited import frame_of

from . import decoding
from .endpoints import Place
from .errors import BadServer, ClientError, ConnectionGone, Refused, TimedOut
from .events import Event, Message
from .verification import ALPN

_LONGEST_FRAME = 2 << 20
"""Bytes: the server's are no longer (chat.proto, ServerFrame)."""

_LONGEST_LINE = 4096

_FAREWELL_SECONDS = 5.0
"""How long a server may take to see that one is leaving."""


class Listener:
    """What comes unasked on one connection; whoever wants to hear of it overrides these."""

    def made(self, protocol: ChatClientProtocol) -> None:
        """There is a connection, of which nothing is known yet."""

    def greeted(self, protocol: ChatClientProtocol, hello: pb.Hello) -> None:
        """The server is known, trusted, and speaks the protocol."""

    def said(self, message: Message) -> None:
        """Somebody said something."""

    def happened(self, event: Event) -> None:
        """Something else happened."""

    def lost(self, protocol: ChatClientProtocol, reason: ClientError) -> None:
        """
        The connection is gone, or about to be: nothing more can be asked on it, nor is told of it.
        """


@implementer(IHandshakeListener)
class ChatClientProtocol(Protocol):
    """
    @param place: where the connection leads, and whether what answers there is to be trusted.
    @param listener: told of what comes unasked.
    @param clock: for time-outs.
    @param keepalive: after so many seconds of silence the server is asked for a sign of life, and
        after as many more without one the connection is dropped.
    """

    log = Logger()
    transport: Any

    def __init__(
        self, place: Place, listener: Listener, clock: IReactorTime, keepalive: float
    ) -> None:
        self._place = place
        self._listener = listener
        self._clock = clock
        self._keepalive = keepalive
        self._asking = LineBuffer(_LONGEST_LINE)
        self._frames: FrameBuffer | None = None
        self._requests: dict[int, Deferred[pb.ServerFrame]] = {}
        self._begun: dict[int, pb.ServerFrame] = {}
        self._last_id = 0
        self._heard = False
        self._nudged = False
        self._watch: IDelayedCall | None = None
        self._farewell = ""
        self._over: ClientError | None = None
        self._greeted = False
        self._longest = 0

    # The life of a connection.

    def connectionMade(self) -> None:
        self._watch = self._clock.callLater(self._keepalive, self._look)
        self._listener.made(self)
        if not self._place.encrypted:
            self._ask_for_frames()

    def handshakeCompleted(self) -> None:
        """TLS is there (`IHandshakeListener`); nothing has been sent yet."""
        try:
            self._place.check(self.transport)
        except ClientError as error:
            self._give_up(error)
            return
        if self.transport.negotiatedProtocol == ALPN:
            self._frames = FrameBuffer(_LONGEST_FRAME)
        else:
            self._ask_for_frames()

    def _ask_for_frames(self) -> None:
        self.transport.write(b"PROTOBUF:1\r\n")

    def _look(self) -> None:
        """Is anybody there?"""
        self._watch = self._clock.callLater(self._keepalive, self._look)
        if self._heard:
            self._heard = self._nudged = False
        elif self._greeted and not self._nudged:
            self._nudged = True
            self._send(pb.ClientFrame(ping=pb.Ping()))
        else:
            self._give_up(ConnectionGone("the server does not answer"))

    def _give_up(self, error: ClientError) -> None:
        if self._over is None:
            self._end(error)
            self.transport.abortConnection()

    def leave(self, reason: ClientError | None = None) -> None:
        """Closes the connection in good order, or after some seconds in any way."""
        if self._over is None:
            self._stop_watching()
            self._watch = self._clock.callLater(_FAREWELL_SECONDS, self._abort)
            if self._greeted:
                self._send(pb.ClientFrame(quit=pb.Quit()))
            self._end(reason or ConnectionGone("the connection is closed"))
            self.transport.loseConnection()

    def _abort(self) -> None:
        self._watch = None
        self.transport.abortConnection()

    def _end(self, error: ClientError) -> None:
        self._over = error
        self._listener.lost(self, error)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._stop_watching()
        if self._over is None:
            self._end(self._place.explain(reason, self._farewell))
        # One by one: whoever is told may give others of them up.
        while self._requests:
            number = next(iter(self._requests))
            self._requests.pop(number).errback(ConnectionGone(str(self._over)))

    def _stop_watching(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()

    # What is read.

    def dataReceived(self, data: bytes) -> None:
        self._heard = True
        if self._over is not None:
            return
        try:
            if self._frames is None:
                data = self._answer_to_asking(data)
            if self._frames is not None:
                for body in self._frames.feed(data):
                    self._received(body)
        except (DecodeError, BadServer) as error:
            self._give_up(BadServer(f"what answers there is no chat server: {error}"))

    def _answer_to_asking(self, data: bytes) -> bytes:
        lines = self._asking.feed(data)
        for index, line in enumerate(lines):
            words = line.decode(errors="replace").strip()
            if words.startswith("OK:PROTOBUF:"):
                self._frames = FrameBuffer(_LONGEST_FRAME)
                return self._asking.drain(lines[index + 1 :])
            if not words.startswith("HELLO:"):
                raise BadServer("it does not speak protobuf")
        return b""

    def _received(self, body: bytes) -> None:
        if self._over is not None:
            return  # since the frame before
        if type(body) is Overlong:
            raise BadServer("a frame is too long")
        frame = pb.ServerFrame.FromString(body)
        if frame.request_id:
            self._answered(frame)
            return
        kind = frame.WhichOneof("content")
        if kind == "message":
            self._listener.said(decoding.message(frame.message))
        elif kind == "messages":
            for message in decoding.messages(frame.messages):
                self._listener.said(message)
        elif kind in decoding.EVENTS:
            self._listener.happened(decoding.EVENTS[kind](getattr(frame, kind)))
        elif kind in _CONNECTION:
            _CONNECTION[kind](self, frame)

    def _answered(self, frame: pb.ServerFrame) -> None:
        number = frame.request_id
        if number not in self._requests:
            return  # it comes too late
        begun = self._begun.pop(number, None)
        if begun is not None:
            begun.more = False
            begun.MergeFrom(frame)
            frame = begun
        if frame.more:
            self._begun[number] = frame
            return
        waiting = self._requests.pop(number)
        if frame.HasField("error"):
            waiting.errback(decoding.refusal(frame.error))
        else:
            waiting.callback(frame)

    def _hello(self, frame: pb.ServerFrame) -> None:
        if not self._greeted:
            self._greeted, self._longest = True, frame.hello.max_frame_bytes
            self._listener.greeted(self, frame.hello)

    def _ping(self, frame: pb.ServerFrame) -> None:
        self._send(pb.ClientFrame(pong=pb.Pong(token=frame.ping.token)))

    def _bye(self, frame: pb.ServerFrame) -> None:
        self._farewell = frame.bye.reason

    def _error(self, frame: pb.ServerFrame) -> None:
        self._farewell = frame.error.words

    # What is sent.

    def request(self, timeout: float | None, **content: Any) -> Deferred[pb.ServerFrame]:
        """
        Asks something.

        @param timeout: seconds; None waits for as long as the connection lasts.
        @param content: names the one field of `ClientFrame`.
        @return: the answer. It fails with `Refused`, `TimedOut` or `ConnectionGone`.
        """
        self._last_id += 1
        number = self._last_id
        answer: Deferred[pb.ServerFrame] = Deferred(lambda _: self._forget(number))
        if self._over is not None:
            answer.errback(ConnectionGone(str(self._over)))
            return answer
        frame = pb.ClientFrame(request_id=number, **content)
        if self._longest and frame.ByteSize() > self._longest:
            # The server would close the connection.
            words = f"the server takes no more than {self._longest} bytes at once"
            answer.errback(Refused("LINE_TOO_LONG", words))
            return answer
        self._requests[number] = answer
        self._send(frame)
        if timeout is not None:
            answer.addTimeout(timeout, self._clock, onTimeoutCancel=_timed_out)
        return answer

    def _forget(self, number: int) -> None:
        self._requests.pop(number, None)
        self._begun.pop(number, None)

    def _send(self, frame: pb.ClientFrame) -> None:
        self.transport.write(frame_of(frame))


_CONNECTION: dict[str, Callable[[ChatClientProtocol, pb.ServerFrame], None]] = {
    "hello": ChatClientProtocol._hello,
    "ping": ChatClientProtocol._ping,
    "bye": ChatClientProtocol._bye,
    "error": ChatClientProtocol._error,
}
"""What concerns the connection alone, by the field in `ServerFrame`."""


def _timed_out(_: object, seconds: float) -> Failure:
    return Failure(TimedOut(f"the server did not answer within {seconds:g} seconds"))


class ChatClientFactory(ClientFactory):
    """
    Makes the connections of one client. The parameters are those of the protocol.
    """

    noisy = False

    def __init__(
        self, place: Place, listener: Listener, clock: IReactorTime, keepalive: float = 60.0
    ) -> None:
        self._make = lambda: ChatClientProtocol(place, listener, clock, keepalive)

    def buildProtocol(self, addr: object) -> ChatClientProtocol:
        protocol = self._make()
        protocol.factory = self
        return protocol
