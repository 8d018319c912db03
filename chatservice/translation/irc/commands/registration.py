"""
Becoming known to the server, and leaving it: PASS, NICK, USER, PING, PONG, WEBIRC, QUIT.

Specifications: Modern IRC, "Connection Messages"; IRCv3 webirc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatservice.controller.errors import BadNick, BadPassword, ChatError, NickInUse
from chatservice.translation.interface import Running
from chatservice.translation.irc import letters, numerics
from chatservice.translation.irc.message import ClientMessage
from chatservice.translation.irc.rendering import source

from .sasl import abandon, logged_in
from .server import lusers, moment, motd, supported, version_of
from .table import Command

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect

_QUIT_WORDS = "Client quit"


def _pass(d: IrcDialect, m: ClientMessage) -> None:
    """An account's password: C{account:password}, or the password of the account of the nick."""
    if d.registration is None:
        d.numeric(numerics.ERR_ALREADYREGISTERED)
    else:
        d.registration.password = m.params[0]


def _nick(d: IrcDialect, m: ClientMessage) -> Running | None:
    if not m.params[0]:
        _no_nick(d, m)
        return None
    if d.registration is None:
        return _change_nick(d, m.params[0])
    try:
        d.registration.nick = d.session.policy.names.nick(m.params[0]).text
    except BadNick as error:
        d.numeric(numerics.ERR_ERRONEUSNICKNAME, m.params[0], words=str(error))
        return None
    return try_to_register(d)


def _no_nick(d: IrcDialect, m: ClientMessage) -> None:
    d.numeric(numerics.ERR_NONICKNAMEGIVEN)


async def _change_nick(d: IrcDialect, nick: str) -> None:
    try:
        if nick != d.nick:
            await d.session.change_nick(nick)
    except ChatError as error:
        d.refuse(error, "NICK", nick)


def _user(d: IrcDialect, m: ClientMessage) -> Running | None:
    if d.registration is None or d.registration.realname is not None:
        d.numeric(numerics.ERR_ALREADYREGISTERED)
        return None
    if not m.params[0] or not m.params[3]:
        d.numeric(numerics.ERR_NEEDMOREPARAMS, "USER")
        return None
    # What it calls itself at home is not asked (see `masks.USERNAME`).
    d.registration.realname = m.params[3]
    return try_to_register(d)


def try_to_register(d: IrcDialect) -> Running | None:
    """Registers the client, if it has told all that is needed."""
    registration = d.registration
    return _register(d) if registration is not None and registration.complete else None


async def _register(d: IrcDialect) -> None:
    registration = d.registration
    assert registration is not None
    nick, session = registration.nick, d.session
    if d.sasl is not None:
        # It has not waited for its end (sasl-3.1, "The AUTHENTICATE command").
        abandon(d)
        d.numeric(numerics.ERR_SASLABORTED)
    try:
        if registration.password and session.proof is None:
            await _prove(d, nick, registration.password)
        await session.log_in(nick, realname=registration.realname or nick)
    except (NickInUse, BadNick) as error:
        # It may try another one.
        registration.nick = ""
        d.refuse(error, "NICK", nick)
    except ChatError as error:
        d.refuse(error, "PASS" if isinstance(error, BadPassword) else "USER")
        d.wire.close(str(error))
    else:
        d.registration, d.called = None, session.user.nick
        await _welcome(d)


async def _prove(d: IrcDialect, nick: str, password: str) -> None:
    account, colon, rest = password.partition(":")
    await d.session.authenticate(*((account, rest) if colon else (nick, password)))
    logged_in(d)


async def _welcome(d: IrcDialect) -> None:
    user, about = d.session.user, d.wire.about
    me = source(user.nick, user.host)
    server, version = d.wire.server_name, version_of(d)
    d.numeric(numerics.RPL_WELCOME, words=f"Welcome to the {about.network} IRC Network, {me}")
    d.numeric(numerics.RPL_YOURHOST, words=f"Your host is {server}, running version {version}")
    d.numeric(numerics.RPL_CREATED, words=f"This server was created {moment(about.started)}")
    d.numeric(
        numerics.RPL_MYINFO,
        server,
        version,
        "".join(sorted((*letters.USER_MODES, letters.ACCOUNT_LETTER))),
        "".join(sorted(letters.LETTERS.values())),
        "".join(
            sorted(c for word, c in letters.LETTERS.items() if letters.takes_value(word, True))
        ),
    )
    supported(d)
    lusers(d)
    await motd(d)


def _ping(d: IrcDialect, m: ClientMessage) -> None:
    d.answer("PONG", d.wire.server_name, text=m.params[0])


def _pong(d: IrcDialect, m: ClientMessage) -> None:
    """It is there: any line says so."""


def _no_origin(d: IrcDialect, m: ClientMessage) -> None:
    d.numeric(numerics.ERR_NOORIGIN)


def _webirc(d: IrcDialect, m: ClientMessage) -> None:
    password, _gateway, _hostname, address, *options = m.params
    if d.registration is None:
        d.numeric(numerics.ERR_ALREADYREGISTERED)
        return
    words = {word.partition("=")[0] for option in options for word in option.split(" ")}
    if not d.wire.vouch(password, address, "secure" in words):
        d.wire.close("WEBIRC is not allowed from your address")


def _quit(d: IrcDialect, m: ClientMessage) -> None:
    words = m.params[0] if m.params else ""
    d.wire.close(f"Quit: {words}" if words else _QUIT_WORDS)


COMMANDS = (
    Command("PASS", _pass, "<account>:<password>", "log in while registering", 1, False),
    Command("NICK", _nick, "<nick>", "what you are called", 1, False, too_few=_no_nick),
    Command("USER", _user, "<user> 0 * :<real name>", "who you are", 4, False),
    Command("PING", _ping, "<token>", "is the server there", 1, False, too_few=_no_origin),
    Command("PONG", _pong, "<token>", "answers the server's PING", 0, False),
    Command("WEBIRC", _webirc, "<password> <gateway> <host> <address>", "for gateways", 4, False),
    Command("QUIT", _quit, "[:<reason>]", "end the connection", 0, False),
)
