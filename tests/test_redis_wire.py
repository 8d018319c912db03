"""One connection to a Redis: how long its silence is borne, and the words for its end."""

from __future__ import annotations

from typing import Any

import txredisapi
from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionRefusedError, DNSLookupError
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from chatservice.journal.redis.wire import Wire, words_for


class SilenceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.transport = StringTransport()
        self.wire = Wire(self.clock, 3)
        self.wire.makeConnection(self.transport)

    def is_given_up(self) -> bool:
        return self.transport.disconnected

    def ask(self) -> Deferred[Any]:
        return self.wire.ask("GET", "a")

    def lose(self) -> None:
        self.wire.connectionLost(Failure(ConnectionDone()))

    def test_silence_after_a_question_is_borne_for_so_long(self) -> None:
        asked = self.ask()

        self.clock.advance(2.9)
        self.assertFalse(self.is_given_up())
        self.clock.advance(0.2)
        self.assertTrue(self.is_given_up())
        self.lose()
        self.failureResultOf(asked, txredisapi.ConnectionError)
        self.assertEqual(self.wire.reason, "no answer for 3 s")

    def test_what_is_no_redis_is_given_up_and_said_to_be_none(self) -> None:
        asked = self.ask()

        self.wire.dataReceived(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        self.assertTrue(self.is_given_up())
        self.lose()
        self.failureResultOf(asked, txredisapi.ConnectionError)
        self.assertEqual(self.wire.reason, "what answers there is no Redis")

    def test_nothing_is_expected_where_nothing_is_asked(self) -> None:
        self.clock.pump([1] * 100)
        self.assertFalse(self.is_given_up())
        asked = self.ask()
        self.wire.dataReceived(b"$1\r\nx\r\n")
        self.assertEqual(self.successResultOf(asked), b"x")
        self.clock.pump([1] * 100)

        self.assertFalse(self.is_given_up())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_question_after_a_rest_is_given_all_of_the_time(self) -> None:
        self.ask()
        self.wire.dataReceived(b"$1\r\nx\r\n")
        self.clock.advance(2.9)
        self.ask().addErrback(lambda _: None)

        self.clock.advance(2.9)
        self.assertFalse(self.is_given_up())
        self.clock.advance(0.2)
        self.assertTrue(self.is_given_up())

    def test_an_answer_that_keeps_coming_is_waited_for(self) -> None:
        asked = self.ask()

        for piece in (b"$1", b"0\r", b"\n01", b"234", b"56", b"789\r"):
            self.clock.advance(2)
            self.wire.dataReceived(piece)
        self.clock.advance(2)
        self.wire.dataReceived(b"\n")

        self.assertEqual(self.successResultOf(asked), b"0123456789")

    def test_silence_in_the_middle_of_answers_is_silence(self) -> None:
        self.ask()
        self.ask().addErrback(lambda _: None)
        self.clock.advance(2)
        self.wire.dataReceived(b"$1\r\nx\r\n")

        self.clock.advance(2.9)
        self.assertFalse(self.is_given_up())
        self.clock.advance(0.2)
        self.assertTrue(self.is_given_up())

    def test_nothing_is_left_behind(self) -> None:
        asked = self.ask()

        self.lose()

        self.failureResultOf(asked, txredisapi.ConnectionError)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class WordsTests(SynchronousTestCase):
    def test_operators_are_told_in_plain_words(self) -> None:
        cases = [
            (ConnectionRefusedError(), "connection refused"),
            (ConnectionDone(), "the connection was lost"),
            (DNSLookupError("no results for hostname lookup: a"), "no results for hostname"),
            (SSL.Error([("SSL routines", "", "certificate verify failed")]), "TLS: certificate v"),
            (SSL.Error(), "TLS: ended"),
            (VerificationError([]), "its certificate is for somebody else"),
            (KeyError(), "KeyError"),
        ]
        for error, words in cases:
            self.assertIn(words, words_for(error))
