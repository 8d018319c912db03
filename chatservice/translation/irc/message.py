"""IRC messages: what clients send taken apart, what the server sends put together, and text cut to
what fits. No command is known here and nothing is answered; how errors are worded is the dialect's.

Specifications: Modern IRC, "Message Format"; RFC 1459 section 2.3.1; IRCv3 message-tags.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_BODY = 510
"""Bytes of a line without its tags and its ending, in either direction (RFC 1459 section 2.3)."""

LONGEST_CLIENT_TAGS = 4094
"""Bytes that a client may put between the `@` and the space (message-tags, "Size limit")."""

LONGEST_LINE = 1 + LONGEST_CLIENT_TAGS + 1 + LONGEST_BODY
"""Bytes of the longest line that a client may send, without its ending: what the framing keeps."""


class MessageError(Exception):
    """A client's line is no message. Never holds anything of the line but `BadCommand.command`."""


class TagsTooLong(MessageError):
    """More than `LONGEST_CLIENT_TAGS`; answered 417 (message-tags, "Size limit")."""


class BodyTooLong(MessageError):
    """More than `LONGEST_BODY` beside the tags; answered 417 (Modern IRC, "Compatibility")."""


class NotUtf8(MessageError):
    """Answered FAIL * INVALID_UTF8 (IRCv3 UTF8ONLY)."""


class Malformed(MessageError):
    """A NUL or CR inside, or what stands for the command can't be one."""


class BadCommand(Malformed):
    """Neither letters nor three digits; Ergo answers 421, as for a command that it does not know.

    Args:
        command: the word as it came.
    """

    def __init__(self, command: str) -> None:
        super().__init__()
        fit = len(command) <= 32 and command.isprintable() and command[:1] not in {"", ":"}
        self.command = command if fit else "*"
        """The word, if it is short, printable and fit to be a parameter of the answer; else `*`."""


# No repr: it would show people's words and passwords wherever one is logged.
@dataclass(slots=True, repr=False)
class ClientMessage:
    """One line that a client sent. Its source is left out: there is only one it could be.

    Not frozen, for speed alone: one is made for every line.
    """

    tags: dict[str, str]
    """Unescaped values by key, client-only keys with their `+`; "" for none."""
    command: str
    """In capitals."""
    params: list[str]
    """As many as came; the last may be empty, hold spaces or begin with `:`."""

    def param(self, place: int) -> str:
        """The parameter at a place, counted from 0; "" where there is none."""
        return self.params[place] if place < len(self.params) else ""


def parse(line: bytes) -> ClientMessage | None:
    """What a client's line says.

    As Ergo does, and Modern IRC asks of clients at least, it takes more than 15 parameters. Tags
    whose keys the grammar does not allow are dropped, and the message is not: "implementations MUST
    NOT perform any validation that would reject the message if an invalid tag key name is used".

    Args:
        line: without its LF; a CR may be left at its end.

    Returns:
        The message, or None if there is none: such a line is ignored without a word (Modern IRC,
        "Message Format").

    Raises:
        TagsTooLong: the tags are over the limit.
        BodyTooLong: the rest is.
        NotUtf8: it is not UTF-8 throughout.
        Malformed: it is no message.
    """
    line = line.removesuffix(b"\r")
    # As numbers: to look for bytes of one costs seven times as much.
    if 0 in line or 13 in line or 10 in line:
        raise Malformed
    tags: dict[str, str] = {}
    if line.startswith(b"@"):
        data, _, line = line[1:].partition(b" ")
        tags = _parse_tags(data)
    if len(line) > LONGEST_BODY:
        raise BodyTooLong
    # Up to the first " :" there are words alone, once nothing is before the source's colon.
    head, colon, trailing = _decoded(line).lstrip(" ").partition(" :")
    words = head.split(" ")
    if "" in words or head[0] == ":":
        words = _without_source(words)
        if not words:
            if colon:
                raise BadCommand(":")
            return None
    if colon:
        words.append(trailing)
    command = words.pop(0)
    if command.isascii() and command.isalpha():
        return ClientMessage(tags, command.upper(), words)
    if not _NUMERIC.fullmatch(command):
        raise BadCommand(command)
    return ClientMessage(tags, command, words)


_NUMERIC = re.compile("[0-9]{3}")


def _without_source(words: list[str]) -> list[str]:
    """The command and its parameters, however many spaces were between them."""
    words = [word for word in words if word]
    return words[1:] if words and words[0][0] == ":" else words


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        # Not chained: the other holds the line.
        raise NotUtf8 from None


_KEY = re.compile(r"\+?(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9-]+")


def _parse_tags(data: bytes) -> dict[str, str]:
    if len(data) > LONGEST_CLIENT_TAGS:
        raise TagsTooLong
    tags = {}
    for tag in _decoded(data).split(";"):
        key, _, value = tag.partition("=")
        if _KEY.fullmatch(key):
            tags[key] = unescape_tag(value)
    return tags


