"""
One run of `chat`, from the options to an exit status: a client that is logged in, and then the line
tool or the screen. Which error is which status is a table here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from chatservice.client import (
    BadEndpoint,
    BadServer,
    Client,
    ClientError,
    ConnectionGone,
    Refused,
    TimedOut,
    Untrusted,
)
from chatservice.client.pins import BadPins
from chatservice.client.trust import BadTrust

from . import passwords, places
from .exits import Exit
from .lines import LineTool, NotDone
from .login import NoConnection, NoPassword, NotLoggedIn, connect, log_in, trust
from .options import Options
from .plan import Plan
from .prompt import Prompt
from .rendering import as_json, as_text
from .standard import Input, Output, OutputClosed

_FAREWELL_SECONDS = 3.0
"""How long the server has to close the connection in good order."""

_STATUS: tuple[tuple[type[Exception], Exit], ...] = (
    (BadEndpoint, Exit.USAGE),
    (BadTrust, Exit.USAGE),
    (BadPins, Exit.USAGE),
    (passwords.BadPassword, Exit.USAGE),
    (NoPassword, Exit.USAGE),
    (NoConnection, Exit.UNREACHABLE),
    (BadServer, Exit.UNREACHABLE),
    (ConnectionGone, Exit.UNREACHABLE),
    (Untrusted, Exit.UNTRUSTED),
    (NotLoggedIn, Exit.NOT_LOGGED_IN),
    # What is refused otherwise is a `NotDone`: this one has ended the client.
    (Refused, Exit.NOT_LOGGED_IN),
    (TimedOut, Exit.TIMED_OUT),
    (NotDone, Exit.REFUSED),
    (ClientError, Exit.UNREACHABLE),
)
"""By the error; the first that fits counts."""

_KNOWN = tuple(kind for kind, _ in _STATUS)


@dataclass(frozen=True, slots=True)
class Around:
    """
    What is around the program.

    @ivar environment: the process's variables.
    @ivar home: the user's folder.
    @ivar user: the nick that was asked for, or the system's name of the user.
    @ivar asks: somebody sits at a terminal, and can be asked.
    @ivar encoding: of standard output.
    @ivar tell: shows words on standard error, on a line of their own.
    @ivar prompt: shows a question there.
    """

    environment: Mapping[str, str]
    home: Path
    user: str
    asks: bool
    encoding: str
    tell: Callable[[str], None]
    prompt: Callable[[str], None]


class Session:
    """
    @param options: what was asked for.
    @param plan: what is to be done.
    @param around: what is around.
    """

    def __init__(self, options: Options, plan: Plan, around: Around) -> None:
        self._options = options
        self._plan = plan
        self._around = around
        self._notices: list[str] = []
        self._has_screen = False

    async def __call__(self, reactor: Any) -> int:
        """Runs it (`running.Work`)."""
        try:
            return await self._run(reactor)
        except OutputClosed:
            return Exit.OUTPUT_CLOSED
        except _KNOWN as error:
            self._around.tell(str(error))
            return next(status for kind, status in _STATUS if isinstance(error, kind))

    async def _run(self, reactor: Any) -> int:
        options, around = self._options, self._around
        password = passwords.given(options.password_file, around.environment, around.tell)
        known_servers = places.known_servers(around.environment, around.home)
        client = Client(
            options.server,
            trust=trust(options, known_servers, self._notice),
            timeout=options.timeout,
            insecure=options.insecure,
            reactor=reactor,
        )
        source = Input(reactor, 0)
        ask = Prompt(source, around.prompt) if around.asks else None
        try:
            await connect(client, options.timeout, reactor)
            await log_in(client, around.user, options, password, ask)
            if self._plan.screen:
                return await self._show_screen(reactor, client)
            await self._use_lines(reactor, client, source)
        finally:
            await _close(client, reactor)
        return Exit.DONE

    def _notice(self, words: str) -> None:
        """What people should know; once there is a screen, nothing else may write on it."""
        self._notices.append(words)
        if not self._has_screen:
            self._around.tell(words)

    async def _show_screen(self, reactor: Any, client: Client) -> int:
        # It takes its time, and scripts have no use for it.
        from .screen import chat  # noqa: PLC0415

        self._has_screen = True
        drafts = places.drafts(self._around.environment, self._around.home)
        options = self._options
        return await chat(
            reactor,
            client,
            options.rooms,
            self._notices,
            drafts,
            key=options.key,
            to=options.to,
        )

    async def _use_lines(self, reactor: Any, client: Client, source: Input) -> None:
        json = self._options.json
        render = as_json if json else as_text(client.nick)
        encoding = "utf-8" if json else self._around.encoding
        output = Output(reactor, 1)
        tool = LineTool(
            client, self._options, self._plan, source, output, render, encoding, self._around.tell
        )
        await tool.run()


async def _close(client: Client, clock: Any) -> None:
    closing = Deferred.fromCoroutine(client.close())
    closing.addTimeout(_FAREWELL_SECONDS, clock)
    closing.addErrback(lambda _: None)
    await closing
