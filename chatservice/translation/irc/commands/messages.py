"""
Saying something: PRIVMSG, NOTICE, TAGMSG.

Specifications: Modern IRC, "Sending Messages"; IRCv3 message-tags; STATUSMSG and TARGMAX of
RPL_ISUPPORT.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from chatservice.controller.errors import (
    BadRoomName,
    ChatError,
    Muted,
    NeedsAccount,
    NoSuchRoom,
    NoSuchUser,
    NotInRoom,
    PrivateRoom,
)
from chatservice.translation.interface import Running
from chatservice.translation.irc import numerics
from chatservice.translation.irc.letters import PREFIX_ROLES, PREFIXES
from chatservice.translation.irc.message import ClientMessage
from chatservice.translation.irc.refusals import words_of
from chatservice.translation.irc.services import SERVICES, Service

from .table import Command
from .targets import CHANNEL, at_most, is_channel, split

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect


def _privmsg(d: IrcDialect, m: ClientMessage) -> Running | None:
    return _say_to_all(d, m, notice=False)


def _notice(d: IrcDialect, m: ClientMessage) -> None:
    _say_to_all(d, m, notice=True)


def _say_to_all(d: IrcDialect, m: ClientMessage, notice: bool) -> Running | None:
    if len(m.params) < 2 or not m.params[1]:
        if not notice:
            _too_few(d, m)
        return None
    text, tags = m.params[1], _client_tags(d, m) if m.tags else None
    services = []
    for target in _targets(d, m):
        service = None if is_channel(target) else SERVICES.get(target.lower())
        if service is not None:
            services.append(service)
            continue
        try:
            _say(d, target, text, notice, tags)
        except ChatError as error:
            if not notice:
                _refuse(d, error, m.command, target)
    return _ask(d, services, text) if services and not notice else None


async def _ask(d: IrcDialect, services: Sequence[Service], text: str) -> None:
    # What was said before has its answers first.
    await d.session.settled()
    for service in services:
        await service.hear(d, text)


def _say(d: IrcDialect, target: str, text: str, notice: bool, tags: dict[str, str] | None) -> None:
    if is_channel(target):
        d.session.say(target[1:], text, notice, tags)
        return
    role, room = _ranks(target)
    if role:
        d.session.say_to_ranks(room, role, text, notice, tags)
    else:
        _say_to_user(d, target, text, notice, tags)


def _ranks(target: str) -> tuple[str, str]:
    """
    The lowest role that a target means, and the room; two empty words if it means nobody by role
    (STATUSMSG).
    """
    prefixes, channel, room = target.partition(CHANNEL)
    if not channel or not prefixes or not _PREFIXES.issuperset(prefixes):
        return "", ""
    return next(role for _, prefix, role in reversed(PREFIXES) if prefix in prefixes), room


_PREFIXES = frozenset(PREFIX_ROLES)


def _say_to_user(
    d: IrcDialect, nick: str, text: str, notice: bool, tags: dict[str, str] | None
) -> None:
    d.session.tell(nick, text, notice, tags)
    other = d.session.find(nick)
    if other.away and not notice:
        d.numeric(numerics.RPL_AWAY, other.nick, words=other.away)


def _tagmsg(d: IrcDialect, m: ClientMessage) -> None:
    tags = _client_tags(d, m)
    if tags is None:
        return
    for target in _targets(d, m):
        try:
            _tag(d, target, tags)
        except ChatError as error:
            _refuse(d, error, m.command, target)


def _tag(d: IrcDialect, target: str, tags: dict[str, str]) -> None:
    role, room = _ranks(target)
    if is_channel(target):
        d.session.tag_room(target[1:], tags)
    elif role:
        d.session.tag_ranks(room, role, tags)
    elif target.lower() not in SERVICES:
        d.session.tag_user(target, tags)


def _client_tags(d: IrcDialect, m: ClientMessage) -> dict[str, str] | None:
    """The client-only tags of a message, if there are (message-tags, "Client-only tags")."""
    if not d.has("message-tags"):
        return None
    return {key: value for key, value in m.tags.items() if key.startswith("+")} or None


def _targets(d: IrcDialect, m: ClientMessage) -> list[str]:
    """The targets of a message, each once; those beyond TARGMAX are refused."""
    if "," not in m.params[0]:
        return m.params[:1]
    return at_most(d, m.command, list(dict.fromkeys(split(m.params[0]))))


def _too_few(d: IrcDialect, m: ClientMessage) -> None:
    if m.command == "NOTICE":
        return
    if not m.params or not m.params[0]:
        d.numeric(numerics.ERR_NORECIPIENT, words=f"No recipient given ({m.command})")
    else:
        d.numeric(numerics.ERR_NOTEXTTOSEND)


def _refuse(d: IrcDialect, error: ChatError, command: str, target: str) -> None:
    numeric = _REFUSALS.get(type(error))
    if numeric is not None and (CHANNEL in target or type(error) is NoSuchUser):
        d.numeric(numeric, target, words=words_of(numeric, error))
    else:
        d.refuse(error, command, target)


_REFUSALS = {
    # Whoever may not know of a channel hears the same as of one that is not there.
    NoSuchRoom: numerics.ERR_NOSUCHCHANNEL,
    PrivateRoom: numerics.ERR_NOSUCHCHANNEL,
    BadRoomName: numerics.ERR_NOSUCHCHANNEL,
    NotInRoom: numerics.ERR_CANNOTSENDTOCHAN,
    Muted: numerics.ERR_CANNOTSENDTOCHAN,
    NeedsAccount: numerics.ERR_CANNOTSENDTOCHAN,
    NoSuchUser: numerics.ERR_NOSUCHNICK,
}

_Run = Callable[["IrcDialect", ClientMessage], "Running | None"]


def _command(name: str, run: _Run, usage: str, help: str, least: int) -> Command:
    return Command(name, run, usage, help, least, says=True, too_few=_too_few)


COMMANDS = (
    _command("PRIVMSG", _privmsg, "<target>{,<target>} :<text>", "say something", 2),
    _command("NOTICE", _notice, "<target>{,<target>} :<text>", "say it, expecting no answer", 2),
    _command("TAGMSG", _tagmsg, "<target>{,<target>}", "tell clients something by tags", 1),
)
