"""What the command lines of benchmarks of several scenarios have in common."""

from __future__ import annotations

import argparse
from collections.abc import Iterable


def parser_of(prog: str, description: str, scenarios: Iterable[str]) -> argparse.ArgumentParser:
    """A parser with `--quick`, `--only` and `--repeat`; its own options follow."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--quick", action="store_true", help="everything tiny, to see that it runs")
    parser.add_argument(
        "--only",
        action="append",
        choices=list(scenarios),
        help="this scenario alone (may be given several times)",
    )
    parser.add_argument(
        "--repeat",
        type=int,
        default=1,
        metavar="N",
        help="run everything N times; shows medians, and the lowest and highest",
    )
    return parser
