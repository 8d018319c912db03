"""The settings: their defaults, the TOML file, the command line, and the words for mistakes."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from chatservice.config import (
    Config,
    ConfigError,
    IrcConfig,
    JournalConfig,
    Limits,
    RedisConfig,
    TLSConfig,
    load_config,
)

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# All fields but the one that remembers where the others were given.
SETTINGS = [field for field in dataclasses.fields(Config) if field.name != "origins"]
REDIS = "redis://HOST:PORT/DATABASE (rediss:// for TLS)"
EXAMPLE = Path(__file__).parent.parent / "chat.example.toml"


class FileCase(SynchronousTestCase):
    """A test that writes a TOML file."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def read(self, text: str, **overrides: object) -> Config:
        self.path.write_text(text, encoding="utf-8")
        return load_config(self.path, overrides)

    def problems(self, text: str, **overrides: object) -> list[str]:
        """What is wrong with ``text``, without the file's name."""
        error = self.assertRaises(ConfigError, self.read, text, **overrides)
        return [problem.removeprefix(f"{self.path}: ") for problem in error.problems]


class DefaultsTests(SynchronousTestCase):
    def test_without_a_file_everything_has_its_default(self) -> None:
        self.assertEqual(load_config(None, {}), Config())

    def test_defaults_listen_on_the_tls_port_and_store_in_sqlite(self) -> None:
        config = load_config(None, {})

        self.assertEqual(config.listen, ("ssl:6667",))
        self.assertEqual(config.store, "sqlite")
        self.assertFalse(config.allow_plain_text)

    def test_a_config_can_not_be_changed(self) -> None:
        with self.assertRaises(dataclasses.FrozenInstanceError):
            load_config(None, {}).name = "other"  # type: ignore[misc]

    def test_every_default_is_a_value_that_its_own_kind_accepts(self) -> None:
        every: dict[str, object] = {}
        for field in SETTINGS:
            value = getattr(Config(), field.name)
            if dataclasses.is_dataclass(value):
                inner = dataclasses.fields(value)
                every |= {f"{field.name}.{each.name}": getattr(value, each.name) for each in inner}
            else:
                every[field.name] = value

        self.assertEqual(load_config(None, every), Config())


class NameTests(FileCase):
    def test_the_host_name_serves_where_no_name_is_set(self) -> None:
        self.assertEqual(load_config(None, {}, hostname="chat.example").name, "chat.example")

    def test_an_empty_name_in_the_file_stands_for_the_host_name(self) -> None:
        self.path.write_text('name = ""', encoding="utf-8")

        self.assertEqual(load_config(self.path, {}, hostname="chat.example").name, "chat.example")

    def test_a_name_in_the_file_wins_over_the_host_name(self) -> None:
        self.path.write_text('name = "mine.example"', encoding="utf-8")

        self.assertEqual(load_config(self.path, {}, hostname="x.example").name, "mine.example")

    def test_a_name_that_would_break_a_greeting_is_refused(self) -> None:
        (problem,) = self.problems('name = "a:b"')

        self.assertTrue(problem.startswith("name: expected a host name"), problem)


class ExampleTests(SynchronousTestCase):
    def test_the_example_is_exactly_the_defaults(self) -> None:
        self.assertEqual(load_config(EXAMPLE, {}), Config())

    def test_the_example_has_every_key(self) -> None:
        document = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
        sections = {
            "tls": TLSConfig,
            "journal": JournalConfig,
            "limits": Limits,
            "irc": IrcConfig,
            "redis": RedisConfig,
        }

        self.assertEqual(set(document), {each.name for each in SETTINGS})
        for name, section in sections.items():
            keys = {each.name for each in dataclasses.fields(section)}
            self.assertEqual(set(document[name]), keys)


class PrecedenceTests(FileCase):
    def test_the_file_wins_over_the_default(self) -> None:
        config = self.read('data = "elsewhere"\n[limits]\nrooms = 7\n')

        self.assertEqual(config.data, Path("elsewhere"))
        self.assertEqual(config.limits, Limits(rooms=7))

    def test_the_command_line_wins_over_the_file(self) -> None:
        config = self.read('store = "sqlite"\nlisten = ["ssl:1"]', store="memory", listen=["ssl:2"])

        self.assertEqual(config.store, "memory")
        self.assertEqual(config.listen, ("ssl:2",))

    def test_what_the_command_line_leaves_out_stays_as_in_the_file(self) -> None:
        self.assertEqual(self.read('store = "memory"', store=None).store, "memory")

    def test_the_command_line_reaches_into_sections_by_dotted_key(self) -> None:
        config = load_config(None, {"limits.rooms": 3, "journal.durability": "power"})

        self.assertEqual(config.limits.rooms, 3)
        self.assertEqual(config.journal.durability, "power")


