"""What the campaign found: a row per command and kind of fault, with each fault and its outcome."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

FAULTS = Path(__file__).with_name("faults.csv")
BEGIN, END = "<!-- campaign (make chaos) -->", "<!-- end of campaign -->"


@dataclass
class Row:
    """The outcomes of one kind of fault in one scene: each fault, and what was wrong after it."""

    scene: str
    kind: str
    outcomes: list[tuple[str, list[str]]] = field(default_factory=list)

    def add(self, fault: str, problems: list[str]) -> None:
        """Enter a fault, and print what was wrong after it."""
        self.outcomes.append((fault, problems))
        print(f"{self.scene}, {self.kind}: {fault}: {'FAILED' if problems else 'ok'}", flush=True)
        for problem in problems:
            print(f"    {problem}", flush=True)

    @property
    def failures(self) -> list[str]:
        return [fault for fault, problems in self.outcomes if problems]


def table(rows: Sequence[Row]) -> str:
    """The campaign's table, in Markdown."""
    lines = ["| command | disturbed by | times | failures |", "| --- | --- | ---: | ---: |"]
    for row in rows:
        numbers = f"{len(row.outcomes)} | {len(row.failures)}"
        lines.append(f"| `{row.scene}` | {row.kind} | {numbers} |")
    times = sum(len(row.outcomes) for row in rows)
    failures = sum(len(row.failures) for row in rows)
    return "\n".join([*lines, f"| all | | {times} | {failures} |"])


def write(page: Path, rows: Sequence[Row]) -> None:
    """Write the table into a page, and a line per fault into FAULTS."""
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    page.write_text(f"{before}{BEGIN}\n{table(rows)}\n{END}{rest.partition(END)[2]}", "utf-8")
    with FAULTS.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["command", "disturbed by", "fault", "outcome"])
        for row in rows:
            for fault, problems in row.outcomes:
                lines.writerow([row.scene, row.kind, fault, "; ".join(problems) or "ok"])
