"""
Events as IRC lines. The capabilities that change what a line looks like make a *variant*; all
clients of one get the same bytes, encoded once. One method an event; what is told to one client
alone (numerics, labels, one's own messages) is the dialect's.

Specifications: Modern IRC, "Client Messages"; IRCv3 message-tags, server-time, account-tag,
message-ids, extended-join, away-notify, account-notify, chghost, setname, invite-notify, bot-mode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from time import gmtime, strftime
from typing import Any

from chatservice.controller import modes
from chatservice.controller.events import (
    AccountChanged,
    AwayChanged,
    DirectMessage,
    DirectTag,
    Event,
    HostChanged,
    Invited,
    Joined,
    Kicked,
    Left,
    LoggedOut,
    Message,
    ModesChanged,
    NickChanged,
    RankedMessage,
    RankedTag,
    RealnameChanged,
    Registered,
    RoomEvent,
    TagMessage,
    TopicChanged,
    Transferred,
    UserFlagsChanged,
    VisibilityChanged,
    Wallops,
)
from chatservice.controller.masks import USERNAME

from . import capabilities
from .letters import LETTERS, ROLE_PREFIXES, USER_LETTERS, shown_value, takes_value
from .message import LONGEST_BODY, escape_tag, format, split_text

_Change = tuple[bool, str, str]
"""Set or cleared, which mode, its value."""

_CTCP = "\x01"
_ACTION = "\x01ACTION "


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))


@lru_cache(maxsize=64)
def timestamp(ms: int) -> str:
    """A moment (milliseconds since 1970) as IRCv3 server-time has it: ISO 8601, in UTC."""
    return f"{_second(ms // 1000)}.{ms % 1000:03}Z"


def source(nick: str, host: str) -> str:
    """Who a line is from: a nick, a user name that is everybody's, a host."""
    return f"{nick}!{USERNAME}@{host}"


