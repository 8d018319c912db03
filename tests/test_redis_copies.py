"""Replicas that must have everything before anybody is told of it, of a real Redis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from chatservice.controller.events import Event, Message
from chatservice.journal.interface import NotStored
from chatservice.journal.redis.copies import Copies
from chatservice.journal.redis.journal import RedisJournal
from chatservice.journal.redis.link import Away, Link
from chatservice.journal.redis.settings import RedisSettings
from tests.facts import say
from tests.process import PATIENCE
from tests.redis_server import RedisServer, start_redis
from tests.test_redis_link import SOON, TURN, LinkCase, reactor


def said(text: str) -> Message:
    """Somebody said something."""
    return say("r1", "alice", text)


def texts_of(events: Sequence[Event]) -> list[str]:
    """What was said."""
    return [event.text for event in events if isinstance(event, Message)]


class CopiesCase(LinkCase):
    """A master, a replica, and a link for reading and one for asking."""

    master: RedisServer
    replica: RedisServer
    reading: Link
    asking: Link

    async def setUp(self) -> None:  # type: ignore[override]
        self.master = await start_redis(self, keeps=False)
        self.replica = await start_redis(self, keeps=False, replica_of=self.master)
        await self.replica.synchronised()
        await self.master.ask("WAIT", 1, 0)
        self.reading = await self.linked(self.master)
        self.asking = await self.linked(self.master)


class CopiesTests(CopiesCase):
    def copies(self, replicas: int, patience: float = PATIENCE) -> Copies:
        return Copies(reactor, self.reading, [self.asking], "test:", replicas, patience)

    async def test_what_was_written_is_there_when_it_is_over(self) -> None:
        await self.asking.ask("SET", "said", "hello")

        await self.copies(1).made()

        self.assertEqual(await self.replica.ask("GET", "said"), b"hello")

    async def test_nobody_is_waited_for_unless_that_is_asked_for(self) -> None:
        self.replica.pause()

        await self.copies(0).made()

        self.assertEqual(await self.asking.ask("EXISTS", "test:copied"), 0)

    async def test_it_lasts_until_they_are_there(self) -> None:
        self.replica.pause()
        copies = self.copies(1, SOON)
        made = Deferred.fromCoroutine(copies.made())
        # The connections are left, as they may lead to what is no master any more.
        with self.assertRaises(Away):
            await made
        self.assertEqual(copies.missing, "0 of 1 replicas are there")
        self.assertEqual(self.asking.connections, 1)
        await self.reading.up()
        await self.asking.up()
        self.assertEqual((self.reading.connections, self.asking.connections), (2, 2))

        made = Deferred.fromCoroutine(copies.made())
        await deferLater(reactor, 2 * SOON)
        self.assertFalse(made.called)
        self.replica.go_on()
        await made

        self.assertEqual(copies.missing, "")
        self.assertEqual(self.reading.connections, 2)


class JournalTests(CopiesCase):
    async def journal(self, replicas: int) -> RedisJournal:
        settings = RedisSettings(prefix="test:", patience=PATIENCE, replicas=replicas)
        journal = RedisJournal(reactor, self.asking, self.reading, settings)
        journal.follow(self)
        self.heard_texts: list[str] = []
        await journal.open()
        self.addCleanup(journal.close)
        return journal

    def wait_for_redis(self, journal: RedisJournal, seconds: float) -> None:
        """Changes for how long it is patient."""
        journal._settings = replace(journal._settings, patience=seconds)
        journal._copies._patience = seconds

    def heard(self, events: Sequence[Event]) -> None:
        """See `interface.Reader`."""
        self.heard_texts += texts_of(events)

    def lost(self, reason: str) -> None:
        """See `interface.Reader`."""
        self.fail(reason)

    async def test_nothing_is_acknowledged_or_told_that_no_replica_has(self) -> None:
        journal = await self.journal(1)
        await journal.commit([said("one")], {}, "")
        self.replica.pause()
        self.wait_for_redis(journal, SOON)

        with self.assertRaises(NotStored):
            await journal.commit([said("two")], {}, "")
        while not journal._copies.missing:
            await deferLater(reactor, TURN)
        refused = journal.commit([said("three")], {}, "")
        self.assertIn("0 of 1 replicas are there", str(self.failureResultOf(refused, NotStored)))
        self.assertEqual(self.heard_texts, [])

        self.replica.go_on()
        while journal._copies.missing:
            await deferLater(reactor, TURN)
        self.wait_for_redis(journal, PATIENCE)
        await journal.commit([said("four")], {}, "")
        # What the master has is not lost, and not told before.
        self.assertEqual(self.heard_texts, ["two"])
        found = await journal.history("r1", ("message",), 10)
        self.assertEqual(texts_of(found), ["one", "two", "four"])
