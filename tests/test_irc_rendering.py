"""Events as IRC lines: what each capability changes, and that no line is too long."""

from __future__ import annotations

from itertools import chain, combinations
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller import modes
from chatservice.controller.events import (
    EVENTS,
    AccountChanged,
    AwayChanged,
    DirectMessage,
    DirectTag,
    Event,
    HostChanged,
    Invited,
    Joined,
    Kicked,
    Left,
    LoggedOut,
    Message,
    ModeChange,
    ModesChanged,
    NickChanged,
    RankedMessage,
    RankedTag,
    RealnameChanged,
    Registered,
    TagMessage,
    TopicChanged,
    Transferred,
    UserFlagsChanged,
    VisibilityChanged,
    Wallops,
)
from chatservice.translation.irc.capabilities import RENDERING
from chatservice.translation.irc.rendering import IrcVariant, timestamp, variant_for

SERVER = "chat.example"
ANN = "Ann!~u@hidden.ip"
BY_ANN: dict[str, Any] = {
    "id": "0F",
    "ms": 1_800_000_000_007,
    "actor": "ann",
    "nick": "Ann",
    "account": "annie",
    "host": "hidden.ip",
}
TIME = "time=2027-01-15T08:00:00.007Z"


def lines(event: Event, *capabilities: str) -> list[str]:
    """An event as clients with these capabilities see it."""
    return split(variant(*capabilities).encode(event))


def variant(*capabilities: str) -> IrcVariant:
    return variant_for(frozenset(capabilities), SERVER)


def split(data: bytes) -> list[str]:
    parts = data.decode().split("\r\n")
    assert parts.pop() == ""
    return parts


def said(text: str, **more: Any) -> Message:
    return Message(**BY_ANN, room="lobby", text=text, **more)


class VariantTests(SynchronousTestCase):
    def test_those_with_the_same_bytes_share_one(self) -> None:
        self.assertIs(variant("server-time", "echo-message"), variant("server-time", "sasl"))
        self.assertIsNot(variant("server-time"), variant())

    def test_every_capability_that_renders_changes_something(self) -> None:
        for capability in RENDERING:
            different = [
                kind
                for kind, event in SAMPLES.items()
                if variant(capability).encode(event) != variant().encode(event)
                or variant(capability).overheard(event) != variant().overheard(event)
            ]
            self.assertTrue(different, capability)

    def test_what_is_told_to_one_client_alone_has_no_bytes(self) -> None:
        for kind, event in EVENTS.items():
            if event not in map(type, SAMPLES.values()):
                self.assertEqual(variant(*RENDERING).encode(event(**BY_ANN)), b"", kind)


class TagTests(SynchronousTestCase):
    def test_without_capabilities_there_are_none(self) -> None:
        self.assertEqual(lines(said("hi", tags={"+a": "1"})), [f":{ANN} PRIVMSG #lobby :hi"])

    def test_each_capability_has_its_own(self) -> None:
        for capability, tags in (
            ("server-time", TIME),
            ("account-tag", "account=annie"),
            ("message-tags", "msgid=0F;+a=1"),
        ):
            (line,) = lines(said("hi", tags={"+a": "1"}), capability)
            self.assertEqual(line, f"@{tags} :{ANN} PRIVMSG #lobby :hi")

    def test_the_servers_come_first(self) -> None:
        event = said("hi", tags={"bot": "", "+a": "x y;\\", "+b": ""})

        (line,) = lines(event, "server-time", "account-tag", "message-tags")

        self.assertEqual(
            line.partition(" ")[0], f"@{TIME};msgid=0F;account=annie;bot;+a=x\\sy\\:\\\\;+b"
        )

    def test_a_guest_has_no_account(self) -> None:
        event = Message(nick="Bob", host="h", room="lobby", text="hi")

        self.assertEqual(lines(event, "account-tag"), [":Bob!~u@h PRIVMSG #lobby :hi"])

    def test_what_the_service_does_is_by_the_server(self) -> None:
        event = ModesChanged(room="lobby", changes=[ModeChange(True, modes.SECRET)])

        self.assertEqual(lines(event), [f":{SERVER} MODE #lobby +s"])

    def test_moments(self) -> None:
        self.assertEqual(timestamp(0), "1970-01-01T00:00:00.000Z")
        self.assertEqual(timestamp(1_800_000_000_999), "2027-01-15T08:00:00.999Z")


