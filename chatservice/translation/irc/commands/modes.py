"""
MODE: what a channel, or a user, is like, asked for and changed. Which letter is which mode is said
in `letters`; who may change what, by the domain.

Specifications: Modern IRC, "MODE message"; where it is silent, what Ergo does: a letter without a
sign asks, a mode whose parameter is missing is left out, and each refusal is told once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from chatservice.controller import masks, modes
from chatservice.controller.entities import Room
from chatservice.controller.errors import (
    BadArguments,
    BadRoomName,
    ChatError,
    NoSuchRoom,
    NoSuchUser,
    NotInRoom,
    PrivateRoom,
    TooMany,
)
from chatservice.controller.events import ModesChanged
from chatservice.controller.permission import may_read_list
from chatservice.translation.interface import Running
from chatservice.translation.irc import isupport, numerics
from chatservice.translation.irc.letters import (
    ACCOUNT_LETTER,
    CHANNEL_MODES,
    LETTERS,
    ROLE_LETTERS,
    USER_LETTERS,
    USER_MODES,
    shown_value,
    takes_value,
)
from chatservice.translation.irc.message import ClientMessage
from chatservice.translation.irc.numerics import Numeric
from chatservice.translation.irc.refusals import words_of

from .table import Command
from .targets import channel_of, is_channel, refuse, room_name

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect

_WORDS = {**CHANNEL_MODES, **ROLE_LETTERS}

_LIST_NUMERICS: dict[str, tuple[Numeric, Numeric]] = {
    modes.BAN: (numerics.RPL_BANLIST, numerics.RPL_ENDOFBANLIST),
    modes.EXCEPTION: (numerics.RPL_EXCEPTLIST, numerics.RPL_ENDOFEXCEPTLIST),
    modes.INVITE_EXCEPTION: (numerics.RPL_INVEXLIST, numerics.RPL_ENDOFINVEXLIST),
}


class _Wish(NamedTuple):
    """
    @ivar on: to set it or to clear it; None to be told of it.
    @ivar mode: the domain's word.
    @ivar value: what the client gave with it, or "".
    """

    on: bool | None
    mode: str
    value: str


def _mode(d: IrcDialect, m: ClientMessage) -> Running | None:
    if is_channel(m.params[0]):
        return _channel_mode(d, m.params[0], m.params[1:])
    return _user_mode(d, m.params[0], "".join(m.params[1:]))


# Channels.


async def _channel_mode(d: IrcDialect, channel: str, params: list[str]) -> None:
    try:
        room = d.session.room(room_name(channel))
        wishes, unknown = _parse(params)
        for letter in unknown:
            d.numeric(numerics.ERR_UNKNOWNMODE, letter)
        if wishes or not unknown:
            await _grant(d, room, wishes[: isupport.MODES_A_LINE])
    except PrivateRoom:
        d.numeric(numerics.ERR_NOSUCHCHANNEL, channel)
    except ChatError as error:
        refuse(d, error, "MODE", channel)


def _parse(params: list[str]) -> tuple[list[_Wish], list[str]]:
    """What is wanted, and the letters that are no modes, each once."""
    values = iter(params[1:])
    wishes: list[_Wish] = []
    unknown: dict[str, None] = {}
    on: bool | None = None
    for letter in "".join(params[:1]):
        if letter in "+-":
            on = letter == "+"
        elif letter in _WORDS:
            wishes += _wish(on, _WORDS[letter], values)
        else:
            unknown[letter] = None
    return wishes, list(unknown)


def _wish(on: bool | None, mode: str, values: Iterator[str]) -> list[_Wish]:
    """One wish; none if its parameter is missing."""
    if not takes_value(mode, on is not False):
        return [_Wish(on, mode, "")]
    value = next(values, "")
    if mode in modes.LISTS:
        return [_Wish(on if value else None, mode, value)]
    # Clients need not know the key that they clear.
    if value or (mode == modes.KEY and on is False):
        return [_Wish(on, mode, value)]
    return []


async def _grant(d: IrcDialect, room: Room, wishes: list[_Wish]) -> None:
    may_ask = await _tell_lists(d, room, wishes)
    changes = [wish for wish in wishes if wish.on is not None]
    wanted = [(bool(on), mode, _value(mode, value)) for on, mode, value in changes]
    event, refused = await d.session.change_modes(room.name, wanted)
    _tell_refused(d, room, changes, refused)
    places = {place for place, _ in refused}
    granted = [wish for place, wish in enumerate(changes) if place not in places]
    _tell_vain(d, room, granted, event)
    idle = not wishes or any(wish.mode in modes.FLAGS for wish in wishes)
    if event is None and not refused and may_ask and idle:
        _tell_modes(d, room)


def _value(mode: str, value: str) -> str:
    """A mode's value as the domain has it: what is no channel is no room's name either."""
    if mode != modes.FORWARD:
        return value
    return room_name(value) if is_channel(value) else ""


async def _tell_lists(d: IrcDialect, room: Room, wishes: Sequence[_Wish]) -> bool:
    """
    Tells the lists that are asked for, each once.

    @return: False if one of them may not be told.
    """
    asked = [wish.mode for wish in wishes if wish.on is None and wish.mode in modes.LISTS]
    refused = False
    for mode in dict.fromkeys(asked):
        if may_read_list(room, mode, d.session.user):
            await _tell_list(d, room, mode)
        elif not refused:
            refused = True
            d.numeric(numerics.ERR_CHANOPRIVSNEEDED, channel_of(room.name))
    return not refused


async def _tell_list(d: IrcDialect, room: Room, mode: str) -> None:
    each, end = _LIST_NUMERICS[mode]
    channel, listed = channel_of(room.name), dict(room.lists.get(mode, {}))
    d.session.charge(len(listed))
    await d.pour(
        d.numeric_line(each, channel, mask, place.nick, place.ms // 1000)
        for mask, place in listed.items()
    )
    d.numeric(end, channel)


def _tell_refused(
    d: IrcDialect, room: Room, changes: list[_Wish], refused: list[tuple[int, ChatError]]
) -> None:
    """Each refusal once: ten modes need not say ten times that one may not."""
    said = set()
    for place, error in refused:
        numeric, params = _refusal(channel_of(room.name), changes[place], error)
        words = words_of(numeric, error)
        if (numeric, params, words) not in said:
            said.add((numeric, params, words))
            d.numeric(numeric, *params, words=words)


def _refusal(channel: str, wish: _Wish, error: ChatError) -> tuple[Numeric, tuple[str, ...]]:
    letter = LETTERS[wish.mode]
    if isinstance(error, NoSuchUser):
        return numerics.ERR_NOSUCHNICK, (wish.value,)
    if isinstance(error, NotInRoom):
        return numerics.ERR_USERNOTINCHANNEL, (wish.value, channel)
    if isinstance(error, TooMany):
        return numerics.ERR_BANLISTFULL, (channel, letter)
    if isinstance(error, BadArguments | BadRoomName | NoSuchRoom):
        return numerics.ERR_INVALIDMODEPARAM, (channel, letter, wish.value)
    return numerics.ERR_CHANOPRIVSNEEDED, (channel,)


def _tell_vain(d: IrcDialect, room: Room, granted: list[_Wish], event: ModesChanged | None) -> None:
    """Tells which masks were on their list already, or never were."""
    changed = {change[:3] for change in event.changes} if event is not None else set()
    for on, mode, value in granted:
        if mode in modes.LISTS and (on, mode, masks.canonical(value)) not in changed:
            numeric = numerics.ERR_LISTMODEALREADYSET if on else numerics.ERR_LISTMODENOTSET
            d.numeric(numeric, channel_of(room.name), value, LETTERS[mode])


def _tell_modes(d: IrcDialect, room: Room) -> None:
    """The key is for members alone."""
    channel, inside = channel_of(room.name), d.session.user.key in room.members
    values = {
        LETTERS[mode]: shown_value(mode, value)
        for mode, value in room.values.items()
        if inside or mode != modes.KEY
    }
    letters = [*sorted(values), *sorted(LETTERS[flag] for flag in room.flags)]
    params = [value for _, value in sorted(values.items())]
    d.numeric(numerics.RPL_CHANNELMODEIS, channel, "+" + "".join(letters), *params)
    d.numeric(numerics.RPL_CREATIONTIME, channel, room.ms // 1000)


# Users.


async def _user_mode(d: IrcDialect, nick: str, letters: str) -> None:
    try:
        if not d.session.is_me(nick):
            d.session.find(nick)
            d.numeric(numerics.ERR_USERSDONTMATCH)
            return
        changes, unknown = _parse_flags(letters)
        if unknown:
            d.numeric(numerics.ERR_UMODEUNKNOWNFLAG)
        event = await d.session.change_flags([(on, flag) for flag, on in changes.items()])
    except ChatError as error:
        d.refuse(error, "MODE", nick)
        return
    if event is None and (changes or not unknown):
        _tell_flags(d)


def _parse_flags(letters: str) -> tuple[dict[str, bool], bool]:
    """What each flag is to be in the end, and whether there are letters that are no flags."""
    changes: dict[str, bool] = {}
    unknown = False
    on: bool | None = None
    for letter in letters:
        if letter in "+-":
            on = letter == "+"
        elif letter in USER_MODES:
            if on is not None:
                changes[USER_MODES[letter]] = on
        elif letter != ACCOUNT_LETTER:
            unknown = True
    # Nobody becomes a server operator so, and nobody is told that (Modern IRC, "User Modes").
    if changes.get(modes.SERVER_OPERATOR):
        del changes[modes.SERVER_OPERATOR]
    return changes, unknown


def _tell_flags(d: IrcDialect) -> None:
    user = d.session.user
    letters = [USER_LETTERS[flag] for flag in user.flags]
    letters += [ACCOUNT_LETTER] if user.account else []
    d.numeric(numerics.RPL_UMODEIS, "+" + "".join(sorted(letters)))


COMMANDS = (
    Command("MODE", _mode, "<target> [<modes> {<parameter>}]", "what it is like, and change it", 1),
)
