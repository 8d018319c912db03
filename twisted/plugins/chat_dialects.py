"""
The house's own dialects, registered as anybody's are.
"""

from __future__ import annotations

from chatservice.translation.irc import Irc
from chatservice.translation.line import LineProtocol
from chatservice.translation.lobby import Lobby
from chatservice.translation.original import Original
from chatservice.translation.protobuf import Protobuf
from chatservice.translation.refusals import HttpRefused

line = LineProtocol()
lobby = Lobby()
original = Original()
http_refused = HttpRefused()
irc = Irc()
protobuf = Protobuf()
