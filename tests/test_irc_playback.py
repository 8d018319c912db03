"""How a history is written: as it was said, in a batch, and with what else has happened."""

from __future__ import annotations

from chatservice.controller.entities import conversation
from chatservice.controller.events import DirectMessage, TagMessage
from tests.bench import SERVER
from tests.irc_case import CLOAK, mask
from tests.irc_history_case import EVERYTHING, OPENED, HistoryCase, at, words
from tests.service import ServiceCase


class WordingTests(HistoryCase):
    def test_messages_are_as_they_were_with_when_and_who(self) -> None:
        self.house.user("dora", "REGISTER:secret", "JOINROOM:lobby", "ROOM:lobby:I am dora")
        self.alice.send(
            "@+draft/x=y NOTICE #lobby :\x01VERSION 1\x01", "PRIVMSG #lobby :\x1dslanted\x1d"
        )

        *_, dora, notice, slanted, end = self.alice.ask("CHATHISTORY LATEST #lobby * 3")

        self.assertRegex(
            dora,
            f"^@batch=1;time={OPENED.format(5)};msgid=[^;]+;account=dora"
            f" :{mask('dora')} PRIVMSG #lobby :I am dora$",
        )
        self.assertRegex(
            notice,
            rf"^@batch=1;time={OPENED.format(5)};msgid=[^;]+;\+draft/x=y"
            f" :{mask('alice')} NOTICE #lobby :\x01VERSION 1\x01$",
        )
        self.assertTrue(slanted.endswith(" PRIVMSG #lobby :\x1dslanted\x1d"))
        self.assertEqual(end, f":{SERVER} BATCH -1")

    def test_a_message_has_the_id_that_it_had(self) -> None:
        self.alice.lines()
        self.say("remember")
        (told,) = self.alice.lines()

        _, replayed, _ = self.alice.ask("CHATHISTORY LATEST #lobby * 1")

        self.assertEqual(replayed, "@batch=1;" + told[1:])

    def test_a_text_that_takes_several_lines_is_in_the_batch_whole(self) -> None:
        self.say("é" * 400)

        begin, first, second, _ = self.alice.ask("CHATHISTORY LATEST #lobby * 1")

        self.assertEqual(begin, f":{SERVER} BATCH +1 chathistory #lobby")
        self.assertIn(";msgid=", first)
        self.assertTrue(second.startswith(f"@batch=1;time={OPENED.format(6)} :bob!"), second)
        self.assertEqual("".join(words([first, second])), "é" * 400)

    def test_the_batch_is_named_after_the_target_as_it_is_shown(self) -> None:
        self.bob.send("SAY:alice:hello")

        self.assertEqual(
            self.alice.ask("CHATHISTORY LATEST #LOBBY * 1")[0],
            f":{SERVER} BATCH +1 chathistory #lobby",
        )
        self.assertEqual(
            self.alice.ask("chathistory latest BOB * 1")[0], f":{SERVER} BATCH +2 chathistory bob"
        )

    def test_there_is_a_batch_even_if_nothing_is_in_it(self) -> None:
        expected = [f":{SERVER} BATCH +1 chathistory bob", f":{SERVER} BATCH -1"]

        self.assertEqual(self.alice.ask("CHATHISTORY LATEST bob * 5"), expected)

    def test_whoever_knows_no_batches_gets_plain_messages(self) -> None:
        carol = self.irc("carol")
        carol.send("JOIN #lobby")

        self.assertEqual(
            carol.ask("CHATHISTORY LATEST #lobby * 2"),
            [f":{mask('bob')} PRIVMSG #lobby :{text}" for text in ("four", "five")],
        )
        self.assertEqual(carol.ask("CHATHISTORY LATEST bob * 2"), [])

    def test_nothing_is_played_back_unasked(self) -> None:
        for capabilities in (("draft/chathistory",), ()):
            carol = self.irc(f"carol{len(capabilities)}", *capabilities)
            self.assertFalse([line for line in carol.ask("JOIN #lobby") if "PRIVMSG" in line])

    def test_without_event_playback_there_are_only_messages(self) -> None:
        self.alice.send(
            "TOPIC #lobby :tea", "@+draft/react=x TAGMSG #lobby", "PART #lobby", "JOIN #lobby"
        )
        self.house.user("eve", "JOINROOM:lobby").hang_up()

        self.assertEqual(self.history("LATEST #lobby * 2"), ["four", "five"])


