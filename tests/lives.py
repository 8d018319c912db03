"""Random lives of a service, for tests of replaying: what people do, decided by the real requests,
stored in a log, and made true. Several act at once, so that some of what they do comes too late.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from chatservice.controller import modes, requests
from chatservice.controller.entities import User
from chatservice.controller.errors import ChatError
from chatservice.controller.events import Event, ServiceStarted
from chatservice.controller.policy import Policy
from chatservice.controller.records import Record, take_dirty
from chatservice.controller.state import RecordKey, State
from tests.test_state import all_records

POLICY = Policy(
    rooms=4,
    rooms_per_user=3,
    rooms_owned_per_user=2,
    members_per_room=3,
    masks_per_room=3,
    roles_per_room=3,
    certificates_per_account=2,
    operators=frozenset({"ann"}),
)
# The last two look alike.
NICKS = ("ann", "Ann", "bob", "cid", "coco", "\u0441\u043e\u0441\u043e")
ROOMS = ("den", "Den", "hall", "attic", "coco", "\u0441\u043e\u0441\u043e")
FINGERPRINTS = ("1" * 64, "2" * 64)

Act = Callable[[State, User, str, str], "list[Event]"]


def about_room(request: Callable[..., Event], *more: object) -> Act:
    """An act that is one request about a room."""
    return lambda state, user, room, other: [request(state, POLICY, user, room, *more)]


def about_member(request: Callable[..., Event], *more: object) -> Act:
    """An act that is one request about somebody in a room."""
    return lambda state, user, room, other: [request(state, POLICY, user, room, other, *more)]


def about_user(request: Callable[..., Event], *more: object) -> Act:
    """An act that is one request about somebody."""
    return lambda state, user, room, other: [request(state, POLICY, user, other, *more)]


def of_oneself(request: Callable[..., Event], *more: object) -> Act:
    """An act that is one request about oneself."""
    return lambda state, user, room, other: [request(state, POLICY, user, *more)]


def change_modes(*wanted: tuple[bool, str, str]) -> Act:
    """An act that changes modes; a value may have the other's nick in it."""

    def act(state: State, user: User, room: str, other: str) -> list[Event]:
        filled = [(on, mode, value.format(other)) for on, mode, value in wanted]
        event, _ = requests.change_modes(state, POLICY, user, room, filled)
        return [event] if event is not None else []

    return act


def set_flags(*changes: tuple[bool, str]) -> Act:
    """An act that changes flags of one's own."""

    def act(state: State, user: User, room: str, other: str) -> list[Event]:
        event = requests.change_user_flag(user, changes)
        return [event] if event is not None else []

    return act


def log_out(state: State, user: User, room: str, other: str) -> list[Event]:
    return requests.log_out(user, "bye")


def bring_in(state: State, user: User, room: str, other: str) -> list[Event]:
    invited = requests.invite(state, POLICY, user, room, other)
    return [invited, requests.bring_in(state, POLICY, invited)]


def identify(state: State, user: User, room: str, other: str) -> list[Event]:
    """Is logged in to the account that the other nick is."""
    return requests.identify(state, POLICY, user, POLICY.names.nick(other))


def leave_account(state: State, user: User, room: str, other: str) -> list[Event]:
    return [requests.change_account(state, user, None)]


def remove_certificate(state: State, user: User, room: str, other: str) -> list[Event]:
    return [requests.remove_certificate(state, user, FINGERPRINTS[0])]


def change_password(state: State, user: User, room: str, other: str) -> list[Event]:
    return [requests.change_password(state, user, "another")]


def become_operator(state: State, user: User, room: str, other: str) -> list[Event]:
    account = requests.own_account(state, user)
    return [requests.become_operator(POLICY, user, account)]


def kill(state: State, user: User, room: str, other: str) -> list[Event]:
    return requests.kill(state, POLICY, user, other, "enough")


def reclaim(state: State, user: User, room: str, other: str) -> list[Event]:
    account = requests.own_account(state, user)
    return requests.reclaim(state, POLICY, user, other, account)


ACTS: dict[str, Act] = {
    "create": about_room(requests.create_room, False),
    "create private": about_room(requests.create_room, True),
    "delete": about_room(requests.delete_room),
    "join": about_room(requests.join),
    "leave": about_room(requests.leave),
    "private": about_room(requests.set_visibility, True),
    "public": about_room(requests.set_visibility, False),
    "topic": about_room(requests.set_topic, "tea"),
    "say": about_room(requests.say_to_room, "hello"),
    "tag ranks": about_room(requests.tag_ranks, modes.VOICE, {"+typing": "active"}),
    "tag room": about_room(requests.tag_room, {"+typing": "active"}),
    "say to ranks": about_room(requests.say_to_ranks, modes.VOICE, "psst"),
    "invite": about_member(requests.invite),
    "kick": about_member(requests.kick),
    "transfer": about_member(requests.transfer),
    "bring in": bring_in,
    "op": change_modes((True, modes.OPERATOR, "{}")),
    "voice": change_modes((True, modes.VOICE, "{}"), (True, modes.MODERATED, "")),
    "own together": change_modes((True, modes.OWNER, "{}"), (True, modes.ADMIN, "{}")),
    "deop": change_modes((False, modes.OPERATOR, "{}"), (False, modes.OWNER, "{}")),
    "ban": change_modes((True, modes.BAN, "{}!*@*"), (True, modes.BAN, "m:b*")),
    "unban": change_modes((False, modes.BAN, "{}!*@*"), (True, modes.EXCEPTION, "{}")),
    "lock": change_modes((True, modes.KEY, "k"), (True, modes.LIMIT, "2")),
    "unlock": change_modes((False, modes.KEY, ""), (True, modes.FORWARD, "hall")),
    "for accounts": change_modes(
        (True, modes.ACCOUNTS_ENTER, ""),
        (False, modes.MODERATED, ""),
        (True, modes.INVITE_EXCEPTION, "a:*"),
    ),
    "tell": about_user(requests.say_to_user, "psst"),
    "tag user": about_user(requests.tag_user, {"+typing": "done"}),
    "change nick": about_user(requests.change_nick),
    "change host": about_user(requests.change_host, "a.b"),
    "away": of_oneself(requests.set_away, "tea"),
    "back": of_oneself(requests.set_away, ""),
    "realname": of_oneself(requests.set_realname, "A. B."),
    "wallops": of_oneself(requests.wallops, "all"),
    "flags": set_flags((True, modes.BOT), (True, modes.INVISIBLE)),
    "fewer flags": set_flags((False, modes.BOT), (False, modes.SERVER_OPERATOR)),
    "register": of_oneself(requests.register, "argon"),
    "identify": identify,
    "leave account": leave_account,
    "change password": change_password,
    "add a certificate": of_oneself(requests.add_certificate, FINGERPRINTS[0]),
    "add another": of_oneself(requests.add_certificate, FINGERPRINTS[1]),
    "remove a certificate": remove_certificate,
    "become operator": become_operator,
    "kill": kill,
    "reclaim": reclaim,
    "log out": log_out,
}

