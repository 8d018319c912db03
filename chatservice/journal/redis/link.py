"""
The way to one Redis, kept up: it is connected again whenever it was lost. What is asked while it is
down fails at once: who asks decides whether to wait. What is asked is not known here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import txredisapi
from twisted.internet.defer import CancelledError, Deferred, TimeoutError, fail, succeed
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from .address import RedisAddress
from .wire import Argument, Wire, one_wire, words_for

__all__ = ["Argument", "Away", "Link", "Refused"]

# Between two attempts to connect, seconds: a Redis that restarts is found soon.
_FIRST_DELAY = 0.05
_DELAY_FACTOR = 1.6
_LONGEST_DELAY = 1.0
_JITTER = 0.2

# One that is no master any more, or not there yet, says so: it has to be another one, or later.
# Before Redis 7 such words stand inside of a script's error.
_ELSEWHERE = re.compile(r"(?:^|: -)(?:READONLY|LOADING|MASTERDOWN|UNBLOCKED)\b")

_CLOSED = "closed"

T = TypeVar("T")


class Away(Exception):
    """Redis cannot be reached, or does not answer; what became of the question is not known."""


class Refused(Exception):
    """Redis answered with an error, which is the argument."""


class _NotThis(Exception):
    """
    What was reached is not what was looked for.

    @ivar for_good: waiting does not help; somebody has to change something.
    """

    def __init__(self, words: str, for_good: bool = False) -> None:
        super().__init__(words)
        self.for_good = for_good


class Link:
    """
    @param clock: tells the time that an answer takes.
    @param endpoint: leads to the Redis; it is asked anew for each attempt.
    @param patience: seconds of silence, while something is asked, after which the connection is
        given up; and seconds that connecting may take.
    @param answered: hears how many seconds each answer took.
    @param name: words for it; the address unless said.
    @ivar patience: see C{patience}.
    @ivar connections: how many there have been, one after another.
    """

    log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        endpoint: IStreamClientEndpoint,
        address: RedisAddress,
        patience: float,
        answered: Callable[[float], None] = lambda _: None,
        name: str = "",
    ) -> None:
        self._clock = clock
        self._endpoint = endpoint
        self._address = address
        self.patience = patience
        self._answered = answered
        self._name = name or str(address)
        self._is_open = False
        self._life = 0
        self._keeping: Deferred[None] = succeed(None)
        self._awaited: Deferred[Any] | None = None
        self._wire: Wire | None = None
        self._waiting: dict[Deferred[None], float] = {}
        self._reason = _CLOSED
        self._told: set[str] = set()
        self.connections = 0

    def __str__(self) -> str:
        return self._name

    @property
    def connected(self) -> bool:
        """Is it up?"""
        return self._wire is not None

    def open(self) -> None:
        """Begins to connect, and goes on until it is closed."""
        if not self._is_open:
            self._is_open = True
            self._life += 1
            self._reason = f"no connection within {self.patience:g} s"
            self._told.clear()
            self._keeping = Deferred.fromCoroutine(self._keep(self._life))

    async def close(self) -> None:
        """Lets go of it; whoever asks or waits hears that it is away."""
        if self._is_open:
            self._is_open = False
            self._life += 1
            self._wire, self._reason = None, _CLOSED
            self._fail_waiting(list(self._waiting))
            if self._awaited is not None:
                self._awaited.cancel()
        await self._keeping

    def up(self, seconds: float = 0) -> Deferred[None]:
        """
        Fires when it is up.

        @param seconds: how long to wait at the most; 0 waits for ever.
        @raise Away: it did not come, or is closed; or there is a limit, and waiting does not help,
            as with a wrong password.
        """
        if self.connected:
            return succeed(None)
        if not self._is_open:
            return fail(self._away())
        up: Deferred[None] = Deferred(self._forget)
        self._waiting[up] = seconds
        if seconds:
            up.addTimeout(seconds, self._clock, lambda *_: Failure(self._away()))
        return up

    async def ask(self, *command: Argument) -> Any:
        """
        Asks something; answers come in the order of the questions.

        @return: bytes, whole numbers, None, and lists of these.
        @raise Away: there is no connection, it was lost, or no answer came in time.
        @raise Refused: Redis cannot do that.
        """
        wire = self._wire
        if wire is None:
            raise self._away()
        began = self._clock.seconds()
        try:
            answer = await wire.ask(*command)
        except txredisapi.ResponseError as error:
            words = str(error)
            if _ELSEWHERE.search(words):
                self._drop(wire, words)
                raise Away(f"{self}: {words}") from None
            raise Refused(words) from None
        except txredisapi.RedisError:
            raise Away(f"{self}: {wire.reason}") from None
        self._answered(self._clock.seconds() - began)
        return answer

    def leave(self, reason: str) -> None:
        """Gives the connection up, if there is one, for another, which may lead elsewhere."""
        if self._wire is not None:
            self._drop(self._wire, reason)

    def _forget(self, up: Deferred[None]) -> None:
        self._waiting.pop(up, None)

    def _away(self) -> Away:
        return Away(f"{self}: {self._reason}")

    def _drop(self, wire: Wire, reason: str) -> None:
        if self._wire is wire:
            self._wire, self._reason = None, reason
        wire.give_up(reason)

    # Keeping it up.

    async def _keep(self, life: int) -> None:
        failures = 0
        while life == self._life:
            failures = 0 if await self._live(life) else failures + 1
            with suppress(CancelledError):
                await self._wait(life, deferLater(self._clock, _delay(failures)))

    async def _live(self, life: int) -> bool:
        """
        One connection, from the attempt to its end.

        @return: whether it was up, and that not for a moment only.
        """
        wire = Wire(self._clock, self.patience)
        error: Exception | None = None
        up_since: float | None = None
        try:
            await self._connect(life, wire)
            up_since = self._clock.seconds()
            self._is_up(wire)
            await self._wait(life, wire.ended())
        except Exception as caught:  # noqa: BLE001 - whatever is wrong, the next attempt follows
            error = caught
        if life == self._life:
            self._is_down(words_for(error) if error else wire.reason, error)
        await wire.end(_CLOSED)
        return up_since is not None and self._clock.seconds() - up_since >= _LONGEST_DELAY

    async def _wait(self, life: int, what: Deferred[T]) -> T:
        """
        Waits for something, but no longer than until the link is closed.

        @raise CancelledError: it is.
        """
        if life != self._life:
            what.cancel()
        self._awaited = what
        try:
            return await what
        finally:
            self._awaited = None

    async def _connect(self, life: int, wire: Wire) -> None:
        connecting = self._endpoint.connect(one_wire(wire))
        try:
            await self._wait(life, connecting.addTimeout(self.patience, self._clock))
        except TimeoutError:
            raise _NotThis(f"no connection within {self.patience:g} s") from None
        await self._greet(life, wire)

    async def _greet(self, life: int, wire: Wire) -> None:
        """Only a master that knows us and all of its data is one that we can ask."""
        address = self._address
        commands: list[tuple[Argument, ...]] = [("ROLE",), ("PING",)]
        if address.database:
            commands.insert(0, ("SELECT", address.database))
        if address.password:
            user = (address.user,) if address.user else ()
            commands.insert(0, ("AUTH", *user, address.password))
        answers = await self._wait(life, wire.ask_all(*commands))
        for (command, *_), answer in zip(commands, answers, strict=True):
            self._check(str(command), answer, wire)

    def _check(self, command: str, answer: Any, wire: Wire) -> None:
        if isinstance(answer, txredisapi.ResponseError):
            words = str(answer)
            # Who may not ask for the role finds out by what is asked of it.
            if command != "ROLE" or words.startswith("NOAUTH"):
                raise _NotThis(self._without_password(words), not _ELSEWHERE.search(words))
        elif isinstance(answer, Exception):
            raise _NotThis(wire.reason)
        elif command == "ROLE" and answer[0] != b"master":
            raise _NotThis("it is not the master")

    def _without_password(self, words: str) -> str:
        password = self._address.password
        return words.replace(password, "...") if password else words

    def _is_up(self, wire: Wire) -> None:
        self._wire = wire
        self.connections += 1
        if self._told:
            self._told.clear()
            self.log.info("{link}: it is there again", link=str(self))
        waiting, self._waiting = self._waiting, {}
        for up in waiting:
            up.callback(None)

    def _is_down(self, reason: str, error: Exception | None) -> None:
        self._wire, self._reason = None, reason
        if reason not in self._told:
            self._told.add(reason)
            self.log.warn(  # noqa: G010 - Twisted's logger has no other
                "{link} is away: {reason}", link=str(self), reason=reason
            )
        if isinstance(error, _NotThis) and error.for_good:
            self._fail_waiting([up for up, seconds in self._waiting.items() if seconds])

    def _fail_waiting(self, waiting: list[Deferred[None]]) -> None:
        for up in waiting:
            if self._waiting.pop(up, None) is not None:
                up.errback(self._away())


def _delay(failures: int) -> float:
    """Seconds until the next attempt; not the same for all nodes."""
    delay = min(_FIRST_DELAY * _DELAY_FACTOR ** min(failures, 10), _LONGEST_DELAY)
    return delay * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - it is no secret
