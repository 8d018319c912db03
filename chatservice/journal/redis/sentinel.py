"""
Redis Sentinel: which Redis is the master now, asked before each attempt to connect to it. Whether
it still is one is found out by whoever connects, and by what it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from zope.interface import implementer

from .wire import Argument, Wire, one_wire, words_for


class NoMaster(Exception):
    """No Sentinel names a master; the words say what became of each."""


@implementer(IStreamClientEndpoint)
class MasterEndpoint:
    """
    Leads to the Redis that is the master at that moment.

    @param sentinels: those that may be asked: words for each, and the way to it.
    @param name: what they call the master.
    @param password: what they want to hear themselves; empty for nothing.
    @param patience: seconds after which the next one is asked.
    @param way_to: the way to a host and port.
    """

    def __init__(
        self,
        clock: IReactorTime,
        sentinels: Sequence[tuple[str, IStreamClientEndpoint]],
        name: str,
        password: str,
        patience: float,
        way_to: Callable[[str, int], IStreamClientEndpoint],
    ) -> None:
        self._clock = clock
        self._sentinels = list(sentinels)
        self._name = name
        self._password = password
        self._patience = patience
        self._way_to = way_to

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        host, port = await self._master()
        return await self._way_to(host, port).connect(factory)

    async def _master(self) -> tuple[str, int]:
        """
        Asks one after another. Each attempt begins with another one: it may be wrong about a master
        that it cannot see any more than we can.

        @raise NoMaster: none knows.
        """
        reasons = []
        for words, endpoint in list(self._sentinels):
            self._sentinels.append(self._sentinels.pop(0))
            try:
                return await self._ask(endpoint)
            except CancelledError:
                raise
            # Whatever is wrong with one of them, there are others.
            except Exception as error:  # noqa: BLE001
                reasons.append(f"{words}: {words_for(error)}")
        raise NoMaster(f"no Sentinel names a master ({'; '.join(reasons)})")

    async def _ask(self, endpoint: IStreamClientEndpoint) -> tuple[str, int]:
        wire = Wire(self._clock, self._patience)
        commands: list[tuple[Argument, ...]] = [("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._name)]
        if self._password:
            commands.insert(0, ("AUTH", self._password))
        try:
            connecting = endpoint.connect(one_wire(wire))
            await connecting.addTimeout(self._patience, self._clock)
            answers = await wire.ask_all(*commands)
        except TimeoutError:
            raise NoMaster(f"no connection within {self._patience:g} s") from None
        finally:
            await wire.end("asked")
        for answer in answers:
            if isinstance(answer, Exception):
                raise NoMaster(self._without_password(str(answer)))
        if answers[-1] is None:
            raise NoMaster(f"it knows no {self._name}")
        host, port = answers[-1]
        return host.decode(), int(port)

    def _without_password(self, words: str) -> str:
        return words.replace(self._password, "...") if self._password else words
