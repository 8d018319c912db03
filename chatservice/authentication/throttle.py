"""How often passwords may be guessed: attempts at one account, or from one address, take turns, and
wrong ones wait.

Knows keys and time, neither passwords nor connections. Nothing is kept across a restart.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from chatservice.controller.errors import TooFast

_Key: TypeAlias = tuple[str, str]

_COUNTED = 16
"""Wrong passwords counted one by one; far more than it takes to reach the longest delay."""


@dataclass(frozen=True, slots=True)
class ThrottleLimits:
    """The figures of a `Throttle`; times in seconds.

    Args:
        free: wrong passwords in a row that cost nothing.
        first_delay: what the next one costs; each further one costs double.
        longest_delay: where doubling ends.
        max_wait: an attempt whose turn would come later than this is refused.
        max_waiting: how many attempts may wait for their turn at one account or from one address.
        forget_after: after so long without a wrong password all of them are forgotten.
        max_keys: how many accounts and addresses are remembered, the longest unused forgotten
            first.
    """

    free: int = 2
    first_delay: float = 1.0
    longest_delay: float = 30.0
    max_wait: float = 30.0
    max_waiting: int = 64
    forget_after: float = 900.0
    max_keys: int = 10_000


class Turn:
    """An attempt whose turn it is. Exactly one of its methods ends it; what is called after that
    does nothing."""

    __slots__ = ("_keys", "_over")

    def __init__(
        self, keys: tuple[_Key, _Key], over: Callable[[tuple[_Key, _Key], bool | None], None]
    ) -> None:
        self._keys = keys
        self._over: Callable[[tuple[_Key, _Key], bool | None], None] | None = over

    def right(self) -> None:
        """The password was the right one."""
        self._end(True)

    def wrong(self) -> None:
        """The password was a wrong one."""
        self._end(False)

    def undecided(self) -> None:
        """Nobody could say."""
        self._end(None)

    def _end(self, right: bool | None) -> None:
        over, self._over = self._over, None
        if over is not None:
            over(self._keys, right)


class _Lane:
    """One account, or one address: who waits for it, and what went wrong lately."""

    __slots__ = ("busy", "last_wrong", "ready_at", "timer", "waiting", "wrong")

    def __init__(self) -> None:
        self.busy = False
        self.waiting: dict[_Waiter, None] = {}
        self.ready_at = float("-inf")
        self.timer: IDelayedCall | None = None
        # Wrong passwords by the other key of their attempt.
        self.wrong: dict[_Key, int] = {}
        self.last_wrong = float("-inf")

    @property
    def in_use(self) -> bool:
        return self.busy or bool(self.waiting)

    def charge(self, other: _Key) -> None:
        self.wrong[other] = min(self.wrong.get(other, 0) + 1, _COUNTED)
        if len(self.wrong) > _COUNTED:
            del self.wrong[next(iter(self.wrong))]

    def cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class _Waiter:
    """An attempt that waits for its turn."""

    __slots__ = ("deadline", "keys", "lanes", "started", "turn")

    def __init__(
        self,
        lanes: tuple[_Lane, ...],
        keys: tuple[_Key, _Key],
        leave: Callable[[_Waiter], None],
    ) -> None:
        self.lanes = lanes
        self.keys = keys
        self.started = False
        self.deadline: IDelayedCall | None = None
        self.turn: Deferred[Turn] = Deferred(lambda _: leave(self))


class Throttle:
    """Gives attempts their turn.

    - For one account, and from one address, one attempt runs at a time; the next begins when it is
      over. However many connections try at once, they come one after another.
    - After the wrong password number n since the last right one, the next attempt waits 0 seconds
      for n <= `free`, then 1, 2, 4 ... up to `longest_delay`.
    - The right password clears the account. The address is cleared of what it did wrong at this
      account only: whoever owns one account cannot use it to go on guessing at others.

    Args:
        clock: tells the time and calls later.
        limits: the figures.
    """

    def __init__(self, clock: IReactorTime, limits: ThrottleLimits | None = None) -> None:
        self._clock = clock
        self._limits = limits or ThrottleLimits()
        self._lanes: OrderedDict[_Key, _Lane] = OrderedDict()

    def __len__(self) -> int:
        """How many accounts and addresses are remembered."""
        return len(self._lanes)

    def turn(self, address: str, account: str) -> Deferred[Turn]:
        """Waits until a password of `account` may be tried from `address`. To cancel it is to give
        the place up.

        Raises (as the Deferred's failure):
            TooFast: the turn would come too late, or does.
        """
        keys = (("address", address), ("account", account))
        self._forget_the_stale()
        if any(self._expected_wait(key) > self._limits.max_wait for key in keys):
            return fail(TooFast("too many wrong passwords; try again in a minute"))
        if any(self._is_crowded(key) for key in keys) or not self._make_room(keys):
            return fail(TooFast("too many are logging in here; try again in a moment"))
        lanes = tuple(self._lane(key) for key in keys)
        waiter = _Waiter(lanes, keys, self._leave)
        for lane in lanes:
            lane.waiting[waiter] = None
        self._start_if_free(waiter)
        if not waiter.started:
            waiter.deadline = self._clock.callLater(self._limits.max_wait, self._refuse, waiter)
            self._set_timers(lanes)
        return waiter.turn

    # What becomes of a waiter

    def _start_if_free(self, waiter: _Waiter) -> bool:
        now = self._clock.seconds()
        if any(lane.busy or lane.ready_at > now for lane in waiter.lanes):
            return False
        self._unqueue(waiter)
        waiter.started = True
        for lane in waiter.lanes:
            lane.busy = True
        waiter.turn.callback(Turn(waiter.keys, self._over))
        return True

    def _refuse(self, waiter: _Waiter) -> None:
        waiter.deadline = None
        # The turn may come at this very moment.
        if self._start_if_free(waiter):
            return
        self._unqueue(waiter)
        self._drop_if_idle(waiter.keys)
        waiter.turn.errback(TooFast("too many wrong passwords; try again in a minute"))

    def _leave(self, waiter: _Waiter) -> None:
        if waiter.started:
            return
        self._unqueue(waiter)
        self._drop_if_idle(waiter.keys)

    def _unqueue(self, waiter: _Waiter) -> None:
        if waiter.deadline is not None:
            waiter.deadline.cancel()
            waiter.deadline = None
        for lane in waiter.lanes:
            del lane.waiting[waiter]
            if not lane.waiting:
                lane.cancel_timer()

    # What becomes of an attempt

    def _over(self, keys: tuple[_Key, _Key], right: bool | None) -> None:
        lanes = [self._lanes[key] for key in keys]
        if right is not None:
            self._record(keys, right)
        for lane in lanes:
            lane.busy = False
        for lane in lanes:
            self._wake(lane)
        self._drop_if_idle(keys)

    def _record(self, keys: tuple[_Key, _Key], right: bool) -> None:
        now = self._clock.seconds()
        address, account = (self._lanes[key] for key in keys)
        if right:
            account.wrong.clear()
            address.wrong.pop(keys[1], None)
            for lane in (address, account):
                lane.ready_at = min(lane.ready_at, now + self._delay(lane))
            return
        for lane, other in ((address, keys[1]), (account, keys[0])):
            lane.charge(other)
            lane.last_wrong = now
            lane.ready_at = now + self._delay(lane)

    def _wake(self, lane: _Lane) -> None:
        lane.cancel_timer()
        for waiter in tuple(lane.waiting):
            if self._start_if_free(waiter):
                break
        self._set_timers((lane,))

    def _set_timers(self, lanes: tuple[_Lane, ...]) -> None:
        now = self._clock.seconds()
        for lane in lanes:
            if lane.waiting and not lane.busy and lane.timer is None and lane.ready_at > now:
                lane.timer = self._clock.callLater(lane.ready_at - now, self._on_time, lane)

    def _on_time(self, lane: _Lane) -> None:
        lane.timer = None
        self._wake(lane)

    # The table

    def _delay(self, lane: _Lane) -> float:
        charged = sum(lane.wrong.values()) - self._limits.free
        if charged <= 0:
            return 0.0
        doubled = self._limits.first_delay * 2.0 ** min(charged - 1, _COUNTED)
        return min(doubled, self._limits.longest_delay)

    def _expected_wait(self, key: _Key) -> float:
        lane = self._lanes.get(key)
        if lane is None:
            return 0.0
        if lane.last_wrong <= self._clock.seconds() - self._limits.forget_after:
            lane.wrong.clear()
        until_ready = max(0.0, lane.ready_at - self._clock.seconds())
        # Of those before this one, each may be wrong and cost the delay again.
        return until_ready + len(lane.waiting) * self._delay(lane)

    def _is_crowded(self, key: _Key) -> bool:
        lane = self._lanes.get(key)
        return lane is not None and len(lane.waiting) >= self._limits.max_waiting

    def _lane(self, key: _Key) -> _Lane:
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane()
        self._lanes.move_to_end(key)
        return lane

    def _drop_if_idle(self, keys: tuple[_Key, _Key]) -> None:
        for key in keys:
            lane = self._lanes.get(key)
            if lane is not None and not lane.in_use and not lane.wrong:
                del self._lanes[key]

    def _forget_the_stale(self) -> None:
        """Forgets from the longest unused on, up to one that is still of use."""
        before = self._clock.seconds() - self._limits.forget_after
        while self._lanes:
            key, lane = next(iter(self._lanes.items()))
            if lane.in_use or lane.last_wrong > before:
                return
            del self._lanes[key]

    def _make_room(self, keys: tuple[_Key, _Key]) -> bool:
        """Forgets what is longest unused; whether there is room for `keys` then."""
        wanted = sum(key not in self._lanes for key in keys)
        excess = len(self._lanes) + wanted - self._limits.max_keys
        if excess <= 0:
            return True
        unused = (key for key, lane in self._lanes.items() if not lane.in_use and key not in keys)
        victims = list(islice(unused, excess))
        for key in victims:
            del self._lanes[key]
        return len(victims) == excess
