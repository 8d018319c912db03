"""MODE, for channels and for oneself."""

from __future__ import annotations

from chatservice.controller.policy import Policy
from tests.bench import House
from tests.irc_case import IrcCase, mask, short

_REFUSED = "482 #a :You're not channel operator"
_OWNER = f":{mask('owner')} MODE #a"


class ChannelCase(IrcCase):
    def setUp(self) -> None:
        super().setUp()
        self.owner = self.irc("owner")
        self.owner.send("JOIN #a")
        self.alice = self.irc("alice")
        self.alice.send("JOIN #a")
        self.owner.lines()
        self.alice.lines()


class Asking(ChannelCase):
    def test_a_channel_tells_its_modes_and_its_age(self) -> None:
        self.answers(self.alice, "MODE #A", "324 #a +nt", "329 #a 1800000000")

    def test_values_are_told_and_the_key_to_members_alone(self) -> None:
        stranger = self.irc("stranger")
        self.owner.send("JOIN #b", "MODE #a +mklf word 9 #b")
        self.alice.lines()

        self.answers(self.alice, "MODE #a", "324 #a +fklmnt #b word 9", "329 #a 1800000000")
        self.answers(stranger, "MODE #a", "324 #a +flmnt #b 9", "329 #a 1800000000")

    def test_who_may_not_know_of_a_channel_hears_that_there_is_none(self) -> None:
        stranger = self.irc("stranger")
        self.owner.send("MODE #a +s")

        self.answers(stranger, "MODE #a", "403 #a :No such channel")
        self.answers(stranger, "MODE #a b", "403 #a :No such channel")
        self.answers(stranger, "MODE #none", "403 #none :No such channel")
        self.answers(stranger, "MODE #", "403 # :No such channel")
        self.answers(stranger, "MODE", "461 MODE :Not enough parameters")

    def test_lists_are_told_with_who_made_the_entry_and_when(self) -> None:
        self.owner.send("MODE #a +beI bad!*@* good!*@* guest!*@*")
        entry = "owner 1800000000"

        ban = [f"367 #a bad!*@* {entry}", "368 #a :End of channel ban list"]
        for asking in ("b", "+b", "-b", "+bb"):
            self.answers(self.owner, f"MODE #a {asking}", *ban)
        self.answers(
            self.owner,
            "MODE #a eI",
            f"348 #a good!*@* {entry}",
            "349 #a :End of channel exception list",
            f"346 #a guest!*@* {entry}",
            "347 #a :End of channel invite exception list",
        )

    def test_bans_are_told_to_everybody_and_the_other_lists_to_operators(self) -> None:
        self.answers(self.alice, "MODE #a +b", "368 #a :End of channel ban list")
        self.answers(self.alice, "MODE #a eI", "482 #a :You're not channel operator")

    def test_a_letter_without_a_sign_asks(self) -> None:
        self.answers(self.owner, "MODE #a m", "324 #a +nt", "329 #a 1800000000")
        self.answers(self.owner, "MODE #a o alice")
        self.answers(self.owner, "MODE #a b x!*@*", "368 #a :End of channel ban list")


