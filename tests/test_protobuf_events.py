"""What speakers of protobuf are told of what others do, in whatever dialect, and what others are
told of what they do.
"""

from __future__ import annotations

from itertools import product

from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller.events import (
    DirectMessage,
    Invited,
    Killed,
    Left,
    Message,
    ModeChange,
    ModesChanged,
    NickChanged,
    RankedMessage,
    TagMessage,
    Transferred,
    Wallops,
)
from chatservice.translation.interface import SILENCE
from chatservice.translation.protobuf import chat_pb2 as pb
from chatservice.translation.protobuf.rendering import FRAMES, message_of
from tests.bench import Client
from tests.irc_case import mask
from tests.protobuf_case import ProtobufCase, alone, framed, frames_in, kind
from tests.test_renderings import SILENT


class RenderingTests(SynchronousTestCase):
    def test_a_message_is_written_as_protobuf_writes_it(self) -> None:
        # Among these are all at which a length has one byte more.
        for size in (*range(300), *range(16_300, 16_400), 2_000_000):
            for event in (
                Message(id="7", ms=1, room="den", nick="Ann", text="x" * size),
                Message(
                    id="7",
                    ms=2**40,
                    room="den",
                    nick="Ann",
                    account="ann",
                    text=f"\x01ACTION {'é' * size}\x01",
                    notice=True,
                    tags={"+a": "b", "nonce": "n"},
                ),
                RankedMessage(id="7", ms=1, room="den", nick="Ann", text="x" * size, least="op"),
                DirectMessage(id="7", ms=1, to_nick="bob", nick="Ann", text="x" * size),
            ):
                self.assertEqual(
                    FRAMES.encode(event), framed(pb.ServerFrame(message=message_of(event)))
                )

    def test_what_is_said_at_once_is_written_as_if_each_had_come_alone(self) -> None:
        events = [
            Message(id="1", ms=5, room="Den", nick="Ann", account="ann", text="one"),
            Message(id="2", ms=5, room="Den", nick="Bob", text="\x01ACTION waves\x01", notice=True),
            Message(id="3", ms=5, room="Den", nick="Bob", text="\x01VERSION\x01"),
            TagMessage(id="4", ms=6, room="Den", nick="Bob", tags={"+typing": "active"}),
            Message(id="5", ms=7, room="Den", nick="Bob", text="two", tags={"nonce": "n"}),
            Message(id="6", ms=7, room="Den", nick="Bob", text="three"),
        ]
        singly = [frame for event in events for frame in frames_in(FRAMES.encode(event))]

        [together] = frames_in(FRAMES.encode_all(events))

        self.assertEqual([message.ms for message in together.messages.messages], [5, 0, 7, 0])
        self.assertEqual([message.room for message in together.messages.messages], 4 * [""])
        self.assertEqual(list(alone([together])), singly)
        self.assertEqual(FRAMES.encode_all(events[:1]), FRAMES.encode(events[0]))
        self.assertEqual(FRAMES.encode_all(events[2:4]), b"")

    def test_however_much_is_said_at_once_frames_are_short(self) -> None:
        wide = "\U00010400"
        texts = ("x", 4096 * "x", 1024 * wide, 100 * wide)
        # As long as names are, and as long as an operator may have them.
        for text, name in product(texts, (32 * wide, 255 * wide)):
            event = Message(
                id="123456789012345678",
                ms=2**41,
                room=name,
                nick=name,
                account=name,
                text=text,
                notice=True,
                tags={"nonce": 16 * wide},
            )

            frames = frames_in(FRAMES.encode_all(120 * [event]))

            self.assertEqual(sum(len(frame.messages.messages) for frame in frames), 120)
            self.assertLess(max(frame.ByteSize() for frame in frames), 65_536)

    def test_what_is_for_programs_or_of_no_concern_is_not_told(self) -> None:
        for text in ("\x01VERSION\x01", "\x01ACTIONS x\x01", "\x01"):
            self.assertEqual(FRAMES.encode(Message(text=text)), b"")
        for event in (*SILENT, Wallops(text="x")):
            if not isinstance(event, Killed):
                self.assertEqual(FRAMES.encode(event), b"", event.kind)
        self.assertEqual(FRAMES.overheard(Invited(room="den")), SILENCE.overheard(Invited()))

    def test_what_only_other_dialects_bring_about(self) -> None:
        changes = [ModeChange(False, "invite_only"), ModeChange(True, "invite_only")]
        for event, frame in (
            (
                NickChanged(id="7", ms=1, nick="Ann", new_nick="Amy"),
                pb.ServerFrame(
                    nick_changed=pb.NickChanged(id="7", ms=1, nick="Ann", new_nick="Amy")
                ),
            ),
            (
                ModesChanged(id="7", ms=1, room="den", nick="Ann", changes=changes),
                pb.ServerFrame(
                    visibility_changed=pb.VisibilityChanged(
                        id="7", ms=1, room="den", private=True, by="Ann"
                    )
                ),
            ),
            (
                Transferred(id="7", ms=1, room="den", nick="Ann", heir="bob", heir_nick="Bob"),
                pb.ServerFrame(
                    owner_changed=pb.OwnerChanged(id="7", ms=1, room="den", nick="Bob", by="Ann")
                ),
            ),
            (
                Left(id="7", ms=1, room="den", nick="Ann", quit=True, reason="tea"),
                pb.ServerFrame(
                    left=pb.Left(id="7", ms=1, room="den", nick="Ann", quit=True, reason="tea")
                ),
            ),
            (
                Killed(id="7", ms=1, nick="root", victim="ann", reason="enough"),
                pb.ServerFrame(killed=pb.Killed(id="7", ms=1, by="root", reason="enough")),
            ),
        ):
            self.assertEqual(frames_in(FRAMES.encode(event)), [frame])


