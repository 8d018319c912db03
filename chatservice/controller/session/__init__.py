"""
What one client may ask of the chat: all that a dialect sees of the domain. A session belongs to a
connection, and is some user's once it has logged in; it turns requests into events, and waits for
them to be true. What is allowed is decided in `requests`, nothing here.
"""

from __future__ import annotations

from .looking import Looking
from .operating import Operating
from .reading import Reading
from .returning import Returning
from .rooms import Rooms
from .talking import Talking


class Session(Returning, Looking, Reading, Talking, Rooms, Operating):
    """One client's access to the chat; see `base.SessionBase` for what it holds."""

    __slots__ = ()


__all__ = ["Session"]
