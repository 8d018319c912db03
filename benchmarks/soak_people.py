"""What the soak's people do: they come, talk and go, or stall, vanish, keep silent, send garbage.
Each behaviour is one function, run over and over by `keep_on`; what must happen is checked where it
is done, and what was heard goes to the ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from soak_ledger import Ledger
from soak_person import Lost, Person

ROOMS = ("north", "south", "east", "west")
HANDSHAKE_SECONDS = 5.0
LOGIN_SECONDS = 10.0
IDLE_SECONDS = 30.0
PING_SECONDS = 10.0
_SLACK = 5.0
_PASSWORD = "correct horse battery staple"


@dataclass(slots=True)
class Scene:
    """What all share.

    Attributes:
        over: set when nobody begins anything new.
        quiet: set when everybody but the residents has gone.
    """

    port: int
    ledger: Ledger
    seed: int
    over: asyncio.Event = field(default_factory=asyncio.Event)
    quiet: asyncio.Event = field(default_factory=asyncio.Event)

    def person(self, nick: str) -> Person:
        """Somebody who is not connected yet."""
        return Person(self.port, self.ledger, nick)

    def rng(self, name: str) -> random.Random:
        """Chance, the same for everybody of this name in every run of this seed."""
        return random.Random(f"{self.seed} {name}")


Behaviour = Callable[[Scene, str, random.Random], Awaitable[None]]


async def keep_on(scene: Scene, behaviour: Behaviour, name: str) -> None:
    """Do it over and over until the end; what goes wrong is a fault, and not the end."""
    chance = scene.rng(name)
    await asyncio.sleep(chance.uniform(0, 3))
    while not scene.over.is_set():
        try:
            await behaviour(scene, name, chance)
        except Lost as lost:
            scene.ledger.fault(str(lost))
        scene.ledger.counts[behaviour.__name__] += 1
        await _pause(scene, chance.uniform(0, 1))


async def _pause(scene: Scene, seconds: float) -> None:
    """Wait, but no longer than the soak lasts."""
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(scene.over.wait(), seconds)


# Those who behave.


async def make_rooms(scene: Scene) -> None:
    """An account makes the rooms that are there throughout."""
    person = scene.person("keeper")
    await person.connect()
    await person.log_in()
    await person.ask(f"REGISTER:{_PASSWORD}")
    for room in ROOMS:
        await person.ask(f"NEWROOM:{room}")
    await person.quit()


async def resident(scene: Scene, name: str) -> None:
    """Is in every room from the beginning to the end."""
    chance = scene.rng(name)
    person = scene.person(name)
    try:
        await person.connect()
        await person.log_in()
        for room in ROOMS:
            await person.join(room)
        while not scene.over.is_set():
            await person.say(chance.choice(ROOMS), chance.randrange(300))
            await _pause(scene, chance.uniform(2, 4))
        while not scene.quiet.is_set():
            await person.ask("PING:")
            await asyncio.sleep(1)
        for room in ROOMS:
            await person.exit(room)
        await person.quit()
    except Lost as lost:
        scene.ledger.fault(str(lost))


async def talker(scene: Scene, name: str, chance: random.Random) -> None:
    """Comes, is in a room or two, says something, and goes in one way or another."""
    person = scene.person(name)
    await person.connect()
    await person.log_in()
    rooms = chance.sample(ROOMS, chance.choice((1, 2)))
    for room in rooms:
        await person.join(room)
    for _ in range(chance.randrange(5, 30)):
        await _do_something(person, rooms, chance)
        await _pause(scene, chance.uniform(0.2, 1.5))
    how = chance.choice(("exit", "log out", "log out", "quit", "close", "reset"))
    if how == "exit":
        for room in rooms:
            await person.exit(room)
    elif how == "log out":
        await person.log_out()
    await {"close": person.close, "reset": person.reset}.get(how, person.quit)()


async def _do_something(person: Person, rooms: list[str], chance: random.Random) -> None:
    what, room = chance.random(), chance.choice(rooms)
    if what < 0.75:
        await person.say(room, chance.choice((20, 100, 300, 3000)))
    elif what < 0.85:
        await person.tell(f"resident{chance.randrange(6)}", 50)
    elif what < 0.9:
        await person.read_history(room, chance.choice((5, 50, 500)))
    elif what < 0.95:
        await person.exit(room)
        await person.join(room)
    else:
        await person.ask(
            chance.choice(("LISTROOM:", "LISTUSERS:", "WHEREAMI:", f"LISTUSERS:{room}"))
        )


async def host(scene: Scene, name: str, chance: random.Random) -> None:
    """Makes a private room, has a guest in it, and removes it, or just goes."""
    room = f"room-of-{name}"
    owner, guest = scene.person(name), scene.person(f"guest-of-{name}")
    for person in (owner, guest):
        await person.connect()
        await person.log_in()
    await owner.ask(f"NEWROOM:{room}:private")
    await owner.join(room)
    await guest.ask(f"JOINROOM:{room}", "PRIVATE_ROOM")
    await owner.ask(f"INVITEROOM:{room}:{guest.nick}")
    await guest.join(room)
    if room not in guest.invited:
        scene.ledger.fault(f"{guest.nick} was not told of the invitation")
    for _ in range(chance.randrange(5)):
        await chance.choice((owner, guest)).say(room, 50)
        await owner.ask(f"TOPIC:{room}:tea at {chance.randrange(12)}")
        await _pause(scene, chance.uniform(0, 1))
    end = chance.choice((f"KICKROOM:{room}:{guest.nick}", f"DELROOM:{room}", "PING:"))
    await owner.ask(end)
    await owner.quit()
    await guest.quit()


async def account(scene: Scene, _: str, chance: random.Random) -> None:
    """The rooms' owner comes with its password, and changes a topic."""
    person = scene.person("keeper")
    await person.connect()
    await person.log_in(_PASSWORD)
    await person.ask(f"TOPIC:{chance.choice(ROOMS)}:{chance.randrange(100)}")
    await person.quit()
    await _pause(scene, 10)


