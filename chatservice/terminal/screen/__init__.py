"""
The full-screen chat. `session` is one user's sitting, `model` (with `buffer`, `entries`, `members`)
what there is to see, `view` (with `backlog`, `panes`, `rendering`) how it looks, `app` the terminal
and its keys; `editing` and `completion` are the line one types into, `commands` what begins with a
slash.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chatservice.client import Client

from .app import App
from .display import Display, typed_ahead
from .drafts import Drafts


async def chat(
    reactor: Any,
    client: Client,
    rooms: Sequence[str],
    notices: Sequence[str],
    drafts: Path | None,
    *,
    key: str = "",
    to: str = "",
) -> int:
    """
    Shows the screen until one leaves it. To be cancelled (by a signal) at any time: the terminal is
    as it was before, and what was typed and not sent is kept.

    @param client: logged in; it is left as it is.
    @param rooms: are entered first of all, and made if they aren't there.
    @param notices: what is to be said before anything else.
    @param key: what those rooms ask for.
    @param to: somebody whose conversation is opened.
    @param drafts: the file that keeps what was typed and not sent; None for none.
    @return: the exit status.
    @raise ClientError: one has left after the client had given up; and why it had.
    """
    kept = Drafts(drafts, f"{client.nick}@{client.server}")
    app = App(reactor, client, kept, Display(os.environ))
    return await app.run(rooms, notices, key=key, to=to, typed=typed_ahead(0))
