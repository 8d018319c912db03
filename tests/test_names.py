"""What may be a nick or a room's name, which names are one, and which look too much alike."""

# ruff: noqa: RUF001 (look-alikes are the matter here)

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller import lookalikes, names
from chatservice.controller.errors import (
    ERRORS_BY_CODE,
    BadNick,
    BadRoomName,
    ChatError,
    NoSuchRoom,
)
from chatservice.controller.names import Name, NameRules
from tests.generated import steady

rules = NameRules()
ASCII = st.text(st.characters(max_codepoint=127), min_size=1, max_size=32)

CYRILLIC_A = "\u0430"
GREEK_CAPITALS_LIKE_ANNA = "\u0391\u039d\u039d\u0391"
CYRILLIC_LIKE_CAPA = "\u0441\u0430\u0440\u0430"
CLICK = "\u01c0"
DOTLESS_I = "\u0131"


class ErrorsTests(SynchronousTestCase):
    def test_every_code_of_the_line_protocol_has_a_class(self) -> None:
        codes = """
            NOT_LOGGED_IN ALREADY_LOGGED_IN NICK_IN_USE BAD_NICK BAD_ROOM_NAME BAD_PASSWORD
            NO_SUCH_ROOM NO_SUCH_USER ROOM_EXISTS NOT_OWNER NOT_IN_ROOM ALREADY_IN_ROOM PRIVATE_ROOM
            TOO_MANY TOO_FAST UNAVAILABLE UNKNOWN_COMMAND BAD_ARGUMENTS LINE_TOO_LONG NOT_UTF8
            BANNED BAD_KEY MUTED NEEDS_ACCOUNT NOT_OPERATOR
        """.split()  # noqa: SIM905

        self.assertEqual(set(ERRORS_BY_CODE), set(codes))

    def test_every_error_has_words_of_its_own(self) -> None:
        words = {str(error()) for error in ERRORS_BY_CODE.values()}

        self.assertEqual(len(words), len(ERRORS_BY_CODE))
        self.assertNotIn(ChatError.default_words, words)

    def test_words_can_be_given(self) -> None:
        error = NoSuchRoom("the lobby is gone")

        self.assertEqual((error.code, str(error)), ("NO_SUCH_ROOM", "the lobby is gone"))

    def test_words_given_may_be_empty(self) -> None:
        self.assertEqual(str(NoSuchRoom("")), "")


