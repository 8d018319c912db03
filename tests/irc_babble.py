"""What a mad IRC client may send, and what a server may send back: a generator of lines, and a
parser of its own that knows nothing of the service's.
"""

from __future__ import annotations

import re
from random import Random

from chatservice.translation.irc.commands import COMMANDS
from chatservice.translation.irc.numerics import NUMERICS

COMMANDS_OF_SERVERS = frozenset(
    (
        "ACCOUNT",
        "ACK",
        "AUTHENTICATE",
        "AWAY",
        "BATCH",
        "CAP",
        "CHGHOST",
        "ERROR",
        "FAIL",
        "INVITE",
        "JOIN",
        "KICK",
        "MODE",
        "NICK",
        "NOTE",
        "NOTICE",
        "PART",
        "PING",
        "PONG",
        "PRIVMSG",
        "QUIT",
        "REGISTER",
        "SETNAME",
        "TAGMSG",
        "TOPIC",
        "VERIFY",
        "WALLOPS",
        "WARN",
    )
)
"""What a line of the server's may be, but for numerics."""

_NUMERICS = frozenset(numeric.code for numeric in NUMERICS.values())

_LINE = re.compile(
    r"(?:@(?P<tags>[^ \0\r\n]+) )?(?::(?P<source>[^ \0\r\n]+) )?(?P<command>[A-Z]+|[0-9]{3})"
    r"(?P<middle>(?: [^ :\0\r\n][^ \0\r\n]*)*)(?P<last> :[^\0\r\n]*)?"
)
_TAG = re.compile(r"\+?(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9-]+(?:=(?:[^;\\ ]|\\[:s\\rn])*)?")
_SOURCE = re.compile(r"[^ !@]+|[^ !@]+![^ !@]+@[^ !@]+")


def fault(line: bytes) -> str:
    """What is wrong with a line (without its ending) that a server has sent; "" if nothing is."""
    try:
        found = _LINE.fullmatch(line.decode())
    except UnicodeDecodeError:
        return "it is not UTF-8"
    if found is None:
        return "it is no message"
    tags, source, command = found["tags"], found["source"], found["command"]
    rest = line if tags is None else line[len(tags.encode()) + 2 :]
    if len(rest) > 510:
        return f"it has {len(rest)} bytes"
    if tags is not None and len(tags.encode()) > 8189:
        return "its tags are too long"
    if tags is not None and not all(map(_TAG.fullmatch, tags.split(";"))):
        return "a tag is none"
    if source is not None and not _SOURCE.fullmatch(source):
        return "its source is none"
    if command not in COMMANDS_OF_SERVERS and command not in _NUMERICS:
        return "its command is none of a server's"
    if command.isdigit() and not found["middle"]:
        return "it does not say whom it is for"
    return ""


