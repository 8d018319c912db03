"""How fast and how much, seen from outside: lines that are too long, messages that are too many,
readers that do not read, passwords that are guessed. Whatever one client does, others go on.
"""

from __future__ import annotations

from functools import partial
from threading import Event as ThreadEvent

import argon2
from hypothesis import given
from hypothesis import strategies as st

from chatservice import service as service_module
from chatservice.authentication.passwords import Passwords
from chatservice.networking.framing import LineBuffer, Overlong
from tests.generated import steady
from tests.service import Client, RunningService, ServiceCase, turn, until

LIMIT = 4096


class LineLengthTests(ServiceCase):
    async def test_a_line_of_the_longest_length_is_taken(self) -> None:
        alice, bob = await (await self.serve()).in_room("lobby", "alice", "bob")
        text = "x" * (LIMIT - len("ROOM:lobby:"))

        self.assertStarts(await alice.ask(f"ROOM:lobby:{text}"), "OK:ROOM:lobby:")
        self.assertEqual(await bob.until("ROOM:"), f"ROOM:lobby:alice:{text}")

    async def test_a_line_one_byte_longer_is_not(self) -> None:
        alice, bob = await (await self.serve()).in_room("lobby", "alice", "bob")
        text = "x" * (LIMIT + 1 - len("ROOM:lobby:"))

        self.assertStarts(await alice.ask(f"ROOM:lobby:{text}"), "ERR:ROOM:LINE_TOO_LONG:")
        await alice.ask("ROOM:lobby:short")
        self.assertEqual(await bob.until("ROOM:"), "ROOM:lobby:alice:short")

    async def test_the_length_is_the_settings(self) -> None:
        client = await (await self.serve(line_bytes=600)).connect()

        self.assertEqual(await client.ask("PING:" + "é" * 297), "OK:PING:" + "é" * 297)
        self.assertStarts(await client.ask("PING:" + "é" * 298), "ERR:PING:LINE_TOO_LONG:")

    async def test_ten_megabytes_without_an_end_are_dropped_as_they_come(self) -> None:
        service = await self.serve()
        alice, bob = await service.in_room("lobby", "alice", "bob")
        line = service.side_of(alice)._framing
        longest = 0

        for _ in range(160):
            alice.send_raw(b"x" * 65536)
            await turn()
            longest = max(longest, len(line))
        alice.send("")

        self.assertStarts(await alice.line(), "ERR::LINE_TOO_LONG:")
        self.assertLessEqual(longest, LIMIT + 1)
        await alice.ask("ROOM:lobby:short")
        self.assertEqual(await bob.until("ROOM:"), "ROOM:lobby:alice:short")

    def test_lines_are_the_same_however_they_are_cut(self) -> None:
        @steady(300)
        @given(
            st.lists(st.sampled_from([b"a" * 69, b"b" * 70, b"c", b"\r", b"\n", b"\r\n"])),
            st.lists(st.integers(1, 150)),
        )
        def check(pieces: list[bytes], cuts: list[int]) -> None:
            data = b"".join(pieces)
            whole = LineBuffer(70).feed(data)
            buffer, parts, rest = LineBuffer(70), [], data
            for cut in [*cuts, len(data)]:
                parts += buffer.feed(rest[:cut])
                rest = rest[cut:]
                self.assertLessEqual(len(buffer), 71)
            self.assertEqual(parts, whole)
            for line in parts:
                if not isinstance(line, Overlong):
                    self.assertLessEqual(len(line.removesuffix(b"\r")), 70)

        check()


