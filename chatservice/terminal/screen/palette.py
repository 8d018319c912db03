"""
Colours: the attributes that the screen is drawn with, in 256, 16 and no colours, and which of them
somebody's nick has. They suit dark and light terminals, whose own background is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from zlib import crc32

_NICKS = (
    # 256 colours, 16 colours
    ("h31", "dark cyan"),
    ("h166", "brown"),
    ("h71", "dark green"),
    ("h133", "dark magenta"),
    ("h68", "light blue"),
    ("h167", "light red"),
    ("h37", "dark cyan"),
    ("h172", "brown"),
    ("h98", "light magenta"),
    ("h107", "light green"),
    ("h132", "dark magenta"),
    ("h73", "light cyan"),
    ("h136", "brown"),
    ("h64", "dark green"),
    ("h62", "light blue"),
    ("h161", "dark red"),
)

Entry = tuple[str, str, str, str, str, str]

PALETTE: tuple[Entry, ...] = (
    # name, foreground and background in 16 colours, in none, foreground and background in 256
    ("text", "default", "default", "default", "default", "default"),
    ("dim", "dark gray", "default", "default", "h244", "default"),
    ("own", "default,bold", "default", "bold", "default,bold", "default"),
    ("mention", "yellow,bold", "default", "bold", "h172,bold", "default"),
    ("error", "light red", "default", "bold", "h167", "default"),
    ("mark", "dark red", "default", "default", "h167", "default"),
    ("bar", "light gray", "dark blue", "standout", "h250", "h237"),
    ("bar_strong", "white,bold", "dark blue", "standout,bold", "h255,bold", "h237"),
    ("bar_warning", "yellow,bold", "dark blue", "standout,bold", "h215,bold", "h237"),
    ("active", "white,bold", "dark blue", "standout", "h255,bold", "h239"),
    ("unread", "default,bold", "default", "bold", "default,bold", "default"),
    ("called", "light magenta,bold", "default", "bold,underline", "h205,bold", "default"),
    ("prompt", "dark cyan", "default", "default", "h68", "default"),
    *(
        (f"nick{number}", basic, "default", "default", high, "default")
        for number, (high, basic) in enumerate(_NICKS)
    ),
)
"""As urwid takes it."""


def nick_attribute(nick: str) -> str:
    """The attribute of a nick: always the same one for the same nick."""
    return f"nick{crc32(nick.casefold().encode(errors='replace')) % len(_NICKS)}"


def colours(environment: Mapping[str, str]) -> Literal[1, 16, 256]:
    """
    How many colours a terminal has, and may be used (https://no-color.org).

    @param environment: the process's.
    """
    term = environment.get("TERM", "")
    if environment.get("NO_COLOR") or term in ("", "dumb") or term.startswith("vt"):
        return 1
    if "256" in term or "direct" in term or environment.get("COLORTERM"):
        return 256
    return 16
