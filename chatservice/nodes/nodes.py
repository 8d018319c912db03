"""
The nodes, as a supervised child of each of them: it renews its own lease, logs out whom its last
life left behind, and logs out the users of a node whose lease has run out. What others see of that
are ordinary events, in the one order that all share.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import partial

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from chatservice.controller import requests
from chatservice.controller.controller import Controller
from chatservice.controller.desk import Presence
from chatservice.controller.entities import User
from chatservice.controller.errors import ChatError, Unavailable
from chatservice.supervision import CannotStart, Supervised, Supervisor

from .leases import Leases, OutOfTouch

_RENEWALS = 6
"""How often a lease is renewed in its time."""

_TERM = 0.75
"""How much of it a renewal lasts: what is left is for the others to notice, and to see to it."""

_SILENCE = 0.5
"""
How much of it may pass between two renewals before nobody is judged by the second one: if this
node, or Redis, stood still, the others may have as well, and have not had their turn yet. With one
round more it is less than a term, so that nobody's can have run out in a shorter time.
"""

_USERS = 50
"""How many are logged out at once; others have their turn before the next."""


class Nodes(Supervised):
    """
    @param name: finds out what this node is called.
    @param leases: everybody's.
    @param seconds: within this time the others notice that a node is gone.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        controller: Controller,
        presence: Presence,
        name: Callable[[], str],
        leases: Leases,
        seconds: float,
    ) -> None:
        self._clock = clock
        self._controller = controller
        self._presence = presence
        self._name = name
        self._leases = leases
        self._seconds = seconds
        self._in_touch_since: float | None = None
        self._renewed = 0.0
        self._round: Deferred[None] | None = None
        self._rounds = LoopingCall(self._renew)
        self._rounds.clock = clock

    # Being supervised.

    def startService(self) -> Deferred[None]:
        super().startService()
        return Deferred.fromCoroutine(self._start())

    async def _start(self) -> None:
        self._controller.node = self._name()
        try:
            await self._leases.end(self._node)  # of its last life
            await self._leases.renew(self._node, self._seconds * _TERM)
            await self._log_out(self._left_behind, "its server was restarted")
        except (OutOfTouch, Unavailable) as error:
            raise CannotStart(str(error)) from error
        self.log.info("this is node {node}", node=self._node)
        self._in_touch_since = self._clock.seconds()
        self._rounds.start(self._seconds / _RENEWALS, now=False).addErrback(self.fail)

    def stopService(self) -> Deferred[None]:
        super().stopService()
        if self._rounds.running:
            self._rounds.stop()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        try:
            if self._is_the_end():
                await self._log_out(partial(self._users_of, self._node), "server stopped")
            await self._leases.end(self._node)
        except (OutOfTouch, Unavailable):
            self.log.info("the other nodes will miss this one when its lease has run out")

    def _is_the_end(self) -> bool:
        """Does the server stop, and not this child alone, nor because it cannot go on?"""
        parent: object = self.parent
        whole = isinstance(parent, Supervisor) and not parent.running
        return whole and bool(self._controller.running)

    # A round.

    @property
    def _node(self) -> str:
        return self._controller.node

    def _renew(self) -> Deferred[None]:
        return Deferred.fromCoroutine(self._look_around())

    async def _look_around(self) -> None:
        try:
            there = await self._leases.renew(self._node, self._seconds * _TERM)
            self._note_renewal()
            await self._log_out(self._left_behind, "connection lost")
            if self._may_judge():
                await self._see_to_the_missing(there)
        except (OutOfTouch, Unavailable):
            self._in_touch_since = None

    def _note_renewal(self) -> None:
        before, self._renewed = self._renewed, self._clock.seconds()
        if self._renewed - before > self._seconds * _SILENCE:
            self._in_touch_since = None

    def _may_judge(self) -> bool:
        """
        After everybody was out of touch, nobody is missed before all have had the time to come
        back.
        """
        now = self._clock.seconds()
        if self._in_touch_since is None:
            self._in_touch_since = now
        return now - self._in_touch_since >= self._seconds

    async def _see_to_the_missing(self, there: Collection[str]) -> None:
        for node in set(self._controller.state.nodes).difference(there, (self._node,)):
            if not await self._leases.claim(node):
                continue
            # Those only: it may be back in the midst of this, and its users with it.
            visits = [user.login for user in self._users_of(node)]
            self.log.warn(  # noqa: G010 - Twisted's logger has no other
                "node {node} is gone; users of it that are logged out: {users}",
                node=node,
                users=len(visits),
            )
            await self._log_out(partial(self._still_there, visits), "server lost", lost=True)
            await self._leases.seen_to(node)

    # Whom, and how.

    def _users_of(self, node: str) -> list[User]:
        state = self._controller.state
        return [state.users[key] for key in state.nodes.get(node, ())]

    def _still_there(self, visits: Iterable[str]) -> list[User]:
        known = self._controller.state.visits
        return [known[visit] for visit in visits if visit in known]

    def _left_behind(self) -> list[User]:
        """Users of this node without a connection to it."""
        return [
            user for user in self._users_of(self._node) if not self._presence.connections(user.key)
        ]

    async def _log_out(
        self, whom: Callable[[], Iterable[User]], reason: str, lost: bool = False
    ) -> None:
        """
        Logs users out, for as long as there are any of them.

        @raise Unavailable: that cannot be stored now.
        """
        while users := list(whom())[:_USERS]:
            gone = [
                self._controller.submit(*requests.log_out(user, reason, lost)) for user in users
            ]
            refused = [error for error in [await _outcome(each) for each in gone] if error]
            for error in refused:
                if isinstance(error, Unavailable):
                    raise error


async def _outcome(done: Deferred[None]) -> ChatError | None:
    """None, or why not: somebody was put out of a room, or came into one, meanwhile."""
    try:
        await done
    except ChatError as error:
        return error
    return None
