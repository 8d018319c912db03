"""Random conversations of several clients against a model of the rooms (`tests.rooms_model`): every
answer, and everything that anybody is told, has to be the model's; also if the controller crashes,
the journal is opened anew, or the process is killed in between.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, execute
from twisted.internet.task import Clock
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller.events import Event
from chatservice.journal import sqlite
from chatservice.journal.sqlite import SqliteJournal
from chatservice.translation.line import LineProtocol
from chatservice.translation.registry import Dialects
from tests import bench
from tests.bench import GREETING, House
from tests.rooms_model import RoomsModel, Told

PEOPLE = ("ann", "bob", "cid", "dan")
CLIENTS = len(PEOPLE)
BEFORE = (
    (0, ("REGISTER:sesame", "NEWROOM:den", "JOINROOM:den")),
    (1, ("JOINROOM:den", "NEWROOM:hall:private", "INVITEROOM:hall:dan", "INVITEROOM:hall:cid")),
    (2, ("JOINROOM:den", "JOINROOM:hall")),
)
"""What has happened already: from here on, most that can be said means something."""

NICKS = st.sampled_from(["ann", "bob", "cid", "dan", "Ann", "eve"])
ROOMS = st.sampled_from(["den", "den", "hall", "Den"])
PASSWORDS = st.sampled_from(["sesame", "sesame", "guess"])
TEXTS = st.sampled_from(["hello", "é: ☃", ":", "::a:b"])
EXAMPLES = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    # Long conversations are large examples.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def lines(pattern: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda values: pattern.format(*values))


LINES = st.one_of(
    lines("LOGIN:{}", NICKS),
    lines("LOGIN:{}:{}", NICKS, PASSWORDS),
    lines("REGISTER:{}", PASSWORDS),
    st.sampled_from(["LOGOUT:", "WHOAMI:", "WHEREAMI:", "LISTROOM:", "LISTUSERS:"]),
    lines("LISTUSERS:{}", ROOMS),
    lines("NEWROOM:{}", ROOMS),
    lines("NEWROOM:{}:private", ROOMS),
    lines("DELROOM:{}", ROOMS),
    lines("JOINROOM:{}", ROOMS),
    lines("JOINROOM:{}", ROOMS),
    lines("JOINROOM:{}", ROOMS),
    lines("EXITROOM:{}", ROOMS),
    lines("SETPUBLIC:{}", ROOMS),
    lines("SETPRIVATE:{}", ROOMS),
    lines("INVITEROOM:{}:{}", ROOMS, NICKS),
    lines("KICKROOM:{}:{}", ROOMS, NICKS),
    lines("TOPIC:{}", ROOMS),
    lines("TOPIC:{}:{}", ROOMS, TEXTS | st.just("")),
    lines("ROOM:{}:{}", ROOMS, TEXTS),
    lines("SAY:{}:{}", NICKS, TEXTS),
    lines("HISTORY:{}", ROOMS),
    lines("HISTORY:{}:2", ROOMS),
    lines("HISTORY:@{}", NICKS),
)
CLIENT = st.integers(0, CLIENTS - 1)
SAYS = st.tuples(st.just("says"), CLIENT, LINES)
RULES = st.one_of(
    *(
        st.tuples(st.just("says"), st.just(owner), line)
        for owner, room in ((0, st.just("den")), (1, st.just("hall")))
        for line in (
            lines("INVITEROOM:{}:{}", room, st.sampled_from(PEOPLE)),
            lines("KICKROOM:{}:{}", room, st.sampled_from(PEOPLE)),
            lines("SET{}:{}", st.sampled_from(["PRIVATE", "PUBLIC"]), room),
        )
    )
)
"""What owners say who know what is theirs."""

LEAVES = st.tuples(st.just("leaves"), CLIENT, st.just(""))
AT_ONCE = st.tuples(
    st.just("at once"),
    st.lists(st.tuples(CLIENT, ROOMS), min_size=2, unique_by=lambda who: who[0]),
    st.just(""),
)
MISHAPS = st.one_of(
    st.tuples(st.just("crashes"), CLIENT, LINES),
    st.tuples(st.sampled_from(["restarts", "reopens", "is killed"]), st.just(0), st.just("")),
)
Step = tuple[str, Any, str]
ORDINARY: st.SearchStrategy[Step] = st.one_of(SAYS, SAYS, SAYS, SAYS, RULES, LEAVES, AT_ONCE)
EVENTFUL: st.SearchStrategy[Step] = st.one_of(ORDINARY, ORDINARY, ORDINARY, MISHAPS)

_UNORDERED = ("LISTROOM", "LISTUSERS", "LOGOUT")
_ANSWER = re.compile(r"OK:|ERR:")
_UNKNOWABLE = (
    (re.compile(r"(ERR:\w+:\w+):.*"), r"\1"),
    (re.compile(r"(OK:(?:ROOM|SAY):\w+):\d+"), r"\1:#"),
    (re.compile(r"(ITEM:HISTORY):\d+:\d+:(.*)"), r"\1:#:#:\2"),
)


def as_known(line: str) -> str:
    """A line as the model can know it."""
    for pattern, replacement in _UNKNOWABLE:
        match = pattern.fullmatch(line)
        if match:
            return match.expand(replacement)
    return line


def comparable(told: Sequence[str], command: str) -> list[str]:
    """What a client was told, sorted where no order is promised."""
    *before, last = told or [""]
    if command in ("LOGOUT", ""):
        # Whoever goes leaves room after room.
        return sorted(told)
    if command in _UNORDERED:
        return [*sorted(before), last]
    head, _, rest = last.partition("OK:WHEREAMI:")
    return [*before, head, *sorted(rest.split(":"))] if rest else list(told)


class Boom(Exception):
    """A defect of the controller's."""


