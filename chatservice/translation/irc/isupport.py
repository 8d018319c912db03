"""
What RPL_ISUPPORT tells of this server, derived from the limits and tables that are really in force.

Specification: Modern IRC, "RPL_ISUPPORT Parameters".
"""

from __future__ import annotations

from collections.abc import Iterator

from chatservice.controller.policy import Policy

from . import letters
from .commands.targets import TARGETS

MODES_A_LINE = 20
"""Changes of a channel's modes in one MODE."""

MONITORED = 100
"""Nicks that one client may watch."""

HISTORY_ITEMS = 100
"""Messages that one CHATHISTORY gives at most."""

_PER_LINE = 13
"""Tokens in one line (Modern IRC, RPL_ISUPPORT)."""


def history_items(policy: Policy) -> int:
    """Messages that one CHATHISTORY gives at most under a policy."""
    return min(HISTORY_ITEMS, policy.history_messages)


def tokens(policy: Policy, network: str) -> list[str]:
    """All tokens, by name."""
    masks = policy.masks_per_room
    found = {
        "AWAYLEN": policy.phrase_bytes,
        "BOT": letters.USER_LETTERS["bot"],
        "CASEMAPPING": "ascii",
        "CHANLIMIT": f"#:{policy.rooms_per_user or ''}",
        "CHANMODES": letters.chanmodes(),
        "CHANNELLEN": policy.names.room_characters + 1,
        "CHANTYPES": "#",
        "CHATHISTORY": history_items(policy),
        "ELIST": "CMNTU",
        "EXCEPTS": "e",
        "EXTBAN": ",am",
        "ACCOUNTEXTBAN": "a",
        "INVEX": "I",
        "KICKLEN": policy.phrase_bytes,
        **({"MAXLIST": f"beI:{masks}"} if masks else {}),
        "MAXTARGETS": TARGETS["PRIVMSG"],
        "MODES": MODES_A_LINE,
        "MONITOR": MONITORED,
        "MSGREFTYPES": "msgid,timestamp",
        "NAMELEN": policy.phrase_bytes,
        "NETWORK": network.replace(" ", "\\x20"),
        "NICKLEN": policy.names.nick_characters,
        "PREFIX": letters.prefix(),
        "SAFELIST": "",
        "STATUSMSG": "".join(prefix for _, prefix, _ in letters.PREFIXES),
        "TARGMAX": ",".join(f"{command}:{most}" for command, most in TARGETS.items()),
        "TOPICLEN": min(policy.text_bytes, policy.phrase_bytes),
        "UTF8ONLY": "",
        "UTF8MAPPING": "rfc8265",
        "WHOX": "",
    }
    return [f"{name}={value}" if value != "" else name for name, value in sorted(found.items())]


def lines(policy: Policy, network: str, most: int) -> Iterator[list[str]]:
    """
    The same, as many as one line takes at a time.

    @param most: bytes that there are for the tokens of one line, each with its space.
    """
    held: list[str] = []
    left = most
    for token in tokens(policy, network):
        size = len(token.encode()) + 1
        if held and (len(held) == _PER_LINE or size > left):
            yield held
            held, left = [], most
        held.append(token)
        left -= size
    yield held
