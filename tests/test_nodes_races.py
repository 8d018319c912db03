"""What users of different nodes do before their nodes have heard of each other: the log's order
settles it, for all of them alike.
"""

from __future__ import annotations

from chatservice.controller import modes
from chatservice.controller.policy import Policy
from tests.bench import Client
from tests.irc_case import short
from tests.nodes_case import NodesCase


class RaceCase(NodesCase):
    policy = Policy(members_per_room=3)

    def setUp(self) -> None:
        super().setUp()
        self.ann, self.bob = self.a.user("ann"), self.b.user("bob")
        self.ann.lines()
        self.bob.lines()

    def tearDown(self) -> None:
        self.assertAgreed()

    def answers(self, *clients: Client) -> list[str]:
        """The last line that each has got, without the words of a refusal."""
        return [":".join(client.lines()[-1].split(":")[:3]) for client in clients]


class NameTests(RaceCase):
    def test_a_room_is_made_once(self) -> None:
        self.at_once((self.b, self.bob, "NEWROOM:den"), (self.a, self.ann, "NEWROOM:Den"))
        self.assertEqual(
            self.answers(self.ann, self.bob), ["ERR:NEWROOM:ROOM_EXISTS", "OK:NEWROOM:den"]
        )

    def test_a_channel_that_two_make_is_one(self) -> None:
        amy, ben = self.a.irc("amy"), self.b.irc("ben")
        self.at_once((self.a, amy, "JOIN #den"), (self.b, ben, "JOIN #den"))
        for client in (amy, ben):
            self.assertIn("366 #den :End of NAMES list", map(short, client.lines()))
        members = self.a.state.rooms["den"].members
        self.assertEqual(list(members), ["amy", "ben"])

    def test_a_nick_is_taken_once(self) -> None:
        one, other = self.a.client(), self.b.client()
        self.at_once((self.b, other, "LOGIN:cid"), (self.a, one, "LOGIN:Cid"))
        self.assertEqual(self.answers(one, other), ["ERR:LOGIN:NICK_IN_USE", "OK:LOGIN:cid"])
        self.assertEqual(one.ask("LOGIN:dan")[-1], "OK:LOGIN:dan")

    def test_a_nick_is_taken_once_by_those_who_have_one(self) -> None:
        amy, ben = self.a.irc("amy"), self.b.irc("ben")
        self.at_once((self.a, amy, "NICK cid"), (self.b, ben, "NICK cid"))
        self.assertEqual(short(ben.lines()[-1]), "433 cid :Nickname is already in use")
        self.assertEqual(self.b.state.users["cid"].node, "a")


class RoomTests(RaceCase):
    def setUp(self) -> None:
        super().setUp()
        self.ann.send("NEWROOM:den", "JOINROOM:den")
        self.bob.lines()

    def test_the_last_place_is_taken_once(self) -> None:
        self.bob.send("JOINROOM:den")
        one, other = self.a.user("cid"), self.b.user("dan")
        self.at_once((self.b, other, "JOINROOM:den"), (self.a, one, "JOINROOM:den"))
        self.assertEqual(self.answers(one, other), ["ERR:JOINROOM:TOO_MANY", "OK:JOINROOM:den"])
        self.assertEqual(list(self.a.state.rooms["den"].members), ["ann", "bob", "dan"])

    def test_a_removed_room_is_not_entered(self) -> None:
        self.at_once((self.a, self.ann, "DELROOM:den"), (self.b, self.bob, "JOINROOM:den"))
        self.assertEqual(self.answers(self.bob), ["ERR:JOINROOM:NO_SUCH_ROOM"])

    def test_who_is_put_out_leaves_but_once(self) -> None:
        self.bob.send("JOINROOM:den")
        self.at_once((self.a, self.ann, "KICKROOM:den:bob"), (self.b, self.bob, "EXITROOM:den"))
        self.assertEqual(self.answers(self.bob), ["ERR:EXITROOM:NOT_IN_ROOM"])
        self.assertEqual(list(self.b.state.rooms["den"].members), ["ann"])

    def test_what_is_said_is_in_one_order(self) -> None:
        self.bob.send("JOINROOM:den")
        self.ann.lines()
        self.bob.lines()
        self.at_once(
            (self.b, self.bob, "ROOM:den:1"),
            (self.a, self.ann, "ROOM:den:2"),
            (self.b, self.bob, "TOPIC:den:3"),
            (self.a, self.ann, "TOPIC:den:4"),
        )
        told = [
            [line for line in client.lines() if line.split(":")[0] in ("ROOM", "TOPIC")]
            for client in (self.ann, self.bob)
        ]
        self.assertEqual(told[0], told[1])
        self.assertEqual(told[0], ["ROOM:den:bob:1", "ROOM:den:ann:2", "TOPIC:den:ann:4"])


class NewHolderTests(RaceCase):
    """Somebody has a nick by now that was another's: what that one's node had not heard yet is not
    done to them, or in their name.

    Attributes:
        then: what the new holder does.
    """

    then: tuple[str, ...] = ()

    def setUp(self) -> None:
        super().setUp()
        self.root = self.b.irc("root")
        self.b.flag("root", modes.SERVER_OPERATOR)

    def late(self, client: Client, line: str, nick: str = "ann") -> Client:
        """A line of a client of the other node's gets through when somebody else has the nick.

        Returns:
            who has it.
        """
        self.a.lag()
        self.world.shared.hold_back(self.a.face)
        client.send(line)
        self.root.send(f"KILL {nick} :out")
        holder = self.b.user(nick, *self.then)
        holder.lines()
        self.world.shared.let_through()
        self.a.catch_up()
        return holder

    def test_nobody_else_hears_what_was_said_to_a_user(self) -> None:
        cid = self.a.user("cid")
        holder = self.late(cid, "SAY:ann:psst")
        self.assertEqual(self.answers(cid), ["ERR:SAY:NO_SUCH_USER"])
        self.assertEqual(holder.lines(), [])

    def test_nobody_else_is_put_into_a_room(self) -> None:
        self.bob.send("NEWROOM:den")
        self.late(self.ann, "JOINROOM:den")
        self.assertEqual(self.a.state.rooms["den"].members, {})

    def test_nobody_else_is_put_out_of_a_room(self) -> None:
        cid = self.a.user("cid", "NEWROOM:den", "JOINROOM:den")
        self.ann.send("JOINROOM:den")
        self.then = ("JOINROOM:den",)
        self.late(cid, "KICKROOM:den:ann")
        self.assertEqual(self.answers(cid), ["ERR:KICKROOM:NOT_IN_ROOM"])
        self.assertEqual(list(self.b.state.rooms["den"].members), ["cid", "ann"])

    def test_nobody_else_becomes_an_account(self) -> None:
        self.late(self.ann, "REGISTER:sesame")
        self.assertEqual(self.a.state.accounts, {})

    def test_nobody_else_is_renamed_away_or_gone(self) -> None:
        for number, line in enumerate(("NICK zoe", "AWAY :gone", "MODE {} +B", "QUIT")):
            nick = f"amy{number}"
            holder = self.late(self.a.irc(nick), line.format(nick), nick)
            user = self.a.state.users[nick]
            self.assertEqual((user.node, user.away, user.flags), ("b", "", frozenset()))
            self.assertFalse(holder.closed)

    def test_nobody_else_is_killed(self) -> None:
        operator = self.a.irc("oper")
        self.a.flag("oper", modes.SERVER_OPERATOR)
        holder = self.late(operator, "KILL ann :out")
        self.assertFalse(holder.closed)
