"""Masks: their one spelling, and whom they mean."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller import masks
from chatservice.controller.errors import BadArguments, ChatError
from chatservice.controller.masks import Subject
from chatservice.controller.names import NameRules
from tests.generated import steady

ALICE = Subject("alice", "k3ab2cd.ip", "al")
GUEST = Subject("gu[e]st", "k3ab2cd.ip", "")


def globbed(glob: str, text: str) -> bool:
    """Whether a glob matches, by the table of all its beginnings with all the text's."""
    row = [True] + [False] * len(text)
    for wild in glob:
        before, row = row, [row[0] and wild == "*"]
        for index, character in enumerate(text):
            if wild == "*":
                row.append(row[index] or before[index + 1])
            else:
                row.append(before[index] and wild in {"?", character})
    return row[-1]


class CanonicalTests(SynchronousTestCase):
    def test_missing_parts_match_everybody(self) -> None:
        for typed, mask in (
            ("alice", "alice!*@*"),
            ("alice!~u", "alice!~u@*"),
            ("alice!~u@host.ip", "alice!~u@host.ip"),
            ("*@host.ip", "*!*@host.ip"),
            ("~u@host.ip", "*!~u@host.ip"),
            ("@host.ip", "*!*@host.ip"),
            ("alice!", "alice!*@*"),
            ("alice!@", "alice!*@*"),
            ("!~u@", "*!~u@*"),
            ("alice!@host.ip", "alice!*@host.ip"),
            ("*", "*!*@*"),
            ("!", "*!*@*"),
            ("@", "*!*@*"),
        ):
            self.assertEqual(masks.canonical(typed), mask)

    def test_case_does_not_count(self) -> None:
        self.assertEqual(masks.canonical("EDMUND!~U@Host.IP"), "edmund!~u@host.ip")
        self.assertEqual(masks.canonical("M:A:Bob"), "m:a:bob")
        self.assertEqual(masks.canonical("Stra\xdfe"), masks.canonical("STRASSE"))

    def test_accents_are_composed_as_in_names(self) -> None:
        self.assertEqual(masks.canonical("Rene\u0301"), "ren\xe9!*@*")

    def test_a_run_of_stars_is_one(self) -> None:
        self.assertEqual(masks.canonical("a**b!***@**"), "a*b!*@*")
        self.assertEqual(masks.canonical("a:**"), "a:*")

    def test_accounts_and_mutes_have_prefixes(self) -> None:
        for typed, mask in (
            ("a:alice", "a:alice"),
            ("a:*", "a:*"),
            ("m:alice", "m:alice!*@*"),
            ("m:*@host.ip", "m:*!*@host.ip"),
            ("m:a:alice", "m:a:alice"),
        ):
            self.assertEqual(masks.canonical(typed), mask)

    def test_hosts_may_have_colons(self) -> None:
        self.assertEqual(masks.canonical("*@2001:db8::*"), "*!*@2001:db8::*")

    def test_spaces_around_it_are_dropped(self) -> None:
        self.assertEqual(masks.canonical(" alice "), "alice!*@*")

    def test_what_is_no_mask_is_refused(self) -> None:
        for typed in (
            "",
            "  ",
            "a b",
            "a\tb",
            "a\x02b",
            "a\u200db",
            "a\xa0b",
            "\ud800",
            "host@nick!user",
            "a!b!c",
            "a@b@c",
            "a!b@c!d",
            "a!b:c@d",
            ":a",
            "r:realname",
            "m:",
            "a:",
            "m:a:",
            "m:m:alice",
            "a:m:alice",
            "a:b!c",
            "a:b@c",
            "m: alice",
        ):
            self.assertRaises(BadArguments, masks.canonical, typed)

    def test_its_length_is_limited_in_bytes_with_all_its_parts(self) -> None:
        self.assertEqual(len(masks.canonical("a" * 196)), 200)
        self.assertRaises(BadArguments, masks.canonical, "a" * 197)
        self.assertRaises(BadArguments, masks.canonical, "m:" + "a" * 195)
        self.assertRaises(BadArguments, masks.canonical, "\xe9" * 99)

    @steady()
    @given(st.text(st.sampled_from("aB*?!@:m[\xc9\u0301\u0345\u1e9e "), max_size=12) | st.text())
    def test_a_canonical_mask_stays_as_it_is(self, typed: str) -> None:
        try:
            mask = masks.canonical(typed)
        except BadArguments as error:
            self.assertTrue(str(error).isprintable())
            return

        self.assertEqual(masks.canonical(mask), mask)
        self.assertNotIn(mask[0], ":")
        self.assertEqual(masks.canonical(masks.target(mask)), masks.target(mask))

    @steady()
    @given(st.text(st.characters(categories=["L", "Mn"]), min_size=1, max_size=6))
    def test_every_nick_can_be_named_as_its_owner_writes_it(self, text: str) -> None:
        try:
            name = NameRules().nick(text)
        except ChatError:
            return

        self.assertEqual(masks.canonical(name.text), f"{name.key}!*@*")


