"""What breaks, is restarted, and is not noticed by anybody who was not concerned: the whole service
with real sockets and SQLite, and each of its supervised children crashed in turn.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, cast

from twisted.internet.defer import maybeDeferred
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.python.failure import Failure

from chatservice.controller.events import Event, LoggedOut, Message
from chatservice.controller.state import State
from chatservice.delivery import Delivery
from chatservice.journal.commit import GroupCommit
from chatservice.journal.interface import NotStored
from chatservice.journal.sqlite import SqliteJournal
from chatservice.networking.connection import Connection
from chatservice.networking.listening import Listening
from chatservice.supervision import Supervisor
from chatservice.translation.interface import Silence
from chatservice.translation.line.dialect import LineDialect
from tests.service import HOST, PLAIN, Client, RunningService, ServiceCase, reactor, until
from tests.test_state import all_records

PASSWORD = "a long password"


class Defect(Exception):
    """What nobody has foreseen."""


async def heard(client: Client) -> list[str]:
    """All that a client was told until now, since the last time."""
    client.send("PING:heard")
    lines = []
    while (line := await client.line()) != "OK:PING:heard":
        lines.append(line)
    return lines


class CrashCase(ServiceCase):
    """
    Ann, who is an account, owns the private room `den`, and is in it with Bob, who was invited, as
    Cid was. Bob, a guest, owns the room `hall`, and is in it with Cid.
    """

    timeout = 20

    async def setUp(self) -> None:  # type: ignore[override]
        self.service = await self.serve(listen=self.listen(), store="sqlite", stop_seconds=2)
        self.gave_up: list[Failure] = []
        self.service.root._on_give_up = self.gave_up.append
        self.ann, self.bob, self.cid = [
            await self.service.log_in(nick, tls=None) for nick in ("ann", "bob", "cid")
        ]
        await self.granted(
            self.ann,
            f"REGISTER:{PASSWORD}",
            "NEWROOM:den:private",
            "TOPIC:den:tea",
            "INVITEROOM:den:bob",
            "INVITEROOM:den:cid",
            "JOINROOM:den",
        )
        await self.granted(self.bob, "NEWROOM:hall", "JOINROOM:hall", "JOINROOM:den")
        await self.granted(self.cid, "JOINROOM:hall")
        await self.hush()

    def listen(self) -> tuple[str, ...]:
        """The endpoints."""
        return (PLAIN,)

    async def granted(self, client: Client, *requests: str) -> None:
        """Makes requests that are granted."""
        for request in requests:
            answer = await client.ask(request)
            self.assertEqual(answer[:3], "OK:", answer)

    async def hush(self) -> None:
        """What everybody was told until now is of no interest."""
        for client in (self.ann, self.bob, self.cid):
            await heard(client)

    @property
    def networking(self) -> Supervisor:
        return cast(Supervisor, self.service.root.getServiceNamed("networking"))

    @property
    def disk(self) -> SqliteJournal:
        journal = cast(GroupCommit, self.service.root.getServiceNamed("journal"))
        return cast(SqliteJournal, journal._journal)

    async def restarted(self, child: str, of: Supervisor | None = None) -> None:
        """Waits until a child has been restarted, once, and nothing else has."""
        supervisor = of or self.service.root
        await until(lambda: supervisor.restarts[child] and not supervisor._jobs)
        restarts = {**self.service.root.restarts, **self.networking.restarts}
        self.assertEqual({name: times for name, times in restarts.items() if times}, {child: 1})
        self.assertEqual(self.gave_up, [])

    async def everybody_goes_on(self) -> None:
        """Checks that who was connected still is, and that all still works for them."""
        await self.hush()
        self.assertEqual(await self.ann.ask("WHEREAMI:"), "OK:WHEREAMI:den")
        await self.granted(self.cid, "JOINROOM:den")
        await self.granted(self.bob, "ROOM:den:still here", "ROOM:hall:here too")
        await self.granted(self.ann, "TOPIC:den:coffee", "SAY:cid:psst")
        self.assertEqual(
            await heard(self.cid),
            [
                "ROOM:den:bob:still here",
                "ROOM:hall:bob:here too",
                "TOPIC:den:ann:coffee",
                "SAY:ann:psst",
            ],
        )
        self.assertEqual((await self.bob.ask("WHEREAMI:")).count(":"), 3)

    async def history(self, client: Client, room: str) -> list[str]:
        """What was said in a room, as its history has it."""
        return [item.split(":", 4)[4] for item in await client.items(f"HISTORY:{room}")]


def once(whole: Callable[..., Any], *, fits: Callable[..., bool] = lambda *_: True) -> Any:
    """The same function, but that it breaks the first time that its arguments fit."""
    broken: list[bool] = []

    def breaks(*arguments: Any) -> Any:
        if not broken and fits(*arguments):
            broken.append(True)
            raise Defect()
        return whole(*arguments)

    return breaks


class WriterTests(CrashCase):
    """The journal's writer breaks within a commit."""

    async def test_what_was_not_stored_is_refused_and_told_to_nobody(self) -> None:
        self.patch(self.disk, "_commit", once(self.disk._commit))

        self.ann.send("ROOM:den:lost", "WHOAMI:")
        self.cid.send("NEWROOM:attic")

        self.assertStarts(await self.ann.line(), "ERR:ROOM:UNAVAILABLE:")
        self.assertStarts(await self.cid.line(), "ERR:NEWROOM:UNAVAILABLE:")
        self.assertEqual(await self.ann.line(), "OK:WHOAMI:ann")
        await self.restarted("journal")
        self.assertEqual(len(self.flushLoggedErrors(Defect)), 1)
        self.assertEqual(await heard(self.bob), [])
        self.assertEqual(await self.history(self.bob, "den"), [])
        await self.everybody_goes_on()

    async def test_what_was_stored_is_answered_and_told_once(self) -> None:
        whole = self.disk._commit

        def commit(*arguments: Any) -> None:
            whole(*arguments)
            self.disk.__dict__.pop("_commit")
            raise Defect()

        self.patch(self.disk, "_commit", commit)

        self.ann.send("ROOM:den:kept", "WHOAMI:")
        self.cid.send("NEWROOM:attic")

        self.assertEqual(await self.ann.line(), "ROOM:den:ann:kept")
        self.assertStarts(await self.ann.line(), "OK:ROOM:den:")
        self.assertEqual(await self.ann.line(), "OK:WHOAMI:ann")
        self.assertEqual(await self.cid.line(), "OK:NEWROOM:attic")
        await self.restarted("journal")
        self.assertEqual(len(self.flushLoggedErrors(Defect)), 1)
        self.assertEqual(await heard(self.bob), ["ROOM:den:ann:kept"])
        self.assertEqual(await self.history(self.bob, "den"), ["kept"])
        await self.everybody_goes_on()

    async def test_what_is_said_meanwhile_is_stored_after_that(self) -> None:
        self.patch(self.disk, "_commit", once(self.disk._commit))

        self.ann.send("ROOM:den:lost")
        await until(lambda: self.service.root.restarts["journal"])
        self.bob.send("ROOM:den:kept", "HISTORY:den")

        self.assertStarts(await self.ann.line(), "ERR:ROOM:UNAVAILABLE:")
        self.assertStarts(await self.bob.until("OK:ROOM", "ERR:ROOM"), "OK:ROOM:den:")
        self.assertStarts(await self.bob.until("ITEM:", "OK:"), "ITEM:HISTORY:")
        await self.restarted("journal")
        self.assertEqual(await self.history(self.ann, "den"), ["kept"])
        self.flushLoggedErrors(Defect)

    async def test_a_full_disk_is_no_crash(self) -> None:
        self.patch(self.disk, "_commit", self.full)

        answers = [await self.ann.ask("ROOM:den:lost"), await self.cid.ask("NEWROOM:attic")]

        self.disk.__dict__.pop("_commit")
        for answer, name in zip(answers, ("ROOM", "NEWROOM"), strict=True):
            self.assertStarts(answer, f"ERR:{name}:UNAVAILABLE:")
        self.assertEqual(self.service.root.restarts["journal"], 0)
        self.assertEqual(await self.history(self.bob, "den"), [])
        await self.everybody_goes_on()

    async def test_a_full_disk_at_the_log_out_leaves_no_ghost(self) -> None:
        self.patch(self.disk, "_commit", self.full)
        await self.cid.vanish()
        await self.service.has(connections=2)
        await self.service.controller.journal.drain()
        dan = await self.service.connect(tls=None)
        self.assertStarts(await dan.ask("LOGIN:cid"), "ERR:LOGIN:NICK_IN_USE:")
        self.assertEqual(await heard(self.bob), [])

        self.disk.__dict__.pop("_commit")
        self.service.time.advance(1)

        self.assertEqual(await self.bob.line(), "LEFT:hall:cid")
        await until(lambda: "cid" not in self.service.controller.state.users)
        self.assertEqual(await dan.ask("LOGIN:cid"), "OK:LOGIN:cid")

    def full(self, *_: object) -> None:
        raise NotStored("the disk is full")


