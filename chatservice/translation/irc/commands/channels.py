"""
What a channel is like: TOPIC and NAMES, and what is told of both to whoever enters one.

Specifications: Modern IRC, "Channel Operations"; IRCv3 multi-prefix, userhost-in-names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from chatservice.controller import modes
from chatservice.controller.entities import Room, User
from chatservice.controller.errors import ChatError, NotRoomOperator, PrivateRoom
from chatservice.controller.permission import roles
from chatservice.controller.policy import check_phrase
from chatservice.translation.irc import numerics
from chatservice.translation.irc.letters import prefixes
from chatservice.translation.irc.message import ClientMessage
from chatservice.translation.irc.rendering import source

from .packing import packed
from .table import Command
from .targets import at_most, channel_of, refuse, refuse_stranger, room_name, split

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect

_PUBLIC = "="
_SECRET = "@"  # noqa: S105 - a symbol of RPL_NAMREPLY


async def show(d: IrcDialect, name: str) -> None:
    """
    What somebody is told who has just entered: the topic and the members.

    @raise PrivateRoom: they are not inside any more, and may not see it from outside.
    """
    room = d.session.room(name)
    _show_topic(d, room)
    await _show_names(d, room)


# TOPIC.


async def _topic(d: IrcDialect, m: ClientMessage) -> None:
    channel = m.params[0]
    try:
        if len(m.params) > 1:
            topic = check_phrase(m.params[1], d.session.policy)
            await d.session.set_topic(room_name(channel), topic)
        else:
            room = d.session.room(room_name(channel))
            if not _show_topic(d, room):
                d.numeric(numerics.RPL_NOTOPIC, channel_of(room.name))
    except PrivateRoom:
        d.numeric(numerics.ERR_NOTONCHANNEL, channel)
    except NotRoomOperator as error:
        refuse_stranger(d, error, "TOPIC", channel)
    except ChatError as error:
        refuse(d, error, "TOPIC", channel)


def _show_topic(d: IrcDialect, room: Room) -> bool:
    topic, channel = room.topic, channel_of(room.name)
    if topic is None:
        return False
    d.numeric(numerics.RPL_TOPIC, channel, words=topic.text)
    d.numeric(numerics.RPL_TOPICWHOTIME, channel, topic.nick, topic.ms // 1000)
    return True


# NAMES.


async def _names(d: IrcDialect, m: ClientMessage) -> None:
    channels = split(m.params[0]) if m.params else []
    if not channels:
        d.numeric(numerics.RPL_ENDOFNAMES, "*")
    for channel in at_most(d, "NAMES", channels):
        try:
            room = d.session.room(room_name(channel))
        except ChatError:
            d.numeric(numerics.RPL_ENDOFNAMES, channel)
        else:
            await _show_names(d, room)


async def _show_names(d: IrcDialect, room: Room) -> None:
    channel, members = channel_of(room.name), d.session.members(room)
    symbol = _SECRET if modes.SECRET in room.flags else _PUBLIC
    names = _shown(d, room, members)
    await d.pour(packed(d, numerics.RPL_NAMREPLY, symbol, channel, items=names))
    d.numeric(numerics.RPL_ENDOFNAMES, channel)


def _shown(d: IrcDialect, room: Room, members: Iterable[User]) -> Iterator[str]:
    every, hosts = d.has("multi-prefix"), d.has("userhost-in-names")
    for user in members:
        name = source(user.nick, user.host) if hosts else user.nick
        yield prefixes(roles(room, user), every) + name


COMMANDS = (
    Command("TOPIC", _topic, "<channel> [:<topic>]", "what a channel is about", 1),
    Command("NAMES", _names, "<channel>{,<channel>}", "who is in a channel", 0),
)
