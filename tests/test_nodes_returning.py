"""A node that the others have lost touch with, and whose users they have logged out, comes back:
its clients notice nothing, or are told to connect anew.
"""

from __future__ import annotations

import re

from chatservice.controller import modes
from tests.bench import Client
from tests.irc_case import mask
from tests.nodes_case import NodesCase

_COMING_AND_GOING = re.compile(r"(LEFT|JOINED):|:\S+ (QUIT|JOIN|MODE #den) ")

NEW = "you were logged out, and cannot come back: "


class ReturnCase(NodesCase):
    """Ann and Amy (of IRC) on the node that is cut off, Bob on the other; all in `den`."""

    def setUp(self) -> None:
        super().setUp()
        self.ann = self.a.user("ann")
        self.amy = self.a.irc("amy", "away-notify")
        self.bob = self.b.user("bob", "NEWROOM:den", "JOINROOM:den")
        self.ann.send("JOINROOM:den")
        self.amy.send("JOIN #den")
        self.hush()

    def tearDown(self) -> None:
        self.a.sweep()
        self.assertAgreed()

    def hush(self) -> None:
        """What everybody has got until now is no matter of the test."""
        for client in (self.ann, self.amy, self.bob):
            client.lines()

    def lapse(self) -> None:
        """The node is cut off for so long that the other one logs its users out."""
        self.a.go_away()
        self.b.misses(self.a)

    def come_half_way_back(self) -> None:
        """The users are there again after a lapse; that they enter their rooms is held back."""
        self.lapse()
        self.world.shared.hold_back(self.a.face)
        self.a.come_back()
        self.a.lag()
        self.world.shared.let_through()
        self.a.face.catch_up()
        self.world.shared.hold_back(self.a.face)
        self.a.settle()

    def told(self, client: Client) -> list[str]:
        """What a client got since the last look; the others' leaving and coming is left out."""
        return [line for line in client.lines() if not _COMING_AND_GOING.match(line)]

    def assertClosed(self, client: Client, words: str) -> None:
        """The server has said so, and closed the connection."""
        self.assertTrue(client.closed)
        self.assertIn(words, client.lines()[-1])


