"""What a busy room is told, message by message, and the account of what one client receives of it.

The texts carry numbers, so that a message that is lost, doubled or out of its order is found out.
Nothing here opens a socket or knows of the client library.
"""

from __future__ import annotations

import argparse
import json
import mmap
import struct
import time
from pathlib import Path

from dialects import MARK

NICK = "receiver"
"""Who receives."""

PROGRESS = struct.Struct("=Q")
"""How many messages have been received, in memory that is shared with the senders' process."""

END = b"~"
"""Ends a sender's last text, and is in no other."""

_LAST = END.decode("ascii")
_DIGITS = 10
_NUMBER = slice(len(MARK), len(MARK) + _DIGITS)
_EACH = 64
"""After how many messages the progress is noted."""
_WARM = 20_000
"""How many messages come before those that are measured."""


def numbered(number: int, size: int) -> bytes:
    """The text of a sender's message of this number (from 0), `size` bytes long."""
    return (MARK + b"%0*d" % (_DIGITS, number)).ljust(size, b"x")


def last(number: int, size: int) -> bytes:
    """The same of a sender's last one."""
    return numbered(number, size - len(END)) + END


def options() -> argparse.Namespace:
    """What the senders' process says to the receiving one on its command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--room", required=True)
    parser.add_argument("--senders", type=int, required=True)
    parser.add_argument("--progress", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    return parser.parse_args()


class Ledger:
    """What was received: checked, counted, and timed after the first few thousand."""

    def __init__(self, progress: Path, senders: int) -> None:
        """
        Args:
            progress: the file that is shared with the senders' process.
            senders: how many have to end.
        """
        with progress.open("r+b") as file:
            self._progress = mmap.mmap(file.fileno(), PROGRESS.size)
        self._due: dict[str, int] = {}
        self._talking = senders
        self._count = self._warm = 0
        self._began = self._lasted = 0.0
        self._cpu = self._spent = 0.0
        self._before = time.process_time()

    def take(self, nick: str, text: str) -> bool:
        """Files one message, in the order in which they are received.

        Returns:
            True once every sender has ended.

        Raises:
            SystemExit: it is not the one that was due.
        """
        number, due = int(text[_NUMBER]), self._due.get(nick, 0)
        if number != due:
            raise SystemExit(f"number {due} of {nick} was due, {number} came")
        self._due[nick] = due + 1
        self._count += 1
        if not self._count % _EACH:
            self._note()
        return text.endswith(_LAST) and self._ended(1)

    def take_many(self, count: int, ended: int) -> bool:
        """The same of `count` messages that nobody looks at; `ended` of them are last ones."""
        self._count += count
        self._note()
        return self._ended(ended)

    def _ended(self, count: int) -> bool:
        self._talking -= count
        self._note()
        return not self._talking

    def _note(self) -> None:
        PROGRESS.pack_into(self._progress, 0, self._count)
        if self._began:
            self._lasted = time.perf_counter() - self._began
            self._spent = time.process_time() - self._cpu
        elif self._count >= _WARM:
            self._warm = self._count
            self._began, self._cpu = time.perf_counter(), time.process_time()

    def as_json(self) -> str:
        """The figures, by their names in `client`.

        Raises:
            SystemExit: there were too few messages to measure.
        """
        measured = self._count - self._warm
        if not self._lasted or not measured:
            raise SystemExit(f"only {self._count:,} messages came: too few to measure")
        figures = {
            "messages": self._count,
            "messages_per_s": measured / self._lasted,
            "cpu_us_per_message": self._spent * 1e6 / measured,
            "client_cpu_pct": self._spent * 100 / self._lasted,
            "cpu_seconds": time.process_time() - self._before,
        }
        return json.dumps(figures)
