"""
The reactor, from its start to an exit status: signals end the work in good order, and nothing that
Twisted logs is shown unless it is asked for. What the work is, is not known here.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger, globalLogBeginner, textFileLogObserver
from twisted.python.failure import Failure

from .exits import Exit

_SIGNALS = {
    signal.SIGHUP: Exit.HANGUP,
    signal.SIGINT: Exit.INTERRUPTED,
    signal.SIGTERM: Exit.TERMINATED,
}

Work = Callable[[Any], Coroutine[Any, Any, int]]
"""Is given the reactor, and returns the exit status; on a signal it is cancelled."""


def run(work: Work, tell: Callable[[str], None], debug: bool) -> int:
    """
    Runs the reactor until the work is done; once a process.

    @param tell: told of a defect.
    @param debug: log on standard error.
    @return: the exit status.
    """
    observers = [textFileLogObserver(sys.stderr)] if debug else []
    globalLogBeginner.beginLoggingTo(observers, discardBuffer=not debug, redirectStandardIO=False)
    # Importing it installs one.
    from twisted.internet import reactor  # noqa: PLC0415

    running = _Run(work, tell, reactor)
    running.reactor.callWhenRunning(running.start)
    running.reactor.run()
    return running.status


class _Run:
    log = Logger()

    def __init__(self, work: Work, tell: Callable[[str], None], reactor: Any) -> None:
        self._work = work
        self._tell = tell
        self.reactor = reactor
        self.status = int(Exit.BROKEN)
        self._job: Deferred[int] | None = None
        self._ended_by: Exit | None = None

    def start(self) -> None:
        """The reactor runs, and has put its own handlers of signals in place."""
        for number in _SIGNALS:
            # nohup, and a shell's background, have some of them ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._signalled)
        self._job = Deferred.fromCoroutine(self._work(self.reactor))
        self._job.addCallbacks(self._done, self._failed)
        self._job.addBoth(lambda _: self.reactor.stop())

    def _signalled(self, number: int, _: object) -> None:
        ended_by = _SIGNALS[signal.Signals(number)]
        if self._ended_by is not None:
            # Whoever asks twice does not want to wait for anything.
            os._exit(ended_by)
        self._ended_by = ended_by
        self.reactor.callFromThread(self._cancel)

    def _cancel(self) -> None:
        assert self._job is not None  # signals are handled once it is there
        self._job.cancel()

    def _done(self, status: int) -> None:
        self.status = status if self._ended_by is None else self._ended_by

    def _failed(self, failure: Failure) -> None:
        if self._ended_by is not None and failure.check(CancelledError):
            self.status = self._ended_by
            return
        self.log.failure("a defect", failure)
        self._tell(f"this is a defect: {type(failure.value).__name__}: {failure.getErrorMessage()}")
