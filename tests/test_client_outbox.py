"""
What is being said: stored once and in its order, whenever a connection is lost.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from chatservice.client import ConnectionGone, Refused, Stored, TimedOut
from chatservice.client.outbox import Outbox, Saying
from chatservice.translation.protobuf import chat_pb2 as pb

GONE = ConnectionGone("it is gone")
LATE = Refused("TOO_FAST", "too fast")


class Script:
    """
    A connection whose other end is a test.

    Attributes:
        asked: what was asked and is not answered, in order, each by its one field.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any, Deferred[pb.ServerFrame]]] = []

    def request(self, timeout: float | None, **content: Any) -> Deferred[pb.ServerFrame]:
        """As `ChatClientProtocol.request`; also what a resumed outbox asks with."""
        answer: Deferred[pb.ServerFrame] = Deferred()
        [(kind, request)] = content.items()
        self.asked.append((kind, request, answer))
        return answer

    def ask(self, **content: Any) -> Deferred[pb.ServerFrame]:
        """As `Link.ask`."""
        return self.request(None, **content)

    @property
    def texts(self) -> list[str]:
        """What is being said and not answered."""
        return [request.text for _, request, _ in self.asked]

    def stores(self, ms: int) -> None:
        """The first of what was said is stored."""
        _, _, answer = self.asked.pop(0)
        answer.callback(pb.ServerFrame(stored=pb.Stored(id=f"id {ms}", ms=ms)))

    def fails(self, error: Exception) -> None:
        """The first of what was asked fails."""
        _, _, answer = self.asked.pop(0)
        answer.errback(error)

    def page(self, *found: Saying) -> pb.History:
        """The history that is asked for is a page with these; gives what was asked."""
        kind, asked, answer = self.asked.pop(0)
        assert kind == "history", kind
        messages = [
            pb.Message(id=f"found {number}" if number else "found", ms=9, nonce=each.request.nonce)
            for number, each in enumerate(found)
        ]
        last = "the last" if found else ""
        answer.callback(
            pb.ServerFrame(history_page=pb.HistoryPage(messages=messages, last_id=last))
        )
        assert isinstance(asked, pb.History)
        return asked


class OutboxCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.outbox = Outbox()
        self.script: Any = Script()

    def say(self, text: str, room: str = "den", since: int = 1000) -> Saying:
        """Something is said, on a connection that is there."""
        saying = self.outbox.put(pb.Say(room=room, text=text), since)
        self.outbox.send(self.script, saying)
        return saying

    def tell(self, text: str) -> Saying:
        """Something is told somebody, on a connection that is there."""
        saying = self.outbox.put(pb.Tell(nick="bob", text=text), 1000)
        self.outbox.send(self.script, saying)
        return saying

    def lose(self) -> None:
        """The connection is gone."""
        while self.script.asked:
            self.script.fails(GONE)

    def resume(self, guest: bool = False) -> Deferred[None]:
        """There is another."""
        self.script.asked.clear()
        return Deferred.fromCoroutine(self.outbox.resume(self.script.ask, guest))


class SayingTests(OutboxCase):
    def test_it_is_stored(self) -> None:
        saying = self.say("one")

        self.script.stores(5)

        self.assertEqual(self.successResultOf(saying.stored), Stored("id 5", 5))
        self.successResultOf(self.resume())

    def test_or_refused(self) -> None:
        saying = self.say("one")

        self.script.fails(Refused("MUTED", "not you"))

        self.assertEqual(self.failureResultOf(saying.stored, Refused).value.code, "MUTED")
        self.successResultOf(self.resume())

    def test_each_has_a_nonce_of_its_own(self) -> None:
        nonces = [self.say("same").request.nonce for _ in range(3)]
        other = Outbox().put(pb.Say(room="den", text="same"), 0).request.nonce

        self.assertEqual(len({*nonces, other}), 4)
        self.assertLessEqual(max(map(len, nonces)), 64)

    def test_who_waits_no_more_is_told_nothing(self) -> None:
        saying = self.say("one")
        saying.stored.addErrback(lambda _: None)
        saying.stored.cancel()

        self.script.stores(5)

        self.assertEqual(self.successResultOf(saying.stored), None)

    def test_when_there_is_no_hope_everybody_is_told(self) -> None:
        sent, unsent = self.say("one"), self.outbox.put(pb.Say(text="two"), 0)

        self.outbox.fail(TimedOut("for good"))

        for saying in (sent, unsent):
            self.failureResultOf(saying.stored, TimedOut)
        self.lose()