class ControllerTests(CrashCase):
    """The controller breaks when it makes an event true, or has it told."""

    def break_apply(self, kind: type[Event], text: str = "") -> None:
        def fits(_: State, event: Event) -> bool:
            return type(event) is kind and text in getattr(event, "text", "")

        self.patch(State, "apply", once(State.apply, fits=fits))

    async def test_everything_is_as_before_and_nobody_is_disconnected(self) -> None:
        before = all_records(self.service.controller.state)
        self.break_apply(Message)

        self.assertStarts(await self.ann.ask("ROOM:den:hello"), "OK:ROOM:den:")

        await self.restarted("controller")
        self.assertEqual(all_records(self.service.controller.state), before)
        self.assertEqual(await self.ann.ask("TOPIC:den"), "OK:TOPIC:den:tea")
        rooms = ["den:private:2", "hall:public:2"]
        self.assertEqual(sorted(await self.cid.items("LISTROOM:")), rooms)
        stranger = await self.service.connect(tls=None)
        self.assertStarts(await stranger.ask("LOGIN:ann"), "ERR:LOGIN:NICK_IN_USE:")
        self.assertStarts(await self.bob.ask("DELROOM:den"), "ERR:DELROOM:NOT_OWNER:")
        self.assertEqual(len(self.flushLoggedErrors(Defect)), 1)
        await self.everybody_goes_on()
        await self.granted(self.bob, "DELROOM:hall")

    async def test_what_was_stored_in_the_batch_is_told_once_and_answered(self) -> None:
        self.break_apply(Message, "2")

        self.ann.send("ROOM:den:1", "ROOM:den:2", "ROOM:den:3", "TOPIC:den:coffee")

        await self.ann.until("OK:TOPIC")
        await self.restarted("controller")
        said = [f"ROOM:den:ann:{number}" for number in (1, 2, 3)]
        self.assertEqual(await heard(self.bob), [*said, "TOPIC:den:ann:coffee"])
        self.assertEqual([line for line in self.ann.seen if line in said], said)
        self.assertEqual(len([line for line in self.ann.seen if line.startswith("OK:ROOM")]), 3)
        self.assertEqual(await self.history(self.bob, "den"), ["1", "2", "3"])
        self.flushLoggedErrors(Defect)
        await self.everybody_goes_on()

    async def test_an_accounts_password_is_still_asked_for(self) -> None:
        self.break_apply(Message)
        await self.granted(self.bob, "ROOM:hall:crash")
        await self.restarted("controller")
        self.flushLoggedErrors(Defect)
        await self.granted(self.ann, "LOGOUT:")

        stranger = await self.service.connect(tls=None)
        guest = await stranger.ask("LOGIN:ann")
        account = await self.ann.ask(f"LOGIN:ann:{PASSWORD}")

        self.assertStarts(guest, "ERR:LOGIN:")
        self.assertEqual(account, "OK:LOGIN:ann")
        await self.granted(self.ann, "JOINROOM:den")

    async def test_who_leaves_in_the_crashed_batch_is_gone(self) -> None:
        self.break_apply(LoggedOut)

        await self.cid.vanish()

        self.assertEqual(await self.bob.line(), "LEFT:hall:cid")
        await self.restarted("controller")
        self.flushLoggedErrors(Defect)
        await self.service.log_in("cid", tls=None)

    async def test_a_telling_that_breaks_harms_nobody_but_itself(self) -> None:
        delivery = cast(Delivery, self.service.controller._tell)
        self.patch(delivery, "deliver", once(delivery.deliver))

        self.assertStarts(await self.ann.ask("ROOM:den:unheard"), "OK:ROOM:den:")

        await self.restarted("controller")
        self.assertEqual(len(self.flushLoggedErrors(Defect)), 1)
        self.assertEqual(await self.history(self.bob, "den"), ["unheard"])
        await self.everybody_goes_on()


