"""
The service in figures, for Prometheus: the only module that knows `prometheus_client`. Batches are
observed as they pass, one call each; everything else is read when somebody asks. Nothing is decided
by a figure, and nobody imports this module but whoever puts the service together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter

from prometheus_client import (
    CollectorRegistry,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import Request, Site
from twisted.web.static import Data

from .controller.controller import Controller
from .controller.events import Event
from .delivery import Delivery
from .networking.connections import Connections
from .networking.listening import Watched
from .supervision import Supervisor

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_ROUND_TRIP = (0.0001, 0.00025, *_SECONDS)
_EVENTS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000)

_PAGE = b"""<!doctype html>
<html lang="en"><title>chatservice</title>
<p>The figures of this chat service, for Prometheus: <a href="/metrics">/metrics</a></p>
</html>
"""

_kind = attrgetter("kind")


class Metrics:
    """
    One service's figures, in a registry of their own. It is the journal's `Observer`.

    @param version: the service's.
    """

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self.stored: Counter[str] = Counter()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        Info("chat", "The service.", registry=self.registry).info({"version": version})
        self._commit = self._histogram(
            "chat_commit_seconds", "Time that storing a batch of events took.", _SECONDS
        )
        self._batch = self._histogram("chat_batch_events", "Events in a stored batch.", _EVENTS)
        self._delivery = self._histogram(
            "chat_delivery_seconds",
            "Time from the closing of a batch until it was stored and handed to connections.",
            _SECONDS,
        )
        self._redis: RedisFigures | None = None

    def redis(self) -> RedisFigures:
        """The figures of a store in Redis, which there are from now on."""
        if self._redis is None:
            self._redis = RedisFigures(self.registry)
        return self._redis

    def _histogram(self, name: str, words: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(name, words, buckets=buckets, registry=self.registry)

    def measure(
        self,
        root: Supervisor,
        controller: Controller,
        delivery: Delivery,
        connections: Connections,
    ) -> None:
        """Has the figures of these read from now on, whenever the registry is."""
        self.registry.register(_Figures(self.stored, root, controller, delivery, connections))
        if self._redis is not None:
            self.registry.register(_Nodes(controller))

    def site(self) -> MetricsSite:
        """The figures over HTTP."""
        return MetricsSite(self.registry)

    # What passes (`journal.commit.Observer`).

    def committed(self, events: Sequence[Event], seconds: float) -> None:
        self.stored.update(map(_kind, events))
        self._batch.observe(len(events))
        self._commit.observe(seconds)

    def delivered(self, seconds: float) -> None:
        self._delivery.observe(seconds)


class RedisFigures(Collector):
    """
    What passes between this node and Redis. It is the `FollowingObserver` of the log.

    @ivar lag: seconds from the storing of the entry that was read last to its reading, by the
        clocks of Redis and of this machine.
    @ivar entries: how many were read, one's own among them.
    @ivar reads: how many answers there were to the question what is new in the log.
    @ivar catch_ups: how often the reading was interrupted while others went on.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.lag = 0.0
        self.entries = self.reads = self.catch_ups = 0
        self._seconds = Histogram(
            "chat_redis_seconds",
            "Time that an answer of Redis took, by what the connection is for.",
            ["link"],
            buckets=_ROUND_TRIP,
            registry=registry,
        )
        registry.register(self)

    def answered(self, link: str) -> Callable[[float], None]:
        """Who hears what each answer on a connection took, seconds; C{link} is what it is for."""
        observe: Callable[[float], None] = self._seconds.labels(link).observe
        return observe

    def answered_reading(self, _: float) -> None:
        """As above, on the connection of the log: mostly it waits there for others to speak."""
        self.reads += 1

    # What is read (`journal.redis.following.FollowingObserver`).

    def read(self, lag: float) -> None:
        self.lag = lag
        self.entries += 1

    def caught_up(self) -> None:
        self.catch_ups += 1

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(
            "chat_redis_lag_seconds",
            "Time from the storing of the last entry of the log until this node read it.",
            self.lag,
        )
        yield CounterMetricFamily(
            "chat_redis_entries",
            "Entries of the log that were read, each a batch of this or another node.",
            self.entries,
        )
        yield CounterMetricFamily(
            "chat_redis_reads", "Answers to what is new in the log.", self.reads
        )
        yield CounterMetricFamily(
            "chat_redis_catch_ups",
            "Times that this node was cut off from the log and others went on meanwhile.",
            self.catch_ups,
        )

    def describe(self) -> Iterable[Metric]:
        return ()


