"""The protobuf dialect over real sockets: the three ways to it, a reader that is slow, and how it
ends.
"""

from __future__ import annotations

import os
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IStreamClientEndpoint

from chatservice.networking.framing import FrameBuffer
from chatservice.translation.protobuf import chat_pb2 as pb
from tests.protobuf_case import framed, kind
from tests.service import (
    HOST,
    PLAIN,
    TLS,
    Client,
    Closed,
    RunningService,
    ServiceCase,
    Trusting,
    reactor,
    turn,
    until,
)

_ASKED = b"OK:PROTOBUF:1\r\n"


class FrameClient(Client):
    """Somebody who talks to the service frame by frame.

    Attributes:
        frames: every frame received so far.

    Args:
        asks: whether it has to ask for frames, on a listener for every dialect.
        then: what it sends at once, without waiting for an answer.
    """

    def __init__(self, asks: bool, then: bytes) -> None:
        super().__init__()
        self.frames: list[pb.ServerFrame] = []
        self._read = 0
        self._lines = b""
        self._asks = asks
        self._then = then
        self._buffer = FrameBuffer(2 << 20)

    def connectionMade(self) -> None:
        self.send_raw(b"PROTOBUF:1\r\n" * self._asks + self._then)

    def dataReceived(self, data: bytes) -> None:
        if self._asks:
            self._lines += data
            _, asked, data = self._lines.partition(_ASKED)
            self._asks = not asked
        self.frames += map(pb.ServerFrame.FromString, self._buffer.feed(data))

    def send_frames(self, *frames: pb.ClientFrame) -> None:
        """Send frames, all in one write."""
        self.send_raw(framed(*frames))

    async def frame(self) -> pb.ServerFrame:
        """The next frame; `Closed` if there will be none."""
        await until(lambda: len(self.frames) > self._read or self.reason is not None)
        if len(self.frames) == self._read:
            raise Closed
        self._read += 1
        return self.frames[self._read - 1]

    async def answer(self, **request: Any) -> pb.ServerFrame:
        """Send a request, and read on to the last frame of its answer."""
        self.send_frames(pb.ClientFrame(request_id=7, **request))
        while (frame := await self.frame()).request_id != 7 or frame.more:
            pass
        return frame

    async def end(self) -> list[str]:
        """Wait until the server has closed, and tell what has not been read, by name."""
        await self.closed
        return [kind(frame) for frame in self.frames[self._read :]]


class Asking(Trusting):
    """A TLS client that asks for protobuf by ALPN."""

    def __init__(self) -> None:
        super().__init__()
        self._context.set_alpn_protos([b"chatservice.v1"])


class SocketCase(ServiceCase):
    async def connect(
        self,
        service: RunningService,
        *,
        listener: int = 0,
        tls: Trusting | None = None,
        asks: bool = False,
        then: bytes = b"",
    ) -> FrameClient:
        """Connect a client, over TLS if it is said how, and read the greeting."""
        endpoint: IStreamClientEndpoint = TCP4ClientEndpoint(reactor, HOST, service.ports[listener])
        if tls is not None:
            endpoint = wrapClientTLS(tls, endpoint)
        client: FrameClient = await connectProtocol(endpoint, FrameClient(asks, then))
        self.addCleanup(self._drop, client)
        self.assertEqual(kind(await client.frame()), "hello")
        return client

    def _drop(self, client: FrameClient) -> Deferred[list[str]] | None:
        return client.vanish() if client.reason is None else None

    async def log_in(self, service: RunningService, nick: str, **how: Any) -> FrameClient:
        """Connect a client (see `connect`) that is logged in and in the room."""
        client = await self.connect(service, **how)
        self.assertEqual((await client.answer(login=pb.Login(nick=nick))).identity.nick, nick)
        joined = await client.answer(join_room=pb.JoinRoom(room="den", create=True))
        self.assertEqual(kind(joined), "done")
        return client