class Conversation:
    """A house with clients, and the model beside it."""

    def __init__(self, case: ModelCase) -> None:
        self._case = case
        self._model = RoomsModel()
        self._house = case.open_house()
        self._clients = [self._house.client() for _ in range(CLIENTS)]
        self._ids: set[str] = set()

    def play(self, steps: Sequence[Step]) -> None:
        """Do all of it, comparing after each step."""
        self._everybody_logs_in()
        for client, before in BEFORE:
            for line in before:
                self.says(client, line)
        for kind, who, line in steps:
            getattr(self, kind.replace(" ", "_"))(who, line)
        self._everybody_looks_around()
        # Whoever may enter which room is seen by trying.
        self._everybody_logs_in()
        for line in ("EXITROOM:den", "JOINROOM:den", "EXITROOM:hall", "JOINROOM:hall"):
            for client in range(CLIENTS):
                self.says(client, line)

    def _everybody_looks_around(self) -> None:
        for client in range(CLIENTS):
            for line in ("WHEREAMI:", "LISTROOM:", "TOPIC:den", "TOPIC:hall", "HISTORY:den"):
                self.says(client, line)

    def _everybody_logs_in(self) -> None:
        for client in range(CLIENTS):
            self._logs_in(client)

    def _logs_in(self, client: int) -> None:
        nick = PEOPLE[client]
        _, password = self._model.accounts.get(nick, ("", ""))
        self.says(client, f"LOGIN:{nick}:{password}" if password else f"LOGIN:{nick}")

    # Steps.

    def says(self, client: int, line: str) -> None:
        self._clients[client].send(line)
        self._compare(self._model.command(client, line), line)

    def leaves(self, client: int, _: str) -> None:
        self._clients[client].hang_up()
        self._clients[client].lines()
        told = self._model.gone(client)
        self._clients[client] = self._house.client()
        self._compare(told, "")
        self._logs_in(client)

    def at_once(self, who: Sequence[tuple[int, str]], _: str) -> None:
        """Several say several things in one turn of the reactor: all are told the same order."""
        expected: dict[tuple[int, str], list[str]] = defaultdict(list)
        for number, (client, room) in enumerate(who):
            said = [f"ROOM:{room}:{number}, {part}" for part in range(3)]
            for line in said:
                for told_client, told in self._model.command(client, line).items():
                    for each in told:
                        expected[told_client, _stream(each)].append(each)
            self._clients[client].pipe.carry("".join(f"{line}\r\n" for line in said).encode())
        self._house.settle()
        got: dict[tuple[int, str], list[str]] = defaultdict(list)
        for client, told in self._receive().items():
            for each in told:
                got[client, _stream(each)].append(each)
        self._case.assertEqual(got, expected)

    def crashes(self, client: int, line: str) -> None:
        """The controller breaks over what comes of this line, and is restarted."""
        controller = self._house.controller

        def explode(event: Event) -> None:
            raise Boom()

        controller.state.apply = explode  # type: ignore[method-assign]
        self._clients[client].send(line)
        if self._case.flushLoggedErrors(Boom):
            self._house.restart_controller()
        else:
            del controller.state.apply
        self._compare(self._model.command(client, line), line)

    def restarts(self, _: int, __: str) -> None:
        self._house.restart_controller()
        self._compare({}, "")
        self._everybody_looks_around()

    def reopens(self, _: int, __: str) -> None:
        """The journal's writer is restarted, while somebody says something."""
        journal = self._house._commit
        journal.stopService()
        self._clients[0].pipe.carry(b"WHOAMI:\r\n")
        self._house.settle()
        journal.startService()
        self._house.settle()
        self._compare(self._model.command(0, "WHOAMI:"), "WHOAMI:")

    def is_killed(self, _: int, __: str) -> None:
        self._model.killed()
        self._house = self._case.open_house()
        self._clients = [self._house.client() for _ in range(CLIENTS)]
        self._everybody_logs_in()
        self._everybody_looks_around()

    # Comparing.

    def _receive(self) -> Told:
        told = {}
        for number, client in enumerate(self._clients):
            received = [line for line in client.lines() if line != GREETING]
            for line in received:
                if re.fullmatch(r"OK:(ROOM|SAY):\w+:\d+", line):
                    self._case.assertNotIn(line, self._ids)
                    self._ids.add(line)
            if received:
                told[number] = [as_known(line) for line in received]
        return told

    def _compare(self, expected: Told, line: str) -> None:
        command = line.partition(":")[0]
        got = self._receive()
        self._case.assertEqual(
            {client: comparable(told, command) for client, told in got.items()},
            {client: comparable(told, command) for client, told in expected.items()},
            line,
        )


