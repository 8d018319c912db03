"""
A connection that is kept up: when it is made, how long what is asked waits for it, what is told of
it, and how it ends for good.
"""

from __future__ import annotations

from math import inf
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from chatservice.client import (
    Client,
    Connected,
    ConnectionGone,
    Disconnected,
    TimedOut,
)
from chatservice.client.link import longer_and_longer
from chatservice.translation.protobuf import chat_pb2 as pb
from tests.bench import SERVER, VERSION
from tests.client_case import PAUSE, ClientCase, Reader


class PauseTests(SynchronousTestCase):
    """How long one waits before the next attempt."""

    def test_they_grow_up_to_half_a_minute(self) -> None:
        longest = [max(longer_and_longer(n) for _ in range(500)) for n in (1, 2, 4, 8, 16)]

        self.assertEqual(longest, sorted(longest))
        self.assertLess(longest[0], 1.0)
        self.assertGreater(longest[-1], 20.0)
        for failures in (16, 100, 1_000_000):
            self.assertLessEqual(longer_and_longer(failures), 30.0)

    def test_they_are_of_random_length(self) -> None:
        pauses = {longer_and_longer(20) for _ in range(100)}

        self.assertGreater(len(pauses), 90)
        self.assertGreaterEqual(min(pauses), 15.0)


class ConnectingTests(ClientCase):
    def setUp(self) -> None:
        super().setUp()
        self.failures: list[int] = []

    def retry(self, failures: int) -> float:
        """A policy that writes down what it is asked."""
        self.failures.append(failures)
        return PAUSE

    def test_it_is_tried_again_and_again(self) -> None:
        self.world.reachable = False
        client = self.connecting(retry=self.retry)

        for _ in range(3):
            self.world.wait()

        self.assertEqual(self.failures, [1, 2, 3])
        self.assertEqual(
            self.told(client), [Disconnected("unix:/run/chat: nobody listens there", PAUSE)] * 3
        )
        self.world.reachable = True
        self.world.wait()
        self.assertTrue(client.connected)
        self.assertEqual(self.told(client), [Connected(SERVER, VERSION, again=False)])

    def test_who_is_lost_before_the_greeting_has_failed_again(self) -> None:
        self.world.reachable = False
        self.connecting(retry=self.retry)
        self.world.wait()
        self.world.reachable = True
        self.world.clock.advance(PAUSE)
        self.world.clock.advance(0)

        self.world.cut()

        self.assertEqual(self.failures, [1, 2])

    def test_who_was_greeted_begins_anew(self) -> None:
        self.world.reachable = False
        client = self.connecting(retry=self.retry)
        self.world.wait()
        self.world.wait()
        self.world.reachable = True
        self.world.wait()
        self.assertTrue(client.connected)
        self.failures.clear()

        self.world.cut()

        self.assertFalse(client.connected)
        self.assertEqual(self.failures, [1])
        self.world.wait()
        self.assertEqual(
            self.told(client)[-2:],
            [
                Disconnected("unix:/run/chat: the connection was lost", PAUSE),
                Connected(SERVER, VERSION, again=True),
            ],
        )

    def test_what_the_server_says_at_its_end_is_told(self) -> None:
        client = self.connecting()
        self.world.settle()
        for connection in list(self.world.house.book.live):
            connection.close("the server stops")

        self.world.settle()

        [*_, told] = self.told(client)
        self.assertEqual(
            told, Disconnected("unix:/run/chat has closed the connection: the server stops", PAUSE)
        )


class AskingTests(ClientCase):
    def setUp(self) -> None:
        super().setUp()
        self.world.reachable = False
        self.client = self.connecting()

    def connect(self) -> None:
        """There is a connection after all."""
        self.world.reachable = True
        self.world.wait()
        self.assertTrue(self.client.connected)

    def test_what_is_asked_waits_for_a_connection(self) -> None:
        asking = self.start(self.client.login("alice"))
        self.assertNoResult(asking)

        self.connect()

        self.assertEqual(self.successResultOf(asking).nick, "alice")

    def test_but_not_for_ever(self) -> None:
        asking = self.start(self.client.login("alice", timeout=5))
        for _ in range(5):
            self.world.wait()

        late = self.failureResultOf(asking, TimedOut).value

        self.assertEqual(str(late), "there is no connection: unix:/run/chat: nobody listens there")

    def test_or_for_ever(self) -> None:
        asking = self.start(self.client.login("alice", timeout=inf))
        self.world.wait(1_000_000)

        self.connect()

        self.successResultOf(asking)

    def test_who_has_no_time_is_told_at_once(self) -> None:
        self.refused(TimedOut, self.client.list_users(timeout=0))
        self.refused(TimedOut, self.client.list_users(timeout=-1))
        self.connect()
        asking = Deferred.fromCoroutine(self.client.list_users(timeout=-1))
        self.world.clock.advance(0)
        self.failureResultOf(asking, TimedOut)

    def test_what_was_asked_is_asked_again_on_the_next_connection(self) -> None:
        self.connect()
        asking = Deferred.fromCoroutine(self.client.login("alice"))
        self.world.cut()
        self.assertNoResult(asking)

        self.world.wait()

        self.assertEqual(self.successResultOf(asking).nick, "alice")

    def test_but_not_what_may_have_been_done(self) -> None:
        self.connect()
        self.do(self.client.login("alice"))
        self.do(self.client.register("sesame"))
        asking = Deferred.fromCoroutine(self.client.create_room("den"))
        wire = self.world.wire()
        assert wire is not None
        wire.carry_up()

        self.world.cut()

        self.failureResultOf(asking, ConnectionGone)
        self.world.wait()
        self.assertEqual([room.name for room in self.do(self.client.list_rooms())], ["den"])

    def test_who_waits_may_give_up_and_give_up_others(self) -> None:
        second: list[Deferred[Any]] = []
        first = self.start(self.client.login("alice"))
        first.addCallback(lambda _: second[0].cancel())
        second.append(self.start(self.client.list_users()))
        third = self.start(self.client.list_users())
        fourth = self.start(self.client.list_users())
        fourth.cancel()
        self.failureResultOf(fourth, CancelledError)

        self.connect()

        self.successResultOf(first)
        self.failureResultOf(second[0], CancelledError)
        self.assertEqual([user.nick for user in self.successResultOf(third)], ["alice"])

    def test_whoever_is_woken_may_give_up_others(self) -> None:
        waiting: list[Deferred[Any]] = []

        async def give_up_the_next() -> None:
            try:
                await self.client.list_users()
            finally:
                waiting[1].cancel()

        async def wait() -> None:
            await self.client.insist(list_users=pb.ListUsers())

        self.client.failure = None
        waiting.append(self.start(give_up_the_next()))
        waiting += [self.start(wait()), self.start(wait())]

        closing = self.start(self.client.close())

        self.successResultOf(closing)
        self.failureResultOf(waiting[0], ConnectionGone)
        self.failureResultOf(waiting[1], CancelledError)
        self.failureResultOf(waiting[2], ConnectionGone)

    def test_what_comes_too_fast_is_asked_again(self) -> None:
        from chatservice.controller.desk import Flow

        self.open_world(flow=Flow(rate=1, burst=4))
        client = self.program("alice")

        asking = [self.start(client.list_users()) for _ in range(6)]

        self.assertFalse(all(each.called for each in asking))
        for _ in range(10):
            self.world.wait()
        for each in asking:
            self.successResultOf(each)


