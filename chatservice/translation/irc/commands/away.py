"""
What a user says of themselves: AWAY and SETNAME.

Specifications: Modern IRC, "AWAY message"; IRCv3 setname.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatservice.controller.errors import ChatError
from chatservice.translation.irc import numerics
from chatservice.translation.irc.message import ClientMessage

from .table import Command

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect


async def _away(d: IrcDialect, m: ClientMessage) -> None:
    text = m.params[0] if m.params else ""
    try:
        await d.session.set_away(text)
    except ChatError as error:
        d.refuse(error, "AWAY")
    else:
        d.numeric(numerics.RPL_NOWAWAY if text else numerics.RPL_UNAWAY)


async def _setname(d: IrcDialect, m: ClientMessage) -> None:
    realname, most = m.params[0], d.session.policy.phrase_bytes
    if not realname.strip() or len(realname.encode()) > most:
        words = f"A real name has 1 to {most} bytes"
        d.fail("SETNAME", "INVALID_REALNAME", words=words)
        return
    try:
        await d.session.set_realname(realname)
    except ChatError as error:
        d.fail("SETNAME", "CANNOT_CHANGE_REALNAME", words=str(error))


COMMANDS = (
    Command("AWAY", _away, "[:<reason>]", "be away, or be back", 0),
    Command("SETNAME", _setname, ":<real name>", "go by another real name", 1),
)
