"""A markdown table, piece by piece. What its rows and columns are is not known here."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def line(cells: Sequence[str]) -> str:
    """A row."""
    return f"| {' | '.join(cells)} |"


def cell(values: Sequence[float] | None, form: str) -> str:
    """The median of what several runs have found; if there are several, the lowest and highest."""
    if not values:
        return ""
    middle = format(statistics.median(values), form)
    if len(values) == 1:
        return middle
    return f"{middle} ({format(min(values), form)}–{format(max(values), form)})"  # noqa: RUF001


def ratio(own: Sequence[float] | None, other: Sequence[float] | None) -> str:
    """How one median compares with another."""
    if not own or not other or not statistics.median(other):
        return ""
    return f"{statistics.median(own) / statistics.median(other):.2f}"
