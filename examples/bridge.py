"""
Carries what is said in rooms of two servers from each to the other:

    python examples/bridge.py tls:chat.example tls:chat.example.org lobby ops=operations

While it runs, every message is carried once and in order, whichever server is restarted: a room's
stream gives each once, and what is said is stored once. What is said while the bridge does not run
is not carried. A server is known by its authorities, or by the certificate that it showed first:
these are kept in `known_servers`, in the folder that the bridge is started in.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.internet.task import deferLater, react

from chatservice.client import Client, ClientError, Message, Pins, PinStore, Refused, Room

PIECE = 800  # characters: with a nick before them they fit into a message


def pieces(message: Message) -> Iterator[str]:
    """A message as the other side sees it; most are one piece."""
    author = f"{message.nick} " if message.action else f"<{message.nick}> "
    for start in range(0, max(len(message.text), 1), PIECE):
        yield author + message.text[start : start + PIECE]


async def say(room: Room, text: str, message: Message, reactor: Any) -> None:
    """Says it, however long that takes. What is refused for good is passed over."""
    while True:
        try:
            await room.say(text, notice=message.notice, action=message.action, timeout=inf)
        except Refused as refused:
            if refused.code == "UNAVAILABLE":
                await deferLater(reactor, 1.0)
                continue
            sys.stderr.write(f"message {message.id} in {message.room}: {refused}\n")
        return


async def carry(source: Room, target: Room, reactor: Any) -> None:
    """Carries what others say, until the bridge is in the room no more."""
    async for message in source:
        if message.nick != source.client.nick:
            for piece in pieces(message):
                await say(target, piece, message, reactor)
    raise ClientError(f"{source.name} at {source.client.server}: {source.ended}")


async def connect(here: Client, there: Client, options: Namespace, reactor: Any) -> None:
    """Enters all rooms, and carries until one of them is lost."""
    password = options.password_file.read_text().strip() if options.password_file else ""
    for client in (here, there):
        await client.login(options.nick, password)
    carrying = []
    for names in options.rooms:
        name, _, other = names.partition("=")
        room, twin = await here.join(name), await there.join(other or name)
        carrying += [carry(room, twin, reactor), carry(twin, room, reactor)]
    try:
        await gatherResults(map(Deferred.fromCoroutine, carrying), consumeErrors=True)
    except FirstError as first:
        first.subFailure.raiseException()


def arguments() -> Namespace:
    parser = ArgumentParser(description="Carries what is said between rooms of two servers.")
    parser.add_argument("servers", nargs=2, metavar="SERVER", help="tls:host:port")
    parser.add_argument("rooms", nargs="+", metavar="ROOM[=ROOM]", help="here, and there")
    parser.add_argument("--nick", default="bridge")
    parser.add_argument("--password-file", type=Path, help="of the nick's accounts; else a guest")
    return parser.parse_args()


async def main(reactor: Any, options: Namespace) -> None:
    bridge = MultiService()
    bridge.startService()
    reactor.addSystemEventTrigger("before", "shutdown", bridge.stopService)
    trust = Pins(PinStore("known_servers"))
    try:
        here, there = (Client(server, trust=trust) for server in options.servers)
        for client in (here, there):
            client.setServiceParent(bridge)
        await connect(here, there, options, reactor)
    except ClientError as error:
        if bridge.running:  # else somebody has stopped it, which ends whatever is under way
            sys.exit(str(error))


if __name__ == "__main__":
    react(main, [arguments()])
