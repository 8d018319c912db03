"""
What was said before: CHATHISTORY.

Specification: IRCv3 chathistory (draft), with draft/event-playback. Where it leaves a choice, as
Ergo: who has not negotiated it may ask too, 0 items and too many are as many as may be, and
C{BEFORE *} is C{LATEST *}.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from chatservice.controller.errors import ChatError, Unavailable
from chatservice.controller.events import Event
from chatservice.controller.log import Point
from chatservice.translation.irc import isupport
from chatservice.translation.irc.message import ClientMessage
from chatservice.translation.irc.playback import Playback, in_batch, kinds_for, lines_of
from chatservice.translation.irc.rendering import timestamp

from .table import Command
from .targets import channel_of

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect


class _Invalid(Exception):
    """What a client asks cannot be understood; C{context} is the word that cannot."""

    def __init__(self, words: str, *context: str) -> None:
        super().__init__(words)
        self.context = context


async def _chathistory(d: IrcDialect, m: ClientMessage) -> None:
    given, *params = m.params
    try:
        if given.upper() == "TARGETS":
            await _targets(d, given, params)
        else:
            await _messages(d, given, params)
    except _Invalid as invalid:
        _fail(d, "INVALID_PARAMS", given, *invalid.context, words=str(invalid))


async def _messages(d: IrcDialect, given: str, params: list[str]) -> None:
    query = _QUERIES.get(given.upper())
    if query is None:
        raise _Invalid("Unknown command")
    target, *words, items = _exactly(query.points + 2, params)
    points = [_point(word, query.open) for word in words]
    limit = _limit(d, items)
    render, playback = d.render, Playback(d.session, target, kinds_for(d))
    try:
        events = await query.run(playback, limit, *points)
    except ChatError as error:
        code = "MESSAGE_ERROR" if isinstance(error, Unavailable) else "INVALID_TARGET"
        _fail(d, code, given, target, words="Messages could not be retrieved")
    else:
        lines = lines_of(events, render)
        await d.pour(in_batch(d, "chathistory", playback.shown, lines=lines))


async def _targets(d: IrcDialect, given: str, params: list[str]) -> None:
    one, other, items = _exactly(3, params)
    first, last = _moment(one), _moment(other)
    limit = _limit(d, items)
    backwards = last < first
    after, before = sorted((first, last))
    # The session counts from the earliest on.
    asked = d.session.policy.history_messages if backwards else limit
    try:
        found = await d.session.latest(after, before, asked)
    except ChatError:
        _fail(d, "MESSAGE_ERROR", given, words="Messages could not be retrieved")
        return
    lines = (
        d.line("CHATHISTORY", "TARGETS", _target(name), timestamp(ms))
        for name, ms in found[-limit:]
    )
    await d.pour(in_batch(d, "draft/chathistory-targets", lines=lines))


def _target(name: str) -> str:
    """A target as a client writes it, of its name in the domain."""
    return name[1:] if name.startswith("@") else channel_of(name)


def _fail(d: IrcDialect, code: str, *context: str, words: str) -> None:
    implied = d.has("draft/chathistory")
    d.fail("CHATHISTORY", code, *context, words=words, implied=implied)


# What clients write.


def _exactly(count: int, params: list[str]) -> list[str]:
    if len(params) < count:
        raise _Invalid("Insufficient parameters")
    if len(params) > count:
        raise _Invalid("Too many parameters")
    return params


def _limit(d: IrcDialect, word: str) -> int:
    if not (word.isascii() and word.isdigit()):
        raise _Invalid("Invalid limit", word)
    most = isupport.history_items(d.session.policy)
    return min(int(word), most) or most


def _point(word: str, open: bool) -> Point:
    """
    A point in a history.

    @param open: may it be C{*}, which is the end?
    """
    if word == "*" and open:
        return ""
    kind, _, value = word.partition("=")
    if kind.lower() != "msgid":
        return _moment(word)
    if not value:
        raise _Invalid("Invalid message reference", word)
    return value


_MOMENT = re.compile("([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}):([0-5][0-9]|60)[.]([0-9]{3})Z")


def _moment(word: str) -> int:
    """The milliseconds since 1970 of a timestamp (server-time has leap seconds, too)."""
    kind, _, value = word.partition("=")
    found = _MOMENT.fullmatch(value) if kind.lower() == "timestamp" else None
    try:
        minute = datetime.fromisoformat(found[1] + "+00:00") if found else None
    except ValueError:
        minute = None
    if found is None or minute is None:
        raise _Invalid("Invalid timestamp", word)
    return (int(minute.timestamp()) + int(found[2])) * 1000 + int(found[3])


# What is asked of a history.


async def _latest(history: Playback, limit: int, after: Point) -> list[Event]:
    return await history.read(limit, after=after)


async def _before(history: Playback, limit: int, before: Point) -> list[Event]:
    return await history.read(limit, before=before)


async def _after(history: Playback, limit: int, after: Point) -> list[Event]:
    return await history.read(limit, after=after, oldest=True)


async def _between(history: Playback, limit: int, first: Point, last: Point) -> list[Event]:
    # Which comes first only the history knows: nothing is between them in the wrong order.
    forwards = await history.read(limit, after=first, before=last, oldest=True)
    return forwards or await history.read(limit, after=last, before=first)


async def _around(history: Playback, limit: int, point: Point) -> list[Event]:
    earlier = await history.read(max(limit // 2, 1), before=point)
    if not earlier:
        return await _from(history, limit, point)
    kept = earlier if limit > 1 else []
    later = await history.read(limit - len(kept), after=earlier[-1].id, oldest=True)
    return kept + later


async def _from(history: Playback, limit: int, point: Point) -> list[Event]:
    """What begins a history, at a point that nothing precedes; unless it is none."""
    if isinstance(point, int):
        return await history.read(limit, oldest=True)
    first = await history.read(limit, oldest=True)
    if first and first[0].id == point:
        return first
    return await history.read(limit, after=point, oldest=True)


@dataclass(frozen=True, slots=True)
class _Query:
    """
    @ivar run: gets the history, how many events there may be, and the points.
    @ivar points: how many points it takes.
    @ivar open: may they be C{*}?
    """

    run: Callable[..., Awaitable[list[Event]]]
    points: int = 1
    open: bool = False


_QUERIES = {
    "LATEST": _Query(_latest, open=True),
    "BEFORE": _Query(_before, open=True),
    "AFTER": _Query(_after),
    "AROUND": _Query(_around),
    "BETWEEN": _Query(_between, points=2),
}

COMMANDS = (
    Command(
        "CHATHISTORY",
        _chathistory,
        "LATEST|BEFORE|AFTER|AROUND|BETWEEN <target> <point> [<point>] <limit>"
        " | TARGETS <timestamp> <timestamp> <limit>",
        "see what was said before",
        1,
    ),
)
