"""Chats with the server on localhost:6667 over TLS 1.3, as `.ci/run` tells it to.

``ready PID`` waits until the server answers, for as long as the process PID lives; ``before FILE``
registers an account, says something in a room and leaves password and text in FILE; ``after FILE``
finds it in the room's history.
"""

from __future__ import annotations

import os
import secrets
import socket
import ssl
import sys
import time
from pathlib import Path

ADDRESS = ("localhost", 6667)
START_SECONDS = 300.0
ANSWER_SECONDS = 20.0
ROOM = "ci-room"
NICK = "ci-alice"


def context() -> ssl.SSLContext:
    """TLS 1.3 and nothing older; the certificate is self-signed, so it isn't checked."""
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    result.minimum_version = ssl.TLSVersion.TLSv1_3
    result.check_hostname = False
    result.verify_mode = ssl.CERT_NONE
    return result


class Talk:
    """One connection, and what is said on it, printed as it goes."""

    def __init__(self, who: str) -> None:
        plain = socket.create_connection(ADDRESS, timeout=ANSWER_SECONDS)
        self._socket = context().wrap_socket(plain, server_hostname=ADDRESS[0])
        self._lines = self._socket.makefile("rb")
        self._who = who
        print(f"{who}: connected with {self._socket.version()}")

    def until(self, *starts: str) -> list[str]:
        """Read lines up to one with one of these beginnings; fail if the server closes."""
        lines: list[str] = []
        while not (lines and lines[-1].startswith(starts)):
            raw = self._lines.readline()
            if not raw:
                sys.exit(f"{self._who}: closed while waiting for {' or '.join(starts)}")
            lines.append(raw.decode().rstrip("\r\n"))
            print(f"{self._who} < {lines[-1]}")
        return lines

    def ask(self, request: str, *also: str) -> list[str]:
        """Send a request and read up to its answer, which is an OK or begins as one of ``also``."""
        command = request.partition(":")[0]
        print(f"{self._who} > {request}")
        self._socket.sendall(f"{request}\r\n".encode())
        lines = self.until(f"OK:{command}", f"ERR:{command}:")
        if not lines[-1].startswith((f"OK:{command}", *also)):
            sys.exit(f"{self._who}: {request} was refused")
        return lines


def ready(process: int) -> None:
    """Wait until the port takes a TLS 1.3 handshake."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            sys.exit("the start command ended")
        try:
            with socket.create_connection(ADDRESS, timeout=ANSWER_SECONDS) as plain:
                context().wrap_socket(plain, server_hostname=ADDRESS[0]).close()
        except OSError:
            time.sleep(0.2)
        else:
            print("the server takes connections")
            return
    sys.exit(f"the server took no connection in {START_SECONDS:g} seconds")


def before(account: Path) -> None:
    """Leave a message in a room of an account's, and see a second client receive it."""
    password, text = secrets.token_hex(12), f"remember-{secrets.token_hex(12)}"
    account.write_text(f"{password}\n{text}\n", encoding="utf-8")
    alice, bob = Talk("alice"), Talk("bob")
    alice.ask(f"LOGIN:{NICK}")
    alice.ask(f"REGISTER:{password}")
    alice.ask(f"NEWROOM:{ROOM}")
    alice.ask(f"JOINROOM:{ROOM}")
    bob.ask("LOGIN:ci-bob")
    bob.ask(f"JOINROOM:{ROOM}")
    alice.ask(f"ROOM:{ROOM}:{text}")
    bob.until(f"ROOM:{ROOM}:{NICK}:{text}")
    find_in_history(alice, text)


def after(account: Path) -> None:
    """Find the account, the room and its message after the process has died."""
    password, text = account.read_text(encoding="utf-8").split()
    alice = Talk("alice")
    alice.ask(f"LOGIN:{NICK}:{password}")
    alice.ask(f"JOINROOM:{ROOM}", "ERR:JOINROOM:ALREADY_IN_ROOM")
    find_in_history(alice, text)


def find_in_history(talk: Talk, text: str) -> None:
    items = talk.ask(f"HISTORY:{ROOM}")
    if not any(item.startswith("ITEM:HISTORY:") and item.endswith(text) for item in items):
        sys.exit(f"the history of {ROOM} lacks the message")


if __name__ == "__main__":
    action, argument = sys.argv[1:]
    if action == "ready":
        ready(int(argument))
    else:
        {"before": before, "after": after}[action](Path(argument))
