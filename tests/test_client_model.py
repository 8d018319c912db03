"""
Random mishaps between programs and a house: bytes that come late or not at all, connections that
are cut anywhere, a house that falls down with what is not stored. Whatever happens, what a program
says is stored once and in its order, and every program reads every message once, in the order of
the history.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from chatservice.client import Client, Refused, Room
from chatservice.controller.events import SAID
from chatservice.controller.policy import Policy
from tests.client_case import ClientCase, Reader
from tests.generated import steady

NICKS = ("alice", "bob", "carol")
PROGRAMS = len(NICKS)
PAGE = 5
"""Messages in a page of the history, and conversations in a list of them."""

PATIENCE = 500
"""Rounds after which everything that is said has to be stored, and read."""

WHO = st.integers(0, PROGRAMS - 1)
BYTES = st.sampled_from([1, 7, 30, 100, 1000, None])
STEP = st.one_of(
    st.tuples(st.just("say"), WHO, st.integers(1, 4)),
    st.tuples(st.just("say"), WHO, st.integers(1, 4)),
    st.tuples(st.just("tell"), WHO, WHO),
    st.tuples(st.just("up"), WHO, BYTES),
    st.tuples(st.just("up"), WHO, BYTES),
    st.tuples(st.just("down"), WHO, BYTES),
    st.tuples(st.just("down"), WHO, BYTES),
    st.tuples(st.just("read"), WHO, st.integers(1, 5)),
    st.tuples(st.just("read"), WHO, st.integers(1, 5)),
    st.tuples(st.just("give_up_reading"), WHO, st.none()),
    st.tuples(st.just("cut"), WHO, st.booleans()),
    st.tuples(st.just("settle"), st.none(), st.none()),
    st.tuples(st.just("hold"), st.none(), st.none()),
    st.tuples(st.just("release"), st.none(), st.none()),
    st.tuples(st.just("wait"), st.none(), st.sampled_from([0.25, 1.0, 1.0])),
    st.tuples(st.just("kill"), st.none(), st.none()),
)
Step = tuple[str, Any, Any]


class Talker:
    """A program that says one thing after another, and reads when it is told to."""

    def __init__(self, client: Client, room: Room) -> None:
        self.client = client
        self.nick = client.nick
        self._room = room
        self.reader = Reader(aiter(room), greedy=False)
        self.directs = Reader(aiter(client.directs), greedy=False)
        self.wanted: list[str] = []
        self.stored: list[tuple[str, str]] = []
        self.failed: list[str] = []
        self.told: list[str] = []
        self._turns: Deferred[None] = Deferred()
        self._turns.callback(None)

    def say(self, times: int) -> None:
        """Say something, when what was to be said before is stored."""
        for _ in range(times):
            text = f"{self.nick} {len(self.wanted)}"
            self.wanted.append(text)
            self._in_turn(self._say, text)

    async def _say(self, text: str) -> None:
        stored = await self._room.say(text, timeout=10_000)
        self.stored.append((stored.id, text))

    def tell(self, nick: str, text: str) -> None:
        """Say something to somebody, in its turn."""
        self._in_turn(self._tell, nick, text)

    def _in_turn(self, does: Callable[..., Coroutine[Any, Any, None]], *what: str) -> None:
        self._turns.addCallback(lambda _: Deferred.fromCoroutine(does(*what)))

    async def _tell(self, nick: str, text: str) -> None:
        try:
            await self.client.tell(nick, text, timeout=10_000)
        except Refused as refused:
            if refused.code != "NO_SUCH_USER":
                raise
            self.failed.append(text)
        else:
            self.told.append(text)

    @property
    def busy(self) -> bool:
        """Is something on its way?"""
        return bool(self._turns.paused)


class Mishaps:
    """A world of talkers, and all that may happen to them."""

    def __init__(self, case: ModelTests) -> None:
        self._case = case
        case.open_world(policy=Policy(history_messages=PAGE))
        self._world = case.world
        clients = [case.program(nick, "sesame", queued=4) for nick in NICKS]
        rooms = [case.do(client.join("den", create=True)) for client in clients]
        self._talkers = [Talker(*each) for each in zip(clients, rooms, strict=True)]
        self._tells = 0

    # What may happen.

    def say(self, who: int, times: int) -> None:
        self._talkers[who].say(times)

    def tell(self, who: int, whom: int) -> None:
        self._tells += 1
        self._talkers[who].tell(NICKS[whom], f"{who} to {whom}, {self._tells}")

    def up(self, who: int, most: int | None) -> None:
        wire = self._world.wire(who)
        if wire is not None:
            wire.carry_up(most)

    def down(self, who: int, most: int | None) -> None:
        wire = self._world.wire(who)
        if wire is not None:
            wire.carry_down(most)

    def read(self, who: int, number: int) -> None:
        self._talkers[who].reader.read(number)
        self._talkers[who].directs.read(number)

    def give_up_reading(self, who: int, _: None) -> None:
        self._talkers[who].reader.cancel()
        self._talkers[who].directs.cancel()

    def cut(self, who: int, both: bool) -> None:
        self._world.cut(who, both)

    def settle(self, _: None, __: None) -> None:
        self._world.settle()

    def hold(self, _: None, __: None) -> None:
        if self._world.journal._held is None:
            self._world.journal.hold()

    def release(self, _: None, __: None) -> None:
        self._world.journal.release()

    def wait(self, _: None, seconds: float) -> None:
        self._world.clock.advance(seconds)
        self._world.house.clock.advance(seconds)

    def kill(self, _: None, __: None) -> None:
        self._world.kill()

    # What has to come of it.

    def come_to_rest(self) -> None:
        """Everything works again, for long enough."""
        self._world.journal.release()
        for talker in self._talkers:
            talker.reader.read(1_000_000)
            talker.directs.read(1_000_000)
        for _ in range(PATIENCE):
            self._world.wait()
            for talker in self._talkers:
                talker.reader.read(1_000_000)
                talker.directs.read(1_000_000)
            if not any(talker.busy for talker in self._talkers):
                break
        self._world.wait()

    def compare(self) -> None:
        """Everybody has read what the history says, and it says what everybody said."""
        history = self._history()
        case = self._case
        for talker in self._talkers:
            case.assertFalse(talker.busy)
            case.assertEqual(talker.reader.error, None)
            case.assertEqual(talker.reader.texts, [text for _, text in history])
            own = [said for said in history if said[1].startswith(f"{talker.nick} ")]
            case.assertEqual(own, talker.stored)
            case.assertEqual([text for _, text in own], talker.wanted)
        self._compare_directs()

    def _compare_directs(self) -> None:
        told = [text for talker in self._talkers for text in talker.told]
        failed = {text for talker in self._talkers for text in talker.failed}
        for whom, talker in enumerate(self._talkers):
            for who in range(PROGRAMS):
                way = f"{who} to {whom}, "
                got = [m.text for m in talker.directs.messages if m.text.startswith(way)]
                said = [text for text in told if text.startswith(way)]
                # What was stored may have been found by nobody, after whom it was for had gone.
                self._case.assertEqual([text for text in got if text not in failed], said)
                self._case.assertEqual(len(set(got)), len(got))

    def _history(self) -> list[tuple[str, str]]:
        house = self._world.house
        room = house.controller.state.rooms["den"]
        events: list[Any] = self._case.successResultOf(
            house.journal.history(room.id, SAID, 1_000_000)
        )
        return [(event.id, event.text) for event in events]


class ModelTests(ClientCase):
    def play(self, steps: Sequence[Step]) -> None:
        """Let it happen, and see what comes of it."""
        mishaps = Mishaps(self)
        for kind, who, how in steps:
            getattr(mishaps, kind)(who, how)
        mishaps.come_to_rest()
        mishaps.compare()

    def test_everything_is_said_and_read_once_and_in_order(self) -> None:
        @settings(steady(250), suppress_health_check=list(HealthCheck))
        @given(st.lists(STEP, min_size=20, max_size=80))
        def check(steps: list[Step]) -> None:
            self.play(steps)

        check()
