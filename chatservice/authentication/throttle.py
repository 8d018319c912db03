"""How often passwords may be guessed: attempts at one account, or from one address, take turns, and
wrong ones wait.

Knows keys and time, neither passwords nor connections. Nothing is kept across a restart.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
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
        longest_delay: where doubling ends for an address.
        longest_account_delay: where it ends for an account. Well under `max_wait`, so that no
            stranger's attempts keep out somebody who comes from elsewhere with the right password.
        max_wait: an attempt whose turn would come later than this is refused.
        max_waiting: how many attempts may wait for their turn from one address, and from how many
            addresses at one account.
        forget_after: after so long without a wrong password all of them are forgotten.
        max_keys: how many accounts and addresses are remembered, the longest unused forgotten
            first.
        trust_for: for so long after the right password its address is trusted with that account.
        max_trusted: how many such pairs are remembered, the longest unused forgotten first.
    """

    free: int = 2
    first_delay: float = 1.0
    longest_delay: float = 30.0
    longest_account_delay: float = 10.0
    max_wait: float = 30.0
    max_waiting: int = 64
    forget_after: float = 900.0
    max_keys: int = 10_000
    trust_for: float = 14 * 86_400.0
    max_trusted: int = 10_000


class Turn:
    """An attempt whose turn it is. Exactly one of its methods ends it; what is called after that
    does nothing."""

    __slots__ = ("_over",)

    def __init__(self, over: Callable[[bool | None], None]) -> None:
        self._over: Callable[[bool | None], None] | None = over

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
            over(right)


class _Lane:
    """One account, or one address: who waits for it, and what went wrong lately.

    Those who wait stand in rows, one for each other key (an account's by address, an address's by
    account), and the rows take turns.
    """

    __slots__ = ("busy", "last_wrong", "longest_delay", "ready_at", "rows", "timer", "wrong")

    def __init__(self, longest_delay: float) -> None:
        self.longest_delay = longest_delay
        self.busy = False
        self.rows: OrderedDict[_Key, dict[_Waiter, None]] = OrderedDict()
        self.ready_at = float("-inf")
        self.timer: IDelayedCall | None = None
        # Wrong passwords by the other key of their attempt.
        self.wrong: dict[_Key, int] = {}
        self.last_wrong = float("-inf")

    @property
    def in_use(self) -> bool:
        return self.busy or bool(self.rows)

    def heads(self) -> list[_Waiter]:
        # What holds up the first of a row holds up all of it.
        return [next(iter(row)) for row in self.rows.values()]

    def remove(self, other: _Key, waiter: _Waiter) -> None:
        del self.rows[other][waiter]
        if not self.rows[other]:
            del self.rows[other]
            if not self.rows:
                self.cancel_timer()

    def took_turn(self, other: _Key) -> None:
        if other in self.rows:
            self.rows.move_to_end(other)

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

    __slots__ = ("deadline", "keys", "lanes", "queued", "turn")

    def __init__(
        self,
        lanes: tuple[_Lane, _Lane],
        keys: tuple[_Key, _Key],
        leave: Callable[[_Waiter], None],
    ) -> None:
        self.lanes = lanes
        self.keys = keys
        self.queued = True
        self.deadline: IDelayedCall | None = None
        self.turn: Deferred[Turn] = Deferred(lambda _: leave(self))

    @property
    def places(self) -> tuple[tuple[_Lane, _Key], tuple[_Lane, _Key]]:
        """Its lanes, and the key of its row in each."""
        return (self.lanes[0], self.keys[1]), (self.lanes[1], self.keys[0])


