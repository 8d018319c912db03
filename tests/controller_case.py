"""What tests of the controller have in common: it, its journal, delivery and clients on a clock."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller.controller import Controller
from chatservice.controller.desk import Desk
from chatservice.controller.errors import ChatError
from chatservice.controller.events import DirectMessage, Event, Killed, LoggedOut, Message
from chatservice.controller.policy import Policy
from chatservice.controller.rate import Allowance
from chatservice.controller.records import Record
from chatservice.controller.session import Session
from chatservice.controller.state import RecordKey, State
from chatservice.delivery import Delivery
from chatservice.journal.commit import GroupCommit
from chatservice.journal.interface import IJournal, NotStored
from chatservice.journal.memory import MemoryJournal
from chatservice.supervision import Supervisor
from tests.doorman import Doorman


class Plain:
    """The variant of all clients here."""

    echo = True

    def encode(self, event: Event) -> bytes:
        if isinstance(event, (Message, DirectMessage)):
            return f"{event.nick}: {event.text}\n".encode()
        if isinstance(event, LoggedOut):
            return b""  # each of the rooms has been told
        who = getattr(event, "victim_nick", "") or event.nick
        return f"{who} {event.kind}\n".encode()

    def encode_all(self, events: Sequence[Event]) -> bytes:
        return b"".join([self.encode(event) for event in events])

    def overheard(self, event: Event) -> bytes:
        return b""


PLAIN = Plain()


class Client:
    """
    A connection, reduced to what it is told.

    @ivar session: what it may ask.
    """

    host = "127.0.0.1"
    secure = True
    certfp = ""

    def __init__(self, desk: Desk) -> None:
        self.heard_bytes = bytearray()
        self.answers: list[str] = []
        self.closed = ""
        self.session = Session(desk, "127.0.0.1", self, PLAIN)

    def write(self, payload: bytes) -> None:
        self.heard_bytes += payload

    def acknowledge(self, event: Event, error: ChatError | None) -> None:
        self.answers.append(f"{cast(Message, event).text}: {error.code if error else 'OK'}")

    def echo(self, event: Event, payload: bytes) -> bytes:
        return payload

    def noticed(self, event: Event) -> None:
        """It watches nobody."""

    def expelled(self, event: Killed) -> None:
        self.close("killed")

    def close(self, reason: str) -> None:
        self.closed = reason

    def crashed(self, reason: Failure) -> None:
        self.closed = "crashed"

    def heard(self) -> list[str]:
        """What it was told since the last call."""
        lines = self.heard_bytes.decode().splitlines()
        self.heard_bytes.clear()
        return lines


class Shelf(MemoryJournal):
    """
    A journal whose disk can be full, or slow.

    @ivar full: nothing can be stored.
    @ivar slow: what is stored takes until `store`.
    """

    full = slow = False
    _under_way: Deferred[None] | None = None

    def commit(
        self, events: Sequence[Event], records: Mapping[RecordKey, Record | None], mark: str
    ) -> Deferred[None]:
        if self.full:
            refused: Deferred[None] = Deferred()
            refused.errback(NotStored("the shelf is full"))
            return refused
        stored = super().commit(events, records, mark)
        if not self.slow:
            return stored
        assert self._under_way is None, "one batch at a time"
        self._under_way = Deferred()
        return self._under_way

    def store(self) -> None:
        """What is under way is stored."""
        assert self._under_way is not None, "nothing is being stored"
        over, self._under_way = self._under_way, None
        over.callback(None)


class ControllerCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.rightNow = 1_800_000_000.0
        self.shelf = Shelf(self.clock)
        self.gave_up: list[Failure] = []
        self.start(waiting=1000)

    def start(self, waiting: int) -> None:
        """Starts a service on whatever the shelf holds."""
        self.delivery = Delivery(lambda: None)
        self.journal = GroupCommit(self.clock, cast(IJournal, self.shelf), waiting)
        self.controller = Controller(self.journal, self.delivery, Policy())
        self.root = Supervisor(self.clock, intensity=1, on_give_up=self.gave_up.append)
        self.root.supervise(self.journal, name="journal")
        self.root.supervise(self.controller, name="controller")
        self.doorman = Doorman(self.clock, lambda: self.controller.state)
        self.desk = Desk(
            clock=self.clock,
            controller=self.controller,
            presence=self.delivery,
            authenticator=self.doorman,
            hasher=self.doorman,
            registrations=Allowance(0, 0),
        )
        started = self.root.startService()
        self.turn()
        self.successResultOf(started)

    def turn(self) -> None:
        """What was asked for until now is stored, made true, told and answered."""
        self.clock.advance(0)

    def asked(self, request: Coroutine[Any, Any, Any]) -> Deferred[Any]:
        """A request that is under way."""
        return Deferred.fromCoroutine(request)

    def ask(self, request: Coroutine[Any, Any, Any]) -> Any:
        """A request, and its result."""
        asked = self.asked(request)
        self.turn()
        return self.successResultOf(asked)

    def connect(self) -> Client:
        return Client(self.desk)

    def log_in(self, nick: str, *rooms: str, password: str | None = None) -> Client:
        """Somebody who is logged in, and in rooms."""
        client = self.connect()
        self.ask(client.session.log_in(nick, password))
        for room in rooms:
            self.ask(client.session.join(room))
        client.heard()
        return client

    @property
    def state(self) -> State:
        return self.controller.state


class CrashCase(ControllerCase):
    """An account's room with a topic and an invitation, a guest's room, and people in both."""

    def setUp(self) -> None:
        super().setUp()
        self.ann = self.log_in("ann")
        self.ask(self.ann.session.register("sesame"))
        self.ask(self.ann.session.create_room("den", True))
        self.ask(self.ann.session.set_topic("den", "tea"))
        self.bob = self.log_in("bob")
        self.cid = self.log_in("cid")
        for nick in ("bob", "cid"):
            self.ask(self.ann.session.invite("den", nick))
        for client in (self.ann, self.bob):
            self.ask(client.session.join("den"))
        self.ask(self.bob.session.create_room("hall"))
        for client in (self.bob, self.cid):
            self.ask(client.session.join("hall"))
        self.hush()

    def hush(self) -> None:
        for client in (self.ann, self.bob, self.cid):
            client.heard()

    def break_apply(self, on: type[Event] = Message, text: str = "") -> None:
        """The next event of a kind breaks the controller, once."""
        whole = State.apply
        broken = [False]

        def apply(state: State, event: Event) -> None:
            fits = isinstance(event, on) and text in getattr(event, "text", "")
            if fits and not broken[0]:
                broken[0] = True
                raise ZeroDivisionError("a defect")
            whole(state, event)

        self.patch(State, "apply", apply)

    def break_deliver(self) -> None:
        """The next telling breaks the controller, once."""
        whole = self.delivery.deliver
        broken = [False]

        def deliver(events: Sequence[Event]) -> None:
            if not broken[0]:
                broken[0] = True
                raise ZeroDivisionError("a defect")
            whole(events)

        self.patch(self.delivery, "deliver", deliver)

    def restarted(self, times: int = 1) -> None:
        """Checks that the controller was restarted, and nothing was given up."""
        self.assertEqual(self.root.restarts["controller"], times)
        self.assertEqual(self.root.restarts["journal"], 0)
        self.assertEqual(self.gave_up, [])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), times)
