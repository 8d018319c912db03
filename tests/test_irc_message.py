"""IRC messages taken apart, put together and cut, by the examples of the specifications and by
whatever hypothesis thinks of."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chatservice.translation.irc import message
from chatservice.translation.irc.message import (
    BadCommand,
    BodyTooLong,
    Malformed,
    MessageError,
    NotUtf8,
    TagsTooLong,
)
from tests.generated import steady

ANYTHING = st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"])
TEXTS = st.text(ANYTHING, max_size=40)
WORDS = st.text(
    st.characters(exclude_characters="\0\r\n ", exclude_categories=["Cs"]), min_size=1, max_size=20
).filter(lambda word: word[0] != ":")
COMMANDS = st.from_regex(r"\A(?:[A-Z]{1,12}|[0-9]{3})\Z")
KEYS = st.from_regex(r"\A\+?(?:[a-z0-9.-]{1,8}/)?[A-Za-z0-9-]{1,8}\Z")
VALUES = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"])
    | st.sampled_from("\\;: \r\n"),
    max_size=12,
)
TAGS = st.dictionaries(KEYS, VALUES, max_size=5)

E_ACUTE = "e\u0301"
THUMB_UP_DARK = "\U0001f44d\U0001f3ff"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"


def parsed(line: bytes) -> tuple[dict[str, str], str, list[str]]:
    """What a line says, for comparing."""
    found = message.parse(line)
    assert found is not None
    return found.tags, found.command, found.params


def as_a_client_reads(line: str) -> tuple[dict[str, str], str, str, list[str]]:
    """Tags, source, command and parameters, character by character as the grammar has them: slow,
    and nothing of it shared with what is tested."""
    assert line.endswith("\r\n")
    line = line[:-2]
    tags = {}
    source = ""
    if line.startswith("@"):
        data, line = line[1:].split(" ", 1)
        for tag in data.split(";"):
            key, equals, escaped = tag.partition("=")
            assert bool(equals) == bool(escaped)
            characters = iter(escaped)
            tags[key] = "".join(
                {":": ";", "s": " ", "\\": "\\", "r": "\r", "n": "\n"}[next(characters)]
                if character == "\\"
                else character
                for character in characters
            )
    if line.startswith(":"):
        source, line = line[1:].split(" ", 1)
    params: list[str] = []
    while line:
        if line.startswith(":") and params:
            params.append(line[1:])
            break
        word, space, line = line.partition(" ")
        params.append(word)
        assert bool(space) == bool(line)
    return tags, source, params[0], params[1:]


class ParsingTests(SynchronousTestCase):
    def test_examples_of_modern_irc(self) -> None:
        for line, command, params in (
            (b":irc.example.com CAP * LIST :", "CAP", ["*", "LIST", ""]),
            (b"CAP * LS :multi-prefix sasl", "CAP", ["*", "LS", "multi-prefix sasl"]),
            (b"CAP REQ :sasl message-tags foo", "CAP", ["REQ", "sasl message-tags foo"]),
            (b":dan!d@localhost PRIVMSG #chan :Hey!", "PRIVMSG", ["#chan", "Hey!"]),
            (b":dan!d@localhost PRIVMSG #chan Hey!", "PRIVMSG", ["#chan", "Hey!"]),
            (b":dan!d@localhost PRIVMSG #chan ::-)", "PRIVMSG", ["#chan", ":-)"]),
        ):
            self.assertEqual(parsed(line), ({}, command, params))

    def test_examples_of_message_tags(self) -> None:
        for line, tags, params in (
            (b":nick!ident@host.com PRIVMSG me :Hello", {}, ["me", "Hello"]),
            (
                b"@aaa=bbb;ccc;example.com/ddd=eee :nick!ident@host.com PRIVMSG me :Hello",
                {"aaa": "bbb", "ccc": "", "example.com/ddd": "eee"},
                ["me", "Hello"],
            ),
            (
                b"@+example=raw+:=,escaped\\:\\s\\\\ :irc.example.com PRIVMSG #channel :Message",
                {"+example": "raw+:=,escaped; \\"},
                ["#channel", "Message"],
            ),
            (b"@url=;netsplit=tur,ty PRIVMSG a b", {"url": "", "netsplit": "tur,ty"}, ["a", "b"]),
        ):
            self.assertEqual(parsed(line), (tags, "PRIVMSG", params))

    def test_a_cr_at_the_end_is_no_part_of_it(self) -> None:
        self.assertEqual(parsed(b"PING :a b\r"), ({}, "PING", ["a b"]))
        self.assertEqual(parsed(b"QUIT\r"), ({}, "QUIT", []))

    def test_commands_are_compared_in_capitals(self) -> None:
        self.assertEqual(parsed(b"PrivMsg Bob Hi"), ({}, "PRIVMSG", ["Bob", "Hi"]))

    def test_numerics_are_commands(self) -> None:
        self.assertEqual(parsed(b"001 a"), ({}, "001", ["a"]))

    def test_spaces_may_be_many_and_first(self) -> None:
        self.assertEqual(
            parsed(b"@a  :me   PRIVMSG  #room   :  two  words "),
            ({"a": ""}, "PRIVMSG", ["#room", "  two  words "]),
        )
        self.assertEqual(parsed(b"   :me JOIN #a  #b  "), ({}, "JOIN", ["#a", "#b"]))

    def test_only_ascii_spaces_part_words(self) -> None:
        self.assertEqual(parsed(b"JOIN a\tb\xc2\xa0c\x0b"), ({}, "JOIN", ["a\tb\xa0c\x0b"]))

    def test_colons_within_words_are_letters(self) -> None:
        self.assertEqual(parsed(b"MODE a:b c: :d :e"), ({}, "MODE", ["a:b", "c:", "d :e"]))

    def test_more_than_fifteen_parameters_are_taken_as_they_are(self) -> None:
        words = [str(number) for number in range(40)]

        self.assertEqual(parsed(f"MODE {' '.join(words)} :".encode()), ({}, "MODE", [*words, ""]))

    def test_lines_without_a_command_are_nothing(self) -> None:
        for line in (b"", b"\r", b" ", b"   \r", b"@a=b", b"@a=b ", b":me", b":me  ", b"@a :me"):
            self.assertIsNone(message.parse(line), line)

    def test_the_last_of_equal_tags_counts(self) -> None:
        self.assertEqual(parsed(b"@a=1;b;a=2 PING x")[0], {"a": "2", "b": ""})

    def test_tags_whose_keys_cannot_be_are_dropped(self) -> None:
        # message-tags: such a key must not lead to the message's refusal.
        self.assertEqual(
            parsed(b"@;=x;+;a_b=1;a/b/c;/d;++e;\xc3\xa9;+draft/reply=1;f PING x")[0],
            {"+draft/reply": "1", "f": ""},
        )

    def test_keys_are_compared_with_their_case(self) -> None:
        self.assertEqual(parsed(b"@a=1;A=2 PING x")[0], {"a": "1", "A": "2"})

    def test_limits_are_those_of_the_specifications(self) -> None:
        tags = b"@a=" + b"x" * 4092
        body = b"PING :" + b"x" * 504

        self.assertEqual(len(parsed(tags + b" " + body + b"\r")[0]["a"]), 4092)
        self.assertEqual(len(tags + b" " + body), message.LONGEST_LINE)
        self.assertRaises(TagsTooLong, message.parse, tags + b"x " + body)
        self.assertRaises(TagsTooLong, message.parse, tags + b"x")
        self.assertRaises(BodyTooLong, message.parse, tags + b" " + body + b"x")
        self.assertRaises(BodyTooLong, message.parse, body + b"x\r")

    def test_limits_are_of_bytes(self) -> None:
        self.assertRaises(BodyTooLong, message.parse, ("PING " + "\xe9" * 253).encode())
        self.assertRaises(TagsTooLong, message.parse, ("@a=" + "\xe9" * 2047 + " PING").encode())

    def test_all_of_a_line_is_utf8(self) -> None:
        for line in (
            b"PRIVMSG a :\xff",
            b"@a=\xe9 PING x",
            b"@\xff PING",
            b"\xc3",
            b"PING \xed\xa0\x80",
        ):
            self.assertRaises(NotUtf8, message.parse, line)

    def test_control_characters_that_end_lines_are_refused(self) -> None:
        for line in (b"PING a\0b", b"PING a\rb", b"PING a\nb", b"PING\r\r", b"@a=\0 PING", b"\0"):
            self.assertRaises(Malformed, message.parse, line)

    def test_a_command_is_letters_or_three_digits(self) -> None:
        for line, word in (
            (b"FOO1 a", "FOO1"),
            (b"1234", "1234"),
            (b"12 a", "12"),
            ("\u0661\u0662\u0663".encode(), "\u0661\u0662\u0663"),
            ("\xe9t\xe9 a".encode(), "\xe9t\xe9"),
            (b" @a=b PING", "@a=b"),
        ):
            with self.assertRaises(BadCommand) as caught:
                message.parse(line)
            self.assertEqual(caught.exception.command, word)

    def test_a_command_that_cannot_be_repeated_is_a_star(self) -> None:
        for line in (b":me :PING", b":me  :PING", b":me :a b", b"\x02x", b"-" * 33):
            with self.assertRaises(BadCommand) as caught:
                message.parse(line)
            self.assertEqual(caught.exception.command, "*", line)

    def test_errors_show_nothing_of_the_line(self) -> None:
        for line in (b"PASS\x00secret", b"PASS secret\xff", b"PASS " + b"secret" * 100):
            with self.assertRaises(MessageError) as caught:
                message.parse(line)
            self.assertEqual(str(caught.exception), "")
            self.assertIsNone(caught.exception.__cause__)
        self.assertNotIn("secret", repr(message.parse(b"PASS secret")))

    @steady()
    @given(st.binary(max_size=80) | st.text(st.sampled_from("@:;=\\+/ aA1\0\r\xe9"), max_size=40))
    @example(b"@a :b :c")
    def test_nothing_but_its_own_errors_is_raised(self, line: bytes | str) -> None:
        data = line if isinstance(line, bytes) else line.encode()
        try:
            found = message.parse(data)
        except MessageError:
            return

        if found is not None:
            self.assertRegex(found.command, r"\A(?:[A-Z]+|[0-9]{3})\Z")
            for param in found.params[:-1]:
                self.assertTrue(param and " " not in param and param[0] != ":", param)


class FormattingTests(SynchronousTestCase):
    def test_a_line_has_tags_source_command_and_parameters(self) -> None:
        self.assertEqual(
            message.format(
                "PRIVMSG",
                "#room",
                "Hey you",
                source="a!~u@b.ip",
                tags={"msgid": "1", "+typing": ""},
            ),
            "@msgid=1;+typing :a!~u@b.ip PRIVMSG #room :Hey you\r\n",
        )
        self.assertEqual(message.format("CAP"), "CAP\r\n")

    def test_the_last_parameter_has_a_colon_if_it_needs_one(self) -> None:
        for last, shown in (("", ":"), ("a b", ":a b"), (":-)", "::-)"), ("a:b", "a:b")):
            self.assertEqual(message.format("X", "y", last), f"X y {shown}\r\n")

    def test_other_parameters_are_words(self) -> None:
        for middle in ("", "a b", ":a", " "):
            self.assertRaises(ValueError, message.format, "X", "a", middle, "b")

    def test_what_ends_lines_is_never_sent(self) -> None:
        for character in "\0\r\n":
            text = f"a{character}b"
            self.assertRaises(ValueError, message.format, "X", text, "b")
            self.assertRaises(ValueError, message.format, "X", text)
            self.assertRaises(ValueError, message.format, text)
            self.assertRaises(ValueError, message.format, "X", source=text)
            self.assertRaises(ValueError, message.format, "X", tags={text: "1"})
        self.assertRaises(ValueError, message.format, "X", tags={"a": "\0"})

    def test_spaces_end_neither_a_source_nor_a_key(self) -> None:
        self.assertRaises(ValueError, message.format, "X", source="a b")
        self.assertRaises(ValueError, message.format, "X", tags={"a b": "1"})

    def test_errors_do_not_show_texts(self) -> None:
        for params in (("se cret", "a"), ("secret\n",)):
            with self.assertRaises(ValueError) as caught:
                message.format("X", *params)
            self.assertNotIn("cret", str(caught.exception))

    @steady()
    @given(TAGS, st.just("") | WORDS, COMMANDS, st.lists(WORDS, max_size=4), st.none() | TEXTS)
    def test_a_client_reads_what_was_sent(
        self,
        tags: dict[str, str],
        source: str,
        command: str,
        words: list[str],
        last: str | None,
    ) -> None:
        params = words if last is None else [*words, last]

        line = message.format(command, *params, source=source, tags=tags)

        self.assertEqual(as_a_client_reads(line), (tags, source, command, params))

    @steady()
    @given(TAGS, COMMANDS, st.lists(WORDS, max_size=4), TEXTS)
    def test_what_is_formatted_is_parsed(
        self, tags: dict[str, str], command: str, words: list[str], last: str
    ) -> None:
        line = message.format(command, *words, last, source="a!~u@b", tags=tags)

        self.assertEqual(parsed(line.removesuffix("\n").encode()), (tags, command, [*words, last]))


class TagValueTests(SynchronousTestCase):
    def test_the_table_of_the_specification(self) -> None:
        for raw, escaped in (
            (";", "\\:"),
            (" ", "\\s"),
            ("\\", "\\\\"),
            ("\r", "\\r"),
            ("\n", "\\n"),
        ):
            self.assertEqual(message.escape_tag(f"a{raw}b"), f"a{escaped}b")
            self.assertEqual(message.unescape_tag(f"a{escaped}b"), f"a{raw}b")

    def test_a_lone_backslash_is_dropped(self) -> None:
        for escaped, raw in (
            ("test\\", "test"),
            ("a\\bc", "abc"),
            ("\\\\\\", "\\"),
            ("\\\\s", "\\s"),
        ):
            self.assertEqual(message.unescape_tag(escaped), raw)

    @steady()
    @given(VALUES)
    def test_unescaping_undoes_escaping(self, value: str) -> None:
        escaped = message.escape_tag(value)

        self.assertEqual(message.unescape_tag(escaped), value)
        self.assertTrue(set(escaped).isdisjoint("; \r\n"))


class SplittingTests(SynchronousTestCase):
    def test_what_fits_is_one_piece(self) -> None:
        for text in ("", "a", "a" * 10, "\xe9" * 5):
            self.assertEqual(message.split_text(text, 10), [text])

    def test_pieces_end_after_a_space_near_their_end(self) -> None:
        for most in (8, 9, 10):
            self.assertEqual(message.split_text("one two three", most), ["one two ", "three"])
        self.assertEqual(message.split_text("one two th", 7), ["one ", "two th"])
        self.assertEqual(message.split_text("abc d ef", 6), ["abc d ", "ef"])

    def test_a_space_far_from_the_end_is_passed_over(self) -> None:
        self.assertEqual(message.split_text("a bcdefghijkl", 10), ["a bcdefghi", "jkl"])

    def test_characters_stay_whole(self) -> None:
        self.assertEqual(message.split_text("\xe9" * 4, 5), ["\xe9\xe9", "\xe9\xe9"])
        self.assertEqual(message.split_text("\U0001f44d" * 2, 7), ["\U0001f44d"] * 2)

    def test_letters_keep_their_accents(self) -> None:
        self.assertEqual(message.split_text(E_ACUTE * 4, 4), [E_ACUTE] * 4)
        self.assertEqual(message.split_text(f"abc{E_ACUTE}", 5), ["abc", E_ACUTE])
        self.assertEqual(message.split_text("abc \u0301d", 5), ["abc", " \u0301d"])

    def test_emoji_keep_their_parts(self) -> None:
        self.assertEqual(message.split_text(THUMB_UP_DARK * 2, 15), [THUMB_UP_DARK] * 2)
        for most in range(18, 35):
            self.assertEqual(message.split_text(FAMILY * 2, most), [FAMILY] * 2)

    def test_towers_of_accents_are_cut(self) -> None:
        tower = "a" + "\u0301" * 100

        self.assertEqual(max(map(len, message.split_text(tower, 40))), 20)

    def test_a_piece_has_room_for_a_character(self) -> None:
        self.assertRaises(ValueError, message.split_text, "abcde", 3)

    @steady()
    @given(
        st.text(ANYTHING | st.sampled_from(" \u0301\u200d\U0001f3ff\U0001f44d\xe9"), max_size=200),
        st.integers(4, 60),
    )
    def test_pieces_fit_and_lose_nothing(self, text: str, most: int) -> None:
        pieces = message.split_text(text, most)

        self.assertEqual("".join(pieces), text)
        self.assertTrue(all(len(piece.encode()) <= most for piece in pieces), pieces)
        self.assertTrue(all(pieces) or not text, pieces)