# Those who do not.


async def staller(scene: Scene, name: str, chance: random.Random) -> None:
    """Is in a room, asks on and on, and reads nothing: the server has to close it."""
    person = scene.person(name)
    await person.connect(receive_buffer=8192)
    await person.log_in()
    await person.join(chance.choice(ROOMS))
    person.stop_reading()
    for _ in range(100):
        if person.is_cut:
            break
        person.write_raw((b"PING:" + b"x" * 4000 + b"\r\n") * 20)
        await asyncio.sleep(0.5)
    else:
        scene.ledger.fault(f"{name} reads nothing, and is not closed")
    await person.drop()


async def vanisher(scene: Scene, name: str, chance: random.Random) -> None:
    """Says something and is gone, again and again, and finds its nick free each time."""
    person = scene.person(name)
    await person.connect()
    await person.log_in()
    room = chance.choice(ROOMS)
    await person.join(room)
    await person.say(room, 100)
    person.write_raw(b"ROOM:" + room.encode() + b":half a li")
    await chance.choice((person.reset, person.drop))()


async def silent(scene: Scene, name: str, chance: random.Random) -> None:
    """Says nothing at one stage or another, as a peer that is not there any more."""
    person = scene.person(name)
    stage = chance.choice(("handshake", "login", "idle"))
    await person.connect(tls=stage != "handshake")
    patience = {"handshake": HANDSHAKE_SECONDS, "login": LOGIN_SECONDS, "idle": IDLE_SECONDS}[stage]
    if stage == "idle":
        person.answers_pings = False
        await person.log_in()
        await person.join(chance.choice(ROOMS))
    if not await person.closed(patience + _SLACK):
        scene.ledger.fault(f"{name} is silent before {stage}, and is not closed")
    await person.drop()


async def gibberer(scene: Scene, name: str, chance: random.Random) -> None:
    """Sends what no client sends, inside TLS and outside."""
    person = scene.person(name)
    tls = chance.random() < 0.7
    # From elsewhere: what looks like wrong passwords is held against the address.
    await person.connect(tls=tls, source="127.0.0.2")
    pieces = (b"LOGIN:" + name.encode(), b"ROOM:::", b"\xff", b"\0", b":" * 999, b"x" * 9999, b"\n")
    for _ in range(chance.randrange(1, 60)):
        person.write_raw(chance.choice((*pieces, chance.randbytes(chance.randrange(200)))))
        person.write_raw(chance.choice((b"", b"\n", b"\r\n")))
        await asyncio.sleep(0)
    await person.closed(chance.uniform(0, 2))
    await person.drop()


CAST: dict[Behaviour, int] = {
    talker: 24,
    host: 3,
    account: 1,
    staller: 3,
    vanisher: 3,
    silent: 4,
    gibberer: 3,
}
"""How many of each there are."""

RESIDENTS = 6
LONGEST_ACT = IDLE_SECONDS + 2 * _SLACK + 50.0
"""Seconds after which everybody has finished what they began."""
