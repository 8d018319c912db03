"""The figures: what Prometheus reads over HTTP from a running service, and who may read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from prometheus_client.parser import text_string_to_metric_families
from twisted.internet import reactor as _reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IListeningPort, IStreamClientEndpoint
from twisted.trial.unittest import TestCase
from twisted.web.client import URI, Agent, readBody
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from chatservice.config import Config, ConfigError, Limits
from chatservice.metrics import Metrics, RedisFigures
from chatservice.networking.listening import Listening
from chatservice.service import make_chat_service
from chatservice.supervision import Supervisor
from tests.redis_server import start_redis
from tests.service import HOST, PLAIN, TLS, RunningService, ServiceCase, until

reactor: Any = _reactor

METRICS = f"tcp:0:interface={HOST}"
Figures = Callable[..., float | None]


@implementer(IAgentEndpointFactory)
class OneEndpoint:
    """Has an HTTP client connect to one place, whatever the address says."""

    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self._endpoint = endpoint

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        return self._endpoint


class MeasuredService(RunningService):
    """A service with its figures."""

    async def get(self, path: str) -> tuple[int, str, str]:
        """Ask over HTTP; the status, the type and the text."""
        listening = cast(Listening, self.root.getServiceNamed("metrics"))
        address: Any = cast(IListeningPort, listening.port).getHost()
        url = f"http://{HOST}:{address.port}{path}".encode()
        response: Any = await Agent(reactor).request(b"GET", url)
        body = await readBody(response)
        kind = response.headers.getRawHeaders("content-type")[0]
        return response.code, kind, body.decode()

    async def figures(self) -> Figures:
        """Read the figures, as Prometheus does; a function that looks one up."""
        status, _, text = await self.get("/metrics")
        assert status == 200, text
        found = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        return lambda name, **labels: found.get((name, *sorted(labels.items())))


class MeasuredCase(ServiceCase):
    """A test of a service with its figures."""

    async def measure(
        self, metrics: str = METRICS, store: str = "memory", **limits: Any
    ) -> MeasuredService:
        settings: dict[str, Any] = {"messages_per_second": 0, "exempt_addresses": ()} | limits
        service = MeasuredService(
            Config(
                name="chat.example",
                data=Path(self.mktemp()),
                listen=(TLS,),
                store=store,
                metrics=metrics,
                limits=replace(Limits(stop_seconds=0), **settings),
            )
        )
        self.addCleanup(service.stop)
        await service.start()
        return service


class MetricsTests(MeasuredCase):
    async def test_users_rooms_and_connections_are_counted_as_they_are_now(self) -> None:
        service = await self.measure()
        await service.in_room("tea", "alice", "bob")
        await service.connect()
        await service.has(3)
        figure = await service.figures()
        self.assertEqual(figure("chat_users"), 2)
        self.assertEqual(figure("chat_rooms"), 1)
        self.assertEqual(figure("chat_connections", dialect="line"), 2)
        self.assertEqual(figure("chat_connections", dialect="none"), 1)

    async def test_events_batches_and_deliveries_are_counted_as_they_pass(self) -> None:
        service = await self.measure()
        alice, bob = await service.in_room("tea", "alice", "bob")
        before = await service.figures()
        alice.send("ROOM:tea:one", "ROOM:tea:two", "ROOM:tea:three")
        await bob.until("ROOM:tea:alice:three")
        after = await service.figures()

        def grown(name: str, **labels: str) -> float:
            return (after(name, **labels) or 0) - (before(name, **labels) or 0)

        self.assertEqual(grown("chat_events_stored_total", kind="message"), 3)
        self.assertEqual(grown("chat_batch_events_sum"), 3)
        # The line protocol's authors read their own words too.
        self.assertEqual(grown("chat_deliveries_total"), 6)
        batches = grown("chat_batch_events_count")
        self.assertIn(batches, (1, 2, 3))
        self.assertEqual(grown("chat_commit_seconds_count"), batches)
        self.assertEqual(grown("chat_delivery_seconds_count"), batches)

    async def test_refused_connections_are_counted_by_the_limit_that_was_reached(self) -> None:
        service = await self.measure(connections=1)
        await service.log_in("alice")
        refused = await service.connect()
        await refused.closed
        figure = await service.figures()
        self.assertEqual(figure("chat_connections_refused_total", reason="full"), 1)
        self.assertEqual(figure("chat_connections_refused_total", reason="too_many"), 0)

    async def test_connections_closed_for_not_reading_are_counted(self) -> None:
        service = await self.measure(sendq_bytes=4096)
        alice, bob = await service.in_room("tea", "alice", "bob")
        service.stall(bob)
        alice.send(*["ROOM:tea:" + "x" * 4000] * 2000)
        await service.has(1)
        figure = await service.figures()
        self.assertEqual(figure("chat_sendq_closings_total"), 1)

    async def test_restarts_are_counted_for_each_supervised_child_however_deep(self) -> None:
        service = await self.measure()
        networking = cast(Supervisor, service.root.getServiceNamed("networking"))
        listening = cast(Listening, networking.getServiceNamed(f"listener {TLS}"))
        port = cast(IListeningPort, listening.port)
        await maybeDeferred(port.stopListening)
        await until(lambda: listening.port not in (None, port))
        self.assertEqual(len(self.flushLoggedErrors(ConnectionLost)), 1)
        figure = await service.figures()
        child = f"listener {TLS}"
        self.assertEqual(figure("chat_restarts_total", supervisor="networking", child=child), 1)
        self.assertEqual(figure("chat_restarts_total", supervisor="root", child="controller"), 0)
        self.assertEqual(figure("chat_restarts_total", supervisor="root", child="metrics"), 0)

    async def test_the_process_itself_and_its_version_are_among_the_figures(self) -> None:
        figure = await (await self.measure()).figures()
        self.assertGreater(figure("process_resident_memory_bytes") or 0, 1e6)
        self.assertEqual(figure("chat_info", version="0.1.0"), 1)

    async def test_a_page_at_the_root_links_to_the_figures_and_nothing_else_is_there(self) -> None:
        service = await self.measure()
        status, kind, text = await service.get("/")
        self.assertEqual((status, kind), (200, "text/html; charset=utf-8"))
        self.assertIn('href="/metrics"', text)
        status, kind, text = await service.get("/metrics")
        self.assertEqual(status, 200)
        self.assertTrue(kind.startswith("text/plain"), kind)
        self.assertEqual((await service.get("/other"))[0], 404)

    async def test_they_can_be_read_through_a_unix_socket(self) -> None:
        # In the working folder of trial: a socket's path must be short.
        path = f"{self._testMethodName[-20:]}.sock"
        service = await self.measure(f"unix:{path}")
        await service.log_in("alice")
        endpoint = UNIXClientEndpoint(reactor, path)
        agent = Agent.usingEndpointFactory(reactor, OneEndpoint(endpoint))
        response: Any = await agent.request(b"GET", b"http://chat/metrics")
        body = await readBody(response)
        self.assertEqual(response.code, 200)
        self.assertIn(b"chat_users 1.0\n", body)

    async def test_each_service_has_figures_of_its_own(self) -> None:
        one, other = await self.measure(), await self.measure()
        await one.log_in("alice")
        self.assertEqual((await one.figures())("chat_users"), 1)
        self.assertEqual((await other.figures())("chat_users"), 0)

    async def test_without_the_setting_there_are_none(self) -> None:
        service = await self.serve()
        self.assertNotIn("metrics", service.root.namedServices)

    async def test_without_redis_there_are_none_of_redis_and_none_of_nodes(self) -> None:
        service = await self.measure()
        await service.log_in("alice")
        _, _, text = await service.get("/metrics")
        for name in ("chat_redis_", "chat_node_", "chat_lapsed_"):
            self.assertNotIn(name, text)


class RedisMetricsTests(MeasuredCase):
    async def node(self) -> MeasuredService:
        """A node on a Redis of its own."""
        return await self.measure(store=(await start_redis(self)).address)

    async def two(self) -> tuple[MeasuredService, MeasuredService]:
        """Two nodes on one Redis."""
        store = (await start_redis(self)).address
        return await self.measure(store=store), await self.measure(store=store)

    async def test_answers_of_redis_are_counted_with_their_time_on_each_connection(self) -> None:
        service = await self.node()
        (alice,) = await service.in_room("tea", "alice")
        before = await service.figures()
        for _ in range(3):
            await alice.ask("ROOM:tea:hello")
        after = await service.figures()
        name = "chat_redis_seconds_count"
        stored = (after(name, link="asking") or 0) - (before(name, link="asking") or 0)
        self.assertGreaterEqual(stored, 3)
        reads = (after("chat_redis_reads_total") or 0) - (before("chat_redis_reads_total") or 0)
        self.assertGreaterEqual(reads, 3)

    async def test_entries_of_the_log_are_counted_whichever_node_they_are_of(self) -> None:
        one, other = await self.two()
        (alice,) = await one.in_room("tea", "alice")
        bob = await other.log_in("bob")
        await bob.ask("JOINROOM:tea")
        before = await other.figures()
        await alice.ask("ROOM:tea:hello")
        await bob.until("ROOM:tea:alice:hello")
        after = await other.figures()
        name = "chat_redis_entries_total"
        self.assertEqual((after(name) or 0) - (before(name) or 0), 1)
        stored = "chat_batch_events_count"
        self.assertEqual(after(stored), before(stored))

    async def test_the_lag_is_how_old_the_last_entry_was_when_it_was_read(self) -> None:
        figures = Metrics("0").redis()
        figures.read(2.5)
        figures.read(0.25)
        self.assertEqual(_sample(figures, "chat_redis_lag_seconds"), 0.25)
        self.assertEqual(_sample(figures, "chat_redis_entries_total"), 2)

    async def test_catch_ups_are_counted(self) -> None:
        figures = Metrics("0").redis()
        self.assertEqual(_sample(figures, "chat_redis_catch_ups_total"), 0)
        figures.caught_up()
        self.assertEqual(_sample(figures, "chat_redis_catch_ups_total"), 1)

    async def test_each_node_knows_how_many_users_there_are_on_every_node(self) -> None:
        one, other = await self.two()
        await one.log_in("alice")
        await one.log_in("carol")
        await other.log_in("bob")
        await until(lambda: len(one.controller.state.users) == 3)
        for service in (one, other):
            figure = await service.figures()
            self.assertEqual(figure("chat_node_users", node=one.controller.node), 2)
            self.assertEqual(figure("chat_node_users", node=other.controller.node), 1)

    async def test_a_node_without_users_is_there_too(self) -> None:
        service = await self.node()
        figure = await service.figures()
        self.assertEqual(figure("chat_node_users", node=service.controller.node), 0)

    async def test_users_whom_others_have_logged_out_are_counted_until_they_are_back(self) -> None:
        service = await self.node()
        await service.log_in("alice")
        figure = await service.figures()
        self.assertEqual(figure("chat_lapsed_users"), 0)
        controller = service.controller
        controller.lapsed["visit"] = controller.state.users["alice"]
        figure = await service.figures()
        self.assertEqual(figure("chat_lapsed_users"), 1)


def _sample(figures: RedisFigures, name: str) -> float:
    """A figure that is read when it is asked for."""
    samples = [sample for family in figures.collect() for sample in family.samples]
    (found,) = [sample.value for sample in samples if sample.name == name]
    return float(found)


class EndpointTests(TestCase):
    def refused(self, metrics: str, **settings: Any) -> str:
        config = Config(store="memory", listen=(PLAIN,), metrics=metrics, **settings)
        return str(self.assertRaises(ConfigError, make_chat_service, reactor, config))

    def test_an_endpoint_that_can_not_be_is_refused_with_the_name_of_the_setting(self) -> None:
        for metrics in ("9667", "tcp", "tcp:x", "line@tcp:9667", "ssl:9667:bogus=1"):
            words = self.refused(metrics)
            self.assertTrue(words.startswith("metrics: "), words)
            self.assertIn(repr(metrics), words)

    def test_others_may_not_read_them_in_plain_text_unless_that_is_allowed(self) -> None:
        self.assertIn("loopback", self.refused("tcp:9667"))
        self.assertIn("loopback", self.refused("tcp:9667:interface=192.0.2.1"))
        config = Config(store="memory", listen=(PLAIN,), metrics="tcp:0", allow_plain_text=True)
        self.assertIn("metrics", make_chat_service(reactor, config).namedServices)
