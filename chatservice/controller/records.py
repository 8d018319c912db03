"""
The state as records: small JSON values that a journal keeps beside its events and hands back at a
restart. The shape of each record is written here once, its making and its reading side by side.
Nothing here stores anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .entities import Account, Room, Topic, User
from .state import RecordKey, State

Record = dict[str, Any]
"""A record's content, of JSON's types."""


def take_dirty(state: State) -> dict[RecordKey, Record | None]:
    """The records that changed since the last call; None says that a record is no more."""
    taken = {key: _KINDS[key[0]][0](state, key[1], key[2]) for key in state.dirty}
    state.dirty.clear()
    return taken


def restore(records: Iterable[tuple[RecordKey, Record]]) -> State:
    """The state that a journal's records describe."""
    state = State()
    by_kind: dict[str, list[tuple[RecordKey, Record]]] = {kind: [] for kind in _KINDS}
    for key, record in records:
        by_kind[key[0]].append((key, record))
    for kind, (_, read) in _KINDS.items():
        for (_, one, other), record in by_kind[kind]:
            read(state, one, other, record)
    state.dirty.clear()
    return state


def _account(state: State, key: str, _: str) -> Record | None:
    account = state.accounts.get(key)
    if account is None:
        return None
    return {"nick": account.nick, "skeleton": account.skeleton, "verifier": account.verifier}


def _read_account(state: State, key: str, _: str, record: Record) -> None:
    state.add_account(Account(key, record["nick"], record["skeleton"], record["verifier"]))


def _user(state: State, key: str, _: str) -> Record | None:
    user = state.users.get(key)
    if user is None:
        return None
    return {
        "nick": user.nick,
        "skeleton": user.skeleton,
        "account": user.account,
        "login": user.login,
    }


def _read_user(state: State, key: str, _: str, record: Record) -> None:
    user = User(key, record["nick"], record["skeleton"], record["account"], record["login"])
    state.add_user(user)


def _room(state: State, id: str, _: str) -> Record | None:
    room = state.rooms_by_id.get(id)
    if room is None:
        return None
    topic = room.topic
    return {
        "name": room.name,
        "key": room.key,
        "skeleton": room.skeleton,
        "owner": room.owner,
        "private": room.private,
        "kept": room.kept,
        "topic": [topic.text, topic.nick, topic.ms] if topic else None,
    }


def _read_room(state: State, id: str, _: str, record: Record) -> None:
    room = Room(id, record["name"], record["key"], record["skeleton"], record["owner"])
    room.private = record["private"]
    room.kept = record["kept"]
    room.topic = Topic(*record["topic"]) if record["topic"] else None
    state.add_room(room)


def _member(state: State, room_id: str, key: str) -> Record | None:
    room = state.rooms_by_id.get(room_id)
    return {} if room is not None and key in room.members else None


def _read_member(state: State, room_id: str, key: str, _: Record) -> None:
    state.enter(state.rooms_by_id[room_id], state.users[key])


def _invitation(state: State, room_id: str, identity: str) -> Record | None:
    room = state.rooms_by_id.get(room_id)
    return {} if room is not None and identity in room.invited else None


def _read_invitation(state: State, room_id: str, identity: str, _: Record) -> None:
    state.invite(state.rooms_by_id[room_id], identity)


_KINDS: dict[
    str,
    tuple[
        Callable[[State, str, str], Record | None],
        Callable[[State, str, str, Record], None],
    ],
] = {
    "account": (_account, _read_account),
    "user": (_user, _read_user),
    "room": (_room, _read_room),
    "member": (_member, _read_member),
    "invitation": (_invitation, _read_invitation),
}
"""
Each kind of record: how it is made, how it is read. Read in this order: a member needs room and
user.
"""