class ClosingTests(ClientCase):
    def test_the_server_is_taken_leave_of(self) -> None:
        client = self.program("alice")

        closing = self.start(client.close())

        self.successResultOf(closing)
        self.assertEqual(self.world.house.book.live, [])
        self.assertEqual(self.world.clock.getDelayedCalls(), [])

    def test_whoever_waits_is_told(self) -> None:
        client = self.program("alice")
        room = self.do(client.join("den", create=True))
        streams = [Reader(aiter(room)), Reader(aiter(client.directs))]
        self.world.settle()
        asking = [
            Deferred.fromCoroutine(each)
            for each in (client.list_users(), client.list_users(timeout=inf), room.say("hello"))
        ]

        self.do(client.close())

        for each in asking:
            self.assertEqual(
                str(self.failureResultOf(each, ConnectionGone).value), "the client is closed"
            )
        for reader in streams:
            self.assertEqual((reader.over, reader.error), (True, None))
        self.assertEqual((room.ended, client.joined), ("the client is closed", {}))
        self.refused(ConnectionGone, client.list_users())
        self.refused(ConnectionGone, room.say("too late"))

    def test_whoever_catches_up_is_told_too(self) -> None:
        client = self.program("alice")
        room = self.do(client.join("den", create=True))
        self.world.cut()
        self.world.reachable = False
        readers = [Reader(aiter(room)), Reader(aiter(client.directs))]
        asking = self.start(client.list_users())

        self.do(client.close())

        self.failureResultOf(asking, ConnectionGone)
        for reader in readers:
            self.assertEqual((reader.over, reader.error), (True, None))
        self.assertEqual(self.world.clock.getDelayedCalls(), [])

    def test_it_may_be_closed_in_any_state_and_twice(self) -> None:
        never = Client("unix:/run/chat", reactor=self.world.reactor())
        self.do(never.close())
        self.world.reachable = False
        waiting = self.connecting()
        self.world.settle()
        self.do(waiting.close())
        self.do(waiting.close())
        self.world.reachable = True
        connecting = self.connecting()
        self.do(connecting.close())
        resuming = self.program("alice")
        self.world.cut(number=3)
        self.world.clock.advance(PAUSE)
        self.world.clock.advance(0)
        self.do(resuming.close())

        self.assertEqual(self.told(resuming)[-1].retry_in, PAUSE)
        self.assertEqual(self.world.clock.getDelayedCalls(), [])

    def test_whoever_listens_may_close_it(self) -> None:
        for event in (Connected, Disconnected):
            self.open_world()
            client = self.connecting()
            closing: list[Deferred[None]] = []

            def hear(told: Any, kind: type = event, client: Client = client) -> None:
                if isinstance(told, kind):
                    closing.append(Deferred.fromCoroutine(client.close()))  # noqa: B023

            client.listen(hear)
            self.world.settle()
            self.world.cut()
            self.world.settle()

            [done] = closing
            self.successResultOf(done)
            self.world.wait()
            self.assertEqual(self.world.clock.getDelayedCalls(), [])
            self.assertEqual(self.world.attempts, 1)

    def test_even_if_it_could_never_connect(self) -> None:
        self.world.reachable = False
        client = self.connecting()
        closing: list[Deferred[None]] = []
        client.listen(lambda _: closing.append(Deferred.fromCoroutine(client.close())))

        self.world.settle()

        self.successResultOf(closing[0])
        self.world.wait()
        self.assertEqual(self.world.attempts, 1)
        self.assertEqual(self.world.clock.getDelayedCalls(), [])


class ListeningTests(ClientCase):
    def test_a_listener_that_breaks_harms_nobody(self) -> None:
        client = self.connecting()
        client.listen(lambda _: 1 / 0)
        heard: list[Any] = []
        stop = client.listen(heard.append)

        self.world.settle()

        self.assertEqual(heard, [Connected(SERVER, VERSION, again=False)])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        stop()
        stop()
        self.world.cut()
        self.assertEqual(len(heard), 1)
        self.flushLoggedErrors(ZeroDivisionError)
