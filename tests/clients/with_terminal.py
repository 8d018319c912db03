"""The command `chat` in a real terminal, against a real server."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import chatservice
from tests.process import ProcessCase, Server, new_folder, start_server
from tests.service import HOST

from .program import HOSTNAME
from .suite import PASSWORD, sign_up
from .tmux import Terminal

_ROOT = Path(chatservice.__file__).parent.parent
_EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def line(nick: str, text: str) -> str:
    """How something that was said, and is stored, stands on the screen."""
    return rf"[0-9]{{2}}:[0-9]{{2}} +{re.escape(nick)} │ {re.escape(text)} "


def words(screen: str) -> list[str]:
    """What was said, as it stands there, from the top to the bottom."""
    return re.findall(r"[0-9]{2}:[0-9]{2} +-?\w+-? │ (.*?) +│", screen)


class TerminalTests(ProcessCase):
    async def serve(self) -> Server:
        self.data = new_folder(self)
        self.server = await start_server(self, folder=self.data)
        return self.server

    async def restart(self) -> Server:
        """After the power was cut."""
        port = self.server.port
        await self.server.kill()
        endpoint = f"ssl:{port}:interface={HOST}"
        self.server = await start_server(self, "--endpoint", endpoint, folder=self.data)
        return self.server

    async def terminal(self, *arguments: str) -> Terminal:
        """A terminal with `chat` in it."""
        home = new_folder(self)
        (home / "password").write_text(PASSWORD)
        (home / "password").chmod(0o600)
        terminal = Terminal(self)
        environment = {
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(_ROOT),
            "TERM": "tmux-256color",
        }
        command = [sys.executable, "-m", "chatservice.terminal.main"]
        given = [word.replace("PASSWORD", str(home / "password")) for word in arguments]
        await terminal.run([*command, *given], environment)
        return terminal

    async def logged_in(self, nick: str) -> Terminal:
        """A terminal whose user has an account, and is in the room `tea`."""
        place = f"{nick}@{HOSTNAME}:{self.server.port}"
        terminal = await self.terminal(place, "--password-file", "PASSWORD", "--room", "tea")
        await terminal.sees(rf"^ tea (.|\n)*{nick} @ {HOSTNAME}:\d+ · connected")
        return terminal

    async def bot(self) -> Terminal:
        """The bot of the examples, in a terminal of its own."""
        terminal = Terminal(self)
        folder = new_folder(self)
        where = f"tls:{HOSTNAME}:{self.server.port}"
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(_ROOT), "HOME": str(folder)}
        script = f"cd {folder} && exec {sys.executable} {_EXAMPLES / 'bot.py'} {where} clock tea"
        await terminal.run(["sh", "-c", script], environment)
        return terminal

    async def test_nobody_misses_or_repeats_a_line_though_the_server_is_killed(self) -> None:
        server = await self.serve()
        await sign_up(server, "alice", "NEWROOM:tea")
        await sign_up(server, "bob")
        alice = await self.logged_in("alice")
        bob = await self.logged_in("bob")
        await alice.sees("bob joined")
        await self.bot()
        for each in (alice, bob):
            await each.sees("clock joined")

        await alice.type("is it late?", "Enter")
        await bob.sees(line("alice", "is it late?"))
        await bob.type("!time", "Enter")
        for each in (alice, bob):
            await each.sees(r"clock- │ bob: it is [0-9:]+ UTC")

        await self.server.kill()
        for each in (alice, bob):
            await each.sees("reconnecting in")
        await alice.type("nobody hears this", "Enter")
        await alice.sees(r"\.\.\. +alice │ nobody hears this")
        await bob.type("nor this", "Enter")
        await bob.type("half a")
        await self.restart()
        for each in (alice, bob):
            await each.sees(line("alice", "nobody hears this"))
            await each.sees(line("bob", "nor this"))
        await bob.type(" line", "Enter")
        await alice.sees(line("bob", "half a line"))
        await alice.type("!time", "Enter")
        seen = [
            words(await each.sees(r"clock- │ alice: it is [0-9:]+ UTC")) for each in (alice, bob)
        ]

        visitor = await self.server.log_in("visitor")
        await visitor.ask("JOINROOM:tea")
        kept = [item.split(":", 4)[4] for item in await visitor.items("HISTORY:tea")]
        self.assertEqual(len(kept), 8)
        self.assertEqual(seen, [kept, kept])

    async def test_whom_one_meets_for_the_first_time_is_shown_and_known_from_then_on(self) -> None:
        server = await self.serve()
        logged = re.search(r"SHA-?256[^0-9A-F]*((?:[0-9A-F]{2}:){31}[0-9A-F]{2})", server.log())
        assert logged is not None, server.log()

        alice = await self.terminal(f"alice@{HOSTNAME}:{server.port}")

        screen = await alice.sees("met for the first time(.|\n)*connected")
        # It goes over two lines of the screen, with nothing between but spaces and borders.
        shown = re.sub(r"[^0-9A-F:]", "", screen.partition("SHA256:")[2])
        self.assertEqual(shown[: len(logged[1])], logged[1])

    async def test_what_one_begins_to_write_is_completed(self) -> None:
        server = await self.serve()
        await sign_up(server, "alice", "NEWROOM:tea")
        await server.log_in("barnabas")
        alice = await self.logged_in("alice")

        await alice.type("/to", "Tab")
        await alice.sees("^> /topic")
        await alice.type("hot water", "Enter")
        await alice.sees("^ tea +hot water")

    async def test_it_ends_when_it_is_asked_to(self) -> None:
        server = await self.serve()
        await sign_up(server, "alice", "NEWROOM:tea")
        alice = await self.logged_in("alice")

        await alice.type("/quit", "Enter")

        self.assertEqual(await alice.ended(), 0)
