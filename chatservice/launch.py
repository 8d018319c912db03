"""
The service as twistd runs it: its log, and what whoever started the process learns of it. The start
of a daemon is over when the service listens; a service that cannot go on ends the process, and the
exit status says so. Nothing of the chat is known here.
"""

from __future__ import annotations

import atexit
import os
import resource
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, Logger
from twisted.python.components import Componentized
from twisted.python.failure import Failure

from .logs import make_observer
from .supervision import Supervisor

_LONGEST_REPORT = 100
"""What twistd reads of a daemon's report."""


class Launch(Service):
    """
    Holds the root of the service tree, and runs it.

    @param reactor: is stopped when the service cannot go on.
    @param twistd: twistd's own options.
    @param log_json: whether the log is for machines.
    @ivar root: the service tree; to be set before the start. Its `on_give_up` is `gave_up`.
    """

    log = Logger()
    root: Supervisor

    def __init__(self, reactor: Any, twistd: MutableMapping[str, Any], log_json: bool) -> None:
        self._reactor = reactor
        self._twistd = twistd
        self._log_json = log_json
        self._report_to: int | None = None

    def setServiceParent(self, parent: Any) -> None:
        """twistd asks the application for its log observer, just after this."""
        super().setServiceParent(parent)
        observer = make_observer(self._reactor, self._twistd, self._log_json)
        if observer is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, observer)

    def privilegedStartService(self) -> None:
        super().privilegedStartService()
        self.root.privilegedStartService()

    def startService(self) -> None:
        super().startService()
        _take_descriptors()
        # A daemon's pipe to the process that was started, which waits for one report and ends with
        # its status. twistd would send it now, and call well begun what may still fail.
        self._report_to = self._twistd.pop("statusPipe", None)
        self.root.startService().addCallback(self._started)

    def _started(self, _: None) -> None:
        if self.running:
            self._report(b"0")

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return self.root.stopService()

    def gave_up(self, reason: Failure) -> None:
        """The service cannot go on: the process ends, with a status that tells so."""
        words = reason.getErrorMessage()
        self.log.critical("the service cannot go on: {reason}", reason=words)
        self._report(b"1 " + words.encode("ascii", "backslashreplace"))
        # twistd has no exit status of its own to set; this runs when it has cleaned up (pid file).
        atexit.register(_exit, 1)
        self._reactor.callWhenRunning(self._reactor.stop)

    def _report(self, outcome: bytes) -> None:
        pipe, self._report_to = self._report_to, None
        if pipe is not None:
            with suppress(BrokenPipeError):  # nobody waits any more
                os.write(pipe, outcome[:_LONGEST_REPORT])
            os.close(pipe)


def _take_descriptors() -> None:
    """Takes as many file descriptors as the process may have: every connection needs one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):  # macOS has a hard limit that it does not grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _exit(status: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
