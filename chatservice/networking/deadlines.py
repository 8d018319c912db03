"""
What one connection is given time for: the handshake, the log-in, a sign of life, the last words. It
knows what is overdue and nothing of bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from .hall import Patience

_CLOSING_SECONDS = 5.0
"""How long a client may take to read the last words."""


class Held(Protocol):
    """A connection that is held to its deadlines."""

    @property
    def has_user(self) -> bool:
        """Is somebody logged in?"""

    def greet(self) -> None:
        """Nothing was heard for a moment: the client may wait for the server to speak."""

    def ask_for_life(self) -> None:
        """Nothing was heard for long: asks for a sign of life."""

    def close(self, reason: str) -> None:
        """It is overdue."""


class Deadlines:
    """
    @param clock: tells the time, in seconds.
    """

    __slots__ = (
        "_clock",
        "_deadline",
        "_heard",
        "_held",
        "_late",
        "_patience",
        "_resting",
        "_silence",
    )

    def __init__(self, clock: IReactorTime, patience: Patience, held: Held) -> None:
        self._clock = clock
        self._patience = patience
        self._held = held
        self._heard = False
        self._resting = False
        self._silence: IDelayedCall | None = None
        self._expect(patience.handshake, self._too_slow)

    def _expect(self, seconds: float, late: Callable[[], object]) -> None:
        self._deadline = self._clock.seconds() + seconds
        self._late = late

    def begun(self) -> None:
        """The handshake, if there is one, is over."""
        self._expect(self._patience.login, self._too_slow)
        self._silence = self._clock.callLater(self._patience.greeting, self._silent)

    def heard(self) -> None:
        """The client has said something: whole lines, which are a sign of life."""
        self._heard = True

    def broke_silence(self) -> bool:
        """Bytes came, or nothing will come any more. Were they the first?"""
        silence, self._silence = self._silence, None
        if silence is None:
            return False
        silence.cancel()
        return True

    def closing(self, abort: Callable[[], object]) -> None:
        """The last words are said; C{abort} is called if the client does not close soon."""
        self._expect(_CLOSING_SECONDS, abort)

    def check(self, now: float, closing: bool) -> None:
        """
        Called every second or so: is anything overdue?

        @param now: the time, in seconds.
        @param closing: are the last words said?
        """
        if not closing:
            self._look_for_life()
        if now >= self._deadline:
            self._late()

    def _look_for_life(self) -> None:
        heard, self._heard = self._heard, False
        if self._held.has_user:
            if heard:
                self._rest()
        elif self._resting:
            # Logged out: the time to log in begins anew.
            self._resting = False
            self._expect(self._patience.login, self._too_slow)

    def _rest(self) -> None:
        self._resting = True
        self._expect(self._patience.idle - self._patience.ping, self._ask_for_life)

    def _too_slow(self) -> None:
        if self._held.has_user:
            self._rest()
        else:
            self._held.close("too slow to log in")

    def _ask_for_life(self) -> None:
        self._expect(self._patience.ping, self._idle)
        self._held.ask_for_life()

    def _idle(self) -> None:
        self._held.close("idle for too long")

    def _silent(self) -> None:
        self._silence = None
        self._held.greet()