class Changing(ChannelCase):
    def test_members_see_one_line_and_the_line_protocol_what_concerns_it(self) -> None:
        bob = self.house.user("bob", "JOINROOM:a")
        self.owner.lines()
        self.alice.lines()
        line = f"{_OWNER} +is-t+v alice"

        self.answers(self.owner, "MODE #a +is-t+v ALICE", line)

        self.assertEqual(self.alice.lines(), [line])
        self.assertEqual(bob.lines(), ["VISIBILITY:a:private"])

    def test_values(self) -> None:
        self.owner.send("JOIN #b")
        self.owner.lines()

        self.answers(self.owner, "MODE #a +kl word 7", f"{_OWNER} +kl word 7")
        self.answers(self.owner, "MODE #a +f #B", f"{_OWNER} +f #b")
        self.answers(self.owner, "MODE #a -klf", f"{_OWNER} -klf word")
        self.answers(self.owner, "MODE #a +k word", f"{_OWNER} +k word")
        self.answers(self.owner, "MODE #a -k+l wrong 3", f"{_OWNER} -k+l word 3")

    def test_a_missing_parameter_leaves_its_mode_out(self) -> None:
        for letter in "klfovhaq":
            self.answers(self.owner, f"MODE #a +{letter}", "324 #a +nt", "329 #a 1800000000")
        self.answers(self.owner, "MODE #a +mo", f"{_OWNER} +m")

    def test_a_parameter_that_cannot_be_one(self) -> None:
        self.answers(
            self.owner, "MODE #a +l many", "696 #a l many :a limit is a number from 1 to 1000000"
        )
        self.answers(
            self.owner,
            "MODE #a +k a,b",
            "696 #a k a,b :a key cannot hold a space, a comma or a colon",
        )
        refused = self.owner.ask("MODE #a +b a!b!c")[0]
        self.assertTrue(refused.startswith(":chat.example 696 owner #a b a!b!c :"), refused)
        self.answers(self.owner, "MODE #a +f #none", "696 #a f #none :there is no such room")
        self.answers(self.owner, "MODE #a +f a", "696 #a f a :a room's name cannot be empty")
        self.answers(self.owner, "MODE #a +f #a", "696 #a f #a :a room cannot forward to itself")
        self.alice.send("JOIN #hers")
        self.answers(
            self.owner, "MODE #a +f #hers", "482 #a :you do not run the room that is forwarded to"
        )

    def test_unknown_letters_are_each_told_once_and_the_others_done(self) -> None:
        self.answers(
            self.owner,
            "MODE #a +xmxy",
            "472 x :is an unknown mode character to me",
            "472 y :is an unknown mode character to me",
            f"{_OWNER} +m",
        )
        self.answers(self.owner, "MODE #a +x", "472 x :is an unknown mode character to me")

    def test_what_is_so_already_is_told_by_what_is(self) -> None:
        self.answers(self.owner, "MODE #a +n", "324 #a +nt", "329 #a 1800000000")
        self.answers(self.owner, "MODE #a +q owner")

    def test_whose_a_channel_is_does_not_change_by_modes(self) -> None:
        self.owner.send("MODE #a +q alice")
        self.owner.lines()
        self.alice.lines()

        for client in (self.owner, self.alice):
            self.answers(client, "MODE #a -q owner")
            self.answers(client, "MODE #a +q owner")

    def test_masks_are_kept_in_one_spelling(self) -> None:
        self.answers(
            self.owner,
            "MODE #a +bbbb Bad *@1.2.3.ip m:LOUD a:Spammer",
            f"{_OWNER} +bbbb bad!*@* *!*@1.2.3.ip m:loud!*@* a:spammer",
        )
        self.answers(self.owner, "MODE #a -b BAD", f"{_OWNER} -b bad!*@*")

    def test_masks_that_are_listed_already_or_never_were(self) -> None:
        self.owner.send("MODE #a +b bad")
        self.owner.lines()

        self.answers(self.owner, "MODE #a +b BAD", "697 #a BAD b :The list has that already")
        self.answers(self.owner, "MODE #a -b good", "698 #a good b :The list does not have that")
        self.assertEqual(
            [short(line) for line in self.owner.ask("MODE #a +bb good bad")],
            [f"{_OWNER} +b good!*@*", "697 #a bad b :The list has that already"],
        )

    def test_a_full_list(self) -> None:
        self.house = House(policy=Policy(masks_per_room=2))
        owner = self.irc("owner")
        owner.send("JOIN #a")

        self.answers(
            owner,
            "MODE #a +bbbb one two three four",
            f"{_OWNER} +bb one!*@* two!*@*",
            "478 #a b :the room's lists are full",
        )

    def test_roles(self) -> None:
        self.answers(self.owner, "MODE #a +oh alice alice", f"{_OWNER} +oh alice alice")
        self.alice.lines()
        line = f":{mask('alice')} MODE #a -o alice"
        self.answers(self.alice, "MODE #a -o alice", line)

    def test_roles_are_for_those_inside(self) -> None:
        self.irc("stranger")

        self.answers(self.owner, "MODE #a +o nobody", "401 nobody :No such nick")
        self.answers(
            self.owner, "MODE #a +o stranger", "441 stranger #a :that user is not in the room"
        )

    def test_it_takes_a_role_which_is_said_once(self) -> None:
        self.answers(self.alice, "MODE #a +imb-t x", _REFUSED)
        self.answers(self.irc("stranger"), "MODE #a +m", _REFUSED)

    def test_what_may_be_done_is_done(self) -> None:
        self.owner.send("MODE #a +h alice")
        self.alice.lines()

        self.assertEqual(
            [short(line) for line in self.alice.ask("MODE #a +mv-t alice")],
            [f":{mask('alice')} MODE #a +v alice", _REFUSED],
        )

    def test_a_line_has_twenty_changes_at_most(self) -> None:
        nicks = [f"n{number}" for number in range(25)]

        self.owner.send(f"MODE #a +{'b' * 25} {' '.join(nicks)}")

        bans = self.house.controller.state.rooms["a"].lists["ban"]
        self.assertEqual(len(bans), 20)

    def test_the_answer_to_a_labelled_mode(self) -> None:
        client = self.irc("carol", "labeled-response", "batch")
        client.send("JOIN #c")

        self.assertEqual(
            client.ask("@label=x MODE #c +m"), [f"@label=x :{mask('carol')} MODE #c +m"]
        )


