"""Where Redis is, from the settings and the files that they name."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from chatservice.config import ConfigError, load_config
from chatservice.journal.redis.address import RedisAddress
from chatservice.journal.redis.connecting import Places
from chatservice.redis_places import redis_places


class PlacesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def places(self, store: str = "redis://a", **settings: object) -> Places:
        redis = {f"redis.{key}": value for key, value in settings.items()}
        return redis_places(load_config(None, {"store": store, **redis}), self.folder)

    def test_an_address_alone_is_all_that_it_takes(self) -> None:
        self.assertEqual(self.places("redis://a:1/2"), Places(RedisAddress("a", 1, database=2)))

    def test_the_password_of_the_file_is_for_those_that_have_none(self) -> None:
        (self.folder / "pw").write_text("sesame\n", encoding="utf-8")

        places = self.places(
            "redis://ann@a", shards=["redis://b", "redis://:own@c"], password_file="pw"
        )

        self.assertEqual((places.store.user, places.store.password), ("ann", "sesame"))
        self.assertEqual([each.password for each in places.shards], ["sesame", "own"])

    def test_a_user_needs_a_password(self) -> None:
        with self.assertRaises(ConfigError) as caught:
            self.places("redis://ann@a")

        self.assertIn("redis.password_file", str(caught.exception))

    def test_sentinels_have_a_password_of_their_own(self) -> None:
        (self.folder / "pw").write_text("sesame", encoding="utf-8")

        places = self.places(
            sentinels=["a:1", "[::1]:2"], sentinel_master="chat", sentinel_password_file="pw"
        )

        self.assertEqual(places.sentinels, (("a", 1), ("::1", 2)))
        self.assertEqual((places.master, places.sentinel_password), ("chat", "sesame"))
        self.assertEqual(places.store.password, "")
        self.assertNotIn("sesame", repr(places))

    def test_files_are_where_twistd_runs(self) -> None:
        places = self.places(ca="ca.pem", certificate="/c.pem", private_key="k.pem")

        self.assertEqual(places.ca, self.folder / "ca.pem")
        self.assertEqual(places.certificate, Path("/c.pem"))
        self.assertEqual(places.private_key, self.folder / "k.pem")

    def test_a_file_without_a_password_is_told_with_its_setting(self) -> None:
        (self.folder / "empty").write_text("\n", encoding="utf-8")
        (self.folder / "long").write_text("sesame\nsesame\n", encoding="utf-8")
        (self.folder / "latin").write_bytes(b"s\xe4same")
        cases = {
            "none": "can't be read: No such file or directory",
            "empty": "is empty",
            "long": "has more than one line",
            "latin": "is not UTF-8",
        }
        for name, words in cases.items():
            for key in ("password_file", "sentinel_password_file"):
                with self.assertRaises(ConfigError) as caught:
                    self.places(**{key: name})
                self.assertEqual(
                    str(caught.exception),
                    f"command line: redis.{key}: expected a file with a password: {name} {words}",
                )
