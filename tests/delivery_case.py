"""What tests of delivery have in common: it, and recipients that note what they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller.desk import Variant
from chatservice.controller.events import Event, Killed
from chatservice.delivery import Delivery
from tests import facts


class Words:
    """
    A variant: the kind of an event, who did it, and what was said.

    @ivar encoded: how many events were.
    """

    def __init__(self, name: str, echo: bool = True) -> None:
        self.name = name
        self.echo = echo
        self.encoded = 0
        self.broken: Exception | None = None
        self.silent_about: tuple[str, ...] = ()

    def encode(self, event: Event) -> bytes:
        self.encoded += 1
        if self.broken is not None:
            raise self.broken
        if event.kind in self.silent_about:
            return b""
        text = getattr(event, "text", event.kind)
        return f"{self.name}:{event.actor}:{text}\n".encode()

    def encode_all(self, events: Sequence[Event]) -> bytes:
        return b"".join([self.encode(event) for event in events])

    def overheard(self, event: Event) -> bytes:
        return b"overheard " + self.encode(event)


class Listener:
    """
    One connection of a user's.

    @ivar calls: what was called but `write` and `echo`, and about what.
    @ivar echoes: what it answers when asked what it gets of its own; None: what the others get.
    @ivar broken: whatever is called raises this.
    """

    def __init__(self, key: str, variant: Variant, login: str = "") -> None:
        self.key = key
        self.login = login
        self.variant = variant
        self.writes: list[bytes] = []
        self.calls: list[str] = []
        self.crashes: list[Failure] = []
        self.lost = False
        self.echoes: bytes | None = b""
        self.broken: Exception | None = None
        self.broken_write = False

    @property
    def write(self) -> Callable[[bytes], None]:
        return self._write

    def _write(self, payload: bytes) -> None:
        if self.broken_write:
            raise ZeroDivisionError("a defect")
        self.writes.append(payload)

    def _call(self, name: str, event: Event) -> None:
        if self.broken is not None:
            raise self.broken
        self.calls.append(f"{name} {event.kind} {event.actor}")

    def echo(self, event: Event, payload: bytes) -> bytes:
        if self.broken is not None:
            raise self.broken
        return payload if self.echoes is None else self.echoes

    def noticed(self, event: Event) -> None:
        self._call("noticed", event)

    def expelled(self, event: Killed) -> None:
        self._call("expelled", event)

    def crashed(self, reason: Failure) -> None:
        self.crashes.append(reason)

    def lost_login(self) -> None:
        self.lost = True
        if self.broken is not None:
            raise self.broken

    def forgotten(self) -> None:
        self.lost_login()

    def lapsed(self) -> None:
        self.calls.append("lapsed")

    def displaced(self) -> None:
        self.calls.append("displaced")

    def heard(self) -> list[str]:
        """What was written since the last call, line by line."""
        lines = b"".join(self.writes).decode().splitlines()
        self.writes.clear()
        return lines

    def called(self) -> list[str]:
        """What was called since the last call."""
        calls, self.calls = self.calls, []
        return calls


class DeliveryCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.flushed: list[None] = []
        self.delivery = Delivery(lambda: self.flushed.append(None))
        self.plain = Words("plain")
        self.listeners: list[Listener] = []

    def here(self, key: str, variant: Words | None = None, *, room: str = "r") -> Listener:
        """Somebody who is logged in, and in a room."""
        listener = Listener(key, variant or self.plain)
        self.delivery.attach(listener)
        if room:
            self.delivery.deliver([facts.join(room, key)])
        self.listeners.append(listener)
        for each in self.listeners:
            each.heard()
        self.plain.encoded = 0
        return listener

    def tell(self, *events: Event) -> None:
        self.delivery.deliver(events)

    def assertNothingIsKept(self) -> None:
        """Delivery knows of nobody."""
        where, watches = self.delivery._where, self.delivery._watches
        kept = (where.users, where.rooms, where.places, where.witnesses)
        self.assertEqual(kept, ({}, {}, {}, {}))
        self.assertEqual((watches._watchers, watches._watched), ({}, {}))
