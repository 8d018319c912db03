"""
Something was said. It is true as soon as it is stored; here is only noted who has spoken, and
looked whether the one who was to hear it is still the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatservice.controller.errors import NoSuchUser
from chatservice.controller.events import DirectEvent, Event

from .subject import somebody

if TYPE_CHECKING:
    from chatservice.controller.state import State


def said(state: State, event: Event) -> None:
    # The hot path. How long somebody is idle is no reason to write a record.
    user = state.users.get(event.actor)
    if user is not None:
        user.spoke = event.ms


def said_to_user(state: State, event: DirectEvent) -> None:
    somebody(state, event.to, event.to_visit, NoSuchUser)
    said(state, event)
