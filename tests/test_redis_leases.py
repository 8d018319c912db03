"""What nodes have of one another in a real Redis: leases, cards, the secret; and their names."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.python.filepath import FilePath
from twisted.trial.unittest import TestCase

from chatservice.controller.desk import Card
from chatservice.journal.redis.link import Link
from chatservice.nodes.identity import ensure_name
from chatservice.nodes.leases import OutOfTouch
from chatservice.nodes.redis.cards import RedisCards
from chatservice.nodes.redis.leases import RedisLeases
from chatservice.nodes.redis.secret import shared_secret
from chatservice.supervision import CannotStart
from tests.redis_server import RedisServer, start_redis
from tests.test_redis_link import LinkCase, reactor

LONG = 3600.0


class RedisCase(LinkCase):
    server: RedisServer
    redis: Link

    async def setUp(self) -> None:  # type: ignore[override]
        self.server = await start_redis(self, keeps=False)
        self.redis = await self.linked(self.server)


class LeaseTests(RedisCase):
    async def setUp(self) -> None:  # type: ignore[override]
        await super().setUp()
        self.leases = RedisLeases(self.redis, "test:")

    async def run_out(self, node: str) -> None:
        """Over when a node has no lease any more."""
        while node in await self.leases.renew("looking", LONG):
            await deferLater(reactor, 0.005)

    async def test_those_who_have_one_are_told_of_one_another(self) -> None:
        self.assertEqual(set(await self.leases.renew("a", LONG)), {"a"})
        self.assertEqual(set(await self.leases.renew("b", LONG)), {"a", "b"})

    async def test_a_lease_runs_out(self) -> None:
        await self.leases.renew("a", 0.001)

        await self.run_out("a")

    async def test_nothing_is_kept_of_nodes_that_never_come_back(self) -> None:
        await self.leases.renew("a", 0.001)
        await self.run_out("a")

        self.assertEqual(await self.redis.ask("ZCARD", "test:nodes"), 1)

    async def test_it_can_be_renewed_after_that(self) -> None:
        await self.leases.renew("a", 0.001)
        await self.run_out("a")

        self.assertIn("a", await self.leases.renew("a", LONG))

    async def test_a_node_without_one_is_claimed_by_one_alone(self) -> None:
        await self.leases.renew("a", 0.001)
        await self.run_out("a")

        claims = [await self.leases.claim("a") for _ in range(3)]

        self.assertEqual(claims, [True, False, False])

    async def test_a_node_that_nobody_has_heard_of_is_claimed(self) -> None:
        self.assertTrue(await self.leases.claim("stranger"))

    async def test_a_node_with_one_is_claimed_by_nobody(self) -> None:
        await self.leases.renew("a", LONG)

        self.assertFalse(await self.leases.claim("a"))

    async def test_a_node_that_went_again_is_claimed_again(self) -> None:
        await self.leases.claim("a")
        await self.leases.end("a")

        self.assertTrue(await self.leases.claim("a"))

    async def test_a_node_that_was_seen_to_is_claimed_again_if_it_is_still_missing(self) -> None:
        await self.leases.claim("a")

        await self.leases.seen_to("a")

        self.assertTrue(await self.leases.claim("a"))

    async def test_a_node_that_is_back_when_it_was_seen_to_keeps_its_lease_and_cards(self) -> None:
        cards = RedisCards(self.redis, "test:", lambda: "a")
        await self.leases.claim("a")
        await self.leases.renew("a", LONG)
        cards.keep("7-0", Card("192.0.2.1"))

        await self.leases.seen_to("a")

        self.assertIn("a", await self.leases.renew("b", LONG))
        self.assertEqual(await cards.show("a", "7-0"), Card("192.0.2.1"))

    async def test_a_node_that_ends_has_none(self) -> None:
        await self.leases.renew("a", LONG)

        await self.leases.end("a")

        self.assertEqual(set(await self.leases.renew("b", LONG)), {"b"})

    async def test_services_of_other_prefixes_have_others(self) -> None:
        await RedisLeases(self.redis, "other:").renew("a", LONG)

        self.assertEqual(set(await self.leases.renew("b", LONG)), {"b"})

    async def test_out_of_touch_on_a_new_connection(self) -> None:
        """What is found there may be a replica's that has taken over, with old leases."""
        await self.leases.renew("a", LONG)
        self.redis.leave("it may be no master any more")
        await self.redis.up()

        with self.assertRaises(OutOfTouch):
            await self.leases.renew("a", LONG)
        self.assertEqual(set(await self.leases.renew("a", LONG)), {"a"})

    async def test_out_of_touch_without_redis(self) -> None:
        await self.server.kill()

        for asked in (self.leases.renew("a", LONG), self.leases.claim("a"), self.leases.end("a")):
            with self.assertRaises(OutOfTouch):
                await Deferred.fromCoroutine(asked)


class CardTests(RedisCase):
    CARD = Card("192.0.2.1", "ab" * 32)

    async def setUp(self) -> None:  # type: ignore[override]
        await super().setUp()
        self.mine = RedisCards(self.redis, "test:", lambda: "mine")
        self.theirs = RedisCards(self.redis, "test:", lambda: "theirs")

    async def test_others_can_see_it(self) -> None:
        self.mine.keep("7-0", self.CARD)

        self.assertEqual(await self.theirs.show("mine", "7-0"), self.CARD)

    async def test_nobody_has_anothers(self) -> None:
        self.mine.keep("7-0", self.CARD)

        self.assertIsNone(await self.theirs.show("mine", "7-1"))
        self.assertIsNone(await self.mine.show("theirs", "7-0"))

    async def test_it_goes_with_the_visit(self) -> None:
        self.mine.keep("7-0", self.CARD)
        self.mine.drop("7-0")

        self.assertIsNone(await self.theirs.show("mine", "7-0"))

    async def test_all_of_them_go_with_the_node(self) -> None:
        self.mine.keep("7-0", self.CARD)

        await RedisLeases(self.redis, "test:").end("mine")

        self.assertIsNone(await self.theirs.show("mine", "7-0"))

    async def test_without_redis_nobody_can_tell_and_nothing_breaks(self) -> None:
        await self.server.kill()

        self.mine.keep("7-0", self.CARD)
        self.mine.drop("7-0")

        self.assertIsNone(await self.theirs.show("mine", "7-0"))


class SecretTests(RedisCase):
    async def test_all_have_the_same_one(self) -> None:
        secret = await shared_secret(self.redis, "test:")

        self.assertEqual(len(secret), 32)
        self.assertEqual(await shared_secret(self.redis, "test:"), secret)
        self.assertNotEqual(await shared_secret(self.redis, "other:"), secret)

    async def test_there_is_no_start_without_it(self) -> None:
        await self.server.kill()

        with self.assertRaises(CannotStart):
            await shared_secret(self.redis, "test:")


class NameTests(TestCase):
    def file(self) -> FilePath[str]:
        return FilePath(self.mktemp())

    def test_a_node_keeps_its_name(self) -> None:
        file = self.file()

        name = ensure_name(file)

        self.assertEqual(ensure_name(file), name)
        self.assertNotEqual(ensure_name(self.file()), name)

    def test_what_is_no_name_is_refused(self) -> None:
        file = self.file()
        file.setContent(b"node one\n")

        with self.assertRaises(CannotStart):
            ensure_name(file)

    def test_a_folder_that_is_not_there_is_told(self) -> None:
        with self.assertRaises(CannotStart):
            ensure_name(self.file().child("node"))