class _Nodes(Collector):
    """Who is on which node, as this one knows it; see `_Figures` for the thread."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(
            "chat_node_users",
            "Users logged in, by the node they are connected to.",
            labels=["node"],
        )
        for node, users in {self._controller.node: (), **self._controller.state.nodes}.items():
            family.add_metric([node], len(users))
        yield family
        yield GaugeMetricFamily(
            "chat_lapsed_users",
            "Users of this node whom others have logged out, and who are not back yet.",
            len(self._controller.lapsed),
        )

    def describe(self) -> Iterable[Metric]:
        return ()


class _Figures(Collector):
    """
    What is read when it is asked for. That happens in a thread: so whatever the reactor's thread
    may change meanwhile is copied in one step first.
    """

    def __init__(
        self,
        stored: Counter[str],
        root: Supervisor,
        controller: Controller,
        delivery: Delivery,
        connections: Connections,
    ) -> None:
        self._stored = stored
        self._root = root
        self._controller = controller
        self._delivery = delivery
        self._connections = connections

    def collect(self) -> Iterable[Metric]:
        state = self._controller.state
        yield GaugeMetricFamily("chat_users", "Users logged in.", len(state.users))
        yield GaugeMetricFamily("chat_rooms", "Rooms.", len(state.rooms))
        yield self._speaking()
        yield self._refused()
        yield CounterMetricFamily(
            "chat_sendq_closings",
            "Connections closed because they did not read what was sent.",
            self._connections.overflowed,
        )
        yield CounterMetricFamily(
            "chat_deliveries",
            "Events handed to connections, each counted for each connection.",
            self._delivery.deliveries,
        )
        yield self._events()
        yield self._restarts()

    def describe(self) -> Iterable[Metric]:
        return ()

    def _speaking(self) -> Metric:
        speaking = dict(self._connections.by_dialect)
        family = GaugeMetricFamily(
            "chat_connections",
            "Open connections, by the dialect spoken; none: nothing has been said yet.",
            labels=["dialect"],
        )
        for dialect, count in speaking.items():
            family.add_metric([dialect], count)
        family.add_metric(["none"], max(0, len(self._connections) - sum(speaking.values())))
        return family

    def _refused(self) -> Metric:
        family = CounterMetricFamily(
            "chat_connections_refused",
            "Connections refused, by the limit that was reached.",
            labels=["reason"],
        )
        for refusal, count in self._connections.admission.refused.items():
            family.add_metric([refusal.name.lower()], count)
        return family

    def _events(self) -> Metric:
        family = CounterMetricFamily(
            "chat_events_stored", "Events stored in the journal, by kind.", labels=["kind"]
        )
        for kind, count in dict(self._stored).items():
            family.add_metric([kind], count)
        return family

    def _restarts(self) -> Metric:
        family = CounterMetricFamily(
            "chat_restarts",
            "Restarts of supervised children that their own end caused.",
            labels=["supervisor", "child"],
        )
        for supervisor, child, count in _restarts(self._root, "root"):
            family.add_metric([supervisor, child], count)
        return family


def _restarts(supervisor: Supervisor, name: str) -> Iterator[tuple[str, str, int]]:
    for child, count in dict(supervisor.restarts).items():
        yield name, child, count
    for service in list(supervisor.services):
        if isinstance(service, Supervisor):
            yield from _restarts(service, str(service.name))


class _LocalRequest(Request):
    """A request that may come through a UNIX socket, where WSGI wants hosts and ports."""

    def getClientAddress(self) -> IAddress:
        return _with_host(super().getClientAddress())

    def getHost(self) -> IAddress:
        return _with_host(super().getHost())


def _with_host(address: IAddress) -> IAddress:
    return IPv4Address("TCP", "127.0.0.1", 0) if isinstance(address, UNIXAddress) else address


class MetricsSite(Watched, Site):
    """
    The figures over HTTP, at `/metrics`, and a page at `/` that says so.

    @param registry: where the figures are.
    """

    noisy = False

    def __init__(self, registry: CollectorRegistry) -> None:
        # Importing this installs a reactor.
        from prometheus_client.twisted import MetricsResource  # noqa: PLC0415

        root = Resource()
        root.putChild(b"", Data(_PAGE, "text/html; charset=utf-8"))
        root.putChild(b"metrics", MetricsResource(registry))
        super().__init__(root, requestFactory=_LocalRequest)

    def log(self, request: http.Request) -> None:
        """A scrape every few seconds is no news."""
