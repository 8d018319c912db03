"""Every setting there is: a dataclass field with its range in its type and its default beside it.

They are values and nothing else: where they are read from stands in `chatservice.config.reading`,
what they do in the part of the service that is handed them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from chatservice.config.kinds import (
    FLAG,
    LINE,
    LINES,
    PATH,
    PATH_OR_NONE,
    PLACES,
    SHARDS,
    STORE,
    TEXT_OR_NONE,
    matching,
    networks,
    number,
    one_of,
    strings,
    whole,
)

Flag = Annotated[bool, FLAG]
Count = Annotated[int, whole(1)]
CountOrZero = Annotated[int, whole(0)]
Seconds = Annotated[float, number(0.001)]
SecondsOrZero = Annotated[float, number(0)]
RateOrZero = Annotated[float, number(0)]
OptionalPath = Annotated[Path | None, PATH_OR_NONE]
OptionalText = Annotated[str | None, TEXT_OR_NONE]


@dataclass(frozen=True, slots=True)
class TLSConfig:
    """The key and certificate of listeners that name none of their own."""

    private_key: OptionalPath = None
    """PEM file with the private key. None: a self-signed pair is made in the data folder."""

    certificate: OptionalPath = None
    """PEM file with the certificate. None: it is in the private key's file."""

    chain: OptionalPath = None
    """PEM file with the certificates between ours and the authority's root."""

    watch_seconds: SecondsOrZero = 30.0
    """Seconds between looks at whether the files have changed; 0 leaves it to SIGHUP alone."""


@dataclass(frozen=True, slots=True)
class JournalConfig:
    """How safely, and for how long, what was said is kept."""

    durability: Annotated[Literal["process", "power"], one_of("process", "power")] = "process"
    """What a delivered message survives: the death of the process, or a power cut too (slower)."""

    keep_days: SecondsOrZero = 0.0
    """Days that messages are kept; 0 is for ever."""

    keep_messages: CountOrZero = 0
    """Messages kept in each room, the latest; 0 is all."""

    prune_seconds: Seconds = 600.0
    """Seconds between removals of what is no longer to be kept."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client, one address or all of them together may use.

    Counts and rates that may be 0 set no limit then.
    """

    connections: CountOrZero = 10_000
    """Open connections in all."""

    connections_per_address: CountOrZero = 64
    """Open connections from one address (for IPv6 a /64)."""

    new_connections_per_minute: CountOrZero = 120
    """New connections a minute from one address."""

    exempt_addresses: Annotated[tuple[str, ...], networks()] = ("127.0.0.0/8", "::1/128")
    """Networks that the limits of one address leave alone, in CIDR notation."""

    handshake_seconds: Seconds = 10.0
    """Seconds to finish the TLS handshake."""

    login_seconds: Seconds = 120.0
    """Seconds to log in."""

    idle_seconds: Seconds = 900.0
    """Seconds without a line from the client, after which it is closed."""

    ping_seconds: Seconds = 60.0
    """Seconds before ``idle_seconds`` is reached at which a PING is sent."""

    line_bytes: Annotated[int, whole(512, 1_048_576)] = 4_096
    """Bytes of a line, its ending not counted."""

    messages_per_second: RateOrZero = 10.0
    """Messages a second from one connection, over time."""

    message_burst: CountOrZero = 40
    """Messages at once from one connection after a rest; means nothing without a rate."""

    refusals_before_close: Count = 20
    """Refusals in a row for being too fast, after which the connection is closed."""

    rooms: CountOrZero = 10_000
    """Rooms in all."""

    rooms_per_user: CountOrZero = 50
    """Rooms that one user is in."""

    rooms_owned_per_user: CountOrZero = 20
    """Rooms that one user owns."""

    invitations_per_room: CountOrZero = 500
    """Invitations open in one room."""

    members_per_room: CountOrZero = 5_000
    """Members of one room."""

    nick_characters: Annotated[int, whole(1, 255)] = 32
    """Characters of a nick."""

    room_characters: Annotated[int, whole(1, 255)] = 64
    """Characters of a room's name."""

    sendq_bytes: Annotated[int, whole(4_096)] = 1_048_576
    """Bytes that may wait for a slow reader; past it that connection is closed."""

    history_messages: Count = 1_000
    """Messages that one HISTORY may ask for."""

    registrations_per_hour: CountOrZero = 10
    """Accounts made an hour from one address."""

    accounts: CountOrZero = 100_000
    """Accounts in all."""

    stop_seconds: SecondsOrZero = 2.0
    """Seconds that a stop waits for clients to take what is under way to them."""


