"""KICK and INVITE, as IRC clients and others see them."""

from __future__ import annotations

from chatservice.controller.policy import Policy
from tests.bench import Client, House
from tests.irc_case import IrcCase, mask, short


class Kick(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.owner = self.irc("owner")
        self.owner.send("JOIN #a,#b")
        self.owner.lines()

    def members(self, *nicks: str) -> list[Client]:
        clients = [self.irc(nick) for nick in nicks]
        for client in clients:
            client.send("JOIN #a,#b")
        for client in (self.owner, *clients):
            client.lines()
        return clients

    def test_everybody_sees_it_and_who_it_was(self) -> None:
        alice, carol = self.members("alice", "carol")
        bob = self.house.user("bob", "JOINROOM:a")
        alice.lines()
        kick = f":{mask('owner')} KICK #a alice :enough"

        self.assertEqual(self.owner.ask("KICK #A ALICE :enough"), [kick])

        self.assertEqual(alice.lines(), [kick])
        self.assertEqual(carol.lines()[-1], kick)
        self.assertEqual(bob.lines()[-1], "KICKED:a:alice:owner")
        self.answers(alice, "PART #a", "442 #a :You're not on that channel")

    def test_without_a_reason_it_is_the_kickers_nick_or_the_like(self) -> None:
        self.members("alice")

        self.answers(self.owner, "KICK #a alice", f":{mask('owner')} KICK #a alice :owner")

    def test_a_long_reason_is_cut_to_what_fits(self) -> None:
        room, kicker, victim = "r" * 64, "k" * 32, "v" * 32
        owner, other = self.irc(kicker), self.irc(victim)
        owner.send(f"JOIN #{room}")
        other.send(f"JOIN #{room}")
        owner.lines()
        other.lines()

        (line,) = owner.ask(f"KICK #{room} {victim} :{'x' * 390}")

        self.assertEqual(line, f":{mask(kicker)} KICK #{room} {victim} :{'x' * 390}"[:510])
        self.assertEqual(other.lines(), [line])

    def test_several_of_one_channel(self) -> None:
        self.members("alice", "carol")
        kick = f":{mask('owner')} KICK #a"

        self.answers(
            self.owner,
            "KICK #a alice,carol,nobody :x",
            f"{kick} alice :x",
            f"{kick} carol :x",
            "401 nobody :No such nick",
        )

    def test_one_in_several_channels_and_one_in_each(self) -> None:
        self.members("alice", "carol")
        kick = f":{mask('owner')} KICK"

        self.answers(
            self.owner, "KICK #a,#b alice :x", f"{kick} #a alice :x", f"{kick} #b alice :x"
        )
        self.answers(
            self.owner,
            "KICK #a,#b alice,carol :x",
            "441 alice #a :They aren't on that channel",
            f"{kick} #b carol :x",
        )

    def test_lists_that_do_not_fit_together_are_too_few_parameters(self) -> None:
        for wrong in ("KICK #a,#b x,y,z", "KICK #a ,", "KICK , alice", "KICK #a"):
            self.answers(self.owner, wrong, "461 KICK :Not enough parameters")

    def test_more_nicks_than_there_may_be_are_refused(self) -> None:
        nicks = ",".join(f"n{number}" for number in range(11))

        answers = self.owner.ask(f"KICK #a {nicks}")

        self.assertEqual(short(answers[0]), "407 n10 :Too many targets")
        self.assertEqual(len(answers), 11)

    def test_it_takes_a_role_and_to_be_inside(self) -> None:
        alice, _ = self.members("alice", "carol")
        stranger = self.irc("stranger")

        refused = "482 #a :You're not channel operator"
        self.answers(alice, "KICK #a carol", refused)
        self.answers(stranger, "KICK #a carol", "442 #a :You're not on that channel")
        self.answers(stranger, "KICK #none carol", "403 #none :No such channel")
        self.answers(stranger, "KICK #a\x01b carol", "403 #a\x01b :No such channel")

    def test_nobody_puts_out_who_stands_higher(self) -> None:
        (alice,) = self.members("alice")
        self.owner.send("MODE #a +o alice")
        alice.lines()

        self.answers(alice, "KICK #a owner", "482 #a :that user stands higher in the room than you")


class Invite(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.owner = self.irc("owner")
        self.owner.send("JOIN #a", "MODE #a +i")
        self.owner.lines()

    def test_the_guest_is_told_and_may_enter(self) -> None:
        alice = self.irc("alice")

        self.answers(self.owner, "INVITE ALICE #A", "341 alice #a")

        self.assertEqual(alice.lines(), [f":{mask('owner')} INVITE alice #a"])
        self.answers(alice, "INVITE", "336 #a", "337 :End of /INVITE list")
        self.assertIn(f":{mask('alice')} JOIN #a", alice.ask("JOIN #a"))

    def test_a_guest_of_the_line_protocol_is_told_too(self) -> None:
        bob = self.house.user("bob")

        self.answers(self.owner, "INVITE bob #a", "341 bob #a")

        self.assertEqual(bob.lines(), ["INVITED:a:owner"])

    def test_that_the_guest_is_away_is_said(self) -> None:
        alice = self.irc("alice")
        alice.send("AWAY :at lunch")

        self.answers(self.owner, "INVITE alice #a", "341 alice #a", "301 alice :at lunch")

    def test_others_hear_of_it_by_invite_notify_and_the_author_by_the_answer(self) -> None:
        members = [self.irc("carol", "invite-notify"), self.irc("dave")]
        owner = self.irc("boss", "invite-notify")
        self.owner.send("MODE #a -i")
        for each in (*members, owner):
            each.send("JOIN #a")
        self.owner.send("MODE #a +o boss")
        for each in (*members, owner):
            each.lines()
        self.irc("alice")

        self.answers(owner, "INVITE alice #a", "341 alice #a")

        self.assertEqual(members[0].lines(), [f":{mask('boss')} INVITE alice #a"])
        self.assertEqual(members[1].lines(), [])

    def test_nobody_has_invited_one_yet(self) -> None:
        self.answers(self.irc("alice"), "INVITE", "337 :End of /INVITE list")

    def test_refusals(self) -> None:
        alice = self.irc("alice")
        stranger = self.irc("stranger")
        self.owner.send("INVITE alice #a")
        alice.send("JOIN #a")
        alice.lines()
        self.owner.lines()

        self.answers(self.owner, "INVITE nobody #a", "401 nobody :No such nick")
        self.answers(self.owner, "INVITE alice #a", "443 alice #a :is already on channel")
        self.answers(self.owner, "INVITE alice", "461 INVITE :Not enough parameters")
        self.answers(stranger, "INVITE alice #a", "442 #a :You're not on that channel")
        self.answers(stranger, "INVITE alice #none", "403 #none :No such channel")
        self.answers(stranger, "INVITE alice a", "403 a :No such channel")
        self.answers(
            alice,
            "INVITE stranger #a",
            "482 #a :You're not channel operator",
        )

    def test_there_are_only_so_many_guests(self) -> None:
        self.house = House(policy=Policy(invitations_per_room=1))
        owner = self.irc("owner", "standard-replies")
        owner.send("JOIN #a")
        self.irc("alice")
        self.irc("carol")
        owner.send("INVITE alice #a")

        self.answers(
            owner,
            "INVITE carol #a",
            ":chat.example FAIL INVITE TOO_MANY #a :as many are invited to this room as may be",
        )