class ConversationTests(HistoryCase):
    def test_both_sides_are_there(self) -> None:
        self.bob.send("SAY:alice:hello")
        self.alice.send("PRIVMSG bob :hello yourself", "NOTICE bob :psst")

        lines = self.alice.ask("CHATHISTORY LATEST bob * 5")[1:-1]

        self.assertEqual(
            [line.partition(" ")[2] for line in lines],
            [
                f":{mask('bob')} PRIVMSG alice :hello",
                f":{mask('alice')} PRIVMSG bob :hello yourself",
                f":{mask('alice')} NOTICE bob :psst",
            ],
        )

    def test_nobody_else_sees_it(self) -> None:
        self.bob.send("SAY:alice:hello")
        carol = self.irc("carol", *EVERYTHING)

        self.assertEqual(self.history("LATEST bob * 5", carol), [])
        self.assertEqual(self.history("LATEST alice * 5", carol), [])

    def test_somebody_who_logs_in_again_sees_it_under_the_nicks_of_today(self) -> None:
        self.account("dora")
        before = self.irc("dora1", *EVERYTHING, account="dora")
        before.send("PRIVMSG bob :mine")
        self.bob.send("SAY:dora1:his")
        before.hang_up()

        dora = self.irc("dora2", *EVERYTHING, account="dora")
        lines = dora.ask("CHATHISTORY LATEST bob * 5")[1:-1]

        self.assertEqual(
            [line.partition(" ")[2] for line in lines],
            [f":{mask('dora2')} PRIVMSG bob :mine", f":{mask('bob')} PRIVMSG dora2 :his"],
        )

    def test_what_was_kept_before_accounts_were_is_known_by_the_nick(self) -> None:
        self.account("dora")
        bob = self.house.controller.state.users["bob"].identity
        told = DirectMessage(
            target=conversation("dora", bob),
            actor="dora",
            nick="dora",
            to="bob",
            to_nick="bob",
            text="mine",
        )
        self.house.controller.submit(told)
        dora = self.irc("dora2", "batch", account="dora")

        (line,) = dora.ask("CHATHISTORY LATEST bob * 5")[1:-1]

        self.assertEqual(line, f"@batch=1 :{mask('dora2')} PRIVMSG bob :mine")

    def test_what_is_kept_is_not_changed_by_being_shown(self) -> None:
        self.account("dora")
        first = self.irc("dora1", *EVERYTHING, account="dora")
        first.send("PRIVMSG bob :mine")
        first.hang_up()
        for nick in ("dora2", "dora3"):
            dora = self.irc(nick, *EVERYTHING, account="dora")
            (line,) = dora.ask("CHATHISTORY LATEST bob * 5")[1:-1]
            self.assertIn(f" :{mask(nick)} PRIVMSG bob :mine", line)
            dora.hang_up()
        (kept,) = (
            e for s in self.house.journal._by_target.values() for e in s if e.kind == "direct"
        )

        self.assertEqual(kept.nick, "dora1")

    def test_the_history_of_an_account_that_is_away(self) -> None:
        dora = self.house.user("dora", "REGISTER:secret", "SAY:alice:remember me")
        dora.hang_up()

        self.assertEqual(self.history("LATEST dora * 5"), ["remember me"])


