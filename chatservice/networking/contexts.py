"""What new TLS connections are made with: TLS 1.3, a certificate, ALPN, and their renewal while the
server runs. Connections that exist keep what they began with; their bytes are not seen here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from OpenSSL import SSL
from OpenSSL.crypto import X509
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.filepath import FilePath
from zope.interface import implementer

from chatservice.networking.certificates import (
    BadCertificate,
    CertificateFiles,
    Credentials,
    fingerprint_of,
    load_credentials,
)
from chatservice.supervision import Supervised

_log = Logger()

# SSL_MODE_ENABLE_PARTIAL_WRITE (SSL_CTX_set_mode(3)), which pyOpenSSL sets but does not name.
_PARTIAL_WRITE = 1

_Stamp = tuple[tuple[int, int, int] | None, ...]


@implementer(IOpenSSLServerConnectionCreator)
class ServerContext:
    """Makes the TLS side of each new connection from the current certificate.

    Attributes:
        files: where the key and the certificates are.
        current: the context that new connections get.
        fingerprint: the SHA-256 fingerprint of the current certificate.
    """

    def __init__(self, files: CertificateFiles, alpn: Sequence[bytes] = ()) -> None:
        """Read the files.

        Args:
            files: private key, certificate and chain.
            alpn: protocol names (RFC 7301), the preferred one first; a client that offers none of
                them is served without one.

        Raises:
            BadCertificate: if they can't be used.
        """
        self.files = files
        self._alpn = tuple(alpn)
        self.current, self.fingerprint = self._load()

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """See `IOpenSSLServerConnectionCreator`."""
        return SSL.Connection(self.current, None)

    def reload(self) -> bool:
        """Read the files again, and use them for new connections if they are whole.

        Returns:
            Whether they were. If not, the log says why, and the certificate in use stays.
        """
        try:
            self.current, self.fingerprint = self._load()
        except BadCertificate as bad:
            _log.error(
                "The TLS certificate was not renewed, the one in use stays: {reason}",
                reason=str(bad),
            )
            return False
        _log.info(
            "TLS certificate read from {path}, SHA-256 fingerprint {fingerprint}",
            path=self.files.certificate.path,
            fingerprint=self.fingerprint,
        )
        return True

    def stamp(self) -> _Stamp:
        """Return each file's inode, size in bytes and time of change in ns; None if missing."""
        files = (self.files.private_key, self.files.certificate, self.files.chain)
        return tuple(_stamp(file) for file in files if file is not None)

    def _load(self) -> tuple[SSL.Context, str]:
        credentials = load_credentials(self.files)
        return self._build(credentials), fingerprint_of(credentials.certificate)

    def _build(self, credentials: Credentials) -> SSL.Context:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        # Nothing is resumed. OpenSSL's own number of tickets is out of pyOpenSSL's reach; without
        # a cache and with this option the two that it still sends are short and mean nothing.
        context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        # An idle connection gives its 2 x 17 KB of record buffers back.
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        # A memory BIO takes everything, so one call may seal any number of records.
        context.clear_mode(_PARTIAL_WRITE)
        # A client may prove that it has the key of a certificate, and that is all that is asked:
        # whose it is, the accounts say. No chain is built, as strangers would set its length.
        context.set_verify(SSL.VERIFY_PEER, _accept)
        context.set_verify_depth(0)
        if self._alpn:
            ours = self._alpn
            context.set_alpn_select_callback(
                lambda _, offered: next(
                    (name for name in ours if name in offered), SSL.NO_OVERLAPPING_PROTOCOLS
                )
            )
        try:
            context.use_certificate(credentials.certificate)
            for certificate in credentials.chain:
                context.add_extra_chain_cert(certificate)
            # Every kind of key that OpenSSL can't use in TLS is refused below, in its own words.
            context.use_privatekey(credentials.private_key)  # type: ignore[arg-type]
            context.check_privatekey()
        except (SSL.Error, TypeError) as error:
            raise BadCertificate(
                f"the key {self.files.private_key.path} and the certificate "
                f"{self.files.certificate.path} can't be used together: {_words(error)}"
            ) from None
        return context


class ContextPool:
    """One `ServerContext` a set of files, however many listeners share them."""

    def __init__(
        self, default: Callable[[], CertificateFiles] | None = None, alpn: Sequence[bytes] = ()
    ) -> None:
        """Begin without contexts.

        Args:
            default: gives the files for listeners that name none; called when first needed, so
                that a self-signed certificate is not made for nothing.
            alpn: protocol names for all of them, as for `ServerContext`.
        """
        self._default = default
        self._default_files: CertificateFiles | None = None
        self._alpn = tuple(alpn)
        self._contexts: dict[CertificateFiles, ServerContext] = {}

    def context_for(self, files: CertificateFiles | None) -> ServerContext:
        """Return the context of `files`, or the default one.

        Raises:
            BadCertificate: if the files can't be used, or there is no default.
        """
        files = files or self._find_default()
        context = self._contexts.get(files)
        if context is None:
            context = self._contexts[files] = ServerContext(files, self._alpn)
        return context

    def __iter__(self) -> Iterator[ServerContext]:
        return iter(tuple(self._contexts.values()))

    def _find_default(self) -> CertificateFiles:
        if self._default_files is None:
            if self._default is None:
                raise BadCertificate("no certificate is named, and there is no default one")
            self._default_files = self._default()
        return self._default_files


class CertificateWatch(Supervised):
    """Looks at certificate files every so often and reloads those that changed."""

    def __init__(
        self, clock: IReactorTime, contexts: Iterable[ServerContext], period: float = 30.0
    ) -> None:
        """Watch nothing until started.

        Args:
            clock: counts the period.
            contexts: asked anew each time, so that a `ContextPool` may still grow.
            period: seconds between two looks; 0 looks never, and leaves it to `reload`.
        """
        self._contexts = contexts
        self._period = period
        self._seen: dict[ServerContext, _Stamp] = {}
        self._loop = LoopingCall(self._look)
        self._loop.clock = clock

    def startService(self) -> None:
        """Remember the files as they are, and begin to look."""
        super().startService()
        self._remember()
        if self._period:
            self._loop.start(self._period, now=False).addErrback(self.fail)

    def stopService(self) -> None:
        """Look no more."""
        super().stopService()
        if self._loop.running:
            self._loop.stop()

    def reload(self) -> bool:
        """Read every file again, changed or not, as SIGHUP asks for.

        Returns:
            Whether all of them could be used.
        """
        self._remember()
        # All of them first: one bad file does not keep the others from being read.
        outcomes = [context.reload() for context in self._contexts]
        return all(outcomes)

    def _look(self) -> None:
        for context in self._contexts:
            stamp = context.stamp()
            # Remembered before reading: a change in between is seen at the next look.
            if self._seen.setdefault(context, stamp) != stamp:
                self._seen[context] = stamp
                context.reload()

    def _remember(self) -> None:
        self._seen = {context: context.stamp() for context in self._contexts}


def _accept(
    connection: SSL.Connection, certificate: X509, error: int, depth: int, whole: int
) -> bool:
    """A client's certificate, whoever has signed it."""
    return True


def _stamp(file: FilePath[str]) -> tuple[int, int, int] | None:
    try:
        status = os.stat(file.path)  # noqa: PTH116 - FilePath's own stat knows no nanoseconds
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _words(error: Exception) -> str:
    if isinstance(error, SSL.Error) and error.args and error.args[0]:
        return str(error.args[0][-1][2]) or "unknown"
    return str(error)
