"""Addresses of Redises: what they say, and that their words hold no password."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chatservice.journal.redis.address import RedisAddress, read_address


class AddressTests(SynchronousTestCase):
    def test_all_parts_are_read(self) -> None:
        self.assertEqual(
            read_address("rediss://ann:open@cache.example:7000/3"),
            RedisAddress("cache.example", 7000, True, "ann", "open", 3),
        )

    def test_what_is_not_said_has_its_default(self) -> None:
        self.assertEqual(read_address("redis://a"), RedisAddress("a", 6379))
        self.assertEqual(read_address("redis://a:7/"), RedisAddress("a", 7))

    def test_a_password_needs_no_user_and_may_hold_anything_that_is_encoded(self) -> None:
        self.assertEqual(
            read_address("redis://:p%40s%2Fs%3A@a"), RedisAddress("a", password="p@s/s:")
        )

    def test_an_address_of_ipv6_stands_in_brackets(self) -> None:
        address = read_address("redis://[::1]:7000/1")

        self.assertEqual(address, RedisAddress("::1", 7000, database=1))
        self.assertEqual(str(address), "redis://[::1]:7000/1")

    def test_its_words_hold_no_password(self) -> None:
        address = read_address("redis://ann:sesame@a:7000/1")

        self.assertEqual(str(address), "redis://a:7000/1")
        self.assertNotIn("sesame", repr(address))

    def test_what_is_none_is_refused_without_being_repeated(self) -> None:
        for text in (
            "sesame",
            "http://sesame",
            "redis:///0",
            "redis://:sesame@",
            "redis://sesame:0",
            "redis://sesame:65536",
            "redis://sesame:x",
            "redis://sesame/x",
            "redis://sesame/-1",
            "redis://sesame/1/2",
            "redis://sesame/\u0661",
            "redis://ses ame",
            "redis://sesame?db=1",
            "redis://sesame#1",
            "redis://ann:ses/ame@a",
            "redis://[sesame/0",
            "unix:///sesame",
        ):
            with self.assertRaises(ValueError) as caught:
                read_address(text)
            self.assertIn("expected", str(caught.exception), text)
            self.assertNotIn("ses", str(caught.exception))
