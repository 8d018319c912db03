"""
What a client has told before it is registered: the parts come in any order, and negotiation of
capabilities holds the end up.

Specifications: Modern IRC, "Connection Registration"; IRCv3 capability-negotiation.
"""

from __future__ import annotations


class Registration:
    """
    @ivar nick: the nick that it wants, as it wrote it; empty until it has said one that may be had.
    @ivar realname: its real name; None until USER was sent.
    @ivar negotiating: it has begun to negotiate, and has not ended that.
    @ivar password: what PASS brought, or the empty string.
    """

    __slots__ = ("negotiating", "nick", "password", "realname")

    def __init__(self) -> None:
        self.nick = ""
        self.realname: str | None = None
        self.negotiating = False
        self.password = ""

    @property
    def complete(self) -> bool:
        """Has it told all that is needed?"""
        return bool(self.nick) and self.realname is not None and not self.negotiating
