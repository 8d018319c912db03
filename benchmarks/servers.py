"""The servers under measurement: started as children with a configuration of their own, and ended.

Each gets a temporary folder and free ports on the loopback interface, and no limits: a benchmark is
what limits are there to stop. Only processes started here are ever ended.
"""

from __future__ import annotations

import datetime
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from dialects import IRC, LINE, PROTOBUF, Dialect
from load import LoadError
from machine import pinned

OWN = "chatservice"
"""The name in `KINDS` of the server that all this is about."""

OWN_IRC = f"{OWN}-irc"
"""The same, spoken to in IRC as the peers are."""

OWN_PROTOBUF = f"{OWN}-protobuf"
"""The same, spoken to in protobuf as programs do."""

_START_LIMIT = 30.0
_STOP_LIMIT = 15.0
_HERE = Path(__file__).resolve().parent
_TWISTD = "from twisted.scripts.twistd import run; run()"

CHAT_TOML = """\
listen = ["ssl:{tls}:interface=127.0.0.1", "tcp:{plain}:interface=127.0.0.1"]
data = "{folder}/data"
store = "{store}"

[limits]
connections = 100000
connections_per_address = 100000
new_connections_per_minute = 10000000
messages_per_second = 1000000000
message_burst = 1000000000
sendq_bytes = 268435456
members_per_room = 100000
rooms = 100000
"""

NGIRCD_CONF = """\
[Global]
Name = bench.example.net
Info = benchmark
Listen = 127.0.0.1
Ports = {plain}
MotdPhrase = hello
{identity}
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxPenaltyTime = 0
MaxNickLength = 20
PingTimeout = 3600
[Options]
DNS = no
Ident = no
PAM = no
[SSL]
CertFile = {folder}/cert.pem
KeyFile = {folder}/key.pem
Ports = {tls}
"""

INSPIRCD_CONF = """\
<server name="bench.example.net" description="benchmark" network="bench">
<admin name="bench" nick="bench" email="bench@example.net">
<module name="ssl_gnutls">
<sslprofile name="bench" provider="gnutls" certfile="{folder}/cert.pem" keyfile="{folder}/key.pem">
<bind address="127.0.0.1" port="{plain}" type="clients">
<bind address="127.0.0.1" port="{tls}" type="clients" sslprofile="bench">
<connect name="main" allow="*" timeout="60" pingfreq="1h" maxchans="1000"
         hardsendq="1G" softsendq="1G" recvq="1G" threshold="1000000" commandrate="1000000000"
         fakelag="no" localmax="1000000" globalmax="1000000" limit="1000000"
         resolvehostnames="no" useident="no" maxconnwarn="no">
<dns server="127.0.0.1" timeout="1">
<options defaultmodes="n" cyclehostsfromuser="no" allowmismatch="no" defaultbind="ipv4">
<performance netbuffersize="65534" somaxconn="1024" softlimit="100000">
<limits maxnick="30" maxchan="60">
<files motd="{folder}/motd">
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is started with: the store (ours alone has one) and its CPU core, if any."""

    store: str = "sqlite"
    core: int | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    dialect: Dialect
    tls: int
    plain: int
    folder: Path

    def cpu(self) -> float | None:
        """CPU seconds so far, of all its threads; None where there is no /proc."""
        try:
            stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> int | None:
        """Resident memory in bytes; None where there is no /proc."""
        try:
            statm = Path(f"/proc/{self.process.pid}/statm").read_text()
        except OSError:
            return None
        return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def log_tail(self) -> str:
        """The last lines that it logged."""
        text = (self.folder / "log").read_text("utf-8", "replace")
        return "\n".join(text.splitlines()[-5:])


Prepare = Callable[[Path, int, int, Settings], Sequence[str]]
"""Writes a server's configuration for a TLS and a plain port; returns its command."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of server: how it is prepared, what it speaks, and what makes it available."""

    prepare: Prepare
    dialect: Dialect
    installed: Callable[[], bool]