class Babble:
    """Lines without rhyme or reason, the same for the same seed.

    Args:
        seed: any number.
        words: words that mean something to the server that hears them.
    """

    def __init__(self, seed: int, words: list[str]) -> None:
        self._random = Random(seed)
        self._words = words

    def line(self) -> bytes:
        """One line, with its ending."""
        chance = self._random.random()
        if chance < 0.04:
            body = self._random.randbytes(self._random.randrange(600))
            return body.replace(b"\n", b"") + b"\n"
        if chance < 0.06:
            return self._word().encode(errors="surrogatepass") * 2000 + b"\r\n"
        line = f"{self._tags()}{self._source()}{self._command()}".encode()
        if chance < 0.12:
            place = self._random.randint(0, len(line))
            line = line[:place] + self._random.choice(_SPLINTERS) + line[place:]
        return line + self._random.choice((b"\r\n", b"\r\n", b"\n"))

    def _command(self) -> str:
        if self._random.random() < 0.6:
            return self._sensible()
        name = self._random.choice(_NAMES)
        if self._random.random() < 0.05:
            name = self._random.choice(("", "1", "001", "PRIVMSG,", "ÄÖ", name.lower(), name * 9))
        words = [self._param() for _ in range(self._random.choice((0, 1, 1, 2, 2, 2, 3, 4, 5, 20)))]
        if words and self._random.random() < 0.5:
            words[-1] = f":{words[-1]} {self._param()}"
        return " ".join([name, *words])

    def _sensible(self) -> str:
        """What a client might well say; now and then a word of it is another."""
        template = self._random.choice(_TEMPLATES)
        return _SLOT.sub(lambda slot: self._filling(slot[0]), template)

    def _filling(self, slot: str) -> str:
        if self._random.random() < 0.05:
            return self._param()
        return self._random.choice(_FILLINGS[slot])

    def _param(self) -> str:
        joint = self._random.choice(("", ",", ",", "!", "@", "=", "%", ":"))
        count = self._random.choice((1, 1, 1, 1, 1, 2, 3))
        word = joint.join(self._word() for _ in range(count))
        return word * self._random.choice((1, 1, 1, 1, 1, 1, 1, 1, 30, 200))

    def _word(self) -> str:
        if self._random.random() < 0.75:
            return self._random.choice(self._words)
        if self._random.random() < 0.6:
            return self._random.choice(_ODDITIES)
        letters = (self._random.choice(_LETTERS) for _ in range(self._random.randrange(8)))
        return "".join(letters)

    def _tags(self) -> str:
        if self._random.random() < 0.8:
            return ""
        tags = [f"{self._random.choice(_KEYS)}{self._word()}" for _ in range(self._few())]
        return f"@{';'.join(tags) * self._random.choice((*10 * (1,), 100, 2000))} "

    def _source(self) -> str:
        return f":{self._word()} " if self._random.random() < 0.1 else ""

    def _few(self) -> int:
        return self._random.randrange(1, 5)


# QUIT ends what is under way: it has its own test.
_NAMES = sorted(set(COMMANDS) - {"QUIT"}) + 4 * ["JOIN", "MODE", "PRIVMSG", "WHO", "CHATHISTORY"]
_FILLINGS: dict[str, tuple[str, ...]] = {
    "$C": (
        "#lobby",
        "#den",
        "#mad",
        "#mad",
        "#other",
        "#mad,#den,#new",
        "#nowhere",
        "#Mäd",
        "@#mad",
    ),
    "$N": ("mad", "bob", "carol", "root", "nobody", "bob,carol", "mad,bob", "MAD", "NickServ"),
    "$M": ("*!*@*", "bob!*@*", "*!*@*.ip", "~a:root", "m:bob!*@*", "m:~a:*", "bob", "[a-z]*!*@*"),
    "$S": ("+", "-"),
    "$F": (*"imnstCRM", "im", "is-t", "nst", "i-i"),
    "$R": (*"qaohv", "ov", "qaohv", "o-v"),
    "$L": (*"beI", "bb", "b-e"),
    "$1": ("0", "1", "5", "100", "x", "*"),
    "$T": ("hello", "a b c", "", "\x01ACTION waves\x01", "\x01VERSION\x01", "é" * 200, "x" * 450),
    "$P": (
        "*",
        "timestamp=2027-01-15T08:00:00.000Z",
        "msgid=1",
        "timestamp=2020-01-01T00:00:00.000Z",
    ),
}
"""What may stand in a slot of a template: channels, nicks, masks, signs, flags, roles, lists,
numbers, texts, points of a history."""

_SLOT = re.compile(r"\$[A-Z1]")

