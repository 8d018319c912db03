"""
People who talk in rooms, whatever becomes of the servers: programs by the client library, which
connect again and read what they have missed; and guests by the line protocol and by IRC, who know
nothing of all that. What they say and see is noted here, and judged elsewhere.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from math import inf
from random import Random

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectionLost
from twisted.internet.task import deferLater

from chatservice.client import Client, Message, Refused, Room
from tests.process import reactor
from tests.service import HOST, Closed, Trusting
from tests.service import Client as Lines

SPEAK = (0.2, 1.0)
"""Seconds from what somebody has said to what they say next."""

AGAIN = (0.1, 0.6)
"""Seconds from a lost connection to the next attempt."""

MARK = "words-of"
"""Stands in every message."""

PASSWORD = "the password of"
"""Stands in every password."""

_TRUSTING = Trusting()


class Talk:
    """
    What all share who talk.

    @ivar over: is nobody to say any more?
    @ivar acknowledged: what was, in the order of the answers: rooms, ids and texts.
    @ivar unavailable: how often somebody was told that it can't be stored now.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.over = False
        self.acknowledged: list[tuple[str, str, str]] = []
        self.unavailable = 0

    async def pause(self, between: tuple[float, float]) -> None:
        """A moment, of random length."""
        await deferLater(reactor, self.random.uniform(*between))

    async def more(self, messages: int) -> None:
        """Over when so many more were acknowledged."""
        wanted = len(self.acknowledged) + messages
        while len(self.acknowledged) < wanted:
            await deferLater(reactor, 0.01)


class Person(ABC):
    """
    Somebody in a room, who says numbered words; those that were refused are not said again, so that
    every text is there at most once.
    """

    def __init__(self, talk: Talk, nick: str, room: str) -> None:
        self.talk = talk
        self.nick = nick
        self.room = room
        self._number = 0

    def words(self) -> str:
        """The next words."""
        self._number += 1
        return f"{MARK} {self.nick} {self._number}"

    def heard(self, id: str, text: str) -> None:
        """It was acknowledged."""
        self.talk.acknowledged.append((self.room, id, text))

    @abstractmethod
    async def be_there(self) -> None:
        """Over when they are in the room."""

    @abstractmethod
    async def speak(self) -> None:
        """Speaks until nobody is to any more, and then hears the rest."""

    @property
    def present(self) -> str:
        """What they are called now."""
        return self.nick


class Program(Person):
    """Somebody by the client library: it connects again, and reads what it has missed."""

    def __init__(
        self, talk: Talk, nick: str, room: str, client: Client, *, account: bool = False
    ) -> None:
        super().__init__(talk, nick, room)
        self.client = client
        self.read: list[Message] = []
        self._account = account
        self.inside: Room | None = None
        self.reading: Deferred[None] | None = None

    async def be_there(self) -> None:
        self.client.startService()
        await self.client.login(self.nick)
        if self._account:
            await self.client.register(f"{PASSWORD} {self.nick}")
        self.inside = await self.client.join(self.room)
        self.reading = Deferred.fromCoroutine(self._read(self.inside))

    async def _read(self, room: Room) -> None:
        # It is looked at while it grows.
        async for message in room:
            self.read.append(message)

    async def speak(self) -> None:
        assert self.inside is not None
        while not self.talk.over:
            text = self.words()
            try:
                stored = await self.inside.say(text, timeout=inf)
            except Refused as refused:
                if refused.code != "UNAVAILABLE":
                    raise AssertionError(f"{self.nick}: {refused.code} {refused}") from refused
                self.talk.unavailable += 1
            else:
                self.heard(stored.id, text)
            await self.talk.pause(SPEAK)


