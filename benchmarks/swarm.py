"""Many clients of one server: opened and logged in, a bounded number at a time, by one selector.

What they then say to one another is `traffic`'s business.
"""

from __future__ import annotations

import selectors
import ssl
import time
from collections.abc import Iterable, Iterator

from dialects import Dialect, Step
from load import BUFFER, Connection, LoadError

_CLIENTS_AN_ADDRESS = 1000
_ATTEMPTS = 5
_SILENCE_LIMIT = 60.0


class Opening:
    """One client's way in: connecting, the TLS handshake, then its steps one after another."""

    __slots__ = ("_connecting", "_opening", "_seen", "_shaking", "_steps", "attempt", "connection")

    def __init__(
        self, connection: Connection, opening: bytes, steps: Iterable[Step], attempt: int
    ) -> None:
        """`opening` is said before the first step; `attempt` counts from 1; see `Swarm.open`."""
        self.connection = connection
        self.attempt = attempt
        self._opening = opening
        self._steps = list(steps)
        self._connecting = True
        self._shaking = True
        self._seen = b""

    def advance(self, events: int, context: ssl.SSLContext | None) -> bool:
        """Goes on as far as it can.

        Args:
            events: what the selector saw.
            context: for TLS; None is plain TCP.

        Returns:
            True once the client is through its last step.

        Raises:
            LoadError: the connection failed, or a step was refused.
        """
        connection = self.connection
        if self._connecting:
            connection.connected()
            self._connecting = False
            if context is not None:
                connection.start_tls(context)
        if events & selectors.EVENT_WRITE:
            connection.push()
        arrived = bool(events & selectors.EVENT_READ)
        if self._shaking:
            if not connection.handshake(arrived):
                return False
            self._shaking = False
            self._ask()
            return not self._steps
        return arrived and self._read()

    @property
    def begun(self) -> bool:
        """Whether the server has said anything: what fails after that is not tried again."""
        return bool(self._seen)

    def _ask(self) -> None:
        if self._steps:
            connection = self.connection
            request = self._steps[0].request(connection.nick, connection.room)
            connection.send(self._opening + request)
            self._opening = b""

    def _read(self) -> bool:
        self._seen += BUFFER[: self.connection.receive()]
        while self._steps:
            step = self._steps[0]
            refused = step.refused.search(self._seen)
            if refused is not None:
                words = refused.group(refused.re.groups).decode("utf-8", "replace").strip()
                raise LoadError(f"{self.connection.nick} was refused: {words}")
            done = step.done.search(self._seen)
            if done is None:
                return False
            self._seen = self._seen[done.end() :]
            del self._steps[0]
            self._ask()
        return True


class Swarm:
    """Many connections of one dialect to one server on the loopback interface."""

    def __init__(self, port: int, dialect: Dialect, context: ssl.SSLContext | None) -> None:
        """`context` None means plain TCP."""
        self.dialect = dialect
        self.members: list[Connection] = []
        self._port = port
        self._context = context
        self._selector = selectors.DefaultSelector()
        self._openings: dict[Connection, Opening] = {}
        self._steps: tuple[Step, ...] = ()

    def __enter__(self) -> Swarm:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(
        self, places: Iterable[tuple[str, str]], join: bool = True, at_once: int = 50
    ) -> float:
        """Connects, shakes hands and logs in one client for every (nick, room).

        A connection that fails before the server has said anything is tried again a few times:
        a short listen queue resets whom it cannot hold.

        Args:
            places: the clients' nicks and rooms.
            join: whether they enter their rooms too.
            at_once: how many are under way at a time.

        Returns:
            The seconds that it took.

        Raises:
            LoadError: one was refused, or nobody got in for a minute.
        """
        self._steps = self.dialect.login + (self.dialect.join if join else ())
        waiting = list(places)[::-1]
        began = last = time.monotonic()
        while waiting or self._openings:
            while waiting and len(self._openings) < at_once:
                self._begin(Connection(*waiting.pop()), 1)
            before = len(self.members)
            for connection, events in self.ready(1.0):
                self._advance(connection, events)
            if len(self.members) > before:
                last = time.monotonic()
            elif time.monotonic() - last > _SILENCE_LIMIT:
                raise LoadError(f"only {before} clients got in, then none for a minute")
        return time.monotonic() - began

    def ready(self, timeout: float) -> Iterator[tuple[Connection, int]]:
        """The connections with something to do within `timeout` seconds, and their events."""
        for key, events in self._selector.select(max(0.0, timeout)):
            yield key.data, events

    def send(self, connection: Connection, data: bytes) -> None:
        """Sends `data`, and sees to what the socket would not take at once."""
        connection.send(data)
        if connection.unsent:
            self._watch(connection)

    def flush(self, connection: Connection) -> None:
        """Sends what was left over; for a connection that has become writable."""
        connection.push()
        if not connection.unsent:
            self._watch(connection)

    def settle(self, quiet: float = 0.5, limit: float = 60.0) -> None:
        """Reads and forgets until nothing has come for `quiet` seconds (or `limit` is over)."""
        end = time.monotonic() + limit
        busy = True
        while busy and time.monotonic() < end:
            busy = False
            for connection, _ in self.ready(quiet):
                connection.receive()
                busy = True

    def close(self) -> None:
        """Closes every connection, without farewells."""
        for connection in (*self.members, *self._openings):
            connection.sock.close()
        self.members.clear()
        self._openings.clear()
        self._selector.close()

    def _watch(self, connection: Connection) -> None:
        write = selectors.EVENT_WRITE if connection.unsent else 0
        self._selector.modify(connection.sock, selectors.EVENT_READ | write, connection)

    def _begin(self, connection: Connection, attempt: int) -> None:
        part = 1 + len(self.members) // _CLIENTS_AN_ADDRESS % 250
        connection.connect(self._port, f"127.0.0.{part}")
        opening = b"" if self._context is not None else self.dialect.opening
        self._openings[connection] = Opening(connection, opening, self._steps, attempt)
        self._selector.register(connection.sock, selectors.EVENT_WRITE, connection)

    def _advance(self, connection: Connection, events: int) -> None:
        opening = self._openings.get(connection)
        if opening is None:
            connection.receive()
            return
        try:
            done = opening.advance(events, self._context)
        except LoadError:
            if opening.begun or opening.attempt >= _ATTEMPTS:
                raise
            self._again(opening)
            return
        self._watch(connection)
        if done:
            del self._openings[connection]
            self.members.append(connection)

    def _again(self, opening: Opening) -> None:
        failed = opening.connection
        self._selector.unregister(failed.sock)
        failed.sock.close()
        del self._openings[failed]
        self._begin(Connection(failed.nick, failed.room), opening.attempt + 1)
