"""The leaderboard as CSV for programs and Markdown for people."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ganvae.core.files import write_csv, write_text
from ganvae.report.differences import differences_markdown, markdown_line
from ganvae.report.numbers import listed
from ganvae.report.published import PublishedTable, published_markdown
from ganvae.report.scores import COLUMNS, HEADLINE, REFERENCES, estimated, heading, measured
from ganvae.report.tuning import UNTUNED, Tuning
from ganvae.scores.comparison import Comparison, Departures, Row
from ganvae.scores.records import INCEPTION_SCORES, SCORE_NAMES, ScoreRecord

TUNED = " †"
JUDGED = {
    "fid_judge": "FID",
    "kid_judge": "KID",
    "is_judge": "IS",
    "modes_judge": "modes",
    "precision_judge": "precision",
    "recall_judge": "recall",
    "coverage_judge": "coverage",
    "inverted_label_kept_judge": "labels",
}
"""What scores are called where it is said that they are the judge's."""


def write_leaderboard_csv(path: Path, rows: Iterable[Row]) -> None:
    """One line a model; every score as mean, interval's half-width and number of seeds."""
    rows = list(rows)
    optional = [name for name in INCEPTION_SCORES if any(name in row.scores for row in rows)]
    columns = ["model", "family", "completed", "collapsed", "diverged", "steps"]
    columns += [
        f"{name}{part}" for name in (*SCORE_NAMES, *optional) for part in ("", "_ci95", "_n")
    ]
    write_csv(path, [_csv_line(row) for row in rows], columns)


def _csv_line(row: Row) -> dict[str, object]:
    line: dict[str, object] = {
        "model": row.model,
        "family": row.family,
        "completed": row.completed,
        "collapsed": row.collapsed,
        "diverged": row.diverged,
        "steps": row.steps,
    }
    for name, score in row.scores.items():
        line |= {name: score.mean, f"{name}_ci95": score.margin, f"{name}_n": score.n}
    return line


def write_leaderboard_markdown(
    path: Path,
    profile: str,
    comparison: Comparison,
    records: list[ScoreRecord],
    departures: dict[str, Departures],
    notes: dict[str, str],
    tuning: Tuning,
    published: Sequence[PublishedTable] = (),
    notice: str = "",
) -> None:
    """The table as people read it; below it how it was measured and what differs.

    Args:
        records: all that the table is of.
        departures: by model, the parameters that are not at the model's defaults.
        notes: by model, what the profile has to say of it.
        tuning: how parameters were chosen; those chosen by scores get a mark.
        published: what stands beside numbers from papers.
        notice: what is said before all else.
    """
    lines = [f"# GAN or VAE? Leaderboard of the {profile} profile", ""]
    lines += [f"**{notice}**", ""] if notice else []
    lines += _headline(comparison.rows, tuning.tuned)
    lines += ["", *_notes(records, tuning), ""]
    lines += differences_markdown(comparison, records[0].provenance.n_generated, tuning)
    lines += ["## Further scores", "", *_further(comparison.rows, tuning.tuned), ""]
    lines += published_markdown(published)
    lines += ["## What was scaled down", "", *_scaled_down(departures, notes), ""]
    write_text(path, "\n".join(lines))


def _headline(rows: Sequence[Row], tuned: Collection[str]) -> list[str]:
    names = measured(rows, HEADLINE)
    header = ["model", "family", *map(heading, names)]
    header += ["steps", "seeds", "collapsed", "diverged"]
    body = []
    for row in rows:
        counts = (row.seeds, row.collapsed, row.diverged)
        cells = [_name(row, tuned), row.family, *_cells(row, names)]
        body.append(markdown_line([*cells, str(row.steps or ""), *map(str, counts)]))
    return [markdown_line(header), _rule(len(header), words=2), *body]


def _further(rows: Sequence[Row], tuned: Collection[str]) -> list[str]:
    """The other scores that any model has."""
    names = [name for name in measured(rows, COLUMNS) if name not in HEADLINE]
    header = ["model", *map(heading, names)]
    body = [markdown_line([_name(row, tuned), *_cells(row, names)]) for row in rows]
    return [markdown_line(header), _rule(len(header), words=1), *body]


