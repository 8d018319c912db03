"""
What the exit status of `chat` says: one table, for the program, its help and docs/client.md.
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """
    An exit status.

    @ivar words: what it means, for people.
    """

    words: str

    def __new__(cls, status: int, words: str) -> Exit:
        member = int.__new__(cls, status)
        member._value_ = status
        member.words = words
        return member

    DONE = 0, "done: what was to be said is stored"
    REFUSED = 1, "the server has refused something, or one is not in the room any more"
    USAGE = 2, "options, a password file or a CA file that can't be used; nothing was done"
    UNREACHABLE = 3, "no connection, or what answers there is no chat server"
    UNTRUSTED = 4, "the server's certificate is not trusted, or it has changed"
    NOT_LOGGED_IN = 5, "the log-in was refused: a wrong password, or a nick that is in use"
    TIMED_OUT = 6, "no answer within --timeout; what was said last may be stored all the same"
    BROKEN = 70, "a defect of this program"
    HANGUP = 129, "ended by SIGHUP"
    INTERRUPTED = 130, "ended by SIGINT (Ctrl-C)"
    OUTPUT_CLOSED = 141, "whoever read the output has closed it (chat ... --tail | head -1)"
    TERMINATED = 143, "ended by SIGTERM"


def table(indent: str = "  ") -> str:
    """All of them, a line each."""
    return "\n".join(f"{indent}{member.value:>3}  {member.words}" for member in Exit)