RULES = (
    *("delete", "private", "public", "topic", "invite", "kick", "transfer", "bring in"),
    *("op", "voice", "own together", "deop", "ban", "unban", "lock", "unlock", "for accounts"),
)
"""Those that only who runs a room may do."""

LOG_INS = ("log in", "log in to one's account", "log in to another's account")

Step = tuple[str, str, str, str]
ANYTHING: st.SearchStrategy[Step] = st.tuples(
    # Most is done by people who are here, in rooms that are there: these are worth more.
    st.sampled_from(
        [
            *ACTS,
            *["create", "join", "join", "join", "invite", "change nick", "register", "identify"],
            *["become operator", "op", "restart"],
            *LOG_INS,
            *["log in"] * 8,
        ]
    ),
    st.sampled_from([*NICKS, *["ann", "bob"] * 6]),
    st.sampled_from([*ROOMS, *["den", "hall"] * 5]),
    st.sampled_from([*NICKS, *["ann", "bob"] * 4]),
)
RULING: st.SearchStrategy[Step] = st.builds(
    lambda whose, what, other: (what, *whose, other),
    st.sampled_from([("ann", "den"), ("cid", "hall")]),
    st.sampled_from([*RULES]),
    st.sampled_from(NICKS),
)
"""What owners do who know what is theirs."""

STEPS: st.SearchStrategy[Step] = st.one_of(ANYTHING, ANYTHING, RULING)

BEFORE: list[list[Step]] = [
    [("log in", nick, "", "") for nick in ("ann", "bob", "cid")],
    [("register", "ann", "", ""), ("register", "bob", "", ""), ("create", "cid", "hall", "")],
    [("create", "ann", "den", ""), ("become operator", "ann", "", "")],
    [("join", nick, room, "") for nick in ("ann", "bob", "cid") for room in ("den", "hall")],
]
"""What has happened already: from here on, most that can be done means something."""

BATCHES = st.lists(st.lists(STEPS, min_size=1, max_size=6), min_size=3, max_size=25).map(
    lambda batches: [*BEFORE, *batches]
)


def decide(state: State, step: Step) -> list[Event]:
    """The events that somebody's request becomes, if it is allowed as things are."""
    what, nick, room, other = step
    if what == "restart":
        return [ServiceStarted()]
    try:
        name = POLICY.names.nick(nick)
        if what in LOG_INS:
            whose = {LOG_INS[1]: nick, LOG_INS[2]: other}.get(what)
            account = POLICY.names.nick(whose) if whose else None
            return [requests.log_in(state, POLICY, name, account, host="h", realname="R.")]
        user = state.users.get(name.key)
        return ACTS[what](state, user, room, other) if user is not None else []
    except ChatError:
        return []


def everything(state: State) -> Any:
    """All that a state knows, written down so that two can be compared."""
    return (
        all_records(state),
        {key: (user.identity, sorted(user.rooms)) for key, user in state.users.items()},
        {key: (room.id, room.owner, room.guarded) for key, room in state.rooms.items()},
        {login: user.key for login, user in state.visits.items()},
        state.identities,
        state.invitations,
        state.owned,
        state.certificates,
        list(state.departures.items()),
        state.nick_skeletons,
        state.room_skeletons,
    )


class Life:
    """
    A controller and its journal, reduced to what they agree on.

    @ivar log: every event that was stored.
    @ivar checkpoints: the records as they were kept beside each batch, and how much of the log they
        hold.
    @ivar late: those of the log that came too late.
    """

    def __init__(self, batches: list[list[Step]]) -> None:
        self.state = State()
        self.log: list[Event] = []
        self.checkpoints: list[tuple[dict[RecordKey, Record], int]] = []
        self.late: list[Event] = []
        self._records: dict[RecordKey, Record] = {}
        for batch in batches:
            # All of a batch is decided by one state, and made true one after another.
            events = [event for step in batch for event in decide(self.state, step)]
            self._keep_records()
            for event in events:
                self.log.append(event)
                event.id, event.ms = str(len(self.log)), len(self.log) * 1000
                if not applied(self.state, event):
                    self.late.append(event)
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