class UnnoticedTests(ReturnCase):
    def test_its_clients_notice_nothing(self) -> None:
        self.lapse()
        self.assertEqual(sorted(self.b.state.users), ["bob"])
        self.a.come_back()
        self.assertEqual((self.told(self.ann), self.told(self.amy)), ([], []))
        self.assertEqual(sorted(self.b.state.rooms["den"].members), ["amy", "ann", "bob"])

    def test_others_see_them_leave_and_come(self) -> None:
        self.lapse()
        self.assertEqual(sorted(self.bob.lines()), ["LEFT:den:amy", "LEFT:den:ann"])
        self.a.come_back()
        self.assertEqual(sorted(self.bob.lines()), ["JOINED:den:amy", "JOINED:den:ann"])

    def test_nothing_that_was_said_meanwhile_is_lost_or_told_twice(self) -> None:
        self.a.go_away()
        self.bob.send("ROOM:den:1")
        self.b.misses(self.a)
        self.bob.send("ROOM:den:2")
        self.a.face.away = False
        self.a.catch_up()
        self.bob.send("ROOM:den:3")
        told = [f"ROOM:den:bob:{n}" for n in (1, 2, 3)]
        self.assertEqual(self.told(self.ann), told)
        self.assertEqual(
            self.told(self.amy), [f":{mask('bob')} PRIVMSG #den :{n}" for n in (1, 2, 3)]
        )

    def test_what_happens_while_they_come_back_is_told(self) -> None:
        self.lapse()
        self.world.shared.hold_back(self.a.face)
        self.a.come_back()
        self.bob.send("ROOM:den:hello", "TOPIC:den:tea")
        self.world.shared.let_through()
        self.a.settle()
        self.assertEqual(self.told(self.ann), ["ROOM:den:bob:hello", "TOPIC:den:bob:tea"])

    def test_what_they_ask_for_meanwhile_is_unavailable(self) -> None:
        self.lapse()
        self.world.shared.hold_back(self.a.face)
        self.a.come_back()
        for line in ("ROOM:den:hello", "JOINROOM:hall", "LOGOUT:"):
            command = line.partition(":")[0]
            self.assertTrue(self.ann.ask(line)[0].startswith(f"ERR:{command}:UNAVAILABLE:"))
        self.assertIn("ERR:LOGIN:ALREADY_LOGGED_IN", self.ann.ask("LOGIN:zoe")[0])
        self.world.shared.let_through()
        self.a.settle()
        self.ann.send("ROOM:den:hello")
        self.assertEqual(self.told(self.ann)[0], "ROOM:den:ann:hello")

    def test_a_room_that_is_removed_while_they_come_back(self) -> None:
        self.lapse()
        self.world.shared.hold_back(self.a.face)
        self.a.come_back()
        self.bob.send("DELROOM:den")
        self.world.shared.let_through()
        self.a.settle()
        self.assertEqual(self.told(self.ann), ["DELETED:den:bob"])
        self.assertEqual(self.told(self.amy), [f":{mask('bob')} KICK #den amy :Channel deleted"])
        self.assertIn("ann", self.b.state.users)

    def test_what_they_said_of_themselves_comes_back(self) -> None:
        self.amy.send("AWAY :tea", "MODE amy +wB")
        self.hush()
        before = self.a.state.users["amy"]
        self.lapse()
        self.a.come_back()
        after = self.b.state.users["amy"]
        self.assertIsNot(before, after)
        self.assertEqual((after.away, after.flags), ("tea", before.flags))
        self.assertEqual(after.realname, "The real amy")
        self.assertEqual(self.told(self.amy), [])

    def test_a_guest_is_who_they_were(self) -> None:
        ben = self.b.irc("ben")
        self.amy.send("JOIN #tea", "INVITE ben #tea")
        ben.send("JOIN #tea")
        self.bob.send("SAY:amy:hello")
        self.hush()
        self.lapse()
        self.a.come_back()
        self.amy.send("TOPIC #tea :mine")
        self.assertEqual(ben.lines()[-1], f":{mask('amy')} TOPIC #tea :mine")
        self.assertEqual(len(self.bob.ask("HISTORY:@amy")), 2)

    def test_they_are_in_their_rooms_as_before(self) -> None:
        self.lapse()
        self.a.come_back()
        self.bob.send("KICKROOM:den:ann")
        self.assertEqual(self.told(self.ann), ["KICKED:den:ann:bob"])
        self.assertEqual(self.ann.ask("WHEREAMI:"), ["OK:WHEREAMI"])

    def test_whom_they_watched_they_watch(self) -> None:
        self.amy.send("MONITOR + cid")
        ben = self.b.irc("ben")
        ben.send("MONITOR + amy")
        self.hush()
        ben.lines()
        self.lapse()
        self.assertEqual([line.split(" ")[1] for line in ben.lines()], ["731"])
        self.b.user("cid")
        self.a.come_back()
        self.assertEqual([line.split(" ")[1] for line in ben.lines()], ["730"])
        self.assertEqual([line.split(" ")[1] for line in self.told(self.amy)], ["730"])

    def test_an_operator_who_comes_back_hears_what_operators_do(self) -> None:
        self.a.flag("amy", modes.SERVER_OPERATOR)
        root = self.b.irc("root")
        self.b.flag("root", modes.SERVER_OPERATOR)
        self.hush()
        self.lapse()
        root.send("WALLOPS :where are they?")
        self.a.come_back()
        self.assertEqual(self.told(self.amy), [f":{mask('root')} WALLOPS :where are they?"])

    def test_their_cards_are_kept(self) -> None:
        self.lapse()
        self.a.come_back()
        state = self.a.state
        self.assertEqual(set(self.world.drawer.cards), set(state.visits))


