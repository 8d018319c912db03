"""Who a nick and a password are: accounts of the service's own, outside checkers, and the throttle
before both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from argon2.exceptions import InvalidHashError
from argon2.profiles import CHEAPEST
from twisted.cred.checkers import (
    ANONYMOUS,
    AllowAnonymousAccess,
    FilePasswordDB,
    ICredentialsChecker,
    InMemoryUsernamePasswordDatabaseDontUse,
)
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import IRealm
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.task import Clock
from twisted.logger import LogEvent, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import Interface, implementer
from zope.interface.verify import verifyClass, verifyObject

from chatservice.authentication.login import Authenticator
from chatservice.authentication.passwords import Passwords
from chatservice.authentication.portal import (
    Account,
    AccountChecker,
    AccountRealm,
    FirstOf,
    IAccount,
    make_portal,
)
from chatservice.authentication.throttle import Throttle
from chatservice.controller.errors import BadNick, BadPassword, TooFast, Unavailable
from chatservice.controller.names import NameRules
from chatservice.secret import Secret

SECRET = "tr0ub4dor"


class StubPasswords(Passwords):
    """Computes at once: a verifier is the password in brackets. Notes what was verified."""

    def __init__(self) -> None:
        super().__init__(cast(IReactorFromThreads, Clock()), parameters=CHEAPEST)
        self.verified: list[str | None] = []
        self.pending: Deferred[bool] | None = None

    def verify(self, verifier: str | None, password: str) -> Deferred[bool]:
        self.verified.append(verifier)
        return self.pending or succeed(verifier == f"[{password}]")


@implementer(ICredentialsChecker)
class StubChecker:
    """An outside checker that does as it is told, and notes whom it was asked about."""

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked: list[bytes] = []

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        self.asked.append(credentials.username)
        if isinstance(self.answer, Exception):
            raise self.answer
        return cast("Deferred[bytes | tuple[()]]", self.answer)


class AccountTests(SynchronousTestCase):
    def test_an_account_is_an_avatar(self) -> None:
        verifyObject(IAccount, Account("Alice", "alice"))
        verifyClass(IRealm, AccountRealm)
        verifyClass(ICredentialsChecker, AccountChecker)
        verifyClass(ICredentialsChecker, FirstOf)

    def test_the_realm_gives_the_name_that_was_vouched_for(self) -> None:
        interface, account, logout = AccountRealm(NameRules()).requestAvatar(
            "Zoë".encode(), None, IAccount
        )

        self.assertEqual((interface, account), (IAccount, Account("Zoë", "zoë")))
        logout()

    def test_the_realm_knows_nobody_who_has_no_nick(self) -> None:
        realm = AccountRealm(NameRules())

        for avatar_id in (ANONYMOUS, b"\xff", b"two words", b""):
            self.assertRaises(UnauthorizedLogin, realm.requestAvatar, avatar_id, None, IAccount)
        self.assertRaises(UnauthorizedLogin, realm.requestAvatar, b"alice", None, Interface)

    def test_a_checker_that_checks_no_passwords_is_refused_at_the_start(self) -> None:
        self.assertRaises(
            ValueError, make_portal, {}.get, StubPasswords(), [AllowAnonymousAccess()]
        )


class AuthenticatorTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.passwords = StubPasswords()
        self.accounts = {"alice": f"[{SECRET}]"}
        self.certificates: dict[str, str] = {}
        self.throttle = Throttle(self.clock)
        self.outside()

    def outside(self, *checkers: ICredentialsChecker) -> None:
        portal = make_portal(self.accounts.get, self.passwords, checkers)
        self.authenticator = Authenticator(
            portal,
            self.throttle,
            self.clock,
            verifier_of=self.accounts.get,
            account_of_certificate=self.certificates.get,
            digest=Secret().digest,
        )

    def authenticate(
        self, nick: str = "alice", password: str = SECRET, address: str = "192.0.2.1"
    ) -> Deferred[Account]:
        attempt = self.authenticator.authenticate(nick, password, address)
        return Deferred.fromCoroutine(attempt)

    def logged(self, events: Sequence[LogEvent]) -> str:
        return "\n".join(f"{formatEvent(event)} {event!r}" for event in events)

    def test_the_right_password_leads_to_the_account(self) -> None:
        account = self.successResultOf(self.authenticate("Alice"))

        self.assertEqual(account, Account("Alice", "alice"))
        self.assertEqual(len(self.throttle), 0)

    def test_a_wrong_password_does_not(self) -> None:
        self.failureResultOf(self.authenticate(password="guess"), BadPassword)

    def test_a_name_without_account_is_refused_by_the_same_work(self) -> None:
        wrong = self.failureResultOf(self.authenticate(password="guess"), BadPassword)
        nobody = self.failureResultOf(self.authenticate("nobody"), BadPassword)

        self.assertEqual(self.passwords.verified, [f"[{SECRET}]", None])
        self.assertEqual(str(wrong.value), str(nobody.value))

    def test_what_is_no_nick_or_no_password_takes_no_turn(self) -> None:
        self.failureResultOf(self.authenticate("two words"), BadNick)
        self.failureResultOf(self.authenticate(password=""), BadPassword)
        self.failureResultOf(self.authenticate(password="x" * 1025), BadPassword)

        self.assertEqual((len(self.throttle), self.passwords.verified), (0, []))

    def test_wrong_passwords_slow_the_next_attempt(self) -> None:
        for _ in range(3):
            self.failureResultOf(self.authenticate(password="guess"), BadPassword)

        waiting = self.authenticate()
        self.assertNoResult(waiting)
        self.clock.advance(1)

        self.assertEqual(self.successResultOf(waiting).name, "alice")

    def test_guessing_on_and_on_is_refused(self) -> None:
        for _ in range(8):
            self.clock.advance(30)
            self.failureResultOf(self.authenticate(password="guess"), BadPassword)
        waiting = self.authenticate()

        self.failureResultOf(self.authenticate(), TooFast)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)

    def test_going_away_while_waiting_leaves_nothing_behind(self) -> None:
        for _ in range(3):
            self.failureResultOf(self.authenticate(password="guess"), BadPassword)
        attempt = self.authenticate()

        attempt.cancel()

        self.failureResultOf(attempt, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_going_away_before_the_answer_counts_as_a_wrong_password(self) -> None:
        for _ in range(3):
            self.passwords.pending = Deferred()
            attempt = self.authenticate()
            attempt.cancel()
            self.failureResultOf(attempt, CancelledError)
        self.passwords.pending = None

        waiting = self.authenticate()

        self.assertNoResult(waiting)
        self.clock.advance(1)
        self.successResultOf(waiting)

    def test_a_busy_server_is_nobodys_wrong_password(self) -> None:
        for _ in range(5):
            self.passwords.pending = Deferred()
            self.passwords.pending.errback(Unavailable("busy"))
            self.failureResultOf(self.authenticate(), Unavailable)

        self.assertEqual(len(self.throttle), 0)

    def test_an_unusable_verifier_is_logged_and_the_answer_is_unavailable(self) -> None:
        self.accounts["alice"] = "no verifier"
        self.passwords.pending = fail(InvalidHashError())

        with capturedLogs() as events:
            self.failureResultOf(self.authenticate(), Unavailable)

        self.assertIn("verifier of alice", self.logged(events))
        self.assertNotIn("no verifier", self.logged(events))

    def test_an_outside_checker_vouches_for_who_has_no_account(self) -> None:
        checker = InMemoryUsernamePasswordDatabaseDontUse(bob=SECRET.encode())
        self.outside(checker)

        self.assertEqual(self.successResultOf(self.authenticate("bob")), Account("bob", "bob"))
        self.failureResultOf(self.authenticate("bob", "guess"), BadPassword)

    def test_a_password_file_will_do(self) -> None:
        file = self.mktemp()
        with open(file, "w", encoding="ascii") as passwords:  # noqa: PTH123
            passwords.write(f"bob:{SECRET}\n")
        self.outside(FilePasswordDB(file))

        self.assertEqual(self.successResultOf(self.authenticate("bob")).key, "bob")

    def test_no_outside_checker_is_asked_about_an_account(self) -> None:
        checker = StubChecker(succeed(b"alice"))
        self.outside(checker)

        self.failureResultOf(self.authenticate(password="guess"), BadPassword)
        self.failureResultOf(self.authenticate("ALICE", "guess"), BadPassword)

        self.assertEqual(checker.asked, [])

    def test_outside_checkers_are_asked_in_their_order(self) -> None:
        first, second = StubChecker(UnauthorizedLogin()), StubChecker(succeed(b"bob"))
        third = StubChecker(succeed(b"bob"))
        self.outside(first, second, third)

        self.successResultOf(self.authenticate("bob"))

        self.assertEqual((first.asked, second.asked, third.asked), ([b"bob"], [b"bob"], []))

    def test_a_name_that_nobody_vouches_for_costs_a_hash(self) -> None:
        self.outside(StubChecker(UnauthorizedLogin()))

        self.failureResultOf(self.authenticate("nobody"), BadPassword)

        self.assertEqual(self.passwords.verified, [None])

    def test_a_checker_that_fails_is_logged_without_the_password(self) -> None:
        self.outside(StubChecker(RuntimeError(f"cannot bind with {SECRET}")))

        with capturedLogs() as events:
            failure = self.failureResultOf(self.authenticate("bob"), Unavailable)

        logged = self.logged(events)
        self.assertIn("StubChecker failed with RuntimeError", logged)
        self.assertNotIn(SECRET, logged)
        self.assertNotIn(SECRET, failure.getTraceback())
        self.assertEqual(len(self.throttle), 0)

    def test_where_one_checker_fails_another_can_vouch(self) -> None:
        self.outside(StubChecker(RuntimeError("down")), StubChecker(succeed(b"bob")))

        self.assertEqual(self.successResultOf(self.authenticate("bob")).name, "bob")

    def test_where_one_checker_fails_and_none_vouches_nobody_can_say(self) -> None:
        self.outside(StubChecker(RuntimeError("down")), StubChecker(UnauthorizedLogin()))

        self.failureResultOf(self.authenticate("bob"), Unavailable)

    def test_a_checker_that_never_answers_does_not_hold_up_the_account(self) -> None:
        checker = StubChecker(Deferred())
        self.outside(checker)
        attempt = self.authenticate("bob")
        checker.answer = succeed(b"bob")
        waiting = self.authenticate("bob")
        self.clock.advance(14.9)
        self.assertNoResult(attempt)

        with capturedLogs() as events:
            self.clock.advance(0.1)

        self.failureResultOf(attempt, Unavailable)
        self.assertIn("no answer about bob within 15.0 seconds", self.logged(events))
        self.assertNotIn(SECRET, self.logged(events))
        self.successResultOf(waiting)
        self.assertEqual((len(self.throttle), self.clock.getDelayedCalls()), (0, []))

    def test_a_checker_that_goes_on_when_it_is_cancelled_is_not_waited_for(self) -> None:
        answer: Deferred[bytes | tuple[()]] = Deferred()

        async def stubborn() -> bytes | tuple[()]:
            try:
                await Deferred()
            except CancelledError:
                return await answer
            return b"bob"

        self.outside(StubChecker(Deferred.fromCoroutine(stubborn())))
        attempt = self.authenticate("bob")

        self.clock.advance(15)

        self.failureResultOf(attempt, Unavailable)
        self.assertEqual(len(self.throttle), 0)
        answer.errback(RuntimeError("too late"))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 0)

    def test_a_checker_can_vouch_for_the_name_asked_about_only(self) -> None:
        for avatar_id in (b"alice", ANONYMOUS, b"not a nick"):
            self.outside(StubChecker(succeed(avatar_id)))

            attempt = self.authenticate("bob", address=repr(avatar_id))
            self.clock.advance(30)

            self.failureResultOf(attempt, BadPassword)

    def test_a_certificate_leads_to_the_account_that_it_was_added_to(self) -> None:
        self.certificates["c0ffee"] = "zoë"

        self.assertEqual(self.authenticator.external("c0ffee", ""), Account("zoë", "zoë"))
        self.assertEqual(self.authenticator.external("c0ffee", "Zoë"), Account("Zoë", "zoë"))

    def test_a_certificate_of_nobody_or_of_somebody_else_leads_nowhere(self) -> None:
        self.certificates["c0ffee"] = "alice"

        for fingerprint, authzid in (
            ("decaf", ""),
            ("decaf", "alice"),
            ("c0ffee", "bob"),
            ("c0ffee", "two words"),
        ):
            self.assertRaises(BadPassword, self.authenticator.external, fingerprint, authzid)

    def test_who_shows_no_certificate_has_none(self) -> None:
        self.certificates[""] = "alice"

        self.assertRaises(BadPassword, self.authenticator.external, "", "")

    def test_a_name_that_is_no_utf8_is_unauthorized(self) -> None:
        portal = make_portal(self.accounts.get, self.passwords)

        login = portal.login(UsernamePassword(b"\xff", b"x"), None, IAccount)

        self.failureResultOf(login, UnauthorizedLogin)


class RealPasswordsTests(TestCase):
    async def test_an_account_logs_in_with_its_password_and_with_no_other(self) -> None:
        passwords = Passwords(cast(IReactorFromThreads, reactor), parameters=CHEAPEST)
        passwords.start()
        self.addCleanup(passwords.stop)
        accounts = {"zoë": await passwords.hash("päss wörd")}
        clock = Clock()
        portal = make_portal(accounts.get, passwords)
        authenticator = Authenticator(
            portal,
            Throttle(clock),
            clock,
            verifier_of=accounts.get,
            account_of_certificate=lambda _: None,
            digest=Secret().digest,
        )

        async def attempt(nick: str, password: str) -> Account:
            return await authenticator.authenticate(nick, password, "192.0.2.1")

        self.assertEqual(await attempt("Zoë", "päss wörd"), Account("Zoë", "zoë"))
        for nick, password in (("Zoë", "pass word"), ("nobody", "päss wörd")):
            refused = Deferred.fromCoroutine(attempt(nick, password))
            await self.assertFailure(refused, BadPassword)
