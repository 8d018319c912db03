"""
Running the server: OPER, KILL, WALLOPS, REHASH, CHGHOST.

Specification: Modern IRC, "Operator Messages".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatservice.controller.errors import BadNick, BadPassword, ChatError, NotOperator
from chatservice.translation.irc import numerics
from chatservice.translation.irc.message import ClientMessage

from .table import Command

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect

_NO_REASON = "no reason was given"


async def _oper(d: IrcDialect, m: ClientMessage) -> None:
    # Clients send each word as a parameter, and there may be spaces in it.
    account, password = m.params[0], " ".join(m.params[1:])
    try:
        await d.session.become_operator(account, password)
    except (BadNick, BadPassword):
        d.numeric(numerics.ERR_PASSWDMISMATCH)
    except NotOperator:
        d.numeric(numerics.ERR_NOOPERHOST)
    except ChatError as error:
        d.refuse(error, "OPER")
    else:
        d.numeric(numerics.RPL_YOUREOPER)


async def _kill(d: IrcDialect, m: ClientMessage) -> None:
    nick, *reason = m.params[:2]
    try:
        await d.session.kill(nick, "".join(reason) or _NO_REASON)
    except ChatError as error:
        _refuse(d, error, "KILL", nick)


async def _wallops(d: IrcDialect, m: ClientMessage) -> None:
    try:
        await d.session.wallops(m.params[0])
    except ChatError as error:
        _refuse(d, error, "WALLOPS")


def _rehash(d: IrcDialect, m: ClientMessage) -> None:
    try:
        d.session.check_operator()
    except ChatError as error:
        _refuse(d, error, "REHASH")
        return
    d.session.log.info("{nick} has settings read again", nick=d.nick)
    d.numeric(numerics.RPL_REHASHING, "*")
    d.wire.about.rehash()


async def _chghost(d: IrcDialect, m: ClientMessage) -> None:
    nick, host = m.params[:2]
    try:
        changed = await d.session.change_host(nick, host)
    except ChatError as error:
        _refuse(d, error, "CHGHOST", nick)
    else:
        d.notice(f"{changed.nick} has the host {changed.new_host} now")


def _refuse(d: IrcDialect, error: ChatError, command: str, *subject: str) -> None:
    if isinstance(error, NotOperator):
        d.numeric(numerics.ERR_NOPRIVILEGES)
    else:
        d.refuse(error, command, *subject)


COMMANDS = (
    Command("OPER", _oper, "<account> <password>", "become an operator of the server", 2),
    Command("KILL", _kill, "<nick> [:<reason>]", "put somebody out of the server", 1),
    Command("WALLOPS", _wallops, ":<text>", "say something to all who want to hear it", 1),
    Command("REHASH", _rehash, "", "read certificates and the message of the day again"),
    Command("CHGHOST", _chghost, "<nick> <host>", "have somebody's address shown as that", 2),
)