@dataclass(frozen=True, slots=True)
class IrcConfig:
    """What only clients of IRC have."""

    webirc_addresses: Annotated[tuple[str, ...], networks()] = ()
    """Networks of gateways that may say where their clients come from (WEBIRC)."""

    webirc_password: Annotated[
        str,
        matching("([!-9;-~][!-~]*)?", 'printable ASCII without spaces or a colon first, or ""'),
    ] = field(default="", repr=False)
    """What such gateways share with the server; "" believes none."""

    sts_seconds: CountOrZero = 0
    """How long clients are to remember that they find TLS here (STS); 0 tells them nothing."""

    sts_port: Annotated[int, whole(0, 65_535)] = 0
    """Where they find it; 0 is the port of the first listener with TLS."""


@dataclass(frozen=True, slots=True)
class RedisConfig:
    """What there is to say of a store in Redis, and of the nodes that share it."""

    password_file: OptionalPath = None
    """A file with the password for every address that has none of its own. None: there is none."""

    ca: OptionalPath = None
    """PEM file with the authorities that vouch for ``rediss://``. None: the system's."""

    certificate: OptionalPath = None
    """PEM file with the certificate that ``rediss://`` is shown. None: none is."""

    private_key: OptionalPath = None
    """PEM file with its private key. None: it is in the certificate's file."""

    sentinels: Annotated[tuple[str, ...], PLACES] = ()
    """Sentinels, as ``host:port``, which say where the store is."""

    sentinel_master: Annotated[str, matching("[!-~]{0,100}", "a name without spaces")] = ""
    """What the Sentinels call the store; its address's own host and port mean nothing then."""

    sentinel_password_file: OptionalPath = None
    """A file with the Sentinels' own password. None: they have none."""

    shards: Annotated[tuple[str, ...], SHARDS] = field(default=(), repr=False)
    """Further Redises, which share the histories. Empty: the store keeps them."""

    prefix: Annotated[str, matching("[!-~]{0,64}", "up to 64 characters of ASCII, no spaces")] = (
        "chat:"
    )
    """What all keys begin with."""

    lease_seconds: Annotated[float, number(5, 300)] = 15.0
    """Seconds after which a node that is not heard of is taken for dead."""

    catch_up_seconds: Annotated[float, number(10)] = 300.0
    """Seconds that a node may be cut off and catch up afterwards."""

    timeout_seconds: Annotated[float, number(0.1, 60)] = 3.0
    """Seconds that a message may wait for a Redis that is away."""

    replicas: CountOrZero = 0
    """Replicas that must have a message before it is delivered."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that an operator may set, checked."""

    name: Annotated[
        str, matching(r"[A-Za-z0-9._-]{0,253}", "a host name (letters, digits, '.', '-', '_')")
    ] = "localhost"
    """The server's name, as clients see it; in a file, "" stands for the machine's host name."""

    network: Annotated[
        str, matching(r"[A-Za-z0-9._-]{0,63}", "a name (letters, digits, '.', '-', '_')")
    ] = ""
    """The network's name, as clients see it; "": the server's."""

    description: Annotated[str, LINE] = "A chat service"
    """What kind of server it is, in a line."""

    admin: Annotated[tuple[str, ...], LINES] = ()
    """Whom to turn to, in up to three lines."""

    motd: OptionalPath = None
    """A text file (UTF-8): the message of the day. None: there is none."""

    data: Annotated[Path, PATH] = Path("chat-data")
    """The folder of the journal, the accounts and the certificate that the server makes itself."""

    listen: Annotated[tuple[str, ...], strings("endpoints", required=True)] = ("ssl:6667",)
    """Endpoint descriptions, each perhaps with a dialect before it: ``original@tcp:1337``."""

    allow_plain_text: Flag = False
    """Whether listeners without TLS may be on addresses other than loopback."""

    trusted_proxies: Annotated[tuple[str, ...], networks()] = ("127.0.0.0/8", "::1/128")
    """Networks of proxies that may say where their clients come from (``haproxy:``)."""

    store: Annotated[str, STORE] = field(default="sqlite", repr=False)
    """What keeps the journal: ``sqlite``, ``memory``, or Redis, by its address."""

    auth: Annotated[tuple[str, ...], strings("checkers")] = field(default=(), repr=False)
    """Checkers of accounts kept elsewhere, as ``--auth`` has them: ``file:/etc/passwords``."""

    operators: Annotated[tuple[str, ...], strings("accounts")] = ()
    """Accounts that may become operators of the server."""

    metrics: OptionalText = None
    """Endpoint on which Prometheus finds the figures; None: nowhere."""

    log_json: Flag = False
    """Whether the log is JSON, one object a line."""

    tls: TLSConfig = field(default_factory=TLSConfig)
    journal: JournalConfig = field(default_factory=JournalConfig)
    limits: Limits = field(default_factory=Limits)
    irc: IrcConfig = field(default_factory=IrcConfig)
    redis: RedisConfig = field(default_factory=RedisConfig)

    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Where settings were given, by dotted key, in words: no setting itself."""

    def origin(self, key: str) -> str:
        """Return where a setting was given, such as ``chat.toml: listen``.

        Args:
            key: the dotted key.

        Returns:
            The words; the key alone where its default applies.
        """
        return self.origins.get(key, key)
