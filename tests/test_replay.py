"""One log, one truth: whatever happened, and wherever a restart begins to read, it arrives at the
same state. What comes too late changes nothing, and what is true never contradicts itself.
"""

from __future__ import annotations

import json
import re

from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller.events import EVENTS, SAID
from chatservice.controller.records import Record, restore, take_dirty
from chatservice.controller.state import RecordKey, State
from tests.generated import steady
from tests.lives import (
    BATCHES,
    NICKS,
    POLICY,
    Life,
    Step,
    applied,
    everything,
)
from tests.test_state import all_records, without_idle


def restarted(life: Life, records: dict[RecordKey, Record], mark: int) -> State:
    """The state after a restart from these records, with what the log has after them."""
    # A journal keeps JSON, and gives back what it kept.
    state = restore((key, json.loads(json.dumps(record))) for key, record in records.items())
    for event in life.log[mark:]:
        applied(state, event)
    return state


class ReplayTests(SynchronousTestCase):
    @steady(max_examples=200)
    @given(BATCHES)
    def test_a_restart_at_any_mark_arrives_at_the_same_state(
        self, batches: list[list[Step]]
    ) -> None:
        life = Life(batches)

        for records, mark in life.checkpoints:
            state = restarted(life, records, mark)
            self.assertEqual(everything(state), everything(life.state))

    @steady(max_examples=100)
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
            kept = {key: without_idle(record) for key, record in records.items()}
            self.assertEqual(kept, dict(all_records(life.state)))

    @steady(max_examples=100)
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

    @steady(max_examples=150)
    @given(BATCHES)
    def test_what_comes_too_late_changes_nothing(self, batches: list[list[Step]]) -> None:
        state = State()

        for event in Life(batches).log:
            take_dirty(state)
            before = everything(state)
            if not applied(state, event):
                self.assertEqual((everything(state), state.dirty), (before, set()))


class TruthTests(SynchronousTestCase):
    @steady(max_examples=150)
    @given(BATCHES)
    def test_nothing_is_left_of_those_who_are_gone(self, batches: list[list[Step]]) -> None:
        life = Life([*batches, [("restart", "", "", "")]])

        state = life.state
        self.assertEqual((state.users, state.identities), ({}, {}))
        self.assertEqual([room for room in state.rooms.values() if not room.kept], [])
        for room in state.rooms.values():
            self.assertEqual(room.members, {})
            self.assertIn(room.owner, state.accounts)
            self.assertEqual({*room.invited, *room.roles} - {*state.accounts}, set())
        self.assertEqual(set(state.nick_skeletons.values()), set(state.accounts))
        self.assertEqual(set(state.owned), {room.owner for room in state.rooms.values()})

    @steady(max_examples=150)
    @given(BATCHES)
    def test_the_limits_hold_whoever_comes_at_once(self, batches: list[list[Step]]) -> None:
        state = State()

        for event in Life(batches).log:
            applied(state, event)
            self.assertLessEqual(len(state.rooms), POLICY.rooms)
            for room in state.rooms.values():
                self.assertLessEqual(len(room.members), POLICY.members_per_room)

    @steady(max_examples=200)
    @given(BATCHES)
    def test_the_tables_agree(self, batches: list[list[Step]]) -> None:
        state = State()

        for event in Life(batches).log:
            applied(state, event)
            self.check_users(state)
            self.check_rooms(state)
            self.check_names(state)

    def check_users(self, state: State) -> None:
        self.assertEqual(state.visits, {user.login: user for user in state.users.values()})
        for key, user in state.users.items():
            self.assertEqual(user.key, key)
            self.assertIn(key, state.identities[user.identity])
            self.assertEqual(
                user.identity, user.account or f"{user.identity.split('!')[0]}!{user.login}"
            )
            self.assertTrue(user.account == "" or user.account in state.accounts)
            # No guest, and nobody of another account, has an account's name.
            self.assertTrue(key not in state.accounts or user.account == key)
        self.assertEqual(
            sorted(state.users), sorted(key for keys in state.identities.values() for key in keys)
        )

    def check_rooms(self, state: State) -> None:
        for id, room in state.rooms_by_id.items():
            self.assertEqual((room.id, state.rooms[room.key]), (id, room))
            self.assertIn(id, state.owned[room.owner])
            for key, member in room.members.items():
                self.assertIs(state.users[key], member)
                self.assertIs(member.rooms[id], room)
            for identity, roles in room.roles.items():
                self.assertTrue(roles)
                inside = {member.identity for member in room.members.values()}
                self.assertTrue(identity in state.accounts or identity in inside)
            for identity in room.invited:
                self.assertIn(id, state.invitations[identity])
                self.assertTrue(identity in state.accounts or identity in state.identities)
        for user in state.users.values():
            for room in user.rooms.values():
                self.assertIn(user.key, room.members)
        for ids in (*state.owned.values(), *state.invitations.values()):
            self.assertTrue(ids)
            self.assertLessEqual(ids, state.rooms_by_id.keys())

    def check_names(self, state: State) -> None:
        holders = {**{u.skeleton: u.key for u in state.users.values()}}
        holders.update((account.skeleton, account.key) for account in state.accounts.values())
        self.assertEqual(state.nick_skeletons, holders)
        vouched = {
            f: account.key for account in state.accounts.values() for f in account.certificates
        }
        self.assertEqual(state.certificates, vouched)


class LivesTests(SynchronousTestCase):
    """Else the tests above would not test what they say."""

    def test_some_of_it_comes_too_late(self) -> None:
        crowd: list[list[Step]] = [
            [("log in", nick, "", "") for nick in NICKS],
            [("create", nick, "den", "") for nick in NICKS],
            [("join", nick, "den", "") for nick in NICKS],
        ]

        self.assertGreaterEqual(len(Life(crowd).late), 4)

    def test_there_is_some_of_everything(self) -> None:
        def turns(*steps: str) -> list[list[Step]]:
            taken = (re.fullmatch(r"(.+): (\S+) (\S+) (\S+)", step) for step in steps)
            return [[(step[1], step[2], step[3], step[4])] for step in taken if step]

        life = Life(
            turns(
                "log in: ann - -",
                "register: ann - -",
                "add a certificate: ann - ann",
                "change password: ann - -",
                "become operator: ann - -",
                "log in: bob - -",
                "create: ann den -",
                "join: ann den -",
                "join: bob den -",
                "topic: ann den -",
                "say: bob den -",
                "tag room: bob den -",
                "say to ranks: bob den -",
                "tag ranks: bob den -",
                "tell: bob - ann",
                "tag user: bob - ann",
                "op: ann den bob",
                "private: ann den -",
                "log in: cid - -",
                "invite: ann den cid",
                "away: ann - -",
                "realname: ann - -",
                "change host: ann - bob",
                "wallops: ann - -",
                "kick: ann den bob",
                "leave: ann den -",
                "change nick: bob - coco",
                "identify: coco - ann",
                "transfer: ann den ann",
                "delete: ann den -",
                "kill: ann - cid",
                "restart: - - -",
            )
        )

        self.assertEqual(life.late, [])
        self.assertEqual({event.kind for event in life.log}, set(EVENTS))
        self.assertLessEqual(set(SAID), set(EVENTS))
