"""The load's connections: TLS 1.3 or plain, non-blocking, and read as cheaply as Python can.

What is read lands in one shared buffer and is counted there by whole chunks: nothing here (or in
`traffic`) looks at a single line while a server is being measured. No server is started here.
"""

from __future__ import annotations

import errno
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from typing import cast

RAW_SIZE = 256 * 1024
# What decrypts out of one raw read, with a record left over from the one before, always fits.
PLAIN_SIZE = RAW_SIZE + 32 * 1024

_raw = memoryview(bytearray(RAW_SIZE))
BUFFER = bytearray(PLAIN_SIZE)
"""Where `Connection.receive` leaves its bytes, until the next call of any connection."""
_plain = memoryview(BUFFER)

_UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)


class LoadError(Exception):
    """The server refused, closed, lost or did not answer something; the words say what."""


def client_context(alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """TLS 1.3 and nothing older; certificates are not verified (the server is our own child).

    Args:
        alpn: the protocols that are asked for, if any.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


class Connection:
    """One client: a non-blocking socket, with TLS over it or without."""

    __slots__ = (
        "credit",
        "got",
        "head",
        "in_flight",
        "incoming",
        "nick",
        "outgoing",
        "room",
        "said",
        "sock",
        "tail",
        "tls",
        "unsent",
    )

    def __init__(self, nick: str, room: str) -> None:
        self.nick = nick
        self.room = room
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls: ssl.SSLObject | None = None
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.unsent = b""
        # The account of a conversation, which `traffic` keeps.
        self.got = 0
        self.said = 0
        self.head = b""
        self.tail = b""
        self.in_flight = 0
        self.credit = 0

    def connect(self, port: int, source: str) -> None:
        """Begins to connect to 127.0.0.1; the socket is writable once that is over.

        Args:
            port: where the server listens.
            source: the loopback address to come from, where the system has more than one.

        Raises:
            LoadError: it failed at once.
        """
        if sys.platform == "linux":
            self.sock.bind((source, 0))
        code = self.sock.connect_ex(("127.0.0.1", port))
        if code not in _UNDER_WAY:
            raise LoadError(f"{self.nick}: connect: {errno.errorcode.get(code, str(code))}")

    def connected(self) -> None:
        """Raises LoadError if the connecting that is now over has failed."""
        code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise LoadError(f"{self.nick}: connect: {errno.errorcode.get(code, str(code))}")

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Makes this a TLS connection; `handshake` then has to be called until it says True."""
        self.tls = context.wrap_bio(self.incoming, self.outgoing)

    def handshake(self, arrived: bool) -> bool:
        """One step of the TLS handshake.

        Args:
            arrived: whether the socket is readable.

        Returns:
            True once the handshake is over (at once without TLS).
        """
        if self.tls is None:
            return True
        if arrived:
            self.incoming.write(_raw[: self._read()])
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError as error:
            raise LoadError(f"{self.nick}: TLS: {error}") from error
        finally:
            self.push(self.outgoing.read())
        return True

    def send(self, data: bytes) -> None:
        """Sends `data`; what the socket does not take stays in `unsent`."""
        tls = self.tls
        if tls is not None:
            written = tls.write(data)
            # One call writes one record at most.
            while written < len(data):
                written += tls.write(data[written:])
            data = self.outgoing.read()
        self.push(data)

    def push(self, data: bytes = b"") -> None:
        """Sends raw bytes, after those that are still unsent.

        Raises:
            LoadError: the server closed the connection.
        """
        if self.unsent:
            data = self.unsent + data
        if not data:
            return
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise LoadError(f"{self.nick}: {error}") from error
        self.unsent = data[sent:]

    def receive(self) -> int:
        """Reads what has arrived into `BUFFER`; returns its size in bytes (0: nothing just now).

        Raises:
            LoadError: the server closed the connection.
        """
        size = self._read()
        tls = self.tls
        if tls is None:
            _plain[:size] = _raw[:size]
            return size
        self.incoming.write(_raw[:size])
        return self._decrypt(tls)

    def _decrypt(self, tls: ssl.SSLObject) -> int:
        # The type stubs forget that reading into a buffer returns a number.
        read = cast("Callable[[int, memoryview], int]", tls.read)
        incoming = self.incoming
        filled = 0
        try:
            # OpenSSL takes a cut record out of the BIO too: "nothing pending" saves an exception.
            while incoming.pending:
                count = read(PLAIN_SIZE - filled, _plain[filled:])
                if not count:
                    raise LoadError(f"{self.nick}: the server closed the connection")
                filled += count
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            raise LoadError(f"{self.nick}: {error}") from error
        return filled

    def _read(self) -> int:
        try:
            size = self.sock.recv_into(_raw)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise LoadError(f"{self.nick}: {error}") from error
        if not size:
            raise LoadError(f"{self.nick}: the server closed the connection")
        return size
