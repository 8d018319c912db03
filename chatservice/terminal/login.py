"""
From the options to a client that is connected and logged in: whom to trust, which password, and
what to do if the nick is taken. Before there is a first connection nothing is tried twice.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from chatservice.client import (
    Authorities,
    Client,
    Connected,
    Disconnected,
    Fingerprint,
    FirstUse,
    Pins,
    PinStore,
    Refused,
    Told,
    Trust,
)
from chatservice.client.pins import Server

from .options import Options
from .passwords import VARIABLE, Asking

_ATTEMPTS = 3
"""How often somebody may try to type a password."""

_GIVE = f"give its password with --password-file or {VARIABLE}"


class NoPassword(Exception):
    """It can't be done without a password, and there is none; the words say what for."""


class NotLoggedIn(Exception):
    """The server has refused the log-in; the words say why, and what may help."""


class NoConnection(Exception):
    """The first attempt to connect has failed; the words say why."""


def trust(options: Options, known_servers: Path, tell: Callable[[str], None]) -> Trust:
    """
    @param known_servers: the file for pins, unless the options name another.
    @param tell: told of a server that is met for the first time.
    @raise ClientError: what the options name can't be used.
    """
    if options.fingerprint:
        return Fingerprint(options.fingerprint)
    if options.ca is not None:
        return Authorities(options.ca)
    store = PinStore(options.known_servers or known_servers)
    # A file that can't be used is found out now, and not when a server is met.
    store.find(Server.of("localhost", 1))

    def first_use(met: FirstUse) -> None:
        tell(
            f"{Server(met.host, met.port)} is met for the first time: {met.fault}. From now on it "
            f"is known by this fingerprint; compare it with the one in the server's log:\n"
            f"  SHA256:{met.fingerprint}"
        )

    return Pins(store, first_use=first_use)


async def connect(client: Client, timeout: float, clock: Any) -> None:
    """
    Starts the client, and waits for its first connection.

    @param timeout: seconds.
    @raise NoConnection: there is none.
    @raise ClientError: there will never be one: the server is not trusted.
    """
    connected: Deferred[None] = Deferred()

    def hear(told: Told) -> None:
        if connected.called:
            return
        if isinstance(told, Connected):
            connected.callback(None)
        elif isinstance(told, Disconnected):
            connected.errback(client.failure or NoConnection(told.reason))

    stop = client.listen(hear)
    client.startService()
    try:
        await connected.addTimeout(timeout, clock, onTimeoutCancel=_too_late(client, timeout))
    finally:
        stop()


def _too_late(client: Client, timeout: float) -> Callable[[object, float], None]:
    def raise_it(_: object, __: float) -> None:
        raise NoConnection(f"{client.server} has not greeted within {timeout:g} seconds")

    return raise_it


async def log_in(
    client: Client, nick: str, options: Options, password: str, ask: Asking | None
) -> None:
    """
    Takes the nick, and makes it an account if that is asked for.

    @param password: empty if none was given beforehand.
    @param ask: None if there is nobody to ask.
    @raise NoPassword: there is none.
    @raise NotLoggedIn: the server does not want to.
    @raise ClientError: it came to nothing.
    """
    try:
        if options.register:
            await _register(client, nick, password, ask)
        else:
            await _take(client, nick, options.reclaim, password, ask)
    except Refused as refused:
        if client.failure is not None:
            raise
        hint = _hint(refused, options, bool(password or ask))
        raise NotLoggedIn(f"{nick}: {refused}{hint}") from None


def _hint(refused: Refused, options: Options, has_password: bool) -> str:
    if refused.code != "NICK_IN_USE":
        return ""
    if options.register:
        return " (if the account is yours already, leave --register out)"
    if not has_password:
        return f" (if it is your account, {_GIVE})"
    return "" if options.reclaim else " (--reclaim closes the other connection)"


async def _register(client: Client, nick: str, password: str, ask: Asking | None) -> None:
    if not password and ask is not None:
        password = await ask(f"A password for {nick}: ")
        if password and await ask("Once more: ") != password:
            raise NoPassword("these are two different passwords")
    if not password:
        raise NoPassword(f"--register: {_GIVE}")
    await client.login(nick)
    await client.register(password)


async def _take(
    client: Client, nick: str, reclaim: bool, password: str, ask: Asking | None
) -> None:
    question = f"The password of {nick}: "
    if reclaim and not password and ask is not None:
        password = await ask(question)
    if reclaim and not password:
        raise NoPassword(f"--reclaim is for accounts: {_GIVE}")
    try:
        await client.login(nick, password, reclaim=reclaim)
    except Refused as refused:
        if refused.code != "NICK_IN_USE" or password or ask is None:
            raise
        await _try(client, nick, refused, ask)


async def _try(client: Client, nick: str, refused: Refused, ask: Asking) -> None:
    """The nick is taken, perhaps by an account, and somebody may know its password."""
    for _ in range(_ATTEMPTS):
        password = await ask(f"{nick}: {refused}\nIf it is your account, its password: ")
        if not password:
            break
        try:
            await client.login(nick, password)
        except Refused as again:
            refused = again
            if again.code != "BAD_PASSWORD":
                break
        else:
            return
    raise refused
