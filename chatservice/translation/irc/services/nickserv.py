"""
NickServ: accounts, as people are used to ask for them. SASL and REGISTER do the same, and better.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from chatservice.controller.entities import Account, User
from chatservice.controller.errors import (
    BadArguments,
    BadPassword,
    NeedsAccount,
    NoSuchUser,
)
from chatservice.controller.lookup import is_operator
from chatservice.translation.interface import Running
from chatservice.translation.irc import numerics
from chatservice.translation.irc.commands.sasl import logged_in
from chatservice.translation.irc.commands.server import moment
from chatservice.translation.irc.rendering import source

from .service import Question, Service, ServiceCommand


async def _register(q: Question) -> None:
    if len(q.words) > 1 and "@" not in q.words[1] and q.words[1] != "*":
        raise BadArguments("a password that is sent this way has no spaces; nothing was done")
    user = await q.session.register(q.words[0])
    logged_in(q.d)
    q.say(f"{user.nick} is an account now, and you are logged in to it.")
    if len(q.words) > 1:
        q.say("Your e-mail address is not needed, and was not kept.")


async def _identify(q: Question) -> None:
    if len(q.words) > 1:
        await q.session.authenticate(q.words[0], q.words[1])
    elif not _has_certificate_of(q, q.words[0]):
        await q.session.authenticate(q.d.nick, q.words[0])
    await _log_in(q)


def _has_certificate_of(q: Question, account: str) -> bool:
    """Does the client's certificate vouch for that account?"""
    try:
        q.session.external(q.d.wire.certfp, account)
    except BadPassword:
        return False
    return True


async def _log_in(q: Question) -> None:
    user = await q.session.identify()
    logged_in(q.d)
    q.say(f"You are logged in as {user.account_nick}.")


async def _logout(q: Question) -> None:
    await q.session.leave_account()
    user = q.session.user
    q.d.numeric(numerics.RPL_LOGGEDOUT, source(user.nick, user.host))
    q.say("You are not logged in any more.")


async def _ghost(q: Question) -> None:
    await _prove_owner(q)
    freed = await q.session.reclaim(q.words[0])
    q.say(f"{freed} was disconnected.")


async def _regain(q: Question) -> None:
    await _prove_owner(q)
    if q.session.user.account != _proven(q):
        await _log_in(q)
    nick = q.words[0]
    with suppress(NoSuchUser):
        await q.session.reclaim(nick)
    changed = await q.session.change_nick(nick)
    q.say(f"You are {changed.new_nick} now.")


async def _prove_owner(q: Question) -> None:
    """
    Shows the account of a nick to be the client's, if it says a password.

    @raise NeedsAccount: it has not, and did not before.
    """
    nick, *password = q.words[:2]
    if password:
        await q.session.authenticate(_account_of(q, nick), password[0])
    elif not _proven(q):
        raise NeedsAccount("log in first, or say the password too")


def _proven(q: Question) -> str:
    """The key of the account that was shown to be the client's."""
    return q.session.proof.key if q.session.proof is not None else ""


def _account_of(q: Question, nick: str) -> str:
    try:
        return q.session.find(nick).account_nick or nick
    except NoSuchUser:
        return nick


async def _info(q: Question) -> None:
    account = _find(q, q.words[0]) if q.words else _own_account(q)
    q.say(f"Account: {account.nick}", f"Registered: {moment(account.ms / 1000)}")
    if account.key == q.session.user.account or is_operator(q.session.user):
        q.say(f"Online as: {', '.join(_nicks(q, account)) or 'nobody'}")


def _find(q: Question, name: str) -> Account:
    with suppress(NoSuchUser):
        return q.session.account(name)
    return q.session.account(_account_of(q, name))


def _nicks(q: Question, account: Account) -> list[str]:
    state = q.session.state
    return sorted(state.users[key].nick for key in state.identities.get(account.key, ()))


def _own_account(q: Question) -> Account:
    return q.session.account(_account_nick(q.session.user))


def _account_nick(user: User) -> str:
    """
    @raise NeedsAccount: there is none.
    """
    if not user.account:
        raise NeedsAccount("you are not logged in to an account")
    return user.account_nick


async def _passwd(q: Question) -> None:
    old, new, *again = q.words[:3]
    if again and again != [new]:
        raise BadArguments("the two new passwords are not the same")
    await q.session.authenticate(_account_nick(q.session.user), old)
    await q.session.change_password(new)
    q.say("Your password was changed.")


async def _cert(q: Question) -> None:
    run = _CERT.get(q.words[0].upper())
    if run is None:
        raise BadArguments("it is LIST, ADD or DEL")
    await run(q)


async def _list_certificates(q: Question) -> None:
    certificates = _own_account(q).certificates
    q.say(*certificates or ["There is no certificate on your account."])


async def _add_certificate(q: Question) -> None:
    added = await q.session.add_certificate(_fingerprint(q) or q.d.wire.certfp)
    q.say(f"{added.fingerprint} was added.")


async def _remove_certificate(q: Question) -> None:
    removed = await q.session.remove_certificate(_fingerprint(q))
    q.say(f"{removed.fingerprint} was removed.")


def _fingerprint(q: Question) -> str:
    """The fingerprint that the client gives, which programs write in several ways."""
    return q.words[1].replace(":", "").lower() if len(q.words) > 1 else ""


_CERT: dict[str, Callable[[Question], Running]] = {
    "LIST": _list_certificates,
    "ADD": _add_certificate,
    "DEL": _remove_certificate,
}

_GHOST = "disconnect whoever uses a nick of yours"

NICKSERV = Service(
    "NickServ",
    "NS",
    "makes accounts, logs you in, and looks after your account.",
    (
        ServiceCommand(
            "REGISTER", _register, "<password> [<e-mail>]", "make your nick yours", 1, 2
        ),
        ServiceCommand("IDENTIFY", _identify, "[<account>] <password>", "log in", 1, 2),
        ServiceCommand("LOGOUT", _logout, "", "be a guest again"),
        ServiceCommand("GHOST", _ghost, "<nick> [<password>]", _GHOST, 1, 2),
        ServiceCommand("RECOVER", _ghost, "<nick> [<password>]", _GHOST, 1, 2),
        ServiceCommand("REGAIN", _regain, "<nick> [<password>]", f"{_GHOST}, and take it", 1, 2),
        ServiceCommand("INFO", _info, "[<account>]", "what is known of an account"),
        ServiceCommand("PASSWD", _passwd, "<old> <new> [<new>]", "have another password", 2, 3),
        ServiceCommand(
            "CERT", _cert, "LIST|ADD|DEL [<fingerprint>]", "log in by a client certificate", 1
        ),
    ),
)
