"""
The house's own dialects, registered as anybody's are. The first whose opening line it is gets a
connection.
"""

from __future__ import annotations

from chatservice.translation.line import LineProtocol

line = LineProtocol()
