"""One log, one truth: whatever happened, and wherever a restart begins to read, it arrives at the
same state. Several people act at once here, so that some of what they do comes too late.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller import requests
from chatservice.controller.entities import User
from chatservice.controller.errors import ChatError
from chatservice.controller.events import Event, ServiceStarted
from chatservice.controller.policy import Policy
from chatservice.controller.records import Record, restore, take_dirty
from chatservice.controller.state import RecordKey, State
from tests.test_state import all_records

POLICY = Policy(rooms=4, rooms_per_user=3, rooms_owned_per_user=2, members_per_room=3)
# The last two look alike.
NICKS = ("ann", "Ann", "bob", "cid", "coco", "\u0441\u043e\u0441\u043e")
ROOMS = ("den", "Den", "hall", "attic", "coco", "\u0441\u043e\u0441\u043e")

Act = Callable[[State, User, str, str], "list[Event]"]


def one(request: Callable[..., Event], *more: object) -> Act:
    """An act that is one request about a room, and perhaps somebody in it."""

    def act(state: State, user: User, room: str, other: str) -> list[Event]:
        who = [other] if request in (requests.invite, requests.kick) else []
        return [request(state, POLICY, user, room, *who, *more)]

    return act


def log_out(state: State, user: User, room: str, other: str) -> list[Event]:
    return requests.log_out(user, "bye")


def register(state: State, user: User, room: str, other: str) -> list[Event]:
    return [requests.register(state, POLICY, user, "argon")]


def bring_in(state: State, user: User, room: str, other: str) -> list[Event]:
    invited = requests.invite(state, POLICY, user, room, other)
    return [invited, requests.bring_in(state, POLICY, invited)]


def tell(state: State, user: User, room: str, other: str) -> list[Event]:
    return [requests.say_to_user(state, POLICY, user, other, "psst")]


ACTS: dict[str, Act] = {
    "create": one(requests.create_room, False),
    "create private": one(requests.create_room, True),
    "delete": one(requests.delete_room),
    "join": one(requests.join),
    "leave": one(requests.leave),
    "invite": one(requests.invite),
    "kick": one(requests.kick),
    "private": one(requests.set_visibility, True),
    "public": one(requests.set_visibility, False),
    "topic": one(requests.set_topic, "tea"),
    "say": one(requests.say_to_room, "hello"),
    "tell": tell,
    "bring in": bring_in,
    "register": register,
    "log out": log_out,
}

LOG_INS = ("log in", "log in as account", "restart")

Step = tuple[str, str, str, str]
STEPS = st.tuples(
    # Most is done by people who are here, in rooms that are there: these are worth more.
    st.sampled_from([*ACTS, "create", "join", "join", "invite", *LOG_INS, *["log in"] * 6]),
    st.sampled_from([*NICKS, *["ann", "bob"] * 6]),
    st.sampled_from([*ROOMS, *["den", "hall"] * 5]),
    st.sampled_from([*NICKS, *["ann", "bob"] * 6]),
)
BATCHES = st.lists(st.lists(STEPS, min_size=1, max_size=6), min_size=1, max_size=25)


def decide(state: State, step: Step) -> list[Event]:
    """The events that somebody's request becomes, if it is allowed as things are."""
    what, nick, room, other = step
    if what == "restart":
        return [ServiceStarted()]
    try:
        name = POLICY.names.nick(nick)
        if what in LOG_INS:
            known = name.key in state.accounts
            event = requests.log_in(state, name, account=what != "log in")
            return (
                [event]
                if known or not event.account
                else [event, requests.reserve(state, POLICY, name)]
            )
        user = state.users.get(name.key)
        return ACTS[what](state, user, room, other) if user is not None else []
    except ChatError:
        return []


def everything(state: State) -> Any:
    """All that a state knows, written down so that two can be compared."""
    users = {
        key: (user.identity, sorted(user.rooms), None if user.account else sorted(user.invitations))
        for key, user in state.users.items()
    }
    return (
        all_records(state),
        users,
        {identity: user.key for identity, user in state.identities.items()},
        {key: (room.id, room.kept, room.owner) for key, room in state.rooms.items()},
        state.owned,
        state.nick_skeletons,
        state.room_skeletons,
    )