class IrcVariant:
    """
    @param has: the capabilities of its clients that change what a line looks like.
    @param server_name: whom lines are from that are nobody's.
    """

    echo = False

    def __init__(self, has: frozenset[str], server_name: str) -> None:
        self.has = has
        self._server_name = server_name
        self._time = "server-time" in has
        self._account = "account-tag" in has
        self._tags = "message-tags" in has

    def encode(self, event: Event) -> bytes:
        write = _LINES.get(type(event))
        return write(self, event).encode() if write is not None else b""

    def encode_all(self, events: Sequence[Event]) -> bytes:
        return b"".join([self.encode(event) for event in events])

    def overheard(self, event: Event) -> bytes:
        if "invite-notify" not in self.has:
            return b""
        return self.encode(event)

    def replay(self, event: Event) -> bytes:
        """An event of the history, for whoever has draft/event-playback: also who has quit."""
        if type(event) is Left and event.quit:
            return self._line(event, "QUIT", text=event.reason).encode()
        return self.encode(event)

    # What all lines have.

    def tags(self, event: Event, said: dict[str, str] | None = None, named: bool = True) -> str:
        """
        The tags of a line, with the C{@} and the space; empty if there are none.

        @param said: what the author's client said about it.
        @param named: does the line carry the message's id?
        """
        tags = f";time={timestamp(event.ms)}" if self._time else ""
        if self._tags and named:
            tags += f";msgid={event.id}"
        if self._account and event.account:
            tags += f";account={escape_tag(event.account)}"
        if self._tags and said:
            for key, value in said.items():
                # Of the names without a plus one is IRC's.
                if key[0] == "+" or key == modes.BOT:
                    tags += f";{key}={escape_tag(value)}" if value else f";{key}"
        return f"@{tags[1:]} " if tags else ""

    def _source(self, event: Event) -> str:
        return source(event.nick, event.host) if event.nick else self._server_name

    def _line(self, event: Event, command: str, *params: str, text: str = "") -> str:
        """A line by the author of an event; an empty text is left out."""
        line = format(command, *params, text=text or None, source=self._source(event))
        return self.tags(event) + self.cut(line)

    # What was said.

    def _said(self, event: Any, command: str, target: str) -> str:
        head, text = f":{self._source(event)} {command} {target} :", event.text
        line = f"{self.tags(event, event.tags)}{head}{text}\r\n"
        # A character has four bytes at most: most texts need not be measured.
        if 4 * (len(head) + len(text)) <= LONGEST_BODY:
            return line
        return self._split(event, head, line)

    def _split(self, event: Any, head: str, line: str) -> str:
        """What is too long for one line, in several, of which only the first has the id."""
        text, end = event.text, ""
        most = LONGEST_BODY - len(head.encode())
        if len(text) <= most and len(text.encode()) <= most:
            return line
        if text.startswith(_ACTION):
            head, text, end = head + _ACTION, text[len(_ACTION) :].removesuffix(_CTCP), _CTCP
            most -= len(_ACTION) + len(_CTCP)
        elif text.startswith(_CTCP) and text.endswith(_CTCP):
            # What clients ask one another cannot be asked in parts: the rest would be a text.
            text = text.encode()[: most - len(_CTCP)].decode(errors="ignore") + _CTCP
        pieces = split_text(text, most)
        first = self.tags(event, event.tags) + head + pieces[0] + end + "\r\n"
        rest = self.tags(event, named=False)
        return first + "".join(f"{rest}{head}{piece}{end}\r\n" for piece in pieces[1:])

    def _message(self, event: Message) -> str:
        return self._said(event, "NOTICE" if event.notice else "PRIVMSG", "#" + event.room)

    def _direct(self, event: DirectMessage) -> str:
        return self._said(event, "NOTICE" if event.notice else "PRIVMSG", event.to_nick)

    def _ranked(self, event: RankedMessage) -> str:
        target = f"{ROLE_PREFIXES[event.least]}#{event.room}"
        return self._said(event, "NOTICE" if event.notice else "PRIVMSG", target)

    def _tagged(self, event: TagMessage) -> str:
        return self._tagmsg(event, "#" + event.room)

    def _direct_tag(self, event: DirectTag) -> str:
        return self._tagmsg(event, event.to_nick)

    def _ranked_tag(self, event: RankedTag) -> str:
        return self._tagmsg(event, f"{ROLE_PREFIXES[event.least]}#{event.room}")

    def _tagmsg(self, event: TagMessage | DirectTag | RankedTag, target: str) -> str:
        if not self._tags:
            return ""
        line = format("TAGMSG", target, source=self._source(event))
        return self.tags(event, event.tags) + line

    def _wallops(self, event: Wallops) -> str:
        return self._line(event, "WALLOPS", text=event.text)

    @staticmethod
    def cut(line: str) -> str:
        """A line no longer than one may be, tags not counted."""
        if 4 * len(line) <= LONGEST_BODY:
            return line
        tags, body = "", line
        if line.startswith("@"):
            tags, _, body = line.partition(" ")
            tags += " "
        data = body.encode()
        if len(data) <= LONGEST_BODY + 2:
            return line
        # A space at the end would be followed by no parameter.
        return tags + data[:LONGEST_BODY].decode(errors="ignore").rstrip(" ") + "\r\n"

    # Rooms.

    def _joined(self, event: Joined) -> str:
        room = "#" + event.room
        if "extended-join" in self.has:
            line = format(
                "JOIN", room, event.account or "*", text=event.realname, source=self._source(event)
            )
            line = self.tags(event) + self.cut(line)
        else:
            line = self._line(event, "JOIN", room)
        if event.away and "away-notify" in self.has:
            line += self._line(event, "AWAY", text=event.away)
        if event.roles:
            roles = ((True, role, event.nick) for role in event.roles)
            line += self._mode_lines(event, self._server_name, roles, named=False)
        return line

    def _left(self, event: Left) -> str:
        # Who quits is told of once, by their logging out, and not for every room.
        return "" if event.quit else self._line(event, "PART", "#" + event.room, text=event.reason)

    def _kicked(self, event: Kicked) -> str:
        reason = event.reason or event.nick
        return self._line(event, "KICK", "#" + event.room, event.victim_nick, text=reason)

    def _invited(self, event: Invited) -> str:
        return self._line(event, "INVITE", event.guest_nick, "#" + event.room)

    def _topic(self, event: TopicChanged) -> str:
        line = format("TOPIC", "#" + event.room, text=event.text, source=self._source(event))
        return self.tags(event) + self.cut(line)

    def _visibility(self, event: VisibilityChanged) -> str:
        letters = "".join(sorted(LETTERS[flag] for flag in modes.PRIVATE))
        sign = "+" if event.private else "-"
        return self._line(event, "MODE", "#" + event.room, sign + letters)

    def _modes(self, event: ModesChanged) -> str:
        changes = ((on, mode, shown_value(mode, value)) for on, mode, value, _ in event.changes)
        return self._mode_lines(event, self._source(event), changes)

    def _transferred(self, event: Transferred) -> str:
        changes = ((False, modes.OWNER, event.nick), (True, modes.OWNER, event.heir_nick))
        return self._mode_lines(event, self._source(event), changes)

    def _mode_lines(
        self, event: RoomEvent, source: str, changes: Iterable[_Change], named: bool = True
    ) -> str:
        """MODE lines of a channel, as many as it takes, of which only the first has the id."""
        room, lines = "#" + event.room, ""
        most = LONGEST_BODY - len(f":{source} MODE {room} ".encode())
        for params in mode_params(changes, most):
            line = self.cut(format("MODE", room, *params, source=source))
            lines += self.tags(event, named=named) + line
            named = False
        return lines

    # Users.

    def _logged_out(self, event: LoggedOut) -> str:
        return self._line(event, "QUIT", text=event.reason)

    def _nick(self, event: NickChanged) -> str:
        return self._line(event, "NICK", event.new_nick)

    def _away(self, event: AwayChanged) -> str:
        return self._if("away-notify", event, "AWAY", text=event.text)

    def _account_changed(self, event: AccountChanged) -> str:
        return self._if("account-notify", event, "ACCOUNT", event.account_nick or "*")

    def _registered(self, event: Registered) -> str:
        return self._if("account-notify", event, "ACCOUNT", event.account)

    def _host(self, event: HostChanged) -> str:
        return self._if("chghost", event, "CHGHOST", USERNAME, event.new_host)

    def _realname(self, event: RealnameChanged) -> str:
        if "setname" not in self.has:
            return ""
        line = format("SETNAME", text=event.realname, source=self._source(event))
        return self.tags(event) + self.cut(line)

    def _flags(self, event: UserFlagsChanged) -> str:
        changes = ((on, flag, "") for on, flag in event.changes)
        params = next(mode_params(changes, LONGEST_BODY, USER_LETTERS))
        return self._line(event, "MODE", event.nick, *params)

    def _if(self, capability: str, event: Event, command: str, *params: str, text: str = "") -> str:
        return self._line(event, command, *params, text=text) if capability in self.has else ""


