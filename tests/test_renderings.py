"""What the text dialects say of the events that other dialects bring about."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller.events import (
    AccountChanged,
    AwayChanged,
    DirectMessage,
    DirectTag,
    Event,
    HostChanged,
    Invited,
    Joined,
    Killed,
    Left,
    LoggedOut,
    Message,
    ModeChange,
    ModesChanged,
    NickChanged,
    RankedMessage,
    RealnameChanged,
    Registered,
    TagMessage,
    Transferred,
    UserFlagsChanged,
)
from chatservice.translation.interface import SILENCE, Dialect
from chatservice.translation.line.rendering import LINES
from chatservice.translation.lobby import INSIDE, OUTSIDE
from chatservice.translation.original import MARKED
from tests import facts
from tests.bench import House
from tests.line_case import LineCase

SILENT = (
    AccountChanged(),
    AwayChanged(text="tea"),
    DirectTag(),
    HostChanged(),
    Killed(victim="ann"),
    LoggedOut(),
    ModesChanged(room="lobby", changes=[ModeChange(True, "moderated")]),
    RealnameChanged(),
    Registered(),
    TagMessage(room="lobby"),
    UserFlagsChanged(),
)


def said(text: str, *, notice: bool = False) -> Message:
    return Message(room="lobby", nick="Ann", text=text, notice=notice)


class RenderingCase(SynchronousTestCase):
    def told(self, event: Event) -> list[str]:
        """What clients of the line protocol, in the lobby, and of the original dialect read."""
        return [variant.encode(event).decode() for variant in (LINES, INSIDE, MARKED)]


class SpokenTests(RenderingCase):
    def test_a_notice_and_what_is_said_to_a_rank_are_told_as_messages(self) -> None:
        words = [
            "ROOM:lobby:Ann:hello\r\n",
            "SAID:Ann:hello\n",
            "<h>room:[lobby]@Ann: hello",
        ]

        for event in (
            said("hello"),
            said("hello", notice=True),
            RankedMessage(room="lobby", nick="Ann", text="hello", least="op"),
        ):
            self.assertEqual(self.told(event), words)

    def test_what_somebody_does_is_told_as_a_text(self) -> None:
        for text in ("\x01ACTION waves: hi\x01", "\x01ACTION waves: hi"):
            self.assertEqual(
                self.told(said(text)),
                [
                    "ROOM:lobby:Ann:* Ann waves: hi\r\n",
                    "SAID:Ann:* Ann waves: hi\n",
                    "<h>room:[lobby]@Ann: * Ann waves: hi",
                ],
            )
            self.assertEqual(
                self.told(DirectMessage(nick="Ann", text=text)),
                [
                    "SAY:Ann:* Ann waves: hi\r\n",
                    "PVT:Ann:* Ann waves: hi\n",
                    "<h>direct@Ann: * Ann waves: hi",
                ],
            )

    def test_somebody_may_do_nothing(self) -> None:
        for text in ("\x01ACTION\x01", "\x01ACTION \x01"):
            self.assertEqual(self.told(said(text))[0], "ROOM:lobby:Ann:* Ann\r\n")

    def test_what_programs_ask_one_another_is_not_told(self) -> None:
        for text in ("\x01VERSION\x01", "\x01ACTIONS x\x01", "\x01ACTION a\x01b\x01", "\x01"):
            self.assertEqual(self.told(said(text)), ["", "", ""])
            self.assertEqual(self.told(DirectMessage(nick="Ann", text=text)), ["", "", ""])

    def test_a_control_character_elsewhere_is_the_authors_own(self) -> None:
        self.assertEqual(self.told(said("a\x01b"))[0], "ROOM:lobby:Ann:a\x01b\r\n")

    def test_what_concerns_other_dialects_is_not_told(self) -> None:
        for event in SILENT:
            self.assertEqual(self.told(event), ["", "", ""], event.kind)
        for variant in (LINES, INSIDE, OUTSIDE, MARKED, SILENCE):
            self.assertEqual(variant.overheard(Invited(room="lobby")), b"")


class ChangeTests(RenderingCase):
    def test_a_new_nick(self) -> None:
        event = NickChanged(nick="Ann", new_nick="Amy")

        self.assertEqual(
            self.told(event),
            ["NICK:Ann:Amy\r\n", "LEFT:Ann\nJOIN:Amy\n", "<h>Ann is called Amy now."],
        )
        self.assertEqual(OUTSIDE.encode(event), b"")

    def test_a_room_that_becomes_private_or_public_by_its_modes(self) -> None:
        for on, word in ((True, "private"), (False, "public")):
            changes = [ModeChange(not on, "invite_only"), ModeChange(on, "invite_only")]
            event = ModesChanged(room="Den", nick="Ann", changes=changes)

            self.assertEqual(
                self.told(event),
                [f"VISIBILITY:Den:{word}\r\n", "", f"<h>Ann has made room [Den] {word}."],
            )

    def test_modes_are_told_as_a_journal_gives_them_back(self) -> None:
        changes = [[True, "invite_only", "", ""], [True, "moderated", "", ""]]
        event = ModesChanged(room="Den", nick="Ann", changes=changes)  # type: ignore[arg-type]

        self.assertEqual(LINES.encode(event), b"VISIBILITY:Den:private\r\n")

    def test_a_new_owner(self) -> None:
        self.assertEqual(
            self.told(Transferred(room="Den", nick="Ann", heir="bob", heir_nick="Bob")),
            ["OWNER:Den:Bob:Ann\r\n", "", "<h>Ann has given room [Den] to Bob."],
        )


class EchoTests(SynchronousTestCase):
    def test_authors_are_told_by_default_what_they_do_but_not_what_they_say(self) -> None:
        dialect = Dialect(None)  # type: ignore[arg-type]
        kept = [
            event
            for event in (
                said("hello"),
                TagMessage(),
                RankedMessage(),
                DirectMessage(),
                DirectTag(),
                Left(),
                Joined(),
                NickChanged(),
            )
            if dialect.echo(event, b"told")
        ]

        self.assertEqual([event.kind for event in kept], ["join", "nick"])


class OriginalAnswerTests(SynchronousTestCase):
    def test_a_request_whose_message_nobody_is_told_is_answered_too(self) -> None:
        ann = House().client("original")
        for request in ("LOGIN:ann", "NEWROOM:den", "JOINROOM:den"):
            ann.send_bytes(request.encode())
        ann.received()

        ann.send_bytes(b"ROOM:den:\x01VERSION\x01")

        self.assertEqual(ann.received(), b"<h>Said in room [den].")


class PutOutTests(LineCase):
    """Somebody is put out of the service by events that are not of their own asking."""

    def kill(self, killed: Killed) -> None:
        user = self.house.controller.state.users["bob"]
        rooms = [
            Left(target=room.id, room=room.name, actor="bob", nick="bob", quit=True)
            for room in user.rooms.values()
        ]
        self.house.controller.submit(killed, *rooms, facts.logout("bob"))
        self.house.settle()

    def test_the_connection_closes_with_the_reason_and_the_rooms_see_them_leave(self) -> None:
        self.given(self.alice, "NEWROOM:den", "JOINROOM:den")
        self.given(self.bob, "JOINROOM:den")
        self.forget()

        self.kill(Killed(actor="alice", nick="alice", victim="bob", reason="enough: go"))

        self.assertEqual(self.bob.lines(), ["BYE:killed by alice: enough: go"])
        self.assertTrue(self.bob.closed)
        self.assertEqual(self.alice.lines(), ["LEFT:den:bob"])
        self.assertEqual(self.alice.ask("LISTUSERS:"), ["ITEM:LISTUSERS:alice", "OK:LISTUSERS"])

    def test_a_reason_may_be_missing(self) -> None:
        self.kill(Killed(nick="alice", victim="bob"))

        self.assertEqual(self.bob.lines(), ["BYE:killed by alice"])

    def test_whoever_owns_a_nick_takes_it_back(self) -> None:
        self.kill(Killed(nick="alice", victim="bob", reclaimed=True))

        self.assertEqual(self.bob.lines(), ["BYE:your nick was taken back by its owner"])
        self.assertEqual(self.house.user("bob").lines(), [])

    def test_who_is_logged_out_by_others_may_log_in_again(self) -> None:
        self.house.controller.submit(facts.logout("bob"))
        self.house.settle()

        self.assertEqual(self.bob.ask("LOGIN:bob"), ["OK:LOGIN:bob"])