class ValueTests(FileCase):
    def test_an_empty_string_stands_for_none(self) -> None:
        config = self.read('metrics = ""\n[tls]\nprivate_key = ""\n')

        self.assertIsNone(config.metrics)
        self.assertIsNone(config.tls.private_key)

    def test_paths_are_read_as_paths(self) -> None:
        self.assertEqual(
            self.read('[tls]\nprivate_key = "server.pem"').tls, TLSConfig(Path("server.pem"))
        )

    def test_a_number_of_seconds_may_be_whole(self) -> None:
        seconds = self.read("[limits]\nhandshake_seconds = 3").limits.handshake_seconds

        self.assertEqual(seconds, 3.0)
        self.assertIsInstance(seconds, float)

    def test_zero_takes_limits_of_counts_and_rates_away(self) -> None:
        names = [
            "connections",
            "connections_per_address",
            "new_connections_per_minute",
            "messages_per_second",
            "message_burst",
            "rooms",
            "rooms_per_user",
            "rooms_owned_per_user",
            "invitations_per_room",
            "members_per_room",
            "registrations_per_hour",
            "accounts",
        ]

        limits = self.read("[limits]\n" + "".join(f"{name} = 0\n" for name in names)).limits

        self.assertEqual([getattr(limits, name) for name in names], [0] * len(names))

    def test_unfit_values_are_refused_with_what_was_expected(self) -> None:
        cases = [
            ('sendq_bytes = "big"', 'a whole number of at least 4096, got "big"'),
            ("rooms = -1", "a whole number of at least 0, got -1"),
            ("rooms = 1.5", "a whole number of at least 0, got 1.5"),
            ("rooms = true", "a whole number of at least 0, got true"),
            ("history_messages = 0", "a whole number of at least 1, got 0"),
            ("messages_per_second = -0.5", "a number of at least 0, got -0.5"),
            ("line_bytes = 9999999", "a whole number from 512 to 1048576, got 9999999"),
            ("stop_seconds = -1", "a number of at least 0, got -1"),
            ("stop_seconds = nan", "a number of at least 0, got NaN"),
            ("idle_seconds = true", "a number of at least 0.001, got true"),
            (
                'exempt_addresses = ["10.0.0.1/8"]',
                'a list of networks such as "192.0.2.0/24" or "2001:db8::/32", got ["10.0.0.1/8"]',
            ),
        ]
        for line, expected in cases:
            key = line.split(" = ")[0]
            self.assertEqual(
                self.problems(f"[limits]\n{line}"), [f"limits.{key}: expected {expected}"]
            )

    def test_unfit_values_at_the_top_are_refused_with_what_was_expected(self) -> None:
        cases = [
            ('log_json = "yes"', 'true or false, got "yes"'),
            ("log_json = 1", "true or false, got 1"),
            ("data = 5", "a path, got 5"),
            ('data = ""', 'a path, got ""'),
            ('store = "redis"', f'"sqlite", "memory" or {REDIS}'),
            ("metrics = 9667", 'a string, or "" for none, got 9667'),
            ("listen = []", "a list of endpoints, at least one, got []"),
            ('listen = "ssl:1"', 'a list of endpoints, at least one, got "ssl:1"'),
            ('listen = [" "]', 'a list of endpoints, at least one, got [" "]'),
            ("data = 2026-11-22", 'a path, got "2026-11-22"'),
        ]
        for line, expected in cases:
            key = line.split(" = ")[0]
            self.assertEqual(self.problems(line), [f"{key}: expected {expected}"])

    def test_what_clients_are_told_fits_into_their_lines(self) -> None:
        config = self.read('network = "Ours"\ndescription = "Käse"\nadmin = ["a", "", "c"]\n')
        self.assertEqual((config.network, config.admin), ("Ours", ("a", "", "c")))
        cases = [
            ('network = "two words"', "a name (letters, digits, '.', '-', '_')"),
            ('description = "a\\nb"', "a line of text, at most 200 bytes"),
            (f'description = "{"é" * 101}"', "a line of text, at most 200 bytes"),
            ("admin = ['a', 'b', 'c', 'd']", "a list of at most 3 lines of text, each at most"),
            ('admin = "a"', "a list of at most 3 lines of text, each at most"),
            ('operators = [""]', "a list of accounts"),
            ('trusted_proxies = ["everywhere"]', "a list of networks"),
        ]
        for line, expected in cases:
            (problem,) = self.problems(line)
            self.assertTrue(
                problem.startswith(f"{line.split(' = ')[0]}: expected {expected}"), problem
            )

    def test_a_password_in_a_section_is_not_repeated_either(self) -> None:
        expected = 'printable ASCII without spaces or a colon first, or ""'
        for value in ('"open sesame"', '":secret"', '"é-secret"', "5"):
            self.assertEqual(
                self.problems(f"[irc]\nwebirc_password = {value}"),
                [f"irc.webirc_password: expected {expected}"],
            )
        config = self.read('[irc]\nwebirc_password = "open-sesame"')
        self.assertEqual(config.irc.webirc_password, "open-sesame")
        self.assertNotIn("sesame", repr(config))

    def test_a_long_unfit_value_is_cut(self) -> None:
        (problem,) = self.problems(f'data = ["{"x" * 5000}"]')

        self.assertLess(len(problem), 120)

    def test_a_value_that_may_hold_a_password_is_not_repeated(self) -> None:
        self.assertEqual(
            self.problems('auth = ["memory:alice:secret", 5]'),
            ["auth: expected a list of checkers"],
        )

    def test_checkers_are_not_in_the_repr(self) -> None:
        config = load_config(None, {"auth": ["memory:alice:secret"]})

        self.assertEqual(config.auth, ("memory:alice:secret",))
        self.assertNotIn("secret", repr(config))