class WordsTests(SynchronousTestCase):
    def test_every_event(self) -> None:
        for event, line in (
            (said("hi"), "PRIVMSG #lobby :hi"),
            (said(":-) x", notice=True), "NOTICE #lobby ::-) x"),
            (DirectMessage(**BY_ANN, to_nick="Bob", text="hi"), "PRIVMSG Bob :hi"),
            (RankedMessage(**BY_ANN, room="a", least=modes.VOICE, text="hi"), "PRIVMSG +#a :hi"),
            (Joined(**BY_ANN, room="lobby", realname="A"), "JOIN #lobby"),
            (Left(**BY_ANN, room="lobby"), "PART #lobby"),
            (Left(**BY_ANN, room="lobby", reason="bye"), "PART #lobby :bye"),
            (Kicked(**BY_ANN, room="lobby", victim_nick="Bob"), "KICK #lobby Bob :Ann"),
            (
                Kicked(**BY_ANN, room="lobby", victim_nick="Bob", reason="no"),
                "KICK #lobby Bob :no",
            ),
            (Invited(**BY_ANN, room="lobby", guest_nick="Bob"), "INVITE Bob #lobby"),
            (TopicChanged(**BY_ANN, room="lobby", text="a b"), "TOPIC #lobby :a b"),
            (TopicChanged(**BY_ANN, room="lobby"), "TOPIC #lobby :"),
            (VisibilityChanged(**BY_ANN, room="lobby", private=True), "MODE #lobby +is"),
            (VisibilityChanged(**BY_ANN, room="lobby"), "MODE #lobby -is"),
            (Transferred(**BY_ANN, room="lobby", heir_nick="Bob"), "MODE #lobby -q+q Ann Bob"),
            (LoggedOut(**BY_ANN, reason="bye"), "QUIT :bye"),
            (NickChanged(**BY_ANN, new_nick="Anne"), "NICK Anne"),
            (UserFlagsChanged(**BY_ANN, changes=[(True, modes.BOT)]), "MODE Ann +B"),
            (Wallops(**BY_ANN, text="all"), "WALLOPS :all"),
        ):
            self.assertEqual(lines(event), [f":{ANN} {line}"])

    def test_what_a_capability_is_needed_for(self) -> None:
        for capability, event, line in (
            ("away-notify", AwayChanged(**BY_ANN, text="out"), "AWAY :out"),
            ("away-notify", AwayChanged(**BY_ANN), "AWAY"),
            ("account-notify", AccountChanged(**BY_ANN, account_nick="bob"), "ACCOUNT bob"),
            ("account-notify", AccountChanged(**BY_ANN), "ACCOUNT *"),
            ("account-notify", Registered(**BY_ANN), "ACCOUNT annie"),
            ("chghost", HostChanged(**BY_ANN, new_host="new.host"), "CHGHOST ~u new.host"),
            ("setname", RealnameChanged(**BY_ANN, realname="A B"), "SETNAME :A B"),
            ("extended-join", Joined(**BY_ANN, room="a", realname="A"), "JOIN #a annie :A"),
        ):
            self.assertEqual(lines(event, capability), [f":{ANN} {line}"])
            if capability != "extended-join":
                self.assertEqual(lines(event), [])
        for tagged in (
            TagMessage(**BY_ANN, room="lobby", tags={"+a": ""}),
            DirectTag(**BY_ANN, to_nick="Bob", tags={"+a": ""}),
            RankedTag(**BY_ANN, room="lobby", least=modes.OPERATOR, tags={"+a": ""}),
        ):
            self.assertEqual(lines(tagged), [])
            self.assertIn(" TAGMSG ", lines(tagged, "message-tags")[0])

    def test_who_joins_may_have_roles_and_be_away(self) -> None:
        event = Joined(**BY_ANN, room="a", away="out", roles=[modes.OWNER, modes.VOICE])

        self.assertEqual(
            lines(event, "away-notify"),
            [f":{ANN} JOIN #a", f":{ANN} AWAY :out", f":{SERVER} MODE #a +qv Ann Ann"],
        )
        self.assertEqual(lines(event)[1:], [f":{SERVER} MODE #a +qv Ann Ann"])

    def test_only_the_first_line_of_an_event_has_the_id(self) -> None:
        joined = Joined(**BY_ANN, room="a", roles=[modes.OWNER])
        many = [ModeChange(True, modes.BAN, 100 * str(number)) for number in range(9)]
        changed = ModesChanged(**BY_ANN, room="a", changes=many)

        for event in (joined, changed, said("word " * 300)):
            first, *others = lines(event, "message-tags")
            self.assertTrue(first.startswith("@msgid=0F "), first)
            self.assertTrue(others)
            self.assertFalse([line for line in others if "msgid" in line])

    def test_an_invitation_is_overheard_by_who_asks_for_it(self) -> None:
        event = Invited(**BY_ANN, room="lobby", guest_nick="Bob")

        self.assertEqual(variant().overheard(event), b"")
        self.assertEqual(
            split(variant("invite-notify").overheard(event)), [f":{ANN} INVITE Bob #lobby"]
        )

    def test_who_quits_leaves_every_room_without_a_word(self) -> None:
        self.assertEqual(lines(Left(**BY_ANN, room="lobby", quit=True)), [])


