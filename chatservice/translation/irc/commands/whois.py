"""
WHOIS and WHOWAS: all about somebody who is here, or was.

Specification: Modern IRC, "User-Based Queries".
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from time import gmtime, strftime
from typing import TYPE_CHECKING

from chatservice.controller import modes
from chatservice.controller.desk import Card
from chatservice.controller.entities import Departure, Room, User
from chatservice.controller.errors import BadNick, NoSuchUser
from chatservice.controller.lookup import is_operator, shown_rooms
from chatservice.controller.masks import USERNAME
from chatservice.controller.permission import roles
from chatservice.translation.irc import letters, numerics
from chatservice.translation.irc.message import ClientMessage
from chatservice.translation.irc.services import SERVICES

from .packing import packed
from .table import Command
from .targets import TARGETS, as_parameter, channel_of, split

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect


def _no_nick(d: IrcDialect, m: ClientMessage) -> None:
    d.numeric(numerics.ERR_NONICKNAMEGIVEN)


async def _whois(d: IrcDialect, m: ClientMessage) -> None:
    server, nicks = m.params[0], m.params[1] if len(m.params) > 1 else m.params[0]
    if server != nicks and not _is_server(d, server):
        d.numeric(numerics.ERR_NOSUCHSERVER, server)
        return
    targets = split(nicks)[: TARGETS["WHOIS"]]
    if not targets:
        _no_nick(d, m)
    for nick in targets:
        await _whois_one(d, nick)
        d.numeric(numerics.RPL_ENDOFWHOIS, nick)


def _is_server(d: IrcDialect, name: str) -> bool:
    """Is it this server, by its name or by the nick of somebody on it?"""
    if name.lower() == d.wire.server_name.lower():
        return True
    with suppress(NoSuchUser):
        d.session.find(name)
        return True
    return False


async def _whois_one(d: IrcDialect, nick: str) -> None:
    if nick.lower() in SERVICES:
        _service(d, SERVICES[nick.lower()].nick)
        return
    try:
        user = d.session.find(nick)
    except NoSuchUser:
        d.numeric(numerics.ERR_NOSUCHNICK, nick)
    else:
        cards = await d.session.inspect(user)
        for tell in _ABOUT:
            tell(d, user, cards)


def _service(d: IrcDialect, nick: str) -> None:
    words = f"Network service, for more info /msg {nick} HELP"
    host = f"services.{d.wire.server_name}"
    d.numeric(numerics.RPL_WHOISUSER, nick, nick, host, "*", words=words)
    d.numeric(numerics.RPL_WHOISOPERATOR, nick, words="is a network service")


# What is told of a user, a line or some lines each. Cards are those that the asker may see.

Cards = Sequence[Card]


def _name(d: IrcDialect, user: User, cards: Cards) -> None:
    d.numeric(numerics.RPL_WHOISUSER, user.nick, USERNAME, user.host, "*", words=user.realname)


def _channels(d: IrcDialect, user: User, cards: Cards) -> None:
    def with_prefixes(room: Room) -> str:
        signs = letters.prefixes(roles(room, user), d.has("multi-prefix"))
        return signs + channel_of(room.name)

    channels = map(with_prefixes, shown_rooms(d.session.user, user))
    for line in packed(d, numerics.RPL_WHOISCHANNELS, user.nick, items=channels):
        d.write(line)


def _server(d: IrcDialect, user: User, cards: Cards) -> None:
    words = d.wire.about.description
    d.numeric(numerics.RPL_WHOISSERVER, user.nick, d.wire.server_name, words=words)


def _operator(d: IrcDialect, user: User, cards: Cards) -> None:
    if is_operator(user):
        d.numeric(numerics.RPL_WHOISOPERATOR, user.nick)


def _address(d: IrcDialect, user: User, cards: Cards) -> None:
    for card in cards:
        host = as_parameter(card.host)
        d.numeric(numerics.RPL_WHOISACTUALLY, user.nick, f"{USERNAME}@{host}", host)


def _secure(d: IrcDialect, user: User, cards: Cards) -> None:
    if user.secure:
        d.numeric(numerics.RPL_WHOISSECURE, user.nick)


def _account(d: IrcDialect, user: User, cards: Cards) -> None:
    if user.account:
        d.numeric(numerics.RPL_WHOISACCOUNT, user.nick, user.account_nick)


def _bot(d: IrcDialect, user: User, cards: Cards) -> None:
    if modes.BOT in user.flags:
        d.numeric(numerics.RPL_WHOISBOT, user.nick)


def _certificates(d: IrcDialect, user: User, cards: Cards) -> None:
    for card in cards:
        if card.certfp:
            words = f"has client certificate fingerprint {card.certfp}"
            d.numeric(numerics.RPL_WHOISCERTFP, user.nick, words=words)


def _idle(d: IrcDialect, user: User, cards: Cards) -> None:
    idle = d.session.idle_seconds(user)
    d.numeric(numerics.RPL_WHOISIDLE, user.nick, idle, user.ms // 1000)


def _away(d: IrcDialect, user: User, cards: Cards) -> None:
    if user.away:
        d.numeric(numerics.RPL_AWAY, user.nick, words=user.away)


_ABOUT = (
    _name,
    _channels,
    _server,
    _operator,
    _address,
    _secure,
    _account,
    _bot,
    _certificates,
    _idle,
    _away,
)


# Those who were here.


def _whowas(d: IrcDialect, m: ClientMessage) -> None:
    targets = split(m.params[0])[: TARGETS["WHOWAS"]]
    if not targets:
        _no_nick(d, m)
    for nick in targets:
        departures = _departures(d, nick, _count(m))
        if not departures:
            d.numeric(numerics.ERR_WASNOSUCHNICK, nick)
        for departure in departures:
            _departed(d, departure)
        d.numeric(numerics.RPL_ENDOFWHOWAS, nick)


def _count(m: ClientMessage) -> int:
    """How many are wanted; 0 for all."""
    count = m.param(1)
    return int(count) if count.isascii() and count.isdigit() else 0


def _departures(d: IrcDialect, nick: str, count: int) -> list[Departure]:
    try:
        return d.session.departures(nick, count)
    except BadNick:
        return []


def _departed(d: IrcDialect, who: Departure) -> None:
    d.numeric(numerics.RPL_WHOWASUSER, who.nick, USERNAME, who.host, "*", words=who.realname)
    if who.account_nick:
        d.numeric(numerics.RPL_WHOISACCOUNT, who.nick, who.account_nick)
    when = strftime("%a %b %d %H:%M:%S %Y", gmtime(who.ms // 1000))
    d.numeric(numerics.RPL_WHOISSERVER, who.nick, d.wire.server_name, words=when)


COMMANDS = (
    Command("WHOIS", _whois, "[<server>] <nick>", "all about somebody", 1, too_few=_no_nick),
    Command(
        "WHOWAS", _whowas, "<nick> [<count>]", "about somebody who was here", 1, too_few=_no_nick
    ),
)
