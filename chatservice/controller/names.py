"""The one place for names: which texts may be nicks and rooms, which are the same name, and which
look like it.

Every name that comes from outside passes through `NameRules`, on every line, so plain ASCII is
decided without the Unicode libraries and results are kept. Who holds a name is `state`'s to know;
nothing here remembers it.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from precis_i18n import get_profile

from chatservice.controller import lookalikes
from chatservice.controller.errors import BadNick, BadRoomName

NAMES_REMEMBERED = 16_384
"""How many parsed texts are kept, allowed and refused ones together; some 0.5 kB each."""

MARKS_IN_A_ROW = 4
"""How many accents one letter may carry (UTS 39 section 5.4)."""

_AS_SHOWN = get_profile("UsernameCasePreserved")
_AS_COMPARED = get_profile("UsernameCaseMapped:CaseFold")


@dataclass(frozen=True, slots=True)
class Name:
    """A nick or a room's name that has passed the rules.

    Two names with one `key` are the same name. Two names with different keys and one `skeleton`
    look alike, and only the first comer may have it, so a table `skeleton -> key` is all that
    uniqueness needs:

    - An ASCII name's skeleton is its key. Two ASCII names therefore never look alike: `user1` and
      `userl` are different people, as everywhere on IRC, though UTS 39 has one skeleton for both.
    - A name that reads as ASCII throughout, though it is not, has that reading as its skeleton:
      Turkish with dotless i is kept apart from the same with i, a Cyrillic name from its Latin
      double. If a character can be read in several ways (a click letter: `l`, `1` or `|`?) no one
      key could stand for all, and the name is refused.
    - Any other name has the skeleton of its key by UTS 39 section 4, which no ASCII name has.

    `text` is the name as its owner writes it (RFC 8265 UsernameCasePreserved), `key` the same
    case-folded.
    """

    text: str
    key: str
    skeleton: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class NameRules:
    """What names are allowed here.

    Args:
        nick_characters: the longest nick, in characters.
        room_characters: the longest name of a room, in characters.
    """

    nick_characters: int = 32
    room_characters: int = 64

    def nick(self, text: str) -> Name:
        """The nick that `text` is: a PRECIS username (RFC 8265 section 3.3) with the punctuation of
        RFC 2812 2.3.1.

        Raises:
            BadNick: it can't be one; its words say why.
        """
        # Before the cache, which would keep texts of any length.
        if len(text) > self.nick_characters:
            raise BadNick(_too_long(NICK, self.nick_characters))
        name = _parse(NICK, self.nick_characters, text)
        if isinstance(name, str):
            raise BadNick(name)
        return name

    def room(self, text: str) -> Name:
        """The room's name that `text` is: as a nick, but it may begin with a digit and contain `.`
        and `+`.

        Raises:
            BadRoomName: it can't be one; its words say why.
        """
        if len(text) > self.room_characters:
            raise BadRoomName(_too_long(ROOM, self.room_characters))
        name = _parse(ROOM, self.room_characters, text)
        if isinstance(name, str):
            raise BadRoomName(name)
        return name


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What nicks and rooms differ in: the ASCII that they may contain, begin with and end with."""

    noun: str
    ascii_allowed: frozenset[str]
    not_first: frozenset[str]
    not_last: frozenset[str]
    digit_first: bool


_LETTERS_AND_DIGITS = string.ascii_letters + string.digits
# RFC 2812 section 2.3.1 has the backslash too; here it belongs to dialects that escape with it.
_NICK_PUNCTUATION = "_-[]{}|^`"
NICK = Kind(
    noun="a nick",
    ascii_allowed=frozenset(_LETTERS_AND_DIGITS + _NICK_PUNCTUATION),
    not_first=frozenset("-"),
    not_last=frozenset(),
    digit_first=False,
)
ROOM = Kind(
    noun="a room's name",
    ascii_allowed=frozenset(_LETTERS_AND_DIGITS + _NICK_PUNCTUATION + ".+"),
    not_first=frozenset(".+"),
    not_last=frozenset("."),
    digit_first=True,
)


@lru_cache(maxsize=NAMES_REMEMBERED)
def _parse(kind: Kind, longest: int, text: str) -> Name | str:
    """The name, or the words that say why it is none; refusals are kept too, as they cost more to
    find."""
    if not text:
        return f"{kind.noun} cannot be empty"
    return parse_ascii(kind, text) if text.isascii() else parse_unicode(kind, longest, text)


def parse_ascii(kind: Kind, text: str) -> Name | str:
    """What `parse_unicode` comes to for ASCII, without its cost: there is nothing to map but case,
    nothing to mix."""
    fault = _wrong_ascii(kind, text) or _wrong_ends(kind, text)
    if fault:
        return fault
    key = text.lower()
    return Name(text, key, key)


def parse_unicode(kind: Kind, longest: int, text: str) -> Name | str:
    """The whole way: PRECIS first, as it maps full-width punctuation to ASCII, then the rules of
    this house."""
    # Said of the text as it came, because the library would only say that a space is DISALLOWED.
    fault = _wrong_ascii(kind, text)
    if fault:
        return fault
    try:
        shown = _AS_SHOWN.enforce(text)
        key = _AS_COMPARED.enforce(shown)
    except UnicodeEncodeError as error:
        return _in_words(kind, error)
    if len(shown) > longest:
        return _too_long(kind, longest)
    # The key too: folding case can leave the alphabet, as it makes a letter of the iota subscript.
    for wrong in _FAULTS:
        fault = wrong(kind, shown) or wrong(kind, key)
        if fault:
            return fault
    return _with_skeleton(kind, shown, key)


