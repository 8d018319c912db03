"""Saying something: PRIVMSG, NOTICE, TAGMSG, to channels, to ranks in them, and to users."""

from __future__ import annotations

from chatservice.controller.events import ModeChange
from tests.bench import SERVER, Client
from tests.irc_case import IrcCase, mask, short


class MessageCase(IrcCase):
    """Alice, Bob and Carol (of the line protocol) are in a lobby that Alice owns; Dan is not."""

    capabilities: tuple[str, ...] = ()

    def setUp(self) -> None:
        super().setUp()
        self.alice = self.irc("alice", *self.capabilities)
        self.bob = self.irc("bob", *self.capabilities)
        self.dan = self.irc("dan", *self.capabilities)
        self.alice.send("JOIN #lobby")
        self.bob.send("JOIN #lobby")
        self.carol = self.house.user("carol", "JOINROOM:lobby")
        self.forget()

    def forget(self) -> None:
        for client in (self.alice, self.bob, self.carol, self.dan):
            client.lines()


class ChannelTests(MessageCase):
    def test_everybody_there_hears_but_the_author(self) -> None:
        self.answers(self.alice, "PRIVMSG #Lobby :hello there")

        self.assertEqual(self.bob.lines(), [f":{mask('alice')} PRIVMSG #lobby :hello there"])
        self.assertEqual(self.carol.lines(), ["ROOM:lobby:alice:hello there"])
        self.assertEqual(self.dan.lines(), [])

    def test_what_the_line_protocol_says_is_heard(self) -> None:
        self.carol.send("ROOM:lobby:hello: you")

        self.assertEqual(self.bob.lines(), [f":{mask('carol')} PRIVMSG #lobby :hello: you"])

    def test_a_notice(self) -> None:
        self.answers(self.alice, "NOTICE #lobby :hello")

        self.assertEqual(self.bob.lines(), [f":{mask('alice')} NOTICE #lobby :hello"])
        self.assertEqual(self.carol.lines(), ["ROOM:lobby:alice:hello"])

    def test_refusals(self) -> None:
        for line, answer in (
            ("PRIVMSG", "411 :No recipient given (PRIVMSG)"),
            ("PRIVMSG :", "411 :No recipient given (PRIVMSG)"),
            ("PRIVMSG #lobby", "412 :No text to send"),
            ("PRIVMSG #lobby :", "412 :No text to send"),
            ("PRIVMSG #nowhere :x", "403 #nowhere :No such channel"),
            ("PRIVMSG @#nowhere :x", "403 @#nowhere :No such channel"),
        ):
            self.answers(self.dan, line, answer)
        for channel in ("#", "#a:b", "##", "@#"):
            (answer,) = self.dan.ask(f"PRIVMSG {channel} :x")
            self.assertTrue(short(answer).startswith(f"403 {channel} :"), answer)

    def test_from_outside(self) -> None:
        self.answers(self.dan, "PRIVMSG #lobby :x", "404 #lobby :Cannot send to channel")
        self.house.change_modes("lobby", ModeChange(False, "no_outside"))
        self.bob.lines()

        self.answers(self.dan, "PRIVMSG #lobby :x")
        self.assertEqual(self.bob.lines(), [f":{mask('dan')} PRIVMSG #lobby :x"])

    def test_modes_that_forbid_it(self) -> None:
        for mode in ("moderated", "accounts_speak"):
            self.house.change_modes("lobby", ModeChange(True, mode))
            self.forget()

            (answer,) = self.bob.ask("PRIVMSG #lobby :x")
            self.assertTrue(short(answer).startswith("404 #lobby :"), answer)
            self.answers(self.bob, "NOTICE #lobby :x")
            self.answers(self.alice, "PRIVMSG #lobby :x")
            self.house.change_modes("lobby", ModeChange(False, mode))
            self.forget()

    def test_a_secret_channel_is_not_there(self) -> None:
        self.house.change_modes("lobby", ModeChange(True, "secret"))

        (answer,) = self.dan.ask("PRIVMSG #lobby :x")
        self.assertIn(short(answer)[:4], ("403 ", "404 "))

    def test_a_notice_is_never_answered(self) -> None:
        for line in ("NOTICE", "NOTICE #lobby", "NOTICE #nowhere :x", "NOTICE nobody :x"):
            self.answers(self.dan, line)

    def test_what_is_not_stored_is_told(self) -> None:
        self.house.journal.full = True

        (answer,) = self.alice.ask("PRIVMSG #lobby :x")
        self.assertTrue(answer.startswith(f":{SERVER} NOTICE alice :PRIVMSG: "), answer)
        self.answers(self.alice, "NOTICE #lobby :x")

    def test_texts_from_other_dialects_may_be_long(self) -> None:
        text = "word " * 300

        self.carol.send(f"ROOM:lobby:{text}")

        lines = self.bob.lines()
        head = f":{mask('carol')} PRIVMSG #lobby :"
        self.assertEqual("".join(line.removeprefix(head) for line in lines), text)
        self.assertGreater(len(lines), 2)
        self.assertLessEqual(max(map(len, lines)), 510)


