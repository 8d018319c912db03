"""A bare socket in the place of the client that `client` measures: it counts, and that is all.

It shows what the server, the senders and the bench itself can do. Not to be started by hand.
"""

from __future__ import annotations

import selectors

from client_ledger import END, NICK, Ledger, options
from dialects import MARK, PROTOBUF
from load import BUFFER, client_context
from swarm import Swarm


def main() -> None:
    """Receives until every sender has ended."""
    asked = options()
    ledger = Ledger(asked.progress, asked.senders)
    with Swarm(asked.port, PROTOBUF, client_context(PROTOBUF.alpn)) as swarm:
        swarm.open([(NICK, asked.room)])
        print("ready", flush=True)
        over = False
        while not over:
            for connection, events in swarm.ready(1.0):
                if events & selectors.EVENT_READ:
                    size = connection.receive()
                    count, ended = (BUFFER.count(mark, 0, size) for mark in (MARK, END))
                    over = ledger.take_many(count, ended)
    print(ledger.as_json(), flush=True)


if __name__ == "__main__":
    main()