_TEMPLATES = (
    "JOIN $C",
    "JOIN $C $T",
    "JOIN 0",
    "PART $C :$T",
    "TOPIC $C",
    "TOPIC $C :$T",
    "NAMES $C",
    "LIST",
    "LIST >$1,U<5,*mad*",
    "INVITE $N $C",
    "INVITE",
    "KICK $C $N :$T",
    "MODE $C",
    "MODE $C $S$F",
    "MODE $C $S$F",
    "MODE $C $S$R $N $N",
    "MODE $C $S$R $N",
    "MODE $C $S$L $M $M",
    "MODE $C $S$L",
    "MODE $C +klf key $1 $C",
    "MODE $C -klf",
    "MODE $N",
    "MODE mad $SiBwRor",
    "PRIVMSG $C :$T",
    "PRIVMSG $C :$T",
    "NOTICE $C :$T",
    "PRIVMSG $N :$T",
    "NOTICE $N :$T",
    "TAGMSG $C",
    "TAGMSG $N",
    "WHO $C",
    "WHO $C %tcuihsnfdlaor,$1",
    "WHO $N %na",
    "WHO $M o",
    "WHOIS $N",
    "WHOIS $N $N",
    "WHOWAS $N $1",
    "USERHOST $N $N",
    "ISON $N $N :$N $N",
    "MONITOR + $N",
    "MONITOR - $N",
    "MONITOR L",
    "MONITOR S",
    "MONITOR C",
    "AWAY :$T",
    "AWAY",
    "SETNAME :$T",
    "NICK $N",
    "NICK mad",
    "NICK mad2",
    "CHATHISTORY LATEST $C $P $1",
    "CHATHISTORY BEFORE $C $P $1",
    "CHATHISTORY AFTER $N $P $1",
    "CHATHISTORY AROUND $C $P $1",
    "CHATHISTORY BETWEEN $C $P $P $1",
    "CHATHISTORY TARGETS $P $P $1",
    "CAP LS 302",
    "CAP REQ :$Sserver-time $Smessage-tags",
    "CAP REQ :$Secho-message $Slabeled-response $Sbatch",
    "CAP REQ sasl",
    "AUTHENTICATE PLAIN",
    "AUTHENTICATE AHJvb3QAc2VjcmV0",
    "AUTHENTICATE SCRAM-SHA-256",
    "AUTHENTICATE biwsbj1yb290LHI9YWJj",
    "AUTHENTICATE *",
    "PRIVMSG NickServ :IDENTIFY root secret",
    "NS INFO $N",
    "NS REGISTER secret",
    "NS LOGOUT",
    "NS GHOST $N secret",
    "NS CERT LIST",
    "CS REGISTER $C",
    "CS OP $C $N",
    "CS TRANSFER $C $N",
    "REGISTER * * secret",
    "OPER root secret",
    "WALLOPS :$T",
    "CHGHOST $N a.host.example",
    "USER mad 0 * :$T",
    "STATS o",
    "HELP $N",
    "MOTD",
    "ADMIN",
    "LUSERS",
)

_KEYS = ("label=", "+a=", "+a/b=", "+", "", "=", "bot=", "time=", "+c\\", "é=", ";", "batch=")
_LETTERS = (
    "abqzAZ019#&+@%~!*?:;,=./\\-_[]{}|^`<>()'\"$\x01\x02\x03\x0f\x7fé\u0301ß漢\u202e\U0001f600"
)
_SPLINTERS = (b"\0", b"\r", b"\xff", b"\xc3", b"\xed\xa0\x80", b" ", b"  ", b" :", b"\x1c", b"\x85")
_ODDITIES = (
    "*",
    "**",
    "0",
    "-1",
    "99999999999999999999",
    "1e9",
    "१",
    "+",
    "-",
    "+-",
    "++bb",
    "#",
    "##",
    "@#",
    "#,",
    ",",
    "!",
    "~",
    "~a:",
    "m:",
    "$a",
    "[",
    "?*[!",
    "%",
    "%tcuihsnfdlaor,999",
    "o",
    "\x01ACTION",
    "\x01VERSION\x01",
    "\u2028",
    "\x85",
    "\x1d",
    "\x0b",
    "a" * 90,
    "é" * 90,
    "=",
    "A" * 400,
    "AAAA",
    "====",
    "timestamp=",
    "msgid=",
    "timestamp=2027-01-15T08:00:00.000Z",
    "timestamp=9999-99-99T99:99:99.999Z",
    "timestamp=0001-01-01T00:00:00.000Z",
    "C>1",
    "U<99999999999999999999",
    "T>-1",
    "!*",
)
