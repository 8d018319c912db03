"""
Accounts: REGISTER and VERIFY, and the services as commands (NICKSERV, CHANSERV).

Specification: IRCv3 account-registration (a draft).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chatservice.controller.errors import BadPassword, ChatError, NickInUse
from chatservice.translation.interface import Running
from chatservice.translation.irc.message import ClientMessage
from chatservice.translation.irc.services import SERVICES, Service

from .sasl import logged_in
from .table import Command

if TYPE_CHECKING:
    from chatservice.translation.irc.dialect import IrcDialect

_UNAVAILABLE = "TEMPORARILY_UNAVAILABLE"

_CODES: dict[type[ChatError], str] = {
    NickInUse: "ACCOUNT_EXISTS",
    BadPassword: "UNACCEPTABLE_PASSWORD",
}
"""How the draft calls what a registration is refused for; all else may be otherwise later."""


def _register(d: IrcDialect, m: ClientMessage) -> Running | None:
    account, _email, password = m.params[:3]
    if not _may_ask(d, "REGISTER"):
        return None
    if account != "*" and not d.session.is_me(account):
        words = "An account is made of the nick that you have"
        _fail(d, "REGISTER", "ACCOUNT_NAME_MUST_BE_NICK", account, words=words)
        return None
    return _make_account(d, password)


async def _make_account(d: IrcDialect, password: str) -> None:
    try:
        user = await d.session.register(password)
    except ChatError as error:
        code = _CODES.get(type(error), _UNAVAILABLE)
        _fail(d, "REGISTER", code, d.nick, words=str(error))
    else:
        d.answer("REGISTER", "SUCCESS", user.account_nick, text="Your nick is an account now")
        logged_in(d)


def _verify(d: IrcDialect, m: ClientMessage) -> None:
    if _may_ask(d, "VERIFY"):
        # Nothing is ever left to be verified.
        _fail(d, "VERIFY", "INVALID_CODE", m.params[0], words="That is no code of this server")


def _may_ask(d: IrcDialect, command: str) -> bool:
    """Is the client registered, and not logged in yet? If not, it is told so."""
    if d.registration is not None:
        words = "Complete your connection first"
        _fail(d, command, "COMPLETE_CONNECTION_REQUIRED", words=words)
        return False
    account = d.session.user.account_nick
    if account:
        words = "You are logged in to an account already"
        _fail(d, command, "ALREADY_AUTHENTICATED", account, words=words)
    return not account


def _fail(d: IrcDialect, command: str, code: str, *context: str, words: str) -> None:
    # Whoever uses these commands has read of standard replies in their specification.
    d.fail(command, code, *context, words=words, implied=True)


def _service_commands() -> Iterator[Command]:
    for service in SERVICES.values():
        for name in (service.nick.upper(), service.short):
            yield _service_command(name, service)


def _service_command(name: str, service: Service) -> Command:
    def run(d: IrcDialect, m: ClientMessage) -> Running:
        return service.ask(d, " ".join(m.params))

    return Command(name, run, "<command> ...", f"{service.nick} {service.purpose.rstrip('.')}")


COMMANDS = (
    Command("REGISTER", _register, "*|<nick> *|<e-mail> <password>", "make an account", 3, False),
    Command("VERIFY", _verify, "<account> <code>", "complete making an account", 2, False),
    *_service_commands(),
)
