"""Being put out of a room takes hold at once: of what one says meanwhile, and of what one reads."""

from __future__ import annotations

from chatservice.controller.policy import Policy
from tests.bench import House
from tests.line_case import LineCase


class PartingCase(LineCase):
    """Alice owns `den`; Bob and Carol are in it with her."""

    def setUp(self) -> None:
        super().setUp()
        self.carol = self.house.user("carol")
        self.given(self.alice, "NEWROOM:den", "JOINROOM:den")
        self.given(self.bob, "JOINROOM:den")
        self.given(self.carol, "JOINROOM:den")
        self.forget()
        self.carol.lines()

    def heads(self, lines: list[str]) -> list[str]:
        """What each line is, without its words."""
        return [":".join(line.split(":")[:3]) for line in lines]


class SayingTests(PartingCase):
    def test_who_is_being_kicked_says_nothing_after_it(self) -> None:
        self.given(self.alice, "ROOM:den:first")
        self.house.journal.hold()
        self.alice.send("KICKROOM:den:bob")
        self.house.settle()
        self.bob.send("ROOM:den:too late")
        self.house.settle()

        self.house.journal.release()

        heard = self.carol.lines()
        self.assertEqual(heard, ["ROOM:den:alice:first", "KICKED:den:bob:alice"])
        self.assertIn("ERR:ROOM:NOT_IN_ROOM", self.heads(self.bob.lines()))
        self.assertEqual(len(self.alice.ask("HISTORY:den")), 2)

    def test_a_room_that_is_being_removed_hears_nothing_more(self) -> None:
        self.house.journal.hold()
        self.alice.send("DELROOM:den")
        self.house.settle()
        self.bob.send("ROOM:den:too late")
        self.house.settle()

        self.house.journal.release()

        self.assertEqual(self.carol.lines(), ["DELETED:den:alice"])
        self.assertIn("ERR:ROOM:NO_SUCH_ROOM", self.heads(self.bob.lines()))

    def test_a_kick_that_could_not_be_stored_has_changed_nothing(self) -> None:
        self.house.journal.full = True
        kicked = self.alice.ask("KICKROOM:den:bob")
        self.house.journal.full = False

        self.assertTrue(kicked[0].startswith("ERR:KICKROOM:UNAVAILABLE:"))
        self.assertTrue(self.bob.ask("ROOM:den:still here")[-1].startswith("OK:ROOM:den:"))


class ReadingTests(PartingCase):
    def test_who_is_kicked_before_the_history_is_read_does_not_see_what_followed(self) -> None:
        self.house.journal.hold()
        self.alice.send("KICKROOM:den:bob")
        self.house.settle()
        self.carol.send("ROOM:den:behind your back")
        self.bob.send("HISTORY:den")
        self.house.settle()

        self.house.journal.release()

        heard = self.bob.lines()
        self.assertEqual(heard[0], "KICKED:den:bob:alice")
        self.assertTrue(heard[1].startswith("ERR:HISTORY:NOT_IN_ROOM:"), heard)
        self.assertEqual(len(heard), 2)


class LongHistoryTests(LineCase):
    def test_an_answer_holds_no_more_text_than_it_may(self) -> None:
        self.alice = House(policy=Policy(history_bytes=1000)).user("alice")
        self.given(self.alice, "NEWROOM:den", "JOINROOM:den")
        for letter in "abcd":
            self.given(self.alice, f"ROOM:den:{letter * 400}")
        self.forget()

        texts = [line.rpartition(":")[2] for line in self.alice.ask("HISTORY:den")[:-1]]

        self.assertEqual(texts, ["c" * 400, "d" * 400])
