"""
How IRC words what the domain refuses: a numeric for each error, and what stands before its words.
"""

from __future__ import annotations

from chatservice.controller import errors
from chatservice.controller.errors import ChatError

from . import numerics
from .numerics import Numeric

REFUSALS: dict[type[ChatError], Numeric] = {
    errors.NotLoggedIn: numerics.ERR_NOTREGISTERED,
    errors.AlreadyLoggedIn: numerics.ERR_ALREADYREGISTERED,
    errors.NickInUse: numerics.ERR_NICKNAMEINUSE,
    errors.BadNick: numerics.ERR_ERRONEUSNICKNAME,
    errors.BadRoomName: numerics.ERR_BADCHANMASK,
    errors.RoomExists: numerics.ERR_BADCHANMASK,
    errors.BadPassword: numerics.ERR_PASSWDMISMATCH,
    errors.NoSuchRoom: numerics.ERR_NOSUCHCHANNEL,
    errors.NoSuchUser: numerics.ERR_NOSUCHNICK,
    errors.NotOwner: numerics.ERR_CHANOPRIVSNEEDED,
    errors.NotRoomOperator: numerics.ERR_CHANOPRIVSNEEDED,
    errors.NotInRoom: numerics.ERR_NOTONCHANNEL,
    errors.PrivateRoom: numerics.ERR_INVITEONLYCHAN,
    errors.Banned: numerics.ERR_BANNEDFROMCHAN,
    errors.BadKey: numerics.ERR_BADCHANNELKEY,
    errors.RoomFull: numerics.ERR_CHANNELISFULL,
    errors.TooMany: numerics.ERR_TOOMANYCHANNELS,
    errors.Muted: numerics.ERR_CANNOTSENDTOCHAN,
    errors.NeedsAccount: numerics.ERR_NEEDREGGEDNICK,
    errors.NotOperator: numerics.ERR_NOPRIVILEGES,
    errors.TooFast: numerics.RPL_TRYAGAIN,
}
"""The numeric of an error; it is followed by what the request was about, and words."""


_ALONE = frozenset(
    (
        numerics.ERR_NOTREGISTERED,
        numerics.ERR_ALREADYREGISTERED,
        numerics.ERR_PASSWDMISMATCH,
        numerics.ERR_NOPRIVILEGES,
    )
)
"""Numerics with nothing but their words."""


def numeric_of(error: ChatError) -> Numeric | None:
    """The numeric of an error; None if there is none, and a standard reply has to say it."""
    return REFUSALS.get(type(error))


def words_of(numeric: Numeric, error: ChatError) -> str:
    """The words that follow: the error's, if it says more than what its kind always says."""
    words = str(error)
    return numeric.words if numeric.words and words == error.default_words else words


def subject_of(numeric: Numeric, command: str, subject: tuple[str, ...]) -> tuple[str, ...]:
    """
    What stands before the words of a numeric.

    @param subject: what the request was about; without it, that is the command.
    """
    if numeric in _ALONE:
        return ()
    return subject if subject and numeric is not numerics.RPL_TRYAGAIN else (command,)
