"""
The command `chat` as a process: what it says and shows at pipes and on a terminal, what it
complains of, and how it ends.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.utils import getProcessOutputAndValue

import chatservice
from chatservice.networking.certificates import fingerprint_of
from chatservice.terminal.exits import Exit
from tests.service import HOST, PLAIN, TLS, Client, RunningService, until
from tests.terminal_case import Chat, TerminalCase, reactor

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"


class CommandCase(TerminalCase):
    async def room(self, **how: Any) -> tuple[RunningService, Client]:
        """The service, and bob in the room "ops", who has an account."""
        service = await self.serve(**how)
        bob = await service.log_in("bob")
        for request in ("REGISTER:a long password", "NEWROOM:ops", "JOINROOM:ops"):
            assert (await bob.ask(request)).startswith("OK:")
        await bob.ask("PING:")
        return service, bob

    def at(self, service: RunningService, nick: str = "alice") -> str:
        return f"{nick}@localhost:{service.ports[0]}"

    async def tailing(
        self, service: RunningService, bob: Client, *arguments: str, **how: Any
    ) -> Chat:
        """A `chat` of alice's that follows "ops"."""
        command = self.chat(self.at(service), "--room", "ops", "--tail", *arguments, **how)
        await bob.until("JOINED:ops:alice")
        return command


class SayingTests(CommandCase):
    async def test_it_says_it_and_ends_well_once_it_is_stored(self) -> None:
        service, bob = await self.room()
        ended = await self.ended(self.at(service), "--room", "ops", "--say", "deployed")
        self.assertEqual((ended.status, ended.out), (Exit.DONE, ""))
        self.assertQuiet(ended)
        (item,) = await bob.items("HISTORY:ops")
        self.assertTrue(item.endswith(":ops:alice:deployed"), item)

    async def test_several_texts_and_rooms_are_said_in_order(self) -> None:
        service, bob = await self.room()
        for request in ("NEWROOM:tea", "JOINROOM:tea"):
            await bob.ask(request)
        where = ("--room", "ops", "--room", "tea", "--to", "bob")
        ended = await self.ended(self.at(service), *where, "--say", "one\ntwo", "--say", "three")
        self.assertEqual(ended.status, Exit.DONE)
        for room in ("ops", "tea"):
            items = await bob.items(f"HISTORY:{room}")
            said = [item.rpartition(":")[2] for item in items]
            self.assertEqual(said, ["one", "two", "three"])
        told = [line for line in bob.seen if line.startswith("SAY:")]
        self.assertEqual(told, ["SAY:alice:one", "SAY:alice:two", "SAY:alice:three"])

    async def test_each_line_of_a_pipe_is_said(self) -> None:
        service, bob = await self.room()
        command = self.chat(self.at(service), "--room", "ops", "--notice")
        command.type("one\n\ntwo\r\nthr")
        await bob.until("ROOM:ops:alice:two")
        command.type("ee")
        command.transport.closeStdin()
        ended = await command.end()
        self.assertEqual((ended.status, ended.out), (Exit.DONE, ""))
        said = [line for line in bob.seen if line.startswith("ROOM:")]
        self.assertEqual(said, [f"ROOM:ops:alice:{text}" for text in ("one", "two", "three")])

    async def test_a_room_is_made_if_that_is_asked_for(self) -> None:
        service = await self.serve()
        arguments = (self.at(service), "--room", "new", "--say", "hello")
        ended = await self.ended(*arguments)
        self.assertEqual(ended.status, Exit.REFUSED)
        self.assertIn("chat: new: there is no such room\n", ended.err)
        self.assertEqual((await self.ended(*arguments, "--create")).status, Exit.DONE)

    async def test_the_line_that_is_refused_is_named(self) -> None:
        service, bob = await self.room()
        command = self.chat(self.at(service), "--room", "ops")
        command.type("one\n\x01two\nthree\n")
        command.transport.closeStdin()
        ended = await command.end()
        self.assertEqual(ended.status, Exit.REFUSED)
        self.assertIn("chat: line 2 of the input: ops: ", ended.err)
        self.assertNotIn("ROOM:ops:alice:three", bob.seen)