class RedisTests(FileCase):
    def test_the_store_may_be_a_redis(self) -> None:
        for address in ("redis://a", "rediss://ann:pw@a.example:1/2", "redis://:pw@[::1]:6379/0"):
            self.assertEqual(load_config(None, {"store": address}).store, address)

    def test_no_password_is_shown(self) -> None:
        config = self.read(
            'store = "redis://ann:sesame@a"\n[redis]\nshards = ["redis://:sesame@b"]'
        )
        self.assertNotIn("sesame", repr(config))

        for text in (
            'store = "redis://ann:sesame@a/x"',
            'store = "redis://ann:ses#ame@a"',
            '[redis]\nshards = ["redis://:sesame@b:x"]',
            '[redis]\nshards = "redis://:sesame@b"',
        ):
            (problem,) = self.problems(text)
            self.assertNotIn("ses", problem)
            self.assertIn("redis://HOST", problem)

    def test_unfit_values_are_refused(self) -> None:
        cases = [
            ("sentinels = ['a']", """a list of "HOST:PORT", got ["a"]"""),
            ("sentinels = ['a:0']", """a list of "HOST:PORT", got ["a:0"]"""),
            ("sentinels = ['::1:26379']", """a list of "HOST:PORT", got ["::1:26379"]"""),
            ("sentinel_master = 'a b'", 'a name without spaces, got "a b"'),
            ("prefix = 'a b'", 'up to 64 characters of ASCII, no spaces, got "a b"'),
            ("lease_seconds = 4", "a number from 5 to 300, got 4"),
            ("catch_up_seconds = 9", "a number of at least 10, got 9"),
            ("timeout_seconds = 0", "a number from 0.1 to 60, got 0"),
            ("replicas = -1", "a whole number of at least 0, got -1"),
        ]
        for line, expected in cases:
            key = line.split(" = ")[0]
            self.assertEqual(
                self.problems(f"[redis]\n{line}"), [f"redis.{key}: expected {expected}"]
            )

    def test_what_has_no_meaning_without_something_else_is_refused(self) -> None:
        redis = "'redis://a'"
        cases = [
            ("'sqlite'", "shards = ['redis://b']", "store: expected redis://"),
            ("'memory'", "sentinels = ['b:1']\nsentinel_master = 'm'", "store: expected redis://"),
            (redis, "sentinels = ['b:1']", "redis.sentinel_master: expected a name"),
            (redis, "sentinel_master = 'm'", "redis.sentinel_master: expected a name"),
            (redis, "private_key = 'k.pem'", "redis.certificate: expected a path"),
            (redis, "timeout_seconds = 20", "redis.timeout_seconds: expected less"),
        ]
        for store, lines, expected in cases:
            (problem,) = self.problems(f"store = {store}\n[redis]\n{lines}")
            self.assertTrue(problem.startswith(expected), problem)

    def test_sentinels_may_have_addresses_of_either_kind(self) -> None:
        lines = "[redis]\nsentinels = ['a:1', '[::1]:26379']\nsentinel_master = 'm'"
        config = self.read(f"store = 'redis://a'\n{lines}")

        self.assertEqual(config.redis.sentinels, ("a:1", "[::1]:26379"))


