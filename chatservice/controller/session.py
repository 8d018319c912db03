"""
One connection's standing with the controller: who it is logged in as, and every request that it may
make. Dialects speak to this and to nothing behind it. Requests that change something finish when
the change is true; what is said is handed on at once, and acknowledged when it is stored. No bytes
and no rules here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from . import lookup, requests
from .desk import Desk, Outlet, Variant
from .entities import Room, User
from .errors import (
    AlreadyLoggedIn,
    ChatError,
    NotInRoom,
    NotLoggedIn,
    TooFast,
    Unavailable,
)
from .events import (
    SAID,
    Event,
    Invited,
    Joined,
    Kicked,
    Left,
    RoomCreated,
    RoomDeleted,
    TopicChanged,
    VisibilityChanged,
)
from .rate import TokenBucket

E = TypeVar("E", bound=Event)

_ITEMS_A_TOKEN = 500
"""How many items of a list cost as much as a request."""

_RETRY_SECONDS = 1.0
"""How soon a departure that could not be stored is tried again."""


class Session:
    """
    @ivar address: where the client comes from, as limits count it.
    @ivar key: the key of the user, or the empty string.
    @ivar login: the id of the event by which that user logged in.
    @ivar write: takes bytes for the client.
    """

    __slots__ = (
        "_authentication",
        "_bucket",
        "_desk",
        "_outlet",
        "_refused",
        "_settled",
        "_unacknowledged",
        "address",
        "key",
        "login",
        "variant",
        "write",
    )

    log = Logger()

    def __init__(self, desk: Desk, address: str, outlet: Outlet, variant: Variant) -> None:
        self._desk = desk
        self._outlet = outlet
        self._refused = 0
        self._unacknowledged = 0
        self._settled: Deferred[None] | None = None
        self._authentication: Deferred[object] | None = None
        flow = desk.flow
        self._bucket = (
            TokenBucket(flow.rate, flow.burst, desk.clock.seconds()) if flow.rate else None
        )
        self.address = address
        self.variant = variant
        self.key = ""
        self.login = ""
        self.write: Callable[[bytes], None] = outlet.write

    # What is true of this client.

    @property
    def user(self) -> User:
        """
        Who this is.

        @raise NotLoggedIn: nobody, yet.
        """
        user = self._visitor()
        if user is None:
            raise NotLoggedIn()
        return user

    def _visitor(self) -> User | None:
        user = self._desk.controller.state.users.get(self.key) if self.key else None
        return user if user is not None and user.login == self.login else None

    def is_me(self, nick: str) -> bool:
        """
        Is that this user's nick, in whatever case it is written?

        @raise NotLoggedIn: nobody is logged in.
        """
        controller = self._desk.controller
        return lookup.is_nick_of(controller.policy, self.user, nick)

    def spend(self) -> None:
        """
        Counts one request.

        @raise TooFast: there were too many; after a while of that the connection is closed.
        """
        bucket = self._bucket
        if bucket is None or bucket.take(self._desk.clock.seconds()):
            self._refused = 0
            return
        self._refused += 1
        if self._refused > self._desk.flow.refusals:
            self._outlet.close("too many lines at once")
        raise TooFast()

    def _charge(self, items: int) -> None:
        """A long answer costs more than a short one."""
        if self._bucket is not None:
            self._bucket.charge(items / _ITEMS_A_TOKEN)

    def set_variant(self, variant: Variant) -> None:
        """Has events written in another way from now on."""
        if self.key:
            self._desk.presence.regroup(self, variant)
        self.variant = variant

    # Coming and going.

    async def log_in(self, nick: str, password: str | None = None) -> User:
        """
        Takes a nick: as a guest, or with a password as its account.

        @raise AlreadyLoggedIn: this connection has one.
        @raise BadNick: it cannot be a nick.
        @raise NickInUse: somebody has it, or it needs its password.
        @raise BadPassword: the password is not that account's.
        @raise TooFast: too many wrong ones came from this address, or for that nick.
        @raise TooMany: it would be one account more than there may be.
        @raise Unavailable: nobody can say, or C{hang_up} was called meanwhile.
        """
        if self.key:
            raise AlreadyLoggedIn()
        desk = self._desk
        name = desk.controller.policy.names.nick(nick)
        requests.check_nick_is_free(desk.controller.state, name)
        if password is not None:
            await self._authenticate(name.text, password)
        state = desk.controller.state
        events: list[Event] = [requests.log_in(state, name, account=password is not None)]
        if password is not None and name.key not in state.accounts:
            # An outside checker vouches for it: from now on no guest may take it.
            events.append(requests.reserve(state, desk.controller.policy, name))
        await desk.controller.submit(*events)
        self.key, self.login = name.key, events[0].id
        desk.presence.attach(self)
        self.log.info("{nick} logged in from {address}", nick=name.text, address=self.address)
        return self.user

    async def _authenticate(self, nick: str, password: str) -> None:
        check = self._desk.authenticator.authenticate(nick, password, self.address)
        authentication = self._authentication = Deferred.fromCoroutine(check)
        try:
            await authentication
        except CancelledError:
            raise Unavailable("the connection is gone") from None
        finally:
            self._authentication = None

    def hang_up(self) -> None:
        """
        Nobody is there to hear the answer: whoever waits for a password to be checked gives the
        place up. What is stored already goes on, and C{close} follows it.
        """
        if self._authentication is not None:
            self._authentication.cancel()

    async def register(self, password: str) -> User:
        """
        Makes the guest's nick an account.

        @raise NickInUse: it is one.
        @raise BadPassword: the password cannot be one.
        @raise TooFast: too many accounts were made from this address.
        @raise TooMany: there are as many accounts as there may be.
        """
        desk = self._desk
        state, policy = desk.controller.state, desk.controller.policy
        requests.check_may_register(state, policy, self.user)
        if not desk.registrations.take(self.address, desk.clock.seconds()):
            raise TooFast("too many accounts were made from this address")
        verifier = await desk.hasher.hash(password)
        state = desk.controller.state
        await desk.controller.submit(requests.register(state, policy, self.user, verifier))
        return self.user

    async def log_out(self, reason: str = "logged out") -> None:
        """Gives the nick up and leaves every room; the connection stays."""
        _ = self.user
        while user := self._visitor():
            try:
                await self._desk.controller.submit(*requests.log_out(user, reason))
            except Unavailable:  # noqa: PERF203
                raise
            except ChatError:
                # Meanwhile a room of theirs went, or they were brought into one: is that all?
                continue
        self.lost_login()

    def lost_login(self) -> None:
        """The user is logged out, whoever did it."""
        self.key = self.login = ""

    def close(self, reason: str) -> None:
        """The connection is gone: its user leaves every room, and the nick is free."""
        user = self._visitor()
        if user is None:
            return
        gone = self._desk.controller.submit(*requests.log_out(user, reason))
        gone.addCallbacks(lambda _: self.lost_login(), self._retry_close, errbackArgs=(reason,))

    def _retry_close(self, failure: Failure, reason: str) -> None:
        failure.trap(ChatError)
        # At once if it was a room of theirs that went meanwhile.
        seconds = _RETRY_SECONDS if failure.check(Unavailable) else 0
        self._desk.clock.callLater(seconds, self.close, reason)

    # Looking around.

    def room(self, room_name: str) -> Room:
        """
        A room that one may see.

        @raise NoSuchRoom: there is none.
        @raise PrivateRoom: one may not.
        """
        controller = self._desk.controller
        return lookup.visible_room(controller.state, controller.policy, self.user, room_name)

    def rooms(self) -> list[Room]:
        """All rooms that one may see."""
        user = self.user
        rooms = self._desk.controller.state.rooms.values()
        self._charge(len(rooms))
        return [room for room in rooms if lookup.may_see(room, user)]

    def users(self) -> Iterable[User]:
        """Everybody who is logged in."""
        _ = self.user  # strangers are not told
        users = self._desk.controller.state.users.values()
        self._charge(len(users))
        return users

    async def history(self, room_name: str, count: int) -> tuple[Room, list[Event]]:
        """
        The last things said in a room that one is in, oldest first.

        @param count: how many; no more than the policy allows are given.
        """
        controller = self._desk.controller
        room = lookup.joined_room(controller.state, controller.policy, self.user, room_name)
        events = await self._said(room.id, count)
        if room.id not in self.user.rooms:
            raise NotInRoom()  # put out while it was being read
        return room, events

    async def conversation(self, nick: str, count: int) -> tuple[str, list[Event]]:
        """
        The last things that this user and another said to each other, oldest first, and the other's
        nick as it is shown.
        """
        controller = self._desk.controller
        shown, target = requests.conversation_with(
            controller.state, controller.policy, self.user, nick
        )
        return shown, await self._said(target, count)

    async def _said(self, target: str, count: int) -> list[Event]:
        controller = self._desk.controller
        policy = controller.policy
        most = min(count, policy.history_messages)
        events = await controller.journal.history(target, SAID, most)
        self._charge(len(events))
        return _newest(events, policy.history_bytes)

    # Talking.

    def say(self, room_name: str, text: str) -> None:
        """Says something to a room; `Outlet.acknowledge` tells what became of it."""
        controller = self._desk.controller
        controller.post(
            requests.say_to_room(controller.state, controller.policy, self.user, room_name, text),
            self,
        )
        self._unacknowledged += 1

    def tell(self, nick: str, text: str) -> None:
        """Says something to one user; `Outlet.acknowledge` tells what became of it."""
        controller = self._desk.controller
        controller.post(
            requests.say_to_user(controller.state, controller.policy, self.user, nick, text),
            self,
        )
        self._unacknowledged += 1

    def settled(self) -> Deferred[None]:
        """
        Fires when all that was said is acknowledged; for one request at a time. A dialect whose
        answers come in the order of the requests waits for it.
        """
        if not self._unacknowledged:
            return succeed(None)
        self._settled = Deferred()
        return self._settled

    def applied(self, event: Event, error: ChatError | None) -> None:
        """What was said is stored, or not (see `log.Origin`)."""
        try:
            self._outlet.acknowledge(event, error)
        except Exception:  # noqa: BLE001 - supervised here
            self.crashed(Failure())
        self._unacknowledged -= 1
        if self._settled is not None and not self._unacknowledged:
            settled, self._settled = self._settled, None
            settled.callback(None)

    def crashed(self, reason: Failure) -> None:
        """Something of this connection's broke (see `delivery.Recipient`)."""
        self._outlet.crashed(reason)

    # Changing rooms. Each returns the event that is now true.

    async def _change(self, request: Callable[..., E], *arguments: object) -> E:
        controller = self._desk.controller
        event = request(controller.state, controller.policy, self.user, *arguments)
        await controller.submit(event)
        return event

    async def create_room(self, room_name: str, private: bool = False) -> RoomCreated:
        """Makes a room and its owner, and does not join it."""
        return await self._change(requests.create_room, room_name, private)

    async def delete_room(self, room_name: str) -> RoomDeleted:
        """Removes a room that one owns."""
        return await self._change(requests.delete_room, room_name)

    async def join(self, room_name: str) -> Joined:
        """Enters a room."""
        return await self._change(requests.join, room_name)

    async def leave(self, room_name: str, reason: str = "") -> Left:
        """Leaves a room."""
        return await self._change(requests.leave, room_name, reason)

    async def set_visibility(self, room_name: str, private: bool) -> VisibilityChanged:
        """Makes a room that one owns public or private."""
        return await self._change(requests.set_visibility, room_name, private)

    async def invite(self, room_name: str, nick: str) -> Invited:
        """Lets somebody into a room that one owns."""
        return await self._change(requests.invite, room_name, nick)

    async def bring_in(self, room_name: str, nick: str) -> Invited:
        """Lets somebody into a room that one owns, and puts them into it at once."""
        controller = self._desk.controller
        invited = requests.invite(controller.state, controller.policy, self.user, room_name, nick)
        brought = requests.bring_in(controller.state, controller.policy, invited)
        await controller.submit(invited, brought)
        return invited

    async def kick(self, room_name: str, nick: str, reason: str = "") -> Kicked:
        """Puts a member of a room that one owns out."""
        return await self._change(requests.kick, room_name, nick, reason)

    async def set_topic(self, room_name: str, text: str) -> TopicChanged:
        """Sets the topic of a room that one owns."""
        return await self._change(requests.set_topic, room_name, text)


def _newest(events: list[Any], most: int) -> list[Event]:
    """The newest of some messages whose texts are no longer than so many bytes together."""
    left = most
    for index in range(len(events) - 1, -1, -1):
        left -= len(events[index].text.encode())
        if most and left < 0:
            return events[index + 1 :]
    return events
