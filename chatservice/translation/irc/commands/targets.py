"""
What commands are aimed at: channels and nicks as IRC writes them, and how many at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatservice.controller.errors import BadRoomName, ChatError, NoSuchRoom, NotRoomOperator
from chatservice.translation.irc import numerics

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect

TARGETS: dict[str, int] = {
    "JOIN": 100,
    "KICK": 10,
    "LIST": 10,
    "NAMES": 10,
    "NOTICE": 4,
    "PART": 100,
    "PRIVMSG": 4,
    "TAGMSG": 4,
    "WHOIS": 1,
    "WHOWAS": 10,
}
"""
How many targets a command may have, separated by commas: the TARGMAX token. Clients that come back
enter all their channels in one line, and heed no limit.
"""

CHANNEL = "#"


def is_channel(target: str) -> bool:
    """Is that a channel's name, and not a nick?"""
    return target.startswith(CHANNEL)


def room_name(channel: str) -> str:
    """
    The name of a channel's room.

    @raise NoSuchRoom: it is no channel.
    """
    if not is_channel(channel):
        raise NoSuchRoom()
    return channel[1:]


def channel_of(room: str) -> str:
    """The channel of a room's name."""
    return CHANNEL + room


def as_parameter(address: str) -> str:
    """An address as a parameter: that cannot begin with a colon, an address may do with a zero."""
    return "0" + address if address.startswith(":") else address


def split(parameter: str) -> list[str]:
    """The targets of a parameter; empty ones are left out."""
    return [target for target in parameter.split(",") if target]


def at_most(d: IrcDialect, command: str, targets: list[str]) -> list[str]:
    """As many targets as a command may have, each counted as a request; the others are refused."""
    most = TARGETS[command]
    d.session.owe(max(0, len(targets) - 1))
    for target in targets[most:]:
        d.numeric(numerics.ERR_TOOMANYTARGETS, target)
    return targets[:most]


def refuse(d: IrcDialect, error: ChatError, command: str, channel: str) -> None:
    """Says that something was refused that is about a channel which should be there."""
    if isinstance(error, BadRoomName):
        # What cannot be a channel is none.
        d.numeric(numerics.ERR_NOSUCHCHANNEL, channel)
    else:
        d.refuse(error, command, channel)


def refuse_stranger(d: IrcDialect, error: NotRoomOperator, command: str, channel: str) -> None:
    """Says that it takes a role in the channel; to somebody outside, that it takes to be inside."""
    if d.session.is_inside(room_name(channel)):
        d.refuse(error, command, channel)
    else:
        d.numeric(numerics.ERR_NOTONCHANNEL, channel)
