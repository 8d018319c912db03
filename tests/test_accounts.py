"""Accounts: who is logged in to which, what moves with them, and what vouches for them."""

from __future__ import annotations

from chatservice.controller import modes, requests
from chatservice.controller.entities import User, conversation
from chatservice.controller.errors import (
    BadArguments,
    NeedsAccount,
    NickInUse,
    NoSuchUser,
    NotLoggedIn,
    TooMany,
)
from chatservice.controller.events import AccountChanged, CertificateChanged, PasswordChanged
from chatservice.controller.records import restore
from tests import facts
from tests.test_requests import COCO_IN_CYRILLIC, RequestCase
from tests.test_state import all_records

FINGERPRINT = "ab" * 32


class AccountCase(RequestCase):
    """Ann is an account and is here by that nick."""

    def setUp(self) -> None:
        super().setUp()
        self.ann = self.account("ann")

    def log_in(self, nick: str, account: str) -> User:
        """Somebody logs in by a nick, as an account."""
        event = requests.log_in(self.state, self.policy, self.name(nick), self.name(account))
        self.apply(event)
        return self.state.users[event.actor]

    def identify(self, user: User, account: str) -> None:
        """Somebody is logged in to an account that was found to be theirs."""
        for event in self.ask(requests.identify, user, self.name(account)):
            self.apply(event)


class LogInTests(AccountCase):
    def test_the_nick_may_be_another_than_the_account(self) -> None:
        user = self.log_in("Away", "ann")

        self.assertEqual((user.nick, user.account, user.identity), ("Away", "ann", "ann"))
        self.assertEqual(self.state.identities, {"ann": {"ann", "away"}})

    def test_it_may_not_be_one_that_looks_like_the_account(self) -> None:
        self.account("coco")

        self.assertRaises(NickInUse, self.log_in, COCO_IN_CYRILLIC, "coco")

    def test_an_account_that_is_new_here_is_made(self) -> None:
        user = self.log_in("away", "Bob")

        self.assertEqual((user.account, self.state.accounts["bob"].nick), ("bob", "Bob"))
        self.assertEqual(self.state.accounts["bob"].verifier, "")
        self.leave("away")
        self.too_late(NickInUse, facts.login("bob"))

    def test_it_is_not_made_while_somebody_is_here_by_its_name_or_by_a_like_one(self) -> None:
        self.guest("bob")
        self.assertRaises(NickInUse, self.log_in, "away", "bob")
        self.guest(COCO_IN_CYRILLIC)
        self.guest("coca")
        self.assertEqual(self.state.nick_skeletons["coco"], COCO_IN_CYRILLIC)
        self.assertRaises(NickInUse, self.log_in, "away", "coco")

    def guest(self, key: str) -> User:
        self.apply(requests.log_in(self.state, self.policy, self.name(key), None))
        return self.state.users[key]

    def test_a_guest_who_is_faster_keeps_the_name(self) -> None:
        late = requests.log_in(self.state, self.policy, self.name("away"), self.name("bob"))
        self.guest("bob")

        self.too_late(NickInUse, late)

    def test_a_new_account_is_not_logged_in_to_by_a_nick_that_looks_like_it(self) -> None:
        self.assertRaises(NickInUse, self.log_in, COCO_IN_CYRILLIC, "coco")

    def test_two_connections_may_make_it_at_once(self) -> None:
        one, other = (
            requests.log_in(self.state, self.policy, self.name(nick), self.name("bob"))
            for nick in ("one", "other")
        )

        self.apply(one)
        self.apply(other)

        self.assertEqual(self.state.identities["bob"], {"one", "other"})

    def test_there_are_no_more_of_them_than_there_may_be(self) -> None:
        self.limit(accounts=1)

        self.assertRaises(TooMany, self.log_in, "away", "bob")
        self.log_in("away", "ann")


