"""How results are shown: one markdown table, or JSON. Nothing is measured here."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import ssl
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from scenarios import MEASURES, Figures, Size
from servers import OWN

Key = tuple[str, str, str]
"""Scenario, transport, measure."""


@dataclass(slots=True)
class Report:
    """Everything that was measured: for each key and server one value a run; and what failed."""

    figures: dict[Key, dict[str, list[float]]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, scenario: str, transport: str, server: str, figures: Figures) -> None:
        """Files one run's figures; those that the system did not tell are left out."""
        for measure, value in figures.items():
            if value is not None:
                row = self.figures.setdefault((scenario, transport, measure), {})
                row.setdefault(server, []).append(value)

    def servers(self) -> list[str]:
        """Every server with a figure, our own first."""
        found = {server for row in self.figures.values() for server in row}
        return sorted(found, key=lambda name: (name != OWN, name))


def machine(
    pair: tuple[int, int] | None, store: str, peers: Mapping[str, str]
) -> dict[str, str | None]:
    """What the figures were measured on and with."""
    return {
        "cpu": _cpu_model(),
        "cores": str(os.cpu_count()),
        "pinned": f"server on {pair[0]}, load on {pair[1]}" if pair else None,
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "openssl": ssl.OPENSSL_VERSION,
        "twisted": _version("twisted"),
        "pyopenssl": _version("pyopenssl"),
        OWN: _version(OWN),
        "store": store,
        **peers,
    }


def as_table(report: Report, facts: dict[str, str | None], size: Size) -> str:
    """The figures as a markdown table: a row a measure, a column a server, ratios at the end."""
    servers = report.servers()
    peers = [name for name in servers if name != OWN] if OWN in servers else []
    heads = ["scenario", "measure", *servers, *(f"{OWN} ÷ {peer}" for peer in peers)]
    lines = [
        "; ".join(f"{name} {value}" for name, value in facts.items() if value),
        f"{size.members} members, {size.senders} senders, {size.text} bytes, {size.seconds:g} s",
        "",
        _line(heads),
        _line(["---", "---", *("---:" for _ in heads[2:])]),
    ]
    for (scenario, transport, measure), row in report.figures.items():
        words, form = MEASURES[measure]
        cells = [_cell(row.get(server), form) for server in servers]
        ratios = [_ratio(row.get(OWN), row.get(peer)) for peer in peers]
        lines.append(_line([f"{scenario}, {transport}", words, *cells, *ratios]))
    if not Path("/proc/self/stat").exists():
        lines += ["", "This system has no /proc: the server's CPU and memory are left out."]
    if report.failures:
        lines += ["", *(f"FAILED: {failure}" for failure in report.failures)]
    return "\n".join(lines)


def as_json(report: Report, facts: dict[str, str | None], size: Size) -> str:
    """The same for machines, with every single value."""
    results = [
        {
            "scenario": scenario,
            "transport": transport,
            "measure": measure,
            "words": MEASURES[measure][0],
            "server": server,
            "median": statistics.median(values),
            "values": values,
        }
        for (scenario, transport, measure), row in report.figures.items()
        for server, values in row.items()
    ]
    whole = {
        "machine": facts,
        "size": dataclasses.asdict(size),
        "results": results,
        "failures": report.failures,
    }
    return json.dumps(whole, indent=2)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(values: list[float] | None, form: str) -> str:
    if not values:
        return ""
    middle = format(statistics.median(values), form)
    if len(values) == 1:
        return middle
    return f"{middle} ({format(min(values), form)}–{format(max(values), form)})"  # noqa: RUF001


def _ratio(own: list[float] | None, other: list[float] | None) -> str:
    if not own or not other or not statistics.median(other):
        return ""
    return f"{statistics.median(own) / statistics.median(other):.2f}"


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