class OtherDialectsTests(ProtobufCase):
    """In one room: alice and bob who speak protobuf, ida who speaks IRC, liz with her own lines."""

    def setUp(self) -> None:
        super().setUp()
        self.given_room("den", self.alice, self.bob)
        self.ida = self.house.client("irc")
        self.ida.send("CAP LS 302", "NICK ida", "USER ida 0 * :Ida")
        self.ida.send("CAP REQ :message-tags batch draft/chathistory", "CAP END", "JOIN #den")
        self.liz = self.house.user("liz", "JOINROOM:den")
        self.forget()

    def forget(self) -> None:
        super().forget()
        for client in (self.__dict__.get("ida"), self.__dict__.get("liz")):
            if isinstance(client, Client):
                client.lines()

    def without_id(self, line: str) -> str:
        """An IRC line without its tags, of which there is no other than its id."""
        tags, _, rest = line.partition(" ")
        self.assertRegex(tags, r"^@msgid=[0-9]+$")
        return rest

    def told(self) -> list[pb.Message]:
        """What alice is told; bob is told the same."""
        frames = self.alice.frames()
        self.assertEqual(self.bob.frames(), frames)
        self.assertEqual({kind(frame) for frame in frames}, {"message"})
        return [frame.message for frame in frames]

    def test_what_is_said_in_one_dialect_is_heard_in_all(self) -> None:
        self.given(self.alice, say=pb.Say(room="den", text="hello"))

        self.assertEqual(self.liz.lines(), ["ROOM:den:alice:hello"])
        [line] = self.ida.lines()
        self.assertEqual(self.without_id(line), f":{mask('alice')} PRIVMSG #den :hello")
        self.forget()

        self.ida.send("PRIVMSG #den :hi")
        self.liz.send("ROOM:den:ahoy")

        self.assertEqual(
            [(message.nick, message.text) for message in self.told()],
            [("ida", "hi"), ("liz", "ahoy")],
        )

    def test_what_is_said_at_once_comes_in_one_frame(self) -> None:
        self.house.journal.hold()
        self.liz.send("ROOM:den:1", "ROOM:den:2", "ROOM:den:3")
        self.ida.send("PRIVMSG #den :4")
        self.house.journal.release()
        self.house.settle()

        frames = frames_in(self.alice.client.received())
        self.assertLess(len(frames), 4)
        self.assertIn("messages", [kind(frame) for frame in frames])
        self.assertEqual([frame.message.text for frame in alone(frames)], list("1234"))

    def test_actions_and_notices_are_those_of_irc(self) -> None:
        self.given(self.alice, say=pb.Say(room="den", text="waves", action=True))
        self.given(self.alice, say=pb.Say(room="den", text="beep", notice=True))

        self.assertEqual(
            [self.without_id(line) for line in self.ida.lines()],
            [
                f":{mask('alice')} PRIVMSG #den :\x01ACTION waves\x01",
                f":{mask('alice')} NOTICE #den :beep",
            ],
        )
        self.assertEqual(self.liz.lines(), ["ROOM:den:alice:* alice waves", "ROOM:den:alice:beep"])
        self.forget()

        self.ida.send("PRIVMSG #den :\x01ACTION bows\x01", "NOTICE #den :boop")
        self.ida.send("PRIVMSG #den :\x01VERSION\x01")

        bow, boop = self.told()
        self.assertEqual((bow.text, bow.action, bow.notice), ("bows", True, False))
        self.assertEqual((boop.text, boop.action, boop.notice), ("boop", False, True))

    def test_a_nonce_is_nobody_elses_but_is_kept(self) -> None:
        self.given(self.alice, say=pb.Say(room="den", text="hello", nonce="n1"))
        self.given(self.alice, tell=pb.Tell(nick="ida", text="psst", nonce="n2"))

        lines = self.ida.lines()
        self.assertEqual(
            [self.without_id(line) for line in lines],
            [f":{mask('alice')} PRIVMSG #den :hello", f":{mask('alice')} PRIVMSG ida :psst"],
        )
        history = self.ida.ask("CHATHISTORY LATEST #den * 10", "CHATHISTORY LATEST alice * 10")
        self.assertIn(" PRIVMSG #den :hello", "\n".join(history))
        self.assertNotIn("n1", "\n".join(history))
        self.assertNotIn("n2", "\n".join(history))
        for whose, nonce in ((pb.History(room="den"), "n1"), (pb.History(nick="ida"), "n2")):
            page = self.alice.answer(history=whose).history_page
            self.assertEqual([message.nonce for message in page.messages], [nonce])

    def test_a_client_tag_of_irc_is_no_nonce(self) -> None:
        self.ida.send("@+nonce=x;nonce=y PRIVMSG #den :hello")

        self.assertEqual([message.nonce for message in self.told()], [""])

    def test_a_new_nick_is_told_to_neighbours_and_to_oneself(self) -> None:
        self.ida.send("NICK eda")

        [told] = self.alice.frames()
        self.assertEqual((told.nick_changed.nick, told.nick_changed.new_nick), ("ida", "eda"))

    def test_coming_and_going(self) -> None:
        self.ida.send("PART #den :tea")
        self.liz.send("QUIT:")

        part, gone = (frame.left for frame in self.alice.frames())
        self.assertEqual((part.nick, part.quit, part.reason), ("ida", False, "tea"))
        self.assertEqual((gone.nick, gone.quit), ("liz", True))
        self.alice.client.hang_up()
        self.assertEqual(self.bob.kinds(), ["left", "left", "left"])

    def test_whoever_is_killed_is_told_so_before_bye(self) -> None:
        killed = Killed(nick="root", victim="alice", reason="enough: go")
        self.house.controller.submit(killed)
        self.house.settle()

        told, bye = self.alice.frames()
        self.assertEqual(
            (told.killed.by, told.killed.reason, told.killed.reclaimed),
            ("root", "enough: go", False),
        )
        self.assertEqual(bye.bye.reason, "killed by root: enough: go")
        self.assertTrue(self.alice.closed)
