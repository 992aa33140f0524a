"""Write `report.md` and the picture of a match from its records."""

from collections.abc import Iterator
from pathlib import Path

from ganvae.core.errors import UserError
from ganvae.core.files import write_text
from ganvae.pictures.canvas import figure
from ganvae.report import match_selection, match_why
from ganvae.report import matches as text
from ganvae.report.differences import markdown_line
from ganvae.report.match_figure import draw_expected_best
from ganvae.scores.matches import (
    FAMILIES,
    MATCHES,
    STAGES,
    MatchRecord,
    TrainedRecord,
    match_path,
    read_match_record,
    read_stage,
)

PICTURE = "expected-best.png"


def write_report(root: Path, name: str) -> Path:
    """Write the report of a match into its folder, and return the report's path."""
    folder = root / MATCHES / name
    record = read_match_record(root / match_path(name))
    search, selection, why = (read_stage(root, name, stage) for stage in STAGES)
    if search:
        with figure(folder / PICTURE, 8.4, 3.8) as canvas:
            draw_expected_best(canvas, record, search)
    path = folder / "report.md"
    write_text(path, "\n\n".join(_parts(record, search, selection, why)) + "\n")
    return path


def _parts(
    record: MatchRecord,
    search: list[TrainedRecord],
    selection: list[TrainedRecord],
    why: list[TrainedRecord],
) -> Iterator[str]:
    yield f"# Match `{record.name}`"
    yield text.intro(record)
    if search:
        yield f"![Expected best FID of each family against the number of trials]({PICTURE})"
        yield text.caption(record)
        yield "## Effort and results"
        yield _table(*text.effort(record, search))
        yield "## The search by system"
        yield _table(*text.by_system(record, search))
    yield from _selected(record, search, selection)
    if match_why.varied(why):
        yield "## Does the verdict hold?"
        yield match_why.HOW
        yield _table(*match_why.holds(why))
        yield "## What does each finalist owe to its choices?"
        yield match_why.LIMITS
        for family in FAMILIES:
            yield f"The {family.upper()} finalist, with one parameter set back to its default:"
            yield _table(*match_why.owes(why, family))
    if search:
        yield "## Machines"
        yield text.MACHINES
        yield _table(*text.machines(search, selection, why))
    for family in FAMILIES:
        yield f"## Search space of the {text.NAMES[family]}"
        yield _table(*text.space_table(record, family))


def _selected(
    record: MatchRecord, search: list[TrainedRecord], selection: list[TrainedRecord]
) -> Iterator[str]:
    for family in FAMILIES:
        try:
            candidates = _table(*match_selection.candidates(record, search, selection, family))
            winner = match_selection.winner_text(record, search, selection, family)
            excluded = match_selection.excluded_text(record, search, family)
        except UserError:  # the match is not complete
            continue
        yield f"## Selection of the {text.NAMES[family]}"
        yield candidates
        yield from filter(None, (winner, excluded))


def _table(heads: list[str], rows: list[list[str]]) -> str:
    return "\n".join(map(markdown_line, [heads, ["---"] * len(heads), *rows]))
