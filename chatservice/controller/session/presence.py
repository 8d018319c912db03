"""
Coming and going, what a user is called, and what they say of themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.python.failure import Failure

from chatservice.controller import lookup, requests
from chatservice.controller.desk import card_of
from chatservice.controller.entities import User
from chatservice.controller.errors import AlreadyLoggedIn, ChatError, Unavailable
from chatservice.controller.events import (
    AwayChanged,
    NickChanged,
    RealnameChanged,
    UserFlagsChanged,
)
from chatservice.controller.names import Name

from .accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import Sequence

_RETRY_SECONDS = 1.0
"""How soon a departure that could not be stored is tried again."""


class Presence(Accounts):
    """Who one is."""

    __slots__ = ()

    def is_me(self, nick: str) -> bool:
        """
        Is that this user's nick, in whatever case it is written?

        @raise NotLoggedIn: nobody is logged in.
        """
        return lookup.is_nick_of(self.policy, self.user, nick)

    async def log_in(self, nick: str, password: str | None = None, realname: str = "") -> User:
        """
        Takes a nick: as a guest, with a password as its account, or as the account that was shown
        before to be this client's (C{authenticate}).

        @raise AlreadyLoggedIn: this connection has one.
        @raise BadNick: it cannot be a nick.
        @raise NickInUse: somebody has it, or it needs its password.
        @raise BadPassword: the password is not that account's.
        @raise TooFast: too many wrong ones came from this address, or for that nick.
        @raise TooMany: it would be one account more than there may be.
        @raise Unavailable: nobody can say, or C{hang_up} was called meanwhile.
        """
        if self.key:
            raise AlreadyLoggedIn()
        name = self.policy.names.nick(nick)
        requests.check_nick_is_free(self.state, name)
        if password is not None:
            await self.authenticate(name.text, password)
        try:
            await self._log_in(name, realname)
        except ChatError:
            if password is not None:
                self.proof = None  # it was shown for this nick alone
            raise
        self.log.info("{nick} logged in from {address}", nick=name.text, address=self.address)
        return self.user

    async def _log_in(self, name: Name, realname: str) -> None:
        event = requests.log_in(
            self.state,
            self.policy,
            name,
            self._name(self.proof) if self.proof is not None else None,
            host=self._desk.cloak(self.address),
            realname=realname,
            node=self._desk.controller.node,
            secure=self._outlet.secure,
        )
        await self._desk.controller.submit(event)
        self.key, self.login = name.key, event.id
        self._desk.presence.attach(self)
        self._keep_card()

    def _keep_card(self) -> None:
        """What other servers' operators are told of this connection."""
        self._desk.cards.keep(self.login, card_of(self._outlet))

    async def log_out(self, reason: str = "logged out") -> None:
        """Gives the nick up and leaves every room; the connection stays."""
        _ = self.user
        while user := self._visitor():
            # Meanwhile a room of theirs may go, or they may be brought into one.
            await self._submit_if_it_fits(*requests.log_out(user, reason))
        self.lost_login()

    def close(self, reason: str) -> None:
        """The connection is gone: its user leaves every room, and the nick is free."""
        user = self._visitor()
        if user is None:
            return
        gone = self._desk.controller.submit(*requests.log_out(user, reason))
        gone.addCallbacks(lambda _: self.lost_login(), self._retry_close, errbackArgs=(reason,))

    def _retry_close(self, failure: Failure, reason: str) -> None:
        failure.trap(ChatError)
        # At once if it was a room of theirs that went meanwhile.
        seconds = _RETRY_SECONDS if failure.check(Unavailable) else 0
        self._desk.clock.callLater(seconds, self.close, reason)

    # What one is called, and says of oneself.

    async def change_nick(self, nick: str) -> NickChanged:
        """Is called something else from now on."""
        return await self._change(requests.change_nick, nick)

    async def set_away(self, text: str) -> AwayChanged | None:
        """
        Is away, for the reason given; an empty one says that the user is back. None if it is so
        already: many clients say it again and again.
        """
        event = requests.set_away(self.state, self.policy, self.user, text)
        if event.text == self.user.away:
            return None
        await self._desk.controller.submit(event)
        return event

    async def set_realname(self, realname: str) -> RealnameChanged:
        """Goes by another real name."""
        return await self._change(requests.set_realname, realname)

    async def change_flags(self, changes: Sequence[tuple[bool, str]]) -> UserFlagsChanged | None:
        """
        Sets and clears flags of one's own (`modes.USER_FLAGS`); None if all is so already.

        @raise NotOperator: one does not become a server operator so.
        """
        event = requests.change_user_flag(self.user, changes)
        if event is not None:
            await self._desk.controller.submit(event)
        return event
