"""TOPIC and NAMES: what a channel is about, and who is in it."""

from __future__ import annotations

from tests.irc_case import CLOAK, IrcCase, mask, short

_REFUSED = "482 #a :You're not channel operator"


class Topic(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.owner = self.irc("owner")
        self.owner.send("JOIN #a")
        self.owner.lines()

    def test_it_is_set_for_all_asked_for_and_cleared(self) -> None:
        alice = self.irc("alice")
        alice.send("JOIN #a")
        bob = self.house.user("bob", "JOINROOM:a")
        for each in (alice, self.owner):
            each.lines()
        line = f":{mask('owner')} TOPIC #a :tea and cake"

        self.answers(self.owner, "TOPIC #A :tea and cake", line)

        self.assertEqual(alice.lines(), [line])
        self.assertEqual(bob.lines(), ["TOPIC:a:owner:tea and cake"])
        self.answers(alice, "TOPIC #A", "332 #a :tea and cake", "333 #a owner 1800000000")
        self.answers(self.owner, "TOPIC #a :", f":{mask('owner')} TOPIC #a :")
        self.answers(alice, "TOPIC #a", "331 #a :No topic is set")

    def test_one_that_is_too_long_is_cut_between_characters(self) -> None:
        self.answers(
            self.owner,
            "TOPIC #a :x" + "\u00e9" * 200,
            f":{mask('owner')} TOPIC #a :x" + "\u00e9" * 194,
        )

    def test_a_long_one_of_another_dialect_fits_a_line(self) -> None:
        bob = self.house.user("bob", "NEWROOM:b", "JOINROOM:b")
        alice = self.irc("alice")
        alice.send("JOIN #b")
        alice.lines()

        bob.send("TOPIC:b:" + "\u00e9" * 1000)

        (line,) = alice.lines()
        self.assertEqual(len(line.encode()), 510)
        for answer in alice.ask("TOPIC #b"):
            self.assertLessEqual(len(answer.encode()), 510)

    def test_strangers_may_read_it_unless_the_channel_is_secret(self) -> None:
        stranger = self.irc("stranger")
        self.owner.send("TOPIC #a :tea")

        self.answers(stranger, "TOPIC #a", "332 #a :tea", "333 #a owner 1800000000")

        self.owner.send("MODE #a +s")
        self.answers(stranger, "TOPIC #a", "442 #a :You're not on that channel")

    def test_whoever_runs_a_channel_from_outside_sees_what_they_did(self) -> None:
        owner = self.irc("olga")
        owner.send("JOIN #b", "PART #b")
        self.irc("bob").send("JOIN #b")
        owner.lines()

        self.answers(owner, "TOPIC #b :x", f":{mask('olga')} TOPIC #b :x")
        self.answers(owner, "MODE #b +m", f":{mask('olga')} MODE #b +m")
        self.answers(owner, "KICK #b bob :x", f":{mask('olga')} KICK #b bob :x")

    def test_it_takes_a_role_where_it_is_locked_and_to_be_inside(self) -> None:
        alice, stranger = self.irc("alice"), self.irc("stranger")
        alice.send("JOIN #a")
        alice.lines()

        self.answers(alice, "TOPIC #a :mine", _REFUSED)
        self.answers(stranger, "TOPIC #a :mine", "442 #a :You're not on that channel")

        self.owner.send("MODE #a -t")
        alice.lines()
        self.answers(alice, "TOPIC #a :mine", f":{mask('alice')} TOPIC #a :mine")
        self.answers(stranger, "TOPIC #a :mine", "442 #a :You're not on that channel")

    def test_refusals(self) -> None:
        self.answers(self.owner, "TOPIC #none", "403 #none :No such channel")
        self.answers(self.owner, "TOPIC #none :x", "403 #none :No such channel")
        self.answers(self.owner, "TOPIC none", "403 none :No such channel")
        self.answers(self.owner, "TOPIC #", "403 # :No such channel")
        self.answers(self.owner, "TOPIC", "461 TOPIC :Not enough parameters")


class Names(IrcCase):
    def test_members_have_their_highest_prefix(self) -> None:
        owner = self.irc("owner")
        owner.send("JOIN #a")
        for nick in ("admin", "op", "half", "voice", "nobody"):
            self.irc(nick).send("JOIN #a")
        owner.send("MODE #a +aohvov admin op half voice half half")

        self.answers(
            owner,
            "NAMES #A",
            "353 = #a :~owner &admin @op @half +voice nobody",
            "366 #a :End of NAMES list",
        )

    def test_all_prefixes_and_hosts_are_for_those_who_know_of_them(self) -> None:
        owner = self.irc("owner", "multi-prefix", "userhost-in-names")
        owner.send("JOIN #a", "MODE #a +ov owner owner")
        self.irc("alice").send("JOIN #a")

        self.answers(
            owner,
            "NAMES #a",
            f"353 = #a :~@+owner!~u@{CLOAK} alice!~u@{CLOAK}",
            "366 #a :End of NAMES list",
        )

    def test_several_channels_and_those_that_are_not_there(self) -> None:
        alice = self.irc("alice")
        alice.send("JOIN #a,#b")

        self.answers(
            alice,
            "NAMES #a,#none,b,#b",
            "353 = #a :~alice",
            "366 #a :End of NAMES list",
            "366 #none :End of NAMES list",
            "366 b :End of NAMES list",
            "353 = #b :~alice",
            "366 #b :End of NAMES list",
        )

    def test_without_a_channel_there_is_nothing_to_tell(self) -> None:
        alice = self.irc("alice")

        self.answers(alice, "NAMES", "366 * :End of NAMES list")
        self.answers(alice, "NAMES :", "366 * :End of NAMES list")

    def test_more_channels_than_there_may_be_are_refused(self) -> None:
        answers = self.irc("alice").ask("NAMES " + ",".join(f"#{n}" for n in range(11)))

        self.assertEqual(short(answers[0]), "407 #10 :Too many targets")
        self.assertEqual(len(answers), 11)

    def test_a_secret_channel_is_for_its_members(self) -> None:
        owner, stranger = self.irc("owner"), self.irc("stranger")
        owner.send("JOIN #a", "MODE #a +s")

        self.answers(owner, "NAMES #a", "353 @ #a :~owner", "366 #a :End of NAMES list")
        self.answers(stranger, "NAMES #a", "366 #a :End of NAMES list")

    def test_strangers_do_not_see_the_invisible(self) -> None:
        owner, stranger = self.irc("owner"), self.irc("stranger")
        owner.send("JOIN #a")
        hidden = self.irc("hidden")
        hidden.send("MODE hidden +i", "JOIN #a")

        self.answers(stranger, "NAMES #a", "353 = #a :~owner", "366 #a :End of NAMES list")
        self.answers(owner, "NAMES #a", "353 = #a :~owner hidden", "366 #a :End of NAMES list")

    def test_many_members_take_several_full_lines(self) -> None:
        owner = self.irc("owner")
        owner.send("JOIN #a")
        nicks = [f"m{number:03}" for number in range(200)]
        for nick in nicks:
            self.house.user(nick, "JOINROOM:a")
        owner.lines()

        *lines, end = owner.ask("NAMES #a")

        self.assertEqual(short(end), "366 #a :End of NAMES list")
        names = [name for line in lines for name in line.partition(" :")[2].split()]
        self.assertEqual(names, ["~owner", *nicks])
        self.assertTrue(all(len(line.encode()) <= 510 for line in lines))
        self.assertTrue(all(len(line.encode()) > 500 for line in lines[:-1]))
