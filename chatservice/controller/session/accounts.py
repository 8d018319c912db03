"""
Showing that an account is one's own, making one, and what vouches for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred

from chatservice.controller import lookup, requests
from chatservice.controller.entities import Account, User
from chatservice.controller.errors import BadPassword, TooFast, Unavailable
from chatservice.controller.events import (
    AccountChanged,
    CertificateChanged,
    PasswordChanged,
)
from chatservice.controller.names import Name

from .base import SessionBase

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from chatservice.controller.desk import Exchange, Proof


@dataclass(frozen=True, slots=True)
class Registration:
    """Who makes an account has shown it to be theirs (see `desk.Proof`)."""

    name: str
    key: str


class Accounts(SessionBase):
    """What one can prove. Whoever is logged in goes on with C{identify}."""

    __slots__ = ()

    async def _proved(self, check: Coroutine[Any, Any, Proof]) -> Proof:
        """
        Waits for a proof, unless the client goes away.

        @raise Unavailable: it did.
        """
        authentication = self._authentication = Deferred.fromCoroutine(check)
        try:
            return await authentication
        except CancelledError:
            raise Unavailable("the connection is gone") from None
        except BadPassword:
            # Not for whom: people type their password in its place.
            self.log.info("a wrong password came from {address}", address=self.address)
            raise
        finally:
            self._authentication = None

    def hang_up(self) -> None:
        """
        Nobody is there to hear the answer: whoever waits for a password to be checked, or until the
        next request may come, gives the place up. What is stored already goes on, and C{close}
        follows it.
        """
        for waiting in (self._authentication, self._pause):
            if waiting is not None:
                waiting.cancel()

    async def authenticate(self, name: str, password: str) -> Proof:
        """
        Shows an account to be one's own, by its password.

        @raise BadNick: it cannot be a name.
        @raise BadPassword: the password is not that account's.
        @raise TooFast: too many wrong ones came from this address, or for that name.
        @raise Unavailable: nobody can say, or C{hang_up} was called meanwhile.
        """
        self.proof = await self._by_password(name, password)
        return self.proof

    async def _by_password(self, name: str, password: str) -> Proof:
        check = self._desk.authenticator.authenticate(name, password, self.address)
        return await self._proved(check)

    def scram(self) -> Exchange:
        """Begins a SCRAM-SHA-256 exchange; its messages go to it, and its end to C{scram_final}."""
        return self._desk.authenticator.scram(self.address)

    async def scram_final(self, exchange: Exchange, message: bytes) -> bytes:
        """
        The client's last message of an exchange, and the answer to it.

        @raise BadPassword: the proof is wrong.
        @raise TooFast: too many wrong ones came.
        @raise Unavailable: nobody can say, or C{hang_up} was called meanwhile.
        """
        answer = b""

        async def check() -> Proof:
            nonlocal answer
            answer, proof = await exchange.final(message)
            return proof

        self.proof = await self._proved(check())
        return answer

    def external(self, fingerprint: str, name: str = "") -> Proof:
        """
        Shows an account to be one's own, by the client certificate of the connection.

        @param name: the account, if the client says which.
        @raise BadPassword: the certificate does not vouch for it.
        """
        self.proof = self._desk.authenticator.external(fingerprint, name)
        return self.proof

    def _name(self, proof: Proof) -> Name:
        """An account that was shown to be this client's, by the name that it has here."""
        account = self.state.accounts.get(proof.key)
        if account is None:
            return self.policy.names.nick(proof.name)
        return Name(account.nick, account.key, account.skeleton)

    async def identify(self) -> User:
        """
        Has the logged-in user be logged in to the account that was shown to be theirs.

        @raise NickInUse: the user's nick is another account's.
        """
        user, proof = self.user, self.proof
        if proof is None:
            raise BadPassword()
        if user.account == proof.key:
            return user
        name = self._name(proof)
        await self._desk.controller.submit(*requests.identify(self.state, self.policy, user, name))
        return self.user

    async def leave_account(self) -> AccountChanged:
        """
        Has the user be a guest from now on.

        @raise NickInUse: the nick is the account's.
        """
        event = requests.change_account(self.state, self.user, None)
        await self._desk.controller.submit(event)
        self.proof = None
        return event

    def account(self, name: str) -> Account:
        """
        The account of a name.

        @raise NoSuchUser: there is none.
        """
        return lookup.find_account(self.state, self.policy, name)

    async def register(self, password: str) -> User:
        """
        Makes the guest's nick an account.

        @raise NickInUse: it is one, or the user has one.
        @raise BadPassword: the password cannot be one.
        @raise TooFast: too many accounts were made from this address.
        @raise TooMany: there are as many accounts as there may be.
        """
        desk = self._desk
        requests.check_may_register(self.state, self.policy, self.user)
        if not desk.registrations.take(self.address, desk.clock.seconds()):
            raise TooFast("too many accounts were made from this address")
        verifier = await desk.hasher.hash(password)
        event = requests.register(self.state, self.policy, self.user, verifier)
        await desk.controller.submit(event)
        self.proof = Registration(event.account, event.account_key)
        return self.user

    async def change_password(self, password: str) -> PasswordChanged:
        """
        Has another password from now on.

        @raise NeedsAccount: there is no account, or its password is kept elsewhere.
        @raise BadPassword: it cannot be one.
        """
        requests.change_password(self.state, self.user, "")
        verifier = await self._desk.hasher.hash(password)
        event = requests.change_password(self.state, self.user, verifier)
        await self._desk.controller.submit(event)
        return event

    async def add_certificate(self, fingerprint: str) -> CertificateChanged:
        """Has a client certificate vouch for the account from now on."""
        return await self._change(requests.add_certificate, fingerprint)

    async def remove_certificate(self, fingerprint: str) -> CertificateChanged:
        """Has a client certificate vouch for the account no longer."""
        event = requests.remove_certificate(self.state, self.user, fingerprint)
        await self._desk.controller.submit(event)
        return event

    async def reclaim(self, nick: str) -> str:
        """
        Has another connection closed that uses the account shown to be this client's, or its name.
        One need not be logged in: one may be about to, by that nick.

        @return: the nick that is free now.
        @raise BadPassword: the nick is not the account's, or nothing was shown.
        """
        account = self.state.accounts.get(self.proof.key) if self.proof is not None else None
        if account is None:
            raise BadPassword()
        killed = await self._expel(
            nick,
            lambda nick: requests.reclaim(self.state, self.policy, self._visitor(), nick, account),
        )
        return killed.victim_nick