class ShowingTests(CommandCase):
    async def test_it_shows_what_is_said_a_line_a_message(self) -> None:
        service, bob = await self.room()
        command = await self.tailing(service, bob)
        await bob.ask("ROOM:ops:hello \x1b[31m there")
        await command.shows(rf"^{TIME} ops <bob> hello \ufffd\[31m there\n$")
        command.send_signal(signal.SIGTERM)
        ended = await command.end()
        self.assertEqual(ended.status, Exit.TERMINATED)
        self.assertQuiet(ended)

    async def test_it_ends_after_as_many_as_were_asked_for(self) -> None:
        service, bob = await self.room()
        command = await self.tailing(service, bob, "--count", "2", "--json")
        for text in ("one", "two"):
            await bob.ask(f"ROOM:ops:{text}")
        ended = await command.end()
        self.assertEqual(ended.status, Exit.DONE)
        shown = [json.loads(line) for line in ended.out.splitlines()]
        self.assertEqual([each["text"] for each in shown], ["one", "two"])
        self.assertEqual({each["room"] for each in shown}, {"ops"})
        self.assertEqual({each["account"] for each in shown}, {"bob"})

    async def test_the_history_comes_before_and_nothing_twice(self) -> None:
        service, bob = await self.room()
        for number in range(5):
            await bob.ask(f"ROOM:ops:{number}")
        command = await self.tailing(service, bob, "--history", "3", "--count", "1")
        await bob.ask("ROOM:ops:5")
        ended = await command.end()
        self.assertEqual(
            [line.partition(" ")[2] for line in ended.out.splitlines()],
            [f"ops <bob> {number}" for number in (2, 3, 4, 5)],
        )

    async def test_the_history_alone_is_shown_page_by_page(self) -> None:
        service, bob = await self.room()
        bob.send(*(f"ROOM:ops:{number}" for number in range(1500)))
        await bob.until("ROOM:ops:bob:1499")
        ended = await self.ended(self.at(service), "--room", "ops", "--history", "1200", "--json")
        self.assertEqual(ended.status, Exit.DONE)
        shown = [json.loads(line)["text"] for line in ended.out.splitlines()]
        self.assertEqual(shown, [str(number) for number in range(300, 1500)])

    async def test_without_a_room_it_shows_what_is_said_to_one(self) -> None:
        service, bob = await self.room()
        command = self.chat(self.at(service), "--tail", "--count", "1")
        while (await bob.ask("SAY:alice:hello")).startswith("ERR:"):
            pass  # not logged in yet
        ended = await command.end()
        self.assertEqual(ended.status, Exit.DONE)
        self.assertRegex(ended.out, rf"^{TIME} @bob <bob> hello\n$")

    async def test_it_can_say_and_show(self) -> None:
        service, bob = await self.room()
        command = await self.tailing(service, bob, "--say", "-", "--count", "2")
        command.type("how are you?\n")
        await bob.until("ROOM:ops:alice:how are you?")
        await bob.ask("ROOM:ops:fine")
        ended = await command.end()
        self.assertEqual(ended.status, Exit.DONE)
        self.assertRegex(ended.out, "^.* <alice> how are you\\?\n.* <bob> fine\n$")

    async def test_who_is_put_out_is_told_so(self) -> None:
        service, bob = await self.room()
        command = await self.tailing(service, bob)
        await bob.ask("KICKROOM:ops:alice")
        ended = await command.end()
        self.assertEqual(ended.status, Exit.REFUSED)
        self.assertIn("chat: ops: bob has put you out\n", ended.err)

    async def test_a_reader_who_has_enough_ends_it_at_once(self) -> None:
        service, bob = await self.room()
        command = await self.tailing(service, bob)
        await bob.ask("ROOM:ops:one")
        await command.shows("one")
        command.transport.closeStdout()
        ended = await command.end()
        self.assertEqual(ended.status, Exit.OUTPUT_CLOSED)
        self.assertQuiet(ended)
        self.assertNotIn("defect", ended.err)

    async def test_signals_end_it_in_good_order(self) -> None:
        service, bob = await self.room()
        for number, status in (
            (signal.SIGINT, Exit.INTERRUPTED),
            (signal.SIGTERM, Exit.TERMINATED),
            (signal.SIGHUP, Exit.HANGUP),
        ):
            command = await self.tailing(service, bob)
            command.send_signal(number)
            ended = await command.end()
            self.assertEqual(ended.status, status)
            self.assertQuiet(ended)
            await bob.until("LEFT:ops:alice")


