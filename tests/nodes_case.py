"""Several nodes in memory: each of them a whole service but for sockets, and one log that they all
write and read. What a node hears of the others can be held back, and its writing can fail, so that
what happens at once on several of them is done step by step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from chatservice.controller import requests
from chatservice.controller.controller import Controller
from chatservice.controller.desk import Card, Desk
from chatservice.controller.errors import ChatError
from chatservice.controller.events import Event, UserFlagsChanged
from chatservice.controller.log import Point, Recovery
from chatservice.controller.policy import Policy
from chatservice.controller.rate import Allowance
from chatservice.controller.records import Record, take_dirty
from chatservice.controller.state import RecordKey, State
from chatservice.delivery import Delivery
from chatservice.journal.commit import GroupCommit
from chatservice.journal.interface import IJournal, NotStored, Reader, Retention
from chatservice.journal.memory import MemoryJournal
from chatservice.journal.redis.entries import from_line, to_line
from chatservice.networking.hall import Hall, Patience
from chatservice.networking.outbox import Outboxes
from chatservice.translation.registry import Dialects
from tests.bench import NOW, SERVER, VERSION, Book, Client, House
from tests.doorman import Doorman


@dataclass(frozen=True)
class Entry:
    """A batch, as the others read it, and who waits for it."""

    by: Face
    lines: Sequence[tuple[str, str, int]]
    done: Deferred[None]

    def events(self) -> list[Event]:
        return [from_line(line, id, ms) for line, id, ms in self.lines]


class SharedMemory:
    """What several journals have in common.

    Attributes:
        store: histories, records, and what is younger than these.
        log: the lines of all events.
        faces: a journal for each node.
    """

    def __init__(self, clock: Clock) -> None:
        self.store = MemoryJournal(clock)
        self.log: list[str] = []
        self.faces: list[Face] = []
        self.mark = 0
        self._slow: Face | None = None
        self._waiting: list[tuple[Face, Sequence[Event], Deferred[None]]] = []

    # What a test does.

    def hold_back(self, face: Face) -> None:
        """What one of them stores is on its way, until `let_through`."""
        self._slow = face

    def let_through(self) -> None:
        """What was on its way is stored now, after all that others have stored meanwhile."""
        self._slow = None
        waiting, self._waiting = self._waiting, []
        for face, events, done in waiting:
            self.store_batch(face, events, done)

    # What its faces do.

    def face(self) -> Face:
        """The journal of one more node."""
        face = Face(self)
        self.faces.append(face)
        return face

    def store_batch(self, face: Face, events: Sequence[Event], done: Deferred[None]) -> None:
        """Store a batch of one of them, and have all of them read it."""
        if face is self._slow:
            self._waiting.append((face, events, done))
            return
        self.store.commit(events, {}, "")
        lines = [(to_line(event), event.id, event.ms) for event in events]
        self.log += [line for line, _, _ in lines]
        entry = Entry(face, lines, done)
        # All of them have it before one of them stores what comes of it.
        for each in self.faces:
            each.unread.append(entry)
        for each in self.faces:
            each.read_on()


@implementer(IJournal)
class Face:
    """The journal of one node.

    Attributes:
        away: whether nothing can be stored.
        unsure: whether what is stored next is reported as if it were not.
        unread: what it has yet to hear.
    """

    def __init__(self, shared: SharedMemory) -> None:
        self._shared = shared
        self._reader: Reader | None = None
        self.unread: deque[Entry] = deque()
        self._due: dict[RecordKey, Record | None] = {}
        self._held = self._reading = False
        self.away = False
        self.unsure = False

    # What a test does.

    def lag(self) -> None:
        """Hear nothing, and see nothing of one's own stored, until `catch_up`."""
        self._held = True

    def catch_up(self) -> None:
        """Hear all, and go on."""
        self._held = False
        self.read_on()

    # What the log does.

    def read_on(self) -> None:
        """Hear what there is, unless that is held back."""
        if self._reading:
            return
        self._reading = True
        while self.unread and not self._held:
            entry = self.unread.popleft()
            if entry.by is self and not entry.done.called:
                entry.done.callback(None)
            elif self._reader is not None:
                self._reader.heard(entry.events())
        self._reading = False

    # What the node asks.

    def follow(self, reader: Reader) -> None:
        self._reader = reader

    def open(self) -> Deferred[None]:
        return succeed(None)

    def close(self) -> Deferred[None]:
        return succeed(None)

    def recover(self) -> Deferred[Recovery]:
        if self.away:
            return fail(NotStored("the log is away"))
        held, self._held = self._held, False
        self.read_on()
        self._held = held
        self._due.clear()
        recovery: Recovery = _result(self._shared.store.recover())
        events = [from_line(to_line(event), event.id, event.ms) for event in recovery.events]
        return succeed(Recovery(recovery.records, events))

    def commit(
        self, events: Sequence[Event], records: Mapping[RecordKey, Record | None], mark: str
    ) -> Deferred[None]:
        self._due.update(records)
        if self.away:
            return fail(NotStored("the log is away")) if events else succeed(None)
        shared = self._shared
        if mark and int(mark) > shared.mark:
            shared.mark = int(mark)
            shared.store.commit((), self._due, mark)
            self._due = {}
        if not events:
            return succeed(None)
        done: Deferred[None] = Deferred()
        if self.unsure:
            self.unsure = False
            done.errback(NotStored("the log did not answer"))
        shared.store_batch(self, events, done)
        return done

    def holds(self, event: Event) -> Deferred[bool]:
        return self._shared.store.holds(event)

    def history(
        self,
        target: str,
        kinds: Sequence[str],
        limit: int,
        before: Point = "",
        after: Point = "",
        oldest: bool = False,
    ) -> Deferred[list[Event]]:
        return self._shared.store.history(target, kinds, limit, before, after, oldest)

    def latest(
        self, targets: Sequence[str], identity: str, after: int, before: int, limit: int
    ) -> Deferred[list[tuple[str, int]]]:
        return self._shared.store.latest(targets, identity, after, before, limit)

    def prune(self, retention: Retention, most: int) -> Deferred[int]:
        return self._shared.store.prune(retention, most)


