"""
`twistd chat`: its options, and the service that they describe. Settings mean the same here as in
the file (see `config`); the command line wins.
"""

from __future__ import annotations

import os
import shutil
import socket
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.application.service import IService
from twisted.copyright import version as twisted_version
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.strcred import AuthOptionMixin, findCheckerFactories
from twisted.python import usage

from . import __version__
from .config import Config, ConfigError, load_config
from .launch import Launch
from .service import make_chat_service
from .translation.registry import BadDialect

_STORES = (
    "sqlite, memory, or redis://HOST:PORT/DATABASE (rediss:// for TLS), which any number of "
    "servers may share; a password is better in a file. [default: sqlite]"
)

_MORE_HELP = """\
An endpoint is one of Twisted's (ssl:PORT, tcp:PORT:interface=127.0.0.1, unix:PATH, systemd:...):
ssl: is TLS 1.3 and nothing older, tls:ENDPOINT puts the same over any other, and DIALECT@ENDPOINT
(irc, line, lobby, original) is for clients of that dialect only. Plain text is for loopback
addresses and UNIX sockets.

What stands before `chat` is for twistd: -n stays in the foreground, --logfile, --pidfile and
--rundir say where things are; `twistd --help` has them all. The paths in settings are relative to
--rundir."""


class Options(usage.Options, AuthOptionMixin):
    """What may follow `twistd chat`."""

    synopsis = "[options]"
    supportedInterfaces = (IUsernamePassword,)
    longdesc = (
        "A chat service over TLS 1.3, for IRC clients and others (docs/irc.md, docs/protocol.md). "
        "Everything said is stored before it is delivered. "
        "Without options it listens on ssl:6667 with a self-signed certificate, and keeps its "
        "data in ./chat-data."
    )

    optParameters = [
        ["config", "c", None, "A TOML file with these settings and more (chat.example.toml)."],
        ["data", "d", None, "The folder of the journal and the certificate. [default: chat-data]"],
        ["store", "s", None, "Where messages are kept: " + _STORES],
        ["name", None, None, "The server's name, as clients see it. [default: the host's]"],
        ["metrics", None, None, "Where Prometheus finds figures, as tcp:9667:interface=127.0.0.1"],
    ]

    optFlags = [
        ["allow-plain-text", None, "Let listeners without TLS be reached from other machines."],
        ["log-json", None, "Write the log as JSON, one object a line."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["endpoints"] = []
        self.config = Config()

    def opt_endpoint(self, endpoint: str) -> None:
        """Where to listen; may be given several times. [default: ssl:6667]"""
        self["endpoints"].append(endpoint)

    opt_e = opt_endpoint

    def opt_auth(self, description: str) -> None:
        """Who else vouches for nicks, as file:PATH; may be given several times."""
        self._add_checker(description, "command line: --auth")

    def opt_version(self) -> None:
        """Show the version and end."""
        print(f"chatservice {__version__}, Twisted {twisted_version}")  # noqa: T201
        raise SystemExit(0)

    def getUsage(self, width: int | None = None) -> str:
        """The help: longdesc would be one paragraph only."""
        columns = width or shutil.get_terminal_size().columns
        more = [
            textwrap.fill(paragraph, columns, break_on_hyphens=False)
            for paragraph in _MORE_HELP.split("\n\n")
        ]
        return "\n\n".join((super().getUsage(columns).rstrip(), *more)) + "\n"

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Reads the command line.

        @raise SystemExit: something is wrong with it; the words are on stderr. (twistd itself would
            print all of the help to stdout instead.)
        @raise usage.UsageError: the same, where twistd has no part in it.
        """
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            if self.parent is None:
                raise
            raise SystemExit(f"twistd chat: {error}") from None

    def postOptions(self) -> None:
        """Reads the file, and checks everything together."""
        overrides = {
            "listen": self["endpoints"] or None,
            "data": self["data"],
            "store": self["store"],
            "name": self["name"],
            "metrics": self["metrics"],
            "allow_plain_text": bool(self["allow-plain-text"]) or None,
            "log_json": bool(self["log-json"]) or None,
        }
        if self.parent is not None and self.parent.get("chroot"):
            raise usage.UsageError("--chroot is not for this service; see docs/operation.md")
        path = Path(self["config"]) if self["config"] else None
        try:
            self.config = load_config(path, overrides, hostname=socket.gethostname())
        except ConfigError as error:
            raise usage.UsageError(str(error)) from None
        for checker in self.config.auth:
            self._add_checker(checker, self.config.origin("auth"))

    def _add_checker(self, description: str, origin: str) -> None:
        # Never all of it: what follows the kind may hold a password.
        kind, _, argument = description.partition(":")
        if kind == "file":
            path = self._rundir / argument
            if not (path.is_file() and os.access(path, os.R_OK)):
                raise usage.UsageError(
                    f"{origin}: expected file:PATH of a file that can be read, got {argument!r}"
                )
        try:
            super().opt_auth(description)
        except usage.UsageError as error:
            known = ", ".join(sorted({each.authType for each in findCheckerFactories()}))
            raise usage.UsageError(
                f"{origin}: expected KIND:ARGUMENTS with one of the kinds {known}, got {kind!r}: "
                f"{error}"
            ) from None

    @property
    def _rundir(self) -> Path:
        twistd: Any = self.parent or {}
        return Path(twistd.get("rundir") or ".").absolute()


def makeService(options: Options) -> IService:
    """
    The service that twistd runs.

    @raise SystemExit: the settings cannot be used; the words are on stderr.
    """
    from twisted.internet import reactor  # noqa: PLC0415 - importing it installs it

    twistd: Any = {} if options.parent is None else options.parent
    launch = Launch(reactor, twistd, options.config.log_json)
    try:
        launch.root = make_chat_service(
            reactor,
            options.config,
            options.get("credCheckers") or [],
            folder=Path(twistd.get("rundir") or "."),
            on_give_up=launch.gave_up,
        )
    except (BadDialect, ConfigError) as error:
        raise SystemExit(f"twistd chat: {error}") from None
    return launch
