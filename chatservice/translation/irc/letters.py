"""
The letters that IRC has for modes, and the words that the domain has for them, in two tables; the
tokens of RPL_ISUPPORT that tell of them follow from these.

Specifications: Modern IRC, "Channel Modes" and "User Modes"; IRCv3 bot-mode.
"""

from __future__ import annotations

from collections.abc import Iterable

from chatservice.controller import modes

CHANNEL_MODES: dict[str, str] = {
    "b": modes.BAN,
    "e": modes.EXCEPTION,
    "I": modes.INVITE_EXCEPTION,
    "k": modes.KEY,
    "l": modes.LIMIT,
    "f": modes.FORWARD,
    "i": modes.INVITE_ONLY,
    "m": modes.MODERATED,
    "n": modes.NO_OUTSIDE,
    "s": modes.SECRET,
    "t": modes.TOPIC_LOCKED,
    "C": modes.NO_CTCP,
    "R": modes.ACCOUNTS_ENTER,
    "M": modes.ACCOUNTS_SPEAK,
}

PREFIXES: tuple[tuple[str, str, str], ...] = (
    ("q", "~", modes.OWNER),
    ("a", "&", modes.ADMIN),
    ("o", "@", modes.OPERATOR),
    ("h", "%", modes.HALFOP),
    ("v", "+", modes.VOICE),
)
"""Letter, prefix and role, from the highest to the lowest."""

USER_MODES: dict[str, str] = {
    "i": modes.INVISIBLE,
    "o": modes.SERVER_OPERATOR,
    "B": modes.BOT,
    "w": modes.HEARS_WALLOPS,
    "R": modes.ACCOUNTS_TELL,
}

ACCOUNT_LETTER = "r"
"""The user mode of those who are logged in to an account: shown, never set."""

ROLE_LETTERS = {letter: role for letter, _, role in PREFIXES}
ROLE_PREFIXES = {role: prefix for _, prefix, role in PREFIXES}
PREFIX_ROLES = {prefix: role for _, prefix, role in PREFIXES}

LETTERS: dict[str, str] = {
    **{word: letter for letter, word in CHANNEL_MODES.items()},
    **{role: letter for letter, _, role in PREFIXES},
}
"""The letter of every mode of a room."""

USER_LETTERS: dict[str, str] = {word: letter for letter, word in USER_MODES.items()}

WITH_VALUE_TO_SET = frozenset((modes.FORWARD, modes.LIMIT))
"""Modes whose value is left out when they are cleared (the third kind of CHANMODES)."""


def chanmodes() -> str:
    """The CHANMODES token's value: lists, values, values to set only, flags."""
    kinds: list[list[str]] = [[], [], [], []]
    for letter, word in CHANNEL_MODES.items():
        kinds[_kind(word)].append(letter)
    return ",".join("".join(sorted(kind)) for kind in kinds)


def _kind(word: str) -> int:
    if word in modes.LISTS:
        return 0
    if word in modes.FLAGS:
        return 3
    return 2 if word in WITH_VALUE_TO_SET else 1


def prefix() -> str:
    """The PREFIX token's value."""
    letters = "".join(letter for letter, _, _ in PREFIXES)
    return f"({letters})" + "".join(prefix for _, prefix, _ in PREFIXES)


def takes_value(word: str, on: bool) -> bool:
    """Is a mode followed by a parameter?"""
    if word in modes.FLAGS:
        return False
    return on or word not in WITH_VALUE_TO_SET


def shown_value(word: str, value: str) -> str:
    """A mode's value as IRC has it: a room is a channel there."""
    return "#" + value if word == modes.FORWARD else value


def prefixes(roles: Iterable[str], all_of_them: bool) -> str:
    """
    The prefixes of somebody with these roles.

    @param roles: the highest first.
    @param all_of_them: does the client know of more than one (the capability multi-prefix)?
    """
    signs = [ROLE_PREFIXES[role] for role in roles]
    return "".join(signs) if all_of_them else "".join(signs[:1])