class TargetTests(MessageCase):
    def test_several_targets_each_once(self) -> None:
        self.answers(self.alice, "PRIVMSG #lobby,bob,bob,,dan :x")

        self.assertEqual(
            sorted(self.bob.lines()),
            [f":{mask('alice')} PRIVMSG #lobby :x", f":{mask('alice')} PRIVMSG bob :x"],
        )
        self.assertEqual(self.dan.lines(), [f":{mask('alice')} PRIVMSG dan :x"])

    def test_too_many(self) -> None:
        self.answers(self.alice, "NOTICE bob,dan,a,b,c :x", "407 c :Too many targets")

    def test_none(self) -> None:
        self.answers(self.alice, "PRIVMSG , :x")


class RanksTests(MessageCase):
    def setUp(self) -> None:
        super().setUp()
        self.dan.send("JOIN #lobby")
        self.alice.send("MODE #lobby +o bob", "MODE #lobby +v carol")
        self.forget()

    def test_those_with_the_role_or_a_higher_one_hear(self) -> None:
        self.answers(self.dan, "PRIVMSG @#lobby :help")

        for client in (self.alice, self.bob):
            self.assertEqual(client.lines(), [f":{mask('dan')} PRIVMSG @#lobby :help"])
        self.assertEqual(self.carol.lines(), [])

        self.answers(self.dan, "NOTICE +#lobby :help")
        self.assertEqual(self.bob.lines(), [f":{mask('dan')} NOTICE +#lobby :help"])
        self.assertEqual(self.carol.lines(), ["ROOM:lobby:dan:help"])

    def test_of_several_the_lowest_counts(self) -> None:
        self.answers(self.dan, "PRIVMSG @+#lobby :help")

        self.assertEqual(self.bob.lines(), [f":{mask('dan')} PRIVMSG +#lobby :help"])

    def test_from_outside(self) -> None:
        self.dan.send("PART #lobby")

        self.answers(self.dan, "PRIVMSG @#lobby :x\r\n", "404 @#lobby :Cannot send to channel")

    def test_a_nick_has_no_prefix(self) -> None:
        self.answers(self.dan, "PRIVMSG @bob :x", "401 @bob :No such nick")
        self.answers(self.dan, "PRIVMSG x@#lobby :x", "401 x@#lobby :No such nick")


