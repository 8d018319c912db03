"""Random requests on random nodes, which hear of one another at random moments, are cut off, and
are given up by the others: in the end all of them have one state, and every client has been told
what happened in a room in the one order that there is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chatservice.controller import modes
from tests.bench import Client
from tests.generated import steady
from tests.nodes_case import Node, NodesCase, World, dump

NODES = "abc"
ROOMS = st.sampled_from(["den", "hall"])
NICKS = st.sampled_from(["ann", "bob", "cid", "dan", "eve"])


def lines(pattern: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda values: pattern.format(*values))


LINE = st.one_of(
    lines("LOGIN:{}", NICKS),
    lines("LOGIN:{}:sesame", NICKS),
    st.sampled_from(["LOGOUT:", "REGISTER:sesame"]),
    lines("NEWROOM:{}", st.sampled_from(["den", "tea", "Tea"])),
    lines("DELROOM:{}", st.sampled_from(["den", "tea"])),
    lines("JOINROOM:{}", st.sampled_from(["den", "hall", "tea"])),
    lines("JOINROOM:{}", ROOMS),
    lines("EXITROOM:{}", ROOMS),
    lines("SETPRIVATE:{}", st.just("tea")),
    lines("INVITEROOM:{}:{}", ROOMS, NICKS),
    lines("KICKROOM:{}:{}", st.sampled_from(["hall", "tea"]), NICKS),
    lines("SAY:{}:psst", NICKS),
    lines("ROOM:{}:", ROOMS),
    lines("ROOM:{}:", ROOMS),
    lines("TOPIC:tea:{}", NICKS),
)
IRC = st.one_of(
    lines("NICK {}", NICKS),
    lines("JOIN #{}", st.sampled_from(["den", "hall", "tea"])),
    lines("JOIN #{}", ROOMS),
    lines("PART #{}", ROOMS),
    lines("MODE #tea +{} {}", st.sampled_from("ovb"), NICKS),
    lines("MODE #{} +l 3", st.just("tea")),
    lines("AWAY :{}", NICKS),
    lines("KICK #tea {}", NICKS),
    lines("INVITE {} #tea", NICKS),
    lines("PRIVMSG {} :psst", NICKS),
    lines("PRIVMSG #{} :", ROOMS),
    lines("PRIVMSG #{} :", ROOMS),
    lines("KILL {} :out", NICKS),
    st.sampled_from(["NICKSERV GHOST ann sesame", "MODE {} +B", "QUIT"]),
)
NODE = st.sampled_from(NODES)
Step = tuple[str, Any, str]
STEPS: st.SearchStrategy[Step] = st.one_of(
    *[st.tuples(st.just("line"), NODE, LINE)] * 4,
    *[st.tuples(st.just("irc"), NODE, IRC)] * 4,
    st.tuples(st.just("leaves"), NODE, st.sampled_from(["line", "irc"])),
    st.tuples(st.sampled_from(["lags", "catches up", "lags", "catches up"]), NODE, st.just("")),
    st.tuples(st.sampled_from(["goes away", "comes back", "comes back"]), NODE, st.just("")),
    st.tuples(st.just("is missed"), NODE, NODE),
    st.tuples(st.sampled_from(["is held back", "is unsure", "restarts"]), NODE, st.just("")),
    st.tuples(st.just("gets through"), NODE, st.just("")),
    st.tuples(st.just("waits"), NODE, st.just("")),
)

_SAID = re.compile(r"(?:ROOM:|:\S+ PRIVMSG #)(den|hall)(?::\w+| ):(\d+)")


class Play:
    """Three nodes, each with a client of the line protocol and one of IRC; and on each somebody who
    is in `den` and `hall` all the time, and writes down what is said there.
    """

    def __init__(self, case: NodesCase) -> None:
        self._case = case
        self.world = World()
        self.nodes = {name: self.world.node(name) for name in NODES}
        self.clients: dict[tuple[str, str], Client] = {}
        self.heard: dict[Client, list[str]] = {}
        self._said = 0
        self.watchers: list[Client] = []
        first, *_ = self.nodes.values()
        owner = first.user("owner", "REGISTER:sesame", "NEWROOM:den", "NEWROOM:hall")
        owner.hang_up()
        for name, node in self.nodes.items():
            self.watchers.append(node.user(f"watch{name}", "JOINROOM:den", "JOINROOM:hall"))
        for number, name in enumerate(NODES):
            for kind in ("line", "irc"):
                self._connect(name, kind, f"{kind}{number}")

    def _connect(self, name: str, kind: str, nick: str) -> None:
        client = self.nodes[name].client(dialect=kind)
        if kind == "line":
            client.send(f"LOGIN:{nick}", "JOINROOM:den", "JOINROOM:hall")
        else:
            client.send(f"NICK {nick}", f"USER {nick} 0 * :{nick}", "JOIN #den,#hall")
            self.nodes[name].flag(nick, modes.SERVER_OPERATOR)
        self.clients[name, kind] = client
        self.heard[client] = []

    def play(self, steps: Sequence[Step]) -> None:
        for kind, name, what in steps:
            getattr(self, f"_{kind.replace(' ', '_')}")(name, what)
        self._come_together()
        self._compare()

    # Steps.

    def _line(self, name: str, line: str) -> None:
        self._says(name, "line", line)

    def _irc(self, name: str, line: str) -> None:
        self._says(name, "irc", line)

    def _says(self, name: str, kind: str, line: str) -> None:
        if line.endswith(":"):
            self._said += 1
            line += str(self._said)
        client = self.clients[name, kind]
        if client.closed:
            self._leaves(name, kind)
        else:
            client.send(line)

    def _leaves(self, name: str, kind: str) -> None:
        self.clients[name, kind].hang_up()
        self._said += 1
        self._connect(name, kind, f"{kind}{self._said}")

    def _lags(self, name: str, _: str) -> None:
        self.nodes[name].lag()

    def _catches_up(self, name: str, _: str) -> None:
        if not self.nodes[name].face.away:
            self.nodes[name].catch_up()

    def _goes_away(self, name: str, _: str) -> None:
        self.nodes[name].go_away()

    def _comes_back(self, name: str, _: str) -> None:
        self.nodes[name].come_back()

    def _is_missed(self, name: str, by: str) -> None:
        node, other = self.nodes[name], self.nodes[by]
        # Who misses somebody is in touch, and hears what comes of it.
        if node is not other and not other.face.away:
            self._gets_through(by, "")
            other.catch_up()
            other.misses(node)

    def _is_held_back(self, name: str, _: str) -> None:
        self.world.shared.let_through()
        self.world.shared.hold_back(self.nodes[name].face)

    def _gets_through(self, _: str, __: str) -> None:
        self.world.shared.let_through()
        self._settle()

    def _is_unsure(self, name: str, _: str) -> None:
        self.nodes[name].face.unsure = True

    def _restarts(self, name: str, _: str) -> None:
        node = self.nodes[name]
        # It waits for what is on its way.
        self._gets_through(name, "")
        node.come_back()
        node.restart_controller()

    def _waits(self, name: str, _: str) -> None:
        self.nodes[name].wait(1)

    def _settle(self) -> None:
        next(iter(self.nodes.values())).settle()

    # In the end.

    def _come_together(self) -> None:
        self.world.shared.let_through()
        for node in self.nodes.values():
            node.face.unsure = False
            node.come_back()
        for _ in range(3):
            for node in self.nodes.values():
                node.sweep()
                node.wait(1)

    def _compare(self) -> None:
        case, nodes = self._case, list(self.nodes.values())
        for node in nodes:
            case.assertEqual(without_idle(node), without_idle(nodes[0]), node.name)
            case.assert_all_is_told(node)
        orders = [told(client) for client in self.watchers if not client.closed]
        order = max(orders, key=len, default=[])
        for client in self.watchers:
            # Whoever is there all the time hears all of it: no more, and nothing twice.
            if not client.closed:
                case.assertEqual(told(client), order)
        for client in self.heard:
            some = iter(order)
            heard = told(client)
            case.assertTrue(all(each in some for each in heard), (heard, order))


def told(client: Client) -> list[tuple[str, str]]:
    """What a client was ever told that was said in the rooms: which room, and what."""
    text = b"".join(client.pipe.writes).decode()
    return [match.groups() for match in _SAID.finditer(text)]  # type: ignore[misc]


def without_idle(node: Node) -> dict[Any, Any]:
    """All that is true on a node, but for who is idle, which a restart may forget."""
    return {
        key: {name: value for name, value in record.items() if name != "spoke"}
        for key, record in dump(node.state).items()
        if record is not None
    }


class NodesModelTests(NodesCase):
    def test_all_nodes_agree_whatever_happens(self) -> None:
        @steady(150)
        @given(st.lists(STEPS, min_size=30, max_size=80))
        def check(steps: list[Step]) -> None:
            Play(self).play(steps)

        check()
