"""
What others wrote, made safe and measurable for a terminal: no control characters, no escape
sequences, nothing that turns the direction of text around, nothing whose width terminals disagree
about. Nothing is shown that has not been through here.
"""

from __future__ import annotations

import re
import unicodedata

MARKS = 3
"""How many combining marks one character may carry; more climb into the lines around them."""

_SEQUENCES = re.compile(
    # CSI ... final byte; OSC, DCS, SOS, PM, APC ... terminator (ECMA-48 sections 5.4 and 5.6)
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
    # Colours as IRC clients write them.
    r"|\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[0-9A-Fa-f]{6})?"
)

_SPACES = frozenset("\t\n\r\x0b\x0c\x85\u2028\u2029")
_JOINER = "\u200c"
"""Persian needs it; the other one, U+200D, glues emoji together, which few terminals can do."""

_UNMEASURED = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0x1F3FB, 0x1F400))))
"""Variation selectors and skin tones: they change the width of what is before them, or do not."""


def clean(text: str) -> str:
    """What a terminal may be given of a text: one line."""
    if text.isascii() and text.isprintable():
        return text
    cleaned: list[str] = []
    marks = 0
    for character in _SEQUENCES.sub("", text):
        safe = _safe(character)
        marks = marks + 1 if unicodedata.combining(character) else 0
        if safe and marks <= MARKS:
            cleaned.append(safe)
    return "".join(cleaned)


def _safe(character: str) -> str:
    if character in _SPACES:
        return " "
    if character in _UNMEASURED:
        return ""
    category = unicodedata.category(character)
    if category == "Cs":
        return "\N{REPLACEMENT CHARACTER}"
    if category == "Cc" or (category == "Cf" and character != _JOINER):
        return ""
    return character