class AsciiTests(SynchronousTestCase):
    def test_case_is_kept_for_showing_and_dropped_for_comparing(self) -> None:
        self.assertEqual(rules.nick("Alice"), Name("Alice", "alice", "alice"))

    def test_a_name_is_shown_as_its_text(self) -> None:
        self.assertEqual(str(rules.nick("Alice")), "Alice")

    def test_irc_punctuation_is_allowed_in_nicks(self) -> None:
        for nick in ("a_b", "a-b", "[x]", "{x}", "a|away", "^_^", "`a`", "a1", "_"):
            self.assertEqual(rules.nick(nick).text, nick)

    def test_brackets_and_braces_are_different_letters(self) -> None:
        self.assertNotEqual(rules.nick("[x]").key, rules.nick("{x}").key)

    def test_delimiters_of_dialects_are_refused_everywhere(self) -> None:
        for character in ":,*?!@#&~%$/\\<>\"'();= \t\r\n\0\x07\x7f":
            for text in (f"a{character}b", f"{character}ab", f"ab{character}"):
                self.assertRaises(BadNick, rules.nick, text)
                self.assertRaises(BadRoomName, rules.room, text)

    def test_nicks_begin_with_no_digit_and_no_dash(self) -> None:
        for nick in ("1a", "-a", "9", "\u0663\u0628"):
            self.assertRaises(BadNick, rules.nick, nick)

    def test_dot_and_plus_are_for_rooms(self) -> None:
        for text in ("python3.13", "c++"):
            self.assertEqual(rules.room(text).text, text)
            self.assertRaises(BadNick, rules.nick, text)

    def test_rooms_may_begin_with_a_digit(self) -> None:
        self.assertEqual(rules.room("2600").key, "2600")

    def test_rooms_begin_with_no_prefix_and_end_with_no_full_stop(self) -> None:
        for text in ("#a", "&a", "@a", "+a", "%a", "~a", ".a", "a.", ".", ".."):
            self.assertRaises(BadRoomName, rules.room, text)

    def test_nothing_is_no_name(self) -> None:
        self.assertRaises(BadNick, rules.nick, "")
        self.assertRaises(BadRoomName, rules.room, "")

    def test_the_longest_name_is_allowed_and_a_longer_one_is_not(self) -> None:
        self.assertEqual(rules.nick("a" * 32).key, "a" * 32)
        self.assertRaises(BadNick, rules.nick, "a" * 33)
        self.assertEqual(rules.room("a" * 64).key, "a" * 64)
        self.assertRaises(BadRoomName, rules.room, "a" * 65)

    def test_lengths_are_the_operators(self) -> None:
        short = NameRules(nick_characters=3, room_characters=4)

        self.assertRaises(BadNick, short.nick, "abcd")
        self.assertEqual(short.room("abcd").key, "abcd")

    def test_refusals_say_what_is_wrong(self) -> None:
        for text, words in (
            ("a:b", 'a nick cannot contain ":"'),
            ("a b", "a nick cannot contain a space"),
            ("a\0", "a nick cannot contain U+0000"),
            ("7up", "a nick cannot begin with a digit"),
            ("a" * 33, "a nick has 32 characters at most"),
        ):
            error = self.assertRaises(BadNick, rules.nick, text)
            self.assertEqual(str(error), words)

    @steady()
    @given(ASCII)
    def test_the_short_way_comes_to_what_the_long_way_comes_to(self, text: str) -> None:
        for kind in (names.NICK, names.ROOM):
            self.assertEqual(names.parse_ascii(kind, text), names.parse_unicode(kind, 64, text))

    def test_ascii_names_never_look_alike(self) -> None:
        for one, other in (("user1", "userl"), ("bill", "bi11"), ("modem", "modern"), ("o0", "oo")):
            self.assertNotEqual(rules.nick(one).skeleton, rules.nick(other).skeleton)