class TerminalTests(CommandCase):
    async def test_lines_on_a_terminal_are_said_and_shown_until_they_end(self) -> None:
        service, bob = await self.room()
        command = self.chat(self.at(service), "--room", "ops", "--no-screen", pty=True)
        await bob.until("JOINED:ops:alice")
        command.type("hello\n")
        await bob.until("ROOM:ops:alice:hello")
        await command.shows("<alice> hello")
        command.type("\x04")
        ended = await command.end()
        self.assertEqual(ended.status, Exit.DONE)

    async def test_the_password_of_an_account_is_asked_for_and_not_shown(self) -> None:
        service, bob = await self.room()
        carol = await service.log_in("carol")
        await carol.ask("JOINROOM:ops")
        command = self.chat(
            self.at(service, "bob"), "--room", "ops", "--tail", "--reclaim", pty=True
        )
        await command.shows("password of bob: ")
        command.type("a long password\n")
        await bob.closed
        await carol.until("JOINED:ops:bob")
        await carol.ask("ROOM:ops:hello")
        await command.shows("<carol> hello")
        command.type("\x03")
        ended = await command.end()
        self.assertEqual(ended.status, Exit.INTERRUPTED)
        self.assertNotIn("a long password", ended.out)

    async def test_somebody_whose_nick_is_an_account_may_try_again(self) -> None:
        service, bob = await self.room()
        await bob.hang_up()
        await service.has(connections=0)
        command = self.chat(self.at(service, "bob"), "--room", "ops", "--tail", pty=True)
        await command.shows("needs its password\r\nIf it is your account, its password: ")
        command.type("a wrong one\n")
        await command.shows("(?s)do not belong together.*its password: ")
        command.type("a long password\n")
        await service.has(connections=1)
        await until(lambda: service.controller.state.users)
        command.type("\x03")
        self.assertEqual((await command.end()).status, Exit.INTERRUPTED)


class LogInTests(CommandCase):
    async def test_a_nick_becomes_an_account_and_needs_its_password_then(self) -> None:
        service = await self.serve()
        at = self.at(service)
        registered = await self.ended(at, "--register", password="open sesame")
        self.assertEqual((registered.status, registered.out), (Exit.DONE, ""))

        nothing = await self.ended(at, "--to", "alice", "--say", "x")
        wrong = await self.ended(at, "--to", "alice", "--say", "x", password="open barley")
        for ended in (nothing, wrong):
            self.assertEqual(ended.status, Exit.NOT_LOGGED_IN)
            self.assertQuiet(ended)
        self.assertIn("--password-file or CHAT_PASSWORD", nothing.err)

        file = self.home / "password"
        file.write_text("open sesame\n", encoding="utf-8")
        file.chmod(0o600)
        right = await self.ended(
            at, "--to", "alice", "--say", "x", "--password-file", str(file), password="open barley"
        )
        self.assertEqual((right.status, right.err), (Exit.DONE, ""))

    async def test_a_nick_that_is_in_use_says_what_helps(self) -> None:
        service, bob = await self.room()
        say = (self.at(service, "bob"), "--room", "ops", "--say", "x")
        ended = await self.ended(*say, password="a long password")
        self.assertEqual(ended.status, Exit.NOT_LOGGED_IN)
        self.assertIn("--reclaim", ended.err)
        reclaimed = await self.ended(*say, "--reclaim", password="a long password")
        self.assertEqual(reclaimed.status, Exit.DONE)
        await bob.closed

    async def test_who_is_reclaimed_elsewhere_ends(self) -> None:
        service, bob = await self.room()
        await bob.hang_up()
        await service.has(connections=0)
        carol = await service.log_in("carol")
        await carol.ask("JOINROOM:ops")
        command = self.chat(
            self.at(service, "bob"), "--room", "ops", "--tail", password="a long password"
        )
        await carol.until("JOINED:ops:bob")
        say = (self.at(service, "bob"), "--room", "ops", "--say", "x", "--reclaim")
        self.assertEqual((await self.ended(*say, password="a long password")).status, Exit.DONE)
        ended = await command.end()
        self.assertEqual(ended.status, Exit.NOT_LOGGED_IN)
        self.assertQuiet(ended)

    async def test_what_needs_a_password_says_so(self) -> None:
        service = await self.serve()
        for option in ("--register", "--reclaim"):
            ended = await self.ended(self.at(service), option, "--to", "bob", "--say", "x")
            self.assertEqual(ended.status, Exit.USAGE)
            self.assertIn("--password-file or CHAT_PASSWORD", ended.err)