class IdentifyTests(AccountCase):
    def setUp(self) -> None:
        super().setUp()
        self.bob = self.guest("bob")

    def test_what_was_the_guests_is_the_accounts(self) -> None:
        own, anns = self.room(self.bob, "own"), self.room(self.ann, "anns", private=True)
        self.do(requests.invite, self.ann, "anns", "bob")
        self.do(requests.join, self.bob, "own")
        cave = self.room(self.guest("cid"), "cave")
        self.do(requests.join, self.bob, "cave")
        self.give_voice(self.state.users["cid"], "cave", "bob")

        self.identify(self.bob, "ann")

        self.assertEqual((self.bob.nick, self.bob.account_nick), ("Bob", "Ann"))
        self.assertEqual((own.owner, own.kept), ("ann", True))
        self.assertEqual(self.state.owned["ann"], {own.id, anns.id})
        self.assertEqual(anns.invited.keys(), {"ann"})
        self.assertEqual(cave.roles, {"ann": {"voice"}})
        self.assertEqual(self.state.identities["ann"], {"ann", "bob"})

    def give_voice(self, owner: User, room: str, nick: str) -> None:
        event, _ = self.ask(requests.change_modes, owner, room, [(True, modes.VOICE, nick)])
        self.apply(event)

    def test_roles_that_both_had_are_joined(self) -> None:
        cave = self.room(self.guest("cid"), "cave")
        for user in (self.ann, self.bob):
            self.do(requests.join, user, "cave")
            self.give_voice(self.state.users["cid"], "cave", user.nick)

        self.identify(self.bob, "ann")

        self.assertEqual(cave.roles, {"ann": {"voice"}})

    def test_what_was_the_accounts_stays_the_accounts(self) -> None:
        self.identify(self.bob, "ann")
        room = self.room(self.bob, "den")
        self.do(requests.join, self.bob, "den")

        self.leave_account(self.bob)

        self.assertEqual((room.owner, room.kept), ("ann", True))
        self.assertEqual((self.bob.account, self.bob.account_nick), ("", ""))
        self.assertEqual(self.bob.identity, f"bob!{self.bob.login}")
        self.assertEqual(self.state.identities["ann"], {"ann"})
        self.assertEqual(list(room.members), ["bob"])

    def leave_account(self, user: User) -> None:
        self.apply(requests.change_account(self.state, user, None))

    def test_a_guest_has_no_account_to_leave(self) -> None:
        self.assertRaises(NeedsAccount, requests.change_account, self.state, self.bob, None)
        room = self.room(self.bob, "own")

        self.apply(AccountChanged(actor="bob"))

        self.assertEqual((room.owner, room.kept), (self.bob.identity, False))

    def test_from_one_account_to_another_nothing_moves(self) -> None:
        self.account("cid")
        self.identify(self.bob, "cid")
        room = self.room(self.bob, "den")

        self.identify(self.bob, "ann")

        self.assertEqual((self.bob.identity, room.owner), ("ann", "cid"))

    def test_who_has_an_accounts_nick_stays_logged_in_to_it(self) -> None:
        self.account("cid")
        self.assertRaises(NickInUse, self.identify, self.ann, "cid")
        self.assertRaises(NickInUse, self.leave_account, self.ann)
        self.too_late(NickInUse, AccountChanged(actor="ann", account_key="cid"))

    def test_a_guest_gets_the_account_of_their_nick_that_is_new_here(self) -> None:
        self.identify(self.bob, "Bob")

        self.assertEqual((self.bob.account, self.state.accounts["bob"].verifier), ("bob", ""))

    def test_an_account_that_is_new_here_is_told_of_by_the_nick_that_one_has(self) -> None:
        self.bob.host = "a.ip"

        [event] = self.ask(requests.identify, self.bob, self.name("New"))

        self.assertEqual((event.nick, event.account, event.host), ("Bob", "New", "a.ip"))

    def test_nobody_collects_rooms_by_making_them_as_a_guest(self) -> None:
        self.limit(rooms_owned_per_user=2)
        self.room(self.ann, "anns")
        for name in ("own", "another"):
            self.room(self.bob, name)

        self.refused(TooMany, requests.identify, self.bob, self.name("ann"))

        self.do(requests.delete_room, self.bob, "own")
        self.identify(self.bob, "ann")
        self.assertEqual(len(self.state.owned["ann"]), 2)

    def test_a_guest_without_rooms_is_logged_in_however_many_the_account_has(self) -> None:
        self.room(self.ann, "anns")
        self.room(self.ann, "another")
        self.limit(rooms_owned_per_user=1)

        self.identify(self.bob, "ann")

        self.assertEqual(self.bob.account, "ann")

    def test_one_who_has_an_account_goes_over_to_one_that_is_new_here(self) -> None:
        self.identify(self.bob, "ann")

        self.identify(self.bob, "Elsewhere")

        self.assertEqual((self.bob.account, self.bob.account_nick), ("elsewhere", "Elsewhere"))

    def test_two_may_find_one_that_is_new_here_at_once(self) -> None:
        cid = self.guest("cid")
        first, second = (
            self.ask(requests.identify, user, self.name("new")) for user in (self.bob, cid)
        )

        for event in (*first, *second):
            self.apply(event)

        self.assertEqual((self.bob.account, cid.account), ("new", "new"))

    def test_one_that_somebody_makes_with_a_password_meanwhile_is_theirs(self) -> None:
        [event] = self.ask(requests.identify, self.bob, self.name("new"))
        self.account("new")

        self.too_late(NickInUse, event)

    def test_a_conversation_begins_anew(self) -> None:
        before = conversation(self.bob.identity, self.ann.identity)

        self.identify(self.bob, "ann")

        self.assertNotEqual(conversation(self.bob.identity, "ann"), before)

    def test_nobody_is_logged_in_to_what_is_not_there(self) -> None:
        self.too_late(NoSuchUser, AccountChanged(actor="bob", account_key="new"))
        self.too_late(NotLoggedIn, AccountChanged(actor="cid", account_key="ann"))

    def test_whoever_has_one_registers_no_other(self) -> None:
        self.identify(self.bob, "ann")

        self.refused(NickInUse, requests.register, self.bob, "argon")

    def test_one_of_an_accounts_users_goes_and_the_other_has_all_that_is_theirs(self) -> None:
        self.identify(self.bob, "ann")
        room = self.room(self.bob, "den", private=True)
        self.do(requests.invite, self.ann, "den", "bob")

        self.leave("bob")

        self.assertEqual((self.state.identities, {*room.invited}), ({"ann": {"ann"}}, {"ann"}))
        self.do(requests.join, self.ann, "den")


