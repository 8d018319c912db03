"""
The limits of the domain, as numbers, and what follows from them for a count or a text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .errors import BadArguments, NickInUse
from .names import Name, NameRules


@dataclass(frozen=True, slots=True)
class Policy:
    """
    The limits of the domain. Zero means that there is none.

    @ivar accounts: accounts in all.
    @ivar rooms: rooms in all.
    @ivar rooms_per_user: rooms that one may be in.
    @ivar rooms_owned_per_user: rooms that one may own.
    @ivar members_per_room: users inside one room.
    @ivar invitations_per_room: identities invited to one room.
    @ivar masks_per_room: masks on all lists of one room together.
    @ivar roles_per_room: identities that have a role in one room.
    @ivar certificates_per_account: client certificates that vouch for one account.
    @ivar history_messages: messages in one answer; `history_bytes`: bytes of their texts and tags
        together, for they wait in memory until the client has read them.
    @ivar text_bytes: length of a message or a topic, bytes of UTF-8.
    @ivar phrase_bytes: length of shorter texts: a reason, a real name, why one is away.
    @ivar operators: keys of the accounts that may become operators of the server.
    @ivar reserved_nicks: skeletons (see `names`) of nicks that nobody may have: people tell their
        passwords to whoever is called that.
    """

    names: NameRules = field(default_factory=NameRules)
    accounts: int = 0
    rooms: int = 0
    rooms_per_user: int = 0
    rooms_owned_per_user: int = 0
    members_per_room: int = 0
    invitations_per_room: int = 0
    masks_per_room: int = 200
    roles_per_room: int = 500
    certificates_per_account: int = 10
    history_messages: int = 1000
    history_bytes: int = 1 << 20
    text_bytes: int = 4096
    phrase_bytes: int = 390
    operators: frozenset[str] = frozenset()
    reserved_nicks: frozenset[str] = frozenset(("chanserv", "nickserv"))


_UNSENDABLE = re.compile("[\0\r\n\ud800-\udfff]")
"""
What no dialect may carry inside a text: NUL, line ends, and code points that UTF-8 has no bytes
for.
"""


def check_text(text: str, policy: Policy) -> str:
    """
    A message or a topic, if every dialect can carry it.

    @raise BadArguments: it is too long, or holds NUL or a line end.
    """
    if _UNSENDABLE.search(text):
        raise BadArguments("a text cannot hold NUL or line ends")
    if len(text) * 4 > policy.text_bytes and len(text.encode()) > policy.text_bytes:
        raise BadArguments(f"a text is at most {policy.text_bytes} bytes long")
    return text


def check_phrase(text: str, policy: Policy) -> str:
    """
    A reason, a real name or the like, cut to what may be told of it.

    @raise BadArguments: it holds NUL or a line end.
    """
    if _UNSENDABLE.search(text):
        raise BadArguments("a text cannot hold NUL or line ends")
    if len(text) * 4 > policy.phrase_bytes:
        return text.encode()[: policy.phrase_bytes].decode(errors="ignore")
    return text


def check_not_reserved(name: Name, policy: Policy) -> None:
    """
    @raise NickInUse: nobody may have that nick, or one that looks like it.
    """
    if name.skeleton in policy.reserved_nicks:
        raise NickInUse("this nick belongs to the server")


def full(count: int, limit: int) -> bool:
    """Is there no room for one more under a limit? A limit of zero is none."""
    return bool(limit) and count >= limit
