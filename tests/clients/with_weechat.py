"""WeeChat."""

from __future__ import annotations

from . import suite
from .weechat import WeeChat


class WeeChatTests(suite.ClientSuite):
    make = WeeChat
    untrusted = "gnutls: peer's certificate is NOT trusted"
    other_host = "gnutls: the hostname in the certificate does NOT match"
    gave_up = "irc: TLS handshake failed"

    async def test_it_proves_that_it_knows_the_password_without_sending_it(self) -> None:
        server = await self.serve()
        await suite.sign_up(server, "alice")
        alice = self.start(server, mechanism="SCRAM-SHA-256", channel="#tea")
        await alice.sees("You are now logged in as alice")
        await alice.sees(suite.joined("alice"), "#tea")
