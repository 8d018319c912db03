"""What is said, and to whom: notices, tags, those with a role, users who do not hear everybody."""

from __future__ import annotations

from chatservice.controller import modes, requests
from chatservice.controller.errors import BadArguments, NeedsAccount, NoSuchUser, NotInRoom
from tests.modes_case import ModesCase
from tests.test_state import all_records

TAGS = {"+typing": "active"}


class TalkingTests(ModesCase):
    def test_a_notice_and_tags_are_what_the_client_said(self) -> None:
        to_room = self.ask(requests.say_to_room, self.bob, "den", "hello", True, TAGS)
        to_user = self.ask(requests.say_to_user, self.bob, "cid", "hello", True, TAGS)
        to_ranks = self.ask(
            requests.say_to_ranks, self.bob, "den", modes.VOICE, "hello", True, TAGS
        )

        for event in (to_room, to_user, to_ranks):
            self.assertEqual((event.notice, event.tags, event.text), (True, TAGS, "hello"))

    def test_they_are_left_out_as_a_rule(self) -> None:
        event = self.ask(requests.say_to_room, self.bob, "den", "hello")

        self.assertEqual((event.notice, event.tags), (False, None))

    def test_an_event_says_whose_it_is(self) -> None:
        self.eve.host = "e.ip"

        for event in (
            self.ask(requests.say_to_room, self.eve, "den", "hello"),
            self.ask(requests.say_to_user, self.eve, "bob", "hello"),
            self.ask(requests.say_to_ranks, self.eve, "den", modes.VOICE, "hello"),
            self.ask(requests.tag_room, self.eve, "den", TAGS),
            self.ask(requests.tag_user, self.eve, "bob", TAGS),
            self.ask(requests.tag_ranks, self.eve, "den", modes.VOICE, TAGS),
        ):
            self.assertEqual(
                (event.actor, event.nick, event.account, event.host), ("eve", "Eve", "Eve", "e.ip")
            )

    def test_what_is_said_to_ranks_is_for_those_who_stand_so_high(self) -> None:
        self.give(modes.VOICE, self.bob)
        self.give(modes.OPERATOR, self.cid)

        def to(least: str) -> list[str]:
            event = self.ask(requests.say_to_ranks, self.eve, "den", least, "hello")
            self.assertEqual((event.target, event.least), (self.den.id, least))
            heard: list[str] = event.to
            return heard

        self.assertEqual(to(modes.VOICE), ["ann", "bob", "cid"])
        self.assertEqual(to(modes.HALFOP), ["ann", "cid"])
        self.assertEqual(to(modes.OWNER), ["ann"])

    def test_it_is_said_by_members(self) -> None:
        self.refused(NotInRoom, requests.say_to_ranks, self.dan, "den", modes.VOICE, "hello")
        self.refused(NotInRoom, requests.tag_ranks, self.dan, "den", modes.VOICE, TAGS)

    def test_what_is_told_to_ranks_by_tags_is_for_the_same(self) -> None:
        self.give(modes.OPERATOR, self.cid)

        event = self.ask(requests.tag_ranks, self.eve, "den", modes.OPERATOR, TAGS)

        self.assertEqual((event.to, event.tags), (["ann", "cid"], TAGS))

    def test_what_a_program_says_is_marked(self) -> None:
        flags = requests.change_user_flag(self.bob, [(True, modes.BOT)])
        assert flags is not None
        self.apply(flags)

        for event in (
            self.ask(requests.say_to_room, self.bob, "den", "hello", False, TAGS),
            self.ask(requests.tag_room, self.bob, "den", TAGS),
            self.ask(requests.tag_user, self.bob, "cid", TAGS),
            self.ask(requests.tag_ranks, self.bob, "den", modes.VOICE, TAGS),
        ):
            self.assertEqual(list(event.tags), ["bot", *TAGS])
        self.assertEqual(self.ask(requests.say_to_user, self.bob, "cid", "hello").tags, {"bot": ""})

    def test_there_must_be_something_to_say_and_it_must_be_sendable(self) -> None:
        self.limit(text_bytes=8)
        for text in ("", "x" * 9, "a\nb"):
            self.refused(BadArguments, requests.say_to_room, self.bob, "den", text)
            self.refused(BadArguments, requests.say_to_user, self.bob, "cid", text)
            self.refused(BadArguments, requests.say_to_ranks, self.bob, "den", modes.VOICE, text)

    def test_somebody_may_hear_only_those_with_an_account(self) -> None:
        flags = requests.change_user_flag(self.bob, [(True, modes.ACCOUNTS_TELL)])
        assert flags is not None
        self.apply(flags)

        self.refused(NeedsAccount, requests.say_to_user, self.cid, "bob", "hello")
        self.refused(NeedsAccount, requests.tag_user, self.cid, "bob", TAGS)
        self.ask(requests.say_to_user, self.eve, "bob", "hello")
        self.ask(requests.say_to_user, self.bob, "bob", "note to self")

    def test_what_is_told_by_tags_is_in_the_conversation_too(self) -> None:
        said = self.ask(requests.say_to_user, self.bob, "cid", "hello")
        tagged = self.ask(requests.tag_user, self.cid, "bob", TAGS)

        self.assertEqual(said.target, tagged.target)
        self.refused(NoSuchUser, requests.tag_user, self.bob, "nobody", TAGS)

    def test_nothing_of_it_changes_what_is_true(self) -> None:
        before = all_records(self.state)

        self.do(requests.tag_room, self.bob, "den", TAGS)
        self.do(requests.tag_user, self.bob, "cid", TAGS)
        self.do(requests.say_to_ranks, self.bob, "den", modes.VOICE, "hello")

        self.assertEqual(all_records(self.state), before)