def format(
    command: str,
    *params: str,
    text: str | None = None,
    source: str = "",
    tags: Mapping[str, str] | None = None,
) -> str:
    """A line for clients, with its ending. Its length is the caller's to know: see `split_text`.

    Args:
        command: a command or a numeric.
        params: words; without `text` the last of them may be any text.
        text: a last parameter that is always written as text, after a colon: some clients look for
            it there.
        source: who it is from, without the colon; "" for nobody.
        tags: unescaped values by key, in the order in which they are sent: the server's own before
            the client-only ones (message-tags, "Client-only tags").

    Raises:
        ValueError: it can't be sent as it is: a defect of ours, as what people send is looked at
            before.
    """
    # The text is not shown by the errors, which are logged.
    head = command
    if source:
        if " " in source:
            raise ValueError("a space in the source")
        head = f":{source} {command}"
    middle, last = (params, None) if text is not None else (params[:-1], params[-1:])
    for param in middle:
        if not param or " " in param or param[0] == ":":
            raise ValueError(f"{command}: only the last parameter can be any text")
        head += " " + param
    if last is None:
        head += f" :{text}"
    elif last:
        (word,) = last
        head += f" :{word}" if not word or " " in word or word[0] == ":" else " " + word
    if tags:
        data = ";".join(
            [f"{key}={escape_tag(value)}" if value else key for key, value in tags.items()]
        )
        if " " in data:
            raise ValueError("a space in a tag's key")
        head = f"@{data} {head}"
    if "\0" in head or "\r" in head or "\n" in head:
        raise ValueError(f"{command}: NUL, CR and LF cannot be sent")
    return head + "\r\n"


def escape_tag(value: str) -> str:
    """A tag's value as it stands on a line (message-tags, "Escaping values")."""
    for character, escape in _ESCAPES:
        if character in value:
            value = value.replace(character, escape)
    return value


# The backslash first, as the others bring more of them.
_ESCAPES = (("\\", "\\\\"), (";", "\\:"), (" ", "\\s"), ("\r", "\\r"), ("\n", "\\n"))
_ESCAPED = re.compile(r"\\(.?)", re.DOTALL)
_UNESCAPED = {":": ";", "s": " ", "r": "\r", "n": "\n"}


def unescape_tag(value: str) -> str:
    """What `escape_tag` was given. A backslash that escapes nothing is dropped, as is a last one
    (message-tags, "Escaping values")."""
    if "\\" not in value:
        return value
    return _ESCAPED.sub(lambda match: _UNESCAPED.get(match[1], match[1]), value)


def split_text(text: str, most: int) -> list[str]:
    """Text in pieces that fit a line; joined again they are the text.

    A piece ends after a space if there is one in its second half, and never within a character. A
    letter keeps its accents and an emoji its parts, unless they are absurdly many.

    Args:
        text: of any length.
        most: bytes of UTF-8 in a piece.

    Returns:
        At least one piece; none is empty unless the text is.

    Raises:
        ValueError: `most` has no room for every character.
    """
    if most < 4:
        raise ValueError("a character may take 4 bytes")
    data = text.encode()
    if len(data) <= most:
        return [text]
    pieces = []
    start = 0
    while len(data) - start > most:
        end = _cut(data, start, most)
        pieces.append(data[start:end].decode())
        start = end
    pieces.append(data[start:].decode())
    return pieces


def _cut(data: bytes, start: int, most: int) -> int:
    """Where the piece that begins at `start` ends; there is more than `most` left."""
    full = _character_at(data, start + most)
    after_space = data.rfind(b" ", start + most // 2, full) + 1
    end = after_space or full
    for _ in range(_PARTS_KEPT):
        if not _parts_belong_together(data, end):
            return end
        end = _character_at(data, end - 1)
        if end <= start:
            break
    return full


_PARTS_KEPT = 16
"""How far is looked back for a place between two letters."""


def _character_at(data: bytes, index: int) -> int:
    """Where the character begins that the byte at `index` belongs to."""
    while data[index] & 0xC0 == 0x80:
        index -= 1
    return index


_JOINER = "\u200d"
_SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))


def _parts_belong_together(data: bytes, index: int) -> bool:
    """Whether what is before `index` and what is after it make one letter or emoji, roughly (UAX
    29)."""
    # A letter of one byte has a category of its own only if it is no mark: most text is told here.
    if data[index] < 0x80:
        return False
    after = data[index : index + 4].decode(errors="ignore")[0]
    if after == _JOINER or after in _SKIN_TONES or unicodedata.category(after)[0] == "M":
        return True
    return data[:index].endswith(_JOINER.encode())