class StorageTests(ReturnCase):
    def test_what_cannot_be_stored_is_tried_again(self) -> None:
        self.lapse()
        self.a.face.catch_up()
        self.a.settle()
        self.assertNotIn("ann", self.a.state.users)
        self.a.wait(3)
        self.a.come_back()
        self.a.wait(1)
        self.assertEqual(sorted(self.b.state.rooms["den"].members), ["amy", "ann", "bob"])
        self.assertEqual(self.told(self.ann), [])

    def test_what_was_stored_though_nobody_could_tell_is_not_done_twice(self) -> None:
        self.lapse()
        self.a.face.unsure = True
        self.a.come_back()
        self.a.wait(2)
        self.assertFalse(self.ann.closed)
        self.assertEqual(sorted(self.bob.lines()[2:]), ["JOINED:den:amy", "JOINED:den:ann"])

    def test_rooms_that_were_entered_though_nobody_could_tell(self) -> None:
        self.lapse()
        self.world.shared.hold_back(self.a.face)
        self.a.come_back()
        self.world.shared.let_through()
        self.a.face.unsure = True
        self.a.settle()
        self.a.wait(2)
        self.assertFalse(self.ann.closed)
        self.assertEqual(sorted(self.bob.lines()[2:]), ["JOINED:den:amy", "JOINED:den:ann"])

    def test_a_second_lapse(self) -> None:
        self.lapse()
        self.a.come_back()
        self.lapse()
        self.a.come_back()
        self.assertEqual((self.told(self.ann), self.told(self.amy)), ([], []))

    def test_a_second_lapse_while_they_come_back(self) -> None:
        self.amy.send("AWAY :tea")
        self.hush()
        self.lapse()
        self.world.shared.hold_back(self.a.face)
        self.a.come_back()
        self.a.lag()
        self.world.shared.let_through()
        self.assertIn("ann", self.b.state.users)
        self.assertNotIn("ann", self.b.state.rooms["den"].members)
        self.b.misses(self.a)
        self.a.catch_up()
        self.a.wait(2)
        self.assertEqual(sorted(self.b.state.rooms["den"].members), ["amy", "ann", "bob"])
        self.assertEqual(self.b.state.users["amy"].away, "tea")
        self.assertEqual((self.told(self.ann), self.told(self.amy)), ([], []))

    def test_a_restart_of_the_controller_meanwhile(self) -> None:
        self.lapse()
        self.world.shared.hold_back(self.a.face)
        self.a.come_back()
        self.world.shared.let_through()
        self.a.settle()
        self.a.restart_controller()
        self.bob.send("ROOM:den:hello")
        self.assertEqual(self.told(self.ann), ["ROOM:den:bob:hello"])

    def test_a_restart_of_the_controller_when_only_their_rooms_are_missing(self) -> None:
        self.lapse()
        self.a.face.unsure = True
        self.a.come_back()
        self.assertIn("ann", self.b.state.users)
        self.a.restart_controller()
        self.a.wait(2)
        self.assertClosed(self.ann, "connect again")
        self.assertEqual(sorted(self.b.state.users), ["bob"])

    def test_a_restart_of_the_controller_before_they_are_back(self) -> None:
        self.lapse()
        self.a.face.catch_up()
        self.a.settle()
        self.a.face.away = False
        self.a.restart_controller()
        self.assertClosed(self.ann, "connect again")
        self.a.wait(2)
        self.assertEqual(sorted(self.b.state.users), ["bob"])


