"""irssi."""

from __future__ import annotations

from . import suite
from .irssi import Irssi


class IrssiTests(suite.ClientSuite):
    make = Irssi
    untrusted = "Could not verify TLS servers certificate: self-signed"
    other_host = "None of the Subject Alt Names in the certificate match"
    gave_up = "Connection lost to"
