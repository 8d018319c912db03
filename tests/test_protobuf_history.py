"""Reading what was said, page by page in either direction, and where something was said."""

from __future__ import annotations

from typing import Any

from chatservice.controller.policy import Policy
from chatservice.translation.protobuf import chat_pb2 as pb
from tests.protobuf_case import NOW_MS, Program, ProtobufCase, kind

Pages = list[pb.HistoryPage]


class HistoryCase(ProtobufCase):
    def setUp(self) -> None:
        super().setUp()
        self.given_room("Den", self.alice, self.bob)

    def say(self, *texts: str) -> list[str]:
        """Something is said, a second each; the ids."""
        ids = []
        for text in texts:
            answer = self.given(self.alice, say=pb.Say(room="den", text=text))
            ids.append(answer.stored.id)
            self.house.clock.advance(1)
        return ids

    def page(self, program: Program | None = None, **what: Any) -> pb.HistoryPage:
        """A page of the room's history."""
        what.setdefault("room", "den")
        return (program or self.bob).answer(history=pb.History(**what)).history_page


def texts(page: pb.HistoryPage) -> list[str]:
    return [message.text for message in page.messages]


class PageTests(HistoryCase):
    def test_it_is_what_was_told_oldest_first(self) -> None:
        ids = self.say("one", "two")
        self.given(self.bob, say=pb.Say(room="den", text="waves", action=True, nonce="n"))
        told = [frame.message for frame in self.alice.frames() if kind(frame) == "message"]
        self.assertEqual(told[-1].nonce, "n")

        page = self.page()

        self.assertEqual(texts(page), ["one", "two", "waves"])
        self.assertEqual(page.messages[2], told[-1])
        self.assertEqual((page.room, page.nick), ("Den", ""))
        self.assertEqual((page.first_id, page.last_id), (ids[0], page.messages[2].id))

    def test_a_history_may_be_empty(self) -> None:
        self.assertEqual(self.page(), pb.HistoryPage(room="Den"))
        self.assertEqual(self.page(room="", nick="alice"), pb.HistoryPage(nick="alice"))

    def test_a_limit_gives_the_last_or_the_first(self) -> None:
        self.say("1", "2", "3")

        self.assertEqual(texts(self.page(limit=2)), ["2", "3"])
        self.assertEqual(texts(self.page(limit=2, oldest=True)), ["1", "2"])
        self.assertEqual(texts(self.page(limit=2**32 - 1)), ["1", "2", "3"])

    def test_a_point_is_an_id_or_a_moment_and_not_part_of_it(self) -> None:
        ids = self.say("0", "1", "2", "3")
        self.assertEqual(texts(self.page(before=pb.Point(id=ids[2]))), ["0", "1"])
        self.assertEqual(texts(self.page(after=pb.Point(id=ids[2]))), ["3"])
        between: dict[str, Any] = {
            "after": pb.Point(id=ids[0]),
            "before": pb.Point(ms=NOW_MS + 3000),
        }
        self.assertEqual(texts(self.page(**between)), ["1", "2"])
        self.assertEqual(texts(self.page(after=pb.Point(ms=NOW_MS + 2000))), ["3"])
        self.assertEqual(texts(self.page(before=pb.Point(), after=pb.Point())), list("0123"))

    def test_a_point_may_be_nowhere(self) -> None:
        self.say("0", "1")
        far = pb.Point(ms=2**64 - 1)

        self.assertEqual(texts(self.page(before=far)), ["0", "1"])
        self.assertEqual(texts(self.page(after=far)), [])
        self.assertEqual(texts(self.page(after=pb.Point(ms=0))), ["0", "1"])
        for id in ("x", "0", "-1", "9" * 30, "\0", "1 "):
            self.assertEqual(texts(self.page(before=pb.Point(id=id))), [], id)

    def test_the_id_of_any_event_is_a_point(self) -> None:
        self.say("before")
        changed = self.given(self.alice, set_topic=pb.SetTopic(room="den", text="x")).done.id
        self.say("after")

        self.assertEqual(texts(self.page(after=pb.Point(id=changed))), ["after"])
        self.assertEqual(texts(self.page(before=pb.Point(id=changed))), ["before"])

    def test_backwards_page_by_page_everything_is_met_once(self) -> None:
        self.say(*map(str, range(10)))
        found: list[str] = []
        before = None
        while (page := self.page(limit=4, before=before)).first_id:
            found = texts(page) + found
            before = pb.Point(id=page.first_id)

        self.assertEqual(found, list("0123456789"))

    def test_forwards_page_by_page_everything_is_met_once(self) -> None:
        self.say(*map(str, range(10)))
        found: list[str] = []
        after = pb.Point(ms=0)
        while (page := self.page(limit=4, oldest=True, after=after)).last_id:
            found += texts(page)
            after = pb.Point(id=page.last_id)

        self.assertEqual(found, list("0123456789"))

    def test_a_page_of_nothing_but_ctcp_is_empty_and_not_the_last(self) -> None:
        self.say("first")
        irc = self.house.client("irc")
        irc.send("NICK ida", "USER ida 0 * :Ida", "JOIN #den")
        irc.send(*3 * ["PRIVMSG #den :\x01VERSION\x01"])

        page = self.page(limit=3)

        self.assertEqual(texts(page), [])
        self.assertTrue(page.first_id)
        self.assertEqual(texts(self.page(limit=3, before=pb.Point(id=page.first_id))), ["first"])

    def test_a_conversation_is_both_sides_of_it(self) -> None:
        self.given(self.alice, tell=pb.Tell(nick="bob", text="ping"))
        self.given(self.bob, tell=pb.Tell(nick="alice", text="pong"))

        page = self.page(self.alice, room="", nick="BOB")

        self.assertEqual((page.room, page.nick), ("", "bob"))
        self.assertEqual(
            [(message.nick, message.to, message.room, message.text) for message in page.messages],
            [("alice", "bob", "", "ping"), ("bob", "alice", "", "pong")],
        )

    def test_of_two_targets_the_last_counts(self) -> None:
        both = pb.History.FromString(
            pb.History(nick="alice").SerializeToString()
            + pb.History(room="den").SerializeToString()
        )

        self.assertEqual(self.bob.answer(history=both).history_page.room, "Den")

    def test_long_pages_come_in_several_frames_that_say_the_same(self) -> None:
        self.say(*map(str, range(250)))

        frames = self.bob.answers(history=pb.History(room="den"))

        pages = [frame.history_page for frame in frames]
        self.assertEqual([len(page.messages) for page in pages], [100, 100, 50])
        self.assertEqual(
            [text for page in pages for text in texts(page)], list(map(str, range(250)))
        )
        self.assertEqual(
            {(page.room, page.nick, page.first_id, page.last_id) for page in pages},
            {("Den", "", pages[0].messages[0].id, pages[2].messages[-1].id)},
        )

    def test_long_texts_come_in_short_frames(self) -> None:
        self.say(*20 * [3000 * "x"])

        frames = self.bob.answers(history=pb.History(room="den"))

        self.assertEqual(sum(len(frame.history_page.messages) for frame in frames), 20)
        self.assertLess(max(frame.ByteSize() for frame in frames), 65_536)

    def test_no_more_is_given_at_once_than_the_policy_allows(self) -> None:
        self.open_house(policy=Policy(history_messages=3))
        self.given_room("den", self.alice, self.bob)
        self.say("1", "2", "3", "4")

        self.assertEqual(texts(self.page()), ["2", "3", "4"])
        self.assertEqual(texts(self.page(limit=4)), ["2", "3", "4"])

    def test_what_it_is_refused_for(self) -> None:
        carol = self.program("carol")

        self.refuses(carol, "NOT_IN_ROOM", history=pb.History(room="den"))
        self.refuses(carol, "NO_SUCH_ROOM", history=pb.History(room="nowhere"))
        self.refuses(carol, "BAD_ROOM_NAME", history=pb.History())
        self.refuses(carol, "NO_SUCH_USER", history=pb.History(nick="dave"))
        self.house.journal.readable = False
        self.refuses(self.alice, "UNAVAILABLE", history=pb.History(room="den"))


