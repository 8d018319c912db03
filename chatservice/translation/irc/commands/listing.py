"""
Which channels there are: LIST, with all conditions that ELIST knows.

Specification: Modern IRC, "LIST message" and "ELIST Parameter". C{C<60} is a channel that was made
less than 60 minutes ago, C{T>60} one whose topic was set more than 60 minutes ago.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from chatservice.controller import masks
from chatservice.controller.entities import Room
from chatservice.controller.errors import ChatError
from chatservice.translation.irc import numerics
from chatservice.translation.irc.message import ClientMessage

from .table import Command
from .targets import CHANNEL, at_most, channel_of, is_channel, room_name, split

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect

_Condition = Callable[[Room], bool]

_MINUTE_MS = 60_000


def _age(room: Room, ms: int) -> float | None:
    return (ms - room.ms) / _MINUTE_MS


def _age_of_topic(room: Room, ms: int) -> float | None:
    return (ms - room.topic.ms) / _MINUTE_MS if room.topic is not None else None


def _members(room: Room, ms: int) -> float | None:
    return len(room.members)


_MEASURES: dict[str, Callable[[Room, int], float | None]] = {
    "C": _age,
    "T": _age_of_topic,
    "": _members,
}
"""What is compared, by the letter before the sign; None fits nothing."""

_COMPARISON = re.compile("([CT]?)([<>])([0-9]{1,9})", re.IGNORECASE)
_WILD = re.compile("[*?]")


async def _list(d: IrcDialect, m: ClientMessage) -> None:
    # Conditions are counted as channels are: each is compared with every channel that there is.
    items = at_most(d, "LIST", [item for param in m.params for item in split(param)])
    named = [item for item in items if is_channel(item) and not _WILD.search(item)]
    now = int(d.session.now * 1000)
    conditions = [found for item in items if (found := _condition(item, now)) is not None]
    rooms = _rooms(d, named) if named else d.session.rooms()
    await d.pour(_lines(d, rooms, conditions))
    d.numeric(numerics.RPL_LISTEND)


def _rooms(d: IrcDialect, channels: Iterable[str]) -> Iterator[Room]:
    for channel in channels:
        with suppress(ChatError):
            yield d.session.room(room_name(channel))


def _lines(d: IrcDialect, rooms: Iterable[Room], conditions: list[_Condition]) -> Iterator[str]:
    for room in rooms:
        if all(fits(room) for fits in conditions):
            topic = room.topic.text if room.topic is not None else ""
            channel = channel_of(room.name)
            yield d.numeric_line(numerics.RPL_LIST, channel, len(room.members), words=topic)


def _condition(item: str, now: int) -> _Condition | None:
    """
    @return: None if it is a channel's name, or nothing that is known.
    """
    comparison = _COMPARISON.fullmatch(item)
    if comparison is not None:
        letter, sign, number = comparison.groups()
        return _comparison(_MEASURES[letter.upper()], sign == "<", int(number), now)
    if item.startswith("!"):
        excluded = masks.glob(item[1:])
        return lambda room: excluded(CHANNEL + room.key) is None
    if _WILD.search(item):
        included = masks.glob(item)
        return lambda room: included(CHANNEL + room.key) is not None
    return None


def _comparison(
    measure: Callable[[Room, int], float | None], less: bool, number: int, now: int
) -> _Condition:
    def fits(room: Room) -> bool:
        found = measure(room, now)
        return found is not None and (found < number if less else found > number)

    return fits


COMMANDS = (
    Command(
        "LIST",
        _list,
        "[<channel>{,<channel>}] [<condition>{,<condition>}]",
        "which channels there are: >n and <n members, C>n C<n minutes old, T>n T<n for topics, "
        "*mask*, !*mask*",
        0,
    ),
)
