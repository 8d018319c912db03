"""
Which certificate each server is known by: a text file, one line a server, as ssh keeps its
known_hosts. Nothing is known here of TLS, or of what a change means.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from twisted.python.filepath import FilePath

from chatservice.networking.whole_files import write_whole

from .errors import ClientError

_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700
_HIGHEST_PORT = 65535
_HEADER = "# The certificates that servers showed first. To accept a new one, remove the line.\n"
_SHA256 = "SHA256:"
_VOUCHED = "authorities"
# What a name may hold once it is ASCII: no blank, no colon, nothing that a terminal would obey.
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
# RFC 4007 section 11: an interface's name or number.
_ZONE = re.compile(r"[A-Za-z0-9._-]*")


class BadPins(ClientError):
    """The file of pins can't be read, understood or written; the words say which line and why."""


@dataclass(frozen=True, slots=True)
class Server:
    """
    Who is at the other end; equal however it was written. Made by `of`.

    @ivar host: a name in lower case and its ASCII form, or an IP address in its shortest form.
    @ivar port: a TCP port.
    """

    host: str
    port: int

    @classmethod
    def of(cls, host: str, port: int) -> Server:
        """
        @param host: a name of any script, or an IP address; IPv6 with or without brackets.
        @param port: 1 to 65535.
        @raise ValueError: that is no host, or no port; in words.
        """
        if not 0 < port <= _HIGHEST_PORT:
            raise ValueError(f"a port is a number from 1 to {_HIGHEST_PORT}")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        return cls(_address(bare) or _name(bare), port)

    @property
    def is_address(self) -> bool:
        """Whether `host` is an IP address."""
        return bool(_address(self.host))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Pin:
    """
    What a server is known by.

    @ivar fingerprint: the certificate's, as `canonical` has it; None if authorities have vouched
        for it, whichever it was.
    @ivar path: the file that says so.
    @ivar line: its line there, from 1.
    """

    server: Server
    fingerprint: str | None
    path: Path
    line: int


class PinStore:
    """
    The file: `host:port SHA256:AA:BB:...` on each line, or `host:port authorities`; what follows a
    "#" at a line's beginning is a comment. It is read each time, so that a line that is removed by
    hand is gone, and several processes may use it at once. Of two lines for a server the first one
    counts.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """
        @param path: the file. It (mode 0600) and its folder (0700) are made with the first pin.
        """
        self.path = Path(path)

    def find(self, server: Server) -> Pin | None:
        """
        What a server is known by; None if it isn't known.

        @raise BadPins: the file can't be read, or a line of it can't be understood.
        """
        return _first(self._pins(self._read()), server)

    def remember(self, server: Server, fingerprint: str | None) -> Pin:
        """
        Adds a line, unless the server is known already: somebody else may have been faster.

        @param fingerprint: SHA-256, as `canonical` takes it; None for whatever authorities vouch
            for.
        @return: what the server is known by now. It is on the disk.
        @raise BadPins: the file can't be read, understood or written.
        @raise ValueError: that is no fingerprint.
        """
        with self._locked():
            content = self._read()
            known = _first(self._pins(content), server)
            if known is not None:
                return known
            value = _VOUCHED if fingerprint is None else _SHA256 + canonical(fingerprint)
            if content and not content.endswith("\n"):
                content += "\n"
            content = f"{content or _HEADER}{server} {value}\n"
            write_whole(FilePath(self._target()), content.encode(), _PRIVATE_FILE)
        return Pin(server, fingerprint and canonical(fingerprint), self.path, content.count("\n"))

    def _target(self) -> str:
        """The file itself: a link to one that is kept elsewhere stays a link."""
        return os.path.realpath(self.path)

    def _read(self) -> str:
        try:
            return self.path.read_bytes().decode()
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise BadPins(f"can't read {self.path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise BadPins(f"{self.path} is not a text file") from None

    def _pins(self, content: str) -> Iterator[Pin]:
        for number, line in enumerate(content.split("\n"), 1):
            words = line.split()
            if words and not words[0].startswith("#"):
                try:
                    yield Pin(*_understood(words), self.path, number)
                except ValueError as error:
                    raise BadPins(
                        f"line {number} of {self.path} can't be understood ({error}); "
                        "mend or remove it"
                    ) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time; the lock is the folder's, as the file is replaced each time."""
        folder = Path(self._target()).parent
        try:
            folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
            finally:
                os.close(lock)
        except OSError as error:
            raise BadPins(f"can't write {self.path}: {error.strerror}") from None


def canonical(fingerprint: str) -> str:
    """
    A SHA-256 fingerprint as the server's log has it: `AA:BB:...`.

    @param fingerprint: 64 hexadecimal digits, with colons or without, in any case, after "SHA256:"
        or not.
    @raise ValueError: it is something else.
    """
    bare = fingerprint.strip()
    if bare[: len(_SHA256)].upper() == _SHA256:
        bare = bare[len(_SHA256) :]
    if not re.fullmatch(r"[0-9A-Fa-f]{64}|[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31}", bare):
        raise ValueError("a fingerprint is SHA256: and 64 hexadecimal digits")
    return bytes.fromhex(bare.replace(":", "")).hex(":").upper()


def _first(pins: Iterator[Pin], server: Server) -> Pin | None:
    # All of them are read: a line that can't be understood may be this server's.
    return next((pin for pin in list(pins) if pin.server == server), None)


def _understood(words: list[str]) -> tuple[Server, str | None]:
    if len(words) != 2:
        raise ValueError("expected host:port SHA256:FINGERPRINT")
    host, _, port = words[0].rpartition(":")
    if not (port.isascii() and port.isdecimal()):
        raise ValueError("expected host:port SHA256:FINGERPRINT")
    return Server.of(host, int(port)), None if words[1] == _VOUCHED else canonical(words[1])


def _address(host: str) -> str:
    try:
        address = str(ip_address(host))
    except ValueError:
        return ""
    return address if _ZONE.fullmatch(address.partition("%")[2]) else ""


def _name(host: str) -> str:
    try:
        # As certificates have it (RFC 5280 section 7.2).
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    name = name.lower().removesuffix(".")
    # A last part of digits alone would be looked up as an IPv4 address that it is not.
    if not _HOST_NAME.fullmatch(name) or name.rpartition(".")[2].isdecimal():
        raise ValueError(f"{host!r} is no host name and no IP address")
    return name