def _chatservice(folder: Path, tls: int, plain: int, settings: Settings) -> Sequence[str]:
    configuration = CHAT_TOML.format(tls=tls, plain=plain, folder=folder, store=settings.store)
    (folder / "chat.toml").write_text(configuration)
    twistd = (sys.executable, "-c", _TWISTD, "-n", "--pidfile=")
    return (*twistd, "chat", "--config", str(folder / "chat.toml"))


def _ngircd(folder: Path, tls: int, plain: int, _: Settings) -> Sequence[str]:
    _certificate(folder)
    identity = ""
    if os.geteuid() == 0:
        # It will not serve as root; its own user has to be able to read this folder.
        user = pwd.getpwnam("nobody")
        identity = f"ServerUID = {user.pw_uid}\nServerGID = {user.pw_gid}"
        folder.chmod(0o755)
    conf = folder / "ngircd.conf"
    conf.write_text(NGIRCD_CONF.format(tls=tls, plain=plain, folder=folder, identity=identity))
    return (_program("ngircd"), "-n", "-f", str(conf))


def _inspircd(folder: Path, tls: int, plain: int, _: Settings) -> Sequence[str]:
    _certificate(folder)
    (folder / "motd").write_text("hello\n")
    conf = folder / "inspircd.conf"
    conf.write_text(INSPIRCD_CONF.format(tls=tls, plain=plain, folder=folder))
    root = ("--runasroot",) if os.geteuid() == 0 else ()
    return (_program("inspircd"), "--nofork", "--nopid", "--nolog", *root, "--config", str(conf))


def _program(name: str) -> str:
    """Where a program is; Debian keeps its servers where an ordinary user's PATH does not look."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
    return shutil.which(name, path=path) or ""


KINDS: dict[str, Kind] = {
    OWN: Kind(_chatservice, LINE, lambda: True),
    OWN_IRC: Kind(_chatservice, IRC, lambda: True),
    OWN_PROTOBUF: Kind(_chatservice, PROTOBUF, lambda: True),
    "ngircd": Kind(_ngircd, IRC, lambda: bool(_program("ngircd"))),
    "inspircd": Kind(_inspircd, IRC, lambda: bool(_program("inspircd"))),
}


@contextmanager
def running(name: str, settings: Settings) -> Iterator[Server]:
    """A server of one of `KINDS`, from the moment that both its ports answer until the end.

    Raises:
        LoadError: it did not start; the words hold what it logged.
    """
    kind = KINDS[name]
    with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as path:
        folder = Path(path)
        tls, plain = _free_ports()
        command = kind.prepare(folder, tls, plain, settings)
        with (folder / "log").open("wb") as log:
            process = _spawn(command, folder, log.fileno(), settings.core)
        server = Server(process, kind.dialect, tls, plain, folder)
        try:
            _await_ports(server)
            yield server
        finally:
            _end(process)


def _spawn(
    command: Sequence[str], folder: Path, log: int, core: int | None
) -> subprocess.Popen[bytes]:
    with pinned(core):
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def environment() -> dict[str, str]:
    """What children are started with, so that they find the chat service's package."""
    found = dict(os.environ)
    if importlib.util.find_spec(OWN) is None:
        # Not installed: the checkout that this file stands in.
        parts = (str(_HERE.parent), found.get("PYTHONPATH", ""))
        found["PYTHONPATH"] = os.pathsep.join(part for part in parts if part)
    return found


def _await_ports(server: Server) -> None:
    end = time.monotonic() + _START_LIMIT
    for port in (server.tls, server.plain):
        while not _answers(port):
            if server.process.poll() is not None or time.monotonic() > end:
                raise LoadError(f"the server did not start; it said:\n{server.log_tail()}")
            time.sleep(0.05)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


def _certificate(folder: Path) -> None:
    """A throw-away certificate for a peer, of the kind that the chat service makes for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def versions(names: Iterable[str]) -> dict[str, str]:
    """What these peers call their own version, by name."""
    found = {}
    for name in names:
        asked = subprocess.run((_program(name), "--version"), capture_output=True, check=False)
        found[name] = asked.stdout.decode("utf-8", "replace").partition("\n")[0].strip()
    return found
