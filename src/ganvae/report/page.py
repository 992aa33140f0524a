"""The report of a profile: one HTML file with all its pictures and scripts inside."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from ganvae.core.files import write_text
from ganvae.report import page_differences as differences
from ganvae.report import page_figures as figures
from ganvae.report import page_tables as tables
from ganvae.report.answer import answer
from ganvae.report.embedding import Embedded, embed_sample_rows
from ganvae.report.families import about_families, side_by_side
from ganvae.report.glossary import glossary
from ganvae.report.page_judges import judges_section
from ganvae.report.page_match import match_section
from ganvae.report.page_models import ModelSection, model_section
from ganvae.report.page_report import Report
from ganvae.report.page_sweeps import sweep_sections
from ganvae.report.published.tables import HEADING
from ganvae.report.scores import (
    FEW_SEEDS,
    REFERENCES,
    estimated,
    geometric_means,
    measured,
    title,
)
from ganvae.report.shown import SAMPLES
from ganvae.report.sweep_text import CAVEATS, HEADS, OPTIMISM
from ganvae.report.tuning import ABOUT_SUBMITTED, UNTUNED, naming
from ganvae.report.verdicts import WITHIN
from ganvae.scores.catalogue import PRIMARY, RESAMPLED, TABLED
from ganvae.scores.comparison import Row
from ganvae.scores.records import Provenance, ScoreRecord, shown_run

STRIP_ROWS = 2
OF_A_RUN = ("weights_sha256", "training_seed", "training_steps", "training_precision")


def write_page(path: Path, report: Report) -> None:
    """Write the page atomically. Equal reports give equal bytes."""
    write_text(path, render(report))


def render(report: Report) -> str:
    """Render the page as HTML."""
    environment = Environment(
        loader=PackageLoader("ganvae.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["inline"] = inline
    script = _resource("page.js")
    return environment.get_template("page.html.j2").render(
        style=Markup(_resource("page.css")),
        script=Markup(script),
        script_sha256=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        **_contents(report),
    )


def inline(text: str) -> Markup:
    """Escape plain text for HTML, and mark text in `backticks` as code."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))


def _resource(name: str) -> str:
    return (files("ganvae.report") / "templates" / name).read_text(encoding="utf-8")


def _contents(report: Report) -> dict[str, Any]:
    """A mapping from template variable to its value."""
    comparison, records = report.comparison, report.records
    rows = comparison.rows
    ranked = [record for record in records if not record.flags]
    provenance = (ranked or records)[0].provenance
    noisy = measured(rows, RESAMPLED)
    strips = {name: strip for name in _variants(records) if (strip := _strip(report, name))}
    return {
        "profile": report.profile,
        "command": report.command,
        "in_project": report.in_project,
        "notice": report.notice,
        "provenance": provenance,
        "settings": _settings(provenance),
        "records": [record for record in records if record.family != "reference"],
        "answer": answer(comparison, report.finalists, report.tuning),
        "finalists": [_finalist(name, rows, strips) for name in report.finalists or ()],
        "naming": naming(report.finalists or (), report.tuning),
        "mark": report.tuning.mark if report.tuning.tuned else "",
        "untuned": UNTUNED,
        "submitted": ABOUT_SUBMITTED if any(row.submitted for row in rows) else "",
        "families": tables.FAMILIES,
        "leaderboard": tables.leaderboard_table(rows, report.tuning.tuned),
        "few_seeds": FEW_SEEDS,
        "geometric_means": geometric_means(rows),
        "further": tables.further_tables(rows, report.tuning.tuned),
        "ranking_figure": figures.ranking_figure(rows, ranked),
        "strips": [(row, strips[row.variant]) for row in rows if row.variant in strips],
        "references": REFERENCES,
        "published": report.published,
        "published_heading": HEADING,
        "finalist_contrasts": differences.contrasts(comparison.finalists),
        "about_families": about_families(comparison),
        "side_by_side": side_by_side(comparison),
        "pairs": differences.pair_table(comparison.pairs),
        "within": WITHIN,
        "noise": differences.noise_lines(rows, noisy),
        "noise_titles": [title(name) for name in noisy],
        "curve_figure": figures.curve_figure(
            [record for record in ranked if record.variant in (report.finalists or ())]
        ),
        "matches": [match_section(report.root, match) for match in report.matches],
        "judges": judges_section(rows),
        "time_figure": figures.time_figure(rows, ranked),
        "models": _sections(report),
        "sweeps": sweep_sections(report.studies, report.root, report.promoted, rows),
        "sweep_heads": HEADS,
        "sweep_caveats": CAVEATS,
        "sweep_optimism": OPTIMISM,
        "scaled_down": {
            name: tables.changes(changed) for name, changed in report.departures.items() if changed
        },
        "unranked": comparison.unranked,
        "glossary": glossary(provenance.inversion_images, measured(rows, TABLED)),
    }


def _variants(records: Sequence[ScoreRecord]) -> list[str]:
    return list(dict.fromkeys(record.variant for record in records))


def _sections(report: Report) -> list[ModelSection]:
    """One section per variant: ranked variants in leaderboard order, then the unranked variants."""
    rows = {row.variant: row for row in report.comparison.rows}
    names = [*rows, *(name for name in _variants(report.records) if name not in rows)]
    by_variant = {name: [r for r in report.records if r.variant == name] for name in names}
    return [
        model_section(report, records, rows.get(name), anchor=f"model-{number}")
        for number, (name, records) in enumerate(by_variant.items())
        if records[0].family != "reference"
    ]


def _strip(report: Report, variant: str) -> Embedded | None:
    """The first samples of a variant or a baseline, embedded.

    The samples come from the shown run (the run of a variant whose pictures pages show). None if
    this run diverged or has no picture of samples.
    """
    run = shown_run([record for record in report.records if record.variant == variant])
    path = report.results / "pictures" / variant / SAMPLES.file
    if run.family == "reference":
        path = report.results / "baselines" / f"{variant}.png"
    if run.status == "diverged" or not path.exists():
        return None
    return embed_sample_rows(path, STRIP_ROWS)


def _finalist(
    variant: str, rows: Sequence[Row], strips: Mapping[str, Embedded]
) -> dict[str, str | Embedded | None]:
    row = next((row for row in rows if row.variant == variant), None)
    fid = row.scores.get(PRIMARY) if row else None
    mean, interval = estimated(PRIMARY, fid) if fid else ("none", "")
    return {
        "variant": variant,
        "family": row.family if row else "other",
        "fid": mean,
        "interval": interval,
        "strip": strips.get(variant),
    }


def _settings(provenance: Provenance) -> dict[str, str]:
    """A mapping from each measurement setting to its value. All records have the same settings."""
    values = provenance.model_dump()
    return {
        name.replace("_", " "): f"{value:,}" if isinstance(value, int) else str(value)
        for name, value in values.items()
        if name not in OF_A_RUN and value is not None
    }