class VouchingTests(AccountCase):
    def certify(self, user: User, fingerprint: str = FINGERPRINT) -> None:
        self.do(requests.add_certificate, user, fingerprint)

    def test_a_certificate_vouches_for_one_account(self) -> None:
        self.certify(self.ann)

        self.assertEqual(self.state.certificates, {FINGERPRINT: "ann"})
        bob = self.account("bob")
        self.refused(BadArguments, requests.add_certificate, bob, FINGERPRINT)
        self.too_late(
            BadArguments,
            CertificateChanged(actor="bob", account_key="bob", fingerprint=FINGERPRINT),
        )

    def test_it_is_taken_off_by_whoever_put_it_there(self) -> None:
        self.certify(self.ann)
        bob = self.account("bob")
        self.assertRaises(BadArguments, requests.remove_certificate, self.state, bob, FINGERPRINT)
        off = requests.remove_certificate(self.state, self.ann, FINGERPRINT)

        self.apply(off)

        self.assertEqual(
            (self.state.certificates, self.state.accounts["ann"].certificates), ({}, [])
        )
        self.too_late(BadArguments, off)

    def test_there_are_so_many_to_an_account(self) -> None:
        self.limit(certificates_per_account=1)
        self.certify(self.ann)

        self.refused(TooMany, requests.add_certificate, self.ann, "cd" * 32)

    def test_it_is_sha_256_in_hexadecimal(self) -> None:
        for fingerprint in ("", "ab", "AB" * 32, "xy" * 32):
            self.refused(BadArguments, requests.add_certificate, self.ann, fingerprint)

    def test_a_password_is_changed(self) -> None:
        self.apply(requests.change_password(self.state, self.ann, "better"))

        self.assertEqual(self.state.accounts["ann"].verifier, "better")
        self.too_late(NoSuchUser, PasswordChanged(actor="ann", account_key="bob", verifier="x"))

    def test_one_that_is_kept_elsewhere_is_not(self) -> None:
        user = self.log_in("away", "bob")

        self.assertRaises(NeedsAccount, requests.change_password, self.state, user, "better")

    def test_a_guest_has_nothing_to_vouch_for(self) -> None:
        bob = self.guest("bob")

        self.assertRaises(NeedsAccount, requests.change_password, self.state, bob, "better")
        self.refused(NeedsAccount, requests.add_certificate, bob, FINGERPRINT)

    def test_it_outlives_a_restart(self) -> None:
        self.certify(self.ann)
        self.log_in("away", "ann")

        again = restore(all_records(self.state))

        self.assertEqual(again.certificates, {FINGERPRINT: "ann"})
        account = again.accounts["ann"]
        self.assertEqual((account.certificates, account.ms), ([FINGERPRINT], 2000))
        self.assertEqual(again.identities, {"ann": {"ann", "away"}})
