"""The program whose client `client` measures: it receives as any program would, checks every
message, and says what it found as one line of JSON. Not to be started by hand.
"""

from __future__ import annotations

import argparse

from client_ledger import NICK, Ledger, options
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorCore
from twisted.internet.task import react

from chatservice.client import Client, Pins, PinStore


async def receive(asked: argparse.Namespace, ledger: Ledger) -> None:
    """Receives until every sender has ended."""
    trust = Pins(PinStore(asked.folder / "pins"))
    async with Client(f"tls:127.0.0.1:{asked.port}", trust=trust) as client:
        await client.login(NICK)
        room = await client.join(asked.room, create=True)
        print("ready", flush=True)
        async for message in room:
            if ledger.take(message.nick, message.text):
                break
        print(ledger.as_json(), flush=True)


def main(_: IReactorCore) -> Deferred[None]:
    """Runs it on Twisted's reactor."""
    asked = options()
    return Deferred.fromCoroutine(receive(asked, Ledger(asked.progress, asked.senders)))


if __name__ == "__main__":
    react(main, ())
