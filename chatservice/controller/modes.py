"""
The modes of rooms and of users, by the words that the domain has for them; dialects have letters of
their own. What each of them forbids is said in `permission`, who may set it in `requests`.
"""

from __future__ import annotations

from typing import Final

# A room's flags.

MODERATED: Final = "moderated"
"""Only members with a role may speak."""

NO_OUTSIDE: Final = "no_outside"
"""Only members may speak."""

SECRET: Final = "secret"  # noqa: S105 - the name of a mode
"""Strangers are not told that the room exists."""

TOPIC_LOCKED: Final = "topic_locked"
"""Only members with a role from halfop on may set the topic."""

INVITE_ONLY: Final = "invite_only"
"""Only the invited may enter."""

NO_CTCP: Final = "no_ctcp"
"""Clients may not question one another (CTCP) through the room; actions are let through."""

ACCOUNTS_ENTER: Final = "accounts_enter"
"""Only users with an account may enter."""

ACCOUNTS_SPEAK: Final = "accounts_speak"
"""Only users with an account, or with a role, may speak."""

FLAGS: Final = frozenset(
    (
        MODERATED,
        NO_OUTSIDE,
        SECRET,
        TOPIC_LOCKED,
        INVITE_ONLY,
        NO_CTCP,
        ACCOUNTS_ENTER,
        ACCOUNTS_SPEAK,
    )
)

NEW_ROOM: Final = frozenset((NO_OUTSIDE, TOPIC_LOCKED))
"""The flags of a new room."""

PRIVATE: Final = frozenset((INVITE_ONLY, SECRET))
"""What "private" means, in one word."""

# A room's values.

KEY: Final = "key"
"""A word that has to be given to enter."""

LIMIT: Final = "limit"
"""How many members there may be, a number in decimal digits."""

FORWARD: Final = "forward"
"""The name of the room that who may not enter is sent to instead."""

VALUES: Final = frozenset((KEY, LIMIT, FORWARD))

# A room's lists of masks (see `masks`).

BAN: Final = "ban"
"""Who may neither enter nor speak; a mask that mutes only forbids to speak."""

EXCEPTION: Final = "exception"
"""Whom no ban concerns."""

INVITE_EXCEPTION: Final = "invite_exception"
"""Who may enter a room for the invited."""

LISTS: Final = frozenset((BAN, EXCEPTION, INVITE_EXCEPTION))

# The roles that somebody may have in a room.

OWNER: Final = "owner"
ADMIN: Final = "admin"
OPERATOR: Final = "operator"
HALFOP: Final = "halfop"
VOICE: Final = "voice"

ROLES: Final = (OWNER, ADMIN, OPERATOR, HALFOP, VOICE)
"""From the highest to the lowest."""

RANKS: Final = {role: len(ROLES) - place for place, role in enumerate(ROLES)}
"""A role's height: more is higher, and 0 is nobody's in particular."""

# A user's flags.

INVISIBLE: Final = "invisible"
"""Who shares no room with them does not find them by looking around."""

SERVER_OPERATOR: Final = "server_operator"
"""They run this server."""

BOT: Final = "bot"
"""They are a program."""

HEARS_WALLOPS: Final = "wallops"
"""They want to hear what server operators say to all."""

ACCOUNTS_TELL: Final = "accounts_tell"
"""Only users with an account may say something to them."""

USER_FLAGS: Final = frozenset((INVISIBLE, SERVER_OPERATOR, BOT, HEARS_WALLOPS, ACCOUNTS_TELL))
