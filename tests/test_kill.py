"""`kill -9` of a real server in the middle of traffic: what was acknowledged, and whatever anybody
was told, is in the history after it, once and in its order.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from twisted.internet.defer import Deferred, gatherResults

from tests.process import ProcessCase, Server, new_folder, start_server
from tests.service import TLS, Client, until

PASSWORD = "a long password"
UNDER_WAY = 20
"""Messages of each sender that are said and not acknowledged yet, at any time."""

ENOUGH = 150
"""Messages of each sender that are acknowledged before the kill."""

BURST = 6000
"""Messages of each sender that are on their way when the server is killed."""

HEARD = 20_000
"""Bytes that somebody hears of the burst before the kill."""

SETTINGS = f"""
listen = ["{TLS}"]
[limits]
messages_per_second = 1_000_000
message_burst = 1_000_000
history_messages = 100_000
sendq_bytes = 100_000_000
"""


@dataclass
class Sender:
    """
    Somebody who counts aloud in the room.

    @ivar words: what is said before each number.
    """

    client: Client
    words: str
    number: int = 0

    def say(self, times: int) -> None:
        """Says the next numbers."""
        lines = [f"ROOM:den:{self.words} {self.number + more}" for more in range(times)]
        self.number += times
        self.client.send(*lines)

    async def talk(self) -> None:
        """Talks on until enough is acknowledged."""
        self.say(UNDER_WAY)
        for _ in range(ENOUGH):
            await self.client.until("OK:ROOM")
            self.say(1)

    def acknowledged(self) -> list[tuple[str, str]]:
        """The ids and texts of what was acknowledged, in its order."""
        answers = [line for line in self.client.seen if line.startswith("OK:ROOM:")]
        return [(line.split(":")[3], f"{self.words} {n}") for n, line in enumerate(answers)]

    def told(self) -> list[str]:
        """What was told to this client, in its order."""
        return [line.split(":")[3] for line in self.client.seen if line.startswith("ROOM:den:")]


class KillTests(ProcessCase):
    folder: Path

    async def start(self) -> tuple[Server, Client]:
        """A server on the same data, and Ann, whose room it is, within it."""
        server = await start_server(self, "--config", "chat.toml", folder=self.folder)
        ann = await server.connect()
        if (await ann.ask(f"LOGIN:ann:{PASSWORD}")).startswith("ERR:"):
            for request in ("LOGIN:ann", f"REGISTER:{PASSWORD}", "NEWROOM:den"):
                self.assertEqual((await ann.ask(request))[:3], "OK:")
        self.assertEqual(await ann.ask("JOINROOM:den"), "OK:JOINROOM:den")
        return server, ann

    async def killed_in_the_middle(self, names: list[str]) -> list[Sender]:
        """Has some people talk at once, until the server is killed."""
        server, ann = await self.start()
        senders = [Sender(ann, names[0])]
        for name in names[1:]:
            client = await server.log_in(name)
            self.assertEqual(await client.ask("JOINROOM:den"), "OK:JOINROOM:den")
            senders.append(Sender(client, name))

        await gatherResults([Deferred.fromCoroutine(sender.talk()) for sender in senders])
        for sender in senders:
            sender.say(BURST)
        received = ann.received
        await until(lambda: ann.received > received + HEARD)
        await server.kill()

        for sender in senders:
            await sender.client.closed
        return senders

    async def history(self) -> list[tuple[str, str]]:
        """The ids and texts in the room's history, as another server finds it."""
        server, ann = await self.start()
        items = [item.split(":") for item in await ann.items("HISTORY:den:100000")]
        await server.terminate()
        return [(item[1], item[4]) for item in items]

    async def test_nothing_that_was_acknowledged_or_told_is_lost_or_doubled(self) -> None:
        self.folder = new_folder(self)
        (self.folder / "chat.toml").write_text(SETTINGS, encoding="utf-8")

        first = await self.killed_in_the_middle(["ann", "bob", "cid"])
        second = await self.killed_in_the_middle(["again", "dan"])

        history = await self.history()
        ids = [id for id, _ in history]
        texts = [text for _, text in history]
        self.assertEqual(len(set(ids)), len(ids))
        self.assertEqual(len(set(texts)), len(texts))
        for sender in [*first, *second]:
            acknowledged = sender.acknowledged()
            self.assertGreaterEqual(len(acknowledged), ENOUGH)
            self.assertEqual(set(acknowledged) - set(history), set())
            # All that was stored of a sender's is what came first, without a gap.
            stored = [text for text in texts if text.startswith(f"{sender.words} ")]
            self.assertEqual(stored, [f"{sender.words} {n}" for n in range(len(stored))])
            # Nobody was told what was not stored, or in another order.
            told = sender.told()
            self.assertEqual(told, [text for text in texts if text in set(told)])
