"""
The command line of `chat`, understood. What follows from it is decided elsewhere; nothing is opened
here, and nothing is asked of anybody.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chatservice import __version__

from . import exits

LINES = "\n"
"""In the place of a text to say, which has no line end: the lines of standard input."""

_DESCRIPTION = """\
Chat: full-screen on a terminal; in a pipe, a tool that says and shows lines.

The connection is TLS 1.3. A server that no authority vouches for is believed when it is met first;
the fingerprint of its certificate is shown, and from then on it must show the same one.
"""

_EPILOG = f"""\
examples:
  chat alice@localhost --room lobby                    the full-screen chat, and in a room
  chat alice@chat.example --room ops --say "deployed"  says it, and ends once it is stored
  make 2>&1 | chat alice@chat.example --room builds    says each line of its input
  chat alice@chat.example --room ops --tail            shows what is said from now on
  chat alice@chat.example --room ops --history 100 --json | jq -r .text
  chat alice@chat.example --to bob --say "are you there?"

passwords:
  From --password-file, or CHAT_PASSWORD in the environment; or asked for, on a terminal, if the
  nick is an account's. They are no options: everybody on a machine sees what options are given.

exit status:
{exits.table()}
"""


@dataclass(frozen=True, slots=True)
class Options:
    """
    What was asked for; each as the help has it.

    @ivar nick: empty for the system's name of the user.
    @ivar server: as `client.endpoints.parse` takes it.
    @ivar say: the texts, in order; `LINES` among them for the lines of standard input.
    @ivar count: 0 for no end.
    """

    nick: str
    server: str
    rooms: tuple[str, ...] = ()
    to: str = ""
    say: tuple[str, ...] = ()
    tail: bool = False
    history: int = 0
    json: bool = False
    count: int = 0
    notice: bool = False
    key: str = ""
    create: bool = False
    register: bool = False
    reclaim: bool = False
    password_file: Path | None = None
    ca: Path | None = None
    fingerprint: str = ""
    known_servers: Path | None = None
    insecure: bool = False
    timeout: float = 30.0
    screen: bool = True
    debug: bool = False


def parse(arguments: Sequence[str]) -> Options:
    """
    @param arguments: without the program's name.
    @raise SystemExit: with status 0 after --help and --version, else 2; the words are on standard
        output or error.
    """
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    nick, server = given.pop("address")
    # A default that is a text would be read as if it were given.
    to = given.pop("to") or ""
    texts = [text for each in given.pop("say") for text in each]
    rooms = tuple(dict.fromkeys(given.pop("rooms")))
    options = Options(nick, server, rooms=rooms, to=to, say=tuple(texts), **given)
    for is_wrong, words in _contradictions(options):
        if is_wrong:
            parser.error(words)
    return options


def _contradictions(o: Options) -> list[tuple[bool, str]]:
    talks = bool(o.rooms or o.to)
    trusts = [o.ca is not None, bool(o.fingerprint), o.known_servers is not None]
    return [
        (bool(o.say) and not talks, "--say needs --room or --to: where shall it be said?"),
        (o.history > 0 and not talks, "--history needs --room or --to: which one?"),
        (o.json and not (o.tail or o.history), "--json is for --tail and --history"),
        (o.count > 0 and not o.tail, "--count is for --tail"),
        (bool(o.key) and not o.rooms, "--key needs --room"),
        (o.create and not o.rooms, "--create needs --room"),
        (o.register and o.reclaim, "--register makes an account, --reclaim needs one"),
        (sum(trusts) > 1, "of --ca, --fingerprint and --known-servers only one can decide"),
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chat",
        usage="chat [options] [nick@]host[:port]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    where = parser.add_argument_group("where to")
    where.add_argument(
        "address",
        metavar="[nick@]host[:port]",
        type=_address,
        help="who one is, and where: alice@chat.example, [::1]:7000, bob@unix:/run/chat, "
        "tcp:localhost:6668; without a nick it is the user's name here, and the port is 6667 "
        "unless said",
    )
    for add in (_add_talk, _add_shown, _add_who, _add_trust, _add_other):
        add(parser)
    return parser


def _add_talk(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("to say something")
    group.add_argument(
        "--room",
        metavar="NAME",
        dest="rooms",
        type=_word,
        action="append",
        default=[],
        help="the room; several are possible",
    )
    group.add_argument(
        "--to", metavar="NICK", type=_word, help="somebody, instead of a room or beside"
    )
    group.add_argument(
        "--say",
        metavar="TEXT",
        type=_texts,
        action="append",
        default=[],
        help="say it, each line a message; may be given several times; - says the lines of "
        "standard input, as a pipe without --say does",
    )
    group.add_argument(
        "--notice", action="store_true", help="say it as a notice: programs do not react to it"
    )
    group.add_argument(
        "--key", metavar="WORD", type=_text, default="", help="what the room asks for"
    )
    group.add_argument("--create", action="store_true", help="make the room, if there is none")


def _add_shown(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("to see what is said")
    group.add_argument(
        "--tail",
        action="store_true",
        help="show what is said from now on: in the rooms, or to one by --to, or else to one by "
        "anybody",
    )
    group.add_argument(
        "--history",
        metavar="N",
        type=_whole,
        default=0,
        help="show the last N messages, before --tail, or alone",
    )
    group.add_argument(
        "--count",
        metavar="N",
        type=_positive,
        default=0,
        help="end after N messages that --tail has shown (those of --history do not count)",
    )
    group.add_argument(
        "--json",
        action="store_true",
        help="one JSON object a line: id, time (ISO 8601), ms (since 1970), room, to, nick, "
        "account, text, notice, action",
    )


def _add_who(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("who one is")
    group.add_argument(
        "--password-file",
        metavar="FILE",
        type=Path,
        help="its first line is the account's password; nobody else should be able to read it",
    )
    group.add_argument(
        "--register", action="store_true", help="make the nick an account with the password"
    )
    group.add_argument(
        "--reclaim",
        action="store_true",
        help="close the connection that has the nick, if there is one (with the password)",
    )


def _add_trust(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("whom to trust")
    group.add_argument(
        "--known-servers",
        metavar="FILE",
        type=Path,
        help="where the fingerprints of servers are kept "
        "[default: ~/.config/chatservice/known_servers]",
    )
    group.add_argument(
        "--fingerprint",
        metavar="SHA256:...",
        default="",
        help="trust the certificate with this fingerprint and no other",
    )
    group.add_argument(
        "--ca",
        metavar="FILE",
        type=Path,
        help="trust those whom the authorities in this PEM file vouch for, and nobody else",
    )
    group.add_argument(
        "--insecure",
        action="store_true",
        help="allow tcp: (not encrypted) to other machines than this one",
    )


def _add_other(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the rest")
    group.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=30.0,
        help="how long to wait for a connection, or an answer [default: 30]",
    )
    group.add_argument(
        "--no-screen",
        dest="screen",
        action="store_false",
        help="lines on a terminal too: what is typed is said, and what is said is shown",
    )
    group.add_argument("--debug", action="store_true", help="log on standard error")
    group.add_argument("--version", action="version", version=f"chat {__version__}")
    group.add_argument("-h", "--help", action="help", help="show this")


def _address(given: str) -> tuple[str, str]:
    """Whoever has a nick writes it first, so what has a colon or a slash before its @ has none."""
    address = _text(given)
    before, at, after = address.partition("@")
    has_nick = bool(at) and not re.search(r"[:/]", before)
    nick, server = (before, after) if has_nick else ("", address)
    if not server or (has_nick and not nick):
        raise argparse.ArgumentTypeError(f"expected [nick@]host[:port], not {given!r}")
    return nick, server


def _text(given: str) -> str:
    """Bytes that are no UTF-8 are in the arguments as what can't be sent (PEP 383)."""
    return given.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _word(given: str) -> str:
    if not given.strip():
        raise argparse.ArgumentTypeError("expected a name")
    return _text(given)


def _texts(given: str) -> list[str]:
    if given == "-":
        return [LINES]
    lines = [line.removesuffix("\r") for line in _text(given).split("\n")]
    said = [line for line in lines if line]
    if not said:
        raise argparse.ArgumentTypeError("expected a text")
    return said


def _whole(given: str) -> int:
    if not (given.isascii() and given.isdecimal()):
        raise argparse.ArgumentTypeError(f"expected a whole number, not {given!r}")
    return int(given)


def _positive(given: str) -> int:
    if _whole(given) < 1:
        raise argparse.ArgumentTypeError("expected 1 or more")
    return _whole(given)


def _seconds(given: str) -> float:
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"expected seconds, more than 0, not {given!r}")
    return seconds