class ConversationTests(HistoryCase):
    def conversations(self, **what: int) -> list[tuple[str, str, int]]:
        answer = self.alice.answer(list_conversations=pb.ListConversations(**what))
        found = answer.conversation_list.conversations
        return [(each.room, each.nick, each.ms - NOW_MS) for each in found]

    def test_it_names_where_something_was_said_and_when(self) -> None:
        self.assertEqual(self.conversations(), [])
        self.say("x", "y")
        self.given(self.bob, tell=pb.Tell(nick="alice", text="psst"))

        self.assertEqual(self.conversations(), [("Den", "", 1000), ("", "bob", 2000)])
        self.assertEqual(self.conversations(limit=1), [("Den", "", 1000)])
        self.assertEqual(self.conversations(after_ms=NOW_MS + 1000), [("", "bob", 2000)])
        self.assertEqual(self.conversations(before_ms=NOW_MS + 2000), [("Den", "", 1000)])
        self.assertEqual(self.conversations(after_ms=2**64 - 1, before_ms=2**64 - 1), [])

    def test_long_lists_come_in_several_frames(self) -> None:
        rooms = [f"room{number}" for number in range(120)]
        for room in rooms:
            self.given_room(room, self.alice)
            self.given(self.alice, say=pb.Say(room=room, text="x"))

        frames = self.alice.answers(list_conversations=pb.ListConversations())

        counts = [len(frame.conversation_list.conversations) for frame in frames]
        self.assertEqual(counts, [100, 20])

    def test_what_cannot_be_read_is_unavailable(self) -> None:
        self.house.journal.latest = self.house.journal.history  # type: ignore[assignment,method-assign]
        self.house.journal.readable = False

        self.refuses(self.alice, "UNAVAILABLE", list_conversations=pb.ListConversations())
