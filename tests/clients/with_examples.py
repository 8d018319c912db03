"""The examples do what their first lines promise, while servers are killed and come back."""

from __future__ import annotations

import signal

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from chatservice.client import Client as LibraryClient
from chatservice.client import Pins, PinStore, Room
from tests.example_case import ROOT, ExampleCase, Town, said_in
from tests.process import PATIENCE, new_folder
from tests.service import Client

SAID = 10
"""Messages that are said at once before a server is killed, and after."""


class LengthTests(SynchronousTestCase):
    def test_they_are_as_short_as_is_said(self) -> None:
        for name, most in (("bot.py", 20), ("bridge.py", 100)):
            lines = (ROOT / "examples" / name).read_text(encoding="utf-8").splitlines()
            self.assertLessEqual(len(lines), most, name)
            self.assertLessEqual(max(map(len, lines)), 100, name)


class BotTests(ExampleCase):
    async def test_it_answers_every_question_once_across_a_kill(self) -> None:
        town = await self.town()
        ann = await town.resident("ann", "lobby")
        self.run_example("bot.py", town.place, "clock", "lobby")
        await self.heard(ann, "JOINED:lobby:clock")
        ann.send("ROOM:lobby:hello", "ROOM:lobby:!time")
        answer = await self.while_it_runs(ann.until("ROOM:lobby:clock:"))
        self.assertRegex(answer, r"^ROOM:lobby:clock:ann: it is \d\d:\d\d:\d\d UTC$")

        await say(ann, *["!time"] * SAID)
        await town.server.kill()
        await town.start()
        # Asked before the bot is back, perhaps.
        bea = await town.resident("bea")
        await bea.ask("JOINROOM:lobby")
        await bea.ask("ROOM:lobby:!time")
        await self.while_it_runs(bea.until("ROOM:lobby:clock:bea:"))

        said = await said_in(bea, "lobby")
        asked = [nick for nick, text in said if text == "!time"]
        answered = [text.partition(":")[0] for nick, text in said if nick == "clock"]
        self.assertEqual(asked, ["ann"] * (1 + SAID) + ["bea"])
        self.assertEqual(answered, asked)

    async def test_it_does_not_react_to_notices(self) -> None:
        town = await self.town()
        ann = await town.resident("ann", "lobby")
        self.run_example("bot.py", town.place, "clock", "lobby")
        await self.heard(ann, "JOINED:lobby:clock")
        room = await library_room(self, town)
        await room.say("!time", notice=True)
        await ann.ask("ROOM:lobby:!time")
        await self.while_it_runs(ann.until("ROOM:lobby:clock:"))

        page = await room.history()
        (answer,) = [message for message in page.messages if message.nick == "clock"]
        self.assertTrue(answer.notice)
        self.assertTrue(answer.text.startswith("ann: it is "), answer.text)

    async def test_it_believes_no_other_certificate_than_the_first(self) -> None:
        town, other = await self.town(), await self.town()
        ann = await town.resident("ann", "lobby")
        bot = self.run_example("bot.py", town.place, "clock", "lobby")
        await self.heard(ann, "JOINED:lobby:clock")
        await town.server.terminate()
        await other.server.terminate()
        town.folder = other.folder
        await town.start()

        ended = await bot.ended
        self.assertEqual(ended.status, 1)
        self.assertIn("its certificate has changed", ended.err)


