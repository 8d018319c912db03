"""A node whose users were logged out by another: what they say may be in somebody else's name by
now, so nothing of it is stored before the node has read that.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from chatservice.controller.events import Event
from chatservice.journal.interface import NotStored
from chatservice.journal.redis.journal import RedisJournal
from chatservice.journal.redis.link import Link
from chatservice.nodes.redis.leases import RedisLeases
from tests.facts import say
from tests.redis_nodes import NodesCase


class FenceTests(NodesCase):
    async def setUp(self) -> None:  # type: ignore[override]
        await super().setUp()
        self.leases = RedisLeases(await self.asking(), self.prefix)
        await self.leases.claim("mine")

    def make_redis(self, link: Link | None = None, reading: Link | None = None) -> RedisJournal:
        made = super().make_redis(link, reading)
        made._node = lambda: "mine"
        return made

    async def refusal(self, *events: Event) -> str:
        with self.assertRaises(NotStored) as caught:
            await self.journal.commit(events, {}, "")
        return str(caught.exception)

    async def test_nothing_is_stored_while_its_users_are_logged_out(self) -> None:
        self.assertIn("logged out", await self.refusal(say("r", "ann", "who is this?")))
        self.assertEqual(await self.texts("r"), [])

    async def test_it_is_once_all_that_was_read(self) -> None:
        await self.leases.seen_to("mine")

        await self.store(say("r", "ann", "it is me"))

        self.assertEqual(await self.texts("r"), ["it is me"])

    async def test_others_are_not_concerned(self) -> None:
        other = super().make_redis()
        await other.open()
        self.addCleanup(other.close)

        await other.commit([say("r", "bob", "hello")], {}, "")

        self.assertEqual(await self.texts("r"), ["hello"])

    async def test_what_was_on_its_way_before_that_was_read_is_not_stored(self) -> None:
        reading = self.odd_link()
        late = self.make_redis(reading=reading)
        await late.open()
        self.addCleanup(late.close)
        reading.gate = Deferred()  # what happens is not heard
        self.journal._node = lambda: "another"  # type: ignore[attr-defined]
        await self.store(say("r", "zoe", "ann is somebody else now"))
        await self.leases.seen_to("mine")

        with self.assertRaises(NotStored):
            await late.commit([say("r", "ann", "who is this?")], {}, "")

        reading.gate.callback(None)
        reading.gate = None
        self.assertEqual(await self.texts("r"), ["ann is somebody else now"])
