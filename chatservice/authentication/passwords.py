"""Passwords and their verifiers: argon2id (RFC 9106) and SCRAM-SHA-256, computed in threads of its
own and never more than asked for.

Whose password it is, and how often it may be guessed, is decided elsewhere. No password is kept,
logged or shown here.
"""

from __future__ import annotations

import base64
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeVar

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY
from precis_i18n import get_profile
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from chatservice.authentication.verifiers import argon2_half, make_verifier
from chatservice.controller.errors import BadPassword, Unavailable

LONGEST_PASSWORD: Final = 1024
"""Bytes of UTF-8."""

_T = TypeVar("_T")
_OPAQUE = get_profile("OpaqueString")


def prepare_password(password: str) -> str:
    """The password as it is hashed: RFC 8265 section 4 (OpaqueString), so that every keyboard's
    form of it is one.

    Raises:
        BadPassword: it is empty, longer than `LONGEST_PASSWORD` or contains what no password may.
    """
    try:
        size = len(password.encode())
    except UnicodeEncodeError:
        raise BadPassword("a password has to be Unicode text") from None
    if not 0 < size <= LONGEST_PASSWORD:
        raise BadPassword(f"a password has 1 to {LONGEST_PASSWORD} bytes")
    try:
        return _OPAQUE.enforce(password)
    except UnicodeEncodeError:
        # The library's error holds the password.
        raise BadPassword("a password cannot contain such characters") from None


class Passwords:
    """Makes verifiers and checks passwords, `threads` at a time.

    A hash takes some 50 ms and 64 MiB, and strangers ask for them: so there is a fixed number of
    threads, a bounded queue before them, and a job whose Deferred is cancelled while it waits is
    never begun.

    Args:
        reactor: where Deferreds fire.
        threads: how many hashes are computed at once.
        max_waiting: how many more may wait.
        parameters: of argon2; RFC 9106's second recommended option unless said.
    """

    def __init__(
        self,
        reactor: IReactorFromThreads,
        threads: int = 2,
        max_waiting: int = 64,
        parameters: Parameters = RFC_9106_LOW_MEMORY,
    ) -> None:
        self._reactor = reactor
        self._threads = threads
        self._max_waiting = max_waiting
        self._hasher = PasswordHasher.from_parameters(parameters)
        self._nobody = _verifier_of_nobody(parameters)
        self._waiting: deque[_Job] = deque()
        self._busy = 0
        self._pool: ThreadPool | None = None
        self._stopped: Deferred[None] | None = None

    def start(self) -> None:
        """Begins to take work; may be called again after `stop` is done."""
        if self._pool is None:
            self._stopped = None
            self._pool = ThreadPool(0, self._threads, "passwords")
            self._pool.start()

    def stop(self) -> Deferred[None]:
        """Refuses what waits and what comes; fires when the hashes begun are done and the threads
        gone."""
        if self._pool is None:
            return succeed(None)
        if self._stopped is None:
            self._stopped = Deferred()
            waiting, self._waiting = self._waiting, deque()
            for job in waiting:
                job.done.errback(Unavailable())
            self._stop_if_idle()
        stopped: Deferred[None] = Deferred()
        self._stopped.addCallback(_tell, stopped)
        return stopped

    def hash(self, password: str) -> Deferred[str]:
        """A verifier of `password`: a PHC string, a space and SCRAM keys (RFC 5803 section 3); the
        first alone if SCRAM can't do the password.

        Raises (as the Deferred's failure):
            BadPassword: it can't be a password.
            Unavailable: too many wait already, or this is not started.
        """
        return self._prepared(password, self._verifier)

    def verify(self, verifier: str | None, password: str) -> Deferred[bool]:
        """Whether `password` is the one that `verifier` was made of.

        Args:
            verifier: what `hash` gave; `None` where there is no account, which takes as long and is
                never true.

        Raises (as the Deferred's failure):
            BadPassword: it can't be a password.
            Unavailable: too many wait already, or this is not started.
            argon2.exceptions.InvalidHashError: `verifier` is none.
        """

        def matches(prepared: str) -> bool:
            try:
                stored = self._nobody if verifier is None else argon2_half(verifier)
                self._hasher.verify(stored, prepared)
            except VerifyMismatchError:
                return False
            return verifier is not None

        return self._prepared(password, matches)

    def _verifier(self, prepared: str) -> str:
        return make_verifier(self._hasher.hash(prepared), prepared)

    def _prepared(self, password: str, work: Callable[[str], _T]) -> Deferred[_T]:
        try:
            prepared = prepare_password(password)
        except BadPassword as error:
            return fail(error)
        return self._submit(lambda: work(prepared))

    def _submit(self, work: Callable[[], _T]) -> Deferred[_T]:
        if self._pool is None or self._stopped is not None:
            return fail(Unavailable())
        if self._busy >= self._threads and len(self._waiting) >= self._max_waiting:
            return fail(Unavailable("too many are logging in; try again in a moment"))
        job = _Job(work, self._forget)
        self._waiting.append(job)
        self._begin()
        return job.done

    def _forget(self, job: _Job) -> None:
        # One that is begun can't be stopped: it keeps its thread, and what it comes to is dropped.
        if job in self._waiting:
            self._waiting.remove(job)

    def _begin(self) -> None:
        while self._pool is not None and self._waiting and self._busy < self._threads:
            job = self._waiting.popleft()
            self._busy += 1
            result = deferToThreadPool(self._reactor, self._pool, job.work)
            result.addBoth(self._finished, job)

    def _finished(self, result: object, job: _Job) -> None:
        self._busy -= 1
        self._begin()
        self._stop_if_idle()
        if job.done.called:
            return
        if isinstance(result, Failure):
            job.done.errback(result)
        else:
            job.done.callback(result)

    def _stop_if_idle(self) -> None:
        if self._stopped is None or self._busy or self._pool is None:
            return
        pool, self._pool = self._pool, None
        pool.stop()
        self._stopped.callback(None)


class _Job:
    """A hash to compute. It has no repr of its own, as its work holds a password."""

    __slots__ = ("done", "work")

    def __init__(self, work: Callable[[], object], forget: Callable[[_Job], None]) -> None:
        self.work = work
        self.done: Deferred[Any] = Deferred(lambda _: forget(self))


def _tell(result: None, waiting: Deferred[None]) -> None:
    waiting.callback(result)


def _verifier_of_nobody(parameters: Parameters) -> str:
    """A verifier that costs what a real one of these parameters costs, and that no password is
    known for."""
    costs = f"m={parameters.memory_cost},t={parameters.time_cost},p={parameters.parallelism}"
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (parameters.salt_len, parameters.hash_len)
    )
    return f"$argon2id$v={parameters.version}${costs}${salt}${digest}"
