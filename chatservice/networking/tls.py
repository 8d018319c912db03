"""TLS 1.3 between a transport and a protocol, with short paths: `EagerTLS` seals a payload with one
call into OpenSSL and opens a record with one. Which certificate is used is not decided here; what
the bytes mean is looked at only to tell a client that speaks no TLS what this port is.
"""

from __future__ import annotations

from OpenSSL.crypto import X509
from OpenSSL.SSL import Error, WantReadError, ZeroReturnError
from twisted.internet.interfaces import IAddress, ISSLTransport, ITransport
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure

_log = Logger()

# RFC 8446 section 5.1: the content type that a connection begins with, and the header's length.
_HANDSHAKE = 0x16
_HEADER = 5
# Section 5.2: the most plain text in a record, and what sealing adds to it (header, content type,
# tag).
_RECORD = 2**14
_SEALING = 22
# Plain text handed to OpenSSL at a time. Its memory BIO never gives back what it once grew to, so
# this bounds that growth; a multiple of the record.
_PIECE = 2**15
# Room for what may lie in the BIO already: a key update, an alert.
_SPARE = 128
_DRAIN = 2**15

_WORDS = b"this port speaks TLS 1.3 only"
_LINE_ANSWER = b"ERR::TLS_REQUIRED:" + _WORDS + b"\r\n"
_IRC_ANSWER = b"ERROR :This port speaks TLS only\r\n"
_HTTP_HEAD = (
    b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % (len(_WORDS) + 1)
)
_HTTP_ANSWER = _HTTP_HEAD + _WORDS + b"\n"
_PLAIN_ANSWERS = {
    **dict.fromkeys((b"GET", b"POST", b"PUT", b"OPTIONS"), _HTTP_ANSWER),
    b"HEAD": _HTTP_HEAD,
    **dict.fromkeys((b"NICK", b"USER", b"CAP", b"PASS", b"WEBIRC"), _IRC_ANSWER),
}
_LONGEST_OPENER = max(map(len, _PLAIN_ANSWERS))


