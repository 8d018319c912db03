"""Masks: who is meant by a ban, an exception or an invitation that holds for many (`*!*@host`,
`a:account`), and the one place where one is compared with somebody. Which lists there are and what
follows from them is not known here.

Specifications: Modern IRC, "Wildcard Expressions"; the `EXTBAN` parameter of RPL_ISUPPORT.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from chatservice.controller.errors import BadArguments

LONGEST_MASK = 200
"""Bytes of UTF-8, once every part is there: so many fit an IRC line that lists them."""

MASKS_REMEMBERED = 2048
"""How many masks are kept taken apart; some 0.5 kB each, 2 at the worst."""

USERNAME = "~u"
"""Everybody's, as nothing is known of what people call themselves at home."""

ACCOUNT = "a:"
MUTE = "m:"


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody, as masks see them; everything in small letters.

    Args:
        nick_key: the key of their nick.
        host: how their address is shown to others.
        account: the key of their account; "" for a guest.
    """

    nick_key: str
    host: str
    account: str


def canonical(mask: str) -> str:
    """The one spelling of a mask, by which it is kept and compared.

    A word is a nick, `a@b` a username at a host, and parts that are not there match everybody (as
    in Ergo). `a:` has an account, `m:` one of these masks, which then is a mute. `*` and `?` stand
    for any characters and for any one.

    Args:
        mask: as people type it.

    Returns:
        `nick!user@host`, `a:account`, or one of both after `m:`, in small letters.

    Raises:
        BadArguments: it is no mask; the words say why.
    """
    text = _folded(mask.strip(" "))
    if not text:
        raise BadArguments("a mask cannot be empty")
    if " " in text or not text.isprintable():
        raise BadArguments("a mask cannot contain spaces or invisible characters")
    found = MUTE + _who(text[len(MUTE) :]) if is_mute(text) else _who(text)
    if len(found.encode()) > LONGEST_MASK:
        raise BadArguments(f"a mask has {LONGEST_MASK} bytes at most")
    return found


def is_mute(mask: str) -> bool:
    """Whether a canonical mask keeps people from speaking and not from coming in."""
    return mask.startswith(MUTE)


def target(mask: str) -> str:
    """The canonical mask of whom a canonical mask is about: the mask itself unless it is a mute."""
    return mask.removeprefix(MUTE)


def matches(mask: str, subject: Subject) -> bool:
    """Whether a canonical mask means somebody; a mute means those whom its target does.

    The time is bounded by the mask's length times the subject's, whatever the wildcards.
    """
    by_account, fits = _taken_apart(mask)
    if by_account:
        return subject.account != "" and fits(subject.account) is not None
    return fits(f"{subject.nick_key}!{USERNAME}@{subject.host}") is not None


def _folded(text: str) -> str:
    """As `names` makes a nick's key of a nick: case-folded, and composed after that."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


_STARS = re.compile(r"\*{2,}")


def _who(text: str) -> str:
    text = _STARS.sub("*", text)
    if text.startswith(ACCOUNT):
        account = text[len(ACCOUNT) :]
        if not account or not _NO_NAME.isdisjoint(account):
            raise BadArguments("a: is followed by an account")
        return text
    if not text:
        raise BadArguments("m: is followed by a mask")
    nick, user, host = _parts(text)
    if not _NO_NAME.isdisjoint(nick):
        raise BadArguments("a mask is nick!user@host, a:account, or m: and one of them")
    if not _NO_NAME.isdisjoint(user) or not _NO_HOST.isdisjoint(host):
        raise BadArguments("a mask has one ! and one @ at most, in this order")
    return f"{nick or '*'}!{user or '*'}@{host or '*'}"


# The colon would be an unknown kind of mask, or end an IRC line's words.
_NO_NAME = frozenset("!@:")
_NO_HOST = frozenset("!@")


def _parts(text: str) -> tuple[str, str, str]:
    """Nick, username and host, with "" for what is not there."""
    if "!" in text:
        nick, _, rest = text.partition("!")
        user, _, host = rest.partition("@")
        return nick, user, host
    if "@" in text:
        user, _, host = text.partition("@")
        return "", user, host
    return text, "", ""


@lru_cache(maxsize=MASKS_REMEMBERED)
def _taken_apart(mask: str) -> tuple[bool, _Glob]:
    """Whether a canonical mask is compared with an account, and what compares it."""
    mask = target(mask)
    return mask.startswith(ACCOUNT), _Glob(mask.removeprefix(ACCOUNT))


def glob(pattern: str) -> Callable[[str], str | None]:
    """What gives back a name, by its key, that a pattern with `*` and `?` fits; else None."""
    return _Glob(_STARS.sub("*", _folded(pattern)))


class _Glob:
    """A pattern. Nothing is compiled, which would cost a thousand times as much as comparing once:
    strangers who set many masks could have that done for each message.

    Args:
        pattern: what to find; never two stars in a row.
    """

    __slots__ = ("_last", "_middle", "_pieces")

    def __init__(self, pattern: str) -> None:
        self._pieces = pattern.split("*")
        *self._middle, self._last = self._pieces[1:] or [""]

    def __call__(self, text: str) -> str | None:
        """Gives a text back if all of it fits."""
        first, last = self._pieces[0], self._last
        start, end = len(first), len(text) - len(last)
        if end < start or not _stands_at(first, text, 0) or not _stands_at(last, text, end):
            return None
        if len(self._pieces) == 1:
            return text if start == len(text) else None
        # What stands first is as good as any: never looks back, so no pattern is slow.
        for piece in self._middle:
            place = _find(piece, text, start, end)
            if place < 0:
                return None
            start = place + len(piece)
        return text


def _find(piece: str, text: str, start: int, end: int) -> int:
    """Where a piece stands first between two places of a text, or -1."""
    if _ANY not in piece:
        return text.find(piece, start, end)
    places = range(start, end - len(piece) + 1)
    return next((place for place in places if _stands_at(piece, text, place)), -1)


def _stands_at(piece: str, text: str, place: int) -> bool:
    if _ANY not in piece:
        return text.startswith(piece, place)
    there = text[place : place + len(piece)]
    return len(there) == len(piece) and all(
        one in (other, _ANY) for one, other in zip(piece, there, strict=True)
    )


_ANY = "?"
