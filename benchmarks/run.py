"""Measures `twistd chat` from outside and prints one table: see README.md beside this file.

The command line and the order of the runs; what is measured is in `scenarios`, how it is shown in
`report`.
"""

from __future__ import annotations

import argparse
import dataclasses
import resource
import signal
import sys
import time
from collections.abc import Sequence

from load import LoadError
from machine import Neighbours, cores, facts, pinned
from options import parser_of
from report import Report, as_json, as_table
from scenarios import FULL, QUICK, SCENARIOS, Figures, Size
from servers import KINDS, OWN, OWN_IRC, OWN_PROTOBUF, Server, Settings, running, versions

_FILES_FOR_OTHERS = 100
_OURS = {"line": OWN, "irc": OWN_IRC, "protobuf": OWN_PROTOBUF}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for; returns the exit status (1: something failed)."""
    options = _parser().parse_args(arguments)
    size = _fitting(QUICK if options.quick else FULL)
    pair = cores()
    if pair is None:
        _say("no two cores to choose: the server and the load share what there is")
    server_core, load_core = pair or (None, None)
    settings = Settings(store=options.store, core=server_core)
    report = Report()
    names = options.only or list(SCENARIOS)
    with pinned(load_core):
        for turn in range(options.repeat):
            for name in names:
                for kind in _servers(name, options.dialect or list(_OURS), options.peers):
                    _say(f"run {turn + 1} of {options.repeat}: {name}, {kind}")
                    _scenario(name, kind, size, settings, pair, report)
    about = facts(pair, options.store, versions(_peers()) if options.peers else {})
    print(as_json(report, about, size) if options.json else as_table(report, about, size))
    return 1 if report.failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("run.py", "Measures the chat server.", SCENARIOS)
    parser.add_argument(
        "--dialect",
        action="append",
        choices=list(_OURS),
        help="speak this alone to the chat server (may be given several times)",
    )
    parser.add_argument(
        "--peers",
        action="store_true",
        help="measure ngircd and inspircd too, where they are installed",
    )
    parser.add_argument(
        "--store",
        choices=("sqlite", "memory"),
        default="sqlite",
        help="what the chat server stores in (default: sqlite)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON, not a table")
    return parser


def _scenario(
    name: str,
    kind: str,
    size: Size,
    settings: Settings,
    pair: tuple[int, int] | None,
    report: Report,
) -> None:
    """One scenario over every transport, each on a server just started."""
    # Peers stand beside the TLS figures only.
    for transport in SCENARIOS[name].transports if kind in _OURS.values() else ("tls",):
        try:
            figures = _figures(name, kind, transport, size, settings, pair)
        except LoadError as error:
            report.failures.append(f"{name}, {kind}, {transport}: {error}")
            _say(f"  failed: {error}")
        else:
            report.add(name, transport, kind, figures)


def _figures(
    name: str,
    kind: str,
    transport: str,
    size: Size,
    settings: Settings,
    pair: tuple[int, int] | None,
) -> Figures:
    with running(kind, settings) as server:
        before = _cpu(server)
        neighbours = Neighbours(pair)
        figures = SCENARIOS[name].run(server, size, transport == "tls")
        after = _cpu(server)
        spent = None if before is None or after is None else after - before
        return {**figures, "others_cpu_pct": neighbours.percent(spent)}


def _cpu(server: Server) -> float | None:
    spent = server.cpu()
    return None if spent is None else spent + time.process_time()


def _peers() -> list[str]:
    ours = _OURS.values()
    return [name for name, kind in KINDS.items() if name not in ours and kind.installed()]


def _servers(name: str, dialects: Sequence[str], peers: bool) -> list[str]:
    scenario = SCENARIOS[name]
    wanted = [_OURS[dialect] for dialect in dialects]
    ours = [kind for kind in scenario.ours if kind in wanted]
    return [*ours, *(_peers() if peers and scenario.peers else ())]


def _fitting(size: Size) -> Size:
    """Raises the limit of open files as far as it goes, and keeps the idle crowd within it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = size.idle_connections + _FILES_FOR_OTHERS
    # "Unlimited" is not to be had everywhere that says so.
    allowed = max(soft, needed) if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed >= needed:
        return size
    room = allowed - _FILES_FOR_OTHERS
    _say(f"only {allowed} open files are allowed: {room} idle connections")
    return dataclasses.replace(size, idle_connections=room)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    # Ended from outside, it still ends its server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
