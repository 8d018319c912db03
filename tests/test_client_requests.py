"""
Every request of the client library, and everything that it tells, by the real service over real
sockets and TLS.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet.defer import Deferred

from chatservice.client import (
    Client,
    Connected,
    Disconnected,
    Event,
    Identity,
    Invited,
    Joined,
    Kicked,
    Left,
    Message,
    NickChanged,
    OwnerChanged,
    Pins,
    PinStore,
    Refused,
    RoomDeleted,
    RoomInfo,
    TopicChanged,
    User,
    VisibilityChanged,
)
from tests.service import PLAIN, TLS, RunningService, ServiceCase, until


class RequestCase(ServiceCase):
    """A service, and programs that use the client library."""

    async def open(self, **how: Any) -> None:
        """Start the service, and have alice and bob there, who have accounts."""
        self.service: RunningService = await self.serve(**how)
        self.told: dict[Client, list[Any]] = {}
        self.alice = await self.program("alice", "a long password")
        self.bob = await self.program("bob", "another password")

    def connecting(self, **how: Any) -> Client:
        """A client that connects."""
        pins = Pins(PinStore(Path(self.mktemp()) / "pins"))
        server = f"tls:localhost:{self.service.ports[0]}"
        client = Client(server, **{"trust": pins, "retry": lambda _: 0.0, **how})
        self.told[client] = []
        client.listen(self.told[client].append)
        client.startService()
        self.addCleanup(lambda: Deferred.fromCoroutine(client.close()))
        return client

    async def program(self, nick: str, password: str = "") -> Client:
        """A client that is logged in: as a guest, or to an account that is made for it."""
        client = self.connecting()
        await client.login(nick)
        if password:
            await client.register(password)
        return client

    async def refused(self, code: str, asking: Awaitable[object]) -> None:
        """What is asked is refused with this code."""
        try:
            await asking
        except Refused as refused:
            self.assertEqual(refused.code, code)
            self.assertTrue(str(refused))
        else:
            self.fail(f"it was not refused with {code}")

    async def is_told(self, client: Client, *wanted: Any) -> None:
        """A client is told these, whatever their ids and times, and nothing else before."""
        await until(lambda: len(self.told[client]) >= len(wanted))
        told, self.told[client][:] = list(self.told[client]), []
        for event in told:
            if isinstance(event, Event):
                self.assertTrue(event.id)
                self.assertEqual(event.time.timestamp(), event.ms / 1000)
        self.assertEqual([_anonymous(event) for event in told], list(wanted))


def _anonymous(event: Any) -> Any:
    """An event without its id and time."""
    if not isinstance(event, Event):
        return event
    fields = {name: getattr(event, name) for name in type(event).__match_args__}
    return type(event)(**(fields | {"id": "", "ms": 0}))


async def take(stream: AsyncIterator[Message], number: int) -> list[Message]:
    """The next messages of a stream."""
    return [await stream.__anext__() for _ in range(number)]


class IdentityTests(RequestCase):
    async def test_one_logs_in_registers_and_logs_out(self) -> None:
        await self.open()
        client = self.connecting()

        identity = await client.login("Carol", realname="Carol Ann")
        self.assertEqual(identity, Identity("Carol", ""))
        self.assertEqual((client.nick, client.account), ("Carol", ""))
        await self.refused("ALREADY_LOGGED_IN", client.login("dan"))
        self.assertEqual(await client.register("a fine password"), Identity("Carol", "Carol"))
        self.assertEqual(client.account, "Carol")

        await client.logout()
        self.assertEqual((client.nick, client.account), ("", ""))
        await self.refused("NOT_LOGGED_IN", client.list_rooms())
        await self.refused("BAD_PASSWORD", client.login("carol", "a guess"))
        await self.refused("NICK_IN_USE", client.login("carol"))
        await self.refused("BAD_NICK", client.login("no nick at all"))
        again = await client.login("carol", "a fine password")
        self.assertEqual(again.account, "Carol")

    async def test_one_takes_ones_nick_back(self) -> None:
        await self.open()
        second = self.connecting()
        await self.refused("NICK_IN_USE", second.login("bob", "another password"))

        identity = await second.login("bob", "another password", reclaim=True)

        self.assertEqual(identity.account, "bob")
        await until(lambda: self.bob.failure is not None)
        await self.refused("NICK_IN_USE", self.bob.list_rooms())
        [connected, killed, disconnected] = self.told[self.bob]
        self.assertIsInstance(connected, Connected)
        self.assertTrue(killed.reclaimed)
        self.assertEqual(disconnected, Disconnected(str(self.bob.failure), None))


class RoomTests(RequestCase):
    async def test_rooms_are_made_listed_and_removed(self) -> None:
        await self.open()

        self.assertEqual(await self.alice.create_room("Den"), "Den")
        self.assertEqual(await self.alice.create_room("attic", private=True), "attic")
        await self.refused("ROOM_EXISTS", self.bob.create_room("den"))
        room = await self.bob.join("den")
        await self.refused("NOT_OWNER", room.set_topic("mine"))
        owned = await self.alice.join("den")
        await owned.set_topic("for all of us")
        self.assertEqual((room.name, repr(room)), ("Den", "<Room: Den>"))

        self.assertEqual(
            sorted(await self.alice.list_rooms()),
            [RoomInfo("Den", False, 2, "for all of us"), RoomInfo("attic", True, 0, "")],
        )
        self.assertEqual([info.name for info in await self.bob.list_rooms()], ["Den"])
        self.assertEqual(
            sorted(await room.members()), [User("alice", "alice", ""), User("bob", "bob", "")]
        )
        self.assertEqual(len(await self.bob.list_users()), 2)
        await self.refused("NOT_OWNER", self.bob.delete_room("den"))
        await self.alice.delete_room("den")
        await self.refused("NO_SUCH_ROOM", self.bob.join("den"))

    async def test_one_joins_a_room_once_in_whatever_case(self) -> None:
        await self.open()

        room = await self.alice.join("Den", create=True)

        self.assertIs(await self.alice.join("Den"), room)
        self.assertIs(await self.alice.join("dEN", create=True), room)
        self.assertEqual(dict(self.alice.joined), {"Den": room})
        both = [Deferred.fromCoroutine(self.bob.join("den")) for _ in range(2)]
        self.assertIs(await both[0], await both[1])
        # Full width letters: the same name to the service, though not to `str.casefold`.
        self.assertIs(await self.alice.join("\uff24\uff45\uff4e"), room)
        moved = [each for each in self.told[self.alice] if isinstance(each, Joined | Left)]
        self.assertEqual([each.nick for each in moved], ["alice", "bob"])

    async def test_one_leaves_a_room(self) -> None:
        await self.open()
        room = await self.alice.join("den", create=True)
        other = await self.bob.join("den")
        await room.say("before")

        await other.leave()
        await room.say("after")

        self.assertEqual(dict(self.bob.joined), {})
        self.assertEqual(other.ended, "left")
        await self.refused("NOT_IN_ROOM", other.say("hello"))
        await self.refused("NOT_IN_ROOM", other.history())
        again = await self.bob.join("den")
        self.assertIsNot(again, other)
        await room.say("hello")
        self.assertEqual([m.text for m in await take(aiter(again), 1)], ["hello"])

    async def test_private_rooms_and_invitations(self) -> None:
        await self.open()
        room = await self.alice.join("den", create=True)
        await room.set_private(True)
        await self.refused("PRIVATE_ROOM", self.bob.join("den"))

        await room.invite("bob")
        await self.is_told(
            self.bob,
            Connected("chat.example", self.told[self.bob][0].version, False),
            Invited("", 0, "den", "alice"),
        )
        other = await self.bob.join("den")

        await self.refused("ALREADY_IN_ROOM", room.invite("bob"))
        await self.refused("NO_SUCH_USER", room.invite("nobody"))
        await self.refused("NOT_OWNER", other.set_private(False))
        await room.set_private(False)

    async def test_a_room_may_ask_for_a_key_now_and_later(self) -> None:
        await self.open(listen=(TLS, f"irc@{PLAIN}"))
        irc = await self.service.connect(listener=1, tls=None)
        irc.send("NICK op", "USER op 0 * :Op", "JOIN #keyed", "MODE #keyed +k sesame")
        await until(lambda: any("+k" in line for line in irc.seen))
        await self.refused("BAD_KEY", self.alice.join("keyed"))

        room = await self.alice.join("keyed", "sesame")
        side = next(each for each in self.service if each.session.key == "alice")
        side.close("for the test")
        await until(lambda: not self.alice.connected)
        await until(lambda: self.alice.connected)

        await room.say("in again")

    async def test_topics(self) -> None:
        await self.open()
        room = await self.alice.join("den", create=True)
        self.assertEqual(await room.topic(), ("", "", 0))

        await room.set_topic("all about it")
        topic = await room.topic()
        self.assertEqual(topic[:2], ("all about it", "alice"))
        self.assertGreater(topic.ms, 0)
        await room.set_topic("")

        self.assertEqual((await room.topic()).text, "")


class ToldTests(RequestCase):
    async def test_what_happens_in_a_room(self) -> None:
        await self.open(listen=(TLS, f"irc@{PLAIN}"))
        await self.alice.create_room("den")
        watcher = await self.alice.join("den")
        stream = aiter(watcher)
        self.told[self.alice].clear()

        room = await self.bob.join("den")
        await watcher.set_topic("news")
        await watcher.set_private(True)
        await room.leave()
        await self.is_told(
            self.alice,
            Joined("", 0, "den", "bob", "bob"),
            TopicChanged("", 0, "den", "alice", "news"),
            VisibilityChanged("", 0, "den", True, "alice"),
            Left("", 0, "den", "bob"),
        )

        await watcher.invite("bob")
        self.told[self.bob].clear()
        room = await self.bob.join("den")
        reading = Deferred.fromCoroutine(take(aiter(room), 1))
        await watcher.kick("bob", "enough")
        await self.is_told(
            self.bob,
            Joined("", 0, "den", "bob", "bob"),
            Kicked("", 0, "den", "bob", "alice", "enough"),
        )
        self.assertEqual(room.ended, "alice has put you out: enough")
        try:
            await reading
        except StopAsyncIteration:
            pass
        except RuntimeError as error:  # what a coroutine makes of it
            self.assertIsInstance(error.__cause__, StopAsyncIteration)
        self.assertEqual(dict(self.bob.joined), {})
        await self.refused("NOT_IN_ROOM", watcher.kick("bob"))

        self.told[self.alice].clear()
        await self.alice.delete_room("den")
        await self.is_told(self.alice, RoomDeleted("", 0, "den", "alice"))
        self.assertEqual(watcher.ended, "alice has removed the room")
        self.assertEqual([message async for message in stream], [])

    async def test_what_irc_users_do(self) -> None:
        await self.open(listen=(TLS, f"irc@{PLAIN}"))
        room = await self.alice.join("den", create=True)
        irc = await self.service.connect(listener=1, tls=None)
        self.told[self.alice].clear()

        irc.send("NICK carol", "USER carol 0 * :Carol", "JOIN #den", "NICK cara")
        irc.send("PRIVMSG #den :\x01ACTION waves\x01", "NOTICE #den :beware")
        irc.send("PRIVMSG #den :\x01VERSION\x01", "PRIVMSG alice :\x01VERSION\x01")
        irc.send("PRIVMSG alice :psst", "PRIVMSG #den :bye", "QUIT :home")

        await self.is_told(
            self.alice,
            Joined("", 0, "den", "carol"),
            NickChanged("", 0, "carol", "cara"),
            Left("", 0, "den", "cara", True, "Quit: home"),
        )
        said = await take(aiter(room), 3)
        self.assertEqual(
            [(m.nick, m.text, m.action, m.notice, m.room) for m in said],
            [
                ("cara", "waves", True, False, "den"),
                ("cara", "beware", False, True, "den"),
                ("cara", "bye", False, False, "den"),
            ],
        )
        [direct] = await take(aiter(self.alice.directs), 1)
        self.assertEqual((direct.nick, direct.to, direct.text), ("cara", "alice", "psst"))

    async def test_a_room_is_handed_over(self) -> None:
        await self.open(listen=(TLS, f"irc@{PLAIN}"))
        irc = await self.service.connect(listener=1, tls=None)
        irc.send("NICK alice2", "USER alice 0 * :Alice", "NS REGISTER a-good-password", "JOIN #den")
        room = None
        while room is None:
            try:
                room = await self.bob.join("den")
            except Refused:
                continue
        self.told[self.bob].clear()

        irc.send("CS TRANSFER #den bob")

        await until(lambda: self.told[self.bob])
        self.assertIsInstance(self.told[self.bob][0], OwnerChanged)
        await room.set_topic("mine")


class TalkTests(RequestCase):
    async def test_what_one_says_is_read_by_all_oneself_too(self) -> None:
        await self.open()
        room = await self.alice.join("den", create=True)
        other = await self.bob.join("den")
        streams = [aiter(room), aiter(other)]

        stored = [
            await room.say("hello"),
            await other.say("waves", action=True),
            await room.say("é: ☃ :", notice=True),
        ]

        for stream in streams:
            read = await take(stream, 3)
            self.assertEqual([(m.id, m.ms) for m in read], stored)
            self.assertEqual(
                [(m.nick, m.account, m.text, m.action, m.notice) for m in read],
                [
                    ("alice", "alice", "hello", False, False),
                    ("bob", "bob", "waves", True, False),
                    ("alice", "alice", "é: ☃ :", False, True),
                ],
            )
            self.assertEqual(read[0].time.timestamp(), read[0].ms / 1000)

    async def test_what_one_says_may_be_refused(self) -> None:
        await self.open()
        room = await self.alice.join("den", create=True)

        await self.refused("BAD_ARGUMENTS", room.say("two\nlines"))
        await self.refused("BAD_ARGUMENTS", room.say(""))
        await self.refused("NO_SUCH_USER", self.alice.tell("nobody", "hello"))
        await self.refused("NOT_IN_ROOM", _say_outside(self.bob))

        self.assertEqual(self.alice._outbox._saying, {})

    async def test_one_tells_somebody(self) -> None:
        await self.open()

        stored = [
            await self.alice.tell("Bob", "psst"),
            await self.alice.tell("bob", "nods", action=True, notice=False),
            await self.alice.tell("bob", "beep", notice=True),
        ]

        read = await take(aiter(self.bob.directs), 3)
        self.assertEqual([(m.id, m.ms) for m in read], stored)
        self.assertEqual(
            [(m.text, m.action, m.notice) for m in read],
            [("psst", False, False), ("nods", True, False), ("beep", False, True)],
        )
        self.assertEqual({(m.nick, m.to, m.room) for m in read}, {("alice", "bob", "")})


async def _say_outside(client: Client) -> None:
    """Say something in a room that one has left."""
    room = await client.join("den")
    await room.leave()
    await room.say("hello")


class HistoryTests(RequestCase):
    async def test_a_room_has_one(self) -> None:
        await self.open()
        room = await self.alice.join("den", create=True)
        stored = [await room.say(str(number)) for number in range(10)]

        async def texts(*limit: int, **asked: Any) -> list[str]:
            return [m.text for m in (await room.history(*limit, **asked)).messages]

        self.assertEqual(await texts(), [str(n) for n in range(10)])
        self.assertEqual(await texts(0), [str(n) for n in range(10)])
        self.assertEqual(await texts(3), ["7", "8", "9"])
        self.assertEqual(await texts(3, oldest=True), ["0", "1", "2"])
        self.assertEqual(await texts(3, before=stored[5].id), ["2", "3", "4"])
        self.assertEqual(await texts(3, after=stored[5].id, oldest=True), ["6", "7", "8"])
        between = await room.history(before=stored[5].id, after=stored[2].id)
        self.assertEqual([m.id for m in between.messages], [stored[3].id, stored[4].id])
        self.assertEqual((between.first_id, between.last_id), (stored[3].id, stored[4].id))
        self.assertEqual(await texts(after=stored[0].ms - 1), [str(n) for n in range(10)])
        self.assertEqual(await texts(before=stored[0].ms), [])
        self.assertEqual(await room.history(after=stored[9].id), ([], "", ""))

    async def test_a_conversation_has_one(self) -> None:
        await self.open()
        room = await self.alice.join("den", create=True)
        await room.say("hello")
        await self.alice.tell("bob", "psst")
        last = await self.bob.tell("alice", "what?")

        page = await self.alice.conversation_with("bob", 10)
        self.assertEqual(
            [(m.nick, m.text) for m in page.messages], [("alice", "psst"), ("bob", "what?")]
        )
        page = await self.alice.conversation_with("bob", before=last.id, oldest=True)
        self.assertEqual([m.text for m in page.messages], ["psst"])
        found = await self.alice.conversations()
        self.assertEqual({(c.room, c.nick) for c in found}, {("den", ""), ("", "bob")})
        self.assertEqual(await self.alice.conversations(last.ms + 1000), [])
        await self.refused("NO_SUCH_USER", self.alice.conversation_with("nobody"))

    async def test_a_long_list_comes_whole(self) -> None:
        await self.open()
        room = await self.alice.join("den", create=True)
        saying = [Deferred.fromCoroutine(room.say(f"{n} {'x' * 300}")) for n in range(1000)]
        for each in saying:
            await each

        page = await room.history(0)

        self.assertEqual([int(m.text.split()[0]) for m in page.messages], list(range(1000)))


class WaysInTests(RequestCase):
    async def test_a_plain_listener_on_this_machine(self) -> None:
        await self.open(listen=(TLS, PLAIN))
        pins = Pins(PinStore(Path(self.mktemp()) / "pins"))
        client = Client(f"tcp:127.0.0.1:{self.service.ports[1]}", trust=pins)

        async with client:
            await client.login("carol")
            room = await client.join("den", create=True)
            await room.say("hello")
            self.assertEqual([m.text for m in await take(aiter(room), 1)], ["hello"])

        await until(lambda: len(self.service.connections) == 2)

    async def test_a_unix_socket(self) -> None:
        # The path of a test's own folder is too long for a socket.
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = f"{folder.name}/chat"
        await self.serve(listen=(f"unix:{path}",))

        async with Client(f"unix:{path}") as client:
            self.assertEqual((await client.login("carol")).nick, "carol")

    async def test_a_listener_that_speaks_something_else(self) -> None:
        await self.open(listen=(TLS, f"irc@{PLAIN}"))
        client = Client(f"tcp:127.0.0.1:{self.service.ports[1]}", retry=lambda _: 1000.0)
        told: list[Any] = []
        client.listen(told.append)

        async with client:
            await until(lambda: told)

        self.assertIn("no chat server", told[0].reason)