class Oneself(IrcCase):
    def test_one_has_the_flags_that_one_sets(self) -> None:
        alice = self.irc("alice")

        self.answers(alice, "MODE ALICE", "221 +")
        self.answers(alice, "MODE alice +iwBR", f":{mask('alice')} MODE alice +iwBR")
        self.answers(alice, "MODE alice", "221 +BRiw")
        self.answers(alice, "MODE alice -wi", f":{mask('alice')} MODE alice -wi")
        self.answers(alice, "MODE alice -i", "221 +BR")
        self.answers(alice, "MODE alice iB", "221 +BR")

    def test_the_last_sign_counts(self) -> None:
        alice = self.irc("alice")

        self.answers(alice, "MODE alice +i-i", "221 +")
        self.answers(alice, "MODE alice -w+w", f":{mask('alice')} MODE alice +w")

    def test_an_account_is_shown_and_neither_set_nor_cleared(self) -> None:
        self.account("alice")
        alice = self.irc("alice", account="alice")

        self.answers(alice, "MODE alice", "221 +r")
        self.answers(alice, "MODE alice -r", "221 +r")
        self.answers(self.irc("bob"), "MODE bob +r", "221 +")

    def test_nobody_makes_themselves_an_operator(self) -> None:
        alice = self.irc("alice")

        self.answers(alice, "MODE alice +o", "221 +")
        self.answers(alice, "MODE alice +oi", f":{mask('alice')} MODE alice +i")

    def test_unknown_flags_are_told_once_and_the_others_set(self) -> None:
        alice = self.irc("alice")

        self.answers(alice, "MODE alice +xy", "501 :Unknown MODE flag")
        self.answers(
            alice, "MODE alice +xi", "501 :Unknown MODE flag", f":{mask('alice')} MODE alice +i"
        )

    def test_others_modes_are_theirs(self) -> None:
        alice = self.irc("alice")
        self.irc("bob")

        self.answers(alice, "MODE bob", "502 :Can't change mode for other users")
        self.answers(alice, "MODE bob +i", "502 :Can't change mode for other users")
        self.answers(alice, "MODE nobody", "401 nobody :No such nick")

    def test_it_needs_registration(self) -> None:
        self.assertIn(" 451 ", self.house.client(dialect="irc").ask("MODE #a")[0])
