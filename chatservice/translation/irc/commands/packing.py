"""
Lists that may be longer than one line: in as few lines as will take them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from chatservice.translation.irc.message import LONGEST_BODY
from chatservice.translation.irc.numerics import Numeric

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect

_ENDING = len("\r\n")


def packed(
    d: IrcDialect, numeric: Numeric, *params: object, items: Iterable[str], separator: str = " "
) -> Iterator[str]:
    """
    The lines of a numeric whose last parameter is a list; none for an empty one.

    @param params: what stands before the list.
    """
    left = most = LONGEST_BODY + _ENDING - len(d.numeric_line(numeric, *params, words="").encode())
    held: list[str] = []
    for item in items:
        size = len(item.encode())
        if held and size > left:
            yield d.numeric_line(numeric, *params, words=separator.join(held))
            held, left = [], most
        held.append(item)
        left -= size + len(separator)
    if held:
        yield d.numeric_line(numeric, *params, words=separator.join(held))
