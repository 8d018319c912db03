"""
What the log looks like and where it goes: twistd's text, or JSON for machines, one object a line.
The file is the one that twistd would have chosen. What is logged is not decided here; nowhere is it
the text of a message or a password.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any

from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import (
    FileLogObserver,
    ILogObserver,
    LogEvent,
    formatEvent,
    formatEventAsClassicLogText,
)
from twisted.python.failure import Failure
from twisted.python.logfile import LogFile
from zope.interface import implementer

_DEFAULT_FILE = "twistd.log"

# What Twisted adds to events of its older kind, and what a line has of its own.
_NOT_OWN = frozenset(
    {"message", "time", "system", "format", "isError", "failure", "why", "eventSource", "eventType"}
    | {"timestamp", "level", "namespace", "traceback"}
)
_SIMPLE = (str, int, float, bool, type(None))


def json_line(event: LogEvent) -> str:
    """
    An event as a JSON object (RFC 8259) and a line feed. Whatever the event holds, this succeeds.

    @return: `time` (RFC 3339, UTC), `timestamp` (seconds since 1970), `level`, `namespace`,
        `message`, `traceback` if there was a failure, and the event's own fields as far as they are
        simple values.
    """
    line: dict[str, object] = {}
    timestamp = event.get("log_time")
    if isinstance(timestamp, (int, float)):
        line["time"] = datetime.fromtimestamp(timestamp, timezone.utc).isoformat()
        line["timestamp"] = timestamp
    line["level"] = getattr(event.get("log_level"), "name", "info")
    line["namespace"] = str(event.get("log_namespace", "-"))
    line["message"] = formatEvent(event)
    failure = event.get("log_failure")
    if isinstance(failure, Failure):
        line["traceback"] = _traceback(failure)
    line.update(_own_fields(event))
    return json.dumps(line) + "\n"


def _own_fields(event: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name, value in event.items():
        if name.startswith("log_") or name in _NOT_OWN or type(value) not in _SIMPLE:
            continue
        # JSON has no such numbers.
        yield (
            name,
            str(value) if value in (float("inf"), float("-inf")) or value != value else value,
        )


def _traceback(failure: Failure) -> str:
    try:
        return failure.getTraceback()
    except Exception:  # noqa: BLE001 - an exception may refuse to be shown; the log goes on
        return f"{failure.type}: not to be shown"


@implementer(ILogObserver)
class Quiet:
    """
    Keeps to itself what Twisted's ports say of themselves, which no setting of theirs silences:
    that something "is starting on 6667", and "(TCP Port 6667 Closed)". Listeners log it better.

    @param observer: gets all the rest.
    """

    def __init__(self, observer: ILogObserver) -> None:
        self._observer = observer

    def __call__(self, event: LogEvent) -> None:
        if event.get("log_namespace") == "log_legacy" and _is_of_a_port(event.get("log_text", "")):
            return
        self._observer(event)


def _is_of_a_port(text: str) -> bool:
    words = text.split()
    return words[-3:-1] == ["starting", "on"] or (
        text.startswith("(") and text.endswith(" Closed)") and " Port " in text
    )


def make_observer(
    reactor: IReactorFromThreads, twistd: Mapping[str, Any], as_json: bool
) -> ILogObserver | None:
    """
    The observer that the process logs to, in place of twistd's own.

    @param twistd: twistd's own options.
    @return: None if it is for twistd to decide: it was told `--syslog`.
    @raise SystemExit: there can be no such log; the words are on stderr.
    """
    if twistd.get("syslog"):
        if as_json:
            raise SystemExit("twistd chat: log_json: the system's log takes no JSON (--syslog)")
        return None
    file = _open(reactor, twistd)
    return Quiet(FileLogObserver(file, json_line if as_json else formatEventAsClassicLogText))


def _open(reactor: IReactorFromThreads, twistd: Mapping[str, Any]) -> Any:
    """
    As twistd does it: `--logfile`, or the standard output, or the default file of a daemon; files
    are rotated when they are long, and on SIGUSR1.
    """
    name = twistd.get("logfile") or ("-" if twistd.get("nodaemon") else _DEFAULT_FILE)
    if name == "-":
        if not twistd.get("nodaemon"):
            raise SystemExit("twistd chat: a daemon cannot log to the standard output (--logfile)")
        return sys.stdout
    file: Any = LogFile.fromFullPath(name)
    if not signal.getsignal(signal.SIGUSR1):
        signal.signal(signal.SIGUSR1, lambda *_: reactor.callFromThread(file.rotate))
    return file