class MatchingTests(SynchronousTestCase):
    def means(self, typed: str, subject: Subject) -> bool:
        return masks.matches(masks.canonical(typed), subject)

    def test_nick_username_and_host_all_have_to_match(self) -> None:
        for typed in ("alice", "ALICE", "a*!*@*.ip", "*!~u@*", "*@k3ab2cd.ip", "?lic?", "*"):
            self.assertTrue(self.means(typed, ALICE), typed)
        for typed in ("alic", "lice", "alice?", "alice!u", "*@k3ab2cd", "bob!*@k3ab2cd.ip", "?"):
            self.assertFalse(self.means(typed, ALICE), typed)

    def test_all_that_is_not_wild_is_a_letter(self) -> None:
        self.assertTrue(self.means("gu[e]st", GUEST))
        self.assertFalse(self.means("gu[e]st", Subject("guest", "h", "")))
        self.assertFalse(self.means("*@k3ab2cd?ip", Subject("a", "k3ab2cdip", "")))
        self.assertFalse(self.means("*@k.ip", Subject("a", "kxip", "")))
        self.assertTrue(self.means("a|b^", Subject("a|b^", "h", "")))

    def test_accounts_match_by_their_account_alone(self) -> None:
        self.assertTrue(self.means("a:al", ALICE))
        self.assertTrue(self.means("a:a*", ALICE))
        self.assertFalse(self.means("a:alice", ALICE))
        self.assertFalse(self.means("al", ALICE))

    def test_every_account_is_meant_by_a_star_and_no_guest(self) -> None:
        self.assertTrue(self.means("a:*", ALICE))
        self.assertFalse(self.means("a:*", GUEST))

    def test_a_mute_means_whom_its_target_does(self) -> None:
        for typed in ("m:alice", "m:a:al"):
            self.assertTrue(self.means(typed, ALICE))
            self.assertFalse(self.means(typed, GUEST))

    def test_a_mute_is_told_from_a_ban(self) -> None:
        for typed, mute, target in (
            ("m:alice", True, "alice!*@*"),
            ("m:a:al", True, "a:al"),
            ("a:m", False, "a:m"),
            ("m", False, "m!*@*"),
        ):
            mask = masks.canonical(typed)
            self.assertEqual((masks.is_mute(mask), masks.target(mask)), (mute, target))

    def test_no_mask_is_slow(self) -> None:
        # Matching by looking back at every star would outlast the sun.
        subject = Subject("a" * 32, "a" * 64, "a" * 128)

        self.assertFalse(self.means("*a" * 45 + "b@" + "*a" * 45 + "b", subject))
        self.assertFalse(self.means("a:" + "*a" * 90 + "*b", subject))
        self.assertFalse(self.means("a:" + "*?a" * 60 + "*b?", subject))

    def test_strangers_masks_are_compared_without_work_beforehand(self) -> None:
        def compile(*_: object) -> None:
            self.fail("a thousand times as dear as to compare once")

        self.patch(re, "compile", compile)
        for number in range(masks.MASKS_REMEMBERED + 1):
            self.assertFalse(self.means(f"*a*?b*{number}*", ALICE))
            self.assertIsNone(masks.glob(f"a*?{number}")("alice"))

    @steady()
    @given(
        st.text(st.sampled_from("ab*?[]\\-\xe9"), min_size=1, max_size=10),
        st.text(st.sampled_from("ab[]\\-\xe9"), min_size=1, max_size=12),
    )
    def test_globs_match_as_the_reference_says(self, glob: str, text: str) -> None:
        expected = globbed(glob, text)

        self.assertEqual(self.means(f"a:{glob}", Subject("x", "y", text)), expected)
        self.assertEqual(self.means(glob, Subject(text, "y", "")), expected)
        self.assertEqual(self.means(f"*@{glob}", Subject("x", text, "")), expected)