def mode_params(
    changes: Iterable[_Change], most: int, letters: dict[str, str] = LETTERS
) -> Iterator[list[str]]:
    """
    The parameters of MODE lines that tell of changes: the letters, then the values.

    @param most: how many bytes they may take together in one line.
    """
    values: list[str] = []
    signs, room, last = "", most, None
    for on, mode, value in changes:
        valued = takes_value(mode, on) and value
        size = len(value.encode()) + 1 if valued else 0
        if signs and room < size + 2:
            yield [signs, *values]
            signs, values, room, last = "", [], most, None
        if on is not last:
            signs += "+" if on else "-"
            last = on
        signs += letters[mode]
        room -= size + 2
        if valued:
            values.append(value)
    if signs:
        yield [signs, *values]


_LINES: dict[type[Event], Callable[[IrcVariant, Any], str]] = {
    Message: IrcVariant._message,
    DirectMessage: IrcVariant._direct,
    RankedMessage: IrcVariant._ranked,
    TagMessage: IrcVariant._tagged,
    RankedTag: IrcVariant._ranked_tag,
    DirectTag: IrcVariant._direct_tag,
    Wallops: IrcVariant._wallops,
    Joined: IrcVariant._joined,
    Left: IrcVariant._left,
    Kicked: IrcVariant._kicked,
    Invited: IrcVariant._invited,
    TopicChanged: IrcVariant._topic,
    VisibilityChanged: IrcVariant._visibility,
    ModesChanged: IrcVariant._modes,
    Transferred: IrcVariant._transferred,
    LoggedOut: IrcVariant._logged_out,
    NickChanged: IrcVariant._nick,
    AwayChanged: IrcVariant._away,
    AccountChanged: IrcVariant._account_changed,
    Registered: IrcVariant._registered,
    HostChanged: IrcVariant._host,
    RealnameChanged: IrcVariant._realname,
    UserFlagsChanged: IrcVariant._flags,
}


def variant_for(has: frozenset[str], server_name: str) -> IrcVariant:
    """The one variant of all clients with these capabilities, as far as they change lines."""
    return _variant(has & capabilities.RENDERING, server_name)


_variant = lru_cache(maxsize=1 << len(capabilities.RENDERING))(IrcVariant)
