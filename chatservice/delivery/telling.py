"""
Delivery: what has become true, told to everybody concerned. Who is in which room is kept here
grouped by *wire variant*: all whose bytes would be the same. A batch is encoded once a variant and
joined once, and every member gets that one `bytes` object; so a busy room costs as many writes a
batch as it has members, whatever was said.

Delivery decides nothing and stores nothing; it follows the events in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from twisted.logger import Logger
from twisted.python.failure import Failure

from chatservice.controller.desk import Variant
from chatservice.controller.events import (
    AccountChanged,
    AwayChanged,
    CertificateChanged,
    DirectEvent,
    DirectMessage,
    DirectTag,
    Event,
    HostChanged,
    Invited,
    Joined,
    Kicked,
    Killed,
    Left,
    LoggedIn,
    LoggedOut,
    Message,
    ModesChanged,
    NickChanged,
    PasswordChanged,
    RankedEvent,
    RankedMessage,
    RankedTag,
    RealnameChanged,
    Registered,
    RoomCreated,
    RoomDeleted,
    ServiceStarted,
    TagMessage,
    TopicChanged,
    Transferred,
    UserFlagsChanged,
    VisibilityChanged,
    Wallops,
)
from chatservice.controller.state import State

from .audience import (
    Audience,
    Recipient,
    Writes,
    add,
    audience_of,
    copy_of,
    is_in,
    remove,
)
from .watching import Watches
from .whereabouts import Whereabouts

Users = Mapping[str, Sequence[Recipient]]
"""The connections of users, by key."""


class Delivery:
    """
    Most events are told to an audience, encoded once a variant. What `Recipient.noticed` hears of
    is told one by one: those who watch somebody hear of that user, everybody hears what a server
    operator says to all, and whoever was in a room hears that it is gone.

    @param flush: sends what was written to all connections.
    @ivar deliveries: how many events were handed to how many connections, multiplied; all of a
        batch, even if some dialect tells a part of it only.
    """

    log = Logger()

    def __init__(self, flush: Callable[[], None]) -> None:
        self.flush = flush
        self.deliveries = 0
        self._where = Whereabouts()
        self._users = self._where.users
        self._watches = Watches()

    # Who is where.

    def attach(self, recipient: Recipient) -> None:
        """A connection's user has logged in. Its log-out (`LoggedOut`) ends it."""
        self._users.setdefault(recipient.key, []).append(recipient)

    def detach(self, recipient: Recipient) -> None:
        """A connection has no user any more, whatever the state says, and nobody is told."""
        self._where.remove(recipient)
        self._watches.remove_all(recipient)

    def places(self, key: str) -> Sequence[str]:
        """The ids of the rooms that a user is told of."""
        return sorted(self._where.places.get(key, ()))

    def connections(self, key: str) -> Sequence[Any]:
        """The connections of a user, as they were attached."""
        return tuple(self._users.get(key, ()))

    def regroup(self, recipient: Recipient, variant: Variant) -> None:
        """A connection is written in another variant from now on."""
        old, recipient.variant = recipient.variant, variant
        self._where.regroup(recipient, old)

    def watch(self, recipient: Recipient, key: str) -> None:
        """
        A connection that is attached hears, by `noticed`, of the coming, going and changing of
        whoever has that key, until it logs out.
        """
        if recipient in self._users.get(recipient.key, ()):
            self._watches.add(recipient, key)

    def unwatch(self, recipient: Recipient, key: str) -> None:
        """It does not hear of that key any more."""
        self._watches.remove(recipient, key)

    def unwatch_all(self, recipient: Recipient) -> None:
        """It hears of nobody that way any more."""
        self._watches.remove_all(recipient)

    def rebuild(self, state: State) -> None:
        """
        The controller was rebuilt: finds out anew who is where, for every connection that is still
        there. Those who saw somebody leave are still owed that somebody's `LoggedOut`.
        """
        for recipient in self._where.rebuild(state):
            self._forget(recipient)
            self._guard(recipient, recipient.forgotten)

    def _forget(self, recipient: Recipient) -> None:
        """A connection's user is gone, or was another's all along."""
        self._watches.remove_all(recipient)
        self._where.discharge(recipient)

    # Telling.

    def deliver(self, events: Sequence[Event]) -> None:
        """
        Tells of events in their order. What is said to one room is joined, with or without words
        (`Message`, `TagMessage`): no other kind of event of that room may stand between these.
        """
        said: dict[str, list[Event]] = {}
        for event in events:
            if type(event) is Message or type(event) is TagMessage:
                said.setdefault(event.target, []).append(event)
            else:
                _ROUTES[type(event)](self, event)
        for room_id, messages in said.items():
            self._tell(self._where.room(room_id), messages)

    def _tell(
        self,
        audience: Audience,
        events: Sequence[Event],
        *,
        users: Users | None = None,
        overheard: bool = False,
    ) -> None:
        """
        @param users: among whom authors are looked for, if not among those who are attached.
        @param overheard: it is not said to these; they are present.
        """
        if users is None:
            users = self._users
        for variant, writes in audience.items():
            try:
                if variant.echo and not overheard:
                    payloads = [variant.encode_all(events)]
                else:
                    encode = variant.overheard if overheard else variant.encode
                    payloads = [encode(event) for event in events]
            except Exception:  # noqa: BLE001 - supervised here
                self._variant_broke(variant, writes)
                continue
            others = writes if variant.echo else self._ask_authors(writes, events, payloads, users)
            if payload := b"".join(payloads):
                self._write(others, payload)
                self.deliveries += len(events) * len(others)

    def _write(self, writes: Writes, payload: bytes) -> None:
        try:
            for write in writes.values():
                write(payload)
        except Exception:  # noqa: BLE001 - supervised here
            reason = Failure()
            rest = iter(writes.items())
            next(recipient for recipient, its in rest if its is write).crashed(reason)
            for recipient, its in rest:
                self._guard(recipient, its, payload)

    def _ask_authors(
        self, writes: Writes, events: Sequence[Event], payloads: Sequence[bytes], users: Users
    ) -> Writes:
        """
        Has the authors among these say what they get of their own doing.

        @return: the others. Nobody but the authors is looked at: most have said nothing.
        """
        others = writes
        for key in {event.actor for event in events}:
            for author in users.get(key, ()):
                if author in writes:
                    if others is writes:
                        others = writes.copy()
                    del others[author]
                    self._guard(author, self._write_to_author, author, key, events, payloads)
        return others

    def _write_to_author(
        self, author: Recipient, key: str, events: Sequence[Event], payloads: Sequence[bytes]
    ) -> None:
        pieces = [
            author.echo(event, payload) if event.actor == key else payload
            for event, payload in zip(events, payloads, strict=True)
        ]
        payload = b"".join(pieces)
        if payload:
            author.write(payload)
        self.deliveries += len(pieces) - pieces.count(b"")

    def _guard(self, recipient: Recipient, call: Callable[..., None], *arguments: object) -> None:
        """Whatever breaks is one connection's defect."""
        try:
            call(*arguments)
        except Exception:  # noqa: BLE001 - supervised here
            recipient.crashed(Failure())

    def _variant_broke(self, variant: Variant, writes: Writes) -> None:
        reason = Failure()
        self.log.failure("{variant} cannot be written", reason, variant=variant)
        for recipient in list(writes):
            recipient.crashed(reason)

    def _tell_room(self, event: Event) -> None:
        """Its members, and an author who is none: who runs a room may do so from outside."""
        room = self._where.room(event.target)
        self._tell(room, [event])
        self._echo(event, but=room)

    def _tell_actor(self, event: Event) -> None:
        self._tell(audience_of(self._users.get(event.actor, ())), [event])

    def _echo(self, event: Event, but: Audience | None = None) -> None:
        """
        The author is not among those who are told, but may have a view of its own on it.

        @param but: those who are told; an author who is one of them has had that view.
        """
        authors = [each for each in self._users.get(event.actor, ()) if not each.variant.echo]
        outside = [each for each in authors if not (but and is_in(but, each))]
        self._tell(audience_of(outside), [event])

    def _notice(self, recipients: Iterable[Recipient], event: Event) -> None:
        for recipient in recipients:
            self._guard(recipient, recipient.noticed, event)

    # One method an event, or several that concern the same people.

    def _direct(self, event: DirectEvent) -> None:
        # A reader who is the author too gets both: the message, and the echo of having sent it.
        self._tell(audience_of(self._users.get(event.to, ())), [event], users={})
        self._echo(event)

    def _ranked(self, event: RankedEvent) -> None:
        room = self._where.room(event.target)
        told = [each for key in event.to for each in self._users.get(key, ()) if is_in(room, each)]
        audience = audience_of(told)
        for author in self._users.get(event.actor, ()):
            if not author.variant.echo:
                add(audience, author)
        self._tell(audience, [event])

    def _joined(self, event: Joined) -> None:
        if event.target in self._where.places.get(event.actor, ()):
            # Somebody comes back who was there all the time (see `LoggedOut.lost`).
            self._tell(self._but_those_of(event.actor, self._where.room(event.target)), [event])
            return
        self._where.enters(event.target, event.actor)
        self._tell_room(event)

    def _left(self, event: Left) -> None:
        room = self._where.room(event.target)
        if event.lost and event.actor in self._users:
            # They are still connected to this server, and about to come back.
            room = self._but_those_of(event.actor, room)
        else:
            self._where.take_out(event.target, event.actor)
        if event.quit:
            self._tell(room, [event])
            self._where.saw_quit(event.target, event.actor)
        else:
            self._tell_room(event)

    def _kicked(self, event: Kicked) -> None:
        self._tell_room(event)
        self._where.take_out(event.target, event.victim)

    def _room_deleted(self, event: RoomDeleted) -> None:
        self._tell_room(event)
        self._notice(self._where.close_room(event.target), event)

    def _invited(self, event: Invited) -> None:
        guests = self._users.get(event.guest_key, ())
        self._tell(audience_of(guests), [event])
        present = copy_of(self._where.room(event.target))
        for author in self._users.get(event.actor, ()):
            add(present, author)
        for guest in guests:
            remove(present, guest, guest.variant)
        self._tell(present, [event], overheard=True)

    def _logged_in(self, event: LoggedIn) -> None:
        for recipient in self.connections(event.actor):
            if event.resumes and recipient.login == event.resumes:
                recipient.login = event.id
        self._displace(event.actor, event.id)
        self._notice(self._watches.of(event.actor), event)

    def _displace(self, key: str, login: str) -> None:
        """
        Somebody has that key now: whoever had lapsed by it is not they.

        @param login: the id of the event by which they have logged in.
        """
        for recipient in self.connections(key):
            if recipient.login != login:
                self.detach(recipient)
                self._guard(recipient, recipient.displaced)

    def _logged_out(self, event: LoggedOut) -> None:
        witnesses = self._where.witnesses.pop(event.actor, {})
        if event.lost and event.actor in self._users:
            self._tell(self._but_those_of(event.actor, witnesses), [event])
            for recipient in self.connections(event.actor):
                self._guard(recipient, recipient.lapsed)
        else:
            for recipient in self._where.log_out(event.actor):
                self._forget(recipient)
                self._guard(recipient, recipient.lost_login)
            self._tell(witnesses, [event])
        self._notice(self._watches.of(event.actor), event)

    def _but_those_of(self, key: str, audience: Audience) -> Audience:
        """An audience without the connections of one user."""
        others = copy_of(audience)
        for recipient in self._users.get(key, ()):
            remove(others, recipient, recipient.variant)
        return others

    def _nick_changed(self, event: NickChanged) -> None:
        old, new = event.actor, event.new_key
        if old != new:
            self._displace(new, "")
        audience = self._where.neighbours(old)
        # Whatever is said in answer to this is said under the new name already.
        renamed = self._where.rename(old, new)
        self._tell(audience, [event], users={old: renamed})
        self._notice(self._watches.of(old, new), event)

    def _changed(self, event: Event) -> None:
        """Something about a user: told to neighbours, and to watchers that are none."""
        audience = self._where.neighbours(event.actor)
        self._tell(audience, [event])
        watchers = self._watches.of(event.actor)
        self._notice([each for each in watchers if not is_in(audience, each)], event)

    def _killed(self, event: Killed) -> None:
        victims = list(self._users.get(event.victim, ()))
        self._tell(audience_of(victims), [event])
        for recipient in victims:
            self._guard(recipient, recipient.expelled, event)

    def _wallops(self, event: Wallops) -> None:
        everybody = [each for recipients in self._users.values() for each in recipients]
        self._notice(everybody, event)

    def _started(self, event: ServiceStarted) -> None:
        self._where.forget_absent()

    def _nothing_to_tell(self, event: Event) -> None:
        """Its author hears of it, and nobody else."""


