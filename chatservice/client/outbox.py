"""
What is being said and not known to be stored yet. If the connection is lost meanwhile, each message
is looked for in the history of where it was said to, by its nonce, and said again only if it is not
there: so it is stored once, in the order in which it was said.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatservice.translation.protobuf import chat_pb2 as pb

from .errors import ConnectionGone, Refused
from .events import Stored
from .protocol import ChatClientProtocol

Ask = Callable[..., Awaitable[pb.ServerFrame]]
"""Asks something on one connection, patiently: it names the one field of `ClientFrame`."""


_NONCE_BYTES = 12


@dataclass(slots=True, eq=False)
class Saying:
    """
    A message on its way.

    @ivar request: what is sent.
    @ivar since: it is stored at this moment or later, milliseconds since 1970-01-01 UTC.
    @ivar sent: has it been sent, so that it may be stored?
    """

    request: pb.Say | pb.Tell
    since: int
    stored: Deferred[Stored] = field(default_factory=Deferred)
    sent: bool = False

    @property
    def target(self) -> tuple[str, str]:
        """The room or the nick that it is said to."""
        if isinstance(self.request, pb.Say):
            return "room", self.request.room
        return "nick", self.request.nick


class Outbox:
    """What one client is saying."""

    def __init__(self) -> None:
        self._saying: dict[str, Saying] = {}

    def put(self, request: pb.Say | pb.Tell, since: int) -> Saying:
        """Something is to be said; `send` says it, on this connection or on a later one."""
        # Nobody can guess it, and have a message of their own taken for this one.
        request.nonce = secrets.token_urlsafe(_NONCE_BYTES)
        saying = self._saying[request.nonce] = Saying(request, since)
        saying.stored = Deferred(lambda _: self._forget(saying))
        return saying

    def send(self, protocol: ChatClientProtocol, saying: Saying) -> Deferred[None]:
        """Says it; fires when the answer is there, or never will be on this connection."""
        saying.sent = True
        request = saying.request
        if isinstance(request, pb.Say):
            answer = protocol.request(None, say=request)
        else:
            answer = protocol.request(None, tell=request)
        return answer.addCallbacks(
            self._stored, self._failed, callbackArgs=(saying,), errbackArgs=(saying,)
        )

    def _stored(self, frame: pb.ServerFrame, saying: Saying) -> None:
        self._settle(saying, Stored(frame.stored.id, frame.stored.ms))

    def _failed(self, failure: Failure, saying: Saying) -> None:
        if not failure.check(ConnectionGone):
            self._settle(saying, failure)

    def _settle(self, saying: Saying, outcome: Stored | Failure) -> None:
        if self._saying.pop(saying.request.nonce, None) is not None:
            saying.stored.callback(outcome)  # a Failure counts as one

    def _forget(self, saying: Saying) -> None:
        self._saying.pop(saying.request.nonce, None)

    def fail(self, error: Exception) -> None:
        """There will be no connection any more."""
        for saying in list(self._saying.values()):
            self._settle(saying, Failure(error))

    async def resume(self, ask: Ask, guest: bool) -> None:
        """
        There is a new connection: settles what the last one left open, in order.

        @param ask: asks on that connection.
        @param guest: one is a guest, whose conversations nobody finds again: whether what one has
            told somebody is stored, nobody can say.
        @raise ClientError: it is lost too, or of no use; what is left waits for the next.
        """
        if guest:
            self._give_up_telling()
        found = await self._look_for(ask)
        while waiting := list(self._saying.values()):
            for saying in waiting:
                nonce = saying.request.nonce
                if nonce in found:
                    self._settle(saying, found[nonce])
                elif nonce in self._saying:
                    await self._say_again(ask, saying)

    def _give_up_telling(self) -> None:
        for saying in list(self._saying.values()):
            if saying.sent and isinstance(saying.request, pb.Tell):
                gone = ConnectionGone("the connection was lost, and it may be stored or not")
                self._settle(saying, Failure(gone))

    async def _say_again(self, ask: Ask, saying: Saying) -> None:
        saying.sent = True
        kind = "say" if isinstance(saying.request, pb.Say) else "tell"
        try:
            frame = await ask(**{kind: saying.request})
        except Refused as refused:
            self._settle(saying, Failure(refused))
        else:
            self._stored(frame, saying)

    async def _look_for(self, ask: Ask) -> dict[str, Stored]:
        """Which of those that were sent are stored, by nonce."""
        since: dict[tuple[str, str], int] = {}
        for saying in self._saying.values():
            if saying.sent:
                since.setdefault(saying.target, saying.since)
        found: dict[str, Stored] = {}
        for target, ms in since.items():
            found.update(await _nonces(ask, target, ms))
        return found


async def _nonces(ask: Ask, target: tuple[str, str], since: int) -> dict[str, Stored]:
    """What was stored at a moment or later, by nonce."""
    kind, name = target
    found: dict[str, Stored] = {}
    after = pb.Point(ms=since - 1)
    while True:
        asked = pb.History(after=after, oldest=True)
        setattr(asked, kind, name)
        try:
            page = (await ask(history=asked)).history_page
        except Refused as refused:
            if refused.code == "UNAVAILABLE":
                raise
            return found  # one is not there any more: saying it again will tell why
        if not page.last_id:
            return found
        for m in page.messages:
            # The first that has it: anybody may repeat what they have seen.
            if m.nonce:
                found.setdefault(m.nonce, Stored(m.id, m.ms))
        after = pb.Point(id=page.last_id)