class ResumingTests(OutboxCase):
    def test_what_was_stored_is_not_said_again(self) -> None:
        saying = self.say("one")
        self.lose()
        self.assertNoResult(saying.stored)

        resuming = self.resume()
        asked = self.script.page(saying)
        self.assertEqual((asked.room, asked.after.ms, asked.oldest), ("den", 999, True))
        asked = self.script.page()
        self.assertEqual(asked.after.id, "the last")

        self.successResultOf(resuming)
        self.assertEqual(self.successResultOf(saying.stored), Stored("found", 9))

    def test_whoever_repeats_a_nonce_changes_nothing(self) -> None:
        saying = self.say("one")
        self.lose()

        self.resume()
        self.script.page(saying, saying)
        self.script.page()

        self.assertEqual(self.successResultOf(saying.stored), Stored("found", 9))

    def test_what_was_not_is_said_again_in_its_order(self) -> None:
        sayings = [self.say(text) for text in ("one", "two", "three")]
        self.script.stores(5)
        self.lose()

        resuming = self.resume()
        self.script.page(sayings[1])
        self.script.page()

        self.assertEqual(self.script.texts, ["three"])
        self.script.stores(7)
        self.successResultOf(resuming)
        stored = [self.successResultOf(saying.stored) for saying in sayings]
        self.assertEqual([each.id for each in stored], ["id 5", "found", "id 7"])

    def test_the_next_is_said_when_the_one_before_is_stored(self) -> None:
        for text in ("one", "two"):
            self.say(text)
        self.lose()
        resuming = self.resume()
        self.script.page()

        self.assertEqual(self.script.texts, ["one"])
        self.script.stores(5)
        self.assertEqual(self.script.texts, ["two"])
        self.script.stores(6)

        self.successResultOf(resuming)

    def test_what_is_said_meanwhile_comes_last(self) -> None:
        self.say("one")
        self.lose()
        resuming = self.resume()
        self.script.page()
        new = self.outbox.put(pb.Say(room="den", text="two"), 0)

        self.assertEqual(self.script.texts, ["one"])
        self.script.stores(5)
        self.assertEqual(self.script.texts, ["two"])
        self.script.stores(6)

        self.successResultOf(resuming)
        self.successResultOf(new.stored)

    def test_what_was_never_sent_is_not_looked_for(self) -> None:
        self.outbox.put(pb.Say(room="den", text="one"), 0)

        resuming = self.resume()

        self.assertEqual(self.script.texts, ["one"])
        self.script.stores(5)
        self.successResultOf(resuming)

    def test_each_place_is_searched_from_the_first_that_was_said_there(self) -> None:
        self.say("one", "den", since=1000)
        self.say("two", "hall", since=2000)
        self.say("three", "den", since=3000)
        self.tell("four")
        self.lose()

        self.resume()
        searched = [self.script.page() for _ in range(3)]

        self.assertEqual(
            [(asked.room or asked.nick, asked.after.ms) for asked in searched],
            [("den", 999), ("hall", 1999), ("bob", 999)],
        )

    def test_the_connection_may_be_lost_again(self) -> None:
        saying = self.say("one")
        self.lose()
        resuming = self.resume()
        self.script.page()
        self.lose()
        self.failureResultOf(resuming, ConnectionGone)
        self.assertNoResult(saying.stored)

        resuming = self.resume()
        self.script.page(saying)
        self.script.page()

        self.successResultOf(resuming)
        self.successResultOf(saying.stored)

    def test_what_nobody_can_look_for_now_is_not_said_again(self) -> None:
        saying = self.say("one")
        self.lose()

        resuming = self.resume()
        self.script.fails(Refused("UNAVAILABLE", "later"))

        self.failureResultOf(resuming, Refused)
        self.assertNoResult(saying.stored)

    def test_what_is_said_where_one_is_no_more_is_refused(self) -> None:
        gone, here = self.say("one", "den"), self.say("two", "hall")
        self.lose()
        resuming = self.resume()
        self.script.fails(Refused("NOT_IN_ROOM", "you are not in it"))
        self.script.page()

        self.script.fails(Refused("NOT_IN_ROOM", "you are not in it"))
        self.script.stores(5)

        self.successResultOf(resuming)
        self.assertEqual(self.failureResultOf(gone.stored, Refused).value.code, "NOT_IN_ROOM")
        self.successResultOf(here.stored)

    def test_nobody_can_say_whether_what_a_guest_has_told_is_stored(self) -> None:
        told, said = self.tell("one"), self.say("two")
        self.lose()
        untold = self.outbox.put(pb.Tell(nick="bob", text="three"), 0)

        resuming = self.resume(guest=True)
        self.failureResultOf(told.stored, ConnectionGone)
        self.script.page()
        self.assertEqual(self.script.texts, ["two"])
        self.script.stores(5)
        self.script.stores(6)

        self.successResultOf(resuming)
        self.successResultOf(said.stored)
        self.successResultOf(untold.stored)

    def test_what_nobody_waits_for_any_more_is_not_said_again(self) -> None:
        late, kept = self.say("one"), self.say("two")
        self.lose()
        late.stored.addErrback(lambda _: None)
        late.stored.cancel()

        resuming = self.resume()
        self.script.page()

        self.assertEqual(self.script.texts, ["two"])
        self.script.stores(5)
        self.successResultOf(resuming)
        self.successResultOf(kept.stored)
