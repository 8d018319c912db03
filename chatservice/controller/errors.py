"""Everything that a request can be refused for, as one exception class a code of the line protocol.

The controller and the translation layer raise these; each dialect words them its own way from
`code`, or shows `str(error)`. Nothing here knows how a refusal is encoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar


class ChatError(Exception):
    """A request was refused, and nothing changed.

    `code` is the word of the line protocol for it, `default_words` what people are told unless the
    one who raises it knows better. Words never hold a password, a message's text or an unprintable
    character.

    Args:
        words: what people are told; the class's default when left out.
    """

    code: ClassVar[str] = "UNAVAILABLE"
    default_words: ClassVar[str] = "that cannot be done now"

    def __init__(self, words: str | None = None) -> None:
        super().__init__(self.default_words if words is None else words)


class NotLoggedIn(ChatError):
    code = "NOT_LOGGED_IN"
    default_words = "log in first"


class AlreadyLoggedIn(ChatError):
    code = "ALREADY_LOGGED_IN"
    default_words = "you are logged in already"


class NickInUse(ChatError):
    code = "NICK_IN_USE"
    default_words = "that nick is taken, or looks like one that is"


class BadNick(ChatError):
    code = "BAD_NICK"
    default_words = "that cannot be a nick"


class BadRoomName(ChatError):
    code = "BAD_ROOM_NAME"
    default_words = "that cannot be a room's name"


class BadPassword(ChatError):
    code = "BAD_PASSWORD"
    default_words = "the nick and the password do not belong together"


class NoSuchRoom(ChatError):
    code = "NO_SUCH_ROOM"
    default_words = "there is no such room"


class NoSuchUser(ChatError):
    code = "NO_SUCH_USER"
    default_words = "there is nobody of that nick"


class RoomExists(ChatError):
    code = "ROOM_EXISTS"
    default_words = "there is a room of that name already, or of one that looks like it"


class NotOwner(ChatError):
    code = "NOT_OWNER"
    default_words = "only the room's owner may do that"


class NotRoomOperator(NotOwner):
    default_words = "only the room's owner, and who has a role for it, may do that"


class NotInRoom(ChatError):
    code = "NOT_IN_ROOM"
    default_words = "you are not in that room"


class AlreadyInRoom(ChatError):
    code = "ALREADY_IN_ROOM"
    default_words = "you are in that room already"


class PrivateRoom(ChatError):
    code = "PRIVATE_ROOM"
    default_words = "that room is private and you are not invited"


class TooMany(ChatError):
    code = "TOO_MANY"
    default_words = "that is more than is allowed"


class RoomFull(TooMany):
    default_words = "the room is full"


class Banned(ChatError):
    code = "BANNED"
    default_words = "you are banned from that room"


class BadKey(ChatError):
    code = "BAD_KEY"
    default_words = "that room needs its key"


class Muted(ChatError):
    code = "MUTED"
    default_words = "you may not speak in that room"


class NeedsAccount(ChatError):
    code = "NEEDS_ACCOUNT"
    default_words = "that is for users with an account"


class NotOperator(ChatError):
    code = "NOT_OPERATOR"
    default_words = "only those who run this server may do that"


class TooFast(ChatError):
    code = "TOO_FAST"
    default_words = "that is too fast; wait a little and try again"


class Unavailable(ChatError):
    code = "UNAVAILABLE"
    default_words = "the server cannot do that now; try again later"


class UnknownCommand(ChatError):
    code = "UNKNOWN_COMMAND"
    default_words = "there is no such command"


class BadArguments(ChatError):
    code = "BAD_ARGUMENTS"
    default_words = "the command's arguments are not as they should be"


class LineTooLong(ChatError):
    code = "LINE_TOO_LONG"
    default_words = "the line is too long"


class NotUtf8(ChatError):
    code = "NOT_UTF8"
    default_words = "the line is not UTF-8"


ERRORS_BY_CODE: Mapping[str, type[ChatError]] = MappingProxyType(
    {error.code: error for error in ChatError.__subclasses__()}
)
"""Every code of the line protocol, and the class that carries it."""