class RateTests(ServiceCase):
    async def serve_slowly(self) -> RunningService:
        return await self.serve(messages_per_second=10, message_burst=40, refusals_before_close=20)

    async def test_what_comes_too_fast_is_refused_and_not_done(self) -> None:
        service = await self.serve_slowly()
        alice, bob = await service.in_room("lobby", "alice", "bob")
        service.time.advance(60)

        alice.send(*(f"ROOM:lobby:{number}" for number in range(50)))
        answers = [await alice.until("OK:", "ERR:") for _ in range(50)]

        self.assertEqual(sum(answer.startswith("OK:ROOM:") for answer in answers), 40)
        self.assertEqual(sum(answer.startswith("ERR:ROOM:TOO_FAST:") for answer in answers), 10)
        await bob.ask("PING:")
        said = [line for line in bob.seen if line.startswith("ROOM:")]
        self.assertEqual(said, [f"ROOM:lobby:alice:{number}" for number in range(40)])

    async def test_a_rest_allows_more(self) -> None:
        service = await self.serve_slowly()
        alice = await service.log_in("alice")
        alice.send(*["PING:"] * 39)
        for _ in range(39):
            self.assertEqual(await alice.until("OK:", "ERR:"), "OK:PING:")
        self.assertStarts(await alice.ask("PING:"), "ERR:PING:TOO_FAST:")

        service.time.advance(1)

        alice.send(*["PING:"] * 11)
        answers = [await alice.until("OK:", "ERR:") for _ in range(11)]
        self.assertEqual(answers.count("OK:PING:"), 10)

    async def test_who_goes_on_is_closed_alone(self) -> None:
        service = await self.serve_slowly()
        alice, bob = await service.in_room("lobby", "alice", "bob")
        service.time.advance(60)

        alice.send(*["PING:"] * 1000)

        seen = await alice.closed
        self.assertEqual(seen.count("OK:PING:"), 40)
        self.assertEqual(sum(line.startswith("ERR:PING:TOO_FAST:") for line in seen), 20)
        self.assertEqual(seen[-1], "BYE:too many lines at once")
        self.assertEqual(await bob.until("LEFT"), "LEFT:lobby:alice")
        self.assertEqual(await bob.ask("WHOAMI:"), "OK:WHOAMI:bob")

    async def test_one_that_is_served_begins_the_count_of_refusals_anew(self) -> None:
        service = await self.serve_slowly()
        alice = await service.log_in("alice")
        alice.send(*["PING:"] * 39)

        for _ in range(5):
            alice.send(*["PING:"] * 20)
            await until(lambda: alice.seen.count("OK:PING:") >= 39)
            await alice.until("ERR:PING:TOO_FAST:")
            service.time.advance(0.1)
            await alice.ask("PING:")

        self.assertIsNone(alice.reason)

    async def test_lines_of_every_kind_count(self) -> None:
        for line in ("", "x" * 5000, "NOSUCHCOMMAND:", "\0", "LOGIN:", "ROOM:lobby:hello"):
            service = await self.serve_slowly()
            client = await service.log_in("alice")

            client.send(*[line] * 100)

            self.assertEqual((await client.closed)[-1], "BYE:too many lines at once", line[:20])

    async def test_lines_count_before_the_dialect_is_known(self) -> None:
        client = await (await self.serve_slowly()).connect()

        client.send(*[""] * 100)

        self.assertEqual((await client.closed)[-1], "BYE:too many lines at once")

    async def test_zero_means_no_limit(self) -> None:
        alice = await (await self.serve(messages_per_second=0, message_burst=0)).log_in("alice")

        alice.send(*["PING:"] * 5000)

        for _ in range(5000):
            self.assertEqual(await alice.line(), "OK:PING:")


class SendqTests(ServiceCase):
    async def test_who_does_not_read_is_closed_alone(self) -> None:
        sendq = 65536
        service = await self.serve(sendq_bytes=sendq)
        alice, bob, mallory = await service.in_room("lobby", "alice", "bob", "mallory")
        service.stall(mallory)
        text, most = "x" * 4000, 0

        while len(service.connections) == 3:
            for _ in range(10):
                self.assertStarts(await alice.ask(f"ROOM:lobby:{text}"), "OK:")
                most = max(most, *service.queued_bytes)

        self.assertLessEqual(most, sendq + 16 * 1024)
        self.assertEqual(service.connections.overflowed, 1)
        self.assertEqual(await bob.until("LEFT"), "LEFT:lobby:mallory")
        await bob.ask("PING:")
        said = [line for line in bob.seen if line.startswith("ROOM:")]
        self.assertEqual(
            len(said), len([line for line in alice.seen if line.startswith("OK:ROOM")])
        )

    async def test_who_asks_for_much_and_does_not_read_is_closed(self) -> None:
        sendq = 65536
        service = await self.serve(sendq_bytes=sendq)
        mallory = await service.log_in("mallory")
        service.stall(mallory)
        most = 0

        while len(service.connections) == 1 and mallory.reason is None:
            mallory.send(*["HELP:"] * 10)
            await turn()
            most = max(most, 0, *service.queued_bytes)

        self.assertLessEqual(most, sendq + 16 * 1024)
        await service.log_in("bob")

    async def test_a_long_answer_is_not_held_against_a_slow_reader(self) -> None:
        many, sendq = 12_000, 65536
        service = await self.serve(store="sqlite", sendq_bytes=sendq, history_messages=many)
        alice, bob = await service.in_room("lobby", "alice", "bob")
        await bob.ask("EXITROOM:lobby")
        alice.send(*["ROOM:lobby:x"] * many, "PING:")
        await alice.until("OK:PING:")
        await bob.ask("JOINROOM:lobby")
        service.stall(bob)
        most = 0

        bob.send(f"HISTORY:lobby:{many}")
        await until(lambda: any(service.queued_bytes))
        for _ in range(100):
            await alice.ask("PING:")
            most = max(most, *service.queued_bytes)
        bob.read_on()

        self.assertStarts(await bob.until("OK:HISTORY", "ERR:"), "OK:HISTORY:lobby")
        self.assertEqual(sum(line.startswith("ITEM:") for line in bob.seen), many)
        self.assertLessEqual(most, sendq)


