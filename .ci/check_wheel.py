"""Installs the wheel in a folder of its own, asks the twistd there what it knows, and has it serve.

``check_wheel.py DIST FOLDER``: DIST holds the one wheel, FOLDER is made anew. It never imports the
project, so that nothing but the wheel can answer.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import venv
import zipfile
from pathlib import Path

FORBIDDEN = {"twisted/__init__.py", "twisted/plugins/__init__.py"}
NEEDED = {
    "chatservice/py.typed",
    "chatservice/translation/protobuf/chat.proto",
    "twisted/plugins/chat_plugin.py",
    "twisted/plugins/chat_dialects.py",
}

SERVE_SECONDS = 60.0
ANSWER_SECONDS = 20.0
# Port 0 is one that is free; the log says which.
ENDPOINT = "tcp:0:interface=127.0.0.1"
LISTENING = re.compile(r"listening on tcp:.*\(127\.0\.0\.1:(\d+)\)")


def check_contents(wheel: Path, source: Path) -> None:
    """Fail if the wheel lacks a file of the package's or has one that would hide Twisted's own."""
    names = set(zipfile.ZipFile(wheel).namelist())
    package = source / "chatservice"
    schema = {str(path.relative_to(source)) for path in package.rglob("*.sql")}
    missing = (NEEDED | schema) - names
    if missing or FORBIDDEN & names:
        sys.exit(f"{wheel.name}: lacks {sorted(missing)}, has {sorted(FORBIDDEN & names)}")
    print(f"{wheel.name}: has the plugins, py.typed and {len(schema)} SQL files")


def check_installed(wheel: Path, folder: Path) -> None:
    """Fail if a fresh virtual environment's ``twistd`` doesn't list ``chat``, or has no client."""
    venv.create(folder / "venv", with_pip=True)
    binaries = folder / "venv" / "bin"
    subprocess.run([binaries / "pip", "install", "--quiet", wheel], check=True)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def output(*arguments: str, program: str = "twistd") -> str:
        command = [str(binaries / program), *arguments]
        return subprocess.check_output(command, cwd=folder, env=environment, text=True)

    if not any(line.split()[:1] == ["chat"] for line in output("--help").splitlines()):
        sys.exit("twistd --help: doesn't list chat")
    if "--endpoint" not in output("chat", "--help"):
        sys.exit("twistd chat --help: doesn't explain --endpoint")
    if "--tail" not in output("--help", program="chat"):
        sys.exit("chat --help: doesn't explain --tail")
    print("twistd --help lists chat, and twistd chat --help explains it")
    check_serves(binaries / "twistd", folder, environment)


def check_serves(twistd: Path, folder: Path, environment: dict[str, str]) -> None:
    """Fail unless ``twistd -n chat`` serves a client and ends well when it is asked to."""
    command = [str(twistd), "-n", "chat", "--endpoint", ENDPOINT]
    environment = {**environment, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE
    ) as server:
        late = threading.Timer(SERVE_SECONDS, server.kill)
        late.start()
        try:
            answer = log_in(listening_port(server))
            server.send_signal(signal.SIGTERM)
            rest = server.communicate()[0]
        finally:
            server.kill()
            late.cancel()
    # twistd stops in good order, and then dies of the signal that it was sent.
    if server.returncode != -signal.SIGTERM or "Server Shut Down" not in rest:
        sys.exit(f"twistd chat: ended with {server.returncode}: {rest}")
    print(f"twistd chat serves ({answer}) and ends when it is asked to")


def listening_port(server: subprocess.Popen[str]) -> int:
    """Read the server's log up to the port that it listens on."""
    assert server.stdout is not None
    lines = []
    for line in server.stdout:
        lines.append(line)
        match = LISTENING.search(line)
        if match is not None:
            return int(match[1])
    sys.exit("twistd chat: ended before it listened: " + "".join(lines))


def log_in(port: int) -> str:
    """Log in, and return the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS) as client:
        client.sendall(b"LOGIN:wheel\r\n")
        for line in client.makefile("r", encoding="utf-8"):
            if line.startswith("OK:LOGIN:wheel"):
                return line.strip()
            if line.startswith("ERR:"):
                sys.exit(f"twistd chat: refused LOGIN: {line}")
    sys.exit("twistd chat: closed without an answer to LOGIN")


def main(dist: Path, folder: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    check_contents(wheel, Path(__file__).parent.parent)
    check_installed(wheel.resolve(), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