class ListenerTests(CrashCase):
    def listen(self) -> tuple[str, ...]:
        # Bound and never listening: nobody else gets the port, and the service may have it.
        reserved = socket.socket()
        self.addCleanup(reserved.close)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind((HOST, 0))
        self.number = reserved.getsockname()[1]
        return (f"tcp:{self.number}:interface={HOST}",)

    @property
    def listening(self) -> Listening:
        return next(child for child in self.networking if isinstance(child, Listening))

    async def test_one_whose_socket_fails_listens_again_on_the_same_port(self) -> None:
        port = cast(Any, self.listening.port)

        port.socket.shutdown(socket.SHUT_RDWR)

        await self.restarted(str(self.listening), of=self.networking)
        self.assertIsNot(self.listening.port, port)
        await self.it_is_as_before()

    async def test_one_that_somebody_closes_listens_again_on_the_same_port(self) -> None:
        port = cast(IListeningPort, self.listening.port)
        await maybeDeferred(port.stopListening)

        await self.restarted(str(self.listening), of=self.networking)
        await self.it_is_as_before()

    async def it_is_as_before(self) -> None:
        """Checks that one may connect to the same port, and who was connected still is."""
        self.assertEqual(len(self.flushLoggedErrors(ConnectionLost)), 1)
        self.assertEqual(self.service.ports, [self.number])
        await self.service.log_in("dan", tls=None)
        await self.everybody_goes_on()


