"""What the line protocol's documentation says of users and rooms, as the simplest program that does
it: no journal, no permission layer, no delivery. It was written from the protocol, not from the
service, and answers in whole lines what every client has to be told.

Numbers that cannot be known (ids, times) are `#`; refusals have no words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Told = dict[int, list[str]]
"""The lines that each client gets, by its number."""


class Refused(Exception):
    """The argument is the code."""


@dataclass(eq=False)
class Person:
    """Somebody who is logged in; `identity` is the visit, or the account's key."""

    client: int
    nick: str
    identity: object
    rooms: list[Room] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.nick.lower()


@dataclass(eq=False)
class Room:
    """A room; its history goes with it."""

    name: str
    owner: object
    private: bool
    kept: bool
    topic: str = ""
    members: list[Person] = field(default_factory=list)
    invited: set[object] = field(default_factory=set)
    said: list[tuple[str, str]] = field(default_factory=list)


class RoomsModel:
    """Who is here, which rooms there are, and what everybody has to be told of it."""

    def __init__(self) -> None:
        self.here: dict[int, Person] = {}
        self.accounts: dict[str, tuple[str, str]] = {}
        self.rooms: dict[str, Room] = {}
        self.direct: dict[frozenset[object], list[tuple[str, str]]] = defaultdict(list)
        self._told: Told = {}

    # What happens.

    def command(self, client: int, line: str) -> Told:
        """A client sends a line. Its answer is the last of what it is told."""
        name, _, rest = line.partition(":")
        self._told = {}
        try:
            if name != "LOGIN" and client not in self.here:
                raise Refused("NOT_LOGGED_IN")
            answer = _COMMANDS[name](self, client, rest)
        except Refused as refused:
            answer = f"ERR:{name}:{refused}"
        self._tell(client, answer)
        return self._told

    def gone(self, client: int) -> Told:
        """A client's connection ends."""
        self._told = {}
        if client in self.here:
            self._leave_all(self.here[client])
        return self._told

    def killed(self) -> None:
        """The process ends without a word, and begins again."""
        for client in list(self.here):
            self._leave_all(self.here[client])

    # Telling.

    def _tell(self, client: int, line: str) -> None:
        self._told.setdefault(client, []).append(line)

    def _tell_room(self, room: Room, line: str) -> None:
        for member in room.members:
            self._tell(member.client, line)

    # Finding.

    def _room(self, name: str) -> Room:
        if name.lower() not in self.rooms:
            raise Refused("NO_SUCH_ROOM")
        return self.rooms[name.lower()]

    def _own(self, me: Person, name: str) -> Room:
        room = self._room(name)
        if room.owner != me.identity:
            raise Refused("NOT_OWNER")
        return room

    def _inside(self, me: Person, name: str) -> Room:
        room = self._room(name)
        if me not in room.members:
            raise Refused("NOT_IN_ROOM")
        return room

    def _visible(self, me: Person, room: Room) -> bool:
        return me in room.members or self._open_to(me, room)

    def _open_to(self, me: Person, room: Room) -> bool:
        return not room.private or me.identity in (room.owner, *room.invited)

    def _present(self, nick: str) -> Person | None:
        return next((each for each in self.here.values() if each.key == nick.lower()), None)

    def _known(self, nick: str) -> tuple[object, str]:
        """Identity and nick of somebody who is here, or has an account."""
        person = self._present(nick)
        if person is not None:
            return person.identity, person.nick
        if nick.lower() in self.accounts:
            return nick.lower(), self.accounts[nick.lower()][0]
        raise Refused("NO_SUCH_USER")

    # Coming and going.

    def _login(self, client: int, rest: str) -> str:
        nick, given, password = rest.partition(":")
        if client in self.here:
            raise Refused("ALREADY_LOGGED_IN")
        if self._present(nick):
            raise Refused("NICK_IN_USE")
        key = nick.lower()
        if given and (key not in self.accounts or self.accounts[key][1] != password):
            raise Refused("BAD_PASSWORD")
        if not given and key in self.accounts:
            raise Refused("NICK_IN_USE")
        self.here[client] = Person(client, nick, key if given else object())
        return f"OK:LOGIN:{nick}"

    def _register(self, client: int, password: str) -> str:
        me = self.here[client]
        if me.key in self.accounts:
            raise Refused("NICK_IN_USE")
        self.accounts[me.key] = (me.nick, password)
        guest, me.identity = me.identity, me.key
        for room in self.rooms.values():
            if room.owner == guest:
                room.owner, room.kept = me.identity, True
            if guest in room.invited:
                room.invited = room.invited - {guest} | {me.identity}
        return f"OK:REGISTER:{me.nick}"

    def _logout(self, client: int, _: str) -> str:
        me = self.here[client]
        self._leave_all(me)
        return f"OK:LOGOUT:{me.nick}"

    def _leave_all(self, me: Person) -> None:
        for room in list(me.rooms):
            self._take_out(room, me)
            self._tell_room(room, f"LEFT:{room.name}:{me.nick}")
        del self.here[me.client]
        self._forget_abandoned()

    def _take_out(self, room: Room, person: Person) -> None:
        room.members.remove(person)
        person.rooms.remove(room)

    def _forget_abandoned(self) -> None:
        """A guest's room lives while the guest is here, or anybody is inside."""
        here = {person.identity for person in self.here.values()}
        for key, room in list(self.rooms.items()):
            if not room.kept and not room.members and room.owner not in here:
                del self.rooms[key]

    # Looking around.

    def _whoami(self, client: int, _: str) -> str:
        return f"OK:WHOAMI:{self.here[client].nick}"

    def _whereami(self, client: int, _: str) -> str:
        return ":".join(["OK:WHEREAMI", *(room.name for room in self.here[client].rooms)])

    def _listroom(self, client: int, _: str) -> str:
        for room in self.rooms.values():
            if self._visible(self.here[client], room):
                kind = "private" if room.private else "public"
                self._tell(client, f"ITEM:LISTROOM:{room.name}:{kind}:{len(room.members)}")
        return "OK:LISTROOM"

    def _listusers(self, client: int, name: str) -> str:
        people: Iterable[Person] = self.here.values()
        answer = "OK:LISTUSERS"
        if name:
            room = self._room(name)
            if not self._visible(self.here[client], room):
                raise Refused("PRIVATE_ROOM")
            people, answer = room.members, f"OK:LISTUSERS:{room.name}"
        for person in people:
            self._tell(client, f"ITEM:LISTUSERS:{person.nick}")
        return answer

    def _history(self, client: int, rest: str) -> str:
        whose, _, count = rest.partition(":")
        me = self.here[client]
        if whose.startswith("@"):
            identity, nick = self._known(whose[1:])
            where, said = f"@{nick}", self.direct[frozenset((me.identity, identity))]
        else:
            room = self._inside(me, whose)
            where, said = room.name, room.said
        for nick, text in said[-int(count or 50) :]:
            self._tell(client, f"ITEM:HISTORY:#:#:{where}:{nick}:{text}")
        return f"OK:HISTORY:{where}"

    # Rooms.

    def _newroom(self, client: int, rest: str) -> str:
        name, _, kind = rest.partition(":")
        me = self.here[client]
        if name.lower() in self.rooms:
            raise Refused("ROOM_EXISTS")
        kept = me.identity == me.key
        self.rooms[name.lower()] = Room(name, me.identity, kind == "private", kept)
        return f"OK:NEWROOM:{name}"

    def _delroom(self, client: int, name: str) -> str:
        me = self.here[client]
        room = self._own(me, name)
        self._tell_room(room, f"DELETED:{room.name}:{me.nick}")
        for member in list(room.members):
            self._take_out(room, member)
        del self.rooms[name.lower()]
        return f"OK:DELROOM:{room.name}"

    def _joinroom(self, client: int, name: str) -> str:
        me, room = self.here[client], self._room(name)
        if me in room.members:
            raise Refused("ALREADY_IN_ROOM")
        if not self._open_to(me, room):
            raise Refused("PRIVATE_ROOM")
        room.members.append(me)
        me.rooms.append(room)
        self._tell_room(room, f"JOINED:{room.name}:{me.nick}")
        return f"OK:JOINROOM:{room.name}"

    def _exitroom(self, client: int, name: str) -> str:
        me = self.here[client]
        room = self._inside(me, name)
        self._take_out(room, me)
        self._tell_room(room, f"LEFT:{room.name}:{me.nick}")
        self._forget_abandoned()
        return f"OK:EXITROOM:{room.name}"

    def _setpublic(self, client: int, name: str) -> str:
        return self._set_visibility(client, name, "public")

    def _setprivate(self, client: int, name: str) -> str:
        return self._set_visibility(client, name, "private")

    def _set_visibility(self, client: int, name: str, kind: str) -> str:
        room = self._own(self.here[client], name)
        room.private = kind == "private"
        self._tell_room(room, f"VISIBILITY:{room.name}:{kind}")
        return f"OK:SET{kind.upper()}:{room.name}"

    def _inviteroom(self, client: int, rest: str) -> str:
        name, _, nick = rest.partition(":")
        me = self.here[client]
        room = self._room(name)
        if room.owner != me.identity and (room.private or me not in room.members):
            raise Refused("NOT_OWNER")
        identity, nick = self._known(nick)
        guest = self._present(nick)
        if guest in room.members:
            raise Refused("ALREADY_IN_ROOM")
        room.invited.add(identity)
        if guest is not None:
            self._tell(guest.client, f"INVITED:{room.name}:{me.nick}")
        return f"OK:INVITEROOM:{room.name}:{nick}"

    def _kickroom(self, client: int, rest: str) -> str:
        name, _, nick = rest.partition(":")
        me = self.here[client]
        room = self._own(me, name)
        victim = self._present(nick)
        if victim is None:
            raise Refused("NO_SUCH_USER")
        if victim not in room.members:
            raise Refused("NOT_IN_ROOM")
        self._tell_room(room, f"KICKED:{room.name}:{victim.nick}:{me.nick}")
        self._take_out(room, victim)
        room.invited.discard(victim.identity)
        return f"OK:KICKROOM:{room.name}:{victim.nick}"

    def _topic(self, client: int, rest: str) -> str:
        name, given, text = rest.partition(":")
        me, room = self.here[client], self._room(name)
        if not given:
            if not self._visible(me, room):
                raise Refused("PRIVATE_ROOM")
            return f"OK:TOPIC:{room.name}:{room.topic}"
        self._own(me, name).topic = text
        self._tell_room(room, f"TOPIC:{room.name}:{me.nick}:{text}")
        return f"OK:TOPIC:{room.name}:{text}"

    # Talk.

    def _say_to_room(self, client: int, rest: str) -> str:
        name, _, text = rest.partition(":")
        me = self.here[client]
        room = self._inside(me, name)
        room.said.append((me.nick, text))
        self._tell_room(room, f"ROOM:{room.name}:{me.nick}:{text}")
        return f"OK:ROOM:{room.name}:#"

    def _say(self, client: int, rest: str) -> str:
        nick, _, text = rest.partition(":")
        me, other = self.here[client], self._present(nick)
        if other is None:
            raise Refused("NO_SUCH_USER")
        self.direct[frozenset((me.identity, other.identity))].append((me.nick, text))
        self._tell(other.client, f"SAY:{me.nick}:{text}")
        return f"OK:SAY:{other.nick}:#"


_COMMANDS: dict[str, Callable[[RoomsModel, int, str], str]] = {
    "LOGIN": RoomsModel._login,
    "REGISTER": RoomsModel._register,
    "LOGOUT": RoomsModel._logout,
    "WHOAMI": RoomsModel._whoami,
    "WHEREAMI": RoomsModel._whereami,
    "LISTROOM": RoomsModel._listroom,
    "LISTUSERS": RoomsModel._listusers,
    "HISTORY": RoomsModel._history,
    "NEWROOM": RoomsModel._newroom,
    "DELROOM": RoomsModel._delroom,
    "JOINROOM": RoomsModel._joinroom,
    "EXITROOM": RoomsModel._exitroom,
    "SETPUBLIC": RoomsModel._setpublic,
    "SETPRIVATE": RoomsModel._setprivate,
    "INVITEROOM": RoomsModel._inviteroom,
    "KICKROOM": RoomsModel._kickroom,
    "TOPIC": RoomsModel._topic,
    "ROOM": RoomsModel._say_to_room,
    "SAY": RoomsModel._say,
}
