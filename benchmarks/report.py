"""How results are shown: one markdown table, or JSON. Nothing is measured here."""

from __future__ import annotations

import dataclasses
import json
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from scenarios import MEASURES, UNCOMPARED, Figures, Size
from servers import OWN
from table import cell, line, ratio

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


def as_table(report: Report, facts: dict[str, str | None], size: Size) -> str:
    """The figures as a markdown table: a row a measure, a column a server, ratios at the end."""
    servers = report.servers()
    peers = [name for name in servers if name != OWN] if OWN in servers else []
    heads = ["scenario", "measure", *servers, *(f"{OWN} ÷ {peer}" for peer in peers)]
    lines = [
        "; ".join(f"{name} {value}" for name, value in facts.items() if value),
        f"{size.members} members, {size.senders} senders, {size.text} bytes, {size.seconds:g} s",
        "",
        line(heads),
        line(["---", "---", *("---:" for _ in heads[2:])]),
    ]
    for (scenario, transport, measure), row in report.figures.items():
        words, form = MEASURES[measure]
        cells = [cell(row.get(server), form) for server in servers]
        compared = measure not in UNCOMPARED
        ratios = [ratio(row.get(OWN), row.get(peer)) if compared else "" for peer in peers]
        lines.append(line([f"{scenario}, {transport}", words, *cells, *ratios]))
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