class ConnectionTests(CrashCase):
    """A dialect breaks for one client."""

    async def setUp(self) -> None:  # type: ignore[override]
        await super().setUp()
        self.logged: list[LogEvent] = []
        observer = cast(ILogObserver, self.logged.append)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def break_for_cid(self, method: str) -> None:
        """Has a method of the line protocol's dialect break for Cid, and for nobody else."""
        whole = getattr(LineDialect, method)

        def breaks(dialect: LineDialect, *arguments: Any) -> Any:
            if dialect.wire.session.key == "cid":
                raise Defect()
            return whole(dialect, *arguments)

        self.patch(LineDialect, method, breaks)

    async def closed_with_a_log(self, last: str = "BYE:internal error") -> None:
        """Checks that Cid is closed, that a log says why and of whom, and that all others go on."""
        lines = await self.cid.closed
        self.assertEqual(self.cid.seen[-1], last, lines)
        self.assertEqual(self.cid.seen.count("BYE:internal error"), int(last.startswith("BYE")))
        self.assertGreaterEqual(len(self.flushLoggedErrors(Defect)), 1)
        broke = [event for event in self.logged if "{connection}" in (event["log_format"] or "")]
        self.assertIn("cid", broke[0]["connection"])
        self.assertIsInstance(broke[0]["log_failure"].value, Defect)
        self.assertEqual(await self.bob.line(), "LEFT:hall:cid")
        await self.granted(self.bob, "ROOM:hall:still here", "ROOM:den:here too")
        self.assertEqual(await self.ann.line(), "ROOM:den:bob:here too")
        self.assertFalse(any({**self.service.root.restarts, **self.networking.restarts}.values()))
        await self.service.log_in("cid", tls=None)

    async def test_one_that_breaks_as_it_receives(self) -> None:
        self.break_for_cid("receive")
        self.cid.send("WHOAMI:")
        await self.closed_with_a_log()

    async def test_one_that_breaks_as_it_runs_a_request(self) -> None:
        async def breaks(session: Any, room: str, *_: object) -> None:
            raise Defect()

        self.patch(type(self.service.side_of(self.cid).session), "join", breaks)
        self.cid.send("JOINROOM:den")
        await self.closed_with_a_log()

    async def test_one_that_breaks_at_an_overlong_line(self) -> None:
        self.break_for_cid("overlong")
        self.cid.send("ROOM:hall:" + "x" * 10_000)
        await self.closed_with_a_log()

    async def test_one_that_breaks_as_it_acknowledges(self) -> None:
        self.break_for_cid("acknowledge")
        self.cid.send("ROOM:hall:last words")
        self.assertEqual(await self.bob.line(), "ROOM:hall:cid:last words")
        await self.closed_with_a_log()

    async def test_one_that_breaks_as_it_asks_for_a_sign_of_life(self) -> None:
        self.break_for_cid("ping")
        for _ in range(13):
            self.service.time.advance(60)
            await self.ann.ask("PING:")
            await self.bob.ask("PING:")
        self.service.time.advance(70)
        await self.closed_with_a_log()

    async def test_one_that_breaks_at_its_farewell(self) -> None:
        self.break_for_cid("farewell")
        self.cid.send("QUIT:")
        await self.closed_with_a_log(last="OK:QUIT")

    async def test_one_whose_events_cannot_be_written(self) -> None:
        class Broken(Silence):
            def encode(self, event: Event) -> bytes:
                raise Defect()

        self.service.side_of(self.cid).session.set_variant(Broken())
        self.bob.send("ROOM:hall:hello")
        self.assertEqual(await self.bob.line(), "ROOM:hall:bob:hello")
        self.assertStarts(await self.bob.line(), "OK:ROOM:hall:")
        await self.closed_with_a_log()