class LengthTests(SynchronousTestCase):
    def test_texts_are_split_where_words_end(self) -> None:
        text = "word " * 300

        head = f":{ANN} PRIVMSG #lobby :"
        pieces = [line.removeprefix(head) for line in lines(said(text))]
        self.assertEqual("".join(pieces), text)
        self.assertTrue(all(piece.endswith("word ") for piece in pieces))

    def test_an_action_is_one_in_every_line(self) -> None:
        pieces = lines(said(f"\x01ACTION {'waves ' * 200}\x01"))

        self.assertGreater(len(pieces), 2)
        for piece in pieces:
            text = piece.partition(" :")[2]
            self.assertTrue(text.startswith("\x01ACTION waves") and text.endswith("\x01"), text)

    def test_a_question_of_a_client_is_cut_and_not_asked_in_parts(self) -> None:
        (line,) = lines(said(f"\x01PING {'é' * 300}\x01"))

        self.assertIn(len(line.encode()), (509, 510))
        self.assertTrue(
            line.partition(" :")[2].startswith("\x01PING éé") and line.endswith("é\x01")
        )

    def test_what_just_fits_is_one_line(self) -> None:
        room_left = 510 - len(f":{ANN} PRIVMSG #lobby :")

        self.assertEqual(len(lines(said("x" * room_left))), 1)
        self.assertEqual(len(lines(said("x" * (room_left + 1)))), 2)
        self.assertEqual(len(lines(said("é" * (room_left // 2)))), 1)
        self.assertEqual(len(lines(said("é" * (room_left // 2 + 1)))), 2)

    def test_no_line_of_any_event_is_too_long(self) -> None:
        for capabilities in ((), tuple(RENDERING)):
            for kind, event in LONG.items():
                got = lines(event, *capabilities)
                self.assertTrue(got or kind in NEED_CAPABILITIES, kind)
                for line in got:
                    tags = line.partition(" ")[0] + " " if line.startswith("@") else ""
                    self.assertLessEqual(len(line.removeprefix(tags).encode()), 510, kind)
                    self.assertLessEqual(len(tags.encode()), 8191, kind)

    def test_a_line_is_cut_between_characters_and_ends_with_no_space(self) -> None:
        for line, bytes_left in (
            ("x" * 510, 510),
            ("x" * 511, 510),
            ("@tag=1 " + "x" * 600, 517),
            ("é" * 300, 510),
            ("x" + "é" * 300, 509),
            ("x" * 509 + " :text", 509),
        ):
            cut = IrcVariant.cut(line + "\r\n")
            self.assertEqual(len(cut.encode()) - 2, bytes_left)
            self.assertTrue(line.startswith(cut.removesuffix("\r\n")))


class EveryVariantTests(SynchronousTestCase):
    def test_all_variants_write_all_events(self) -> None:
        names = sorted(RENDERING)
        for chosen in chain.from_iterable(combinations(names, n) for n in range(len(names) + 1)):
            for event in SAMPLES.values():
                lines(event, *chosen)


def samples(nick: str, room: str, text: str) -> dict[str, Event]:
    """One event of each kind that has a line."""
    by: dict[str, Any] = BY_ANN | {"nick": nick, "account": nick, "host": "h" * 63}
    place: dict[str, Any] = {"room": room}
    other = {"+tag": text}
    events: list[Event] = [
        Message(**by, **place, text=text, tags=other),
        DirectMessage(**by, to_nick=nick, text=text),
        RankedMessage(**by, **place, least=modes.OPERATOR, text=text),
        TagMessage(**by, **place, tags=other),
        DirectTag(**by, to_nick=nick, tags=other),
        RankedTag(**by, **place, least=modes.OPERATOR, tags=other),
        Wallops(**by, text=text),
        Joined(**by, **place, realname=text, away=text, roles=list(modes.ROLES)),
        Left(**by, **place, reason=text),
        Kicked(**by, **place, victim_nick=nick, reason=text),
        Invited(**by, **place, guest_nick=nick),
        TopicChanged(**by, **place, text=text),
        VisibilityChanged(**by, **place),
        ModesChanged(
            **by, **place, changes=[ModeChange(True, mode, nick) for mode in 4 * modes.ROLES]
        ),
        Transferred(**by, **place, heir_nick=nick),
        LoggedOut(**by, reason=text),
        NickChanged(**by, new_nick=nick),
        AwayChanged(**by, text=text),
        AccountChanged(**by, account_nick=nick),
        Registered(**by),
        HostChanged(**by, new_host="n" * 63),
        RealnameChanged(**by, realname=text),
        UserFlagsChanged(**by, changes=[(True, flag) for flag in sorted(modes.USER_FLAGS)]),
    ]
    return {event.kind: event for event in events}


SAMPLES = samples("Ann", "lobby", "some text")
LONG = samples(32 * "\U0001d400", 64 * "\U0001d400", 1000 * "\U0001f600")
NEED_CAPABILITIES = frozenset(
    ("tagmsg", "directtag", "rankedtag", "away", "account", "register", "host", "realname")
)