class EagerTLS(TLSMemoryBIOProtocol):
    """One server connection's TLS: Twisted's, with the work of each write and read trimmed.

    Nothing is joined or delayed here; delivery has joined the writes already.
    """

    transport: ITransport

    # Class attributes are the defaults: most connections never need their own.
    _opened = False
    # The records that arrive are followed by their headers: bytes of the current record still to
    # come, and the beginning of a header that was cut by a read.
    _missing = 0
    _header = b""

    def write(self, data: bytes) -> None:
        """Seal `data` and send it, behind whatever still waits for the handshake.

        Args:
            data: the plain text; `b""` does nothing.
        """
        if self.disconnecting and self._producer is None:
            return
        if self._appSendBuffer:
            if data and not self._lostTLSConnection:
                self._bufferedWrite(data)
            return
        self._write(data)

    def _write(self, data: bytes) -> None:
        if self._lostTLSConnection:
            return
        connection = self._tlsConnection
        rest: bytes | memoryview = data
        while rest:
            size = len(rest)
            try:
                sent = connection.send(rest if size <= _PIECE else memoryview(rest)[:_PIECE])
            except WantReadError:
                self._bufferedWrite(bytes(rest))
                return
            except Error:
                self._tlsShutdownFinished(Failure())
                return
            room = sent + _SEALING * (sent // _RECORD + 1) + _SPARE
            sealed = connection.bio_read(room)
            self.transport.write(sealed)
            if len(sealed) == room:
                self._flushSendBIO()
            if sent == size:
                return
            rest = memoryview(rest)[sent:]

    def _flushSendBIO(self) -> None:
        if not self.connected:
            return
        try:
            while True:
                sealed = self._tlsConnection.bio_read(_DRAIN)
                self.transport.write(sealed)
                if len(sealed) < _DRAIN:
                    return
        except WantReadError:
            return

    def dataReceived(self, data: bytes) -> None:
        """Open the records in `data` and deliver their plain text.

        Args:
            data: what the transport read.
        """
        if self._lostTLSConnection:
            return
        whole = self._is_one_record(data)
        if not self._handshakeDone or self._appSendBuffer:
            if not self._opened:
                self._opened = True
                if data[0] != _HANDSHAKE:
                    self._refuse_plain_text(data)
                    return
            super().dataReceived(data)
            return
        self._tlsConnection.bio_write(data)
        self._receive(whole)

    def _flushReceiveBIO(self) -> None:
        self._receive(only_one=False)

    def _receive(self, only_one: bool) -> None:
        """Deliver the plain text that OpenSSL can give.

        Args:
            only_one: it holds a single whole record. If that gives plain text there is no more to
                ask for and nothing to answer, which saves two calls that fail with exceptions.
        """
        while not self._lostTLSConnection:
            try:
                data = self._tlsConnection.recv(_RECORD)
            except WantReadError:
                break
            except ZeroReturnError:
                self._shutdownTLS()
                self._tlsShutdownFinished(None)
            except Error:
                self._tlsShutdownFinished(Failure())
            else:
                if not self._aborted:
                    self.wrappedProtocol.dataReceived(data)
                if only_one:
                    return
        self._flushSendBIO()

    def _is_one_record(self, data: bytes) -> bool:
        """Follow the records' headers; return whether `data` is one record from end to end."""
        size = len(data)
        position = self._missing
        if not position and not self._header and size >= _HEADER:
            position = _HEADER + (data[3] << 8 | data[4])
            if position == size:
                return True
        elif self._header:
            data = self._header + data
            self._header = b""
            size = len(data)
        while position + _HEADER <= size:
            position += _HEADER + (data[position + 3] << 8 | data[position + 4])
        if position < size:
            self._missing = 0
            self._header = data[position:]
        else:
            self._missing = position - size
        return False

    def _refuse_plain_text(self, data: bytes) -> None:
        # Neither the text nor its first word is logged: it may be a password.
        _log.info("plain text from {host} on a TLS port", host=_host(self.transport))
        opener = data[: _LONGEST_OPENER + 1].partition(b" ")[0].upper()
        self._aborted = True
        self.disconnecting = True
        self._lostTLSConnection = True
        self.transport.write(_PLAIN_ANSWERS.get(opener, _LINE_ANSWER))
        self.transport.loseConnection()

    def _tlsShutdownFinished(self, reason: Failure | None) -> None:
        error = None if reason is None or self._handshakeDone else reason.value
        # An empty queue of errors is OpenSSL's word for a connection that just ended.
        if type(error) is Error and error.args and error.args[0]:
            _log.info(
                "TLS handshake with {host} failed: {reason}",
                host=_host(self.transport),
                reason=error.args[0][-1][2],
            )
        super()._tlsShutdownFinished(reason)

    def abortConnection(self) -> None:
        """Drop the connection and what waits for it; does nothing if it is gone already."""
        if self.connected:
            super().abortConnection()


class EagerTLSFactory(TLSMemoryBIOFactory):
    """Puts `EagerTLS` before each protocol of the factory that it wraps."""

    protocol = EagerTLS

    def buildProtocol(self, addr: IAddress | None) -> EagerTLS | None:  # type: ignore[override]
        """Build the wrapped protocol and its TLS.

        Args:
            addr: the client's address.

        Returns:
            None if the wrapped factory refuses the connection; Twisted then closes it.
        """
        wrapped = self.wrappedFactory.buildProtocol(addr)
        return None if wrapped is None else EagerTLS(self, wrapped)


def certfp_of(transport: ISSLTransport) -> str:
    """Return the fingerprint of the certificate that a client has shown.

    Args:
        transport: what a protocol above TLS has.

    Returns:
        SHA-256 of the certificate's DER, lower-case hexadecimal; empty without a certificate, or
        before the end of the handshake.
    """
    certificate = transport.getPeerCertificate()
    if not isinstance(certificate, X509):
        return ""
    return certificate.digest("sha256").decode("ascii").replace(":", "").lower()


def _host(transport: ITransport) -> str:
    """Where the client comes from, for the log."""
    return str(getattr(transport.getPeer(), "host", "a local client"))
