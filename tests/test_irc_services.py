"""NickServ and ChanServ: how they are talked to, and that nobody hears what they are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from chatservice.controller.events import Event
from chatservice.controller.policy import Policy
from chatservice.translation.irc.services import SERVICES
from tests.bench import Client
from tests.irc_case import IrcCase

SOURCE = "services.chat.example"


def said(service: str, answers: list[str]) -> list[str]:
    """What a service has said; all answers have to be its."""
    texts = []
    for answer in answers:
        source, command, _, text = answer.split(" ", 3)
        assert source == f":{service}!{service}@{SOURCE}", answer
        assert command == "NOTICE", answer
        texts.append(text[1:])
    return texts


class ServiceCase(IrcCase):
    """Tests of one service: `ask` sends it a message."""

    service = "NickServ"

    def ask(self, client: Client, *lines: str) -> list[str]:
        """What the service says to that, and nothing else is answered."""
        return said(self.service, self.all_of(client, *lines))

    def all_of(self, client: Client, *lines: str) -> list[str]:
        """All that is answered."""
        return client.ask(*(f"PRIVMSG {self.service} :{line}" for line in lines))


class TalkTests(ServiceCase):
    def test_there_are_several_ways_to_ask(self) -> None:
        alice = self.irc("alice")
        told = self.ask(alice, "HELP LOGOUT")
        self.assertEqual(told, ["LOGOUT", "Be a guest again."])
        for way in (
            "PRIVMSG nickserv :help logout",
            "PRIVMSG NICKSERV :  HELP   LOGOUT ",
            "NICKSERV HELP LOGOUT",
            "NS help logout",
            "ns :HELP LOGOUT",
        ):
            self.assertEqual(said("NickServ", alice.ask(way)), told, way)

    def test_each_tells_what_it_can_do(self) -> None:
        alice = self.irc("alice")
        for service in SERVICES.values():
            for way in (service.short, f"{service.short} HELP"):
                told = said(service.nick, alice.ask(way))
                names = [line.split(" ")[0] for line in told[1:-1]]
                self.assertEqual(names, sorted(service.commands))

    def test_each_command_is_explained_and_says_what_it_lacks(self) -> None:
        alice = self.irc("alice")
        for service in SERVICES.values():
            for command in service.commands.values():
                usage, words = said(service.nick, alice.ask(f"{service.short} HELP {command.name}"))
                self.assertTrue(usage.startswith(command.name))
                self.assertTrue(words.endswith("."))
                if command.least:
                    answer = alice.ask(f"{service.short} {command.name}")
                    self.assertEqual(said(service.nick, answer), [f"Usage: {usage}"])

    def test_an_unknown_command_is_refused(self) -> None:
        alice = self.irc("alice")
        wanted = ["There is no such command. Try: /msg NickServ HELP"]
        self.assertEqual(self.ask(alice, "DANCE"), wanted)
        self.assertEqual(self.ask(alice, "HELP DANCE"), wanted)

    def test_notices_and_clients_questions_are_not_answered(self) -> None:
        alice = self.irc("alice", "message-tags")
        for line in (
            "NOTICE NickServ :HELP",
            "PRIVMSG NickServ :\x01VERSION\x01",
            "@+typing=active TAGMSG NickServ",
        ):
            self.assertEqual(alice.ask(line), [])

    def test_a_service_may_be_one_of_several_targets(self) -> None:
        alice, bob = self.irc("alice"), self.irc("bob")
        answers = alice.ask("PRIVMSG bob,NickServ :HELP LOGOUT")
        self.assertEqual(len(said("NickServ", answers)), 2)
        self.assertEqual(bob.lines(), [":alice!~u@chat.ip PRIVMSG bob :HELP LOGOUT"])

    def test_answers_come_in_the_order_of_the_questions(self) -> None:
        alice = self.irc("alice", "echo-message")
        alice.send("JOIN #lobby")
        alice.lines()
        self.house.journal.hold()
        alice.send("PRIVMSG #lobby :one", "PRIVMSG NickServ :HELP LOGOUT", "PING x")
        self.assertEqual(alice.lines(), [])
        self.house.journal.release()
        self.house.settle()
        commands = [line.split(" ")[1] for line in alice.lines()]
        self.assertEqual(commands, ["PRIVMSG", "NOTICE", "NOTICE", "PONG"])

    def test_a_labelled_question_has_all_answers_in_one_batch(self) -> None:
        alice = self.irc("alice", "labeled-response", "batch")
        answers = alice.ask("@label=x PRIVMSG NickServ :HELP LOGOUT")
        self.assertTrue(answers[0].startswith("@label=x :chat.example BATCH +"), answers)
        self.assertEqual(len(answers), 4)
        self.assertTrue(all(line.startswith("@batch=") for line in answers[1:3]))

    def test_a_labelled_message_without_answer_is_acknowledged(self) -> None:
        alice = self.irc("alice", "labeled-response", "batch")
        answers = alice.ask("@label=x PRIVMSG NickServ :\x01PING 1\x01")
        self.assertEqual(answers, ["@label=x :chat.example ACK"])

    def test_nothing_is_told_before_registration(self) -> None:
        client = self.house.client(dialect="irc")
        for line in ("NS HELP", "PRIVMSG NickServ :HELP"):
            self.answers(client, line, "451 :You need to register before you can do that")


class NickTests(IrcCase):
    def test_nobody_may_be_called_like_a_service(self) -> None:
        self.assertEqual(Policy().reserved_nicks, SERVICES.keys())

    def test_an_irc_client_is_told_that_the_nick_is_in_use(self) -> None:
        client = self.house.client(dialect="irc")
        for nick in ("NickServ", "chanserv"):
            answer = client.ask(f"NICK {nick}", "USER a 0 * :Alice")[0]
            self.assertIn(f" 433 * {nick} :", answer)
        client.ask("NICK alice")
        self.assertIn(" 433 alice NICKSERV :", client.ask("NICK NICKSERV")[0])

    def test_so_is_a_client_of_the_line_protocol(self) -> None:
        answer = self.house.client().ask("LOGIN:NickServ")[-1]
        self.assertTrue(answer.startswith("ERR:LOGIN:NICK_IN_USE:"), answer)

    def test_an_outside_checker_does_not_change_that(self) -> None:
        self.house.doorman.outside["NickServ"] = "secret"
        answer = self.house.client().ask("LOGIN:NickServ:secret")[-1]
        self.assertTrue(answer.startswith("ERR:LOGIN:NICK_IN_USE:"), answer)
        alice = self.irc("alice")
        alice.ask("NS IDENTIFY NickServ secret")
        self.assertEqual(self.house.controller.state.accounts, {})

    def test_nobody_is_there_by_that_nick(self) -> None:
        bob = self.house.user("bob")
        self.assertIn("NO_SUCH_USER", bob.ask("SAY:NickServ:hello")[0])


class SecrecyTests(ServiceCase):
    def test_a_password_is_neither_stored_nor_logged_nor_echoed(self) -> None:
        stored: list[Event] = []
        commit = self.house.journal.commit

        def noting(events: Sequence[Event], *rest: Any) -> Deferred[None]:
            stored.extend(events)
            return commit(events, *rest)

        self.patch(self.house.journal, "commit", noting)
        with capturedLogs() as logged:
            alice = self.irc("alice", "echo-message", "labeled-response", "batch")
            answers = alice.ask(
                "PRIVMSG NickServ :REGISTER pass-1",
                "@label=x PRIVMSG NickServ :PASSWD pass-1 pass-2",
                "NS IDENTIFY alice pass-3",
                "PRIVMSG NickServ :GHOST bob pass-4",
                "PRIVMSG NickServ :IDENTIFIY alice pass-5",
                "OPER alice pass-6",
                "REGISTER bob * pass-7",
            )
        # But for what the doorman of these tests keeps in the open.
        kept = [repr(event).replace("plain:pass", "") for event in stored]
        for place in (answers, kept, [repr(event) for event in logged]):
            self.assertTrue(place)
            self.assertNotIn("pass-", "".join(place))
