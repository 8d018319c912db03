"""
The command `chat` while its server is killed and comes back: what is said is stored once, and what
is shown is shown once.
"""

from __future__ import annotations

from chatservice.terminal.exits import Exit
from tests.process import Server, start_server
from tests.service import HOST, Client
from tests.terminal_case import TerminalCase


class RestartTests(TerminalCase):
    async def start(self) -> tuple[Server, Client]:
        """A server, and bob, who has an account and is in his room "ops"."""
        server = await start_server(self)
        bob = await server.log_in("bob")
        for request in ("REGISTER:a long password", "NEWROOM:ops", "JOINROOM:ops"):
            assert (await bob.ask(request)).startswith("OK:")
        return server, bob

    async def start_again(self, server: Server) -> tuple[Server, Client]:
        """The same after a `kill`."""
        endpoint = f"ssl:{server.port}:interface={HOST}"
        again = await start_server(self, "--endpoint", endpoint, folder=server.folder)
        bob = await again.log_in("bob", "a long password")
        await bob.ask("JOINROOM:ops")
        return again, bob

    async def test_who_follows_a_room_misses_nothing_and_sees_nothing_twice(self) -> None:
        server, bob = await self.start()
        command = self.chat(
            f"alice@localhost:{server.port}", "--room", "ops", "--tail", "--count", "3"
        )
        await bob.until("JOINED:ops:alice")
        await bob.ask("ROOM:ops:one")
        await command.shows("one")
        await server.kill()
        await command.complains("connecting again")
        server, bob = await self.start_again(server)
        await bob.ask("ROOM:ops:two")
        await command.complains("connected again")
        await bob.ask("ROOM:ops:three")
        ended = await command.end()
        self.assertEqual(ended.status, Exit.DONE)
        shown = [line.partition(" ")[2] for line in ended.out.splitlines()]
        self.assertEqual(shown, [f"ops <bob> {text}" for text in ("one", "two", "three")])
        self.assertQuiet(ended)

    async def test_what_is_said_meanwhile_is_stored_when_it_is_back(self) -> None:
        server, bob = await self.start()
        command = self.chat(f"alice@localhost:{server.port}", "--room", "ops", "--timeout", "120")
        command.type("one\n")
        await bob.until("ROOM:ops:alice:one")
        await server.kill()
        await command.complains("connecting again")
        command.type("two\nthree\n")
        command.transport.closeStdin()
        server, bob = await self.start_again(server)
        ended = await command.end()
        self.assertEqual(ended.status, Exit.DONE)
        items = await bob.items("HISTORY:ops")
        said = [item.rpartition(":")[2] for item in items]
        self.assertEqual(said, ["one", "two", "three"])

    async def test_it_does_not_wait_for_ever(self) -> None:
        server, bob = await self.start()
        command = self.chat(f"alice@localhost:{server.port}", "--room", "ops", "--timeout", "10")
        await bob.until("JOINED:ops:alice")
        await server.kill()
        await command.complains("connecting again")
        command.type("one\n")
        ended = await command.end()
        self.assertEqual(ended.status, Exit.TIMED_OUT)
        self.assertQuiet(ended)
