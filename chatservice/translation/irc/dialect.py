"""
One IRC client: its lines to commands, and answers to its lines. What a command does is in
`commands`, how events are written in `rendering`, what is remembered of this client here.

Specifications: Modern IRC; RFC 1459 and 2812 where it is silent; IRCv3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from chatservice.controller.errors import ChatError
from chatservice.controller.events import (
    AwayChanged,
    DirectMessage,
    DirectTag,
    Event,
    Invited,
    Message,
    NickChanged,
    RankedMessage,
    RankedTag,
    TagMessage,
)
from chatservice.controller.session import Session
from chatservice.translation.interface import Dialect, Running, Wire

from . import message, numerics
from .commands import COMMANDS, Command
from .commands.sasl import Conversation
from .commands.watching import noticed
from .labels import LONGEST_LABEL, Label
from .message import ClientMessage
from .numerics import Numeric
from .refusals import numeric_of, subject_of, words_of
from .registration import Registration
from .rendering import IrcVariant, variant_for

NO_CAPABILITIES: frozenset[str] = frozenset()

_TAGS = frozenset((TagMessage, DirectTag, RankedTag))
_SAID = _TAGS | {Message, DirectMessage, RankedMessage}
_ANSWERED = frozenset((AwayChanged, Invited))


class IrcDialect(Dialect):
    """
    One client.

    @ivar capabilities: what it has negotiated.
    @ivar version: the version of that negotiation which it speaks; 0 for the first.
    @ivar registration: what it has told so far; None once it is registered.
    @ivar called: the nick that it knows itself by, once it is registered: a new one is the user's a
        moment before it is told.
    @ivar sasl: the attempt to authenticate that is under way, if any.
    @ivar monitored: the nicks that it watches, as it wrote them, by key.
    """

    __slots__ = (
        "_label",
        "_next_batch",
        "called",
        "capabilities",
        "monitored",
        "registration",
        "sasl",
        "version",
    )

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self.capabilities = NO_CAPABILITIES
        self.version = 0
        self.registration: Registration | None = Registration()
        self.called = "*"
        self.sasl: Conversation | None = None
        self.monitored: dict[str, str] = {}
        self._label: Label | None = None
        self._next_batch = 0

    def begin(self) -> None:
        self.set_capabilities(NO_CAPABILITIES)

    @property
    def session(self) -> Session:
        """What the client may ask of the chat."""
        return self.wire.session

    @property
    def nick(self) -> str:
        """What the client is called in answers to it: C{*} until it is registered."""
        if self.registration is not None:
            return self.registration.nick or "*"
        return self.called

    @property
    def render(self) -> IrcVariant:
        """How events are written for this client."""
        return variant_for(self.capabilities, self.wire.server_name)

    def has(self, capability: str) -> bool:
        """Has the client negotiated that?"""
        return capability in self.capabilities

    def set_capabilities(self, capabilities: frozenset[str]) -> None:
        """The client has these from now on."""
        self.capabilities = capabilities
        self.session.set_variant(self.render)

    # Answers.

    def write(self, line: str) -> None:
        """Sends one line, which has its ending; while a labelled command runs, with its label."""
        line = IrcVariant.cut(line)
        if self._label is not None:
            line = self._label.take([line])
        if line:
            self.wire.write(line.encode())

    async def pour(self, lines: Iterable[str]) -> None:
        """Sends many lines, no faster than the client takes them."""
        whole = map(IrcVariant.cut, lines)
        label = self._label
        now = (
            whole if label is None else label.gather(whole, self.wire.server_name, self.batch_name)
        )
        if now is not None:
            await self.wire.pour(line.encode() for line in now)

    def line(self, command: str, *params: str, text: str | None = None) -> str:
        """A line by the server."""
        return message.format(command, *params, text=text, source=self.wire.server_name)

    def answer(self, command: str, *params: str, text: str | None = None) -> None:
        """Sends a line by the server."""
        self.write(self.line(command, *params, text=text))

    def numeric_line(self, numeric: Numeric, *params: object, words: str | None = None) -> str:
        """
        A numeric for this client.

        @param params: what stands before the words; of what clients have sent, whatever cannot
            stand there is shown as C{*}.
        @param words: other ones than the numeric's own.
        """
        last = (numeric.words or None) if words is None else words
        middle = [_middle(str(param)) for param in params]
        return self.line(numeric.code, self.nick, *middle, text=last)

    def numeric(self, numeric: Numeric, *params: object, words: str | None = None) -> None:
        """Sends a numeric; see C{numeric_line}."""
        self.write(self.numeric_line(numeric, *params, words=words))

    def fail(
        self,
        command: str,
        code: str,
        *context: str,
        words: str,
        kind: str = "FAIL",
        implied: bool = False,
    ) -> None:
        """
        Says that a command failed, in a standard reply (IRCv3 standard-replies).

        @param kind: or, C{WARN}, or C{NOTE}.
        @param implied: something else that the client has negotiated has standard replies in it.
        """
        if implied or self.has("standard-replies"):
            self.answer(kind, command, code, *map(_middle, context), text=words)
        else:
            self.notice(words if command == "*" else f"{command}: {words}")

    def notice(self, words: str, source: str = "") -> None:
        """Sends a notice, by the server unless said."""
        line = message.format(
            "NOTICE", self.nick, text=words, source=source or self.wire.server_name
        )
        self.write(line)

    def refuse(self, error: ChatError, command: str, *subject: str) -> None:
        """
        Says that a request was refused.

        @param subject: what it was about: a channel, a nick.
        """
        numeric = numeric_of(error)
        if numeric is None:
            self.fail(command, error.code, *subject, words=str(error))
        else:
            words = words_of(numeric, error)
            self.numeric(numeric, *subject_of(numeric, command, subject), words=words)

    def batch_name(self) -> str:
        """A name for a batch, used once."""
        self._next_batch += 1
        return str(self._next_batch)

    # Commands.

    def receive(self, data: bytes) -> Running | None:
        seconds = self.session.wait()
        return self._receive_later(data, seconds) if seconds else self._receive(data)

    async def _receive_later(self, data: bytes, seconds: float) -> None:
        """
        IRC has no way to say that a line has to be sent again. So one that comes too early waits,
        and the client is not read meanwhile.
        """
        if await self._may_go_on(seconds):
            running = self._receive(data)
            if running is not None:
                await running

    async def _may_go_on(self, seconds: float) -> bool:
        """Waits until the next line may come; False if the client is gone by then."""
        while seconds:
            if not await self.session.pause(seconds):
                return False
            seconds = self.session.wait()
        return True

    def _receive(self, data: bytes) -> Running | None:
        try:
            parsed = message.parse(data)
        except message.MessageError as error:
            refused = error
            return self._in_turn(lambda: self._refuse_line(refused))
        if parsed is None:
            return None
        label = self._label_of(parsed) if parsed.tags else ""
        if label:
            return self._run_labelled(parsed, label)
        command = self._command(parsed)
        if command is not None and command.says:
            return command.run(self, parsed)
        return self._run(parsed, command)

    def _label_of(self, parsed: ClientMessage) -> str:
        """The label of a command; empty if it has none, or none that may be answered with."""
        # An answer of several lines is a batch (labeled-response, "Dependencies").
        if not (self.has("labeled-response") and self.has("batch")):
            return ""
        label = parsed.tags.get("label", "")
        return label if len(label.encode()) <= LONGEST_LABEL else ""

    async def _run(self, parsed: ClientMessage, command: Command | None) -> None:
        # What was said before has its answers first.
        await self.session.settled()
        if command is None:
            self._refuse_command(parsed)
            return
        try:
            running = command.run(self, parsed)
            if running is not None:
                await running
        except ChatError as error:
            # As when its user is put out meanwhile.
            self.refuse(error, command.name)

    async def _run_labelled(self, parsed: ClientMessage, name: str) -> None:
        """What is answered is told to be the answer to this (IRCv3 labeled-response)."""
        await self.session.settled()
        self._label = Label(name)
        try:
            await self._run(parsed, self._command(parsed))
            await self.session.settled()
            if self._label is not None:
                await self.wire.pour(self._labelled())
        finally:
            self._label = None

    def _labelled(self) -> Iterator[bytes]:
        """The answer to the labelled command that runs; what is written from now on is not."""
        label, self._label = self._label, None
        if label is not None:
            for line in label.answer(self.wire.server_name, self.batch_name()):
                yield line.encode()

    def _command(self, parsed: ClientMessage) -> Command | None:
        """The command, if this client may use it now, and in this way."""
        command = COMMANDS.get(parsed.command)
        if command is None or len(parsed.params) < command.least:
            return None
        if self.registration is not None and command.registered:
            return None
        return command

    def _refuse_command(self, parsed: ClientMessage) -> None:
        command = COMMANDS.get(parsed.command)
        if self.registration is not None and (command is None or command.registered):
            self.numeric(numerics.ERR_NOTREGISTERED)
        elif command is None:
            self.numeric(numerics.ERR_UNKNOWNCOMMAND, parsed.command[:32])
        elif command.too_few is not None:
            command.too_few(self, parsed)
        else:
            self.numeric(numerics.ERR_NEEDMOREPARAMS, command.name)

    async def _in_turn(self, refuse: Callable[[], None]) -> None:
        await self.session.settled()
        refuse()

    def _refuse_line(self, error: message.MessageError) -> None:
        if isinstance(error, message.NotUtf8):
            words = "Message rejected, it is not UTF-8"
            # UTF8ONLY, which everybody is told, has it.
            self.fail("*", "INVALID_UTF8", words=words, implied=True)
        elif isinstance(error, message.BadCommand):
            self.numeric(numerics.ERR_UNKNOWNCOMMAND, error.command)
        elif isinstance(error, message.Malformed):
            self.numeric(numerics.ERR_UNKNOWNERROR, "*", words="Message rejected, it is malformed")
        else:
            self.numeric(numerics.ERR_INPUTTOOLONG)

    def overlong(self, beginning: bytes) -> Running:
        return self._overlong_later(self.session.wait())

    async def _overlong_later(self, seconds: float) -> None:
        if await self._may_go_on(seconds):
            await self.session.settled()
            self.numeric(numerics.ERR_INPUTTOOLONG)

    # What comes from the service.

    def acknowledge(self, event: Event, error: ChatError | None) -> None:
        if error is None or getattr(event, "notice", False):
            return  # a NOTICE is never answered by itself
        room = getattr(event, "room", "")
        target = "#" + room if room else getattr(event, "to_nick", "*")
        command = "TAGMSG" if type(event) in _TAGS else "PRIVMSG"
        self.refuse(error, command, target)

    def echo(self, event: Event, payload: bytes) -> bytes:
        kind = type(event)
        if isinstance(event, NickChanged):
            self.called = event.new_nick
        if kind in _ANSWERED or (kind in _SAID and not self.has("echo-message")):
            return b""
        if self._label is None or not payload:
            return payload
        # It is a part of the answer to what the client labelled.
        # Of bytes: a text may hold what only a string is split at (slanted letters are such).
        lines = [line.decode() for line in payload.splitlines(keepends=True)]
        return self._label.take(lines).encode()

    def noticed(self, event: Event) -> None:
        noticed(self, event)

    def ping(self, token: str) -> None:
        # Not by `write`: it is no answer.
        self.wire.write(message.format("PING", token).encode())

    def farewell(self, reason: str) -> None:
        self.write(message.format("ERROR", text=f"Closing link: {reason}"))
        # Nothing is sent after this: it is the end of the answer to what runs, too.
        for line in self._labelled():
            self.wire.write(line)


def _middle(param: str) -> str:
    """A parameter that is not the last, if it can be one."""
    if not param or param[0] == ":" or " " in param:
        return "*"
    return param
