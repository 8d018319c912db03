"""The server under soak: a process of its own, watched from outside as an operator would."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from soak_people import HANDSHAKE_SECONDS, IDLE_SECONDS, LOGIN_SECONDS, PING_SECONDS

_TWISTD = "from twisted.scripts.twistd import run; run()"
_START_SECONDS = 30.0
_STOP_SECONDS = 20.0
_TROUBLE = ("Traceback", "Unhandled", "CRITICAL", "is restarted")

_SETTINGS = """\
listen = ["ssl:{port}:interface=127.0.0.1"]
data = "{folder}/data"
store = "sqlite"
name = "soak.example"

[journal]
prune_seconds = 1000000

[limits]
handshake_seconds = {handshake}
login_seconds = {login}
idle_seconds = {idle}
ping_seconds = {ping}
messages_per_second = 50
message_burst = 200
sendq_bytes = 262144
"""


@dataclass(slots=True)
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.folder / "data" / "journal.sqlite"

    def resident_bytes(self) -> int:
        """Resident memory."""
        statm = Path(f"/proc/{self.process.pid}/statm").read_text()
        return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self) -> int:
        """Open file descriptors."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def cpu_seconds(self) -> float:
        """CPU time of all its threads so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def ended(self) -> bool:
        """Has it ended, unasked?"""
        return self.process.poll() is not None

    def trouble(self) -> list[str]:
        """Lines of its log that should not be there."""
        with (self.folder / "log").open(encoding="utf-8", errors="replace") as log:
            return [line.rstrip() for line in log if any(word in line for word in _TROUBLE)]

    def stop(self) -> int:
        """Ask it to stop; return its exit status (`subprocess.Popen.returncode`)."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def start(folder: Path) -> Server:
    """Start a server with its data in a folder, and wait until it takes connections.

    Raises:
        RuntimeError: it did not start; the words hold its log.
    """
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
    settings = folder / "chat.toml"
    settings.write_text(
        _SETTINGS.format(
            port=port,
            folder=folder,
            handshake=HANDSHAKE_SECONDS,
            login=LOGIN_SECONDS,
            idle=IDLE_SECONDS,
            ping=PING_SECONDS,
        )
    )
    command = (sys.executable, "-c", _TWISTD, "-n", "--pidfile=", "chat", "--config", str(settings))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    server = Server(process, port, folder)
    end = time.monotonic() + _START_SECONDS
    while not _answers(port):
        if server.ended or time.monotonic() > end:
            process.kill()
            raise RuntimeError(f"the server did not start:\n{(folder / 'log').read_text()}")
        time.sleep(0.1)
    return server


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True