class TrustTests(CommandCase):
    async def test_a_server_is_known_by_what_it_showed_first(self) -> None:
        service, bob = await self.room()
        fingerprint = fingerprint_of(bob.transport.getPeerCertificate().to_cryptography())
        say = (self.at(service), "--room", "ops", "--say", "x")
        met, again = [await self.ended(*say) for _ in range(2)]
        self.assertIn(f"SHA256:{fingerprint}\n", met.err)
        self.assertEqual((met.status, again.status, again.err), (Exit.DONE, Exit.DONE, ""))
        known = self.home / ".config/chatservice/known_servers"
        self.assertIn(f"localhost:{service.ports[0]} SHA256:{fingerprint}\n", known.read_text())

    async def test_one_that_shows_another_is_not_believed(self) -> None:
        service = await self.serve()
        known = self.home / "known"
        other = ":".join(["AA"] * 32)
        known.write_text(f"localhost:{service.ports[0]} SHA256:{other}\n", encoding="utf-8")
        say = (self.at(service), "--room", "ops", "--say", "x", "--known-servers", str(known))
        ended = await self.ended(*say)
        self.assertEqual(ended.status, Exit.UNTRUSTED)
        self.assertIn("its certificate has changed", ended.err)
        self.assertIn(f"remove line 1 of {known}", ended.err)
        self.assertQuiet(ended)

    async def test_a_fingerprint_or_an_authority_may_be_named(self) -> None:
        service, bob = await self.room()
        certificate = bob.transport.getPeerCertificate().to_cryptography()
        own = self.home / "own.pem"
        own.write_bytes(certificate.public_bytes(Encoding.PEM))
        say = (self.at(service), "--room", "ops", "--say", "x")
        for option, value, status in (
            ("--fingerprint", f"SHA256:{fingerprint_of(certificate)}", Exit.DONE),
            ("--fingerprint", "SHA256:" + "AA" * 32, Exit.UNTRUSTED),
            ("--fingerprint", "MD5:AA", Exit.USAGE),
            ("--ca", str(own), Exit.DONE),
            ("--ca", str(self.home / "none.pem"), Exit.USAGE),
        ):
            ended = await self.ended(*say, option, value)
            self.assertEqual(ended.status, status, ended.err)
            self.assertQuiet(ended)
        self.assertFalse((self.home / ".config").exists())

    async def test_a_file_of_pins_that_is_none_is_found_out_at_once(self) -> None:
        service = await self.serve()
        known = self.home / "known"
        known.write_text("what is this?\n", encoding="utf-8")
        ended = await self.ended(self.at(service), "--tail", "--known-servers", str(known))
        self.assertEqual(ended.status, Exit.USAGE)
        self.assertIn(f"line 1 of {known}", ended.err)


class ConnectionTests(CommandCase):
    async def test_a_first_connection_that_fails_is_not_tried_again(self) -> None:
        service = await self.serve(listen=(TLS, PLAIN))
        tls, plain = service.ports
        await service.stop()
        for address in (f"localhost:{tls}", f"tcp:{HOST}:{plain}", f"unix:{self.home}/none"):
            ended = await self.ended(f"alice@{address}", "--tail")
            self.assertEqual(ended.status, Exit.UNREACHABLE, ended.err)
            self.assertRegex(ended.err, "^chat: .*\n$")

    async def test_plain_text_is_for_this_machine(self) -> None:
        service = await self.serve(listen=(TLS, PLAIN))
        here = f"alice@tcp:{HOST}:{service.ports[1]}"
        ended = await self.ended(here, "--to", "alice", "--say", "x")
        self.assertEqual((ended.status, ended.err), (Exit.DONE, ""))
        ended = await self.ended("alice@tcp:192.0.2.1:6667", "--to", "alice", "--say", "x")
        self.assertEqual(ended.status, Exit.USAGE)

    async def test_what_speaks_no_tls_is_no_chat_server(self) -> None:
        service = await self.serve(listen=(TLS, PLAIN))
        ended = await self.ended(f"alice@{HOST}:{service.ports[1]}", "--tail")
        self.assertEqual(ended.status, Exit.UNREACHABLE)
        self.assertRegex(ended.err, "^chat: .* TLS .*\n$")

    async def test_one_that_says_nothing_is_waited_for_in_vain(self) -> None:
        port = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface=HOST)
        self.addCleanup(port.stopListening)
        address = f"alice@tcp:{HOST}:{port.getHost().port}"
        ended = await self.ended(address, "--tail", "--timeout", "0.2")
        self.assertEqual(ended.status, Exit.UNREACHABLE)
        self.assertIn("within 0.2 seconds", ended.err)


class StartTests(TerminalCase):
    async def test_help_is_there_without_the_network_and_scripts_without_a_screen(self) -> None:
        for module, absent in (
            ("chatservice.terminal.main", "twisted"),
            ("chatservice.terminal.session", "urwid"),
        ):
            program = f"import sys, {module}; print({absent!r} in sys.modules)"
            root = str(Path(chatservice.__file__).parent.parent)
            out, err, status = await getProcessOutputAndValue(
                sys.executable, ["-c", program], env={"PYTHONPATH": root}
            )
            self.assertEqual((out, err, status), (b"False\n", b"", 0))

    async def test_help_into_a_pipe_that_nobody_reads_ends_quietly(self) -> None:
        command = self.chat("--help")
        command.transport.closeStdout()
        ended = await command.end()
        self.assertQuiet(ended)
        self.assertIn(ended.status, (Exit.DONE, Exit.OUTPUT_CLOSED))

    async def test_what_cannot_be_meant_is_a_matter_of_usage(self) -> None:
        for arguments in ((), ("localhost",), ("localhost", "--count", "x")):
            ended = await self.ended(*arguments)
            self.assertEqual((ended.status, ended.out), (Exit.USAGE, ""))
            self.assertIn("chat", ended.err)