class OriginTests(FileCase):
    def test_a_setting_of_the_files_is_named_with_the_file(self) -> None:
        config = self.read('listen = ["ssl:1"]\n[tls]\nprivate_key = "key.pem"\n')

        self.assertEqual(config.origin("listen"), f"{self.path}: listen")
        self.assertEqual(config.origin("tls.private_key"), f"{self.path}: tls.private_key")

    def test_a_setting_of_the_command_lines_is_named_with_the_option(self) -> None:
        config = self.read('listen = ["ssl:1"]', listen=["ssl:2"], allow_plain_text=True)

        self.assertEqual(config.origin("listen"), "command line: --endpoint")
        self.assertEqual(config.origin("allow_plain_text"), "command line: --allow-plain-text")

    def test_a_default_is_named_by_its_key_alone(self) -> None:
        self.assertEqual(self.read("").origin("listen"), "listen")

    def test_where_a_setting_was_given_makes_no_difference(self) -> None:
        config = self.read('store = "memory"', name="a")

        self.assertEqual(config, load_config(None, {"store": "memory", "name": "a"}))
        self.assertNotIn(str(self.path), repr(config))
        self.assertIn(str(self.path), dataclasses.replace(config, name="b").origin("store"))


class MistakeTests(FileCase):
    def test_an_error_names_the_file(self) -> None:
        error = self.assertRaises(ConfigError, self.read, "log_json = 5")

        self.assertEqual(str(error), f"{self.path}: log_json: expected true or false, got 5")

    def test_an_error_on_the_command_line_says_so(self) -> None:
        error = self.assertRaises(ConfigError, load_config, None, {"store": "paper"})

        self.assertEqual(
            str(error), f'command line: --store: expected "sqlite", "memory" or {REDIS}'
        )

    def test_an_unknown_key_is_told_with_the_nearest(self) -> None:
        self.assertEqual(
            self.problems('lisen = ["ssl:1"]'), ["lisen: unknown key; did you mean listen?"]
        )

    def test_a_key_in_the_wrong_section_is_told_where_it_belongs(self) -> None:
        self.assertEqual(
            self.problems("sendq_bytes = 5"),
            ["sendq_bytes: unknown key; did you mean limits.sendq_bytes?"],
        )

    def test_an_unknown_key_like_no_other_gets_no_suggestion(self) -> None:
        self.assertEqual(self.problems("xyzzy = 5"), ["xyzzy: unknown key"])

    def test_an_unknown_section_is_told_with_the_nearest(self) -> None:
        self.assertEqual(
            self.problems("[limit]\nrooms = 5"), ["limit: unknown key; did you mean limits?"]
        )

    def test_a_section_that_is_no_table_is_refused(self) -> None:
        self.assertEqual(self.problems("limits = 5"), ["limits: expected a section, [limits]"])

    def test_all_mistakes_are_told_at_once(self) -> None:
        self.assertEqual(
            self.problems("lisen = 1\nlog_json = 1\n[limits]\nrooms = -1", store="paper"),
            [
                "lisen: unknown key; did you mean listen?",
                "log_json: expected true or false, got 1",
                "limits.rooms: expected a whole number of at least 0, got -1",
                f'command line: --store: expected "sqlite", "memory" or {REDIS}',
            ],
        )

    def test_a_file_that_is_not_toml_is_refused_with_the_line(self) -> None:
        (problem,) = self.problems('name = "a"\nlisten : nothing\n')

        self.assertTrue(problem.startswith("line 2, column 8: "), problem)

    def test_a_file_that_is_not_utf8_is_refused_with_the_line(self) -> None:
        self.path.write_bytes(b'store = "memory"\nname = "\xff"\n')

        error = self.assertRaises(ConfigError, load_config, self.path, {})

        self.assertEqual(error.problems, (f"{self.path}: line 2: expected UTF-8",))

    def test_a_file_that_is_not_there_is_told(self) -> None:
        error = self.assertRaises(ConfigError, load_config, self.path, {})

        self.assertEqual(
            error.problems, (f"{self.path}: can't be read: No such file or directory",)
        )


class TogetherTests(FileCase):
    def test_the_ping_comes_before_the_idle_time_is_over(self) -> None:
        self.assertEqual(
            self.problems("[limits]\nidle_seconds = 60"),
            ["limits.idle_seconds: expected more than limits.ping_seconds"],
        )

    def test_a_rate_of_messages_needs_a_burst(self) -> None:
        self.assertEqual(
            self.problems("[limits]\nmessage_burst = 0"),
            [
                (
                    "limits.message_burst: expected at least 1, "
                    "because limits.messages_per_second is not 0"
                )
            ],
        )

    def test_gateways_need_a_password(self) -> None:
        self.assertEqual(
            self.problems('[irc]\nwebirc_addresses = ["192.0.2.0/24"]'),
            ["irc.webirc_password: expected a password, because irc.webirc_addresses is set"],
        )

    def test_a_certificate_needs_its_key(self) -> None:
        self.assertEqual(
            self.problems('[tls]\ncertificate = "server.crt"'),
            ["tls.private_key: expected a path, because tls.certificate or tls.chain is set"],
        )
