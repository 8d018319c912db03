"""SCRAM-SHA-256: who proves to know a password, with messages as real clients send them and as
nobody should."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from typing import Any

from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from hypothesis import given
from hypothesis import strategies as st
from scramp import ScramClient, ScramMechanism  # type: ignore[import-untyped]
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from chatservice.authentication.login import Authenticator
from chatservice.authentication.passwords import Passwords
from chatservice.authentication.portal import Account, make_portal
from chatservice.authentication.scram import LONGEST_MESSAGE, ScramExchange
from chatservice.authentication.throttle import Throttle
from chatservice.authentication.verifiers import SALT_BYTES, SCRAM_ITERATIONS, make_verifier
from chatservice.controller.errors import BadPassword, ChatError, TooFast, Unavailable
from tests.generated import steady

SECRET = "pencil"
ADDRESS = "192.0.2.1"
OLD_VERIFIER = PasswordHasher.from_parameters(CHEAPEST).hash(SECRET)
VERIFIER = make_verifier(OLD_VERIFIER, SECRET)

# RFC 7677 section 3.
RFC_VERIFIER = (
    "$argon2id$ SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)
RFC_SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
RFC_CLIENT_FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
RFC_SERVER_FIRST = (
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
)
RFC_CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
RFC_SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


class ScramCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.throttle = Throttle(self.clock)
        self.accounts = {
            "alice": VERIFIER,
            "zoë": VERIFIER,
            "old": OLD_VERIFIER,
            "cheap": RFC_VERIFIER,
        }
        self.authenticator = self.make_authenticator(b"kept")

    def make_authenticator(self, secret: bytes) -> Authenticator:
        passwords = Passwords(self.clock, parameters=CHEAPEST)  # type: ignore[arg-type]
        return Authenticator(
            make_portal(self.accounts.get, passwords),
            self.throttle,
            self.clock,
            verifier_of=self.accounts.get,
            account_of_certificate=lambda _: None,
            digest=lambda purpose, text: hmac.digest(
                secret, f"{purpose} {text}".encode(), "sha256"
            ),
        )

    def exchange(self, address: str = ADDRESS) -> ScramExchange:
        return self.authenticator.scram(address)

    def begin(
        self, nick: str = "alice", password: str = SECRET, exchange: ScramExchange | None = None
    ) -> tuple[ScramExchange, Any, bytes]:
        """An exchange that waits for client-final-message, its client, and that message."""
        exchange = exchange or self.exchange()
        client = ScramClient(["SCRAM-SHA-256"], nick, password)
        answer = self.ask(exchange.first(client.get_client_first().encode()))
        client.set_server_first(answer.decode())
        return exchange, client, client.get_client_final().encode()

    def attempt(self, nick: str = "alice", password: str = SECRET) -> Deferred[Any]:
        exchange, _, final = self.begin(nick, password)
        return Deferred.fromCoroutine(exchange.final(final))

    def ask(self, answer: Any) -> Any:
        return self.successResultOf(Deferred.fromCoroutine(answer))

    def refuse(self, answer: Any, error: type[ChatError] = BadPassword) -> str:
        failure = self.failureResultOf(Deferred.fromCoroutine(answer), error)
        return str(failure.value)

    def guess(self, times: int) -> None:
        for _ in range(times):
            self.clock.advance(30)
            self.failureResultOf(self.attempt(password="guess"), BadPassword)


class RightTests(ScramCase):
    def test_the_right_password_leads_to_the_account(self) -> None:
        exchange, client, final = self.begin("Alice")

        answer, account = self.ask(exchange.final(final))

        client.set_server_final(answer.decode())
        self.assertEqual(account, Account("Alice", "alice"))
        self.assertEqual(len(self.throttle), 0)

    def test_a_name_is_compared_as_everywhere_else(self) -> None:
        _, account = self.successResultOf(self.attempt("Zoë"))

        self.assertEqual(account, Account("Zoë", "zoë"))

    def test_the_example_of_rfc_7677_comes_out_as_it_says(self) -> None:
        self.accounts["user"] = RFC_VERIFIER
        exchange = self.exchange()
        server = ScramMechanism().make_server(exchange._look_up, s_nonce=RFC_SERVER_NONCE)
        self.patch(exchange, "_server", server)

        self.assertEqual(self.ask(exchange.first(RFC_CLIENT_FIRST)), RFC_SERVER_FIRST)
        self.assertEqual(
            self.ask(exchange.final(RFC_CLIENT_FINAL)), (RFC_SERVER_FINAL, Account("user", "user"))
        )

    def test_a_client_that_could_bind_a_channel_may_say_so(self) -> None:
        exchange = self.exchange()
        client = ScramClient(["SCRAM-SHA-256"], "alice", SECRET, ("tls-unique", b"any"))
        first = client.get_client_first()
        self.assertTrue(first.startswith("y,,"))

        client.set_server_first(self.ask(exchange.first(first.encode())).decode())
        _, account = self.ask(exchange.final(client.get_client_final().encode()))

        self.assertEqual(account.key, "alice")

    def test_a_password_proved_is_a_right_one_for_the_throttle(self) -> None:
        self.guess(2)
        self.successResultOf(self.attempt())

        self.guess(2)
        self.successResultOf(self.attempt())


class WrongTests(ScramCase):
    def test_a_wrong_password_is_refused(self) -> None:
        self.failureResultOf(self.attempt(password="guess"), BadPassword)

    def test_who_has_no_account_or_one_without_scram_is_told_the_same(self) -> None:
        words = set()
        for nick, password in (("alice", "guess"), ("nobody", SECRET), ("old", SECRET)):
            self.clock.advance(30)
            failure = self.failureResultOf(self.attempt(nick, password), BadPassword)
            words.add(str(failure.value))

        self.assertEqual(len(words), 1)

    def test_salt_and_count_of_nobody_look_like_somebodys_and_stay_the_same(self) -> None:
        salts = {nick: self.salt_of(nick) for nick in ("alice", "old", "nobody", "another")}

        self.assertEqual(len(set(salts.values())), 4)
        for nick, salt in salts.items():
            self.assertEqual(len(salt), SALT_BYTES)
            self.assertEqual(self.salt_of(nick.title()), salt)
        self.authenticator = self.make_authenticator(b"kept")
        self.assertEqual(self.salt_of("nobody"), salts["nobody"])
        self.authenticator = self.make_authenticator(b"another")
        self.assertNotEqual(self.salt_of("nobody"), salts["nobody"])

    def salt_of(self, nick: str) -> bytes:
        answer: bytes = self.ask(self.exchange().first(f"n,,n={nick},r=nonce".encode()))
        _, salt, count = answer.decode().split(",")
        self.assertEqual(count, f"i={SCRAM_ITERATIONS}")
        return b64decode(salt.removeprefix("s="))

    def test_binding_a_channel_or_acting_for_somebody_is_refused(self) -> None:
        for header in ("p=tls-exporter,,", "p=tls-unique,,", "n,a=bob,", "n,a=alice,", "x,,", ""):
            self.refuse(self.exchange().first(f"{header}n=alice,r=nonce".encode()))

    def test_a_header_that_is_not_the_first_ones_again_is_refused(self) -> None:
        for header in (b"y,,", b"n,a=bob,", b""):
            exchange, _, final = self.begin()
            other = final.replace(b"c=biws", b"c=" + b64encode(header))
            self.clock.advance(30)

            self.refuse(exchange.final(other))

    def test_a_header_that_differs_is_refused_even_if_the_proof_is_right(self) -> None:
        class Lax:
            """The library as it was: it takes any header whose proof is right."""

            def set_client_final(self, message: str) -> None:
                pass

            def get_server_final(self) -> str:
                return "v="

        exchange, _, _ = self.begin()
        self.patch(exchange, "_server", Lax())

        self.refuse(exchange.final(b"c=" + b64encode(b"y,,") + b",r=nonce,p=AAAA"))

    def test_what_cannot_be_a_nick_is_refused(self) -> None:
        for nick in ("two words", "=", "=2C", "", "\u202e", "x" * 500):
            self.refuse(self.exchange().first(f"n,,n={nick},r=nonce".encode()))

    def test_an_extension_that_must_be_known_is_refused(self) -> None:
        self.refuse(self.exchange().first(b"n,,m=future,n=alice,r=nonce"))

    def test_too_long_a_message_is_refused(self) -> None:
        filler = b"x" * LONGEST_MESSAGE

        self.refuse(self.exchange().first(b"n,,n=alice,r=" + filler))
        exchange, _, final = self.begin()
        self.refuse(exchange.final(final + filler))

    def test_messages_out_of_order_are_refused(self) -> None:
        exchange, _, final = self.begin()

        self.refuse(exchange.first(b"n,,n=alice,r=nonce"))
        self.refuse(exchange.final(final))
        self.refuse(self.exchange().final(final))

    def test_a_proof_is_good_once(self) -> None:
        exchange, _, final = self.begin()
        self.ask(exchange.final(final))

        self.refuse(exchange.final(final))
        self.refuse(self.begin(exchange=self.exchange())[0].final(final))

    def test_a_password_changed_meanwhile_is_no_longer_the_right_one(self) -> None:
        for verifier in (make_verifier(OLD_VERIFIER, "another"), OLD_VERIFIER, None):
            self.accounts["alice"] = VERIFIER
            exchange, _, final = self.begin()
            self.accounts.pop("alice")
            if verifier is not None:
                self.accounts["alice"] = verifier

            self.refuse(exchange.final(final))

    def test_an_unusable_verifier_is_logged_and_nobody_can_say(self) -> None:
        self.accounts["alice"] = f"{OLD_VERIFIER} SCRAM-SHA-256$rubbish"
        exchange, _, final = self.begin()

        with capturedLogs() as events:
            self.refuse(exchange.final(final), Unavailable)

        logged = "\n".join(f"{formatEvent(event)} {event!r}" for event in events)
        self.assertIn("verifier of alice is unusable", logged)
        self.assertNotIn("rubbish", logged)
        self.assertEqual(len(self.throttle), 0)


class TurnTests(ScramCase):
    def test_wrong_proofs_slow_the_next_attempt(self) -> None:
        for _ in range(3):
            self.failureResultOf(self.attempt(password="guess"), BadPassword)

        waiting = self.attempt()
        self.assertNoResult(waiting)
        self.clock.advance(1)

        _, account = self.successResultOf(waiting)
        self.assertEqual(account.name, "alice")

    def test_proofs_and_passwords_share_their_turns(self) -> None:
        self.guess(3)

        password = Deferred.fromCoroutine(self.authenticator.authenticate("alice", SECRET, ADDRESS))

        self.assertNoResult(password)
        password.cancel()
        self.failureResultOf(password, CancelledError)

    def test_guessing_on_and_on_is_refused(self) -> None:
        self.guess(8)
        waiting = self.attempt()

        self.failureResultOf(self.attempt(), TooFast)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)

    def test_a_client_that_never_sends_its_proof_keeps_nobody_waiting(self) -> None:
        for _ in range(100):
            self.begin()

        self.assertEqual(len(self.throttle), 0)
        self.successResultOf(self.attempt())

    def test_to_abandon_an_exchange_leaves_nothing_behind(self) -> None:
        self.guess(3)
        remembered = len(self.throttle)
        exchange, _, final = self.begin()
        waiting = Deferred.fromCoroutine(exchange.final(final))
        self.assertNoResult(waiting)

        exchange.abandon()

        self.failureResultOf(waiting, CancelledError)
        self.assertEqual((len(self.throttle), self.clock.getDelayedCalls()), (remembered, []))
        self.refuse(exchange.final(final))

    def test_an_exchange_abandoned_between_its_messages_is_over(self) -> None:
        exchange, _, final = self.begin()

        exchange.abandon()

        self.refuse(exchange.final(final))
        self.refuse(exchange.first(b"n,,n=alice,r=nonce"))
        untouched = self.exchange()
        untouched.abandon()
        self.refuse(untouched.first(b"n,,n=alice,r=nonce"))

    def test_going_away_while_waiting_leaves_nothing_behind(self) -> None:
        self.guess(3)
        waiting = self.attempt()

        waiting.cancel()

        self.failureResultOf(waiting, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])


PIECES = st.sampled_from(
    "n,, y,, p=tls-unique,, n=alice n==2C n= r=nonce r= c=biws c=eSws c=ü "
    f"p=AAAA p=ü p={b64encode(bytes(32)).decode()} m=x x=y , = \0".split(" ")
)
MESSAGES = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=100).map(str.encode),
    st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=8).map(",".join).map(str.encode),
)


class GarbageTests(ScramCase):
    @steady(300)
    @given(first=MESSAGES, final=MESSAGES)
    def test_whatever_is_sent_is_answered_or_refused(self, first: bytes, final: bytes) -> None:
        exchange = self.exchange()
        self.tell(exchange.first(first))
        self.tell(exchange.final(final))

    @steady(300)
    @given(final=MESSAGES)
    def test_whatever_follows_a_good_beginning_is_refused(self, final: bytes) -> None:
        exchange = self.exchange()
        self.ask(exchange.first(b"n,,n=alice,r=nonce"))

        self.assertIsInstance(self.tell(exchange.final(final)), BadPassword)

    @steady(200)
    @given(data=st.data())
    def test_no_message_but_the_very_one_is_a_proof(self, data: st.DataObject) -> None:
        exchange, _, final = self.begin("cheap")
        # The character before the "=" holds bits that mean nothing.
        place = data.draw(st.integers(0, len(final) - 1).filter(lambda at: at != len(final) - 2))
        other = data.draw(st.integers(0, 255).filter(lambda byte: byte != final[place]))
        changed = bytearray(final)
        changed[place] = other

        self.assertIsInstance(self.tell(exchange.final(bytes(changed))), BadPassword)

    def tell(self, answer: Any) -> object:
        """What comes back: an answer, or a refusal that has a code, and at once."""
        self.clock.advance(3600)
        came: list[object] = []
        answered = Deferred.fromCoroutine(answer)
        answered.addErrback(lambda failure: failure.trap(ChatError) and failure.value)
        answered.addCallback(came.append)
        self.clock.advance(30)
        self.successResultOf(answered)
        return came[0]
