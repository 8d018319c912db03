"""
`twistd chat`: its options, and the service that they describe. Settings mean the same here as in
the file (see `config`); the command line wins.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from twisted.application.service import IService
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.strcred import AuthOptionMixin
from twisted.python import usage

from .config import Config, ConfigError, load_config
from .networking.listeners import BadListener
from .service import make_chat_service


class Options(usage.Options, AuthOptionMixin):
    """What may follow `twistd chat`."""

    synopsis = "[options]"
    supportedInterfaces = (IUsernamePassword,)
    longdesc = (
        "A chat service over TLS 1.3. Everything said is stored before it is delivered. "
        "Without options it listens on ssl:6667 with a self-signed certificate, and keeps its "
        "data in ./chat-data."
    )

    optParameters = [
        ["config", "c", None, "A TOML file with these settings and more (chat.example.toml)."],
        ["data", "d", None, "The folder of the journal and the certificate. [default: chat-data]"],
        ["store", "s", None, "Where messages are kept: sqlite or memory. [default: sqlite]"],
        ["name", None, None, "The server's name, as clients see it. [default: the host's]"],
        ["metrics", None, None, "An endpoint for Prometheus: tcp:9667:interface=127.0.0.1"],
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
        """
        Where to listen, as ssl:6667, or as DIALECT@ENDPOINT for clients of one dialect only. May be
        given several times. Any endpoint string of Twisted's will do; tls:ENDPOINT puts TLS 1.3
        over one. [default: ssl:6667]
        """
        self["endpoints"].append(endpoint)

    opt_e = opt_endpoint

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
        path = Path(self["config"]) if self["config"] else None
        try:
            self.config = load_config(path, overrides, hostname=socket.gethostname())
        except ConfigError as error:
            raise usage.UsageError(str(error)) from None
        for checker in self.config.auth:
            self.opt_auth(checker)


def makeService(options: Options) -> IService:
    """
    The service that twistd runs.

    @raise SystemExit: the settings cannot be used; the words are on stderr.
    """
    from twisted.internet import reactor  # noqa: PLC0415 - importing it installs it

    checkers: list[Any] = options.get("credCheckers") or []
    try:
        return make_chat_service(reactor, options.config, checkers)
    except BadListener as error:
        raise SystemExit(f"twistd chat: {error}") from None
