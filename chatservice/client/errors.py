"""
What can go wrong for a program that uses the client library. Words are for people; none holds a
password or a message's text.
"""

from __future__ import annotations


class ClientError(Exception):
    """Any of these."""


class Refused(ClientError):
    """
    The server said no, and nothing has changed.

    @ivar code: why, as docs/protocol.md has it: "NO_SUCH_ROOM", "TOO_FAST", ...
    """

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


class TimedOut(ClientError):
    """
    No answer came in time. What was asked may have been done all the same.
    """


class ConnectionGone(ClientError):
    """
    The connection was lost before the answer came, or the client is closed. What was asked may have
    been done all the same; but what is said (`say`, `tell`) is never lost so: it waits for the next
    connection. (Only what guests tell somebody does not.)
    """


class BadServer(ClientError):
    """What answers there does not speak the protocol."""
