"""What no well-behaved client sends, over real TLS: it gets an answer of a defined shape, changes
nothing, leaves no traceback in the log, and disturbs nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread, deferToThread

from chatservice.translation.line.commands import TABLE
from tests.generated import steady
from tests.service import (
    GREETING,
    PLAIN,
    TLS,
    Client,
    RunningService,
    ServiceCase,
    Trusting,
    reactor,
    turn,
)

DEFINED = re.compile(
    r"HELLO:chat\.example:\S+"
    r"|OK:[A-Z]+(:.*)?"
    r"|ITEM:[A-Z]+:.+"
    r"|ERR:[!-9;-~]{0,32}:[A-Z0-9_]+:.+"
    r"|(ROOM|SAY|JOINED|LEFT|TOPIC|VISIBILITY|DELETED|INVITED|KICKED):.+"
    r"|BYE:.+"
    # Those who were taken for speakers of another protocol, and answered in its words.
    r"|:\S+ ([0-9]{3}|[A-Z]+)( .*)?|ERROR :.+|ERROR:.+|CONNECT:(OK|ERROR):.*|Bye\."
    r"|HTTP/1\.1 400 Bad Request|(Content-Type|Content-Length|Connection): .+|"
    r"|This is a chat server .*"
)
"""Every line that the service may send to those who speak the line protocol, or gibberish."""


class BadInputCase(ServiceCase):
    """Alice and bob are in the lobby, and whatever happens, they still are at the end."""

    listen: tuple[str, ...] = (TLS,)

    async def setUp(self) -> None:  # type: ignore[override]
        self.service = await self.serve(
            listen=self.listen, new_connections_per_minute=0, store="sqlite"
        )
        self.alice, self.bob = await self.service.in_room("lobby", "alice", "bob")

    async def nobody_else_is_disturbed(self) -> None:
        self.assertStarts(await self.alice.ask("ROOM:lobby:still here"), "OK:ROOM:lobby:")
        self.assertEqual(await self.bob.until("ROOM:"), "ROOM:lobby:alice:still here")
        self.assertEqual(await self.bob.items("LISTUSERS:lobby"), ["alice", "bob"])
        self.assertEqual(await self.bob.items("LISTROOM:"), ["lobby:public:2"])
        self.assertEqual(self.flushLoggedErrors(), [])

    async def refuses(self, client: Client, line: bytes, command: str, *codes: str) -> None:
        """One line, and one answer with one of these codes."""
        client.send_raw(line + b"\r\nPING:sync\r\n")
        answers = [await client.line()]
        while answers[-1] != "OK:PING:sync":
            answers.append(await client.line())
        self.assertEqual(len(answers), 2, (line, answers))
        err, got_command, code, words = answers[0].split(":", 3)
        self.assertEqual((err, got_command), ("ERR", command), line)
        self.assertIn(code, codes, line)
        self.assertTrue(words)


class LineTests(BadInputCase):
    async def test_what_is_not_utf8_is_refused(self) -> None:
        for text in (
            b"\xff",
            b"\xc3",
            b"\xc0\xaf",
            b"\xed\xa0\x80",
            b"ok\x80",
            b"\xf5\x80\x80\x80",
        ):
            await self.refuses(self.bob, b"ROOM:lobby:" + text, "ROOM", "NOT_UTF8")
            await self.refuses(self.bob, b"SAY:alice:" + text, "SAY", "NOT_UTF8")
            await self.refuses(self.bob, b"NEWROOM:" + text, "NEWROOM", "NOT_UTF8")
            await self.refuses(self.bob, text, "", "UNKNOWN_COMMAND", "NOT_UTF8")
        await self.nobody_else_is_disturbed()

    async def test_nul_is_refused(self) -> None:
        await self.refuses(self.bob, b"ROOM:lobby:a\0b", "ROOM", "BAD_ARGUMENTS")
        await self.refuses(self.bob, b"NEWROOM:\0", "NEWROOM", "BAD_ARGUMENTS")
        await self.refuses(self.bob, b"WHO\0AMI:", "", "UNKNOWN_COMMAND")
        await self.refuses(self.bob, b"\0" * 1000, "", "UNKNOWN_COMMAND")
        await self.nobody_else_is_disturbed()

    async def test_cr_in_the_middle_is_refused(self) -> None:
        await self.refuses(self.bob, b"ROOM:lobby:a\rOK:LOGIN:root", "ROOM", "BAD_ARGUMENTS")
        await self.refuses(self.bob, b"ROOM:lobby:a\r", "ROOM", "BAD_ARGUMENTS")
        await self.refuses(self.bob, b"SETTOPIC\rBYE:", "", "UNKNOWN_COMMAND")
        await self.refuses(self.bob, b"TOPIC:lobby:\r", "TOPIC", "BAD_ARGUMENTS")
        await self.nobody_else_is_disturbed()

    async def test_empty_names_are_refused(self) -> None:
        guest = await self.service.connect()
        await guest.ask("PING:")
        await self.refuses(guest, b"LOGIN", "LOGIN", "BAD_ARGUMENTS")
        await self.refuses(guest, b"LOGIN:", "LOGIN", "BAD_ARGUMENTS")
        await self.refuses(guest, b"LOGIN::", "LOGIN", "BAD_NICK")
        await self.refuses(guest, b"LOGIN::password", "LOGIN", "BAD_NICK")
        await self.refuses(guest, b"LOGIN:carol:", "LOGIN", "BAD_PASSWORD")
        await self.refuses(self.bob, b"REGISTER:", "REGISTER", "BAD_ARGUMENTS", "BAD_PASSWORD")
        rooms = ("NEWROOM", "DELROOM", "JOINROOM", "EXITROOM", "SETPUBLIC", "SETPRIVATE", "TOPIC")
        for name in rooms:
            await self.refuses(self.bob, name.encode() + b":", name, "BAD_ARGUMENTS")
            await self.refuses(self.bob, name.encode() + b": ", name, "BAD_ROOM_NAME")
        for name in ("INVITEROOM", "KICKROOM", "ROOM"):
            await self.refuses(self.bob, name.encode() + b"::", name, "BAD_ROOM_NAME")
        await self.refuses(self.bob, b"ROOM:lobby:", "ROOM", "BAD_ARGUMENTS")
        await self.refuses(self.bob, b"SAY::hello", "SAY", "NO_SUCH_USER")
        await self.refuses(self.bob, b"SAY:alice:", "SAY", "BAD_ARGUMENTS")
        await self.refuses(self.alice, b"INVITEROOM:lobby:", "INVITEROOM", "NO_SUCH_USER")
        await self.refuses(self.alice, b"KICKROOM:lobby:", "KICKROOM", "NO_SUCH_USER")
        await self.refuses(self.bob, b"HISTORY:@", "HISTORY", "NO_SUCH_USER")
        await self.nobody_else_is_disturbed()

    async def test_a_thousand_colons_are_refused(self) -> None:
        colons = b":" * 1000
        await self.refuses(self.bob, colons, "", "UNKNOWN_COMMAND")
        for command in TABLE:
            # A password may be made of colons, and so may a token.
            if command.name not in ("REGISTER", "PING", "PONG"):
                request = command.name.encode() + colons
                codes = ("BAD_ARGUMENTS", "BAD_ROOM_NAME", "BAD_NICK", "NO_SUCH_USER")
                more = ("BAD_PASSWORD", "UNKNOWN_COMMAND", "ALREADY_LOGGED_IN")
                await self.refuses(self.bob, request, command.name, *codes, *more)
        self.assertStarts(await self.bob.ask("ROOM:lobby" + ":" * 1000), "OK:ROOM:lobby:")
        self.assertEqual(await self.alice.until("ROOM"), "ROOM:lobby:bob:" + ":" * 999)
        await self.nobody_else_is_disturbed()

    async def test_every_command_before_the_login_is_refused_or_harmless(self) -> None:
        guest = await self.service.connect()
        await guest.ask("PING:")
        arguments = {0: b"", 1: b"lobby", 2: b"lobby:alice"}
        harmless = {"LOGIN", "PING", "PONG", "HELP", "QUIT", "PROTOBUF"}

        for command in TABLE:
            if command.name not in harmless:
                request = command.name.encode() + b":" + arguments[command.least]
                await self.refuses(guest, request, command.name, "NOT_LOGGED_IN")
        await self.nobody_else_is_disturbed()

    async def test_half_a_line_and_a_close_does_nothing(self) -> None:
        for end in (Client.hang_up, Client.vanish):
            carol = await self.service.log_in("carol")
            await carol.ask("JOINROOM:lobby")
            carol.send_raw(b"ROOM:lobby:half a thou")

            await end(carol)

            self.assertEqual(await self.bob.until("LEFT", "ROOM"), "LEFT:lobby:carol")
            await self.service.has(connections=2)
        await self.nobody_else_is_disturbed()

    async def test_the_nick_of_one_that_closed_is_free_at_once(self) -> None:
        for _ in range(10):
            carol = await self.service.log_in("carol")
            await carol.ask("NEWROOM:hers")
            await carol.ask("JOINROOM:lobby")
            await carol.vanish()
            await self.bob.until("LEFT:lobby:carol")
        await self.nobody_else_is_disturbed()


class FloodTests(ServiceCase):
    async def test_ten_thousand_lines_in_one_packet_are_answered_until_it_is_too_fast(self) -> None:
        service = await self.serve(messages_per_second=10, message_burst=40)
        alice, bob = await service.in_room("lobby", "alice", "bob")
        mallory = await service.connect()
        await mallory.ask("LOGIN:mallory")
        await mallory.ask("JOINROOM:lobby")

        mallory.send(*["ROOM:lobby:spam", "PING:", "NOSUCH:", "\0", "x" * 5000] * 2000)
        self.assertStarts(await alice.ask("ROOM:lobby:excuse me"), "OK:ROOM:lobby:")

        seen = await mallory.closed
        for line in mallory.seen:
            self.assertTrue(DEFINED.fullmatch(line), line)
        self.assertEqual(seen[-1], "BYE:too many lines at once")
        answers = [line for line in mallory.seen if line.startswith(("OK:", "ERR:"))]
        refused = [line for line in answers if ":TOO_FAST:" in line]
        self.assertEqual((len(answers), len(refused)), (40 + 20, 20))
        said = mallory.seen.count("ROOM:lobby:mallory:spam")
        self.assertEqual(sum(line.startswith("OK:ROOM") for line in answers), said)

        await bob.until("LEFT:lobby:mallory")
        await bob.ask("PING:")
        self.assertEqual(bob.seen.count("ROOM:lobby:mallory:spam"), said)
        self.assertEqual(bob.seen.count("ROOM:lobby:alice:excuse me"), 1)

    async def test_without_a_limit_all_are_answered_and_others_are_served_meanwhile(self) -> None:
        service = await self.serve(messages_per_second=0)
        alice = await service.log_in("alice")
        mallory = await service.log_in("mallory")
        changes = ["NEWROOM:a", "JOINROOM:a", "ROOM:a:hello", "EXITROOM:a", "DELROOM:a"]
        requests = [*changes, *["WHOAMI:", "PING:"] * 47, "LISTROOM:"] * 100

        mallory.send(*requests)
        served = 0
        while sum(line.startswith(("OK:", "ERR:")) for line in mallory.seen) < 1 + len(requests):
            self.assertEqual(await alice.ask("PING:"), "OK:PING:")
            served += 1

        answers = [line for line in mallory.seen if line.startswith(("OK:", "ERR:"))][1:]
        got = [":".join(answer.split(":")[:2]) for answer in answers]
        self.assertEqual(got, [f"OK:{request.partition(':')[0]}" for request in requests])
        self.assertGreater(served, 10)


class OtherProtocolTests(BadInputCase):
    listen = (TLS, PLAIN)

    async def test_a_client_of_tls_1_2_gets_an_alert(self) -> None:
        client = await self.service.connect(tls=Trusting(newest=SSL.TLS1_2_VERSION))

        await client.closed

        assert client.reason is not None
        self.assertIn("alert protocol version", str(client.reason.value))
        await self.nobody_else_is_disturbed()

    async def plain(self, request: bytes, listener: int = 0) -> list[str]:
        """All that is answered to plain text."""
        client = await self.service.connect(tls=None, listener=listener)
        client.send_raw(request)
        await client.closed
        return client.seen

    async def test_plain_text_on_the_tls_port_is_told_so(self) -> None:
        answer = await self.plain(b"LOGIN:carol\r\n")

        self.assertEqual(answer, ["ERR::TLS_REQUIRED:this port speaks TLS 1.3 only"])
        await self.nobody_else_is_disturbed()

    async def test_plain_http_on_the_tls_port_is_told_so(self) -> None:
        answer = await self.plain(b"GET / HTTP/1.1\r\nHost: chat.example\r\n\r\n")

        self.assertEqual(answer[0], "HTTP/1.1 400 Bad Request")
        self.assertEqual(answer[-1], "this port speaks TLS 1.3 only")
        await self.nobody_else_is_disturbed()

    async def test_plain_irc_on_the_tls_port_is_told_so(self) -> None:
        self.assertEqual(
            await self.plain(b"NICK carol\r\nUSER carol 0 * :Carol\r\n"),
            ["ERROR :This port speaks TLS only"],
        )
        await self.nobody_else_is_disturbed()

    async def test_tls_on_the_plain_port_gets_an_alert(self) -> None:
        client = await self.service.connect(listener=1)

        await client.closed

        assert client.reason is not None
        self.assertIn("alert handshake failure", str(client.reason.value))
        await self.nobody_else_is_disturbed()

    async def test_gibberish_after_the_handshake_ends_that_connection(self) -> None:
        client = await self.service.connect()
        await client.ask("LOGIN:carol")
        await client.ask("JOINROOM:lobby")

        client.transport.transport.write(b"\x17\x03\x03\x00\x20" + b"x" * 32)

        await client.closed
        self.assertEqual(await self.bob.until("LEFT"), "LEFT:lobby:carol")
        await self.nobody_else_is_disturbed()

    async def test_an_http_request_inside_tls_gets_a_400(self) -> None:
        for method in (b"GET", b"POST", b"OPTIONS"):
            client = await self.service.connect()
            client.send_raw(method + b" / HTTP/1.1\r\nHost: chat.example\r\n\r\n")

            seen = await client.closed

            self.assertEqual(seen[0], "HTTP/1.1 400 Bad Request")
            self.assertIn("Connection: close", seen)
        await self.nobody_else_is_disturbed()


COMMAND_LIKE = st.builds(
    lambda name, arguments: b":".join([name, *arguments]),
    st.sampled_from(
        [command.name.encode() for command in TABLE] + [b"!exit", b"CONNECT", b"CAP LS"]
    ),
    st.lists(
        st.sampled_from([b"", b"lobby", b"alice", b"mallory", b"private", b"1", b"999999999"])
        | st.binary(max_size=8)
        | st.text(max_size=8).map(lambda text: text.encode("utf-8", "surrogatepass")),
        max_size=4,
    ),
)
PIECES = st.lists(
    COMMAND_LIKE
    | st.binary(max_size=40)
    | st.sampled_from([b"LOGIN:mallory", b"JOINROOM:lobby", b"x" * 5000, b"\xff" * 100, b":" * 50]),
    max_size=12,
)
GIBBERISH = st.builds(
    lambda pieces, endings: b"".join(
        piece + endings[number % len(endings)] for number, piece in enumerate(pieces)
    ),
    PIECES,
    st.lists(
        st.sampled_from([b"\n", b"\r\n", b"\r\n", b"\r", b"", b"\n\n"]), min_size=1, max_size=4
    ),
)


class GibberishTests(ServiceCase):
    async def test_only_lines_of_a_defined_shape_come_back(self) -> None:
        service = await self.serve(new_connections_per_minute=0)
        alice, bob = await service.in_room("lobby", "alice", "bob")

        @steady(150)
        @given(GIBBERISH, st.lists(st.integers(1, 400), max_size=4))
        def check(data: bytes, cuts: list[int]) -> None:
            seen: list[str] = blockingCallFromThread(reactor, talk, data, cuts)
            for line in seen:
                self.assertTrue(DEFINED.fullmatch(line), line)
            self.assertLessEqual(sum(line.startswith(GREETING) for line in seen), 1)

        def talk(data: bytes, cuts: list[int]) -> Deferred[list[str]]:
            return Deferred.fromCoroutine(say(service, data, cuts))

        await deferToThread(check)

        await service.has(connections=2)
        await alice.ask("ROOM:lobby:still here")
        self.assertEqual(await bob.until("ROOM:lobby:alice:"), "ROOM:lobby:alice:still here")
        self.assertEqual(await bob.items("LISTUSERS:"), ["alice", "bob"])
        self.assertEqual(self.flushLoggedErrors(), [])


async def say(service: RunningService, data: bytes, cuts: Sequence[int]) -> list[str]:
    """Say it, cut into several writes; return what was answered until the service closed."""
    client = await service.connect()
    for cut in [*cuts, len(data)]:
        client.send_raw(data[:cut])
        data = data[cut:]
        await turn()
    client.send("", "QUIT:", "QUIT:", "QUIT")
    await client.closed
    return client.seen
