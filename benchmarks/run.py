"""Measures `twistd chat` from outside and prints one table: see README.md beside this file.

The command line and the order of the runs; what is measured is in `scenarios`, how it is shown in
`report`.
"""

from __future__ import annotations

import argparse
import dataclasses
import resource
import sys
from collections.abc import Sequence

from load import LoadError
from report import Report, as_json, as_table, machine
from scenarios import FULL, QUICK, SCENARIOS, Size
from servers import KINDS, OWN, Settings, cores, pinned, running, versions

_FILES_FOR_OTHERS = 100


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
                _scenario(name, size, settings, _servers(name, options.peers), report, turn)
    facts = machine(pair, options.store, versions(_peers()) if options.peers else {})
    print(as_json(report, facts, size) if options.json else as_table(report, facts, size))
    return 1 if report.failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py", description="Measures the chat server.")
    parser.add_argument("--quick", action="store_true", help="everything tiny, to see that it runs")
    parser.add_argument(
        "--only",
        action="append",
        choices=list(SCENARIOS),
        help="this scenario alone (may be given several times)",
    )
    parser.add_argument(
        "--repeat",
        type=int,
        default=1,
        metavar="N",
        help="run everything N times; shows medians, and the lowest and highest",
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
    size: Size,
    settings: Settings,
    servers: Sequence[str],
    report: Report,
    turn: int,
) -> None:
    """One scenario with every server and over every transport, each on a server just started."""
    scenario = SCENARIOS[name]
    for kind in servers:
        # Peers stand beside the TLS figures only.
        for transport in scenario.transports if kind == OWN else scenario.transports[:1]:
            _say(f"run {turn + 1}: {name}, {kind}, {transport}")
            try:
                with running(kind, settings) as server:
                    figures = scenario.run(server, size, transport == "tls")
            except LoadError as error:
                report.failures.append(f"{name}, {kind}, {transport}: {error}")
                _say(f"  failed: {error}")
            else:
                report.add(name, transport, kind, figures)


def _peers() -> list[str]:
    return [name for name, kind in KINDS.items() if name != OWN and kind.installed()]


def _servers(name: str, peers: bool) -> list[str]:
    return [OWN, *(_peers() if peers and SCENARIOS[name].peers else ())]


def _fitting(size: Size) -> Size:
    """Raises the limit of open files as far as it goes, and keeps the idle crowd within it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    room = hard - _FILES_FOR_OTHERS
    if hard == resource.RLIM_INFINITY or room >= size.idle_connections:
        return size
    _say(f"only {hard} open files are allowed: {room} idle connections")
    return dataclasses.replace(size, idle_connections=room)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
