"""
What is true now: who is logged in, which accounts and rooms there are, who is in them. It changes
here and only here, by `State.apply(event)`, in the order of the journal; everything else may read
it. Nothing here does I/O, tells a client, or decides whether somebody may do a thing (that is
`requests`).

`apply` is deterministic, so that a restarted controller and a second node arrive at the same state.
A fact that no longer fits, because another came first (two people created one room), raises the
error that its author is then told, and changes nothing.

What `apply` touched is noted as *dirty records*: the journal keeps them beside the events, so that
a restart reads the records (see `records`) and replays only the few events that are younger than
they are.
"""

from __future__ import annotations

from collections.abc import Callable

from .entities import Account, Room, Topic, User, may_enter
from .errors import (
    AlreadyInRoom,
    NickInUse,
    NoSuchRoom,
    NoSuchUser,
    NotInRoom,
    NotLoggedIn,
    PrivateRoom,
    RoomExists,
    TooMany,
)
from .events import (
    DirectMessage,
    Event,
    Invited,
    Joined,
    Kicked,
    Left,
    LoggedIn,
    LoggedOut,
    Message,
    Registered,
    RoomCreated,
    RoomDeleted,
    ServiceStarted,
    TopicChanged,
    VisibilityChanged,
)
from .policy import full

RecordKey = tuple[str, str, str]
"""
Which record: its kind (`account`, `user`, `room`, `member`, `invitation`) and one or two names.
"""


