"""WeeChat without its screen: set up by commands, told what to do through its FIFO plugin, and
watched by the logs of its logger plugin.

Specification: the WeeChat user's guide, "Command line options", "Connect with TLS", "SASL", "FIFO
plugin" and "Logger plugin".
"""

from __future__ import annotations

import os
import re
import subprocess
from errno import ENXIO
from functools import cache
from pathlib import Path

from .program import HOSTNAME, Program

_SERVER = "chat"


class WeeChat(Program):
    """One WeeChat."""

    name = "weechat-headless"

    def prepare(self) -> list[str]:
        arguments = ["--dir", str(self.folder), "--plugins", "irc,logger,fifo"]
        for command in self._commands():
            arguments += ["--run-command", command]
        return arguments

    def _commands(self) -> list[str]:
        settings, tls = self.settings, _tls_word()
        options = {
            "nicks": settings.nick,
            tls: "on",
            f"{tls}_fingerprint": settings.pin.replace(":", ""),
            f"{tls}_cert": str(settings.own or ""),
            "sasl_mechanism": settings.mechanism.lower(),
            "sasl_username": settings.nick if settings.password or settings.own else "",
            "sasl_password": settings.password,
            "sasl_fail": "disconnect",
            "autojoin": settings.channel,
            "autoreconnect_delay": "1",
            "capabilities": "*,batch,draft/chathistory",
            # It would wait between the lines that it sends.
            "anti_flood": "0",
            "anti_flood_prio_high": "0",
            "anti_flood_prio_low": "0",
        }
        return [
            "/set logger.file.flush_delay 0",
            "/set weechat.network.gnutls_ca_system off",
            f"/set weechat.network.gnutls_ca_user {settings.authority}",
            f"/server add {_SERVER} {HOSTNAME}/{settings.port}",
            *(f'/set irc.server.{_SERVER}.{name} "{value}"' for name, value in options.items()),
            f"/connect {_SERVER}",
        ]

    def log_of(self, channel: str) -> Path:
        buffer = f"irc.{_SERVER}.{channel}" if channel else f"irc.server.{_SERVER}"
        return self.folder / "logs" / f"{buffer}.weechatlog"

    async def command(self, line: str) -> None:
        pipe = await self.wait_for(self._open_pipe, "its FIFO")
        try:
            os.write(pipe, f"irc.server.{_SERVER} *{line}\n".encode())
        finally:
            os.close(pipe)

    def _open_pipe(self) -> int | None:
        for file in self.folder.glob("weechat_fifo_*"):
            try:
                return os.open(file, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                # It is made, and then opened for reading.
                if error.errno != ENXIO:
                    raise
        return None

    def said(self, nick: str, text: str) -> str:
        return rf"\t[~&@%+]?{re.escape(nick)}\t{re.escape(text)}$"


@cache
def _tls_word() -> str:
    """How the options for TLS begin: they were renamed in WeeChat 4.0."""
    command = [WeeChat.name, "--version"]
    version = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return "tls" if int(version.split(".")[0]) >= 4 else "ssl"
