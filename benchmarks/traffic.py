"""Conversations under measurement: paced messages, and a closed loop that keeps windows full.

Messages are counted by whole chunks (a mark that every text begins with), and one time stamp a
chunk is read for the latency. Afterwards everything that was sent must have arrived, once each.
"""

from __future__ import annotations

import gc
import selectors
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from dialects import MARK, STAMP_END, text
from load import BUFFER, Connection, LoadError
from swarm import Swarm

_STAMP_DIGITS = 24
_DRAIN_LIMIT = 30.0

Probe = Callable[[], "float | None"]
"""The server's CPU seconds so far; None where they can't be read."""


@dataclass(slots=True)
class Tally:
    """What was counted while it was measured, and in all.

    `latencies` are nanoseconds, one for every chunk read; `cpu` is the server's CPU seconds, and
    `own_cpu` the load's. `total` and `answers` go on counting after the measured time.
    """

    sent: int = 0
    deliveries: int = 0
    answered: int = 0
    seconds: float = 0.0
    cpu: float | None = None
    own_cpu: float = 0.0
    total: int = 0
    answers: int = 0
    latencies: list[int] = field(default_factory=list)

    def latency_ms(self, share: float) -> float | None:
        """The latency in milliseconds that this share of the chunks (0 to 1) stays within."""
        if not self.latencies:
            return None
        ordered = sorted(self.latencies)
        return ordered[int((len(ordered) - 1) * share)] / 1e6