class GreetingTests(ServiceCase):
    """A dialect that breaks before anybody has said a word."""

    async def breaks(self, method: str) -> tuple[RunningService, Client]:
        service = await self.serve(listen=(f"line@{PLAIN}",))

        def breaks(_: LineDialect, *arguments: Any) -> None:
            raise Defect()

        self.patch(LineDialect, method, breaks)
        return service, await service.connect(tls=None)

    async def test_at_its_beginning(self) -> None:
        service, client = await self.breaks("begin")
        await client.closed
        await service.has(connections=0)
        self.assertEqual(len(self.flushLoggedErrors(Defect)), 1)

    async def test_at_its_greeting(self) -> None:
        service, client = await self.breaks("silent")
        await service.has(connections=1)
        service.time.advance(2)
        await client.closed
        await service.has(connections=0)
        self.assertEqual(len(self.flushLoggedErrors(Defect)), 1)


class ConnectionsTests(CrashCase):
    """The child that keeps all connections breaks: they are closed, and nothing is left of them."""

    async def test_everybody_may_come_back_by_the_same_nick(self) -> None:
        self.patch(Connection, "check", once(Connection.check))

        self.service.time.advance(1)

        for client in (self.ann, self.bob, self.cid):
            lines = await client.closed
            self.assertStarts(lines[-1], "BYE:")
        await self.restarted("connections", of=self.networking)
        self.assertEqual(len(self.flushLoggedErrors(Defect)), 1)
        await until(lambda: not self.service.controller.state.users)
        ann = await self.service.connect(tls=None)
        self.assertEqual(await ann.ask(f"LOGIN:ann:{PASSWORD}"), "OK:LOGIN:ann")
        await self.granted(ann, "JOINROOM:den")
        cid = await self.service.log_in("cid", tls=None)
        self.assertEqual(await cid.items("LISTUSERS:"), ["ann", "cid"])


class IntensityTests(CrashCase):
    def break_apply(self) -> None:
        """The next message breaks the controller."""
        self.patch(State, "apply", once(State.apply, fits=lambda _, event: type(event) is Message))

    async def given_up(self) -> None:
        """Waits until all children have stopped, or used up their time."""
        await until(lambda: not self.service.root.running)
        while not self.gave_up:
            await deferLater(reactor, 0)
            self.service.time.advance(0.1)

    async def test_more_than_one_restart_in_a_short_time_is_too_much(self) -> None:
        self.break_apply()
        self.assertStarts(await self.ann.ask("ROOM:den:1"), "OK:ROOM:den:")
        self.break_apply()
        self.ann.send("ROOM:den:2")
        lost = self.bob.closed
        await self.given_up()

        self.assertEqual(len(self.gave_up), 1)
        self.assertTrue(self.gave_up[0].check(Defect))
        self.assertEqual(self.service.ports, [])
        self.assertStarts((await lost)[-1], "BYE:")
        self.flushLoggedErrors(Defect)

    async def test_everybody_is_told_although_the_journal_is_what_broke(self) -> None:
        def broken(*_: object) -> None:
            raise Defect()

        self.patch(self.disk, "_commit", broken)
        self.assertStarts(await self.ann.ask("ROOM:den:1"), "ERR:ROOM:UNAVAILABLE:")
        self.ann.send("ROOM:den:2")
        lost = [client.closed for client in (self.ann, self.bob, self.cid)]
        await self.given_up()

        for closed in lost:
            self.assertStarts((await closed)[-1], "BYE:")
        self.assertFalse([line for line in self.ann.seen if line.startswith("OK:ROOM")])
        self.assertEqual(len(self.flushLoggedErrors(Defect)), 2)

    async def test_one_in_a_while_is_not(self) -> None:
        for text in ("1", "2", "3"):
            self.break_apply()
            self.assertStarts(await self.ann.ask(f"ROOM:den:{text}"), "OK:ROOM:den:")
            await until(lambda: not self.service.root._jobs)
            self.service.time.advance(6)

        self.assertEqual(self.gave_up, [])
        self.assertEqual(self.service.root.restarts["controller"], 3)
        said = [f"ROOM:den:ann:{text}" for text in ("1", "2", "3")]
        self.assertEqual(await heard(self.bob), said)
        self.flushLoggedErrors(Defect)
