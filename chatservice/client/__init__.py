"""
The client library (docs/client.md). `client` is one user of a server, over a connection that `link`
keeps up; `room` and `directs` are what is said, each a `stream` over the history; `outbox` is what
one says; `protocol` is one connection, `endpoints` and `trust` where it leads to and whether that
is to be trusted.
"""

from __future__ import annotations

from .client import Client
from .endpoints import BadEndpoint
from .errors import BadServer, ClientError, ConnectionGone, Refused, TimedOut
from .events import (
    Connected,
    Conversation,
    Disconnected,
    Event,
    Identity,
    Invited,
    Joined,
    Kicked,
    Killed,
    Left,
    Message,
    NickChanged,
    OwnerChanged,
    Page,
    RoomDeleted,
    RoomEvent,
    RoomInfo,
    RoomLost,
    Stored,
    Told,
    Topic,
    TopicChanged,
    User,
    VisibilityChanged,
)
from .link import RetryPolicy
from .pins import BadPins, PinStore
from .protocol import ChatClientFactory, ChatClientProtocol, Listener
from .room import Point, Room
from .trust import Authorities, BadTrust, Fingerprint, FirstUse, PinChanged, Pins, Trust, Untrusted

__all__ = [
    "Authorities",
    "BadEndpoint",
    "BadPins",
    "BadServer",
    "BadTrust",
    "ChatClientFactory",
    "ChatClientProtocol",
    "Client",
    "ClientError",
    "Connected",
    "ConnectionGone",
    "Conversation",
    "Disconnected",
    "Event",
    "Fingerprint",
    "FirstUse",
    "Identity",
    "Invited",
    "Joined",
    "Kicked",
    "Killed",
    "Left",
    "Listener",
    "Message",
    "NickChanged",
    "OwnerChanged",
    "Page",
    "PinChanged",
    "PinStore",
    "Pins",
    "Point",
    "Refused",
    "RetryPolicy",
    "Room",
    "RoomDeleted",
    "RoomEvent",
    "RoomInfo",
    "RoomLost",
    "Stored",
    "TimedOut",
    "Told",
    "Topic",
    "TopicChanged",
    "Trust",
    "Untrusted",
    "User",
    "VisibilityChanged",
]