class UserTests(MessageCase):
    def test_one_user_hears(self) -> None:
        self.answers(self.alice, "PRIVMSG DAN :psst")
        self.answers(self.alice, "PRIVMSG carol :psst")

        self.assertEqual(self.dan.lines(), [f":{mask('alice')} PRIVMSG dan :psst"])
        self.assertEqual(self.carol.lines(), ["SAY:alice:psst"])
        self.assertEqual(self.bob.lines(), [])

    def test_nobody(self) -> None:
        for nick in ("nobody", "a!b@c", "1x"):
            self.answers(self.alice, f"PRIVMSG {nick} :x", f"401 {nick} :No such nick")

    def test_who_is_away_is_said_to_be(self) -> None:
        self.dan.send("AWAY :at lunch")

        self.answers(self.alice, "PRIVMSG dan :x", "301 dan :at lunch")
        self.answers(self.alice, "NOTICE dan :x")

    def test_who_hears_only_those_with_an_account(self) -> None:
        self.dan.send("MODE dan +R")
        self.dan.lines()

        self.answers(
            self.alice, "PRIVMSG dan :x", "477 dan :that user only hears those with an account"
        )
        self.assertEqual(self.dan.lines(), [])

    def test_oneself(self) -> None:
        self.answers(self.alice, "PRIVMSG alice :x", f":{mask('alice')} PRIVMSG alice :x")


class EchoTests(MessageCase):
    capabilities = ("echo-message",)

    def test_one_sees_what_one_says(self) -> None:
        for line in (
            "PRIVMSG #lobby :x",
            "NOTICE #lobby :x",
            "PRIVMSG @#lobby :x",
            "PRIVMSG dan :x",
            "NOTICE dan :x",
        ):
            self.answers(self.alice, line, f":{mask('alice')} {line}")

    def test_what_one_says_to_oneself_comes_twice(self) -> None:
        self.answers(self.alice, "PRIVMSG alice :x", *2 * [f":{mask('alice')} PRIVMSG alice :x"])

    def test_what_is_refused_is_not_echoed(self) -> None:
        self.answers(self.alice, "PRIVMSG nobody :x", "401 nobody :No such nick")


