"""
What each event makes true: one function an event, which gets the state and the event, changes the
state, or raises the error that says why the event came too late to fit, and then changes nothing.
They are deterministic, so that a restarted controller and a second node arrive at the same state.

Only `State.apply` calls them. What somebody may do was decided before, in `requests`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatservice.controller import events

from . import accounts, membership, modes, rooms, talk, users


def _nothing(state: object, event: object) -> None:
    """It changes nothing but the history."""


APPLY: dict[type[events.Event], Callable[[Any, Any], None]] = {
    events.ServiceStarted: users.started,
    events.LoggedIn: users.logged_in,
    events.LoggedOut: users.logged_out,
    events.NickChanged: users.nick_changed,
    events.AwayChanged: users.away_changed,
    events.RealnameChanged: users.realname_changed,
    events.HostChanged: users.host_changed,
    events.UserFlagsChanged: users.user_flags_changed,
    events.Registered: accounts.registered,
    events.AccountChanged: accounts.account_changed,
    events.PasswordChanged: accounts.password_changed,
    events.CertificateChanged: accounts.certificate_changed,
    events.Killed: users.killed,
    events.Wallops: _nothing,
    events.RoomCreated: rooms.room_created,
    events.RoomDeleted: rooms.room_deleted,
    events.VisibilityChanged: rooms.visibility_changed,
    events.Transferred: rooms.transferred,
    events.TopicChanged: rooms.topic_changed,
    events.ModesChanged: modes.modes_changed,
    events.Joined: membership.joined,
    events.Left: membership.left,
    events.Kicked: membership.kicked,
    events.Invited: membership.invited,
    events.Message: talk.said,
    events.TagMessage: talk.said,
    events.RankedMessage: talk.said,
    events.RankedTag: talk.said,
    events.DirectMessage: talk.said_to_user,
    events.DirectTag: talk.said_to_user,
}
"""Each kind of event, and what makes it true."""

__all__ = ["APPLY"]
