"""The requests of the protobuf dialect: what each does and is answered with, and each code that it
can be refused with.
"""

from __future__ import annotations

from typing import Any

from chatservice.controller import modes
from chatservice.controller.errors import TooFast, Unavailable
from chatservice.controller.events import ModeChange, UserFlagsChanged
from chatservice.controller.policy import Policy
from chatservice.translation.protobuf import chat_pb2 as pb
from tests.protobuf_case import NOW_MS, Program, ProtobufCase, kind


class LoginTests(ProtobufCase):
    def test_a_guest_takes_a_nick(self) -> None:
        carol = self.stranger()

        answer = carol.answer(login=pb.Login(nick="Carol", realname="Carol C."))

        self.assertEqual(answer.identity, pb.Identity(nick="Carol", ms=NOW_MS))
        self.assertEqual(carol.login, "Carol")
        self.assertEqual(self.house.controller.state.users["carol"].realname, "Carol C.")

    def test_an_account_needs_its_password(self) -> None:
        self.given(self.alice, register=pb.Register(password="secret"))
        self.given(self.alice, logout=pb.Logout())

        self.refuses(self.alice, "NICK_IN_USE", login=pb.Login(nick="alice"))
        self.refuses(self.alice, "BAD_PASSWORD", login=pb.Login(nick="alice", password="guess"))
        answer = self.alice.answer(login=pb.Login(nick="ALICE", password="secret"))

        self.assertEqual(answer.identity, pb.Identity(nick="ALICE", account="alice", ms=NOW_MS))

    def test_what_it_is_refused_for(self) -> None:
        carol = self.stranger()

        self.refuses(self.alice, "ALREADY_LOGGED_IN", login=pb.Login(nick="other"))
        self.refuses(carol, "NICK_IN_USE", login=pb.Login(nick="Bob"))
        self.refuses(carol, "BAD_NICK", login=pb.Login(nick="two words"))
        self.refuses(carol, "BAD_NICK", login=pb.Login())
        self.refuses(carol, "BAD_ARGUMENTS", login=pb.Login(nick="carol", realname="a\nb"))
        self.house.doorman.refusal = TooFast()
        self.refuses(carol, "TOO_FAST", login=pb.Login(nick="carol", password="x"))
        self.house.doorman.refusal = Unavailable()
        self.refuses(carol, "UNAVAILABLE", login=pb.Login(nick="carol", password="x"))
        self.house.journal.full = True
        self.refuses(carol, "UNAVAILABLE", login=pb.Login(nick="carol"))