class TagTests(MessageCase):
    capabilities = ("message-tags",)

    def untimed(self, client: Client) -> list[str]:
        """Lines whose message id, which nobody can foretell, is left out."""
        lines = []
        for line in client.lines():
            tags, _, rest = line.partition(" ")
            kept = [tag for tag in tags[1:].split(";") if not tag.startswith("msgid=")]
            self.assertEqual(len(kept), tags.count(";"), line)
            lines.append(f"@{';'.join(kept)} {rest}" if kept else rest)
        return lines

    def test_client_only_tags_are_handed_on(self) -> None:
        self.answers(self.alice, "@+a=1;b=2;+c;+d/e=x\\sy\\: PRIVMSG #lobby :hi")

        self.assertEqual(
            self.untimed(self.bob),
            [f"@+a=1;+c;+d/e=x\\sy\\: :{mask('alice')} PRIVMSG #lobby :hi"],
        )
        self.assertEqual(self.carol.lines(), ["ROOM:lobby:alice:hi"])

    def test_each_message_has_an_id(self) -> None:
        self.alice.send("PRIVMSG #lobby :1", "PRIVMSG #lobby :2", "PRIVMSG bob :3")

        ids = [line.partition(" ")[0] for line in self.bob.lines()]
        self.assertEqual(len(set(ids)), 3)
        self.assertTrue(all(tag.startswith("@msgid=") for tag in ids))

    def test_only_those_are_told_who_understand_tags(self) -> None:
        erin = self.irc("erin")
        erin.send("JOIN #lobby")
        erin.lines()

        self.answers(self.alice, "@+a=1 PRIVMSG #lobby :hi")
        self.answers(self.alice, "@+a=1 TAGMSG #lobby")
        self.assertEqual(erin.lines(), [f":{mask('alice')} PRIVMSG #lobby :hi"])
        self.answers(erin, "@+a=1 PRIVMSG #lobby :mine")
        self.answers(erin, "@+a=1 TAGMSG #lobby")

        self.assertEqual(self.untimed(self.bob)[-1], f":{mask('erin')} PRIVMSG #lobby :mine")

    def test_a_tagmsg_has_no_text(self) -> None:
        self.answers(self.alice, "@+typing=active TAGMSG #lobby")
        self.answers(self.alice, "@+typing=active TAGMSG dan")

        self.assertEqual(
            self.untimed(self.bob), [f"@+typing=active :{mask('alice')} TAGMSG #lobby"]
        )
        self.assertEqual(self.untimed(self.dan), [f"@+typing=active :{mask('alice')} TAGMSG dan"])
        self.assertEqual(self.carol.lines(), [])

    def test_a_tagmsg_to_ranks(self) -> None:
        self.alice.send("MODE #lobby +o bob")
        self.dan.send("JOIN #lobby")
        self.forget()

        self.answers(self.dan, "@+typing=active TAGMSG @#lobby")

        self.assertEqual(self.untimed(self.bob), [f"@+typing=active :{mask('dan')} TAGMSG @#lobby"])
        self.assertEqual(self.carol.lines(), [])

    def test_a_tagmsg_without_tags_is_nothing(self) -> None:
        self.answers(self.alice, "TAGMSG #lobby")
        self.answers(self.alice, "@a=1 TAGMSG #nowhere")

        self.assertEqual(self.bob.lines(), [])

    def test_refusals(self) -> None:
        for target, answer in (
            ("#nowhere", "403 #nowhere :No such channel"),
            ("nobody", "401 nobody :No such nick"),
            ("@#lobby", "404 @#lobby :Cannot send to channel"),
            ("a,b,c,d,e", "407 e :Too many targets"),
        ):
            self.assertIn(answer, [short(x) for x in self.dan.ask(f"@+a=1 TAGMSG {target}")])
        self.answers(self.dan, "@+a=1 TAGMSG", "411 :No recipient given (TAGMSG)")

    def test_a_bot_is_marked(self) -> None:
        self.alice.send("MODE alice +B", "MODE #lobby +o bob")
        self.forget()

        for line in (
            "PRIVMSG #lobby :x",
            "NOTICE #lobby :x",
            "PRIVMSG bob :x",
            "PRIVMSG @#lobby :x",
        ):
            self.answers(self.alice, line)
            self.assertEqual(self.untimed(self.bob), [f"@bot :{mask('alice')} {line}"])
        for target in ("bob", "#lobby", "@#lobby"):
            self.answers(self.alice, f"@+a TAGMSG {target}")
            self.assertEqual(self.untimed(self.bob), [f"@bot;+a :{mask('alice')} TAGMSG {target}"])

    def test_no_client_can_say_what_the_server_says(self) -> None:
        self.answers(self.alice, "@bot;account=x;time=1;msgid=1;+a PRIVMSG bob :x")

        self.assertEqual(self.untimed(self.bob), [f"@+a :{mask('alice')} PRIVMSG bob :x"])

    def test_as_many_tags_as_may_be(self) -> None:
        tags = ";".join(f"+{number:04}=" + "x" * 13 for number in range(5000))[:4094]

        self.answers(self.alice, f"@{tags} PRIVMSG #lobby :{'y' * 400}")
        self.answers(self.alice, f"@{tags}x PRIVMSG #lobby :z", "417 :Input line was too long")

        (line,) = self.untimed(self.bob)
        self.assertEqual(line, f"@{tags} :{mask('alice')} PRIVMSG #lobby :{'y' * 400}")


class TagEchoTests(MessageCase):
    capabilities = ("message-tags", "echo-message")

    def test_a_tagmsg_is_echoed(self) -> None:
        for target in ("#lobby", "dan", "~#lobby"):
            (line,) = self.alice.ask(f"@+a=1 TAGMSG {target}")

            self.assertTrue(line.startswith("@msgid="), line)
            self.assertTrue(line.endswith(f";+a=1 :{mask('alice')} TAGMSG {target}"), line)
