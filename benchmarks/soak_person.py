"""One of the soak's people: a client of the line protocol over TLS 1.3 that notes in the ledger
what it hears. What people do is in `soak_people`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct

from load import client_context
from soak_ledger import Ledger, Stay

ANSWER_SECONDS = 20.0
NICK_SECONDS = 10.0
HOST = "127.0.0.1"
_CONTEXT = client_context()


class Lost(Exception):
    """The server closed the connection, or did not answer; the argument says what was going on."""


class Person:
    """A connection, and what is said and heard on it.

    Attributes:
        invited: the rooms that it was invited to.
    """

    def __init__(self, port: int, ledger: Ledger, nick: str) -> None:
        self._port = port
        self._ledger = ledger
        self.nick = nick
        self.invited: set[str] = set()
        self._stays: dict[str, Stay] = {}
        self._said = 0
        self._answers: asyncio.Queue[str | None] = asyncio.Queue()
        self._items: list[str] = []
        self._listening: asyncio.Task[None] | None = None
        self._bye = "without a word"
        self.answers_pings = True

    # Coming and going.

    async def connect(self, tls: bool = True, receive_buffer: int = 0, source: str = HOST) -> None:
        """Connect, and begin to listen.

        Args:
            tls: whether to shake hands.
            receive_buffer: bytes that the kernel may take for us; 0 leaves it to the kernel.
            source: the loopback address to come from.
        """
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        sock.bind((source, 0))
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            await asyncio.get_running_loop().sock_connect(sock, (HOST, self._port))
            self._reader, self._writer = await asyncio.open_connection(
                sock=sock,
                ssl=_CONTEXT if tls else None,
                server_hostname="localhost" if tls else None,
            )
        except (OSError, ssl.SSLError) as error:
            sock.close()
            raise Lost(f"{self.nick} could not connect: {error}") from None
        self._listening = asyncio.create_task(self._listen())

    async def log_in(self, password: str = "") -> None:
        """Take the nick; whoever had it just before may still be leaving."""
        request = f"LOGIN:{self.nick}:{password}" if password else f"LOGIN:{self.nick}"
        begin = asyncio.get_running_loop().time()
        while "NICK_IN_USE" in await self.ask(request, "NICK_IN_USE"):
            if asyncio.get_running_loop().time() > begin + NICK_SECONDS:
                raise Lost(f"{self.nick}: the nick is not free after {NICK_SECONDS:g} seconds")
            await asyncio.sleep(0.1)
        self._ledger.counts["logins"] += 1

    async def quit(self) -> None:
        """Say goodbye, and read to the end. What is said after that is not heard any more."""
        self._write("QUIT:")
        if not await self.closed(ANSWER_SECONDS):
            raise Lost(f"{self.nick}: QUIT does not close the connection")
        await self.drop()

    async def close(self) -> None:
        """Close in good order, but without a word."""
        self._writer.close()
        await self.drop()

    async def reset(self) -> None:
        """Be gone at once: the server gets a RST."""
        sock = self._writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        await self.drop()

    async def drop(self) -> None:
        """Let go of the connection, whatever state it is in."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        self._writer.transport.abort()

    def stop_reading(self) -> None:
        """Read no more, and stay."""
        assert self._listening is not None
        self._listening.cancel()

    @property
    def is_cut(self) -> bool:
        """Has writing shown that the connection is gone?"""
        return self._writer.transport.is_closing()

    async def closed(self, seconds: float) -> bool:
        """Whether the server closes within so many seconds."""
        assert self._listening is not None
        done, _ = await asyncio.wait([self._listening], timeout=seconds)
        return bool(done)

    # Talking.

    def write_raw(self, data: bytes) -> None:
        """Send bytes, if the connection is still there."""
        if not self.is_cut:
            self._writer.write(data)

    def _write(self, line: str) -> None:
        self.write_raw(f"{line}\r\n".encode())

    async def ask(self, request: str, *refusals: str) -> str:
        """Send a request, and return its answer.

        Args:
            request: the line.
            refusals: the codes that it may be refused with.

        Raises:
            Lost: there is no answer, or another refusal.
        """
        self._items = []
        self._write(request)
        name = request.partition(":")[0]
        try:
            answer = await asyncio.wait_for(self._answers.get(), ANSWER_SECONDS)
        except asyncio.TimeoutError:
            raise Lost(f"{self.nick}: no answer to {name}") from None
        if answer is None:
            raise Lost(f"{self.nick}: closed ({self._bye}) instead of an answer to {name}")
        _, _, code, *_ = [*answer.split(":"), "", ""]
        refused = answer.startswith("ERR:")
        if not answer.split(":")[1] == name or (refused and code not in refusals):
            raise Lost(f"{self.nick}: {name} was answered with {answer[:60]}")
        return answer

    async def join(self, room: str) -> None:
        """Enter a room."""
        await self.ask(f"JOINROOM:{room}")

    async def exit(self, room: str) -> None:
        """Leave a room; what was heard in it is all that was said."""
        await self.ask(f"EXITROOM:{room}")
        self._end(room)

    async def log_out(self) -> None:
        """Give the nick up; what was heard in all rooms is all that was said."""
        await self.ask("LOGOUT:")
        for room in list(self._stays):
            self._end(room)

    async def say(self, room: str, padding: int) -> None:
        """Say something new to a room, so many bytes longer than need be."""
        text = self._new_text(padding)
        answer = await self.ask(f"ROOM:{room}:{text}")
        self._ledger.stored[text] = int(answer.rpartition(":")[2])

    async def tell(self, nick: str, padding: int) -> None:
        """Say something new to somebody who reads, if they are there."""
        text = self._new_text(padding)
        answer = await self.ask(f"SAY:{nick}:{text}", "NO_SUCH_USER")
        if answer.startswith("OK:"):
            self._ledger.stored[text] = int(answer.rpartition(":")[2])
            self._ledger.direct[text] = nick

    async def read_history(self, room: str, count: int) -> None:
        """Ask for the last things said, and note them."""
        await self.ask(f"HISTORY:{room}:{count}")
        page = [item.split(":", 6)[6] for item in self._items]
        self._ledger.pages.append((room, page))

    def _new_text(self, padding: int) -> str:
        self._said += 1
        self._ledger.counts["messages"] += 1
        return f"{self.nick}-{self._ledger.counts['messages']} {'x' * padding}"

    # Listening.

    async def _listen(self) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            while line := await self._reader.readline():
                self._take(line.decode().rstrip("\r\n"))
        self._answers.put_nowait(None)

    def _take(self, line: str) -> None:
        kind, _, rest = line.partition(":")
        if kind in ("OK", "ERR"):
            self._answers.put_nowait(line)
        elif kind == "ITEM":
            self._items.append(line)
        else:
            self._hear(kind, rest)

    def _hear(self, kind: str, rest: str) -> None:
        room, _, more = rest.partition(":")
        who, _, text = more.partition(":")
        if kind == "ROOM":
            if room in self._stays:
                self._stays[room].heard.append(text)
            else:
                self._ledger.fault(f"{self.nick} heard something from {room}, and is not in it")
        elif kind == "SAY":
            self._ledger.heard_direct[more] += 1
        elif kind == "JOINED" and who == self.nick:
            stay = self._stays[room] = Stay()
            self._ledger.stays[self.nick, room].append(stay)
        elif kind == "DELETED" or (kind == "KICKED" and who == self.nick):
            self._end(room)
        elif kind == "INVITED":
            self.invited.add(room)
        elif kind == "PING" and self.answers_pings:
            # Answered like any line; the answer has to be told from others'.
            self._write("")
        elif kind == "BYE":
            self._bye = rest

    def _end(self, room: str) -> None:
        self._stays.pop(room).whole = True