class PlaybackTests(HistoryCase):
    capabilities = (*EVERYTHING, "draft/event-playback", "extended-join", "away-notify")

    def events(self, query: str = "LATEST #lobby * 100") -> list[str]:
        """The lines of a history without tags, from the last of bob's words on."""
        lines = [line.partition(" ")[2] for line in self.alice.ask(f"CHATHISTORY {query}")[1:-1]]
        return lines[lines.index(f":{mask('bob')} PRIVMSG #lobby :five") + 1 :]

    def test_what_was_done_is_there_too(self) -> None:
        carol = self.irc("carol")
        carol.send("AWAY :asleep", "JOIN #lobby", "PART #lobby :bye", "JOIN #lobby")
        self.bob.send("TOPIC:lobby:tea", "KICKROOM:lobby:carol")
        carol.send("JOIN #lobby", "QUIT :gone")

        self.assertEqual(
            self.events(),
            [
                f":carol!~u@{CLOAK} JOIN #lobby * :The real carol",
                f":carol!~u@{CLOAK} PART #lobby :bye",
                f":carol!~u@{CLOAK} JOIN #lobby * :The real carol",
                f":bob!~u@{CLOAK} TOPIC #lobby :tea",
                f":bob!~u@{CLOAK} KICK #lobby carol :bob",
                f":carol!~u@{CLOAK} JOIN #lobby * :The real carol",
                f":carol!~u@{CLOAK} QUIT :Quit: gone",
            ],
        )

    def test_modes_are_there_too(self) -> None:
        self.bob.send("SETPRIVATE:lobby")

        (mode,) = self.events()

        self.assertTrue(mode.startswith(f":{mask('bob')} MODE #lobby +"), mode)

    def test_tags_that_last_are_there_and_typing_is_not(self) -> None:
        self.alice.send(
            "@+typing=active TAGMSG #lobby", "@+draft/react=x;+draft/reply=1 TAGMSG #lobby"
        )

        self.assertEqual(self.events(), [f":{mask('alice')} TAGMSG #lobby"])
        self.alice.send("@+draft/react=x TAGMSG bob")
        (_, line, _) = self.alice.ask("CHATHISTORY LATEST bob * 5")
        self.assertIn(";+draft/react=x :", line)

    def test_whatever_is_left_out_is_not_counted(self) -> None:
        for _ in range(25):
            self.alice.send("@+typing=active TAGMSG #lobby")

        self.assertEqual(self.history("LATEST #lobby * 3"), ["three", "four", "five"])
        self.assertEqual(self.history(f"AFTER #lobby {at(3)} 9"), ["four", "five"])
        self.say("six")
        self.assertEqual(self.history(f"AFTER #lobby {at(4)} 2"), ["five", "six"])

    def test_an_end_is_made_of_looking_for_more(self) -> None:
        room = self.house.controller.state.rooms["lobby"]
        for _ in range(1000):
            self.house.controller.submit(
                TagMessage(
                    target=room.id, room="lobby", actor="bob", nick="bob", tags={"+typing": "a"}
                )
            )
        self.house.settle()

        self.assertEqual(self.history("LATEST #lobby * 1"), [])

    def test_tags_are_for_who_knows_them(self) -> None:
        carol = self.irc("carol", "batch", "draft/event-playback")
        carol.send("JOIN #lobby")
        self.alice.send("@+draft/react=x TAGMSG #lobby")

        lines = carol.ask("CHATHISTORY LATEST #lobby * 1")

        self.assertEqual(lines[1:-1], [f"@batch=1 :{mask('carol')} JOIN #lobby"])

    def test_what_was_said_to_ranks_is_not_there(self) -> None:
        self.bob.send("ROOM:lobby:six")
        carol = self.irc("carol")
        carol.send("JOIN #lobby", "PRIVMSG @#lobby :for your ears")

        self.assertFalse([line for line in self.events() if "ears" in line])


class JournalOnDiskTests(ServiceCase):
    async def test_a_history_is_read_from_disk(self) -> None:
        service = await self.serve(store="sqlite")
        (bob,) = await service.in_room("lobby", "bob")
        alice = await service.connect()
        capabilities = " ".join((*EVERYTHING, "draft/event-playback"))
        alice.send("CAP LS 302", "NICK alice", "USER alice 0 * :alice")
        alice.send(f"CAP REQ :{capabilities}", "CAP END", "JOIN #lobby")
        await alice.until(":chat.example 366")
        for text in ("one", "two"):
            self.assertStarts(await bob.ask(f"ROOM:lobby:{text}"), "OK:ROOM:lobby")
        alice.send(
            *("@+draft/react=x TAGMSG #lobby", "@+x=y;+typing=active NOTICE #lobby :three"),
            *("PRIVMSG bob :four", "PING x"),
        )
        await alice.until(":chat.example PONG")
        await bob.ask("TOPIC:lobby:tea")

        async def ask(query: str) -> list[str]:
            alice.send(f"CHATHISTORY {query}")
            lines = [await alice.until(":chat.example BATCH +")]
            while not lines[-1].startswith(":chat.example BATCH -"):
                lines.append(await alice.line())
            return [line.split("!", 1)[-1].split(" ", 1)[-1] for line in lines[1:-1]]

        room = await ask("LATEST #lobby * 5")
        self.assertEqual(
            room,
            [
                *("PRIVMSG #lobby :one", "PRIVMSG #lobby :two", "TAGMSG #lobby"),
                *("NOTICE #lobby :three", "TOPIC #lobby :tea"),
            ],
        )
        self.assertEqual(await ask("LATEST bob * 5"), ["PRIVMSG bob :four"])
        past, future = "timestamp=1970-01-01T00:00:00.000Z", "timestamp=2999-01-01T00:00:00.000Z"
        self.assertEqual(
            await ask(f"BETWEEN #lobby {past} {future} 100"), await ask("LATEST #lobby * 0")
        )
        self.assertEqual(await ask(f"AROUND #lobby {future} 2"), room[-1:])
        targets = await ask(f"TARGETS {future} {past} 5")
        self.assertEqual([line.split()[3] for line in targets], ["#lobby", "bob"])
