"""
What is true now: who is logged in, which accounts and rooms there are, who is in them. It changes
by `State.apply(event)` alone, in the order of the journal; everybody else may read it. Nothing here
does I/O, tells a client, or decides whether somebody may do a thing (that is `requests`).

What each event makes true stands in `applying`; here are the tables, and the few changes that
several events, and the records of a restart, share: they keep the tables in step with one another.

What was touched is noted as *dirty records*: the journal keeps them beside the events, so that a
restart reads the records (see `records`) and replays only the few events that are younger than they
are.
"""

from __future__ import annotations

from collections import Counter

from .applying import APPLY
from .entities import Account, Departure, Room, User
from .events import Event
from .permission import guards

RecordKey = tuple[str, str, str]
"""
Which record: its kind (`account`, `user`, `room`, `member`, `invitation`, `departure`) and one or
two names.
"""

DEPARTURES = 500
"""How many of those who were here are remembered."""


class State:
    """
    Everything that is true now.

    @ivar users: who is logged in, by key; and `visits`, by the id of the event by which they did.
    @ivar nodes: the keys of the users of each server; that of a service of one has no name.
    @ivar flags: how many users have each flag.
    @ivar identities: the keys of the users of an identity; an account may have several.
    @ivar accounts: by key.
    @ivar certificates: the key of the account that a certificate's fingerprint vouches for.
    @ivar rooms: by the key of their name.
    @ivar rooms_by_id: the same rooms, by id.
    @ivar owned: the ids of the rooms of an identity.
    @ivar invitations: the ids of the rooms that an identity is invited to.
    @ivar departures: who was here, in the order in which they went: by number, for the last few.
    @ivar nick_skeletons: which key holds a look-alike class of nicks; `room_skeletons` the same for
        rooms.
    @ivar dirty: what changed since the journal last took the records.
    """

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.visits: dict[str, User] = {}
        self.nodes: dict[str, set[str]] = {}
        self.flags: Counter[str] = Counter()
        self.identities: dict[str, set[str]] = {}
        self.accounts: dict[str, Account] = {}
        self.certificates: dict[str, str] = {}
        self.rooms: dict[str, Room] = {}
        self.rooms_by_id: dict[str, Room] = {}
        self.owned: dict[str, set[str]] = {}
        self.invitations: dict[str, set[str]] = {}
        self.departures: dict[int, Departure] = {}
        self.nick_skeletons: dict[str, str] = {}
        self.room_skeletons: dict[str, str] = {}
        self.dirty: set[RecordKey] = set()

    def apply(self, event: Event) -> None:
        """
        Makes a stored event true.

        @raise ChatError: the event came too late to fit; nothing changed.
        """
        APPLY[type(event)](self, event)

    # The few changes that several events, and the records of a restart, share.

    def add_account(self, account: Account) -> None:
        self.accounts[account.key] = account
        self.nick_skeletons[account.skeleton] = account.key
        for fingerprint in account.certificates:
            self.certificates[fingerprint] = account.key
        self.dirty.add(("account", account.key, ""))

    def add_user(self, user: User) -> None:
        self.users[user.key] = self.visits[user.login] = user
        self.nodes.setdefault(user.node, set()).add(user.key)
        self.flags.update(user.flags)
        self.identify(user)
        self.nick_skeletons[user.skeleton] = user.key
        self.dirty.add(("user", user.key, ""))

    def identify(self, user: User) -> None:
        self.identities.setdefault(user.identity, set()).add(user.key)

    def forget_identity(self, user: User) -> None:
        _discard(self.identities, user.identity, user.key)

    def remove_user(self, user: User) -> None:
        for room in list(user.rooms.values()):
            self.remove_member(room, user)
        del self.users[user.key], self.visits[user.login]
        _discard(self.nodes, user.node, user.key)
        self.flags.subtract(user.flags)
        self.forget_identity(user)
        self.dirty.add(("user", user.key, ""))
        self._free_skeleton(user)
        if user.account:
            return
        for room_id in list(self.invitations.get(user.identity, ())):
            self.uninvite(self.rooms_by_id[room_id], user.identity)
        for room_id in list(self.owned.get(user.identity, ())):
            self.drop_if_abandoned(self.rooms_by_id[room_id])

    def rename(self, user: User, key: str, nick: str, skeleton: str) -> None:
        """Calls a user something else; who they are, and where, stays."""
        old = user.key
        self.forget_identity(user)
        self._free_skeleton(user)
        del self.users[old]
        _discard(self.nodes, user.node, old)
        self.flags.subtract(user.flags)
        user.key, user.nick, user.skeleton = key, nick, skeleton
        self.add_user(user)
        self.dirty.add(("user", old, ""))
        for room in user.rooms.values():
            del room.members[old]
            self.dirty.add(("member", room.id, old))
            self.enter(room, user)

    def looks_like_another(self, key: str, skeleton: str, mine: str = "") -> bool:
        """
        Does a nick look like another one, that somebody has or that is an account's?

        @param mine: the key that would be given up for it; to look like that is no harm, unless it
            is an account's.
        """
        holder = self.nick_skeletons.get(skeleton, key)
        if holder == key:
            return False
        account = self.accounts.get(holder)
        return holder != mine or (account is not None and account.skeleton == skeleton)

    def _free_skeleton(self, user: User) -> None:
        """What looks like this user's nick may be taken again, unless it looks like an account."""
        account = self.accounts.get(user.key)
        if account is None or account.skeleton != user.skeleton:
            self.nick_skeletons.pop(user.skeleton, None)

    def depart(self, departure: Departure, number: int) -> None:
        self.departures[number] = departure
        self.dirty.add(("departure", str(number), ""))
        if len(self.departures) > DEPARTURES:
            oldest = next(iter(self.departures))
            del self.departures[oldest]
            self.dirty.add(("departure", str(oldest), ""))

    def note_departure(self, user: User, ms: int) -> None:
        number = next(reversed(self.departures), 0) + 1
        departure = Departure(user.key, user.nick, user.host, user.realname, user.account_nick, ms)
        self.depart(departure, number)

    def add_room(self, room: Room) -> None:
        self.rooms[room.key] = room
        self.rooms_by_id[room.id] = room
        self.room_skeletons[room.skeleton] = room.key
        self.owned.setdefault(room.owner, set()).add(room.id)
        room.guarded = guards(room)
        self.dirty.add(("room", room.id, ""))

    def remove_room(self, room: Room) -> None:
        for user in list(room.members.values()):
            self._leave(room, user)
        for identity in list(room.invited):
            self.uninvite(room, identity)
        self._disown(room)
        del self.rooms[room.key]
        del self.rooms_by_id[room.id]
        self.room_skeletons.pop(room.skeleton, None)
        self.dirty.add(("room", room.id, ""))

    def _disown(self, room: Room) -> None:
        _discard(self.owned, room.owner, room.id)

    def give(self, room: Room, identity: str, kept: bool) -> None:
        """Makes somebody the owner of a room."""
        self._disown(room)
        room.owner, room.kept = identity, kept
        self.owned.setdefault(identity, set()).add(room.id)
        self.dirty.add(("room", room.id, ""))

    def drop_if_abandoned(self, room: Room) -> None:
        """A guest's room goes with its owner's visit and its last member."""
        if not room.kept and not room.members and room.owner not in self.identities:
            self.remove_room(room)

    def enter(self, room: Room, user: User) -> None:
        room.members[user.key] = user
        user.rooms[room.id] = room
        self.dirty.add(("member", room.id, user.key))

    def _leave(self, room: Room, user: User) -> None:
        del room.members[user.key]
        del user.rooms[room.id]
        self.dirty.add(("member", room.id, user.key))
        if not user.account:
            # A guest's roles end with being inside; an account keeps its own until they are taken.
            self.take_roles(room, user.identity)

    def take_roles(self, room: Room, identity: str) -> set[str]:
        """Takes all roles in a room from somebody; gives those that there were."""
        roles = room.roles.pop(identity, None)
        if roles is None:
            return set()
        self.dirty.add(("room", room.id, ""))
        return roles

    def remove_member(self, room: Room, user: User) -> None:
        self._leave(room, user)
        self.drop_if_abandoned(room)

    def invite(self, room: Room, identity: str, ms: int) -> None:
        room.invited[identity] = ms
        self.invitations.setdefault(identity, set()).add(room.id)
        self.dirty.add(("invitation", room.id, identity))

    def uninvite(self, room: Room, identity: str) -> None:
        room.invited.pop(identity, None)
        _discard(self.invitations, identity, room.id)
        self.dirty.add(("invitation", room.id, identity))


def _discard(sets: dict[str, set[str]], name: str, item: str) -> None:
    """Takes an item out of a set, and an empty set out of all."""
    items = sets.get(name)
    if items is not None:
        items.discard(item)
        if not items:
            del sets[name]
