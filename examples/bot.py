"""Tells the time to whoever says !time: python examples/bot.py tls:localhost:6667 clock lobby"""

import sys
from math import inf

from twisted.internet.task import react

from chatservice.client import Client, Pins, PinStore


async def main(reactor: object, server: str, nick: str, room_name: str) -> None:
    async with Client(server, trust=Pins(PinStore("known_servers"))) as client:
        await client.login(nick)
        room = await client.join(room_name, create=True)
        async for said in room:
            if said.text == "!time" and not said.notice:
                await room.say(f"{said.nick}: it is {said.time:%X} UTC", notice=True, timeout=inf)


react(main, sys.argv[1:])
