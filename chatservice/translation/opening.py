"""
Telling dialects apart: what a connection speaks until its first line has shown what it speaks. What
no dialect knows is answered by the line protocol, which is made for people who type.
"""

from __future__ import annotations

from contextlib import suppress

from chatservice.controller.errors import TooFast

from .interface import BY_LINES, Dialect, Running, Wire
from .registry import Dialects

_BEGINNING = 64
"""Bytes that are kept of a line that is too long."""


class Opening(Dialect):
    """
    @param dialects: those to choose from.
    """

    __slots__ = ("_dialects",)

    def __init__(self, wire: Wire, dialects: Dialects) -> None:
        super().__init__(wire)
        self._dialects = dialects

    def receive(self, data: bytes) -> Running | None:
        if not data.strip():
            self._count_nothing()
            return None
        line = data.removesuffix(b"\r")
        chosen = self._dialects.opened_by(line)
        dialect = self.wire.start(chosen)
        if chosen.framing != BY_LINES:
            # Whoever frames by itself gets what was read, with the LF that ended the line.
            return dialect.receive(data + b"\n")
        if len(line) > self.wire.line_bytes:
            # Too long for this one, if not for others.
            return dialect.overlong(data[:_BEGINNING])
        return dialect.receive(data)

    def _count_nothing(self) -> None:
        # Nothing is no first line; but who goes on and on with it is closed.
        with suppress(TooFast):
            self.wire.session.spend()

    def overlong(self, beginning: bytes) -> Running | None:
        return self.wire.start(self._dialects.fallback).overlong(beginning)

    def silent(self) -> None:
        self._dialects.fallback.make(self.wire).silent()

    def farewell(self, reason: str) -> None:
        self._dialects.fallback.make(self.wire).farewell(reason)
