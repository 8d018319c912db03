"""
Who is in a room, and who has spoken there last. Nothing here asks the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chatservice.client import User

SPEAKERS = 200
"""How many of those who spoke last are remembered."""


class Members:
    """In the order in which they are listed, and in the order in which they spoke."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        self._listed: Sequence[User] | None = None
        self._speakers: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._users)

    def __contains__(self, nick: str) -> bool:
        return nick.casefold() in self._users

    def all_are(self, users: Iterable[User]) -> None:
        """These are all that are there."""
        self._users = {user.nick.casefold(): user for user in users}
        self._listed = None

    def add(self, nick: str, account: str = "") -> bool:
        """Somebody came; returns whether they were not there already."""
        new = nick not in self
        self._users[nick.casefold()] = User(nick, account, "")
        self._listed = None
        return new

    def remove(self, nick: str) -> bool:
        """Somebody went; returns whether they were there."""
        self._listed = None
        return self._users.pop(nick.casefold(), None) is not None

    def rename(self, nick: str, new_nick: str) -> bool:
        """Somebody is called something else; returns whether they are here."""
        if self._speakers.pop(nick.casefold(), None) is not None:
            self.spoke(new_nick)
        user = self._users.pop(nick.casefold(), None)
        if user is None:
            return False
        self._users[new_nick.casefold()] = user._replace(nick=new_nick)
        self._listed = None
        return True

    def listed(self) -> Sequence[User]:
        """Everybody, by name."""
        if self._listed is None:
            self._listed = [self._users[key] for key in sorted(self._users)]
        return self._listed

    def spoke(self, nick: str) -> None:
        """Somebody said something."""
        key = nick.casefold()
        self._speakers.pop(key, None)
        self._speakers[key] = nick
        if len(self._speakers) > SPEAKERS:
            del self._speakers[next(iter(self._speakers))]

    def likely(self) -> list[str]:
        """Nicks, who spoke last first, then the others by name."""
        spoke = [nick for nick in reversed(self._speakers.values()) if nick in self]
        known = {nick.casefold() for nick in spoke}
        rest = [user.nick for user in self.listed() if user.nick.casefold() not in known]
        return spoke + rest
