"""
Who hears something: connections grouped by *wire variant*, which is all whose bytes would be the
same. What they hear, and why, is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from twisted.python.failure import Failure

from chatservice.controller.desk import Variant
from chatservice.controller.events import Event, Killed


class Recipient(Protocol):
    """
    One connection of a user. What one of its methods raises is a defect of that connection alone.

    @ivar key: the user's key; delivery changes it when the user is called something else.
    @ivar login: the id of the event by which the user logged in; delivery changes it when the user
        has come back (see C{lapsed}).
    """

    key: str
    login: str
    variant: Variant

    @property
    def write(self) -> Callable[[bytes], None]:
        """Takes bytes for the client."""

    def echo(self, event: Event, payload: bytes) -> bytes:
        """
        What this client gets of what its own user did. Only asked if the variant does not echo.

        @param payload: what everybody else of the variant gets; perhaps nothing.
        """

    def noticed(self, event: Event) -> None:
        """Something happened that is told one by one: see `Delivery`."""

    def expelled(self, event: Killed) -> None:
        """Its user is put out of the service: the connection is to be closed."""

    def crashed(self, reason: Failure) -> None:
        """Something of its broke: this connection cannot go on."""

    def lost_login(self) -> None:
        """Its user is logged out, whoever asked for that."""

    def lapsed(self) -> None:
        """
        Its user was logged out by others who had lost touch with this server (`LoggedOut.lost`). It
        goes on being told what happens in the user's rooms, until the user has come back, or it is
        detached.
        """

    def displaced(self) -> None:
        """Somebody else has the key of its user, who had lapsed: it is told nothing any more."""

    def forgotten(self) -> None:
        """The state does not know its user: nobody can tell why."""


Writes = dict[Recipient, Callable[[bytes], None]]
Audience = dict[Variant, Writes]
"""Recipients by variant, each with its `write`, which is all that the hot path needs of it."""


def audience_of(recipients: Iterable[Recipient]) -> Audience:
    """These and nobody else."""
    audience: Audience = {}
    for recipient in recipients:
        add(audience, recipient)
    return audience


def add(audience: Audience, recipient: Recipient) -> None:
    """One more."""
    audience.setdefault(recipient.variant, {})[recipient] = recipient.write


def remove(audience: Audience, recipient: Recipient, variant: Variant) -> None:
    """One less, if they are there: of the variant that they were added with."""
    writes = audience.get(variant, {})
    writes.pop(recipient, None)
    if not writes:
        audience.pop(variant, None)


def merge(audience: Audience, more: Audience) -> None:
    """All of these too."""
    for variant, writes in more.items():
        audience.setdefault(variant, {}).update(writes)


def copy_of(audience: Audience) -> Audience:
    """The same people, so that one of the two may change."""
    return {variant: writes.copy() for variant, writes in audience.items()}


def is_in(audience: Audience, recipient: Recipient) -> bool:
    """Are they?"""
    return recipient in audience.get(recipient.variant, ())
