"""
What was said, as a program reads it: every message once and in order, whatever comes live, whatever
the history says, and whenever it says it.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from chatservice.client import ConnectionGone, Message
from chatservice.client.stream import Stream
from tests.client_case import Reader


def message(number: int) -> Message:
    """The one of that number in the history, from 1."""
    return Message(str(number), number, "alice", f"{number}", room="den")


def some(*numbers: int) -> list[Message]:
    """Messages by their numbers."""
    return [message(number) for number in numbers]


class Script:
    """
    A history that a test reads from.

    Attributes:
        place: the number of the last message before what is to come.
        asked: the places that were asked for more.
    """

    def __init__(self) -> None:
        self.place = 0
        self.asked: list[int] = []
        self._answer: Deferred[list[Message] | None] | None = None

    def passed(self, message: Message) -> None:
        self.place = int(message.id)

    async def read(self) -> list[Message] | None:
        self.asked.append(self.place)
        self._answer = Deferred()
        page = await self._answer
        if page:
            self.place = int(page[-1].id)
        return page

    @property
    def reading(self) -> bool:
        """Is an answer waited for?"""
        return self._answer is not None and not self._answer.called

    def answers(self, *numbers: int) -> None:
        """Give a page: these messages, or none."""
        assert self._answer is not None
        self._answer.callback(some(*numbers) or None)

    def fails(self, error: Exception) -> None:
        """There will be no page."""
        assert self._answer is not None
        self._answer.errback(error)


class StreamCase(SynchronousTestCase):
    """A stream over a script, and somebody who reads it."""

    queued = 100

    def setUp(self) -> None:
        self.script = Script()
        self.stream = Stream(self.script, self.queued)
        self.reader = Reader(self.stream, greedy=False)

    def arrive(self, *numbers: int) -> None:
        """These come live."""
        for each in some(*numbers):
            self.stream.arrived(each)

    def read_on(self) -> None:
        """Read whatever comes."""
        self.reader.read(1000)

    def begin_live(self) -> None:
        """Somebody reads, and nothing was missed."""
        self.read_on()
        self.script.answers()

    def has_read(self, *numbers: int) -> None:
        """That, and nothing else, has been read."""
        self.assertEqual([int(m.id) for m in self.reader.messages], list(numbers))


class LiveTests(StreamCase):
    def test_what_comes_is_read(self) -> None:
        self.begin_live()

        self.arrive(1, 2)
        self.arrive(3)

        self.has_read(1, 2, 3)
        self.assertEqual(self.script.place, 3)
        self.assertEqual(self.script.asked, [0])

    def test_what_comes_waits_for_a_slow_program(self) -> None:
        self.begin_live()
        self.reader.cancel()

        self.arrive(1, 2, 3)
        self.reader.read(2)

        self.has_read(1, 2)
        self.reader.read(1)
        self.has_read(1, 2, 3)

    def test_who_gives_up_waiting_misses_nothing(self) -> None:
        self.begin_live()
        self.arrive(1)
        self.reader.cancel()
        self.arrive(2)

        self.read_on()
        self.arrive(3)

        self.has_read(1, 2, 3)

    def test_two_cannot_read_at_once(self) -> None:
        self.begin_live()
        second = Reader(self.stream)
        self.assertIsInstance(second.error, RuntimeError)

        self.stream.interrupted()
        self.stream.resumed()
        third = Reader(self.stream)
        self.assertIsInstance(third.error, RuntimeError)

        self.script.answers(1)
        self.has_read(1)

    def test_where_nothing_was_missed_the_history_is_not_asked(self) -> None:
        self.stream.nothing_missed()
        self.arrive(1)

        self.read_on()
        self.arrive(2)

        self.has_read(1, 2)
        self.assertEqual(self.script.asked, [])


class CatchingUpTests(StreamCase):
    def test_the_history_is_asked_first(self) -> None:
        self.arrive(1)
        self.assertEqual(self.script.asked, [])

        self.read_on()
        self.script.answers(1, 2)

        self.has_read(1, 2)

    def test_it_is_asked_page_by_page_until_there_is_no_more(self) -> None:
        self.read_on()

        self.script.answers(1, 2)
        self.script.answers(3, 4)
        self.script.answers()
        self.arrive(5)

        self.has_read(1, 2, 3, 4, 5)
        self.assertEqual(self.script.asked, [0, 2, 4])

    def test_it_is_asked_for_what_is_wanted_and_no_more(self) -> None:
        self.reader.read(2)
        self.script.answers(1, 2)

        self.assertFalse(self.script.reading)

        self.reader.read(1)
        self.assertEqual(self.script.asked, [0, 2])

    def test_a_page_that_reaches_what_came_meanwhile_is_the_last(self) -> None:
        self.read_on()

        self.arrive(3, 4, 5)
        self.script.answers(1, 2, 3, 4)
        self.arrive(6)

        self.has_read(1, 2, 3, 4, 5, 6)
        self.assertEqual(self.script.asked, [0])
        self.assertEqual(self.script.place, 6)

    def test_what_came_while_there_was_nothing_to_read_is_not_lost(self) -> None:
        self.read_on()

        self.arrive(1, 2)
        self.script.answers()

        self.has_read(1, 2)
        self.assertEqual(self.script.place, 2)

    def test_what_the_history_has_said_already_is_not_read_again(self) -> None:
        self.read_on()
        self.script.answers(1, 2, 3)

        self.arrive(2, 3)
        self.script.answers()
        self.arrive(4)

        self.has_read(1, 2, 3, 4)

    def test_nor_if_it_comes_after_the_last_page(self) -> None:
        self.read_on()
        self.script.answers(1, 2, 3, 4)
        self.arrive(3)
        self.script.answers(5, 6)
        self.script.answers()

        self.arrive(5, 6, 7)

        self.has_read(1, 2, 3, 4, 5, 6, 7)

    def test_a_page_without_messages_is_not_the_end(self) -> None:
        self.read_on()
        self.script.asked.clear()
        answer, self.script._answer = self.script._answer, None
        assert answer is not None

        answer.callback([])

        self.assertTrue(self.script.reading)
        self.script.answers(1)
        self.has_read(1)

    def test_what_comes_while_nobody_reads_is_kept(self) -> None:
        self.reader.read(1)
        self.script.answers(1)
        self.arrive(*range(3, 50))

        self.read_on()
        self.script.answers(2, 3)

        self.has_read(*range(1, 50))
        self.assertEqual(self.script.asked, [0, 1])

    def test_who_gives_up_waiting_for_a_page_asks_again(self) -> None:
        self.read_on()
        self.arrive(1)
        self.reader.cancel()
        self.arrive(2)

        self.read_on()
        self.script.answers(1, 2, 3)

        self.has_read(1, 2, 3)


class SlowTests(StreamCase):
    queued = 3

    def test_what_is_too_much_is_fetched_when_it_is_wanted(self) -> None:
        self.begin_live()
        self.reader.cancel()
        self.arrive(*range(1, 1000))
        self.assertEqual((len(self.stream._queue), self.stream._meanwhile), (3, None))

        self.reader.read(3)
        self.has_read(1, 2, 3)
        self.assertFalse(self.script.reading)

        self.read_on()
        self.assertEqual(self.script.asked[-1], 3)
        self.script.answers(*range(4, 1000))
        self.script.answers()
        self.arrive(1000)
        self.has_read(*range(1, 1001))

    def test_what_is_little_too_much_is_kept(self) -> None:
        self.begin_live()
        self.reader.cancel()
        self.arrive(*range(1, 7))

        self.read_on()
        self.script.answers(4)

        self.has_read(*range(1, 7))

    def test_who_never_reads_needs_little_memory(self) -> None:
        self.arrive(*range(1, 1000))

        self.assertEqual((len(self.stream._queue), self.stream._meanwhile), (0, None))

    def test_too_much_may_come_while_a_page_is_read(self) -> None:
        self.read_on()

        self.arrive(*range(2, 100))
        self.assertEqual(self.stream._meanwhile, None)
        self.script.answers(1, 2, 3)
        self.script.answers(*range(4, 100))
        self.script.answers()
        self.arrive(100)

        self.has_read(*range(1, 101))

    def test_too_much_may_come_while_there_is_nothing_to_read(self) -> None:
        self.read_on()

        self.arrive(*range(1, 100))
        self.script.answers()

        self.has_read()
        self.script.answers(*range(1, 100))
        self.has_read(*range(1, 100))


class InterruptionTests(StreamCase):
    def test_what_was_missed_is_read(self) -> None:
        self.begin_live()
        self.arrive(1)

        self.stream.interrupted()
        self.assertFalse(self.script.reading)
        self.stream.resumed()
        self.arrive(4)
        self.script.answers(2, 3, 4)
        self.arrive(5)

        self.has_read(1, 2, 3, 4, 5)
        self.assertEqual(self.script.asked, [0, 1])

    def test_what_is_queued_is_read_before(self) -> None:
        self.begin_live()
        self.reader.cancel()
        self.arrive(1, 2)
        self.stream.interrupted()
        self.stream.resumed()
        self.arrive(4)

        self.read_on()
        self.script.answers(3, 4)

        self.has_read(1, 2, 3, 4)

    def test_a_page_that_spans_an_interruption_proves_nothing(self) -> None:
        self.read_on()
        self.arrive(1)

        self.stream.interrupted()
        self.stream.resumed()
        self.arrive(3)
        self.script.answers(1)

        self.has_read(1)
        self.assertEqual(self.script.asked, [0, 1])
        self.script.answers(2, 3)
        self.has_read(1, 2, 3)

    def test_what_came_on_a_connection_that_came_to_nothing_proves_nothing(self) -> None:
        self.begin_live()
        self.stream.interrupted()
        # One has entered the room again, and the connection is lost before anything else.
        self.arrive(2)
        self.stream.interrupted()
        self.stream.resumed()
        self.arrive(4)

        self.script.answers(1, 2)
        self.script.answers(3, 4)

        self.has_read(1, 2, 3, 4)

    def test_an_error_is_raised_and_leaves_the_stream_as_it_was(self) -> None:
        self.read_on()
        self.script.fails(ConnectionGone("it is gone"))
        self.assertIsInstance(self.reader.error, ConnectionGone)

        again = Reader(self.stream)
        self.script.answers(1)

        self.assertEqual(again.texts, ["1"])


class EndTests(StreamCase):
    def test_what_was_said_before_is_read(self) -> None:
        self.begin_live()
        self.reader.cancel()
        self.arrive(1, 2)

        self.stream.end()
        self.read_on()

        self.has_read(1, 2)
        self.assertTrue(self.reader.over)
        self.assertEqual(self.reader.error, None)

    def test_who_waits_is_told(self) -> None:
        self.begin_live()

        self.stream.end()

        self.assertTrue(self.reader.over)

    def test_it_may_end_with_an_error_every_time_it_is_read(self) -> None:
        self.begin_live()
        self.arrive(1)

        self.stream.end(ConnectionGone("for good"))

        self.has_read(1)
        self.assertEqual(str(self.reader.error), "for good")
        again = Reader(self.stream)
        self.assertEqual(str(again.error), "for good")

    def test_the_first_end_counts(self) -> None:
        self.stream.end()
        self.stream.end(ConnectionGone("too late"))

        self.read_on()

        self.assertEqual((self.reader.over, self.reader.error), (True, None))

    def test_it_may_come_before_anything_is_read(self) -> None:
        self.arrive(1, 2)
        self.stream.end()

        self.read_on()

        self.has_read(1, 2)
        self.assertTrue(self.reader.over)

    def test_it_may_come_while_a_page_is_read(self) -> None:
        self.read_on()
        self.arrive(3)
        self.stream.end()

        self.script.answers(1, 2)

        self.has_read(1, 2, 3)
        self.assertTrue(self.reader.over)

    def test_a_page_that_will_not_come_any_more_is_no_error(self) -> None:
        self.read_on()
        self.arrive(1)
        self.stream.end()

        self.script.fails(ConnectionGone("the client is closed"))

        self.has_read(1)
        self.assertEqual((self.reader.over, self.reader.error), (True, None))
