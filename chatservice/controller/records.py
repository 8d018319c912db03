"""
The state as records: small JSON values that a journal keeps beside its events and hands back at a
restart. The shape of each record is written here once, its making and its reading side by side.
Nothing here stores anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from .entities import Account, Departure, Listed, Room, Topic, User
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
    state.departures = dict(sorted(state.departures.items()))
    state.dirty.clear()
    return state


def _account(state: State, key: str, _: str) -> Record | None:
    account = state.accounts.get(key)
    if account is None:
        return None
    return {
        "nick": account.nick,
        "skeleton": account.skeleton,
        "verifier": account.verifier,
        "ms": account.ms,
        "certificates": list(account.certificates),
    }


def _read_account(state: State, key: str, _: str, record: Record) -> None:
    account = Account(
        key, record["nick"], record["skeleton"], record["verifier"], record.get("ms", 0)
    )
    account.certificates = list(record.get("certificates", ()))
    state.add_account(account)


def _user(state: State, key: str, _: str) -> Record | None:
    user = state.users.get(key)
    if user is None:
        return None
    return {
        "nick": user.nick,
        "skeleton": user.skeleton,
        "login": user.login,
        "account": user.account,
        "account_nick": user.account_nick,
        "identity": user.identity,
        "host": user.host,
        "realname": user.realname,
        "away": user.away,
        "flags": sorted(user.flags),
        "ms": user.ms,
        "spoke": user.spoke,
        "node": user.node,
        "secure": user.secure,
    }


def _read_user(state: State, key: str, _: str, record: Record) -> None:
    user = User(
        key,
        record["nick"],
        record["skeleton"],
        record["login"],
        account=record["account"],
        account_nick=record["account_nick"],
    )
    user.identity = record["identity"]  # a guest's has the nick that the visit began with
    user.host, user.realname, user.away = record["host"], record["realname"], record["away"]
    user.flags, user.ms = frozenset(record["flags"]), record["ms"]
    user.spoke = record.get("spoke", user.ms)
    user.node, user.secure = record.get("node", ""), record.get("secure", False)
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
        "kept": room.kept,
        "ms": room.ms,
        "topic": [topic.text, topic.nick, topic.ms] if topic else None,
        "flags": sorted(room.flags),
        "values": dict(room.values),
        "lists": {
            mode: {mask: [listed.nick, listed.ms] for mask, listed in masks.items()}
            for mode, masks in room.lists.items()
        },
        "roles": {identity: sorted(held) for identity, held in room.roles.items()},
    }


def _read_room(state: State, id: str, _: str, record: Record) -> None:
    room = Room(id, record["name"], record["key"], record["skeleton"], record["owner"])
    room.kept, room.ms = record["kept"], record["ms"]
    room.topic = Topic(*record["topic"]) if record["topic"] else None
    room.flags = frozenset(record["flags"])
    room.values = dict(record["values"])
    room.lists = {
        mode: {mask: Listed(*listed) for mask, listed in masks.items()}
        for mode, masks in record["lists"].items()
    }
    room.roles = {identity: set(held) for identity, held in record["roles"].items()}
    state.add_room(room)


def _member(state: State, room_id: str, key: str) -> Record | None:
    room = state.rooms_by_id.get(room_id)
    return {} if room is not None and key in room.members else None


def _read_member(state: State, room_id: str, key: str, _: Record) -> None:
    state.enter(state.rooms_by_id[room_id], state.users[key])


def _invitation(state: State, room_id: str, identity: str) -> Record | None:
    room = state.rooms_by_id.get(room_id)
    if room is None or identity not in room.invited:
        return None
    return {"ms": room.invited[identity]}


def _read_invitation(state: State, room_id: str, identity: str, record: Record) -> None:
    state.invite(state.rooms_by_id[room_id], identity, record.get("ms", 0))


def _departure(state: State, number: str, _: str) -> Record | None:
    departure = state.departures.get(int(number))
    return asdict(departure) if departure is not None else None


def _read_departure(state: State, number: str, _: str, record: Record) -> None:
    state.depart(Departure(**record), int(number))


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
    "departure": (_departure, _read_departure),
}
"""
Each kind of record: how it is made, how it is read. Read in this order: a member needs room and
user.
"""
