"""What a session adds to the requests: showing an account to be one's own, in whichever way, and
what that is good for.
"""

from __future__ import annotations

from scramp import ScramClient  # type: ignore[import-untyped]
from twisted.logger import capturedLogs, formatEvent

from chatservice.controller import modes
from chatservice.controller.errors import (
    BadPassword,
    NeedsAccount,
    NickInUse,
    NoSuchRoom,
    NoSuchUser,
    NotInRoom,
    NotLoggedIn,
    Unavailable,
)
from tests.controller_case import Client, ControllerCase

FINGERPRINT = "ab" * 32


class SessionCase(ControllerCase):
    """Ann has an account, and is here by its name."""

    def setUp(self) -> None:
        super().setUp()
        self.ann = self.log_in("ann")
        self.ask(self.ann.session.register("sesame"))


class ProofTests(SessionCase):
    def shown(self, client: Client, nick: str = "away") -> None:
        """Checks that a client logs in to ann's account by another nick."""
        user = self.ask(client.session.log_in(nick))
        self.assertEqual((user.nick, user.account, user.account_nick), (nick, "ann", "ann"))

    def test_a_password_shows_it(self) -> None:
        client = self.connect()
        proof = self.ask(client.session.authenticate("Ann", "sesame"))

        self.assertEqual(proof.key, "ann")
        self.shown(client)

    def test_so_does_scram(self) -> None:
        client = self.connect()
        exchange, scram = client.session.scram(), ScramClient(["SCRAM-SHA-256"], "ann", "sesame")

        scram.set_server_first(self.ask(exchange.first(scram.get_client_first().encode())).decode())
        answer = self.ask(client.session.scram_final(exchange, scram.get_client_final().encode()))

        scram.set_server_final(answer.decode())
        self.shown(client)

    def test_a_wrong_password_does_not_in_any_way(self) -> None:
        client = self.connect()
        exchange, scram = client.session.scram(), ScramClient(["SCRAM-SHA-256"], "ann", "guess")
        scram.set_server_first(self.ask(exchange.first(scram.get_client_first().encode())).decode())

        final = client.session.scram_final(exchange, scram.get_client_final().encode())

        self.failureResultOf(self.asked(final), BadPassword)
        self.failureResultOf(self.asked(client.session.authenticate("ann", "guess")), BadPassword)
        self.assertIsNone(client.session.proof)

    def test_a_wrong_password_is_logged_by_address_alone(self) -> None:
        client = self.connect()
        with capturedLogs() as logged:
            refused = self.asked(client.session.authenticate("ann", "guess"))
            self.failureResultOf(refused, BadPassword)

        words = [formatEvent(event) for event in logged]
        self.assertEqual(words, [f"a wrong password came from {client.session.address}"])

    def test_so_does_a_certificate_that_is_on_the_account(self) -> None:
        client = self.connect()
        self.assertRaises(BadPassword, client.session.external, FINGERPRINT)
        self.ask(self.ann.session.add_certificate(FINGERPRINT))
        self.assertRaises(BadPassword, client.session.external, FINGERPRINT, "bob")

        client.session.external(FINGERPRINT, "Ann")

        self.shown(client)
        self.ask(self.ann.session.remove_certificate(FINGERPRINT))
        self.assertRaises(BadPassword, client.session.external, FINGERPRINT)

    def test_it_is_shown_anew_after_a_log_in_is_lost(self) -> None:
        self.ann.session.lost_login()

        self.assertEqual(self.ask(self.ann.session.log_in("bob")).account, "")

    def test_a_guest_identifies_and_leaves_the_account(self) -> None:
        bob = self.log_in("bob")
        self.failureResultOf(self.asked(bob.session.identify()), BadPassword)
        self.ask(bob.session.authenticate("ann", "sesame"))

        self.assertEqual(self.ask(bob.session.identify()).account, "ann")
        self.assertEqual(self.ask(bob.session.identify()).account, "ann")
        self.ask(bob.session.leave_account())

        self.assertEqual((bob.session.user.account, bob.session.proof), ("", None))
        self.failureResultOf(self.asked(bob.session.leave_account()), NeedsAccount)

    def test_a_guest_identifies_with_a_password_that_is_kept_elsewhere(self) -> None:
        self.doorman.outside["Elsewhere"] = "sesame"
        bob = self.log_in("bob")
        self.ask(bob.session.authenticate("Elsewhere", "sesame"))

        self.assertEqual(self.ask(bob.session.identify()).account_nick, "Elsewhere")
        self.failureResultOf(self.asked(self.connect().session.log_in("elsewhere")), NickInUse)

    def test_who_registers_has_shown_it_too(self) -> None:
        other = self.connect()
        self.ask(other.session.authenticate("ann", "sesame"))
        self.ask(other.session.log_in("away"))

        self.assertEqual(self.ask(self.ann.session.reclaim("away")), "away")

    def test_a_password_that_came_with_a_nick_is_for_that_nick_alone(self) -> None:
        self.ask(self.ann.session.log_out())
        client = self.connect()
        self.shelf.full = True
        self.failure(client, "ann", "sesame")
        self.shelf.full = False

        user = self.ask(client.session.log_in("bob"))

        self.assertEqual((user.nick, user.account), ("bob", ""))

    def failure(self, client: Client, nick: str, password: str) -> None:
        refused = self.asked(client.session.log_in(nick, password))
        self.turn()
        self.failureResultOf(refused, Unavailable)

    def test_one_that_was_shown_before_outlasts_a_nick_that_is_taken(self) -> None:
        client = self.connect()
        self.ask(client.session.authenticate("ann", "sesame"))
        self.failureResultOf(self.asked(client.session.log_in("ann")), NickInUse)

        self.shown(client)

    def test_a_stranger_who_could_not_log_in_is_not_here(self) -> None:
        self.doorman.outside["Elsewhere"] = "sesame"
        self.log_in("elsewhere")
        client = self.connect()
        self.ask(client.session.authenticate("Elsewhere", "sesame"))

        self.failureResultOf(self.asked(client.session.log_in("away")), NickInUse)

        self.assertEqual(set(self.state.users), {"ann", "elsewhere"})
        self.assertEqual(set(self.state.accounts), {"ann"})

    def test_a_password_is_changed(self) -> None:
        self.ask(self.ann.session.change_password("better"))

        client = self.connect()
        self.failureResultOf(self.asked(client.session.authenticate("ann", "sesame")), BadPassword)
        self.ask(client.session.authenticate("ann", "better"))
        self.shown(client)