_ROUTES: dict[type[Event], Callable[..., None]] = {
    ServiceStarted: Delivery._started,
    LoggedIn: Delivery._logged_in,
    LoggedOut: Delivery._logged_out,
    NickChanged: Delivery._nick_changed,
    AwayChanged: Delivery._changed,
    RealnameChanged: Delivery._changed,
    HostChanged: Delivery._changed,
    UserFlagsChanged: Delivery._tell_actor,
    Registered: Delivery._changed,
    AccountChanged: Delivery._changed,
    PasswordChanged: Delivery._nothing_to_tell,
    CertificateChanged: Delivery._nothing_to_tell,
    Killed: Delivery._killed,
    Wallops: Delivery._wallops,
    RoomCreated: Delivery._nothing_to_tell,
    RankedMessage: Delivery._ranked,
    RankedTag: Delivery._ranked,
    RoomDeleted: Delivery._room_deleted,
    Joined: Delivery._joined,
    Left: Delivery._left,
    Kicked: Delivery._kicked,
    Invited: Delivery._invited,
    VisibilityChanged: Delivery._tell_room,
    ModesChanged: Delivery._tell_room,
    Transferred: Delivery._tell_room,
    TopicChanged: Delivery._tell_room,
    DirectMessage: Delivery._direct,
    DirectTag: Delivery._direct,
}