class ClosedTests(ReturnCase):
    def test_the_nick_was_taken_meanwhile(self) -> None:
        self.lapse()
        cid = self.b.user("ann")
        self.a.come_back()
        self.assertClosed(self.ann, "your nick was taken")
        self.assertFalse(self.amy.closed)
        self.bob.send("SAY:ann:psst")
        self.assertEqual(cid.lines()[-1], "SAY:bob:psst")
        self.assertEqual(self.told(self.ann), [])

    def test_somebody_else_is_called_so_now(self) -> None:
        ben = self.b.irc("ben")
        self.lapse()
        ben.send("NICK ann")
        self.a.come_back()
        self.assertClosed(self.ann, "your nick was taken")
        self.assertEqual(self.b.state.users["ann"].node, "b")

    def test_the_nick_is_taken_while_they_come_back(self) -> None:
        self.lapse()
        self.world.shared.hold_back(self.a.face)
        self.a.come_back()
        cid = self.b.user("ann")
        self.bob.send("SAY:ann:psst")
        self.assertClosed(self.ann, "your nick was taken")
        self.world.shared.let_through()
        self.a.settle()
        self.assertEqual(cid.lines()[-1], "SAY:bob:psst")
        self.assertEqual(self.b.state.users["ann"].node, "b")

    def test_the_nick_is_taken_on_the_same_node(self) -> None:
        self.lapse()
        cid = self.a.client()
        self.a.face.catch_up()
        self.a.settle()
        self.a.face.away = False
        self.assertEqual(cid.ask("LOGIN:ann")[-1], "OK:LOGIN:ann")
        self.a.wait(2)
        self.assertClosed(self.ann, "your nick was taken")
        self.assertFalse(cid.closed)

    def test_a_nick_that_looks_alike_was_taken(self) -> None:
        ell = self.a.user("coco")
        self.lapse()
        self.b.user("\u0441\u043e\u0441\u043e")  # in Cyrillic
        self.a.come_back()
        self.assertClosed(ell, NEW + "this nick looks like another one")

    def test_a_room_that_is_gone(self) -> None:
        eve = self.a.user("eve", "NEWROOM:tea", "JOINROOM:tea")
        self.lapse()
        self.assertNotIn("tea", self.b.state.rooms)
        self.a.come_back()
        self.assertClosed(eve, NEW + "there is no such room")
        self.a.wait(2)
        self.assertNotIn("eve", self.b.state.users)

    def test_a_room_that_may_not_be_entered(self) -> None:
        self.lapse()
        self.bob.send("SETPRIVATE:den")
        self.a.come_back()
        self.assertClosed(self.ann, NEW + "that room is private and you are not invited")
        self.assertClosed(self.amy, NEW + "that room is private and you are not invited")
        self.a.wait(2)
        self.assertEqual(sorted(self.b.state.users), ["bob"])

    def test_a_room_that_becomes_private_while_they_come_back(self) -> None:
        self.come_half_way_back()
        self.bob.send("SETPRIVATE:den")
        self.world.shared.let_through()
        self.a.wait(2)
        self.assertClosed(self.ann, NEW + "that room is private and you are not invited")

    def test_put_out_while_they_come_back(self) -> None:
        root = self.b.irc("root")
        self.b.flag("root", modes.SERVER_OPERATOR)
        self.lapse()
        self.world.shared.hold_back(self.a.face)
        self.a.come_back()
        self.a.lag()
        self.world.shared.let_through()
        root.send("KILL ann :out")
        self.a.catch_up()
        self.assertClosed(self.ann, "killed by root: out")
        self.bob.send("ROOM:den:hello")
        self.assertEqual(self.told(self.ann), [])

    def test_a_user_whom_nobody_remembers(self) -> None:
        self.a.go_away()
        self.b.misses(self.a)
        self.bob.send("ROOM:den:a", "ROOM:den:b")
        self.b.restart_controller()
        self.bob.send("ROOM:den:c")
        self.a.face.away = False
        self.a.restart_controller()
        self.assertClosed(self.ann, "connect again")


class GoneTests(ReturnCase):
    def test_a_connection_that_is_closed_before(self) -> None:
        self.a.go_away()
        self.ann.hang_up()
        self.amy.send("QUIT")
        self.b.misses(self.a)
        self.bob.lines()
        self.a.come_back()
        self.a.wait(2)
        self.assertEqual(self.bob.lines(), [])
        self.assertEqual(sorted(self.b.state.users), ["bob"])

    def test_a_connection_that_is_closed_while_they_come_back(self) -> None:
        self.lapse()
        self.world.shared.hold_back(self.a.face)
        self.a.come_back()
        self.ann.hang_up()
        self.world.shared.let_through()
        self.a.settle()
        self.assertEqual(sorted(self.b.state.users), ["amy", "bob"])

    def test_a_connection_that_is_closed_while_it_waits(self) -> None:
        self.lapse()
        self.a.face.catch_up()
        self.a.settle()
        self.ann.hang_up()
        self.a.face.away = False
        self.a.wait(2)
        self.assertEqual(sorted(self.b.state.users), ["amy", "bob"])

    def test_a_connection_that_is_closed_when_only_its_rooms_are_missing(self) -> None:
        self.come_half_way_back()
        self.ann.hang_up()
        self.world.shared.let_through()
        self.a.wait(2)
        self.assertEqual(sorted(self.b.state.users), ["amy", "bob"])
        self.assertEqual(sorted(self.b.state.rooms["den"].members), ["amy", "bob"])

    def test_logging_out_while_the_others_do_so_too(self) -> None:
        self.a.lag()
        self.world.shared.hold_back(self.a.face)
        self.ann.send("LOGOUT:")
        self.b.misses(self.a)
        self.world.shared.let_through()
        self.a.catch_up()
        self.a.wait(2)
        self.assertEqual(self.ann.lines()[-1], "OK:LOGOUT:ann")
        self.assertEqual(sorted(self.b.state.users), ["amy", "bob"])
        self.assertEqual(self.ann.ask("LOGIN:zoe"), ["OK:LOGIN:zoe"])