class Guest(Person):
    """
    Somebody who knows nothing of all this: when the connection is lost, somebody else comes.

    @ivar lives: what each of them has seen in the room, in this order.
    """

    def __init__(self, talk: Talk, nick: str, room: str, port: int) -> None:
        super().__init__(talk, nick, room)
        self.lives: list[list[str]] = []
        self._port = port
        self._lines: Lines | None = None

    @property
    def present(self) -> str:
        return f"{self.nick}_{len(self.lives)}"

    async def connect(self) -> Lines:
        """A connection to whichever server."""
        endpoint = wrapClientTLS(_TRUSTING, TCP4ClientEndpoint(reactor, HOST, self._port))
        life: Life = await connectProtocol(endpoint, Life(self.shown))
        self.lives.append(life.texts)
        return life

    async def be_there(self) -> None:
        while True:
            try:
                self._lines = await self.connect()
                if await self.enter(self._lines):
                    return
                await self._lines.vanish()
            except (Closed, ConnectError, ConnectionLost):
                pass
            await self.talk.pause(AGAIN)

    async def speak(self) -> None:
        while not self.talk.over:
            assert self._lines is not None
            text = self.words()
            try:
                id = await self.say(self._lines, text)
            except Closed:
                await self.be_there()
            else:
                if id:
                    self.heard(id, text)
                else:
                    self.talk.unavailable += 1
                await self.talk.pause(SPEAK)
        if self._lines is not None and self._lines.closed.called:
            await self.be_there()

    @abstractmethod
    async def enter(self, lines: Lines) -> bool:
        """Logs in and enters the room; False if that can't be now."""

    @abstractmethod
    async def say(self, lines: Lines, text: str) -> str:
        """Says something; returns its id, or the empty string if it can't be stored now."""

    @abstractmethod
    def shown(self, line: str) -> str | None:
        """The text, if this line shows what somebody says in the room."""


class Life(Lines):
    """
    One connection.

    @ivar texts: what it was shown of the room.
    @param shown: the text, if a line shows what somebody says there.
    """

    def __init__(self, shown: Callable[[str], str | None]) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._shown = shown
        self._looked = 0

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        shown = map(self._shown, self.seen[self._looked :])
        self.texts += [text for text in shown if text is not None]
        self._looked = len(self.seen)


class LineGuest(Guest):
    """One of the line protocol."""

    async def enter(self, lines: Lines) -> bool:
        for request in (f"LOGIN:{self.present}", f"JOINROOM:{self.room}"):
            answer = await lines.ask(request)
            if answer.startswith("ERR:"):
                _check("UNAVAILABLE" in answer, answer)
                return False
        return True

    async def say(self, lines: Lines, text: str) -> str:
        answer = await lines.ask(f"ROOM:{self.room}:{text}")
        if answer.startswith("ERR:"):
            _check(answer.startswith("ERR:ROOM:UNAVAILABLE:"), answer)
            return ""
        return answer.rpartition(":")[2]

    def shown(self, line: str) -> str | None:
        kind, _, rest = line.partition(":")
        return rest.split(":", 2)[2] if kind == "ROOM" else None


class IrcGuest(Guest):
    """One of IRC."""

    _SAID = re.compile(r"(?:@(?P<tags>\S+) )?:\S+ PRIVMSG #\S+ :(?P<text>.*)")

    async def enter(self, lines: Lines) -> bool:
        wanted = "message-tags echo-message standard-replies"
        lines.send(f"CAP REQ :{wanted}", f"NICK {self.present}", f"USER {self.present} 0 * :x")
        lines.send("CAP END", f"JOIN #{self.room}")
        while True:
            line = await lines.line()
            if " 366 " in line:
                return True
            if "FAIL" in line or " 451 " in line:
                _check("UNAVAILABLE" in line or " 451 " in line, line)
                return False

    async def say(self, lines: Lines, text: str) -> str:
        lines.send(f"PRIVMSG #{self.room} :{text}")
        while True:
            line = await lines.line()
            said = self._SAID.fullmatch(line)
            if said and said["text"] == text:
                tags = dict(tag.partition("=")[::2] for tag in (said["tags"] or "").split(";"))
                return str(tags["msgid"])
            if not said and "PRIVMSG" in line:
                _check(" FAIL PRIVMSG UNAVAILABLE " in f" {line}", line)
                return ""

    def shown(self, line: str) -> str | None:
        said = self._SAID.fullmatch(line)
        return said["text"] if said else None


def _check(holds: bool, words: str) -> None:
    if not holds:
        raise AssertionError(words)
