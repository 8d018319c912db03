"""
Whom and what an event is about, or the error that says that they are gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatservice.controller.entities import Account, Room, User
from chatservice.controller.errors import ChatError, NoSuchRoom, NoSuchUser, NotLoggedIn
from chatservice.controller.events import Event, Joined, Left, PersonalEvent

if TYPE_CHECKING:
    from chatservice.controller.state import State


def visitor(state: State, event: PersonalEvent | Joined | Left) -> User:
    """Whom it is about."""
    return somebody(state, event.actor, event.visit, NotLoggedIn)


def somebody(state: State, key: str, visit: str, error: type[ChatError]) -> User:
    """
    The user who was meant, if that one is still here.

    @param visit: see `PersonalEvent`.
    @param error: what is raised if not.
    """
    user = state.users.get(key)
    if user is None:
        raise error()
    check_visit(user, visit, error)
    return user


def check_visit(user: User, visit: str, error: type[ChatError]) -> None:
    """
    Is that still the user who was meant, and not another one who has the key by now?

    @param visit: see `PersonalEvent`.
    @param error: what is raised if not.
    """
    if visit and user.login != visit:
        raise error()


def place(state: State, event: Event) -> Room:
    """The room that it happened in."""
    try:
        return state.rooms_by_id[event.target]
    except KeyError:
        raise NoSuchRoom() from None


def account(state: State, key: str) -> Account:
    """The account of that key."""
    try:
        return state.accounts[key]
    except KeyError:
        raise NoSuchUser("there is no such account any more") from None


def check_is_somebody(state: State, identity: str) -> None:
    """
    @raise NoSuchUser: it was a guest's, who is gone.
    """
    if identity not in state.identities and identity not in state.accounts:
        raise NoSuchUser()