def _result(fired: Deferred[Recovery]) -> Recovery:
    results: list[Recovery] = []
    fired.addCallback(results.append)
    return results[0]


class Drawer:
    """The cards of all nodes' users."""

    def __init__(self) -> None:
        self.cards: dict[str, Card] = {}

    def keep(self, visit: str, card: Card) -> None:
        self.cards[visit] = card

    def drop(self, visit: str) -> None:
        self.cards.pop(visit, None)

    async def show(self, node: str, visit: str) -> Card | None:
        return self.cards.get(visit)


class Node(House):
    """One node: a house whose journal is shared with others.

    Attributes:
        name: what it is called.
        face: its journal.
    """

    def __init__(self, world: World, name: str, policy: Policy) -> None:
        self.name = name
        self.clock = world.clock
        self.face = world.shared.face()
        self._commit = GroupCommit(self.clock, self.face)
        self._outboxes = Outboxes(self.clock)
        self.delivery = Delivery(self._outboxes.flush)
        self.controller = Controller(self._commit, self.delivery, policy, alone=False)
        self.controller.node = name
        self.doorman = Doorman(self.clock, lambda: self.controller.state)
        self.book = Book()
        desk = Desk(
            clock=self.clock,
            controller=self.controller,
            presence=self.delivery,
            authenticator=self.doorman,
            hasher=self.doorman,
            registrations=Allowance(1e-9, 1000),
            cards=world.drawer,
        )
        self._hall = Hall(
            clock=self.clock,
            desk=desk,
            registry=self.book,
            outboxes=self._outboxes,
            dialects=Dialects.installed(),
            patience=Patience(),
            server_name=SERVER,
            version=VERSION,
        )
        self.about = self._hall.about
        self._commit.startService()
        self.controller.startService()
        self.settle()

    @property
    def state(self) -> State:
        return self.controller.state

    def lag(self) -> None:
        """Hear nothing of the log, and see nothing of one's own stored, until `catch_up`."""
        self.face.lag()

    def catch_up(self) -> None:
        """Hear all, and go on."""
        self.face.catch_up()
        self.settle()

    def go_away(self) -> None:
        """Be cut off from the log, until `come_back`."""
        self.face.away = True
        self.face.lag()

    def come_back(self) -> None:
        """Be in touch with the log again."""
        self.face.away = False
        self.catch_up()

    def misses(self, other: Node) -> None:
        """Log out the users of a node, as if it had been out of touch for too long."""
        self._log_out(sorted(self.state.nodes.get(other.name, ())), lost=True)

    def sweep(self) -> None:
        """Log out whoever is said to be connected here, and is not."""
        keys = sorted(self.state.nodes.get(self.name, ()))
        self._log_out([key for key in keys if not self.delivery.connections(key)], lost=False)

    def _log_out(self, keys: Sequence[str], *, lost: bool) -> None:
        visits = [self.state.users[key].login for key in keys]
        while users := [user for visit in visits if (user := self.state.visits.get(visit))]:
            for user in users:
                gone = self.controller.submit(*requests.log_out(user, "server lost", lost))
                gone.addErrback(lambda failure: failure.trap(ChatError))
            self.settle()

    def irc(self, nick: str, *capabilities: str, address: str = "192.0.2.1") -> Client:
        """An IRC client that is registered, and whose answers until then are forgotten."""
        client = self.client(dialect="irc", address=address)
        client.send("CAP LS 302", f"NICK {nick}", f"USER {nick} 0 * :The real {nick}")
        if capabilities:
            client.send(f"CAP REQ :{' '.join(capabilities)}")
        client.send("CAP END")
        answers = client.lines()
        assert any(f" 001 {nick} " in line for line in answers), answers
        return client

    def flag(self, nick: str, flag: str) -> None:
        """Set one of a user's flags (`modes.USER_FLAGS`), also those that nobody sets alone."""
        changed = UserFlagsChanged(actor=nick.lower(), nick=nick, changes=[(True, flag)])
        self.controller.submit(changed).addErrback(lambda failure: failure.trap(ChatError))
        self.settle()


