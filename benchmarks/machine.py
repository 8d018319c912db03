"""The machine that is measured on: its cores, what else keeps them busy, and what to call it.

Where there is no /proc or no affinity, what depends on it is left out; nothing here fails for it.
"""

from __future__ import annotations

import os
import platform
import ssl
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

_IDLE_FIELDS = (3, 4)  # idle and iowait, of a cpu line in /proc/stat (proc_stat(5))
_GUEST_FIELDS = 8  # from here on the line repeats what it has counted already


def cores() -> tuple[int, int] | None:
    """A core for the server and another for the load; None where that can't be arranged."""
    if sys.platform != "linux":
        return None
    available = sorted(os.sched_getaffinity(0))
    return (available[0], available[1]) if len(available) > 1 else None


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Keeps this process, and what it starts meanwhile, on one core (None: anywhere)."""
    if core is None or sys.platform != "linux":
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Neighbours:
    """CPU time that others take from the cores in use, from its making on.

    Other processes count, and so does what the host of a virtual machine takes ("steal").
    """

    def __init__(self, pair: tuple[int, int] | None) -> None:
        """`pair`: the server's core and the load's; None is all there are."""
        self._names = {f"cpu{core}" for core in pair} if pair else {"cpu"}
        self._cores = len(pair) if pair else os.cpu_count() or 1
        self._began = time.monotonic()
        self._busy = self._busy_seconds()

    def percent(self, ours: float | None) -> float | None:
        """How much of the cores others took, in per cent; None where the system doesn't tell.

        Args:
            ours: CPU seconds that the server and the load used since this was made.
        """
        after = self._busy_seconds()
        if ours is None or after is None or self._busy is None:
            return None
        taken = after - self._busy - ours
        return max(0.0, taken * 100 / ((time.monotonic() - self._began) * self._cores))

    def _busy_seconds(self) -> float | None:
        try:
            lines = Path("/proc/stat").read_text().splitlines()
        except OSError:
            return None
        ticks = 0
        for name, *rest in (line.split() for line in lines if line.startswith("cpu")):
            if name in self._names:
                fields = [int(field) for field in rest[:_GUEST_FIELDS]]
                ticks += sum(fields) - sum(fields[index] for index in _IDLE_FIELDS)
        return ticks / os.sysconf("SC_CLK_TCK")


def facts(
    pair: tuple[int, int] | None, store: str, peers: Mapping[str, str]
) -> dict[str, str | None]:
    """What the figures were measured on and with, `peers` being the other servers' versions."""
    return {
        "CPU": _cpu_model(),
        "cores": str(os.cpu_count()),
        "pinned": f"server to core {pair[0]}, load to core {pair[1]}" if pair else None,
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "TLS": ssl.OPENSSL_VERSION,
        "twisted": _version("twisted"),
        "chatservice": _version("chatservice"),
        "store": store,
        **peers,
    }


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return models[0] if models else platform.machine()
