"""Measures `twistd chat` on Redis from outside, one node and several: see README.md beside this.

The command line, the order of the runs and the tables; what is measured is in `redis_scenarios`,
what it is measured on in `redis_nodes`.
"""

from __future__ import annotations

import argparse
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from load import LoadError
from machine import Neighbours, cores, facts, pinned
from options import parser_of
from redis_nodes import Machine, redis_binary
from redis_scenarios import FULL, MEASURES, QUICK, REDIS, SCENARIOS, SQLITE, Figures, RedisSize
from table import cell, line, ratio


@dataclass(slots=True)
class Result:
    """One scenario's runs: by measure and column one value a run; what failed, and what others took
    of the machine meanwhile, in per cent.
    """

    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    others: list[float] = field(default_factory=list)

    def add(self, figures: Figures) -> None:
        """Files one run's figures."""
        for column, measured in figures.items():
            for measure, value in measured.items():
                self.values.setdefault(measure, {}).setdefault(column, []).append(value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what the command line asks for; returns the exit status (1: something failed)."""
    options = _parser().parse_args(arguments)
    size = _size(options)
    pair = cores()
    server_core, load_core = pair or (None, None)
    machine = Machine(server_core, _redis_cores(pair, options.redis_core), options.fsync)
    results = {name: Result() for name in options.only or SCENARIOS}
    with pinned(load_core):
        for turn in range(options.repeat):
            for name, result in results.items():
                _say(f"run {turn + 1} of {options.repeat}: {name}")
                _run(name, size, machine, result)
    print(_facts(pair, options, size))
    for name, result in results.items():
        print("\n".join(["", f"## {name}", "", *_table(result)]))
    return 1 if any(result.failures for result in results.values()) else 0


def _redis_cores(pair: tuple[int, int] | None, which: str) -> frozenset[int]:
    if pair is None:
        return frozenset()
    server, load = pair
    return {"server": frozenset((server,)), "load": frozenset((load,))}.get(which, frozenset(pair))


def _run(name: str, size: RedisSize, machine: Machine, result: Result) -> None:
    """One scenario, filed with the others of its name."""
    ours = _cpu()
    neighbours = Neighbours(None)
    try:
        figures = SCENARIOS[name](size, machine)
    except LoadError as error:
        result.failures.append(str(error))
        _say(f"  failed: {error}")
        return
    result.add(figures)
    # By now whatever was started is over, so that its time is known.
    others = neighbours.percent(_cpu() - ours)
    if others is not None:
        result.others.append(others)


def _cpu() -> float:
    """CPU seconds of this process and of all that it has started and that are over."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _parser() -> argparse.ArgumentParser:
    parser = parser_of("redis.py", "Measures the chat on Redis.", SCENARIOS)
    parser.add_argument("--seconds", type=float, metavar="S", help="measure for so long each time")
    parser.add_argument(
        "--fsync",
        choices=("everysec", "always"),
        default="everysec",
        help="Redis's appendfsync (default: everysec)",
    )
    parser.add_argument(
        "--redis-core",
        choices=("server", "load", "any"),
        default="any",
        help="the core that Redis is kept on: the nodes', the load's, or any (default)",
    )
    return parser


def _size(options: argparse.Namespace) -> RedisSize:
    size = QUICK if options.quick else FULL
    if options.seconds is None:
        return size
    return replace(size, chat=replace(size.chat, seconds=options.seconds))


def _facts(pair: tuple[int, int] | None, options: argparse.Namespace, size: RedisSize) -> str:
    asked = subprocess.run((redis_binary(), "--version"), capture_output=True, check=False)
    version = asked.stdout.decode("utf-8", "replace").partition("v=")[2].partition(" ")[0]
    about = facts(pair, "", {"Redis": f"{version}, appendfsync {options.fsync}"})
    about["Redis's core"] = options.redis_core
    words = [f"{name} {value}" for name, value in about.items() if value]
    return f"{'; '.join(words)}\n{size.chat.text} bytes, {size.chat.seconds:g} s"


def _table(result: Result) -> list[str]:
    """A row a measure, a column a chat; with SQLite beside Redis also how they compare."""
    columns = list(dict.fromkeys(column for row in result.values.values() for column in row))
    compared = columns == [SQLITE, REDIS]
    heads = ["measure", *columns, *([f"{REDIS} ÷ {SQLITE}"] if compared else [])]
    lines = [line(heads), line(["---", *("---:" for _ in heads[1:])])] if columns else []
    for measure, (words, form) in MEASURES.items():
        row = result.values.get(measure)
        if row is not None:
            cells = [cell(row.get(column), form) for column in columns]
            lines.append(
                line(
                    [words, *cells, *([ratio(row.get(REDIS), row.get(SQLITE))] if compared else [])]
                )
            )
    if result.others:
        lines += ["", f"CPU that others took: {max(result.others):.0f} % (0 is best)"]
    return [*lines, *(f"\nFAILED: {failure}" for failure in result.failures)]


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    # Ended from outside, it still ends its children.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
