"""
SIGHUP, as a supervised child: while it runs, the signal has something called in the reactor's
thread; what was done on the signal before is put back when it stops. What is called is not known
here.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger


class OnHangup(Service):
    """
    @param hung_up: called, in a turn of the reactor, after each SIGHUP.
    """

    log = Logger()

    def __init__(self, reactor: IReactorFromThreads, hung_up: Callable[[], object]) -> None:
        self._reactor = reactor
        self._hung_up = hung_up
        self._before: Any = None

    def startService(self) -> None:
        super().startService()
        self._before = signal.signal(signal.SIGHUP, self._received)

    def stopService(self) -> None:
        super().stopService()
        # None: the handler was not Python's, and can't be put back.
        signal.signal(signal.SIGHUP, signal.SIG_DFL if self._before is None else self._before)

    def _received(self, number: int, frame: object) -> None:
        # A signal interrupts anything at all: it is dealt with in a turn of its own.
        self._reactor.callFromThread(self._deal_with_it)

    def _deal_with_it(self) -> None:
        if self.running:
            self.log.info("SIGHUP: certificates and the message of the day are read again")
            self._hung_up()