class ReclaimTests(ProtobufCase):
    """A nick is taken back from another connection of its owner's."""

    def setUp(self) -> None:
        super().setUp()
        self.given(self.alice, register=pb.Register(password="secret"))
        self.given_room("den", self.alice, self.bob)
        self.second = self.stranger()

    def reclaim(self, nick: str, password: str) -> dict[str, Any]:
        return {"login": pb.Login(nick=nick, password=password, reclaim=True)}

    def test_whoever_has_the_password_gets_it(self) -> None:
        answer = self.second.answer(**self.reclaim("Alice", "secret"))

        self.assertEqual(answer.identity, pb.Identity(nick="Alice", account="alice", ms=NOW_MS))
        killed, bye = self.alice.frames()
        self.assertEqual((killed.killed.reclaimed, killed.killed.by), (True, "alice"))
        self.assertEqual(bye.bye.reason, "your nick was taken back by its owner")
        self.assertTrue(self.alice.closed)
        [left] = self.bob.frames()
        self.assertEqual((left.left.nick, left.left.quit), ("alice", True))
        self.given(self.second, join_room=pb.JoinRoom(room="den"))

    def test_a_line_client_is_told_too(self) -> None:
        self.given(self.alice, logout=pb.Logout())
        line = self.house.client()
        line.ask("LOGIN:alice:secret")

        self.given(self.second, **self.reclaim("alice", "secret"))

        self.assertEqual(line.lines(), ["BYE:your nick was taken back by its owner"])

    def test_nobody_gets_it_without_the_password(self) -> None:
        self.refuses(self.second, "BAD_PASSWORD", **self.reclaim("alice", "guess"))
        self.refuses(self.second, "NICK_IN_USE", **self.reclaim("alice", ""))
        self.refuses(self.second, "NICK_IN_USE", login=pb.Login(nick="alice", password="secret"))

        self.assertEqual(self.alice.login, "alice")
        self.assertEqual(self.bob.frames(), [])

    def test_a_guests_nick_is_nobodys_to_take(self) -> None:
        self.refuses(self.second, "BAD_PASSWORD", **self.reclaim("bob", "secret"))
        self.house.doorman.outside["bob"] = "secret"
        self.refuses(self.second, "NICK_IN_USE", **self.reclaim("bob", "secret"))

        self.assertEqual(self.bob.login, "bob")

    def test_a_nick_that_is_free_is_just_taken(self) -> None:
        self.given(self.alice, logout=pb.Logout())

        self.assertEqual(
            self.second.answer(**self.reclaim("alice", "secret")).identity.account, "alice"
        )

    def test_what_was_shown_for_one_nick_is_not_kept_for_another(self) -> None:
        self.house.journal.full = True
        self.refuses(self.second, "UNAVAILABLE", **self.reclaim("alice", "secret"))
        self.house.journal.full = False

        answer = self.second.answer(login=pb.Login(nick="carol"))

        self.assertEqual(answer.identity, pb.Identity(nick="carol", ms=NOW_MS))

    def test_one_that_only_looks_like_it_is_left_alone(self) -> None:
        latin, cyrillic = "coco", "\u0441\u043e\u0441\u043e"
        coco = self.program(latin)
        self.house.doorman.outside[cyrillic] = "secret"

        self.refuses(self.second, "NICK_IN_USE", **self.reclaim(cyrillic, "secret"))

        self.assertEqual(coco.login, latin)
        answer = self.second.answer(login=pb.Login(nick="carol"))
        self.assertEqual(answer.identity.account, "")


class IdentityTests(ProtobufCase):
    def test_register_makes_the_nick_an_account(self) -> None:
        answer = self.alice.answer(register=pb.Register(password="se:cret"))

        self.assertEqual(answer.identity, pb.Identity(nick="alice", account="alice", ms=NOW_MS))
        self.assertEqual(self.alice.answer(who_am_i=pb.WhoAmI()), answer)

    def test_what_register_is_refused_for(self) -> None:
        self.refuses(self.alice, "BAD_PASSWORD", register=pb.Register())
        self.given(self.alice, register=pb.Register(password="secret"))
        self.refuses(self.alice, "NICK_IN_USE", register=pb.Register(password="secret"))
        self.open_house(registrations=0)
        self.refuses(self.alice, "TOO_FAST", register=pb.Register(password="secret"))
        self.open_house(policy=Policy(accounts=1))
        self.given(self.alice, register=pb.Register(password="secret"))
        self.refuses(self.bob, "TOO_MANY", register=pb.Register(password="secret"))

    def test_logout_gives_the_nick_up_and_leaves_every_room(self) -> None:
        self.given_room("den", self.alice, self.bob)

        self.assertEqual(self.alice.answer(logout=pb.Logout()), pb.ServerFrame(done=pb.Done()))

        self.assertEqual(self.bob.kinds(), ["left"])
        self.assertFalse(self.alice.closed)
        self.given(self.alice, login=pb.Login(nick="carol"))

    def test_where_am_i_names_the_rooms_that_one_is_in(self) -> None:
        self.assertEqual(self.alice.answer(where_am_i=pb.WhereAmI()).room_list, pb.RoomList())
        self.given_room("Den", self.alice, self.bob)

        answer = self.alice.answer(where_am_i=pb.WhereAmI())

        self.assertEqual(list(answer.room_list.rooms), [pb.Room(name="Den", members=2)])

    def test_most_requests_need_a_log_in(self) -> None:
        stranger = self.stranger()
        den: dict[str, Any] = {"room": "den"}
        requests: dict[str, Any] = {
            "say": pb.Say(**den, text="x"),
            "tell": pb.Tell(nick="bob", text="x"),
            "register": pb.Register(password="x"),
            "logout": pb.Logout(),
            "who_am_i": pb.WhoAmI(),
            "where_am_i": pb.WhereAmI(),
            "list_rooms": pb.ListRooms(),
            "list_users": pb.ListUsers(),
            "create_room": pb.CreateRoom(**den),
            "delete_room": pb.DeleteRoom(**den),
            "join_room": pb.JoinRoom(**den),
            "leave_room": pb.LeaveRoom(**den),
            "set_visibility": pb.SetVisibility(**den),
            "invite": pb.Invite(**den, nick="bob"),
            "kick": pb.Kick(**den, nick="bob"),
            "get_topic": pb.GetTopic(**den),
            "set_topic": pb.SetTopic(**den),
            "history": pb.History(**den),
            "list_conversations": pb.ListConversations(),
        }
        for name, request in requests.items():
            self.refuses(stranger, "NOT_LOGGED_IN", **{name: request})
        others = {field.name for field in pb.ClientFrame.DESCRIPTOR.oneofs[0].fields} - set(
            requests
        )
        self.assertEqual(others, {"login", "ping", "pong", "quit"})


