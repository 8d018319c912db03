"""What people do with a chat client, done with each of them in a test module of its own, against a
server process and somebody who uses the line protocol.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from cryptography import x509

from chatservice.networking.certificates import fingerprint_of
from tests.process import ProcessCase, Server, new_folder, start_server
from tests.service import HOST, Client

from .authority import Authority
from .program import HOSTNAME, Program, Settings, installed, run

PASSWORD = "a long password"
BANNED = ["ERR", "JOINROOM", "BANNED"]


def joined(nick: str) -> str:
    """How clients show that somebody came to the room."""
    return rf"\b{nick}\b.* has joined #tea"


async def sign_up(server: Server, nick: str, *requests: str) -> None:
    """Make an account, by the line protocol, and have its owner ask for more."""
    owner = await server.log_in(nick)
    for request in (f"REGISTER:{PASSWORD}", *requests):
        answer = await owner.ask(request)
        assert answer.startswith("OK:"), answer
    await owner.ask("QUIT")
    await owner.closed


def endpoint(port: int, certificate: Path) -> str:
    """Where a server listens."""
    return f"ssl:{port}:privateKey={certificate}:interface={HOST}"


class ClientSuite(ProcessCase):
    """The tests of one client.

    Attributes:
        make: makes it.
        untrusted: a regular expression: how it says that it cannot verify a certificate.
        other_host: how it says that a certificate is of another host.
        gave_up: how it says that it will not go on with that.
    """

    make: type[Program]
    untrusted: str
    other_host: str
    gave_up: str

    def setUp(self) -> None:
        installed(self.make.name)
        folder = new_folder(self)
        self.authority = Authority(folder)
        self.certificate = self.authority.issue(HOSTNAME)

    # What the tests begin with.

    async def serve(self, port: int = 0, folder: Path | None = None) -> Server:
        """A server with a certificate of the authority's."""
        return await self.serve_with(endpoint(port, self.certificate), folder=folder)

    async def serve_with(self, *endpoint: str, folder: Path | None = None) -> Server:
        """A server that listens there, if not where it does by itself; nothing goes wrong in it."""
        options = ("--endpoint", *endpoint) if endpoint else ()
        server = await start_server(self, *options, folder=folder)
        self.addCleanup(lambda: self.assertFalse("Traceback" in server.log(), server.log()[-4000:]))
        return server

    def start(self, server: Server, nick: str = "alice", **settings: Any) -> Program:
        """Start a client, of `alice` unless said, who logs in to her account."""
        known: dict[str, Any] = {"password": PASSWORD} if nick == "alice" else {}
        known |= {"port": server.port, "nick": nick, "authority": self.authority.certificate}
        program = self.make(Settings(**(known | settings)), new_folder(self))
        run(self, program)
        return program

    async def in_tea(self, server: Server) -> tuple[Program, Client]:
        """Alice, by the client, and bob, by the line protocol, in a room of alice's."""
        await sign_up(server, "alice")
        alice = self.start(server, channel="#tea")
        await alice.sees(joined("alice"), "#tea")
        bob = await server.log_in("bob")
        self.assertEqual(await bob.ask("JOINROOM:tea"), "OK:JOINROOM:tea")
        await alice.sees(joined("bob"), "#tea")
        return alice, bob

    async def talk(self, alice: Program, bob: Client, room: str) -> None:
        """Each says something that the other sees."""
        await alice.say(f"#{room}", "shall we?")
        self.assertEqual(await bob.until("ROOM:"), f"ROOM:{room}:alice:shall we?")
        await bob.ask(f"ROOM:{room}:oh: naturally, yes")
        await alice.sees(alice.said("bob", "oh: naturally, yes"), f"#{room}")

    # Getting in.

    async def test_it_verifies_the_certificate_logs_in_joins_and_talks(self) -> None:
        server = await self.serve()
        alice, bob = await self.in_tea(server)
        # It is a registered nick, so nobody who has not logged in could have come by it.
        await self.talk(alice, bob, "tea")

    async def test_it_talks_to_one_person(self) -> None:
        server = await self.serve()
        alice, bob = await self.in_tea(server)
        await alice.command("/msg bob only you")
        self.assertEqual(await bob.until("SAY:"), "SAY:alice:only you")
        await bob.ask("SAY:alice:only me")
        await alice.sees(r"\bbob\b.*only me$", "bob")

    async def test_its_certificate_logs_it_in(self) -> None:
        server = await self.serve()
        await sign_up(server, "alice")
        own = self.authority.issue("alice")
        alice = self.start(server, channel="#tea", own=own)
        await alice.sees(joined("alice"), "#tea")
        await alice.command("/msg NickServ CERT ADD")
        await alice.sees("[0-9a-f]{64} was added")
        await alice.end()
        alice = self.start(server, channel="#tea", own=own, password="", mechanism="EXTERNAL")
        await alice.sees(joined("alice"), "#tea")

    async def test_it_takes_no_certificate_that_it_cannot_verify(self) -> None:
        server = await self.serve_with()  # its certificate is one that it made itself
        await sign_up(server, "alice")
        alice = self.start(server, channel="#tea")
        await alice.sees(self.untrusted)
        await self.stays_away(alice, server)

    async def test_it_takes_no_certificate_of_another_host(self) -> None:
        server = await self.serve_with(endpoint(0, self.authority.issue("elsewhere.example")))
        await sign_up(server, "alice")
        alice = self.start(server, channel="#tea")
        await alice.sees(self.other_host)
        await self.stays_away(alice, server)

    async def test_it_takes_the_one_certificate_that_it_is_told_of(self) -> None:
        server = await self.serve_with()
        await sign_up(server, "alice")
        pem = next(server.folder.rglob("server.crt")).read_bytes()
        pin = fingerprint_of(x509.load_pem_x509_certificate(pem))
        self.assertIn(pin, server.log())
        alice = self.start(server, channel="#tea", pin=pin)
        await alice.sees(joined("alice"), "#tea")

    async def test_a_wrong_password_lets_nobody_in(self) -> None:
        server = await self.serve()
        await sign_up(server, "alice")
        alice = self.start(server, password="a guess", channel="#tea")
        await alice.sees("(?i)SASL authentication failed")
        await self.nobody_came(server)

    async def stays_away(self, alice: Program, server: Server) -> None:
        """Fail unless the client gives up what it has begun."""
        await alice.sees(self.gave_up)
        await self.nobody_came(server)

    async def nobody_came(self, server: Server) -> None:
        """Fail if anybody but who made the account has come to the server."""
        bob = await server.log_in("bob")
        self.assertEqual(await bob.items("LISTUSERS:"), ["bob"])

    # Being there.

    async def test_it_sees_what_was_said_before_it_came(self) -> None:
        server = await self.serve()
        await sign_up(server, "alice", "NEWROOM:tea")
        bob = await server.log_in("bob")
        await bob.ask("JOINROOM:tea")
        await bob.ask("ROOM:tea:you are late")
        alice = self.start(server, channel="#tea")
        await alice.sees(joined("alice"), "#tea")
        await alice.command("/quote CHATHISTORY LATEST #tea * 10")
        await alice.sees(alice.said("bob", "you are late"), "#tea")

    async def test_what_its_user_does_is_seen(self) -> None:
        server = await self.serve()
        alice, bob = await self.in_tea(server)
        await alice.command("/mode #tea +o bob")
        await alice.sees(r"(?i)\bmode.#tea \[\+o bob\] by alice", "#tea")
        self.assertEqual(await bob.ask("TOPIC:tea:two lumps"), "OK:TOPIC:tea:two lumps")
        await alice.sees("topic.*two lumps", "#tea")
        await alice.command("/topic #tea none")
        self.assertEqual(await bob.until("TOPIC:tea:alice"), "TOPIC:tea:alice:none")
        await alice.command("/whois bob")
        await alice.sees(r"\bbob\]? [\[(]~u@")
        await alice.command("/nick ally")
        self.assertEqual(await bob.until("NICK:"), "NICK:alice:ally")
        await alice.command("/quit and away")
        self.assertEqual(await bob.until("LEFT:"), "LEFT:tea:ally")

    async def test_its_user_kicks_and_bans(self) -> None:
        server = await self.serve()
        alice, bob = await self.in_tea(server)
        await alice.command("/ban #tea bob")
        ban = await alice.sees(r"(?i)\bmode.#tea \[\+b (\S+)\] by alice", "#tea")
        await alice.command("/kick #tea bob no tea for you")
        self.assertEqual(await bob.until("KICKED:"), "KICKED:tea:bob:alice")
        await alice.sees("kicked.*no tea for you", "#tea")
        self.assertEqual((await bob.ask("JOINROOM:tea")).split(":")[:3], BANNED)
        await alice.command(f"/unban #tea {ban[1]}")
        await alice.sees(r"(?i)\bmode.#tea \[-b \S+\] by alice", "#tea")
        self.assertEqual(await bob.ask("JOINROOM:tea"), "OK:JOINROOM:tea")

    # Losing the server.

    async def test_it_comes_back_after_the_server_was_killed(self) -> None:
        await self.comes_back_after(Server.kill)

    async def test_it_comes_back_after_the_server_was_stopped(self) -> None:
        await self.comes_back_after(Server.terminate)

    async def comes_back_after(self, stop: Callable[[Server], Awaitable[object]]) -> None:
        """Fail unless it comes back and has lost nothing."""
        server = await self.serve()
        alice, bob = await self.in_tea(server)
        await bob.ask("ROOM:tea:before")
        await alice.sees(alice.said("bob", "before"), "#tea")
        await stop(server)
        await bob.closed

        again = await self.serve(server.port, server.folder)
        await alice.sees(joined("alice"), "#tea")
        bob = await again.log_in("bob")
        await bob.ask("JOINROOM:tea")
        await self.talk(alice, bob, "tea")
        await alice.command("/quote CHATHISTORY LATEST #tea * 10")
        await alice.sees(alice.said("bob", "before"), "#tea")