class Throttle:
    """Gives attempts their turn.

    - For one account, and from one address, one attempt runs at a time; the next begins when it is
      over. However many connections try at once, they come one after another. At one account the
      addresses take turns, so that none of them can take all of them.
    - After the wrong password number n since the last right one, the next attempt waits 0 seconds
      for n <= `free`, then 1, 2, 4 ... up to `longest_delay` or `longest_account_delay`.
    - An address from which an account's password was right lately waits for itself only, not for
      what others do to the account.
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
        # When the password was right, by address and account.
        self._trusted: OrderedDict[tuple[_Key, _Key], float] = OrderedDict()
        self._awake: deque[_Lane] = deque()
        self._waking = False

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
        awaited = keys[:1] if self._is_trusted(keys) else keys
        if any(self._expected_wait(key) > self._limits.max_wait for key in awaited):
            return fail(TooFast("too many wrong passwords; try again in a minute"))
        if any(self._is_crowded(key) for key in awaited) or not self._make_room(keys):
            return fail(TooFast("too many are logging in here; try again in a moment"))
        lanes = (self._lane(keys[0]), self._lane(keys[1]))
        waiter = _Waiter(lanes, keys, self._leave)
        for lane, other in waiter.places:
            lane.rows.setdefault(other, {})[waiter] = None
        self._start(waiter)
        if waiter.queued:
            waiter.deadline = self._clock.callLater(self._limits.max_wait, self._refuse, waiter)
            self._set_timers(lanes)
        return waiter.turn

    # What becomes of a waiter

    def _start(self, waiter: _Waiter) -> None:
        """Gives it its turn if it may begin; or whoever comes before it at the same account."""
        if self._is_trusted(waiter.keys):
            self._start_if_free(waiter)
            return
        for rival in waiter.lanes[1].heads():
            if not self._is_trusted(rival.keys) and self._start_if_free(rival):
                return

    def _start_if_free(self, waiter: _Waiter) -> bool:
        now = self._clock.seconds()
        awaited = waiter.lanes[:1] if self._is_trusted(waiter.keys) else waiter.lanes
        if not waiter.queued or any(lane.busy or lane.ready_at > now for lane in awaited):
            return False
        self._unqueue(waiter)
        for lane in awaited:
            lane.busy = True
        waiter.turn.callback(Turn(partial(self._over, waiter.keys, awaited)))
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
        if not waiter.queued:
            return
        self._unqueue(waiter)
        self._drop_if_idle(waiter.keys)

    def _unqueue(self, waiter: _Waiter) -> None:
        waiter.queued = False
        if waiter.deadline is not None:
            waiter.deadline.cancel()
            waiter.deadline = None
        for lane, other in waiter.places:
            lane.remove(other, waiter)

    # What becomes of an attempt

    def _over(self, keys: tuple[_Key, _Key], held: tuple[_Lane, ...], right: bool | None) -> None:
        # That of the account may be forgotten meanwhile, if it was not held.
        lanes = [self._lane(key) for key in keys]
        if right is not None:
            self._record(keys, right)
        for lane in held:
            lane.busy = False
        for lane, other in zip(lanes, reversed(keys), strict=True):
            lane.took_turn(other)
        self._wake(*lanes)
        self._drop_if_idle(keys)

    def _record(self, keys: tuple[_Key, _Key], right: bool) -> None:
        now = self._clock.seconds()
        address, account = (self._lanes[key] for key in keys)
        if right:
            self._trust(keys)
            account.wrong.clear()
            address.wrong.pop(keys[1], None)
            for lane in (address, account):
                lane.ready_at = min(lane.ready_at, now + self._delay(lane))
            return
        for lane, other in ((address, keys[1]), (account, keys[0])):
            lane.charge(other)
            lane.last_wrong = now
            lane.ready_at = now + self._delay(lane)

    def _wake(self, *lanes: _Lane) -> None:
        # An attempt can be over as soon as it begins: one after another, not one inside another.
        self._awake.extend(lanes)
        if self._waking:
            return
        self._waking = True
        try:
            while self._awake:
                self._wake_now(self._awake.popleft())
        finally:
            self._waking = False

    def _wake_now(self, lane: _Lane) -> None:
        lane.cancel_timer()
        for waiter in lane.heads():
            self._start(waiter)
            if lane.busy:
                break
        self._set_timers((lane,))

    def _set_timers(self, lanes: tuple[_Lane, ...]) -> None:
        now = self._clock.seconds()
        for lane in lanes:
            if lane.rows and not lane.busy and lane.timer is None and lane.ready_at > now:
                lane.timer = self._clock.callLater(lane.ready_at - now, self._on_time, lane)

    def _on_time(self, lane: _Lane) -> None:
        lane.timer = None
        self._wake(lane)

    # Who is trusted

    def _trust(self, keys: tuple[_Key, _Key]) -> None:
        self._trusted[keys] = self._clock.seconds()
        self._trusted.move_to_end(keys)
        if len(self._trusted) > self._limits.max_trusted:
            self._trusted.popitem(last=False)

    def _is_trusted(self, keys: tuple[_Key, _Key]) -> bool:
        since = self._trusted.get(keys)
        return since is not None and self._clock.seconds() - since < self._limits.trust_for

    # The table

    def _delay(self, lane: _Lane) -> float:
        charged = sum(lane.wrong.values()) - self._limits.free
        if charged <= 0:
            return 0.0
        doubled = self._limits.first_delay * 2.0 ** min(charged - 1, _COUNTED)
        return min(doubled, lane.longest_delay)

    def _expected_wait(self, key: _Key) -> float:
        lane = self._lanes.get(key)
        if lane is None:
            return 0.0
        if lane.last_wrong <= self._clock.seconds() - self._limits.forget_after:
            lane.wrong.clear()
        until_ready = max(0.0, lane.ready_at - self._clock.seconds())
        # Of those before this one, each may be wrong and cost the delay again.
        return until_ready + _turns_before(key, lane) * self._delay(lane)

    def _is_crowded(self, key: _Key) -> bool:
        lane = self._lanes.get(key)
        return lane is not None and _turns_before(key, lane) >= self._limits.max_waiting

    def _lane(self, key: _Key) -> _Lane:
        lane = self._lanes.get(key)
        if lane is None:
            limits = self._limits
            of_account = key[0] == "account"
            longest = limits.longest_account_delay if of_account else limits.longest_delay
            lane = self._lanes[key] = _Lane(longest)
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


def _turns_before(key: _Key, lane: _Lane) -> int:
    """After how many attempts it is the turn of one that comes now. At an account the addresses
    alternate."""
    return len(lane.rows) if key[0] == "account" else sum(map(len, lane.rows.values()))
