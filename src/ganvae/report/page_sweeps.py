"""The page's section on each sweep: search space, findings and promoted trials."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganvae.config import Promotion
from ganvae.report import sweep_text as text
from ganvae.report.embedding import embed
from ganvae.report.numbers import fixed, listed
from ganvae.report.page_models import Shown
from ganvae.report.page_tables import Cell
from ganvae.report.scores import estimated
from ganvae.report.sweep_effects import EFFECTS, EffectsRecord, read_effects
from ganvae.scores.catalogue import PRIMARY
from ganvae.scores.comparison import Row
from ganvae.scores.studies import SWEEPS, StudyRecord

SHOWN = ("history.png", "slices.png", "contours.png", "pareto.png")


@dataclass(frozen=True)
class SweepSection:
    """The contents of a sweep's section.

    Attributes:
        anchor: the section's id in the page.
        promoted: one sentence per promoted trial.
        effects: a mapping from parameter to its table cells; empty if there are too few trials.
        check: a phrase that names the score at the pruner's first check (the first look at FID);
            "" if the sweep has no pruner.
    """

    study: str
    anchor: str
    variant: str
    family: str
    paragraphs: list[str]
    promoted: list[str]
    findings: list[str]
    effects: dict[str, list[list[Cell]]]
    check: str
    pictures: list[Shown]


def sweep_sections(
    studies: Sequence[StudyRecord],
    root: Path,
    promoted: Mapping[str, Promotion],
    rows: Sequence[Row],
) -> list[SweepSection]:
    """Build one section per study.

    Args:
        root: the folder that contains `results/sweeps/`.
        promoted: a mapping from variant to the sweep trial that its parameters come from.
        rows: the rows of the leaderboard, for the test scores of promoted variants.
    """
    return [
        _section(study, f"sweep-{number}", root / SWEEPS / study.study, promoted, rows)
        for number, study in enumerate(studies)
    ]


def _section(
    study: StudyRecord,
    anchor: str,
    folder: Path,
    promoted: Mapping[str, Promotion],
    rows: Sequence[Row],
) -> SweepSection:
    effects = read_effects(folder) if (folder / EFFECTS).exists() else None
    return SweepSection(
        study=study.study,
        anchor=anchor,
        variant=study.variant,
        family=study.family,
        paragraphs=[f"{_searched(study)} {text.budget_text(study)}", text.best_text(study)],
        promoted=list(_promotions(study, promoted, rows)),
        findings=text.findings(study, effects) if effects else [],
        effects=_lines(study, effects) if effects and text.has_numbers(effects) else {},
        check=text.check_text(study),
        pictures=list(_pictures(study, folder)),
    )


def _lines(study: StudyRecord, effects: EffectsRecord) -> dict[str, list[list[Cell]]]:
    checked = study.pruner is not None
    return {
        effect.parameter: text.effect_cells(effect, checked=checked) for effect in effects.effects
    }


def _searched(study: StudyRecord) -> str:
    ranges = [f"`{name}` ({text.range_text(value)})" for name, value in study.parameters.items()]
    what = text.measured_what(study)
    return f"The searched parameters are {listed(ranges)}. The objective is {what}."


def _promotions(
    study: StudyRecord, promoted: Mapping[str, Promotion], rows: Sequence[Row]
) -> Iterator[str]:
    """Yield a text per promoted trial of a study, with the trial's FID on the validation split.

    If the promoted variant is ranked, the text adds the variant's FID on the test split.
    """
    scored = {row.variant: row.scores[PRIMARY] for row in rows if PRIMARY in row.scores}
    for variant, promotion in promoted.items():
        if promotion.match or promotion.study != study.study:
            continue
        line = (
            f"Trial {promotion.trial}, with FID {fixed(promotion.fid_judge_validation, 2)} on the "
            f"validation split, is promoted as `{variant}`."
        )
        if variant in scored:
            fid = " ".join(estimated(PRIMARY, scored[variant])).rstrip()
            line += f" Trained from new seeds, `{variant}` has FID {fid} on the test split."
        yield line


def _pictures(study: StudyRecord, folder: Path) -> Iterator[Shown]:
    for name in SHOWN:
        if (folder / name).exists():
            title, caption = text.PICTURES[name]
            alt = f"{title} of the sweep {study.study}: {caption}"
            yield Shown(title, caption, alt, embed(folder / name))
