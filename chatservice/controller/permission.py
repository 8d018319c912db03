"""
What a room's modes mean for one user: who may see it, enter it, speak in it, and how high somebody
stands in it. It reads what is true and changes nothing; `requests` asks before something is stored,
`state` once more when it has become true.
"""

from __future__ import annotations

from . import modes
from .entities import Room, User
from .errors import BadKey, Banned, Muted, NeedsAccount, NotInRoom, PrivateRoom, RoomFull
from .masks import Subject, is_mute, matches

_ACTION = "\x01ACTION "

_GUARDS = frozenset((modes.MODERATED, modes.NO_CTCP, modes.ACCOUNTS_SPEAK))
_PUT_OUT_THEIR_LIKE = frozenset((modes.RANKS[modes.OWNER], modes.RANKS[modes.OPERATOR]))


def rank(room: Room, user: User) -> int:
    """How high a user stands in a room (see `modes.RANKS`)."""
    return rank_of(room, user.identity)


def rank_of(room: Room, identity: str) -> int:
    """How high an identity stands in a room, whether it is here or not."""
    if room.owner == identity:
        return modes.RANKS[modes.OWNER]
    held = room.roles.get(identity)
    return max(modes.RANKS[role] for role in held) if held else 0


def roles(room: Room, user: User) -> list[str]:
    """A user's roles in a room, the highest first."""
    held = room.roles.get(user.identity, ())
    owns = room.owner == user.identity
    return [role for role in modes.ROLES if role in held or (owns and role == modes.OWNER)]


def outranks(room: Room, user: User, other: User) -> bool:
    """May a user put another out? Owners and operators may among themselves; else who is higher."""
    own, theirs = rank(room, user), rank(room, other)
    if own in _PUT_OUT_THEIR_LIKE:
        return own >= theirs
    return own >= modes.RANKS[modes.HALFOP] and own > theirs


def subject(user: User) -> Subject:
    """A user, as masks see them."""
    return Subject(user.key, user.host.lower(), user.account)


def is_listed(room: Room, mode: str, user: User) -> bool:
    """Does a mask on a room's list fit a user?"""
    masks = room.lists.get(mode)
    if not masks:
        return False
    who = subject(user)
    return any(matches(mask, who) for mask in masks)


def is_banned(room: Room, user: User) -> bool:
    """May a user not enter because of a mask? An invitation outweighs those that are older."""
    return _has_mask_against(room, user, mutes=False, since=room.invited.get(user.identity, -1))


def is_muted(room: Room, user: User) -> bool:
    """May a user not speak because of a mask?"""
    return _has_mask_against(room, user, mutes=True)


def _has_mask_against(room: Room, user: User, mutes: bool, since: int = -1) -> bool:
    bans = room.lists.get(modes.BAN)
    if not bans:
        return False
    who = subject(user)
    fits = any(
        listed.ms > since and (mutes or not is_mute(mask)) and matches(mask, who)
        for mask, listed in bans.items()
    )
    return fits and not is_listed(room, modes.EXCEPTION, user)


def may_see(room: Room, user: User) -> bool:
    """Rooms that are not secret, and those that one is in, owns, is invited to or has a role in."""
    return (
        modes.SECRET not in room.flags
        or user.key in room.members
        or user.identity in room.invited
        or rank(room, user) > 0
    )


def may_read_list(room: Room, mode: str, user: User) -> bool:
    """Who is banned is told to everybody; the other lists of masks only to who may change them."""
    return mode == modes.BAN or rank(room, user) >= modes.RANKS[modes.OPERATOR]


def check_may_enter(room: Room, user: User, key: str | None) -> None:
    """
    May a user enter? Who runs a room may, and so may who is invited, whatever its modes; but not
    against a ban that is younger than the invitation.

    @param key: the word that was given; None if that was looked at before.
    @raise RoomFull: it has its members.
    @raise BadKey: the word is wrong.
    @raise PrivateRoom: it is for the invited.
    @raise Banned: a mask forbids it.
    @raise NeedsAccount: it is for users with an account.
    """
    if rank(room, user) >= modes.RANKS[modes.HALFOP]:
        return
    if user.identity not in room.invited:
        _check_doors(room, user, key)
    if is_banned(room, user):
        raise Banned()


def _check_doors(room: Room, user: User, key: str | None) -> None:
    limit = room.values.get(modes.LIMIT)
    if limit is not None and len(room.members) >= int(limit):
        raise RoomFull()
    if key is not None and room.values.get(modes.KEY, key) != key:
        raise BadKey()
    if room.private and not is_listed(room, modes.INVITE_EXCEPTION, user):
        raise PrivateRoom()
    if modes.ACCOUNTS_ENTER in room.flags and not user.account:
        raise NeedsAccount("that room is for users with an account")


def guards(room: Room) -> bool:
    """Is there anything that may keep a member from speaking?"""
    return bool(room.flags & _GUARDS or room.lists.get(modes.BAN))


def check_may_speak(room: Room, user: User, text: str) -> None:
    """
    May a user say this in a room?

    @raise NotInRoom: they are not inside, and that is needed.
    @raise Muted: the room's modes or a mask forbid it.
    @raise NeedsAccount: only users with an account may.
    """
    if user.key not in room.members and modes.NO_OUTSIDE in room.flags:
        raise NotInRoom()
    if text.startswith("\x01") and not text.startswith(_ACTION) and modes.NO_CTCP in room.flags:
        raise Muted("clients may not question one another in that room")
    if rank(room, user):
        return
    if modes.MODERATED in room.flags:
        raise Muted("only members with a role may speak in that room")
    if modes.ACCOUNTS_SPEAK in room.flags and not user.account:
        raise NeedsAccount("only users with an account may speak in that room")
    if is_muted(room, user):
        raise Muted()