class Life:
    """
    A controller and its journal, reduced to what they agree on.

    @ivar log: every event that was stored.
    @ivar checkpoints: the records as they were kept beside each batch, and how much of the log they
        hold.
    """

    def __init__(self, batches: list[list[Step]]) -> None:
        self.state = State()
        self.log: list[Event] = []
        self.checkpoints: list[tuple[dict[RecordKey, Record], int]] = []
        self.late = 0
        self._records: dict[RecordKey, Record] = {}
        for batch in batches:
            # All of a batch is decided by one state, and made true one after another.
            events = [event for step in batch for event in decide(self.state, step)]
            self._keep_records()
            for event in events:
                self.log.append(event)
                event.id, event.ms = str(len(self.log)), len(self.log) * 1000
                self.late += not applied(self.state, event)
        self._keep_records()

    def _keep_records(self) -> None:
        for key, record in take_dirty(self.state).items():
            if record is None:
                self._records.pop(key, None)
            else:
                self._records[key] = record
        self.checkpoints.append((dict(self._records), len(self.log)))


def applied(state: State, event: Event) -> bool:
    """Makes an event true; False if it came too late."""
    try:
        state.apply(event)
    except ChatError:
        return False
    return True


def restarted(life: Life, records: dict[RecordKey, Record], mark: int) -> State:
    """The state after a restart from these records, with what the log has after them."""
    state = restore(records.items())
    for event in life.log[mark:]:
        applied(state, event)
    return state


class ReplayTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=150)
    @given(BATCHES)
    def test_a_restart_at_any_mark_arrives_at_the_same_state(
        self, batches: list[list[Step]]
    ) -> None:
        life = Life(batches)

        for records, mark in life.checkpoints:
            state = restarted(life, records, mark)
            self.assertEqual(everything(state), everything(life.state))

    @settings(deadline=None, max_examples=100)
    @given(BATCHES)
    def test_what_changed_since_a_restart_is_all_that_the_records_lack(
        self, batches: list[list[Step]]
    ) -> None:
        life = Life(batches)

        for records, mark in life.checkpoints:
            state = restarted(life, records, mark)
            for key, record in take_dirty(state).items():
                if record is None:
                    records.pop(key, None)
                else:
                    records[key] = record
            self.assertEqual(records, dict(all_records(life.state)))

    @settings(deadline=None, max_examples=100)
    @given(BATCHES)
    def test_an_event_that_is_applied_again_changes_nothing(
        self, batches: list[list[Step]]
    ) -> None:
        state = State()

        for event in Life(batches).log:
            applied(state, event)
            before = everything(state)
            applied(state, event)
            self.assertEqual(everything(state), before)

    @settings(deadline=None, max_examples=150)
    @given(BATCHES)
    def test_nothing_is_left_of_those_who_are_gone(self, batches: list[list[Step]]) -> None:
        life = Life([*batches, [("restart", "", "", "")]])

        state = life.state
        self.assertEqual((state.users, state.identities), ({}, {}))
        self.assertEqual([room for room in state.rooms.values() if not room.kept], [])
        for room in state.rooms.values():
            self.assertEqual(room.members, {})
            self.assertEqual([who for who in room.invited if who not in state.accounts], [])
        self.assertEqual(set(state.nick_skeletons.values()), set(state.accounts))
        self.assertEqual(set(state.owned), {room.owner for room in state.rooms.values()})

    @settings(deadline=None, max_examples=150)
    @given(BATCHES)
    def test_the_limits_hold_whoever_comes_at_once(self, batches: list[list[Step]]) -> None:
        state = State()

        for event in Life(batches).log:
            applied(state, event)
            self.assertLessEqual(len(state.rooms), POLICY.rooms)
            for room in state.rooms.values():
                self.assertLessEqual(len(room.members), POLICY.members_per_room)

    @settings(deadline=None, max_examples=150)
    @given(BATCHES)
    def test_who_is_in_a_room_is_here_and_knows_it(self, batches: list[list[Step]]) -> None:
        state = Life(batches).state

        for room in state.rooms.values():
            for key, user in room.members.items():
                self.assertIs(state.users[key], user)
                self.assertIs(user.rooms[room.id], room)
        for user in state.users.values():
            for room in user.rooms.values():
                self.assertIn(user.key, room.members)

    def test_some_of_it_comes_too_late(self) -> None:
        # Else the tests above would not test what they say.
        crowd: list[list[Step]] = [
            [("log in", nick, "", "") for nick in NICKS],
            [("create", nick, "den", "") for nick in NICKS],
            [("join", nick, "den", "") for nick in NICKS],
        ]

        self.assertGreaterEqual(Life(crowd).late, 4)
