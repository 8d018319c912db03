"""A chat service on Twisted: one set of rooms, reached through several protocols, over TLS 1.3.

The version stands here and nowhere else; the build and the greeting read it. Nothing is imported
here, so that ``import chatservice`` costs nothing.
"""

from __future__ import annotations

__version__ = "0.1.0"
