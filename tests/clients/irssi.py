"""irssi on a terminal of its own: set up by its configuration file, told what to do by keys, and
watched by a log of everything that it shows.

Specification: irssi's documentation, "Startup HOWTO", "Settings" and "/help server, log".
"""

from __future__ import annotations

import re
from pathlib import Path

from .program import HOSTNAME, Program

_LOG = "everything.log"

_CONFIGURATION = """
servers = ( {{
  address = "{address}"; port = "{port}"; chatnet = "chat"; autoconnect = "yes"; family = "inet";
  use_tls = "yes";{trust}
}} );
chatnets = {{ chat = {{ type = "IRC"; nick = "{nick}";{sasl} }}; }};
channels = ( {channels} );
logs = {{ "{log}" = {{ auto_open = "yes"; level = "ALL"; }}; }};
settings = {{
  core = {{
    real_name = "{nick}"; user_name = "{nick}"; nick = "{nick}";
    server_reconnect_time = "1s"; log_timestamp = "%H:%M:%S ";
  }};
  # It would wait between the lines that it sends.
  "irc/core" = {{ cmd_queue_speed = "10ms"; cmds_max_at_once = "100"; }};
  # Keys that come this fast are not what it takes them for.
  "fe-text" = {{ paste_verify_line_count = "0"; }};
}};
"""


class Irssi(Program):
    """One irssi."""

    name = "irssi"
    terminal = True

    def prepare(self) -> list[str]:
        text = _CONFIGURATION.format(
            address=HOSTNAME,
            port=self.settings.port,
            nick=self.settings.nick,
            trust=self._trust(),
            sasl=self._sasl(),
            channels=self._channels(),
            log=self.log_of(""),
        )
        (self.folder / "config").write_text(text, encoding="utf-8")
        return ["--home", str(self.folder)]

    def _trust(self) -> str:
        settings = self.settings
        if settings.pin:
            # Whoever names an authority as well has the certificate verified too.
            text = f' tls_verify = "no"; tls_pinned_cert = "{settings.pin}";'
        else:
            text = f' tls_verify = "yes"; tls_cafile = "{settings.authority}";'
        return text + (f' tls_cert = "{settings.own}";' if settings.own else "")

    def _sasl(self) -> str:
        settings = self.settings
        if not (settings.password or settings.own):
            return ""
        return (
            f' sasl_mechanism = "{settings.mechanism}"; sasl_username = "{settings.nick}";'
            f' sasl_password = "{settings.password}";'
        )

    def _channels(self) -> str:
        channel = self.settings.channel
        return f'{{ name = "{channel}"; chatnet = "chat"; autojoin = "yes"; }}' if channel else ""

    def log_of(self, channel: str) -> Path:
        return self.folder / _LOG

    async def command(self, line: str) -> None:
        await self.shows_itself()
        # In a terminal's raw mode Enter is a carriage return.
        self.transport.write(f"{line}\r".encode())  # type: ignore[union-attr]

    async def shows_itself(self) -> None:
        """Wait until it takes keys: what was typed before that would be lost."""
        await self.wait_for(lambda: self.log_of("").exists() or None, "its log")

    def said(self, nick: str, text: str) -> str:
        return rf"< ?[~&@%+]?{re.escape(nick)}(:\S+)?> {re.escape(text)}$"