class Conversation:
    """One measured conversation among a swarm's members."""

    def __init__(
        self, swarm: Swarm, senders: Sequence[Connection], size: int, joined: bool = False
    ) -> None:
        """
        Args:
            swarm: everybody who listens.
            senders: those of them who speak.
            size: bytes of text in a message.
            joined: whether what a sender may send at once goes out in one write, as a program that
                pipelines does it, or message by message, as people do it.
        """
        self.tally = Tally()
        self._swarm = swarm
        self._senders = senders
        self._speaking = frozenset(senders)
        self._size = size
        self._joined = joined
        self._measuring = True
        for member in swarm.members:
            member.got = member.said = member.in_flight = member.credit = 0
        for sender in senders:
            sender.head = swarm.dialect.head(sender.room, size)
            sender.tail = b""

    def paced(self, rate: float, seconds: float, probe: Probe) -> Tally:
        """Sends `rate` messages a second, in turn, for so many seconds.

        Raises:
            LoadError: somebody got fewer messages than were sent to it, or more.
        """
        step = 1.0 / rate
        with self._measured(probe):
            began = time.perf_counter()
            for number in range(int(rate * seconds)):
                self._listen_until(began + number * step)
                self._say(self._senders[number % len(self._senders)], 1)
            self._listen_until(began + seconds)
            self._drain()
        return self.tally

    def closed_loop(self, window: int, seconds: float, probe: Probe) -> Tally:
        """Keeps `window` messages of each sender in flight for so many seconds.

        A dialect without answers is metered by what a sender gets of the others' messages, who
        all go at about its own pace.

        Raises:
            LoadError: one was refused, or somebody got fewer messages than were sent to it, or
                more.
        """
        with self._measured(probe):
            end = time.perf_counter() + seconds
            for sender in self._senders:
                self._refill(sender, window)
            while time.perf_counter() < end:
                for connection, events in self._swarm.ready(0.1):
                    self._take(connection, events)
                    if connection in self._speaking:
                        self._refill(connection, window)
        self._measuring = False
        self._drain()
        return self.tally

    @contextmanager
    def _measured(self, probe: Probe) -> Iterator[None]:
        tally = self.tally
        gc.collect()
        gc.disable()
        try:
            cpu, own, began = probe(), time.process_time(), time.perf_counter()
            yield
            tally.seconds = time.perf_counter() - began
            after = probe()
            tally.own_cpu = time.process_time() - own
            tally.cpu = None if cpu is None or after is None else after - cpu
            tally.deliveries = tally.total
            tally.answered = tally.answers
        finally:
            gc.enable()

    def _listen_until(self, due: float) -> None:
        while (left := due - time.perf_counter()) > 0:
            for connection, events in self._swarm.ready(left):
                self._take(connection, events)

    def _say(self, sender: Connection, count: int) -> None:
        if self._joined:
            self._swarm.send(sender, self._message(sender) * count)
        else:
            for _ in range(count):
                self._swarm.send(sender, self._message(sender))
        sender.in_flight += count
        sender.said += count
        self.tally.sent += count

    def _message(self, sender: Connection) -> bytes:
        said = text(time.perf_counter_ns(), self._size)
        return sender.head + said + self._swarm.dialect.end

    def _refill(self, sender: Connection, window: int) -> None:
        room = window - sender.in_flight
        if room > 0:
            self._say(sender, room)

    def _take(self, connection: Connection, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._swarm.flush(connection)
            if not events & selectors.EVENT_READ:
                return
        size = connection.receive()
        count = BUFFER.count(MARK, 0, size)
        if count:
            connection.got += count
            self.tally.total += count
            if self._measuring:
                self._sample(size)
        if connection in self._speaking:
            self._account(connection, size, count)

    def _sample(self, size: int) -> None:
        start = BUFFER.find(MARK, 0, size) + 1
        end = BUFFER.find(STAMP_END, start, min(size, start + _STAMP_DIGITS))
        if end > 0:  # else the chunk ends within the stamp
            self.tally.latencies.append(time.perf_counter_ns() - int(BUFFER[start:end]))

    def _account(self, sender: Connection, size: int, count: int) -> None:
        """Takes what a sender was answered off its window."""
        dialect = self._swarm.dialect
        if not dialect.answer:
            others = max(1, len(self._senders) - 1)
            done, sender.credit = divmod(sender.credit + count, others)
            sender.in_flight = max(0, sender.in_flight - done)
            return
        found = BUFFER.find(dialect.refusal, 0, size)
        if found >= 0:
            raise LoadError(f"{sender.nick} was refused: {_printable(BUFFER[found:size])}")
        answers = _answers(sender, dialect.answer, size)
        sender.in_flight -= answers
        self.tally.answers += answers

    def _due(self) -> list[tuple[Connection, int]]:
        """How many messages each member has to get."""
        echoes = self._swarm.dialect.echoes
        said: Counter[str] = Counter()
        for sender in self._senders:
            said[sender.room] += sender.said
        return [
            (member, said[member.room] - (0 if echoes else member.said))
            for member in self._swarm.members
        ]

    def _drain(self) -> None:
        """Reads until all that was sent has come, and a moment longer for what comes twice."""
        tally = self.tally
        due = self._due()
        expected = sum(count for _, count in due)
        answers = tally.sent if self._swarm.dialect.answer else 0
        end = time.perf_counter() + _DRAIN_LIMIT
        while tally.total < expected or tally.answers < answers:
            if time.perf_counter() > end:
                break
            self._listen_until(time.perf_counter() + 0.05)
        self._listen_until(time.perf_counter() + 0.2)
        for member, count in due:
            if member.got != count:
                raise LoadError(
                    f"{count:,} messages were due to {member.nick}, {member.got:,} came"
                )
        if tally.answers != answers:
            raise LoadError(f"{answers:,} answers were due, {tally.answers:,} came")


def _answers(sender: Connection, answer: bytes, size: int) -> int:
    """How many answers are in what was just read, the one cut in two by its beginning included."""
    most = len(answer) - 1
    seam = sender.tail + BUFFER[: min(most, size)]
    sender.tail = bytes(BUFFER[size - most : size] if size > most else seam[-most:])
    return BUFFER.count(answer, 0, size) + seam.count(answer)


def _printable(data: bytearray) -> str:
    words = data.split(b"\r\n")[0].decode("ascii", "replace")
    return "".join(character for character in words[:100] if character.isprintable())
