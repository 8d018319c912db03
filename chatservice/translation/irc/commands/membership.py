"""
Being in channels: JOIN, PART, KICK, INVITE.

Specifications: Modern IRC, "Channel Operations"; RFC 2812 section 3.2.1 (C{JOIN 0}).
"""

from __future__ import annotations

from contextlib import suppress
from itertools import zip_longest
from typing import TYPE_CHECKING

from chatservice.controller.errors import (
    AlreadyInRoom,
    BadKey,
    Banned,
    ChatError,
    NeedsAccount,
    NoSuchUser,
    NotInRoom,
    NotRoomOperator,
    PrivateRoom,
    RoomFull,
    TooMany,
)
from chatservice.controller.events import Joined
from chatservice.translation.irc import numerics
from chatservice.translation.irc.message import ClientMessage

from .channels import show
from .table import Command
from .targets import at_most, channel_of, refuse, refuse_stranger, room_name, split

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect

_EVERYWHERE = "0"
"""What is joined to leave all channels."""

_FORWARDED = (Banned, BadKey, NeedsAccount, PrivateRoom, RoomFull)
"""The refusals after which another channel is tried, if there is one to be tried."""


async def _join(d: IrcDialect, m: ClientMessage) -> None:
    if m.params[0] == _EVERYWHERE:
        await _leave_all(d)
        return
    channels = m.params[0].split(",")
    keys = m.param(1).split(",")
    wanted: dict[str, str] = {}
    for channel, key in zip_longest(channels, keys[: len(channels)], fillvalue=""):
        if channel:
            wanted.setdefault(channel, key)
    for channel in at_most(d, "JOIN", list(wanted)):
        await _enter(d, channel, wanted[channel])


async def _enter(d: IrcDialect, channel: str, key: str) -> None:
    try:
        joined = await d.session.enter(room_name(channel), key)
    except AlreadyInRoom:
        return
    except ChatError as error:
        other = d.session.forward(room_name(channel)) if isinstance(error, _FORWARDED) else ""
        if other:
            await _forward(d, channel, channel_of(other), key)
        else:
            d.refuse(error, "JOIN", channel)
    else:
        await _welcome(d, joined)


async def _forward(d: IrcDialect, channel: str, other: str, key: str) -> None:
    """Enters the one channel instead of the other, which has to be there; never a third."""
    d.numeric(numerics.ERR_LINKCHANNEL, channel, other)
    try:
        joined = await d.session.join(room_name(other), key)
    except AlreadyInRoom:
        return
    except ChatError as error:
        d.refuse(error, "JOIN", other)
    else:
        await _welcome(d, joined)


async def _welcome(d: IrcDialect, joined: Joined) -> None:
    # Whoever is put out again in the same instant has nothing to be shown.
    with suppress(ChatError):
        await show(d, joined.room)


async def _leave_all(d: IrcDialect) -> None:
    for room in list(d.session.user.rooms.values()):
        await _leave(d, channel_of(room.name), "")


async def _part(d: IrcDialect, m: ClientMessage) -> None:
    reason = m.param(1)
    for channel in at_most(d, "PART", split(m.params[0])):
        await _leave(d, channel, reason)


async def _leave(d: IrcDialect, channel: str, reason: str) -> None:
    try:
        await d.session.leave(room_name(channel), reason)
    except ChatError as error:
        refuse(d, error, "PART", channel)


async def _kick(d: IrcDialect, m: ClientMessage) -> None:
    """One nick in one channel or in several, several in one channel, or in one each."""
    channels, nicks = split(m.params[0]), split(m.params[1])
    reason = m.param(2)
    if len(channels) == 1:
        channels *= len(nicks)
    elif len(nicks) == 1:
        nicks *= len(channels)
    if not nicks or len(channels) != len(nicks):
        d.numeric(numerics.ERR_NEEDMOREPARAMS, "KICK")
        return
    for channel, nick in zip(channels, at_most(d, "KICK", nicks), strict=False):
        await _put_out(d, channel, nick, reason)


async def _put_out(d: IrcDialect, channel: str, nick: str, reason: str) -> None:
    try:
        await d.session.kick(room_name(channel), nick, reason)
    except NoSuchUser as error:
        d.refuse(error, "KICK", nick)
    except NotInRoom:
        d.numeric(numerics.ERR_USERNOTINCHANNEL, nick, channel)
    except NotRoomOperator as error:
        refuse_stranger(d, error, "KICK", channel)
    except ChatError as error:
        refuse(d, error, "KICK", channel)


async def _invite(d: IrcDialect, m: ClientMessage) -> None:
    if not m.params:
        for room in d.session.invitations():
            d.numeric(numerics.RPL_INVITELIST, channel_of(room.name))
        d.numeric(numerics.RPL_ENDOFINVITELIST)
    elif len(m.params) == 1:
        d.numeric(numerics.ERR_NEEDMOREPARAMS, "INVITE")
    else:
        await _ask_in(d, m.params[0], m.params[1])


async def _ask_in(d: IrcDialect, nick: str, channel: str) -> None:
    try:
        invited = await d.session.invite(room_name(channel), nick)
    except NoSuchUser as error:
        d.refuse(error, "INVITE", nick)
    except AlreadyInRoom:
        d.numeric(numerics.ERR_USERONCHANNEL, nick, channel)
    except NotRoomOperator as error:
        refuse_stranger(d, error, "INVITE", channel)
    except TooMany as error:
        d.fail("INVITE", error.code, channel, words=str(error))
    except ChatError as error:
        refuse(d, error, "INVITE", channel)
    else:
        d.numeric(numerics.RPL_INVITING, invited.guest_nick, channel_of(invited.room))
        guest = d.session.state.users.get(invited.guest_key)
        if guest is not None and guest.away:
            d.numeric(numerics.RPL_AWAY, guest.nick, words=guest.away)


COMMANDS = (
    Command("JOIN", _join, "<channel>{,<channel>} [<key>{,<key>}]", "enter channels", 1),
    Command("PART", _part, "<channel>{,<channel>} [:<reason>]", "leave channels", 1),
    Command("KICK", _kick, "<channel> <nick>{,<nick>} [:<reason>]", "put somebody out", 2),
    Command("INVITE", _invite, "[<nick> <channel>]", "ask somebody in, or who has asked you", 0),
)
