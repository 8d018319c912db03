"""
What tests of the full-screen chat begin with: people who sit at screens that are drawn into text,
by the real client library, with a house behind it (`tests.client_case`). No terminal, no sockets,
no time but the test's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timezone
from pathlib import Path
from typing import Any

import urwid
from twisted.internet.task import Clock

from chatservice.client import Client, Message
from chatservice.terminal.screen.app import App
from chatservice.terminal.screen.buffer import Buffer
from chatservice.terminal.screen.drafts import Drafts
from chatservice.terminal.screen.entries import Note
from chatservice.terminal.screen.view import Window, shape
from tests.bench import NOW
from tests.client_case import ClientCase

SIZE = (140, 30)

AT = 1_704_110_400_000
"""Monday, 1 January 2024, 12:00 UTC, in milliseconds since 1970."""


def said(number: int, text: str = "", nick: str = "bob", **how: Any) -> Message:
    """A message, a minute after the one with the number before."""
    where = {} if "to" in how else {"room": "lobby"}
    return Message(
        f"m{number}", AT + number * 60_000, nick, text or f"line {number}", **{**where, **how}
    )


def shown(window: Window, size: tuple[int, int] = SIZE) -> list[str]:
    """What a window looks like, line by line, without spaces at their ends."""
    window.redraw()
    return [line.decode().rstrip() for line in window.render(size, True).text]


def texts(buffer: Buffer) -> list[str]:
    """What stands in a buffer."""
    return [e.text if isinstance(e, Note) else e.message.text for e in buffer.entries]


class Terminal:
    """
    One that nobody looks at.

    Attributes:
        started: whether it is in use.
        drawn: how often it was drawn to.
        size: its columns and rows.
    """

    size = SIZE

    def __init__(self) -> None:
        self.started = False
        self.drawn = 0
        self.fails: Exception | None = None

    def register_palette(self, palette: Any) -> None:
        """Colours are not looked at here."""

    def start(self) -> None:
        self.started = True

    def stop(self) -> None:
        self.started = False

    def clear(self) -> None:
        """Nothing was drawn."""

    def set_mouse_tracking(self) -> None:
        """There is no mouse."""

    def hook_event_loop(self, loop: Any, callback: Any) -> None:
        """Keys come by `Sitting.press`."""

    def unhook_event_loop(self, loop: Any) -> None:
        """No keys come any more."""

    def get_cols_rows(self) -> tuple[int, int]:
        return self.size

    def draw_screen(self, size: tuple[int, int], canvas: Any) -> None:
        if self.fails is not None:
            raise self.fails
        self.drawn += 1


class _Reactor:
    """The time of the programs; nothing is to be read from a terminal."""

    def __init__(self, clock: Clock) -> None:
        self.callLater = clock.callLater
        self.seconds = clock.seconds

    def addReader(self, reader: object) -> None:
        """Nothing comes."""

    def removeReader(self, reader: object) -> None:
        """Nothing came."""


class Sitting:
    """
    Somebody at a screen.

    Attributes:
        app: what they use; `model` what it shows.
        code: the exit status, once they have left.
    """

    def __init__(
        self, case: ScreenCase, client: Client, rooms: Sequence[str], drafts: Drafts, **how: str
    ) -> None:
        self._case = case
        self.client = client
        self.terminal = Terminal()
        self.app = App(_Reactor(case.world.clock), client, drafts, self.terminal, timezone.utc)
        self.model = self.app.model
        self.left = case.start(self.app.run(rooms, (), **how))
        case.settle()

    @property
    def code(self) -> int:
        return self._case.successResultOf(self.left)

    def press(self, *keys: str) -> None:
        """Press keys, and let everything happen that follows at once."""
        for key in keys:
            self.app.window.keypress(SIZE, key)
        self._case.settle()

    def type(self, text: str) -> None:
        """Type something, without the key that sends it."""
        self.press(*text)

    def paste(self, text: str) -> None:
        """Put something into the line that no key gives."""
        self.model.active.line.insert(text)

    def enter(self, text: str) -> None:
        """Type a line, and send it."""
        self.type(text)
        self.press("enter")

    def lines(self, size: tuple[int, int] = SIZE) -> list[str]:
        """The screen, line by line."""
        return shown(self.app.window, size)

    @property
    def screen(self) -> str:
        """The screen."""
        return "\n".join(self.lines())

    @property
    def middle(self) -> list[str]:
        """What is to be read in the middle of the screen: times, nicks and words."""
        form = shape(self.model, *SIZE)
        first = form.buffers + 1
        middle = [line[first : first + form.messages].strip() for line in self.lines()[1:-2]]
        return [line for line in middle if line and not line.startswith(("──", "this is the"))]

    @property
    def words(self) -> list[str]:
        """The same, without times."""
        return [line[5:].strip() if line[2:3] == ":" else line for line in self.middle]

    @property
    def texts(self) -> list[str]:
        """All that stands in the buffer that they look at."""
        return texts(self.model.active)

    @property
    def typed(self) -> str:
        """The line that they type into."""
        return self.lines()[-1].removeprefix(">").strip()

    @property
    def status(self) -> str:
        """The line above it."""
        return self.lines()[-2].strip()


class ScreenCase(ClientCase):
    """A house, and people at screens."""

    def setUp(self) -> None:
        urwid.set_encoding("utf-8")
        super().setUp()

    def open_world(self, **how: Any) -> None:
        super().open_world(**how)
        self.world.clock.rightNow = float(NOW)

    def settle(self) -> None:
        """Let everything happen that takes no time."""
        self.world.settle()

    def sit(
        self, nick: str, *rooms: str, password: str = "sesame", drafts: Path | None = None
    ) -> Sitting:
        """Somebody sits down, with an account that is made for them."""
        client = self.program(nick, password)
        return self.sit_down(client, *rooms, drafts=drafts)

    def sit_down(
        self, client: Client, *rooms: str, drafts: Path | None = None, **how: str
    ) -> Sitting:
        """Somebody who is logged in sits down."""
        sitting = Sitting(self, client, rooms, Drafts(drafts, f"{client.nick}@here"), **how)
        self.addCleanup(self._get_up, sitting)
        return sitting

    def _get_up(self, sitting: Sitting) -> None:
        sitting.app.leave(0)
        sitting.left.addErrback(lambda _: None)
