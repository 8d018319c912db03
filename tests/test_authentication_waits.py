"""A connection that is lost while its password is checked gives its place up, and leaves nobody
behind."""

from __future__ import annotations

from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from chatservice.authentication.login import Authenticator
from chatservice.authentication.passwords import Passwords
from chatservice.authentication.portal import make_portal
from chatservice.authentication.throttle import Throttle
from chatservice.controller.policy import Policy
from chatservice.secret import Secret
from tests.bench import House


@implementer(ICredentialsChecker)
class Patient:
    """A checker that answers when a test does."""

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self) -> None:
        self.asked: list[Deferred[bytes | tuple[()]]] = []
        self.given_up: list[Deferred[bytes | tuple[()]]] = []

    def requestAvatarId(self, credentials: object) -> Deferred[bytes | tuple[()]]:
        answer: Deferred[bytes | tuple[()]] = Deferred(self.given_up.append)
        self.asked.append(answer)
        return answer


class LostConnectionTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = House(policy=Policy(accounts=1))
        clock: Clock = self.house.clock
        self.checker = Patient()
        self.throttle = Throttle(clock)
        # Nobody has an account here, so that nothing is hashed.
        portal = make_portal(lambda _: None, Passwords(clock), [self.checker])  # type: ignore[arg-type]
        authenticator = Authenticator(
            portal,
            self.throttle,
            clock,
            verifier_of=lambda _: None,
            account_of_certificate=lambda _: None,
            digest=Secret().digest,
        )
        self.patch(self.house.doorman, "authenticate", authenticator.authenticate)

    def nobody_is_there(self) -> None:
        self.assertEqual(dict(self.house.controller.state.users), {})
        self.assertEqual(len(self.house.book.live), 0)

    def test_a_check_under_way_is_given_up_and_the_place_is_free(self) -> None:
        client = self.house.client()
        client.send("LOGIN:ann:secret")

        with capturedLogs() as events:
            client.hang_up()

        self.assertEqual(self.checker.given_up, self.checker.asked)
        self.assertEqual([event for event in events if "log_failure" in event], [])
        self.nobody_is_there()
        self.house.client().send("LOGIN:ann:secret")
        self.assertEqual(len(self.checker.asked), 2)

    def test_who_waits_for_a_turn_leaves_the_queue(self) -> None:
        self.house.client().send("LOGIN:ann:secret")
        waiting = self.house.client(address="198.51.100.1")
        waiting.send("LOGIN:ann:secret")
        self.assertEqual(len(self.throttle), 3)

        waiting.hang_up()

        self.assertEqual(len(self.throttle), 2)
        self.assertEqual(len(self.house.book.live), 1)

    def test_a_login_that_is_being_stored_goes_on_and_is_undone(self) -> None:
        client = self.house.client()
        client.send("LOGIN:ann:secret")
        self.house.journal.hold()
        self.checker.asked[0].callback(b"ann")
        self.house.settle()

        client.hang_up()
        self.house.journal.release()
        self.house.settle()

        self.nobody_is_there()
        self.assertIn("ann", self.house.controller.state.accounts)
        self.house.client().send("LOGIN:ann:secret")
        self.checker.asked[1].callback(b"ann")
        self.house.settle()
        self.assertIn("ann", self.house.controller.state.users)

    def test_an_outside_account_past_the_limit_is_refused(self) -> None:
        for nick in ("ann", "ben"):
            client = self.house.client()
            client.send(f"LOGIN:{nick}:secret")
            self.checker.asked[-1].callback(nick.encode())
            self.house.settle()

        self.assertTrue(client.lines()[-1].startswith("ERR:LOGIN:TOO_MANY:"))
        self.assertEqual(list(self.house.controller.state.users), ["ann"])

    def test_registering_past_the_limit_is_refused(self) -> None:
        ann, ben = self.house.user("ann"), self.house.user("ben")

        self.assertEqual(ann.ask("REGISTER:a long password"), ["OK:REGISTER:ann"])
        self.assertTrue(ben.ask("REGISTER:secret")[0].startswith("ERR:REGISTER:TOO_MANY:"))
