"""What a name looks like to a reader: its scripts and its skeleton (Unicode Technical Standard 39).

The tables come from the library confusable-homoglyphs; here they are turned into the standard's
one-way map of characters to prototypes. Which names are allowed, and which count as the same, is
decided in `names`.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

from confusable_homoglyphs.categories import alias
from confusable_homoglyphs.utils import load

_LEFT_TO_RIGHT_MARK = "\u200e"
_ZERO_WIDTH_JOINERS = str.maketrans("", "", "\u200c\u200d")
_NEUTRAL_SCRIPTS = frozenset({"COMMON", "INHERITED"})
_HIGHLY_RESTRICTIVE = (
    frozenset({"LATIN", "HAN", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "HAN", "BOPOMOFO"}),
    frozenset({"LATIN", "HAN", "HANGUL"}),
)
_DOT_ABOVE_DOTTED = re.compile("(?<=[ij\u0131\u0237\u0456\u0458])\u0307")
_PUNCTUATION_IN_NAMES = "_-[]{}|^`.+"
_CAPITAL_I = "I"


def script(character: str) -> str:
    """The character's Script property (UAX 24) in capitals, such as `LATIN`; `Unknown` if the table
    has it not."""
    return str(alias(character))


def scripts(text: str) -> frozenset[str]:
    """The scripts that `text` is written in; what belongs to every script (digits, accents) does
    not count."""
    return frozenset(map(script, text)) - _NEUTRAL_SCRIPTS


def is_highly_restrictive(text: str) -> bool:
    """Whether `text` keeps to UTS 39 section 5.2, "Highly Restrictive".

    That is one script, or Latin together with what Japanese, Chinese or Korean is written in.
    """
    used = scripts(text)
    if "Unknown" in used:
        return False
    return len(used) <= 1 or any(used <= allowed for allowed in _HIGHLY_RESTRICTIVE)


def prototype(character: str) -> str:
    """The standard's representative of everything that looks like `character`; itself if nothing
    does."""
    return _prototypes().get(character, character)


def skeleton(text: str) -> str:
    """The skeleton of `text` (UTS 39 section 4): two texts that look alike have the same one.

    A skeleton is for comparing, never for showing.
    """
    return unicodedata.normalize("NFD", "".join(map(prototype, _visible(text))))


def plain_readings(key: str) -> list[str]:
    """How `key` reads to somebody who takes all of it for ASCII, character by character.

    Each item holds the ASCII characters that one character can be taken for: itself if it is ASCII,
    `"1l|"` if it looks like each of these. One that looks like several characters side by side
    (Cyrillic yu: `lo`) has them as items.

    Args:
        key: a case-folded name.

    Returns:
        nothing if some character looks like nothing that an ASCII name may contain.
    """
    readings: list[str] = []
    for character in _visible(key):
        alike = (character,) if character.isascii() else _ascii_readings(prototype(character))
        if not alike:
            return []
        readings.extend(alike)
    return readings


def capitals_deceive(text: str, key: str) -> bool:
    """Whether `text` as shown looks like Latin letters that the skeleton of its case-folded `key`
    says nothing of.

    Greek small nu looks like a v, but its capital like an N: to a name in Greek capitals that reads
    as a Latin name, the key's skeleton is that of another reading, and would not keep the two
    apart.
    """
    if text.isascii() or "LATIN" in scripts(text):
        return False
    shown = list(map(_as_shown, _visible(text)))
    if not all(letter in string.ascii_letters or unicodedata.combining(letter) for letter in shown):
        return False
    return "".join(shown).casefold() != "".join(map(_as_shown, _visible(key))).casefold()


def _visible(text: str) -> str:
    # A dot above an i or j is drawn as the dot that it has anyway.
    decomposed = unicodedata.normalize("NFD", text).translate(_ZERO_WIDTH_JOINERS)
    return _DOT_ABOVE_DOTTED.sub("", decomposed)


def _as_shown(character: str) -> str:
    # The standard's prototype of a capital I is a small l; whoever reads capitals reads a capital.
    # What is drawn as several characters is no Latin letter to anybody, and is left as it is.
    wanted = prototype(character)
    if wanted == "l" and character.isupper():
        return _CAPITAL_I
    return wanted if len(wanted) == 1 else character


def _ascii_readings(wanted: str) -> tuple[str, ...]:
    alike = _ascii_alike().get(wanted)
    if alike or len(wanted) == 1:
        return (alike,) if alike else ()
    # Several characters drawn for one are a poor likeness, so the plainest reading of each is
    # enough.
    parts = [_ascii_alike().get(part, "") for part in wanted]
    return tuple(part[0] for part in parts) if all(parts) else ()


@lru_cache(maxsize=1)
def _prototypes() -> Mapping[str, str]:
    """The map of UTS 39 section 4, read on first use: 60 ms, and then 1 MB (the library's own form
    takes 10 MB).

    The library keeps both directions of every line of `confusables.txt` without saying which is
    which. A prototype of several characters is never a source; nor is a character with several
    partners. Of a pair alone with each other either may stand for both.
    """
    partners: dict[str, list[str]] = {}
    for written, entries in load("confusables.json").items():
        found = partners.setdefault(written.replace(_LEFT_TO_RIGHT_MARK, ""), [])
        found.extend(entry["c"].replace(_LEFT_TO_RIGHT_MARK, "") for entry in entries)
    chosen = {
        character: _choose(character, others, partners)
        for character, others in partners.items()
        if len(character) == 1
    }
    closed = {
        character: "".join(chosen.get(part, part) for part in target)
        for character, target in chosen.items()
    }
    return {character: target for character, target in closed.items() if target != character}


def _choose(character: str, others: Iterable[str], partners: Mapping[str, list[str]]) -> str:
    sequences = [other for other in others if len(other) != 1]
    if sequences:
        return sequences[0]
    singles = list(others)
    if len(singles) > 1:
        return character
    (other,) = singles
    alone_together = partners.get(other) == [character]
    return min(character, other) if alone_together else other


@lru_cache(maxsize=1)
def _ascii_alike() -> Mapping[str, str]:
    """Prototype -> the ASCII characters of a case-folded name that it may be taken for, letters
    first."""
    alike: dict[str, str] = {}
    for character in string.ascii_lowercase + string.digits + _PUNCTUATION_IN_NAMES:
        target = prototype(character)
        alike[target] = alike.get(target, "") + character
    for capital in string.ascii_uppercase.replace(_CAPITAL_I, ""):
        alike[capital] = capital.lower() + alike.get(capital, "")
    return alike