class BridgeTests(ExampleCase):
    async def bridge(self, *rooms: str) -> None:
        """Two servers, somebody in the rooms on each of them, and a bridge between."""
        self.west, self.east = await self.town(), await self.town()
        names = [(room.split("=")[0], room.split("=")[-1]) for room in rooms]
        self.ann = await self.west.resident("ann", *(name for name, _ in names))
        self.bob = await self.east.resident("bob", *(name for _, name in names))
        self.example = self.run_example("bridge.py", self.west.place, self.east.place, *rooms)
        await self.heard(self.ann, *(f"JOINED:{name}:bridge" for name, _ in names))
        await self.heard(self.bob, *(f"JOINED:{name}:bridge" for _, name in names))

    async def test_it_carries_both_ways_in_every_room(self) -> None:
        await self.bridge("lobby", "ops=operations")
        self.ann.send("ROOM:lobby:hello", "ROOM:ops:is it up?")
        self.bob.send("ROOM:lobby:hi", "ROOM:operations:it is")

        await self.heard(self.bob, "ROOM:lobby:bridge:<ann> hello")
        await self.heard(self.bob, "ROOM:operations:bridge:<ann> is it up?")
        await self.heard(self.ann, "ROOM:lobby:bridge:<bob> hi", "ROOM:ops:bridge:<bob> it is")

    async def test_every_message_is_carried_once_and_in_order_whichever_server_is_killed(
        self,
    ) -> None:
        await self.bridge("lobby")
        numbers = [str(number) for number in range(2 * SAID)]

        await say(self.ann, *numbers[:SAID])
        await self.east.server.kill()
        await say(self.ann, *numbers[SAID:])
        await self.east.start()
        self.bob = await self.east.resident("bob", "lobby")
        await say(self.ann, "that was all")
        await self.heard(self.bob, "ROOM:lobby:bridge:<ann> that was all")

        await say(self.bob, *numbers[:SAID])
        await self.west.server.kill()
        await say(self.bob, *numbers[SAID:])
        await self.west.start()
        self.ann = await self.west.resident("ann", "lobby")
        await say(self.bob, "that was all")
        await self.heard(self.ann, "ROOM:lobby:bridge:<bob> that was all")

        said = [*numbers, "that was all"]
        for client, author, other in ((self.ann, "ann", "bob"), (self.bob, "bob", "ann")):
            history = await said_in(client, "lobby")
            self.assertEqual([text for nick, text in history if nick == author], said)
            carried = [text for nick, text in history if nick == "bridge"]
            self.assertEqual(carried, [f"<{other}> {text}" for text in said])

    async def test_notices_stay_notices_and_actions_actions(self) -> None:
        await self.bridge("lobby")
        room = await library_room(self, self.west)
        await room.say("this is a program", notice=True)
        await room.say("waves", action=True)
        await room.say("that was all")
        await self.heard(self.bob, "ROOM:lobby:bridge:<program> that was all")

        page = await (await library_room(self, self.east)).history()
        self.assertEqual(
            [(message.text, message.notice, message.action) for message in page.messages],
            [
                ("<program> this is a program", True, False),
                ("program waves", False, True),
                ("<program> that was all", False, False),
            ],
        )

    async def test_a_text_that_is_too_long_with_its_authors_nick_is_carried_in_pieces(self) -> None:
        await self.bridge("lobby")
        text = "täglich " * 400
        await say(self.ann, text.strip(), "that was all")
        await self.heard(self.bob, "ROOM:lobby:bridge:<ann> that was all")

        *pieces, _ = [text for _, text in await said_in(self.bob, "lobby")]
        self.assertGreater(len(pieces), 1)
        self.assertEqual("".join(p.removeprefix("<ann> ") for p in pieces), text.strip())

    async def test_it_ends_in_good_order_when_it_is_told_to(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            await self.bridge("lobby")
            ended = await self.example.end(number)

            self.assertEqual((ended.status, ended.out, ended.err), (0, "", ""))
            await self.heard(self.ann, "LEFT:lobby:bridge")
            await self.heard(self.bob, "LEFT:lobby:bridge")

    async def test_it_ends_too_while_a_server_is_away(self) -> None:
        await self.bridge("lobby")
        await self.east.server.kill()
        await say(self.ann, "is anybody there?")
        ended = await self.example.end(signal.SIGTERM)

        self.assertEqual((ended.status, ended.out, ended.err), (0, "", ""))

    async def test_it_says_which_room_it_has_lost(self) -> None:
        await self.bridge("lobby", "ops=operations")
        await self.bob.ask("DELROOM:operations")
        ended = await self.example.ended

        self.assertEqual(ended.status, 1)
        place = self.east.place.removeprefix("tls:")
        self.assertEqual(ended.err, f"operations at {place}: bob has removed the room\n")

    async def test_a_server_that_is_not_there_is_named(self) -> None:
        ended = await self.run_example("bridge.py", "tls:no host", "tls:localhost", "lobby").ended

        self.assertEqual(ended.status, 1)
        self.assertNotIn("Traceback", ended.err)
        self.assertIn("no host", ended.err)


async def say(client: Client, *texts: str) -> None:
    """Says things in the lobby; they are stored."""
    client.send(*(f"ROOM:lobby:{text}" for text in texts))
    for _ in texts:
        await client.until("OK:ROOM:")


async def library_room(case: ExampleCase, town: Town) -> Room:
    """The lobby, as a program that uses the library has it."""
    trust = Pins(PinStore(new_folder(case) / "known_servers"))
    program = LibraryClient(town.place, trust=trust, timeout=PATIENCE)
    program.startService()
    case.addCleanup(lambda: Deferred.fromCoroutine(program.close()))
    await program.login("program")
    return await program.join("lobby")