def _with_skeleton(kind: Kind, shown: str, key: str) -> Name | str:
    if key.isascii():
        return Name(shown, key, key)
    if lookalikes.capitals_deceive(shown, key):
        return f"{kind.noun} in these capitals looks like Latin letters; write it in small ones"
    readings = lookalikes.plain_readings(key)
    if any(len(reading) > 1 for reading in readings):
        return f"{kind.noun} cannot look like several others at once"
    return Name(shown, key, "".join(readings) or lookalikes.skeleton(key))


def _too_long(kind: Kind, longest: int) -> str:
    return f"{kind.noun} has {longest} characters at most"


def _wrong_ascii(kind: Kind, text: str) -> str | None:
    if kind.ascii_allowed.issuperset(text):
        return None
    for character in text:
        if character.isascii() and character not in kind.ascii_allowed:
            return f"{kind.noun} cannot contain {_spelled(character)}"
    return None


def _wrong_ends(kind: Kind, text: str) -> str | None:
    first, last = text[0], text[-1]
    if first in kind.not_first:
        return f"{kind.noun} cannot begin with {_spelled(first)}"
    if last in kind.not_last:
        return f"{kind.noun} cannot end with {_spelled(last)}"
    if not kind.digit_first and unicodedata.category(first) == "Nd":
        return f"{kind.noun} cannot begin with a digit"
    return None


def _wrong_marks(kind: Kind, text: str) -> str | None:
    """UTS 39 section 5.4: no accent alone, none twice on one letter, no towers of them."""
    row: list[str] = []
    for position, character in enumerate(unicodedata.normalize("NFD", text)):
        category = unicodedata.category(character)
        if position == 0 and category.startswith("M"):
            return f"{kind.noun} cannot begin with an accent"
        if category not in {"Mn", "Me"}:
            row.clear()
            continue
        if len(row) == MARKS_IN_A_ROW or row[-1:] == [character]:
            return f"{kind.noun} cannot heap accents on a letter"
        row.append(character)
    return None


def _mixed_scripts(kind: Kind, text: str) -> str | None:
    if lookalikes.is_highly_restrictive(text):
        return None
    return f"{kind.noun} cannot mix alphabets"


def _mixed_digits(kind: Kind, text: str) -> str | None:
    """UTS 39 section 5.3: digits of one decimal system."""
    digits = [character for character in text if unicodedata.category(character) == "Nd"]
    zeros = {ord(digit) - unicodedata.decimal(digit) for digit in digits}
    return f"{kind.noun} cannot mix digits of several alphabets" if len(zeros) > 1 else None


def _looks_like_a_delimiter(kind: Kind, text: str) -> str | None:
    """Letters of no real alphabet that are drawn as what dialects put between names: a click letter
    as `!`."""
    for character in text:
        if character.isascii() or unicodedata.category(character) not in {"Lo", "Lm", "Ll", "Lu"}:
            continue
        if lookalikes.script(character) not in {"LATIN", "COMMON"}:
            continue
        if not _DELIMITERS.isdisjoint(lookalikes.prototype(character)):
            return f"{kind.noun} cannot contain {_spelled(character)}, which looks like punctuation"
    return None


# Not the apostrophe: a modifier letter like it is a letter of Breton and of Ukrainian.
_DELIMITERS = frozenset(string.punctuation) - frozenset(_NICK_PUNCTUATION) - frozenset(".+'")
_FAULTS: tuple[Callable[[Kind, str], str | None], ...] = (
    _wrong_ascii,
    _wrong_ends,
    _wrong_marks,
    _mixed_scripts,
    _mixed_digits,
    _looks_like_a_delimiter,
)

_INVISIBLE = "cannot contain the invisible {character}"
_NO_LETTER = "cannot contain {character}, which is no letter or digit"
_WORDS = {
    "bidi_rule": "cannot mix left-to-right and right-to-left writing",
    "controls": _INVISIBLE,
    "precis_ignorable_properties": _INVISIBLE,
    "spaces": "cannot contain the space {character}",
    "symbols": _NO_LETTER,
    "punctuation": _NO_LETTER,
    "other_letter_digits": _NO_LETTER,
    "has_compat": "cannot contain {character}, a special form of other letters",
    "unassigned": "cannot contain {character}, which this server does not know",
}
"""Why PRECIS refuses, by the library's last word for it."""


def _in_words(kind: Kind, error: UnicodeEncodeError) -> str:
    reason = error.reason.rpartition("/")[2]
    words = _WORDS.get(reason, "cannot contain {character} there")
    return f"{kind.noun} " + words.format(character=_spelled(error.object[error.start]))


def _spelled(character: str) -> str:
    # Never the character itself unless it is harmless: these words go out on the wire and to
    # terminals.
    if character.isascii() and character.isprintable() and character != " ":
        return f'"{character}"'
    return "a space" if character == " " else f"U+{ord(character):04X}"
