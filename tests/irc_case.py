"""What tests of the IRC dialect begin with: a house with IRC clients in it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chatservice.controller.events import UserFlagsChanged
from tests.bench import SERVER, Client, House

CLOAK = "chat.ip"
"""How everybody's address is shown in a house."""


def mask(nick: str) -> str:
    """Who a line of a user's is from."""
    return f"{nick}!~u@{CLOAK}"


class IrcCase(SynchronousTestCase):
    """An empty house; nobody expects a defect in it."""

    def setUp(self) -> None:
        self.house = House()

    def irc(self, nick: str, *capabilities: str, account: str = "") -> Client:
        """An IRC client that is registered, and whose answers until then are forgotten.

        Args:
            nick: its nick.
            capabilities: what it has negotiated.
            account: the account that it logs in to by SASL PLAIN, with the password `secret`; it
                has to be there (`account` makes it).
        """
        client = self.house.client(dialect="irc")
        words = [*capabilities, *(["sasl"] if account else [])]
        client.send("CAP LS 302", f"NICK {nick}", f"USER {nick} 0 * :The real {nick}")
        if words:
            client.send(f"CAP REQ :{' '.join(words)}")
        if account:
            from base64 import b64encode

            plain = b64encode(f"\0{account}\0secret".encode()).decode()
            client.send("AUTHENTICATE PLAIN", f"AUTHENTICATE {plain}")
        client.send("CAP END")
        answers = client.lines()
        self.assertTrue(any(f" 001 {nick} " in line for line in answers), answers)
        return client

    def account(self, name: str) -> None:
        """An account with the password `secret`, whose owner is not here."""
        client = self.house.user(name, "REGISTER:secret")
        client.hang_up()

    def flag(self, nick: str, flag: str) -> None:
        """Set one of a user's flags (`modes.USER_FLAGS`), also those that nobody sets alone."""
        changed = UserFlagsChanged(actor=nick.lower(), nick=nick, changes=[(True, flag)])
        self.house.controller.submit(changed)
        self.house.settle()

    def answers(self, client: Client, line: str, *expected: str) -> None:
        """The line is answered with exactly these lines; a numeric may leave out server and nick.

        `"403 #x :No such channel"` stands for `":chat.example 403 <nick> #x :No such channel"`.
        """
        self.assertEqual([short(got) for got in client.ask(line)], list(expected))


def short(line: str) -> str:
    """A numeric without server and nick; any other line as it is."""
    words = line.split(" ", 3)
    if len(words) == 4 and words[0] == f":{SERVER}" and words[1].isdigit():
        return f"{words[1]} {words[3]}"
    return line
