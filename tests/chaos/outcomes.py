"""What the campaign found: a row per command and kind of fault, with each fault and its outcome."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from faults import NotReachedError

FAULTS = Path(__file__).with_name("faults.csv")
BEGIN, END = "<!-- campaign (make chaos) -->", "<!-- end of campaign -->"


@dataclass
class Fault:
    """One disturbance, and what was wrong after it."""

    name: str
    problems: list[str] = field(default_factory=list)


@dataclass
class Row:
    """The faults of one kind in one scene."""

    scene: str
    kind: str
    faults: list[Fault] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.scene}, {self.kind}"

    @contextmanager
    def fault(self, name: str) -> Iterator[Fault]:
        """Disturb a command inside the `with` block. An error there is a problem of the fault."""
        fault = Fault(name)
        try:
            yield fault
        except NotReachedError:
            print(f"{self}: no process reached {fault.name}", flush=True)
            return
        except Exception as error:
            fault.problems.append(f"{type(error).__name__}: {error}")
        self.faults.append(fault)
        print(f"{self}: {fault.name}: {'FAILED' if fault.problems else 'ok'}", flush=True)
        for problem in fault.problems:
            print(f"    {problem}", flush=True)

    @property
    def failures(self) -> int:
        """The number of faults with problems. A row without faults has failed too."""
        return sum(bool(fault.problems) for fault in self.faults) if self.faults else 1


def table(rows: Sequence[Row]) -> str:
    """The campaign's table, in Markdown."""
    lines = ["| command | disturbed by | times | failures |", "| --- | --- | ---: | ---: |"]
    for row in rows:
        lines.append(f"| `{row.scene}` | {row.kind} | {len(row.faults)} | {row.failures} |")
    times = sum(len(row.faults) for row in rows)
    failures = sum(row.failures for row in rows)
    return "\n".join([*lines, f"| all | | {times} | {failures} |"])


def write(page: Path, rows: Sequence[Row]) -> None:
    """Write the table into a page, and a line per fault into FAULTS."""
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2] or "\n"
    page.write_text(f"{before}{BEGIN}\n{table(rows)}\n{END}{after}", "utf-8")
    with FAULTS.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(["command", "disturbed by", "fault", "outcome"])
        for row in rows:
            for fault in row.faults:
                lines.writerow([row.scene, row.kind, fault.name, "; ".join(fault.problems) or "ok"])
