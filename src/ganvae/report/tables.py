"""The leaderboard as CSV for programs and Markdown for people."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ganvae.core.files import write_csv, write_text
from ganvae.report.differences import differences_markdown, markdown_line
from ganvae.report.findings import Findings
from ganvae.report.numbers import listed
from ganvae.report.published.tables import published_markdown
from ganvae.report.scores import (
    NOT_MEASURED,
    REFERENCES,
    cell,
    geometric_means,
    heading,
    measured,
    name,
    seed_values,
)
from ganvae.report.tuning import ABOUT_SUBMITTED, UNTUNED, Tuning
from ganvae.scores.catalogue import HEADLINE, INCEPTION, PRIMARY, REQUIRED, SCORES, TABLED
from ganvae.scores.comparison import Row
from ganvae.scores.departures import Departures
from ganvae.scores.records import Provenance, ScoreRecord

TUNED = " †"
SUBMITTED = " ‡"
PARTS = ("", "_low", "_high", "_n", "_seeds")
"""The endings of the columns of one score in the CSV file."""


def write_leaderboard_csv(path: Path, rows: Iterable[Row]) -> None:
    """Write the leaderboard as a CSV file, one line per variant.

    Each score has five columns: its mean, the ends of its 95 % confidence interval, its number of
    seeds, and the values of the seeds, separated by spaces.
    """
    rows = list(rows)
    optional = [name for name in INCEPTION if any(name in row.scores for row in rows)]
    columns = ["variant", "family", "completed", "collapsed", "diverged", "steps"]
    columns += [f"{name}{part}" for name in (*REQUIRED, *optional) for part in PARTS]
    write_csv(path, [_csv_line(row) for row in rows], columns)


def _csv_line(row: Row) -> dict[str, object]:
    line: dict[str, object] = {
        "variant": row.variant,
        "family": row.family,
        "completed": row.completed,
        "collapsed": row.collapsed,
        "diverged": row.diverged,
        "steps": row.steps,
    }
    for score, found in row.scores.items():
        values = " ".join(f"{value:.6g}" for value in found.values)
        cells = (found.mean, found.low, found.high, found.n, values)
        line |= {f"{score}{part}": cell for part, cell in zip(PARTS, cells, strict=True)}
    return line


def write_leaderboard_markdown(path: Path, findings: Findings) -> None:
    """Write the leaderboard as Markdown: the table, the notes and the differences."""
    comparison, tuning, records = findings.comparison, findings.tuning, findings.records
    lines = [f"# GAN or VAE? Leaderboard of the {findings.profile} profile", ""]
    lines += [f"**{findings.notice}**", ""] if findings.notice else []
    lines += _headline(comparison.rows, tuning.tuned)
    lines += ["", *_notes(comparison.rows, records, tuning), "", *_seeds(comparison.rows)]
    lines += differences_markdown(comparison, records[0].provenance.n_generated, tuning)
    lines += ["## Further scores", "", *_further(comparison.rows, tuning.tuned), ""]
    lines += published_markdown(findings.published)
    lines += ["## What was scaled down", "", *_scaled_down(findings), ""]
    write_text(path, "\n".join(lines))


def _headline(rows: Sequence[Row], tuned: Collection[str]) -> list[str]:
    names = measured(rows, HEADLINE)
    header = ["variant", "family", *map(heading, names)]
    header += ["steps", "seeds", "collapsed", "diverged"]
    body = []
    for row in rows:
        counts = (row.seeds, row.collapsed, row.diverged)
        cells = [_name(row, tuned), row.family, *_cells(row, names)]
        body.append(markdown_line([*cells, str(row.steps or ""), *map(str, counts)]))
    return [markdown_line(header), _rule(len(header), words=2), *body]


def _further(rows: Sequence[Row], tuned: Collection[str]) -> list[str]:
    """A Markdown table of the scores that the headline table does not show."""
    names = [name for name in measured(rows, TABLED) if name not in HEADLINE]
    header = ["variant", *map(heading, names)]
    body = [markdown_line([_name(row, tuned), *_cells(row, names)]) for row in rows]
    return [markdown_line(header), _rule(len(header), words=1), *body]


def _rule(columns: int, words: int) -> str:
    return markdown_line(["---"] * words + ["---:"] * (columns - words))


def _scaled_down(findings: Findings) -> list[str]:
    lines = []
    for variant, changes in findings.departures.items():
        note = f" {findings.notes[variant]}" if variant in findings.notes else ""
        lines.append(f"- `{variant}`: {_changes(changes) or 'all defaults'}.{note}")
    return lines


def _name(row: Row, tuned: Collection[str]) -> str:
    mark = TUNED if row.variant in tuned else ""
    mark += SUBMITTED if row.submitted else ""
    return REFERENCES.get(row.variant, f"`{row.variant}`") + mark


def _cells(row: Row, names: Iterable[str]) -> list[str]:
    return [" ".join(cell(row, name)).rstrip() for name in names]


def _seeds(rows: Sequence[Row]) -> list[str]:
    """The FID of every seed, for variants with few seeds."""
    lines = [
        markdown_line([REFERENCES.get(row.variant, f"`{row.variant}`"), values])
        for row in rows
        if PRIMARY in row.scores and (values := seed_values(PRIMARY, row.scores[PRIMARY]))
    ]
    if not lines:
        return []
    return [
        "## FID of every seed",
        "",
        "Few values say more than their interval. An interval of five seeds cannot show a rare "
        "collapse.",
        "",
        markdown_line(["variant", "FID of each seed ↓"]),
        markdown_line(["---", "---"]),
        *lines,
        "",
    ]


def _notes(rows: Sequence[Row], records: Sequence[ScoreRecord], tuning: Tuning) -> list[str]:
    """Markdown lines on how to read the table and how the scores were measured."""
    provenance = records[0].provenance
    precisions = {record.provenance.training_precision for record in records} - {None}
    scores = {name for r in records for name, value in r.scores.items() if value is not None}
    judged = listed([name(s) for s in HEADLINE if s in scores and SCORES[s].features == "judge"])
    notes = [
        "Each cell is the mean over seeds, with its 95 % confidence interval in brackets "
        f"(Student's t). {geometric_means(rows)} "
        "A single seed has no interval. For variants, a seed is a training run. For "
        "floor and ceiling, a seed is a draw of images. ↓ means that lower is better, and ↑ that "
        "higher is better. A cell is empty if the score does not apply to the variant. Collapsed "
        "runs count in the means. Diverged runs have no scores.",
        "",
        f"- Data: {provenance.dataset}, {provenance.split} split, {provenance.n_real:,} real "
        f"and {provenance.n_generated:,} generated images.",
        f"- {judged} are computed from the features or class predictions of the judge, this "
        f"project's own classifier (SHA-256 `{provenance.judge_sha256[:16]}…`). These scores "
        "cannot be compared with scores from an Inception network.",
        *_second_judge(provenance),
        "- FID falls as the number N of generated images grows. FID with N → ∞ is extrapolated "
        "from subsets of the generated images. The number of real images stays the same.",
        "- The floor is the score of real training images. The ceiling is the score of images "
        "whose pixels are drawn independently from Gaussians. A variant can be worse than the "
        "ceiling.",
        "- Training budgets are short and differ between variants. The ranking holds only "
        "for these variants at these budgets.",
        "- Inverted scores come from a search in latent space. For each of "
        f"{provenance.inversion_images} test images, the search "
        f"({provenance.inversion_restarts} starts, {provenance.inversion_steps} steps) looks for "
        "the closest image that the model can draw. The search is the same for GANs and VAEs. All "
        "runs share the same test images, so the interval covers only the noise between seeds. "
        "Reconstruction scores exist only for models with an encoder.",
        "- ELBO is the mean over the split. The Bernoulli ELBO is computed on grey values, so it "
        "does not bound a log-likelihood. The Gaussian ELBO is computed for a density with "
        "variance 1/2. The binarised ELBO is computed on black-and-white images, where it bounds "
        "the log-likelihood. The importance-weighted bound "
        f"({provenance.importance_samples} samples) is tighter. The three kinds of ELBO cannot be "
        "compared with each other.",
        f"- Networks were trained in {' and '.join(sorted(map(str, precisions)))}. Weights and "
        "losses stay in fp32. The judge computes in fp32. Distances between the judge's features "
        "are computed in double precision, and nearest neighbours in single precision.",
        "- Parameters that differ from a system's defaults are listed at the end of this page, "
        "with the defaults in parentheses.",
        f"- The protocol version is {provenance.protocol_version}, and the evaluation seed is "
        f"{provenance.evaluation_seed}. `scores.json` has every record with its provenance.",
    ]
    if any(name not in record.scores for record in records for name in REQUIRED):
        notes.append(f'- "{NOT_MEASURED}" means that the record is older than the score.')
    if tuning.tuned:
        notes.append(f"-{TUNED} marks tuned variants: {tuning.mark}. {UNTUNED}")
    if any(row.submitted for row in rows):
        notes.append(f"-{SUBMITTED} marks {ABOUT_SUBMITTED}")
    notes += [
        f"- {record.variant}, seed {record.seed}, is not ranked: {'; '.join(record.flags)}."
        for record in records
        if record.flags
    ]
    notes += [
        f"- {record.variant}, seed {record.seed}, {record.status}: {record.reason}."
        for record in records
        if record.status != "completed"
    ]
    return notes


def _second_judge(provenance: Provenance) -> list[str]:
    """A line on the second judge. The list is empty without a second judge."""
    digest = provenance.unlabelled_judge_sha256
    if digest is None:
        return []
    return [
        f"- {name('fid_unlabelled')} is computed from the features of a second judge, which was "
        f"trained without labels (SHA-256 `{digest[:16]}…`). The second judge is stricter with "
        "blur. The FIDs of the two judges are on different scales."
    ]


def _changes(departures: Departures) -> str:
    return "; ".join(f"{key} {value} ({default})" for key, (value, default) in departures.items())