class LookingTests(SessionCase):
    def test_an_account_is_found_whether_it_is_here_or_not(self) -> None:
        bob = self.log_in("bob")
        self.ask(self.ann.session.log_out())

        self.assertEqual(bob.session.account("ANN").nick, "ann")
        self.assertRaises(NoSuchUser, bob.session.account, "bob")
        self.assertRaises(NoSuchUser, bob.session.account, "two words")

    def test_ones_invitations_are_known(self) -> None:
        bob = self.log_in("bob")
        for room in ("den", "hall"):
            self.ask(self.ann.session.create_room(room, True))
            self.ask(self.ann.session.invite(room, "bob"))

        self.assertEqual([room.name for room in bob.session.invitations()], ["den", "hall"])
        self.assertEqual([room.name for room in bob.session.rooms()], ["den", "hall"])

    def test_who_was_here_is_told_the_latest_first(self) -> None:
        for realname in ("First", "Second", "Third"):
            client = self.connect()
            self.ask(client.session.log_in("bob", realname=realname))
            self.ask(client.session.log_out())

        found = self.ann.session.departures("BOB", 2)

        self.assertEqual([departure.realname for departure in found], ["Third", "Second"])
        self.assertEqual(len(self.ann.session.departures("bob", 0)), 3)
        self.assertEqual(self.ann.session.departures("cid", 1), [])

    def test_strangers_are_told_nothing(self) -> None:
        session = self.connect().session

        for look in (
            lambda: session.find("ann"),
            session.rooms,
            session.users,
            lambda: session.departures("ann", 1),
            session.invitations,
        ):
            self.assertRaises(NotLoggedIn, look)


class ModesTests(SessionCase):
    def test_what_may_be_is_changed_and_the_rest_is_said(self) -> None:
        self.ask(self.ann.session.create_room("den"))
        changed, refused = self.ask(
            self.ann.session.change_modes(
                "den", [(True, modes.VOICE, "bob"), (True, modes.SECRET, "")]
            )
        )

        self.assertEqual([change.mode for change in changed.changes], ["secret"])
        self.assertEqual([(place, type(error)) for place, error in refused], [(0, NoSuchUser)])
        self.assertIn("secret", self.state.rooms["den"].flags)

    def test_nothing_is_stored_if_nothing_changes(self) -> None:
        self.ask(self.ann.session.create_room("den"))
        self.shelf.full = True

        changed, _ = self.ask(self.ann.session.change_modes("den", [(False, modes.SECRET, "")]))

        self.assertIsNone(changed)
        self.failureResultOf(self.asked(self.ann.session.change_modes("hall", [])), NoSuchRoom)


class LatestTests(SessionCase):
    def test_rooms_and_people_are_told_by_what_they_are_called_now(self) -> None:
        bob = self.log_in("bob")
        self.ask(self.ann.session.create_room("den"))
        for client in (self.ann, bob):
            self.ask(client.session.join("den"))
        bob.session.tell("ann", "psst")
        self.turn()
        self.clock.advance(1)
        bob.session.say("den", "hello")
        self.turn()
        self.ask(bob.session.change_nick("Rob"))

        names = [name for name, _ in self.ask(self.ann.session.latest(0, 1 << 60, 10))]
        self.assertEqual(names, ["@Rob", "den"])
        self.ask(bob.session.log_out())
        names = [name for name, _ in self.ask(self.ann.session.latest(0, 1 << 60, 10))]

        self.assertEqual(names, ["den"])

    def test_a_history_is_read_by_those_inside(self) -> None:
        self.ask(self.ann.session.create_room("den"))

        self.failureResultOf(self.asked(self.ann.session.history("den", 10)), NotInRoom)
