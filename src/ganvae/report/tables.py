"""The leaderboard as CSV for programs and Markdown for people."""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from ganvae.comparison import Departures, Estimate, Row
from ganvae.evaluation.records import SCORE_NAMES, ScoreRecord
from ganvae.files import write_csv, write_text

Format = Callable[[float], str]

COLUMNS: dict[str, tuple[str, Format]] = {
    "fid_judge": ("FID (judge) ↓", "{:.2f}".format),
    "is_judge": ("IS (judge) ↑", "{:.2f}".format),
    "reconstruction_mse": ("recon. MSE ↓", "{:.4f}".format),
    "reconstruction_psnr": ("recon. PSNR, dB ↑", "{:.1f}".format),
    "reconstruction_ssim": ("recon. SSIM ↑", "{:.3f}".format),
    "elbo_bernoulli": ("ELBO (Bernoulli), nats ↑", "{:.1f}".format),
    "elbo_gaussian": ("ELBO (Gaussian), nats ↑", "{:.1f}".format),
    "train_seconds": ("training, s", "{:.0f}".format),
    "train_images_per_second": ("images/s", "{:.0f}".format),
}

TUNED = " †"
NAMES = {"floor": "floor (real training images)", "ceiling": "ceiling (pixel-wise Gaussian)"}


def write_leaderboard_csv(path: Path, rows: Iterable[Row]) -> None:
    """One line a model; every score as mean, interval's half-width and number of seeds."""
    columns = ["model", "family", "completed", "diverged", "steps"]
    columns += [f"{name}{part}" for name in SCORE_NAMES for part in ("", "_ci95", "_n")]
    write_csv(path, [_csv_line(row) for row in rows], columns)


def _csv_line(row: Row) -> dict[str, object]:
    line: dict[str, object] = {
        "model": row.model,
        "family": row.family,
        "completed": row.completed,
        "diverged": row.diverged,
        "steps": row.steps,
    }
    for name, score in row.scores.items():
        line |= {name: score.mean, f"{name}_ci95": score.margin, f"{name}_n": score.n}
    return line


def write_leaderboard_markdown(
    path: Path,
    profile: str,
    rows: list[Row],
    records: list[ScoreRecord],
    departures: dict[str, Departures],
    notes: dict[str, str],
    tuned: Collection[str],
) -> None:
    """The table as people read it; below it how it was measured.

    Args:
        departures: by model, the parameters that are not at the model's defaults.
        notes: by model, what the profile has to say of it.
        tuned: models whose parameters were chosen by scores; they get a mark.
    """
    header = ["model", "family", *(title for title, _ in COLUMNS.values()), "parameters"]
    header += ["steps", "seeds", "diverged", "set here (default)"]
    numbers = len(header) - 3
    lines = [_line(header), _line(["---"] * 2 + ["---:"] * numbers + ["---"])]
    lines += [_line([*_cells(row, tuned), _changes(departures.get(row.model, {}))]) for row in rows]
    title = f"# GAN or VAE? Leaderboard of the {profile} profile"
    remarks = [f"- `{model}`: {note}" for model, note in notes.items()]
    write_text(path, "\n".join([title, "", *lines, "", *_notes(records, tuned), *remarks, ""]))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(row: Row, tuned: Collection[str]) -> list[str]:
    mark = TUNED if row.model in tuned else ""
    cells = [NAMES.get(row.model, f"`{row.model}`") + mark, row.family]
    cells += [_cell(row.scores.get(name), form) for name, (_, form) in COLUMNS.items()]
    parameters = row.scores.get("parameters")
    cells.append(f"{parameters.mean:,.0f}" if parameters else "")
    cells += [str(row.steps or ""), str(row.completed + row.diverged), str(row.diverged)]
    return cells


def _cell(score: Estimate | None, form: Format) -> str:
    if score is None:
        return ""
    if score.margin is None:
        return form(score.mean)
    return f"{form(score.mean)} ± {form(score.margin)}"


def _notes(records: list[ScoreRecord], tuned: Collection[str]) -> list[str]:
    provenance = records[0].provenance
    precisions = {record.provenance.training_precision for record in records} - {None}
    notes = [
        "Means over seeds ± half of the 95 % Student t interval of the mean; one seed has none. "
        "A model's seeds are trainings; those of floor and ceiling are draws of images. "
        "↓ lower is better, ↑ higher is better. Empty: does not apply to the model.",
        "",
        f"- Data: {provenance.dataset}, {provenance.split} split, {provenance.n_real:,} real "
        f"against {provenance.n_generated:,} generated images.",
        "- FID and IS are taken from the features and logits of this project's own judge, "
        f"SHA-256 `{provenance.judge_sha256[:16]}…`: they do not compare with Inception scores.",
        "- The floor is what real images score, the ceiling what pixels drawn by themselves score, "
        "each from its own Gaussian; worse is possible.",
        "- Budgets differ and are short: the order is that of these models at these budgets.",
        "- ELBO: mean over the split. Bernoulli: of grey values, so it bounds no log-likelihood. "
        "Gaussian: a density, with variance 1/2. The two do not compare.",
        f"- Networks trained in {' and '.join(sorted(map(str, precisions)))}, weights and "
        "losses kept in fp32; the judge computes in fp32, the statistics in double precision.",
        "- Last column: what the profile sets otherwise than the models' defaults, these in "
        "parentheses.",
        f"- Protocol version {provenance.protocol_version}, evaluation seed "
        f"{provenance.evaluation_seed}. Every record with its provenance: `scores.json`.",
    ]
    if tuned:
        notes.append(
            f"-{TUNED}: tuned, that is, its parameters were chosen by FID on the validation split. "
            "The others were not tuned on any score."
        )
    notes += [
        f"- {record.model}, seed {record.seed}, diverged: {record.reason}."
        for record in records
        if record.status == "diverged"
    ]
    return notes


def _changes(departures: Departures) -> str:
    return "; ".join(f"{key} {value} ({default})" for key, (value, default) in departures.items())
