"""
What those who run the server may ask.
"""

from __future__ import annotations

from chatservice.controller import lookup, requests
from chatservice.controller.errors import NotOperator
from chatservice.controller.events import HostChanged, Killed, UserFlagsChanged, Wallops

from .accounts import Accounts


class Operating(Accounts):
    """Requests of server operators, and becoming one."""

    __slots__ = ()

    def check_operator(self) -> None:
        """
        @raise NotOperator: this user does not run the server.
        """
        lookup.check_operator(self.user)

    async def become_operator(self, name: str, password: str) -> UserFlagsChanged:
        """
        Runs the server from now on, by the password of an account that may. It is not asked which
        one the user is logged in to, and that does not change.

        @raise BadNick: it cannot be a name.
        @raise BadPassword: the password is not that account's.
        @raise NotOperator: that account may not.
        @raise TooFast: too many wrong ones came from this address, or for that name.
        @raise Unavailable: nobody can say, or C{hang_up} was called meanwhile.
        """
        proof = await self._by_password(name, password)
        account = self.state.accounts.get(proof.key)
        if account is None:
            raise NotOperator()
        event = requests.become_operator(self.policy, self.user, account)
        await self._desk.controller.submit(event)
        self.log.info("{nick} is a server operator now", nick=self.user.nick)
        return event

    async def kill(self, nick: str, reason: str) -> Killed:
        """Has a user's connections closed."""
        self.check_operator()
        killed = await self._expel(
            nick, lambda nick: requests.kill(self.state, self.policy, self.user, nick, reason)
        )
        self.log.info("{nick} killed {victim}", nick=killed.nick, victim=killed.victim_nick)
        return killed

    async def wallops(self, text: str) -> Wallops:
        """Says something to all who want to hear it."""
        return await self._change(requests.wallops, text)

    async def change_host(self, nick: str, host: str) -> HostChanged:
        """Has a user's address shown as something else."""
        return await self._change(requests.change_host, nick, host)
