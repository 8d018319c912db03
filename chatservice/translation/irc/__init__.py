"""
IRC (docs/irc.md): `message` reads and writes lines, `dialect` is one client (and
`plugin` knows them), `commands` are what it
may ask, `rendering` is how events are told; the tables are `numerics`, `capabilities`, `letters`
and `refusals`, `isupport` follows from them, and `services` are NickServ and ChanServ.
"""

from __future__ import annotations

from .dialect import IrcDialect
from .plugin import Irc

__all__ = ["Irc", "IrcDialect"]
