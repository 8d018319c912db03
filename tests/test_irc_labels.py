"""Answers to labelled commands: which line has the label, and what is in which batch."""

from __future__ import annotations

from chatservice.translation.irc import labels
from chatservice.translation.irc.labels import Label
from tests.bench import SERVER
from tests.irc_case import IrcCase, mask
from tests.irc_history_case import NOTHING_THERE, HistoryCase, at

LABELS = ("labeled-response", "batch")


class AnswerTests(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice = self.irc("alice", *LABELS)

    def test_one_line_has_the_label(self) -> None:
        self.answers(self.alice, "@label=x PING a", f"@label=x :{SERVER} PONG {SERVER} :a")

    def test_no_line_is_acknowledged(self) -> None:
        self.answers(self.alice, "@label=x PONG a", f"@label=x :{SERVER} ACK")
        self.answers(self.alice, "@label=x CAP END", f"@label=x :{SERVER} ACK")

    def test_several_lines_are_a_batch(self) -> None:
        begin, *lines, end = self.alice.ask("@label=x JOIN #lobby")

        self.assertEqual(begin, f"@label=x :{SERVER} BATCH +1 labeled-response")
        self.assertEqual(lines[0], f"@batch=1 :{mask('alice')} JOIN #lobby")
        self.assertTrue(all(line.startswith("@batch=1 :") for line in lines))
        self.assertEqual(end, f":{SERVER} BATCH -1")

    def test_refusals_have_it_whatever_they_are_for(self) -> None:
        me = f"@label=x :{SERVER}"
        nick = "alice"
        for line, answer in (
            ("NONSENSE", f"{me} 421 {nick} NONSENSE :Unknown command"),
            ("JOIN", f"{me} 461 {nick} JOIN :Not enough parameters"),
            ("NICK", f"{me} 431 {nick} :No nickname given"),
            ("PRIVMSG bob :hi", f"{me} 401 {nick} bob :No such nick"),
            ("PRIVMSG bob", f"{me} 412 {nick} :No text to send"),
        ):
            self.answers(self.alice, f"@label=x {line}", answer)

    def test_two_labels_in_one_packet(self) -> None:
        self.assertEqual(
            self.alice.ask("@label=1 PING a", "PING b", "@label=2 PING c"),
            [
                f"@label=1 :{SERVER} PONG {SERVER} :a",
                f":{SERVER} PONG {SERVER} :b",
                f"@label=2 :{SERVER} PONG {SERVER} :c",
            ],
        )

    def test_a_label_is_what_it_was(self) -> None:
        for label in ("a\\sb", "a\\:b\\\\", "é+/=,:", "x" * 64):
            self.answers(
                self.alice, f"@label={label} PING a", f"@label={label} :{SERVER} PONG {SERVER} :a"
            )

    def test_what_is_no_label(self) -> None:
        for tags in ("@label", "@label=", "@label=" + "x" * 65, "@+label=x", "@a;b=c"):
            self.answers(self.alice, f"{tags} PING a", f":{SERVER} PONG {SERVER} :a")

    def test_it_takes_both_capabilities(self) -> None:
        for number, capability in enumerate(LABELS):
            client = self.irc(f"bob{number}", capability)

            self.answers(client, "@label=x PING a", f":{SERVER} PONG {SERVER} :a")

    def test_it_works_before_registration(self) -> None:
        client = self.house.client("irc")
        client.send(f"CAP REQ :{' '.join(LABELS)}")

        self.answers(client, "@label=x PING a", f"@label=x :{SERVER} PONG {SERVER} :a")
        self.answers(client, "@label=y NICK bob", f"@label=y :{SERVER} ACK")
        client.send("USER a 0 * :A")
        begin, *_, end = client.ask("@label=z CAP END")
        self.assertEqual(begin, f"@label=z :{SERVER} BATCH +3 labeled-response")
        self.assertEqual(end, f":{SERVER} BATCH -3")

    def test_the_end_has_it(self) -> None:
        self.answers(self.alice, "@label=x QUIT :bye", "@label=x ERROR :Closing link: Quit: bye")
        self.assertTrue(self.alice.closed)


class SayingTests(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.alice = self.irc("alice", *LABELS, "echo-message")
        self.bob = self.irc("bob", *LABELS)
        self.carol = self.irc("carol")
        for client in (self.alice, self.bob, self.carol):
            client.send("JOIN #lobby")
        for client in (self.alice, self.bob, self.carol):
            client.lines()

    def test_the_echo_has_it_and_what_others_see_has_not(self) -> None:
        echo = f"@label=x :{mask('alice')} PRIVMSG #lobby :hi"

        self.answers(self.alice, "@label=x PRIVMSG #lobby :hi", echo)
        self.assertEqual(self.bob.lines(), [f":{mask('alice')} PRIVMSG #lobby :hi"])

    def test_without_an_echo_it_is_acknowledged(self) -> None:
        self.answers(self.bob, "@label=x PRIVMSG #lobby :hi", f"@label=x :{SERVER} ACK")
        self.answers(self.bob, "@label=x NOTICE nobody :hi", f"@label=x :{SERVER} ACK")

    def test_what_one_says_to_oneself_comes_twice(self) -> None:
        line = f":{mask('alice')} PRIVMSG alice :hi"

        self.answers(self.alice, "@label=x PRIVMSG alice :hi", line, f"@label=x {line}")

    def test_several_echoes_are_a_batch(self) -> None:
        begin, *lines, end = self.alice.ask("@label=x PRIVMSG #lobby,bob,nobody :hi")

        self.assertEqual(begin, f"@label=x :{SERVER} BATCH +1 labeled-response")
        self.assertEqual(
            sorted(lines),
            [
                f"@batch=1 :{mask('alice')} PRIVMSG #lobby :hi",
                f"@batch=1 :{mask('alice')} PRIVMSG bob :hi",
                f"@batch=1 :{SERVER} 401 alice nobody :No such nick",
            ],
        )
        self.assertEqual(end, f":{SERVER} BATCH -1")

    def test_what_was_said_before_has_no_label(self) -> None:
        self.assertEqual(
            self.alice.ask("PRIVMSG #lobby :before", "@label=x PING a"),
            [
                f":{mask('alice')} PRIVMSG #lobby :before",
                f"@label=x :{SERVER} PONG {SERVER} :a",
            ],
        )

    def test_what_others_do_meanwhile_has_no_label(self) -> None:
        self.house.journal.hold()
        self.alice.send("@label=x TOPIC #lobby :mine")
        self.bob.send("PRIVMSG #lobby :bobs")
        self.carol.send("NOTICE alice :carols")
        self.alice.lines()
        self.house.journal.release()
        self.house.settle()

        self.assertEqual(
            sorted(self.alice.lines()),
            [
                f":{mask('bob')} PRIVMSG #lobby :bobs",
                f":{mask('carol')} NOTICE alice :carols",
                f"@label=x :{mask('alice')} TOPIC #lobby :mine",
            ],
        )

    def test_what_could_not_be_stored_is_refused_with_it(self) -> None:
        self.house.journal.full = True

        (line,) = self.alice.ask("@label=x PRIVMSG #lobby :hi")

        self.assertTrue(line.startswith(f"@label=x :{SERVER} NOTICE alice :PRIVMSG: "), line)


class HistoryTests(HistoryCase):
    def test_the_batch_has_the_label(self) -> None:
        begin, line, end = self.alice.ask("@label=x CHATHISTORY LATEST #lobby * 1")

        self.assertEqual(begin, f"@label=x :{SERVER} BATCH +1 chathistory #lobby")
        self.assertTrue(line.startswith("@batch=1;time="), line)
        self.assertEqual(end, f":{SERVER} BATCH -1")

    def test_an_empty_batch_has_the_label(self) -> None:
        self.assertEqual(
            self.alice.ask("@label=x CHATHISTORY LATEST bob * 1"),
            [f"@label=x :{SERVER} BATCH +1 chathistory bob", f":{SERVER} BATCH -1"],
        )

    def test_targets_have_the_label(self) -> None:
        begin, *_ = self.alice.ask(f"@label=x CHATHISTORY TARGETS {at(0)} {at(9)} 5")

        self.assertEqual(begin, f"@label=x :{SERVER} BATCH +1 draft/chathistory-targets")

    def test_a_refusal_has_the_label(self) -> None:
        failed = f"FAIL CHATHISTORY INVALID_TARGET LATEST #nowhere :{NOTHING_THERE}"

        self.assertEqual(
            self.alice.ask("@label=x CHATHISTORY LATEST #nowhere * 1"),
            [f"@label=x :{SERVER} {failed}"],
        )

    def test_slanted_letters_do_not_end_a_line(self) -> None:
        (echo,) = self.alice.ask("@label=x PRIVMSG #lobby :\x1dslanted\x1d and \x1emore")

        self.assertTrue(echo.startswith("@label=x;time="), echo)
        self.assertTrue(echo.endswith(" PRIVMSG #lobby :\x1dslanted\x1d and \x1emore"), echo)

    def test_a_batch_among_other_lines_is_within_the_labels_own(self) -> None:
        label = Label("x")
        label.lines += [
            ":srv 001 alice :hello\r\n",
            ":srv BATCH +1 chathistory #lobby\r\n",
            "@batch=1;time=then :bob PRIVMSG #lobby :hi\r\n",
            ":srv BATCH -1\r\n",
        ]

        self.assertEqual(
            list(label.answer("srv", "2")),
            [
                "@label=x :srv BATCH +2 labeled-response\r\n",
                "@batch=2 :srv 001 alice :hello\r\n",
                "@batch=2 :srv BATCH +1 chathistory #lobby\r\n",
                "@batch=1;time=then :bob PRIVMSG #lobby :hi\r\n",
                "@batch=2 :srv BATCH -1\r\n",
                ":srv BATCH -2\r\n",
            ],
        )

    def test_two_batches_are_within_the_labels_own(self) -> None:
        label = Label("x")
        inner = [f":srv BATCH {name}\r\n" for name in ("+1 a", "-1", "+2 a", "-2")]
        label.lines += inner

        self.assertEqual(
            list(label.answer("srv", "3")),
            [
                "@label=x :srv BATCH +3 labeled-response\r\n",
                *(f"@batch=3 {line}" for line in inner),
                ":srv BATCH -3\r\n",
            ],
        )


class LongAnswerTests(IrcCase):
    """What is longer than may wait in memory is sent as the client reads it."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(labels, "MOST_GATHERED", 3)
        self.alice = self.irc("alice", *LABELS, "echo-message")
        self.alice.ask("JOIN #a,#b,#c,#d,#e")

    def test_it_is_one_batch_all_the_same(self) -> None:
        begin, *lines, end = self.alice.ask("@label=x LIST")

        name = begin.removeprefix(f"@label=x :{SERVER} BATCH +").removesuffix(" labeled-response")
        self.assertEqual(
            lines,
            [
                *(f"@batch={name} :{SERVER} 322 alice #{room} 1 :" for room in "abcde"),
                f"@batch={name} :{SERVER} 323 alice :End of LIST",
            ],
        )
        self.assertEqual(end, f":{SERVER} BATCH -{name}")

    def test_whatever_the_answer_is_of_is_in_the_batch(self) -> None:
        for line in ("JOIN #f,#g", "HELP", "PRIVMSG #a,#b,#c,#d :hi", "WHOIS alice"):
            begin, *lines, end = self.alice.ask("@label=y " + line)

            name = end.removeprefix(f":{SERVER} BATCH -")
            self.assertEqual(begin, f"@label=y :{SERVER} BATCH +{name} labeled-response")
            outside = [each for each in lines if not each.startswith(f"@batch={name} :")]
            self.assertEqual(outside, [], line)

    def test_nothing_of_it_waits_for_who_does_not_read(self) -> None:
        label = Label("x")
        rest = iter([f":srv {number}\r\n" for number in range(10)])

        sent = label.gather(rest, "srv", lambda: "1")

        assert sent is not None
        self.assertEqual(next(sent), "@label=x :srv BATCH +1 labeled-response\r\n")
        self.assertEqual(next(rest), ":srv 3\r\n", "it was not taken yet")
        self.assertEqual(label.take([":srv now\r\n"]), "@batch=1 :srv now\r\n")
        self.assertEqual(list(label.answer("srv", "2")), [":srv BATCH -1\r\n"])

    def test_the_next_command_has_an_answer_of_its_own(self) -> None:
        lines = self.alice.ask("@label=x LIST", "@label=y PING z", "PING z")

        answer = f":{SERVER} PONG {SERVER} :z"
        self.assertEqual(lines[-2:], [f"@label=y {answer}", answer])
