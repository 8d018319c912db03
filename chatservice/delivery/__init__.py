"""
Delivery: committed events, told to the right connections, encoded once. `telling` decides who hears
of what, `whereabouts` keeps who is where, `watching` who wants to hear of whom, and `audience` is
recipients by wire variant.
"""

from __future__ import annotations

from .telling import Delivery

__all__ = ["Delivery"]