class LookingAroundTests(ProtobufCase):
    def test_list_rooms_shows_those_that_one_may_see(self) -> None:
        self.given_room("lobby", self.alice)
        self.given(self.alice, set_topic=pb.SetTopic(room="lobby", text="all welcome"))
        self.given_room("den", self.alice, private=True)
        self.given_room("cellar", self.bob, private=True)

        found = self.alice.answer(list_rooms=pb.ListRooms()).room_list.rooms

        self.assertEqual(
            sorted(found, key=lambda room: room.name),
            [
                pb.Room(name="den", private=True, members=1),
                pb.Room(name="lobby", members=1, topic="all welcome"),
            ],
        )

    def test_list_users_shows_everybody_or_the_members_of_a_room(self) -> None:
        self.given(self.bob, register=pb.Register(password="secret"))
        self.given_room("Den", self.bob)
        alice, bob = pb.User(nick="alice"), pb.User(nick="bob", account="bob")

        everybody = self.alice.answer(list_users=pb.ListUsers()).user_list.users
        members = self.alice.answer(list_users=pb.ListUsers(room="den")).user_list.users

        self.assertEqual((list(everybody), list(members)), ([alice, bob], [bob]))

    def test_who_is_away_is_shown_to_be(self) -> None:
        irc = self.house.client("irc")
        irc.send("NICK ida", "USER ida 0 * :Ida", "AWAY :tea")

        users = self.alice.answer(list_users=pb.ListUsers()).user_list.users

        self.assertIn(pb.User(nick="ida", away="tea"), users)

    def test_what_list_users_is_refused_for(self) -> None:
        self.given_room("den", self.bob, private=True)

        self.refuses(self.alice, "PRIVATE_ROOM", list_users=pb.ListUsers(room="den"))
        self.refuses(self.alice, "NO_SUCH_ROOM", list_users=pb.ListUsers(room="nowhere"))
        self.refuses(self.alice, "BAD_ROOM_NAME", list_users=pb.ListUsers(room="no room"))

    def test_long_lists_come_in_several_frames(self) -> None:
        for many in (99, 100, 101, 250):
            self.open_house()
            names = [f"room{number}" for number in range(many)]
            for name in names:
                self.given(self.alice, create_room=pb.CreateRoom(room=name))

            frames = self.bob.answers(list_rooms=pb.ListRooms())

            self.assertEqual(
                [room.name for frame in frames for room in frame.room_list.rooms], names
            )
            self.assertEqual(len(frames), -(-many // 100))

    def test_lists_of_long_texts_come_in_short_frames(self) -> None:
        topic = "x" * 4096
        self.open_house()
        for number in range(10):
            self.given(self.alice, create_room=pb.CreateRoom(room=f"room{number}"))
            room = self.house.controller.state.rooms[f"room{number}"]
            # Longer, with the room's name, than a frame to the server.
            self.house.user(f"u{number}").send(f"JOINROOM:{room.name}")
            self.given(self.alice, set_topic=pb.SetTopic(room=room.name, text=topic[: 4096 - 100]))

        frames = self.bob.answers(list_rooms=pb.ListRooms())

        self.assertEqual(sum(len(frame.room_list.rooms) for frame in frames), 10)
        self.assertGreater(len(frames), 1)
        for frame in frames:
            self.assertLess(frame.ByteSize(), 65_536)


class RoomTests(ProtobufCase):
    def test_create_room_makes_one_and_does_not_join_it(self) -> None:
        self.is_done(self.alice.answer(create_room=pb.CreateRoom(room="Den")), "Den")

        room = self.house.controller.state.rooms["den"]
        self.assertEqual((room.private, list(room.members)), (False, []))

    def test_a_room_may_be_made_private(self) -> None:
        self.given(self.alice, create_room=pb.CreateRoom(room="den", private=True))

        self.refuses(self.bob, "PRIVATE_ROOM", join_room=pb.JoinRoom(room="den"))

    def test_what_create_room_is_refused_for(self) -> None:
        self.open_house(policy=Policy(rooms_owned_per_user=1))
        self.given_room("den", self.alice)

        self.refuses(self.bob, "ROOM_EXISTS", create_room=pb.CreateRoom(room="DEN"))
        self.refuses(self.bob, "BAD_ROOM_NAME", create_room=pb.CreateRoom(room="#den"))
        self.refuses(self.alice, "TOO_MANY", create_room=pb.CreateRoom(room="attic"))

    def test_delete_room_removes_it(self) -> None:
        self.given_room("Den", self.alice, self.bob)

        self.refuses(self.bob, "NOT_OWNER", delete_room=pb.DeleteRoom(room="den"))
        told, done = self.alice.ask(delete_room=pb.DeleteRoom(room="den"))

        self.assertEqual((told.room_deleted.room, told.room_deleted.by), ("Den", "alice"))
        self.is_done(done, "Den", event=told.room_deleted)
        self.assertEqual([frame.room_deleted for frame in self.bob.frames()], [told.room_deleted])
        self.refuses(self.alice, "NO_SUCH_ROOM", delete_room=pb.DeleteRoom(room="den"))

    def test_join_room_enters_it(self) -> None:
        self.given_room("Den", self.alice)

        told, done = self.bob.ask(join_room=pb.JoinRoom(room="den"))

        self.assertEqual((told.joined.room, told.joined.nick), ("Den", "bob"))
        self.is_done(done, "Den", event=told.joined)
        self.assertEqual([frame.joined for frame in self.alice.frames()], [told.joined])

    def test_join_room_makes_it_if_asked_to(self) -> None:
        self.refuses(self.alice, "NO_SUCH_ROOM", join_room=pb.JoinRoom(room="den"))

        for program in (self.alice, self.bob):
            self.is_done(program.answer(join_room=pb.JoinRoom(room="den", create=True)), "den")

        self.assertEqual(list(self.house.controller.state.rooms["den"].members), ["alice", "bob"])

    def test_what_join_room_is_refused_for(self) -> None:
        self.open_house(policy=Policy(rooms_per_user=1))
        for room in ("den", "keyed", "closed", "known", "cellar"):
            self.given(self.bob, create_room=pb.CreateRoom(room=room, private=room == "cellar"))
        self.house.change_modes("keyed", ModeChange(True, modes.KEY, "sesame"))
        self.house.change_modes("closed", ModeChange(True, modes.BAN, "alice!*@*"))
        self.house.change_modes("known", ModeChange(True, modes.ACCOUNTS_ENTER))

        for room, code in (
            ("cellar", "PRIVATE_ROOM"),
            ("keyed", "BAD_KEY"),
            ("closed", "BANNED"),
            ("known", "NEEDS_ACCOUNT"),
            ("no room", "BAD_ROOM_NAME"),
        ):
            self.refuses(self.alice, code, join_room=pb.JoinRoom(room=room))
        self.given(self.alice, join_room=pb.JoinRoom(room="keyed", key="sesame"))
        self.refuses(self.alice, "ALREADY_IN_ROOM", join_room=pb.JoinRoom(room="keyed"))
        self.refuses(self.alice, "TOO_MANY", join_room=pb.JoinRoom(room="den"))

    def test_leave_room_leaves_it(self) -> None:
        self.given_room("Den", self.alice, self.bob)

        [done] = self.bob.ask(leave_room=pb.LeaveRoom(room="den"))

        [told] = self.alice.frames()
        self.assertEqual((told.left.room, told.left.nick, told.left.quit), ("Den", "bob", False))
        self.is_done(done, "Den", event=told.left)
        self.refuses(self.bob, "NOT_IN_ROOM", leave_room=pb.LeaveRoom(room="den"))

    def test_set_visibility_makes_a_room_private_or_public(self) -> None:
        self.given_room("Den", self.alice, self.bob)
        for private in (True, False):
            told, done = self.alice.ask(
                set_visibility=pb.SetVisibility(room="den", private=private)
            )

            change = told.visibility_changed
            self.assertEqual((change.room, change.private, change.by), ("Den", private, "alice"))
            self.is_done(done, "Den", event=change)
            self.assertEqual([frame.visibility_changed for frame in self.bob.frames()], [change])
        self.refuses(self.bob, "NOT_OWNER", set_visibility=pb.SetVisibility(room="den"))

    def test_invite_lets_somebody_in(self) -> None:
        self.given_room("Den", self.alice, private=True)

        self.is_done(self.alice.answer(invite=pb.Invite(room="den", nick="BOB")), "Den", "bob")

        [told] = self.bob.frames()
        self.assertEqual((told.invited.room, told.invited.by), ("Den", "alice"))
        self.given(self.bob, join_room=pb.JoinRoom(room="den"))

    def test_what_invite_is_refused_for(self) -> None:
        self.open_house(policy=Policy(invitations_per_room=1))
        self.given_room("den", self.alice, private=True)
        self.program("carol")

        self.refuses(self.bob, "NOT_OWNER", invite=pb.Invite(room="den", nick="alice"))
        self.refuses(self.alice, "NO_SUCH_USER", invite=pb.Invite(room="den", nick="dave"))
        self.refuses(self.alice, "ALREADY_IN_ROOM", invite=pb.Invite(room="den", nick="alice"))
        self.given(self.alice, invite=pb.Invite(room="den", nick="bob"))
        self.refuses(self.alice, "TOO_MANY", invite=pb.Invite(room="den", nick="carol"))

    def test_kick_puts_somebody_out(self) -> None:
        self.given_room("Den", self.alice, self.bob)

        told, done = self.alice.ask(kick=pb.Kick(room="den", nick="BOB", reason="enough: go"))

        kicked = told.kicked
        self.assertEqual(
            (kicked.room, kicked.nick, kicked.by, kicked.reason),
            ("Den", "bob", "alice", "enough: go"),
        )
        self.is_done(done, "Den", "bob", event=kicked)
        self.assertEqual([frame.kicked for frame in self.bob.frames()], [kicked])
        self.refuses(self.alice, "NOT_IN_ROOM", kick=pb.Kick(room="den", nick="bob"))

    def test_what_kick_is_refused_for(self) -> None:
        self.given_room("den", self.alice, self.bob)

        self.refuses(self.bob, "NOT_OWNER", kick=pb.Kick(room="den", nick="alice"))
        self.refuses(self.alice, "NO_SUCH_USER", kick=pb.Kick(room="den", nick="dave"))
        for reason in ("a\0b", "a\rb", "a\nb"):
            self.refuses(
                self.alice, "BAD_ARGUMENTS", kick=pb.Kick(room="den", nick="bob", reason=reason)
            )

    def test_a_long_reason_is_cut(self) -> None:
        self.given_room("den", self.alice, self.bob)

        told, _ = self.alice.ask(kick=pb.Kick(room="den", nick="bob", reason=500 * "x"))

        self.assertEqual(told.kicked.reason, 390 * "x")

    def test_topics_are_set_read_and_cleared(self) -> None:
        self.given_room("Den", self.alice, self.bob)
        self.assertEqual(
            self.bob.answer(get_topic=pb.GetTopic(room="den")).topic, pb.Topic(room="Den")
        )

        told, done = self.alice.ask(set_topic=pb.SetTopic(room="den", text="release: 17:00"))

        change = told.topic_changed
        self.assertEqual(
            (change.room, change.nick, change.text), ("Den", "alice", "release: 17:00")
        )
        self.is_done(done, "Den", event=change)
        self.assertEqual([frame.topic_changed for frame in self.bob.frames()], [change])
        self.assertEqual(
            self.bob.answer(get_topic=pb.GetTopic(room="den")).topic,
            pb.Topic(room="Den", text="release: 17:00", nick="alice", ms=NOW_MS),
        )
        self.given(self.alice, set_topic=pb.SetTopic(room="den"))
        self.assertEqual(self.bob.answer(get_topic=pb.GetTopic(room="den")).topic.text, "")

    def test_what_topics_are_refused_for(self) -> None:
        self.given_room("den", self.alice, private=True)

        self.refuses(self.bob, "PRIVATE_ROOM", get_topic=pb.GetTopic(room="den"))
        self.refuses(self.bob, "NOT_OWNER", set_topic=pb.SetTopic(room="den", text="x"))
        self.refuses(self.alice, "BAD_ARGUMENTS", set_topic=pb.SetTopic(room="den", text="a\nb"))


class TalkTests(ProtobufCase):
    def setUp(self) -> None:
        super().setUp()
        self.given_room("Den", self.alice, self.bob)

    def said(self, program: Program, **what: Any) -> pb.Message:
        """What a program says in the room, as it is told so itself, before it is answered."""
        told, stored = program.ask(say=pb.Say(room="den", **what))
        self.assertEqual(kind(stored), "stored", stored)
        self.assertEqual((told.message.id, told.message.ms), (stored.stored.id, stored.stored.ms))
        return told.message

    def test_say_tells_all_members_and_is_answered_when_stored(self) -> None:
        self.given(self.alice, register=pb.Register(password="secret"))

        message = self.said(self.alice, text="hello: you")

        self.assertEqual(
            message,
            pb.Message(
                id=message.id,
                ms=NOW_MS,
                room="Den",
                nick="alice",
                account="alice",
                text="hello: you",
            ),
        )
        self.assertEqual([frame.message for frame in self.bob.frames()], [message])

    def test_a_message_may_be_a_notice_or_an_action_and_have_a_nonce(self) -> None:
        message = self.said(self.alice, text="waves", notice=True, action=True, nonce="n:1 ")

        self.assertTrue(message.notice)
        self.assertTrue(message.action)
        self.assertEqual((message.text, message.nonce), ("waves", "n:1 "))

    def test_tell_tells_one_user_and_not_its_author(self) -> None:
        [stored] = self.alice.ask(tell=pb.Tell(nick="BOB", text="psst", nonce="7"))

        self.assertEqual(kind(stored), "stored")
        [told] = self.bob.frames()
        self.assertEqual(
            told,
            pb.ServerFrame(
                message=pb.Message(
                    id=stored.stored.id,
                    ms=NOW_MS,
                    nick="alice",
                    to="bob",
                    text="psst",
                    nonce="7",
                )
            ),
        )

    def test_one_may_tell_oneself(self) -> None:
        self.assertEqual(
            [kind(frame) for frame in self.alice.ask(tell=pb.Tell(nick="alice", text="note"))],
            ["message", "stored"],
        )

    def test_a_text_may_be_anything_but_nul_and_line_ends(self) -> None:
        text = "käse \N{CHEESE WEDGE} \x1b[1m \N{RIGHT-TO-LEFT OVERRIDE}\t\x85\u2028 \x01x\x01"

        self.assertEqual(self.said(self.alice, text=text).text, text)
        for bad in ("", "a\0b", "a\rb", "a\nb", "x" * 4097, "\x01VERSION\x01", "\x01ACTION x"):
            self.refuses_to_say("BAD_ARGUMENTS", text=bad)
        for bad in ("", "a\nb", "a\x01b"):
            self.refuses_to_say("BAD_ARGUMENTS", text=bad, action=True)
        self.bob.frames()

    def refuses_to_say(self, code: str, **what: Any) -> None:
        self.bob.frames()
        if len(what["text"]) < 4000:
            self.refuses(self.alice, code, say=pb.Say(room="den", **what))
            self.refuses(self.alice, code, tell=pb.Tell(nick="bob", **what))
        self.assertEqual(self.bob.frames(), [])

    def test_a_nonce_has_64_bytes_at_most_and_is_one_line(self) -> None:
        self.assertEqual(self.said(self.alice, text="x", nonce=32 * "é").nonce, 32 * "é")
        for bad in (32 * "é" + "x", "a\0b", "a\rb", "a\nb"):
            self.refuses_to_say("BAD_ARGUMENTS", text="x", nonce=bad)

    def test_the_longest_text_that_is_promised_is_taken(self) -> None:
        hello = Program(self.house.client("protobuf")).frames()[0].hello
        self.given_room(64 * "\U00010400", self.alice)
        longest = hello.max_text_bytes * "x"

        for action in (True, False):
            self.alice.send(
                pb.ClientFrame(
                    request_id=2**64 - 1,
                    say=pb.Say(
                        room=64 * "\U00010400",
                        text=longest,
                        notice=True,
                        action=action,
                        nonce=64 * "n",
                    ),
                )
            )

            told, stored = self.alice.frames()
            self.assertEqual(told.message.text, longest)
            self.assertEqual(stored.request_id, 2**64 - 1)

    def test_what_talk_is_refused_for(self) -> None:
        carol = self.program("carol")
        for room, mode in (("quiet", modes.MODERATED), ("known", modes.ACCOUNTS_SPEAK)):
            self.given_room(room, self.alice, self.bob)
            self.house.change_modes(room, ModeChange(True, mode))
        flag = UserFlagsChanged(actor="alice", nick="alice", changes=[(True, modes.ACCOUNTS_TELL)])
        self.house.controller.submit(flag)
        self.house.settle()
        self.forget()

        self.refuses(carol, "NOT_IN_ROOM", say=pb.Say(room="den", text="x"))
        self.refuses(carol, "NO_SUCH_ROOM", say=pb.Say(room="nowhere", text="x"))
        self.refuses(carol, "BAD_ROOM_NAME", say=pb.Say(text="x"))
        self.refuses(self.bob, "MUTED", say=pb.Say(room="quiet", text="x"))
        self.refuses(self.bob, "NEEDS_ACCOUNT", say=pb.Say(room="known", text="x"))
        self.refuses(carol, "NO_SUCH_USER", tell=pb.Tell(nick="dave", text="x"))
        self.refuses(carol, "NO_SUCH_USER", tell=pb.Tell(text="x"))
        self.refuses(carol, "NEEDS_ACCOUNT", tell=pb.Tell(nick="alice", text="x"))

    def test_what_cannot_be_stored_is_refused_and_told_to_nobody(self) -> None:
        self.house.journal.full = True

        self.refuses(self.alice, "UNAVAILABLE", say=pb.Say(room="den", text="x"))
        self.refuses(self.alice, "UNAVAILABLE", tell=pb.Tell(nick="bob", text="x"))

        self.assertEqual(self.bob.frames(), [])
