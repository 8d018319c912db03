"""The ``twistd chat`` plugin. This folder and the one above never get an ``__init__.py``."""

from __future__ import annotations

from twisted.application.service import ServiceMaker

service_maker = ServiceMaker("chat", "chatservice.tap", "A chat service over TLS 1.3.", "chat")
