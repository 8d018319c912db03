"""What is in deploy/: that its files, which name the same ports, addresses and folders, agree."""

from __future__ import annotations

import re
from pathlib import Path

from twisted.internet.testing import MemoryReactorClock
from twisted.python.filepath import FilePath
from twisted.trial.unittest import SynchronousTestCase

from chatservice.config import load_config
from chatservice.networking.certificates import ensure_self_signed
from chatservice.networking.contexts import ContextPool
from chatservice.networking.listeners import make_listener, parse_listener

_DEPLOY = Path(__file__).parent.parent / "deploy"
_NODES = r"^  (node\d+):\n    <<: \*node$"


def text_of(name: str) -> str:
    return (_DEPLOY / name).read_text("utf-8")


def found(pattern: str, name: str) -> list[str]:
    """All that a pattern finds in a file, which is something."""
    matches = re.findall(pattern, text_of(name), re.MULTILINE)
    if not matches:
        raise AssertionError(f"{name} has nothing that is like {pattern}")
    return matches


class NodesTests(SynchronousTestCase):
    """Three nodes and Redis behind HAProxy."""

    def setUp(self) -> None:
        self.config = load_config(_DEPLOY / "node.toml", {})
        [proxied] = (each for each in self.config.listen if "haproxy:" in each)
        self.proxied_port = proxied.rpartition(":")[2]

    def test_haproxy_has_every_node_and_finds_it_at_its_port(self) -> None:
        nodes = found(_NODES, "compose.yaml")
        servers = found(r"^    server (\S+) (\S+)$", "haproxy.cfg")
        self.assertEqual(servers, [(node, f"{node}:{self.proxied_port}") for node in nodes])
        self.assertEqual(found(r"depends_on: \[(.*)\]", "compose.yaml"), [", ".join(nodes)])

    def test_every_node_keeps_its_data_in_a_volume_of_its_own(self) -> None:
        nodes = found(_NODES, "compose.yaml")
        self.assertEqual(found(r'"(\w+):/data"\]$\n\n  (?:node|#)', "compose.yaml"), nodes)

    def test_clients_are_let_in_at_the_port_that_the_image_is_for(self) -> None:
        [bound] = found(r"^    bind :(\d+)", "haproxy.cfg")
        self.assertEqual(found(r'ports: \["(\d+):(\d+)"\]', "compose.yaml"), [(bound, bound)])
        self.assertEqual(found(r"^EXPOSE (\d+)", "Dockerfile"), [bound])

    def test_the_image_can_check_the_health_of_a_node(self) -> None:
        [checked] = found(r"\('localhost', (\d+)\)", "Dockerfile")
        self.assertIn(f"ssl:{checked}:interface=127.0.0.1", self.config.listen)

    def test_haproxy_alone_is_believed_and_is_not_limited_as_one_client(self) -> None:
        [address] = found(r"ipv4_address: (\S+)", "compose.yaml")
        self.assertEqual(self.config.trusted_proxies, (f"{address}/32",))
        self.assertIn(f"{address}/32", self.config.limits.exempt_addresses)
        self.assertEqual(found(r"send-proxy\S*", "haproxy.cfg"), ["send-proxy-v2"])

    def test_a_silent_client_is_asked_by_its_node_before_haproxy_gives_it_up(self) -> None:
        [hours] = found(r"timeout tunnel (\d+)h", "haproxy.cfg")
        self.assertGreater(int(hours) * 3600, self.config.limits.idle_seconds)

    def test_redis_is_where_the_nodes_look_for_it(self) -> None:
        [service] = found(r'^store = "redis://(\w+):6379/0"', "node.toml")
        self.assertEqual(found(rf"^  ({service}):$\n    image: redis", "compose.yaml"), [service])

    def test_all_nodes_have_the_certificate_that_is_made_for_them(self) -> None:
        names = {str(self.config.tls.private_key), str(self.config.tls.certificate)}
        self.assertEqual(names, {"/tls/server.key", "/tls/server.crt"})
        self.assertEqual(len(found('"tls:/tls:ro"', "compose.yaml")), 3)
        found(r'^    volumes: \["tls:/data"\]', "compose.yaml")


class EndpointsTests(SynchronousTestCase):
    def test_every_endpoint_can_be_listened_on(self) -> None:
        files = ensure_self_signed(FilePath(self.mktemp()), [])
        contexts = ContextPool(lambda: files)
        endpoints = [
            *found(r"^Environment=CHAT_ENDPOINT=(\S+)", "chat@.service"),
            *load_config(_DEPLOY / "node.toml", {}).listen,
        ]
        for endpoint in endpoints:
            made = make_listener(MemoryReactorClock(), parse_listener(endpoint), contexts)
            self.assertIsNotNone(made.tls)


class UnitsTests(SynchronousTestCase):
    def test_one_process_of_several_may_do_no_more_than_one_alone(self) -> None:
        walls = [
            text_of(unit).partition("# It needs its folder")[2].partition("[Install]")[0]
            for unit in ("chat.service", "chat@.service")
        ]
        self.assertIn("ProtectSystem=strict", walls[0])
        self.assertEqual(*walls)
