"""
Services that people talk to by habit: NickServ and ChanServ.
"""

from __future__ import annotations

from .chanserv import CHANSERV
from .nickserv import NICKSERV
from .service import Service

SERVICES: dict[str, Service] = {service.nick.lower(): service for service in (CHANSERV, NICKSERV)}
"""Each by its nick, in small letters. Nobody else may have these (`Policy.reserved_nicks`)."""

__all__ = ["SERVICES", "Service"]
