"""
The command `chat`, for people and for scripts (docs/client.md): `options` and `plan` are what is
asked for, `login` who one is, `lines` the line tool and `screen` the full-screen chat; `main` puts
them together. It knows the client library and nothing of the server.
"""

from __future__ import annotations