class PasswordTests(ServiceCase):
    """Two wrong passwords are free; what follows is slowed, by account and by address."""

    def setUp(self) -> None:
        cheap = argon2.Parameters(argon2.Type.ID, 19, 16, 32, 1, 8, 1)
        self.held = ThreadEvent()
        self.held.set()
        verify = argon2.PasswordHasher.verify

        def held_verify(hasher: argon2.PasswordHasher, hash: str, password: str) -> bool:
            self.held.wait(20)
            return bool(verify(hasher, hash, password))

        self.patch(argon2.PasswordHasher, "verify", held_verify)
        self.patch(service_module, "Passwords", partial(Passwords, max_waiting=1, parameters=cheap))

    async def account(self, service: RunningService, nick: str) -> None:
        client = await service.log_in(nick, source="127.0.0.9")
        self.assertStarts(await client.ask("REGISTER:a long secret"), "OK:")
        await client.ask("LOGOUT:")

    async def slowed(self, service: RunningService, client: Client, request: str) -> str:
        """The answer to a login that is only looked at after some time."""
        client.send(request)
        # As long as another login takes, from one end to the other: nothing.
        other = await service.connect(source="127.0.0.99")
        for number in range(2):
            await other.ask(f"LOGIN:nobody{number}:guess")
        self.assertFalse(client.seen[-1:] == [] or "LOGIN" in client.seen[-1], client.seen)
        service.time.advance(1)
        return await client.until("OK:", "ERR:")

    async def test_guesses_at_one_account_are_slowed_wherever_they_come_from(self) -> None:
        service = await self.serve()
        await self.account(service, "alice")
        for number in range(3):
            client = await service.connect(source=f"127.0.1.{number}")
            answer = await client.ask("LOGIN:alice:guess")
            self.assertStarts(answer, "ERR:LOGIN:BAD_PASSWORD:")

        client = await service.connect(source="127.0.1.100")
        await client.ask("PING:")
        answer = await self.slowed(service, client, "LOGIN:alice:guess")

        self.assertStarts(answer, "ERR:LOGIN:BAD_PASSWORD:")

    async def test_guesses_from_one_address_are_slowed_whatever_they_guess_at(self) -> None:
        service = await self.serve()
        client = await service.connect(source="127.0.1.1")
        for number in range(3):
            answer = await client.ask(f"LOGIN:ghost{number}:guess")
            self.assertStarts(answer, "ERR:LOGIN:BAD_PASSWORD:")

        await client.ask("PING:")
        answer = await self.slowed(service, client, "LOGIN:ghost4:guess")

        self.assertStarts(answer, "ERR:LOGIN:BAD_PASSWORD:")

    async def test_whoever_guesses_on_and_on_is_refused(self) -> None:
        service = await self.serve(login_seconds=3600)
        await self.account(service, "alice")
        client = await service.connect()
        await client.ask("PING:")

        for _ in range(9):
            client.send("LOGIN:alice:guess")
            service.time.advance(30)
            answer = await client.until("ERR:LOGIN:")
        clients = [await service.connect() for _ in range(3)]
        for each in clients:
            each.send("LOGIN:alice:guess")
        await until(lambda: any(each.seen[1:] for each in clients))

        self.assertStarts(answer, "ERR:LOGIN:BAD_PASSWORD:")
        refused = [each.seen[1] for each in clients if each.seen[1:]]
        self.assertStarts(refused[0], "ERR:LOGIN:TOO_FAST:")

    async def test_the_right_password_still_comes_in(self) -> None:
        service = await self.serve()
        await self.account(service, "alice")
        client = await service.connect(source="127.0.1.1")
        for _ in range(3):
            await client.ask("LOGIN:alice:guess")

        await client.ask("PING:")
        answer = await self.slowed(service, client, "LOGIN:alice:a long secret")

        self.assertEqual(answer, "OK:LOGIN:alice")

    async def test_too_many_passwords_at_once_are_refused_at_once(self) -> None:
        service = await self.serve()
        clients = [await service.connect(source=f"127.0.1.{number}") for number in range(5)]
        self.held.clear()

        # Two are worked on, one may wait.
        for number, client in enumerate(clients):
            client.send(f"LOGIN:ghost{number}:guess")
        await until(lambda: sum(bool(client.seen[1:]) for client in clients) == 2)
        others = await service.log_in("bob", source="127.0.2.1")
        self.assertEqual(await others.ask("WHOAMI:"), "OK:WHOAMI:bob")
        self.held.set()

        answers = sorted([await client.until("ERR:LOGIN:") for client in clients])
        codes = [answer.split(":")[2] for answer in answers]
        self.assertEqual(codes, ["BAD_PASSWORD"] * 3 + ["UNAVAILABLE"] * 2)
