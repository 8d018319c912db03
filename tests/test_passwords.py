"""Hashing passwords off the reactor's thread, a bounded number at a time."""

from __future__ import annotations

import threading
from base64 import b64decode
from typing import Any, cast

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY
from scramp import ScramMechanism  # type: ignore[import-untyped]
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from chatservice.authentication.passwords import (
    LONGEST_PASSWORD,
    Passwords,
    _verifier_of_nobody,
    prepare_password,
)
from chatservice.authentication.verifiers import (
    SCRAM_ITERATIONS,
    ScramKeys,
    argon2_half,
    scram_half,
)
from chatservice.controller.errors import BadPassword, Unavailable


class PreparePasswordTests(SynchronousTestCase):
    def test_one_to_1024_bytes_are_a_password(self) -> None:
        for password in ("x", "with spaces and ümlauts", "a" * LONGEST_PASSWORD):
            self.assertEqual(prepare_password(password), password)

    def test_nothing_and_too_much_are_not(self) -> None:
        for password in ("", "a" * (LONGEST_PASSWORD + 1), "ü" * (LONGEST_PASSWORD // 2 + 1)):
            self.assertRaises(BadPassword, prepare_password, password)

    def test_what_no_keyboard_sends_is_not(self) -> None:
        for password in ("a\0b", "a\nb", "\ud800", "a\u202eb"):
            self.assertRaises(BadPassword, prepare_password, password)

    def test_every_form_of_a_letter_is_one_password(self) -> None:
        self.assertEqual(prepare_password("u\u0308"), prepare_password("\u00fc"))

    def test_the_error_does_not_hold_the_password(self) -> None:
        error = self.assertRaises(BadPassword, prepare_password, "secret\0")

        self.assertNotIn("secret", repr(error) + repr(error.__cause__))
        self.assertTrue(error.__suppress_context__)


class NobodyTests(SynchronousTestCase):
    def test_a_verifier_of_nobody_costs_what_a_real_one_does(self) -> None:
        for parameters in (CHEAPEST, RFC_9106_LOW_MEMORY):
            self.assertEqual(extract_parameters(_verifier_of_nobody(parameters)), parameters)

    def test_every_one_is_different(self) -> None:
        self.assertNotEqual(_verifier_of_nobody(CHEAPEST), _verifier_of_nobody(CHEAPEST))


class ScramKeysTests(SynchronousTestCase):
    # Of RFC 7677 section 3's example: its salt, its count, the password pencil.
    TEXT = (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )

    def test_they_are_written_as_rfc_5803_says_and_read_again(self) -> None:
        salt = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
        _, stored_key, server_key, _ = ScramMechanism().make_auth_info("pencil", 4096, salt)
        keys = ScramKeys(4096, salt, stored_key, server_key)

        self.assertEqual(str(keys), self.TEXT)
        self.assertEqual(ScramKeys.parse(self.TEXT), keys)

    def test_what_is_none_is_refused_without_repeating_it(self) -> None:
        for text in (
            "",
            "SCRAM-SHA-256",
            self.TEXT.replace("256", "1", 1),
            self.TEXT.replace("4096", "4095"),
            self.TEXT.replace("4096", "many"),
            self.TEXT.replace("W22ZaJ0SNY7soEsUEjb6gQ==", "W22Z"),
            self.TEXT.replace("WG5d", ""),
            self.TEXT.replace("WG5d", "WG!d"),
            self.TEXT + "$",
        ):
            error = self.assertRaises(ValueError, ScramKeys.parse, text)

            self.assertNotIn("W22Z", str(error))
            self.assertTrue(error.__suppress_context__ or error.__context__ is None)

    def test_they_do_not_show_themselves(self) -> None:
        self.assertNotIn("WG5d", repr(ScramKeys.parse(self.TEXT)))


class PasswordsTests(TestCase):
    def setUp(self) -> None:
        real = cast(IReactorFromThreads, reactor)
        self.passwords = Passwords(real, threads=1, max_waiting=2, parameters=CHEAPEST)
        self.passwords.start()
        self.addCleanup(self.passwords.stop)

    def slow_hasher(self) -> threading.Event:
        """Makes hashes wait until the event returned is set."""
        go_on = threading.Event()
        hasher = self.passwords._hasher

        class Slow:
            def hash(self, password: str) -> str:
                go_on.wait()
                return hasher.hash(password)

        self.patch(self.passwords, "_hasher", Slow())
        self.addCleanup(go_on.set)
        return go_on

    async def test_the_right_password_is_told_from_a_wrong_one(self) -> None:
        verifier = await self.passwords.hash("correct horse")

        self.assertTrue(verifier.startswith("$argon2id$"))
        self.assertIs(await self.passwords.verify(verifier, "correct horse"), True)
        self.assertIs(await self.passwords.verify(verifier, "battery staple"), False)

    async def test_a_verifier_from_before_scram_is_still_one(self) -> None:
        verifier = PasswordHasher.from_parameters(CHEAPEST).hash("correct horse")

        self.assertIs(await self.passwords.verify(verifier, "correct horse"), True)
        self.assertIs(await self.passwords.verify(verifier, "battery staple"), False)

    async def test_a_verifier_holds_scrams_keys_of_the_same_password(self) -> None:
        for password in ("correct horse", "u\u0308"):
            keys = scram_half(await self.passwords.hash(password))

            assert keys is not None
            self.assertEqual(keys.iterations, SCRAM_ITERATIONS)
            prepared = prepare_password(password)
            info = ScramMechanism().make_auth_info(prepared, SCRAM_ITERATIONS, keys.salt)
            self.assertEqual(info[1:3], (keys.stored_key, keys.server_key))

    async def test_what_saslprep_refuses_or_drops_makes_a_verifier_without_scrams_keys(
        self,
    ) -> None:
        for password in ("\U0001f511 of my house", "\u1806", "\u1806\u1806"):
            verifier = await self.passwords.hash(password)

            self.assertIsNone(scram_half(verifier))
            self.assertIs(await self.passwords.verify(verifier, password), True)

    async def test_two_hashes_of_one_password_differ(self) -> None:
        one, other = [await self.passwords.hash("x") for _ in range(2)]

        self.assertEqual(set(one.split()) & set(other.split()), set())

    async def test_without_an_account_no_password_is_right_but_one_is_computed(self) -> None:
        asked: list[str] = []

        class Watching:
            def verify(self, verifier: str, password: str) -> bool:
                asked.append(verifier)
                return True

        self.patch(self.passwords, "_hasher", Watching())

        self.assertIs(await self.passwords.verify(None, "x"), False)
        self.assertEqual(asked, [self.passwords._nobody])

    async def test_an_unusable_verifier_is_an_error_not_an_answer(self) -> None:
        for verifier in ("", "plain text"):
            await self.assertFailure(self.passwords.verify(verifier, "x"), InvalidHashError)

    async def test_no_hash_is_computed_in_the_reactors_thread(self) -> None:
        threads: list[int] = []

        class Watching:
            def hash(self, password: str) -> str:
                threads.append(threading.get_ident())
                return "verifier"

        self.patch(self.passwords, "_hasher", Watching())
        await self.passwords.hash("x")

        self.assertNotIn(threading.get_ident(), threads)
        self.assertEqual(len(threads), 1)

    async def test_what_is_no_password_is_refused(self) -> None:
        await self.assertFailure(self.passwords.hash(""), BadPassword)
        await self.assertFailure(self.passwords.verify(None, "x" * 1025), BadPassword)

    async def test_more_than_may_wait_are_refused_at_once(self) -> None:
        go_on = self.slow_hasher()
        accepted = [self.passwords.hash("x") for _ in range(3)]

        self.assert_refused_at_once(self.passwords.hash("x"))

        go_on.set()
        self.assertEqual(len(await gatherResults(accepted)), 3)

    async def test_giving_up_while_waiting_makes_room(self) -> None:
        go_on = self.slow_hasher()
        begun, given_up, waiting = (self.passwords.hash("x") for _ in range(3))
        given_up.cancel()
        await self.assertFailure(given_up, CancelledError)

        another = self.passwords.hash("x")

        go_on.set()
        self.assertEqual(len(await gatherResults([begun, waiting, another])), 3)

    async def test_giving_up_what_is_begun_frees_no_thread(self) -> None:
        go_on = self.slow_hasher()
        begun, first, second = (self.passwords.hash("x") for _ in range(3))
        begun.cancel()
        await self.assertFailure(begun, CancelledError)

        self.assert_refused_at_once(self.passwords.hash("x"))

        go_on.set()
        self.assertEqual(len(await gatherResults([first, second])), 2)

    async def test_stopping_refuses_what_waits_and_finishes_what_is_begun(self) -> None:
        go_on = self.slow_hasher()
        begun, waiting = self.passwords.hash("x"), self.passwords.hash("x")

        stopped, again = self.passwords.stop(), self.passwords.stop()
        await self.assertFailure(waiting, Unavailable)
        self.assert_refused_at_once(self.passwords.hash("x"))
        self.assertFalse(stopped.called)

        go_on.set()
        self.assertTrue(PasswordHasher().verify(argon2_half(await begun), "x"))
        await stopped
        await again

    async def test_it_can_be_started_again(self) -> None:
        await self.passwords.stop()
        await self.assertFailure(self.passwords.hash("x"), Unavailable)

        self.passwords.start()

        self.assertTrue(await self.passwords.hash("x"))

    def assert_refused_at_once(self, refused: Deferred[Any]) -> None:
        failures: list[Failure] = []
        refused.addErrback(failures.append)
        self.assertEqual([failure.type for failure in failures], [Unavailable])