class State:
    """
    Everything that is true now.

    @ivar users: who is logged in, by key.
    @ivar identities: the same users, by identity.
    @ivar accounts: by key.
    @ivar rooms: by the key of their name.
    @ivar rooms_by_id: the same rooms, by id.
    @ivar owned: the ids of the rooms of an identity.
    @ivar nick_skeletons: which key holds a look-alike class of nicks; `room_skeletons` the same for
        rooms.
    @ivar dirty: what changed since the journal last took the records.
    """

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.identities: dict[str, User] = {}
        self.accounts: dict[str, Account] = {}
        self.rooms: dict[str, Room] = {}
        self.rooms_by_id: dict[str, Room] = {}
        self.owned: dict[str, set[str]] = {}
        self.nick_skeletons: dict[str, str] = {}
        self.room_skeletons: dict[str, str] = {}
        self.dirty: set[RecordKey] = set()

    def apply(self, event: Event) -> None:
        """
        Makes a stored event true.

        @raise ChatError: the event came too late to fit; nothing changed.
        """
        _APPLY[type(event)](self, event)

    # The few changes that several events, and the records of a restart, share.

    def add_account(self, account: Account) -> None:
        self.accounts[account.key] = account
        self.nick_skeletons[account.skeleton] = account.key
        self.dirty.add(("account", account.key, ""))

    def add_user(self, user: User) -> None:
        self.users[user.key] = user
        self.identities[user.identity] = user
        self.nick_skeletons[user.skeleton] = user.key
        self.dirty.add(("user", user.key, ""))

    def _remove_user(self, user: User) -> None:
        for room in list(user.rooms.values()):
            self._remove_member(room, user)
        del self.users[user.key]
        del self.identities[user.identity]
        self.dirty.add(("user", user.key, ""))
        account = self.accounts.get(user.key)
        if account is None or account.skeleton != user.skeleton:
            self.nick_skeletons.pop(user.skeleton, None)
        if user.account:
            return
        for room_id in list(user.invitations):
            self._uninvite(self.rooms_by_id[room_id], user.identity)
        for room_id in list(self.owned.get(user.identity, ())):
            self._drop_if_abandoned(self.rooms_by_id[room_id])

    def add_room(self, room: Room) -> None:
        self.rooms[room.key] = room
        self.rooms_by_id[room.id] = room
        self.room_skeletons[room.skeleton] = room.key
        self.owned.setdefault(room.owner, set()).add(room.id)
        self.dirty.add(("room", room.id, ""))

    def _remove_room(self, room: Room) -> None:
        for user in list(room.members.values()):
            self._leave(room, user)
        for identity in list(room.invited):
            self._uninvite(room, identity)
        self._disown(room)
        del self.rooms[room.key]
        del self.rooms_by_id[room.id]
        self.room_skeletons.pop(room.skeleton, None)
        self.dirty.add(("room", room.id, ""))

    def _disown(self, room: Room) -> None:
        owned = self.owned[room.owner]
        owned.discard(room.id)
        if not owned:
            del self.owned[room.owner]

    def _drop_if_abandoned(self, room: Room) -> None:
        """A guest's room goes with its owner's visit and its last member."""
        if not room.kept and not room.members and room.owner not in self.identities:
            self._remove_room(room)

    def enter(self, room: Room, user: User) -> None:
        room.members[user.key] = user
        user.rooms[room.id] = room
        self.dirty.add(("member", room.id, user.key))

    def _leave(self, room: Room, user: User) -> None:
        del room.members[user.key]
        del user.rooms[room.id]
        self.dirty.add(("member", room.id, user.key))

    def _remove_member(self, room: Room, user: User) -> None:
        self._leave(room, user)
        self._drop_if_abandoned(room)

    def invite(self, room: Room, identity: str) -> None:
        room.invited.add(identity)
        user = self.identities.get(identity)
        if user is not None:
            user.invitations.add(room.id)
        self.dirty.add(("invitation", room.id, identity))

    def _uninvite(self, room: Room, identity: str) -> None:
        room.invited.discard(identity)
        user = self.identities.get(identity)
        if user is not None:
            user.invitations.discard(room.id)
        self.dirty.add(("invitation", room.id, identity))

    # Finding what an event is about, or saying why it came too late.

    def _room(self, event: Event) -> Room:
        try:
            return self.rooms_by_id[event.target]
        except KeyError:
            raise NoSuchRoom() from None

    def _user(self, event: Event) -> User:
        try:
            return self.users[event.actor]
        except KeyError:
            raise NotLoggedIn() from None

    # One method an event.

    def _started(self, event: ServiceStarted) -> None:
        for user in list(self.users.values()):
            self._remove_user(user)

    def _logged_in(self, event: LoggedIn) -> None:
        holder = self.nick_skeletons.get(event.skeleton, event.actor)
        if event.actor in self.users or holder != event.actor:
            raise NickInUse()
        if event.actor in self.accounts and not event.account:
            raise NickInUse()
        user = User(event.actor, event.nick, event.skeleton, event.account, event.id)
        self.add_user(user)

    def _logged_out(self, event: LoggedOut) -> None:
        user = self._user(event)
        if user.rooms:
            # Somebody was brought into a room meanwhile, and its members are to see them leave.
            raise AlreadyInRoom("not every room was left")
        self._remove_user(user)

    def _registered(self, event: Registered) -> None:
        user = self._user(event)
        if event.actor in self.accounts:
            raise NickInUse()
        if not event.verifier and not user.account:
            # A guest was faster: what an outside checker vouches for does not become the guest's.
            raise NickInUse()
        self.add_account(Account(event.actor, event.nick, event.skeleton, event.verifier))
        if not user.account:
            self._become_account(user)

    def _become_account(self, user: User) -> None:
        """The guest's rooms and invitations become the account's."""
        guest = user.identity
        invitations = list(user.invitations)
        for room_id in invitations:
            self._uninvite(self.rooms_by_id[room_id], guest)
        del self.identities[guest]
        user.account, user.identity = True, user.key
        self.identities[user.identity] = user
        for room_id in invitations:
            self.invite(self.rooms_by_id[room_id], user.identity)
        for room_id in list(self.owned.get(guest, ())):
            room = self.rooms_by_id[room_id]
            self._disown(room)
            room.owner, room.kept = user.identity, True
            self.owned.setdefault(room.owner, set()).add(room.id)
            self.dirty.add(("room", room.id, ""))
        self.dirty.add(("user", user.key, ""))

    def _room_created(self, event: RoomCreated) -> None:
        if (
            self.room_skeletons.get(event.skeleton, event.key) != event.key
            or event.key in self.rooms
        ):
            raise RoomExists()
        if full(len(self.rooms), event.most):
            raise TooMany()
        room = Room(event.id, event.room, event.key, event.skeleton, event.owner)
        room.private = event.private
        room.kept = event.kept
        self.add_room(room)
        self._drop_if_abandoned(room)

    def _room_deleted(self, event: RoomDeleted) -> None:
        self._remove_room(self._room(event))

    def _joined(self, event: Joined) -> None:
        room, user = self._room(event), self._user(event)
        if user.key in room.members:
            raise AlreadyInRoom()
        if not may_enter(room, user):
            raise PrivateRoom()
        if full(len(room.members), event.most):
            raise TooMany()
        self.enter(room, user)

    def _left(self, event: Left) -> None:
        room, user = self._room(event), self._user(event)
        if user.key not in room.members:
            raise NotInRoom()
        self._remove_member(room, user)

    def _kicked(self, event: Kicked) -> None:
        room = self._room(event)
        victim = room.members.get(event.victim)
        if victim is None:
            raise NotInRoom()
        self._uninvite(room, victim.identity)
        self._remove_member(room, victim)

    def _invited(self, event: Invited) -> None:
        guest = event.guest
        room = self._room(event)
        if guest not in self.identities and guest not in self.accounts:
            raise NoSuchUser()
        self.invite(room, guest)

    def _visibility_changed(self, event: VisibilityChanged) -> None:
        room = self._room(event)
        room.private = event.private
        self.dirty.add(("room", room.id, ""))

    def _topic_changed(self, event: TopicChanged) -> None:
        room = self._room(event)
        room.topic = Topic(event.text, event.nick, event.ms) if event.text else None
        self.dirty.add(("room", room.id, ""))

    def _said(self, event: Event) -> None:
        """What is said changes nothing but the history."""


_APPLY: dict[type[Event], Callable[..., None]] = {
    ServiceStarted: State._started,
    LoggedIn: State._logged_in,
    LoggedOut: State._logged_out,
    Registered: State._registered,
    RoomCreated: State._room_created,
    RoomDeleted: State._room_deleted,
    Joined: State._joined,
    Left: State._left,
    Kicked: State._kicked,
    Invited: State._invited,
    VisibilityChanged: State._visibility_changed,
    TopicChanged: State._topic_changed,
    Message: State._said,
    DirectMessage: State._said,
}
