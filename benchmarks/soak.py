"""Soaks `twistd chat`: for some minutes people come, talk, stall, vanish and send garbage, and then
everything that each of them heard is compared with what the journal keeps.

    python benchmarks/soak.py --minutes 10

It ends with a summary, and status 0 if nothing was lost, doubled or out of order, memory was flat,
no file was left open and the log had no traceback. It needs /proc (Linux).
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import soak_server
from soak_ledger import Ledger, compare, read_journal
from soak_people import CAST, LONGEST_ACT, RESIDENTS, Scene, keep_on, make_rooms, resident

_WARM_UP = 1 / 3
_GROWTH = 1.05
_GROWTH_BYTES = 2_000_000
_MEGABYTE = 1_000_000
_REPORT_SECONDS = 30.0
_TERMINATED = (0, -15)


@dataclass(slots=True)
class Samples:
    """The server's size over time.

    Attributes:
        resident: resident bytes, once a second.
        descriptors: open files, once a second.
    """

    resident: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)

    def thirds(self) -> tuple[float, float]:
        """Medians of the resident bytes in the first and the last third, the warm-up left out."""
        warm = self.resident[int(len(self.resident) * _WARM_UP) :]
        third = max(1, len(warm) // 3)
        return statistics.median(warm[:third]), statistics.median(warm[-third:])


def main(arguments: Sequence[str] | None = None) -> int:
    """Soaks as the command line says; returns the exit status (1: something was wrong)."""
    parser = argparse.ArgumentParser(prog="soak.py", description="Soaks the chat server.")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long [default: 10]")
    parser.add_argument("--seed", type=int, default=1, help="of all chances [default: 1]")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        server = soak_server.start(Path(folder))
        try:
            return asyncio.run(_soak(server, options.minutes * 60, options.seed))
        finally:
            if not server.ended:
                server.stop()


async def _soak(server: soak_server.Server, seconds: float, seed: int) -> int:
    scene = Scene(server.port, Ledger(), seed)
    samples = Samples()
    await make_rooms(scene)
    await asyncio.sleep(1)
    idle_descriptors = server.descriptors()
    began = time.monotonic()
    residents = [asyncio.create_task(resident(scene, f"resident{n}")) for n in range(RESIDENTS)]
    others = [
        asyncio.create_task(keep_on(scene, behaviour, f"{behaviour.__name__}{n}"))
        for behaviour, count in CAST.items()
        for n in range(count)
    ]
    await _watch(server, scene, samples, seconds)
    scene.over.set()
    _, unfinished = await asyncio.wait(others, timeout=LONGEST_ACT)
    for task in unfinished:
        scene.ledger.fault("somebody hangs")
        task.cancel()
    scene.quiet.set()
    for task in (*others, *residents):
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        if isinstance(outcome, Exception):
            scene.ledger.fault(f"the soak itself broke: {outcome!r}")
    return await _judge(server, scene.ledger, samples, idle_descriptors, time.monotonic() - began)


async def _watch(
    server: soak_server.Server, scene: Scene, samples: Samples, seconds: float
) -> None:
    began = reported = time.monotonic()
    while time.monotonic() < began + seconds and not server.ended:
        await asyncio.sleep(1)
        samples.resident.append(server.resident_bytes())
        samples.descriptors.append(server.descriptors())
        if time.monotonic() >= reported + _REPORT_SECONDS:
            reported += _REPORT_SECONDS
            print(
                f"{reported - began:5.0f} s: {samples.resident[-1] / _MEGABYTE:.1f} MB, "
                f"{samples.descriptors[-1]} files, {scene.ledger.counts['messages']} messages, "
                f"{scene.ledger.counts['logins']} logins, {scene.ledger.counts['faults']} faults",
                flush=True,
            )


async def _judge(
    server: soak_server.Server,
    ledger: Ledger,
    samples: Samples,
    idle_descriptors: int,
    seconds: float,
) -> int:
    if server.ended:
        ledger.fault(f"the server ended by itself with status {server.process.returncode}")
        return _summary(ledger, samples, seconds, 0.0)
    for _ in range(50):
        left_open = server.descriptors() - idle_descriptors
        if left_open <= 0:
            break
        await asyncio.sleep(0.2)
    else:
        ledger.fault(f"{left_open} files are still open after everybody has gone")
    cpu = server.cpu_seconds()
    status = server.stop()
    if status not in _TERMINATED:
        ledger.fault(f"the server ended with status {status}")
    for line in server.trouble():
        ledger.fault(f"the log says: {line[:200]}")
    compare(ledger, read_journal(server.journal))
    first, last = samples.thirds()
    if last > first * _GROWTH + _GROWTH_BYTES:
        ledger.fault(f"memory grew from {first / _MEGABYTE:.1f} to {last / _MEGABYTE:.1f} MB")
    return _summary(ledger, samples, seconds, cpu)


def _summary(ledger: Ledger, samples: Samples, seconds: float, cpu: float) -> int:
    first, last = samples.thirds()
    print(f"\nSoaked for {seconds:.0f} seconds; the server took {cpu:.1f} seconds of CPU.\n")
    for what, count in sorted(ledger.counts.items()):
        print(f"{count:10,}  {what}")
    shown = [f"{size / _MEGABYTE:.1f} MB" for size in (first, last, max(samples.resident))]
    print(
        f"\nmemory: {shown[0]} in the first third, {shown[1]} in the last (medians, warm-up left "
        f"out), {shown[2]} at most\nopen files: {max(samples.descriptors)} at most\n"
    )
    for words in ledger.faults:
        print(f"FAULT: {words}")
    print("FAILED" if ledger.counts["faults"] else "PASSED: nothing lost, doubled or left behind")
    return 1 if ledger.counts["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
