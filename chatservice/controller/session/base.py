"""
What a session is made of: whose it is, what it may spend, and how a request becomes true.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatservice.controller import lookup
from chatservice.controller.desk import Desk, Outlet, Proof, Variant
from chatservice.controller.entities import User
from chatservice.controller.errors import ChatError, NotLoggedIn, TooFast, Unavailable
from chatservice.controller.events import Event, Killed
from chatservice.controller.policy import Policy
from chatservice.controller.rate import TokenBucket
from chatservice.controller.state import State

E = TypeVar("E", bound=Event)

_ITEMS_A_TOKEN = 500
"""How many items of a list cost as much as a request."""


class SessionBase:
    """
    @ivar address: where the client comes from, as limits count it.
    @ivar key: the key of the user, or the empty string.
    @ivar login: the id of the event by which that user logged in.
    @ivar proof: the account that the client has shown to be theirs, if any.
    @ivar write: takes bytes for the client.
    """

    __slots__ = (
        "_authentication",
        "_bucket",
        "_desk",
        "_gone",
        "_outlet",
        "_pause",
        "_refused",
        "_settled",
        "_unacknowledged",
        "_was",
        "address",
        "key",
        "login",
        "proof",
        "variant",
        "write",
    )

    log = Logger()

    def __init__(self, desk: Desk, address: str, outlet: Outlet, variant: Variant) -> None:
        self._desk = desk
        self._outlet = outlet
        self._refused = 0
        self._unacknowledged = 0
        self._gone = False
        self._was: User | None = None
        self._settled: Deferred[None] | None = None
        self._authentication: Deferred[Proof] | None = None
        self._pause: Deferred[None] | None = None
        flow = desk.flow
        self._bucket = (
            TokenBucket(flow.rate, flow.burst, desk.clock.seconds()) if flow.rate else None
        )
        self.address = address
        self.variant = variant
        self.key = ""
        self.login = ""
        self.proof: Proof | None = None
        self.write: Callable[[bytes], None] = outlet.write

    # What is true of this client.

    @property
    def state(self) -> State:
        """What is true in the chat now: to be read, and never kept over a wait."""
        return self._desk.controller.state

    @property
    def outlet(self) -> Outlet:
        """The connection."""
        return self._outlet

    @property
    def policy(self) -> Policy:
        """The limits in force."""
        return self._desk.controller.policy

    @property
    def now(self) -> float:
        """The time, seconds since 1970."""
        return self._desk.clock.seconds()

    @property
    def user(self) -> User:
        """
        Who this is.

        @raise NotLoggedIn: nobody, yet.
        @raise Unavailable: somebody who is just coming back (see C{lapsed}).
        """
        user = self._visitor()
        if self._was is not None:
            raise Unavailable()
        if user is None:
            raise NotLoggedIn()
        return user

    @property
    def flags(self) -> frozenset[str]:
        """The user's flags (`modes.USER_FLAGS`), whether or not they are just coming back."""
        user = self._was or self._visitor()
        return user.flags if user is not None else frozenset()

    def _visitor(self) -> User | None:
        # By key, a user who has just been renamed is not there until this has been told.
        return self._desk.controller.state.visits.get(self.login)

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

    def wait(self) -> float:
        """
        Counts one request, or says in how many seconds it may come: for dialects whose clients do
        not ask again, and have their lines wait instead of being refused.
        """
        bucket = self._bucket
        return 0.0 if bucket is None else bucket.wait(self._desk.clock.seconds())

    async def pause(self, seconds: float) -> bool:
        """Waits, with the client's lines; False if the client is gone by then."""
        pause = self._pause = deferLater(self._desk.clock, seconds)
        try:
            await pause
        except CancelledError:
            return False
        finally:
            self._pause = None
        return True

    def owe(self, requests: int) -> None:
        """One request was several in truth: counts the others."""
        if self._bucket is not None:
            self._bucket.charge(requests)

    def charge(self, items: int) -> None:
        """A long answer costs more than a short one."""
        if self._bucket is not None:
            self._bucket.charge(items / _ITEMS_A_TOKEN)

    # What comes from delivery (see `delivery.Recipient`).

    def set_variant(self, variant: Variant) -> None:
        """Has events written in another way from now on."""
        if self.key:
            self._desk.presence.regroup(self, variant)
        self.variant = variant

    def echo(self, event: Event, payload: bytes) -> bytes:
        """What the client gets of what it did itself."""
        return self._outlet.echo(event, payload)

    def noticed(self, event: Event) -> None:
        """Something is told to this client by itself, unless its user has just gone."""
        if self._was is not None or self._visitor() is not None:
            self._outlet.noticed(event)

    def expelled(self, event: Killed) -> None:
        """The user is put out of the service."""
        self._outlet.expelled(event)

    def crashed(self, reason: Failure) -> None:
        """Something of this connection's broke."""
        self._outlet.crashed(reason)

    def lost_login(self) -> None:
        """The user is logged out, whoever did it; what account the next one has is shown anew."""
        if self.login:
            self._desk.cards.drop(self.login)
        self.key = self.login = ""
        self.proof = None

    def forgotten(self) -> None:
        """Nobody knows this client's user any more."""
        self.lost_login()
        self._outlet.close("the server does not know any more who you are; connect again")

    def lapsed(self) -> None:
        """Others have logged the user out, who is still here (see `returning`)."""
        self.forgotten()

    def displaced(self) -> None:
        """Then somebody else has taken the nick."""
        self.forgotten()

    # Becoming true.

    async def _change(self, request: Callable[..., E], *arguments: object) -> E:
        """Asks for something in the user's name, and gives the event when it is true."""
        event = request(self.state, self.policy, self.user, *arguments)
        await self._desk.controller.submit(event)
        return event

    async def _submit_if_it_fits(self, *events: Event) -> bool:
        """
        Hands events to the journal; False if one of them came too late.

        @raise Unavailable: they could not be stored.
        """
        try:
            await self._desk.controller.submit(*events)
        except Unavailable:
            raise
        except ChatError:
            return False
        return True

    async def _expel(self, nick: str, request: Callable[[str], list[Event]]) -> Killed:
        """
        Has somebody's connections closed; once more if they meanwhile went into a room, left one,
        or are called something else.

        @param request: makes the events of a nick.
        """
        victim = lookup.find_user(self.state, self.policy, nick)
        while True:
            killed, *gone = request(victim.nick)
            assert isinstance(killed, Killed)
            if await self._submit_if_it_fits(killed, *gone):
                return killed
            now = self.state.users.get(victim.key)
            if now is None or now.login != victim.login:
                return killed

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
