"""Installs the wheel in a folder of its own and asks the twistd there what it knows.

``check_wheel.py DIST FOLDER``: DIST holds the one wheel, FOLDER is made anew. It never imports the
project, so that nothing but the wheel can answer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

FORBIDDEN = {"twisted/__init__.py", "twisted/plugins/__init__.py"}
NEEDED = {"chatservice/py.typed", "twisted/plugins/chat_plugin.py"}


def check_contents(wheel: Path, source: Path) -> None:
    """Fail if the wheel lacks a file of the package's or has one that would hide Twisted's own."""
    names = set(zipfile.ZipFile(wheel).namelist())
    package = source / "chatservice"
    schema = {str(path.relative_to(source)) for path in package.rglob("*.sql")}
    missing = (NEEDED | schema) - names
    if missing or FORBIDDEN & names:
        sys.exit(f"{wheel.name}: lacks {sorted(missing)}, has {sorted(FORBIDDEN & names)}")
    print(f"{wheel.name}: has the plugin, py.typed and {len(schema)} SQL files")


def check_installed(wheel: Path, folder: Path) -> None:
    """Fail if the ``twistd`` of a fresh virtual environment doesn't list and explain ``chat``."""
    venv.create(folder / "venv", with_pip=True)
    binaries = folder / "venv" / "bin"
    subprocess.run([binaries / "pip", "install", "--quiet", wheel], check=True)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def output(*arguments: str) -> str:
        command = [str(binaries / "twistd"), *arguments]
        return subprocess.check_output(command, cwd=folder, env=environment, text=True)

    if not any(line.split()[:1] == ["chat"] for line in output("--help").splitlines()):
        sys.exit("twistd --help: doesn't list chat")
    if "--endpoint" not in output("chat", "--help"):
        sys.exit("twistd chat --help: doesn't explain --endpoint")
    print("twistd --help lists chat, and twistd chat --help explains it")


def main(dist: Path, folder: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    check_contents(wheel, Path(__file__).parent.parent)
    check_installed(wheel.resolve(), folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