def _stream(line: str) -> str:
    """What a line is in order with: the messages of its room, or the other answers."""
    kind, _, rest = line.partition(":")
    return rest.partition(":")[0] if kind == "ROOM" else "answers"


class ModelCase(SynchronousTestCase):
    """Plays conversations."""

    def open_house(self) -> House:
        return House(dialects=Dialects([LineProtocol()]))

    def play(self, steps: Sequence[Step]) -> None:
        Conversation(self).play(steps)


class RoomsModelTests(ModelCase):
    """The service does what the model does."""

    def test_ordinary_conversations(self) -> None:
        @EXAMPLES
        @given(st.lists(ORDINARY, min_size=30, max_size=60))
        def check(steps: list[Step]) -> None:
            self.play(steps)

        check()


class RaceTests(SynchronousTestCase):
    """What was right when it was asked for may be wrong when its turn comes."""

    def setUp(self) -> None:
        self.house = House()
        self.alice = self.house.user("alice", "NEWROOM:den")
        self.bob = self.house.user("bob")

    def at_once(self, first: str, second: str) -> str:
        """Alice sends a line, and bob another before hers is done; his answer."""
        self.house.journal.hold()
        self.alice.send(first)
        self.bob.send(second)
        self.house.journal.release()
        self.house.settle()
        return ":".join(self.bob.lines()[-1].split(":")[:3])

    def test_a_room_that_was_just_made_private_is_not_entered(self) -> None:
        answer = self.at_once("SETPRIVATE:den", "JOINROOM:den")

        self.assertEqual(answer, "ERR:JOINROOM:PRIVATE_ROOM")
        self.assertEqual(self.alice.ask("LISTUSERS:den"), ["OK:LISTUSERS:den"])

    def test_a_room_that_was_just_removed_is_not_entered(self) -> None:
        answer = self.at_once("DELROOM:den", "JOINROOM:den")

        self.assertEqual(answer, "ERR:JOINROOM:NO_SUCH_ROOM")
        self.assertEqual(self.bob.ask("WHEREAMI:"), ["OK:WHEREAMI"])

    def test_a_room_is_made_once(self) -> None:
        answer = self.at_once("NEWROOM:hall", "NEWROOM:Hall")

        self.assertEqual(answer, "ERR:NEWROOM:ROOM_EXISTS")

    def test_who_was_just_kicked_leaves_but_once(self) -> None:
        self.bob.send("JOINROOM:den")

        answer = self.at_once("KICKROOM:den:bob", "EXITROOM:den")

        self.assertEqual(answer, "ERR:EXITROOM:NOT_IN_ROOM")


class InlineThread:
    """`ConnectionThread` without a thread: what is asked for is done at once."""

    def __init__(self, reactor: object, name: str, connect: Callable[[], sqlite3.Connection]):
        self._connect = connect

    async def open(self) -> None:
        self._connection = self._connect()

    def run(self, function: Callable[..., Any], *args: Any) -> Deferred[Any]:
        return execute(function, self._connection, *args)

    async def close(self) -> None:
        self._connection.close()


class EventfulModelTests(ModelCase):
    """It does so whatever breaks: what was acknowledged before is true after."""

    def setUp(self) -> None:
        self.patch(sqlite, "ConnectionThread", InlineThread)
        self.patch(bench, "Shelf", self.make_journal)
        self._path = Path()

    def make_journal(self, clock: Clock) -> SqliteJournal:
        reactor: Any = None
        return SqliteJournal(reactor, clock, FilePath(str(self._path)))

    def play(self, steps: Sequence[Step]) -> None:
        self._path = Path(self.mktemp())
        super().play(steps)

    def test_eventful_conversations(self) -> None:
        @EXAMPLES
        @given(st.lists(EVENTFUL, min_size=20, max_size=40))
        def check(steps: list[Step]) -> None:
            self.play(steps)

        check()