def _rule(columns: int, words: int) -> str:
    return markdown_line(["---"] * words + ["---:"] * (columns - words))


def _scaled_down(departures: dict[str, Departures], notes: dict[str, str]) -> list[str]:
    lines = []
    for model, changes in departures.items():
        note = f" {notes[model]}" if model in notes else ""
        lines.append(f"- `{model}`: {_changes(changes) or 'as its defaults are'}.{note}")
    return lines


def _name(row: Row, tuned: Collection[str]) -> str:
    mark = TUNED if row.model in tuned else ""
    return REFERENCES.get(row.model, f"`{row.model}`") + mark


def _cells(row: Row, names: Iterable[str]) -> list[str]:
    there = ((name, row.scores.get(name)) for name in names)
    return [" ".join(estimated(name, score)).rstrip() if score else "" for name, score in there]


def _notes(records: list[ScoreRecord], tuning: Tuning) -> list[str]:
    provenance = records[0].provenance
    precisions = {record.provenance.training_precision for record in records} - {None}
    scores = {name for one in records for name, value in one.scores.items() if value is not None}
    exact = "FID, KID, IS" if "is_judge" in scores else "FID, KID"
    judged = listed([term for name, term in JUDGED.items() if name in scores])
    kept = " and labels kept are" if "label_kept_judge" in scores else " are"
    notes = [
        "Means over seeds ± half of the 95 % Student t interval of the mean; one seed has none. "
        "A model's seeds are trainings; those of floor and ceiling are draws of images. "
        "↓ lower is better, ↑ higher is better. Empty: does not apply to the model. The scores of "
        "collapsed runs are in the means; diverged ones have none.",
        "",
        f"- Data: {provenance.dataset}, {provenance.split} split, {provenance.n_real:,} real "
        f"against {provenance.n_generated:,} generated images.",
        f"- {judged} are taken from the features and "
        "logits of this project's own judge, SHA-256 "
        f"`{provenance.judge_sha256[:16]}…`: they do not compare with Inception scores.",
        "- FID falls with the number of generated images. N → ∞: extrapolated from subsets of "
        "them; the real ones stay as many as they are.",
        "- The floor is what real images score, the ceiling what pixels drawn by themselves score, "
        "each from its own Gaussian; worse is possible.",
        "- Budgets differ and are short: the order is that of these models at these budgets.",
        "- Inverted MSE: of the image closest to a test image that a search through the latents "
        f"finds ({provenance.inversion_images} images, {provenance.inversion_restarts} starts, "
        f"{provenance.inversion_steps} steps); GANs and VAEs alike. The images are the same for "
        f"all runs, so that its interval is of seeds only. Reconstructions{kept} those of "
        "encoders.",
        "- ELBO: mean over the split. Bernoulli: of grey values, so it bounds no log-likelihood. "
        "Gaussian: a density, with variance 1/2. Binarised: of images made black and white it "
        "bounds the log-likelihood, and the importance-weighted bound "
        f"({provenance.importance_samples} samples) does so more tightly. The three kinds do not "
        "compare.",
        f"- Networks trained in {' and '.join(sorted(map(str, precisions)))}, weights and "
        f"losses kept in fp32. The judge computes in fp32; {exact} and their errors "
        "are computed in double precision, nearest neighbours in single.",
        "- What the profile sets otherwise than the models' defaults stands at the end, the "
        "defaults in parentheses.",
        f"- Protocol version {provenance.protocol_version}, evaluation seed "
        f"{provenance.evaluation_seed}. Every record with its provenance: `scores.json`.",
    ]
    if tuning.tuned:
        notes.append(f"-{TUNED}: tuned, that is, {tuning.mark}. {UNTUNED}")
    notes += [
        f"- {record.model}, seed {record.seed}, {record.status}: {record.reason}."
        for record in records
        if record.status != "completed"
    ]
    return notes


def _changes(departures: Departures) -> str:
    return "; ".join(f"{key} {value} ({default})" for key, (value, default) in departures.items())