class WaysTests(SocketCase):
    async def test_all_ways_lead_into_one_room(self) -> None:
        service = await self.serve(
            listen=(TLS, PLAIN, f"protobuf@{TLS}", f"protobuf@{PLAIN}"), store="sqlite"
        )
        clients = [
            await self.log_in(service, "alpn", listener=0, tls=Asking()),
            await self.log_in(service, "asks", listener=0, tls=Trusting(), asks=True),
            await self.log_in(service, "asks_in_the_open", listener=1, asks=True),
            await self.log_in(service, "fixed", listener=2, tls=Trusting()),
            await self.log_in(service, "fixed_and_alpn", listener=2, tls=Asking()),
            await self.log_in(service, "fixed_in_the_open", listener=3),
        ]
        self.assertEqual(clients[0].transport.negotiatedProtocol, b"chatservice.v1")
        line = await service.log_in("liz")
        self.assertEqual(await line.ask("JOINROOM:den"), "OK:JOINROOM:den")

        stored = await clients[0].answer(say=pb.Say(room="den", text="hello"))

        self.assertEqual(kind(stored), "stored")
        self.assertEqual(await line.until("ROOM:"), "ROOM:den:alpn:hello")
        for client in clients[1:]:
            while kind(frame := await client.frame()) == "joined":
                pass
            self.assertEqual((frame.message.nick, frame.message.text), ("alpn", "hello"))

    async def test_who_asks_need_not_wait_for_the_answer(self) -> None:
        service = await self.serve(listen=(TLS, PLAIN))
        ids = range(3000)
        frames = [pb.ClientFrame(request_id=id, kick=pb.Kick(reason=100 * "x")) for id in ids]
        how: tuple[dict[str, Any], ...] = ({"tls": Trusting()}, {"listener": 1})
        for each in how:
            client = await self.connect(
                service, asks=True, then=framed(*frames, pb.ClientFrame(quit=pb.Quit())), **each
            )

            self.assertEqual(await client.end(), [*len(ids) * ["error"], "done", "bye"])
            self.assertEqual([frame.request_id for frame in client.frames[1:-2]], list(ids))


class SlowTests(SocketCase):
    async def test_a_long_history_is_not_held_against_a_slow_reader(self) -> None:
        many, sendq = 12_000, 65_536
        service = await self.serve(
            listen=(PLAIN, f"protobuf@{PLAIN}"),
            store="sqlite",
            sendq_bytes=sendq,
            history_messages=many,
        )
        alice = await service.log_in("alice", tls=None)
        await alice.ask("NEWROOM:den")
        await alice.ask("JOINROOM:den")
        alice.send(*["ROOM:den:x"] * many, "PING:")
        await alice.until("OK:PING:")
        bob = await self.log_in(service, "bob", listener=1)
        service.stall(bob)
        most = 0

        bob.send_frames(pb.ClientFrame(request_id=7, history=pb.History(room="den")))
        await until(lambda: any(service.queued_bytes))
        for _ in range(100):
            await alice.ask("PING:")
            most = max(most, *service.queued_bytes)
        bob.read_on()

        pages = [await bob.frame()]
        while pages[-1].more:
            pages.append(await bob.frame())
        self.assertEqual(sum(len(page.history_page.messages) for page in pages), many)
        self.assertLessEqual(most, sendq)


class EndTests(SocketCase):
    async def test_what_is_no_frame_is_answered_before_the_end(self) -> None:
        service = await self.serve(listen=(f"protobuf@{TLS}", f"protobuf@{PLAIN}"))
        tls: dict[str, Any] = {"listener": 0, "tls": Trusting()}
        for how in (tls, {"listener": 1}):
            for data in (
                b"\x01\xff",
                b"\x10" + 16 * b"\x23",
                10 * b"\xff",
                b"\xff\xff\x7f" + os.urandom(4096),
                b"GET / HTTP/1.1\r\n\r\n" + 100 * b"x",
            ):
                client = await self.connect(service, **how)

                client.send_raw(data)

                self.assertEqual(await client.end(), ["error", "bye"], data)
        await service.has(connections=0)
        self.assertEqual(self.flushLoggedErrors(), [])

    async def test_who_stops_in_the_middle_of_a_frame_is_gone(self) -> None:
        service = await self.serve(listen=(f"protobuf@{TLS}", f"protobuf@{PLAIN}"))
        stays = await self.log_in(service, "stays", listener=1)
        half = framed(pb.ClientFrame(say=pb.Say(room="den", text="hello")))[:-1]
        for how in ({"listener": 0, "tls": Trusting()}, {"listener": 1}):
            goes = await self.log_in(service, "goes", **how)
            self.assertEqual(kind(await stays.frame()), "joined")

            goes.send_raw(half)
            if how["listener"]:
                goes.transport.loseWriteConnection()
            else:
                goes.transport.loseConnection()

            self.assertEqual(await goes.end(), [])
            self.assertTrue(goes.reason is not None and goes.reason.check(ConnectionDone))
            self.assertEqual(kind(await stays.frame()), "left")
        self.assertEqual(self.flushLoggedErrors(), [])

    async def test_half_a_frame_that_never_ends_is_closed_in_time(self) -> None:
        service = await self.serve(listen=(f"protobuf@{PLAIN}",), idle_seconds=100)
        client = await self.log_in(service, "alice")
        half = framed(pb.ClientFrame(ping=pb.Ping(token=1000 * "x")))[:-1]

        for byte in half[:100]:
            client.send_raw(bytes((byte,)))
            await turn()
            service.time.advance(2)

        self.assertEqual(await client.end(), ["ping", "bye"])
        self.assertEqual(client.frames[-1].bye.reason, "idle for too long")