class World:
    """Nodes that share a log.

    Attributes:
        clock: the time, which is the same everywhere.
    """

    def __init__(self, policy: Policy | None = None) -> None:
        self.clock = Clock()
        self.clock.rightNow = NOW
        self.shared = SharedMemory(self.clock)
        self.drawer = Drawer()
        self.nodes: list[Node] = []
        self._policy = policy or Policy()

    def node(self, name: str) -> Node:
        """One more."""
        node = Node(self, name, self._policy)
        self.nodes.append(node)
        return node


def dump(state: State) -> dict[RecordKey, Record | None]:
    """All that is true, as records."""
    state.dirty.update(
        [("account", key, "") for key in state.accounts]
        + [("user", key, "") for key in state.users]
        + [("departure", str(number), "") for number in state.departures]
    )
    for room in state.rooms.values():
        state.dirty.add(("room", room.id, ""))
        state.dirty.update(("member", room.id, key) for key in room.members)
        state.dirty.update(("invitation", room.id, identity) for identity in room.invited)
    return {key: record for key, record in take_dirty(state).items() if record is not None}


class NodesCase(SynchronousTestCase):
    maxDiff = None
    """Two nodes, `a` and `b`."""

    policy: Policy | None = None

    def setUp(self) -> None:
        self.world = World(self.policy)
        self.a, self.b = self.world.node("a"), self.world.node("b")

    def assertAgreed(self) -> None:
        """All nodes have the same state, and each of them tells its own users of what it says."""
        for node in self.world.nodes:
            self.assertEqual(dump(node.state), dump(self.world.nodes[0].state), node.name)
            self.assert_all_is_told(node)

    def assert_all_is_told(self, node: Node) -> None:
        """A node tells its users of what its state says, and of nothing else."""
        where, state = node.delivery._where, node.state
        here = sorted(state.nodes.get(node.name, ()))
        self.assertEqual(sorted(where.users), here)
        for key, recipients in where.users.items():
            self.assertEqual([each.login for each in recipients], [state.users[key].login])
            self.assertEqual([each.key for each in recipients], [key])
        told = {
            room_id: sorted(each.key for writes in audience.values() for each in writes)
            for room_id, audience in where.rooms.items()
        }
        members = {room.id: sorted({*room.members} & {*here}) for room in state.rooms.values()}
        self.assertEqual(told, {id: keys for id, keys in members.items() if keys})
        places = {key: set(user.rooms) for key, user in state.users.items() if user.rooms}
        self.assertEqual(where.places, places)
        self.assertEqual(where.witnesses, {})
        self.assertEqual(node.controller.lapsed, {})
        for connection in node.book.live:
            if not connection.transport.disconnecting:
                session = connection.session
                self.assertEqual(session.login in state.visits, bool(session.key))

    def at_once(self, *requests: tuple[Node, Client, str]) -> None:
        """Clients of several nodes send lines before any node has heard of another's.

        The log has them in the order that is given here.
        """
        for node in self.world.nodes:
            node.lag()
        for _, client, line in requests:
            client.send(line)
        for node in self.world.nodes:
            node.catch_up()
