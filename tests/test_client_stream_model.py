"""
Random interleavings of what is stored, told, read and lost: every message is read once, in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from chatservice.client import Message
from chatservice.client.stream import Stream
from tests.client_case import Reader
from tests.generated import steady
from tests.test_client_stream import message, some

PAGE = 3
QUEUED = 4
FEW = st.integers(1, 3)
STEP = st.one_of(
    st.tuples(st.sampled_from(["commit", "commit", "deliver", "receive"]), FEW),
    st.tuples(st.sampled_from(["answer", "answer", "read", "read", "cancel"]), FEW),
    st.tuples(st.sampled_from(["cut", "enter", "resume"]), FEW),
)


class Room:
    """
    A room on a server, and a connection to it: what is stored is told later, what is told arrives
    later, and all may be lost on the way. The history is read when everything that was stored
    before it was asked for has been told; and then may say more than that.
    """

    def __init__(self) -> None:
        self.stored = 0
        self._told = 0
        self._place = 0
        self._inside = self._usable = True
        # What is on its way to the program: messages, and one answer at most.
        self._wire: list[Message | list[Message]] = []
        self._asked_at: int | None = None
        self._answer: Deferred[list[Message]] | None = None
        self.stream = Stream(self, QUEUED)
        self.reader = Reader(self.stream, greedy=False)

    # The history, to the stream.

    def passed(self, message: Message) -> None:
        self._place = int(message.id)

    async def read(self) -> list[Message] | None:
        self._answer = Deferred(self._give_up)
        if self._usable:
            self._asked_at = self.stored
        page = await self._answer
        if not page:
            return None
        self._place = int(page[-1].id)
        return page

    def _give_up(self, _: object) -> None:
        # The answer comes all the same, too late.
        self._answer = self._asked_at = None
        self._wire = [each for each in self._wire if isinstance(each, Message)]

    # What may happen.

    def commit(self, number: int) -> None:
        self.stored += number

    def deliver(self, number: int) -> None:
        for _ in range(number):
            if self._told < self.stored:
                self._told += 1
                if self._inside:
                    self._wire.append(message(self._told))

    def receive(self, number: int) -> None:
        for _ in range(number):
            if self._wire:
                first = self._wire.pop(0)
                if isinstance(first, Message):
                    self.stream.arrived(first)
                elif self._answer is not None:
                    self._answer.callback(first)

    def answer(self, _: int) -> None:
        if self._asked_at is not None:
            self.deliver(max(0, self._asked_at - self._told))
            end = min(self._place + PAGE, self.stored)
            self._wire.append(some(*range(self._place + 1, end + 1)))
            self._asked_at = None

    def read_some(self, number: int) -> None:
        self.reader.read(number)

    def cancel(self, _: int) -> None:
        self.reader.cancel()

    def cut(self, _: int) -> None:
        self._wire.clear()
        self._asked_at = None
        self._inside = self._usable = False
        self.stream.interrupted()

    def enter(self, _: int) -> None:
        if not self._inside:
            # The entering is stored, and told in its turn.
            self._told = self.stored
            self._inside = True

    def resume(self, _: int) -> None:
        self.enter(0)
        if not self._usable:
            self._usable = True
            if self._answer is not None and not self._answer.called:
                self._asked_at = self.stored
            self.stream.resumed()

    def play(self, steps: Sequence[tuple[str, int]]) -> None:
        """Let it happen; then let everything come to rest."""
        does: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("commit", "deliver", "receive", "answer", "cancel", "cut", "enter")
        }
        does |= {"resume": self.resume, "read": self.read_some}
        for name, number in steps:
            does[name](number)
        self.resume(0)
        while len(self.reader.messages) < self.stored:
            before = len(self.reader.messages)
            self.reader.read(1)
            for _ in range(2 * (PAGE + QUEUED)):
                self.deliver(1)
                self.answer(1)
                self.receive(1000)
            assert len(self.reader.messages) > before, "nothing more is read"


class ModelTests(SynchronousTestCase):
    def test_every_message_is_read_once_and_in_order_whatever_happens(self) -> None:
        @steady(1500)
        @given(st.lists(STEP, max_size=60))
        def check(steps: list[tuple[str, int]]) -> None:
            room = Room()
            room.play(steps)
            read = [int(each.id) for each in room.reader.messages]
            self.assertEqual(read, list(range(1, room.stored + 1)))

        check()