class UnicodeTests(SynchronousTestCase):
    def refused(self, text: str) -> str:
        return str(self.assertRaises(BadNick, rules.nick, text))

    def test_names_of_many_languages_are_allowed(self) -> None:
        for text in (
            "José",
            "Zoë",
            "Łukasz",
            "Ольга",
            "Вова",
            "Боб",
            "Юра",
            "Іра",
            "Лук\u02bcян",
            "Ελένη",
            "Αννα",
            "שלום",
            "בּוֹקֶר",
            "محمد",
            "محمد\u0661",
            "مریم۱",
            "さくら",
            "スーパー",
            "田中taro",
            "김철수",
            "王小明",
            "क्षितिज",
            "สมชาย",
            "Nguyễn",
            "Åsa",
            "Yıldız",
            "İpek",
        ):
            name = rules.nick(text)
            self.assertEqual(name.text, unicodedata.normalize("NFC", text))

    def test_full_width_letters_are_the_plain_ones(self) -> None:
        self.assertEqual(rules.nick("\uff41\uff44\uff4d\uff49\uff4e"), rules.nick("admin"))

    def test_full_width_delimiters_are_still_delimiters(self) -> None:
        self.assertIn('":"', self.refused("a\uff1ab"))
        self.assertIn('"@"', self.refused("a\uff20b"))

    def test_a_full_width_digit_is_still_a_digit(self) -> None:
        self.assertIn("digit", self.refused("\uff11a"))

    def test_composed_and_decomposed_are_one_name(self) -> None:
        self.assertEqual(rules.nick("Jose\u0301"), rules.nick("José"))

    def test_case_is_folded_in_every_alphabet(self) -> None:
        for one, other in (("ОЛЬГА", "ольга"), ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"), ("STRASSE", "straße")):
            self.assertEqual(rules.nick(one).key, rules.nick(other).key)

    def test_alphabets_are_not_mixed(self) -> None:
        for text in (
            f"{CYRILLIC_A}dmin",
            "p\u03b1ypal",
            "\u0430\u03b2\u03b3",
            "adm\u0456n",
            "さくら\u0430",
            "x\u0345",
        ):
            self.assertIn("mix alphabets", self.refused(text))

    def test_digits_are_not_mixed(self) -> None:
        self.assertIn("digits", self.refused("\u0915\u0967" + "1"))

    def test_invisible_characters_are_refused(self) -> None:
        for code in (0xAD, 0x34F, 0x61C, 0x115F, 0x17B4, 0x180B, 0x180E, *range(0x200B, 0x2010)):
            self.refused(f"ad{chr(code)}min")
        for code in (*range(0x2028, 0x202F), *range(0x2060, 0x2070), 0x2800, 0x3164, 0xFE0F):
            self.refused(f"ad{chr(code)}min")
        for code in (0xFEFF, 0xFFA0, 0xFFFC, 0xE0041, 0xE0100):
            self.refused(f"ad{chr(code)}min")

    def test_spaces_of_every_kind_are_refused(self) -> None:
        for space in "\u00a0\u1680\u2003\u202f\u3000\u0085":
            self.refused(f"ad{space}min")

    def test_a_joiner_where_writing_needs_it_does_not_make_another_name(self) -> None:
        joined = rules.nick("\u0915\u094d\u200d\u0937")

        self.assertEqual(joined.skeleton, rules.nick("\u0915\u094d\u0937").skeleton)

    def test_ligatures_symbols_and_emoji_are_refused(self) -> None:
        for text in (
            "\ufb01sh",
            "x\u2460",
            "\u2122x",
            "\U0001f600",
            "\u2665",
            "x\u2007",
            "\u00aax",
        ):
            self.refused(text)

    def test_lone_surrogates_and_unassigned_characters_are_refused(self) -> None:
        for text in ("\ud800", "a\udfffb", "a\U000e0fff", "a\uffff", "a\ue000"):
            self.refused(text)

    def test_accents_alone_or_in_heaps_are_refused(self) -> None:
        for text in ("\u0301a", "e\u0301\u0301", "z\u0300\u0301\u0302\u0303\u0304"):
            self.assertIn("accent", self.refused(text))

    def test_right_to_left_names_keep_the_bidi_rule(self) -> None:
        for text in ("שלוםabc", "abcשלום", "שלום-", "\u0661\u0628"):
            self.refused(text)

    def test_letters_drawn_as_delimiters_are_refused(self) -> None:
        for text in ("hello\u01c3", "a\u02d0b"):
            self.assertIn("looks like punctuation", self.refused(text))

    def test_refusals_never_repeat_what_is_not_plain(self) -> None:
        for text in ("a\u202eb", "\ud800", "a\r\nb", f"{CYRILLIC_A}b", "a\U0001f600"):
            words = self.refused(text)
            self.assertTrue(words.isascii() and words.isprintable(), words)

    def test_too_long_a_name_is_refused_before_it_is_looked_at(self) -> None:
        def forbidden(*_: object) -> None:
            self.fail("an overlong name was parsed")

        self.patch(names, "parse_unicode", forbidden)
        self.assertIn("32 characters", self.refused("\u0451" * 33))

    @steady()
    @given(st.text(min_size=1, max_size=32))
    def test_a_name_once_allowed_is_allowed_as_shown_and_as_compared(self, text: str) -> None:
        try:
            name = rules.room(text)
        except BadRoomName:
            return
        self.assertEqual(rules.room(name.text), name)
        self.assertEqual(rules.room(name.key).key, name.key)

    def test_names_that_are_too_long_are_not_remembered(self) -> None:
        remembered = names._parse.cache_info().currsize

        self.assertRaises(BadNick, rules.nick, "n" * 4096)
        self.assertRaises(BadRoomName, rules.room, "r" * 4096)

        self.assertEqual(names._parse.cache_info().currsize, remembered)

    def test_no_more_than_so_many_names_are_remembered(self) -> None:
        self.assertEqual(names._parse.cache_info().maxsize, names.NAMES_REMEMBERED)


class LookalikeTests(SynchronousTestCase):
    def test_a_name_in_another_alphabet_looks_like_its_latin_double(self) -> None:
        double = rules.nick(CYRILLIC_LIKE_CAPA)

        self.assertNotEqual(double.key, "capa")
        self.assertEqual(double.skeleton, rules.nick("capa").skeleton)

    def test_dotless_i_and_dotted_capital_i_look_like_i(self) -> None:
        plain = rules.nick("iris")

        self.assertEqual(rules.nick(f"{DOTLESS_I}r{DOTLESS_I}s").skeleton, plain.skeleton)
        self.assertEqual(rules.nick("\u0130ris").skeleton, plain.skeleton)
        self.assertNotEqual(rules.nick("\u0130ris").key, plain.key)

    def test_a_double_of_several_ascii_names_is_refused(self) -> None:
        error = self.assertRaises(BadNick, rules.nick, f"user{CLICK}")

        self.assertIn("several others", str(error))

    def test_ascii_in_a_double_is_what_it_is(self) -> None:
        one, letter = rules.nick(f"{DOTLESS_I}x1"), rules.nick(f"{DOTLESS_I}xl")

        self.assertEqual((one.skeleton, letter.skeleton), ("ix1", "ixl"))

    def test_capitals_that_spell_a_latin_name_are_refused(self) -> None:
        error = self.assertRaises(BadNick, rules.nick, GREEK_CAPITALS_LIKE_ANNA)

        self.assertIn("capitals", str(error))
        self.assertEqual(rules.nick(GREEK_CAPITALS_LIKE_ANNA.lower()).text, "αννα")

    def test_capitals_that_small_letters_agree_with_are_allowed(self) -> None:
        for text in ("\u0421\u0421\u0421\u0420", "\u041e\u0421\u0410"):
            name = rules.nick(text)
            self.assertEqual(name.skeleton, lookalikes.skeleton(name.key))

    def test_accents_tell_names_apart(self) -> None:
        self.assertNotEqual(rules.nick("José").skeleton, rules.nick("Jose").skeleton)

    def test_names_that_are_not_ascii_can_look_alike_too(self) -> None:
        one, other = rules.nick("zo\u00ebl"), rules.nick("zo\u00eb1")

        self.assertEqual(one.skeleton, other.skeleton)
        self.assertNotEqual(one.key, other.key)

    def test_skeletons_are_those_of_the_standard(self) -> None:
        for text, skeleton in (
            (CYRILLIC_A, "a"),
            ("m", "rn"),
            ("1|lI", "llll"),
            ("0", "O"),
            ("\u03c1\u03bf", "po"),
            ("\u13aa", "A"),
            ("\u0627", "l"),
            ("\u05e1", "o"),
            ("\u00e9", "e\u0301"),
            ("\u30fc", "\u30fc"),
        ):
            self.assertEqual(lookalikes.skeleton(text), skeleton)

    @steady()
    @given(st.text(max_size=20))
    def test_the_skeleton_of_a_skeleton_is_itself(self, text: str) -> None:
        skeleton = lookalikes.skeleton(text)

        self.assertEqual(lookalikes.skeleton(skeleton), skeleton)

    @steady()
    @given(st.text(st.characters(min_codepoint=128), min_size=1, max_size=8))
    def test_no_other_name_takes_an_ascii_names_skeleton_unseen(self, text: str) -> None:
        try:
            name = rules.room(text)
        except BadRoomName:
            return
        if name.skeleton.isascii() and not name.key.isascii():
            plain = lookalikes.skeleton(name.skeleton).casefold()
            self.assertEqual(lookalikes.skeleton(name.key).casefold(), plain)
