"""
Delivery: what has become true, told to everybody concerned. Who is in which room is kept here
grouped by *wire variant*: all whose bytes would be the same. A batch is encoded once a variant and
joined once, and every member gets that one `bytes` object; so a busy room costs as many writes a
batch as it has members, whatever was said.

Delivery decides nothing and stores nothing; it follows the events in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from twisted.logger import Logger
from twisted.python.failure import Failure

from chatservice.controller.desk import Variant
from chatservice.controller.events import (
    DirectMessage,
    Event,
    Invited,
    Joined,
    Kicked,
    Left,
    LoggedIn,
    LoggedOut,
    Message,
    Registered,
    RoomCreated,
    RoomDeleted,
    ServiceStarted,
    TopicChanged,
    VisibilityChanged,
)
from chatservice.controller.state import State


class Recipient(Protocol):
    """
    One connection of a user.

    @ivar key: the user's key.
    @ivar login: the id of the event by which the user logged in.
    """

    key: str
    login: str
    variant: Variant

    @property
    def write(self) -> Callable[[bytes], None]:
        """Takes bytes for the client."""

    def crashed(self, reason: Failure) -> None:
        """Its variant broke: this connection cannot go on."""

    def lost_login(self) -> None:
        """The state does not know its user any more."""


Writes = dict[Recipient, Callable[[bytes], None]]
Audience = dict[Variant, Writes]
"""Recipients by variant, each with its `write`, which is all that the hot path needs of it."""


class Delivery:
    """
    @param flush: sends what was written to all connections.
    @ivar deliveries: how many events were handed to how many connections, multiplied.
    """

    log = Logger()

    def __init__(self, flush: Callable[[], None]) -> None:
        self.flush = flush
        self.deliveries = 0
        self._users: dict[str, list[Recipient]] = {}
        self._rooms: dict[str, Audience] = {}

    # Who is where.

    def attach(self, recipient: Recipient) -> None:
        """A connection's user has logged in."""
        self._users.setdefault(recipient.key, []).append(recipient)

    def regroup(self, recipient: Recipient, variant: Variant) -> None:
        """A connection is written in another variant from now on."""
        old, recipient.variant = recipient.variant, variant
        for audience in self._rooms.values():
            if recipient in audience.get(old, ()):
                _remove(audience, recipient, old)
                _add(audience, recipient)

    def rebuild(self, state: State) -> None:
        """
        The controller was rebuilt: finds out anew who is where, for every connection that is still
        there.
        """
        self._rooms.clear()
        for key, recipients in list(self._users.items()):
            user = state.users.get(key)
            for recipient in list(recipients):
                if user is None or user.login != recipient.login:
                    recipients.remove(recipient)
                    recipient.lost_login()
                    continue
                for room_id in user.rooms:
                    _add(self._rooms.setdefault(room_id, {}), recipient)
            if not recipients:
                del self._users[key]

    # Telling.

    def deliver(self, events: Sequence[Event]) -> None:
        """
        Tells of events in their order. What is said to one room is joined: no other kind of event
        may stand between messages.
        """
        said: dict[str, list[Event]] = {}
        for event in events:
            if type(event) is Message:
                said.setdefault(event.target, []).append(event)
            else:
                _ROUTES[type(event)](self, event)
        for room_id, messages in said.items():
            self._tell(self._rooms.get(room_id, {}), messages)

    def _tell(self, audience: Audience, events: Sequence[Event]) -> None:
        for variant, writes in audience.items():
            try:
                payloads = [variant.encode(event) for event in events]
            except Exception:  # noqa: BLE001 - supervised here
                self._variant_broke(variant, writes)
                continue
            if variant.echo:
                self._write(writes.values(), b"".join(payloads))
            else:
                self._write_without_echo(writes, events, payloads)
            self.deliveries += len(events) * len(writes)

    def _write(self, writes: Iterable[Callable[[bytes], None]], payload: bytes) -> None:
        if payload:
            for write in writes:
                write(payload)

    def _write_without_echo(
        self, writes: Writes, events: Sequence[Event], payloads: Sequence[bytes]
    ) -> None:
        """Everybody gets everything but what they said themselves; most said nothing."""
        authors = {event.actor for event in events if type(event) in _SAID}
        others = [write for recipient, write in writes.items() if recipient.key not in authors]
        self._write(others, b"".join(payloads))
        for key in authors:
            own = [write for recipient, write in writes.items() if recipient.key == key]
            rest = [p for p, event in zip(payloads, events, strict=True) if event.actor != key]
            self._write(own, b"".join(rest))
            self.deliveries -= len(own) * (len(payloads) - len(rest))

    def _variant_broke(self, variant: Variant, writes: Writes) -> None:
        reason = Failure()
        self.log.failure("{variant} cannot be written", reason, variant=type(variant).__name__)
        for recipient in list(writes):
            recipient.crashed(reason)

    def _tell_room(self, event: Event) -> None:
        self._tell(self._rooms.get(event.target, {}), [event])

    def _tell_user(self, key: str, event: Event) -> None:
        audience: Audience = {}
        for recipient in self._users.get(key, ()):
            _add(audience, recipient)
        self._tell(audience, [event])

    # One method an event.

    def _direct(self, event: DirectMessage) -> None:
        self._tell_user(event.to, event)

    def _joined(self, event: Joined) -> None:
        audience = self._rooms.setdefault(event.target, {})
        for recipient in self._users.get(event.actor, ()):
            _add(audience, recipient)
        self._tell_room(event)

    def _left(self, event: Left) -> None:
        self._take_out(event.target, event.actor)
        self._tell_room(event)

    def _kicked(self, event: Kicked) -> None:
        self._tell_room(event)
        self._take_out(event.target, event.victim)

    def _room_deleted(self, event: RoomDeleted) -> None:
        self._tell_room(event)
        self._rooms.pop(event.target, None)

    def _invited(self, event: Invited) -> None:
        self._tell_user(event.guest_key, event)

    def _logged_out(self, event: LoggedOut) -> None:
        self._users.pop(event.actor, None)

    def _nothing_to_tell(self, event: Event) -> None:
        """Its author hears of it, and nobody else."""

    def _take_out(self, room_id: str, key: str) -> None:
        audience = self._rooms.get(room_id, {})
        for recipient in self._users.get(key, ()):
            _remove(audience, recipient, recipient.variant)
        if not audience:
            self._rooms.pop(room_id, None)


def _add(audience: Audience, recipient: Recipient) -> None:
    audience.setdefault(recipient.variant, {})[recipient] = recipient.write


def _remove(audience: Audience, recipient: Recipient, variant: Variant) -> None:
    writes = audience.get(variant, {})
    writes.pop(recipient, None)
    if not writes:
        audience.pop(variant, None)


_SAID = frozenset((Message, DirectMessage))

_ROUTES: dict[type[Event], Callable[..., None]] = {
    ServiceStarted: Delivery._nothing_to_tell,
    LoggedIn: Delivery._nothing_to_tell,
    LoggedOut: Delivery._logged_out,
    Registered: Delivery._nothing_to_tell,
    RoomCreated: Delivery._nothing_to_tell,
    RoomDeleted: Delivery._room_deleted,
    Joined: Delivery._joined,
    Left: Delivery._left,
    Kicked: Delivery._kicked,
    Invited: Delivery._invited,
    VisibilityChanged: Delivery._tell_room,
    TopicChanged: Delivery._tell_room,
    DirectMessage: Delivery._direct,
}
