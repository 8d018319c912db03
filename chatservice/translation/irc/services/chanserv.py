"""
ChanServ: the ownership of rooms, and roles in them, as people are used to ask for them.
"""

from __future__ import annotations

from hashlib import sha256

from chatservice.controller import modes
from chatservice.controller.entities import Room
from chatservice.controller.errors import BadArguments, NeedsAccount, NoSuchRoom, PrivateRoom
from chatservice.translation.interface import Running
from chatservice.translation.irc.commands.server import moment
from chatservice.translation.irc.commands.targets import channel_of, room_name

from .service import Question, Service, ServiceCommand

_CODE_DIGITS = 6


def _room(q: Question) -> Room:
    """
    The room that is meant.

    @raise NoSuchRoom: there is none that the client may know of.
    """
    try:
        return q.session.room(room_name(q.words[0]))
    except PrivateRoom:
        raise NoSuchRoom() from None


async def _register(q: Question) -> None:
    room = q.session.own_room(_room(q).name)
    if not room.kept:
        raise NeedsAccount("log in to an account first: what you own is the account's then")
    q.say(f"{channel_of(room.name)} is your account's, and stays until you drop it.")


async def _change_role(q: Question, on: bool, role: str) -> None:
    room, nicks = _room(q).name, q.words[1:]
    wanted = [(on, role, nick) for nick in dict.fromkeys(nicks or [q.d.nick])]
    changed, refused = await q.session.change_modes(room, wanted)
    for place, error in refused:
        q.say(f"{wanted[place][2]}: {error}.")
    if changed is None and not refused:
        q.say("It is so already.")


def _roles(role: str, give: str, take: str) -> tuple[ServiceCommand, ServiceCommand]:
    """The two commands that give a role and take it."""

    def run_give(q: Question) -> Running:
        return _change_role(q, True, role)

    def run_take(q: Question) -> Running:
        return _change_role(q, False, role)

    usage = "<channel> [<nick> ...]"
    return (
        ServiceCommand(give, run_give, usage, f"make somebody {_ROLES[role]} of a channel", 1),
        ServiceCommand(take, run_take, usage, f"have them be {_ROLES[role]} no longer", 1),
    )


_ROLES = {
    modes.ADMIN: "an administrator",
    modes.OPERATOR: "an operator",
    modes.HALFOP: "a half-operator",
    modes.VOICE: "a speaker",
}


async def _transfer(q: Question) -> None:
    given = await q.session.transfer(_room(q).name, q.words[1])
    q.say(f"{channel_of(given.room)} is {given.heir_nick}'s now.")


async def _info(q: Question) -> None:
    room = _room(q)
    q.say(
        f"Channel: {channel_of(room.name)}",
        f"Founder: {_founder(q, room)}",
        f"Made: {moment(room.ms / 1000)}",
        f"Members: {len(room.members)}",
    )


def _founder(q: Question, room: Room) -> str:
    state = q.session.state
    account = state.accounts.get(room.owner)
    if account is not None:
        return account.nick
    guests = [state.users[key].nick for key in state.identities.get(room.owner, ())]
    return f"{guests[0]}, a guest" if guests else "a guest who is gone"


async def _drop(q: Question) -> None:
    room = q.session.own_room(_room(q).name)
    code = sha256(room.id.encode()).hexdigest()[:_CODE_DIGITS]
    channel = channel_of(room.name)
    if len(q.words) == 1:
        q.say(
            f"{channel} and all that was said in it will be gone.",
            f"If that is what you want: /msg ChanServ DROP {channel} {code}",
        )
        return
    if q.words[1] != code:
        raise BadArguments("that is not the code")
    await q.session.delete_room(room.name)
    q.say(f"{channel} was dropped.")


_DROP = "remove a channel of yours"

CHANSERV = Service(
    "ChanServ",
    "CS",
    "looks after channels, and roles in them.",
    (
        ServiceCommand("REGISTER", _register, "<channel>", "see whether a channel is kept", 1),
        *_roles(modes.ADMIN, "PROTECT", "DEPROTECT"),
        *_roles(modes.OPERATOR, "OP", "DEOP"),
        *_roles(modes.HALFOP, "HALFOP", "DEHALFOP"),
        *_roles(modes.VOICE, "VOICE", "DEVOICE"),
        ServiceCommand("TRANSFER", _transfer, "<channel> <nick>", "give a channel away", 2),
        ServiceCommand("INFO", _info, "<channel>", "what is known of a channel", 1),
        ServiceCommand("DROP", _drop, "<channel> [<code>]", _DROP, 1),
        ServiceCommand("UNREGISTER", _drop, "<channel> [<code>]", _DROP, 1),
    ),
)
