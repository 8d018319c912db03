"""
The console script `chat`: the command line, what is around it, and an exit status (`exits`). What
takes long to import is imported when it is needed, so that help is there at once.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from .exits import Exit
from .options import Options, parse
from .plan import Plan, Unclear, plan
from .rendering import printable


def main(arguments: Sequence[str] | None = None) -> int:
    """
    @param arguments: those of the process, if left out.
    @return: the exit status.
    """
    _open_all()
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Python would complain of it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return Exit.OUTPUT_CLOSED


def tell(words: str) -> None:
    """Shows words on standard error, as long as somebody reads it."""
    shown = "\n".join(printable(line) for line in words.split("\n"))
    _write(f"chat: {shown}\n")


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, AttributeError):  # it is None if it was closed
        pass


def _run(arguments: Sequence[str]) -> int:
    try:
        options = parse(arguments)
    except SystemExit as ended:
        sys.stdout.flush()
        return int(ended.code or 0)
    try:
        planned = plan(options, typed=os.isatty(0), seen=os.isatty(1))
    except Unclear as unclear:
        tell(f"{unclear} (chat --help)")
        return Exit.USAGE
    return _work(options, planned)


def _work(options: Options, planned: Plan) -> int:
    from .running import run  # noqa: PLC0415
    from .session import Around, Session  # noqa: PLC0415

    user = options.nick or _user()
    if not user:
        tell(f"the system has no name for you: who are you? give nick@{options.server}")
        return Exit.USAGE
    around = Around(
        environment=os.environ,
        home=_home(),
        user=user,
        asks=os.isatty(0) and os.isatty(2),
        encoding=(sys.stdout and sys.stdout.encoding) or "utf-8",
        tell=tell,
        prompt=_write,
    )
    return run(Session(options, planned, around), tell, options.debug)


# In a container a process may have a number that nobody has, and so neither a name nor a home.


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


def _open_all() -> None:
    """If one of the three were closed, what is opened next would be taken for it."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    sys.exit(main())
