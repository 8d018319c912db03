"""What is stored of a password: one string that checks it when it comes in the open (argon2id) and
when it is only proved to be known (SCRAM-SHA-256).

Makes, reads and writes that string; who may try it, and how often, is decided elsewhere.
"""

from __future__ import annotations

import binascii
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from stringprep import in_table_b1
from typing import Final

from scramp import ScramException, ScramMechanism  # type: ignore[import-untyped]

MECHANISM: Final = "SCRAM-SHA-256"

SCRAM_ITERATIONS: Final = 64_000
"""Rounds of PBKDF2, which every client computes at each login: some 15 ms of a desktop's time.

RFC 7677 section 4 asks for 4096 at least. Whoever steals the journal guesses at this half of a
verifier and not at argon2id's, so it is as many as clients put up with: Cyrus SASL's refuse more
than 65,536, and the services of large IRC networks have had 64,000 for years.
"""

LEAST_ITERATIONS: Final = 4096
"""RFC 7677 section 4; fewer, or a shorter salt than `LEAST_SALT_BYTES`, and clients refuse."""

SALT_BYTES: Final = 16
LEAST_SALT_BYTES: Final = 12

KEY_BYTES: Final = 32
"""SHA-256's."""


@dataclass(frozen=True, slots=True, repr=False)
class ScramKeys:
    """The SCRAM-SHA-256 half of a verifier (RFC 5802 section 3). It has no repr, as it is what a
    thief would guess at.

    Args:
        iterations: of PBKDF2.
        salt: of PBKDF2.
        stored_key: what a client's proof is checked against.
        server_key: what the server proves itself with.
    """

    iterations: int
    salt: bytes
    stored_key: bytes
    server_key: bytes

    @classmethod
    def parse(cls, text: str) -> ScramKeys:
        """The inverse of `str`.

        Raises:
            ValueError: `text` is none; its words do not repeat it.
        """
        try:
            mechanism, cost, keys = text.split("$")
            iterations, salt = cost.split(":")
            stored_key, server_key = keys.split(":")
            decoded = [b64decode(part, validate=True) for part in (salt, stored_key, server_key)]
            parsed = cls(int(iterations), *decoded)
        except (ValueError, binascii.Error):
            raise ValueError("not in the format of RFC 5803") from None
        if mechanism != MECHANISM or {len(key) for key in decoded[1:]} != {KEY_BYTES}:
            raise ValueError(f"not of {MECHANISM}")
        if parsed.iterations < LEAST_ITERATIONS or len(parsed.salt) < LEAST_SALT_BYTES:
            raise ValueError("weaker than clients take")
        return parsed

    def __str__(self) -> str:
        """As it is stored: RFC 5803 section 3."""
        salt, stored_key, server_key = (
            b64encode(part).decode() for part in (self.salt, self.stored_key, self.server_key)
        )
        return f"{MECHANISM}${self.iterations}:{salt}${stored_key}:{server_key}"


def make_verifier(argon2: str, prepared: str) -> str:
    """The verifier of a password. Takes time: not for the reactor's thread.

    Args:
        argon2: its argon2id hash, a PHC string.
        prepared: the password, as `prepare_password` gives it.
    """
    keys = _make_scram_keys(prepared)
    return argon2 if keys is None else f"{argon2} {keys}"


def argon2_half(verifier: str) -> str:
    """The PHC string in a verifier; the older ones are nothing else."""
    return verifier.partition(" ")[0]


def scram_half(verifier: str) -> ScramKeys | None:
    """The SCRAM keys in a verifier, or None if it is one without.

    Raises:
        ValueError: they are unreadable.
    """
    text = verifier.partition(" ")[2]
    return ScramKeys.parse(text) if text else None


def _make_scram_keys(prepared: str) -> ScramKeys | None:
    """None where SCRAM can't do the password: SASLprep (RFC 4013), which it prescribes, knows
    nothing newer than Unicode 3.2 and so refuses many an emoji."""
    # SASLprep drops these. A password of nothing else would be one that is empty, and anybody's.
    if all(map(in_table_b1, prepared)):
        return None
    salt = secrets.token_bytes(SALT_BYTES)
    try:
        info = ScramMechanism(MECHANISM).make_auth_info(prepared, SCRAM_ITERATIONS, salt)
    except ScramException:
        return None
    _, stored_key, server_key, _ = info
    return ScramKeys(SCRAM_ITERATIONS, salt, stored_key, server_key)
